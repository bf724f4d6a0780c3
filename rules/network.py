"""The shape in which a program is fast in the library and cannot hurt it. Pure: it imports no library.

Each alternative of a pattern becomes one engine rule over one fact, `k == phase, …`. The library walks the conditions
with a stack of 64 and searches the followers of a condition one after another, so the rules are laid out as a tree:
rules that ask one common column for a value stand behind that value, and always-true markers (`k > -3`) see to it that
nothing has more than FAN followers. Hence the number of rules that fire at once needs no limit in the policy language.

`rules.audit` then counts on the finished rules what the library would count, before the library sees them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, islice, product
from operator import itemgetter
from typing import Any, Final

from rules.alternatives import Alternative, Key, alternatives, at_most, check, is_plain, number_texts
from rules.audit import Literal, audit
from rules.pattern import (
    MAX_CHOICES,
    MAX_CONDITIONS,
    MAX_FIELDS,
    MAX_FOLLOWERS,
    MAX_INTEGER,
    MAX_RULES,
    MAX_STEPS,
    Field,
    Phase,
    Program,
)

FAN: Final = 12
"""Followers of one condition. With 4,000 rules the stack then holds at most 48, however they are made."""
RULES_OF_A_HANDLE: Final = 96
"""Whole phases share a handle up to so many rules: for each answer the library looks through all of a handle's."""
_WORTH: Final = 3  # rules that must ask a column for a value before it is asked first

_RESERVED: Final = ("id", "sid", "k", "m", "$s", "$m", "$i", "$forward", "$time", "$pulse", "$timerName", "$baseTime")


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """How a phase's rows are written and its answers read.

    `texts` are the text columns with their constants' numbers; `pick` takes the columns that are asked from a row, for
    `template`. `fired` gives for an engine rule's name the positions of its rules in `order`; `told` is what the engine
    keeps of answers in words.
    """

    number: int
    fields: tuple[Field, ...]
    width: int
    texts: tuple[tuple[int, dict[str, int]], ...]
    pick: Callable[[Sequence[Any]], Any]
    template: str
    handle: int
    order: tuple[str, ...]
    fired: dict[str, tuple[int, ...]]
    told: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Network:
    """A program ready for the library: the definition of each handle, as JSON, and a plan for each phase.

    `rules`, `conditions` and `pending` (the deepest stack) are what the audit counted.
    """

    definitions: tuple[str, ...]
    phases: dict[int, PhasePlan]
    rules: int
    conditions: int
    pending: int


@dataclass(slots=True)
class _Rule:
    """An alternative on its way to an engine rule: whose it is, and the conditions laid out so far."""

    alternative: Alternative
    owner: str
    path: list[Literal]
    positions: list[int] = field(default_factory=list)
    asked: set[int] = field(default_factory=set)

    def values(self) -> dict[int, int]:
        """Give the columns that must have one value and have not been asked."""
        single = {column: allowed[0] for column, allowed in self.alternative.items() if len(allowed) == 1}
        return {column: low for column, (low, high) in single.items() if low == high and column not in self.asked}


def name_hash(name: str) -> int:
    """Hash a property name as the library does (FNV-1a, 32 bits); names of one hash are one property to it."""
    value = 0x811C9DC5
    for byte in name.encode("ascii"):
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def short_names() -> Iterator[str]:
    """Yield a, b, …, z, aa, ab, …: property names of which no two, and none of the library's own, share a hash."""
    taken = {name_hash(name) for name in _RESERVED}
    for length in count(1):
        for letters in product("abcdefghijklmnopqrstuvwxyz", repeat=length):
            name = "".join(letters)
            if name_hash(name) not in taken:
                taken.add(name_hash(name))
                yield name


def plan(program: Program) -> Network:
    """Lay a program out for the library.

    Raises `EngineLimitExceeded` naming the limit and the rule, `ValueError` where the program contradicts itself.
    """
    handles: list[list[_Rule]] = [[]]
    phases: dict[int, PhasePlan] = {}
    for phase in program.phases:
        if phase.number in phases or phase.number < 1:
            raise ValueError(f"{program.name}: phase {phase.number} is not a new number of 1 or more")
        columns = _columns(phase)
        codes = number_texts(phase)
        rules = _rules(phase, columns, codes)
        at_most("engine rules", program.name, sum(map(len, handles)) + len(rules), MAX_RULES)
        if handles[-1] and len(handles[-1]) + len(rules) > RULES_OF_A_HANDLE:
            handles.append([])
        used = sorted({column for rule in rules for column in rule.alternative})
        names = dict(zip(used, islice(short_names(), len(used)), strict=True))
        _lay_out(rules, names)
        texts = tuple((columns[name], numbers) for name, numbers in codes.items())
        first = len(handles[-1])
        handles[-1] += rules
        phases[phase.number] = _phase_plan(phase, rules, texts, names, (len(handles) - 1, first))
    audits = [audit((rule.owner, rule.path) for rule in rules) for rules in handles]
    conditions = sum(conditions for conditions, _ in audits)
    at_most("conditions of a program", program.name, conditions, MAX_CONDITIONS)
    definitions = tuple(_definition(rules) for rules in handles)
    return Network(
        definitions, phases, sum(map(len, handles)), conditions, max((pending for _, pending in audits), default=0)
    )


def _definition(rules: Sequence[_Rule]) -> str:
    named = {_rule_name(index): {"all": [{"m": {"$and": rule.path}}]} for index, rule in enumerate(rules)}
    return json.dumps(named, separators=(",", ":"))


def _rule_name(index: int) -> str:
    # Always three characters: the engine reads them off a fixed place of the library's answer.
    return f"{index:03x}"


