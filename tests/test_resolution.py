"""What raw events contribute, and that they contribute the same in whatever order, grouping and number they come."""

import random
from collections import Counter
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierengine.errors import Malformed
from tierengine.judging.history import AFTER, Contribution
from tierengine.judging.netting import MEASURES, difference, net, steps
from tierengine.judging.observations import read_observation
from tierengine.judging.recorded import Flag, Recorded, Resolved, Waits, cause_key
from tierengine.judging.resolution import outside_keys, resolve

CHINA = ZoneInfo("Asia/Shanghai")
DAY = 86_400 * 10**6
MARCH_1 = 1_772_294_400_000_000  # 2026-03-01 00:00 in China
SALE = "order:S1:1:parts_purchase"
REPAIR = "order:S1:1:repair_purchase"
MACHINE = "order:S1:1:machine_purchase"
SETTLED = "order:S1:1:purchase_settled"


def event(kind: str, day: float = 1, *, member: str | None = "M1", source_id: str = "", **fields) -> Recorded:
    """An event of 2026-03-`day`, of order 1 of store S1 where it takes one."""
    raw = {"kind": kind, "occurred_at": at_text(day), "member": member, "source_id": source_id or kind, **fields}
    seen = read_observation(
        raw, source="till", store="S1", now_us=MARCH_1 + 365 * DAY, zone=CHINA, late_days=None, currency="CNY"
    )
    return Recorded(seen, seen.member or None)


def at_text(day: float) -> str:
    return f"2026-03-{int(day):02d}T{int(day % 1 * 24):02d}:00:00+08:00"


def at(day: float) -> int:
    return MARCH_1 + int((day - 1) * DAY)


def parts(day: float = 2, lines: list | None = None, **more) -> Recorded:
    lines = lines or [
        {"item": "A", "category": "parts", "qty": 3, "amount": 10_000, "list": 11_000, "credit": 1_000, "margin": 500},
        {"item": "B", "category": "lubricant", "amount": 500},
    ]
    return event("parts_purchase", day, order="1", lines=lines, **more)


def machine(day: float = 2, **more) -> Recorded:
    return event("machine_purchase", day, order="1", amount=900_000, margin=9, serial="ZL1", size="large", **more)


def returned(day: float = 5, **more) -> Recorded:
    return event("sale_returned", day, **{"order": "1", "member": None, "source_id": "r1", **more})


def found(*events: Recorded, outside: Iterable[Recorded] = ()) -> Resolved:
    return resolve(events, {one.key: one for one in outside}, CHINA)


def given_by(resolved: Resolved, key: str) -> list[Contribution]:
    return [line for _, line in resolved.contributions[key]]


def rows(resolved: Resolved) -> list[tuple[str, Contribution]]:
    return [row for given_ in resolved.contributions.values() for row in given_]


# ---- plain events -------------------------------------------------------------------------------------------------


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


# ---- revisions ----------------------------------------------------------------------------------------------------


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


# ---- machines, referrals, settlements -----------------------------------------------------------------------------


def registered(day: float = 1, member: str = "M9", **more) -> Recorded:
    return event("referral_registered", day, member=member, source_id="bb", referred="a quarry", **more)


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


# ---- submissions and attestations ---------------------------------------------------------------------------------


def tip(**more) -> Recorded:
    return event("tip", 2, source_id="t", topic="project", staff="w1", **more)


def accepted(day: float = 4, by: str = "w2", source_id: str = "acc", **more) -> Recorded:
    return event(
        "submission_accepted",
        day,
        **{"member": None, "source_id": source_id, "accepts": "t", "accepted_by": by, **more},
    )


def test_a_submission_counts_as_waiting_until_it_is_accepted_and_then_at_its_own_date():
    ((_, waiting),) = found(tip(proved=True)).contributions["till:t"]
    assert (waiting.kind, waiting.qty, waiting.at, waiting.known) == ("tip_submitted", 1, at(2), (at(2), 3, "till:t"))
    assert waiting.fields["proved"] == 0
    answer = found(tip(proved=True), accepted())
    (member, line), (_, back) = answer.contributions["till:acc"]
    assert (back.kind, back.qty, back.at, back.known) == ("tip_submitted", -1, at(2), line.known)
    assert given_by(answer, "till:t") == [waiting]
    assert (member, line.kind, line.line, line.cause) == ("M1", "tip", "till:t#0", "submission_accepted")
    assert (line.at, line.known) == (at(2), (at(4), 3, "till:acc"))
    assert (line.fields["proved"], line.fields["accepted_by"]) == (0, "w2")
    assert given_by(found(tip(), accepted(proved=True)), "till:acc")[0].fields["proved"] == 1


def test_a_submission_sent_as_accepted_counts_at_once():
    (line,) = given_by(found(tip(status="accepted", proved=True)), "till:t")
    assert (line.fields["proved"], line.cause) == (1, "tip")


