"""How long a client may take, and how many there may be: what uvicorn leaves to a proxy, kept here as well.

Once a second all connections are looked at. One that has been sending a head or a body for too long is answered 408 and
closed; one that takes nothing of its answer is cut. Where there are as many as there may be, the oldest that is sending
or idle makes room, so that who holds connections open and says nothing keeps nobody out. A request costs none of this
more than a microsecond: what is looked at is what the parser knows anyway.
"""

from __future__ import annotations

import resource
import secrets
from dataclasses import dataclass
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

LOOK_SECONDS: Final = 1.0
SPARE_FILES: Final = 100  # for the book, the logs and what else is open
_BODY: Final = (
    b'{"type":"urn:tierengine:problem:%(code)s","title":"%(code)s","status":%(status)d,"detail":"%(detail)s",'
    b'"code":"%(code)s","request_id":"%(id)s","retryable":%(retryable)s}'
)
_HEAD: Final = (
    b"HTTP/1.1 %(status)d %(phrase)s\r\ncontent-type: application/problem+json\r\ncontent-length: %(length)d\r\n"
    b"x-request-id: %(id)s\r\n%(after)sconnection: close\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a connection is answered without any request having reached the app; in the form of every other problem."""

    status: int
    phrase: str
    code: str
    detail: str
    retryable: bool = True

    def told(self) -> bytes:
        """Return the whole answer, with an id of its own."""
        said: dict[bytes, Any] = {
            b"status": self.status, b"phrase": self.phrase.encode(), b"code": self.code.encode(),
            b"detail": self.detail.encode(), b"id": secrets.token_hex(8).encode(),
            b"retryable": b"true" if self.retryable else b"false",
            b"after": b"retry-after: 1\r\n" if self.retryable else b"",
        }  # fmt: skip
        body = _BODY % said
        return _HEAD % {**said, b"length": len(body)} + body


TOO_SLOW: Final = Refusal(
    408, "Request Timeout", "too_slow", "请求发得太慢，连接已关闭。The request took too long to arrive."
)
TOO_MANY: Final = Refusal(
    503, "Service Unavailable", "busy", "连接太多，请稍后重试。Too many connections; try again shortly."
)
STOPPING: Final = Refusal(
    503, "Service Unavailable", "busy", "服务正在停止，请稍后重试。The service is stopping; try again shortly."
)
NO_HTTP: Final = Refusal(
    400, "Bad Request", "bad_request", "请求不是合格的 HTTP。What came is no proper HTTP.", retryable=False
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a head and a body may take, in seconds, and how many connections a process has at most."""

    head: float
    body: float
    connections: int

    def within(self) -> Patience:
        """Return the same with no more connections than this process may open, after asking for as many as needed."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        needed = self.connections + SPARE_FILES
        if hard == resource.RLIM_INFINITY or hard > soft:
            most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
            if most > soft:
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
                soft = most
        return Patience(self.head, self.body, max(1, min(self.connections, soft - SPARE_FILES)))


class Config(uvicorn.Config):
    """uvicorn's, with a patience; it goes to the worker processes with the rest."""

    def __init__(self, app: str, patience: Patience, **more: Any) -> None:
        super().__init__(app, http=Bounded, ws="none", **more)
        self.patience = patience


class Room:
    """The connections of one process, those that did something last at the end."""

    def __init__(self, state: ServerState, patience: Patience, loop: Any) -> None:
        self.state = state
        self.patience = patience.within()
        self.order: dict[Bounded, None] = {}
        self.stopping = False
        self._loop = loop
        loop.call_later(LOOK_SECONDS, self._look)

    def enter(self, one: Bounded) -> bool:
        """Let a connection in, at the cost of another where it is full; False when there is no room."""
        full = len(self.order) >= self.patience.connections
        if full and not self._evict():
            return False
        self.order[one] = None
        return True

    def _evict(self) -> bool:
        for other in self.order:
            if other.phase()[0] in ("idle", "head", "body"):
                other.end(b"")
                del self.order[other]
                return True
        return False

    def _look(self) -> None:
        now = self._loop.time()
        for one in list(self.order):
            one.look(now, self.patience)
        self._loop.call_later(LOOK_SECONDS, self._look)


class Bounded(H11Protocol):
    """A connection that may not take for ever."""

    def connection_made(self, transport: Any) -> None:
        """Begin, or refuse where there are too many."""
        super().connection_made(transport)
        self.mark: tuple[str, object] = ("", None)
        self.since = self.loop.time()
        room = getattr(self.server_state, "room", None)
        if room is None:
            room = Room(self.server_state, self.config.patience, self.loop)  # type: ignore[attr-defined]
            self.server_state.room = room  # type: ignore[attr-defined]
        self.room: Room = room
        if room.stopping:
            # Taken from the system just before the end began, it was not there when all were asked to close: uvicorn
            # would serve it until the time to stop is over, and cut off whatever it asks then.
            self.end(STOPPING.told())
        elif not room.enter(self):
            self.end(TOO_MANY.told())

    def shutdown(self) -> None:
        """Close once what is asked is answered: the service ends."""
        self.room.stopping = True
        super().shutdown()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn gives it
        """Answer what is no HTTP in the form of every other problem, unless an answer is under way."""
        cycle: Any = self.cycle
        begun = cycle is not None and cycle.response_started and not cycle.response_complete
        self.end(b"" if begun else NO_HTTP.told())

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self.room.order.pop(self, None)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Go to the end of those who may have to make room."""
        order = self.room.order
        if self in order:
            del order[self]
            order[self] = None
        super().on_response_complete()

    def phase(self) -> tuple[str, object]:
        """Return what is being waited for, and of what: the same again means that it is still waited for."""
        if (waiting := self.transport.get_write_buffer_size()) > 0:
            return "answer", waiting
        theirs = self.conn.their_state
        cycle: Any = self.cycle  # None before the first request
        if theirs is h11.SEND_BODY:
            return "body", cycle
        if theirs is h11.IDLE and (cycle is None or cycle.response_complete):
            # (After an answer uvicorn itself ends a connection on which nothing more comes.)
            begun = cycle is None or self.timeout_keep_alive_task is None
            return ("head" if begun else "idle"), cycle
        return "work", cycle

    def look(self, now: float, patience: Patience) -> None:
        """End the connection where one thing has been waited for too long."""
        mark = self.phase()
        if mark != self.mark:
            self.mark, self.since = mark, now
            return
        what, _ = mark
        most = {"head": patience.head, "body": patience.body, "answer": patience.body}.get(what)
        # (It may have begun up to a look before it was seen.)
        if most is None or now - self.since + LOOK_SECONDS / 2 < most:
            return
        told = b""
        if (what == "body" and not self.cycle.response_started) or (what == "head" and self.conn.trailing_data[0]):
            told = TOO_SLOW.told()
        self.end(told)

    def end(self, told: bytes) -> None:
        """Close now: with an answer where there is one to give, else without waiting for what was not taken."""
        if self.transport.is_closing():
            self.transport.abort()
        elif told:
            # The answer of who begins one now would come after this one.
            cycle: Any = self.cycle
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
            self.transport.write(told)
            self.transport.close()
        else:
            self.transport.abort()
