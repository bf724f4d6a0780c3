"""The app: `create_app(settings)`. Nothing happens before its lifespan begins; the lifespan owns the writer.

Serve it with `tierengine serve`, which bounds how long a client may take: one process on SQLite, as many as there are
cores on PostgreSQL.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import re
import secrets
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import orjson
from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import (
    access,
    awards,
    balances,
    batches,
    docs,
    duties,
    errors,
    events,
    health,
    holds,
    members,
    merging,
    metrics,
    personal,
    policies,
    registration,
    rights,
    sales,
    sessions,
    slips,
    stores,
    webhooks,
)
from api.addresses import routed
from api.counter import Counter
from api.keys import Keys
from api.limits import STATE, Limits
from api.metrics import METHODS, Metrics
from api.readers import Readers
from api.service import Service
from api.traces import TRACE, Traced
from tierengine.access.secret import Secret
from tierengine.judging.values import is_personal
from tierengine.logs import REQUESTS, guard
from tierengine.personal.vault import Vault
from tierengine.recording.recorder import Clock, clock
from tierengine.recording.sealer import Sealer
from tierengine.recording.writer import Writer
from tierengine.settings import Settings
from tierengine.store.database import NotReady
from tierengine.store.outages import told
from tierengine.till.signing import Signer
from tierengine.traces import begun
from tierengine.webhooks.courier import Courier

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

TURN_SECONDS: Final = 0.0005
COLLECT_AFTER: Final = 50_000
# What is left to close once all are answered: a webhook's answer, a seal, connections.
CLOSING_SECONDS: Final = 15.0
LEFT: Final = 499  # as proxies count a client that left before its answer
_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_log = logging.getLogger(__name__)
_requests = logging.getLogger(REQUESTS)


def serving() -> FastAPI:
    """Return the service as the environment says, for a process that does nothing but serve it: that is tuned, too."""
    app = create_app()
    app.state.closing = CLOSING_SECONDS
    guard()
    if multiprocessing.parent_process() is not None:
        # The one above has it, and replaces its workers one after the other. (A terminal that is closed tells all.)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # The loop, the readers and the writer take turns at the interpreter. At Python's own five milliseconds a turn,
    # a request would wait that long each time the writer judges a group.
    sys.setswitchinterval(TURN_SECONDS)
    # Requests leave hardly any cycles, and what was loaded stays: to look through it all again and again cost a
    # fifth of the time of a sale. (Not in the lifespan: what is frozen is never freed, and a process that begins one
    # app after another would keep them all.)
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 50)
    return app


def create_app(given: Settings | None = None, *, now: Clock = clock, exporter: SpanExporter | None = None) -> FastAPI:
    """Return the service for one book; without settings, as the environment says.

    The writer and the readers live as long as the app's lifespan. `now` is the time in microseconds UTC, for all of it;
    spans go to `exporter` (of OpenTelemetry) instead of over the network.
    """
    settings = Settings.read() if given is None else given

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            async with _living(app):
                yield
        except Exception as problem:
            if app.state.closing is None:
                raise  # who runs the app inside his own process is told all of it
            # (The server would log the whole traceback of what leaves here, with its messages.)
            _log.critical("the service ends: %s", told(problem), exc_info=problem)
            raise Ended from None

    @asynccontextmanager
    async def _living(app: FastAPI) -> AsyncIterator[None]:
        secret = Secret.of(settings)
        traces = app.state.traces = begun(settings.traces, exporter)
        writer = await asyncio.to_thread(
            Writer, settings.database_url, settings, now=now, traces=traces, tally=app.state.metrics.tally
        )
        sealer = None if writer.broken else Sealer(settings, writer, now=now, traces=traces)
        readers = Readers(settings)
        keys = Keys(readers, secret, settings.session_idle_minutes, now=now)
        vault = _vault(settings)
        courier = None if writer.broken else Courier(settings, secret, writer, now=now)
        app.state.courier = courier
        app.state.tierengine = Service(
            settings,
            writer,
            Counter(writer, traced=traces is not None),
            readers,
            keys,
            Limits(settings),
            now,
            secret,
            Signer(secret),
            vault,
        )
        hurry = None if app.state.closing is None else _last_resort(app.state.closing)
        try:
            async with app.state.metrics.watching(writer), keys.noting(writer):
                try:
                    yield
                finally:
                    if hurry is not None:
                        hurry.start()
        finally:
            # What waits is recorded and answered before the process ends.
            if courier is not None:
                await asyncio.to_thread(courier.close)
            if sealer is not None:
                await asyncio.to_thread(sealer.close)
            await asyncio.to_thread(writer.close)
            await asyncio.to_thread(readers.close)
            if traces is not None:
                await asyncio.to_thread(traces.close)
            if vault is not None:
                vault.close()
            if hurry is not None:
                hurry.cancel()

    app = FastAPI(
        title="tierengine",
        summary="会员等级与奖励 · membership tiers and rewards",
        version="1",
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        lifespan=lifespan,
        # An address is one address: a till is sent nowhere else, least of all to what its Host header says.
        redirect_slashes=False,
        # What FastAPI records of its own accord, once a variable of the environment asks for it, has paths and query
        # strings in it; a query may be a phone number.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        separate_input_output_schemas=False,
    )
    for router in (
        sales.router,
        holds.router,
        slips.router,
        slips.public,
        webhooks.router,
        events.router,
        batches.router,
        members.router,
        registration.router,
        merging.router,
        personal.router,
        balances.router,
        policies.router,
        awards.router,
        duties.router,
        health.router,
        metrics.router,
        sessions.router,
        sessions.mine,
        access.router,
        stores.router,
        docs.router,
    ):
        # The routes themselves: FastAPI would include copies, and derive each anew from what its endpoint takes and
        # gives, which is most of what it costs to make the app; nothing is added to them here.
        app.router.routes.extend(router.routes)
    rights.check(app)
    errors.install(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    app.state.metrics = metrics.Metrics()
    app.state.closing = None
    app.add_middleware(rights.Direct, routes=app)
    app.add_middleware(Outermost, metrics=app.state.metrics)
    if settings.traces != "off":
        app.add_middleware(Traced)
    return app


class Ended(RuntimeError):
    """The service could not start, or not end in order; the log says why."""


def _last_resort(seconds: float) -> threading.Timer:
    """Return what ends the process after so long: a database that says nothing must not keep it for ever.

    All that was answered is committed by then, and what was not is sent again.
    """

    def end() -> None:
        _log.error("something does not end: given up after %g s", seconds)
        os._exit(3)

    made = threading.Timer(seconds, end)
    made.daemon = True
    return made


def _vault(settings: Settings) -> Vault | None:
    """Return what seals personal data. A till goes on without: what needs names or phones is answered 503."""
    try:
        return Vault.of(settings)
    except NotReady as problem:
        _log.warning("no names or phones can be kept or looked up: %s", told(problem))
        return None


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        from api.document import document  # noqa: PLC0415  a hundred shapes, which serving tills has no use for

        app.openapi_schema = document(app)
    return app.openapi_schema


class Outermost:
    """Gives each request its id, counts it, and answers what nobody else caught with a problem, not a bare 500."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope, bare = routed(scope), scope["method"] == "HEAD"
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        # (Logged, and kept in the audit: a number that can only be a phone's or an identity card's is none.)
        good = _ID.fullmatch(given) and not is_personal(given.decode())
        own = given if good else secrets.token_hex(8).encode()
        scope["tierengine.request_id"] = own.decode()
        begun, status, since = False, LEFT, time.perf_counter()

        async def sent(message: Message) -> None:
            nonlocal begun, status
            if message["type"] == "http.response.start":
                begun, status = True, message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", own), *scope.get(STATE, ())]
            elif bare:
                message["body"] = b""
            await send(message)

        try:
            await self.app(scope, receive, sent)
        except ClientDisconnect:
            pass  # he left while he was sending, or was cut off: there is nobody to answer, and nothing to look into
        except Exception:
            _log.exception("request %s failed", own.decode())
            if begun:
                raise
            await _failed(own.decode(), sent)
        finally:
            took = time.perf_counter() - since
            route = getattr(scope.get("route"), "path", "")
            self.metrics.request(scope["method"], route, status, took)
            if _requests.isEnabledFor(logging.INFO):
                _line(scope, route, status, took)


def _line(scope: Scope, route: str, status: int, took: float) -> None:
    """Write the request's line: who asked by number, never what he asked for or of whom."""
    caller = scope.get(rights.CALLER)
    traced = {"trace_id": scope[TRACE]} if TRACE in scope else {}
    _requests.info(
        "request",
        extra={
            **traced,
            "request_id": scope["tierengine.request_id"],
            "method": scope["method"] if scope["method"] in METHODS else "other",
            "route": route or None,
            "status": status,
            "ms": round(took * 1_000, 2),
            "dealer": None if caller is None else caller.dealer_id,
            "key": None if caller is None else caller.prefix,
        },
    )


async def _failed(number: str, send: Send) -> None:
    body = orjson.dumps(
        {
            "type": "urn:tierengine:problem:failed",
            "title": "failed",
            "status": 500,
            "detail": errors.sentence("failed", {}, "zh"),
            "code": "failed",
            "request_id": number,
            "retryable": False,
        }
    )
    headers = [(b"content-type", errors.PROBLEM.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})
