"""What a policy would have done: every member's history folded again as if it had ruled since a day, and compared.

Both sides are folded from the beginning by the code that records, and nothing is written; up to that day they are one,
and folded once (but under a budget, which serves whom it meets first). What is compared is where each member stands
now, and what each rule granted for what happened since that day. Not played again: prices (a sale keeps what was
charged), and what one member's events tell another (it stays as it was told). A budget over several members serves them
here in the order in which they came on file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from rules.judge import Ruleset
from rules.policy import Policy
from tierengine.judging.budgets import Pots
from tierengine.judging.decisions import Folded, GrantDecision, Granted, PolicyLine, Version
from tierengine.judging.facts_sql import read_contributions
from tierengine.judging.fold import fold
from tierengine.judging.history import LAST, VERSION_START, Contribution, Position, Step
from tierengine.judging.netting import standing, steps_of
from tierengine.judging.regimes import Regimes
from tierengine.judging.running import RunningFacts
from tierengine.membership.joined import read_joined
from tierengine.policies.versions import Programme
from tierengine.store.dialect import Link

MEMBERS: Final = 200  # read at once
_CANDIDATE: Final = -1  # the id of a version that was never published
_ALL_MEMBERS: Final = "SELECT id, code FROM member WHERE dealer_id = ?1 ORDER BY id"


@dataclass(frozen=True, slots=True)
class TierMove:
    """A member who would stand elsewhere now. `rises`: on a higher tier of the new policy."""

    member: str
    before: str
    after: str
    rises: bool


@dataclass(frozen=True, slots=True)
class RuleCost:
    """What one rule granted since the day, net of what was taken back, under both policies, in the wallet's unit."""

    rule: str
    wallet: str
    before: int
    after: int
    members: int  # for how many it differs

    @property
    def more(self) -> int:
        """How much more the new policy gives; below 0: less."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Backtest:
    """The same histories under the policy as it ruled (`before`) and under the candidate since `since` (`after`)."""

    since: int
    until: int
    members: int
    before: Mapping[str, int]  # tier → members
    after: Mapping[str, int]
    moved: tuple[TierMove, ...]
    costs: tuple[RuleCost, ...]


def backtest(
    link: Link,
    programme: Programme,
    candidate: Ruleset,
    *,
    since: int,
    now: int,
    done: Callable[[int, int], None] = lambda _done, _of: None,
) -> Backtest:
    """Play every member's history under both policies; call it inside a snapshot. `done` is told how far it is."""
    game = Game(programme, candidate, since, now)
    joined = read_joined(link, programme.dealer_id)
    everybody = [row for row in link.ask(_ALL_MEMBERS, programme.dealer_id).rows() if not joined.absorbed(row[0])]
    lowest, ranks = programme.line.at(now).rules.policy.tiers[0].id, _ranks(candidate.policy)
    tiers: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    moved: list[TierMove] = []
    granted: tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]] = (Counter(), Counter())
    affected: Counter[tuple[str, str]] = Counter()
    for first in range(0, len(everybody), MEMBERS):
        chunk: dict[int, str] = dict(everybody[first : first + MEMBERS])
        histories = joined.united(read_contributions(link.cursor(), joined.everybody(chunk)))
        for member, code in chunk.items():
            one, other = game.play(histories[member])
            stands = (one.tier or lowest, other.tier or candidate.policy.tiers[0].id)
            for counted, tier in zip(tiers, stands, strict=True):
                counted[tier] += 1
            if ranks.get(stands[0]) != ranks[stands[1]]:
                moved.append(TierMove(code, *stands, rises=ranks[stands[1]] > ranks.get(stands[0], -1)))
            for total, played in zip(granted, (one, other), strict=True):
                total.update(played.grants)
            affected.update(
                pair
                for pair in one.grants.keys() | other.grants.keys()
                if one.grants.get(pair) != other.grants.get(pair)
            )
        done(min(first + MEMBERS, len(everybody)), len(everybody))
    pairs = sorted(granted[0].keys() | granted[1].keys())
    costs = [RuleCost(*pair, granted[0][pair], granted[1][pair], affected[pair]) for pair in pairs]
    return Backtest(since, now, len(everybody), tiers[0], tiers[1], tuple(moved), tuple(costs))


def _lines(programme: Programme, candidate: Ruleset, since: int) -> tuple[PolicyLine, PolicyLine]:
    """Return the line as it ruled, and that in which the candidate rules from `since` on and what was before before."""
    ruled = tuple(replace(version, rules=_played(version.rules)) for version in programme.line.versions)
    kept = tuple(version for version in ruled if version.effective_from < since)
    return PolicyLine(ruled), PolicyLine((*kept, Version(_CANDIDATE, 0, since, _played(candidate))))


