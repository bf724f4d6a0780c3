"""What the endpoints share: the writer, the reading threads, and the callers; made and ended by the app's lifespan."""

from __future__ import annotations

import asyncio
import hashlib
import re
import sqlite3
import unicodedata
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import psycopg
from fastapi import Request

from api.bodies import BODY_MOST, parse, read_bytes
from api.counter import Counter
from api.errors import Problem, language
from api.keys import Keys
from api.limits import Limits
from api.readers import Readers
from api.rights import CALLER
from rules.vocabulary import PROSE
from tierengine.access.callers import Caller
from tierengine.access.secret import Secret
from tierengine.errors import Conflict, Malformed, Unavailable, Unknown
from tierengine.judging.clock import ANSWERED
from tierengine.membership.asker import Asker
from tierengine.personal.vault import Vault
from tierengine.recording.items import Answer, By, Item, Once
from tierengine.recording.once import Act, once, stored
from tierengine.recording.recorder import Clock
from tierengine.recording.writer import Writer
from tierengine.settings import Settings
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.till.signing import Signer
from tierengine.zone import moment

IN_FLIGHT_SECONDS: Final = 2.0
Read = TypeVar("Read")
_KEY: Final = re.compile(r"[!-~]([ -~]{0,253}[!-~])?", re.ASCII)
_STORE: Final = "SELECT 1 FROM store WHERE dealer_id = ?1 AND code = ?2"


@dataclass(slots=True)
class Service:
    """One running service."""

    settings: Settings
    writer: Writer
    counter: Counter
    readers: Readers
    keys: Keys
    limits: Limits
    clock: Clock
    secret: Secret
    signer: Signer
    kept: Vault | None = None
    stores: set[tuple[int, str]] = field(default_factory=set)
    flying: dict[tuple[str, str], asyncio.Future[None]] = field(default_factory=dict)

    @property
    def vault(self) -> Vault:
        """Return what seals and opens personal data; Unavailable where its keys have no place."""
        if self.kept is None:
            raise Unavailable("keys_down")
        return self.kept

    def now(self) -> int:
        """Return the time in microseconds UTC."""
        return self.clock()

    async def record(self, item: Item) -> Answer:
        """Queue an item of a till, and return its answer once it is committed (or was not)."""
        if item.once is None:
            return await self.counter.record(item)
        async with self.alone(item.once):
            return await self.counter.record(item)

    async def act(self, dealer: int, key: Once, act: Act) -> Answer:
        """Do what is no observation in a transaction of its own, under its key (recording.once.once)."""

        def run(claimed: Callable[[Link, Ids], Answer]) -> Answer:
            try:
                return self.writer.perform(claimed).result()
            except (psycopg.OperationalError, sqlite3.OperationalError) as error:
                raise Unavailable("database_down") from error

        async with self.alone(key):
            return await asyncio.to_thread(once, run, dealer, key, act)

    async def answer_of(self, dealer: int, key: Once) -> Answer | None:
        """Return the answer that a key has already; None where it is free."""
        return await self.readers.ask(lambda link: stored(link, dealer, key))

    async def read(self, write: Write, how: Callable[[int | None], Read], late_days: int | None) -> Read:
        """Return what `how` reads of a body, given how far back it may date.

        What was answered once is answered so for ever: with a key that has its answer, a body may have become too old,
        or lie ahead since the clock was set back.
        """
        try:
            return how(late_days)
        except Malformed:
            if await self.answer_of(write.caller.dealer_id, write.once) is None:
                raise
        return how(ANSWERED)

    @asynccontextmanager
    async def alone(self, key: Once) -> AsyncIterator[None]:
        """Wait while another request of this key is under way; Conflict (`in_flight`) when that takes too long.

        Afterwards its answer is stored, and found. (Another process is waited for by the database.)
        """
        name, loop = (key.scope, key.key), asyncio.get_running_loop()
        until = loop.time() + IN_FLIGHT_SECONDS
        while (other := self.flying.get(name)) is not None:
            await asyncio.wait((other,), timeout=max(0.0, until - loop.time()))
            if not other.done():
                raise Conflict("in_flight")
        mine = self.flying[name] = loop.create_future()
        try:
            yield
        finally:
            del self.flying[name]
            mine.set_result(None)

    async def store_of(self, found: Caller, named: object) -> str:
        """Return the store for which a caller writes: his own, or, with a key of the whole dealer, the one he names."""
        if found.store or not isinstance(named, str) or (found.dealer_id, named) in self.stores:
            return found.store
        named = unicodedata.normalize("NFKC", named).strip()  # as it is read with the body
        if not named.isprintable():
            return ""  # no database is asked for it; whoever reads the body says what is wrong
        if not await self.readers.ask(lambda link: link.ask(_STORE, found.dealer_id, named).rows()):
            raise Unknown("unknown_store", store=named[:100])
        self.stores.add((found.dealer_id, named))
        return ""


