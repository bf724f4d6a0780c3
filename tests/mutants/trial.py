"""One fault tried: a child process plants it and runs the test that must notice."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

import hypothesis
import pytest

from tests.mutants.fault import Fault, Unplantable, plant

Verdict = Literal["caught", "hangs", "survives", "broken"]
SECONDS = 180.0
"""A fault may make the program hang: that is noticed too."""
_UNPLANTABLE = 99
# Hypothesis is imported already; its own asserts need not be rewritten.
_QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
# What every test imports is imported before the first child, and shared by all.
_WARM = (
    "sqlalchemy",
    "psycopg",
    "orjson",
    "rules.judge",
    "rules.reader",
    "tierengine.recording.writer",
    "tests.model.lives",
)


@dataclass(frozen=True)
class Outcome:
    """What became of a fault: `by` is the first test that failed; `said` what pytest printed where none did."""

    fault: Fault
    verdict: Verdict
    by: str
    seconds: float
    said: str = ""


class _First:
    """Notes the first test that fails."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self._place.exists():
            self._place.write_text(report.nodeid)


def warm() -> None:
    for name in _WARM:
        import_module(name)


def tried(fault: Fault) -> Outcome:
    """Plant the fault in a child of this process and run its test there."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        first, said = Path(folder, "first"), Path(folder, "said")
        child = os.fork()
        if child == 0:
            code = _UNPLANTABLE
            try:
                code = _child(fault, first, said)
            finally:
                os._exit(code)
        code = _ended(child, begun + SECONDS)
        by = first.read_text() if first.exists() else ""
        text = said.read_text(errors="replace") if said.exists() else ""
    seconds = time.monotonic() - begun
    if not fault.edits and code in (0, 1):
        return Outcome(fault, "survives" if code else "caught", fault.caught_by, seconds, text if code else "")
    if code is None:
        return Outcome(fault, "hangs", fault.caught_by, seconds)
    if code == 0:
        return Outcome(fault, "survives", "", seconds, text)
    if code == pytest.ExitCode.TESTS_FAILED and by:
        return Outcome(fault, "caught", by, seconds)
    if code < 0:
        return Outcome(fault, "caught", f"{fault.caught_by} (ends by signal {-code})", seconds)
    return Outcome(fault, "broken", "", seconds, text)


def _ended(child: int, until: float) -> int | None:
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _child(fault: Fault, first: Path, said: Path) -> int:
    os.setpgid(0, 0)  # so that what the test starts ends with it
    with said.open("w") as out, _redirected(out.fileno()):
        try:
            plant(fault)
            # The same examples each time; and a failing one is known, it need not be made small.
            hypothesis.settings.register_profile(
                "mutants", deadline=None, database=None, derandomize=True, print_blob=False,
                phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
            )  # fmt: skip
            asked = [fault.caught_by, "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=mutants", *_QUIET]
            return int(pytest.main([*asked, "--no-showlocals", "--tb=line"], plugins=[_First(first)]))
        except Unplantable as problem:
            print(problem)
            return _UNPLANTABLE


@contextlib.contextmanager
def _redirected(file: int) -> Iterator[None]:
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(file, 1)
    os.dup2(file, 2)
    yield
    sys.stdout.flush()
    sys.stderr.flush()
