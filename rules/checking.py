"""A policy file checked as far as it can be without running anything: what `rules.reader` finds, and what follows.

What reads well is compiled here, but not given to the library: whether the engine can hold it, and which rules no
member and no event can ever satisfy, is known from the patterns alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from rules import policy as ast
from rules.alternatives import Intervals, alternatives, intersection, number_texts
from rules.compiler import STANDING, TRAITS, Compiled, Stage, compile_policy, tests_of
from rules.inputs import ABSENT, NEVER_ABSENT, Column, PolicyNotCompilable
from rules.network import plan
from rules.pattern import MAX_INTEGER, AllOf, AnyOf, EngineLimitExceeded, Node, Pattern, Phase, negated
from rules.policy import Mark
from rules.problems import Problem, in_order
from rules.reader import Reading, read

_NEVER_BELOW_ZERO: Final = (
    "count", "distinct", "months_with", "fleet", "days_since_first", "days_since_last", "years_since_first",
    "years_since_last", "years_since", "days_to_anniversary", "months_to_anniversary",
)  # fmt: skip
_ALWAYS: Final = AllOf(())
_NEVER: Final = AnyOf(())
_SECTIONS: Final = {
    "when": "tiers",
    "unless": "tiers",
    "list": "lists",
    "wallet": "wallets",
    "award": "awards",
    "beside": "prices",
}


def check(text: str | bytes, filename: str, today: date | None = None) -> Reading:
    """Read a policy file and say everything that is wrong with it; the policy is None when there is an error.

    With `today` it is said of each rule that is over by then, too.
    """
    reading = read(text, filename)
    if reading.policy is None:
        return reading
    found = tuple(replace(problem, file=filename) for problem in beyond_reading(reading.policy, today))
    failed = any(problem.severity == "error" for problem in found)
    return replace(reading, policy=None if failed else reading.policy, problems=in_order((*reading.problems, *found)))


def beyond_reading(policy: ast.Policy, today: date | None = None) -> tuple[Problem, ...]:
    """List what is wrong with a policy that reads well: what the engine cannot hold, and what can never happen."""
    try:
        compiled = compile_policy(policy)
        plan(compiled.program)
    except PolicyNotCompilable as refused:
        mark = refused.mark if refused.mark and refused.mark.line else _mark(policy, refused.rule)[1]
        return (Problem("P521", mark, refused.reason, about=_mark(policy, refused.rule)[0]),)
    except EngineLimitExceeded as refused:
        about, mark = _of_limit(policy, refused)
        return (Problem("P521", mark, f"{refused.cap}: {refused.got}", (str(refused.allowed),), about),)
    return (*_idle(policy, compiled), *_easier(policy, compiled), *_out_of_time(policy, today))


def _of_limit(policy: ast.Policy, refused: EngineLimitExceeded) -> tuple[str, Mark]:
    """Find the rule that is too much; what no single rule is guilty of is said of the first one of its pass."""
    if not refused.rule.startswith("phase "):
        return _mark(policy, refused.rule)
    number = int(refused.rule.removeprefix("phase "))
    compiled = compile_policy(policy)
    stages = (compiled.traits, compiled.standing, compiled.prices, *compiled.kinds.values())
    rules = next((stage.rules for first in stages for stage in first.passes() if stage.phase == number), ())
    return _mark(policy, rules[0]) if rules else ("", Mark(1, 1))


def _mark(policy: ast.Policy, rule: str) -> tuple[str, Mark]:
    """Return the path and the place of the rule with this id of the compiler's."""
    section, name, item = _item(policy, rule)
    return (f"{section}.{name}", getattr(item, "mark", Mark(1, 1))) if section else ("", Mark(1, 1))


def _item(policy: ast.Policy, rule: str) -> tuple[str, str, object]:
    # A part that is counted on its own is named after the rule it is part of.
    kind, colon, name = rule.partition("/")[0].partition(":")
    tiers = {tier.id: tier for tier in policy.tiers}
    if colon:
        section = _SECTIONS[kind]
        return section, name, (tiers if section == "tiers" else getattr(policy, section))[name]
    trait, dot, degree = kind.partition(".")
    if dot and trait in policy.traits:
        found = next((one for one in policy.traits[trait].degrees if one.id == degree), policy.traits[trait])
        return "traits", kind, found
    for section in ("traits", "prices", "emissions", "rewards", "facts"):
        if kind in getattr(policy, section):
            return section, kind, getattr(policy, section)[kind]
    return "", "", None


# ---- what can never happen, or always does ---------------------------------------------------------------------------


def _idle(policy: ast.Policy, compiled: Compiled) -> Iterator[Problem]:
    """Note each rule that no member and no event can satisfy, and what of a member's standing holds for everybody."""
    phases = {phase.number: phase for phase in compiled.program.phases}
    said: set[str] = set()
    for stage in (compiled.traits, compiled.standing, compiled.prices, *compiled.kinds.values()):
        phase = phases.get(stage.phase)
        when = {} if phase is None else {pattern.rule: pattern.when or _ALWAYS for pattern in phase.patterns}
        for rule in stage.rules:
            asked = _ALWAYS if rule in stage.always else when.get(rule, _NEVER)
            kind, _, name = rule.partition(":")
            about, mark = _mark(policy, rule)
            if kind == "unless" or about in said:
                continue
            # Who is excluded from a tier does not get it, whatever else holds.
            excluded = when.get(f"unless:{name}") if kind == "when" else None
            holds = asked if excluded is None else AllOf((asked, negated(excluded)))
            code = ""
            if _impossible(policy, stage, phase, holds):
                code = "P522"
            elif stage.phase in (TRAITS, STANDING) and _impossible(policy, stage, phase, negated(asked)):
                code = "P523"
            said.add(about)
            if code:
                yield Problem(code, mark, name or rule, about=about)
            else:
                yield from _idle_tests(policy, _item(policy, rule)[2])


