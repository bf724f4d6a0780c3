"""Tiers over time of many members at once, with what time alone did since their last event.

Stored are the changes up to the head of each history. Boundaries after the head move nobody until somebody asks: they
are passed here in memory, for the members whom they concern only, so that reads never wait for a sweep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tierengine.judging.decisions import Folded
from tierengine.judging.facts_sql import read_contributions
from tierengine.judging.fold import fold
from tierengine.judging.history import LAST, Position
from tierengine.judging.netting import net, steps
from tierengine.judging.running import RunningFacts
from tierengine.membership.joined import read_joined
from tierengine.policies.versions import Programme
from tierengine.store.dialect import Link

_CHANGES = (
    "SELECT member_id, at, tier, since, until, state, cause FROM tier_change WHERE member_id IN (?1*) AND at <= ?2 "
    'ORDER BY member_id, at, "class", key, id'
)
_HEADS = (
    "SELECT member_id, head_at, head_class, head_key, boundary_at, carry FROM ledger "
    "WHERE member_id IN (?1*) AND carry <> '' AND head_at <= ?2"
)

_FIRST = "SELECT member_id, MIN(at) FROM contribution WHERE dealer_id = ?1 AND at <= ?2 GROUP BY member_id"


@dataclass(frozen=True, slots=True)
class Stage:
    """A standing from an instant on; `until` is the first instant after its validity, None without end."""

    at: int
    tier: str
    since: int
    until: int | None
    state: str
    cause: str


def _passed(
    link: Link, programme: Programme, member_ids: Sequence[int], instant: int
) -> dict[int, tuple[Folded, bool]]:
    """Return the folds, and of each whether it is of the whole history: its head went past a version start unjudged."""
    regimes = programme.regimes
    due: list[tuple[int, Position, str, bool]] = []
    for member_id, at, class_, key, boundary_at, carry in link.ask(_HEADS, list(member_ids), instant).rows():
        start, head = regimes.next_start(at), (at, class_, key)
        missed = regimes.missed(carry, head) is not None
        if missed or (boundary_at is not None and boundary_at <= instant) or (start is not None and start <= instant):
            due.append((member_id, head, carry, missed))
    if not due:
        return {}
    joined = read_joined(link, programme.dealer_id)
    wanted = joined.everybody(member_id for member_id, *_ in due)
    histories = joined.united(read_contributions(link.cursor(), wanted))
    found: dict[int, tuple[Folded, bool]] = {}
    for member_id, head, carry, missed in due:
        rows = sorted(net(histories[member_id]), key=lambda row: row.known)
        source, until = RunningFacts(programme.zone, rows), (instant, LAST, "")
        if missed:
            found[member_id] = fold(regimes, "", None, steps(rows), source, until=until), True
        else:
            found[member_id] = fold(regimes, carry, head, (), source, until=until), False
    return found


def stages(link: Link, programme: Programme, member_ids: Sequence[int], instant: int) -> dict[int, list[Stage]]:
    """Return each member's standings up to `instant`, first to last; a member who never moved has none."""
    found: dict[int, list[Stage]] = {member_id: [] for member_id in member_ids}
    for member_id, at, tier, since, until, state, cause in link.ask(_CHANGES, list(member_ids), instant).rows():
        found[member_id].append(Stage(at, tier, since, until, state, cause))
    for member_id, (folded, whole) in _passed(link, programme, member_ids, instant).items():
        since_then = [
            Stage(one.step[0], one.tier, one.since, one.until, one.state, one.cause) for one in folded.changes
        ]
        found[member_id] = since_then if whole else found[member_id] + since_then
    return found


def beginnings(link: Link, programme: Programme, lowest: str, instant: int) -> dict[int, Stage]:
    """Return the lowest tier of everybody who has a history: it is where all begin, and no change of tier tells it."""
    joined = read_joined(link, programme.dealer_id)
    first: dict[int, int] = {}
    for member, at in link.ask(_FIRST, programme.dealer_id, instant).rows():
        root = joined.root.get(member, member)
        first[root] = min(at, first.get(root, at))
    return {member: Stage(at, lowest, at, None, "valid", "") for member, at in first.items()}
