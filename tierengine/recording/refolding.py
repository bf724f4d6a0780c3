"""One member's history, folded again where it changed, and what that changes of what stands: pure but for its reads.

What should stand is compared with what does (decided.py), and only the difference is written.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final

from rules.judge import Inputs
from tierengine.judging import trail as trails
from tierengine.judging.budgets import Pots, once_admitted
from tierengine.judging.carry import load
from tierengine.judging.decisions import Granted, Version
from tierengine.judging.fold import fold, nothing_ends
from tierengine.judging.history import Contribution, Position, Step
from tierengine.judging.netting import net, steps
from tierengine.judging.running import RunningFacts
from tierengine.judging.trail import Trail
from tierengine.policies.versions import Programme
from tierengine.recording import lookups
from tierengine.recording.decided import (
    Decided,
    Pair,
    Place,
    Refolded,
    by_event,
    compare,
    last_of,
    standing_of,
)
from tierengine.recording.items import Before
from tierengine.recording.locked import BEGINNING, Head
from tierengine.recording.memory import Remembered
from tierengine.store.dialect import Link, doc
from tierengine.store.ids import Ids
from tierengine.store.rows import Row

_known: Final = attrgetter("known")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a member's history comes from: a link for what is rarely needed, and what was read of him already.

    merged  all whose histories are folded as one in this one, if he is not alone; `home` tells whose an event is
    """

    link: Link
    programme: Programme
    head: Head
    stored: Sequence[Contribution]
    later: Sequence[Row]
    ids: Ids
    known: Remembered | None = None
    merged: tuple[int, ...] = ()
    home: Mapping[str, int] = field(default_factory=dict)

    @property
    def members(self) -> tuple[int, ...]:
        """Return all whose history this is."""
        return self.merged or (self.head.member_id,)

    def facts_behind(self, start: Position, carry: str, position: Position) -> Remembered | None:
        """Return the remembered facts if a fold from `start` to `position` can still ask them.

        They may have been asked behind `start` already, for a command. Where a version starts or a tier ends between
        the two, the fold asks there first, which is earlier.
        """
        known = self.known
        if known is None or position < known.asked:
            return None
        in_order = known.asked <= start or not carry
        return known if in_order or nothing_ends(self.programme.regimes, load(carry), start, position) else None

    def facts_before(self, start: Position) -> Remembered | None:
        """Return the remembered facts, gone back to `start`; None where nothing is remembered."""
        known = self.known
        if known is None:
            return None
        if (rows := known.rows)[len(rows) // 2].known < start:
            known.facts.retreat(start[0])
        else:
            known.facts = known.facts.fork(start)
        return known

    def trail(self) -> Trail | None:
        """Return the trail of the fold that ended where the stored history ends."""
        known, head = self.known, self.head
        trail = known.trail if known is not None else None
        return trail if trail is not None and (trail.end, trail.text) == (head.position, head.carry) else None


def refold(source: Source, fresh: Sequence[Contribution], pots: Pots, *, whole: bool = False) -> Refolded:
    """Fold the member's history from just before the earliest of the `fresh` rows to its end.

    whole  from its beginning, whatever is fresh: it has become that of others too, or no longer is
    """
    affected = BEGINNING if whole else min(row.known for row in fresh)
    start, carry, late = (BEGINNING, "", True) if whole else _start(source, affected)
    history = _history(source, fresh, affected, start, None if late else (start, carry))
    rows = history.rows
    suffix = steps(net(row for row in rows if row.known > start) if late else net(fresh))
    if late and not suffix:
        start, carry = _last_step(source, rows, start, carry)
        history.facts.retreat(start[0])
        suffix = steps(net(row for row in rows if row.known > start))
    old = standing_of(_later(source, start) if late or source.merged else source.later)
    earlier, owners = _earlier(source, start, suffix, old)
    stood = {place: stood.granted for place, stood in old.items()}
    pots.prior, pots.once = last_of(stood, earlier), once_admitted((one.pair, one.once) for one in old.values())
    trail = _trail(source, history, start, carry)
    folded = fold(
        source.programme.regimes,
        carry,
        start if carry else None,
        suffix,
        history.facts,
        earlier=by_event(earlier),
        emitted=emissions_at(source, start, suffix, rows),
        admit=pots.admit,
        trail=trail,
    )
    if trail is not None:
        trail.text = folded.carry
    history.trail = trail
    # Rows that were retracted may lie behind the head: what comes before them is not just added to the end.
    history.asked = max(folded.head, rows[-1].known) if rows else BEGINNING
    outcome = Refolded(source.head, start, late, suffix, folded, history, home=source.home)
    if source.merged:
        outcome.owners = owners | {one.pair: one.member for one in old.values() if one.granted is not None}
    compare(outcome, old, earlier, source.ids)
    pots.settle(outcome.changes)
    return outcome


def _trail(source: Source, history: Remembered, start: Position, carry: str) -> Trail | None:
    """Return the trail that a fold from `start` goes on with, of a history that is long enough."""
    if len(history.rows) < trails.LONG:
        return None
    trail = source.trail()
    if trail is not None and trail.end == start:
        trail.facts = history.facts
        return trail
    if trail is not None:
        place = trail.place(start) + 1 if start > trail.start else 0
        if trail.before(place) == (start, carry):
            trail.cut(place, history.facts)
            return trail
    return Trail(start, carry, history.facts)


def _history(
    source: Source,
    fresh: Sequence[Contribution],
    affected: Position,
    start: Position,
    behind: tuple[Position, str] | None,
) -> Remembered:
    """Return all contributions with the fresh ones, and facts over them that the fold may ask from `start` on.

    behind  start and carry of a fold that goes on behind the head; None: it goes back in time
    """
    known = source.facts_behind(*behind, affected) if behind else source.facts_before(start)
    if known is not None:
        known.rows.extend(fresh)
        known.rows.sort(key=_known)  # all later than what the facts have taken in
        return known
    rows = sorted((*source.stored, *fresh), key=_known)
    return Remembered(rows, RunningFacts(source.programme.zone, rows), BEGINNING)


def _start(source: Source, affected: Position) -> tuple[Position, str, bool]:
    """Return where to fold from: the head, a checkpoint before the change, or the beginning."""
    head = source.head
    missed = source.programme.regimes.missed(head.carry, head.position)
    if missed is not None:
        affected = min(affected, missed)
    if head.carry and affected > head.position:
        return head.position, head.carry, False
    trail = source.trail() if head.carry else None
    if trail is not None and trail.start < affected:
        return (*trail.before(trail.place(affected)), True)
    checkpoint = lookups.checkpoint_before(source.link, head.member_id, affected) if head.carry else None
    return (*checkpoint, True) if checkpoint else (BEGINNING, "", bool(head.carry))


def _last_step(source: Source, rows: Sequence[Contribution], start: Position, carry: str) -> tuple[Position, str]:
    """Return where to fold from when nothing stands after `start`: so that the history ends with its last step.

    What came after that was passed on the way to something that is taken back now: a boundary, a version's start.
    """
    told = steps(net(rows))
    if told and told[-1].position == start:
        return start, carry
    checkpoint = lookups.checkpoint_before(source.link, source.head.member_id, told[-1].position) if told else None
    return checkpoint or (BEGINNING, "")


def _later(source: Source, start: Position) -> list[Row]:
    return lookups.decisions_from(source.link, source.members, start)


def _earlier(
    source: Source, start: Position, suffix: Sequence[Step], old: Mapping[Place, Decided]
) -> tuple[dict[Pair, Granted], dict[Pair, int]]:
    """Return what stands at `start` of the pairs that the suffix may touch: named by its returns, or decided in it.

    And under whom.
    """
    if start == BEGINNING:
        return {}, {}
    named = {line.event_key for step in suffix for line in step.lines if line.qty < 0}
    named |= {pair[0] for pair, _ in old}
    if not named:
        return {}, {}  # nearly always
    rows = lookups.decisions_of(source.link, source.programme.dealer_id, source.members, named)
    found = [one for one in standing_of(rows).values() if one.step <= start and one.granted is not None]
    found.sort(key=lambda one: one.step)
    stands = {one.pair: one.granted for one in found if one.granted is not None}
    return stands, {one.pair: one.member for one in found}


def emission_key(rule: str, event_key: str) -> str:
    """Return the key of the derived event that `rule` makes of an event."""
    return f"emit:{rule}:{event_key}"


def emitting(programme: Programme) -> dict[str, frozenset[str]]:
    """Return the kinds that each emission of any version asks for."""
    found: dict[str, frozenset[str]] = {}
    for version in programme.line.versions:
        for rule, emission in version.rules.policy.emissions.items():
            found[rule] = found.get(rule, frozenset()) | frozenset(emission.on)
    return found


def emissions_at(
    source: Source, start: Position, suffix: Sequence[Step], rows: Sequence[Contribution]
) -> set[tuple[str, str]]:
    """Return the emissions that stand at `start` of the events that returns in the suffix name."""
    named = {line.event_key for step in suffix for line in step.lines if line.qty < 0}
    if not named or start == BEGINNING:
        return set()
    rules = emitting(source.programme)
    back = {row.event_key for row in net(row for row in rows if row.known <= start) if row.qty < 0}
    keys = {emission_key(rule, key): (rule, key) for rule in rules for key in named - back}
    stored = {row[1]: row for row in lookups.emissions(source.link, source.programme.dealer_id, keys)}
    return {keys[key] for key, row in stored.items() if not row[7] and tuple(doc(row[9])["step"]) <= start}


# ---- what a command is decided on -------------------------------------------------------------------------------


def before(source: Source, position: Position, usable: Mapping[str, int]) -> tuple[Before, Remembered | None]:
    """Return the member as of just before `position`, whether that lies behind the head or in his past.

    Behind the head the facts go on to serve the fold of the event itself: they are returned as well.
    """
    start, carry, late = _start(source, position)
    stored = source.stored
    known = [*stored] if not stored or stored[-1].known < position else [row for row in stored if row.known < position]
    remembered = None if late else source.facts_behind(start, carry, position)
    if remembered is None:
        whole = source.known
        if whole is not None and late:
            facts = whole.facts.fork(start, known)
        else:
            facts = RunningFacts(source.programme.zone, known)
        remembered = Remembered(known, facts, position, source.trail())
    facts = remembered.facts
    remembered.asked = position
    behind = known[bisect_right(known, start, key=_known) :]
    regimes, since_then = source.programme.regimes, steps(net(behind)) if behind else ()
    if carry and not since_then and nothing_ends(regimes, load(carry), start, position):
        state = load(carry)
    else:
        folded = fold(
            regimes,
            carry,
            start if carry else None,
            since_then,
            facts,
            earlier=by_event(_earlier(source, start, since_then, {})[0]),
            until=position,
        )
        state = load(folded.carry)
    since, tier = state.standing.since, state.standing.tier
    regime = source.programme.regimes.at(position[0])

    def asked(version: Version) -> Inputs:
        return Inputs(
            facts.facts(version, position, since),
            facts.attributes(position),
            facts.attested(version, position),
            tier,
        )

    kept = remembered if not late and len(known) == len(source.stored) else None
    who = source.head.member_id
    return Before(who, position[0], regime, asked, tier, usable, known, source.members), kept
