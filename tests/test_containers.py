"""The container files do what they say, as far as this machine has the programs: nginx, Compose, buildah.

TIERENGINE_TEST_CONTAINERS=1 builds the image with buildah, whose options TIERENGINE_TEST_BUILDAH may give (where its
store is, say); the base image must be to be had, or be there under its name. It takes minutes.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shlex
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.faults.service import Service
from tests.test_api_book import Book, code, order
from tests.test_api_schemathesis import listening
from tierengine.store.database import connect

ROOT = Path(__file__).parent.parent
COMPOSE = next(
    (words for words in (["docker", "compose"], ["docker-compose"]) if shutil.which(words[0])
     and subprocess.run([*words, "version"], capture_output=True, check=False).returncode == 0), None
)  # fmt: skip
SECRETS = {"POSTGRES_PASSWORD": "p" * 24, "TIERENGINE_SECRET": "s" * 40}


def test_whatever_the_image_is_made_of_reaches_its_builder():
    kept = (ROOT / ".containerignore").read_text(encoding="utf-8")
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8") == kept
    let = {line[1:] for line in kept.splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--)(.*) \S+$", (ROOT / "Containerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {path.partition("/")[0] for line in copied for path in line.split()} == let


needs_nginx = pytest.mark.skipif(
    not shutil.which("nginx") or os.geteuid() != 0, reason="no nginx, or nobody who may start it"
)


@contextlib.contextmanager
def proxied(url, tmp_path):
    """The shipped nginx, with its configuration as it is but for names and places, before the service at `url`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for before, after in (
        ("server tierengine:8000", f"server {url.removeprefix('http://')}"), ("listen 8080", f"listen {port}"),
        ("\nevents {", f"\npid {tmp_path / 'pid'};\nevents {{"), ("/dev/stdout", str(tmp_path / "log")),
        ("worker_processes auto", "daemon off;\nworker_processes 1"),
    ):  # fmt: skip
        assert before in text
        text = text.replace(before, after)
    (tmp_path / "nginx.conf").write_text(text, encoding="utf-8")
    words = ["nginx", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)]
    said = subprocess.run([*words, "-t"], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    with (tmp_path / "errors").open("wb") as errors:
        proxy = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=errors)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            until = time.monotonic() + 30
            while True:
                try:
                    assert http.get("/readyz").json()["status"] == "ready"
                    break
                except httpx.TransportError:
                    assert time.monotonic() < until
                    time.sleep(0.05)
            yield http, port
    finally:
        proxy.terminate()
        proxy.wait(20)


@needs_nginx
def test_nginx_takes_its_configuration_and_passes_on_what_it_should(sqlite_book_url, tmp_path, monkeypatch):
    monkeypatch.setattr("api.limits.TRIES_OF_AN_ADDRESS", 3)
    with listening(Book(sqlite_book_url).make()) as url, proxied(url, tmp_path) as (http, _):
        assert http.get("/metrics").status_code == 404
        assert http.get("/v1/members?phone=13800000001").status_code == 401
        large = http.post("/v1/sales?phone=13800000001", content=b" " * (5 << 20), headers={"referer": "A13800000001"})
        assert code(large) == (413, "too_large")
        # Whoever names another address in a header each time is still one who tries passwords.
        tries = [
            http.post(
                "/v1/sessions",
                json={"login": f"li{number}", "password": "x" * 12},
                headers={"x-forwarded-for": f"203.0.113.{number}"},
            )
            for number in range(5)
        ]
        assert [one.status_code for one in tries] == [401] * 3 + [429] * 2
    log, errors = ((tmp_path / name).read_text(encoding="utf-8") for name in ("log", "errors"))
    assert "13800000001" not in log + errors
    # (Of its errors nginx writes the whole request line: the line of the request tells them instead.)
    assert re.search(r"POST 413 .* - - -$", log, re.MULTILINE), log
    assert re.search(r"POST 401 .* 401 0\.\d+ [0-9a-f]{16}$", log, re.MULTILINE), log


