"""What the fault runs found: a row for each fault and database."""

from __future__ import annotations

import statistics
from collections.abc import Collection
from dataclasses import dataclass, field

from tests.faults.book import Book, counted
from tierengine.ledger.verify import verify
from tierengine.store.snapshots import reader, snapshot

COLUMNS = ("fault", "database", "cycles", "kills", "acknowledged", "lost", "doubled", "recovery, median / worst", "")


@dataclass
class Tally:
    """One fault on one database, as it is counted while it runs.

    kills      processes killed, connections cut and the like
    wrong      what no fault may bring about, a sentence each
    recovered  seconds from each fault to the first write that was acknowledged after it
    note       what is to be said beside the numbers
    control    it must lose, or the run cannot see a loss
    """

    fault: str
    database: str
    cycles: int = 0
    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: list[str] = field(default_factory=list)
    recovered: list[float] = field(default_factory=list)
    note: str = ""
    control: bool = False
    skipped: bool = False
    seconds: float = 0.0

    def check(self, book: Book, acknowledged: Collection[int], *, all_of: Collection[int] = ()) -> None:
        """Hold the book against what was acknowledged; `all_of`: these were sent until they were."""
        found = counted(book)
        lost = found.lost({*acknowledged, *all_of})
        self.lost += len(lost)
        self.doubled += len(found.doubled)
        self.blame(*found.wrong)
        if lost and not self.control:
            self.blame(f"{len(lost)} acknowledged writes are not in the book, as F{min(lost)}")

    def verify(self, book: Book) -> None:
        """Run every invariant on a book whose rows are not numbered writes."""
        link = reader(book.url)
        try:
            with snapshot(link):
                self.blame(*(f"{one.invariant.code}: {one.count}, {one.rows[:1]}" for one in verify(link)))
        finally:
            link.close()

    def blame(self, *sentences: str) -> None:
        self.wrong += sentences

    @property
    def passed(self) -> bool:
        if self.skipped:
            return True
        if self.control:
            return self.lost > 0 and not self.doubled
        return not (self.lost or self.doubled or self.wrong) and self.cycles > 0

    def row(self) -> list[str]:
        """Return the cells of the table."""
        if self.skipped:
            return [self.fault, self.database, "–", "–", "–", "–", "–", "–", self.note]
        times = sorted(self.recovered)
        took = f"{statistics.median(times):.2f} / {times[-1]:.2f} s" if times else "–"
        verdict = "as it must" if self.control and self.passed else ("" if self.passed else "FAILED")
        return [
            self.fault,
            self.database,
            f"{self.cycles:,}",
            f"{self.kills:,}",
            f"{self.acknowledged:,}",
            f"{self.lost:,}",
            f"{self.doubled:,}",
            took,
            "; ".join(part for part in (verdict, self.note) if part),
        ]
