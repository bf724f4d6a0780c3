"""Backed up while it is written, restored, verified; and the page and the files that say how to run it are true."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import crossplane
import pytest
import uvicorn
import yaml

from api.app import CLOSING_SECONDS
from api.policies import BODY_MOST
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


def test_no_container_has_a_secret_in_it_runs_as_root_or_is_reached_from_outside_by_itself():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    for name, one in compose["services"].items():
        for key, value in one.get("environment", {}).items():
            if any(word in key for word in ("SECRET", "PASSWORD", "DATABASE_URL")):
                assert re.search(r"\$\{[A-Z_]+:\?", value), (name, key)  # from .env, and without it nothing starts
        if one.get("restart") != "no":
            own = "HEALTHCHECK" in (ROOT / "Containerfile").read_text(encoding="utf-8") and "build" in one
            assert own or one["healthcheck"]["test"][0] == "CMD", name
        for port in one.get("ports", ()):
            assert name == "proxy"
            assert port.startswith("127.0.0.1:")
        assert not one.get("privileged")
        assert not any("docker.sock" in mount for mount in one.get("volumes", ()))
    assert compose["networks"]["inside"]["internal"] is True
    assert compose["services"]["postgres"]["networks"] == ["inside"]
    stop = int(compose["services"]["tierengine"]["stop_grace_period"].rstrip("s"))
    assert stop >= settings.Settings().stop_seconds + CLOSING_SECONDS
    lines = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    said = [line.split(maxsplit=1) for line in lines if line and not line.startswith(("#", " "))]
    stage = [words for place, (name, words) in enumerate(said) if name == "FROM"]
    last = said[max(place for place, (name, _) in enumerate(said) if name == "FROM") :]
    assert all(re.search(r":[0-9][\w.-]*", words) for words in stage), "an image without a version"
    assert [words for name, words in last if name == "USER"][-1] not in ("root", "0")
    assert [name for name, _ in last].index("USER") < [name for name, _ in last].index("ENTRYPOINT")
    for name, words in said:
        assert name not in ("ADD", "MAINTAINER")
        if name in ("ENTRYPOINT", "CMD"):
            assert isinstance(json.loads(words), list), "a shell between the signal and the service"
        if "pip install" in words and "-r " in words:
            assert words.count("--require-hashes") == words.count("pip install"), words
        if "apt-get install" in words:
            assert "--no-install-recommends" in words
            assert "rm -rf /var/lib/apt/lists" in words


def test_the_proxy_is_configured_as_nginx_reads_it():
    """crossplane knows every directive, where it may stand and what it takes."""
    read = crossplane.parse(str(ROOT / "deploy" / "nginx.conf"), single=True, strict=True, catch_errors=False)
    assert (read["status"], read["errors"]) == ("ok", [])
    found = {}

    def walk(block):
        for one in block:
            found.setdefault(one["directive"], []).append(one["args"])
            walk(one.get("block", ()))

    walk(read["config"][0]["parsed"])
    assert {
        "client_header_timeout",
        "client_body_timeout",
        "send_timeout",
        "limit_conn",
        "large_client_header_buffers",
    } <= {*found}
    assert found["proxy_request_buffering"] == [["on"]]
    assert found["proxy_next_upstream"] == [["off"]]
    assert ["=", "/metrics"] in found["location"]
    # The service closes what is idle after five seconds; the proxy lets go of it before.
    kept = sorted(int(args[0].rstrip("s")) for args in found["keepalive_timeout"])
    assert kept[0] < uvicorn.Config("x").timeout_keep_alive
    # What a till may send passes, and what the proxy waits for is longer than what the service takes at most.
    assert int(found["client_max_body_size"][0][0].rstrip("m")) << 20 >= BODY_MOST
    assert int(found["proxy_read_timeout"][0][0].rstrip("s")) > settings.Settings().stop_seconds
    logged = " ".join(" ".join(args) for args in found["log_format"])
    assert not re.search(r"\$(request|request_uri|args|query_string|http_authorization|uri)\b", logged)
