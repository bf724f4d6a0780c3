"""What the group writer has done since it began, for those who watch it. Plain numbers: counting costs it nothing."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1_024)


@dataclass(slots=True)
class Tally:
    """Written by the writer's thread alone; who reads sees numbers that are a moment apart at most.

    sizes   groups by size: at most 1, 2, 4 … requests, and at last all that were larger
    items   requests in these groups
    acts    acts of the staff and of the service itself, each in a transaction of its own
    failed  transactions that were given up: the database was down, or an act was refused
    """

    sizes: list[int] = field(default_factory=lambda: [0] * (len(SIZES) + 1))
    items: int = 0
    acts: int = 0
    failed: int = 0

    def group(self, size: int) -> None:
        """Count a group that was committed."""
        self.sizes[bisect_left(SIZES, size)] += 1
        self.items += size

    @property
    def groups(self) -> int:
        """How many groups were committed."""
        return sum(self.sizes)
