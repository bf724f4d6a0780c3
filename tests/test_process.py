"""What a process is tuned for is chosen by who serves with it: an app or a command inside another changes nothing."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from api import app
from tests.test_api_book import POLICY, order, serving
from tierengine import __main__ as program
from tierengine.policies import versions

ROOT = Path(__file__).parent.parent


@pytest.fixture
def untuned():
    """The garbage collector and the interpreter's turns of this process, put back after the test."""
    gc.unfreeze()  # what the run itself had frozen
    threshold, turn = gc.get_threshold(), sys.getswitchinterval()
    yield threshold, turn
    gc.unfreeze()
    gc.set_threshold(*threshold)
    sys.setswitchinterval(turn)


def test_an_app_that_ended_is_freed_and_leaves_the_process_as_it_was(sqlite_book_url, untuned):
    frozen = gc.get_freeze_count()
    with serving(sqlite_book_url) as till:
        assert till.get("/readyz").status_code == 200
        ended = weakref.ref(till.client.app)
    del till
    gc.collect()
    assert ended() is None
    assert gc.get_freeze_count() == frozen
    assert (gc.get_threshold(), sys.getswitchinterval()) == untuned


def test_a_process_that_serves_is_tuned(monkeypatch, tmp_path, untuned):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", f"sqlite:///{tmp_path / 'b.db'}")
    app.serving()
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold()[0] == app.COLLECT_AFTER
    assert sys.getswitchinterval() == pytest.approx(app.TURN_SECONDS)


def test_a_command_gives_the_collector_back_as_it_was(capsys, untuned):
    assert program.main(["--version"]) == 0
    assert gc.get_threshold() == untuned[0]


def test_writer_readers_and_courier_of_a_process_compile_a_version_once(sqlite_book_url, monkeypatch):
    read, texts = versions.read, []
    monkeypatch.setattr(versions, "read", lambda text, name: texts.append(text) or read(text, name))
    policy = f"{POLICY}\n# no test before had this text\n"
    with serving(sqlite_book_url, policy=policy) as till:
        till.gold()
        assert till.post("/v1/quotes", order()).status_code == 200
        assert till.post("/v1/sales", order()).status_code == 201
    assert texts == [policy]


def test_what_serves_tills_loads_no_table_and_no_shape_of_the_document():
    """SQLModel and its tables are for migrations, a hundred shapes for who reads the document: a third of a start."""
    script = "import sys, tierengine.commands.serve, api.app; api.app.create_app(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.split())
    assert "fastapi" in loaded
    assert not loaded & {
        "sqlmodel",
        "sqlalchemy",
        "alembic",
        "tierengine.store.tables",
        "api.sale_shapes",
        "api.document",
    }


def test_what_migrates_is_loaded_only_to_migrate():
    script = "import sys; from tierengine.__main__ import main; main(['--help']); print('\\n', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "tierengine.store.migrating" in loaded
    assert not loaded & {"sqlalchemy", "sqlmodel", "alembic"}


def test_what_draws_a_page_of_help_is_loaded_only_for_one():
    def loaded(*words):
        asked = "print('typer.rich_utils' in sys.modules)"
        script = f"import sys; from tierengine.__main__ import main; main({[*words]!r}); {asked}"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
        return done.stdout.splitlines()[-1]

    assert loaded("policy", "schema") == "False"
    assert loaded("policy") == loaded("policy", "schema", "--help") == "True"
