"""What stands for a row in a seal: the row as RFC 8785 text, and the SHA-256 of that.

A row's digest is SHA-256 over the table's name, a line feed and the row as RFC 8785 JSON: an object of its columns
without those that are null, so that a column added later changes no digest. (Our integers go beyond 2**53 and are
written in full.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import orjson

from tierengine.store.dialect import Link
from tierengine.store.rows import INSERT_ONLY, Column, Row, tables

Ref = int | tuple[Any, ...]
Refs = list[tuple[str, Ref]]
Listed = dict[str, list[Ref]]

_STATE: Final = {"emission": ("applied",)}  # columns that may change
# So many rows of one table are read as a stretch of ids, unless as many again lie between them: where one process
# writes, what a seal covers lies together, and to look each row up costs half as much again.
_STRETCH: Final = 100
_LARGEST: Final = (1 << 63) - 1  # what the databases keep as a key


class Sealed:
    """One sealed table: how its rows are read, and what stands for each in a seal.

    The database writes a row's text itself, which is several times quicker than to make it here; only documents of
    PostgreSQL (which keeps them in an order of its own) and bytes are put in here. SQLite holds documents as canonical
    text already.
    """

    def __init__(self, name: str) -> None:
        key = [column.name for column in tables()[name] if column.key and column.name != "dealer_id"]
        columns = sorted((c for c in tables()[name] if c.name not in _STATE.get(name, ())), key=lambda c: c.name)
        if columns[0].nullable:
            raise ValueError(f"{name}.{columns[0].name}: the first column of a sealed row is always there")
        self.name = name
        self.columns = tuple(column.name for column in columns)
        self._start = hashlib.sha256(f"{name}\n".encode())
        self._keys = len(key)
        self._key = ", ".join(f'"{one}"' for one in key)
        self._paired = _paired(name, columns, key)
        self._parts = {kind: _parts(columns, kind) for kind in ("sqlite", "postgresql")}
        self._between = (
            f"SELECT count(*) FROM (SELECT 1 FROM {name} WHERE {self._key} BETWEEN ?1 AND ?2 LIMIT ?3) AS found"
        )
        self.count = f"SELECT count(*) FROM {name} WHERE dealer_id = ?1"
        self.keys = f"SELECT {self._key} FROM {name} WHERE dealer_id = ?1 ORDER BY {self._key}"

    def digests(self, link: Link, dealer_id: int, refs: Sequence[Ref]) -> dict[Ref, bytes]:
        """Return the digest of each of these rows that is there, and perhaps of others that lie between them.

        dealer_id  whose they are: of a key that stands only once with each dealer, his is looked up
        """
        parts = self._parts[link.kind]
        rows = self._rows(link, dealer_id, refs, ", ".join(f"{text} AS p{at}" for at, (text, _) in enumerate(parts)))
        keys, start = self._keys, self._start
        found: dict[Ref, bytes] = {}
        if keys == 1 and len(parts) == 1:
            for ref, text in rows if parts[0][1] is _same else ((ref, text.encode()) for ref, text in rows):
                digest = start.copy()
                digest.update(text)
                found[ref] = digest.digest()
            return found
        converted = [as_bytes for _, as_bytes in parts]
        for row in rows:
            digest = start.copy()
            digest.update(b"".join([as_bytes(part) for as_bytes, part in zip(converted, row[keys:], strict=True)]))
            found[row[0] if keys == 1 else row[:keys]] = digest.digest()
        return found

    def joined(self, link: Link, refs: Sequence[Ref]) -> bytes | None:
        """Return the digests of just these rows, one after the other; None where a key has several columns.

        refs  keys, rising. One that is missing has no digest, and one that is there in its place has another: who gets
              anything but what he expects asks `digests`.
        """
        parts = self._parts[link.kind]
        if self._keys > 1:
            return None
        most = len(refs) + 1
        together = link.ask(self._between, refs[0], refs[-1], most).rows()[0][0] < most
        where, named = ("BETWEEN ?1 AND ?2", (refs[0], refs[-1])) if together else ("IN (?1*)", (list(refs),))
        rows = f"FROM {self.name} WHERE {self._key} {where} ORDER BY {self._key}"
        shown = ", ".join(f"{text} AS p{at}" for at, (text, _) in enumerate(parts))
        copy, digests = self._start.copy, []
        if len(parts) == 1:
            as_bytes = parts[0][1]
            for (text,) in link.ask(f"SELECT {shown} {rows}", *named).rows():
                digest = copy()
                digest.update(text if as_bytes is _same else text.encode())
                digests.append(digest.digest())
            return b"".join(digests)
        converted = [as_bytes for _, as_bytes in parts]
        for row in link.ask(f"SELECT {shown} {rows}", *named).rows():
            digest = copy()
            digest.update(b"".join([as_bytes(part) for as_bytes, part in zip(converted, row, strict=True)]))
            digests.append(digest.digest())
        return b"".join(digests)

    def may_name(self, refs: Sequence[Ref]) -> bool:
        """Return whether these can be keys of rows of this table."""
        if self._keys == 1:
            return set(map(type, refs)) <= {int} and all(0 <= ref <= _LARGEST for ref in refs)  # type: ignore[operator]
        return all(isinstance(ref, tuple) and len(ref) == self._keys for ref in refs)

    def _rows(self, link: Link, dealer_id: int, refs: Sequence[Ref], shown: str) -> list[Row]:
        asked = f"SELECT {self._key}, {shown} FROM "
        if self._keys > 1:
            lists = [orjson.dumps(refs)] if link.kind == "sqlite" else [list(part) for part in zip(*refs, strict=True)]
            return link.ask(asked + self._paired[link.kind], dealer_id, *lists).rows()
        asked += f"{self.name} WHERE "
        if len(refs) >= _STRETCH:
            most = 2 * len(refs)
            rows = link.ask(
                f"{asked}{self._key} BETWEEN ?1 AND ?2 ORDER BY {self._key} LIMIT ?3", min(refs), max(refs), most
            ).rows()
            if len(rows) < most:
                return rows
        return link.ask(f"{asked}{self._key} IN (?1*)", list(refs)).rows()


def _paired(name: str, columns: Sequence[Column], key: Sequence[str]) -> dict[str, str]:
    """Return where one dealer's rows come from whose key has several columns.

    Each key is looked up by itself, and with the dealer, with whom the index of some begins: to take any of a column
    with any of another had read that whole index.
    """
    types = {column.name: column.type for column in columns}
    names = ", ".join(f'"{one}"' for one in key)
    picked = ", ".join(f"json_extract(value, '$[{at}]')" for at in range(len(key)))
    lists = ", ".join(f"?{at}::{types[one]}[]" for at, one in enumerate(key, start=2))
    given = ", ".join(f"given_{at}" for at in range(len(key)))
    named = " AND ".join(f'"{one}" = given_{at}' for at, one in enumerate(key))
    return {
        "sqlite": f"{name} WHERE dealer_id = ?1 AND ({names}) IN (SELECT {picked} FROM json_each(?2))",
        "postgresql": f"unnest({lists}) AS named({given}) CROSS JOIN LATERAL "
        f"(SELECT * FROM {name} WHERE dealer_id = ?1 AND {named} OFFSET 0) AS found",
    }


def _utf8(text: str) -> bytes:
    return text.encode()


def _same(text: bytes) -> bytes:
    return text


def _quoted(content: bytes | memoryview) -> bytes:
    """Return bytes as RFC 8785 text: a string of hexadecimal digits."""
    return b'"%b"' % bytes(content).hex().encode()


def _canonical(text: str) -> bytes:
    """Return a document of PostgreSQL as RFC 8785 text."""
    return orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS)


_Part = tuple[str, Callable[[Any], bytes]]


def _parts(columns: Sequence[Column], kind: str) -> list[_Part]:
    """Return what, one after the other, is a row's text (an object without what is null), and how each is made bytes.

    SQLite hands text over as the bytes it keeps; PostgreSQL's would come in hexadecimal, so it hands over text.
    """
    parts: list[_Part] = []
    template = "{"
    values: list[str] = []

    def end(more: str) -> None:
        text = _format(template + more, values)
        parts.append((f"CAST({text} AS BLOB)", _same) if kind == "sqlite" else (text, _utf8))

    for place, column in enumerate(columns):
        name, comma = f'"{column.name}"', "," if place else ""
        lead = f"{comma}{name}:"
        is_document = column.type == "jsonb" and kind == "postgresql"
        if column.type == "bytea" or is_document:
            if column.nullable:
                raise ValueError(f"{name}: a document or bytes that may be null cannot be sealed")
            end(lead)
            parts.append((f"{name}::text", _canonical) if is_document else (name, _quoted))
            template, values = "", []
            continue
        shown = _shown(column, kind)
        if column.nullable:
            template += "%s"
            values.append(f"CASE WHEN {name} IS NULL THEN '' ELSE '{lead}' || {shown} END")
        else:
            template += f"{lead}%s"
            values.append(shown)
    end("}")
    return parts


def _format(template: str, values: Sequence[str]) -> str:
    return f"format('{template}', {', '.join(values)})" if values else f"'{template}'"


def _shown(column: Column, kind: str) -> str:
    name = f'"{column.name}"'
    if column.type == "boolean":  # SQLite has no truth values, so they are sealed as 1 and 0
        return f"CASE WHEN {name} THEN 1 ELSE 0 END"
    if column.type == "text":
        return f"json_quote({name})" if kind == "sqlite" else f"to_json({name})::text"
    return name


@cache
def sealed_tables() -> Mapping[str, Sealed]:
    """Return every table whose rows are sealed, in the order of their references."""
    return {name: Sealed(name) for name in INSERT_ONLY}


def read_listed(text: str) -> Listed:
    """Return which rows of which tables a text of `refs` names, in its order."""
    read: dict[str, list[Any]] = orjson.loads(text)
    for table, refs in read.items():
        if list in set(map(type, refs)):
            read[table] = [tuple(ref) if isinstance(ref, list) else ref for ref in refs]
    return read


def read_refs(text: str) -> Refs:
    """Return the rows that a text of `refs` names, one by one, in its order."""
    return [(table, ref) for table, refs in read_listed(text).items() for ref in refs]


def write_refs(refs: Iterable[tuple[str, Ref]]) -> str:
    """Return the text that names these rows; those of one table stand together."""
    found: dict[str, list[Ref]] = {}
    for table, ref in refs:
        found.setdefault(table, []).append(ref)
    return orjson.dumps(found).decode()


def digests_by_table(link: Link, dealer_id: int, listed: Mapping[str, Sequence[Ref]]) -> dict[str, dict[Ref, bytes]]:
    """Return table → row → digest of each of a dealer's rows that is there (and perhaps of others).

    A statement a table.
    """
    known, there = sealed_tables(), {table: refs for table, refs in listed.items() if refs}
    return {table: known[table].digests(link, dealer_id, refs) for table, refs in there.items() if table in known}


def digests_of(link: Link, dealer_id: int, refs: Iterable[tuple[str, Ref]]) -> dict[tuple[str, Ref], bytes]:
    """Return the digest of each of a dealer's rows that is there, one statement a table."""
    wanted = list(refs)
    by_table: dict[str, list[Ref]] = {}
    for table, ref in wanted:
        by_table.setdefault(table, []).append(ref)
    found = digests_by_table(link, dealer_id, by_table)
    return {(table, ref): found[table][ref] for table, ref in wanted if ref in found.get(table, ())}
