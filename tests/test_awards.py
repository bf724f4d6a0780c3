"""The annual award, planned and issued from a recorded book on both databases."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import pytest

from rules.judge import Inputs, Ruleset
from rules.reader import read
from tests.club import SMALL, Club
from tierengine.awarding import eligibility, issuing, plans
from tierengine.errors import Refused, Unknown
from tierengine.judging.history import Observation
from tierengine.judging.merging import MERGED
from tierengine.ledger.verify import verify
from tierengine.recording.items import Merge
from tierengine.store.ids import Ids, transact

SHIPPED = (Path(__file__).parent.parent / "policies.yaml").read_text(encoding="utf-8")
MEMBERS = [f"M{number:02d}" for number in range(20)]
WALLET = "award:gold_user"


@pytest.fixture
def club(book_url):
    club = Club(book_url, SHIPPED, MEMBERS)
    yield club
    club.close()


def golden(club, member, month="01"):
    """What makes a member gold from that month of 2025 on, with two attestations and a machine."""
    signed = {
        "stated_by": "U01",
        "stated_role": "sales_manager",
        "countersigned_by": "U02",
        "countersigned_role": "leader",
        "evidence": "x",
    }
    return [
        club.said("attestation", f"2025-{month}-03", member, source_id=f"{member}-1", trait="early_entrant", **signed),
        club.said("attestation", f"2025-{month}-04", member, source_id=f"{member}-2", trait="peer_influence", **signed),
        club.machine(f"{member}-A", f"2025-{month}-05", member, size="medium", margin=1_000_000),
    ]


def margin(club, member, fen, day="2025-11-01"):
    line = {"item": "x", "category": "attachment", "qty": 1, "amount": 10_000_000, "margin": fen}
    return club.said("parts_purchase", day, member, order=f"{member}-m{fen}", lines=[line])


def perform(club):
    return partial(transact, club.link, Ids())


def programme(club):
    found = club.recorder.programmes.of(club.link, club.dealer, 1)
    club.link.rollback()
    return found


def fill(club, members=MEMBERS):
    for place, member in enumerate(members):
        club.send(*golden(club, member), margin(club, member, 100_000 * (place + 1)))


def test_the_plan_ranks_by_score_and_cuts_at_the_share_within_the_limits(club):
    fill(club)
    plan = plans.plan(club.link, programme(club), None, 2025, club.now)
    club.link.rollback()
    assert plan.final
    assert [one.candidate.code for one in plan.ranked.placed[:3]] == ["M19", "M18", "M17"]
    assert (plan.ranked.winners, plan.ranked.limited_by, plan.cost) == (4, "share", 4 * 500_000)
    assert all(one.wins == (one.place <= 4) for one in plan.ranked.placed)


def test_who_was_gold_for_less_than_six_months_or_not_on_the_last_day_is_not_eligible(club):
    club.send(*golden(club, "M00"))
    club.send(*golden(club, "M01", "06"))
    club.send(*golden(club, "M02", "07"))  # from 5 July: five whole months
    club.send(*golden(club, "M03"), club.said("overdue_changed", "2025-12-30", "M03", source_id="o1", overdue_days=91))
    club.send(
        *golden(club, "M04"), club.said("segment_set", "2025-12-01", "M04", source_id="s1", segment="key_account")
    )
    plan = plans.plan(club.link, programme(club), "gold_user", 2025, club.now)
    club.link.rollback()
    assert {one.candidate.code for one in plan.ranked.placed} == {"M00", "M01"}
    assert plan.ranked.limited_by == "eligible"


def test_issuing_pays_each_winner_once_however_often_it_is_run(club):
    fill(club)
    first = issuing.issue(perform(club), programme(club), None, 2025, club.now)
    again = issuing.issue(perform(club), programme(club), None, 2025, club.now)
    assert [one.code for one in first.winners] == ["M19", "M18", "M17", "M16"]
    assert [one.issued_now for one in first.winners] == [True] * 4
    assert [one.issued_now for one in again.winners] == [False] * 4
    assert (first.list_hash, first.frozen_now, again.frozen_now) == (again.list_hash, True, False)
    assert club.rows("SELECT count(*), sum(delta) FROM entry WHERE kind = 'award'") == [(4, 2_000_000)]
    assert club.balance(WALLET, member="M19") == 500_000
    assert verify(club.link) == ()


def test_a_run_that_was_killed_between_two_winners_is_finished_by_the_next(club, monkeypatch):
    fill(club)
    monkeypatch.setattr(issuing, "TOGETHER", 1)
    done = []

    def killed(act):
        if len(done) == 4:  # frozen, winners read, two prizes booked
            raise KeyboardInterrupt
        done.append(act)
        return perform(club)(act)

    with pytest.raises(KeyboardInterrupt):
        issuing.issue(killed, programme(club), None, 2025, club.now)
    assert club.rows("SELECT count(*) FROM entry WHERE kind = 'award'") == [(2,)]
    rest = issuing.issue(perform(club), programme(club), None, 2025, club.now)
    assert [one.issued_now for one in rest.winners] == [False, False, True, True]
    assert club.rows("SELECT count(*) FROM entry WHERE kind = 'award'") == [(4,)]


def test_two_winners_who_turn_out_to_be_one_have_their_prizes_each_in_his_book(club):
    fill(club)
    done = []

    def killed(act):
        if done:  # the list is frozen
            raise KeyboardInterrupt
        done.append(act)
        return perform(club)(act)

    with pytest.raises(KeyboardInterrupt):
        issuing.issue(killed, programme(club), None, 2025, club.now)
    said = Observation(MERGED, "M19", club.now - 1, "merge", "1", "", 0, {"into": "M18"}, "merge::1", "merge::1")
    club.recorder.record([Merge(club.dealer, said, "M18")])
    issued = [issuing.issue(perform(club), programme(club), None, 2025, club.now) for _ in range(2)]
    assert [sum(one.issued_now for one in each.winners) for each in issued] == [4, 0]
    assert [club.balance(WALLET, member=member) for member in ("M19", "M18", "M17", "M16")] == [500_000] * 4
    assert verify(club.link) == ()


def test_what_is_recorded_after_the_list_was_frozen_does_not_change_it(club):
    fill(club)
    first = issuing.issue(perform(club), programme(club), None, 2025, club.now)
    club.send(margin(club, "M00", 90_000_000))
    again = issuing.issue(perform(club), programme(club), None, 2025, club.now)
    assert [one.code for one in again.winners] == [one.code for one in first.winners]
    fresh = plans.plan(club.link, programme(club), None, 2025, club.now)
    club.link.rollback()
    assert fresh.ranked.placed[0].candidate.code == "M00"


def test_a_year_that_is_not_over_is_issued_only_with_a_stated_closing_day(club):
    fill(club, MEMBERS[:5])
    inside = 1_764_000_000_000_000  # 24 November 2025
    with pytest.raises(Refused) as refused:
        issuing.issue(perform(club), programme(club), None, 2025, inside)
    assert refused.value.code == "award_too_early"
    assert club.count("award_run") == 0
    issued = issuing.issue(perform(club), programme(club), None, 2025, inside, closing=inside)
    assert (len(issued.winners), issued.as_of) == (3, inside)


def test_a_frozen_list_is_given_again_by_its_own_closing_day_and_by_no_other(club):
    fill(club, MEMBERS[:5])
    asked, closing = 1_764_000_000_000_000, 1_763_000_000_000_000
    first = issuing.issue(perform(club), programme(club), None, 2025, asked, closing=closing)
    for same in (closing, None):
        again = issuing.issue(perform(club), programme(club), None, 2025, asked + 10**10, closing=same)
        assert (again.list_hash, again.as_of, again.frozen_now) == (first.list_hash, closing, False)
    for other in (closing - 1, closing + 1, asked + 10**10):
        with pytest.raises(Refused) as refused:
            issuing.issue(perform(club), programme(club), None, 2025, asked + 10**11, closing=other)
        assert (refused.value.code, refused.value.details["as_of"]) == ("award_frozen", "2025-11-13 10:13")


def test_a_closing_day_that_had_not_come_when_the_list_was_frozen_is_still_the_same_one(club):
    fill(club, MEMBERS[:5])
    asked = 1_764_000_000_000_000
    first = issuing.issue(perform(club), programme(club), None, 2025, asked, closing=asked + 10**12)
    assert first.as_of == asked
    again = issuing.issue(perform(club), programme(club), None, 2025, asked + 10**11, closing=asked + 10**12)
    assert (again.as_of, again.frozen_now) == (asked, False)


def test_an_award_that_the_policy_does_not_have_is_named_in_the_answer(club):
    with pytest.raises(Unknown) as unknown:
        plans.plan(club.link, programme(club), "silver", 2025, club.now)
    club.link.rollback()
    assert "gold_user" in unknown.value.say("en")


@pytest.mark.parametrize(
    "unless",
    [
        "{overdue_days: {more_than: 30}}",
        "{traits: {at_least: 2}}",
        "{any: [{machines_bought: {at_least: 3}}, {trait: growth_potential}]}",
        "{all: [{tier: {less_than: gold}}, {none: [{segment: benchmark}]}]}",
    ],
)
def test_an_award_asks_only_what_bars_from_it_and_finds_the_same(unless):
    award = f"""awards:
  best:
    title: {{zh: 年度最佳, en: Best of the year}}
    for: [member, gold]
    months_in_tier: 1
    unless: {unless}
    score: {{parts_spend_12m: 100}}
    ties: [{{fact: contacts_12m, first: highest}}]
    winners: {{share: 20%, at_least: 1, at_most: 9}}
    prize: 500 CNY
    budget: 5000 CNY
