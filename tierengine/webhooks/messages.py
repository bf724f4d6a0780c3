"""From what was sealed to messages: each change of a member's money, and each net change of his tier.

A message carries codes and amounts, no names, no phones and no text that a person wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tierengine.judging.history import LAST
from tierengine.judging.merging import MERGED
from tierengine.ledger.sealed import read_listed
from tierengine.membership.known import read_member
from tierengine.membership.stand import stand
from tierengine.policies.versions import Programme
from tierengine.store.dialect import Link, doc
from tierengine.store.rows import Row

CREDIT: Final = "credit.changed"
TIER: Final = "tier.changed"
TYPES: Final = (CREDIT, TIER)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What moves a member's standing leaves one of these.
_MOVES: Final = ("contribution", "emission")
_SEALS: Final = "SELECT number, refs FROM seal WHERE dealer_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3"
_ENTRIES: Final = (
    "SELECT e.id, e.member_id, m.code, e.number, e.kind, e.wallet, e.delta, e.event_key, e.rule, e.recorded_at "
    "FROM entry e JOIN member m ON m.id = e.member_id WHERE e.id IN (?1*)"
)
_CHANGES: Final = (
    "SELECT p.entry_id, a.kind, SUM(CASE WHEN a.id = p.destination_id THEN p.amount ELSE -p.amount END) "
    "FROM posting p JOIN account a ON a.id IN (p.source_id, p.destination_id) AND a.member_id = p.member_id "
    "WHERE p.entry_id IN (?1*) GROUP BY 1, 2"
)
# Of merged members one stands for all: his tier is theirs.
_MOVED: Final = {
    table: f"SELECT DISTINCT COALESCE(l.joined_id, l.member_id) FROM {table} c "
    "JOIN ledger l ON l.member_id = c.member_id WHERE c.id IN (?1*)"
    for table in _MOVES
}
# A merge, and its end, moves the one who stands for the other, too.
_MERGES: Final = f"SELECT dealer_id, fields FROM contribution WHERE id IN (?1*) AND kind = '{MERGED}'"
_ROOTS: Final = (
    "SELECT COALESCE(l.joined_id, l.member_id) FROM member m JOIN ledger l ON l.member_id = m.id "
    "WHERE m.dealer_id = ?1 AND m.code IN (?2*)"
)
# (`+ 0`: the walk is by the members' numbers; by an index that begins with the dealer each piece would sort them all.)
_NEXT: Final = (
    "SELECT member_id FROM ledger WHERE dealer_id + 0 = ?1 AND member_id > ?2 AND carry <> '' "
    "ORDER BY member_id LIMIT ?3"
)
_PASSED: Final = (
    "SELECT member_id FROM ledger WHERE dealer_id = ?1 AND boundary_at > ?2 AND boundary_at <= ?3 ORDER BY member_id"
)
_HEADS: Final = (
    "SELECT l.member_id, m.code, l.tier, l.head_at, l.boundary_at, w.tier "
    "FROM ledger l JOIN member m ON m.id = l.member_id "
    "LEFT JOIN webhook_standing w ON w.member_id = l.member_id AND w.webhook_id = ?2 WHERE l.member_id IN (?1*) "
    "AND COALESCE(l.joined_id, l.member_id) = l.member_id "
    "ORDER BY l.member_id"
)


@dataclass(frozen=True, slots=True)
class Message:
    """What is told: `name` is its id for ever, however often it is sent."""

    name: str
    type: str
    member_id: int
    body: Mapping[str, Any]
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What some seals in a row cover: up to number `last`, these entries, and these members whose standing may move."""

    last: int
    entries: Sequence[int]
    members: Sequence[int]


def sealed_after(link: Link, dealer: int, number: int, most: int) -> Sealed | None:
    """Return what at most so many seals after `number` cover; None when there are none."""
    rows = link.ask(_SEALS, dealer, number, most).rows()
    if not rows:
        return None
    entries: list[int] = []
    moved: dict[str, list[int]] = {table: [] for table in _MOVES}
    for _, refs in rows:
        listed = read_listed(refs)
        entries += [ref for ref in listed.get("entry", ()) if isinstance(ref, int)]
        for table, found in moved.items():
            found += [ref for ref in listed.get(table, ()) if isinstance(ref, int)]
    members = {row[0] for table, ids in moved.items() if ids for row in link.ask(_MOVED[table], ids).rows()}
    if moved["contribution"]:
        into = [str(doc(fields)["into"]) for _, fields in link.ask(_MERGES, moved["contribution"]).rows()]
        members |= {row[0] for row in link.ask(_ROOTS, dealer, into).rows()} if into else set()
    return Sealed(rows[-1][0], entries, sorted(members))


