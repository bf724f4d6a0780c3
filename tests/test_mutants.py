"""The seeded faults fit the code as it is, and a few of them are tried; `make mutants` tries them all."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.fault import Fault, Unplantable, checked, plant
from tests.mutants.registry import FAULTS, FOLD
from tierengine.ledger import lots

ROOT = Path(__file__).parent.parent
FEW = ("a_threshold_leaves_its_number_out", "lots_are_spent_in_the_order_of_their_grants")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.name)
def test_the_code_is_as_the_fault_knows_it(fault):
    """Where this fails the code is written otherwise than it was: say the fault anew, in tests/mutants."""
    checked(fault)


def test_every_fault_has_a_name_of_its_own_and_a_test_that_exists():
    assert len({fault.name for fault in (*FAULTS, *FOLD)}) == len(FAULTS) + len(FOLD)
    for fault in FAULTS:
        file, _, name = fault.caught_by.partition("::")
        text = (ROOT / file).read_text()
        assert re.search(rf"^def {re.escape(name.partition('[')[0])}\(", text, re.MULTILINE), fault


def test_there_are_faults_in_the_rules_and_in_the_ledger():
    areas = [fault.area for fault in FAULTS]
    assert sum(area.startswith("rules.") for area in areas) >= 40
    assert (
        sum(area.startswith(("tierengine.ledger", "tierengine.recording", "tierengine.store")) for area in areas) >= 40
    )
    assert len(FOLD) >= 30


def test_a_planted_fault_is_there_for_whoever_has_the_function(monkeypatch):
    monkeypatch.setattr(lots.first_out, "__code__", lots.first_out.__code__)  # so that it is put back
    kept = lots.first_out
    lot = lots.Lot(1, "w", "e", "r", 5, 5, 0, 9, 3)
    assert kept(lot) == (9, 3)
    plant(Fault("x", "tierengine.ledger.lots:first_out", (("lot.order)", "-lot.order)"),), ""))
    assert kept(lot) == (9, -3)


@pytest.mark.parametrize(
    ("at", "old"), [("tierengine.ledger.lots:first_out", "no such words"), ("tierengine.ledger.lots:nobody", "lot")]
)
def test_a_fault_that_does_not_fit_is_said_so(at, old):
    with pytest.raises(Unplantable):
        checked(Fault("x", at, ((old, ""),), ""))


def tried(*words):
    command = [sys.executable, "-m", "tests.mutants", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)


def test_a_few_faults_are_caught_by_the_tests_that_are_named():
    done = tried(*FEW)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 caught" in done.stdout


def test_words_that_choose_no_fault_are_no_success():
    assert tried("no such fault").returncode == 1