def plain_code(text: str) -> str:
    """Return a code as it is kept, from an address that somebody typed: half-width, nothing around it."""
    return text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def service_of(request: Request) -> Service:
    """Return the service that answers this request."""
    found: Service = request.app.state.tierengine
    return found


@dataclass(frozen=True, slots=True)
class Write:
    """A write as it came: who, what, and under which idempotency key."""

    service: Service
    caller: Caller
    raw: dict[str, Any]
    once: Once


def caller_of(request: Request) -> Caller:
    """Return who asks, as the route's guard found him."""
    found: Caller = request.scope[CALLER]
    return found


async def write_of(request: Request, *, most: int = BODY_MOST, body: bool = True) -> Write:
    """Read a write: the key first, then the body of at most so many bytes. The route's guard asked who may.

    `body` False: the method has none (DELETE).
    """
    service, caller = service_of(request), caller_of(request)
    key = request.headers.get("idempotency-key")
    if key is None:
        raise Problem("idempotency_key_missing")
    if not _KEY.fullmatch(key):
        raise Problem("idempotency_key_bad")
    sent = await read_bytes(request, most) if body else b"{}"
    # A large one is read beside the loop, on which tills wait.
    raw = parse(sent) if len(sent) <= BODY_MOST else await asyncio.to_thread(parse, sent)
    path: str = request.scope["path"]
    service.limits.touch(caller.dealer_id, raw.get("member"))
    digest = hashlib.sha256(f"{request.method} {path}\n".encode() + sent).hexdigest()
    former = ""
    if _says_of_people(path, raw):
        # Of a name, or of a note, no plain hash is kept for anybody to try names against.
        digest, former, *_ = (*service.secret.macs("request", digest), "")
    return Write(service, caller, raw, Once(caller.scope, key, digest, _by(request, caller, raw), former))


def _says_of_people(path: str, raw: dict[str, Any]) -> bool:
    """Whether a body holds names, phones or free text."""
    if path.startswith("/v1/members"):
        return True
    events = raw.get("events")
    if isinstance(events, list):
        return any(isinstance(one, dict) and not PROSE.isdisjoint(one) for one in events)
    return not PROSE.isdisjoint(raw)


def _by(request: Request, caller: Caller, raw: dict[str, Any]) -> By | None:
    """Return whose act of the staff this is: all that is done logged in, and with a key what no till may do."""
    route = request.scope["route"]
    if not caller.login and "pos" in route.roles:
        return None
    named = request.path_params
    subject = next((f"{name}:{named[name]}" for name in named), "")
    if "code" in named or (not named and isinstance(raw.get("member"), str)):
        subject = f"member:{plain_code(named.get('code') or raw['member'])}"
    act = f"{request.method} {route.path}"
    return By(caller.actor, act, subject[:200], str(request.scope.get("tierengine.request_id", "")))


def asker_of(request: Request, caller: Caller, lang: str | None = None) -> Asker:
    """Return how to tell this caller: its store's words only, in its language ("both": in both)."""
    chosen = language(request) if lang is None else ("" if lang == "both" else lang)
    return Asker(caller.store, chosen)


def stamp(now: int) -> str:
    """Return an instant as a till would write it, to the microsecond."""
    return moment(now).isoformat()
