"""What dies: the worker, the server, the connection in the middle of COMMIT, the primary of a pair."""

from __future__ import annotations

import time
from dataclasses import replace
from urllib.parse import quote

from tests import postgres
from tests.faults.book import Book, Shelf, counted
from tests.faults.proxy import Proxy
from tests.faults.server import Server
from tests.faults.stage import Sending, Stage, hear_some, recovered, started, working
from tests.faults.tally import Tally
from tests.faults.worker import How, Moment, Worker

BOOK = 6  # kills a book, so that each can be verified in full after each kill
WRITES = 3_000  # under way when a worker is killed
FRESH = 20  # new ones after a fault, so that there is something to recover with


def worker_killed(stage: Stage) -> Tally:
    """A process that records is killed, before a commit, after one, or whenever; another one takes over."""
    tally = Tally("worker killed before, after or amid a commit", stage.database)
    shelf = stage.shelf()
    kills = stage.times(400)
    while stage.more(tally.kills, kills):
        with shelf.book() as book:
            sending = Sending(book)
            killed = 0.0
            for _ in range(min(BOOK, kills - tally.kills)):
                killed = _kill_one(stage, tally, sending, killed)
                tally.check(book, sending.acknowledged)
            with working(book) as worker:
                settled(tally, worker, sending)
            tally.check(book, sending.acknowledged)
    return tally


def _kill_one(stage: Stage, tally: Tally, sending: Sending, killed: float) -> float:
    """Kill one worker under load; returns when. `killed`: when the one before was."""
    moment: Moment = stage.chance.choice(("any", "before commit", "after commit"))
    at = None if moment == "any" else (moment, stage.chance.randint(1, 6))
    worker = started(sending.book, How(die_at=at, seals=stage.chance.random() < 0.5))
    numbers = sending.top_up(stage.times(WRITES) if stage.scale < 1 else WRITES)
    worker.send(numbers)
    if killed:
        tally.recovered.append(recovered(worker, killed))
    if at is None:
        hear_some(worker, numbers, stage.chance.random())
        time.sleep(stage.chance.random() * 0.05)
    else:
        while worker.hear(0.5) and not worker.hear_all(numbers, 0):
            pass
    killed = time.monotonic()
    worker.kill()
    tally.cycles += 1
    tally.kills += 1
    tally.acknowledged += sending.take(worker)
    return killed


def settled(tally: Tally, worker: Worker, sending: Sending) -> None:
    """Let a worker record what waits, all of it."""
    before = len(sending.acknowledged)
    if not sending.settle(worker):
        tally.blame(f"{len(sending.waiting)} writes were never acknowledged, as F{min(sending.waiting)}")
    tally.acknowledged += len(sending.acknowledged) - before


def worker_lazy(stage: Stage) -> Tally:
    """The control: a worker that answers before it commits. Killed, it must lose what it acknowledged."""
    tally = Tally("control: killed while durability is off", stage.database, control=True)
    shelf = stage.shelf()
    with shelf.book() as book:
        for _ in range(stage.times(3)):
            sending = Sending(book, first=10_000 * tally.cycles)
            worker = started(book, How(lazy=True))
            numbers = sending.top_up(600)
            worker.send(numbers)
            hear_some(worker, numbers, 0.8)
            worker.kill()
            tally.cycles += 1
            tally.kills += 1
            tally.acknowledged += sending.take(worker)
            tally.check(book, sending.acknowledged)
    tally.note = "answers before COMMIT"
    return tally


# ---- PostgreSQL ------------------------------------------------------------------------------------------------


def server_killed(stage: Stage) -> Tally:
    """The server ends without goodbye, or all its processes are killed; it starts again, and the worker goes on."""
    tally = Tally("PostgreSQL killed and started again", stage.database)
    server = Server(stage.folder / "killed").make()
    try:
        shelf = Shelf(stage.folder, 50, server.url)
        kills = stage.times(120)
        while stage.more(tally.kills, kills):
            with shelf.book() as book, working(book, How(seals=True)) as worker:
                sending = Sending(book)
                for _ in range(min(BOOK, kills - tally.kills)):
                    _kill_server(stage, tally, server, worker, sending)
        return tally
    finally:
        server.stop()


def _kill_server(stage: Stage, tally: Tally, server: Server, worker: Worker, sending: Sending) -> None:
    numbers = sending.top_up(stage.times(WRITES) if stage.scale < 1 else WRITES)
    for number in numbers:
        worker.answers.pop(number, None)
    worker.send(numbers)
    hear_some(worker, numbers, stage.chance.random() * 0.8)
    time.sleep(stage.chance.random() * 0.05)
    killed = time.monotonic()
    server.kill(all_at_once=stage.chance.random() < 0.5)
    tally.cycles += 1
    tally.kills += 1
    while worker.hear(0.05) and worker.risen:
        worker.watch()  # what it had said before is heard first
    server.start()
    worker.watch()
    tally.acknowledged += sending.take(worker)
    _still_there(tally, sending)
    sending.top_up(len(sending.waiting) + FRESH)
    settled(tally, worker, sending)
    tally.recovered.append(recovered(worker, killed))
    tally.check(sending.book, sending.acknowledged)


