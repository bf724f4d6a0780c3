"""The state machine: whatever may happen to a book, in any order, in all worlds and in the oracle."""

from __future__ import annotations

from tests.machine.playing import Tally
from tests.machine.staff import Staff
from tests.machine.telling import Telling
from tests.machine.tills import Tills

__all__ = ["Machine", "Tally"]


class Machine(Telling, Tills, Staff):
    """All rules; `worlds` makes the worlds of an example, and what ends them."""
