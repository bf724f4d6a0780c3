"""The span of each request: around all else, and only where the service was started with traces."""

from __future__ import annotations

from typing import Final

from opentelemetry.trace import StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import METHODS
from api.rights import CALLER
from tierengine.traces import Traces

TRACE: Final = "tierengine.trace"  # where in the scope the number of the request's trace stands, for its log line
# Asked every few seconds by those who watch; nobody looks for them in a trace.
_QUIET: Final = frozenset(("/livez", "/readyz", "/metrics"))


class Traced:
    """Gives each request a span that names its route, its status and the dealer's number, and nothing else of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        traces: Traces | None = scope["app"].state.traces if scope["type"] == "http" else None
        if traces is None or scope["path"] in _QUIET:
            await self.app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        parent = next((value for name, value in scope["headers"] if name == b"traceparent"), b"").decode("latin-1")
        with traces.request(method, parent) as span:
            scope[TRACE] = f"{span.get_span_context().trace_id:032x}"
            status = 0

            async def sent(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await self.app(scope, receive, sent)
            finally:
                span.set_attribute("http.request.method", method)
                if (route := getattr(scope.get("route"), "path", "")) != "":
                    span.update_name(f"{method} {route}")
                    span.set_attribute("http.route", route)
                if status:
                    span.set_attribute("http.response.status_code", status)
                if status >= 500 or not status:
                    # (No status: the client left before its answer.)
                    span.set_attribute("error.type", str(status or "left"))
                if status >= 500:
                    span.set_status(StatusCode.ERROR)
                if (caller := scope.get(CALLER)) is not None:
                    span.set_attribute("tierengine.dealer", caller.dealer_id)
