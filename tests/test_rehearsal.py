"""Publishing compiles where a hang, a crash or a hunger for memory is nobody's but its own."""

import contextlib
import sqlite3
import time
from pathlib import Path

import pytest

from rules import rehearsal
from rules.pattern import AllOf, Atom, EngineLimitExceeded, Field
from rules.rehearsal import NotCompiled, rehearse
from tests.engine_programs import one_phase
from tierengine.__main__ import main
from tierengine.policies import examination

SMALL = Path(__file__).parent / "policies" / "small.yaml"
PROGRAM = one_phase(Atom("n", ">=", 1))
LIMITED = "import pickle, resource, sys; seconds, megabytes, program = pickle.load(sys.stdin.buffer)\n"


def heavy():
    """9,000 conditions: 40 MB in the library."""
    fields = tuple(Field(f"x{index}", "int") for index in range(100))
    rules = (AllOf(tuple(Atom(field.name, ">=", rule) for field in fields)) for rule in range(90))
    return one_phase(*rules, fields=fields)


def test_a_program_compiles_elsewhere():
    rehearse(PROGRAM)


def test_what_the_lane_refuses_starts_no_process(monkeypatch):
    monkeypatch.setattr(rehearsal.subprocess, "run", None)
    with pytest.raises(EngineLimitExceeded):
        rehearse(one_phase(Atom("n", ">=", 2**53 + 1)))


@pytest.mark.parametrize(
    ("compiler", "why"),
    [
        ("while True: pass", "time"),
        ("import time; time.sleep(60)", "time"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crash"),
        ("import os; os._exit(1)", "crash"),
    ],
)
def test_a_compile_that_does_not_end_well_is_refused_in_time(compiler, why):
    begun = time.monotonic()
    with pytest.raises(NotCompiled) as refused:
        rehearse(PROGRAM, seconds=1.0, compiler=("-c", LIMITED + compiler))
    assert refused.value.why == why
    assert time.monotonic() - begun < 5


def test_a_compile_that_wants_too_much_memory_is_refused():
    with pytest.raises(NotCompiled) as refused:
        rehearse(heavy(), megabytes=40)
    assert refused.value.why == "memory"


def test_the_process_limits_itself_even_when_nobody_waits_for_it():
    """Whoever publishes may be killed while it compiles."""
    program = """
import os, resource, rules.engine, rules.rehearsal
def limits(program):
    os._exit(0 if resource.getrlimit(resource.RLIMIT_CPU)[0] == 3 else 7)
rules.engine.Matcher = limits
rules.rehearsal._main()
"""
    rehearse(PROGRAM, seconds=2.0, compiler=("-c", program))
    with pytest.raises(NotCompiled, match="exit code 7"):
        rehearse(PROGRAM, seconds=4.0, compiler=("-c", program))


@pytest.mark.parametrize("why", ["time", "memory", "crash"])
def test_a_policy_that_does_not_compile_is_not_published(monkeypatch, capsys, sqlite_book_url, why):
    def refuses(program):
        raise NotCompiled(program.name, why, "")

    monkeypatch.setenv("TIERENGINE_DATABASE_URL", sqlite_book_url)
    monkeypatch.setattr(examination, "rehearse", refuses)
    examination.examined.cache_clear()
    assert main(["policy", "publish", str(SMALL), "--author", "a", "--lang", "zh"]) == 3
    told = capsys.readouterr().err
    assert "没有发布" in told
    assert "not_compiled" in told
    with contextlib.closing(sqlite3.connect(sqlite_book_url.removeprefix("sqlite:///"))) as book:
        assert book.execute("SELECT count(*) FROM policy_version").fetchone() == (0,)


def test_a_text_is_examined_once_however_often_it_is_published(monkeypatch):
    text = SMALL.read_text(encoding="utf-8")
    examination.examined.cache_clear()
    asked = []
    monkeypatch.setattr(examination, "rehearse", asked.append)
    assert examination.examined(text) is examination.examined(text)
    assert len(asked) == 1