def test_who_received_a_tip_cannot_accept_it():
    for events in ((tip(), accepted(by="w1")), (tip(status="accepted", accepted_by="w1"),)):
        answer = found(*events)
        assert [line.kind for _, line in rows(answer)] == ["tip_submitted"]
        assert answer.flags[0].code == "accepted_by_receiver"


def test_of_two_acceptances_the_first_counts():
    answer = found(tip(), accepted(6, source_id="a"), accepted(4, source_id="z"))
    assert [line.kind for _, line in answer.contributions["till:z"]] == ["tip", "tip_submitted"]
    assert answer.contributions["till:a"] == ()
    assert answer.flags == (Flag("till:a", "already_accepted"),)


def test_an_acceptance_dated_before_its_submission_takes_the_place_just_after_it():
    line, _ = given_by(found(tip(), accepted(1)), "till:acc")
    assert line.known == (at(2), 3, f"till:t{AFTER}till:acc")
    assert cause_key(line.known) == "till:acc"


def test_the_place_just_after_an_event_is_before_every_other_event_of_its_instant():
    """Keys that begin alike are the rule: receipt 1 and receipt 10 of one source."""
    line, _ = given_by(found(tip(), accepted(1)), "till:acc")
    at_once = ["till:t", "till:t0", "till:t ", "till:t!", "till:t:x", "till:t\u4e00"]
    places = sorted([line.known, *((at(2), 3, key) for key in at_once)])
    assert places[:2] == [(at(2), 3, "till:t"), line.known]


def test_an_acceptance_of_what_is_no_submission_waits():
    attested = event("attestation", source_id="t", trait="x", stated_by="w", stated_role="r", evidence="e")
    assert found(attested, accepted()).parked == {"till:acc": Waits("till:t", "wrong_kind")}


def test_a_withdrawn_attestation_stands_until_the_withdrawal_and_no_longer():
    stated = event("attestation", 2, source_id="t", trait="x", stated_by="w", stated_role="r", evidence="e")
    withdrawn = [
        event("attestation_withdrawn", day, member=None, source_id=key, attestation="t")
        for key, day in (("a", 9), ("z", 5))
    ]
    answer = found(stated, *withdrawn)
    (line,) = given_by(answer, "till:z")
    assert (line.qty, line.at, line.known, line.fields["trait"]) == (-1, at(2), (at(5), 3, "till:z"), "x")
    assert answer.flags == (Flag("till:a", "already_withdrawn"),)


# ---- returns ------------------------------------------------------------------------------------------------------


def test_a_whole_return_takes_every_line_of_every_kind_of_the_order():
    repair = event("repair_purchase", 3, order="1", lines=[{"category": "labour", "amount": 800}])
    answer = found(parts(), repair, returned())
    back = given_by(answer, "till:r1")
    assert [(line.line, line.qty, line.amount) for line in back] == [
        (f"{SALE}#0", -3, -10_000), (f"{SALE}#1", -1, -500), (f"{REPAIR}#0", -1, -800),
    ]  # fmt: skip
    assert {(line.known, line.cause) for line in back} == {((at(5), 3, "till:r1"), "sale_returned")}
    assert [line.at for line in back] == [at(2), at(2), at(3)]
    assert [member for member, _ in answer.contributions["till:r1"]] == ["M1"] * 3
    measures = {"amount": -10_000, "cash": -9_000, "credit": -1_000, "list": -11_000, "margin": -500, "qty": -3}
    assert dict(back[0].fields) == {**given_by(answer, SALE)[0].fields, **measures}


def test_a_return_of_a_machine_takes_its_settlement_too_even_one_that_comes_later():
    gone = event("machine_returned", 4, order="1", reason="repossessed", member=None, serial="ZL2", source_id="r1")
    answer = found(machine(), event("purchase_settled", 6, order="1"), parts(), gone)
    bought, settled = given_by(answer, "till:r1")
    assert (bought.kind, bought.known) == ("machine_purchase", (at(4), 3, "till:r1"))
    assert (settled.kind, settled.known) == ("purchase_settled", (at(6), 3, f"{SETTLED}{AFTER}till:r1"))
    assert answer.flags == (Flag("till:r1", "serial_differs"),)
    right = event("machine_returned", 4, order="1", reason="repossessed", serial="ZL1")
    assert found(machine(), right).flags == ()


def test_part_of_a_line_takes_floored_shares_and_the_last_piece_the_rest():
    pieces = [returned(5 + n, source_id=f"r{n}", lines=[{"item": "A", "qty": 1}]) for n in range(3)]
    answer = found(parts(), *pieces)
    back = [given_by(answer, f"till:r{n}")[0] for n in range(3)]
    assert [line.amount for line in back] == [-3_333, -3_333, -3_334]
    assert [line.fields["credit"] for line in back] == [-333, -333, -334]
    for line in back:
        assert line.fields["cash"] + line.fields["credit"] == line.amount


