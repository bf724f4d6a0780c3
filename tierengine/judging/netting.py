"""Contributions against one another: each retraction takes one row that it mirrors with it; and what then stands.

Nothing is ever edited: a correction is the rows that bring what is stored to what is wanted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

import orjson

from rules.vocabulary import FIELDS
from tierengine.judging.history import Contribution, Position, Step

# What a return takes back in proportion. Other numbers (a flag, a year, days from referral to purchase) describe the
# line: a filter must find them on the negative row as it found them on the sale.
MEASURES = frozenset({name for name, item in FIELDS.items() if item.type == "money"} | {"qty", "days"})


_known = attrgetter("known")
_place = attrgetter("known", "line")


def difference(stored: Sequence[Contribution], wanted: Sequence[Contribution]) -> tuple[Contribution, ...]:
    """Return the rows to insert so that what is stored nets to what is wanted; nothing is ever edited.

    A retraction is the row that it takes back with quantity, amount and measures negated, so that whoever sums the raw
    rows is right too, and all else the same: also `known`, for what was never so was not so at any position.
    """
    if not stored and len({(row.line, row.known) for row in wanted}) == len(wanted):
        return tuple(sorted(wanted, key=_place))  # nearly always: something new, and nothing that it could take back
    have, want = _balance(stored), _balance(wanted)
    rows = []
    for key in sorted(have.keys() | want.keys()):
        example = (want.get(key) or have[key])[0]
        change = want.get(key, (example, 0))[1] - have.get(key, (example, 0))[1]
        rows += [example if change > 0 else mirror(example)] * abs(change)
    return tuple(rows)


def net(rows: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """Return the rows that stand: each retraction takes one row that it mirrors with it."""
    groups: dict[tuple[str, Position], list[Contribution]] = {}
    for row in rows:
        groups.setdefault((row.line, row.known), []).append(row)
    stand = []
    for group in groups.values():
        if len(group) == 1:  # nearly always: nothing was ever corrected
            stand += group
            continue
        for _, (example, count) in sorted(_balance(group).items()):
            stand += [example if count > 0 else mirror(example)] * abs(count)
    return tuple(stand)


def steps(rows: Iterable[Contribution]) -> tuple[Step, ...]:
    """Return the evaluation points of the rows of one member, in order."""
    return steps_of(standing(rows))


def standing(rows: Iterable[Contribution]) -> list[Contribution]:
    """Return the rows that stand, in the order in which they became known."""
    return sorted(net(rows), key=_place)


def steps_of(standing: Iterable[Contribution]) -> tuple[Step, ...]:
    """Return the evaluation points of rows that stand and are in order."""
    return tuple(
        Step(position, lines[0].cause, lines)
        for position, group in groupby(standing, key=_known)
        for lines in (tuple(group),)
    )


_Row = tuple[Position, str, int, str, str, bytes, int, int]


def _balance(rows: Iterable[Contribution]) -> dict[_Row, tuple[Contribution, int]]:
    """Count each distinct row less its mirror images, oriented so that a row and its mirror fall together."""
    counts: Counter[_Row] = Counter()
    examples: dict[_Row, Contribution] = {}
    for row in rows:
        upright = max(row, mirror(row), key=lambda one: (one.qty, one.amount))
        fields = orjson.dumps(upright.fields, option=orjson.OPT_SORT_KEYS)
        key = (row.known, row.line, row.at, row.kind, row.cause, fields, upright.qty, upright.amount)
        examples[key] = upright
        counts[key] += 1 if (row.qty, row.amount) == (upright.qty, upright.amount) else -1
    return {key: (examples[key], count) for key, count in counts.items() if count}


def mirror(row: Contribution) -> Contribution:
    fields = {name: -whole(value) if name in MEASURES else value for name, value in row.fields.items()}
    return replace(row, qty=-row.qty, amount=-row.amount, fields=fields)


def whole(value: object) -> int:
    return value if isinstance(value, int) else 0