@needs_nginx
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_workers_on_postgresql_behind_nginx(postgres_book_url, tmp_path):
    """Sales, slow clients, and an end amid sales: as the Compose file puts the pieces together."""
    book = Book(postgres_book_url).make()
    headers = {"authorization": f"Bearer {book.keys['D1/S01']}"}
    with (
        Service(book, workers=2) as service,
        proxied(f"http://127.0.0.1:{service.port}", tmp_path) as (http, port),
        contextlib.ExitStack() as lines,
    ):

        def sell(number, body=None):
            once = {**headers, "idempotency-key": number}
            return http.post("/v1/sales", json=body or order(number, f"C{len(number) % 4 + 1}"), headers=once)

        def begin():
            line = lines.enter_context(socket.create_connection(("127.0.0.1", port)))
            line.sendall(b"POST /v1/sales HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n{")

        # Sixty who send a byte now and then: the proxy keeps them, and none of them is a connection of the service.
        for _ in range(60):
            begin()
        assert [sell(f"A{number}").status_code for number in range(10)] == [201] * 10
        body = order("B1")
        first, again = sell("B1", body), sell("B1", body)
        assert again.content == first.content
        assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
        # More than an address may have: told in the form of every other problem. (Those who began ten seconds ago are
        # cut off, and the proxy may not have read all heads yet: there are more until it counts enough.)
        answer, until = sell("A90"), time.monotonic() + 30
        while answer.status_code == 201 and time.monotonic() < until:
            for _ in range(8):
                begin()
            answer = sell(f"A{time.monotonic_ns()}")
        assert code(answer) == (429, "too_many_requests")
        lines.close()
        # The service is asked to end amid sales: what was answered is in the book, all else was told to come again.
        recorded, said, ended = set(), [], threading.Event()

        def busy(till):
            for number in itertools.count():
                answer = sell(f"E{till}-{number}")
                if answer.status_code == 201:
                    recorded.add(f"E{till}-{number}")
                else:
                    said.append(answer)
                    if ended.is_set():
                        return

        tills = [threading.Thread(target=busy, args=(till,)) for till in range(4)]
        for one in tills:
            one.start()
        until = time.monotonic() + 60
        while len(recorded) < 20 and time.monotonic() < until:
            time.sleep(0.05)
        assert service.stop() == 0
        ended.set()
        for one in tills:
            one.join(60)
        assert {code(answer)[0] for answer in said} == {503}
    link = connect(book.url, readonly=True)
    kept = {part for (key,) in link.ask("SELECT key FROM event").rows() for part in key.split(":")}
    link.rollback()
    link.close()
    assert len(recorded) >= 20
    assert recorded <= kept


@pytest.mark.skipif(COMPOSE is None, reason="there is no Compose here")
def test_compose_takes_its_file_and_starts_nothing_without_secrets():
    def config(env):
        words = [*(COMPOSE or ()), "-f", "compose.yaml", "config", "--quiet"]  # (not every one ends with other than 0)
        kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
        return subprocess.run(words, cwd=ROOT, env=kept | env, capture_output=True, text=True, check=False)

    assert config(SECRETS).returncode == 0, config(SECRETS).stderr
    for name in SECRETS:
        answer = config({other: value for other, value in SECRETS.items() if other != name})
        assert f"required variable {name} is missing" in answer.stderr


@pytest.mark.slow
@pytest.mark.timeout(1_500)
@pytest.mark.skipif(not os.environ.get("TIERENGINE_TEST_CONTAINERS"), reason="TIERENGINE_TEST_CONTAINERS=1 builds it")
def test_the_image_is_built_and_serves_as_somebody_who_owns_nothing():
    options = shlex.split(os.environ.get("TIERENGINE_TEST_BUILDAH", ""))

    def buildah(*words):
        done = subprocess.run(["buildah", *options, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
        return done.stdout

    # (Its own network would need rights that a container of a CI machine has not.)
    buildah("bud", "--isolation", "chroot", "--network", "host", "--format", "docker", "--tag", "tierengine-test", ".")
    name = buildah("from", "--pull-never", "localhost/tierengine-test").strip()
    try:
        kept = buildah("inspect", "--format", "{{.Docker.Config.User}} {{.Docker.Config.Entrypoint}}", name)
        assert kept.split() == ["tierengine", "[tierengine]"]

        def inside(script):
            return buildah("run", "--isolation", "chroot", name, "--", "sh", "-ec", script)

        assert inside("id -u; command -v gcc || echo none; test -w /opt/tierengine || echo closed").split() == [
            "10001", "none", "closed",
        ]  # fmt: skip
        health = re.search(r'\["python", "-c", "([^"]+)"\]', (ROOT / "Containerfile").read_text(encoding="utf-8"))
        assert health
        asked = f'python -c "{health[1]}"'.replace(":8000", ":18000")
        said = inside(
            f"tierengine migrate; TIERENGINE_PORT=18000 tierengine serve & service=$!; "
            f"for i in $(seq 90); do {asked} 2>/dev/null && echo healthy && break; sleep 1; done; "
            f"kill -TERM $service; wait $service; echo ended $?"
        )
        assert "healthy" in said
        assert "ended 0" in said
    finally:
        buildah("rm", name)
