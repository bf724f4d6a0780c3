"""The fold: a member's history step by step, with versions, boundaries, returns and what others are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time

from rules import policy as ast
from rules.judge import Ruleset
from tests.policy_strategies import TITLE, is_at_least, minimal
from tierengine.judging import carry as carries
from tierengine.judging.decisions import PolicyLine, Version
from tierengine.judging.fold import fold
from tierengine.judging.history import AFTER, LAST, Contribution, Step
from tierengine.judging.netting import steps
from tierengine.judging.regimes import Regimes
from tierengine.judging.running import RunningFacts
from tierengine.zone import Zone

ZONE = Zone("Asia/Shanghai")
MACHINE, SETTLED, PARTS = "machine_purchase", "purchase_settled", "parts_purchase"
KEEP = ast.Keep(1, 10, "one_down")
FACTS = (
    ast.Fact("bought", TITLE, "count", "count", (MACHINE,)),
    ast.Fact("spent", TITLE, "sum", "money", (PARTS,), "amount", (), ast.Window("rolling", months=1)),
    ast.Fact("stock", TITLE, "quantity", "count", ("consignment_moved",), "qty"),
    ast.Fact("since", TITLE, "sum", "money", (PARTS,), "amount", (), ast.Window("since_tier")),
)


def tier(name, rank, when=None, keep=KEEP, **others):
    return ast.Tier(name, TITLE, rank, "", when, others.pop("unless", None), keep if rank else None, **others)


def programme(*tiers, wallet="purse", **sections):
    ladder = tiers or (tier("customer", 0), tier("gold", 1, is_at_least("spent", 1_000)))
    sections = {"wallets": (ast.Wallet(wallet, TITLE, "money", (), None),), **sections}
    return replace(minimal(**sections), tiers=ladder, facts={one.id: one for one in FACTS})


TEN = ast.Fixed(10)


def reward(name="bonus", on=(PARTS,), amount=TEN, **others):
    return ast.Reward(name, TITLE, on, "purse", amount, **others)


def at(day, hour=10, zone=ZONE):
    return zone.instant(datetime.combine(date.fromisoformat(day), time(hour)))


def sold(kind, order, when, amount=1_000, qty=1, **fields):
    instant, key = at(when) if isinstance(when, str) else when, f"order:S1:{order}:{kind}"
    line = f"{key}#0"
    fields = {"order": order, "amount": amount, **fields}
    return Contribution(kind, line, instant, (instant, 3, key), kind, qty, amount, fields)


def said(kind, key, when, class_=3, qty=1, **fields):
    instant = at(when) if isinstance(when, str) else when
    return Contribution(kind, f"src:{key}#0", instant, (instant, class_, f"src:{key}"), kind, qty, 0, fields)


def returned(sale, when, key="r", qty=None):
    instant = at(when) if isinstance(when, str) else when
    pieces = sale.qty if qty is None else qty
    amount = sale.amount * pieces // sale.qty
    known = max((instant, 3, f"src:{key}"), (sale.known[0], 3, f"{sale.known[2]}{AFTER}src:{key}"))
    fields = {**sale.fields, "amount": -amount}
    return replace(sale, known=known, cause="sale_returned", qty=-pieces, amount=-amount, fields=fields)


def regimes(*versions, zone=ZONE):
    """Versions are policies, or (the day on which they begin, policy)."""
    dated = [one if isinstance(one, tuple) else ("2026-01-01", one) for one in versions]
    line = (Version(n, n, at(day, 0), Ruleset(policy)) for n, (day, policy) in enumerate(dated, 1))
    return Regimes(PolicyLine(tuple(line)), zone)


def ran(of, *rows, until=None):
    ordered = sorted(rows, key=lambda row: (row.known, row.line))
    end = (at(until), LAST, "") if until else None
    return fold(of, "", None, steps(ordered), RunningFacts(of.zone, ordered), until=end)


def moves(folded):
    """What moved when: (day, tier, state, cause)."""
    return [(ZONE.local_date(one.step[0]).isoformat()[5:], one.tier, one.state, one.cause) for one in folded.changes]


def nets(folded):
    return {(one.granted.event_key, one.granted.rule): one.granted.wanted for one in folded.decisions}


# ---- positions ---------------------------------------------------------------------------------------------------


def test_a_history_without_events_is_the_lowest_tier_and_no_time_passes_in_it():
    folded = ran(regimes(programme()))
    assert (folded.tier, folded.head, folded.boundary_at, folded.changes) == ("customer", (0, 0, ""), None, ())


def test_between_points_time_alone_moves_nobody_and_at_its_end_a_term_is_judged():
    rows = (sold(PARTS, "A", "2026-03-10"),)
    assert moves(ran(regimes(programme()), *rows, until="2026-04-10")) == [("03-10", "gold", "valid", "promoted")]
    assert moves(ran(regimes(programme()), *rows, until="2026-04-21")) == [
        ("03-10", "gold", "valid", "promoted"),
        ("04-11", "gold", "grace", "grace"),
        ("04-21", "customer", "valid", "demoted"),
    ]


def test_an_event_passes_the_time_before_it():
    assert moves(ran(regimes(programme()), sold(PARTS, "A", "2026-03-10"), sold(PARTS, "B", "2026-04-15", 1))) == [
        ("03-10", "gold", "valid", "promoted"),
        ("04-11", "gold", "grace", "grace"),
    ]


def test_what_happens_at_the_very_instant_of_a_boundary_comes_after_it():
    for off, causes in ((-1, ["promoted", "renewed"]), (0, ["promoted", "grace", "renewed"])):
        late = sold(PARTS, "B", at("2026-04-11", 0) + off)
        folded = ran(regimes(programme()), sold(PARTS, "A", "2026-03-10"), late, until="2026-04-12")
        assert [one.cause for one in folded.changes] == causes


def test_at_one_instant_a_version_starts_then_terms_end_then_attributes_change_then_things_happen():
    renamed = programme(
        tier("customer", 0), tier("vip", 1, is_at_least("spent", 1), replaces=("gold",), unless=_segment("key"))
    )
    instant = at("2026-04-11", 0)
    folded = ran(
        regimes(programme(), ("2026-04-11", renamed)),
        sold(PARTS, "A", "2026-03-10"),
        sold(PARTS, "B", instant),
        said("segment_set", "z", instant, 2, segment="key"),
    )
    assert [(*one.step[:2], one.tier, one.cause) for one in folded.changes[1:]] == [
        (instant, 0, "vip", "replaced"),
        (instant, 1, "vip", "grace"),
        (instant, 2, "customer", "excluded"),
    ]


def _segment(value):
    return ast.Test(ast.Subject("attribute", "segment"), "is", value)


def test_ties_go_by_key_and_not_by_arrival():
    ladder = ast.Ladder((ast.Rung(1, 1, 100), ast.Rung(2, 2, 150)))
    of = regimes(programme(rewards=(reward(amount=ladder),)))
    earlier, later = sold(PARTS, "A", "2026-03-10"), sold(PARTS, "B", "2026-03-10")
    for rows in ((earlier, later), (later, earlier)):
        assert list(nets(ran(of, *rows)).values()) == [100, 150]


def test_a_member_of_whom_only_attributes_are_known_has_a_history_too():
    free = programme(tier("customer", 0), tier("gold", 1, ast.NoneOf((_segment("key"),))))
    assert moves(ran(regimes(free), said("segment_set", "a", "2026-03-10", 2, segment="other"))) == [
        ("03-10", "gold", "valid", "promoted")
    ]


def test_an_attribute_is_read_as_of_its_date_never_as_it_is_today():
    barred = programme(tier("customer", 0), tier("gold", 1, is_at_least("spent", 1_000), unless=_segment("key")))
    rows = sold(PARTS, "A", "2026-03-10"), said("segment_set", "a", "2026-03-20", 2, segment="key")
    assert moves(ran(regimes(barred), *rows)) == [
        ("03-10", "gold", "valid", "promoted"),
        ("03-20", "customer", "valid", "excluded"),
    ]


# ---- versions ----------------------------------------------------------------------------------------------------


def test_before_the_first_version_s_date_the_first_one_rules_and_its_start_moves_nobody():
    folded = ran(regimes(("2026-06-01", programme())), sold(PARTS, "A", "2026-05-20"), until="2026-06-02")
    assert moves(folded) == [("05-20", "gold", "valid", "promoted")]
    assert {one.version_id for one in folded.changes} == {1}


def test_a_version_s_start_is_a_point_and_a_running_term_stays():
    generous = programme(tier("customer", 0), tier("gold", 1, is_at_least("spent", 1)))
    of = regimes(programme(), ("2026-03-20", generous))
    folded = ran(of, sold(PARTS, "A", "2026-03-10", 500), until="2026-03-21")
    assert moves(folded) == [("03-20", "gold", "valid", "promoted")]
    stays = ran(of, sold(PARTS, "A", "2026-03-10", 1_000), until="2026-03-21")
    assert (moves(stays), stays.boundary_at) == ([("03-10", "gold", "valid", "promoted")], at("2026-04-11", 0))


def test_each_event_is_judged_by_the_version_of_its_own_time():
    of = regimes(programme(rewards=(reward(),)), ("2026-03-20", programme(rewards=(reward(amount=ast.Fixed(99)),))))
    folded = ran(of, sold(PARTS, "A", "2026-03-19"), sold(PARTS, "B", at("2026-03-20", 0)))
    assert [(one.granted.wanted, one.granted.version_id) for one in folded.decisions] == [(10, 1), (99, 2)]


def test_several_versions_may_start_in_one_silence():
    second = programme(tier("customer", 0), tier("silver", 1, is_at_least("spent", 1), replaces=("gold",)))
    third = programme(tier("customer", 0), tier("bronze", 1, is_at_least("spent", 1), replaces=("silver",)))
    folded = ran(
        regimes(programme(), ("2026-03-20", second), ("2026-03-25", third)), sold(PARTS, "A", "2026-03-10"),
        until="2026-03-26",
    )  # fmt: skip
    assert moves(folded) == [
        ("03-10", "gold", "valid", "promoted"),
        ("03-20", "silver", "valid", "replaced"),
        ("03-25", "bronze", "valid", "replaced"),
    ]
    assert [one.previous for one in folded.changes] == ["customer", "gold", "silver"]


def test_a_return_is_judged_by_the_version_that_granted():
    dropped = programme(rewards=(reward("other", on=(MACHINE,)),))
    halved = programme(rewards=(reward(returns="rejudge", amount=ast.Fixed(4)),))
    sale = sold(PARTS, "A", "2026-03-10", 1_000, qty=2)
    for later in (dropped, halved):
        of = regimes(programme(rewards=(reward(),)), ("2026-03-20", later))
        assert nets(ran(of, sale, returned(sale, "2026-03-21", qty=1))) == {("order:S1:A:parts_purchase", "bonus"): 5}
        assert nets(ran(of, sale, returned(sale, "2026-03-21"))) == {("order:S1:A:parts_purchase", "bonus"): 0}


# ---- what a purchase stands on -----------------------------------------------------------------------------------


def test_a_reward_asks_the_standing_before_or_after_the_event():
    of = regimes(
        programme(rewards=(reward("then", for_tiers=("gold",), standing="before"), reward(for_tiers=("gold",))))
    )
    assert [rule for _, rule in nets(ran(of, sold(PARTS, "A", "2026-03-10")))] == ["bonus"]


def test_a_settlement_may_ask_the_standing_right_after_its_delivery():
    asks = programme(rewards=(reward(on=(SETTLED,), for_tiers=("gold",), standing="order"),))
    bought, later = sold(MACHINE, "A", "2026-03-12"), sold(MACHINE, "B", "2026-04-30")
    rows = (sold(PARTS, "P", "2026-03-10"), bought, later)
    settled = [sold(SETTLED, order, "2026-05-20") for order in "AB"]
    assert list(nets(ran(regimes(asks), *rows, *settled))) == [("order:S1:A:purchase_settled", "bonus")]


def test_the_standing_after_a_delivery_is_known_to_a_version_that_asks_it_only_later():
    asks = programme(rewards=(reward(on=(SETTLED,), for_tiers=("gold",), standing="order"),))
    of = regimes(programme(), ("2026-03-20", asks))
    rows = sold(PARTS, "P", "2026-03-10"), sold(MACHINE, "A", "2026-03-12"), sold(SETTLED, "A", "2026-05-20")
    assert list(nets(ran(of, *rows))) == [("order:S1:A:purchase_settled", "bonus")]


def test_a_renamed_tier_is_the_one_that_the_delivery_had():
    renamed = programme(
        tier("customer", 0), tier("vip", 1, is_at_least("spent", 1_000), replaces=("gold",)),
        rewards=(reward(on=(SETTLED,), for_tiers=("vip",), standing="order"),),
    )  # fmt: skip
    of = regimes(programme(), ("2026-03-20", renamed))
    rows = sold(PARTS, "P", "2026-03-10"), sold(MACHINE, "A", "2026-03-12"), sold(SETTLED, "A", "2026-05-20")
    assert list(nets(ran(of, *rows))) == [("order:S1:A:purchase_settled", "bonus")]


def test_a_returned_delivery_is_forgotten_and_returned_parts_of_the_same_order_number_are_not_it():
    bought, parts = sold(MACHINE, "A", "2026-03-12"), sold(PARTS, "A", "2026-03-11")
    both = ran(regimes(programme()), bought, parts, returned(parts, "2026-03-13"))
    assert carries.load(both.carry).orders == {"order:S1:A": "gold"}
    assert carries.load(ran(regimes(programme()), bought, returned(bought, "2026-03-13")).carry).orders == {}


def test_a_decision_keeps_what_it_was_judged_on():
    when = ast.AllOf((is_at_least("spent", 1), is_at_least("bought", 0)))
    folded = ran(regimes(programme(rewards=(reward(when=when),))), sold(PARTS, "A", "2026-03-10"))
    (decision,) = folded.decisions
    assert decision.basis["tiers"] == ["customer", "gold"]
    assert decision.basis["facts"] == {"spent": 1_000, "bought": 0}


def test_since_the_tier_began_starts_where_the_tier_began():
    loyal = programme(tier("customer", 0), tier("gold", 1, is_at_least("since", 1_000), unless=_segment("key")))
    rows = (sold(PARTS, "A", "2026-03-10"), said("segment_set", "a", "2026-03-20", 2, segment="key"))
    rows += (said("segment_set", "b", "2026-03-21", 2, segment="other"), sold(PARTS, "B", "2026-03-22", 999))
    assert ran(regimes(loyal), *rows).tier == "customer"
    assert ran(regimes(loyal), *rows, sold(PARTS, "C", "2026-03-23", 1)).tier == "gold"


# ---- returns -----------------------------------------------------------------------------------------------------


def test_a_return_counts_from_its_own_place_on():
    sale = sold(PARTS, "A", "2026-03-10")
    folded = ran(regimes(programme()), sale, sold(PARTS, "B", "2026-03-15", 1), returned(sale, "2026-03-20"))
    assert moves(folded) == [("03-10", "gold", "valid", "promoted"), ("03-20", "customer", "valid", "returned")]


def test_a_return_dated_before_its_sale_acts_just_after_it():
    sale = sold(PARTS, "A", "2026-03-10")
    folded = ran(regimes(programme(rewards=(reward(),))), sale, returned(sale, "2026-03-01"))
    assert moves(folded) == [("03-10", "gold", "valid", "promoted"), ("03-10", "customer", "valid", "returned")]
    assert nets(folded) == {("order:S1:A:parts_purchase", "bonus"): 0}


def test_what_is_moved_out_of_a_consignment_takes_no_purchase_back():
    # The condition fails by then, but an old promotion runs to its end unless a purchase comes back.
    brief = programme(tier("customer", 0), tier("gold", 1, is_at_least("stock", 1), returns_undo_days=90))
    folded = ran(
        regimes(brief),
        said("consignment_moved", "in", "2026-03-10", qty=5, item="oil"),
        said("consignment_moved", "out", "2026-03-11", qty=-5, item="oil"),
    )
    assert moves(folded) == [("03-10", "gold", "valid", "promoted")]


def test_a_withdrawn_attestation_takes_back_a_promotion_that_stood_on_it():
    word = ast.Attested(("leader",), (), not_own_manager=False, valid_months=12)
    known = replace(
        programme(tier("customer", 0), tier("gold", 1, ast.Test(ast.Subject("trait", "known"), "is", 1))),
        traits={"known": ast.Trait("known", TITLE, None, word)},
    )
    stated = said("attestation", "a", "2026-03-10", trait="known", stated_by="liu", stated_role="leader")
    folded = ran(regimes(known), stated, returned(stated, "2026-03-12"))
    assert moves(folded) == [("03-10", "gold", "valid", "promoted"), ("03-12", "customer", "valid", "returned")]


def test_the_order_of_a_step_is_tier_then_what_is_taken_back_then_what_is_earned():
    # One row comes back and another is sold at one position, as two rows of one event would.
    cap = (ast.Cap("life", 10),)
    first = sold(PARTS, "A", "2026-03-10")
    key = "src:x"
    known = (at("2026-03-12"), 3, key)
    back = replace(first, known=known, qty=-1, amount=-1_000, cause="exchanged")
    again = Contribution(PARTS, f"{key}#0", known[0], known, "exchanged", 1, 1_000, {})
    folded = ran(regimes(programme(rewards=(reward(caps=cap),))), first, back, again)
    assert nets(folded) == {("order:S1:A:parts_purchase", "bonus"): 0, (key, "bonus"): 10}
    assert folded.tier == "gold"


# ---- a person's word ---------------------------------------------------------------------------------------------


def test_a_confirmation_acts_at_its_own_place_when_the_nomination_stands():
    by_hand = programme(tier("customer", 0), tier("gold", 1, is_at_least("spent", 1_000), promotion="confirmed"))
    rows = sold(PARTS, "A", "2026-03-10"), said("promotion_confirmed", "c", "2026-03-12", tier="gold", by="x")
    assert moves(ran(regimes(by_hand), *rows)) == [("03-12", "gold", "valid", "confirmed")]
    early = said("promotion_confirmed", "c", "2026-03-01", tier="gold", by="x")
    assert moves(ran(regimes(by_hand), early, rows[0])) == [("03-10", "gold", "valid", "confirmed")]


def test_an_assigned_tier_may_be_passed_at_once_by_what_the_facts_say():
    three = programme(
        tier("customer", 0), tier("silver", 1, is_at_least("bought", 9)), tier("gold", 2, is_at_least("spent", 1))
    )
    late = (
        sold(PARTS, "A", "2026-03-10"),
        said("tier_locked", "l", "2026-03-01", tier="customer", by="x", until="2026-03-20"),
    )
    word = said("tier_assigned", "a", "2026-03-15", tier="silver", by="x", reason="x", until="2026-06-30")
    assert moves(ran(regimes(three), *late, word)) == [
        ("03-01", "customer", "locked", "locked"),
        ("03-15", "silver", "assigned", "assigned"),
        ("03-15", "gold", "valid", "promoted"),
    ]


def test_a_lock_s_end_is_passed_in_silence():
    lock = said("tier_locked", "l", "2026-03-01", tier="customer", by="x", until="2026-03-20")
    folded = ran(regimes(programme()), lock, sold(PARTS, "A", "2026-03-10"), until="2026-03-22")
    assert moves(folded) == [("03-01", "customer", "locked", "locked"), ("03-21", "gold", "valid", "promoted")]


# ---- what others are told ----------------------------------------------------------------------------------------

BROUGHT = ast.Emission("brought", TITLE, (MACHINE,), "referrer", "machine_brought_about", ("size", "amount"), "buyer")


def test_a_purchase_tells_the_referrer_and_its_return_takes_that_back():
    sale = sold(MACHINE, "A", "2026-03-10", 500, referrer="R1", size="small")
    back = returned(sale, "2026-03-20")
    emitted, withdrawn = ran(regimes(programme(emissions=(BROUGHT,))), sale, back).emissions
    assert (emitted.to, emitted.kind, emitted.qty, emitted.amount) == ("R1", "machine_brought_about", 1, 500)
    assert (emitted.event_key, emitted.fields) == ("order:S1:A:machine_purchase", {"size": "small", "amount": 500})
    assert (withdrawn.to, withdrawn.line, withdrawn.at) == (emitted.to, emitted.line, emitted.at)
    assert (withdrawn.step, withdrawn.event_key) == (back.known, "src:r")
    assert (withdrawn.qty, withdrawn.amount, withdrawn.fields) == (-1, -500, {"size": "small", "amount": -500})


def test_what_was_told_is_taken_back_though_the_policy_tells_no_one_any_more():
    of = regimes(programme(emissions=(BROUGHT,)), ("2026-03-15", programme()))
    sale = sold(MACHINE, "A", "2026-03-10", 500, referrer="R1")
    assert [one.qty for one in ran(of, sale, returned(sale, "2026-03-20")).emissions] == [1, -1]


def test_what_was_told_is_taken_back_once():
    sale = sold(MACHINE, "A", "2026-03-10", 500, qty=2, referrer="R1")
    rows = sale, returned(sale, "2026-03-20", "r1", 1), returned(sale, "2026-03-21", "r2", 1)
    assert [one.qty for one in ran(regimes(programme(emissions=(BROUGHT,))), *rows).emissions] == [1, -1]


def test_nobody_is_told_of_a_purchase_without_a_referrer():
    of = regimes(programme(emissions=(BROUGHT,)))
    sale = sold(MACHINE, "A", "2026-03-10", 500)
    assert ran(of, sale, returned(sale, "2026-03-20")).emissions == ()


def test_who_is_told_earns_and_gives_back_like_by_any_other_event():
    of = regimes(programme(rewards=(reward(on=("machine_brought_about",)),)))
    kind, key, instant = "machine_brought_about", "emit:brought:A", at("2026-03-10")
    told = Contribution(kind, f"{key}#0", instant, (instant, 3, key), kind, 1, 500, {})
    back = replace(told, known=(at("2026-03-20"), 3, "emit:brought:src:r"), qty=-1, amount=-500)
    assert nets(ran(of, told)) == {("emit:brought:A", "bonus"): 10}
    assert nets(ran(of, told, back)) == {("emit:brought:A", "bonus"): 0}


# ---- resuming ----------------------------------------------------------------------------------------------------


def test_a_checkpoint_is_kept_at_the_end_of_each_local_month_that_had_steps():
    rows = [sold(PARTS, str(day), day, 1) for day in ("2026-03-10", "2026-03-31", "2026-05-01")]
    assert [at_ for (at_, _, _), _ in ran(regimes(programme()), *rows).checkpoints] == [at("2026-03-31")]


def test_from_a_checkpoint_on_everything_comes_out_the_same():
    of = regimes(programme(emissions=(BROUGHT,), rewards=(reward(on=(MACHINE,)),)))
    sale = sold(MACHINE, "A", "2026-03-10", 500, referrer="R1", size="small")
    rows = [sale, sold(PARTS, "B", "2026-04-02"), returned(sale, "2026-04-20")]
    whole = ran(of, *rows, until="2026-08-01")
    (start, carry), *_ = whole.checkpoints
    before = [one for one in whole.decisions if one.step <= start]
    again = fold(
        of, carry, start, steps(row for row in rows if row.known > start), RunningFacts(ZONE, rows),
        earlier={one.granted.event_key: [one.granted] for one in before},
        emitted=[(one.rule, one.event_key) for one in whole.emissions if one.step <= start],
        until=(at("2026-08-01"), LAST, ""),
    )  # fmt: skip
    assert (again.carry, again.head) == (whole.carry, whole.head)
    assert again.changes == tuple(one for one in whole.changes if one.step > start)
    assert again.decisions == tuple(one for one in whole.decisions if one.step > start)
    assert again.emissions == tuple(one for one in whole.emissions if one.step > start)


def test_a_history_tells_which_version_start_it_went_past_unjudged():
    # A till's clock runs ahead, and versions are published with effect from in between.
    ahead, later = sold(PARTS, "A", at("2026-03-10", 11), 500), sold(PARTS, "B", at("2026-03-10", 13), 1)
    first = ran(regimes(programme()), ahead)
    assert (first.tier, carries.load(first.carry).version) == ("customer", 1)
    rules = Ruleset(programme(tier("customer", 0), tier("gold", 1, is_at_least("spent", 1))))
    starts = [at("2026-03-10", hour) for hour in (9, 10, 12)]
    versions = [Version(2 + place, 2 + place, start, rules) for place, start in enumerate(starts)]
    of = Regimes(PolicyLine((*regimes(programme()).line.versions, *versions)), ZONE)
    missed = of.missed(first.carry, first.head)
    assert missed == (starts[0], 0, "")  # the first of the two: between them the other ruled
    assert regimes(programme()).missed(first.carry, first.head) is None
    assert of.missed("", first.head) is None
    again = ran(of, ahead, later)
    assert [(one.step, one.tier, one.version_id) for one in again.changes] == [(first.head, "gold", 3)]
    assert of.missed(again.carry, again.head) is None


def test_a_step_without_lines_is_a_point_like_any_other():
    of = regimes(programme())
    step = Step((at("2026-03-10"), 3, "src:a"), "survey_answered", ())
    assert fold(of, "", None, (step,), RunningFacts(ZONE, [])).head == step.position
