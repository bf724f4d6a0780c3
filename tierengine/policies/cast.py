"""The people of an example, played in memory: what each did, what reached him from others, and how he stands.

Events without a member are those of the example's own. What one member's event emits reaches the other as it does in
the book: at the same instant, under the emission's key, and a return takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from rules.judge import Inputs, Judged
from tierengine.judging.budgets import Admit, Pair, Pots, Share
from tierengine.judging.carry import Carry, load
from tierengine.judging.decisions import Emitted, Folded
from tierengine.judging.fold import fold
from tierengine.judging.history import LAST, OBSERVATION, Contribution, Position, Step
from tierengine.judging.netting import steps
from tierengine.judging.recorded import Recorded
from tierengine.judging.regimes import Regimes
from tierengine.judging.resolution import resolve
from tierengine.judging.running import RunningFacts
from tierengine.zone import Zone

_ROUNDS: Final = 8
"""Emissions that call forth emissions reach so many members in a row; no programme has more than one."""


@dataclass(frozen=True, slots=True)
class Part:
    """One member at the end of an example. `at` is the position he is asked at; `steps` are all that was folded."""

    folded: Folded
    carry: Carry
    inputs: Inputs
    judged: Judged
    at: Position
    lines: tuple[Contribution, ...]
    steps: tuple[Step, ...]

    @property
    def tier(self) -> str:
        """The standing tier."""
        return self.carry.standing.tier

    @property
    def segment(self) -> str | None:
        """The member's segment, if he has one."""
        found = self.inputs.attributes.get("segment")
        return found if isinstance(found, str) else None


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody's part, and which events wait, parked, for one that is not told of."""

    parts: Mapping[str, Part]
    parked: tuple[Recorded, ...]


def play(
    regimes: Regimes,
    zone: Zone,
    members: Iterable[str],
    said: Sequence[Recorded],
    given: Mapping[str, Sequence[Contribution]],
    until: int | None,
    known_by: int | None = None,
) -> Cast:
    """Fold everybody's history.

    `given` are contributions told as they are; `until` passes time to its end; what became known after `known_by` is
    left out.
    """
    by_key = {one.key: one for one in said}
    resolved = resolve(said, by_key, ZoneInfo(zone.name), cancels=regimes.line.cancels)
    own: dict[str, list[Contribution]] = {member: list(given.get(member, ())) for member in members}
    for lines in resolved.contributions.values():
        for member, line in lines:
            own.setdefault(member, []).append(line)
    if known_by is not None:
        own = {member: [line for line in lines if line.known[0] <= known_by] for member, lines in own.items()}
    parked = tuple(by_key[key] for key in resolved.parked if key in by_key)
    if not any(version.rules.policy.budgets for version in regimes.line.versions):
        return Cast(_rounds(regimes, zone, own, until, None), parked)
    # Budgets are served in the order of telling: first everything is asked, then handed out, then judged with that.
    asked = _Asked()
    _rounds(regimes, zone, own, until, asked)
    places = {one.key: place for place, one in enumerate(said)}
    return Cast(_rounds(regimes, zone, own, until, asked.served(places)), parked)


@dataclass(slots=True)
class _Asked:
    """What grants asked of the budgets over several members; it admits everything."""

    asked: dict[Pair, tuple[tuple[Share, ...], int]] = field(default_factory=dict)

    def __call__(self, pair: Pair, shares: Sequence[Share], value: int, /) -> int:
        self.asked[pair] = (tuple(shares), value)
        return value

    def served(self, places: Mapping[str, int]) -> Admit:
        """Return who hands out what was asked, in the order of the events that asked."""
        pots = Pots(lambda _: {})

        def told(pair: Pair) -> tuple[int, Pair]:
            # (What a member's event brings another is told with that event.)
            return (max((place for key, place in places.items() if pair[0].endswith(key)), default=len(places)), pair)

        given = {pair: pots.admit(pair, *self.asked[pair]) for pair in sorted(self.asked, key=told)}

        def admit(pair: Pair, shares: Sequence[Share], value: int, /) -> int:
            return min(value, given[pair]) if pair in given else pots.admit(pair, shares, value)

        return admit


def _rounds(
    regimes: Regimes,
    zone: Zone,
    own: Mapping[str, Sequence[Contribution]],
    until: int | None,
    admit: Admit | None,
) -> dict[str, Part]:
    """Fold everybody until what they make known to one another is known."""
    received: dict[str, list[Contribution]] = {}
    parts: dict[str, Part] = {}
    for _ in range(_ROUNDS):
        # A member alone is asked right after his last event; of several, all are asked after the last one's.
        latest = max((line.known[0] for lines in (own, received) for one in lines.values() for line in one), default=0)
        end = until if until is not None else latest if len(own) > 1 and latest else None
        parts = {member: part(regimes, zone, [*own[member], *received.get(member, ())], end, admit) for member in own}
        found: dict[str, list[Contribution]] = {}
        for giver, one in parts.items():
            for to, line in _received(regimes, zone, giver, one.folded.emissions):
                if to in own:
                    found.setdefault(to, []).append(line)
        if found == received:
            break
        received = found
    return parts


def part(
    regimes: Regimes, zone: Zone, lines: Sequence[Contribution], until: int | None, admit: Admit | None = None
) -> Part:
    """Fold one member's lines and judge him where they end, or at the end of `until`."""
    ordered = tuple(sorted(lines, key=lambda line: (line.known, line.line)))
    end: Position | None = (until, LAST, "") if until is not None else None
    made = steps(ordered)
    folded = fold(regimes, "", None, made, RunningFacts(zone, ordered), until=end, admit=admit)
    version = regimes.line.versions[0]
    position = max(folded.head, end or folded.head)
    asked = RunningFacts(zone, ordered)
    carry = load(folded.carry)
    inputs = Inputs(
        asked.facts(version, position, carry.standing.since),
        asked.attributes(position),
        asked.attested(version, position),
        carry.standing.tier,
    )
    return Part(folded, carry, inputs, version.rules.judge(inputs), position, ordered, made)


def _received(
    regimes: Regimes, zone: Zone, giver: str, emissions: Sequence[Emitted]
) -> Iterable[tuple[str, Contribution]]:
    """Yield what one member's history makes known to others, as the contributions of theirs that it becomes."""
    said: dict[str, tuple[int, Mapping[str, int | str | None]]] = {}
    for one in emissions:
        key = one.line.rpartition("#")[0]
        amount, fields = one.amount, dict(one.fields)
        if one.qty < 0 and key in said:  # what takes an emission back takes back what that said
            amount, fields = -said[key][0], dict(said[key][1])
        else:
            fields |= {"month": zone.month_key(one.at), "quarter": zone.quarter_key(one.at)}
            emission = regimes.emission(one.rule, one.step[0])
            if emission is not None and emission.giver:
                fields[emission.giver] = giver
            said[key] = (amount, fields)
        known = (one.step[0], OBSERVATION, f"emit:{one.rule}:{one.event_key}")
        yield one.to, Contribution(one.kind, one.line, one.at, known, one.kind, one.qty, amount, fields)
