"""Histories that this process has just folded, kept so that the next event in order costs one step and not a history.

Only a shortcut. A remembered history is used when the book still has exactly as many contributions of the member as it
had then: they are only ever added, so an equal number is an equal history, whoever else writes to the book.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from tierengine.judging.history import Contribution, Position
from tierengine.judging.running import RunningFacts
from tierengine.judging.trail import Trail

MEMBERS: Final = 5_000
CONTRIBUTIONS: Final = 300_000


@dataclass(slots=True)
class Remembered:
    """All contributions of a member in order of `known`, and his facts, which were last asked at `asked`.

    trail  what the fold asked on its way to where it is, of a long history
    """

    rows: list[Contribution]
    facts: RunningFacts
    asked: Position
    trail: Trail | None = None


class Memory:
    """The histories of one recorder's last members, the least recently used forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, Remembered] = OrderedDict()
        self._contributions = 0

    def of(self, members: Collection[int]) -> dict[int, Remembered]:
        """Return what is remembered of these members; it is not forgotten by that."""
        return {member: self._known[member] for member in members if member in self._known}

    def forget(self, member: int) -> None:
        """Forget a member: his history is about to change, and the transaction may fail."""
        known = self._known.pop(member, None)
        if known is not None:
            self._contributions -= len(known.rows)

    def keep(self, member: int, history: Remembered) -> None:
        """Remember a history as it was committed."""
        self.forget(member)
        self._known[member] = history
        self._contributions += len(history.rows)
        while self._contributions > CONTRIBUTIONS or len(self._known) > MEMBERS:
            self.forget(next(iter(self._known)))
