"""What an event earns and what a return leaves of it, with the domain's own sums. Money is fen, or yuan by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time

import pytest

from rules import policy as ast
from tests.policy_strategies import TITLE, minimal
from tierengine.judging import carry as carries
from tierengine.judging.amounts import choose, chosen_amount, holds, plain_amount, value_of, value_of_lines
from tierengine.judging.carry import Carry, Standing
from tierengine.judging.decisions import Granted
from tierengine.judging.grants import Rewards
from tierengine.judging.history import Contribution
from tierengine.judging.occasions import Occasion
from tierengine.judging.reversals import take_back, uncount
from tierengine.zone import Zone

ZONE = Zone("Asia/Shanghai")
YUAN = 100
# 促成新的用户购机(或自购)后奖励1000元配件; 第二台、第三台设备各可获得1500元配件奖励
LADDER = ast.Ladder((ast.Rung(1, 1, 1_000 * YUAN), ast.Rung(2, 3, 1_500 * YUAN)))
CREDIT = ast.Wallet("credit", TITLE, "money", ("parts",), ast.Expiry(months=24, to="month"))
POINTS = ast.Wallet("points", TITLE, "points", (), ast.Expiry(years=1, to="year"))


def reward(name="ladder", amount=LADDER, wallet="credit", on=("machine_purchase",), **others):
    return ast.Reward(name, TITLE, on, wallet, amount, **others)


def per(give, each, **others):
    return ast.PerAmount(give, each, others.pop("base", "cash"), **others)


class Till:
    """A member's purchases one after the other, all of them matching every reward, and what they are worth."""

    def __init__(self, *rewards):
        self.policy = minimal(wallets=(CREDIT, POINTS), rewards=rewards)
        self.rewards = Rewards(self.policy, ZONE)
        self.names = [one.id for one in rewards]
        self.carry = Carry(Standing("customer", 0), 1)
        self.granted = {}
        self.sold = {}

    def buys(self, order, *amounts, day="2026-03-10", kind="machine_purchase", qty=1, rules=None, **fields):
        """An order with a line for each amount; returns what each rule granted for it."""
        key = f"order:S1:{order}:{kind}"
        at = ZONE.instant(datetime.combine(date.fromisoformat(day), time(10)))
        lines = tuple(
            Contribution(kind, f"{key}#{place}", at, (at, 3, key), kind, qty, amount, {"cash": amount, **fields})
            for place, amount in enumerate(amounts or (30_000_000,))
        )
        occasion = Occasion(key, kind, at, lines, tuple(line.fields for line in lines))
        matched = {name: tuple(range(len(lines))) for name in rules or self.names}
        self.carry, granted = self.rewards.grant(self.carry, occasion, matched, 1)
        self.sold[order] = list(lines)
        for one in granted:
            self.granted[order, one.rule] = one
            assert Granted.of(one.plain()) == one
        self._kept()
        return {one.rule: one.wanted for one in granted}

    def returns(self, order, place=None, qty=None, amount=None):
        """A return of a line (of all lines: None), or of a part of it; returns what every rule still wants."""
        lines = self.sold[order] if place is None else [self.sold[order][place]]
        back = []
        for line in lines:
            pieces, value = line.qty if qty is None else qty, line.amount if amount is None else amount
            fields = {**line.fields, "cash": -value, "amount": -value}
            back.append(replace(line, qty=-pieces, amount=-value, fields=fields))
        for (of, rule), one in list(self.granted.items()):
            if of == order:
                self.carry, self.granted[of, rule] = take_back(self.policy, self.carry, one, back)
        self.carry = uncount(self.carry, lines[0].event_key, back)
        self._kept()
        return {rule: one.wanted for (of, rule), one in self.granted.items() if of == order}

    def _kept(self):
        assert carries.load(self.carry.dump()) == self.carry
        assert all(count > 0 for count in self.carry.counts.values())


def day_of(instant):
    return ZONE.local_date(instant).isoformat()


# ---- ladders -----------------------------------------------------------------------------------------------------


