"""Judgement against the bare engine: two assertions, two drains, the same rules, in the same process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from rules import engine
from rules.engine import Matcher
from rules.judge import Inputs, Ruleset
from rules.reader import read
from tests.bench.stage import POLICY

ROUNDS, TURNS = 7, 20_000


def shipped() -> Ruleset:
    """Return the shipped policy, compiled."""
    policy = read(POLICY.read_bytes(), POLICY.name).policy
    if policy is None:
        raise RuntimeError("policies.yaml does not read")
    return Ruleset(policy)


def rates() -> dict[str, tuple[float, float, float]]:
    """Return (median, least, most) judgements a second of the bare recipe, of matching alone, and of `judge`."""
    rules = shipped()
    inputs = Inputs(
        dict.fromkeys(rules.policy.facts, 3) | {"machines_bought": 2, "parts_repair_spend_12m": 2_500_000},
        dict.fromkeys(rules.attributes),
    )
    matcher = Matcher(rules.program)
    rows = _overheard(inputs)

    def matching() -> None:
        for phase, row in rows:
            matcher.match(phase, row)

    timed: dict[str, Callable[[], object]] = {
        "bare": _bare(matcher, rows),
        "matching": matching,
        "judge": lambda: rules.judge(inputs),
    }
    found: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(ROUNDS):
        for name, act in timed.items():  # in turn, so that a slow minute slows all of them
            begun = time.perf_counter()
            for _turn in range(TURNS):
                act()
            found[name].append(TURNS / (time.perf_counter() - begun))
    return {name: (statistics.median(values), min(values), max(values)) for name, values in found.items()}


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


def _bare(matcher: Matcher, rows: Sequence[tuple[int, list[int | str]]]) -> Callable[[], None]:
    """Return the recipe with nothing of ours: format the fact, assert it, drain the names, retract; unchecked."""
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
            code, state = library.assert_fact(handle, template % values)
            if code == 0:
                _, answer = library.start_action_for_state(handle, state)
                while answer is not None:
                    names.append(answer[2:5])
                    answer = library.complete_and_start_action(handle, state)
                library.retract_fact(handle, ours)

    return judge
