"""What a command does in the name of whoever runs it: in one transaction, and in the audit as command:USER."""

from __future__ import annotations

import getpass
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from tierengine.access.audit import Acting
from tierengine.commands.failure import Stop
from tierengine.commands.opened import Dealer, chosen, dealers, settings, writing
from tierengine.commands.screen import PROBLEMS, REFUSED
from tierengine.errors import sentence
from tierengine.recording.items import Answer, By, Item, Once
from tierengine.recording.recorder import clock
from tierengine.recording.writer import Writer
from tierengine.store import snapshots
from tierengine.store.database import check_ready
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, transact
from tierengine.zone import Zone

Done = TypeVar("Done")
_STORES: Final = "SELECT code, id FROM store WHERE dealer_id = ?1"
_ZONE: Final = "SELECT timezone FROM dealer WHERE id = ?1"
_NAME: Final = re.compile(r"[^\w.@-]")


def actor() -> str:
    """Return who runs this command, as the audit names him."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return f"command:{_NAME.sub('-', name)[:60]}"


def acting(dealer: str, act: Callable[[Acting], Done]) -> tuple[Dealer, Done]:
    """Do an act at one dealer's; on SQLite nobody else may be writing."""
    with writing() as (link, ids):
        of = chosen(dealers(link), dealer)
        link.rollback()
        done = transact(link, ids, lambda link, ids: act(acting_at(link, ids, of)))
    return of, done


def acting_at(link: Link, ids: Ids, of: Dealer) -> Acting:
    """Return the act under way in this transaction."""
    return Acting(link, ids, of.id, clock(), actor())


def once_of(act: str, subject: str) -> Once:
    """Return a key of its own for what is recorded as an item, so that the same transaction puts it into the audit."""
    who = actor()
    return Once(who, uuid.uuid4().hex, "", By(who, act, subject[:200], ""))


def recorded(item: Item) -> Answer:
    """Record an item; what is refused is said in a sentence."""
    wanted = settings()
    with Writer(wanted.database_url, wanted) as writer:
        answer = writer.record([item])[0]
    if answer.number >= 400:
        code, details = answer.code or "refused", answer.body.get("details", {})
        raise Stop(code, sentence(code, details, "zh"), sentence(code, details, "en"), REFUSED)
    return answer


def noted(dealer: str, act: str, subject: str, **body: Any) -> None:
    """Put into the audit what was done in many transactions: that it was, by whom, and how much of it."""
    acting(dealer, lambda by: by.note(act, subject, **body))


def looking(dealer: str, question: Callable[[Link, int], Done]) -> tuple[Zone, Done]:
    """Return what is found at one dealer's, and his zone; it needs no policy, and nothing is written."""
    wanted = settings()
    check_ready(wanted.database_url)
    link = snapshots.reader(wanted.database_url, wanted)
    try:
        with snapshots.snapshot(link):
            of = chosen(dealers(link), dealer)
            zone = Zone(str(link.ask(_ZONE, of.id).rows()[0][0]))
            return zone, question(link, of.id)
    finally:
        link.close()


def store_id_of(by: Acting, code: str) -> int | None:
    """Return a store's id, None for none; Stop names those that there are."""
    if not code:
        return None
    stores: Mapping[str, int] = dict(by.link.ask(_STORES, by.dealer_id).rows())
    if code not in stores:
        zh, en = (mark.join(sorted(stores)) for mark in ("、", ", "))
        raise Stop(
            "unknown_store",
            f"没有门店 {code};{f'有：{zh};' if zh else ''}新门店先 tierengine store add {code}",
            f"There is no store {code}; {f'known: {en}; ' if en else ''}a new one: tierengine store add {code}",
            PROBLEMS,
        )
    return stores[code]
