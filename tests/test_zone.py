"""A dealer's calendar at its edges: month ends, year ends, and the days on which clocks change."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.policy import Expiry, Window
from tests import oracle_facts as oracle
from tierengine.zone import DAY, Windows, Zone, add_months, day_after, microseconds, moment, period_key, years_between

SHANGHAI = Zone("Asia/Shanghai")
NEW_YORK = Zone("America/New_York")
NAMES = ("Asia/Shanghai", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "America/St_Johns")
INSTANTS = st.integers(0, 2_000_000_000_000_000)
WINDOWS = tuple(
    Window(span, months=months, days=days)
    for span in ("rolling", "preceding")
    for months, days in ((1, 0), (12, 0), (0, 1), (0, 30))
) + tuple(Window(span) for span in ("always", "this_year", "last_year", "this_quarter", "last_quarter", "since_tier"))


wall = datetime.fromisoformat


def at(zone: Zone, text: str) -> int:
    return zone.instant(wall(text))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2026-03-31", -1, "2026-02-28"),  # not 3 March, as SQLite has it
        ("2024-03-31", -1, "2024-02-29"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-01-31", 2, "2026-03-31"),  # from the anchor, not from the clamped 28 February
        ("2026-12-15", 1, "2027-01-15"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-05-31", -12 * 3000, "0001-01-01"),
        ("2026-05-31", 12 * 9000, "9999-12-31"),
    ],
)
def test_months_clamp_to_the_end_of_a_short_month(day, months, expected):
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(expected)


def test_a_local_day_begins_at_local_midnight():
    assert SHANGHAI.start_of(date(2026, 1, 1)) == 1_767_196_800_000_000
    assert SHANGHAI.local_date(1_767_196_800_000_000) == date(2026, 1, 1)
    assert SHANGHAI.local_date(1_767_196_799_999_999) == date(2025, 12, 31)


def test_a_midnight_that_clocks_skip_is_the_first_instant_after_it():
    sao_paulo = Zone("America/Sao_Paulo")  # 2018-11-04 began at 01:00
    start = sao_paulo.start_of(date(2018, 11, 4))
    assert sao_paulo.local(start) == wall("2018-11-04T01:00")
    assert sao_paulo.local_date(start - 1) == date(2018, 11, 3)


def test_a_midnight_that_comes_twice_is_the_first():
    havana = Zone("America/Havana")  # 2024-11-03: at 01:00 back to 00:00
    start = havana.start_of(date(2024, 11, 3))
    assert havana.local(start) == havana.local(start + DAY // 24) == wall("2024-11-03")


@given(zone=st.sampled_from(NAMES), instant=INSTANTS)
def test_the_start_of_a_day_is_the_first_instant_of_that_date(zone, instant):
    zone = Zone(zone)
    day = zone.local_date(instant)
    start = zone.start_of(day)
    assert start <= instant
    assert zone.local_date(start) == day
    assert zone.local_date(start - 1) < day
    assert zone.end_of(day) == zone.start_of(day_after(day))


@given(
    zone=st.sampled_from(NAMES),
    instants=st.lists(INSTANTS, min_size=1, max_size=5),
    since=INSTANTS,
    near=st.integers(0, DAY),
)
def test_windows_are_the_oracle_s_remembered_or_not(zone, instants, since, near):
    remembered = Windows(Zone(zone), WINDOWS)
    for instant in (one + step for one in instants for step in (0, near)):
        begun = min(since, instant)
        expected = [oracle.bounds(ZoneInfo(zone), window, instant, begun) for window in WINDOWS]
        plain = [Zone(zone).window(window, instant, begun) for window in WINDOWS]
        assert [(float("-inf") if after is None else after, upto) for after, upto in plain] == expected
        assert remembered.bounds(instant, begun) == plain


def test_the_event_at_exactly_the_beginning_of_a_rolling_window_is_outside():
    now = at(SHANGHAI, "2026-03-31T10:00")
    assert SHANGHAI.window(Window("rolling", months=1), now, 0) == (at(SHANGHAI, "2026-02-28T10:00"), now)


def test_the_preceding_window_ends_where_the_rolling_one_begins_and_counts_from_the_anchor():
    now = at(SHANGHAI, "2026-03-31T10:00")
    after, upto = SHANGHAI.window(Window("preceding", months=1), now, 0)
    assert upto == SHANGHAI.window(Window("rolling", months=1), now, 0)[0]
    assert after == at(SHANGHAI, "2026-01-31T10:00")


def test_the_event_at_new_year_s_midnight_is_of_the_new_year():
    midnight = at(SHANGHAI, "2026-01-01T00:00")
    assert SHANGHAI.window(Window("this_year"), midnight, 0) == (midnight - 1, midnight)
    assert SHANGHAI.window(Window("last_year"), midnight, 0)[1] == midnight - 1


def test_since_the_tier_began_holds_the_instant_of_its_beginning():
    assert SHANGHAI.window(Window("since_tier"), 10, 5) == (4, 10)


def test_a_window_before_the_calendar_is_everything_and_the_one_before_it_is_empty():
    assert SHANGHAI.window(Window("rolling", months=99_999), 10, 0) == (None, 10)
    after, upto = SHANGHAI.window(Window("preceding", months=99_999), 10, 0)
    assert after is None
    assert upto < at(SHANGHAI, "0001-01-02T00:00")


def test_a_month_back_over_a_change_of_clocks_keeps_the_wall_time():
    now = at(NEW_YORK, "2026-03-20T10:00")
    after, _ = NEW_YORK.window(Window("rolling", months=1), now, 0)
    assert NEW_YORK.local(after) == wall("2026-02-20T10:00")
    assert now - after == 28 * DAY - DAY // 24


@pytest.mark.parametrize(
    ("expiry", "first_instant_after"),
    [
        (Expiry(months=1), "2026-03-01"),  # 31 January + 1 month: to the end of 28 February
        (Expiry(months=24, to="month"), "2028-02-01"),
        (Expiry(months=1, to="month"), "2026-03-01"),
        (Expiry(years=1, to="year"), "2028-01-01"),
        (Expiry(to="year"), "2027-01-01"),
        (Expiry(), "2026-02-01"),
    ],
)
def test_what_starts_on_31_january_2026_ends_after_its_last_day(expiry, first_instant_after):
    assert SHANGHAI.expiry(expiry, at(SHANGHAI, "2026-01-31T12:00")) == at(SHANGHAI, first_instant_after)


def test_what_has_no_expiry_never_ends():
    assert SHANGHAI.expiry(None, 0) is None
    assert SHANGHAI.expiry(Expiry(years=9000), 0) is None


def test_periods_have_keys():
    day = date(2026, 8, 5)
    keys = [period_key(period, day) for period in ("life", "year", "quarter", "month", "day")]
    assert keys == ["life", "2026", "2026-Q3", "2026-08", "2026-08-05"]
    assert SHANGHAI.month_key(at(SHANGHAI, "2026-08-05")) == "2026-08"
    assert SHANGHAI.quarter_key(at(SHANGHAI, "2026-08-05")) == "2026-Q3"
    with pytest.raises(ValueError, match="event"):
        period_key("event", day)


@pytest.mark.parametrize(
    ("start", "end", "years"),
    [
        ("2016-03-31", "2026-03-30", 9),
        ("2016-03-31", "2026-03-31", 10),
        ("2016-02-29", "2026-02-27", 9),
        ("2016-02-29", "2026-02-28", 10),
        ("2026-05-01", "2026-04-30", -1),
    ],
)
def test_years_are_whole_ones(start, end, years):
    assert years_between(date.fromisoformat(start), date.fromisoformat(end)) == years


def test_zones_of_equal_names_are_equal_and_unknown_ones_are_refused():
    assert Zone("Asia/Shanghai") == SHANGHAI
    with pytest.raises(ValueError, match="Mars/Olympus"):
        Zone("Mars/Olympus")


@given(zone=st.sampled_from(NAMES), instant=INSTANTS)
def test_an_instant_as_a_moment_is_the_local_wall_time_and_comes_back_to_the_microsecond(zone, instant):
    there = moment(instant, ZoneInfo(zone))
    assert microseconds(there) == instant == microseconds(moment(instant))
    assert there.replace(tzinfo=None, fold=0) == Zone(zone).local(instant)
