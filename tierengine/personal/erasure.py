"""Erasing a member: his key is destroyed and what it sealed is removed; his code, standing and ledger stay.

In this order: what stands against it is looked for under the member's lock; the key is destroyed; the rows go and the
erasure is written down, in one transaction. Where that transaction fails the key is gone all the same, and the act is
done again: nothing sealed opens any more, and nobody is marked as erased who is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tierengine.access.audit import Acting
from tierengine.access.second import two
from tierengine.errors import Refused, Unknown
from tierengine.personal.vault import Vault
from tierengine.store.dialect import Link
from tierengine.store.rows import Table

_TABLE: Final = Table("erasure")
_MEMBER: Final = "SELECT id FROM member WHERE dealer_id = ?1 AND code = ?2"
_LOCK: Final = "SELECT member_id FROM ledger WHERE member_id IN (?1*) ORDER BY member_id FOR UPDATE"
_JOINED: Final = (
    "SELECT o.member_id FROM ledger l JOIN ledger o ON o.joined_id = l.joined_id WHERE l.member_id = ?1 ORDER BY 1"
)
_DONE: Final = "SELECT recorded_at FROM erasure WHERE member_id = ?1"
_HOLDS: Final = (
    "SELECT COUNT(*) FROM hold_state s JOIN hold h ON h.id = s.hold_id "
    "WHERE s.member_id = ?1 AND s.remaining > 0 AND h.expires_at > ?2"
)
_LEFT: Final = (
    "SELECT l.wallet, SUM(s.remaining) AS left_over FROM lot_state s JOIN lot l ON l.id = s.lot_id "
    "WHERE s.member_id = ?1 AND s.remaining > 0 AND (l.expires_at IS NULL OR l.expires_at > ?2) "
    "GROUP BY l.wallet ORDER BY l.wallet"
)
_DEBTS: Final = (
    "SELECT a.wallet, a.balance FROM member m JOIN account a ON a.dealer_id = m.dealer_id AND a.member_id = m.id "
    "WHERE m.id = ?1 AND a.kind = 'debt' AND a.balance > 0 ORDER BY a.wallet"
)
_REMOVALS: Final = ("DELETE FROM personal WHERE member_id = ?1", "DELETE FROM personal_index WHERE member_id = ?1")


@dataclass(frozen=True, slots=True)
class Obstacles:
    """What stands against erasing a member, looked at and not changed: amounts by wallet, in its smallest unit."""

    code: str
    erased_at: int | None
    holds: int
    credit: dict[str, int]
    debts: dict[str, int]

    @property
    def forfeit(self) -> bool:
        """Whether something would have to be given up."""
        return self.erased_at is None and bool(self.credit or self.debts)


@dataclass(frozen=True, slots=True)
class Erased:
    """A member without personal data. `again`: he was erased before, and it was made sure of once more."""

    code: str
    recorded_at: int
    again: bool


def member_id(link: Link, dealer: int, code: str) -> int:
    """Return the id of a member on file; Unknown for a code that is none."""
    rows = link.ask(_MEMBER, dealer, code).rows()
    if not rows:
        raise Unknown("unknown_member", member=code)
    return int(rows[0][0])


def lock(link: Link, member: int, *others: int) -> None:
    """Let nothing else happen to a member until the transaction ends."""
    link.ask(_LOCK, [member, *others]).rows()


def all_of(link: Link, member: int) -> list[int]:
    """Return the member and all who are merged with him: what is personal of one is personal of all."""
    return [int(row[0]) for row in link.ask(_JOINED, member).rows()] or [member]


def erased_at(link: Link, member: int) -> int | None:
    """Return when a member was erased; None: he was not."""
    rows = link.ask(_DONE, member).rows()
    return int(rows[0][0]) if rows else None


def left(link: Link, member: int, now: int) -> dict[str, int]:
    """Return what a member could still spend, by wallet; what is held for an order counts."""
    return {wallet: int(amount) for wallet, amount in link.ask(_LEFT, member, now).rows()}


def debts(link: Link, member: int) -> dict[str, int]:
    """Return what a member owes, by wallet."""
    return {wallet: int(amount) for wallet, amount in link.ask(_DEBTS, member).rows()}


def plan(link: Link, dealer: int, code: str, now: int) -> Obstacles:
    """Return what would stand against erasing a member now."""
    member = member_id(link, dealer, code)
    everybody = all_of(link, member)
    holds = sum(int(link.ask(_HOLDS, one, now).rows()[0][0]) for one in everybody)
    credit = _summed(left(link, one, now) for one in everybody)
    return Obstacles(code, erased_at(link, member), holds, credit, _summed(debts(link, one) for one in everybody))


def _summed(each: Iterable[dict[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in each:
        for wallet, amount in one.items():
            found[wallet] = found.get(wallet, 0) + amount
    return found


def erase(by: Acting, vault: Vault, code: str, *, first: str = "", second: str, forfeit: bool = False) -> Erased:
    """Erase a member in the caller's transaction, which commits it. It cannot be undone, so it takes two people.

    first   who does it, where a program says it for him; else the actor is he
    second  who stands beside him; Malformed where that is the same one, or nobody

    Refused while a hold of his is open (an order is under way), and while he has credit or owes something unless that
    is given up by `forfeit`: what he has then stays in the book until it lapses, and nobody can claim it any more.
    Who is merged with him is erased with him: they are one.
    Again is the same again, and destroys a key that came back with an old copy of the keys.
    """
    two(first or by.actor.partition(":")[2], second)
    link, member = by.link, member_id(by.link, by.dealer_id, code)
    everybody = all_of(link, member)
    lock(link, *everybody)
    before = {one: erased_at(link, one) for one in everybody}
    for one in everybody:
        if before[one] is None:
            _may_go(by, one, code, forfeit=forfeit)
    people = " + ".join(filter(None, (by.actor, first if by.actor.startswith("key:") else "", second)))
    for one in everybody:
        vault.destroy(one, by.now)
        for sql in _REMOVALS:
            link.run(sql, one)
        if before[one] is None:
            link.write(_TABLE, [(one, by.dealer_id, by.now, people)])
    done = before[member]
    return Erased(code, by.now if done is None else done, again=done is not None)


def _may_go(by: Acting, member: int, code: str, *, forfeit: bool) -> None:
    holds = int(by.link.ask(_HOLDS, member, by.now).rows()[0][0])
    if holds:
        raise Refused("erase_holds", member=code, holds=holds)
    if forfeit:
        return
    for refused, found in (("erase_credit", left(by.link, member, by.now)), ("erase_debt", debts(by.link, member))):
        if found:
            wallet, amount = next(iter(found.items()))
            raise Refused(refused, member=code, wallet=wallet, amount=amount)
