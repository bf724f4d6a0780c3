"""What happens to a service over HTTP: killed, asked a thousand times at once, flooded, lied to, kept waiting."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

from tests.faults.book import GIVEN, Book
from tests.faults.hearing import DONE, Ear
from tests.faults.service import Service
from tests.faults.stage import PATIENCE, Stage, recovered
from tests.faults.tally import Tally
from tests.faults.tills import Tills, asked, post
from tierengine.store.snapshots import reader

CLIENTS = 48
DRAIN = 600.0


@contextmanager
def served(stage: Stage, book: Book, **settings: str) -> Iterator[Service]:
    """The service of a book, with two workers where the database lets it have them."""
    with Service(book, 2 if stage.server is not None else 1, settings) as service:
        yield service


def service_killed(stage: Stage) -> Tally:
    """A process of the service is killed while tills pay; it or another one goes on, the tills ask again."""
    tally = Tally("process of the HTTP service killed", stage.database)
    shelf = stage.shelf()
    kills = stage.times(100)
    while stage.more(tally.kills, kills):
        round_ = min(10, kills - tally.kills)
        with shelf.book() as book, served(stage, book) as service:
            numbers = range(round_ * (120 if stage.scale >= 1 else 60))
            tills = Tills(book, service.port, numbers, CLIENTS)
            for turn in range(round_):
                # Each kill finds writes under way: a share of them is acknowledged by then, the rest is not.
                wait_for(tills, len(numbers) * (turn + stage.chance.random() * 0.8) / (round_ + 1))
                time.sleep(stage.chance.random() * 0.05)
                killed = time.monotonic()
                service.kill(stage.chance.randrange(2))
                tills.hear(0)
                tills.watch()
                tally.cycles += 1
                tally.kills += 1
                tally.recovered.append(recovered(tills, killed))
                tally.check(book, tills.acknowledged())
            finished(tally, tills, numbers)
            tally.check(book, tills.acknowledged())
    return tally


def wait_for(tills: Ear, count: float) -> None:
    """Hear until so many writes are acknowledged."""
    until = time.monotonic() + PATIENCE
    while len(tills.answers) < count and time.monotonic() < until and tills.hear(0.01):
        pass


def finished(tally: Tally, tills: Ear, numbers: Collection[int], seconds: float = DRAIN) -> None:
    """Hear until all of these have their answer, and count them."""
    if not tills.hear_all(numbers, seconds):
        tally.blame(f"{sum(number not in tills.answers for number in numbers)} writes were never answered")
    tills.leave()
    refused = {number: status for number, status in tills.answers.items() if status not in DONE}
    if refused:
        tally.blame(f"{len(refused)} writes were refused, as F{min(refused)} with {refused[min(refused)]}")
    tally.acknowledged += len(tills.acknowledged())


# ---- the last credit -------------------------------------------------------------------------------------------


def redeem(turn: int, book: Book, number: int) -> bytes:
    """Return a sale that takes all the credit of this turn's member."""
    body = {
        "member": book.member(turn),
        "order": f"L{turn}-{number}",
        "occurred_at": datetime.now(UTC).isoformat(),
        "lines": [{"item": "filter", "category": "parts", "qty": 1, "list": GIVEN}],
        "credit": {"credit": GIVEN},
        "prices": [GIVEN],
    }
    return post(book, "/v1/sales", body, f"L{turn}-{number}")


