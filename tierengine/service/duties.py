"""What the dealer owes each member: duties derived from events and time, with owner, due date and what was done.

Pure. A duty is never stored: it follows from the service level the member had, what happened, and what was done about
it, so that a late or corrected event corrects the list by itself.

Readings: within days means to the end of the last local day, within hours and minutes runs round the clock. What a
late record brings forth is due from when it was recorded (a day's grace for entering), so that nobody is late before
he could know. A recurring duty runs from the day the member reached a level that has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from rules.policy import Duty, Filter, Policy
from rules.vocabulary import ATTRIBUTES, Attribute
from tierengine.judging.amounts import holds
from tierengine.judging.history import Contribution
from tierengine.judging.returns import RETURNS
from tierengine.zone import Zone, add_months

MINUTE = 60_000_000
DAY_MINUTES = 24 * 60
ENTERING = DAY_MINUTES * MINUTE  # how late a record may be before its duties run from the recording

Status = Literal["open", "late", "done", "done_late"]

_MOST_TURNS: Final = 5_000  # of a recurring duty: weekly for a life
_CAUSES: Final[dict[str, tuple[str, ...]]] = {"promoted": ("promoted", "confirmed"), "demoted": ()}
_DATED: Final[dict[str, tuple[Attribute, ...]]] = {
    kind: tuple(one for one in ATTRIBUTES.values() if one.type == "date" and one.set_by[0] == kind)
    for kind in {one.set_by[0] for one in ATTRIBUTES.values() if one.type == "date"}
}
DATE_KINDS: Final = frozenset(_DATED)


@dataclass(frozen=True, slots=True)
class Happened:
    """A standing line of a member's history and when it was recorded, both in microseconds UTC."""

    line: Contribution
    recorded_at: int


@dataclass(frozen=True, slots=True)
class TurnOf:
    """What happened to the member's tier at an instant; the standing after it is valid until `until` (None: for ever).

    cause     as in the fold: promoted, confirmed, renewed, grace, demoted, excluded, returned, …
    falls     whether the tier is lower than before
    """

    at: int
    cause: str
    until: int | None
    valid: bool
    falls: bool


@dataclass(frozen=True, slots=True)
class LevelFrom:
    """The service level from an instant on; "" = none."""

    at: int
    level: str


@dataclass(frozen=True, slots=True)
class Owed:
    """One duty towards one member. `due_at` is the first instant at which it is late."""

    duty: str
    title_zh: str
    title_en: str
    owner: str
    level: str
    cause: str  # event key, or the local day of a recurring duty
    since: int
    due_at: int
    done_at: int | None
    done_by: str
    escalate_to: str
    escalate_at: int | None = None

    def status(self, now: int) -> Status:
        """Tell how the duty stands at `now`."""
        if self.done_at is not None and self.done_at <= now:
            return "done" if self.done_at < self.due_at else "done_late"
        return "late" if now >= self.due_at else "open"


def level_over_time(
    policy: Policy, tiers: Sequence[tuple[int, str]], segments: Sequence[tuple[int, str]]
) -> list[LevelFrom]:
    """Return the service level over time: the higher of the tier's and the segment's.

    `tiers` and `segments` are (from instant, id), each in order; the tier before the first is the lowest.
    """
    points = sorted({0, *(at for at, _ in tiers), *(at for at, _ in segments)})
    levels: list[LevelFrom] = []
    for point in points:
        tier = next((name for at, name in reversed(tiers) if at <= point), policy.tiers[0].id)
        segment = next((name for at, name in reversed(segments) if at <= point), "")
        level = level_of(policy, tier, segment)
        if not levels or levels[-1].level != level:
            levels.append(LevelFrom(point, level))
    return levels


def level_of(policy: Policy, tier: str, segment: str | None) -> str:
    """Return the id of the service level: the higher of the tier's and the segment's, "" when neither has one."""
    names = [known.level for known in policy.tiers if known.id == tier]
    if segment and segment in policy.segments:
        names.append(policy.segments[segment])
    known_levels = [policy.levels[name] for name in names if name in policy.levels]
    return max(known_levels, key=lambda level: level.rank).id if known_levels else ""


