"""What a process is tuned for is chosen by who serves with it: an app or a command inside another changes nothing."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest

from api import app
from tests.test_api_book import serving
from tierengine import __main__ as program


@pytest.fixture
def untuned():
    """The garbage collector and the interpreter's turns of this process, put back after the test."""
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
