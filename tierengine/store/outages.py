"""Why the database could not: as a log may say it, in one line and without a value of any row."""

from __future__ import annotations

import sqlite3
from typing import Final

import psycopg

from tierengine.store.database import NotReady, WriterBusy

MOST: Final = 300


def told(problem: BaseException) -> str:
    """Return a line on a failure: its type, and what the server or the library says where that names no row's values.

    PostgreSQL puts values into a message's details and context, and into the messages of what was wrong with a value;
    of an outage (psycopg.OperationalError) the first line alone has none.
    """
    if isinstance(problem, (NotReady, WriterBusy, sqlite3.OperationalError)):
        said = str(problem)
    elif isinstance(problem, psycopg.OperationalError):
        said = " ".join(
            filter(None, (problem.sqlstate, problem.diag.message_primary or str(problem).partition("\n")[0]))
        )
    else:
        said = ""
    name = type(problem).__name__
    return " ".join(f"{name}: {said}".split())[:MOST] if said else name
