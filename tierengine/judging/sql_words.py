"""What the two databases say differently in a statement of facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from rules.vocabulary import FIELDS

Dialect = Literal["postgresql", "sqlite"]


class _Sqlite:
    """How SQLite says what the two databases say differently."""

    big = "integer"
    fields = "fields"
    members = "SELECT value FROM json_each(?1)"
    key = "k"
    mark = "?"

    @staticmethod
    def relation(columns: Mapping[str, str]) -> str:
        """Return a query of the columns of a JSON list of objects, which is the first parameter."""
        picked = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
        return f"SELECT {picked} FROM json_each(?1)"

    @staticmethod
    def field(name: str, type_: str) -> str:  # noqa: ARG004 - PostgreSQL needs the type
        return f"json_extract(fields, '$.{name}')"


class _Postgresql:
    """How PostgreSQL says it."""

    big = "bigint"
    fields = "fields::text"
    members = "SELECT jsonb_array_elements($1::jsonb)::bigint"
    key = 'k COLLATE "C"'
    mark = "$"

    @staticmethod
    def relation(columns: Mapping[str, str]) -> str:
        shape = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
        return f"SELECT * FROM jsonb_to_recordset($1::jsonb) AS x ({shape})"

    @staticmethod
    def field(name: str, type_: str) -> str:
        value = f"fields ->> '{name}'"
        if type_ == "text":
            return f"({value})"
        if name in FIELDS and FIELDS[name].type == "bool":
            return f"CASE {value} WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE ({value})::bigint END"
        return f"({value})::bigint"


SAYS: Final[dict[Dialect, type[_Sqlite | _Postgresql]]] = {"sqlite": _Sqlite, "postgresql": _Postgresql}
