"""One example: a piece of a file that has a problem, and the same piece mended."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from rules.checking import check
from rules.explanations.base import CLUB
from rules.files import check_file
from rules.formatting import translated
from rules.policy import Mark, Policy
from rules.problems import Lang, Problem
from rules.reader import Reading

MARK: Final = "▲"
_TODAY: Final = date(2026, 6, 1)
# Titles, ids and mistakes of the examples, which no converter knows.
_PROSE: Final = {
    "会员": "Member", "金卡客户": "Gold member", "银卡": "Silver member", "金卡客户俱乐部": "Gold Card Club",
    "配件款": "Parts credit", "积分": "Points", "夹子": "Clip", "尼龙搭扣": "Velcro", "欢迎礼": "Welcome gift",
    "常来往": "Regulars", "金卡价": "Gold price", "配件价": "Parts price", "年度金牌": "Best of the year",
    "联系次数": "Contacts", "购机送配件款": "A machine earns parts credit", "次以上": "_and_more",
    "五次以上": "five_and_more", "客户分类": "segment", "购机台数": "machines_bought", "金卡": "Gold",
    "很多": "many", "面议": "negotiable", "一半": "half", "一阵子": "a while", "也许": "maybe", "头一次": "first",
}  # fmt: skip
_CHINESE: Final = re.compile("[\u4e00-\u9fff]+")
_REPEATED: Final = re.compile(r"⟪(.*?)×(\d+)⟫", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Example:
    """A piece of a file that has the problem, and the same piece mended.

    above     what stands above both and is not shown
    english   both pieces in English, where they cannot be made from the Chinese ones
    shown     the failing piece, in both tongues, as it is shown when it is too large
    encoding  in what the failing file is saved
    told      the problem itself, where it takes seconds to find it
    path      what stands in the file's place, where no file can have the problem
    run       what running the examples in the failing piece finds, which is not done here
    """

    fails: str
    mended: str
    above: str = CLUB
    english: tuple[str, str] | None = None
    shown: tuple[str, str] | None = None
    encoding: str = "utf-8"
    told: Problem | None = None
    path: Path | None = None
    run: Callable[[Policy], tuple[Problem, ...]] | None = None

    def above_in(self, lang: Lang) -> str:
        """Return what stands above, in one tongue."""
        return self.above if lang == "zh" else _english(self.above)

    def failing(self, lang: Lang) -> bytes:
        """Return the whole file that fails."""
        return (self.above_in(lang) + self._fails(lang).replace(MARK, "")).encode(self.encoding)

    def reading(self, lang: Lang) -> Reading:
        """Check the file that fails."""
        reading = check(self.failing(lang), "x", _TODAY) if self.path is None else check_file(self.path)
        if self.run is None or reading.policy is None:
            return reading
        return replace(reading, problems=(*reading.problems, *self.run(reading.policy)))

    def good(self, lang: Lang) -> str:
        """Return the whole file that is mended."""
        return self.above_in(lang) + self.piece(lang)

    def marked(self, lang: Lang) -> Mark | None:
        """Return where the sign stands in the whole file; None where the English piece was made."""
        before, sign, _ = self._fails(lang).partition(MARK)
        lines = (self.above_in(lang) + before).split("\n")
        return Mark(len(lines), len(lines[-1]) + 1) if sign else None

    def piece(self, lang: Lang) -> str:
        """Return the mended piece."""
        if lang == "zh" or self.english is None:
            return _converted(self.above, self.mended, lang)
        return self.english[1]

    def failing_piece(self, lang: Lang) -> str:
        """Return the failing piece as it is shown."""
        if self.shown is not None:
            return self.shown[0 if lang == "zh" else 1]
        return self._fails(lang).replace(MARK, "")

    def _fails(self, lang: Lang) -> str:
        if lang == "en" and self.english is not None:
            return _repeated(self.english[0])
        text = _repeated(self.fails)
        return text if lang == "zh" else _converted(self.above, text.replace(MARK, ""), lang)


def _repeated(text: str) -> str:
    return _REPEATED.sub(lambda match: "".join(match[1].replace("№", str(n)) for n in range(int(match[2]))), text)


def _converted(above: str, piece: str, lang: Lang) -> str:
    """Convert a piece where it stands: what a word means depends on what is around it."""
    return piece if lang == "zh" else _english(above + piece).split("\n", above.count("\n"))[-1]


def _english(text: str) -> str:
    return _CHINESE.sub(lambda match: _PROSE.get(match[0], match[0]), translated(text, "en"))
