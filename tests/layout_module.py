"""tierengine/store/layout.py, made from the tables: `python -m tests.layout_module`."""

import textwrap
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tierengine.store import layout
from tierengine.store.tables import METADATA

MODULE = Path(layout.__file__)
_HEAD = '''"""The columns of every table, made from tierengine/store/tables by `make docs`: not to be edited.

Each has its name and PostgreSQL's word for its type; `key`: it is of the primary key; `null`: it may be null.
"""

from __future__ import annotations

from typing import Final

LAYOUT: Final = """
'''


def table(one: sa.Table) -> str:
    assert [column.name for column in one.primary_key] == [column.name for column in one.columns if column.primary_key]
    dialect = postgresql.dialect()
    listed = [
        f"{column.name} {column.type.compile(dialect).partition(' COLLATE')[0].lower()}"
        f"{' key' * column.primary_key}{' null' * bool(column.nullable)}"
        for column in one.columns
    ]
    # A line ends after a column, never within one.
    text = ", ".join(column.replace(" ", "\0") for column in listed)
    lines = textwrap.wrap(f"{one.name}\0({text})", 118, subsequent_indent="    ", break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


def made() -> str:
    every = METADATA.tables
    return _HEAD + "\n".join(table(every[name]) for name in sorted(every)) + '\n"""\n'


if __name__ == "__main__":
    MODULE.write_text(made(), encoding="utf-8")
