"""Connections that only read, and everything read on one as of one moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tierengine.settings import Settings
from tierengine.store import database
from tierengine.store.dialect import Link, PostgresLink, SqliteLink


def reader(url: str, settings: Settings | None = None) -> Link:
    """Open a connection that only reads."""
    link = database.connect(url, settings, readonly=True)
    if isinstance(link, PostgresLink):
        link.raw.autocommit = True  # a single statement is a snapshot by itself; `snapshot` is for several
    return link


@contextmanager
def snapshot(link: Link) -> Iterator[None]:
    """Read everything inside as of one moment."""
    if isinstance(link, SqliteLink):
        link.raw.execute("BEGIN")
    else:
        link.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
    try:
        yield
    finally:
        link.rollback()