def test_the_first_machine_earns_1000_the_second_and_third_1500_and_the_fourth_nothing():
    till = Till(reward(period="year"))
    assert [till.buys(order).get("ladder", 0) // YUAN for order in "ABCD"] == [1_000, 1_500, 1_500, 0]


def test_own_machines_earn_1000_1000_1500_1500_where_the_welcome_gift_takes_the_first():
    # A machine paid under service 1 does not use a rung, else service 1 is void.
    welcome = reward("welcome", ast.Fixed(1_000 * YUAN), exclusive=ast.Exclusive("machine", "serial", 0))
    ladder = reward(period="year", exclusive=ast.Exclusive("machine", "serial", 1))
    till = Till(welcome, ladder)
    first = till.buys("A", serial="A1")
    assert first == {"welcome": 100_000}
    rest = [till.buys(order, serial=f"{order}1", rules=("ladder",)) for order in "BCDE"]
    assert [one.get("ladder", 0) for one in rest] == [100_000, 150_000, 150_000, 0]


def test_a_ladder_begins_anew_with_its_period():
    till = Till(reward(period="year"))
    earned = [
        till.buys(order, day=day)["ladder"] for order, day in zip("AB", ("2026-12-31", "2027-01-01"), strict=True)
    ]
    assert earned == [100_000, 100_000]


def test_the_period_is_that_of_the_date_it_is_counted_on():
    till = Till(reward(period="year", counted_on="delivered_on"))
    till.buys("A", day="2026-12-20", delivered_on="2026-12-20")
    assert till.buys("B", day="2027-01-05", delivered_on="2026-12-30") == {"ladder": 150_000}
    assert till.buys("C", day="2027-01-06") == {"ladder": 100_000}  # no date told: its own


def test_a_returned_machine_gives_its_rung_back_and_what_was_decided_meanwhile_stands():
    till = Till(reward())
    for order in "ABC":
        till.buys(order)
    assert till.returns("A") == {"ladder": 0}
    assert till.granted["B", "ladder"].wanted == 150_000
    assert till.buys("D") == {"ladder": 150_000}  # the third that stands
    assert till.buys("E") == {}


def test_a_machine_returned_in_part_keeps_its_rung():
    till = Till(reward())
    till.buys("A", 300, 300)
    assert till.returns("A", 0) == {"ladder": 50_000}
    assert till.buys("B") == {"ladder": 150_000}
    assert till.returns("A", 1) == {"ladder": 0}
    assert till.buys("C") == {"ladder": 150_000}  # the second that stands


def test_what_no_rung_names_earns_nothing_and_is_no_occurrence():
    till = Till(reward(amount=ast.Ladder((ast.Rung(2, 2, 700),))))
    assert [till.buys(order) for order in "AB"] == [{}, {}]


def test_where_all_matching_events_count_those_that_earned_nothing_do_too():
    every_third = ast.Ladder((ast.Rung(3, 3, 700),))
    till = Till(reward(amount=every_third, counting="all"))
    assert [till.buys(order) for order in "ABCD"] == [{}, {}, {"ladder": 700}, {}]


def test_where_all_count_a_returned_event_that_earned_nothing_gives_its_place_back():
    till = Till(reward(amount=ast.Ladder((ast.Rung(3, 3, 700),)), counting="all"))
    till.buys("A", 100, 100)
    till.buys("B")
    till.returns("A", 0)
    assert till.carry.counts == {"ladder|life": 2}
    till.returns("A", 1)
    assert till.carry.counts == {"ladder|life": 1}
    assert till.carry.counted.keys() == {"order:S1:B:machine_purchase"}
    assert [till.buys(order) for order in "CD"] == [{}, {"ladder": 700}]


def test_where_all_count_a_returned_event_that_earned_something_gives_its_place_back_too():
    till = Till(reward(amount=ast.Ladder((ast.Rung(1, 1, 700),)), counting="all"))
    till.buys("A")
    till.returns("A")
    assert till.buys("B") == {"ladder": 700}


def test_an_event_outside_a_reward_s_dates_does_not_count():
    till = Till(reward(counting="all", valid_from=date(2026, 3, 10), valid_until=date(2026, 3, 11)))
    earned = [till.buys(order, day=f"2026-03-{day:02d}") for order, day in zip("ABCD", (9, 10, 11, 12), strict=True)]
    assert earned == [{}, {"ladder": 100_000}, {"ladder": 150_000}, {}]


# ---- amounts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "floor", "half_up"), [(0, 0, 0), (499, 0, 0), (500, 0, 1), (999, 0, 1), (1_000, 1, 1), (2_500, 2, 3)]
)
def test_points_are_given_for_every_full_ten_yuan_or_half_up(base, floor, half_up):
    assert value_of(per(1, 1_000), 1, base) == floor
    assert value_of(per(1, 1_000, rounding="half_up"), 1, base) == half_up


def test_three_percent_are_rounded_half_up_to_the_fen_and_capped():
    three_percent = per(300, 10_000, rounding="half_up", cap=500)
    assert [value_of(three_percent, 1, base) for base in (49, 50, 16_667, 20_000, -100)] == [1, 2, 500, 500, 0]


