"""Between the event loop and the writer: handed over together, answered each, dropped when the client leaves."""

import asyncio

import pytest

from api.counter import Counter
from tests.club import hold, items, opened
from tierengine.recording.writer import Writer


@pytest.fixture
def club(sqlite_book_url):
    with opened(sqlite_book_url) as made:
        yield made


def sales(club, *numbers):
    return items(club, *(club.parts(f"P{number}", "2026-04-01", f"M{number % 6}") for number in numbers))


def test_what_arrives_in_one_turn_of_the_loop_is_handed_over_together(club, writer, monkeypatch):
    handed, honest = [], writer.submit_all

    def submit_all(items, *more):
        handed.append(len(items))
        return honest(items, *more)

    monkeypatch.setattr(writer, "submit_all", submit_all)

    async def turn():
        counter = Counter(writer)
        first = await asyncio.gather(*(counter.record(item) for item in sales(club, *range(5))))
        return [*first, await counter.record(sales(club, 5)[0])]

    answers = asyncio.run(turn())
    assert [answer.status for answer in answers] == ["recorded"] * 6
    assert handed == [5, 1]
    assert club.count("event") == 6


def test_each_gets_his_own_answer(club, writer):
    async def turn():
        counter = Counter(writer)
        stranger = items(club, club.parts("X", "2026-04-01", "NOBODY"))
        return await asyncio.gather(*(counter.record(item) for item in [*sales(club, 1), *stranger, *sales(club, 2)]))

    assert [answer.status for answer in asyncio.run(turn())] == ["recorded", "unknown", "recorded"]


def test_who_left_before_or_after_the_handing_over_is_dropped(club, writer):
    async def turn():
        counter = Counter(writer)
        go = hold(writer)
        early, late, stays = (asyncio.ensure_future(counter.record(item)) for item in sales(club, 1, 2, 3))
        await asyncio.sleep(0)
        early.cancel()
        await asyncio.sleep(0.01)
        late.cancel()
        await asyncio.sleep(0.01)
        go.set()
        return await stays, early.cancelled(), late.cancelled()

    answer, *left = asyncio.run(turn())
    assert answer.status == "recorded"
    assert left == [True, True]
    assert club.count("event") == 1


def test_a_closed_writer_answers_too(club):
    with Writer(club.url) as writer:
        pass

    async def turn():
        return await Counter(writer).record(sales(club, 1)[0])

    assert asyncio.run(turn()).code == "writer_down"
