"""Judgement against the bare engine; many rules against few; memory over many judgements; a compile against its parse.

Processor time, not the clock's: the machine is shared. What is compared runs in turn, so that a slow minute slows all.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rules import engine
from rules.engine import Matcher
from rules.judge import Inputs, Judged, Ruleset, StandingTiers
from rules.reader import read
from rules.vocabulary import KINDS
from tests.bench.stage import POLICY

Act = Callable[[], object]


@dataclass(frozen=True)
class Compared:
    """Microseconds of ours and of the floor (medians of rounds in turn), and the floor's time by ours in each round."""

    ours: float
    floor: float
    ratio: float
    least: float
    most: float


def compared(ours: Act, floor: Act, rounds: int, turns: int) -> Compared:
    """Time two acts in turn; the first and last tenth of the ratios are not told."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for act, found in zip((ours, floor), times, strict=True):
            begun = time.process_time_ns()
            for _turn in range(turns):
                act()
            found.append((time.process_time_ns() - begun) / turns / 1_000)
    ratios = sorted(bare / own for own, bare in zip(*times, strict=True))
    tenth = len(ratios) // 10
    return Compared(
        statistics.median(times[0]), statistics.median(times[1]), statistics.median(ratios),
        ratios[tenth], ratios[-1 - tenth],
    )  # fmt: skip


# ---- against the bare engine -------------------------------------------------------------------------------------


def shipped() -> Ruleset:
    """Return the shipped policy, compiled."""
    policy = read(POLICY.read_bytes(), POLICY.name).policy
    if policy is None:
        raise RuntimeError("policies.yaml does not read")
    return Ruleset(policy)


def usual(rules: Ruleset) -> Inputs:
    """Return a member of whom every fact is something."""
    known = {"machines_bought": 2, "parts_repair_spend_12m": 2_500_000}
    return Inputs(dict.fromkeys(rules.policy.facts, 3) | known, dict.fromkeys(rules.attributes))


def against_the_engine(scale: int) -> Iterator[tuple[str, Compared]]:
    """Compare matching alone and the whole judgement with the bare recipe, and matching with a quicker one."""
    rules = shipped()
    inputs = usual(rules)
    matcher = Matcher(rules.program)
    rows = _overheard(inputs)

    def matching() -> None:
        for phase, row in rows:
            matcher.match(phase, row)

    def judge() -> Judged:
        return rules.judge(inputs)

    turns = max(20, 400 // scale)
    yield "matching", compared(matching, _bare(matcher, rows), 100, turns)
    yield "judge", compared(judge, _bare(matcher, rows), 100, turns)
    yield "matching, short", compared(matching, _bare(matcher, rows, short=True), 100, turns)


def _overheard(inputs: Inputs) -> list[tuple[int, list[int | str]]]:
    """Return the rows that one judgement matches."""
    rows: list[tuple[int, list[int | str]]] = []
    match = Matcher.match

    def heard(self: Matcher, phase: int, row: Sequence[int | str]) -> tuple[str, ...]:
        rows.append((phase, list(row)))
        return match(self, phase, row)

    Matcher.match = heard  # type: ignore[method-assign]  # until the end of this function
    try:
        rules = shipped()
        rows.clear()
        rules.judge(inputs)
    finally:
        Matcher.match = match  # type: ignore[method-assign]  # as it was
    return rows


def _bare(matcher: Matcher, rows: Sequence[tuple[int, list[int | str]]], *, short: bool = False) -> Act:
    """Return the recipe with nothing of ours: format the fact, assert it, drain the names, retract it; unchecked.

    `short` retracts by the id alone, as rules.engine found to be enough.
    """
    library = engine.library
    plans = [matcher._phases[phase] for phase, _ in rows]
    handles = [library.create_ruleset("bare", text) for text in matcher._definitions]
    facts = []
    for plan, (_, row) in zip(plans, rows, strict=True):
        codes = list(row)
        for column, numbers in plan.texts:
            codes[column] = numbers.get(str(codes[column]), 0)
        facts.append((handles[plan.handle], plan.template, plan.pick(codes)))
    ours = '{"id":"f"}'

    def judge() -> None:
        for handle, template, values in facts:
            names = []
            fact = template % values
            code, state = library.assert_fact(handle, fact)
            if code == 0:
                _, answer = library.start_action_for_state(handle, state)
                while answer is not None:
                    names.append(answer[2:5])
                    answer = library.complete_and_start_action(handle, state)
                library.retract_fact(handle, ours if short else fact)

    return judge


# ---- many rules --------------------------------------------------------------------------------------------------

EARNING = tuple(kind.id for kind in KINDS.values() if not (kind.derived or kind.merges))[:12]
COUNTS, SUMS = 20, 16  # with trait, tier and category: below 40 fields


def policy_text(rules: int) -> str:
    """Return a policy of so many rewards over 12 kinds of event, which ask 36 facts; 7 traits and 2 tiers."""
    lines = ["programme: large", "title: {zh: 大, en: Large}", "currency: CNY", "timezone: Asia/Shanghai", "facts:"]
    for place in range(COUNTS):
        what = f"count: {EARNING[place % len(EARNING)]}, within: {place % 11 + 1} months"
        lines.append(f"  count_{place}: {{{what}, title: {{zh: 数{place}, en: Count {place}}}}}")
    for place in range(SUMS):
        what = f"sum: amount, of: parts_purchase, within: {place + 1} months"
        lines.append(f"  sum_{place}: {{{what}, title: {{zh: 额{place}, en: Sum {place}}}}}")
    lines.append("traits:")
    for place in range(7):
        often, much = f"count_{place}: {{at_least: {place + 1}}}", f"sum_{place}: {{at_least: {place + 1}000 CNY}}"
        lines += [f"  trait_{place}:", f"    title: {{zh: 特点{place}, en: Trait {place}}}"]
        lines += [f"    when: {{any: [{{{often}}}, {{{much}}}]}}"]
    lines += [
        "tiers:",
        "  - {id: basic, title: {zh: 普通, en: Basic}}",
        "  - id: gold",
        "    title: {zh: 金卡, en: Gold}",
        "    when: {traits: {at_least: 2}}",
        "    keep: {for: 12 months, then: one_down}",
        "wallets:",
        "  points: {title: {zh: 积分, en: Points}, unit: points}",
        "rewards:",
    ]
    for place in range(rules):
        often = f"count_{place % COUNTS}: {{at_least: {place % 9 + 1}}}"
        much = f"sum_{place * 7 % SUMS}: {{at_least: {place % 50 + 1}00 CNY}}"
        lines += [
            f"  rule_{place}:",
            f"    title: {{zh: 规则{place}, en: Rule {place}}}",
            f"    on: {EARNING[place % len(EARNING)]}",
            f"    when: {{all: [{{{often}}}, {{{much}}}]}}",
            f"    amount: {place % 90 + 10} points",
            "    into: points",
            *(["    for: gold"] if place % 3 == 0 else []),
        ]
    return "\n".join(lines) + "\n"


def compiled(rules: int) -> Ruleset:
    """Return the policy of so many rewards, compiled."""
    found = read(policy_text(rules).encode(), "large.yaml")
    if found.policy is None:
        raise RuntimeError(f"the large policy does not read: {found.problems}")
    return Ruleset(found.policy)


def many_rules(scale: int) -> tuple[Compared, int, int]:
    """Compare an event of each kind under 17 rules with the same under 500; also kinds and facts asked."""
    few, many = compiled(17), compiled(500)
    facts = {name: 2 + place % 7 for place, name in enumerate(many.policy.facts)}
    inputs = Inputs(facts | {f"sum_{place}": 120_000 for place in range(SUMS)}, {})
    tiers = StandingTiers("basic", "gold")

    def events(rules: Ruleset) -> Act:
        def judge() -> None:
            for kind in EARNING:
                rules.rewards(kind, ({},), tiers, inputs, rules.judge(inputs))

        return judge

    earned = sum(len(many.rewards(kind, ({},), tiers, inputs, many.judge(inputs))) for kind in EARNING)
    if not 40 < earned < 400:
        raise RuntimeError(f"{earned} of 500 rules fire: that is no fair trial")
    return compared(events(many), events(few), 60, max(4, 40 // scale)), len(EARNING), len(facts)


# ---- memory and compiling ----------------------------------------------------------------------------------------


def memory(scale: int) -> tuple[int, float, float]:
    """Judge two million members, no two after one another alike; return how many, and MB before and after."""
    rules = shipped()
    names = tuple(rules.policy.facts)
    count = 2_000_000 // scale

    def judge(first: int, last: int) -> None:
        for number in range(first, last):
            facts = {name: (number * (place + 3)) % 100_003 for place, name in enumerate(names)}
            rules.judge(Inputs(facts, dict.fromkeys(rules.attributes)))

    judge(0, count // 20)  # what is remembered of verdicts is bounded, and full by then
    gc.collect()
    before = _resident()
    judge(count // 20, count)
    gc.collect()
    return count, before, _resident()


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def compiling(scale: int) -> Compared:
    """Compare reading and compiling 500 rules with parsing their YAML, by the parser that the reader uses."""
    text = policy_text(500)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    def ours() -> object:
        policy = read(text.encode(), "large.yaml").policy
        return policy and Ruleset(policy)

    return compared(ours, lambda: yaml.compose(text, Loader=loader), max(3, 11 // scale), 1)