@pytest.mark.parametrize(("rounding", "by_line", "by_order"), [("floor", 1, 2), ("half_up", 4, 3)])
def test_an_amount_is_rounded_once_or_line_by_line(rounding, by_line, by_order):
    bases = (1_500, 900, 600, -50)
    found = {word: per(1, 1_000, rounding=rounding, rounded_per=word) for word in ("line", "whole_order")}
    assert {word: value_of_lines(one, 1, bases) for word, one in found.items()} == {
        "line": by_line,
        "whole_order": by_order,
    }


def test_what_is_left_of_lines_that_are_rounded_by_themselves_is_judged_line_by_line():
    amount = per(1, 1_000, rounded_per="line", cap=4)
    till = Till(reward("points", amount, "points", returns="rejudge"))
    assert till.buys("A", 1_900, 2_900, 1_900) == {"points": 4}
    assert till.returns("A", 1) == {"points": 2}
    assert till.returns("A", 0) == {"points": 1}
    assert till.returns("A", 2) == {"points": 0}


def test_the_base_is_what_the_matching_lines_were_paid_in_cash():
    till = Till(reward("points", per(1, 1_000), "points"))
    assert till.buys("A", 600, 700) == {"points": 1}


def test_the_amount_is_that_of_the_first_class_the_event_is_of():
    large = ("large", (ast.Filter("size", "is", "large"),), ast.Fixed(1_500))
    dear = ("dear", (ast.Filter("cash", "at_least", 500),), ast.Fixed(700))
    by_class = ast.ByClass((large, dear), LADDER)
    till = Till(reward(amount=by_class))
    earned = [till.buys("A", 600, size="large"), till.buys("B", 600), till.buys("C", 499)]
    assert earned == [{"ladder": 1_500}, {"ladder": 700}, {"ladder": 150_000}]


def test_classes_may_stand_inside_classes():
    inner = ast.ByClass((("small", (ast.Filter("size", "is", "small"),), ast.Fixed(2)),), ast.Fixed(3))
    outer = ast.ByClass((("used", (ast.Filter("used", "is", 1),), inner),), ast.Fixed(4))
    cases = {"0/0": {"used": 1, "size": "small"}, "0/-": {"used": 1}, "-": {"size": "small"}}
    for chosen, fields in cases.items():
        assert choose(outer, fields) == chosen
        assert chosen_amount(outer, chosen) == plain_amount(outer, fields)
    assert [plain_amount(outer, fields).amount for fields in cases.values()] == [2, 3, 4]


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ("at_least", 5, (False, True, True)), ("more_than", 5, (False, False, True)),
        ("at_most", 5, (True, True, False)), ("less_than", 5, (True, False, False)), ("is", 5, (False, True, False)),
        ("is_not", 5, (True, False, True)), ("in", (4, 5), (True, True, False)),
        ("not_in", (4, 5), (False, False, True)),
    ],
)  # fmt: skip
def test_filters_compare_as_they_say_and_never_hold_of_what_is_absent(op, value, expected):
    test = ast.Filter("qty", op, value)
    assert tuple(holds(test, number) for number in (4, 5, 6)) == expected
    assert not holds(test, None)


def test_a_class_by_date_compares_days():
    test = ast.Filter("delivered_on", "at_least", date(2026, 1, 1).toordinal())
    assert [holds(test, day) for day in ("2025-12-31", "2026-01-01", "2026-01-02", None)] == [False, True, True, False]


def test_the_minimum_is_asked_of_the_matching_lines_and_met_exactly():
    till = Till(reward("points", ast.Fixed(5), "points", minimum_spend=1_000))
    assert [till.buys("A", 999), till.buys("B", 400, 600)] == [{}, {"points": 5}]


def test_weekdays_are_the_dealer_s():
    till = Till(reward(amount=ast.Fixed(5), weekdays=(0,)))
    assert [till.buys(order, day=day) for order, day in zip("AB", ("2026-03-09", "2026-03-10"), strict=True)] == [
        {"ladder": 5},
        {},
    ]


# ---- dates of the lot --------------------------------------------------------------------------------------------


def test_credit_lasts_twenty_four_months_to_the_end_of_the_month():
    till = Till(reward())
    till.buys("A", day="2026-01-31")
    granted = till.granted["A", "ladder"]
    assert (day_of(granted.usable_from), day_of(granted.expires_at - 1)) == ("2026-01-31", "2028-01-31")


def test_points_last_to_the_end_of_the_next_calendar_year():
    till = Till(reward("points", ast.Fixed(5), "points"))
    till.buys("A", day="2026-01-01")
    assert day_of(till.granted["A", "points"].expires_at - 1) == "2027-12-31"


