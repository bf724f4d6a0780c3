"""Recording in process on PostgreSQL, in groups, against plain psycopg: an entry, a balance and a COMMIT each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import psycopg

from tests.bench import bare
from tests.bench.stage import Stage, order
from tierengine.policies.versions import Programme, load
from tierengine.recording.acts import Adjust
from tierengine.recording.items import Command, Item, Once
from tierengine.recording.recorder import Recorder, clock
from tierengine.store.database import connect
from tierengine.till.orders import read_order
from tierengine.till.prices import as_asked
from tierengine.till.sales import sale

GROUP = 64


def measure(stage: Stage, count: int, rounds: int = 5) -> dict[str, list[float]]:
    """Return, round by round, entries a second of plain psycopg, and sales and credits a second of ours."""
    bare.prepare(stage.url, [stage.member(number) for number in range(stage.members)])
    recorder = Recorder(connect(stage.url))
    dealer = int(recorder.link.ask("SELECT id FROM dealer").rows()[0][0])
    programme = load(recorder.link, dealer)
    recorder.link.rollback()
    kinds: dict[str, Callable[[int, str], Item]] = {
        "sales": lambda number, tag: _sale(stage, programme, number, tag),
        "credits": lambda number, tag: Command(
            dealer, (stage.member(number),), Adjust(f"{tag}-{number}", "parts_credit", 100, "bench", "bench")
        ),
    }
    found: dict[str, list[float]] = {name: [] for name in ("plain", *kinds)}
    with psycopg.connect("postgresql://" + stage.url.partition("://")[2], prepare_threshold=0) as plain:
        for turn in range(rounds + 1):  # the first one warms up and is not counted
            rates = {"plain": _plain(plain, stage, count, turn)}
            for name, made in kinds.items():
                rates[name] = _recorded(recorder, [made(number, f"{name}{turn}") for number in range(count)])
            for name, rate in rates.items():
                found[name] += [rate] if turn else []
    recorder.link.close()
    return found


def _plain(connection: psycopg.Connection[tuple[object, ...]], stage: Stage, count: int, turn: int) -> float:
    begun = time.perf_counter()
    for number in range(count):
        member = stage.member(number)
        connection.execute(
            "INSERT INTO bare_sale (store, number, member, amount) VALUES (%s, %s, %s, %s)",
            ("S01", f"{turn}-{number}", member, 94_000),
        )
        connection.execute("UPDATE bare_balance SET balance = balance + %s WHERE member = %s", (94_000, member))
        connection.commit()
    return count / (time.perf_counter() - begun)


def _recorded(recorder: Recorder, items: Sequence[Item]) -> float:
    begun = time.perf_counter()
    for first in range(0, len(items), GROUP):
        for answer in recorder.record(items[first : first + GROUP]):
            if answer is None or answer.number != 201:
                raise RuntimeError(f"not recorded: {answer}")
    return len(items) / (time.perf_counter() - begun)


def _sale(stage: Stage, programme: Programme, number: int, tag: str) -> Item:
    now = clock()
    asked = read_order(
        {**order(stage, number, tag), "prices": [36_000, 58_000]}, source="till-S01", store="S01", now_us=now,
        zone=programme.info, late_days=None, currency=programme.currency,
    )  # fmt: skip
    lines, uses = as_asked(programme.line.at(now).rules.policy, asked)
    return sale(programme.dealer_id, asked, lines, uses, now=now, once=Once("bench", f"{tag}-{number}", "0" * 64))