"""
    reading = read(SMALL.replace("levels:\n", f"{award}\nlevels:\n", 1), "x.yaml")
    assert reading.policy is not None, reading.show("en", "short")
    whole = Ruleset(reading.policy)
    asked = eligibility.asked(whole, "best")
    assert {"parts_spend_12m", "contacts_12m"} <= set(asked.policy.facts)
    assert (asked.policy.rewards, asked.policy.lists, asked.policy.prices) == ({}, {}, {})
    chance, barred = random.Random(unless), set()
    numbers = (0, 1, 2, 3, 20_000, 5_000_000)
    for _ in range(300):
        facts = {name: chance.choice(numbers) for name in whole.policy.facts}
        facts["parts_growth"] = chance.choice((None, *numbers))
        attributes = {
            "overdue_days": chance.choice((None, 0, 30, 31)),
            "segment": chance.choice((None, "benchmark", "key_account")),
        }
        attested = frozenset(chance.choice(((), ("trusted_contact",))))
        inputs = Inputs(facts, attributes, attested, chance.choice(("customer", "member", "gold")))
        told = whole.judge(inputs).barred
        assert asked.judge(inputs).barred == told
        barred.add(told)
    assert len(barred) == 2


FOR_ALL = SHIPPED.replace("    适用: [gold]\n    在级月数: 6 ", "    适用: [customer, member, gold]\n    在级月数: 6 ")


def test_who_never_rose_takes_part_where_the_lowest_tier_does(book_url):
    """All begin in the lowest tier, and no change of tier tells it: they were left out without a word."""
    assert FOR_ALL != SHIPPED
    club = Club(book_url, FOR_ALL, MEMBERS)
    club.send(*golden(club, "M00"), margin(club, "M01", 200_000, "2025-03-01"), margin(club, "M02", 100_000))
    club.send(margin(club, "M03", 100_000, "2025-02-01"), *golden(club, "M03", "11"))
    club.link.rollback()
    found = club.recorder.programmes.of(club.link, club.dealer, 1)
    plan = plans.plan(club.link, found, None, 2025, club.now)
    # M02 came in November, less than six months; M03 was a customer before he was gold, and both count.
    assert {one.candidate.code for one in plan.ranked.placed} == {"M00", "M01", "M03"}
    club.close()
