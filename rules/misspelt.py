"""What a value was probably meant to be, found by mending it and reading it again: 9O 天 → 90 天, 2—3 → 2-3.

Only slips of a Chinese keyboard that leave no doubt; what still cannot be read is not guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from rules.values import Refused, plain

_LETTERS: Final = str.maketrans({"O": "0", "o": "0", "〇": "0", "l": "1", "I": "1", "|": "1"})
_DIGITS: Final = re.compile(r"(?<![A-Za-z])[0-9OolI|〇.,]*[0-9][0-9OolI|〇.,]*(?![A-Za-z])")
_HEAD: Final = re.compile(r"^(每满|满|每(?=\d)|前|最多|最少|至少|不超过|(每|一)个?(年|季度?|月|周|天))\s*")
_TAIL: Final = re.compile(r"\s*(及以上|以上|及以下|以下|以内|之内|内|左右|整|起)$")
_COUNTED: Final = re.compile(r"\s*(个月|次|名|个|台|位|人|条|项|件|席|张)$")
_SAID: Final = {
    "半小时": "30 分钟", "半个小时": "30 分钟", "一刻钟": "15 分钟", "半天": "12 小时", "半个月": "15 天",
    "当天": "0 天", "当日": "0 天", "每天": "1 天", "每周": "1 周", "每月": "1 个月", "每个月": "1 个月",
    "每季": "3 个月", "每季度": "3 个月", "每半年": "6 个月", "每年": "1 年",
    "以后": "之后", "其后": "之后", "其余": "之后", "其他": "之后",
}  # fmt: skip
_NTH: Final = re.compile(r"第([一二两三四五六七八九])(?=[次台个])")
_TWO: Final = re.compile(r"(第?\d+)[次台个]?\s*[、和及,]\s*第?(\d+)[次台个]?")
_DASHES: Final = re.compile(r"\s*[—–―－~～至到]+\s*")
_UNITS: Final = (
    (re.compile(r"(\d)\s*(号|曰|填)$"), r"\1 天"),
    (re.compile(r"(\d)\s*(各|哥|箇|個)?(月|约|越|阅)$"), r"\1 个月"),
    (re.compile(r"([\d零〇一二三四五六七八九])折半$"), r"\g<1>五折"),
    (re.compile(r"(\d)\s*(分|点)$"), r"\1 积分"),
    (re.compile(r"(\d)\s*(块钱|块|圆|园|员|RMB|rmb)$"), r"\1 元"),
    (re.compile(r"(\d)\s*(万块|万圆|w|W)$"), r"\1 万元"),
    (re.compile(r"(\d)\s*(个?点|分之)$"), r"\1%"),
)
_SHARE: Final = re.compile(r"0?\.(\d{1,4})")


def mended(text: str, read: Callable[[str], object]) -> str:
    """Return the first mended form of `text` that `read` takes; "" when none is."""
    for one in dict.fromkeys(_forms(plain(text))):
        try:
            read(one)
        except Refused:
            continue
        return one
    return ""


def _forms(text: str) -> Iterator[str]:
    share = _SHARE.fullmatch(text)
    if share:  # 0.95 of a price is 95 %
        yield f"{float(text) * 100:g}%"
    if text in _SAID:
        yield _SAID[text]
    nth = _NTH.sub(lambda match: f"第{'零一二三四五六七八九'.index(match[1].replace('两', '二'))}", text)
    if nth != text:
        yield nth
    if _TWO.fullmatch(nth):
        yield _TWO.sub(r"\1-\2", nth)
    digits = _DIGITS.sub(lambda match: match.group().translate(_LETTERS), text)
    short = _TAIL.sub("", digits)
    bare = _HEAD.sub("", short)
    for one in (digits, short, bare, _COUNTED.sub("", bare)):
        if one != text:
            yield one
        if _DASHES.search(one):
            yield _DASHES.sub("-", one)
        for pattern, instead in _UNITS:
            if pattern.search(one):
                yield pattern.sub(instead, one)
