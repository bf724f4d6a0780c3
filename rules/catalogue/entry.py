"""One kind of problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Entry:
    """One kind of problem: its title, its sentence and its help, and whether a did-you-mean makes sense for it."""

    title_zh: str
    title_en: str
    zh: str
    en: str
    help_zh: str
    help_en: str
    severity: Literal["error", "warning"] = "error"
    guesses: bool = False
