"""The members' keys, where no dump of the book holds them: an SQLite file beside it, or a database of their own.

A key is stored wrapped (vault.py). What was destroyed leaves a mark and is never made again, so that neither a late
event nor a book restored from before the erasure gives an erased member a new key. Keys are committed before the book
is: an orphan does no harm. SQLite overwrites what is deleted and keeps no log of it (secure_delete, no WAL).

Used by any thread; one connection a store, under a lock. Nothing here is on the path of a sale.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg

from tierengine.errors import Unavailable
from tierengine.settings import Settings, kind_of
from tierengine.store.database import CONNECT_SECONDS, NotReady, sqlite_path

_log = logging.getLogger(__name__)
_BUSY_SECONDS: Final = 10.0
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS member_key (member_id BIGINT PRIMARY KEY, wrapped {bytes} NOT NULL)",
    "CREATE TABLE IF NOT EXISTS destroyed (member_id BIGINT PRIMARY KEY, at BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS common_key (name TEXT PRIMARY KEY, wrapped {bytes} NOT NULL)",
)
_ADD: Final = (
    "INSERT INTO member_key (member_id, wrapped) SELECT {p1}, {p2} "
    "WHERE NOT EXISTS (SELECT 1 FROM destroyed WHERE member_id = {p1}) ON CONFLICT (member_id) DO NOTHING"
)


class KeyStore:
    """The wrapped keys. Raises Unavailable where they cannot be reached; nothing is made before the first key is."""

    def __init__(self, url: str) -> None:
        """`url`: sqlite:///FILE or postgresql://…, never that of the book itself."""
        self.url = url
        self.kind = kind_of(url)
        self._lock = threading.Lock()
        self._raw: Any = None

    def keys(self, members: Iterable[int]) -> dict[int, bytes]:
        """Return the wrapped keys of those who have one."""
        wanted = sorted(set(members))
        if not wanted or not self._there():
            return {}
        sql = "SELECT member_id, wrapped FROM member_key WHERE member_id"
        if self.kind == "postgresql":
            rows = self._do((f"{sql} = ANY(%s)", (wanted,)))
        else:
            rows = [
                row
                for first in range(0, len(wanted), 500)
                for row in self._do(
                    (f"{sql} IN ({', '.join('?' * len(wanted[first : first + 500]))})", wanted[first : first + 500])
                )
            ]
        return {int(number): bytes(wrapped) for number, wrapped in rows}

    def add(self, wrapped: Mapping[int, bytes]) -> None:
        """Store keys of members who have none and never lost one; who has one keeps his."""
        sql = _ADD.format(p1="%(m)s", p2="%(w)s") if self.kind == "postgresql" else _ADD.format(p1=":m", p2=":w")
        if wrapped:
            self._do(*((sql, {"m": number, "w": key}) for number, key in wrapped.items()))

    def replace(self, wrapped: Mapping[int, bytes]) -> None:
        """Store keys that are wrapped anew."""
        mark = "%s" if self.kind == "postgresql" else "?"
        sql = f"UPDATE member_key SET wrapped = {mark} WHERE member_id = {mark}"
        if wrapped:
            self._do(*((sql, (key, number)) for number, key in wrapped.items()))

    def destroy(self, member: int, now: int) -> None:
        """Destroy a member's key for ever; harmless when it is gone already."""
        mark = "%s" if self.kind == "postgresql" else "?"
        self._do(
            (
                f"INSERT INTO destroyed (member_id, at) VALUES ({mark}, {mark}) ON CONFLICT (member_id) DO NOTHING",
                (member, now),
            ),
            (f"DELETE FROM member_key WHERE member_id = {mark}", (member,)),
        )
        if self.kind == "postgresql":
            # The dead tuple would lie in the file until autovacuum passes, and in each copy of it.
            self._do(("VACUUM FULL member_key", ()), alone=True)

    def holders(self) -> list[int]:
        """Return who has a key."""
        rows = self._do(("SELECT member_id FROM member_key ORDER BY member_id", ())) if self._there() else []
        return [int(row[0]) for row in rows]

    def common(self, name: str, wrapped: bytes) -> bytes:
        """Return the common key of this name; where there is none it becomes `wrapped`, or what another process put."""
        mark = "%s" if self.kind == "postgresql" else "?"
        rows = self._do(
            (f"INSERT INTO common_key VALUES ({mark}, {mark}) ON CONFLICT (name) DO NOTHING", (name, wrapped)),
            (f"SELECT wrapped FROM common_key WHERE name = {mark}", (name,)),
        )
        return bytes(rows[0][0])

    def commons(self) -> dict[str, bytes]:
        """Return the common keys by name."""
        rows = self._do(("SELECT name, wrapped FROM common_key", ())) if self._there() else []
        return {str(name): bytes(wrapped) for name, wrapped in rows}

    def replace_common(self, name: str, wrapped: bytes) -> None:
        """Store a common key that is wrapped anew."""
        mark = "%s" if self.kind == "postgresql" else "?"
        self._do((f"UPDATE common_key SET wrapped = {mark} WHERE name = {mark}", (wrapped, name)))

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            if self._raw is not None:
                self._raw.close()
                self._raw = None

    def _there(self) -> bool:
        """Whether there can be keys; a file that is not there is not made by who only asks."""
        return self.kind == "postgresql" or sqlite_path(self.url).exists()

    def _do(self, *statements: tuple[str, Any], alone: bool = False) -> list[Any]:
        """Run statements in one transaction and return the rows of the last; once more where the connection broke."""
        with self._lock:
            for attempt in (1, 2):
                try:
                    return self._run(statements, alone=alone)
                except (sqlite3.Error, psycopg.Error, OSError) as problem:
                    self._drop()
                    if attempt == 2 or isinstance(problem, sqlite3.Error | OSError):
                        _log.warning("the keys of personal data cannot be reached: %s", type(problem).__name__)
                        raise Unavailable("keys_down") from problem
        raise AssertionError

    def _run(self, statements: Sequence[tuple[str, Any]], *, alone: bool) -> list[Any]:
        if self._raw is None:
            self._raw = self._opened()
        rows: list[Any] = []
        if alone or self.kind == "sqlite":
            if not alone:
                self._raw.execute("BEGIN IMMEDIATE" if len(statements) > 1 else "BEGIN")
            for sql, values in statements:
                rows = _rows(self._raw.execute(sql, values))
            if not alone:
                self._raw.execute("COMMIT")
            return rows
        with self._raw.transaction():
            for sql, values in statements:
                rows = _rows(self._raw.execute(sql, values))
        return rows

    def _drop(self) -> None:
        raw, self._raw = self._raw, None
        if raw is not None:
            raw.close()

    def _opened(self) -> Any:
        if self.kind == "postgresql":
            named = "postgresql://" + self.url.partition("://")[2]
            raw = psycopg.connect(
                named, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="tierengine-keys"
            )
            # Two processes that make the tables at once would stumble over each other.
            with raw.transaction():
                raw.execute("SELECT pg_advisory_xact_lock(7445022)")
                for sql in _TABLES:
                    raw.execute(sql.format(bytes="BYTEA"))
            return raw
        return _file(sqlite_path(self.url))


