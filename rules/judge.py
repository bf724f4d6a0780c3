"""One policy version, ready to judge: traits and tiers of a member, rewards and prices of an event's lines.

The engine says which conditions hold and nothing else. Dates, ladders, caps, exclusive groups and every amount are
integer arithmetic in `tierengine`, on what is found here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rules.compiler import Stage, compile_policy
from rules.engine import Matcher
from rules.inputs import Inputs, Judged, Rows, StandingTiers, Value, Values, day_of, is_date
from rules.policy import AllOf, AnyOf, Condition, CountOf, Mark, NoneOf, Operator, Policy, Scalar, Subject, Test

__all__ = ["Explanation", "Inputs", "Judged", "Ruleset", "StandingTiers", "explain_condition", "first_failing"]

_REMEMBERED: Final = 4096
"""So many different verdicts are kept to be handed out again: there are few, and a book of members is long."""

_NOTHING: Final[frozenset[str]] = frozenset()
_NOBODY: Final = Inputs({}, {})
_NOWHERE: Final = Mark(0, 0)


class Ruleset:
    """One policy version, compiled. Immutable to its users, safe for any number of threads.

    standing_facts  ids of the facts that `judge` reads
    attributes      names of the member's attributes that anything reads
    priced_by_tier  whether prices read nothing of a member but his standing tier: nobody need judge him for them
    suspends        whether any wallet may be suspended by a condition

    Raises PolicyNotCompilable, or EngineLimitExceeded where a policy is beyond what the engine safely holds. The
    questions raise FactRefused when a fact that is never absent is missing, a value is of another kind than the
    policy compares it with, or a number is beyond ±2^53; EngineFault when the library fails.
    """

    def __init__(self, policy: Policy) -> None:
        compiled = compile_policy(policy)
        matcher = Matcher(compiled.program)
        self.policy: Final = policy
        self.program: Final = compiled.program
        self._traits: Final = _Passes(compiled.traits, matcher)
        self._standing: Final = _Passes(compiled.standing, matcher)
        self._prices: Final = _Passes(compiled.prices, matcher)
        self._kinds: Final = {kind: _Passes(stage, matcher) for kind, stage in compiled.kinds.items()}
        self.standing_facts: Final = tuple(dict.fromkeys((*compiled.traits.facts(), *compiled.standing.facts())))
        self._price_facts: Final = tuple(dict.fromkeys(compiled.prices.facts()))
        self._event_facts: Final = {
            kind: tuple(dict.fromkeys((*self._price_facts, *stage.facts()))) for kind, stage in compiled.kinds.items()
        }
        # The kinds of event that any reward or emission asks for; all others need no call of `rewards`.
        self.kinds: Final = frozenset(compiled.kinds)
        self.priced_by_tier: Final = all(test.subject.source in ("tier", "field") for test in compiled.priced_by)
        self.suspends: Final = any(wallet.suspended_when is not None for wallet in policy.wallets.values())
        stages = (compiled.traits, compiled.standing, compiled.prices, *compiled.kinds.values())
        self.attributes: Final = tuple(
            dict.fromkeys(name for stage in stages for one in stage.passes() for name in one.layout.names("attribute"))
        )
        self._attestable: Final = frozenset(
            name for item in policy.traits.values() if item.attested is not None for name in item.names()
        )
        self._degrees: Final = frozenset(name for item in policy.traits.values() for name in item.names()[1:])
        self._tiers: Final = sorted(policy.tiers, key=lambda tier: tier.rank)
        self._sets: Final[dict[tuple[str, ...], frozenset[str]]] = {}
        self._verdicts: Final[dict[tuple[frozenset[str], tuple[str, ...]], Judged]] = {}

    def event_facts(self, kind: str) -> tuple[str, ...]:
        """Return the ids of the facts that `rewards` and `prices` read for this kind of event."""
        return self._event_facts.get(kind, self._price_facts)

    def judge(self, inputs: Inputs) -> Judged:
        """Judge traits, then tiers, lists, wallets and awards."""
        fired = self._traits.member(inputs, _NOTHING)
        met = self._sets.get(fired)
        if met is None:
            met = frozenset(fired)
            if len(self._sets) < _REMEMBERED:
                self._sets[fired] = met
        if inputs.attested:
            # Not a condition of the pattern: a person's word is in force whatever the facts say, so it is neither
            # matched against them nor hidden from `explain_condition`, which shows what the condition alone finds.
            met |= inputs.attested & self._attestable
        fired = self._standing.member(inputs, met)
        verdict = self._verdicts.get((met, fired))
        if verdict is None:
            verdict = self._verdict(met, fired)
            if len(self._verdicts) < _REMEMBERED:
                self._verdicts[met, fired] = verdict
        return verdict

    def _verdict(self, met: frozenset[str], fired: tuple[str, ...]) -> Judged:
        # A tier above the lowest that has no condition is given by hand only: silence must not promote everybody.
        when = tuple(
            f"when:{tier.id}" in fired or (tier.when is None and index == 0) for index, tier in enumerate(self._tiers)
        )
        excluded = tuple(f"unless:{tier.id}" in fired for tier in self._tiers)
        holds = (one and not other for one, other in zip(when, excluded, strict=True))
        return Judged(
            met=met - self._degrees if self._degrees else met,
            tiers=tuple(index == 0 or one for index, one in enumerate(holds)),
            when=when,
            excluded=excluded,
            lists=frozenset(item for item in self.policy.lists if f"list:{item}" in fired),
            suspended=frozenset(item for item in self.policy.wallets if f"wallet:{item}" in fired),
            barred=frozenset(item for item in self.policy.awards if f"award:{item}" in fired),
            degrees=met & self._degrees,
        )

    def rewards(
        self, kind: str, lines: Sequence[Values], tiers: StandingTiers, inputs: Inputs, judged: Judged
    ) -> dict[str, tuple[int, ...]]:
        """Return, by the id of each reward and emission that matched, the indices of the lines it matched.

        Each line is merged with the fields of its event. Ids come in file order, emissions first.
        """
        passes = self._kinds.get(kind)
        if passes is None:
            return {}
        fired = passes.lines(lines, inputs, judged.flags, tiers)
        matched = ((rule, tuple(index for index, rules in enumerate(fired) if rule in rules)) for rule in passes.rules)
        return {rule: indices for rule, indices in matched if indices}

    def prices(
        self,
        kind: str,  # noqa: ARG002  asked as `rewards` is; a price tells lines apart by their fields alone
        lines: Sequence[Values],
        tier: str | None,
        inputs: Inputs | None,
        judged: Judged | None,
    ) -> list[tuple[str, ...]]:
        """Return for each line the ids of the prices that match it, in file order; `tier` stood before the event.

        Where `priced_by_tier`, `inputs` and `judged` are not read and may be None.
        """
        met = _NOTHING if judged is None else judged.flags
        fired = self._prices.lines(lines, _NOBODY if inputs is None else inputs, met, StandingTiers(tier, None))
        return [tuple(rule for rule in self._prices.rules if rule in rules) for rules in fired]


class _Passes:
    """A stage with the passes that must come before it; the last one answers."""

    __slots__ = ("_match", "_only", "_passes", "_phase", "_told", "rules")

    def __init__(self, stage: Stage, matcher: Matcher) -> None:
        self.rules = stage.rules
        self._phase = stage.phase
        self._match = matcher.match
        self._passes = tuple((one, Rows(one.layout)) for one in reversed(tuple(stage.passes())))
        plain = stage.asks and not stage.always and stage.earlier is None
        self._only = self._passes[0][1] if plain else None
        # What tells few lines apart, as a category and a tier do, is matched once for all who buy.
        few = all(column.few for one in stage.passes() for column in one.layout.columns)
        self._told = lru_cache(_REMEMBERED)(self._fired) if few else self._fired

    def member(self, inputs: Inputs, met: frozenset[str]) -> tuple[str, ...]:
        """Return the rules that hold of a member."""
        if self._only is not None:
            # Nearly every policy goes here; the general way below costs half as much again as the engine's own work.
            return self._match(self._phase, self._only.member(inputs, met, inputs))
        return tuple(self._fired(tuple([tuple(rows.member(inputs, met, inputs)) for _, rows in self._passes])))

    def lines(
        self, lines: Sequence[Values], inputs: Inputs, met: frozenset[str], tiers: StandingTiers
    ) -> list[frozenset[str]]:
        """Return for each line the rules that hold of it; lines that are the same to these rules are judged once."""
        if not lines:
            return []
        member = [rows.member(inputs, met, tiers) for _, rows in self._passes]
        seen: dict[tuple[tuple[int | str, ...], ...], frozenset[str]] = {}
        fired = []
        for line in lines:
            own = tuple([tuple(rows.line(line)) for _, rows in self._passes])
            if own not in seen:
                seen[own] = self._told(tuple([(*before, *after) for before, after in zip(member, own, strict=True)]))
            fired.append(seen[own])
        return fired

    def _fired(self, rows: tuple[tuple[int | str, ...], ...]) -> frozenset[str]:
        fired = _NOTHING
        for (stage, _), given in zip(self._passes, rows, strict=True):
            row = [*given, *(len(fired & parts) for parts in stage.counted)] if stage.counted else list(given)
            fired = stage.always.union(self._match(stage.phase, row)) if stage.asks else stage.always
        return fired


# ---- why, and why not --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a condition found. A test has a subject; anything else has parts.

    how       "test", "all", "any", "none", or "count" (so many of the parts at least)
    observed  the value the test saw; None when it is absent. Booleans are 0 and 1, a tier is its id
    mark      the test's place in the policy file
    """

    how: str
    holds: bool
    parts: tuple[Explanation, ...] = ()
    subject: Subject | None = None
    op: Operator | None = None
    required: Scalar | tuple[Scalar, ...] | None = None
    observed: Value = None
    mark: Mark = _NOWHERE


