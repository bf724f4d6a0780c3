"""Ids in blocks: a process takes a thousand at a time, in a short transaction of its own, and hands them out in memory.

No sequence is asked per row, ids are known before anything is written (so that rows can name each other in one round
trip), and every table shares the one line of numbers. A number that was handed out and not used is simply lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tierengine.store.dialect import Link

Made = TypeVar("Made")
BLOCK = 10_000
_NAME = "row"


class NeedIds(Exception):
    """The block is used up in the middle of a transaction: roll back, `reserve`, and run it again."""

    def __init__(self, count: int, above: int = 0) -> None:
        self.count = count
        self.above = above
        super().__init__(f"{count} ids above {above} are needed")


class Ids:
    """The ids of one process. `take` never touches the database."""

    def __init__(self) -> None:
        self._next = 1
        self._end = 1
        self._asked = 0

    def reserve(self, link: Link, count: int, above: int = 0) -> None:
        """Make sure that `count` ids, all greater than `above`, are at hand; call it outside any transaction.

        A block taken now is above every id that any process has used until now, whatever its name.
        """
        self._asked = count
        if self._end - self._next >= count and self._next > above:
            return
        size = max(BLOCK, count)
        link.begin()
        try:
            end = link.ask(
                "INSERT INTO id_block (name, next) VALUES (?1, ?2) "
                "ON CONFLICT (name) DO UPDATE SET next = id_block.next + ?3 RETURNING next",
                _NAME,
                size + 1,
                size,
            ).rows()[0][0]
            link.commit()
        except BaseException:
            link.rollback()
            raise
        self._next, self._end = end - size, end

    def take(self) -> int:
        """Return the next id."""
        if self._next >= self._end:
            # Twice as many each time: however many a transaction needs, it gets them after a few rounds.
            raise NeedIds(2 * max(self._asked, BLOCK))
        self._next += 1
        return self._next - 1

    def above(self, floor: int) -> int:
        """Return the next id, which must be greater than `floor`: an id of a row that this one supersedes.

        Another process may hold a later block than this one and have written the row to supersede.
        """
        if self._next <= floor:
            raise NeedIds(BLOCK, floor)
        return self.take()


def transact(link: Link, ids: Ids, act: Callable[[Link, Ids], Made]) -> Made:
    """Run `act` in one transaction and commit it; once more with more ids, when they run out on the way."""
    need = NeedIds(1)
    while True:
        ids.reserve(link, need.count, need.above)
        link.begin()
        try:
            made = act(link, ids)
            link.commit()
        except NeedIds as more:
            link.rollback()
            need = more
        except BaseException:
            link.rollback()
            raise
        else:
            return made
