"""What a policy would have done: every member's history folded again as if it had ruled since a day, and compared.

Both sides are folded from the beginning by the code that records, and nothing is written. What is compared is where
each member stands now, and what each rule granted for what happened since that day. Not played again: prices (a sale
keeps what was charged), and what one member's events tell another (it stays as it was told). A budget over several
members serves them here in the order in which they came on file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rules.judge import Ruleset
from rules.policy import Policy
from tierengine.judging.budgets import Pots
from tierengine.judging.decisions import Folded, PolicyLine, Version
from tierengine.judging.facts_sql import read_contributions
from tierengine.judging.fold import Lanes, fold
from tierengine.judging.history import LAST, Contribution
from tierengine.judging.netting import net, steps
from tierengine.judging.running import RunningFacts
from tierengine.membership.joined import read_joined
from tierengine.policies.versions import Programme
from tierengine.store.dialect import Link

MEMBERS: Final = 200  # read at once
_CANDIDATE: Final = -1  # the id of a version that was never published
_ALL_MEMBERS: Final = "SELECT id, code FROM member WHERE dealer_id = ?1 ORDER BY id"


@dataclass(frozen=True, slots=True)
class Moved:
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
    moved: tuple[Moved, ...]
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
    sides = (_Side(programme.lanes), _Side(_lanes(programme, candidate, since)))
    joined = read_joined(link, programme.dealer_id)
    everybody = [row for row in link.ask(_ALL_MEMBERS, programme.dealer_id).rows() if not joined.absorbed(row[0])]
    lowest, ranks = programme.line.at(now).rules.policy.tiers[0].id, _ranks(candidate.policy)
    tiers: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    moved: list[Moved] = []
    granted: tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]] = (Counter(), Counter())
    affected: Counter[tuple[str, str]] = Counter()
    for first in range(0, len(everybody), MEMBERS):
        chunk: dict[int, str] = dict(everybody[first : first + MEMBERS])
        histories = joined.united(read_contributions(link.cursor(), joined.everybody(chunk)))
        for member, code in chunk.items():
            one, other = (side.play(programme, histories[member], since, now) for side in sides)
            stands = (one.tier or lowest, other.tier or candidate.policy.tiers[0].id)
            for counted, tier in zip(tiers, stands, strict=True):
                counted[tier] += 1
            if ranks.get(stands[0]) != ranks[stands[1]]:
                moved.append(Moved(code, *stands, rises=ranks[stands[1]] > ranks.get(stands[0], -1)))
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


def _lanes(programme: Programme, candidate: Ruleset, since: int) -> Lanes:
    """Return the line in which the candidate rules from `since` on, and what ruled before that rules before."""
    kept = tuple(version for version in programme.line.versions if version.effective_from < since)
    return Lanes(PolicyLine((*kept, Version(_CANDIDATE, 0, since, candidate))), programme.zone)


def _ranks(policy: Policy) -> dict[str, int]:
    """Return the rank of each tier, and of those that one of them replaces."""
    found = {old: tier.rank for tier in policy.tiers for old in tier.replaces}
    return found | {tier.id: tier.rank for tier in policy.tiers}


@dataclass(frozen=True, slots=True)
class _Played:
    tier: str
    grants: Mapping[tuple[str, str], int]  # (rule, wallet) → amount


_NOBODY: Final = _Played("", {})


class _Side:
    """One of the two policies, with the pots of its budgets."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._pots = Pots(lambda _: {})

    def play(self, programme: Programme, history: Sequence[Contribution], since: int, now: int) -> _Played:
        rows = sorted(net(history), key=lambda row: row.known)
        told = [step for step in steps(rows) if step.position[0] <= now]
        if not told:
            return _NOBODY
        facts = RunningFacts(programme.zone, rows)
        folded = fold(self._lanes, "", None, told, facts, until=(now, LAST, ""), admit=self._pots.admit)
        return _Played(folded.tier, _granted(folded, since))


def _granted(folded: Folded, since: int) -> dict[tuple[str, str], int]:
    """Return what stands of the grants that were made for events since then."""
    first: dict[tuple[str, str], int] = {}
    stands = {}
    for one in folded.decisions:
        pair = (one.granted.event_key, one.granted.rule)
        first.setdefault(pair, one.step[0])
        stands[pair] = one.granted
    found: Counter[tuple[str, str]] = Counter()
    for pair, granted in stands.items():
        if first[pair] >= since:
            found[granted.rule, granted.wallet] += granted.wanted
    return {pair: amount for pair, amount in found.items() if amount}
