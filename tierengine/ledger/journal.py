"""The whole book as plain accounting: every posting in order, and the accounts with what they hold now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tierengine.store.dialect import Link

_PAGE: Final = 20_000
_MOVES: Final = (
    "SELECT e.recorded_at, p.id, e.id, e.number, e.kind, e.event_key, e.rule, e.cause_key, m.code, "
    "p.source_id, p.destination_id, p.amount "
    "FROM posting p JOIN entry e ON e.id = p.entry_id JOIN member m ON m.id = e.member_id "
    "WHERE p.dealer_id = ?1 AND p.id > ?2 ORDER BY p.id LIMIT ?3"
)
_ACCOUNTS: Final = (
    "SELECT a.id, m.code, a.wallet, a.kind, a.unit, a.balance FROM account a LEFT JOIN member m ON m.id = a.member_id "
    "WHERE a.dealer_id = ?1 ORDER BY m.code, a.wallet, a.kind"
)


@dataclass(frozen=True, slots=True)
class Account:
    """An account. `member` None: the house's. `balance` in minor units; the house stores none."""

    id: int
    member: str | None
    wallet: str
    kind: str
    unit: str
    balance: int | None


@dataclass(frozen=True, slots=True)
class Move:
    """A posting with what its entry says; `amount` in minor units, from one account to another."""

    recorded_at: int
    posting: int
    entry: int
    number: int
    kind: str
    event_key: str
    rule: str
    cause: str
    member: str
    source: int
    destination: int
    amount: int


def accounts(link: Link, dealer_id: int) -> dict[int, Account]:
    """Return a dealer's accounts by id."""
    return {row[0]: Account(*row) for row in link.ask(_ACCOUNTS, dealer_id).rows()}


def moves(link: Link, dealer_id: int) -> Iterator[Move]:
    """Yield a dealer's postings in the order of their ids, those of one entry together; inside a snapshot."""
    last = 0
    while rows := link.ask(_MOVES, dealer_id, last, _PAGE).rows():
        yield from (Move(*row) for row in rows)
        last = rows[-1][1]
