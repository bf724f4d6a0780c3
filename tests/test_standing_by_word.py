"""Tiers that a person confirms or assigns: what his word does, for how long, and what it never does."""

from __future__ import annotations

from rules import policy as ast
from tests.test_standing import Member, tier
from tierengine.judging.standing import DAY

# ---- confirmation ------------------------------------------------------------------------------------------------


def by_hand():
    return Member(tier("customer", 0), tier("member", 1), tier("gold", 2, promotion="confirmed"))


def test_conditions_only_nominate_for_a_tier_that_a_person_confirms():
    member = by_hand().sees("2026-03-10", "member", "gold")
    assert str(member) == "member to 2027-03-10"
    assert list(member.carry.nominated) == ["gold"]
    assert member.sees("2026-03-11", "member").carry.nominated == {}


def test_a_confirmation_promotes_at_the_first_point_at_which_the_nomination_holds():
    member = by_hand().confirmed("2026-03-10", "gold").sees("2026-03-10")
    assert str(member) == "customer"
    member.sees("2026-04-01", "gold")
    assert (str(member), member.cause) == ("gold to 2027-04-01", "confirmed")
    assert (member.carry.confirmed, member.carry.nominated) == ({}, {})


def test_a_confirmation_is_valid_for_ninety_days_and_used_once():
    said = by_hand().confirmed("2026-03-10", "gold")
    assert str(said.sees("2026-06-08", "gold")) == "gold to 2027-06-08"
    late = by_hand().confirmed("2026-03-10", "gold")
    assert str(late.sees("", "gold", instant=late.instant("2026-03-10") + 90 * DAY + 1)) == "customer"
    used = said.sees("2026-06-09", out=("gold",)).sees("2026-06-10", "gold")
    assert str(used) == "customer"


def test_a_boundary_is_a_point_that_uses_a_confirmation():
    member = by_hand().sees("2026-03-10", "member").confirmed("2027-03-01", "gold").sees("2027-03-01", "member")
    assert str(member.ends("member", "gold")) == "gold to 2028-03-11"


def test_a_confirmation_waits_while_an_automatic_tier_above_it_is_reached():
    member = Member(tier("customer", 0), tier("member", 1, promotion="confirmed"), tier("gold", 2))
    member.confirmed("2026-03-10", "member").sees("2026-03-10", "member", "gold")
    assert (str(member), list(member.carry.confirmed)) == ("gold to 2027-03-10", ["member"])


# ---- a person's word ---------------------------------------------------------------------------------------------


def test_an_assigned_tier_stands_whatever_the_facts_say():
    member = Member().assigned("2026-03-10", "gold", "2026-12-31").sees("2026-05-02", out=("gold",), returned=True)
    assert (str(member), member.since) == ("gold to 2026-12-31, assigned", "2026-03-10")


def test_a_word_counts_until_the_day_that_it_names_is_over():
    member = Member()
    over = member.instant("2026-12-31", hour=0) + DAY
    for kind in ("tier_assigned", "tier_locked"):
        said = {"tier": "gold", "until": "2026-12-31"}
        assert member.ladder.word(member.carry, kind, said, over - 1)[1] is not None
        assert member.ladder.word(member.carry, kind, said, over) == (member.carry, None)


def test_an_assigned_tier_is_a_floor_and_the_facts_may_say_more():
    member = Member().assigned("2026-03-10", "member", "2026-12-31").sees("2026-05-02", "gold")
    assert str(member) == "gold to 2027-05-02"


def test_the_floor_holds_the_member_when_the_higher_tier_ends():
    keep = ast.Keep(1, 0, "as_facts_say")
    member = Member(keep=keep).assigned("2026-03-10", "member", "2026-12-31").sees("2026-05-02", "gold").ends()
    assert (str(member), member.cause, member.since) == ("member to 2026-12-31, assigned", "demoted", "2026-06-03")
    assert str(member.ends()) == "customer"


def test_a_floor_said_under_a_higher_tier_shows_when_that_ends():
    member = Member(keep=ast.Keep(1, 0, "as_facts_say")).sees("2026-03-10", "gold")
    assert str(member.assigned("2026-03-20", "member", "2026-12-31")) == "gold to 2026-04-10"
    assert str(member.sees("2026-03-21", out=("gold",))) == "member to 2026-12-31, assigned"


