"""Faults of points at the till, of what is given back, and of prices for whom and how many."""

from __future__ import annotations

from tests.mutants.fault import Fault

WORTH = "tierengine.judging.worth"
PRICING = "tierengine.judging.pricing"
POINTS = "tests/test_points_till.py"
PRICES = "tests/test_pricing.py"
GRANTS = "tests/test_grants.py"
RETURNS = "tests/test_returns.py"

FAULTS: tuple[Fault, ...] = (
    Fault(
        "points_pay_part_of_a_fen",
        f"{WORTH}:block_of",
        (("lcm(wallet.block, units // gcd(fen, units))", "wallet.block"),),
        f"{POINTS}::test_a_block_of_points_is_whole_fen_and_comes_back_as_it_was",
    ),
    Fault(
        "what_an_order_keeps_is_rounded_down",
        f"{WORTH}:points_back",
        (("up=True", "up=False"),),
        f"{POINTS}::test_parts_that_come_back_give_the_points_once",
    ),
    Fault(
        "a_point_pays_a_fen_whatever_it_is_worth",
        f"{PRICING}:usable_credit",
        (("min(units_of(wallet, due), available)", "min(due, available)"),),
        f"{POINTS}::test_a_quote_says_how_many_points_pay_and_what_they_are_worth",
    ),
    Fault(
        "an_undone_return_leaves_the_credit_back",
        "tierengine.recording.refunds:_again",
        (("return shares", "return []"),),
        f"{RETURNS}::test_a_return_that_never_was_takes_the_credit_again",
    ),
    Fault(
        "a_late_word_takes_what_came_back_before_it",
        "tierengine.recording.refunds:lessen",
        (("if back > 0:", "if False:"),),
        "tests/test_gone_orders.py::test_an_over_use_of_a_cancelled_order_is_nobody_s_debt[sqlite]",
    ),
    Fault(
        "a_capture_above_its_hold_needs_nothing_more",
        "tierengine.ledger.book:MemberBook.capture",
        (("(self.usable(hold.wallet, self.now) if above else 0)", "(10**15 if above else 0)"),),
        "tests/test_holds.py::test_a_capture_above_its_hold_takes_the_rest_where_the_policy_says_so",
    ),
    Fault(
        "a_new_lot_ends_as_the_old_one",
        "tierengine.ledger.book:MemberBook.give_back",
        (("if anew or graced:", "if graced:"),),
        f"{RETURNS}::test_credit_that_comes_back_as_a_new_lot_has_a_term_of_its_own",
    ),
    Fault(
        "what_is_earned_is_never_rounded_per_line",
        "tierengine.judging.amounts:per_line",
        (('and amount.rounded_per == "line"', "and False"),),
        f"{GRANTS}::test_an_amount_is_rounded_once_or_line_by_line",
    ),
    Fault(
        "every_piece_gets_a_limited_price",
        f"{PRICING}:_limited",
        (("min(qty, most)", "qty"),),
        f"{PRICES}::test_only_so_many_pieces_get_a_price_first_line_first",
    ),
    Fault(
        "an_odd_piece_is_taken_off_too",
        f"{PRICING}:_off",
        (("(one.line.qty // rule.less_pieces)", "-(-one.line.qty // rule.less_pieces)"),),
        f"{PRICES}::test_so_much_is_taken_off_every_full_so_many_pieces_of_a_line",
    ),
    Fault(
        "a_price_is_for_every_day",
        f"{PRICING}:_open",
        (("if rule.weekdays and", "if False and"),),
        f"{PRICES}::test_a_price_may_hold_on_some_days_of_the_week_only",
    ),
    Fault(
        "a_price_asks_nothing_of_the_member",
        "rules.compiler:_price_rule",
        (("() if price.when is None else (price.when,)", "()"),),
        "tests/test_proof.py::test_cases_that_are_the_same_each_time_agree_and_decisions_go_either_way",
    ),
)