def test_a_reward_may_have_an_end_of_its_own_and_settle_so_many_local_days_later():
    till = Till(reward(expires=ast.Expiry(months=1), settle_days=30))
    till.buys("A", day="2026-01-31")
    granted = till.granted["A", "ladder"]
    assert (granted.usable_from, day_of(granted.expires_at - 1)) == (ZONE.start_of(date(2026, 3, 2)), "2026-02-28")


# ---- caps --------------------------------------------------------------------------------------------------------


def test_a_cap_cuts_what_goes_beyond_it_and_a_full_one_grants_nothing():
    till = Till(reward("bonus", ast.Fixed(60), caps=(ast.Cap("month", 100),)))
    assert [till.buys(order) for order in "ABC"] == [{"bonus": 60}, {"bonus": 40}, {}]
    assert till.buys("D", day="2026-04-01") == {"bonus": 60}


def test_the_tightest_of_several_caps_counts():
    till = Till(reward("bonus", ast.Fixed(60), caps=(ast.Cap("month", 100), ast.Cap("event", 50), ast.Cap("life", 70))))
    assert [till.buys(order) for order in "ABC"] == [{"bonus": 50}, {"bonus": 20}, {}]


def test_a_return_gives_the_cap_back_what_it_took():
    till = Till(reward("bonus", ast.Fixed(60), caps=(ast.Cap("month", 100),)))
    till.buys("A", 100, 100)
    till.buys("B")
    assert till.returns("A", 0) == {"bonus": 30}
    assert till.buys("C") == {"bonus": 30}
    till.returns("A", 1)
    assert till.buys("D") == {"bonus": 30}


def test_a_capped_grant_is_returned_in_proportion_to_what_it_was():
    till = Till(reward("bonus", ast.Fixed(60), caps=(ast.Cap("month", 41),)))
    till.buys("A", 100, 100)
    assert till.returns("A", 0) == {"bonus": 20}


def test_a_cap_that_a_new_version_made_smaller_than_what_was_granted_grants_nothing():
    till = Till(reward("bonus", ast.Fixed(60), caps=(ast.Cap("life", 100),)))
    till.buys("A")
    till.rewards = Rewards(
        minimal(wallets=(CREDIT,), rewards=(reward("bonus", ast.Fixed(60), caps=(ast.Cap("life", 50),)),)), ZONE
    )
    assert till.buys("B") == {}
    till.returns("A")
    assert till.buys("C") == {"bonus": 50}


# ---- exclusive groups --------------------------------------------------------------------------------------------


def rivals(low=100, high=150, low_first=0, high_first=1):
    return (
        reward("low", ast.Fixed(low), exclusive=ast.Exclusive("machine", "serial", low_first)),
        reward("high", ast.Fixed(high), exclusive=ast.Exclusive("machine", "serial", high_first)),
    )


def test_of_an_exclusive_group_the_highest_amount_wins_whatever_its_priority():
    assert Till(*rivals()).buys("A", serial="X1") == {"high": 150}


def test_equal_amounts_go_to_the_lower_number_and_then_to_the_first_in_the_file():
    assert Till(*rivals(150, low_first=1, high_first=0)).buys("A", serial="X1") == {"high": 150}
    assert Till(*rivals(150, low_first=1, high_first=1)).buys("A", serial="X1") == {"low": 150}


def test_a_group_is_used_up_for_one_machine_and_free_for_the_next():
    till = Till(*rivals())
    assert till.buys("A", serial="X1", rules=("low",)) == {"low": 100}
    assert till.buys("B", serial="X1") == {}
    assert till.buys("C", serial="X2") == {"high": 150}


def test_what_has_no_value_of_the_key_excludes_nothing():
    assert Till(*rivals()).buys("A") == {"low": 100, "high": 150}


def test_who_lost_has_not_occurred_no_rung_and_no_cap():
    gift = reward("gift", ast.Fixed(1_000_000), exclusive=ast.Exclusive("machine", "serial", 0))
    ladder = reward(exclusive=ast.Exclusive("machine", "serial", 1), caps=(ast.Cap("life", 120_000),))
    till = Till(gift, ladder)
    assert till.buys("A", serial="X1") == {"gift": 1_000_000}
    assert till.buys("B", serial="X2", rules=("ladder",)) == {"ladder": 100_000}


def test_a_returned_machine_frees_its_key_and_who_lost_it_then_is_not_given_it_now():
    till = Till(*rivals())
    till.buys("A", serial="X1")
    assert till.returns("A") == {"high": 0}
    assert ("A", "low") not in till.granted
    assert till.buys("B", serial="X1", rules=("low",)) == {"low": 100}
    # What comes back twice takes the other's key from nobody.
    till.returns("A", 0, qty=0)
    assert till.buys("C", serial="X1") == {}


