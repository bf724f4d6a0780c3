"""Fixtures of who tries the command line: an empty folder, a book, a club, and how a command is run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tierengine import __main__ as program

HERE = Path(__file__).parent
ROOT = HERE.parent
POLICY = ROOT / "policies.yaml"
SMALL = HERE / "policies" / "small.yaml"


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    """Run in an empty folder, in English unless a test asks otherwise."""
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")


@pytest.fixture
def run(capsys):
    """Run one command in this process; give its exit code, output and errors."""

    def go(*words):
        code = program.main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return go


@pytest.fixture
def book(sqlite_book_url, monkeypatch) -> str:
    """Name a fresh book, with every table and no rows."""
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", sqlite_book_url)
    return sqlite_book_url


@pytest.fixture
def club(book, run) -> str:
    """Name a book with one dealer's policy in force."""
    code, _, err = run("policy", "publish", SMALL, "--effective-from", "2025-01-01", "--author", "test")
    assert (code, err) == (0, "")
    return book


def shell(*words, **more):
    """Run a command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tierengine", *map(str, words)],
        capture_output=True, text=True, check=False, timeout=60, env=os.environ | {"PYTHONPATH": str(ROOT)} | more,
    )  # fmt: skip


EVENTS = """kind,member,source_id,order,occurred_at,amount,channel,direction,status
购机,C1,,M1,2026-02-01 10:00,860000,,,
购机,C1,,M2,2026-03-01 10:00,860000,,,
联系走访,C1,K1,,2026-03-02 10:00,,phone,customer,accepted
退货,C1,R1,P9,2026-03-02 10:00,,,,
购机,,,M3,2026-03-02 10:00,1,,,
"""


@pytest.fixture
def fed(club, run, tmp_path):
    """Give what importing five rows said; one of them is bad, one waits."""
    path = tmp_path / "events.csv"
    path.write_text(EVENTS, encoding="utf-8")
    words = ["events", "import", path, "--set", "timezone=Asia/Shanghai", "--set", "currency=CNY", "--set", "unit=元"]
    words += ["--set", "store=S01", "--set", "create_members=是", "--set", "source=crm"]
    return run(*words, "--json"), words