def _easier(policy: ast.Policy, compiled: Compiled) -> Iterator[Problem]:
    """Note each tier that asks less of something, in all the ways to it, than the tier below in any of the ways to it.

    Not where whoever has the tier has the one below as well: then something else keeps the order.
    """
    phase = next((one for one in compiled.program.phases if one.number == STANDING), None)
    when = {} if phase is None else {pattern.rule: pattern.when for pattern in phase.patterns}
    for lower, higher in pairwise(policy.tiers):
        below, above = when.get(f"when:{lower.id}"), when.get(f"when:{higher.id}")
        if below is None or above is None:
            continue
        asked = _thresholds(lower.when)
        less = [
            (subject, max(values), min(asked[subject]))
            for subject, values in _thresholds(higher.when).items()
            if subject in asked and max(values) < min(asked[subject])
        ]
        if less and not _impossible(policy, compiled.standing, phase, AllOf((above, negated(below)))):
            # The widest gap is the likeliest to be the mistake.
            subject, most, least = max(less, key=lambda one: one[2] - one[1])
            about = f"{higher.id}: {subject.name or subject.source}"
            yield Problem("P510", higher.mark, str(most), (str(least),), about)


def _thresholds(condition: ast.Condition | None) -> dict[ast.Subject, list[int]]:
    """List what a condition asks for at least of each subject, in any of the ways in which it can hold."""
    found: dict[ast.Subject, list[int]] = {}
    waiting = [] if condition is None else [condition]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.AllOf | ast.AnyOf):
            waiting.extend(part.parts)
        elif isinstance(part, ast.Test) and part.op in ("at_least", "more_than") and isinstance(part.value, int):
            found.setdefault(part.subject, []).append(part.value + (part.op == "more_than"))
    return found


def _out_of_time(policy: ast.Policy, today: date | None) -> Iterator[Problem]:
    """Note each rule whose days never come, or have all gone by."""
    for section, rules in (("prices", policy.prices), ("rewards", policy.rewards)):
        for name, rule in rules.items():
            begins, ends = rule.valid_from, rule.valid_until
            weekdays = rule.weekdays if isinstance(rule, ast.Reward) else ()
            if begins and ends and weekdays and (ends - begins).days < 6:
                days = {(begins + timedelta(days=day)).weekday() for day in range((ends - begins).days + 1)}
                if not days & set(weekdays):
                    yield Problem("P522", rule.mark, name, about=f"{section}.{name}")
            if today and ends and ends < today:
                yield Problem("P524", rule.mark, ends.isoformat(), about=f"{section}.{name}")


def _idle_tests(policy: ast.Policy, item: object) -> Iterator[Problem]:
    """Note each single comparison of a count that always or never holds, inside conditions that may well hold."""
    conditions = (getattr(item, name, None) for name in ("when", "unless", "where", "suspended_when"))
    for test in (test for condition in conditions if condition is not None for test in tests_of(condition)):
        subject, value = test.subject, test.value
        counted = subject.source == "traits" or (
            subject.source == "fact" and policy.facts[subject.name].how in NEVER_ABSENT - {"sum", "quantity"}
        )
        if counted and isinstance(value, int) and value + (test.op in ("more_than", "at_most")) <= 0:
            code = {"at_least": "P523", "more_than": "P523", "at_most": "P522", "less_than": "P522"}.get(test.op)
            if code is not None:
                name = subject.name or "traits"
                yield Problem(code, test.mark, name, about=name, length=len(name))


def _impossible(policy: ast.Policy, stage: Stage, phase: Phase | None, node: Node) -> bool:
    """Tell whether nothing can satisfy a node; False where that would take too long to know."""
    if phase is None:
        return node == _NEVER
    columns = {column.name: place for place, column in enumerate(phase.fields)}
    possible = {place: _possible(policy, column) for place, column in enumerate(stage.layout.columns)}
    try:
        ways = alternatives(Pattern("", phase.number, node), columns, number_texts(phase))
    except EngineLimitExceeded:
        return False
    return all(any(not intersection(way[place], possible.get(place, way[place])) for place in way) for way in ways)


def _possible(policy: ast.Policy, column: Column) -> Intervals:
    """Return what a column of a row can hold: a count is never negative, a trait is met or not."""
    subject = column.subject
    absent: Intervals = ((ABSENT, ABSENT),) if column.maybe else ()
    match subject.source:
        case "fact" if policy.facts[subject.name].how in _NEVER_BELOW_ZERO:
            return (*absent, (0, MAX_INTEGER))
        case "trait":
            return ((0, 1),)
        case "traits":
            return ((0, len(subject.of or policy.traits)),)
        case "tier" if column.ranks is not None:
            return (*absent, (0, len(policy.tiers) - 1))
        case _:
            return ((-MAX_INTEGER, MAX_INTEGER),)
