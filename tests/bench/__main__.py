"""`python -m tests.bench`: runs every benchmark and prints the table that BENCHMARKS.md holds.

Needs a PostgreSQL (found by tests.postgres, with fsync on). `--quick` runs a tenth of everything, to see that it works;
`--large` adds a book of 1,000,000 members and verifies 1,000,000 entries (about half an hour more). `--members N` is
how many `plan` and `award` play with (100,000). Name sections to run only those: starting, judging, sales, embedded,
groups, redeem, quotes, reads, imports, bulk, verify, growth, plan, award, slow.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests import postgres
from tests.bench import (
    bare,
    bulk,
    crowd,
    groups,
    growth,
    http,
    imports,
    judging,
    plans,
    prizes,
    slow,
    starting,
    table,
    verifying,
)
from tests.bench.flushes import disk
from tests.bench.stage import Load, Stage, analyze, make
from tests.faults.service import Service

Row = tuple[str, str, str, str]


def main(argv: list[str]) -> int:
    """Run the sections asked for and print one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--members", type=int, default=0)
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], default=[])
    asked = parser.parse_args(argv)
    scale = 10 if asked.quick else 1
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}; medians of runs in turn.\n"
    )
    print("| what | measured | ratio (least to most) | goal |\n|---|---|---|---|", flush=True)
    for name in asked.sections or SECTIONS:
        section = (LARGE if asked.large and name in LARGE else SECTIONS)[name]
        if name in CROWDED and asked.members:
            section = partial(section, members=asked.members)
        for row in section(scale):
            print("| " + " | ".join(row) + " |", flush=True)
    return 0


def _judging(scale: int) -> Iterable[Row]:
    titles = {
        "matching": ("matching alone, default policy, against the bare engine recipe", "≥ 0.9 ×"),
        "judge": ("whole judgement, default policy, against the bare engine recipe", "≥ 0.6 ×"),
        "matching, short": ("matching alone, against that recipe with our short way to retract", "–"),
    }
    for name, found in judging.against_the_engine(scale):
        title, goal = titles[name]
        yield title, _micros(found), f"{found.ratio:.2f} × ({found.least:.2f} to {found.most:.2f})", goal
    found, kinds, facts = judging.many_rules(scale)
    yield (
        f"one event of each of {kinds} kinds under 500 rules that ask {facts} facts, against 17 rules",
        _micros(found),
        _times(found),
        "≤ 3 × the time",
    )
    count, before, after = judging.memory(scale)
    held = f"{before:.1f} MB, then {after:.1f} MB"
    yield f"memory over {count:,} judgements, no two alike in turn", held, f"{after - before:+.1f} MB", "flat"
    found = judging.compiling(scale)
    yield "reading and compiling 500 rules, against yaml.compose (CSafeLoader)", _micros(found), _times(found), "≤ 20 ×"


def _micros(found: judging.Compared) -> str:
    return f"{found.ours:,.1f} µs against {found.floor:,.1f} µs"


def _times(found: judging.Compared) -> str:
    return f"{1 / found.ratio:.2f} × the time ({1 / found.most:.2f} to {1 / found.least:.2f})"


