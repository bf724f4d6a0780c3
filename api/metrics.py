"""GET /metrics, for Prometheus: requests, the writers, and what waits. No label names a dealer, a store or a member.

With several workers the page is of all of them, whichever is asked: each counts in files of its own that `serve` has
made room for (prometheus_client's multiprocess mode); one that has ended leaves its counts and takes its gauges along.
The page is made at most once a second, so to ask for it often costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from starlette.responses import Response

from api.rights import by_name
from api.service import Service, service_of
from tierengine.errors import Unavailable
from tierengine.recording.tally import SIZES, Tally
from tierengine.recording.writer import Writer
from tierengine.store.dialect import Link

router: Final = APIRouter(tags=["health"], generate_unique_id_function=by_name)

FRESH_SECONDS: Final = 1.0
SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
# What is counted in the database (each by an index) is counted so far and no further.
MOST: Final = 100_000
# A label has few values, whatever is asked.
METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
# Set by `serve` where there are several workers, before they begin: the library reads it when it is imported.
SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"
_LIVE: Final = re.compile(r"gauge_live\w*_(\d+)\.db")
_UNSEALED: Final = f"SELECT count(*) FROM (SELECT 1 FROM unsealed LIMIT {MOST}) AS counted"
DELIVERIES: Final = (
    "SELECT count(*) FROM (SELECT 1 FROM webhook w CROSS JOIN webhook_delivery d "
    f"WHERE d.webhook_id = w.id AND d.state = ?1 AND w.state <> 'removed' LIMIT {MOST}) AS counted"
)


class Metrics:
    """The numbers of one app. `request` is called for each request, and costs a few microseconds."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # when each label was first seen: as many lines again, which nobody reads
        own = self.registry = CollectorRegistry()
        self.shared = os.environ.get(SHARED, "")
        self._requests = Counter(
            "tierengine_http_requests",
            "Requests answered; status 499: the client left before its answer.",
            ("method", "route", "status"),
            registry=own,
        )
        self._seconds = Histogram(
            "tierengine_http_request_seconds",
            "From the first byte of the request's head to the last of its answer.",
            ("method", "route"),
            buckets=SECONDS,
            registry=own,
        )
        self.tally = WriterMetrics(own)
        self._queue = Gauge(
            "tierengine_writer_queue", "Requests that wait.", ("lane",), registry=own, multiprocess_mode="livesum"
        )
        self._ready = _gauge("tierengine_writer_ready", "1: what is sent now will be recorded.", own, "livemin")
        self._up = _gauge("tierengine_database_up", "1: the database answers.", own, "livemin")
        self._workers = _gauge("tierengine_workers", "Processes that serve.", own, "livesum")
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
        made = (self._requests.labels(named, path, str(status)), self._seconds.labels(named, path))
        if named == method:
            self._known[method, route, status] = made
        return made

    def look(self, writer: Writer) -> None:
        """Set this worker's gauges to what they are now."""
        for lane, count in writer.waiting().items():
            self._queue.labels(lane).set(count)
        self._ready.set(int(writer.ready))
        self._workers.set(1)

    @contextlib.asynccontextmanager
    async def watching(self, writer: Writer) -> AsyncIterator[None]:
        """Keep the gauges fresh for the worker that is asked for the page, where there are several."""

        async def live() -> None:
            while True:
                self.look(writer)
                await asyncio.sleep(FRESH_SECONDS)

        self._up.set(1)
        task = asyncio.create_task(live()) if self.shared else None
        try:
            yield
        finally:
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

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
        self.look(service.writer)
        self._up.set(int(waiting is not None))
        page = await asyncio.to_thread(self._text, waiting)
        self._page = (time.monotonic(), page)
        return page

    def _text(self, waiting: dict[str, int] | None) -> bytes:
        seen = CollectorRegistry()
        if waiting is not None:
            seen.register(_Seen(waiting))
        if not self.shared:
            return generate_latest(self.registry) + generate_latest(seen)
        for file in Path(self.shared).iterdir():
            if (found := _LIVE.fullmatch(file.name)) is not None and not _alive(int(found[1])):
                with contextlib.suppress(FileNotFoundError):  # another worker was quicker
                    mark_process_dead(int(found[1]), self.shared)  # type: ignore[no-untyped-call]
        MultiProcessCollector(seen, self.shared)  # type: ignore[no-untyped-call]
        return generate_latest(seen)


class WriterMetrics(Tally):
    """The writer's tally, told to Prometheus as it grows; a group costs it two microseconds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._size = Histogram("tierengine_writer_group_size", "Requests in a group.", buckets=SIZES, registry=registry)
        commits = Counter("tierengine_writer_commits", "Transactions done.", ("kind",), registry=registry)
        self._group, self._act = commits.labels("group"), commits.labels("act")
        self._failed = Counter("tierengine_writer_failed", "Transactions given up.", registry=registry)

    def group(self, size: int) -> None:
        """Count a group that was committed."""
        super().group(size)
        self._size.observe(size)
        self._group.inc()

    def act(self) -> None:
        """Count an act that was committed."""
        super().act()
        self._act.inc()

    def gave_up(self) -> None:
        """Count a transaction that was given up."""
        super().gave_up()
        self._failed.inc()


class _Seen(Collector):
    """What waits in the database: counted when it is asked for, and the same whichever worker counts."""

    def __init__(self, waiting: dict[str, int]) -> None:
        self._waiting = waiting

    def collect(self) -> Iterator[Metric]:
        """Give what waits."""
        unsealed = f"Rows that no seal covers yet, counted to {MOST}."
        yield GaugeMetricFamily("tierengine_unsealed_rows", unsealed, self._waiting["unsealed"])
        told = f"Webhook deliveries, counted to {MOST}."
        deliveries = GaugeMetricFamily("tierengine_webhook_deliveries", told, labels=("state",))
        for state in ("waiting", "dead"):
            deliveries.add_metric([state], self._waiting[state])
        yield deliveries


def _gauge(name: str, about: str, registry: CollectorRegistry, mode: Any) -> Gauge:
    return Gauge(name, about, registry=registry, multiprocess_mode=mode)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _waiting(link: Link) -> dict[str, int]:
    found = {state: link.ask(DELIVERIES, state).rows()[0][0] for state in ("waiting", "dead")}
    return found | {"unsealed": link.ask(_UNSEALED).rows()[0][0]}


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Answer in Prometheus' text format. The proxy keeps it inside (docs/operating.md)."""
    page = await request.app.state.metrics.page(service_of(request))
    return Response(page, headers={"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"})
