"""Recording in process on PostgreSQL, in groups, against plain psycopg: an entry, a balance and a COMMIT each."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from api.app import COLLECT_AFTER
from tests.bench import bare
from tests.bench.processor import server_of, spent
from tests.bench.stage import Stage, order
from tierengine.policies.versions import Programme, load
from tierengine.recording.acts import Adjust
from tierengine.recording.items import Command, Item, Once
from tierengine.recording.recorder import Recorder, clock
from tierengine.store.database import connect
from tierengine.store.rows import INSERT_ONLY
from tierengine.till.orders import read_order
from tierengine.till.prices import as_asked
from tierengine.till.sales import sale

GROUP = 64


@dataclass
class Found:
    """What was measured of plain entries ("plain"), judged sales ("sales") and credits by hand ("credits").

    rates   items a second, round by round
    spent   processor time of an item, seconds, the server's with it, round by round
    booked  rows that an item adds for ever, and how many of them are entries of the ledger
    """

    rates: dict[str, list[float]]
    spent: dict[str, list[float]]
    booked: dict[str, tuple[float, float]]


def measure(stage: Stage, count: int, rounds: int = 5) -> Found:
    """Record `count` items of each kind a round, in turn."""
    bare.prepare(stage.url, [stage.member(number) for number in range(stage.members)])
    recorder = Recorder(connect(stage.url))
    server = server_of(recorder.link)
    dealer = int(recorder.link.ask("SELECT id FROM dealer").rows()[0][0])
    programme = load(recorder.link, dealer)
    recorder.link.rollback()
    kinds: dict[str, Callable[[int, str], Item]] = {
        "sales": lambda number, tag: _sale(stage, programme, number, tag),
        "credits": lambda number, tag: Command(
            dealer, (stage.member(number),), Adjust(f"{tag}-{number}", "parts_credit", 100, "bench", "bench")
        ),
    }
    names = ("plain", *kinds)
    found = Found({name: [] for name in names}, {name: [] for name in names}, {})
    connected = psycopg.connect("postgresql://" + stage.url.partition("://")[2], prepare_threshold=0)
    with connected as plain, _as_the_service_does():
        for turn in range(rounds + 1):  # the first one warms up and is not counted
            for name in names:
                made = kinds.get(name)
                items = [made(number, f"{name}{turn}") for number in range(count)] if made is not None else []
                before = _rows(recorder) if items and not turn else []
                begun, spent_before = time.perf_counter(), spent(server)
                if made is None:
                    _plain(plain, stage, count, turn)
                else:
                    _recorded(recorder, items)
                took, used = time.perf_counter() - begun, spent(server) - spent_before
                if turn:
                    found.rates[name].append(count / took)
                    found.spent[name].append(used / count)
                elif before:
                    all_, entries = (after - was for after, was in zip(_rows(recorder), before, strict=True))
                    found.booked[name] = (all_ / count, entries / count)
    recorder.link.close()
    return found


@contextmanager
def _as_the_service_does() -> Iterator[None]:
    """Look for cycles as seldom as `api.app.serving` has it done."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 50)
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def _rows(recorder: Recorder) -> list[int]:
    """Return how many rows the insert-only tables have, and how many of them are entries of the ledger."""
    counts = {name: int(recorder.link.ask(f"SELECT count(*) FROM {name}").rows()[0][0]) for name in INSERT_ONLY}
    recorder.link.rollback()
    return [sum(counts.values()), counts["entry"]]


def _plain(connection: psycopg.Connection[tuple[object, ...]], stage: Stage, count: int, turn: int) -> None:
    for number in range(count):
        member = stage.member(number)
        connection.execute(
            "INSERT INTO bare_sale (store, number, member, amount) VALUES (%s, %s, %s, %s)",
            ("S01", f"{turn}-{number}", member, 94_000),
        )
        connection.execute("UPDATE bare_balance SET balance = balance + %s WHERE member = %s", (94_000, member))
        connection.commit()


def _recorded(recorder: Recorder, items: Sequence[Item]) -> None:
    for first in range(0, len(items), GROUP):
        for answer in recorder.record(items[first : first + GROUP]):
            if answer is None or answer.number != 201:
                raise RuntimeError(f"not recorded: {answer}")


def _sale(stage: Stage, programme: Programme, number: int, tag: str) -> Item:
    now = clock()
    asked = read_order(
        {**order(stage, number, tag), "prices": [36_000, 58_000]}, source="till-S01", store="S01", now_us=now,
        zone=programme.info, late_days=None, currency=programme.currency,
    )  # fmt: skip
    lines, uses = as_asked(programme.line.at(now).rules.policy, asked)
    return sale(programme.dealer_id, asked, lines, uses, now=now, once=Once("bench", f"{tag}-{number}", "0" * 64))
