"""The hash chain of each dealer: what a seal is a hash of, and whether every row still is as it was sealed.

A row's digest is SHA-256 over the table's name, a line feed and the row as RFC 8785 JSON: an object of its columns
without those that are null, so that a column added later changes no digest. (Our integers go beyond 2**53 and are
written in full.) A seal's hash is SHA-256 over the RFC 8785 array [hash before, dealer, number, sealed at, refs,
digests in hexadecimal]; the first one's hash before is "". So the chain is the same on both databases. A seal covers up
to 64 rows of whichever tables: one seal a row would have cost as much again as what it seals.

Who can write to every table can build a whole new chain. That is what anchors are for: a dealer's newest number and
hash, kept where he cannot write (`tierengine seal --anchor FILE`, `verify --anchor FILE`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal

import orjson
import sqlalchemy as sa
from sqlmodel import SQLModel

from tierengine.store.dialect import Link, Row, binary
from tierengine.store.tables import INSERT_ONLY

Ref = int | tuple[Any, ...]
Refs = list[tuple[str, Ref]]
Wrong = Literal["row_changed", "row_removed", "row_unsealed", "seal_broken", "seal_missing", "anchor_differs"]

GENESIS: Final = ""
DIGEST: Final = 32
GONE: Final = bytes(DIGEST)  # stands for a row that was gone before it could be sealed
TAIL: Final = 1_000  # seals checked when a service starts
_WINDOW: Final = 400  # seals looked at together
_STATE: Final = {"emission": ("applied",)}  # columns that may change

_HEADS: Final = (
    "SELECT s.dealer_id, d.code, s.number, s.hash, s.sealed_at FROM seal s JOIN dealer d ON d.id = s.dealer_id "
    "WHERE s.number = (SELECT max(number) FROM seal WHERE dealer_id = s.dealer_id) ORDER BY d.code"
)
_SEALS: Final = (
    "SELECT number, sealed_at, refs, digests, hash FROM seal WHERE dealer_id = ?1 AND number > ?2 "
    "ORDER BY number LIMIT ?3"
)
_HASH: Final = "SELECT hash FROM seal WHERE dealer_id = ?1 AND number = ?2"
_ALL_REFS: Final = "SELECT refs FROM seal WHERE dealer_id = ?1"
_UNSEALED: Final = "SELECT refs FROM unsealed WHERE dealer_id = ?1"
_DEALERS: Final = "SELECT id FROM dealer ORDER BY id"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of one dealer's chain. `sealed_at` in microseconds UTC."""

    dealer_id: int
    dealer: str
    number: int
    hash: str
    sealed_at: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a chain does not hold: what is wrong, with which seal (0: none covers it), and the row if it is one."""

    wrong: Wrong
    dealer_id: int
    number: int
    table: str = ""
    ref: Ref | None = None

    def row(self) -> tuple[object, ...]:
        """Return (dealer id, seal number, table, row's key), as `verify` shows it."""
        return (self.dealer_id, self.number, self.table, list(self.ref) if isinstance(self.ref, tuple) else self.ref)


class Sealed:
    """One sealed table: how its rows are read, and what stands for each in a seal.

    The database writes a row's text itself, which is several times quicker than to make it here; only documents of
    PostgreSQL (which keeps them in an order of its own) and bytes are put in here. SQLite holds documents as canonical
    text already.
    """

    def __init__(self, name: str) -> None:
        table = SQLModel.metadata.tables[name]
        key = [column.name for column in table.primary_key if column.name != "dealer_id"]
        columns = sorted((c for c in table.columns if c.name not in _STATE.get(name, ())), key=lambda c: c.name)
        if columns[0].nullable:
            raise ValueError(f"{name}.{columns[0].name}: the first column of a sealed row is always there")
        self.name = name
        self.columns = tuple("" + column.name for column in columns)
        self._prefix = f"{name}\n".encode()
        self._keys = len(key)
        self._where = " AND ".join(f'"{one}" IN (?{at}*)' for at, one in enumerate(key, start=1))
        self._key = ", ".join(f'"{one}"' for one in key)
        self._parts = {kind: _parts(columns, kind) for kind in ("sqlite", "postgresql")}
        self.count = f"SELECT count(*) FROM {name} WHERE dealer_id = ?1"
        self.keys = f"SELECT {self._key} FROM {name} WHERE dealer_id = ?1 ORDER BY {self._key}"

    def digests(self, link: Link, refs: Sequence[Ref]) -> dict[Ref, bytes]:
        """Return the digest of each of these rows that is there."""
        if self._keys == 1:
            given: tuple[list[Any], ...] = (list(refs),)
        else:
            given = tuple(sorted(set(part)) for part in zip(*refs, strict=True))
        parts = self._parts[link.kind]
        shown = ", ".join(f"{part} AS p{at}" for at, part in enumerate(parts))
        rows = link.ask(f"SELECT {self._key}, {shown} FROM {self.name} WHERE {self._where}", *given).rows()
        keys, prefix, sha256 = self._keys, self._prefix, hashlib.sha256
        if keys == 1 and len(parts) == 1:
            return {ref: sha256(prefix + text.encode()).digest() for ref, text in rows}
        return {
            (row[0] if keys == 1 else tuple(row[:keys])): sha256(prefix + b"".join(map(_bytes, row[keys:]))).digest()
            for row in rows
        }


def _bytes(part: Any) -> bytes:
    """Return a part of a row's text: text as it is, documents and bytes as RFC 8785 writes them."""
    if isinstance(part, str):
        return part.encode()
    if isinstance(part, bytes | memoryview):
        return orjson.dumps(bytes(part).hex())
    return orjson.dumps(part, option=orjson.OPT_SORT_KEYS)


def _parts(columns: Sequence[sa.Column[Any]], kind: str) -> list[str]:
    """Return the expressions that, one after the other, are a row's text: an object without what is null."""
    parts: list[str] = []
    template = "{"
    values: list[str] = []
    for place, column in enumerate(columns):
        name, comma = f'"{column.name}"', "," if place else ""
        lead = f"{comma}{name}:"
        if isinstance(column.type, sa.LargeBinary) or (isinstance(column.type, sa.JSON) and kind == "postgresql"):
            if column.nullable:
                raise ValueError(f"{name}: a document or bytes that may be null cannot be sealed")
            parts += [_format(template + lead, values), name]
            template, values = "", []
            continue
        shown = _shown(column, kind)
        if column.nullable:
            template += "%s"
            values.append(f"CASE WHEN {name} IS NULL THEN '' ELSE '{lead}' || {shown} END")
        else:
            template += f"{lead}%s"
            values.append(shown)
    return [*parts, _format(template + "}", values)]


def _format(template: str, values: Sequence[str]) -> str:
    return f"format('{template}', {', '.join(values)})" if values else f"'{template}'"


def _shown(column: sa.Column[Any], kind: str) -> str:
    name = f'"{column.name}"'
    if isinstance(column.type, sa.Boolean):  # SQLite has no truth values, so they are sealed as 1 and 0
        return f"CASE WHEN {name} THEN 1 ELSE 0 END"
    if isinstance(column.type, sa.Text):
        return f"json_quote({name})" if kind == "sqlite" else f"to_json({name})::text"
    return name


@cache
def sealed_tables() -> Mapping[str, Sealed]:
    """Return every table whose rows are sealed, in the order of their references."""
    return {name: Sealed(name) for name in INSERT_ONLY}


def read_refs(text: str) -> Refs:
    """Return which rows a text of `refs` names, in its order."""
    return [
        (table, tuple(one) if isinstance(one, list) else one)
        for table, listed in orjson.loads(text).items()
        for one in listed
    ]


def write_refs(refs: Iterable[tuple[str, Ref]]) -> str:
    """Return the text that names these rows; those of one table stand together."""
    found: dict[str, list[Ref]] = {}
    for table, ref in refs:
        found.setdefault(table, []).append(ref)
    return orjson.dumps(found).decode()


def digests_of(link: Link, refs: Iterable[tuple[str, Ref]]) -> dict[tuple[str, Ref], bytes]:
    """Return the digest of each of these rows that is there, one statement a table."""
    by_table: dict[str, list[Ref]] = {}
    for table, ref in refs:
        by_table.setdefault(table, []).append(ref)
    known, found = sealed_tables(), {}
    for table, listed in by_table.items():
        if table in known:
            found.update({(table, ref): digest for ref, digest in known[table].digests(link, listed).items()})
    return found


def link_hash(before: str, dealer_id: int, number: int, sealed_at: int, refs: str, digests: bytes) -> str:
    """Return the hash of a seal, in hexadecimal."""
    content = orjson.dumps([before, dealer_id, number, sealed_at, refs, digests.hex()])
    return hashlib.sha256(content).hexdigest()


def heads(link: Link) -> list[Head]:
    """Return the end of every dealer's chain."""
    return [Head(*row) for row in link.ask(_HEADS).rows()]


# ---- checking ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Walk:
    """One pass along a dealer's chain."""

    link: Link
    dealer_id: int
    number: int  # the last seal that was looked at
    before: str
    there: dict[str, int] = field(default_factory=dict)  # table → sealed rows found

    def faults(self) -> Iterator[Fault]:
        while seals := self.link.ask(_SEALS, self.dealer_id, self.number, _WINDOW).rows():
            refs = [_refs_or_none(seal[2]) for seal in seals]
            found = digests_of(self.link, (ref for listed in refs if listed is not None for ref in listed))
            for table, _ in found:
                self.there[table] = self.there.get(table, 0) + 1
            for seal, listed in zip(seals, refs, strict=True):
                yield from self._look(seal, listed, found)

    def _look(self, seal: Row, refs: Refs | None, found: Mapping[tuple[str, Ref], bytes]) -> Iterator[Fault]:
        number, sealed_at, text, raw, stored = seal
        digests = binary(raw)
        if number != self.number + 1:
            yield Fault("seal_missing", self.dealer_id, self.number + 1)
            # Of the first that is left it cannot be said what it followed, only that this is not here.
        broken = stored != link_hash(self.before, self.dealer_id, number, sealed_at, text, digests)
        if broken and number == self.number + 1:
            yield Fault("seal_broken", self.dealer_id, number)
        self.number, self.before = number, stored
        if refs is None or len(digests) != DIGEST * len(refs):
            if not broken:
                yield Fault("seal_broken", self.dealer_id, number)
            return
        for place, ref in enumerate(refs):
            digest = found.get(ref)
            if digest is None:
                yield Fault("row_removed", self.dealer_id, number, *ref)
            elif digest != digests[DIGEST * place : DIGEST * (place + 1)]:
                yield Fault("row_changed", self.dealer_id, number, *ref)


def _refs_or_none(text: str) -> Refs | None:
    try:
        return read_refs(text)
    except (ValueError, AttributeError, TypeError):
        return None


def check(link: Link) -> Iterator[Fault]:
    """Walk every dealer's whole chain, and find what no seal covers; call it inside a snapshot."""
    for (dealer_id,) in link.ask(_DEALERS).rows():
        walk = _Walk(link, dealer_id, 0, GENESIS)
        yield from walk.faults()
        yield from _uncovered(link, dealer_id, walk.there)


def check_tail(link: Link, seals: int = TAIL) -> Iterator[Fault]:
    """Check the last `seals` of every dealer's chain; what is older is for `check`, nightly."""
    for head in heads(link):
        start = max(head.number - seals, 0)
        before = link.ask(_HASH, head.dealer_id, start).rows()
        if start and not before:
            yield Fault("seal_missing", head.dealer_id, start)
        yield from _Walk(link, head.dealer_id, start, before[0][0] if before else GENESIS).faults()


def _uncovered(link: Link, dealer_id: int, there: Mapping[str, int]) -> Iterator[Fault]:
    """Find rows that stand in no seal and do not wait for one: put in past everything that lists them."""
    waiting: dict[str, set[Ref]] = {}
    for (text,) in link.ask(_UNSEALED, dealer_id).rows():
        for table, ref in read_refs(text):
            waiting.setdefault(table, set()).add(ref)
    for name, known in sealed_tables().items():
        mine = waiting.get(name, set())
        if link.ask(known.count, dealer_id).rows()[0][0] == there.get(name, 0) + len(mine):
            continue
        covered = set(mine)
        for (text,) in link.ask(_ALL_REFS, dealer_id).rows():
            covered.update(ref for table, ref in _refs_or_none(text) or () if table == name)
        for row in link.ask(known.keys, dealer_id).rows():
            ref = row[0] if len(row) == 1 else tuple(row)
            if ref not in covered:
                yield Fault("row_unsealed", dealer_id, 0, name, ref)


# ---- anchors -----------------------------------------------------------------------------------------------------


class BadAnchor(ValueError):
    """A line of an anchor file is none; `line` counts from 1."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(f"line {line} is no anchor: expected {{dealer, number, hash, sealed_at}}")


def anchor_line(head: Head) -> str:
    """Return a head as one line of an anchor file (JSON Lines)."""
    plain = {"dealer": head.dealer, "number": head.number, "hash": head.hash, "sealed_at": head.sealed_at}
    return orjson.dumps(plain).decode()


def check_anchors(link: Link, lines: Iterable[str]) -> Iterator[Fault]:
    """Compare the seals with anchors kept outside; what was cut off or rewritten since then differs."""
    dealers = {code: number for number, code in link.ask("SELECT id, code FROM dealer").rows()}
    for place, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            anchor = orjson.loads(line)
            code, number, wanted = str(anchor["dealer"]), int(anchor["number"]), str(anchor["hash"])
        except (ValueError, KeyError, TypeError) as problem:
            raise BadAnchor(place) from problem
        dealer_id = dealers.get(code, 0)
        found = link.ask(_HASH, dealer_id, number).rows()
        if not found or found[0][0] != wanted:
            yield Fault("anchor_differs", dealer_id, number, code)