def _sales(scale: int) -> Iterable[Row]:
    for clients, workers, count, goal in ((1, 1, 2_000, "≥ 0.35 ×"), (32, 2, 8_000, "≥ 0.6 ×")):
        with postgres.private_server() as base, postgres.database(base) as url:
            stage = make(url, 1_000)
            found = http.sales(stage, clients, workers, count // scale)
        title = f"sale over HTTP, PostgreSQL, {clients} client(s), {workers} worker(s), against the bare endpoint"
        yield _compared(title, found["ours"], found["bare"], goal)


def _embedded(scale: int) -> Iterable[Row]:
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
    what, measured, ratio, goal = _compared(title, ours.runs, floor.runs, "≥ 5 ×")
    mine, theirs = (statistics.median(one.flushes) for one in (ours, floor))
    return what, f"{measured}; {mine:.2f} flushes a sale against {theirs:.2f}", ratio, goal


def _groups(scale: int) -> Iterable[Row]:
    with postgres.private_server() as base, postgres.database(base) as url:
        found = groups.measure(make(url, 1_000), 960 // scale)
    for name, title in (("sales", "sales, judged"), ("credits", "credits by hand")):
        ratios = [ours / plain for ours, plain in zip(found[name], found["plain"], strict=True)]
        yield (
            f"recording in process, PostgreSQL, groups of {groups.GROUP}: {title}, against single entries by psycopg",
            f"{statistics.median(found[name]):,.0f}/s against {statistics.median(found['plain']):,.0f}/s",
            f"{statistics.median(ratios):.2f} × ({min(ratios):.2f} to {max(ratios):.2f})",
            "≥ 1.2 ×",
        )


def _redeem(scale: int) -> Iterable[Row]:
    with postgres.private_server() as base, postgres.database(base) as url:
        found = http.redeems(make(url, 100), 64, max(20 // scale, 2))
    title = "redeem of one member's last credit, 64 clients, exactly one winner, against a guarded UPDATE"
    yield _compared(title, found["ours"], found["bare"], "≥ 0.5 ×")


def _quotes(scale: int) -> Iterable[Row]:
    with postgres.private_server() as base, postgres.database(base) as url:
        stage = make(url, 1_000)
        http.seed(stage, 4_000 // scale)
        analyze(stage)
        found = http.quotes(stage, 2_000 // scale)
    for name, title, goal in (("explained", "with every reason", "≥ 0.25 ×"), ("plain", "explain=none", "≥ 0.4 ×")):
        yield _compared(f"quote over HTTP, {title}, against an empty endpoint", found[name], found["empty"], goal)


def _reads(scale: int, sizes: Sequence[int] = (1_000, 100_000)) -> Iterable[Row]:
    with postgres.private_server() as base, ExitStack() as opened:
        stages = [make(opened.enter_context(postgres.database(base)), max(size // scale, 100)) for size in sizes]
        for stage in stages:
            http.seed(stage, 2_000 // scale)
            analyze(stage)
        for clients, workers, count in ((1, 1, 1_000), (32, 2, 2_000)):
            found = http.reads(stages, clients, workers, count // scale)
            for large in stages[1:]:
                yield from _grew(found[stages[0].members], found[large.members], clients, stages[0], large)


def _grew(
    few: dict[str, list[Load]], many: dict[str, list[Load]], clients: int, small: Stage, large: Stage
) -> Iterable[Row]:
    for name, title in (("read", "member read"), ("quote", "quote"), ("sale", "sale")):
        p50s, p95s = (
            [getattr(two, what) / getattr(one, what) for one, two in zip(few[name], many[name], strict=True)]
            for what in ("p50", "p95")
        )
        yield (
            f"{title} over HTTP, PostgreSQL, {clients} client(s), {large.members:,} members against {small.members:,}",
            f"{_percentiles(many[name])} against {_percentiles(few[name])}",
            f"p50 {statistics.median(p50s):.2f} ×, p95 {statistics.median(p95s):.2f} × the time",
            "p50 ≤ 1.3 ×, p95 ≤ 1.2 ×" if clients == 1 else "p95 ≤ 1.2 ×",
        )


def _percentiles(runs: Sequence[Load]) -> str:
    p50, p95, p99 = (statistics.median(getattr(run, name) for run in runs) for name in ("p50", "p95", "p99"))
    return f"p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms"


def _imports(_scale: int) -> Iterable[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ordered, shuffled, real = imports.files(folder)
        what = "10,000 real sales" if real else "10,000 made-up sales"
        for title, file, goal in (("in order", ordered, "≥ 1,000/s"), ("in random order", shuffled, "≥ 300/s")):
            found = [imports.imported(f"sqlite:///{folder}/{title[3:9]}{turn}.db", file) for turn in range(3)]
            yield _imported(f"import of {what}, {title}, SQLite", found, goal)
            yield _booked(f"import of {what}, {title}, SQLite", found, "executemany")
        with postgres.private_server() as base:
            found = [imports.imported(postgres.create(base), ordered, base) for _ in range(2)]
        yield _booked(f"import of {what}, in order, PostgreSQL", found, "COPY")


def _imported(title: str, found: list[imports.Imported], goal: str) -> Row:
    itself, whole = ([imports.ROWS / getattr(one, name) for one in found] for name in ("itself", "whole"))
    said = f"{statistics.median(itself):,.0f} events/s; with the start of the process {statistics.median(whole):,.0f}"
    return title, said, f"({min(itself):,.0f} to {max(itself):,.0f})", goal


def _booked(title: str, found: list[imports.Imported], how: str) -> Row:
    ratios = [one.floor / one.itself for one in found]
    itself, floor = (statistics.median(getattr(one, name) for one in found) for name in ("itself", "floor"))
    return (
        f"{title}, against {how} of the {found[0].rows:,} rows that it books",
        f"{itself:.1f} s against {floor:.2f} s",
        f"{statistics.median(ratios):.3f} × ({min(ratios):.3f} to {max(ratios):.3f})",
        "≥ 0.1 ×",
    )


def _bulk(scale: int) -> Iterable[Row]:
    count, events = (6, bulk.EVENTS) if scale == 1 else (3, bulk.EVENTS // 4)
    with tempfile.TemporaryDirectory() as name:
        stage = make(f"sqlite:///{name}/book.db", 1_000)
        yield _in_bulk("SQLite", events, bulk.batches(stage, bulk.before(stage.url), count, events), "executemany")
    with postgres.private_server() as base, postgres.database(base) as url:
        stage = make(url, 1_000)
        yield _in_bulk("PostgreSQL", events, bulk.batches(stage, bulk.before(url, base), count, events), "COPY")


def _in_bulk(database: str, events: int, found: bulk.Bulk, how: str) -> Row:
    rows = found.rows / (len(found.batches) + 1)
    each, floor = statistics.median(found.batches), found.floor / (len(found.batches) + 1)
    return (
        f"events:batch of {events:,} sales over HTTP, {database}, against {how} of the {rows:,.0f} rows that it books",
        f"{each * 1_000:,.0f} ms ({events / each:,.0f} events/s) against {floor * 1_000:,.0f} ms",
        f"{found.ratio:.3f} ×",
        "≥ 0.1 ×",
    )


def _verify(scale: int, entries: int = 100_000) -> Iterable[Row]:
    entries //= scale
    with tempfile.TemporaryDirectory() as name:
        yield _verified("SQLite", verifying.measure(f"sqlite:///{name}/book.db", entries))
    with postgres.private_server() as base, postgres.database(base) as url:
        yield _verified("PostgreSQL", verifying.measure(url, entries))


def _verified(database: str, found: list[verifying.Measured]) -> Row:
    ratios = [one.verifying / one.reading for one in found]
    processor = [one.verifying_processor / one.reading_processor for one in found]
    took, reading = (statistics.median(getattr(one, name) for one in found) for name in ("verifying", "reading"))
    return (
        f"verify of {found[0].entries:,} entries ({found[0].rows:,} sealed rows), {database}, against reading those",
        f"{took:.1f} s against {reading:.1f} s",
        (
            f"{statistics.median(ratios):.1f} × the time ({min(ratios):.1f} to {max(ratios):.1f}); "
            f"{statistics.median(processor):.1f} × the processor time ({min(processor):.1f} to {max(processor):.1f})"
        ),
        "≤ 3 ×",
    )


def _growth(scale: int) -> Iterable[Row]:
    many = 10_000 // scale
    with tempfile.TemporaryDirectory() as name:
        yield from _grown("SQLite", many, growth.measure(f"sqlite:///{name}/book.db", 10, many, 5))
    with postgres.private_server() as base, postgres.database(base) as url:
        yield from _grown("PostgreSQL", many, growth.measure(url, 10, many, 5))


def _grown(database: str, many: int, found: dict[tuple[str, str], growth.Act]) -> Iterable[Row]:
    for (what, which), act in found.items():
        if which == "few":
            continue
        late = "late" in what
        first = "the first" in what
        base = found["event in order, cold" if first else "event in order", "many"] if late else found[what, "few"]
        against = ("one in order, cold" if first else "one in order") if late else "one with 10"
        yield (
            f"{what}, member with {many:,} events against {against}, in process, {database}",
            (
                f"{act.median():.1f} ms against {base.median():.1f} ms; processor {act.processor():.1f} ms against "
                f"{base.processor():.1f} ms"
            ),
            f"{act.median() / base.median():.1f} × the time; {act.processor() / base.processor():.1f} × the processor",
            "≤ 20 ×" if late else "≤ 8 ×",
        )


def _plan(scale: int, members: int = 100_000) -> Iterable[Row]:
    for database, _, fresh in _databases():
        parts = plans.shares(crowd.fill(fresh(), max(members // scale // 50, 100)))
        book = crowd.fill(fresh(), members // scale)
        yield table.row(
            f"policy plan over {book.members:,} members with {crowd.EACH} purchases each, two policies, {database}, "
            "against one statement of SQL for these two",
            plans.measure(book),
            "≤ 2 ×",
            ", ".join(f"{name} {share:.0%}" for name, share in parts.items()),
        )


def _award(scale: int, members: int = 100_000) -> Iterable[Row]:
    for database, base, fresh in _databases():
        book = crowd.fill(fresh(), members // scale)
        ours, floor, winners, rows = prizes.measure(book, base)
        yield table.row(
            f"award over {book.members:,} members, {winners:,} prizes, {database}, against a ranking by SQL and COPY "
            f"(SQLite: executemany) of the {rows:,} rows booked",
            [(ours, floor)],
            "≤ 2 ×",
        )


def _databases() -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Yield each kind of database with its server's URL and what makes an empty one there."""
    numbers = itertools.count()
    with tempfile.TemporaryDirectory() as name:
        yield "SQLite", "", lambda: f"sqlite:///{name}/{next(numbers)}.db"
    with postgres.private_server() as base:
        yield "PostgreSQL", base, lambda: postgres.create(base)


def _compared(title: str, ours: list[Load], floor: list[Load], goal: str) -> Row:
    ratios = [one.rate / other.rate for one, other in zip(ours, floor, strict=True)]
    rate, bare = (statistics.median(run.rate for run in runs) for runs in (ours, floor))
    return (
        title,
        f"{rate:,.0f}/s against {bare:,.0f}/s; {_percentiles(ours)} against {_percentiles(floor)}",
        f"{statistics.median(ratios):.2f} × ({min(ratios):.2f} to {max(ratios):.2f})",
        goal,
    )


def _slow(scale: int) -> Iterable[Row]:
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


def _starting(scale: int) -> Iterable[Row]:
    found = starting.measure(max(3, 10 // scale))
    ratios = [ours / floor for ours, floor in found]
    ours, floor = (statistics.median(seconds) for seconds in zip(*found, strict=True))
    yield (
        'processor time from nothing to the first answer of `serve`, against `python -c "import fastapi, sqlmodel"`',
        f"{ours:.2f} s against {floor:.2f} s",
        f"{statistics.median(ratios):.2f} × the time ({min(ratios):.2f} to {max(ratios):.2f})",
        "≤ 2 ×",
    )


SECTIONS: dict[str, Callable[[int], Iterable[Row]]] = {
    "starting": _starting,
    "judging": _judging,
    "sales": _sales,
    "embedded": _embedded,
    "groups": _groups,
    "redeem": _redeem,
    "quotes": _quotes,
    "reads": _reads,
    "imports": _imports,
    "bulk": _bulk,
    "verify": _verify,
    "growth": _growth,
    "plan": _plan,
    "award": _award,
    "slow": _slow,
}
LARGE: dict[str, Callable[[int], Iterable[Row]]] = {
    "reads": partial(_reads, sizes=(1_000, 100_000, 1_000_000)),
    "verify": partial(_verify, entries=1_000_000),
}
CROWDED = ("plan", "award")

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
