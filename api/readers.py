"""Reading threads: each has a connection of its own that only reads, and a question sees one moment of the book.

The event loop never waits for the database. A connection that broke is replaced, and the question asked once more: a
read may be repeated.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import psycopg

from tierengine.errors import Unavailable, Unknown
from tierengine.policies import versions
from tierengine.policies.versions import Programme
from tierengine.settings import Settings
from tierengine.store.database import NotReady
from tierengine.store.dialect import Link
from tierengine.store.outages import told
from tierengine.store.snapshots import reader, snapshot

Found = TypeVar("Found")
THREADS: Final = 4
FRESH_SECONDS: Final = 2.0  # a version rules at the earliest a minute after it was published, so this is never late

_log = logging.getLogger(__name__)


class Readers:
    """A few threads that read. Used from the event loop; `close` ends them."""

    def __init__(self, settings: Settings, threads: int = THREADS) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(threads, "tierengine-reader")
        self._own = threading.local()
        self._links: set[Link] = set()
        self._loading = threading.Lock()
        self._programmes: dict[int, tuple[Programme, float]] = {}

    async def ask(self, question: Callable[[Link], Found]) -> Found:
        """Return what `question` finds; it opens a snapshot itself where it asks more than one statement.

        Unavailable when the database cannot be reached.
        """
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.here, question)

    async def see(self, question: Callable[[Link], Found]) -> Found:
        """Return what `question` finds in one snapshot. Unavailable when the database cannot be reached."""

        def seen(link: Link) -> Found:
            with snapshot(link):
                return question(link)

        return await self.ask(seen)

    def programme(self, link: Link, dealer: int) -> Programme:
        """Return a dealer's programme as of the last two seconds; Unknown before its first version."""
        known = self._programmes.get(dealer)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        with self._loading:
            head = versions.heads(link, [dealer]).get(dealer)
            if head is None:
                raise Unknown("no_policy", dealer=dealer)
            programme = known[0] if known is not None else None
            if programme is None or programme.head != head:
                programme = versions.load(link, dealer, programme)
            self._programmes[dealer] = (programme, time.monotonic() + FRESH_SECONDS)
            return programme

    async def programme_of(self, dealer: int) -> Programme:
        """Return a dealer's programme, for those who read nothing else."""
        known = self._programmes.get(dealer)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        return await self.ask(lambda link: self.programme(link, dealer))

    def close(self) -> None:
        """End the threads and their connections."""
        self._pool.shutdown(wait=True)
        for link in self._links:
            link.close()
        self._links.clear()

    def here(self, question: Callable[[Link], Found]) -> Found:
        """Return what `question` finds, in the calling thread, which is not the event loop's."""
        for attempt in (1, 2):
            try:
                return question(self._link())
            except (psycopg.OperationalError, psycopg.InterfaceError, sqlite3.OperationalError, NotReady) as error:
                _log.warning("a read failed: %s", told(error))
                self._drop()
                if attempt == 2:
                    raise Unavailable("database_down") from error
        raise Unavailable("database_down")

    def _link(self) -> Link:
        link: Link | None = getattr(self._own, "link", None)
        if link is None:
            link = reader(self._settings.database_url, self._settings)
            self._own.link = link
            self._links.add(link)
        return link

    def _drop(self) -> None:
        link: Link | None = getattr(self._own, "link", None)
        self._own.link = None
        if link is not None:
            self._links.discard(link)
            try:
                link.close()
            except (psycopg.Error, sqlite3.Error):
                _log.info("a broken connection could not be closed")
