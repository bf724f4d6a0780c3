"""What is asked by itself, where it is needed: who is on file, what was decided, what is told to others."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from tierengine.judging.history import Position
from tierengine.store.dialect import Link, either
from tierengine.store.rows import Row

# (Each of the list is looked up apart: see reading.py.)
_MEMBERS: Final = either(
    "SELECT code, id FROM member WHERE dealer_id = ?1 AND code IN (?2*)",
    "SELECT m.code, m.id FROM unnest(?2::text[]) AS named(code) CROSS JOIN LATERAL "
    "(SELECT code, id FROM member WHERE dealer_id = ?1 AND code = named.code OFFSET 0) AS m",
)
# Of the newest of the book, those of the dealer: no index has a dealer's in the order in which they came.
_NEWEST_MEMBERS: Final = (
    "SELECT code, id FROM (SELECT code, id, dealer_id FROM member ORDER BY id DESC LIMIT ?2) AS newest "
    "WHERE dealer_id = ?1"
)
_CHECKPOINT: Final = (
    "SELECT at, head_class, head_key, carry FROM checkpoint WHERE member_id = ?1 "
    "AND (at, head_class, head_key) < (?2, ?3, ?4) ORDER BY at DESC, head_class DESC, head_key DESC LIMIT 1"
)
_DECISION: Final = "SELECT id, member_id, event_key, rule, step_at, step_class, step_key, kind, basis FROM decision "
_DECISIONS_FROM: Final = (
    _DECISION + "WHERE member_id IN (?1*) AND (step_at, step_class, step_key) > (?2, ?3, ?4) ORDER BY id"
)
_DECISIONS_BETWEEN: Final = (
    _DECISION + "WHERE member_id = ?1 AND step_at BETWEEN ?2 AND ?5 AND (step_at, step_class, step_key) > (?2, ?3, ?4) "
    "AND (step_at, step_class, step_key) <= (?5, ?6, ?7) ORDER BY id"
)
_DECISIONS_OF: Final = _DECISION + "WHERE dealer_id = ?1 AND event_key IN (?2*) AND member_id IN (?3*) ORDER BY id"
_EMISSIONS: Final = (
    "SELECT id, key, revision, to_member_id, event_key, rule, kind, cancelled, applied, body, member_id FROM emission "
    "WHERE dealer_id = ?1 AND key IN (?2*) ORDER BY revision"
)
_EMISSIONS_DUE: Final = "SELECT DISTINCT key FROM emission WHERE to_member_id IN (?1*) AND NOT applied"
_UNDELIVERED: Final = "SELECT DISTINCT dealer_id, to_member_id FROM emission WHERE NOT applied AND to_member_id > 0"


def member_ids(link: Link, dealer_id: int, codes: Collection[str]) -> dict[str, int]:
    """Return the ids of the members that are on file."""
    return dict(link.ask(_MEMBERS, dealer_id, sorted(codes)).rows()) if codes else {}


def newest_members(link: Link, dealer_id: int, most: int) -> dict[str, int]:
    """Return the ids of the members who were put on file last."""
    return dict(link.ask(_NEWEST_MEMBERS, dealer_id, most).rows())


def checkpoint_before(link: Link, member_id: int, position: Position) -> tuple[Position, str] | None:
    """Return the last checkpoint before a position, with its carry."""
    rows = link.ask(_CHECKPOINT, member_id, *position).rows()
    return ((rows[0][0], rows[0][1], rows[0][2]), rows[0][3]) if rows else None


def decisions_from(link: Link, members: Collection[int], start: Position) -> list[Row]:
    """Return all decisions of steps later than `start`, in the order in which they were made."""
    return link.ask(_DECISIONS_FROM, sorted(members), *start).rows()


def decisions_between(link: Link, member_id: int, start: Position, end: Position) -> list[Row]:
    """Return all decisions of steps later than `start` and up to `end`, in the order in which they were made."""
    return link.ask(_DECISIONS_BETWEEN, member_id, *start, *end).rows()


def decisions_of(link: Link, dealer_id: int, members: Collection[int], event_keys: Collection[str]) -> list[Row]:
    """Return all decisions about these granting events."""
    asked = (dealer_id, sorted(event_keys), sorted(members))
    return link.ask(_DECISIONS_OF, *asked).rows() if event_keys else []


def emissions(link: Link, dealer_id: int, keys: Collection[str]) -> list[Row]:
    """Return all revisions of these emissions, lowest first."""
    return link.ask(_EMISSIONS, dealer_id, sorted(keys)).rows() if keys else []


def emissions_due(link: Link, members: Collection[int]) -> set[str]:
    """Return the keys of the emissions to these members that were not delivered."""
    return {row[0] for row in link.ask(_EMISSIONS_DUE, sorted(members)).rows()}


def undelivered(link: Link) -> list[tuple[int, int]]:
    """Return (dealer, receiver) of every emission that a stopped process left undelivered."""
    return [(row[0], row[1]) for row in link.ask(_UNDELIVERED).rows()]