def explain_condition(
    condition: Condition, inputs: Inputs, judged: Judged, fields: Values | None = None, tier: str | None = None
) -> Explanation:
    """Evaluate a condition in plain Python, keeping what every test saw; agrees with the engine.

    `fields` are those of the line that is asked about, `tier` the standing tier that the rule means.
    """
    if isinstance(condition, Test):
        observed = _observed(condition.subject, inputs, judged, fields or {}, tier)
        holds = observed is not None and _compares(observed, condition.op, condition.value)
        return Explanation(
            "test", holds, (), condition.subject, condition.op, condition.value, observed, condition.mark
        )
    parts = tuple([explain_condition(one, inputs, judged, fields, tier) for one in condition.parts])
    held = sum([one.holds for one in parts])
    match condition:
        case AllOf():
            return Explanation("all", held == len(parts), parts)
        case AnyOf():
            return Explanation("any", held > 0, parts)
        case NoneOf():
            return Explanation("none", held == 0, parts)
        case CountOf(least):
            return Explanation("count", held >= least, parts)


def first_failing(explanation: Explanation) -> Explanation | None:
    """Return the first test that keeps a condition from holding (under `none`: that holds); None when it holds.

    A condition that fails without any test, such as "any" of nothing, is returned itself.
    """
    return None if explanation.holds else _deciding(explanation)


