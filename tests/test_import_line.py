"""The one import direction, api → tierengine → rules, and nothing happens at import."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent
PACKAGES = ("api", "tierengine", "rules")


def lint_imports(folder: Path) -> subprocess.CompletedProcess:
    """Run the contracts of pyproject.toml over the packages in `folder`."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


SKELETON = (
    "tierengine/zone.py",
    "api/app.py",
    "tierengine/judging/fold.py",
    "tierengine/store/dialect.py",
    "rules/compiler.py",
    "rules/engine.py",
)


@pytest.fixture
def skeleton(tmp_path) -> Path:
    """A folder with the contracts, and as many modules as they need."""
    shutil.copy(HERE / "pyproject.toml", tmp_path)
    for path in SKELETON:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
        (tmp_path / path).with_name("__init__.py").touch()
    (tmp_path / "tierengine/__init__.py").touch()
    (tmp_path / "rules/engine.py").write_text("import durable_rules_engine\n", encoding="utf-8")
    return tmp_path


def test_imports_go_one_way():
    ended = lint_imports(HERE)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_each_contract_is_kept_where_nothing_is_imported(skeleton):
    assert lint_imports(skeleton).returncode == 0


@pytest.mark.parametrize(
    ("module", "statement", "broken"),
    [
        (
            "rules/compiler.py",
            "import tierengine.store.dialect",
            "Imports go one way: api, then tierengine, then rules",
        ),
        ("tierengine/store/dialect.py", "import api.app", "Imports go one way: api, then tierengine, then rules"),
        ("rules/compiler.py", "from sqlalchemy import select", "rules knows no database and no HTTP"),
        (
            "tierengine/store/dialect.py",
            "import yaml",
            "tierengine knows no web framework, and reads policies only through rules",
        ),
        ("tierengine/store/dialect.py", "import tierengine.judging.fold", "Inside tierengine, what decides"),
        ("tierengine/store/dialect.py", "from fastapi import Depends", "tierengine knows no web framework"),
        ("api/app.py", "import durable_rules_engine", "api reaches policies only through tierengine and rules"),
        ("rules/compiler.py", "import durable_rules_engine", "Only rules.engine touches durable-rules"),
        ("rules/engine.py", "from durable.lang import ruleset", "Only rules.engine touches durable-rules"),
    ],
)
def test_each_contract_can_fail(skeleton, module, statement, broken):
    (skeleton / module).write_text(statement + "\n", encoding="utf-8")
    ended = lint_imports(skeleton)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert re.search(re.escape(broken) + r".* BROKEN", ended.stdout), ended.stdout


# Runs in a process of its own, as the first thing there: sees every file, socket, process, database and thread.
WATCH = """
import json, os, pkgutil, sys, importlib, threading, traceback
seen, watching = [], True
ours = sys.argv[1]

def note(event, arguments):
    if not watching:
        return
    if event == "open":
        path, mode, flags = arguments
        if isinstance(path, int):
            return
        path = os.path.abspath(os.fsdecode(path))
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC)
        # What the packages we use read of the machine and of their own, when they are imported, is not ours to judge.
        theirs = path.startswith((sys.prefix, sys.base_prefix)) or not path.startswith(ours)
        if not writes and (theirs or ".egg-info" in path or path.endswith((".py", ".pyc"))):
            return
    elif not event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork",
                               "sqlite3.connect", "thread.start", "os.mkdir", "os.remove", "os.rename",
                               "os.putenv", "urllib.", "http.")):
        return
    elif event in ("socket.__new__", "socket.gethostname"):
        return  # asking what sockets this machine can make opens none that stays; see the count below
    frames = [f"{f.filename}:{f.lineno}" for f in traceback.extract_stack() if f.filename.startswith(ours)]
    seen.append(f"{event}{arguments!r} from {frames[-1] if frames else 'a dependency'}")

# Python tells of threads by itself from 3.12 on only.
start = threading.Thread.start
threading.Thread.start = lambda thread: (note("thread.start", (thread.name,)), start(thread))[1]
before = set(os.listdir("/dev/fd"))
sys.addaudithook(note)
for name in sys.argv[2:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        # Alembic runs these, by path, when it migrates.
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
watching = False
if threading.active_count() > 1:
    seen.append(f"threads: {[t.name for t in threading.enumerate()]}")
if os.path.isdir("/proc/self/task") and len(os.listdir("/proc/self/task")) > 1:
    seen.append(f"{len(os.listdir('/proc/self/task'))} threads of the operating system")
if left := set(os.listdir("/dev/fd")) - before:
    seen.append(f"left open: {left}")
print(json.dumps(seen))
"""


def at_import(folder: Path, *packages: str) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-B", "-c", WATCH, str(folder), *packages],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_happens_at_import(package):
    assert at_import(HERE, package) == []


@pytest.mark.parametrize(
    ("statement", "seen"),
    [
        ("open('policies.yaml')", "policies.yaml"),
        ("open('cache', 'w').close()", "cache"),
        ("import sqlite3; sqlite3.connect(':memory:')", "sqlite3.connect"),
        ("import socket; socket.socket().bind(('127.0.0.1', 0))", "socket.bind"),
        ("import threading; threading.Thread(target=input, daemon=True).start()", "thread"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("import os; os.environ['TZ'] = 'UTC'", "os.putenv"),
    ],
)
def test_what_happens_at_import_is_seen(tmp_path, statement, seen):
    (tmp_path / "policies.yaml").touch()
    (tmp_path / "busy").mkdir()
    (tmp_path / "busy/__init__.py").write_text(statement + "\n", encoding="utf-8")
    noticed = at_import(tmp_path, "busy")
    assert seen in " ".join(noticed)