def test_a_floor_that_has_passed_holds_nobody():
    member = Member(keep=ast.Keep(1, 0, "as_facts_say")).sees("2026-03-10", "gold")
    assert str(member.assigned("2026-03-20", "member", "2026-04-10").ends()) == "customer"


def test_a_tier_reached_by_the_rules_at_the_floor_is_kept_by_the_rules():
    member = Member(keep=ast.Keep(1, 0, "one_down")).assigned("2026-03-10", "member", "2026-12-31")
    assert str(member.sees("2026-05-02", "gold").ends()) == "member to 2026-07-03"
    assert str(member.ends()) == "member to 2026-12-31, assigned"


def test_a_promotion_from_an_assigned_tier_that_is_undone_leads_back_to_it():
    member = Member().assigned("2026-03-10", "member", "2026-12-31").sees("2026-05-02", "gold")
    assert str(member.sees("2026-05-10", returned=True)) == "member to 2026-12-31, assigned"


def test_when_an_assignment_ends_what_holds_is_kept_anew_and_what_does_not_ends_as_the_facts_say():
    assigned = Member().assigned("2026-03-10", "gold", "2026-12-31")
    assert str(replace_carry(assigned).ends("gold")) == "gold to 2028-01-01"
    assert str(replace_carry(assigned).ends("member")) == "member to 2028-01-01"
    assert str(replace_carry(assigned).ends()) == "customer"


def test_a_word_never_shortens_what_the_member_has():
    member = Member(keep=ast.Keep(12, 0, "one_down")).sees("2026-03-10", "gold")
    assert str(member.assigned("2026-04-01", "gold", "2026-12-31")) == "gold to 2027-03-10"
    assert str(member.assigned("2026-04-01", "gold", "2027-06-30")) == "gold to 2027-06-30, assigned"
    assert (
        str(member.assigned("2026-05-01", "gold", "2026-12-31")) == "gold to 2026-12-31, assigned"
    )  # but his own word


def test_an_assignment_without_an_end_has_none():
    member = Member().assigned("2026-03-10", "gold").sees("2040-03-10")
    assert str(member) == "gold, assigned"


def test_an_assignment_that_ended_before_it_was_said_does_nothing():
    member = Member().assigned("2026-03-10", "gold", "2026-03-09")
    assert (str(member), member.carry.floors) == ("customer", {})


def test_a_word_about_a_tier_that_the_policy_lacks_does_nothing():
    member = Member().assigned("2026-03-10", "diamond").confirmed("2026-03-10", "diamond")
    assert member.carry == member.ladder.starting(1)


def test_a_lock_holds_against_everything_until_its_end():
    member = Member().sees("2026-03-10", "member").locked("2026-04-01", "member", "2026-06-30")
    assert str(member) == "member to 2026-06-30, locked"
    member.sees("2026-05-02", "gold").sees("2026-05-03", out=("member",), returned=True)
    assert (str(member), member.since) == ("member to 2026-06-30, locked", "2026-03-10")


def test_the_end_of_a_lock_is_a_point_like_any_other():
    locked = Member().sees("2026-03-10", "member").locked("2026-04-01", "member", "2026-06-30")
    assert str(replace_carry(locked).ends("member", "gold")) == "gold to 2027-07-01"
    assert str(replace_carry(locked).ends("member")) == "member to 2027-07-01"
    ended = replace_carry(locked).ends()
    assert (str(ended), ended.cause) == ("customer", "ended")


def test_a_lock_may_put_a_member_below_his_floor_for_as_long_as_it_lasts():
    member = Member().assigned("2026-03-10", "gold", "2026-12-31").locked("2026-04-01", "member", "2026-06-30")
    assert str(member.sees("2026-05-02")) == "member to 2026-06-30, locked"
    assert str(member.ends("member")) == "gold to 2026-12-31, assigned"


def replace_carry(member):
    """Another member who has come the same way."""
    other = Member(*member.policy.tiers, zone=member.zone.name)
    other.carry = member.carry
    return other
