"""The role that a service uses on PostgreSQL: it may add to the book, and change or remove nothing that counts.

The owner of the tables migrates; the service logs in as a role that owns nothing, so it cannot take triggers away, and
has no right to UPDATE, DELETE or TRUNCATE what is insert only. Rights are given anew for every table of this program's
revision, so this is run after each migration.
"""

from __future__ import annotations

import re
from typing import Final

import psycopg
from psycopg import sql

from tierengine.settings import kind_of
from tierengine.store.database import NotReady, connect
from tierengine.store.dialect import PostgresLink
from tierengine.store.rows import INSERT_ONLY, tables

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
# Columns of insert-only tables that are a state of ours and no content.
_STATE: Final = {"emission": ("applied",)}


def grant(url: str, name: str) -> bool:
    """Make the role unless it is there, and give it what the service needs; return whether it was made now.

    A new role may log in and has no password: that is set by whoever runs the server. ValueError for a name that is no
    plain identifier, NotReady when this user may not do it or the book is on SQLite.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(name)
    if kind_of(url) != "postgresql":
        raise NotReady("Roles are a matter of PostgreSQL; on SQLite whoever may write the file may do anything.")
    link = connect(url)
    try:
        if not isinstance(link, PostgresLink):
            raise TypeError(url)
        with link.raw.transaction():
            return _grant(link.raw, name)
    except psycopg.errors.InsufficientPrivilege as problem:
        raise NotReady(f"This database user may not make or change roles: {problem}") from problem
    finally:
        link.close()


def _grant(raw: psycopg.Connection[tuple[object, ...]], name: str) -> bool:
    role, database = sql.Identifier(name), sql.Identifier(raw.info.dbname)
    new = raw.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None
    if new:
        raw.execute(sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION").format(role))
    schema = sql.Identifier(str((raw.execute("SELECT current_schema()").fetchone() or ("public",))[0]))
    acts = [
        "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
        "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC",
        "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {database} TO {role}",
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
        "GRANT SELECT ON alembic_version TO {role}",
    ]
    for act in acts:
        raw.execute(sql.SQL(act).format(schema=schema, role=role, database=database))
    once = {*INSERT_ONLY, "seal"}
    for table in tables():
        rights = "SELECT, INSERT" if table in once else "SELECT, INSERT, UPDATE, DELETE"
        raw.execute(sql.SQL("GRANT " + rights + " ON {} TO {}").format(sql.Identifier(table), role))
    for table, columns in _STATE.items():
        listed = sql.SQL(", ").join(map(sql.Identifier, columns))
        raw.execute(sql.SQL("GRANT UPDATE ({}) ON {} TO {}").format(listed, sql.Identifier(table), role))
    return new
