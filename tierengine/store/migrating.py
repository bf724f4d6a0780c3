"""Making the tables, and bringing those of an older release up to this one: Alembic, on either database.

Alembic and SQLAlchemy are loaded where a book is migrated, and not by a page of help or for a book that is up to date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tierengine.settings import kind_of
from tierengine.store.database import BUSY_TIMEOUT_MS, HEAD, NotReady, WriterLock, open_sqlite, revision_of, sqlite_path

if TYPE_CHECKING:
    import sqlalchemy as sa
    from alembic.config import Config


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415  see above

    config = Config()
    config.set_main_option("script_location", "tierengine:migrations")
    config.set_main_option("path_separator", "os")
    return config


def migrate(url: str, revision: str = "head") -> None:
    """Bring the book to `revision`; a book that is there already is not touched. One process does it, others wait."""
    if kind_of(url) == "sqlite":
        path = sqlite_path(url)
        if path.exists() and revision == "head" and revision_of(url) == HEAD:
            return
        with WriterLock(path):
            _migrate(url, revision)
    else:
        _migrate(url, revision)


def _migrate(url: str, revision: str) -> None:
    from alembic import command  # noqa: PLC0415  see above
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415

    made = engine(url)
    config = _config()
    try:
        with made.begin() as connection:
            if made.dialect.name == "postgresql":
                # Two services that start at once would both create the tables; the number is arbitrary and ours.
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7445021)")
            config.attributes["connection"] = connection
            config.attributes["url"] = url
            command.upgrade(config, revision)
        if config.attributes.get("rewrite"):
            _rewrite(url)
    except OperationalError as problem:
        raise NotReady(f"The database cannot be migrated: {problem.orig}") from problem
    finally:
        made.dispose()


def _rewrite(url: str) -> None:
    """Write all rows anew, so that nothing is left of what a migration took out of them; SQLite's log is emptied."""
    if kind_of(url) == "postgresql":
        made = engine(url)
        with made.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM FULL")
            connection.exec_driver_sql("CHECKPOINT")
        made.dispose()
        return
    raw = open_sqlite(sqlite_path(url), BUSY_TIMEOUT_MS, readonly=False)
    try:
        raw.execute("VACUUM")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()


def engine(url: str, *, readonly: bool = False) -> sa.Engine:
    """Return SQLAlchemy's engine, for what is read (and in tests written) at leisure."""
    import sqlalchemy as sa  # noqa: PLC0415  see above

    if kind_of(url) == "postgresql":
        made = sa.create_engine(
            "postgresql+psycopg://" + url.partition("://")[2], connect_args={"options": "-c timezone=UTC"}
        )
        return made.execution_options(postgresql_readonly=True) if readonly else made
    path = sqlite_path(url)
    made = sa.create_engine(
        "sqlite://", creator=lambda: open_sqlite(path, BUSY_TIMEOUT_MS, readonly=readonly), poolclass=sa.pool.QueuePool
    )
    # The documented recipe's second event (its first is isolation_level None in _sqlite): a transaction that may write
    # takes the lock when it begins. One that upgrades later fails at once, whatever the busy timeout.
    begin = "BEGIN" if readonly else "BEGIN IMMEDIATE"
    sa.event.listen(made, "begin", lambda connection: connection.exec_driver_sql(begin))
    return made
