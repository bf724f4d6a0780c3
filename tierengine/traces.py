"""Traces (OpenTelemetry): a span of each request, of each transaction of the writer, and of each seal.

Off unless TIERENGINE_TRACES=otlp, which needs the extra `tierengine[otel]`; where they go and how many are kept is said
by OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER …). A span names routes, counts and a
dealer's number: no path, no query string, no header, no value, no exception's message. What a framework would record by
itself has all of those, so nothing is left to one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

NAME: Final = "tierengine"
SECONDS: Final = 3.0
_PARENT: Final = TraceContextTextMapPropagator()


class Traces:
    """Makes the spans of one process. Thread-safe; `close` sends what is not sent yet."""

    def __init__(self, provider: TracerProvider, close: Callable[[], None]) -> None:
        self._tracer = provider.get_tracer(NAME)
        self.close = close

    @contextmanager
    def request(self, method: str, traceparent: str) -> Iterator[Span]:
        """Open the span of a request, under that of who asks where `traceparent` (W3C) is one; it is current inside."""
        parent = _PARENT.extract({"traceparent": traceparent}) if traceparent else None
        with self._tracer.start_as_current_span(
            method, parent, SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:
            yield span

    @contextmanager
    def work(self, name: str, causes: Sequence[SpanContext | None], **told: int) -> Iterator[None]:
        """Open the span of a transaction: under its one cause, or linked to each where several share it."""
        known = [cause for cause in causes if cause is not None and cause.is_valid]
        parent = trace.set_span_in_context(trace.NonRecordingSpan(known[0])) if len(known) == 1 else None
        links = [Link(cause) for cause in known] if len(known) > 1 else None
        attributes = {f"{NAME}.{key}": value for key, value in told.items()}
        with self._tracer.start_as_current_span(
            name, parent, attributes=attributes, links=links, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except BaseException as problem:
                span.set_attribute("error.type", type(problem).__qualname__)
                span.set_status(StatusCode.ERROR)
                raise


def cause() -> SpanContext | None:
    """Return the span under way where this is called, None for none."""
    found = trace.get_current_span().get_span_context()
    return found if found.is_valid else None


def begun(style: str, exporter: SpanExporter | None = None) -> Traces | None:
    """Return what makes spans, as TIERENGINE_TRACES says: None for "off". They go to `exporter`, else out by OTLP."""
    if style == "off":
        return None
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415  the extra, only where it is asked for
    from opentelemetry.sdk.trace import TracerProvider as Provider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor  # noqa: PLC0415

    named: dict[str, Any] = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: NAME}
    made = Provider(resource=Resource.create(named), shutdown_on_exit=False)
    if exporter is not None:
        made.add_span_processor(SimpleSpanProcessor(exporter))
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

        # Where the collector is away, this is how long the end of the process waits for it.
        given = any(os.environ.get(f"OTEL_EXPORTER_OTLP_{name}TIMEOUT") for name in ("", "TRACES_"))
        made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=None if given else SECONDS)))
    return Traces(made, made.shutdown)