def _columns(phase: Phase) -> dict[str, int]:
    where = f"phase {phase.number}"
    at_most("fields of a phase", where, len(phase.fields), MAX_FIELDS)
    columns = {column.name: index for index, column in enumerate(phase.fields)}
    if len(columns) != len(phase.fields) or len({pattern.rule for pattern in phase.patterns}) != len(phase.patterns):
        raise ValueError(f"{where}: a field or a rule id is there twice")
    for pattern in phase.patterns:
        check(pattern, phase)
    return columns


def _rules(phase: Phase, columns: Mapping[str, int], codes: Mapping[str, Mapping[str, int]]) -> list[_Rule]:
    """Give one engine rule for each different alternative, in the order of the first pattern that has it."""
    found: dict[Key, _Rule] = {}
    for position, pattern in enumerate(phase.patterns):
        for one in alternatives(pattern, columns, codes):
            rule = found.setdefault(tuple(sorted(one.items())), _Rule(one, pattern.rule, [{"k": phase.number}]))
            rule.positions.append(position)
    return list(found.values())


def _phase_plan(
    phase: Phase,
    rules: Sequence[_Rule],
    texts: tuple[tuple[int, dict[str, int]], ...],
    names: Mapping[int, str],
    place: tuple[int, int],
) -> PhasePlan:
    handle, first = place
    order = tuple(pattern.rule for pattern in phase.patterns)
    width = len(phase.fields)
    pick: Callable[[Sequence[Any]], Any] = itemgetter(*names) if names else _nothing
    return PhasePlan(
        number=phase.number,
        fields=phase.fields,
        width=width,
        texts=texts,
        # A tuple of them all is what `tuple` gives, in half the time.
        pick=tuple if len(names) == width > 0 else pick,
        template=f'{{"id":"f","k":{phase.number}' + "".join(f',"{name}":%d' for name in names.values()) + "}",
        handle=handle,
        order=order,
        fired={_rule_name(first + index): tuple(rule.positions) for index, rule in enumerate(rules)},
    )


def _nothing(_: Sequence[Any]) -> tuple[()]:
    return ()


# ---- layout ----------------------------------------------------------------------------------------------------------


def _lay_out(rules: Sequence[_Rule], names: Mapping[int, str]) -> None:
    _grow(rules, names, split=True)
    for number, rule in enumerate(rules, start=1):
        plain, choices = _literals(rule, names)
        at_most("choices in one alternative", rule.owner, len(choices), MAX_CHOICES)
        # A parent of its own keeps a choice's many values out of the lists in which other rules are searched.
        own = [_marker(MAX_FOLLOWERS + number)] if choices else []
        rule.path += [*plain, *own, *choices]
        at_most("conditions in one alternative", rule.owner, len(rule.path), MAX_STEPS)


def _grow(rules: Sequence[_Rule], names: Mapping[int, str], *, split: bool) -> None:
    """Place rules behind one condition: those that ask a common column for a value behind that value, never too many.

    One level of this is enough: the compiler gives each kind of event a phase, so the commonest value is taken.
    """
    items: list[tuple[Literal | None, list[_Rule]]] = []
    rest = list(rules)
    while split and (common := Counter(column for rule in rest for column in rule.values())):
        column, times = min(common.items(), key=lambda pair: (-pair[1], pair[0]))
        if times < _WORTH:
            break
        groups: dict[int, list[_Rule]] = {}
        for rule in rest:
            if column in rule.values():
                groups.setdefault(rule.values()[column], []).append(rule)
        rest = [rule for rule in rest if column not in rule.values()]
        items += [({names[column]: value}, groups[value]) for value in sorted(groups)]
        for rule in (rule for group in groups.values() for rule in group):
            rule.asked.add(column)
    # Neighbours in this order begin with the same conditions, which the library keeps and asks once.
    items += [(None, [rule]) for rule in sorted(rest, key=lambda rule: json.dumps(_literals(rule, names)))]
    _fan(items)
    for condition, members in items:
        if condition is not None:
            for rule in members:
                rule.path.append(condition)
            _grow(members, names, split=False)


def _fan(items: Sequence[tuple[Literal | None, list[_Rule]]]) -> None:
    if len(items) <= FAN:
        return
    size = FAN
    while size * FAN < len(items):
        size *= FAN
    for number, at in enumerate(range(0, len(items), size), start=1):
        for _, members in items[at : at + size]:
            for rule in members:
                rule.path.append(_marker(number))
        _fan(items[at : at + size])


def _marker(number: int) -> Literal:
    # Phases start at 1, so this holds of every fact; it is there to be a parent.
    return {"$gt": {"k": -number}}


def _literals(rule: _Rule, names: Mapping[int, str]) -> tuple[list[Literal], list[Literal]]:
    """Write what has not been asked: plain conditions, and choices."""
    plain: list[Literal] = []
    choices: list[Literal] = []
    for column, allowed in sorted(rule.alternative.items()):
        name = names[column]
        if column in rule.asked:
            continue
        if is_plain(allowed):
            plain += _bounds(name, allowed[0][0], allowed[-1][1])
            plain += [{"$neq": {name: high + 1}} for _, high in allowed[:-1]]
        else:
            choices.append({"$or": [bound for low, high in allowed for bound in _bounds(name, low, high)]})
    return plain, choices


def _bounds(name: str, low: int, high: int) -> list[Literal]:
    if low == high:
        return [{name: low}]
    bounds: list[Literal] = [{"$gte": {name: low}}] if low > -MAX_INTEGER else []
    return [*bounds, {"$lte": {name: high}}] if high < MAX_INTEGER else bounds
