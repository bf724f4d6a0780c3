"""Every invariant of the ledger that a query can find broken, by what it is about; the numbers are docs/ledger.md's."""

from __future__ import annotations

from typing import Final

from tierengine.ledger.invariants.cited import CITED
from tierengine.ledger.invariants.grants import GRANTS
from tierengine.ledger.invariants.invariant import Invariant
from tierengine.ledger.invariants.lots import LOTS
from tierengine.ledger.invariants.sums import SUMS

__all__ = ["INVARIANTS", "Invariant"]

INVARIANTS: Final = tuple(sorted((*SUMS, *GRANTS, *LOTS, *CITED), key=lambda one: one.number))
