"""What the dealer owes: when it arises, until when, and what counts as having done it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from rules import policy as ast
from tests.policy_strategies import TITLE, minimal
from tierengine.judging.history import Contribution
from tierengine.service.duties import (
    DAY_MINUTES,
    Happened,
    LevelFrom,
    Load,
    dates_of,
    level_of,
    level_over_time,
    owed,
    turns_of,
)
from tierengine.zone import Zone

ZONE = Zone("Asia/Shanghai")
DAYS = {"whole_days": True}


def duty(name="duty", within=0, **others):
    """A duty within so many minutes; `days` in whole local days."""
    if "days" in others:
        within, others = others.pop("days") * DAY_MINUTES, {**others, **DAYS}
    return ast.Duty(name, TITLE, "account_manager", within, **others)


def policy(*duties, levels=()):
    known = (ast.Level("clip", TITLE, 0, (), ()), ast.Level("zipper", TITLE, 1, (), ()))
    made = minimal(levels=(*known, ast.Level("velcro", TITLE, 2, (), tuple(duties)), *levels))
    return replace(made, segments={"key_account": "velcro", "benchmark": "zipper", "none": "gone"})


def at(text, zone=ZONE):
    """The instant of "2026-03-10" (at ten) or "2026-03-10 15:04"."""
    day, _, clock = text.partition(" ")
    return zone.instant(datetime.combine(date.fromisoformat(day), time.fromisoformat(clock or "10:00")))


def happened(kind, when, key="", *, recorded="", place=0, **fields):
    key = f"till:{key or kind}"
    instant = at(when)
    line = Contribution(kind, f"{key}#{place}", instant, (instant, 3, key), kind, 1, 0, fields)
    return Happened(line, at(recorded) if recorded else instant)


def duties(of, *events, now="2026-12-31", since="2026-01-01", level="velcro", zone=ZONE, **dates):
    levels = since if isinstance(since, list) else [LevelFrom(at(since), level)]
    return owed(of, zone, levels, events, dates, at(now))


def due(of, *events, **how):
    return [str(ZONE.local(one.due_at)) for one in duties(of, *events, **how)]


JOINED = happened("card_issued", "2026-01-01")
WELCOME = duty("welcome", days=30, on=("machine_purchase",), done_by=(("gift_sent", ()),))
CALL = duty("call", 15, on=("repair_requested",), done_by=(("repair_step", (ast.Filter("step", "is", "called"),)),))


# ---- when it is due ----------------------------------------------------------------------------------------------


def test_within_thirty_days_is_to_the_end_of_the_thirtieth_local_day():
    bought = happened("machine_purchase", "2026-03-10 09:00")
    (one,) = duties(policy(WELCOME), bought)
    assert str(ZONE.local(one.due_at)) == "2026-04-10 00:00:00"
    assert [one.status(one.due_at + off) for off in (-1, 0)] == ["open", "late"]


def test_what_is_done_before_it_is_late_is_done_and_what_is_done_then_is_done_late():
    asked = happened("repair_requested", "2026-03-10 09:00", "q")
    for when, status in (("2026-03-10 09:14:59", "done"), ("2026-03-10 09:15", "done_late")):
        step = happened("repair_step", when, step="called", request="till:q")
        (one,) = duties(policy(CALL), asked, step)
        assert one.status(at(when)) == status, when
        assert one.status(at(when) - 1) == "open"


def test_within_so_many_minutes_runs_round_the_clock():
    assert due(policy(CALL), happened("repair_requested", "2026-03-10 23:50")) == ["2026-03-11 00:05:00"]


def test_a_day_of_hours_is_not_a_day():
    hours = duty("hours", 24 * 60, on=("complaint",))
    days = duty("days", days=1, on=("complaint",))
    complaint = happened("complaint", "2026-03-10 09:00")
    assert due(policy(hours, days), complaint) == ["2026-03-11 09:00:00", "2026-03-12 00:00:00"]


def test_days_are_local_where_the_clocks_change():
    berlin = Zone("Europe/Berlin")
    of, bought = policy(duty(days=2, on=("x",))), at("2026-03-28 23:00", berlin)
    event = Happened(Contribution("x", "till:x#0", bought, (bought, 3, "till:x"), "x", 1, 0, {}), bought)
    (one,) = owed(of, berlin, [LevelFrom(0, "velcro")], [event], {}, bought)
    assert one.due_at == at("2026-03-31 00:00", berlin)
    assert one.due_at - bought == 48 * 60 * 60 * 1_000_000  # 49 hours by the clock on the wall


def test_what_is_recorded_late_is_due_from_when_it_was_recorded():
    late = happened("machine_purchase", "2026-03-10", recorded="2026-05-20")
    (one,) = duties(policy(WELCOME), late)
    assert str(ZONE.local(one.due_at)) == "2026-06-20 00:00:00"
    assert one.since == at("2026-03-10")


def test_a_day_for_entering_it_is_not_late():
    said = happened("repair_requested", "2026-03-10 10:00", recorded="2026-03-11 10:00")
    assert due(policy(CALL), said) == ["2026-03-10 10:15:00"]
    said = happened("repair_requested", "2026-03-10 10:00", recorded="2026-03-11 10:01")
    assert due(policy(CALL), said) == ["2026-03-11 10:16:00"]


def test_what_was_done_at_once_and_recorded_late_is_done():
    # Friday's call-back, typed in on Monday together with the request.
    request = happened("repair_requested", "2026-03-06 10:00", "q1", recorded="2026-03-09 09:00")
    step = happened(
        "repair_step", "2026-03-06 10:10", "s", recorded="2026-03-09 09:01", request="till:q1", step="called"
    )
    (one,) = duties(policy(CALL), request, step)
    assert (one.status(at("2026-12-31")), one.done_at) == ("done", at("2026-03-06 10:10"))


# ---- what does it ------------------------------------------------------------------------------------------------


def test_the_first_later_event_that_does_it_counts():
    bought = happened("machine_purchase", "2026-03-10")
    gifts = [happened("gift_sent", day, key) for key, day in enumerate(("2026-03-09", "2026-03-20", "2026-03-25"))]
    (one,) = duties(policy(WELCOME), bought, *gifts)
    assert (one.done_at, one.done_by) == (at("2026-03-20"), "till:1")
    assert one.status(at("2026-03-19")) == "open"


def test_what_is_done_after_its_time_is_done_late():
    (one,) = duties(policy(WELCOME), happened("machine_purchase", "2026-03-10"), happened("gift_sent", "2026-04-10"))
    assert one.status(at("2026-12-31")) == "done_late"


def test_a_staff_s_word_does_the_duty_that_it_names():
    bought = happened("machine_purchase", "2026-03-10")
    words = [
        happened("duty_done", "2026-03-12", "a", duty="other"),
        happened("duty_done", "2026-03-14", "b", duty="welcome"),
    ]
    (one,) = duties(policy(WELCOME), bought, *words)
    assert one.done_at == at("2026-03-14")


def test_the_doing_must_pass_its_filters_and_share_the_named_fields():
    said = duty(on=("maintenance_due",), within=60, done_by=(("maintenance_done", ()),), matching=("serial",))
    asked = happened("maintenance_due", "2026-03-10", serial="X1")
    other, mine = (
        happened("maintenance_done", f"2026-03-{day}", f"d{day}", serial=serial)
        for day, serial in ((11, "X2"), (12, "X1"))
    )
    assert duties(policy(said), asked, other)[0].done_at is None
    assert duties(policy(said), asked, other, mine)[0].done_at == at("2026-03-12")
    request = happened("repair_requested", "2026-03-10", "q1")
    arrived = happened("repair_step", "2026-03-10 10:05", "s", request="till:q1", step="arrived")
    assert duties(policy(CALL), request, arrived)[0].done_at is None


@pytest.mark.parametrize("named", ["till:q2", "q1", "q", "webtill:q1", "till:q11"])
def test_a_step_that_names_another_request_does_nothing_for_this_one(named):
    request = happened("repair_requested", "2026-03-10", "q1")
    step = happened("repair_step", "2026-03-10 10:05", "s", request=named, step="called")
    assert duties(policy(CALL), request, step)[0].done_at is None
    again = replace(request, line=replace(request.line, line="webtill:q1#0"))
    assert [one.done_at is None for one in duties(policy(CALL), again, step)] == [named != "webtill:q1"]


def test_an_event_does_not_do_its_own_duty():
    follow = duty("follow", days=30, on=("contact",), done_by=(("contact", ()),))
    first, second = happened("contact", "2026-03-10", "a"), happened("contact", "2026-03-20", "b")
    assert [one.done_by for one in duties(policy(follow), first, second)] == ["till:b", ""]


def test_an_order_of_many_lines_brings_one_duty():
    after = duty("after", days=7, on=("parts_purchase",), where=(ast.Filter("category", "is", "parts"),))
    lines = [
        happened("parts_purchase", "2026-03-10", "o", place=place, category=category)
        for place, category in enumerate(("fuel", "parts", "parts"))
    ]
    assert [one.cause for one in duties(policy(after), *lines)] == ["till:o"]


def test_only_what_the_filters_let_through_brings_a_duty():
    serious = duty(on=("repair_requested",), where=(ast.Filter("severity", "is", "serious"),))
    events = [happened("repair_requested", "2026-03-10", word, severity=word) for word in ("ordinary", "serious")]
    assert [one.cause for one in duties(policy(serious), *events)] == ["till:serious"]


# ---- again and again ---------------------------------------------------------------------------------------------

MONTHLY = duty("contact", days=30, every_months=1, done_by=(("contact", (ast.Filter("direction", "is", "ours"),)),))


def test_a_monthly_duty_runs_from_the_day_the_level_was_reached():
    found = duties(policy(MONTHLY), JOINED, since="2026-01-31 15:00", now="2026-04-30")
    assert [(one.cause, str(ZONE.local(one.since)), str(ZONE.local(one.due_at))[:10]) for one in found] == [
        ("2026-01-31", "2026-01-31 15:00:00", "2026-03-03"),
        ("2026-02-28", "2026-02-28 00:00:00", "2026-03-31"),
        ("2026-03-31", "2026-03-31 00:00:00", "2026-05-01"),
        ("2026-04-30", "2026-04-30 00:00:00", "2026-05-31"),
    ]


def test_each_month_needs_a_contact_of_its_own():
    calls = [happened("contact", day, day, direction="ours") for day in ("2026-02-20", "2026-02-25", "2026-04-05")]
    theirs = happened("contact", "2026-03-20", "c", direction="customer")
    found = duties(policy(MONTHLY), JOINED, *calls, theirs, since="2026-02-10", now="2026-05-09")
    assert [(one.cause, one.status(at("2026-05-09"))) for one in found] == [
        ("2026-02-10", "done"),
        ("2026-03-10", "done"),
        ("2026-04-10", "open"),
    ]


def test_nothing_is_owed_before_the_member_is_known_or_after_he_left_the_level():
    levels = [LevelFrom(0, "velcro"), LevelFrom(at("2026-03-15"), "clip"), LevelFrom(at("2026-06-01"), "velcro")]
    found = duties(policy(MONTHLY), happened("card_issued", "2026-02-01"), since=levels, now="2026-06-20")
    assert [one.cause for one in found] == ["2026-02-01", "2026-03-01", "2026-06-01"]
    assert duties(policy(MONTHLY), since=levels) == []


def test_what_arose_under_a_level_stays_owed_when_the_level_is_gone():
    levels = [LevelFrom(0, "velcro"), LevelFrom(at("2026-03-15"), "clip")]
    before, after = (happened("machine_purchase", f"2026-03-{day}", str(day)) for day in (14, 15))
    (one,) = duties(policy(WELCOME), before, after, since=levels)
    assert (one.cause, one.level) == ("till:14", "velcro")


def test_a_birthday_comes_every_year_and_of_29_february_on_the_28th():
    birthday = duty("birthday", days=0, on_date="birth_date", done_by=(("gift_sent", ()),))
    born = {"birth_date": date(1980, 2, 29)}
    greeted = happened("gift_sent", "2025-03-01")
    found = duties(policy(birthday), JOINED, greeted, since="2024-01-01", now="2026-03-10", **born)
    assert found == duties(policy(birthday), greeted, JOINED, since="2024-01-01", now="2026-03-10", **born)
    assert [(one.cause, str(ZONE.local(one.due_at))[:10], one.done_at is not None) for one in found] == [
        ("2026-02-28", "2026-03-01", False),
    ]
    early = happened("card_issued", "2023-06-01")
    found = duties(policy(birthday), early, greeted, since="2023-06-01", now="2026-03-10", **born)
    assert [(one.cause, one.status(at("2026-03-10"))) for one in found] == [
        ("2024-02-29", "late"),
        ("2025-02-28", "done_late"),
        ("2026-02-28", "late"),
    ]
    assert duties(policy(birthday), JOINED) == []


def test_duties_are_listed_by_when_they_are_due():
    bought, asked = happened("machine_purchase", "2026-03-10"), happened("repair_requested", "2026-03-12")
    found = duties(policy(WELCOME, CALL), asked, bought)
    assert [one.duty for one in found] == ["call", "welcome"]
    assert found[0].due_at < found[1].due_at
    assert (found[0].owner, found[0].title_zh, found[0].escalate_to) == ("account_manager", TITLE.zh, "")


def test_what_happens_later_than_now_is_not_owed_yet():
    assert duties(policy(WELCOME), JOINED, happened("machine_purchase", "2026-03-10"), now="2026-03-09") == []


# ---- levels ------------------------------------------------------------------------------------------------------

TIERS = tuple(
    ast.Tier(name, TITLE, rank, level, None, None, None)
    for rank, (name, level) in enumerate((("customer", "clip"), ("member", "zipper"), ("gold", "velcro")))
)


@pytest.mark.parametrize(
    ("tier", "segment", "level"),
    [
        ("customer", None, "clip"),
        ("gold", "", "velcro"),
        ("customer", "key_account", "velcro"),  # the highest level by its segment, whatever the tier
        ("gold", "benchmark", "velcro"),
        ("customer", "benchmark", "zipper"),
        ("member", "unheard_of", "zipper"),
        ("member", "none", "zipper"),
        ("unheard_of", None, ""),
    ],
)
def test_the_level_is_the_higher_of_the_tier_s_and_the_segment_s(tier, segment, level):
    assert level_of(replace(policy(), tiers=TIERS), tier, segment) == level


def test_levels_over_time_change_when_tier_or_segment_do_and_only_then():
    tiers = [(at("2026-02-01"), "member"), (at("2026-03-01"), "gold"), (at("2026-05-01"), "member")]
    segments = [(at("2026-04-01"), "key_account"), (at("2026-06-01"), "other")]
    found = level_over_time(replace(policy(), tiers=TIERS), tiers, segments)
    assert [(str(ZONE.local(one.at))[:10], one.level) for one in found] == [
        ("1970-01-01", "clip"),
        ("2026-02-01", "zipper"),
        ("2026-03-01", "velcro"),
        ("2026-06-01", "zipper"),
    ]


@pytest.mark.parametrize(("members", "over"), [(10, False), (11, True), (0, False)])
def test_more_than_ten_gold_members_a_manager_are_warned_of(members, over):
    assert Load("U07", members, policy().manager_limit).over is over


def test_a_duty_stays_open_until_its_very_last_instant():
    (one,) = duties(policy(WELCOME), happened("machine_purchase", "2026-03-10"))
    last = ZONE.start_of(date(2026, 3, 10) + timedelta(days=31))
    assert (one.due_at, one.status(last - 1), one.status(last)) == (last, "open", "late")


# ---- what comes of the tier, and of dates that are prepared for --------------------------------------------------

LADDER = tuple(
    ast.Tier(name, TITLE, rank, "velcro", None, None, None) for rank, name in enumerate(("customer", "member", "gold"))
)


def turned(of, *moves, now="2026-12-31"):
    """Duties from (day, tier, cause, last valid day or None, state) of each change."""
    of = replace(of, tiers=LADDER)
    told = [
        (at(day), tier, cause, None if until is None else ZONE.end_of(date.fromisoformat(until)), state)
        for day, tier, cause, until, state in moves
    ]
    return owed(of, ZONE, [LevelFrom(0, "velcro")], [JOINED], {}, at(now), turns_of(of, told))


RISE = ("2026-02-01", "gold", "promoted", "2026-08-31", "valid")


def test_a_duty_may_come_of_what_happens_to_the_tier():
    moves = [
        RISE,
        ("2026-09-01", "gold", "grace", "2026-11-29", "grace"),
        ("2026-11-30", "member", "demoted", "2027-11-30", "valid"),
    ]
    for word, days in {
        "promoted": ["2026-02-01"], "grace": ["2026-09-01"], "demoted": ["2026-11-30"], "renewed": [],
    }.items():  # fmt: skip
        found = turned(policy(duty("visit", days=10, on_standing=(word,))), *moves)
        assert [one.cause for one in found] == days, word
        assert [str(ZONE.local(one.due_at))[:10] for one in found[:1]] == [
            str(date.fromisoformat(day) + timedelta(days=11)) for day in days
        ]


def test_a_confirmed_rise_is_a_rise_and_whatever_lets_a_member_down_is_a_fall():
    moves = [
        ("2026-02-01", "gold", "confirmed", None, "valid"),
        ("2026-03-01", "customer", "excluded", None, "valid"),
        ("2026-04-01", "gold", "promoted", None, "valid"),
        ("2026-04-05", "member", "returned", None, "valid"),
    ]
    found = turned(policy(duty("up", on_standing=("promoted",)), duty("down", on_standing=("demoted",))), *moves)
    assert [(one.duty, one.cause) for one in found] == [
        ("up", "2026-02-01"), ("down", "2026-03-01"), ("up", "2026-04-01"), ("down", "2026-04-05"),
    ]  # fmt: skip


def test_a_visit_before_the_tier_lapses_comes_so_many_days_before_and_not_for_a_tier_that_went_before():
    lapsing = policy(duty("visit", days=14, on_standing=("lapsing",), ahead_days=30))
    (one,) = turned(lapsing, RISE)
    assert (one.cause, str(ZONE.local(one.since))) == ("2026-08-31", "2026-08-01 00:00:00")
    assert turned(lapsing, RISE, ("2026-07-31", "member", "excluded", None, "valid")) == []
    assert turned(lapsing, RISE, now="2026-07-31") == []
    # A grace is no validity: its end was told of when it began, and no second visit is for it.
    grace = ("2026-09-01", "gold", "grace", "2026-11-29", "grace")
    assert [found.cause for found in turned(lapsing, RISE, grace)] == ["2026-08-31"]
    # Renewed at the very instant at which the visit would arise, it does not.
    again = ("2026-08-01 00:00", "gold", "renewed", "2027-07-31", "valid")
    assert turned(lapsing, RISE, again) == []
    short = turned(lapsing, ("2026-02-01", "gold", "promoted", "2026-02-10", "valid"))
    assert [str(ZONE.local(found.since))[:10] for found in short] == ["2026-02-01"]


def test_a_birthday_may_be_prepared_for_and_a_card_sent_in_the_days_before_does():
    birthday = duty("card", days=0, on_date="birth_date", ahead_days=7, done_by=(("gift_sent", ()),))
    born = {"birth_date": date(1980, 1, 3)}
    sent = [happened("gift_sent", day, day) for day in ("2025-12-28", "2027-01-04")]
    (one,) = duties(policy(birthday), JOINED, since="2025-06-01", now="2026-01-02", **born)
    assert (one.cause, str(ZONE.local(one.since))) == ("2026-01-03", "2026-01-01 10:00:00")  # known from then on
    levels = [LevelFrom(0, "velcro"), LevelFrom(at("2026-01-01"), "zipper")]
    assert duties(policy(birthday), JOINED, since=levels, now="2026-01-02", **born) == []
    early = happened("card_issued", "2025-06-01")
    found = duties(policy(birthday), early, *sent, since="2025-06-01", now="2027-02-01", **born)
    assert [(one.cause, str(ZONE.local(one.due_at))[:10], one.status(at("2027-02-01"))) for one in found] == [
        ("2026-01-03", "2026-01-04", "done"),
        ("2027-01-03", "2027-01-04", "done_late"),
    ]


def test_a_duty_may_come_every_so_many_days():
    weekly = duty("check", days=7, every_days=7)
    found = duties(policy(weekly), JOINED, now="2026-01-20")
    assert [one.cause for one in found] == ["2026-01-01", "2026-01-08", "2026-01-15"]


def test_the_instant_at_which_a_turn_begins_belongs_to_that_turn_alone():
    weekly = duty("check", days=7, every_days=7, done_by=(("contact", ()),))
    found = duties(policy(weekly), JOINED, happened("contact", "2026-01-08 00:00"), now="2026-01-09")
    assert [(one.cause, one.done_at is not None) for one in found] == [("2026-01-01", False), ("2026-01-08", True)]
    # …and of a level that is lost at that instant there is no further turn.
    levels = [LevelFrom(0, "velcro"), LevelFrom(at("2026-01-08 00:00"), "clip")]
    assert [one.cause for one in duties(policy(weekly), JOINED, since=levels, now="2026-01-20")] == ["2026-01-01"]


def test_what_is_done_in_the_same_instant_does_it():
    """Tills and the call centre write whole minutes."""
    asked = happened("repair_requested", "2026-03-10 09:00", "q")
    (one,) = duties(policy(CALL), asked, happened("repair_step", "2026-03-10 09:00", step="called", request="till:q"))
    assert one.status(at("2026-03-10 09:00")) == "done"


CARD = duty("card", days=0, on_date="birth_date", ahead_days=7, done_by=(("gift_sent", ()),))
BORN = {"birth_date": date(1980, 1, 3)}


def test_a_birthday_in_january_is_prepared_for_in_december():
    late = happened("card_issued", "2026-02-01")
    (one,) = duties(policy(CARD), late, now="2026-12-28", **BORN)
    assert (one.cause, str(ZONE.local(one.since))[:10]) == ("2027-01-03", "2026-12-27")
    assert duties(policy(CARD), late, now="2026-12-26", **BORN) == []


def test_a_birthday_after_the_level_was_lost_is_owed_no_more():
    early = happened("card_issued", "2025-06-01")
    levels = [LevelFrom(0, "velcro"), LevelFrom(at("2025-12-30"), "clip")]
    assert duties(policy(CARD), early, since=levels, now="2026-02-01", **BORN) == []
    assert len(duties(policy(CARD), early, since=levels[:1], now="2026-02-01", **BORN)) == 1


def test_a_gift_of_the_next_december_is_none_for_this_january():
    early, sent = happened("card_issued", "2025-06-01"), happened("gift_sent", "2026-12-10")
    (one,) = duties(policy(CARD), early, sent, since="2025-06-01", now="2026-12-11", **BORN)
    assert (one.cause, one.done_at) == ("2026-01-03", None)


def test_it_is_escalated_so_long_after_it_was_due():
    bought = happened("machine_purchase", "2026-03-10")
    (at_once,) = duties(policy(replace(WELCOME, escalate_to="leader")), bought)
    (later,) = duties(policy(replace(WELCOME, escalate_to="leader", escalate_minutes=120)), bought)
    (never,) = duties(policy(WELCOME), bought)
    assert (at_once.escalate_at, later.escalate_at, never.escalate_at) == (
        at_once.due_at, later.due_at + 120 * 60_000_000, None,
    )  # fmt: skip


def test_every_date_that_a_policy_may_name_is_known_however_it_was_said():
    said = [
        happened("card_issued", "2026-03-10", card_no="K1"),
        happened("attribute_changed", "2026-03-11", "b", name="birth_date", value_date="1980-05-06"),
        happened("attribute_changed", "2026-03-12", "c", name="entered_trade_on", value_date="2001-01-01"),
        happened("attribute_changed", "2026-03-13", "d", name="entered_trade_on"),
    ]
    assert dates_of(ZONE, said) == {"card_issued_on": date(2026, 3, 10), "birth_date": date(1980, 5, 6)}


def test_a_duty_is_late_from_its_due_instant_and_done_late_by_what_is_done_then():
    (one,) = duties(policy(duty(on=("contact",), days=1)), happened("contact", "2026-03-10", "c"))
    assert (one.status(one.due_at - 1), one.status(one.due_at)) == ("open", "late")
    assert replace(one, done_at=one.due_at - 1).status(one.due_at) == "done"
    assert replace(one, done_at=one.due_at).status(one.due_at) == "done_late"
    assert replace(one, done_at=one.due_at).status(one.due_at - 1) == "open"