def turns_of(policy: Policy, moves: Iterable[tuple[int, str, str, int | None, str]]) -> list[TurnOf]:
    """Return what happened to a tier from (instant, tier, cause, until, state) of each change, in order."""
    ranks = {tier.id: tier.rank for tier in policy.tiers}
    turns: list[TurnOf] = []
    rank = 0
    for at, tier, cause, until, state in moves:
        before, rank = rank, ranks.get(tier, 0)
        turns.append(TurnOf(at, cause, until, state == "valid", rank < before))
    return turns


def dates_of(zone: Zone, happened: Iterable[Happened]) -> dict[str, date]:
    """Return the member's date attributes as last said; a word that takes one back leaves none."""
    dates: dict[str, date] = {}
    for one in happened:
        for attribute in _DATED.get(one.line.kind, ()):
            field, fields = attribute.set_by[1], one.line.fields
            if one.line.kind == "attribute_changed" and fields.get("name") != attribute.id:
                continue
            value = fields.get(field) if field else zone.local_date(one.line.at).isoformat()
            if isinstance(value, str) and value:
                dates[attribute.id] = date.fromisoformat(value)
            else:
                dates.pop(attribute.id, None)
    return dates


def gone(rows: Iterable[Contribution]) -> frozenset[str]:
    """Return the keys of the events of which all went back, by the contributions that stand."""
    left, returned = Counter[str](), set[str]()
    for row in rows:
        left[row.event_key] += row.qty
        if row.qty < 0 and row.cause in RETURNS:
            returned.add(row.event_key)
    return frozenset(key for key in returned if left[key] <= 0)


def owed(
    policy: Policy,
    zone: Zone,
    levels: Sequence[LevelFrom],
    happened: Sequence[Happened],
    dates: Mapping[str, date],
    now: int,
    turns: Sequence[TurnOf] = (),
    gone: Collection[str] = (),
) -> list[Owed]:
    """Return every duty that arose up to `now`, by due date.

    dates  the member's date attributes (`dates_of`)
    turns  what happened to his tier (`turns_of`)
    gone   events of which all went back (`gone`): what was not done for them is owed no more
    """
    if not happened:
        return []
    first = min(one.line.at for one in happened)
    found: list[Owed] = []
    for place, start in enumerate(levels):
        level = policy.levels.get(start.level)
        if level is None:
            continue
        begin = max(start.at, first)
        end = min(levels[place + 1].at if place + 1 < len(levels) else now + 1, now + 1)
        for duty in level.duties:
            arisen = _arisen(zone, duty, begin, end, _Known(happened, dates, turns, now))
            found += [_owed(zone, duty, level.id, one, happened) for one in arisen]
    found = [one for one in found if one.cause not in gone or one.done_at is not None]
    return sorted(found, key=lambda one: (one.due_at, one.duty, one.cause))


