"""The server the other tests lean on is what they take it for."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from tests import postgres
from tierengine.store import database

HERE = Path(__file__).parent.parent
# With the folder of its socket as a word of its own.
SAY_URL = "print(os.environ['TIERENGINE_DATABASE_URL'].replace('%2F', '/').replace('=', ' '), flush=True)"


def scalar(url: str, statement: str) -> object:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(text(statement)).scalar_one()
    finally:
        engine.dispose()


def show(url: str, *names: str) -> dict[str, str]:
    return {name: scalar(url, f"SHOW {name}") for name in names}


def script(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "tests.postgres", *arguments],
        cwd=HERE, env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def folders_left(output: str) -> list[Path]:
    found = [Path(path) for path in re.findall(r"/\S*tierengine-pg-\w+", output)]
    assert found, output
    return [path for path in (*found, *(postgres.MEMORY / path.name for path in found)) if path.exists()]


@pytest.fixture
def no_named_server(monkeypatch):
    """These are about a server of our own, also where a running one is named."""
    monkeypatch.delenv("TIERENGINE_TEST_POSTGRES", raising=False)


def test_a_database_of_either_kind_answers(database_url):
    assert scalar(database_url, "SELECT 1") == 1


def test_the_server_is_a_supported_version_and_speaks_utf8(postgres_url):
    assert int(scalar(postgres_url, "SHOW server_version_num")) >= postgres.OLDEST * 10000
    assert scalar(postgres_url, "SELECT '等级' || chr(128230)") == "等级\U0001f4e6"
    assert show(postgres_url, "server_encoding", "synchronous_commit") == {
        "server_encoding": "UTF8",
        "synchronous_commit": "on",
    }


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_has_a_database_of_its_own_with_nothing_in_it(postgres_url, turn):
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert scalar(postgres_url, tables) == 0, turn
    with postgres.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE left_behind (id int)")


def test_a_database_is_dropped_under_a_connection_that_was_forgotten(postgres_server):
    with postgres.database(postgres_server) as url:
        forgotten = postgres.connect(url)
    names = "SELECT count(*) FROM pg_database WHERE datname = '" + url.partition("@")[2].split("?")[0][1:] + "'"
    assert scalar(postgres_server, names) == 0
    forgotten.close()


def test_a_database_can_be_copied_from_one_that_was_prepared_once(postgres_server):
    prepared = []

    def prepare(url):
        prepared.append(url)
        with postgres.connect(url) as connection:
            connection.execute("CREATE TABLE member AS SELECT 7 AS id")

    for _ in range(2):
        with postgres.database(postgres_server, postgres.template(postgres_server, prepare)) as url:
            assert scalar(url, "SELECT id FROM member") == 7
    assert len(prepared) == 1


@pytest.mark.usefixtures("no_named_server")
def test_a_private_server_waits_for_the_disk_and_leaves_nothing_behind():
    with postgres.private_server() as base:
        assert show(base, "fsync", "full_page_writes", "synchronous_commit") == {
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
        }
        folder = Path(str(scalar(base, "SHOW unix_socket_directories"))).parent
        assert folder.exists()
    assert not folder.exists()


@pytest.mark.usefixtures("no_named_server")
def test_the_script_runs_a_command_beside_a_server_and_passes_on_its_exit_code():
    command = f"import os; {SAY_URL}; raise SystemExit(3)"
    ended = script("--fast", "--", sys.executable, "-c", command)
    assert ended.returncode == 3, ended.stderr
    assert ended.stdout.startswith("postgresql+psycopg://tierengine@/tierengine_test_")
    assert not folders_left(ended.stdout)


@pytest.mark.usefixtures("no_named_server")
def test_the_server_goes_when_its_owner_is_killed_outright():
    command = f"import os, signal; {SAY_URL}; os.kill(os.getppid(), signal.SIGKILL)"
    ended = script("--fast", "--", sys.executable, "-c", command)
    assert ended.returncode < 0
    wait = time.monotonic() + 20
    while folders_left(ended.stdout) and time.monotonic() < wait:
        time.sleep(0.05)
    assert not folders_left(ended.stdout)


@pytest.mark.usefixtures("no_named_server")
def test_a_machine_without_a_server_is_told_how_to_get_one(tmp_path):
    ended = script("--", "true", TIERENGINE_TEST_POSTGRES_BIN=str(tmp_path))
    assert ended.returncode == 69
    assert "apt-get install postgresql" in ended.stderr
    assert f"{tmp_path}: no initdb and postgres there" in ended.stderr


@pytest.mark.usefixtures("no_named_server")
def test_the_wheel_serves_where_the_machine_has_no_server(monkeypatch):
    wheel = [folder for folder in postgres.folders() if "pginstall" in str(folder)]
    assert wheel, "make install brings the wheel"
    monkeypatch.setenv("TIERENGINE_TEST_POSTGRES_BIN", str(wheel[0]))
    with postgres.private_server(fast=True) as base:
        assert scalar(base, "SELECT 1") == 1


@pytest.mark.parametrize("turn", [1, 2])
def test_a_migrated_database_is_ready_and_every_test_has_its_own(book_url, turn):
    database.check_ready(book_url)
    engine = create_engine(book_url)
    tables = inspect(engine).get_table_names()
    assert "left_behind" not in tables, turn
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_behind (id int)"))
    engine.dispose()