def passed(link: Link, dealer: int, since: int, now: int) -> list[int]:
    """Return the members whom time alone may have moved since then."""
    return [row[0] for row in link.ask(_PASSED, dealer, since, now).rows()]


def judged(link: Link, dealer: int, after: int, most: int) -> list[int]:
    """Return the next members, by id, of whom anything was ever judged: a version that starts may move any of them."""
    return [row[0] for row in link.ask(_NEXT, dealer, after, most).rows()]


def of_entries(link: Link, programme: Programme, entries: Sequence[int]) -> Iterator[Message]:
    """Yield a message for each entry: as they were sealed, and those of one member by their numbers."""
    if not entries:
        return
    changes: dict[int, dict[str, int]] = {}
    for entry, kind, amount in link.ask(_CHANGES, list(entries)).rows():
        changes.setdefault(entry, {})[kind] = int(amount)
    for number, member, code, place, kind, wallet, delta, event, rule, at in _in_order(
        entries, link.ask(_ENTRIES, list(entries)).rows()
    ):
        moved = changes.get(number, {})
        data = {
            "member": code, "number": place, "kind": kind, "wallet": wallet, "unit": programme.unit(wallet),
            "delta": delta, "available": moved.get("available", 0), "held": moved.get("held", 0),
            "debt": moved.get("debt", 0), "event": event or None, "rule": rule or None,
            "recorded_at": _time(programme, at),
        }  # fmt: skip
        # (A book restored from an older back-up gives the ids after it once more; never those of the same instant.)
        yield Message(f"entry-{number}-{at:x}", CREDIT, member, _body(programme, CREDIT, at, data))


def of_tiers(link: Link, programme: Programme, webhook: int, members: Iterable[int], now: int) -> Iterator[Message]:
    """Yield a message for each member whose tier, as of now, is another than this webhook was told last."""
    wanted = list(members)
    lowest = lowest_of(programme, now)
    rows: list[Row] = link.ask(_HEADS, wanted, webhook).rows() if wanted else []
    for member, code, head, head_at, boundary_at, told in rows:
        told = told or lowest  # noqa: PLW2901  whom nobody was told of stands where everybody begins
        points = (programme.regimes.next_start(head_at), boundary_at)
        if (head or lowest) == told and all(point is None or point > now for point in points):
            continue
        known = read_member(link, programme, code)
        here = stand(known, max((now, LAST, ""), known.head), known.source())
        if here.tier == told:
            continue
        standing = here.carry.standing
        data = {
            "member": code, "tier": here.tier, "previous": told, "state": standing.state,
            "since": _time(programme, standing.since) if standing.since else None,
            "until": _time(programme, standing.until) if standing.until else None,
            "as_of": _time(programme, now),
        }  # fmt: skip
        yield Message(f"tier-{member}-{now}", TIER, member, _body(programme, TIER, now, data), here.tier)


def lowest_of(programme: Programme, now: int) -> str:
    """Return the tier in which everybody begins."""
    return programme.line.at(now).rules.policy.tiers[0].id


def _in_order(entries: Sequence[int], rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the rows of entries as they were sealed, and of each member by number.

    Their ids tell nothing of that: each process takes its own from a block.
    """
    sealed = {number: place for place, number in enumerate(entries)}
    his: dict[int, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row[3], reverse=True):
        his.setdefault(row[1], []).append(row)
    for row in sorted(rows, key=lambda row: sealed[row[0]]):
        yield his[row[1]].pop()


def _body(programme: Programme, kind: str, at: int, data: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": kind, "timestamp": _time(programme, at), "data": dict(data)}


def _time(programme: Programme, instant: int) -> str:
    return (_EPOCH + timedelta(microseconds=instant)).astimezone(programme.info).isoformat()
