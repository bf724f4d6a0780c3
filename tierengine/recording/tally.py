"""What the group writer has done since it began, for those who watch it. Plain numbers: counting costs it nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# How many requests shared a transaction: at most 1, 2, 4 …; bounds for who makes a histogram of it.
SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1_024)


@dataclass(slots=True)
class Tally:
    """Told by the writer's thread, and by that of its waiting room; who reads sees numbers a moment apart at most.

    groups  groups that were committed
    items   requests in these groups
    acts    acts of the staff and of the service itself, each in a transaction of its own
    failed  transactions that were given up: the database was down, or an act was refused
    """

    groups: int = 0
    items: int = 0
    acts: int = 0
    failed: int = 0

    def group(self, size: int) -> None:
        """Count a group that was committed."""
        self.groups += 1
        self.items += size

    def act(self) -> None:
        """Count an act that was committed."""
        self.acts += 1

    def gave_up(self) -> None:
        """Count a transaction that was given up."""
        self.failed += 1
