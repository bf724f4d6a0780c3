"""What a test compares with: a scalar read by the unit or type of its subject, always as int or text."""

from __future__ import annotations

from typing import Final, Literal

from rules import names, values
from rules.desk import Desk
from rules.policy import Scalar as Value
from rules.policy import Unit
from rules.source import Node
from rules.values import DAYS_IN, LIMIT, MINUTES_IN, MONTHS_IN
from rules.vocabulary import ATTRIBUTES, FIELDS, STATUSES

Measure = Literal[
    "count",
    "money",
    "points",
    "days",
    "months",
    "years",
    "percent",
    "hours",
    "minutes",
    "text",
    "bool",
    "date",
    "category",
    "status",
]

_COUNTED: Final = (
    "times", "machines", "members", "台", "次", "个", "家", "人", "人次", "条", "项", "件", "种", "单", "张", "组",
)  # fmt: skip
_HOURS: Final = ("hours", "hour", "小时", "h")
_YEARS: Final = ("years", "year", "年")
_KM: Final = ("km", "公里", "千米")
_OF_INT: Final[dict[str, Measure]] = {
    "days": "days", "referral_days": "days", "overdue_days": "days", "hours": "hours", "interval": "hours",
    "minutes": "minutes",
}  # fmt: skip


def of_field(name: str) -> Measure | None:
    """Return how values of an event field are read; None for lists, which no test can compare."""
    return _of(name, FIELDS[name].type)


def of_attribute(name: str) -> Measure | None:
    """Return how values of a member attribute are read."""
    return _of(name, ATTRIBUTES[name].type)


def _of(name: str, type_: str) -> Measure | None:
    if name == "category":
        return "category"
    if name == "status":
        return "status"
    if type_ == "int":
        return _OF_INT.get(name, "count")
    found: dict[str, Measure] = {"text": "text", "member": "text", "money": "money", "bool": "bool", "date": "date"}
    return found.get(type_)


def unit_of_field(name: str) -> Unit | None:
    """Return the unit of a sum, maximum or minimum of a field; None when it is no number."""
    measure = of_field(name)
    if measure == "money":
        return "money"
    if measure == "days":
        return "days"
    if measure == "hours":
        return "hours"
    return "count" if measure in ("count", "minutes") else None


def measured(desk: Desk, node: Node, about: str, measure: Measure) -> Value | None:
    """Read the value a subject of this measure is compared with; None when it was refused."""
    if measure == "text":
        found = desk.scalar(node, about)
        return found.text.strip() if found else None
    if measure == "status":
        return desk.word(node, about, STATUSES, "") or None
    if measure == "category":
        found = desk.scalar(node, about)
        return (desk.category(found) or None) if found and desk.well_typed(found) else None
    if measure == "bool":
        answer = desk.value(node, about, values.yes_no, None)
        return None if answer is None else int(answer)
    if measure == "date":
        day = desk.value(node, about, values.day, None)
        return None if day is None else day.toordinal()
    return desk.value(node, about, lambda text: number(text, measure, desk.currency), None)


def number(text: str, measure: Measure, currency: str) -> int:
    """Read a number in the unit of a fact: fen, basis points, days, months, years, hours, points or pieces."""
    if measure == "money":
        return values.money(text, currency, -LIMIT)
    if measure == "percent":
        return values.percent(text, -LIMIT)
    if measure == "points":
        return values.points(text, -LIMIT)
    if measure == "days":
        return _length(text, DAYS_IN)
    if measure == "months":
        return _length(text, MONTHS_IN)
    if measure == "minutes":
        return _length(text, MINUTES_IN)
    units = {"hours": _HOURS, "years": _YEARS}.get(measure, (*_COUNTED, *_KM))
    return values.integer(text, -LIMIT, LIMIT, units)


def _length(text: str, units: dict[values.TimeUnit, int]) -> int:
    """Read `90`, or `90 days` where the number is of days anyway."""
    try:
        return values.integer(text, -LIMIT)
    except values.Refused as refused:
        if refused.code != "P301":
            raise
    found = values.length(text)
    if found.unit not in units:
        raise values.Refused("P312", *units, zh=names.spelled(units, names.LENGTHS_ZH))
    return found.count * units[found.unit]
