"""Backed up while it is written, restored, verified; and the page and the files that say how to run it are true."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

from tests import postgres, settings_page
from tests.club import items
from tierengine import settings
from tierengine.store import database

ROOT = Path(__file__).parent.parent
ENOUGH = 20  # sales on either side of the back-up


@contextlib.contextmanager
def written(club, writer):
    """A thread that records sales until the block ends; gives the list of those acknowledged."""
    done, over = [], threading.Event()

    def sell():
        while not over.is_set():
            said = club.parts(f"P{len(done)}", "2026-04-01", f"M{len(done) % 6}")
            assert writer.submit(*items(club, said)).result(20).status == "recorded"
            done.append(said)

    seller = threading.Thread(target=sell)
    seller.start()
    try:
        wait_for(done, ENOUGH, seller)
        yield done
        wait_for(done, len(done) + ENOUGH, seller)
    finally:
        over.set()
        seller.join(20)


def wait_for(done, count, seller):
    pause = threading.Event()
    while len(done) < count:
        assert seller.is_alive()
        pause.wait(0.005)


def sound(url, at_least, at_most):
    """The restored book verifies, and has what was acknowledged when the back-up began and none but what was sold."""
    run = subprocess.run(
        [sys.executable, "-m", "tierengine", "verify", "--json"], capture_output=True, text=True, check=False,
        env={**os.environ, "TIERENGINE_DATABASE_URL": url, "PYTHONPATH": str(ROOT)}, cwd="/", timeout=60,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    link = database.connect(url, readonly=True)
    ((count,),) = link.ask("SELECT count(*) FROM event WHERE kind = 'parts_purchase'").rows()
    link.rollback()
    link.close()
    assert at_least <= count <= at_most, (at_least, count, at_most)


@pytest.mark.parametrize("book_url", ["sqlite"], indirect=True)
def test_an_sqlite_book_is_backed_up_while_it_is_written(club, writer, tmp_path):
    copy = tmp_path / "backup.db"
    with written(club, writer) as done:
        before = len(done)
        with (
            contextlib.closing(sqlite3.connect(database.sqlite_path(club.url))) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        after = len(done) + 1
    sound(f"sqlite:///{copy}", before, after)
    assert len(done) > before


def programs(url):
    """The folder of pg_dump and pg_restore that are not older than the server."""
    with postgres.connect(url) as link:
        server = link.info.server_version // 10_000
    for folder in postgres.folders():
        if all((folder / name).is_file() for name in ("pg_dump", "pg_restore")):
            said = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=False).stdout
            found = re.search(r"\(PostgreSQL\) (\d+)", said)
            if found and int(found[1]) >= server:
                return folder
    pytest.skip("no pg_dump of the server's version here")


@pytest.mark.parametrize("book_url", ["postgresql"], indirect=True)
def test_a_postgresql_book_is_backed_up_while_it_is_written(club, writer, tmp_path, postgres_url):
    folder, dump = programs(club.url), tmp_path / "book.dump"
    plain = [url.replace("postgresql+psycopg://", "postgresql://", 1) for url in (club.url, postgres_url)]
    with written(club, writer) as done:
        before = len(done)
        tool(folder / "pg_dump", "--format=custom", f"--file={dump}", plain[0])
        after = len(done) + 1
    tool(folder / "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={plain[1]}", str(dump))
    sound(postgres_url, before, after)
    # What keeps rows from being edited came along.
    with postgres.connect(postgres_url) as link, pytest.raises(Exception, match="event"):
        link.execute("UPDATE event SET kind = 'x'")


def tool(*command):
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr


def test_the_page_lists_the_settings_as_they_are():
    page = settings_page.PAGE.read_text(encoding="utf-8")
    assert settings_page.made(page) == page, "run `make docs`"
    assert page.count("| `TIERENGINE_") == len(settings.document())


def test_the_container_files_name_what_there_is():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    services, known = compose["services"], {name for name, _, _ in settings.document()}
    assert set(services) == {"postgres", "migrate", "tierengine", "proxy"}
    for one in services.values():
        # Without a registry's host, which would have a dot or a port before the first slash.
        assert re.fullmatch(r"[a-z]+(:[0-9.]+)?", one["image"])
        for mount in one.get("volumes", ()):
            assert not mount.startswith("./") or (ROOT / mount.partition(":")[0]).is_file()
    own = services["tierengine"]["environment"]
    assert {name for name in own if name.startswith("TIERENGINE_")} <= known
    assert all(":?" in own[name] for name in ("TIERENGINE_SECRET", "TIERENGINE_DATABASE_URL"))
    filled = {name: re.sub(r"\$\{[^}]*\}", "x" * 40, value) for name, value in own.items()}
    assert settings.Settings.read(filled).workers == 2
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (?!--)(.*)", text, re.MULTILINE):
        assert all((ROOT / path).exists() for path in line.split()[:-1]), line
    assert set(re.findall(r"TIERENGINE_[A-Z_]+", text)) <= known
    proxy = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    assert proxy.count("{") == proxy.count("}")
    assert all(f"{name} " in proxy for name in ("client_header_timeout", "client_body_timeout", "limit_conn"))
