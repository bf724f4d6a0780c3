"""GET /metrics, for Prometheus: requests, the writer, and what waits. No label names a dealer, a store or a member.

Each process counts for itself and says so in the label `worker`: with several, a scrape reaches one of them, so sums
over workers are of their last values. The page is made at most once a second, so to ask for it often costs nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, Final

from fastapi import APIRouter, Request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from api.service import Service, service_of
from tierengine.errors import Unavailable
from tierengine.recording.tally import SIZES
from tierengine.recording.writer import Writer
from tierengine.store.dialect import Link

router: Final = APIRouter(tags=["health"])

FRESH_SECONDS: Final = 1.0
SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
# What is counted in the database (each by an index) is counted so far and no further.
MOST: Final = 100_000
# A label has few values, whatever is asked.
METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_UNSEALED: Final = f"SELECT count(*) FROM (SELECT 1 FROM unsealed LIMIT {MOST}) AS counted"
_DELIVERIES: Final = f"SELECT count(*) FROM (SELECT 1 FROM webhook_delivery WHERE state = ?1 LIMIT {MOST}) AS counted"


class Metrics:
    """The numbers of one app. `request` is called for each request, and costs a few microseconds."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # when each label was first seen: as many lines again, which nobody reads
        self.registry = CollectorRegistry()
        self.worker = str(os.getpid())
        self._requests = Counter(
            "tierengine_http_requests",
            "Requests answered; status 499: the client left before its answer.",
            ("worker", "method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "tierengine_http_request_seconds",
            "From the first byte of the request's head to the last of its answer.",
            ("worker", "method", "route"),
            buckets=SECONDS,
            registry=self.registry,
        )
        # To look labels up in the library costs as much as to count.
        self._known: dict[tuple[str, str, int], tuple[Any, Any]] = {}
        self._page: tuple[float, bytes] = (0.0, b"")

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is the template of its path, "" where none matched."""
        known = self._known.get((method, route, status))
        if known is None:
            known = self._labelled(method, route, status)
        known[0].inc()
        known[1].observe(seconds)

    def _labelled(self, method: str, route: str, status: int) -> tuple[Any, Any]:
        named, path = method if method in METHODS else "other", route or "none"
        made = (
            self._requests.labels(self.worker, named, path, str(status)),
            self._seconds.labels(self.worker, named, path),
        )
        if named == method:
            self._known[method, route, status] = made
        return made

    async def page(self, service: Service) -> bytes:
        """Return the text for Prometheus, of this second."""
        made, page = self._page
        if time.monotonic() - made < FRESH_SECONDS:
            return page
        # Before the first await, so that those who ask meanwhile get the last one.
        self._page = (time.monotonic(), page)
        try:
            waiting: dict[str, int] | None = await service.readers.ask(_waiting)
        except Unavailable:
            waiting = None
        seen = CollectorRegistry()
        seen.register(_Seen(self.worker, service.writer, waiting))
        page = generate_latest(self.registry) + generate_latest(seen)
        self._page = (time.monotonic(), page)
        return page


class _Seen(Collector):
    """What is read when it is asked for instead of being counted all the time."""

    def __init__(self, worker: str, writer: Writer, waiting: dict[str, int] | None) -> None:
        self._worker, self._writer, self._waiting = worker, writer, waiting

    def collect(self) -> Iterator[Metric]:
        """Give the writer's numbers, and what waits in the database where that answers."""
        own = [self._worker]
        lanes = GaugeMetricFamily("tierengine_writer_queue", "Requests that wait.", labels=("worker", "lane"))
        for lane, count in self._writer.waiting().items():
            lanes.add_metric([*own, lane], count)
        yield lanes
        yield _gauge("tierengine_writer_ready", "1: what is sent now will be recorded.", own, self._writer.ready)
        tally = self._writer.tally
        counts = list(accumulate(tally.sizes))
        bounds = [*(str(float(size)) for size in SIZES), "+Inf"]
        groups = HistogramMetricFamily("tierengine_writer_group_size", "Requests in a group.", labels=("worker",))
        groups.add_metric(own, list(zip(bounds, counts, strict=True)), tally.items)
        yield groups
        commits = CounterMetricFamily("tierengine_writer_commits", "Transactions done.", labels=("worker", "kind"))
        commits.add_metric([*own, "group"], counts[-1])
        commits.add_metric([*own, "act"], tally.acts)
        yield commits
        failed = CounterMetricFamily("tierengine_writer_failed", "Transactions given up.", labels=("worker",))
        failed.add_metric(own, tally.failed)
        yield failed
        yield _gauge("tierengine_database_up", "1: the database answers.", own, self._waiting is not None)
        if self._waiting is not None:
            unsealed = f"Rows that no seal covers yet, counted to {MOST}; the same for every worker."
            yield GaugeMetricFamily("tierengine_unsealed_rows", unsealed, self._waiting["unsealed"])
            told = f"Webhook deliveries, counted to {MOST}; the same for every worker."
            deliveries = GaugeMetricFamily("tierengine_webhook_deliveries", told, labels=("state",))
            for state in ("waiting", "dead"):
                deliveries.add_metric([state], self._waiting[state])
            yield deliveries


def _gauge(name: str, about: str, own: list[str], value: bool) -> Metric:
    made = GaugeMetricFamily(name, about, labels=("worker",))
    made.add_metric(own, int(value))
    return made


def _waiting(link: Link) -> dict[str, int]:
    found = {state: link.ask(_DELIVERIES, state).rows()[0][0] for state in ("waiting", "dead")}
    return found | {"unsealed": link.ask(_UNSEALED).rows()[0][0]}


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Answer in Prometheus' text format. The proxy keeps it inside (docs/operating.md)."""
    page = await request.app.state.metrics.page(service_of(request))
    return Response(page, headers={"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"})
