"""What is wrong with a policy file: a value with a code and a place, and how it is shown to people and editors.

A problem holds no sentence: the sentences stand once, in both tongues, in `rules.catalogue`. What the writer may have
meant is worked out when a problem is shown, not when it is found, so that a hostile file costs nothing extra.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from wcwidth import wcwidth

from rules.catalogue import CATALOGUE
from rules.catalogue.found import FOUND_ZH
from rules.policy import Mark
from rules.suggestions import nearest
from rules.synonyms import said_for

Severity = Literal["error", "warning"]
Lang = Literal["zh", "en"]
Format = Literal["full", "short"]

MAX_FOUND = 60
MAX_ALLOWED = 12


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or doubtful (a warning), at one place.

    found       what stands there, as written
    allowed     what may stand there, canonical (English) names first among equals
    allowed_zh  the Chinese spellings of `allowed`, in the same order; empty when the names are the file's own
    about       what the sentence is about: a path such as `rewards.ladder.nth`, an id, a unit
    length      how many characters the caret underlines
    meant       what was surely meant, where mending the text made it readable
    """

    code: str
    mark: Mark
    found: str = ""
    allowed: tuple[str, ...] = ()
    about: str = ""
    allowed_zh: tuple[str, ...] = ()
    length: int = 1
    file: str = ""
    meant: str = ""

    @property
    def severity(self) -> Severity:
        """Warnings do not keep a policy from being read."""
        return CATALOGUE[self.code].severity

    def guess(self, lang: Lang = "en") -> str:
        """Return what was probably meant, in the tongue it was written in; "" when nothing is near."""
        if self.meant:
            return self.meant
        if self.code == "P308" and self.found:
            return f"{self.found.strip()}%"
        if self.code == "P303" and self.found and self.allowed:
            unit = "元" if lang == "zh" and self.allowed[0] == "CNY" else self.allowed[0]
            number = self.found.strip()
            return f"{number}{' ' if number[-1].isdigit() else ''}{unit}"
        if not CATALOGUE[self.code].guesses:
            return ""
        # Another word for it is no typing error: 机油 is as near to 油品 as to anything.
        said = said_for(self.found, self.allowed)
        if said:
            return self.allowed_zh[self.allowed.index(said)] if self.allowed_zh else said
        return nearest(self.found, (*self.allowed, *self.allowed_zh))

    def message(self, lang: Lang) -> str:
        """Return one sentence, in Chinese or English."""
        entry = CATALOGUE[self.code]
        template = entry.zh if lang == "zh" else entry.en
        found = _in_chinese(self.found) if lang == "zh" and self.code in _TRANSLATED else self.found
        about = _path_zh(self.about) if lang == "zh" else self.about or "the file"
        return template.format(found=_cut(found), about=_cut(about), allowed=_join(self.names(lang), lang))

    def names(self, lang: Lang) -> list[str]:
        """Spell what is allowed in one tongue."""
        if not self.allowed_zh:
            return list(self.allowed)
        pairs = zip(self.allowed, self.allowed_zh, strict=True)
        return [zh if lang == "zh" else en for en, zh in pairs]


_SAID = ("P101", "P525", "P526")
"""Problems whose `found` nobody wrote: the parser's words, or a number of rules. It is in the sentence."""

_TRANSLATED = ("P101", "P108", "P118", "P204", "P521")


def _in_chinese(found: str) -> str:
    head, colon, rest = found.partition(": ")
    return FOUND_ZH[head] + colon + rest if head in FOUND_ZH else FOUND_ZH.get(found, found)


def _path_zh(path: str) -> str:
    # The grammar is read by what notes problems: it is asked when one is shown.
    from rules.paths import path_zh  # noqa: PLC0415

    return path_zh(path)


@dataclass(frozen=True, slots=True)
class _Words:
    found: str
    allowed: str
    guess: str
    help: str
    error: str
    warning: str


_WORDS: dict[Lang, _Words] = {
    "en": _Words("found", "allowed", "did you mean", "help", "error", "warning"),
    "zh": _Words("写的是", "可以写", "是不是想写", "怎么改", "错误", "提醒"),
}


