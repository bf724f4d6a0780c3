"""The numbers of a policy file laid out as tables, one a part: what a workbook shows and takes back. Pure.

A row is one thing (a trait's test, a reward's class, a duty); a column is what is said of it (不低于, 第 1 次, 时限).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rules.grammar import FORMS
from rules.keys import KEYS
from rules.numbers import Number, Numbers, Step
from rules.policy import Text
from rules.problems import Lang

_WITHIN_LEVELS: Final = ("entitlements", "duties")
PARTS: Final = ("policy", *FORMS["policy"].keys, *_WITHIN_LEVELS)
_POLICY: Final = {"zh": "总则", "en": "policy"}
_IS: Final = ("is", "是")


@dataclass(slots=True)
class Row:
    """One row. `place` names it for good, whatever the order of the rows; `about` says which part of the thing."""

    place: str
    id: str
    title: str
    about: str
    cells: dict[str, Number] = field(default_factory=dict)  # by column


@dataclass(slots=True)
class Table:
    """One sheet. `columns` are headings in the tongue of the sheet; no two are the same."""

    part: str
    name: str
    columns: list[str] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)  # by place


def tables_of(numbers: Numbers, lang: Lang) -> dict[str, Table]:
    """Lay the numbers out: sheet name → table, in the order of `PARTS`; a part without numbers has no table."""
    parts: dict[str, Table] = {}
    headings: dict[tuple[str, str], str] = {}
    for number in numbers.numbers:
        part, depth = _part(number.path)
        name = _POLICY[lang] if part == "policy" else KEYS[part] if lang == "zh" else part
        table = parts.setdefault(part, Table(part, name))
        end = _row_end(number.path, depth)
        place = ".".join(step.key for step in number.path[:end]) or part
        if place not in table.rows:
            table.rows[place] = _row(number.path, depth, end, place, numbers.titles, lang)
        key = ".".join(step.key for step in number.path[end:]) or _IS[0]
        if (part, key) not in headings:
            heading = _heading(number.path[end:], numbers.titles, lang)
            # Two keys that one word spells are told apart.
            headings[part, key] = heading if heading not in table.columns else f"{heading} ({key})"
            table.columns.append(headings[part, key])
        table.rows[place].cells[headings[part, key]] = number
    return {parts[part].name: parts[part] for part in PARTS if part in parts}


def _part(path: tuple[Step, ...]) -> tuple[str, int]:
    """Return the part a number belongs to, and how many steps name the thing it is said of."""
    if len(path) < 3 or path[1].what != "id":
        return "policy", 0  # said of the programme itself
    if path[0].key == "levels" and len(path) > 4 and path[2].key in _WITHIN_LEVELS:
        return path[2].key, 4
    return path[0].key, 2


def _row_end(path: tuple[Step, ...], depth: int) -> int:
    """Return how many steps name the row: up to the last test, class or item of a list that more is said of."""
    last = len(path) - 1
    ends = [
        at + 1 for at, step in enumerate(path) if step.what == "subject" or (step.what in ("id", "place") and at < last)
    ]
    return max([depth, *ends])


def _row(
    path: tuple[Step, ...], depth: int, end: int, place: str, titles: Mapping[tuple[str, ...], Text], lang: Lang
) -> Row:
    thing = tuple(step.key for step in path[:depth])
    title = titles[thing].say(lang) if thing in titles else ""
    # The place in a list of conditions says nothing to a reader.
    said = [_step(path[: at + 1], titles, lang) for at in range(depth, end) if path[at].what != "place"]
    if depth == 4:  # what a service level holds is named with its level
        level = titles.get(thing[:2])
        said.insert(0, level.say(lang) if level is not None else thing[1])
        return Row(place, f"{thing[1]}.{thing[3]}", title, " › ".join(said), {})
    return Row(place, thing[1] if depth else "", title, " › ".join(said), {})


def _step(path: tuple[Step, ...], titles: Mapping[tuple[str, ...], Text], lang: Lang) -> str:
    step = path[-1]
    if step.what == "subject" or (len(path) > 1 and path[-2].key == "score"):
        fact = titles.get(("facts", step.key))
        if fact is not None and (lang == "zh" or fact.en != fact.zh):
            return fact.say(lang)
    return step.zh if lang == "zh" else step.key


def _heading(path: tuple[Step, ...], titles: Mapping[tuple[str, ...], Text], lang: Lang) -> str:
    if not path:
        return _IS[1] if lang == "zh" else _IS[0]
    said = [_step(path[: at + 1], titles, lang) for at in range(len(path))]
    # 第几次 says nothing more beside 第 1 次.
    return "·".join(said[1:] if path[0].key == "nth" and len(path) > 1 and lang == "zh" else said)
