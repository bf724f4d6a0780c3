"""Last days count to their end: notices, statements, sweeps, floors, duties. To the microsecond."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest

from tests.ledger_book import CREDIT, book_with, grant
from tests.test_holds import MINUTE, Holds
from tierengine.ledger.deadlines import deadlines
from tierengine.ledger.lapses import ending, lapsed
from tierengine.membership.statements import Period
from tierengine.zone import DAY, Zone

CHINA = Zone("Asia/Shanghai")
PROGRAMME = SimpleNamespace(zone=CHINA)
LAST = date(2026, 12, 31)
OVER = CHINA.start_of(date(2027, 1, 1))  # the first instant after the last day


# ---- notices -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "notice", "days"),
    [
        (CHINA.start_of(date(2026, 12, 1)) - 1, False, 32),
        (CHINA.start_of(date(2026, 12, 1)), True, 31),
        (CHINA.start_of(LAST), True, 1),
        (OVER - 1, True, 1),
        (OVER, True, 0),
    ],
)
def test_the_first_day_of_notice_is_the_earliest_one_before_the_last_day(now, notice, days):
    lots = book_with((10, OVER), (5, OVER), (7, None), (0, None)).lots
    first, never = deadlines(CHINA, lots, (30, 7), now)
    assert (first.last_day, first.amount, first.notice, first.days) == (LAST, 15, notice, days)
    assert (never.last_day, never.amount, never.notice, never.days) == (None, 7, False, None)


def test_without_days_of_notice_nobody_is_told_and_what_is_used_up_ends_nowhere():
    book = book_with((10, OVER))
    (only,) = deadlines(CHINA, book.lots, (), OVER - 1)
    assert not only.notice
    book.use(CREDIT, 10, "O1", now=1)
    assert deadlines(CHINA, book.lots, (30,), OVER - 1) == []


# ---- what is swept ------------------------------------------------------------------------------------------------


@pytest.fixture
def club(book_url):
    made = Holds(book_url)
    yield made
    made.close()


def test_what_ends_is_listed_to_its_last_instant_and_swept_from_the_next(club):
    (end,) = club.rows("SELECT DISTINCT expires_at FROM lot WHERE wallet = ?1", CREDIT)[-1]
    in_time = [row[3] for row in ending(club.link, club.dealer, end - 1, end)]
    assert sum(in_time) > 0
    assert ending(club.link, club.dealer, end - 1, end - 1) == []
    assert ending(club.link, club.dealer, end, end) == []
    assert [lapsed(club.link, club.dealer, at) for at in (end - 1, end)] == [[], ["M1"]]
    club.link.rollback()


def test_a_hold_is_swept_from_the_instant_at_which_it_is_free(club):
    club.hold()
    ends = club.now + 30 * MINUTE
    assert [lapsed(club.link, club.dealer, at) for at in (ends - 1, ends)] == [[], ["M1"]]
    club.link.rollback()


# ---- what a merged member would not have ---------------------------------------------------------------------------


@pytest.mark.parametrize(("back", "missing"), [(3, 0), (10, 0), (12, 0), (14, 0), (15, 1), (20, 6)])
def test_what_lapsed_unused_of_a_grant_is_missed_by_nobody(back, missing):
    """Of a grant of 10 in lots to 50 and for ever, 6 lapsed; 4 of it are there, and 4 of another."""
    book = book_with((6, 50))
    grant(book, "G1", 4)
    grant(book, "G2", 4)
    book.settle(50)
    assert book.missing("G1", "welcome", CREDIT, back) == missing
    grant(book, "G1", -back)
    assert book.balances[CREDIT].debt == missing


# ---- statements ----------------------------------------------------------------------------------------------------


def test_a_statement_of_days_runs_from_the_first_instant_of_one_to_the_last_of_the_other():
    now = CHINA.start_of(date(2027, 3, 5)) + 7
    period = Period.of(PROGRAMME, date(2026, 12, 1), LAST, now)
    assert (period.first, period.last) == (CHINA.start_of(date(2026, 12, 1)), OVER)
    one_day = Period.of(PROGRAMME, LAST, LAST, now)
    assert (one_day.first, one_day.last) == (OVER - DAY, OVER)


@pytest.mark.parametrize("end", [None, date(2027, 3, 5), date(2030, 1, 1)])
def test_a_statement_to_today_or_later_ends_now(end):
    now = CHINA.start_of(date(2027, 3, 5)) + 7
    period = Period.of(PROGRAMME, None, end, now)
    assert (period.last, period.end) == (now + 1, end or date(2027, 3, 5))
    assert period.first < CHINA.start_of(date(1970, 1, 1))
