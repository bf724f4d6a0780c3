"""Tiers in time, point by point: what holds is given, and the standing is looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from rules import policy as ast
from rules.judge import Judged
from tests.policy_strategies import TITLE, minimal
from tierengine.judging import carry as carries
from tierengine.judging.standing import DAY, Ladder
from tierengine.zone import Zone

NAMES = ("customer", "member", "gold")
YEAR = ast.Keep(12, 90, "one_down")


def tier(name, rank, keep=YEAR, **others):
    return ast.Tier(name, TITLE, rank, "", None, None, keep if rank else None, **others)


def programme(*tiers):
    return replace(minimal(), tiers=tiers or tuple(tier(name, rank) for rank, name in enumerate(NAMES)))


class Member:
    """One member and the tiers that he may have; each word below is one evaluation point."""

    def __init__(self, *tiers, zone="Asia/Shanghai", **of_all):
        self.zone = Zone(zone)
        if of_all:
            tiers = tuple(tier(name, rank, **of_all) for rank, name in enumerate(NAMES))
        self.policy = programme(*tiers)
        self.ladder = Ladder(self.policy, self.zone)
        self.carry = self.ladder.starting(1)
        self.cause = ""
        self.at = 0

    def instant(self, day, hour=10):
        return self.zone.instant(datetime.combine(date.fromisoformat(day), time(hour)))

    def judged(self, holding, out):
        ids = [one.id for one in self.policy.tiers]
        excluded = tuple(name in out for name in ids)
        holds = tuple(rank == 0 or (name in holding and name not in out) for rank, name in enumerate(ids))
        nothing = frozenset[str]()
        return Judged(nothing, holds, holds, excluded, nothing, nothing, nothing)

    def take(self, outcome):
        self.carry, moved = outcome
        self.cause = moved.cause if moved else ""
        if moved:
            assert moved.standing == self.carry.standing
        assert carries.load(self.carry.dump()) == self.carry
        assert carries.version_of(self.carry.dump()) == self.carry.version
        return self

    def sees(self, day, *holding, out=(), returned=False, instant=None):
        """An observation on this day, with these tiers' conditions holding."""
        self.at = self.instant(day) if instant is None else instant
        judged = self.judged(holding, out)
        return self.take(self.ladder.at_point(self.carry, judged, self.at, returned=returned))

    def ends(self, *holding, out=()):
        """The next boundary."""
        self.at = self.carry.standing.until
        return self.take(self.ladder.at_boundary(self.carry, self.judged(holding, out), self.at))

    def word(self, kind, day, name, until=None):
        fields = {"tier": name, "by": "director", "until": until}
        return self.take(self.ladder.word(self.carry, kind, fields, self.instant(day)))

    def confirmed(self, day, name):
        return self.word("promotion_confirmed", day, name)

    def assigned(self, day, name, until=None):
        return self.word("tier_assigned", day, name, until)

    def locked(self, day, name, until):
        return self.word("tier_locked", day, name, until)

    def under(self, policy, number=2):
        """Go over to another version of the policy; what holds there is for `sees` to say."""
        self.policy = policy
        self.ladder = Ladder(policy, self.zone)
        return self.take(self.ladder.at_version(self.carry, number))

    def __str__(self):
        """Say tier, last valid day, and the state where it is another than valid."""
        standing = self.carry.standing
        last = "" if standing.until is None else f" to {self.zone.local_date(standing.until - 1)}"
        return f"{standing.tier}{last}" + ("" if standing.state == "valid" else f", {standing.state}")

    @property
    def since(self):
        return self.zone.local_date(self.carry.standing.since).isoformat()


# ---- terms that end with the calendar ---


def kept(*keep):
    return Member(tier("customer", 0), tier("gold", 1, ast.Keep(*keep) if keep else None))


def test_a_term_may_end_with_its_year_and_the_next_is_a_year_more():
    this_year = kept(0, 0, "one_down", "year").sees("2026-03-10", "gold")
    assert str(this_year) == "gold to 2026-12-31"
    assert [str(this_year.ends("gold")) for _ in range(2)] == ["gold to 2027-12-31", "gold to 2028-12-31"]
    next_year = kept(12, 0, "one_down", "year").sees("2026-03-10", "gold")
    assert (str(next_year), str(next_year.ends("gold"))) == ("gold to 2027-12-31", "gold to 2028-12-31")
    half = kept(6, 0, "one_down", "month").sees("2026-03-31", "gold")
    assert (str(half), str(half.ends("gold"))) == ("gold to 2026-09-30", "gold to 2027-03-31")
    month = kept(0, 0, "one_down", "month").sees("2026-01-31", "gold")
    assert (str(month), str(month.ends("gold"))) == ("gold to 2026-01-31", "gold to 2026-02-28")