def _rows(cursor: Any) -> list[Any]:
    return cursor.fetchall() if cursor.description else []


def _file(path: Path) -> sqlite3.Connection:
    # Made with the right mode before SQLite makes it with another.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    raw = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    raw.execute("PRAGMA journal_mode = DELETE")
    raw.execute("PRAGMA synchronous = FULL")
    raw.execute("PRAGMA secure_delete = ON")
    for sql in _TABLES:
        raw.execute(sql.format(bytes="BLOB"))
    return raw


def url_of(settings: Settings) -> str:
    """Return where the keys are; NotReady where that must be said and is not, or is the book itself."""
    if settings.keys_url:
        if _place(settings.keys_url) == _place(settings.database_url):
            raise NotReady(
                "TIERENGINE_KEYS_URL names the book itself: the keys must be kept apart from it",
                "TIERENGINE_KEYS_URL 指的就是账本：个人信息的密钥要与账本分开存放。",
            )
        return settings.keys_url
    if settings.kind == "sqlite":
        return f"sqlite:///{sqlite_path(settings.database_url)}.keys"
    raise NotReady(
        "There is no place for the keys of personal data: set TIERENGINE_KEYS_URL to sqlite:///FILE "
        "or to a PostgreSQL database apart from the book's",
        "个人信息的密钥没有地方放：请设 TIERENGINE_KEYS_URL(sqlite:///文件，或账本之外的一个 PostgreSQL 库)。",
    )


def _place(url: str) -> tuple[str, str]:
    """Return what tells two places apart: the kind, and the file, or server and database without who asks."""
    kind, rest = kind_of(url), url.partition("://")[2].partition("?")[0]
    return (kind, str(sqlite_path(url).resolve())) if kind == "sqlite" else (kind, rest.rpartition("@")[2])
