"""What is wrong with a file, noted with its place: all of it at once, up to a number that nobody reads beyond."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from typing import Final

from rules.catalogue import CATALOGUE
from rules.policy import Mark
from rules.problems import Problem
from rules.source import Node

MAX_ALLOWED: Final = 1_000
MAX_NOTED: Final = 2_000
MAX_FOUND: Final = 200


class Noting:
    """Keeps the problems of one file."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.noted: Counter[str] = Counter()  # by severity, also those beyond what is kept
        self._tuples: dict[tuple[str, ...], tuple[str, ...]] = {}

    def note(
        self,
        code: str,
        at: Node | Mark,
        found: str = "",
        allowed: Iterable[str] = (),
        about: str = "",
        allowed_zh: Iterable[str] = (),
        meant: str = "",
    ) -> None:
        """Note a problem at a node or mark."""
        mark, length = (at, 1) if isinstance(at, Mark) else (at.mark, at.length)
        severity = CATALOGUE[code].severity
        self.noted[severity] += 1
        if self.noted[severity] > MAX_NOTED:
            return
        # Names are given as dicts and tuples that live anyway: thousands of problems share them.
        names_en, names_zh = self._shared(allowed), self._shared(allowed_zh)
        self.problems.append(
            Problem(code, mark, found[:MAX_FOUND], names_en, about[:MAX_FOUND], names_zh, length, meant=meant)
        )

    def _shared(self, allowed: Iterable[str]) -> tuple[str, ...]:
        found = tuple(itertools.islice(allowed, MAX_ALLOWED))
        return self._tuples.setdefault(found, found)