def test_a_tier_kept_for_life_never_ends():
    assert str(kept().sees("2026-03-10", "gold")) == "gold"


def test_a_version_that_counts_otherwise_never_ends_a_term_before_it_begins():
    member = kept(0, 0, "one_down", "year").sees("2026-03-10", "gold")
    member.under(programme(tier("customer", 0), tier("gold", 1, ast.Keep(1, 0, "one_down"))))
    assert str(member.ends("gold")) == "gold to 2027-01-10"


# ---- rising ------------------------------------------------------------------------------------------------------


def test_a_member_of_whom_nothing_is_known_has_the_lowest_tier_since_ever_and_without_end():
    member = Member()
    assert (str(member), member.carry.standing.since) == ("customer", 0)


def test_the_highest_tier_whose_conditions_hold_is_reached_in_one_step():
    member = Member().sees("2026-03-10", "member", "gold")
    assert (str(member), member.cause, member.since) == ("gold to 2027-03-10", "promoted", "2026-03-10")


def test_a_tier_is_reached_though_one_below_it_does_not_hold():
    assert str(Member().sees("2026-03-10", "gold")) == "gold to 2027-03-10"


def test_what_holds_again_later_moves_no_end():
    member = Member().sees("2026-03-10", "member").sees("2026-09-01", "member")
    assert (str(member), member.cause) == ("member to 2027-03-10", "")


def test_a_condition_that_fails_moves_nobody_before_the_end():
    assert str(Member().sees("2026-03-10", "gold").sees("2026-09-01")) == "gold to 2027-03-10"


def test_time_ends_with_the_last_valid_day_in_the_dealer_s_zone():
    member = Member().sees("2026-03-10", "gold")
    assert member.carry.standing.until == member.instant("2027-03-11", 0)


def test_where_the_clocks_skip_midnight_time_ends_with_the_first_instant_of_the_next_day():
    member = Member(zone="America/Sao_Paulo", keep=ast.Keep(1, 0, "one_down")).sees("2018-10-03", "gold")
    assert member.carry.standing.until == member.instant("2018-11-04", 1)


# ---- the end of a term -------------------------------------------------------------------------------------------


def test_a_tier_that_holds_at_its_end_is_renewed_from_there_and_began_when_it_began():
    member = Member().sees("2026-03-10", "gold").ends("gold")
    assert (str(member), member.cause, member.since) == ("gold to 2028-03-10", "renewed", "2026-03-10")


def test_years_of_silence_are_passed_term_by_term():
    member = Member().sees("2024-02-29", "member")
    ends = [str(member.ends("member")) for _ in range(5)]
    assert ends == [f"member to {year}-02-{28 + (year % 4 == 0)}" for year in range(2026, 2031)]


def test_month_ends_do_not_drift_because_terms_are_counted_from_the_first_day():
    member = Member(keep=ast.Keep(1, 0, "one_down")).sees("2024-01-31", "gold")
    assert [str(member), *(str(member.ends("gold")) for _ in range(3))] == [
        "gold to 2024-02-29",
        "gold to 2024-03-31",
        "gold to 2024-04-30",
        "gold to 2024-05-31",
    ]


def test_a_term_of_another_length_in_a_new_version_is_added_to_what_there_was():
    for months, last in ((1, "2027-04-10"), (24, "2029-03-10")):
        member = Member().sees("2026-03-10", "gold")
        member.under(programme(*(tier(name, rank, ast.Keep(months, 0, "one_down")) for rank, name in enumerate(NAMES))))
        assert (str(member), member.cause) == ("gold to 2027-03-10", "")  # a running term stays
        assert str(member.ends("gold")) == f"gold to {last}"


def test_a_version_that_keeps_a_tier_for_ever_does_so_from_the_end_of_the_running_term():
    member = Member().sees("2026-03-10", "gold").under(programme(*(tier(n, r, None) for r, n in enumerate(NAMES))))
    assert str(member) == "gold to 2027-03-10"
    assert str(member.ends()) == "gold"


def test_a_tier_that_does_not_hold_at_its_end_has_a_time_of_grace():
    member = Member().sees("2026-03-10", "gold").ends("member")
    assert (str(member), member.cause, member.since) == ("gold to 2027-06-08, grace", "grace", "2026-03-10")


def test_a_point_in_grace_at_which_it_holds_renews_from_there():
    member = Member().sees("2026-03-10", "gold").ends().sees("2027-05-31", "gold")
    assert (str(member), member.cause, member.since) == ("gold to 2028-05-31", "renewed", "2026-03-10")


