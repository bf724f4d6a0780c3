"""Faults of facts by SQL and of what else judging reads; those of the fold are in tests/history/faults.py."""

from __future__ import annotations

from tests.mutants.fault import Fault
from tests.mutants.in_rules import PROOF

SQL = "tierengine.judging.facts_statement"
FACTS = "tests/test_fact_ratios.py::test_a_ratio_is_compared_as_if_multiplied_out"
PASSING = "tierengine.judging.passing"
RETOLD = "tests/test_retelling.py"
NEAR = f"{RETOLD}::test_a_member_near_every_threshold_is_judged_as_if_all_had_been_told_in_time"
ABSENT = "tests/test_fact_meanings.py::test_a_field_that_is_absent_passes_no_filter"
STATED = "tests/test_fact_states.py::test_attributes_attestations_and_machines_are_the_oracle_s"

FAULTS: tuple[Fault, ...] = (
    Fault("a_window_holds_its_beginning", f"{SQL}:_Writer._flag", (('"at > f{window}"', '"at >= f{window}"'),), PROOF),
    Fault("a_window_leaves_its_end_out", f"{SQL}:_Writer._flag", (('"at <= u{window}"', '"at < u{window}"'),), PROOF),
    Fault("a_returned_line_still_counts", f"{SQL}:_Writer._of_units", (('q{flag} > 0"', 'q{flag} >= 0"'),), PROOF),
    Fault(
        "different_values_are_all_values",
        f"{SQL}:_Writer._of_units",
        (("COUNT(DISTINCT {what})", "COUNT({what})"),),
        PROOF,
    ),
    Fault(
        "the_last_is_the_first",
        f"{SQL}:_Writer._of_units",
        (("'MIN' if measure.how == 'first' else 'MAX'", "'MIN'"),),
        PROOF,
    ),
    Fault(
        "what_is_known_later_is_known_now",
        f"{SQL}:_Writer._tables",
        ((" AND known_at <= a AND (known_at, known_class, known_key) <= (a, c, {say.key})", ""),),
        PROOF,
    ),
    Fault("nothing_of_money_is_absent", f"{SQL}:_default", (('"max", "min", "first"', '"first"'),), PROOF),
    Fault(
        "a_ratio_is_rounded_up", "tierengine.judging.facts:ratio", (("if rest and points in exact", "if rest"),), FACTS
    ),
    Fault("a_strict_ratio_is_rounded_down", "tierengine.judging.facts:ratio", (("points += 1", "points += 0"),), FACTS),
    Fault(
        "a_ratio_to_less_than_nothing_has_a_value",
        "tierengine.judging.facts:ratio",
        (("under <= 0", "under == 0"),),
        FACTS,
    ),
    Fault(
        "a_line_stands_with_nothing_left",
        "tierengine.judging.tallies:_Standing.turned",
        (("(after > 0) - (before > 0)", "(after >= 0) - (before >= 0)"),),
        PROOF,
    ),
    Fault(
        "an_absent_field_passes_a_filter",
        "tierengine.judging.measures:Selection.taker",
        (("is not None and bool(", "is None or bool("),),
        ABSENT,
    ),
    Fault(
        "an_absent_field_passes_one_of_several_filters",
        "tierengine.judging.measures:Selection.taker",
        (("value is None or not", "value is not None and not"),),
        ABSENT,
    ),
    Fault(
        "an_absent_field_is_taken",
        "tierengine.judging.measures:Selection.taken",
        (("value is not None and", "value is None or"),),
        ABSENT,
    ),
    Fault(
        "a_word_holds_a_day_too_long",
        "tierengine.judging.states:States.attested",
        (("today <= self._last_day", "today <= __import__('datetime').timedelta(1) + self._last_day"),),
        STATED,
    ),
    Fault(
        "his_own_manager_may_state_it",
        "tierengine.judging.states:States._allowed",
        (("not (terms.not_own_manager and", "not (False and"),),
        "tests/test_fact_states.py::test_who_was_his_manager_when_he_stated_it_counts_and_not_who_is",
    ),
    Fault(
        "one_may_countersign_himself",
        "tierengine.judging.states:States._allowed",
        (("not second or second == stater", "not second"),),
        "tests/test_fact_states.py::test_a_second_signature_is_of_another_person_in_the_right_role",
    ),
    Fault(
        "a_machine_given_away_is_still_owned",
        "tierengine.judging.states:_move_machine",
        (("machines.pop(key, None)", "pass"),),
        STATED,
    ),
    Fault(
        "the_first_manager_is_the_manager",
        "tierengine.judging.states:States._manager_as_of",
        (("lines[-1]", "lines[0]"),),
        "tests/test_fact_states.py::test_the_last_manager_before_it_counts_and_no_earlier_one",
    ),
    Fault(
        "a_threshold_that_a_late_event_crosses_is_passed_over",
        f"{PASSING}:ToldLate._measured",
        (("or not all(_one_side(cuts, spread) for cuts in prepared.cuts_of(place))", ""),),
        f"{NEAR}[sqlite-2]",
    ),
    Fault(
        "a_stretch_is_passed_over_that_reads_what_is_different",
        f"{PASSING}:ToldLate.over",
        (("or not stretch.reads.isdisjoint(apart.keys())", ""),),
        f"{NEAR}[sqlite-2]",
    ),
    Fault(
        "the_carry_behind_what_was_passed_over_stays_as_it_was",
        f"{PASSING}:Apart.onto",
        (("table[key] = table.get(key, 0) + number", "table[key] = table.get(key, 0)"),),
        f"{RETOLD}::test_a_book_that_leaps_says_what_the_model_believes[sqlite]",
    ),
    Fault(
        "a_return_behind_what_was_passed_over_is_not_asked_for",
        f"{PASSING}:ToldLate.over",
        (("stretch.returned.isdisjoint(judged) and", ""),),
        f"{RETOLD}::test_what_nets_and_what_comes_back_are_folded_again",
    ),
    Fault(
        "facts_go_on_without_what_was_told_late",
        "tierengine.judging.running:_Aggregates.insert",
        (("selected.enter(contribution, self._bounds)", "pass"),),
        f"{RETOLD}::test_a_book_that_leaps_says_what_the_model_believes[sqlite]",
    ),
    Fault(
        "a_ratio_that_a_late_event_moves_stays",
        f"{PASSING}:ToldLate._measured",
        (("if over not in moves and under not in moves:", "if True:"),),
        f"{NEAR}[sqlite-0]",
    ),
)