@dataclass(frozen=True, slots=True)
class _Arisen:
    """One occasion of a duty: what caused it, from when it can be done, until when doing counts for this occasion.

    `runs` is when its time began to run: later than `since` where nobody could know before.
    """

    cause: str
    since: int
    runs: int
    fields: Mapping[str, object]
    closes: int | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the member by now: what happened, his dates, and the turns of his tier."""

    happened: Sequence[Happened]
    dates: Mapping[str, date]
    turns: Sequence[TurnOf]
    now: int


def _arisen(zone: Zone, duty: Duty, begin: int, end: int, known: _Known) -> Iterable[_Arisen]:
    if duty.on:
        return _on_events(duty, begin, end, known.happened)
    if duty.every_months or duty.every_days:
        return _recurring(zone, duty, begin, end)
    if duty.on_date in known.dates:
        return _on_date(zone, duty, begin, end, known)
    return _on_standing(zone, duty, begin, end, known.turns)


def _on_events(duty: Duty, begin: int, end: int, happened: Sequence[Happened]) -> Iterable[_Arisen]:
    events: set[str] = set()
    for one in happened:
        line = one.line
        if line.event_key in events or line.kind not in duty.on:
            continue
        if begin <= line.at < end and _all_hold(duty.where, line):
            events.add(line.event_key)  # one duty an event, however many lines it has
            late = one.recorded_at - line.at > ENTERING
            yield _Arisen(line.event_key, line.at, one.recorded_at if late else line.at, line.fields)


def _recurring(zone: Zone, duty: Duty, begin: int, end: int) -> Iterable[_Arisen]:
    anchor = zone.local_date(begin)

    def day_of(turn: int) -> date:
        if duty.every_days:
            return anchor + timedelta(days=turn * duty.every_days)
        return add_months(anchor, turn * duty.every_months)

    for turn in range(_MOST_TURNS):
        day = day_of(turn)
        start = begin if turn == 0 else zone.start_of(day)
        if start >= end:
            return
        yield _Arisen(day.isoformat(), start, start, {}, zone.start_of(day_of(turn + 1)))


def _on_date(zone: Zone, duty: Duty, begin: int, end: int, known: _Known) -> Iterable[_Arisen]:
    born = known.dates[duty.on_date]
    still = end > known.now
    # What is prepared for in December may be for January.
    for year in range(zone.local_date(begin).year, zone.local_date(end).year + 2):
        day = add_months(born, 12 * (year - born.year))
        start, opens = zone.start_of(day), max(zone.start_of(day - timedelta(days=duty.ahead_days)), begin)
        # The level of the day itself owes it; of a day to come that is the one of now.
        if begin <= start and opens < end and (start < end or still):
            yield _Arisen(day.isoformat(), opens, start, {}, zone.start_of(add_months(day, 11)))


def _on_standing(zone: Zone, duty: Duty, begin: int, end: int, turns: Sequence[TurnOf]) -> Iterable[_Arisen]:
    wanted = {cause for turn in duty.on_standing for cause in _CAUSES.get(turn, (turn,))}
    for place, turn in enumerate(turns):
        demoted = turn.falls and "demoted" in duty.on_standing
        if (turn.cause in wanted or demoted) and begin <= turn.at < end:
            yield _Arisen(zone.local_date(turn.at).isoformat(), turn.at, turn.at, {})
        if "lapsing" not in duty.on_standing or turn.until is None or not turn.valid:
            continue
        last = zone.local_date(turn.until - 1)
        opens = max(zone.start_of(last - timedelta(days=duty.ahead_days)), turn.at)
        stands = place + 1 == len(turns) or opens < turns[place + 1].at
        if stands and begin <= opens < end:
            yield _Arisen(last.isoformat(), opens, opens, {})


def _owed(zone: Zone, duty: Duty, level: str, arisen: _Arisen, happened: Sequence[Happened]) -> Owed:
    done = min(
        (
            one
            for one in happened
            if one.line.at >= arisen.since
            and (arisen.closes is None or one.line.at < arisen.closes)
            and _does(duty, arisen, one.line)
        ),
        key=lambda one: one.line.at,
        default=None,
    )
    due_at = _due(zone, arisen.runs, duty)
    return Owed(
        duty=duty.id,
        title_zh=duty.title.zh,
        title_en=duty.title.en,
        owner=duty.owner,
        level=level,
        cause=arisen.cause,
        since=arisen.since,
        due_at=due_at,
        done_at=None if done is None else done.line.at,
        done_by="" if done is None else done.line.event_key,
        escalate_to=duty.escalate_to,
        escalate_at=due_at + duty.escalate_minutes * MINUTE if duty.escalate_to else None,
    )


def _due(zone: Zone, since: int, duty: Duty) -> int:
    if not duty.whole_days:
        return since + duty.within_minutes * MINUTE
    return zone.start_of(zone.local_date(since) + timedelta(days=duty.within_minutes // DAY_MINUTES + 1))


def _does(duty: Duty, arisen: _Arisen, line: Contribution) -> bool:
    if line.kind == "duty_done":
        return line.fields.get("duty") == duty.id
    if line.event_key == arisen.cause:
        return False
    for kind, filters in duty.done_by:
        if line.kind == kind and _all_hold(filters, line):
            # A step of a repair or complaint names its request by key; other kinds share the fields the duty lists.
            named = line.fields.get("request") or line.fields.get("complaint")
            if named is not None and named != arisen.cause:
                return False
            return all(line.fields.get(name) == arisen.fields.get(name) for name in duty.matching)
    return False


def _all_hold(filters: Sequence[Filter], line: Contribution) -> bool:
    return all(holds(test, line.fields.get(test.field)) for test in filters)


@dataclass(frozen=True, slots=True)
class Load:
    """How many members of the highest tier a manager looks after, against the policy's soft limit."""

    manager: str
    members: int
    limit: int

    @property
    def over(self) -> bool:
        """Tell whether the manager has more than the limit: a warning, never a refusal."""
        return self.members > self.limit