def _still_there(tally: Tally, sending: Sending) -> None:
    """What was acknowledged before a fault is in the book right after it, before anything is sent again."""
    if lost := counted(sending.book, invariants=False).lost(sending.acknowledged):
        tally.lost += len(lost)
        if not tally.control:
            tally.blame(f"{len(lost)} acknowledged writes are gone after the fault, as F{min(lost)}")


def server_lazy(stage: Stage) -> Tally:
    """The control: synchronous_commit off. Killed, the server must lose what was acknowledged."""
    tally = Tally("control: killed while durability is off", stage.database, control=True)
    server = Server(stage.folder / "lazy", {"synchronous_commit": "off", "wal_writer_delay": "10s"}).make()
    try:
        with Shelf(stage.folder, 50, server.url).book() as book:
            for _ in range(stage.times(3)):
                sending = Sending(book, first=10_000 * tally.cycles)
                worker = started(book)
                numbers = sending.top_up(600)
                worker.send(numbers)
                hear_some(worker, numbers, 0.8)
                server.kill(all_at_once=True)
                tally.cycles += 1
                tally.kills += 1
                worker.kill()
                tally.acknowledged += sending.take(worker)
                server.start()
                tally.check(book, sending.acknowledged)
        tally.note = "synchronous_commit off"
        return tally
    finally:
        server.stop()


def connection_cut(stage: Stage) -> Tally:
    """The connection is cut at a COMMIT: before the server sees it, half way, or before its answer comes back."""
    tally = Tally("connection cut during COMMIT", stage.database)
    assert stage.server is not None
    proxy = Proxy(stage.folder / f"proxy{tally.kills}", stage.server.socket)
    shelf = stage.shelf()
    kills = stage.times(240)
    try:
        while stage.more(tally.kills, kills):
            with shelf.book() as book, working(replace(book, url=proxy.url(book.url)), How(seals=True)) as worker:
                sending = Sending(book)
                for _ in range(min(BOOK, kills - tally.kills)):
                    numbers = sending.top_up(WRITES // 2 if stage.scale >= 1 else stage.times(WRITES))
                    before = proxy.cuts
                    proxy.cut(stage.chance.choice(("before", "amid", "after")), stage.chance.randint(0, 3))
                    worker.send(numbers)
                    while proxy.cuts == before and worker.hear(0.01) and not worker.hear_all(numbers, 0):
                        pass
                    cut = time.monotonic()
                    tally.cycles += 1
                    tally.kills += proxy.cuts - before
                    worker.watch()
                    tally.acknowledged += sending.take(worker)
                    sending.top_up(len(sending.waiting) + FRESH)
                    settled(tally, worker, sending)
                    if proxy.cuts > before:
                        tally.recovered.append(recovered(worker, cut))
                    tally.check(book, sending.acknowledged)
        return tally
    finally:
        proxy.close()


def standby_promoted(stage: Stage) -> Tally:
    """The primary dies, the standby that confirmed every commit is promoted, and the same worker goes on there."""
    tally = Tally("standby promoted", stage.database)
    for turn in stage.rounds(8):
        folder = stage.folder / f"pair{turn}"
        primary = Server(folder).make()
        other = None
        try:
            other = primary.standby(stage.folder / f"other{turn}")
            with Shelf(stage.folder, 50, primary.url).book() as book:
                _promote(stage, tally, primary, other, book)
        finally:
            primary.stop()
            if other is not None:
                other.stop()
    return tally


def _promote(stage: Stage, tally: Tally, primary: Server, other: Server, book: Book) -> None:
    with postgres.connect(primary.url) as link:
        link.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        link.execute("SELECT pg_reload_conf()")
    hosts = quote(f"{primary.socket},{other.socket}", safe="")
    both = replace(book, url=book.url.partition("?")[0] + f"?host={hosts}&target_session_attrs=primary")
    there = replace(book, url=book.url.partition("?")[0] + "?" + other.url.partition("?")[2])
    with working(both, How(seals=True)) as worker:
        sending = Sending(there)
        numbers = sending.top_up(stage.times(WRITES) if stage.scale < 1 else WRITES)
        worker.send(numbers)
        hear_some(worker, numbers, 0.2 + stage.chance.random() * 0.6)
        killed = time.monotonic()
        primary.kill(all_at_once=True)
        tally.cycles += 1
        tally.kills += 1
        while worker.hear(0.05) and worker.risen:
            worker.watch()
        with postgres.connect(other.url) as link:
            link.execute("SELECT pg_promote(true, 60)")
        tally.acknowledged += sending.take(worker)
        _still_there(tally, sending)
        sending.top_up(len(sending.waiting) + FRESH)
        settled(tally, worker, sending)
        tally.recovered.append(recovered(worker, killed))
        tally.check(there, sending.acknowledged)


def lazy(stage: Stage) -> Tally:
    """The control of this kind of database: with its durability off, what is killed must lose."""
    return server_lazy(stage) if stage.server is not None else worker_lazy(stage)
