"""Faults in who is one with whom: histories, grants and money of merged members."""

from __future__ import annotations

from tests.mutants.fault import Fault

RECORDING = "tierengine.recording"
MERGING = "tests/test_merging.py"
CHAINS = "tests/test_merging_chains.py"
LIMITS = "tests/test_merging_limits.py"
SPENT = f"{MERGING}::test_spent_credit_becomes_no_debt_while_the_other_has_some[sqlite]"
USED = f"{MERGING}::test_one_spends_what_the_other_has_and_it_stays_spent[sqlite]"
TWO = f"{MERGING}::test_two_who_bought_one_machine_each_are_one_who_bought_two[sqlite]"
TOLD = f"{MERGING}::test_however_it_is_told_they_are_as_if_they_had_been_one_from_the_first[sqlite-0]"

FAULTS: tuple[Fault, ...] = (
    Fault(
        "who_is_merged_is_owed_alone",
        f"{RECORDING}.joint:Joint.take_back",
        (("if short:", "if False:"),),
        f"{MERGING}::test_nothing_is_forgiven_while_the_other_has_some[sqlite]",
    ),
    Fault(
        "what_was_granted_anew_repays_nobody",
        f"{RECORDING}.lending:Parting._even",
        (("due = -sum(map(has, side))", "due = 0"),),
        SPENT,
    ),
    Fault(
        "what_was_spent_is_asked_back",
        f"{RECORDING}.lending:Parting._even",
        (("self.rises.get((giver, wallet), 0), lot.free if made else 0", "lot.free"),),
        f"{MERGING}::test_what_was_spent_of_the_others_is_never_asked_back[sqlite]",
    ),
    Fault(
        "what_was_spent_is_asked_back_at_the_next_cut",
        f"{RECORDING}.lending:Lending.forget",
        (("for side in sides:", "for side in ():"),),
        f"{CHAINS}::test_what_was_spent_before_they_parted_is_not_set_off_when_they_part_again",
    ),
    Fault(
        "what_is_of_one_goes_back_to_another",
        f"{RECORDING}.lending:Parting.told",
        (("self._home()", "pass"),),
        f"{CHAINS}::test_cut_in_the_middle_each_of_those_who_stay_one_has_his_own_again[sqlite]",
    ),
    Fault(
        "what_a_merge_took_of_a_budget_is_gone_for_ever",
        "tierengine.judging.budgets:Pots.admit",
        (("(self.prior, self.once)", "(self.prior, {})"),),
        f"{LIMITS}::test_who_was_merged_by_mistake_has_what_the_budget_gave_him_again[sqlite]",
    ),
    Fault(
        "what_a_merge_freed_is_given_twice",
        "tierengine.judging.budgets:Pots._more",
        (("value = min(value, max(left, 0))", "pass"),),
        f"{LIMITS}::test_what_a_merge_freed_and_another_had_meanwhile_is_not_given_twice[sqlite]",
    ),
    Fault(
        "a_debt_of_one_waits_beside_the_credit_of_the_other",
        f"{RECORDING}.joint:Joint._level",
        (("if balance is not None and balance.debt:", "if False:"),),
        f"{MERGING}::test_what_nobody_has_is_owed_once_and_paid_by_whatever_comes[sqlite]",
    ),
    Fault(
        "the_credit_of_the_other_cannot_be_spent",
        f"{RECORDING}.joint:Joint.usable",
        (("for purse in self.purses.values())", "for purse in [*self.purses.values()][:1])"),),
        USED,
    ),
    Fault(
        "who_is_merged_keeps_a_standing_of_his_own",
        f"{RECORDING}.histories:Histories.rejoin",
        (("if self.locked.root(member) != member:", "if False:"),),
        f"{MERGING}::test_what_both_were_given_because_they_were_two_is_taken_back_and_given_again[sqlite]",
    ),
    Fault(
        "a_merge_folds_on_from_where_it_is",
        f"{RECORDING}.histories:Histories.refold",
        (("whole=whole)", "whole=False)"),),
        TWO,
    ),
    Fault(
        "a_merged_buyer_is_brought_about_by_another",
        "tierengine.judging.merging:_of_himself",
        (('"related": 1, "related_by": "self"', '"related": 0'),),
        f"{MERGING}::test_nobody_refers_himself",
    ),
    Fault(
        "members_are_merged_in_a_circle",
        f"{RECORDING}.joining:_may_be",
        (("if locked.root(member) == locked.root(other):", "if False:"),),
        f"{MERGING}::test_what_makes_no_sense_is_refused_and_leaves_no_trace[sqlite]",
    ),
)
