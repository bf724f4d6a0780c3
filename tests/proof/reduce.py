"""A failing case made small: whatever can go from the policy, the history and the event without mending it, goes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rules import policy as ast
from rules.judge import Ruleset
from tests.proof.books import Book
from tests.proof.histories import History, State
from tests.proof.judges import Disagreement, Tally, agree

SECONDS = 60.0
"""So long at most is a case made smaller: a report of a large one is better than none."""

Case = tuple[ast.Policy, State]


def reduced(policy: ast.Policy, states: Sequence[State], problem: Exception, url: str = "") -> str:
    """Return the smallest case found that fails in the same way, as Python that makes it."""
    first = [problem.state] if isinstance(problem, Disagreement) else [*states]
    with Book(url) as book:
        fails = _failing(type(problem), _what(problem), book)
        for state in first:
            case = (policy, state)
            if fails(case):
                return _written(smallest(case, fails))
    # Only several states together fail: what one leaves behind spoils the next.
    return f"no single state fails by itself; policy: {policy!r}"


def smallest(case: Case, fails: Callable[[Case], bool]) -> Case:
    """Take away one thing at a time while the case still fails."""
    until = time.monotonic() + SECONDS
    while True:
        for smaller in _smaller(case):
            if time.monotonic() > until:
                return case
            if fails(smaller):
                case = smaller
                break
        else:
            return case


def _what(problem: Exception) -> str:
    return str(problem).split(":", 1)[0] if isinstance(problem, Disagreement) else ""


def _failing(kind: type[Exception], what: str, book: Book) -> Callable[[Case], bool]:
    def fails(case: Case) -> bool:
        try:
            rules = Ruleset(case[0])
        except Exception:  # noqa: BLE001 - a policy that is none any more fails in another way
            return False
        try:
            agree(case[0], rules, [case[1]], book, Tally())
        except Exception as problem:  # noqa: BLE001 - any that is like the first
            return type(problem) is kind and _what(problem) == what
        finally:
            book.forget()
        return False

    return fails


def _smaller(case: Case) -> Iterator[Case]:
    policy, state = case
    for section in ("lists", "wallets", "prices", "emissions", "rewards", "awards", "tiers", "traits", "facts"):
        for value in _without(getattr(policy, section)):
            yield dataclasses.replace(policy, **{section: value}), state
    for event in _without(state.events):
        if event:
            yield policy, dataclasses.replace(state, events=event)
    # What is stored is what stands, unless it is just that which matters.
    if state.history.stored != state.history.standing:
        yield policy, dataclasses.replace(state, history=History(state.history.standing, state.history.standing))
    else:
        for rows in _without(state.history.stored):
            yield policy, dataclasses.replace(state, history=History(rows, rows))
        for rows in _each(state.history.stored, _plainer):
            yield policy, dataclasses.replace(state, history=History(rows, rows))
    for events in _each(state.events, _plainer):
        yield policy, dataclasses.replace(state, events=events)
    for section in ("lists", "wallets", "prices", "emissions", "rewards", "awards", "tiers", "traits", "facts"):
        for value in _each(getattr(policy, section), _plainer):
            yield dataclasses.replace(policy, **{section: value}), state


def _without(values: Any) -> Iterator[Any]:
    """Yield a tuple or mapping without each half, then without each of its members."""
    items = [*values.items()] if isinstance(values, dict) else [*values]
    kind = dict if isinstance(values, dict) else tuple
    half = len(items) // 2
    if half > 1:
        yield kind(items[:half])
        yield kind(items[half:])
    for place in range(len(items)):
        yield kind(items[:place] + items[place + 1 :])


def _each(values: Any, plainer: Callable[[Any], Iterator[Any]]) -> Iterator[Any]:
    """Yield a tuple or mapping with each of its members plainer."""
    items = [*values.items()] if isinstance(values, dict) else [*enumerate(values)]
    for place, (key, value) in enumerate(items):
        for other in plainer(value):
            changed = [*items[:place], (key, other), *items[place + 1 :]]
            yield dict(changed) if isinstance(values, dict) else tuple(one for _, one in changed)


_OPTIONAL = ("when", "where", "unless", "attested", "suspended_when")


def _plainer(value: Any) -> Iterator[Any]:
    """Yield values with one thing less in them: a condition's parts for the whole, no condition, a field left out."""
    if isinstance(value, dict):
        yield from _without(value)
        return
    if isinstance(value, tuple):
        yield from _without(value)
        yield from _each(value, _plainer)
        return
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return
    if hasattr(value, "parts"):
        yield from value.parts
    for one in dataclasses.fields(value):
        now = getattr(value, one.name)
        if one.name in _OPTIONAL and now is not None:
            yield dataclasses.replace(value, **{one.name: None})
        if isinstance(now, (tuple, dict)) or dataclasses.is_dataclass(now):
            for other in _plainer(now):
                yield dataclasses.replace(value, **{one.name: other})


def _written(case: Case) -> str:
    policy, state = case
    return f"policy = {policy!r}\n\nstate = {state!r}"
