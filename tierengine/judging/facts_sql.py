"""Facts by SQL: many members in one statement and one round trip, each asked at one position, as an award does.

The statement is made once for each policy and database from one template, and read through raw driver connections
(psycopg 3, sqlite3). It joins the asked members with their stored contributions by the index (member_id, known_at),
and answers with rows of one shape:

    part, ask, n0 … nk, t0 … t3

The parts are the aggregates over all that counts, over lines, over (line, instant), and over (line, value) for each
field whose values are counted; the last part are the raw rows of what is no aggregate (attributes, machines,
attestations), which states.py evaluates. Dates are Python's: the bounds of every window come in with the asked members.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import orjson
import psycopg

from tierengine.judging.decisions import Version
from tierengine.judging.facts import FactSet, fact_set
from tierengine.judging.facts_statement import RAW_NUMBERS, Ask, as_json, statement_of
from tierengine.judging.history import Contribution, Position, Scalar
from tierengine.judging.measures import Values
from tierengine.judging.netting import net
from tierengine.judging.sql_words import SAYS, Dialect
from tierengine.judging.states import States


class Cursor(Protocol):
    """The part of a driver's cursor that is used; sqlite3's and psycopg's both are one."""

    def execute(self, query: Any, params: Any = ..., /) -> Any:
        """Run a statement."""
        ...

    def fetchall(self) -> list[Any]:
        """Return all rows of the answer."""
        ...


class Snapshot:
    """One member's facts at one position. Implements decisions.FactSource for that position and version alone."""

    __slots__ = ("_ask", "_prepared", "_states", "_values")

    def __init__(self, prepared: FactSet, ask: Ask, values: Values, states: States) -> None:
        self._prepared = prepared
        self._ask = ask
        self._values = values
        self._states = states

    def facts(self, version: Version, position: Position, since: int) -> Mapping[str, int | None]:
        """Return every fact; the arguments are those that were asked."""
        self._agree(position, version)
        if since != self._ask.since:
            raise ValueError(f"these facts were read for a tier since {self._ask.since}, not {since}")
        return self._values

    def attributes(self, position: Position) -> Mapping[str, int | str | None]:
        """Return the dated attributes."""
        self._agree(position)
        return dict(self._states.attributes(position[0]))

    def attested(self, version: Version, position: Position) -> frozenset[str]:
        """Return the traits that an attestation in force states on the policy's terms."""
        self._agree(position, version)
        return self._states.attested(self._prepared.policy, position[0])

    def _agree(self, position: Position, version: Version | None = None) -> None:
        if position != self._ask.position:
            raise ValueError(f"these facts are as of {self._ask.position}, not of {position}")
        if version is not None and version.rules.policy is not self._prepared.policy:
            raise ValueError("these facts were read for another policy version")


def read_facts(cursor: Cursor, version: Version, asks: Sequence[Ask]) -> dict[int, Snapshot]:
    """Return each asked member's facts; a member is asked once."""
    prepared = fact_set(version.rules.policy)
    statement = statement_of(prepared, _dialect_of(cursor))
    raws: list[list[int | None]] = [list(statement.empty) for _ in asks]
    states: list[list[Contribution]] = [[] for _ in asks]
    for row in _rows(cursor, statement.text, statement.parameters(asks)):
        part, ask = row[0], row[1]
        if part == statement.raw_part:
            states[ask].append(_contribution(row[2:7], row[-4:]))
            continue
        raw = raws[ask]
        for place, column, default in statement.parts[part]:
            value = row[column]
            raw[place] = default if value is None else value
    found: dict[int, Snapshot] = {}
    nothing = States(prepared.zone)  # of most members nothing is stated
    for number, ask in enumerate(asks):
        rows = states[number]
        # What a correction took back at its own position is no word of anybody's; sums need no such care.
        state = States(prepared.zone, sorted(net(rows), key=_order)) if rows else nothing
        values = prepared.values(raws[number], state, ask.position[0], ask.since)
        found[ask.member_id] = Snapshot(prepared, ask, values, state)
    if len(found) != len(asks):
        raise ValueError("a member was asked twice in one statement")
    return found


def read_contributions(cursor: Cursor, member_ids: Iterable[int]) -> dict[int, list[Contribution]]:
    """Return all contributions of the members in order of `known`, for facts.RunningFacts: one statement."""
    found: dict[int, list[Contribution]] = {member: [] for member in member_ids}
    say = SAYS[_dialect_of(cursor)]
    raw = f"{RAW_NUMBERS}, kind, line, known_key, {say.fields}"
    for row in _rows(cursor, _HISTORY.format(raw=raw, members=say.members), (as_json(list(found)),)):
        found[row[9]].append(_contribution(row[:5], row[5:9], row[10]))
    for rows in found.values():
        rows.sort(key=_order)
    return found


def _rows(cursor: Cursor, text: str, parameters: Sequence[str]) -> list[Any]:
    if isinstance(cursor, psycopg.Cursor) and not isinstance(cursor, psycopg.RawCursor):
        # With the server's own $1, psycopg need not read through a long text each time before it finds it prepared.
        cursor = psycopg.RawCursor(cursor.connection)
    cursor.execute(text, parameters)
    return cursor.fetchall()


def _order(row: Contribution) -> tuple[Position, str, int]:
    # Of a corrected line the old word goes before the new one comes, at the same position.
    return row.known, row.line, row.qty


def _contribution(numbers: Sequence[int], texts: Sequence[Any], cause: str = "") -> Contribution:
    at, known_at, known_class, qty, amount = numbers
    kind, line, known_key, fields = texts
    values: Mapping[str, Scalar] = orjson.loads(fields) if isinstance(fields, str) else fields
    return Contribution(kind, line, at, (known_at, known_class, known_key), cause or kind, qty, amount, values)


def _dialect_of(cursor: Cursor) -> Dialect:
    return "sqlite" if type(cursor).__module__.startswith("sqlite3") else "postgresql"


_HISTORY: Final = "SELECT {raw}, member_id, cause FROM contribution WHERE member_id IN ({members})"