# ---- returns -----------------------------------------------------------------------------------------------------


def test_a_return_leaves_the_share_of_the_value_left_floored():
    till = Till(reward("bonus", ast.Fixed(100)))
    till.buys("A", 333, 333, 334)
    assert till.returns("A", 0) == {"bonus": 66}
    assert till.returns("A", 1) == {"bonus": 33}
    assert till.returns("A", 2) == {"bonus": 0}


def test_piece_by_piece_comes_to_the_same_as_at_once():
    till = Till(reward("bonus", ast.Fixed(100)))
    till.buys("A", 1_000, qty=3)
    assert till.returns("A", 0, qty=1, amount=333) == {"bonus": 66}
    assert till.returns("A", 0, qty=1, amount=333) == {"bonus": 33}
    assert till.returns("A", 0, qty=1, amount=334) == {"bonus": 0}


def test_a_gift_s_return_goes_by_the_pieces():
    till = Till(reward("bonus", ast.Fixed(100)))
    till.buys("A", 0, qty=3)
    assert till.returns("A", 0, qty=1, amount=0) == {"bonus": 66}


def test_a_return_of_other_lines_takes_nothing_back():
    till = Till(reward("bonus", ast.Fixed(100)))
    till.buys("A", 500)
    till.sold["A"].append(replace(till.sold["A"][0], line="order:S1:A:machine_purchase#7"))
    assert till.returns("A", 1) == {"bonus": 100}


def test_judged_again_the_amount_is_what_is_left_would_have_earned_then():
    till = Till(reward("points", per(1, 1_000), "points", returns="rejudge"))
    assert till.buys("A", 1_500, 1_600) == {"points": 3}
    assert till.returns("A", 0) == {"points": 1}  # pro rata it would be 1.5


def test_judged_again_a_ladder_keeps_the_rung_it_was_judged_on():
    till = Till(reward(returns="rejudge"))
    till.buys("A")
    till.buys("B", 100, 100)
    till.returns("A")
    assert till.returns("B", 0) == {"ladder": 150_000}


def test_judged_again_what_falls_below_the_minimum_earns_nothing_and_stays_so():
    till = Till(reward("bonus", ast.Fixed(100), minimum_spend=1_000, returns="rejudge"))
    till.buys("A", 600, 400, 500)
    assert till.returns("A", 2) == {"bonus": 100}
    assert till.returns("A", 1) == {"bonus": 0}


def test_judged_again_the_class_stays_though_the_line_that_comes_back_is_of_another():
    dear = ("dear", (ast.Filter("cash", "at_least", 1_000),), per(1, 10))
    till = Till(reward("bonus", ast.ByClass((dear,), ast.Fixed(7)), returns="rejudge"))
    assert till.buys("A", 1_000, 500) == {"bonus": 150}
    assert till.returns("A", 1) == {"bonus": 100}
    assert till.returns("A", 0, qty=0, amount=400) == {"bonus": 60}


def test_judged_again_within_the_room_that_the_cap_left_then():
    till = Till(reward("points", per(1, 10), "points", caps=(ast.Cap("life", 120),), returns="rejudge"))
    till.buys("A", 1_000)
    assert till.buys("B", 150, 150) == {"points": 20}
    assert till.returns("B", 0) == {"points": 15}


def test_a_return_never_gives_more():
    till = Till(reward("bonus", per(1, 1, base="amount"), returns="rejudge", caps=(ast.Cap("life", 50),)))
    till.buys("A", 40, 40)
    assert till.returns("A", 0) == {"bonus": 40}
    till.sold["A"][1] = replace(till.sold["A"][1], amount=-30)  # a row that puts value back
    assert till.returns("A", 1, qty=0) == {"bonus": 40}


# ---- the properties of a pair ------------------------------------------------------------------------------------


def test_every_grant_says_what_it_was_judged_on():
    till = Till(reward(period="year", caps=(ast.Cap("year", 120_000),), exclusive=ast.Exclusive("g", "serial", 0)))
    till.buys("A", 100, serial="X1")
    till.buys("B", 250, serial="X2")
    granted = till.granted["B", "ladder"]
    assert (granted.nth, granted.judged, granted.room, granted.counted) == (2, 20_000, 20_000, "ladder|2026")
    assert (granted.caps, granted.taken) == (("ladder|year|2026",), "g|X2")
    assert (granted.sold, granted.left, granted.lines) == (250, 250, ("order:S1:B:machine_purchase#0",))
