"""The year-end award: its run is killed at every step in turn, and then started twice at once."""

from __future__ import annotations

import os
import signal
from datetime import datetime
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from tests.faults.book import POLICY, ZONE, Book, Shelf
from tests.faults.hearing import ACK, Ear
from tests.faults.killing import settled
from tests.faults.stage import Sending, Stage, working
from tests.faults.tally import Tally
from tests.faults.telling import asked
from tests.faults.worker import FORK
from tierengine.awarding import issuing
from tierengine.policies.versions import Programmes, heads
from tierengine.recording.recorder import clock
from tierengine.store.database import WriterBusy, WriterLock, connect, sqlite_path
from tierengine.store.dialect import PostgresLink, SqliteLink
from tierengine.store.ids import Ids, transact

AWARD = """
awards:
  gold_user:
    title: {zh: 年度金牌用户, en: Gold user of the year}
    for: [member]
    months_in_tier: 0
    score: {parts_spend: 1}
    winners: {share: 100%, at_least: 1, at_most: 100}
    prize: 5000 CNY
    budget: 500000 CNY
    into: credit
"""
STEPS = ("begin", "ask", "run", "store", "commit")
KILLED = 0


def award_killed(stage: Stage) -> Tally:
    """An award is killed before its first step, its second, …; each time it is then run twice at once."""
    tally = Tally("award run killed at every step, started twice", stage.database)
    shelf = stage.shelf(30, POLICY + AWARD)
    with shelf.book() as first:
        with working(first) as worker:
            sending = Sending(first)
            sending.top_up(400)
            settled(tally, worker, sending)
        base = Shelf(stage.folder, 30, shelf.base, shelf.policy, first)
        step = 0
        while stage.more(step, 1_000):  # (steps are counted in what it asks of the database: about 35)
            step += 1 if stage.scale >= 1 else stage.chance.randint(1, 5)
            with base.book() as book:
                through = _run(book, step) != KILLED
                tally.cycles += 1
                tally.kills += not through
                both = [Ear(FORK, live, book, 0) for _ in range(2)]
                for one in both:
                    one.leave()
                _check(tally, book)
            if through:
                break
    return tally


def _run(book: Book, step: int) -> int:
    one = Ear(FORK, live, book, step)
    one.leave()
    return one.answers.get(1, KILLED)


def _check(tally: Tally, book: Book) -> None:
    """Hold what was booked against the frozen list: each winner's prize, once."""
    won = asked(book, "SELECT member_id, prize FROM award_winner ORDER BY 1")
    booked = asked(book, "SELECT member_id, SUM(delta), COUNT(*) FROM entry WHERE kind = 'award' GROUP BY 1 ORDER BY 1")
    tally.acknowledged += len(won)
    if not won:
        tally.blame("nobody won: the run proves nothing")
    times = {row[0]: int(row[2]) for row in booked}
    tally.lost += sum(member not in times for member, _ in won)
    tally.doubled += sum(count > 1 for count in times.values())
    if [(member, prize) for member, prize in won] != [(row[0], int(row[1])) for row in booked]:
        tally.blame(f"{len(won)} prizes were won, {len(booked)} booked")
    tally.verify(book)


# ---- in the process of the award -------------------------------------------------------------------------------


def live(book: Book, step: int, telling: Connection) -> None:
    """Issue the award; kill this process before the `step`-th thing it asks of the database (0: never)."""
    if step:
        left = [step]
        for kind in (SqliteLink, PostgresLink):
            for name in STEPS:
                setattr(kind, name, partial_method(getattr(kind, name), left))
    lock = None
    while book.kind == "sqlite" and lock is None:
        try:
            lock = WriterLock(sqlite_path(book.url))
        except WriterBusy:  # the other one is at it
            continue
    link = connect(book.url)
    programme = Programmes().of(link, book.dealer, heads(link, [book.dealer])[book.dealer])
    link.rollback()
    now = clock()
    issuing.issue(partial(transact, link, Ids()), programme, "gold_user", datetime.now(ZONE).year, now, now)
    os.write(telling.fileno(), ACK.pack(1, 200))


def partial_method(honest: Any, left: list[int]) -> Any:
    """Return a method that counts down before it does what it is for."""

    def counted(self: Any, *values: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return honest(self, *values)

    return counted
