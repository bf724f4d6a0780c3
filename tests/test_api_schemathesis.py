"""Schemathesis asks every route what its document promises and what it forbids; afterwards the ledger still holds.

TIERENGINE_TEST_SCHEMATHESIS_SECONDS makes it look longer on each database.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from api.app import create_app
from tests.keys import SECRET, UNLIMITED, keys_url, new_key
from tests.test_api_book import Book, opened
from tierengine.ledger.verify import verify
from tierengine.settings import Settings
from tierengine.store import database
from tierengine.store.ids import Ids, transact

HERE = Path(__file__).parent
SECONDS = int(os.environ.get("TIERENGINE_TEST_SCHEMATHESIS_SECONDS", "15"))


@contextlib.contextmanager
def listening(book: Book) -> Iterator[str]:
    """Serve a book on a port of this machine, from a thread."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings = Settings(database_url=book.url, secret=SECRET, keys_url=keys_url(book.url), **UNLIMITED)
        config = uvicorn.Config(create_app(settings), log_level="error", lifespan="on")
        server = uvicorn.Server(config)
        taken.listen(128)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
        thread.start()
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        try:
            until = time.monotonic() + 60
            while not server.started:
                assert thread.is_alive()
                assert time.monotonic() < until
                time.sleep(0.02)
            yield url
        finally:
            server.should_exit = True
            thread.join(30)


def everything(book: Book) -> str:
    """Make a key that may do all that a store may, and members who have credit to spend."""
    link = database.connect(book.url)
    store = link.ask("SELECT id FROM store WHERE dealer_id = ?1 AND code = 'S01'", book.dealer).rows()[0][0]
    link.rollback()
    key = transact(link, Ids(), lambda link, ids: new_key(link, ids, book.dealer, "admin", 0, store))
    link.close()
    with opened(book) as till:
        for number in range(1, 5):
            till.count += 10
            till.gold(f"C{number}")
    return key


@pytest.mark.slow
@pytest.mark.timeout(180 + 2 * SECONDS)
def test_every_check_of_schemathesis_passes_and_the_ledger_holds(book_url):
    book = Book(book_url).make(others=True)
    key = everything(book)
    with listening(book) as url:
        program = str(Path(sys.executable).with_name("schemathesis"))  # of this environment, on the PATH or not
        words = [
            program, "--config-file", str(HERE / "schemathesis" / "config.toml"), "run", f"{url}/openapi.json",
            "--checks", "all", "--no-color", "--max-time", str(SECONDS),
        ]  # fmt: skip
        env = {**os.environ, "TIERENGINE_TEST_URL": url, "TIERENGINE_TEST_KEY": key, "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(
            words, cwd=HERE.parent, env=env, capture_output=True, text=True, timeout=150 + 2 * SECONDS, check=False
        )
        assert httpx.get(f"{url}/readyz").status_code == 200
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    counted = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", done.stdout)
    assert counted, done.stdout
    assert len(set(counted.groups())) == 1, counted[0]
    link = database.connect(book.url, readonly=True)
    assert list(verify(link)) == []
    link.close()