def last_credit(stage: Stage, asks: int = 1_000, sockets: int = 200, rounds: int = 50) -> Tally:
    """A thousand tills redeem the last credit of one member, from two processes: exactly one may."""
    tally = Tally(f"{asks:,} redeems of the last credit at once", stage.database)
    sent = 0
    with stage.shelf(rounds).book() as book, served(stage, book, TIERENGINE_DEADLINE_MS="60000") as service:
        for turn in stage.rounds(rounds):
            halves = [
                Tills(book, service.port, numbers, sockets // 2, partial(redeem, turn), once=True)
                for numbers in (range(asks // 2), range(asks // 2, asks))
            ]
            for one in halves:
                one.leave()
            statuses = [status for one in halves for status in one.answers.values()]
            sent += len(statuses)
            won = statuses.count(201)
            tally.cycles += 1
            tally.acknowledged += won
            tally.lost += won == 0
            tally.doubled += max(0, won - 1)
            if (won, statuses.count(409)) != (1, asks - 1):
                tally.blame(f"round {turn}: {won} of {asks} won, {statuses.count(409)} were refused")
            if (there := used(book, turn)) != [(1, -GIVEN)]:
                tally.blame(f"round {turn}: the book has (uses, fen) {there}")
        tally.verify(book)
    tally.note = f"{sent:,} asked, {tally.acknowledged:,} won"
    return tally


def used(book: Book, turn: int) -> list[tuple[int, int]]:
    """Return how often and how much credit of a member the book says was used."""
    link = reader(book.url)
    try:
        rows = link.ask(
            "SELECT COUNT(*), SUM(e.delta) FROM entry e JOIN member m ON m.id = e.member_id "
            "WHERE m.code = ?1 AND e.kind = 'use'",
            book.member(turn),
        ).rows()
        return [(int(row[0]), int(row[1] or 0)) for row in rows]
    finally:
        link.close()


# ---- one key, two bodies ---------------------------------------------------------------------------------------


def contended(book: Book, number: int) -> bytes:
    """Return write N under a key that it shares with its neighbour."""
    return post(book, "/v1/events", book.raw(number), f"K{number // 2}")


def other_body(stage: Stage) -> Tally:
    """Two processes send different bodies under one key at once, and workers die: one body wins."""
    tally = Tally("same key, other body", stage.database)
    with stage.shelf().book() as book, served(stage, book) as service:
        # (No write that pays by credit: those go to another address.)
        pairs = [2 * number for number in range(stage.times(2_000))]
        pairs = [number for number in pairs if (number + 1) % 16 != 5]
        halves = [
            Tills(book, service.port, [number + side for number in pairs], CLIENTS // 2, contended) for side in (0, 1)
        ]
        for turn in range(stage.times(6)):
            wait_for(halves[turn % 2], len(pairs) * (turn + 1) / (stage.times(6) + 1))
            killed = time.monotonic()
            service.kill(turn)
            halves[0].watch()
            tally.kills += 1
            tally.recovered.append(recovered(halves[0], killed))
        for one, side in zip(halves, (0, 1), strict=True):
            if not one.hear_all([number + side for number in pairs], DRAIN):
                tally.blame("writes were never answered")
            one.leave()
        answers = halves[0].answers | halves[1].answers
        winners = {number for number, status in answers.items() if status in DONE}
        for number in pairs:
            found = sorted((answers.get(number, 0), answers.get(number + 1, 0)))
            tally.cycles += 1
            tally.doubled += found[1] in DONE and found[0] in DONE
            if found != [201, 422]:
                tally.blame(f"key K{number // 2} was answered {found}, expected one 201 and one 422")
        tally.acknowledged += len(winners)
        tally.check(book, winners)
        tally.doubled += extra(tally, book, winners)
    return tally


def extra(tally: Tally, book: Book, winners: Collection[int]) -> int:
    """Return how many writes are in the book that nobody was told of."""
    link = reader(book.url)
    try:
        count = link.ask("SELECT COUNT(*) FROM event WHERE kind <> 'machine_purchase'").rows()[0][0]
    finally:
        link.close()
    if count != len(winners):
        tally.blame(f"{count} writes are in the book, {len(winners)} were acknowledged")
    return max(0, int(count) - len(winners))


# ---- too much, too odd, too slow -------------------------------------------------------------------------------


def burst(stage: Stage) -> Tally:
    """After an outage everything that tills kept comes at once; most are told to come again."""
    tally = Tally("burst of 10,000 queued events after an outage", stage.database)
    count = max(300, stage.times(10_000))
    with stage.shelf(200).book() as book:
        service = Service(book, 2 if stage.server is not None else 1)
        halves = [Tills(book, service.port, range(side, count, 2), 600) for side in (0, 1)]
        time.sleep(2)  # nobody answers
        begun = time.monotonic()
        try:
            service.start(wait=False)
            tally.recovered.append(recovered(halves[0], begun, DRAIN))
            first = time.monotonic()
            for side, one in enumerate(halves):
                finished(tally, one, range(side, count, 2), 2 * DRAIN)
            tally.note = f"recorded in {time.monotonic() - first:.0f} s from 1,200 sockets; recovery: from the start"
            tally.cycles += 1
            tally.check(book, halves[0].acknowledged() | halves[1].acknowledged())
        finally:
            service.stop()
    return tally


HOSTILE: tuple[bytes, ...] = (
    b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"{}\x00", b"[" * 50_000, b'{"a":' * 20_000,
    b'{"kind":"contact","kind":"contact"}', b'{"kind":NaN}', b'{"kind":Infinity}', b'{"a":' + b"9" * 200_000 + b"}",
    b'{"a":1e999999}', b'{"kind":"\\ud800"}', b'{"\\u0000":1}', b'{"kind":"contact","member":"\\u0000"}',
    b'{"__proto__":{},"constructor":1}', b'{"a":"' + b"x" * (2 << 20) + b'"}', b'{"kind":{"$ne":null}}',
    b"{\"kind\":\"contact\",\"member\":\"M1' OR '1'='1\"}", '{"种类":"\u202e\ufeff"}'.encode(),
)  # fmt: skip
WRONG: tuple[object, ...] = (None, True, -1, 1.5, 10**30, "", "x" * 70_000, "\x00", [], {}, [[]], "９", "2026-13-40")


def hostile(book: Book, number: int) -> bytes:
    """Return a request that no service may accept: bad JSON, or a good write with one thing made wrong."""
    path = ("/v1/events", "/v1/sales", "/v1/holds", "/v1/quotes")[number % 4]
    if number < len(HOSTILE) * 4:
        return post(book, path, HOSTILE[number // 4], f"H{number}")
    said = {**book.raw(1 + 4 * number), "order": f"H{number}"}
    name = ("member", "occurred_at", "lines", "kind")[number // 4 % 4]
    said[name] = WRONG[number // 16 % len(WRONG)]
    return post(book, "/v1/events", json.dumps(said).encode(), f"H{number}")


def hostile_json(stage: Stage) -> Tally:
    """Bodies made to break a parser, between good writes: each is refused, the good ones stand."""
    tally = Tally("hostile JSON between good writes", stage.database)
    with stage.shelf().book() as book, served(stage, book) as service:
        good = range(stage.times(2_000))
        bad = range(max(len(HOSTILE) * 4 + 16 * len(WRONG), stage.times(2_000)))
        tills = Tills(book, service.port, good, CLIENTS // 2)
        enemy = Tills(book, service.port, bad, 16, hostile)
        finished(tally, tills, good)
        if not enemy.hear_all(bad, DRAIN):
            tally.blame(f"{sum(number not in enemy.answers for number in bad)} hostile bodies got no answer of 4xx")
        enemy.leave()
        taken = [number for number, status in enemy.answers.items() if status in DONE]
        if taken:
            tally.blame(
                f"{len(taken)} hostile bodies were accepted, as H{taken[0]}: {hostile(book, taken[0])[-300:]!r}"
            )
        tally.cycles += len(bad)
        tally.check(book, tills.acknowledged())
        extra(tally, book, tills.acknowledged())
    tally.note = f"{len(bad):,} hostile bodies"
    return tally


def slow_clients(stage: Stage) -> Tally:
    """Clients that stop in the middle of a head or a body, or never read their answer: others are served as ever."""
    tally = Tally("slow clients beside good ones", stage.database)
    count = max(30, stage.times(300))
    with stage.shelf().book() as book, served(stage, book) as service:
        slow = []
        for number in range(count):
            line = socket.create_connection(("127.0.0.1", service.port))
            slow.append(line)
            whole = asked(book, 1_000_000 + number)
            line.sendall((whole[:60], whole[:-20], b"GET /openapi.json HTTP/1.1\r\nHost: t\r\n\r\n" * 20)[number % 3])
        good = range(stage.times(3_000))
        begun = time.monotonic()
        tills = Tills(book, service.port, good, CLIENTS)
        tally.recovered.append(recovered(tills, begun))
        finished(tally, tills, good)
        for line in slow:
            line.close()
        tally.cycles += count
        tally.check(book, tills.acknowledged())
        extra(tally, book, tills.acknowledged())
    tally.note = f"{count} of them; recovery: the first good answer"
    return tally
