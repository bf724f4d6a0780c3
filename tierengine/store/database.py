"""Opening the book: one URL, two databases, the same promises on both.

SQLite: WAL, synchronous=FULL, foreign keys, one writing process a file (it holds an OS lock on `<file>.writer`),
readers open `mode=ro`. Its WAL has a corruption bug with two checkpointing connections (3.7.0 to 3.51.2): the writer's
is the only one that may, and readers cannot. PostgreSQL: psycopg 3, READ COMMITTED, the session in UTC.

`connect` gives a raw link; `tierengine.store.migrating` makes the tables.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

import psycopg

from tierengine.settings import Settings, Wrong, check_url, kind_of
from tierengine.store.dialect import Link, PostgresLink, SqliteLink

HEAD = "0015"  # the newest of tierengine/migrations; here, for to ask Alembic would load it into every command
OLDEST_SQLITE = (3, 38, 0)  # ->> on JSON, RETURNING, upserts
OLDEST_POSTGRESQL = 130_000
BUSY_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 3_000
CONNECT_SECONDS = 10  # for a server that takes a connection and says nothing; `connect_timeout` in the URL wins
# A connection over TCP that falls silent without being closed is given up after some 20 seconds, not two hours; each
# of these in the URL wins. (A statement that takes long is no silence: the server's system goes on answering.)
_PATIENCE: Mapping[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


# What SQLite says of a file, as it is told who reads Chinese.
_SQLITE: Mapping[str, str] = {
    "unable to open": "打不开它，或建不了旁边的 -wal、-shm：核对路径和权限，磁盘是不是只读。",
    "readonly": "只能读：核对文件和文件夹的权限，磁盘是不是只读。",
    "disk is full": "磁盘已满。",
    "disk I/O": "磁盘读写出错：是不是满了、坏了。",
    "not a database": "这个文件不是账本。",
    "malformed": "文件坏了：从备份恢复。",
    "locked": "另一个程序锁着它。",
}


class NotReady(RuntimeError):
    """The book cannot be used as it is; the text says what is wrong and what helps. `zh`: in Chinese, where it is."""

    def __init__(self, text: str, zh: str = "") -> None:
        self.zh = zh
        super().__init__(text)


class WriterBusy(RuntimeError):
    """Another process writes this file; `holder` says which."""

    def __init__(self, path: Path, holder: str) -> None:
        self.holder = holder
        super().__init__(
            f"{path} is being written by {holder}: SQLite has one writing process; stop it, or use its API"
        )


class WriterLock:
    """The right to write one SQLite file: an OS lock on `<file>.writer`, gone with the process that held it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(f"{path}.writer", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 200, 0).decode(errors="replace").strip() or "another process"
            os.close(self._file)
            raise WriterBusy(path, holder) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"process {os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another writer in. The file stays: to remove it would let two writers hold locks on two files."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def sqlite_path(url: str) -> Path:
    """Return the file of a SQLite URL; NotReady for a book in memory, which a second connection could not see."""
    text = unquote(url.partition("://")[2].partition("?")[0])
    if not text.startswith("/") or text in ("/", "/:memory:"):
        raise NotReady(f"{url!r} names no file; expected sqlite:///FILE")
    return Path(text[1:])


