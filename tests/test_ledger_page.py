"""docs/ledger.md names what proves each sentence: every invariant of `verify` by its code, and tests that are there."""

import ast
import re
from pathlib import Path

from tierengine.ledger.invariants import INVARIANTS
from tierengine.ledger.verify import CHAIN
from tierengine.recording.leaks import DISCLOSED
from tierengine.recording.rejudging import JUDGED, STANDING

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")


def test_every_invariant_stands_in_the_line_of_its_number():
    lines = {int(line.split("|")[1]): line for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)}
    assert list(lines) == list(range(1, 19))
    codes = {number: set(re.findall(r"`([a-z_]+)`", line.split("|")[3])) for number, line in lines.items()}
    wanted = {number: set() for number in lines}
    for one in (*INVARIANTS, *CHAIN.values(), JUDGED, STANDING, DISCLOSED):
        wanted[one.number].add(one.code)
    wanted[17] = {"entry_lots_differ"}  # it is one of 5 too
    assert codes == wanted


def test_every_test_that_is_named_is_there():
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGE)
    assert len(named) > 60
    there = {}
    for file, test in named:
        if file not in there:
            tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
            there[file] = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert test in there[file], f"{file}::{test}"
