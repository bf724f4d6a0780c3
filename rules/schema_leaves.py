"""Single values as JSON Schema: rough forms that refuse a plain mistake and nothing that the reader would take.

An editor reads YAML 1.2, where `3` is a number, `yes` a text and 2026-01-01 a text; hence both types where both occur.
"""

from __future__ import annotations

from typing import Any, Final

from rules.grammar.shapes import Leaf

Json = dict[str, Any]

_NUMERAL: Final = "0-9０-９零〇一二两三四五六七八九十百千万亿壹"
_ANY_NUMERAL: Final = f"[{_NUMERAL}]"
_UNITS: Final[dict[str, str]] = {
    "minutes": "[Mm]in(?:ute)?s?|分钟",
    "hours": "[Hh]ours?|小时|钟头",
    "days": "[Dd]ays?|天|日",
    "weeks": "[Ww]eeks?|周|星期",
    "months": "[Mm]onths?|月|半年|half a year",
    "years": "[Yy]ears?|年",
}
_ID: Final = r"^[^\d\s!-,./:-@\[-^`{-~-][^\s!-,./:-@\[-^`{-~]{0,63}$"
_WITH_UNIT: Final = rf"^(?=.*{_ANY_NUMERAL})(?=.*[^\s{_NUMERAL}.,，．+＋－-]).*$"

# Type → its schema; below, what an editor says when a value does not fit, and examples.
LEAVES: Final[dict[str, Json]] = {
    "id": {"type": "string", "pattern": _ID},
    "prose": {"type": ["string", "number", "boolean"], "maxLength": 2_000},
    "text": {"type": ["string", "number", "boolean"]},
    "money": {"type": "string", "pattern": _WITH_UNIT},
    "amount": {"type": ["string", "integer"], "pattern": _ANY_NUMERAL},
    "percent": {"type": "string", "pattern": f"{_ANY_NUMERAL}.*([%％]|percent)|百分之"},
    "paid": {"type": "string", "pattern": "[%％折]|percent|百分之"},
    "quantity": {"type": ["integer", "string"], "pattern": f"{_ANY_NUMERAL}|半年|half a year"},
    "integer": {"type": ["integer", "string"], "pattern": _ANY_NUMERAL},
    "date": {"type": "string", "pattern": r"^\s*[0-9０-９]{4}\D[0-9０-９]{1,2}\D[0-9０-９]{1,2}[日号]?\s*$"},
    "moment": {"type": "string", "pattern": r"^\s*[0-9０-９]{4}\D[0-9０-９]{1,2}\D[0-9０-９]{1,2}"},
    "currency": {"type": "string"},
    "timezone": {"type": "string"},
    "rung": {"pattern": f"^\\s*(?:every|每)?\\s*第?{_ANY_NUMERAL}+"},
}
_WRONG: Final[dict[str, tuple[str, str]]] = {
    "id": (
        "编号用字母、数字、下划线、连字符或汉字，以字母或汉字开头。",
        "An id has letters, digits, _ and -, and begins with a letter.",
    ),
    "money": ("金额要写单位：1000 元、2万元。", "Money needs its currency: 1000 CNY."),
    "percent": ("百分数要写 %：130%。", "A percentage needs its sign: 130%."),
    "paid": ("写 95折 或 95%。", "Write 95% or 95折."),
    "integer": ("应该是整数。", "A whole number is wanted."),
    "length": ("写数和单位：12 个月、90 天、2 小时。", "Write a number and a unit: 12 months, 90 days, 2 hours."),
    "date": ("写 2026-01-01 或 2026年1月1日。", "Write 2026-01-01."),
    "moment": ("写 2026-01-01 或 2026-01-01 09:30。", "Write 2026-01-01 or 2026-01-01 09:30."),
}
_EXAMPLES: Final[dict[str, tuple[list[str], list[str]]]] = {
    "money": (["1000 元"], ["1000 CNY"]),
    "amount": (["1000 元", "500 积分"], ["1000 CNY", "500 points"]),
    "percent": (["20%"], ["20%"]),
    "paid": (["95折"], ["95%"]),
    "date": (["2026-01-01"], ["2026-01-01"]),
    "moment": (["2026-01-01", "2026-01-01 09:30"], ["2026-01-01", "2026-01-01 09:30"]),
    "currency": (["CNY"], ["CNY"]),
    "timezone": (["Asia/Shanghai"], ["Asia/Shanghai"]),
}
_LENGTHS: Final[dict[str, tuple[str, str]]] = {
    "minutes": ("15 分钟", "15 minutes"),
    "hours": ("2 小时", "2 hours"),
    "days": ("90 天", "90 days"),
    "months": ("12 个月", "12 months"),
}


def typed(leaf: Leaf, tongue: str) -> Json:
    """Return the schema of a value that is no name or word, in a tongue ("zh", "en" or "mixed")."""
    found = {**(_length(leaf) if leaf.type == "length" else LEAVES[leaf.type])}
    if leaf.words:
        found["pattern"] = f"{found['pattern']}|^(?:{'|'.join(leaf.words)}|无|不限)$"
    wrong = _WRONG.get(leaf.type)
    if wrong:
        found["errorMessage"] = wrong[1] if tongue == "en" else wrong[0]
    zh, en = _EXAMPLES.get(leaf.type, ([], []))
    if leaf.type == "length":
        zh, en = ([_LENGTHS[unit][at] for unit in leaf.units if unit in _LENGTHS] for at in (0, 1))
    examples = en if tongue == "en" else zh if tongue == "zh" else list(dict.fromkeys((*zh, *en)))
    return {**found, "examples": examples} if examples else found


def _length(leaf: Leaf) -> Json:
    units = "|".join(_UNITS[unit] for unit in leaf.units)
    return {"type": "string", "pattern": f"^(?=.*(?:{_ANY_NUMERAL}|半年|half)).*(?:{units})\\s*$"}