@lru_cache(maxsize=32)
def _played(whole: Ruleset) -> Ruleset:
    """Return what of a policy a fold asks: no prices, lists or awards, whose wallet rests, nor facts only they read."""
    policy = whole.policy
    wallets = {name: replace(wallet, suspended_when=None) for name, wallet in policy.wallets.items()}
    rules = Ruleset(replace(policy, prices={}, lists={}, awards={}, wallets=wallets))
    read = {*rules.standing_facts, *(fact for kind in rules.kinds for fact in rules.event_facts(kind))}
    facts = {name: fact for name, fact in policy.facts.items() if name in read}
    return Ruleset(replace(rules.policy, facts=facts))


def _ranks(policy: Policy) -> dict[str, int]:
    """Return the rank of each tier, and of those that one of them replaces."""
    found = {old: tier.rank for tier in policy.tiers for old in tier.replaces}
    return found | {tier.id: tier.rank for tier in policy.tiers}


@dataclass(frozen=True, slots=True)
class Played:
    tier: str
    grants: Mapping[tuple[str, str], int]  # (rule, wallet) → amount


_NOBODY: Final = Played("", {})


class Game:
    """Plays histories under both policies, each with pots of its own for its budgets.

    candidate  what of the candidate is played
    """

    def __init__(self, programme: Programme, candidate: Ruleset, since: int, now: int) -> None:
        self._zone = programme.zone
        lines = _lines(programme, candidate, since)
        self._sides = tuple((Regimes(line, programme.zone), Pots(lambda _: {})) for line in lines)
        self._start: Position = (since, VERSION_START, "")
        self._end: Position = (now, LAST, "")
        self._shared = _one_until_then(*lines)
        self.candidate: Final = lines[1].versions[-1].rules

    def play(self, history: Sequence[Contribution]) -> tuple[Played, Played]:
        """Play one member's history; first as it was ruled, then as it would have been."""
        rows = standing(history)
        told = [step for step in steps_of(rows) if step.position[0] <= self._end[0]]
        if not told:
            return _NOBODY, _NOBODY
        before = [step for step in told if step.position < self._start] if self._shared else []
        begun: Folded | None = None
        if before:
            begun = fold(self._sides[0][0], "", None, before, RunningFacts(self._zone, rows), until=self._start)
        rest = told[len(before) :]
        one, other = (self._rest(begun, regimes, pots, rest, rows) for regimes, pots in self._sides)
        return one, other

    def _rest(
        self, begun: Folded | None, regimes: Regimes, pots: Pots, steps: Sequence[Step], rows: Sequence[Contribution]
    ) -> Played:
        """Play what follows `begun`, by one of the two; None: all of it."""
        facts = RunningFacts(self._zone, rows)
        if begun is None:
            folded = fold(regimes, "", None, steps, facts, until=self._end, admit=pots.admit)
            return Played(folded.tier, _granted(folded.decisions, self._start[0]))
        folded = fold(
            regimes,
            begun.carry,
            begun.head,
            steps,
            facts,
            earlier=_granted_before(begun),
            emitted=_emitted_before(begun),
            until=self._end,
        )
        return Played(folded.tier, _granted((*begun.decisions, *folded.decisions), self._start[0]))


def _one_until_then(before: PolicyLine, after: PolicyLine) -> bool:
    """Whether both lines rule alike up to the candidate's start, whoever is played first."""
    line = (*before.versions, *after.versions)
    return len(after.versions) > 1 and not any(version.rules.policy.budgets for version in line)


def _granted_before(begun: Folded) -> dict[str, list[Granted]]:
    stands = {(one.granted.event_key, one.granted.rule): one.granted for one in begun.decisions}
    found: dict[str, list[Granted]] = {}
    for (event_key, _), granted in stands.items():
        found.setdefault(event_key, []).append(granted)
    return found


def _emitted_before(begun: Folded) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for one in begun.emissions:
        (found.add if one.qty > 0 else found.discard)((one.rule, one.source_key))
    return found


def _granted(decisions: Iterable[GrantDecision], since: int) -> dict[tuple[str, str], int]:
    """Return what stands of the grants that were made for events since then."""
    first: dict[tuple[str, str], int] = {}
    stands = {}
    for one in decisions:
        pair = (one.granted.event_key, one.granted.rule)
        first.setdefault(pair, one.step[0])
        stands[pair] = one.granted
    found: dict[tuple[str, str], int] = {}
    for pair, granted in stands.items():
        if first[pair] >= since and granted.wanted:
            whose = (granted.rule, granted.wallet)
            found[whose] = found.get(whose, 0) + granted.wanted
    return found