def render(problem: Problem, source_line: str, lang: Lang = "zh", format: Format = "full") -> str:  # noqa: A002
    """Show a problem: "short" is one line, "full" adds the source line with a caret, what is allowed and a guess."""
    place = f"{problem.file or '-'}:{problem.mark.line}:{problem.mark.column}"
    words = _WORDS[lang]
    head = f"{place}: {problem.code} {problem.message(lang)}"
    guess = problem.guess(lang)
    if format == "short":
        return f"{head} {words.guess}: {guess}?" if guess else head
    entry = CATALOGUE[problem.code]
    severity = words.error if problem.severity == "error" else words.warning
    lines = [f"{place}: {severity} {problem.code} {problem.message(lang)}"]
    if source_line.strip():
        shown, caret = _underlined(source_line, problem.mark.column, problem.length)
        gutter = f"{problem.mark.line:>5} | "
        lines += [f"{gutter}{shown}", f"{'':>5} | {caret}"]
    if problem.found and problem.code not in _SAID:
        found = _in_chinese(problem.found) if lang == "zh" and problem.code in _TRANSLATED else problem.found
        lines.append(f"      {words.found}: {_cut(found)}")
    if problem.allowed:
        lines.append(f"      {words.allowed}: {_join(problem.names(lang), lang)}")
    if guess:
        lines.append(f"      {words.guess}: {guess}")
    # An empty value is most often one that YAML took for a comment: 名称: #1 机油.
    help_ = _COMMENT if _commented(problem, source_line) else {"zh": entry.help_zh, "en": entry.help_en}
    lines.append(f"      {words.help}: {help_[lang]}")
    return "\n".join(lines)


_COMMENT: dict[Lang, str] = {
    "zh": "“#”到行尾是注释，不算内容；要写这个符号，整段加半角引号。",
    "en": "From # on it is a comment, no content; to have the sign, put the text in quotes.",
}


def _commented(problem: Problem, source_line: str) -> bool:
    return problem.code == "P208" and source_line[problem.mark.column - 1 :].lstrip().startswith("#")


def as_dict(problem: Problem, source_line: str = "") -> dict[str, object]:
    """Give a problem to an editor or the console: plain values, both tongues."""
    return {
        "code": problem.code,
        "severity": problem.severity,
        "file": problem.file,
        "line": problem.mark.line,
        "column": problem.mark.column,
        "length": problem.length,
        "message": {"zh": problem.message("zh"), "en": problem.message("en")},
        "found": problem.found,
        "allowed": list(problem.allowed),
        "allowed_zh": list(problem.allowed_zh),
        "about": problem.about,
        "guess": problem.guess(),
        "source": source_line,
    }


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort problems by place; the same thing said twice of one place is said once."""
    seen: dict[tuple[Mark, str, str, str], Problem] = {}
    for problem in problems:
        seen.setdefault((problem.mark, problem.code, problem.found, problem.about), problem)
    return tuple(sorted(seen.values(), key=lambda p: (p.mark.line, p.mark.column, p.code)))


WINDOW = 100


def _underlined(line: str, column: int, length: int) -> tuple[str, str]:
    """Return the line as a terminal shows it and a caret under the right character, however wide those before are."""
    start = max(0, column - 1 - WINDOW)
    piece = "".join(_printable(char) for char in line[start : start + 2 * WINDOW])
    at = min(column - 1 - start, len(piece))
    under = piece[at : at + max(1, length)]
    cut = "…" if start else ""
    return cut + piece, " " * (len(cut) + width(piece[:at])) + "^" * max(1, width(under))


def _printable(char: str) -> str:
    if char == "\t":
        return "⇥"
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in ("Cc", "Cs", "Cf") else char


def width(text: str) -> int:
    """Return how many terminal columns the text takes: Chinese characters take two."""
    return sum(max(0, wcwidth(char)) for char in text)


def _cut(text: str) -> str:
    clean = "".join(_printable(char) if char != "\n" else "⏎" for char in text[: MAX_FOUND + 1])
    return clean if len(clean) <= MAX_FOUND else clean[:MAX_FOUND] + "…"


def _join(names: list[str], lang: Lang) -> str:
    separator = "、" if lang == "zh" else ", "
    shown = separator.join(names[:MAX_ALLOWED])
    return shown if len(names) <= MAX_ALLOWED else f"{shown}{separator}… ({len(names)})"