def test_a_point_in_grace_at_which_it_does_not_hold_changes_nothing():
    assert str(Member().sees("2026-03-10", "gold").ends().sees("2027-05-31", "member")) == "gold to 2027-06-08, grace"


def test_the_end_of_grace_is_a_point_too_and_renews_what_holds_there():
    member = Member().sees("2026-03-10", "gold").ends().ends("gold")
    assert (str(member), member.cause) == ("gold to 2028-06-09", "renewed")


def test_after_grace_it_goes_one_down_and_the_lower_tier_starts_its_own_time():
    member = Member().sees("2026-03-10", "gold").ends().ends()
    assert (str(member), member.cause, member.since) == ("member to 2028-06-09", "demoted", "2027-06-09")
    assert str(member.ends().ends()) == "customer"


def test_one_down_passes_over_a_tier_from_which_the_member_is_excluded():
    assert str(Member().sees("2026-03-10", "gold").ends().ends(out=("member",))) == "customer"


def test_as_the_facts_say_goes_down_as_far_as_that():
    policy = {"keep": ast.Keep(12, 90, "as_facts_say")}
    assert str(Member(**policy).sees("2026-03-10", "gold").ends().ends()) == "customer"
    assert str(Member(**policy).sees("2026-03-10", "gold").ends().ends("member")) == "member to 2028-06-09"


def test_without_grace_the_end_is_the_end():
    member = Member(keep=ast.Keep(12, 0, "one_down")).sees("2026-03-10", "gold").ends()
    assert (str(member), member.cause) == ("member to 2028-03-11", "demoted")


def test_the_end_of_one_tier_s_time_promotes_to_one_that_holds_above():
    member = Member().sees("2026-03-10", "member").ends("gold")
    assert (str(member), member.cause) == ("gold to 2028-03-11", "promoted")


def test_a_member_is_promoted_from_grace():
    assert str(Member().sees("2026-03-10", "member").ends().sees("2027-05-31", "gold")) == "gold to 2028-05-31"


# ---- eligibility -------------------------------------------------------------------------------------------------


def test_losing_eligibility_acts_at_its_own_point():
    member = Member().sees("2026-03-10", "member", "gold").sees("2026-05-02", "member", "gold", out=("gold",))
    assert (str(member), member.cause) == ("member to 2027-05-02", "excluded")


def test_who_is_excluded_when_his_time_ends_has_no_grace():
    member = Member().sees("2026-03-10", "gold").ends("gold", out=("gold",))
    assert (str(member), member.cause) == ("customer", "excluded")


def test_nobody_is_excluded_from_the_lowest_tier():
    member = Member().sees("2026-03-10", out=("customer",))
    assert (str(member), member.cause) == ("customer", "")


def test_who_is_excluded_from_his_tier_rises_to_a_higher_one_that_holds():
    assert (
        str(Member().sees("2026-03-10", "member").sees("2026-05-02", "gold", out=("member",))) == "gold to 2027-05-02"
    )


# ---- returns -----------------------------------------------------------------------------------------------------


def test_a_return_undoes_a_young_promotion_whose_condition_fails_without_the_sale():
    member = Member().sees("2026-03-10", "gold").sees("2026-03-20", returned=True)
    assert (str(member), member.cause) == ("customer", "returned")


def test_a_return_after_which_the_condition_still_holds_undoes_nothing():
    assert str(Member().sees("2026-03-10", "gold").sees("2026-03-20", "gold", returned=True)) == "gold to 2027-03-10"


def test_without_a_return_a_young_promotion_stays():
    assert str(Member().sees("2026-03-10", "gold").sees("2026-03-20")) == "gold to 2027-03-10"


def test_a_promotion_of_thirty_days_runs_to_its_end_and_one_a_microsecond_younger_does_not():
    for off, expected in ((-1, "customer"), (0, "gold to 2027-03-10")):
        member = Member().sees("2026-03-10", "gold")
        assert str(member.sees("", instant=member.at + 30 * DAY + off, returned=True)) == expected


def test_what_is_undone_gives_back_the_standing_before_it_with_its_own_end():
    member = Member().sees("2026-01-05", "member").sees("2026-03-10", "gold").sees("2026-03-20", returned=True)
    assert (str(member), member.since) == ("member to 2027-01-05", "2026-01-05")


def test_two_young_promotions_are_undone_together():
    member = Member().sees("2026-03-01", "member").sees("2026-03-10", "gold").sees("2026-03-20", returned=True)
    assert str(member) == "customer"


def test_of_two_promotions_the_one_that_is_not_young_any_more_stays():
    member = Member().sees("2026-03-01", "member").sees("2026-03-20", "gold").sees("2026-04-10", returned=True)
    assert (str(member), member.since) == ("member to 2027-03-01", "2026-03-01")


