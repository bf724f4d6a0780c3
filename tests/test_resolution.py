"""What raw events contribute: sales, revisions, machines with their referrals and settlements."""

import pytest

from tests.told_events import (
    CHINA,
    MACHINE,
    SALE,
    SETTLED,
    at,
    event,
    found,
    given_by,
    machine,
    parts,
    registered,
    returned,
)
from tierengine.errors import Malformed
from tierengine.judging.recorded import Flag, Waits
from tierengine.judging.resolution import outside_keys, resolve


def test_each_line_of_a_sale_is_a_contribution_with_dated_copies_of_what_policies_read():
    first, second = given_by(found(parts(staff="w1", note="private")), SALE)
    assert (first.line, first.event_key, first.kind, first.cause) == (
        f"{SALE}#0",
        SALE,
        "parts_purchase",
        "parts_purchase",
    )
    assert (first.at, first.known) == (at(2), (at(2), 3, SALE))
    assert (first.qty, first.amount) == (3, 10_000)
    assert dict(first.fields) == {
        "order": "1", "item": "A", "category": "parts", "qty": 3, "amount": 10_000, "list": 11_000, "credit": 1_000,
        "cash": 9_000, "margin": 500, "month": "2026-03", "quarter": "2026Q1", "staff": "w1",
    }  # fmt: skip
    assert (second.qty, second.fields["cash"], second.fields["credit"], second.fields["list"]) == (1, 500, 0, 500)


def test_an_event_without_lines_is_its_own_line_and_lists_are_left_out():
    (line,) = given_by(
        found(event("contact", channel="visit", direction="ours", needs=["oil"], status="accepted")), "till:contact"
    )
    assert (line.qty, line.amount) == (1, 0)
    assert "needs" not in line.fields
    assert "status" not in line.fields


def test_an_attribute_change_stands_before_what_else_happened_at_its_instant():
    (line,) = given_by(found(event("segment_set", segment="key_account")), "till:segment_set")
    assert line.known[1] == 2


def test_the_month_a_report_is_about_is_not_the_month_it_was_written():
    (line,) = given_by(found(event("contact_report", 3, month="2026-02")), "till:contact_report")
    assert (line.fields["month"], line.fields["quarter"]) == ("2026-02", "2026Q1")


def test_the_highest_revision_counts_in_whatever_order_they_came():
    old, new = parts(), parts(3, [{"item": "A", "amount": 700}], revision=1)
    for events in ((old, new), (new, old)):
        (line,) = given_by(found(*events), SALE)
        assert (line.at, line.amount) == (at(3), 700)


def test_a_cancelled_event_gives_nothing_until_a_later_revision_brings_it_back():
    cancelled = event("observation_cancelled", 4, source_id=SALE, revision=1)
    assert found(parts(), cancelled).contributions == {SALE: ()}
    assert len(given_by(found(parts(), cancelled, parts(revision=2)), SALE)) == 2


def test_a_return_of_a_cancelled_sale_waits():
    cancelled = event("observation_cancelled", 4, source_id=SALE, revision=1)
    assert found(parts(), returned(), cancelled).parked == {"till:r1": Waits("order:S1:1", "cancelled")}


def test_a_return_cancelled_by_its_id_gives_the_sale_back():
    cancelled = event("observation_cancelled", 6, source_id="r1", revision=1)
    assert cancelled.observation.cluster != "order:S1:1"  # a cancellation cannot know which order it is about
    assert found(parts(), returned(), cancelled).contributions["till:r1"] == ()


def test_only_the_clusters_that_are_asked_for_are_answered():
    moved = returned(order="2", revision=1)
    answer = resolve((parts(), returned(), moved), {}, CHINA, clusters={"order:S1:1"})
    assert set(answer.contributions) == {SALE}
    assert answer.parked == {}
    assert found(parts(), returned(), moved).parked == {"till:r1": Waits("order:S1:2", "not_here")}


