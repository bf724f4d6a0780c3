"""Single values from one tongue into the other: 12 个月 ↔ 12 months, 2万元 → 20000 CNY, 95折 ↔ 95%, 租赁 ↔ rental.

Only what belongs to the other tongue is changed; a value that says the same in both (130%, 2026-01-01, an id) and
every spelling of the tongue that is asked for stay as they were written. What is no such value is returned untouched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from rules import names, values
from rules.grammar.shapes import Leaf
from rules.keys import KEYS, WORDS
from rules.problems import Lang
from rules.values import Refused, plain
from rules.vocabulary import ATTRIBUTES, CATEGORIES, FIELDS, KINDS

_MONEY: Final = {"CNY": "元", "HKD": "港元", "USD": "美元", "EUR": "欧元"}
# English word after a number → the Chinese one. Several English spellings are read, the first of each is written.
_TO_ZH: Final[dict[str, str]] = {
    "minutes": "分钟", "minute": "分钟", "min": "分钟", "mins": "分钟", "hours": "小时", "hour": "小时", "h": "小时",
    "days": "天", "day": "天", "weeks": "周", "week": "周", "months": "个月", "month": "个月", "years": "年",
    "year": "年", "times": "次", "machines": "台", "members": "人", "km": "公里", "points": "积分", "point": "积分",
}  # fmt: skip
_TO_EN: Final[dict[str, str]] = {
    "分钟": "minutes", "小时": "hours", "个小时": "hours", "钟头": "hours", "天": "days", "日": "days", "周": "weeks",
    "星期": "weeks", "个星期": "weeks", "个月": "months", "月": "months", "年": "years", "次": "times",
    "台": "machines", "人": "members", "公里": "km", "千米": "km", "积分": "points",
}  # fmt: skip
# 3项, 2张: English counts these without saying what they are.
_COUNTED: Final = ("个", "家", "人次", "条", "项", "件", "种", "单", "张", "组")
_ONE: Final = {"minutes", "hours", "days", "weeks", "months", "years"}
_NUMBER: Final = r"[+-]?[\d,]+(?:\.\d+)?"
_ENGLISH: Final = re.compile(rf"({_NUMBER})\s*([A-Za-z][A-Za-z ]*)")
_CODE_FIRST: Final = re.compile(rf"([A-Za-z]{{3,4}})\s*({_NUMBER})")
_PLAIN: Final = re.compile(rf"({_NUMBER})\s*([^\d\s.,万亿百千].*)?")
_SPELLED: Final = "[零〇一二两三四五六七八九十百千万亿壹]+"
_LARGE: Final = re.compile(rf"({_NUMBER}\s*(?:百万|千万|[百千万亿])|{_SPELLED})\s*(.*)")
_RUNG: Final = re.compile(r"第?(\d+)(?:次|台|个)?(?:\s*(-|~|至|到)\s*第?(\d+)(?:次|台|个)?|\s*(\+|以上|起))?")

_EVERY: Final = re.compile(r"(?:every|每)\s*第?(\d+)(?:次|台|个)?")


def converted(leaf: Leaf, text: str, lang: Lang) -> str:
    """Return the value in the tongue asked for."""
    found = words(leaf.words, text, lang)
    if found is not None:
        return found
    table = _TABLES.get(leaf.type)
    if table is not None:
        candidates, chinese = table
        return _name(text, candidates, chinese, lang)
    convert = _TYPES.get(leaf.type)
    return convert(text, lang) if convert else text


def words(candidates: tuple[str, ...], text: str, lang: Lang) -> str | None:
    """Return the spelling of one of a few words; None when the text is none of them."""
    name = names.canonical(plain(text), candidates, _WORDS)
    if name is None:
        return None
    return _WORDS[name] if lang == "zh" else name


_WORDS: Final = {**{name: KEYS[name] for name in ("till", "erp")}, **WORDS}
_TABLES: Final[dict[str, tuple[Mapping[str, object], Mapping[str, str]]]] = {
    "kind": (KINDS, names.KINDS_ZH),
    "field": (FIELDS, names.FIELDS_ZH),
    "attribute": (ATTRIBUTES, names.ATTRIBUTES_ZH),
    "category": (CATEGORIES, names.CATEGORIES_ZH),
}


def _name(text: str, candidates: Mapping[str, object], chinese: Mapping[str, str], lang: Lang) -> str:
    name = names.canonical(plain(text), candidates, chinese)
    if name is None:
        return text
    return chinese[name] if lang == "zh" else name


# ---- numbers -------------------------------------------------------------------------------------------------------


def quantity(text: str, lang: Lang) -> str:
    """Convert a number with or without its unit."""
    return _number_zh(text) if lang == "zh" else _number_en(text)


def _number_zh(text: str) -> str:
    clean = plain(text)
    if clean == "half a year":
        return "半年"
    match = _ENGLISH.fullmatch(clean)
    first = None if match else _CODE_FIRST.fullmatch(clean)
    if match:
        number, unit = match[1], match[2].strip()
    elif first:
        number, unit = first[2], first[1]
    else:
        return text
    if unit == "percent":
        return f"{number}%"
    code = _currency(unit)
    if code:
        return f"{number} {_MONEY[code]}"
    return f"{number} {_TO_ZH[unit.casefold()]}" if unit.casefold() in _TO_ZH else text


def _currency(unit: str) -> str:
    for code, spellings in values.CURRENCIES.items():
        if unit.upper() in spellings or unit in spellings:
            return code
    return ""


def _number_en(text: str) -> str:
    clean = plain(text)
    if clean.isascii():
        return clean if not text.isascii() else text
    if clean == "半年":
        return "6 months"
    number, unit = _split(clean.removeprefix("百分之"))
    if not number:
        return text
    if clean.startswith("百分之"):
        return f"{number}%"
    if not unit or unit.isascii():
        return f"{number} {unit}".strip() if unit != "%" else f"{number}%"
    code = _currency(unit)
    if code:
        return f"{number} {code}"
    if unit in _COUNTED:
        return number
    if unit not in _TO_EN:
        return text
    english = _TO_EN[unit]
    return f"{number} {english.removesuffix('s') if number == '1' and english in _ONE else english}"


def _split(clean: str) -> tuple[str, str]:
    """Split 1.5万元 into 15000 and 元; a number in digits stays as it is written."""
    for name in ("人民币", *_MONEY.values(), "¥", "€", "港币"):
        # 人民币1000: the currency may come first.
        if clean.startswith(name) and len(clean) > len(name):
            return _split(clean[len(name) :].strip())[0], name
    match = _PLAIN.fullmatch(clean)
    if match:
        return match[1], (match[2] or "").strip()
    match = _LARGE.fullmatch(clean)
    if match is None:
        return "", ""
    try:
        return _digits(match[1]), match[2].strip()
    except Refused:
        return "", ""


def _digits(number: str) -> str:
    """Write 1.5万 or 二十 as digits; two decimals are as fine as anything in a policy gets."""
    hundredths = values.money(f"{number}元", "CNY", -values.LIMIT)
    whole, part = divmod(hundredths, 100)
    return f"{whole}.{part:02}".rstrip("0") if part else str(whole)


# ---- other types -----------------------------------------------------------------------------------------------------


def _paid(text: str, lang: Lang) -> str:
    """95折 is a share of the price that is paid: English has only the percentage for it."""
    clean = plain(text)
    try:
        share = values.share_paid(clean)
    except Refused:
        return text
    if lang == "en":
        return text if clean.isascii() else f"{_hundredths(share)}%"
    if clean.endswith("折") or share == 10_000 or share < 1_000:
        return text
    # One digit is tenths, two are hundredths; what is finer is written in tenths: 95.5 % is 9.55折.
    digits = f"{share:04}".rstrip("0")
    return f"{digits if len(digits) < 3 else f'{digits[0]}.{digits[1:]}'}折"


def _hundredths(number: int) -> str:
    whole, part = divmod(number, 100)
    return f"{whole}.{part:02}".rstrip("0") if part else str(whole)


def _day(text: str, lang: Lang) -> str:
    try:
        return text if lang == "zh" or plain(text).isascii() else values.day(text).isoformat()
    except Refused:
        return text


def _moment(text: str, lang: Lang) -> str:
    if lang == "zh" or plain(text).isascii():
        return text
    try:
        found = values.moment(text)
    except Refused:
        return text
    return found if len(found) <= 10 else datetime.fromisoformat(found).isoformat(" ")


def _yes(text: str, lang: Lang) -> str:
    try:
        answer = values.yes_no(text)
    except Refused:
        return text
    if lang == "zh":
        return WORDS["yes"] if answer else WORDS["no"]
    return text if plain(text).isascii() else "yes" if answer else "no"


def _currency_code(text: str, lang: Lang) -> str:
    return text if lang == "zh" or text.isascii() else _currency(plain(text)) or text


def _rung(text: str, lang: Lang) -> str:
    every = _EVERY.fullmatch(plain(text))
    if every:
        return f"{'每' if lang == 'zh' else 'every'} {every[1]}"
    match = _RUNG.fullmatch(plain(text))
    if match is None or lang == "zh" or plain(text).isascii():
        return text
    first, dash, last, more = match.groups()
    return f"{first}-{last}" if dash else f"{first}+" if more else first


_TYPES: Final[dict[str, Callable[[str, Lang], str]]] = {
    "money": quantity,
    "amount": quantity,
    "percent": quantity,
    "quantity": quantity,
    "integer": quantity,
    "length": quantity,
    "paid": _paid,
    "date": _day,
    "moment": _moment,
    "yes": _yes,
    "currency": _currency_code,
    "rung": _rung,
}