def connect(url: str, settings: Settings | None = None, *, readonly: bool = False) -> Link:
    """Open a raw connection. On SQLite only the holder of WriterLock may ask for one that writes."""
    if kind_of(url) == "sqlite":
        return SqliteLink(
            open_sqlite(sqlite_path(url), settings.busy_timeout_ms if settings else BUSY_TIMEOUT_MS, readonly=readonly)
        )
    lock_timeout = settings.lock_timeout_ms if settings else LOCK_TIMEOUT_MS
    session: dict[str, object] = {"timezone": "UTC", "lock_timeout": lock_timeout, "jit": "off"}
    if readonly:
        session["default_transaction_read_only"] = "on"
    else:
        # Everything on the path of a sale goes by an index, however small a table was when its statement was planned.
        session |= {"enable_seqscan": "off", "plan_cache_mode": "force_generic_plan"}
    named = "postgresql://" + url.partition("://")[2]
    patience = {name: most for name, most in _PATIENCE.items() if f"{name}=" not in named}
    try:
        check_url(url)
        raw = psycopg.connect(
            named,
            **patience,
            application_name="tierengine",
            options=" ".join(f"-c {name}={value}" for name, value in session.items()),
        )
    except (Wrong, psycopg.ProgrammingError):
        # (libpq repeats the piece that it cannot read, which may be one of the password.)
        raise NotReady(
            "The PostgreSQL address cannot be read; expected postgresql://USER:PASSWORD@HOST/NAME, with @ in user and "
            "password written as %40, / as %2F, ? as %3F, % as %25",
            "PostgreSQL 的地址读不懂：应为 postgresql://用户：密码@主机/库名，用户名和密码里的 @ 写作 %40,/ 写作 %2F,"
            "? 写作 %3F,% 写作 %25。",
        ) from None
    except psycopg.OperationalError as problem:
        said = str(problem).strip()
        raise NotReady(
            f"PostgreSQL does not answer: {said}", f"PostgreSQL 没有应答：核对地址、用户和它是否在运行。原话：{said}"
        ) from problem
    return PostgresLink(raw)


def open_sqlite(path: Path, busy_timeout_ms: int, *, readonly: bool) -> sqlite3.Connection:
    """Open the file with our pragmas; NotReady where it is to be read and is not there."""
    if readonly and not path.exists():
        raise NotReady(
            f"{path} is not there; `tierengine migrate` makes it", f"没有账本 {path}：先运行 tierengine migrate 建账。"
        )
    if not readonly and not path.exists():
        # A book is for who runs it: other users of the machine read neither it nor what SQLite puts beside it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    raw = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if readonly else 'rwc'}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    raw.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}")
    if not readonly:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
        # Without it INSERT OR REPLACE would delete a row past the trigger that refuses deletions.
        raw.execute("PRAGMA recursive_triggers = ON")
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA trusted_schema = OFF")
    return raw


def check_ready(url: str) -> None:
    """Raise NotReady unless the server or library is new enough and the book is at this program's migration."""
    kind = kind_of(url)
    if kind == "sqlite" and sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise NotReady(
            f"SQLite {sqlite3.sqlite_version} is too old; expected {'.'.join(map(str, OLDEST_SQLITE))} or newer"
        )
    try:
        if kind == "postgresql":
            link = connect(url, readonly=True)
            version: Any = link.ask("SELECT current_setting('server_version_num')::int").rows()[0][0]
            link.close()
            if version < OLDEST_POSTGRESQL:
                raise NotReady(f"PostgreSQL {version // 10_000} is too old; expected 13 or newer")
        found = revision_of(url)
    except (psycopg.Error, sqlite3.Error) as problem:
        if kind == "postgresql":
            raise NotReady(f"The database does not answer: {problem}", f"数据库没有应答。原话：{problem}") from problem
        path, said = sqlite_path(url), str(problem)
        why = next((zh for en, zh in _SQLITE.items() if en in said), f"原话：{said}")
        raise NotReady(f"The book {path} cannot be used: {said}", f"账本 {path} 不能用：{why}") from problem
    if found != HEAD:
        raise NotReady(
            f"The database is at migration {found or 'none'}, this program needs {HEAD}: run `tierengine migrate`",
            f"账本还是{f'第 {found} 版' if found else '空的'}，这个程序需要第 {HEAD} 版："
            "先备份，再运行 tierengine migrate。",
        )


def revision_of(url: str) -> str:
    """Return the migration that the book is at, "" where there is none."""
    link = connect(url, readonly=True)
    try:
        rows = link.ask("SELECT version_num FROM alembic_version").rows()
    except (psycopg.errors.UndefinedTable, sqlite3.OperationalError) as problem:
        if isinstance(problem, sqlite3.OperationalError) and "no such table" not in str(problem):
            raise
        return ""
    finally:
        link.close()
    return str(rows[0][0]) if rows else ""
