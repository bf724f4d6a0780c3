"""All seeded faults. An area adds its own: a module with FAULTS, named here."""

from __future__ import annotations

from tests.history import faults as fold_faults
from tests.mutants import in_book, in_judging, in_ledger, in_merging, in_personal, in_rules, in_wallets
from tests.mutants.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *in_rules.FAULTS,
    *in_judging.FAULTS,
    *in_ledger.FAULTS,
    *in_book.FAULTS,
    *in_wallets.FAULTS,
    *in_personal.FAULTS,
    *in_merging.FAULTS,
)

_OWN = "tests/test_history_faults.py::test_a_seeded_fault_is_caught"
FOLD: tuple[Fault, ...] = tuple(
    Fault(name, "tierengine.judging.fold", (), f"{_OWN}[{name}]") for name in fold_faults.FAULTS
)
"""Those that the fold's own property test plants; it holds the fold against tests/model."""
