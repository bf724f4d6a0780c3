"""A dealer's two years in a minute: the demo book recorded from nothing, by the same way as everything else.

The clock is the book's: what is recorded is recorded when the book says so, day by day, and nothing here asks what time
it is. Files: the policy is the one that ships with the program.
"""

from __future__ import annotations

import sysconfig
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from rules.reader import read
from tierengine.demo.book import Book, Delivery, demo_book
from tierengine.demo.book.post import CLOSES
from tierengine.judging.observations import read_observation
from tierengine.membership.people import NewMember, create_dealer, create_members, create_store
from tierengine.personal.vault import Vault
from tierengine.policies.versions import publish
from tierengine.recording.items import Item, Observe, Sale
from tierengine.recording.writer import Writer
from tierengine.settings import Settings
from tierengine.store.database import WriterLock, sqlite_path
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.store.migrating import migrate
from tierengine.zone import DAY, Zone

POLICY: Final = "policies.yaml"
AUTHOR: Final = "演示"
_SQLITE: Final = b"SQLite format 3\0"

Progress = Callable[[int, int], None]


class NotOurs(RuntimeError):
    """A file stands where the demo's book would be, and it is no book: it is left alone."""


@dataclass(slots=True)
class RecordedDemo:
    """What the recording came to. `status` counts the answers; `now` is the book's last instant."""

    dealer_id: int = 0
    delivered: int = 0
    status: Counter[str] = field(default_factory=Counter)
    now: int = CLOSES


def policy_file() -> Path:
    """Return the policy that ships with the program: beside the packages, or where the wheel put it."""
    beside = Path(__file__).resolve().parents[2] / POLICY
    installed = Path(sysconfig.get_path("data")) / "share" / "tierengine" / POLICY
    return beside if beside.exists() else installed


def afresh(url: str) -> None:
    """Remove an earlier demo's book; refuse to touch a file that is no database, or one in use (WriterBusy)."""
    path = sqlite_path(url)
    with suppress(FileNotFoundError), path.open("rb") as file:
        head = file.read(len(_SQLITE))
        if head not in (b"", _SQLITE):
            raise NotOurs(str(path))
    with WriterLock(path):
        for suffix in ("", "-wal", "-shm", "-journal", ".keys"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + suffix).unlink()


def own_settings(url: str) -> Settings:
    """Return the settings of the demo's book: its keys stand beside it, whatever is set for another one."""
    found = replace(Settings.read(), database_url=url)
    return replace(found, keys_url="") if found.kind == "sqlite" else found


def tell(url: str, text: str, *, progress: Progress | None = None, book: Book | None = None) -> RecordedDemo:
    """Make the book at `url`, publish the policy `text`, and record everything that the demo book delivers."""
    book = book or demo_book()
    told = RecordedDemo()
    # A moment before the first delivery: everybody is on file, and the policy rules.
    clock = [book.deliveries[0].recorded_at - DAY]
    migrate(url)
    with Writer(url, now=lambda: clock[0]) as writer:
        vault = Vault.of(own_settings(url))
        told.dealer_id = writer.perform(lambda link, ids: _open(link, ids, book, text, clock[0], vault)).result()
        vault.close()
        for items, recorded_at in _mornings(book, text, told.dealer_id):
            clock[0] = recorded_at
            told.status.update(answer.status for answer in writer.record(items))
            told.delivered += len(items)
            if progress is not None:
                progress(told.delivered, len(book.deliveries))
    return told


def _open(link: Link, ids: Ids, book: Book, text: str, now: int, vault: Vault) -> int:
    """Put the dealer, his stores and customers on file and publish his first policy."""
    dealer_id = create_dealer(link, ids, *book.dealer)
    for code, name in book.stores:
        create_store(link, ids, dealer_id, code, name)
    members = [
        NewMember(code=one.code, name=one.name, phones=one.phones, form=one.form, note=one.note)
        for one in book.customers
    ]
    create_members(link, ids, dealer_id, members, now, vault)
    publish(link, ids, dealer_id, text, author=AUTHOR, reason="演示：第一版", effective_from=now, now=now)
    return dealer_id


def _mornings(book: Book, text: str, dealer_id: int) -> Iterator[tuple[list[Item], int]]:
    """Give what arrives day by day, with the instant at which that day's deliveries are recorded."""
    policy = read(text, POLICY).policy
    if policy is None:
        raise ValueError(f"{POLICY} has errors")
    zone, info = Zone(policy.timezone), ZoneInfo(policy.timezone)
    late = policy.late_days

    def item(one: Delivery) -> Item:
        observation = read_observation(
            one.raw,
            source=one.source,
            store="",
            now_us=one.recorded_at,
            zone=info,
            late_days=late.get(one.source),
            currency=policy.currency,
        )
        if one.uses:
            return Sale(dealer_id, (observation,), one.uses, brief=True)
        return Observe(dealer_id, observation, brief=True)

    for _, of_day in groupby(book, key=lambda one: zone.local_date(one.recorded_at)):
        deliveries = list(of_day)
        yield [item(one) for one in deliveries], deliveries[-1].recorded_at
