"""Where choices come from: Hypothesis, which shrinks them, or a seed, which is quick and always the same."""

from __future__ import annotations

import abc
import random
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st


class Chance(abc.ABC):
    """Makes choices."""

    @abc.abstractmethod
    def pick(self, options: Sequence[Any]) -> Any:
        """One of the options."""

    @abc.abstractmethod
    def often(self, percent: int) -> bool:
        """True in so many of a hundred."""

    def some(self, options: Sequence[Any], most: int) -> list[Any]:
        """Up to so many different ones."""
        return list(dict.fromkeys(self.pick(options) for _ in range(self.pick(range(most + 1)))))


class Drawn(Chance):
    def __init__(self, draw):
        self.draw = draw

    def pick(self, options):
        return self.draw(st.sampled_from(options))

    def often(self, percent):
        # Shrinks towards "no".
        return self.draw(st.integers(0, 99)) >= 100 - percent


class Seeded(Chance):
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, options):
        return self.random.choice(options)

    def often(self, percent):
        return self.random.randrange(100) >= 100 - percent
