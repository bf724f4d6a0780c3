"""Duties read from a recorded book on both databases: who owes what, how late, and which manager has too many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.club import Club
from tests.test_merging import merge, record
from tierengine.service.dutybook import read_duties

SHIPPED = (Path(__file__).parent.parent / "policies.yaml").read_text(encoding="utf-8")
MEMBERS = [f"M{number:02d}" for number in range(12)]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(text):
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


@pytest.fixture
def club(book_url):
    club = Club(book_url, SHIPPED, MEMBERS)
    club.recorder._now = lambda: club.clock  # the book is kept as the days go by
    yield club
    club.close()


def on(club, text, *observations):
    """Record on that day what happened then."""
    club.clock = instant(text)
    club.send(*observations)


def duties(club, now, *codes):
    programme = club.recorder.programmes.of(club.link, club.dealer, 1)
    book = read_duties(club.link, programme, instant(now), codes=codes or None)
    club.link.rollback()
    return book


def of(book, name):
    return [one.owed for one in book.duties if one.owed.duty == name]


def buy(club, member="M00"):
    on(club, "2026-03-01T18:00:00+08:00", club.machine(f"{member}-A", "2026-03-01", member, size="medium"))


def test_the_welcome_pack_is_due_to_the_end_of_the_thirtieth_day_after_the_purchase(club):
    buy(club)
    (pack,) = of(duties(club, "2026-03-31T23:59:59+08:00"), "welcome_pack")
    assert pack.due_at == instant("2026-04-01T00:00:00+08:00")
    assert pack.status(instant("2026-03-31T23:59:59+08:00")) == "open"
    assert pack.status(instant("2026-04-01T00:00:00+08:00")) == "late"


def test_a_pack_that_was_sent_is_done_and_one_sent_too_late_is_done_late(club):
    buy(club)
    buy(club, "M01")
    sent = {"gift": "welcome_pack"}
    on(club, "2026-03-20T18:00:00+08:00", club.said("gift_sent", "2026-03-20", "M00", source_id="g1", **sent))
    on(club, "2026-04-20T18:00:00+08:00", club.said("gift_sent", "2026-04-20", "M01", source_id="g2", **sent))
    now = "2026-05-01T12:00:00+08:00"
    book = duties(club, now)
    status = {one.member: one.owed.status(instant(now)) for one in book.duties if one.owed.duty == "welcome_pack"}
    assert status == {"M00": "done", "M01": "done_late"}


def test_what_was_not_done_for_a_machine_that_went_back_is_owed_no_more(club):
    buy(club)
    buy(club, "M01")
    sent = club.said("gift_sent", "2026-03-20", "M01", source_id="g1", gift="welcome_pack")
    on(club, "2026-03-20T18:00:00+08:00", sent)
    packs = [one.member for one in duties(club, "2026-04-05T12:00:00+08:00").duties if one.owed.duty == "welcome_pack"]
    assert sorted(packs) == ["M00", "M01"]
    for member in ("M00", "M01"):
        said = {"source_id": f"r{member}", "order": f"{member}-A", "reason": "x"}
        back = club.said("machine_returned", "2026-04-10", member, **said)
        on(club, "2026-04-10T18:00:00+08:00", back)
    left = [one for one in duties(club, "2026-05-01T12:00:00+08:00").duties if one.owed.duty == "welcome_pack"]
    assert [(one.member, one.owed.done_at is not None) for one in left] == [("M01", True)]


def test_a_repair_call_back_runs_round_the_clock_and_is_done_by_the_step_that_names_it(club):
    buy(club)
    asked = club.said(
        "repair_requested", "2026-04-01T23:50:00+08:00", "M00", source_id="q1", severity="ordinary", distance_km=10
    )
    step = club.said(
        "repair_step", "2026-04-02T00:15:00+08:00", "M00", source_id="q2", request="q1", step="called_back"
    )
    on(club, "2026-04-02T00:20:00+08:00", asked, step)
    (call,) = of(duties(club, "2026-04-02T12:00:00+08:00", "M00"), "call_back")
    assert call.level == "zipper"
    assert call.due_at == instant("2026-04-02T00:20:00+08:00")
    assert call.done_at == instant("2026-04-02T00:15:00+08:00")
    (arrive,) = of(duties(club, "2026-04-02T12:00:00+08:00", "M00"), "on_site_city")
    assert arrive.status(instant("2026-04-02T12:00:00+08:00")) == "late"


def test_the_step_of_another_request_does_not_do_this_ones_duty(club):
    buy(club)
    requests = [
        club.said("repair_requested", f"2026-04-0{day}T10:00:00+08:00", "M00", source_id=f"q{day}", severity="ordinary")
        for day in (1, 2)
    ]
    step = club.said("repair_step", "2026-04-02T10:05:00+08:00", "M00", source_id="s", request="q2", step="called_back")
    on(club, "2026-04-02T11:00:00+08:00", *requests, step)
    calls = {one.cause: one.done_at for one in of(duties(club, "2026-04-03T12:00:00+08:00"), "call_back")}
    assert calls["till:q1"] is None
    assert calls["till:q2"] is not None


def test_what_a_late_record_brings_forth_is_due_from_when_it_was_recorded(club):
    on(club, "2026-05-10T18:00:00+08:00", club.machine("L", "2026-03-01", "M00", size="medium"))
    (pack,) = of(duties(club, "2026-05-11T00:00:00+08:00"), "welcome_pack")
    assert pack.due_at == instant("2026-06-10T00:00:00+08:00")


def test_a_manager_with_more_than_ten_gold_members_is_warned_of_and_not_refused(club):
    signed = {
        "stated_by": "U01", "stated_role": "sales_manager", "countersigned_by": "U02",
        "countersigned_role": "leader", "evidence": "x",
    }  # fmt: skip
    for member in MEMBERS[:11]:
        buy(club, member)
        on(
            club,
            "2026-03-05T18:00:00+08:00",
            *(
                club.said("attestation", "2026-03-04", member, source_id=f"{member}{trait}", trait=trait, **signed)
                for trait in ("early_entrant", "peer_influence")
            ),
            club.said("manager_assigned", "2026-03-05", member, source_id=f"{member}m", manager="U07"),
        )
    (load,) = duties(club, "2026-03-06T00:00:00+08:00").loads
    assert (load.manager, load.members, load.limit, load.over) == ("U07", 11, 10, True)


def test_monthly_contact_runs_from_the_day_the_member_became_gold(club):
    signed = {
        "stated_by": "U01", "stated_role": "sales_manager", "countersigned_by": "U02",
        "countersigned_role": "leader", "evidence": "x",
    }  # fmt: skip
    buy(club)
    on(
        club,
        "2026-03-10T18:00:00+08:00",
        *(
            club.said("attestation", "2026-03-10", "M00", source_id=trait, trait=trait, **signed)
            for trait in ("early_entrant", "peer_influence")
        ),
    )
    contact = club.said(
        "contact", "2026-03-20", "M00", source_id="c1", channel="phone", direction="ours", status="accepted"
    )
    on(club, "2026-03-20T18:00:00+08:00", contact)
    contacts = [one for one in of(duties(club, "2026-05-20T00:00:00+08:00"), "contact") if one.level == "velcro"]
    assert [one.cause for one in contacts] == ["2026-03-10", "2026-04-10", "2026-05-10"]
    assert [one.status(instant("2026-05-20T00:00:00+08:00")) for one in contacts] == ["done", "late", "open"]


def test_who_withdrew_marketing_is_owed_answers_but_no_visits_and_no_greetings(club):
    buy(club)
    said = {"purpose": "marketing", "text_version": "v3"}
    on(club, "2026-03-05T18:00:00+08:00",
       club.said("repair_requested", "2026-03-05", "M00", source_id="r1", severity="normal"))  # fmt: skip
    before = {one.owed.duty for one in duties(club, "2026-09-01T00:00:00+08:00").duties}
    on(club, "2026-03-06T18:00:00+08:00",
       club.said("consent_changed", "2026-03-06", "M00", source_id="k1", given=False, **said))  # fmt: skip
    after = {one.owed.duty for one in duties(club, "2026-09-01T00:00:00+08:00").duties}
    assert after < before
    assert {"welcome_pack"} <= after
    programme = club.recorder.programmes.of(club.link, club.dealer, 1)
    answers = {
        one.id for level in programme.line.at(1 << 60).rules.policy.levels.values() for one in level.duties if one.on
    }
    assert after <= answers
    on(club, "2026-03-07T18:00:00+08:00",
       club.said("consent_changed", "2026-03-07", "M00", source_id="k2", given=True, **said))  # fmt: skip
    assert {one.owed.duty for one in duties(club, "2026-09-01T00:00:00+08:00").duties} == before


def refused(club, at):
    on(
        club,
        at,
        club.said("consent_changed", at, "M00", source_id="k1", given=False, purpose="marketing", text_version="v3"),
    )


def test_what_was_done_before_the_withdrawal_stays_on_the_list(club):
    buy(club)
    call = club.said(
        "contact", "2026-03-04", "M00", source_id="c", channel="phone", direction="ours", status="accepted"
    )
    on(club, "2026-03-04T18:00:00+08:00", call)
    refused(club, "2026-03-06T10:00:00+08:00")
    (contact,) = of(duties(club, "2026-03-07T00:00:00+08:00"), "contact")
    assert contact.done_at == instant("2026-03-04T10:00:00+08:00")


@pytest.mark.parametrize(("at", "count"), [("2026-03-31T23:59:59+08:00", 0), ("2026-04-01T00:00:00+08:00", 1)])
def test_what_was_late_when_marketing_was_withdrawn_stays_and_nothing_that_was_not_yet(club, at, count):
    buy(club)
    refused(club, at)
    found = of(duties(club, "2026-06-01T00:00:00+08:00"), "seasonal_advice")
    assert [one.due_at for one in found] == [instant("2026-04-01T00:00:00+08:00")] * count


def test_what_happens_at_the_very_instant_that_is_asked_for_is_owed(club):
    on(club, "2026-03-05T18:00:00+08:00",
       club.said("repair_requested", "2026-03-05", "M00", source_id="r1", severity="normal"))  # fmt: skip
    at = "2026-03-05T10:00:00+08:00"
    assert of(duties(club, at), "call_back")
    assert of(duties(club, "2026-03-05T09:59:59+08:00"), "call_back") == []


def test_another_dealers_members_are_on_nobody_elses_list(club):
    buy(club)
    with club.beside("M00", "N00", text=SHIPPED):
        bought = [club.machine(f"O-{code}", "2026-03-01", code) for code in ("M00", "N00")]
        on(club, "2026-03-01T18:00:00+08:00", *bought)
    at = "2026-03-02T00:00:00+08:00"
    everybody = duties(club, at).duties
    assert {one.member for one in everybody} == {"M00"}
    assert duties(club, at, "M00").duties == everybody
    assert duties(club, at, "N00").duties == ()


def test_what_is_owed_to_merged_members_is_owed_once_to_who_stands_for_them(club):
    buy(club, "M01")
    club.clock = instant("2026-03-02T18:00:00+08:00")
    assert record(club, merge(club, "M01", "M00", at="2026-03-02")).status == "recorded"
    at = "2026-03-03T00:00:00+08:00"
    for codes in ((), ("M00",), ("M01",), ("M00", "M01")):
        book = duties(club, at, *codes)
        assert {one.member for one in book.duties} == {"M00"}, codes
        assert [one.cause for one in of(book, "welcome_pack")] == ["order:S1:M01-A:machine_purchase"], codes
