"""What new events, and stored ones that they bring to effect, contribute: compared with what is stored, by member."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tierengine.judging.history import Contribution
from tierengine.judging.netting import difference
from tierengine.judging.recorded import Flag, Recorded, Resolved, Waits, cause_key
from tierengine.judging.resolution import resolve
from tierengine.policies.versions import Programme
from tierengine.recording import lookups
from tierengine.recording.intake import Intake
from tierengine.recording.locked import Locked, NeedMore
from tierengine.recording.stored import Stored
from tierengine.store.dialect import Link

# What other members' events emitted is known under such keys, and comes and goes with those.
_EMITTED: Final = "emit:"


@dataclass(slots=True)
class Contributed:
    """What the clusters contribute now.

    fresh      member → contributions to insert, each with the id of the event that makes it known
    parked     event key → what it waits for
    looked_at  stored events that may have been parked until now
    """

    fresh: dict[int, tuple[list[Contribution], list[int]]] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)
    parked: dict[str, Waits] = field(default_factory=dict)
    looked_at: list[int] = field(default_factory=list)


def contributed(
    link: Link, dealer: int, programme: Programme, locked: Locked, intake: Intake, clusters: set[str]
) -> Contributed:
    """Resolve the clusters and return what that changes; NeedMore for a member who is not locked."""
    by_code = {head.code: member for member, head in locked.ledgers.items()}
    stored_ids = {one.event_id for revisions in locked.events.values() for one in revisions.values()}
    found = Contributed()
    wanted: dict[int, list[Contribution]] = {}
    stored_keys: set[str] = set()
    for resolved, events in _resolved(programme, locked, intake, clusters):
        found.flags.extend(resolved.flags)
        found.parked.update(resolved.parked)
        kept = [one for revisions in events for one in revisions.values() if one.event_id in stored_ids]
        stored_keys.update(one.recorded.key for one in kept)
        found.looked_at.extend(one.event_id for one in kept)
        for rows in resolved.contributions.values():
            for code, row in rows:
                if code not in by_code:
                    raise NeedMore(lookups.member_ids(link, dealer, [code]).values(), ())
                wanted.setdefault(by_code[code], []).append(row)
    for member in sorted(locked.ledgers if stored_keys else wanted):
        stored = _stored(locked.histories.get(member, ()), stored_keys) if stored_keys else []
        fresh = list(difference(stored, wanted.get(member, [])))
        if fresh:
            found.fresh[member] = (fresh, [_event_id(intake, row) for row in fresh])
    return found


def _stored(history: Iterable[Contribution], keys: set[str]) -> list[Contribution]:
    """Return what these events contributed until now, under whatever position they stand."""
    return [row for row in history if cause_key(row.known) in keys and not row.known[2].startswith(_EMITTED)]


def _resolved(
    programme: Programme, locked: Locked, intake: Intake, clusters: set[str]
) -> list[tuple[Resolved, list[dict[int, Stored]]]]:
    """Resolve each cluster with every revision of every event that ever stood in it."""
    by_cluster: dict[str, set[str]] = {}
    for key, revisions in intake.events.items():
        for revision in revisions.values():
            if revision.cluster in clusters:
                by_cluster.setdefault(revision.cluster, set()).add(key)
    outside: dict[str, Recorded] = {}
    for source in (locked.outside, intake.events):
        for key in locked.outside_wanted & source.keys():
            revisions = source[key]
            outside[key] = revisions[max(revisions)].recorded
    found = []
    for cluster, keys in sorted(by_cluster.items()):
        events = [intake.events[key] for key in sorted(keys)]
        said = [one.recorded for revisions in events for one in revisions.values()]
        resolved = resolve(said, outside, programme.info, clusters={cluster}, cancels=programme.line.cancels)
        found.append((resolved, events))
    return found


def _event_id(intake: Intake, row: Contribution) -> int:
    """Return the event that makes a contribution known: the highest revision counts."""
    revisions = intake.events[cause_key(row.known)]
    return revisions[max(revisions)].event_id
