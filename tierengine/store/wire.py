"""Statements that travel together: queued, sent in one round trip, prepared once on the server.

This is libpq's pipeline mode by psycopg's own wrapper of it, with psycopg's adaptation of values both ways, and without
a cursor a statement: of what one sale costs this process, cursors were a quarter.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

_DONE: Final = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class Reply:
    """What was asked and will be known once it was sent."""

    __slots__ = ("_rows", "_wire", "parameters", "result", "text")

    def __init__(self, wire: Wire, text: str, parameters: Sequence[Any]) -> None:
        self._wire = wire
        self._rows: list[tuple[Any, ...]] | None = None
        self.text = text
        self.parameters = parameters
        self.result: PGresult | None = None

    def rows(self) -> list[tuple[Any, ...]]:
        """Return all rows; where the statement still waits, it is sent now with all that wait."""
        if self._rows is None:
            if self.result is None:
                self._wire.send()
            if self.result is None:
                raise psycopg.InterfaceError("the statement was never sent")
            self._rows = self._wire.load(self.result)
            self.result = None
        return self._rows


class Wire:
    """One connection's statements. Used by one thread at a time, as the connection is.

    A statement begins a transaction where none is open, as psycopg's own would. `send` raises the first statement's
    error; the server has passed over all that came after it.
    """

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self._raw = raw
        self._conn = raw.pgconn
        self._out = Transformer(raw)
        self._in = Transformer(raw)
        self._queued: list[Reply] = []
        self._names: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._poll = select.poll()
        self._poll.register(self._conn.socket, select.POLLIN)

    def ask(self, text: str, parameters: Sequence[Any] = ()) -> Reply:
        """Queue a statement, with the server's own `$1`; a list is sent as an array."""
        return self.put(text, [_array(one) if isinstance(one, list) else one for one in parameters])

    def put(self, text: str, parameters: Sequence[Any]) -> Reply:
        """Queue a statement that has no lists among its parameters: a row."""
        reply = Reply(self, text, parameters)
        self._queued.append(reply)
        return reply

    def forget(self) -> None:
        """Drop what is queued."""
        self._queued.clear()

    def send(self) -> None:
        """Send what is queued and read every answer."""
        if not self._queued:
            return
        queued, self._queued = self._queued, []
        conn = self._conn
        if self._raw.closed:
            raise psycopg.OperationalError("the connection is closed")
        expected: list[Reply | tuple[tuple[str, tuple[int, ...]], bytes] | None] = []
        conn.enter_pipeline_mode()
        try:
            if not self._raw.autocommit and conn.transaction_status == TransactionStatus.IDLE:
                conn.send_query_params(b"BEGIN", None)
                expected.append(None)
            named: dict[tuple[str, tuple[int, ...]], bytes] = {}
            for reply in queued:
                given = reply.parameters
                values = self._out.dump_sequence(given, [PyFormat.AUTO] * len(given))
                key = (reply.text, tuple(self._out.types or ()))
                name = self._names.get(key) or named.get(key)
                if name is None:
                    name = named[key] = b"tierengine_%d" % (len(self._names) + len(named))
                    conn.send_prepare(name, reply.text.encode(), key[1])
                    expected.append((key, name))
                conn.send_query_prepared(name, values, self._out.formats)
                expected.append(reply)
            conn.pipeline_sync()
            failed = self._read(expected)
            conn.exit_pipeline_mode()
        except BaseException:
            # Answers may be under way that nobody waits for: the connection is of no more use.
            self._raw.close()
            raise
        if failed is not None:
            raise error_from_result(failed)

    def load(self, result: PGresult) -> list[tuple[Any, ...]]:
        """Return a result's rows as Python's values."""
        self._in.set_pgresult(result)
        return self._in.load_rows(0, result.ntuples, tuple)

    def _read(self, expected: Sequence[Reply | tuple[tuple[str, tuple[int, ...]], bytes] | None]) -> PGresult | None:
        """Read the answers of all that was sent, to the end; return the first that is an error."""
        conn = self._conn
        while conn.flush():
            self._make_room()
        failed: PGresult | None = None
        for one in expected:
            result = self._next()
            # (What ends a statement's answers has come with the last of them: nothing is waited for.)
            while (more := conn.get_result()) is not None:
                result = more
            if result is None:
                raise psycopg.OperationalError("the server sent no answer")
            if result.status not in _DONE:
                failed = failed or result
            elif isinstance(one, Reply):
                one.result = result
            elif one is not None:
                self._names[one[0]] = one[1]
        synced = self._next()
        if synced is None or synced.status != ExecStatus.PIPELINE_SYNC:
            raise psycopg.OperationalError(f"the server and this program lost step: {conn.error_message!r}")
        return failed

    def _next(self) -> PGresult | None:
        conn = self._conn
        while conn.is_busy():
            self._poll.poll()
            conn.consume_input()
        return conn.get_result()

    def _make_room(self) -> None:
        """Wait until more can be sent; the server may first want to be rid of an answer."""
        both = select.poll()
        both.register(self._conn.socket, select.POLLIN | select.POLLOUT)
        if sum(found for _, found in both.poll()) & select.POLLIN:
            self._conn.consume_input()


def _array(values: Sequence[Any]) -> str:
    """Return a list of integers or text as PostgreSQL writes an array."""
    return "{" + ",".join([str(one) if type(one) is int else _quoted(one) for one in values]) + "}"


def _quoted(text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError(f"a list of {type(text).__name__} is not sent to PostgreSQL")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
