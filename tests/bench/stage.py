"""What the HTTP benchmarks stand on: a book with members on file, a service, the floor, and the load generator."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.keys import SECRET, new_key
from tierengine.membership.people import create_dealer, create_store
from tierengine.policies.versions import publish
from tierengine.recording.recorder import clock
from tierengine.store.database import connect
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, transact
from tierengine.store.migrating import migrate
from tierengine.store.rows import Table

POLICY = Path(__file__).parents[2] / "policies.yaml"
_MEMBERS, _LEDGERS = Table("member"), Table("ledger", made=("joined_id",))
FIRST_JANUARY_2024 = 1_704_067_200_000_000


# One key asks for all tills, and as often as it can; a machine with much else to do is slow, and drops nothing.
SETTINGS = {
    "TIERENGINE_DEADLINE_MS": "60000",
    "TIERENGINE_SECRET": SECRET,
    "TIERENGINE_LIMIT_KEY": "0",
    "TIERENGINE_LIMIT_STORE": "0",
    "TIERENGINE_LIMIT_MEMBER": "0",
}


@dataclass(frozen=True)
class Stage:
    """A book at `url` with `members` members of one dealer, a till's key, and one of the manager of its desk."""

    url: str
    key: str
    members: int
    desk: str = ""

    def member(self, number: int) -> str:
        """Return a member's code."""
        return f"M{number % self.members:07d}"


def make(url: str, members: int, policy: str = "") -> Stage:
    """Migrate an empty database, publish a policy (the shipped one) and put members on file, with COPY."""
    migrate(url)
    link = connect(url)

    def found(link: Link, ids: Ids) -> tuple[int, str, str]:
        dealer = create_dealer(link, ids, "bench", "Bench")
        store = create_store(link, ids, dealer, "S01", "Bench store")
        publish(
            link, ids, dealer, policy or POLICY.read_text(), author="bench", reason="bench",
            effective_from=FIRST_JANUARY_2024, now=clock(),
        )  # fmt: skip
        till, desk = (new_key(link, ids, dealer, role, clock(), store) for role in ("pos", "sales_manager"))
        return dealer, till, desk

    ids = Ids()
    dealer, till, desk = transact(link, ids, found)
    ids.reserve(link, members)
    for first in range(0, members, 50_000):
        _put_on_file(link, ids, dealer, range(first, min(first + 50_000, members)))
    link.close()
    return Stage(url, till, members, desk)


def _put_on_file(link: Link, ids: Ids, dealer: int, numbers: Sequence[int]) -> None:
    ids.reserve(link, len(numbers))
    taken, now = [(ids.take(), number) for number in numbers], clock()
    link.begin()
    copy(link, _MEMBERS, ((one, dealer, f"M{number:07d}", "person", now) for one, number in taken))
    copy(link, _LEDGERS, ((one, dealer, 0, 0, 0, "", "", None, "") for one, _ in taken))
    link.commit()


def copy(link: Link, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Put many rows into one table: COPY, on SQLite one prepared statement."""
    if link.kind == "sqlite":
        link.cursor().executemany(table.sqlite, list(rows))
        return
    names = ", ".join(f'"{one}"' for one in table.columns)
    with link.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as out:
        for row in rows:
            out.write_row(row)


def analyze(stage: Stage) -> None:
    """Let PostgreSQL know how large its tables are, as autovacuum would in a while."""
    if not stage.url.startswith("sqlite"):
        link = connect(stage.url)
        link.raw.autocommit = True  # type: ignore[attr-defined]  # only PostgreSQL comes here
        link.run("ANALYZE")
        link.close()


@contextmanager
def service(
    app: str, environ: dict[str, str], workers: int = 1, path: str = "/livez", *, shared: bool = False
) -> Iterator[int]:
    """Serve `app` (a factory) by uvicorn and yield its port; `shared`: on workers like those of `serve`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "uvicorn", "--factory", app, "--port", str(port), "--workers", str(workers),
        "--log-level", "warning", "--no-access-log",
    ]  # fmt: skip
    if shared:
        command = [sys.executable, "-m", "tests.bench.shared", app, str(port), str(workers)]
    process = subprocess.Popen(command, env={**os.environ, **SETTINGS, **environ})
    try:
        _wait(port, path, process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int, path: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 240  # on a machine with much else to do
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2).close()
        except urllib.error.HTTPError:
            return  # it answers: the floor has no such page
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the service on port {port} did not answer")


@dataclass(frozen=True)
class Load:
    """What one run of the load generator measured."""

    rate: float
    p50: float
    p95: float
    p99: float
    seconds: float
    statuses: dict[str, int]


Request = tuple[str, str, dict[str, str], str]


def load(port: int, clients: int, requests: Sequence[Request]) -> Load:
    """Send the requests from a process of their own."""
    job = json.dumps({"host": "127.0.0.1", "port": port, "clients": clients, "requests": requests})
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"], input=job, capture_output=True, text=True, check=True
    )
    found = json.loads(run.stdout)
    cuts = statistics.quantiles(found["latencies_ms"], n=100)
    return Load(len(requests) / found["seconds"], cuts[49], cuts[94], cuts[98], found["seconds"], found["statuses"])


def now_text(later_ms: int = 0) -> str:
    """Return the time as a till sends it, so many milliseconds from now: no two sales are at one instant."""
    moment = datetime.now(UTC) + timedelta(milliseconds=later_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def order(stage: Stage, number: int, tag: str) -> dict[str, object]:
    """Return an order of two lines for the `number`-th member."""
    return {
        "member": stage.member(number),
        "order": f"{tag}-{number}",
        "occurred_at": now_text(),
        "lines": [
            {"item": "FILTER-01", "category": "parts", "qty": 2, "list": 36_000},
            {"item": "OIL-15W40", "category": "lubricant", "qty": 1, "list": 58_000},
        ],
    }