def test_a_stated_amount_is_taken_as_far_as_there_is_any_and_the_last_piece_still_takes_the_rest():
    stated = [
        returned(5 + n, source_id=f"r{n}", lines=[{"item": "A", "qty": 1, "amount": amount}])
        for n, amount in enumerate((2_000, 9_999, 1))
    ]
    answer = found(parts(), *stated)
    assert [given_by(answer, f"till:r{n}")[0].amount for n in range(3)] == [-2_000, -8_000, 0]
    for n in range(3):
        fields = given_by(answer, f"till:r{n}")[0].fields
        assert fields["cash"] + fields["credit"] == fields["amount"]


def test_a_return_line_spreads_over_all_lines_that_match():
    lines = [{"item": "A", "qty": 2, "amount": 200}, {"item": "A", "qty": 2, "amount": 200}]
    answer = found(parts(lines=lines), returned(lines=[{"item": "A", "qty": 3, "amount": 100}]))
    assert [(line.qty, line.amount) for line in given_by(answer, "till:r1")] == [(-2, -200), (-1, -34)]


def test_two_lines_of_a_return_make_one_contribution_a_line_of_the_sale():
    answer = found(parts(), returned(lines=[{"item": "A", "qty": 1}, {"category": "parts", "qty": 1}]))
    assert [(line.line, line.qty, line.amount) for line in given_by(answer, "till:r1")] == [(f"{SALE}#0", -2, -6_666)]


def test_a_line_that_names_a_category_takes_nothing_else():
    answer = found(parts(), returned(lines=[{"category": "lubricant"}]))
    assert [line.line for line in given_by(answer, "till:r1")] == [f"{SALE}#1"]


def test_what_was_not_sold_cannot_come_back():
    answer = found(
        parts(), returned(4, source_id="z", lines=[{"item": "A", "qty": 2}]), returned(lines=[{"item": "A", "qty": 2}])
    )
    assert given_by(answer, "till:r1")[0].qty == -1
    assert answer.flags == (Flag("till:r1", "beyond_sold"),)
    for again in (returned(6, source_id="x"), returned(6, source_id="x", lines=[{"item": "C"}])):
        nothing = found(parts(), returned(), again)
        assert nothing.contributions["till:x"] == ()
        assert nothing.flags == (Flag("till:x", "beyond_sold"),)


def test_a_return_of_an_unknown_order_waits_for_it():
    assert found(returned()).parked == {"till:r1": Waits("order:S1:1", "not_here")}
    gone = event("machine_returned", order="1", reason="r")
    assert found(gone, parts()).parked == {"till:machine_returned": Waits(MACHINE, "not_here")}


def test_a_return_of_a_purchase_that_waits_waits_for_the_same():
    assert found(machine(referral="bb"), returned()).parked["till:r1"] == Waits("till:bb", "not_here")


def test_two_returns_dated_before_their_sale_take_two_places_just_after_it():
    early = [returned(1, source_id=f"r{n}", lines=[{"item": "A", "qty": 1}]) for n in range(2)]
    answer = found(parts(), *early)
    places = [given_by(answer, f"till:r{n}")[0].known for n in range(2)]
    assert places == [(at(2), 3, f"{SALE}{AFTER}till:r{n}") for n in range(2)]
    made = steps(line for _, line in rows(answer))
    assert [(step.kind, cause_key(step.position)) for step in made] == [
        ("parts_purchase", SALE), ("sale_returned", "till:r0"), ("sale_returned", "till:r1"),
    ]  # fmt: skip


# ---- differences --------------------------------------------------------------------------------------------------


def test_the_difference_to_a_correction_retracts_and_adds_and_edits_nothing():
    old = given_by(found(parts()), SALE)
    new = given_by(
        found(parts(lines=[{"item": "A", "category": "parts", "qty": 3, "amount": 9_000}], revision=1)), SALE
    )
    inserted = difference(old, new)
    retraction = next(row for row in inserted if row.line == old[1].line)
    assert (retraction.qty, retraction.amount, retraction.known) == (-1, -500, old[1].known)
    assert retraction.fields == {**old[1].fields, "amount": -500, "cash": -500, "credit": 0, "list": -500}
    assert net([*old, *inserted]) == tuple(new)
    assert difference([*old, *inserted], new) == ()
    assert net([*old, *inserted, *difference(new, [])]) == ()


def test_a_retracted_return_leaves_no_step():
    answer = found(parts(), returned())
    back = given_by(answer, "till:r1")
    everything = [*given_by(answer, SALE), *back, *difference(back, [])]
    assert [step.kind for step in steps(everything)] == ["parts_purchase"]