def test_a_purchase_waits_as_a_whole_for_the_referral_it_names():
    bought, settled = machine(referral="bb"), event("purchase_settled", 3, order="1")
    answer = found(bought, settled)
    assert outside_keys(bought.observation) == ("till:bb",)
    assert answer.contributions == {MACHINE: (), SETTLED: ()}
    assert answer.parked == dict.fromkeys((MACHINE, SETTLED), Waits("till:bb", "not_here"))


def test_a_referral_tells_who_brought_the_buyer_and_how_long_ago():
    (line,) = given_by(found(machine(8, referral="bb"), outside=[registered(1.9)]), MACHINE)
    assert [line.fields[name] for name in ("referrer", "referral_days", "related")] == ["M9", 7, 0]
    assert line.fields["delivered_on"] == "2026-03-08"


def test_who_registers_himself_is_related():
    (line,) = given_by(found(machine(referral="bb"), outside=[registered(member="M1")]), MACHINE)
    assert (line.fields["referrer"], line.fields["related"]) == ("M1", 1)


def test_a_referral_registered_after_the_purchase_brings_no_referrer():
    answer = found(machine(2, referral="bb"), outside=[registered(4)])
    (line,) = given_by(answer, MACHINE)
    assert "referrer" not in line.fields
    assert line.fields["referral_days"] == -2
    assert answer.flags == (Flag(MACHINE, "referral_after_purchase"),)


def test_a_cancelled_referral_lets_the_purchase_count_without_it():
    cancelled = event("observation_cancelled", 4, source_id="bb", revision=1)
    answer = found(machine(referral="bb"), outside=[cancelled])
    assert "referrer" not in given_by(answer, MACHINE)[0].fields
    assert answer.flags == (Flag(MACHINE, "referral_cancelled"),)


def test_what_is_no_referral_is_waited_for():
    answer = found(machine(referral="contact"), outside=[event("contact", channel="call", direction="ours")])
    assert answer.parked[MACHINE] == Waits("till:contact", "wrong_kind")


def test_a_settlement_knows_the_machine_its_delivery_and_its_referrer():
    answer = found(
        event("purchase_settled", 6, order="1", member=None), machine(8, referral="bb"), outside=[registered()]
    )
    ((member, line),) = answer.contributions[SETTLED]
    assert "margin" not in line.fields
    assert member == "M1"
    assert line.known == (at(6), 3, SETTLED)
    expected = {"serial": "ZL1", "size": "large", "delivered_on": "2026-03-08", "referrer": "M9", "amount": 900_000}
    assert expected.items() <= line.fields.items()
    assert line.amount == 900_000


def test_what_a_settlement_says_was_paid_stays_its_own_word():
    (line,) = given_by(found(machine(), event("purchase_settled", 6, order="1", amount=70, serial="ZL2")), SETTLED)
    assert (line.amount, line.fields["cash"], line.fields["list"], line.fields["serial"]) == (70, 70, 70, "ZL1")


def test_a_settlement_of_an_unknown_purchase_waits():
    assert found(event("purchase_settled", order="1")).parked == {SETTLED: Waits(MACHINE, "not_here")}


def test_a_step_counts_once_its_request_is_here():
    step = event("repair_step", 3, request="q", step="fixed", member="M2")
    assert found(step).parked == {"till:repair_step": Waits("till:q", "not_here")}
    answer = found(step, event("repair_requested", source_id="q", severity="serious"))
    assert answer.contributions["till:repair_step"][0][0] == "M1"
    assert answer.flags == (Flag("till:repair_step", "other_member"),)


@pytest.mark.parametrize(("day", "minutes"), [(4, 2 * 1_440), (2.5, 720), (2, 0), (1, 0)])
def test_a_step_is_so_many_minutes_after_its_request_and_never_fewer_than_none(day, minutes):
    asked = event("repair_requested", 2, source_id="q", severity="serious", distance_km=40)
    (line,) = given_by(found(asked, event("repair_step", day, request="q", step="arrived")), "till:repair_step")
    assert (line.fields["minutes"], line.fields["severity"], line.fields["distance_km"]) == (minutes, "serious", 40)


def test_what_is_malformed_is_no_event_at_all():
    with pytest.raises(Malformed):
        returned(lines=[])
