"""The rows of what the service does: over HTTP, with other clients, at other sizes of the book."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests import postgres
from tests.bench import bare, entries, http, slow, starting, table
from tests.bench.flushes import disk
from tests.bench.stage import Load, analyze, make
from tests.bench.table import Row
from tests.faults.service import Service


def starting_rows(scale: int) -> Iterable[Row]:
    found = starting.measure(max(3, 10 // scale))
    ratios = [ours / floor for ours, floor in found]
    ours, floor = (statistics.median(seconds) for seconds in zip(*found, strict=True))
    yield (
        'processor time from nothing to the first answer of `serve`, against `python -c "import fastapi, sqlmodel"`',
        f"{ours:.2f} s against {floor:.2f} s",
        f"{statistics.median(ratios):.2f} × the time ({min(ratios):.2f} to {max(ratios):.2f})",
        "≤ 2 ×",
    )


def sales_rows(scale: int) -> Iterable[Row]:
    for clients, workers, count, goal in ((1, 1, 2_000, "≥ 0.35 ×"), (32, 2, 8_000, "≥ 0.6 ×")):
        with postgres.private_server() as base, postgres.database(base) as url:
            stage = make(url, 1_000)
            found = http.sales(stage, clients, workers, count // scale)
        title = f"sale over HTTP, PostgreSQL, {clients} client(s), {workers} worker(s), against the bare endpoint"
        yield table.compared(title, found["ours"], found["bare"], goal)
        if "shared" in found:
            title += " on workers that share connections as ours do"
            yield table.compared(title, found["ours"], found["shared"], goal)


def embedded_rows(scale: int) -> Iterable[Row]:
    with tempfile.TemporaryDirectory() as name:
        stage = make(f"sqlite:///{name}/book.db", 1_000)
        bare.prepare(stage.url, [stage.member(number) for number in range(stage.members)])
        for more, count in ((0, 1_600), (5, 960), (10, 640)):
            on = disk(Path(name), more)
            found = http.embedded(stage, on, 32, count // scale)
            slower = f"each flush {more} ms longer" if more else "the disk as it is"
            title = f"sale over HTTP, SQLite, 32 clients, {slower} (a COMMIT there {on.commit_ms:.1f} ms), against"
            yield _shared(f"{title} the bare endpoint, a COMMIT each on the same file", found["ours"], found["bare"])
            yield _shared(f"{title} our own endpoint with a COMMIT each", found["ours"], found["alone"])


def _shared(title: str, ours: http.Embedded, floor: http.Embedded) -> Row:
    what, measured, ratio, goal = table.compared(title, ours.runs, floor.runs, "≥ 5 ×")
    mine, theirs = (statistics.median(one.flushes) for one in (ours, floor))
    return what, f"{measured}; {mine:.2f} flushes a sale against {theirs:.2f}", ratio, goal


def redeem_rows(scale: int) -> Iterable[Row]:
    with postgres.private_server() as base, postgres.database(base) as url:
        found = http.redeems(make(url, 100), 64, max(20 // scale, 2))
    title = "redeem of one member's last credit, 64 clients, exactly one winner, against a guarded UPDATE"
    yield table.compared(title, found["ours"], found["bare"], "≥ 0.5 ×")


def quotes_rows(scale: int) -> Iterable[Row]:
    with postgres.private_server() as base, postgres.database(base) as url:
        stage = make(url, 1_000)
        http.seed(stage, 4_000 // scale)
        analyze(stage)
        found = http.quotes(stage, 2_000 // scale)
    for name, title, goal in (("explained", "with every reason", "≥ 0.25 ×"), ("plain", "explain=none", "≥ 0.4 ×")):
        yield table.compared(f"quote over HTTP, {title}, against an empty endpoint", found[name], found["empty"], goal)


def reads_rows(scale: int, sizes: Sequence[int] = (1_000, 100_000)) -> Iterable[Row]:
    with postgres.private_server() as base, ExitStack() as opened:
        stages = [make(opened.enter_context(postgres.database(base)), max(size // scale, 100)) for size in sizes]
        for stage in stages:
            http.seed(stage, 2_000 // scale)
            analyze(stage)
        for clients, workers, count in ((1, 1, 1_000), (32, 2, 2_000)):
            found = http.reads(stages, clients, workers, count // scale)
            for large in stages[1:]:
                titles = f"{large.members:,} members", f"{stages[0].members:,}"
                yield from _grew(found[stages[0].members], found[large.members], clients, "PostgreSQL", titles)


def _grew(
    few: dict[str, list[Load]], many: dict[str, list[Load]], clients: int, database: str, titles: tuple[str, str]
) -> Iterable[Row]:
    for name, title in (("read", "member read"), ("quote", "quote"), ("sale", "sale")):
        p50s, p95s = (
            [getattr(two, what) / getattr(one, what) for one, two in zip(few[name], many[name], strict=True)]
            for what in ("p50", "p95")
        )
        yield (
            f"{title} over HTTP, {database}, {clients} client(s), {titles[0]} against {titles[1]}",
            f"{table.percentiles(many[name])} against {table.percentiles(few[name])}",
            f"p50 {statistics.median(p50s):.2f} ×, p95 {statistics.median(p95s):.2f} × the time",
            "p50 ≤ 1.3 ×, p95 ≤ 1.2 ×" if clients == 1 else "p95 ≤ 1.2 ×",
        )


def entries_rows(scale: int, most: int = 1_000_000) -> Iterable[Row]:
    for database, _, fresh in table.databases():
        small, large = (entries.fill(fresh(), many // scale) for many in (10_000, most))
        for clients, workers, asked in ((1, 1, 1_000), (32, 2, 2_000)):
            if workers == 1 or database == "PostgreSQL":
                found = http.reads([small, large], clients, workers, asked // scale)
                titles = (
                    f"{most // scale:,} ledger entries of {large.members:,} members",
                    f"{10_000 // scale:,} of {small.members:,}",
                )
                yield from _grew(found[small.members], found[large.members], clients, database, titles)


def slow_rows(scale: int) -> Iterable[Row]:
    with tempfile.TemporaryDirectory() as name, postgres.private_server() as base, postgres.database(base) as url:
        for database, at, workers in (("SQLite", f"sqlite:///{name}/book.db", 1), ("PostgreSQL, 2 workers", url, 2)):
            stage, numbers = make(at, 1_000), iter(range(10**6))
            with Service(stage, workers) as service:
                for what in ("quotes", "sales"):
                    found = slow.measure(service, stage, what, numbers, asks=500 // scale, turns=4)
                    alone, beside = (slow.percentile(one, 0.99) for one in (found.alone, found.beside))
                    cost = f"the slow take {found.share:.0%} of a core, {found.cut} cut"
                    yield (
                        f"{what} of one till beside {slow.CLIENTS} clients that send a byte a second, {database}",
                        f"p99 {alone:.1f} → {beside:.1f} ms; {cost}",
                        f"p99 {found.ratio(0.99):.2f} ×, p50 {found.ratio(0.5):.2f} ×",
                        "p99 ≤ 2 ×",
                    )