CLUSTER = [
    parts(),
    parts(3, revision=1, lines=[{"item": "A", "category": "parts", "qty": 5, "amount": 1_001, "credit": 77}]),
    event("repair_purchase", 4, order="1", lines=[{"category": "labour", "amount": 800}]),
    machine(3, referral="bb"),
    event("purchase_settled", 6, order="1", member=None),
    returned(1, source_id="early", lines=[{"item": "A", "qty": 2, "amount": 999}]),
    returned(5, source_id="part", lines=[{"category": "parts", "qty": 2}, {"category": "labour"}]),
    returned(9, source_id="whole"),
    event("observation_cancelled", 9, source_id="whole", revision=1),
    returned(8, source_id="part", revision=1, lines=[{"item": "A", "qty": 1}]),
    event("machine_returned", 2, order="1", reason="r", member=None),
    registered(),
]


class Shop:
    """A recorder in miniature: keeps every row, and after each group posts the difference for what it touches."""

    def __init__(self) -> None:
        self.events: list[Recorded] = []
        self.rows: dict[tuple[str, str], list[Contribution]] = {}

    def record(self, group: list[Recorded]) -> None:
        self.events += [one for one in group if one not in self.events]
        outside = {one.key: one for one in self.events if one.observation.kind == "referral_registered"}
        answer = resolve(self.events, outside, CHINA)
        wanted: dict[tuple[str, str], list[Contribution]] = {}
        for key, given_ in answer.contributions.items():
            for member, line in given_:
                wanted.setdefault((member, key), []).append(line)
        for owner in wanted.keys() | self.rows.keys():
            stored = self.rows.setdefault(owner, [])
            stored += difference(stored, wanted.get(owner, []))

    def sums(self) -> dict:
        """What an aggregate over the raw rows sees, retractions and all: measures by line and place."""
        seen: dict[tuple, Counter] = {}
        for (member, _), stored in self.rows.items():
            for row in stored:
                measures = {name: row.fields[name] for name in MEASURES & row.fields.keys()}
                seen.setdefault((member, row.line, row.known), Counter()).update(
                    measures | {"#": row.qty, "@": row.amount}
                )
        kept = {place: {name: value for name, value in one.items() if value} for place, one in seen.items()}
        return {place: one for place, one in kept.items() if one}

    def standing(self) -> Counter:
        return Counter((owner, repr(row)) for owner, stored in self.rows.items() for row in net(stored))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9))
def test_any_order_grouping_and_duplication_ends_in_the_same_contributions(seed):
    chance = random.Random(seed)
    told = chance.sample(CLUSTER, chance.randint(1, len(CLUSTER)))
    at_once, one_by_one = Shop(), Shop()
    at_once.record(sorted(told, key=lambda one: (one.key, one.observation.revision)))
    deliveries = told + chance.sample(told, len(told) // 2)
    chance.shuffle(deliveries)
    while deliveries:
        size = chance.randint(1, 3)
        one_by_one.record(deliveries[:size])
        deliveries = deliveries[size:]
    assert one_by_one.standing() == at_once.standing()
    assert one_by_one.sums() == at_once.sums()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9))
def test_no_line_is_below_zero_as_of_any_position_and_all_its_measures_end_together(seed):
    chance = random.Random(seed)
    lines = [
        {"item": chance.choice("AB"), "category": "parts", "qty": chance.randint(1, 5),
         "amount": (a := chance.randint(0, 99)), "credit": chance.randint(0, a), "margin": chance.randint(0, 30)}
        for _ in range(chance.randint(1, 4))
    ]  # fmt: skip
    back = [
        returned(
            chance.randint(1, 6),
            source_id=f"r{n}",
            lines=[{"item": chance.choice("AB"), "qty": chance.randint(1, 4)} | chance.choice([{}, {"amount": 17}])],
        )
        for n in range(chance.randint(0, 6))
    ]
    made = [line for _, line in rows(found(parts(3, lines), *back))]
    sums: dict[str, Counter] = {}
    for line in sorted(made, key=lambda one: (one.known, one.line)):
        measures = sums.setdefault(line.line, Counter())
        measures.update({"#": line.qty, "@": line.amount})
        measures.update({name: line.fields[name] for name in ("amount", "cash", "credit", "list", "margin", "qty")})
        assert min(measures.values()) >= 0
        assert measures["cash"] + measures["credit"] == measures["amount"] == measures["@"]
        assert measures["#"] == measures["qty"]
        if measures["#"] == 0:
            assert not any(measures.values())


def test_the_order_of_events_in_a_call_does_not_matter_to_flags_and_what_waits():
    for seed in range(20):
        told = CLUSTER[:]
        random.Random(seed).shuffle(told)
        assert found(*told) == found(*CLUSTER)


def test_what_is_malformed_is_no_event_at_all():
    with pytest.raises(Malformed):
        returned(lines=[])