def test_of_two_young_promotions_the_one_that_holds_stays():
    member = Member().sees("2026-03-01", "member").sees("2026-03-10", "gold")
    assert str(member.sees("2026-03-20", "member", returned=True)) == "member to 2027-03-01"


def test_a_second_return_undoes_what_the_first_one_left():
    member = Member().sees("2026-03-01", "member").sees("2026-03-10", "gold")
    member.sees("2026-03-20", "member", returned=True).sees("2026-03-25", returned=True)
    assert str(member) == "customer"


def test_where_the_facts_say_more_than_there_was_before_they_are_followed():
    member = Member().sees("2026-03-10", "gold").sees("2026-03-20", "member", returned=True)
    assert (str(member), member.since) == ("member to 2027-03-20", "2026-03-20")


def test_where_the_standing_before_has_ended_meanwhile_the_facts_are_followed():
    member = Member().sees("2026-01-05", "member").sees("2026-12-31", "gold").sees("2027-01-10", returned=True)
    assert str(member) == "customer"


def test_a_promotion_from_grace_that_is_undone_leads_back_into_grace():
    def promoted():
        return Member().sees("2026-01-05", "member").ends().sees("2027-02-01", "gold")

    assert str(promoted().sees("2027-02-10", returned=True)) == "member to 2027-04-05, grace"
    # Unless the lower tier holds by now: then that is a point in grace at which it holds.
    assert str(promoted().sees("2027-02-10", "member", returned=True)) == "member to 2028-02-10"


def test_a_member_is_not_led_back_into_a_tier_that_he_is_excluded_from():
    member = Member().sees("2026-01-05", "member").sees("2026-03-10", "gold")
    assert str(member.sees("2026-03-20", out=("member",), returned=True)) == "customer"


def test_after_a_fall_there_is_nothing_to_undo():
    member = Member(keep=ast.Keep(1, 0, "one_down"), returns_undo_days=90).sees("2026-03-10", "gold").ends()
    assert str(member.sees("2026-04-12", returned=True)) == "member to 2026-05-11"


# ---- versions ----------------------------------------------------------------------------------------------------

RENAMED = (tier("customer", 0), tier("vip", 1, replaces=("member",)), tier("black", 2, replaces=("gold",)))


def test_a_renamed_tier_goes_on_under_its_new_name_and_says_so():
    member = Member().sees("2026-03-10", "gold").under(programme(*RENAMED))
    assert (str(member), member.cause, member.since) == ("black to 2027-03-10", "replaced", "2026-03-10")


def test_what_a_return_restores_goes_by_its_new_name():
    member = Member().sees("2026-01-05", "member").sees("2026-03-10", "gold").under(programme(*RENAMED))
    later = (tier("customer", 0), tier("silver", 1, replaces=("vip",)), tier("black", 2))
    assert str(member.under(programme(*later), 3).sees("2026-03-20", returned=True)) == "silver to 2027-01-05"


def test_words_of_a_person_go_by_their_new_names():
    old = Member(tier("customer", 0), tier("member", 1), tier("gold", 2, promotion="confirmed"))
    old.confirmed("2026-03-10", "gold").assigned("2026-03-10", "member", "2026-12-31")
    new = (tier("customer", 0), tier("vip", 1, replaces=("member",)))
    new += (tier("black", 2, promotion="confirmed", replaces=("gold",)),)
    member = old.under(programme(*new))
    assert (list(member.carry.confirmed), list(member.carry.floors)) == (["black"], ["vip"])
    assert str(member.sees("2026-04-01", "black")) == "black to 2027-04-01"


def test_of_two_tiers_that_became_one_the_longer_word_counts():
    member = Member().assigned("2026-03-10", "member", "2026-12-31").assigned("2026-03-11", "gold", "2026-06-30")
    member.under(programme(tier("customer", 0), tier("vip", 1, replaces=("member", "gold"))))
    assert str(member) == "vip to 2026-06-30, assigned"
    assert str(member.ends()) == "vip to 2026-12-31, assigned"


def test_a_tier_that_nothing_replaces_is_the_lowest_one():
    assert str(Member().sees("2026-03-10", "gold").under(programme(RENAMED[0], RENAMED[1]))) == "customer to 2027-03-10"


# ---- the whole ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [1, 30, 90])
def test_grace_lasts_so_many_whole_days_after_the_last_valid_one(days):
    member = Member(keep=ast.Keep(1, days, "one_down")).sees("2026-01-31", "gold").ends()
    assert str(member) == f"gold to {date(2026, 2, 28) + timedelta(days=days)}, grace"
