"""Opening the book for a command: which database, which dealer, and who may write."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from tierengine.commands import options
from tierengine.commands.failure import Stop
from tierengine.commands.money import instant
from tierengine.commands.screen import PROBLEMS, Screen, both
from tierengine.policies.versions import Programme, heads, load
from tierengine.recording.recorder import clock
from tierengine.settings import Settings, kind_of
from tierengine.store import snapshots
from tierengine.store.database import WriterLock, check_ready, connect, sqlite_path
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids

DealerOption = options.Dealer
AtOption = Annotated[
    str,
    typer.Option("--at", metavar="DAY", help=both("按哪一天看（缺省：现在）。", "As of which day (default: now).")),
]
_DEALERS: Final = "SELECT id, code, name FROM dealer ORDER BY code"


@dataclass(frozen=True, slots=True)
class Dealer:
    """One dealer of the book."""

    id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A book open for reading, at one dealer's programme."""

    link: Link
    programme: Programme
    dealer: Dealer

    def at(self, text: str) -> int:
        """Return the instant a command was asked for; now, when it says nothing."""
        return instant(text, self.programme.zone) if text else clock()


def title_of(opened: Opened, wallet: str, screen: Screen) -> str:
    """Return a wallet's title in the language of the screen; its id, where no version ever had it."""
    known = opened.programme.wallet(wallet)
    return wallet if known is None or known.title is None else known.title.say(screen.lang)


def wallet_of(opened: Opened, text: str) -> str:
    """Return the id of the wallet that was named by its id or its title; the text itself, where there is none."""
    name = unicodedata.normalize("NFKC", text).strip()
    wallets = opened.programme.line.at(clock()).rules.policy.wallets.values()
    fits = [one.id for one in wallets if name in (one.id, one.title.zh, one.title.en)]
    return name if name in opened.programme.line.at(clock()).rules.policy.wallets or len(fits) != 1 else fits[0]


def settings() -> Settings:
    """Return what the environment says."""
    return Settings.read()


def dealers(link: Link) -> list[Dealer]:
    """Return the dealers of a book."""
    return [Dealer(*row) for row in link.ask(_DEALERS).rows()]


def chosen(found: list[Dealer], code: str) -> Dealer:
    """Return the dealer asked for, or the only one."""
    zh, en = (mark.join(dealer.code for dealer in found) for mark in ("、", ", "))
    if not found:
        raise Stop(
            "no_dealer",
            "账里还没有代理商；先发布政策：tierengine policy publish FILE",
            "The book has no dealer yet; publish a policy first: tierengine policy publish FILE",
        )
    if not code and len(found) == 1:
        return found[0]
    for dealer in found:
        if dealer.code == code:
            return dealer
    if not code:
        raise Stop("which_dealer", f"请用 --dealer 指明代理商：{zh}", f"Say which dealer with --dealer: {en}")
    raise Stop("unknown_dealer", f"没有代理商 {code}；有：{zh}", f"There is no dealer {code}; known: {en}", PROBLEMS)


def programme_of(link: Link, dealer: Dealer) -> Programme:
    """Return a dealer's programme; a dealer without a policy has none."""
    if not heads(link, [dealer.id]):
        raise Stop(
            "no_policy",
            f"代理商 {dealer.code} 还没有发布政策：tierengine policy publish FILE",
            f"Dealer {dealer.code} has no policy yet: tierengine policy publish FILE",
        )
    return load(link, dealer.id)


@contextmanager
def reading(code: str = "") -> Iterator[Opened]:
    """Open the book, see one moment of it, and change nothing."""
    wanted = settings()
    check_ready(wanted.database_url)
    link = snapshots.reader(wanted.database_url, wanted)
    try:
        with snapshots.snapshot(link):
            dealer = chosen(dealers(link), code)
            yield Opened(link, programme_of(link, dealer), dealer)
    finally:
        link.close()


@contextmanager
def writing() -> Iterator[tuple[Link, Ids]]:
    """Open the book for an act of the staff; on SQLite nobody else may be writing."""
    wanted = settings()
    check_ready(wanted.database_url)
    lock = WriterLock(sqlite_path(wanted.database_url)) if kind_of(wanted.database_url) == "sqlite" else None
    try:
        link = connect(wanted.database_url, wanted)
        try:
            yield link, Ids()
        finally:
            link.close()
    finally:
        if lock is not None:
            lock.release()


def shown_url(url: str) -> str:
    """Return a database's address without its password."""
    scheme, split, rest = url.partition("://")
    user, sign, host = rest.rpartition("@")
    return f"{scheme}{split}{user.partition(':')[0]}{sign}{host}" if sign else url
