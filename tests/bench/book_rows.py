"""The rows of what is done to a book in process or by a command: judging, recording, files, checks, plans, awards."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests import postgres
from tests.bench import bulk, crowd, groups, growth, imports, judging, plans, prizes, table, verifying
from tests.bench.stage import make
from tests.bench.table import Row


def judging_rows(scale: int) -> Iterable[Row]:
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


def groups_rows(scale: int) -> Iterable[Row]:
    with postgres.private_server() as base, postgres.database(base) as url:
        found = groups.measure(make(url, 1_000), 960 // scale)
    rates, spent = found.rates, {name: statistics.median(one) * 1e6 for name, one in found.spent.items()}
    for name, told in (("sales", "sales, judged"), ("credits", "credits by hand")):
        ratios = [ours / plain for ours, plain in zip(rates[name], rates["plain"], strict=True)]
        rows, entries = found.booked[name]
        stay = f"{rows:.1f} rows each that stay, {entries:.1f} of them entries of the ledger"
        title = f"recording in process, PostgreSQL, groups of {groups.GROUP}: {told} ({stay}), against single entries"
        measured = f"{statistics.median(rates[name]):,.0f}/s against {statistics.median(rates['plain']):,.0f}/s"
        measured += f"; processor time with the server's {spent[name]:,.0f} µs against {spent['plain']:,.0f} µs"
        times = f"{statistics.median(ratios):.2f} × ({min(ratios):.2f} to {max(ratios):.2f})"
        times += f"; in rows {rows * statistics.median(ratios):.2f} ×"
        yield f"{title} of one row by psycopg", measured, times, "≥ 1.2 ×"


def imports_rows(_scale: int) -> Iterable[Row]:
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


def bulk_rows(scale: int) -> Iterable[Row]:
    count, events = (6, bulk.EVENTS) if scale == 1 else (3, bulk.EVENTS // 4)
    for whose in ("members, who earn", "customers, who do not"):
        with tempfile.TemporaryDirectory() as name:
            stage = make(f"sqlite:///{name}/book.db", 1_000)
            if whose.startswith("members"):
                bulk.enroll(stage)
            found = bulk.batches(stage, bulk.before(stage.url), count, events)
            yield _in_bulk("SQLite", events, whose, found, "executemany")
        with postgres.private_server() as base, postgres.database(base) as url:
            stage = make(url, 1_000)
            if whose.startswith("members"):
                bulk.enroll(stage)
            found = bulk.batches(stage, bulk.before(url, base), count, events)
            yield _in_bulk("PostgreSQL", events, whose, found, "COPY")


def _in_bulk(database: str, events: int, whose: str, found: bulk.Bulk, how: str) -> Row:
    rows = found.rows / (len(found.batches) + 1)
    each, floor = statistics.median(found.batches), found.floor / (len(found.batches) + 1)
    return (
        f"events:batch of {events:,} sales to {whose}, over HTTP, {database}, against {how} of its {rows:,.0f} rows",
        f"{each * 1_000:,.0f} ms ({events / each:,.0f} events/s) against {floor * 1_000:,.0f} ms",
        f"{found.ratio:.3f} ×",
        "≥ 0.1 ×",
    )


def verify_rows(scale: int, entries: int = 100_000, runs: int = 3) -> Iterable[Row]:
    entries //= scale
    with tempfile.TemporaryDirectory() as name:
        yield _verified("SQLite", verifying.measure(f"sqlite:///{name}/book.db", entries, runs))
    with postgres.private_server() as base, postgres.database(base) as url:
        yield _verified("PostgreSQL", verifying.measure(url, entries, runs))


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


def growth_rows(scale: int) -> Iterable[Row]:
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


def plan_rows(scale: int, members: int = 50_000) -> Iterable[Row]:
    for database, _, fresh in table.databases():
        parts = plans.shares(crowd.fill(fresh(), max(members // scale // 50, 100)))
        book = crowd.fill(fresh(), members // scale)
        yield table.row(
            f"policy plan over {book.members:,} members with {crowd.EACH} purchases each, two policies, {database}, "
            "against one statement of SQL for these two",
            plans.measure(book),
            "≤ 2 ×",
            ", ".join(f"{name} {share:.0%}" for name, share in parts.items()),
        )


def award_rows(scale: int, members: int = 100_000) -> Iterable[Row]:
    for database, base, fresh in table.databases():
        book = crowd.fill(fresh(), members // scale)
        ours, floor, winners, rows = prizes.measure(book, base)
        yield table.row(
            f"award over {book.members:,} members, {winners:,} prizes, {database}, against a ranking by SQL and COPY "
            f"(SQLite: executemany) of the {rows:,} rows booked",
            [(ours, floor)],
            "≤ 2 ×",
        )
