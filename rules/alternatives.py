"""A condition as alternatives, each a set of columns with the intervals in which they may lie.

The library follows `all of (any of …, any of …)` path by path: ten choices of four that all hold fire a rule 4^10 times
and take 1.7 s. Alternatives have no choices inside one another, so a rule fires at most once in each. On the way all
comparisons of one column melt into one list of intervals: nothing is asked twice, and what can never hold disappears.

Text becomes a number here. Equality is all that text may be asked, so the constants of a field are numbered from 1,
those that no rule tells apart share a number, and text that no rule names is 0. No text reaches the library's parser.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count, pairwise, product
from math import prod
from typing import Final, TypeAlias

from rules.pattern import (
    MAX_ALTERNATIVES,
    MAX_INTEGER,
    MAX_NESTING,
    AnyOf,
    Atom,
    EngineLimitExceeded,
    Node,
    Pattern,
    Phase,
)

Intervals: TypeAlias = tuple[tuple[int, int], ...]
"""Closed, ascending, not touching; `()` is nothing."""
Alternative: TypeAlias = dict[int, Intervals]
"""By the column's index; a column that is not there may have any value."""
Key: TypeAlias = tuple[tuple[int, Intervals], ...]
"""An alternative to be looked up by."""
Codes: TypeAlias = Mapping[str, Mapping[str, int]]
"""By field and constant, its number."""

_ALL: Final[Intervals] = ((-MAX_INTEGER, MAX_INTEGER),)
_POINTS: Final = 32  # values of one choice; a longer list is cut into several alternatives
_GAPS: Final = 16  # values that one range leaves out with `!=`


def at_most(cap: str, rule: str, got: int, allowed: int) -> None:
    """Raise `EngineLimitExceeded` if `got` is more than `allowed`."""
    if got > allowed:
        raise EngineLimitExceeded(cap, rule, got, allowed)


# ---- what a pattern may say ------------------------------------------------------------------------------------------


def check(pattern: Pattern, phase: Phase) -> None:
    """Refuse a pattern that does not fit its phase, before anything recurses into it."""
    if pattern.phase != phase.number:
        raise ValueError(f"{pattern.rule}: says phase {pattern.phase}, stands in phase {phase.number}")
    kinds = {column.name: column.kind for column in phase.fields}
    level: list[Node] = [] if pattern.when is None else [pattern.when]
    depth = 0
    while level:
        depth += 1
        at_most("nesting", pattern.rule, depth, MAX_NESTING)
        for node in level:
            if isinstance(node, Atom):
                _check_atom(node, kinds.get(node.field), pattern.rule)
        level = [part for node in level if not isinstance(node, Atom) for part in node.parts]


def _check_atom(atom: Atom, kind: str | None, rule: str) -> None:
    value = atom.value
    if kind is None:
        raise ValueError(f"{rule}: its phase has no field {atom.field}")
    if type(value) is not (int if kind == "int" else str):
        raise ValueError(f"{rule}: {atom.field} is {kind} and is compared with {type(value).__name__} {value!r}")
    if isinstance(value, str):
        if atom.op not in {"==", "!="}:
            raise EngineLimitExceeded("comparison of text", rule, atom.op, "== or !=")
        if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value):
            raise EngineLimitExceeded("text constant", rule, ascii(value), "text without NUL and lone surrogates")
    elif not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise EngineLimitExceeded("integer", rule, value, f"±{MAX_INTEGER}")


def number_texts(phase: Phase) -> dict[str, dict[str, int]]:
    """Number the constants of each text field; those that stand in the same lists everywhere share a number."""
    lists: dict[str, dict[str, list[int]]] = {column.name: {} for column in phase.fields if column.kind == "text"}
    fresh = count()

    def visit(node: Node) -> None:
        # Only what is used as a whole is one list: `any of (x == …, x == …)` or `all of (x != …, x != …)`.
        whole = "==" if isinstance(node, AnyOf) else "!="
        groups: dict[str, int] = {}
        for part in (node,) if isinstance(node, Atom) else node.parts:
            if not isinstance(part, Atom):
                visit(part)
            elif part.field in lists:
                group = groups.setdefault(part.field, next(fresh)) if part.op == whole else next(fresh)
                lists[part.field].setdefault(str(part.value), []).append(group)

    for pattern in phase.patterns:
        if pattern.when is not None:
            visit(pattern.when)
    numbers = {}
    for name, constants in lists.items():
        signatures = {constant: tuple(sorted(set(groups))) for constant, groups in constants.items()}
        # Numbered in the order of the lists they stand in, so that many a list is one interval.
        ranks = {signature: rank for rank, signature in enumerate(sorted(set(signatures.values())), start=1)}
        numbers[name] = {constant: ranks[signature] for constant, signature in signatures.items()}
    return numbers


# ---- alternatives ----------------------------------------------------------------------------------------------------


