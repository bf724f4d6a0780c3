"""What the fold makes of a case and what the model of tests/model makes of it, put alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from rules import policy as ast
from rules.judge import Ruleset
from tests.history.happenings import Case
from tests.model.life import Life
from tests.model.lives import lives_of
from tests.model.rows import Said
from tierengine.judging import fold as folding
from tierengine.judging.decisions import Emitted, Folded, PolicyLine, Version
from tierengine.judging.forms import cluster_of_key
from tierengine.judging.history import LAST, OBSERVATION, Contribution, Observation, Position
from tierengine.judging.netting import steps
from tierengine.judging.recorded import Recorded
from tierengine.judging.resolution import resolve
from tierengine.judging.running import RunningFacts
from tierengine.zone import Zone

NAMING = {"submission_accepted": "accepts", "attestation_withdrawn": "attestation"}
TOLD = ("machine_returned", "sale_returned", "observation_cancelled", *NAMING)


def observation(one: Said) -> Observation:
    fields = dict(one.fields)
    fields |= {"order": one.order} if one.order else {}
    fields |= {"lines": one.lines} if one.lines else {}
    fields |= {NAMING[one.kind]: one.names} if one.kind in NAMING else {}
    cluster = f"order:S1:{one.order}" if one.order else one.names or cluster_of_key(one.key)
    member = "" if one.kind in TOLD else one.member
    source_id = "" if one.order and one.kind not in TOLD else one.key.partition(":")[2]
    return Observation(one.kind, member, one.at, "src", source_id, "S1", one.revision, fields, one.key, cluster)


def contributed(said: Sequence[Said], zone: str) -> dict[str, list[Contribution]]:
    events = [Recorded(one, one.member or None) for one in map(observation, said)]
    outside = {one.key: one for one in sorted(events, key=lambda one: one.observation.revision)}
    found: dict[str, list[Contribution]] = {}
    for given_by in resolve(events, outside, ZoneInfo(zone)).contributions.values():
        for member, line in given_by:
            found.setdefault(member, []).append(line)
    return {member: sorted(rows, key=lambda row: (row.known, row.line)) for member, rows in found.items()}


def told(one: Emitted, zone: Zone, giver: str) -> Contribution:
    """What an emission contributes to who is told, as the recorder has it."""
    dated = {"month": zone.month_key(one.at), "quarter": zone.quarter_key(one.at).replace("-", "")}
    known = (one.step[0], OBSERVATION, f"emit:{one.rule}:{one.event_key}")
    fields = {**one.fields, **dated, "buyer": giver}
    return Contribution(one.kind, one.line, one.at, known, one.kind, one.qty, one.amount, fields)


_RULESETS: dict[int, tuple[ast.Policy, Ruleset]] = {}


def ruleset(policy: ast.Policy) -> Ruleset:
    if len(_RULESETS) > 500:
        _RULESETS.clear()
    found = _RULESETS.get(id(policy))
    if found is None:
        found = _RULESETS[id(policy)] = (policy, Ruleset(policy))
    return found[1]


def regimes(one: Case, numbers: Sequence[int] = (1, 2, 3)) -> folding.Regimes:
    line = tuple(
        Version(number, place, start, ruleset(policy))
        for place, (number, (start, policy)) in enumerate(zip(numbers, one.versions, strict=False), 1)
    )
    return folding.Regimes(PolicyLine(line), Zone(one.zone))


@dataclass(frozen=True)
class Whole:
    """One member's history folded in one run."""

    regimes: folding.Regimes
    rows: list[Contribution]
    end: Position
    folded: Folded


def folded(one: Case, of: folding.Regimes | None = None, members: Sequence[str] = ("M", "R")) -> dict[str, Whole]:
    """Fold each member's history, and what the first one's tells the other one in his."""
    of, rows, found = of or regimes(one), contributed(one.said, one.zone), {}
    end = (one.end, LAST, "")
    sent: list[tuple[str, Contribution]] = []
    for member in members:
        mine = [*rows.get(member, ()), *(row for to, row in sent if to == member)]
        mine.sort(key=lambda row: (row.known, row.line))
        run = folding.fold(of, "", None, steps(mine), RunningFacts(of.zone, mine), until=end)
        sent += [(emitted.to, told(emitted, of.zone, member)) for emitted in run.emissions if emitted.to != member]
        found[member] = Whole(of, mine, end, run)
    return found


def believed(one: Case) -> dict[str, Life]:
    return lives_of(one.versions, one.zone, one.said, ("M",), one.end)


Stood = list[tuple[tuple[int, int], tuple[Any, ...]]]
Outcome = tuple[Stood, dict[tuple[str, str], tuple[int, int, int | None]]]


def of_run(run: Folded) -> Outcome:
    """The standing from each instant on, and what each (event, rule) is worth in the end."""
    stood = {one.step[:2]: (one.tier, one.since, one.until, one.state) for one in run.changes}
    last = {(one.granted.event_key, one.granted.rule): one.granted for one in run.decisions}
    nets = {pair: (one.wanted, one.usable_from, one.expires_at) for pair, one in last.items() if one.wanted}
    return sorted(stood.items()), nets


def of_life(life: Life) -> Outcome:
    """The same of a life in the model."""
    stood = {known[:2]: (held.tier, held.since, held.until, held.state) for known, held in life.stood}
    return sorted(stood.items()), life.nets()


def of_fold(runs: dict[str, Whole]) -> dict[str, Outcome]:
    return {member: of_run(whole.folded) for member, whole in runs.items()}


def of_model(lives: dict[str, Life]) -> dict[str, Outcome]:
    return {member: of_life(lives.get(member, Life())) for member in ("M", "R")}