def _deciding(explanation: Explanation) -> Explanation:
    guilty = explanation.holds != (explanation.how == "none")
    return next((_deciding(part) for part in explanation.parts if part.holds == guilty), explanation)


def _observed(subject: Subject, inputs: Inputs, judged: Judged, fields: Values, tier: str | None) -> Value:
    value: Value
    match subject.source:
        case "fact":
            value = inputs.facts.get(subject.name)
        case "attribute":
            value = inputs.attributes.get(subject.name)
        case "field":
            value = fields.get(subject.name)
            if is_date(subject.name):
                value = day_of(subject.name, value)
        case "trait":
            value = int(subject.name in judged.flags)
        case "traits":
            value = len(judged.met.intersection(subject.of) if subject.of else judged.met)
        case "tier":
            value = tier
    if value is True or value is False:
        return int(value)
    return None if value == "" else value


def _compares(observed: Scalar, op: Operator, required: Scalar | tuple[Scalar, ...]) -> bool:
    if isinstance(required, tuple):
        return (observed in required) == (op == "in")
    if op == "is":
        return observed == required
    if op == "is_not":
        return observed != required
    if isinstance(observed, str) or isinstance(required, str):
        return False  # text has no order; such a test is never compiled
    match op:
        case "at_least":
            return observed >= required
        case "more_than":
            return observed > required
        case "at_most":
            return observed <= required
        case _:
            return observed < required