def alternatives(pattern: Pattern, columns: Mapping[str, int], codes: Codes) -> list[Alternative]:
    """Give all the ways in which a checked pattern can hold; `[{}]` is always, `[]` is never.

    Each column of each is one plain condition, or one choice of at most 32 separate values and open ends, of which
    exactly one can hold. Raises `EngineLimitExceeded` where there are more than 256.
    """
    if pattern.when is None:
        return [{}]
    result: list[Alternative] = []
    for one in _spread(pattern.when, pattern.rule, columns, codes):
        pieces = [[(column, piece) for piece in _pieces(allowed)] for column, allowed in sorted(one.items())]
        at_most("alternatives of a rule", pattern.rule, len(result) + prod(map(len, pieces)), MAX_ALTERNATIVES)
        result.extend(dict(combination) for combination in product(*pieces))
    return result


def _spread(node: Node, rule: str, columns: Mapping[str, int], codes: Codes) -> list[Alternative]:
    if isinstance(node, Atom):
        return _tidy([{columns[node.field]: _allowed(node, codes)}])
    branches = [_spread(part, rule, columns, codes) for part in node.parts]
    if isinstance(node, AnyOf):
        result = _tidy([one for branch in branches for one in branch])
        at_most("alternatives of a rule", rule, len(result), MAX_ALTERNATIVES)
        return result
    result = [{}]
    # The shortest first, so that contradictions are found before the product grows.
    for branch in sorted(branches, key=len):
        at_most("alternatives of a rule", rule, len(result) * len(branch), MAX_ALTERNATIVES * 4)
        result = _tidy([_both(one, other) for one in result for other in branch])
        at_most("alternatives of a rule", rule, len(result), MAX_ALTERNATIVES)
    return result


def _both(one: Alternative, other: Alternative) -> Alternative:
    both = dict(one)
    for column, allowed in other.items():
        both[column] = intersection(both[column], allowed) if column in both else allowed
    return both


def _tidy(found: Iterable[Alternative]) -> list[Alternative]:
    """Drop the impossible and the repeated, and melt alternatives over the same single column into one."""
    single: dict[int, list[tuple[int, int]]] = {}
    others: dict[Key, Alternative] = {}
    for alternative in found:
        kept = {column: allowed for column, allowed in alternative.items() if allowed != _ALL}
        if not kept:
            return [{}]
        if () in kept.values():
            continue
        if len(kept) == 1:
            ((column, allowed),) = kept.items()
            single.setdefault(column, []).extend(allowed)
        else:
            others.setdefault(tuple(sorted(kept.items())), kept)
    melted: list[Alternative] = [{column: _unite(allowed)} for column, allowed in single.items()]
    return [{}] if any(_ALL in one.values() for one in melted) else [*melted, *others.values()]


def _pieces(allowed: Intervals) -> list[Intervals]:
    if is_plain(allowed):
        return [allowed]
    # A two-sided range inside a choice would be a group of its own, of which the library has 15; it stands alone.
    ranges: list[Intervals] = [((low, high),) for low, high in allowed if -MAX_INTEGER < low < high < MAX_INTEGER]
    rest = [(low, high) for low, high in allowed if ((low, high),) not in ranges]
    return ranges + [tuple(rest[at : at + _POINTS]) for at in range(0, len(rest), _POINTS)]


def is_plain(allowed: Intervals) -> bool:
    """Tell a value, or a range with or without single values left out, from a choice."""
    gaps = [after[0] - before[1] - 1 for before, after in pairwise(allowed)]
    ranges = sum(low < high for low, high in allowed)
    return len(allowed) == 1 or (set(gaps) == {1} and len(gaps) <= _GAPS and ranges > 0)


# ---- intervals -------------------------------------------------------------------------------------------------------


def _allowed(atom: Atom, codes: Codes) -> Intervals:
    value = codes[atom.field][atom.value] if isinstance(atom.value, str) else atom.value
    bounds: dict[str, tuple[int, int]] = {
        "==": (value, value),
        "!=": (value, value),
        ">=": (value, MAX_INTEGER),
        ">": (value + 1, MAX_INTEGER),
        "<=": (-MAX_INTEGER, value),
        "<": (-MAX_INTEGER, value - 1),
    }
    low, high = bounds[atom.op]
    if atom.op == "!=":
        return _complement(((low, high),))
    return ((low, high),) if low <= high else ()


def _unite(intervals: Iterable[tuple[int, int]]) -> Intervals:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(intervals):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _complement(intervals: Intervals) -> Intervals:
    edges = [-MAX_INTEGER, *(edge for low, high in intervals for edge in (low - 1, high + 1)), MAX_INTEGER]
    return tuple((low, high) for low, high in zip(edges[::2], edges[1::2], strict=True) if low <= high)


def intersection(one: Intervals, other: Intervals) -> Intervals:
    return _complement(_unite((*_complement(one), *_complement(other))))
