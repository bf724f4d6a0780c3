"""Faults of the policy language and of judgement."""

from __future__ import annotations

from tests.mutants.fault import Fault

PROOF = "tests/test_proof.py::test_cases_that_are_the_same_each_time_agree_and_decisions_go_either_way"

FAULTS: tuple[Fault, ...] = (
    # ---- what a policy says
    Fault(
        "a_threshold_leaves_its_number_out",
        "rules.compiler:_test",
        (("_SIGNS[test.op], value)", "{**_SIGNS, 'at_least': '>'}[test.op], value)"),),
        PROOF,
    ),
    Fault(
        "more_than_includes_its_number",
        "rules.compiler:_test",
        (("_SIGNS[test.op], value)", "{**_SIGNS, 'more_than': '>='}[test.op], value)"),),
        PROOF,
    ),
    Fault(
        "what_is_absent_is_at_most_anything",
        "rules.compiler:_test",
        (('("at_most", "less_than", "is_not", "not_in")', '("less_than", "is_not", "not_in")'),),
        PROOF,
    ),
    Fault("what_is_absent_is_not_anything", "rules.compiler:_test", (('"is_not", "not_in"):', '"not_in"):'),), PROOF),
    Fault(
        "one_of_fewer_conditions_is_enough",
        "rules.compiler:_at_least",
        (("combinations(nodes, least)", "combinations(nodes, max(1, least - 1))"),),
        PROOF,
    ),
    Fault(
        "none_of_several_lets_one_hold",
        "rules.compiler:_Nodes._node",
        (("len(parts) - least + 1 if negate", "len(parts) - least if negate and len(parts) > least else 1 if negate"),),
        PROOF,
    ),
    Fault("a_wide_count_needs_one_more", "rules.compiler:_Nodes._node", (('">=", least)', '">", least)'),), PROOF),
    Fault(
        "the_counted_parts_know_no_none", "rules.compiler:_Nodes._node", (('"<" if negate else ">="', '">="'),), PROOF
    ),
    Fault(
        "a_reward_s_when_is_dropped",
        "rules.compiler:_joint",
        (("in (item.where, item.when)", "in (item.where,)"),),
        PROOF,
    ),
    Fault("a_price_is_everybody_s", "rules.compiler:_price_rule", (("*_whose(policy, price), ", ""),), PROOF),
    Fault(
        "a_reward_asks_the_standing_after",
        "rules.compiler:_event_rules",
        (("reward), reward.standing)", 'reward), "after")'),),
        PROOF,
    ),
    Fault(
        "a_reward_is_for_the_first_of_its_tiers",
        "rules.compiler:_for_tiers",
        (('"in", tiers, mark)', '"in", tiers[:1], mark)'),),
        PROOF,
    ),
    Fault(
        "a_list_courts_whom_the_tier_excludes",
        "rules.compiler:list_condition",
        (("*(() if tier.unless is None else (tier.unless,))", "*()"),),
        "tests/test_judge.py::test_a_list_courts_nobody_whom_the_tier_excludes",
    ),
    Fault(
        "a_list_of_the_short_has_the_shorter_too",
        "rules.compiler:list_condition",
        (("item.short - 1", "item.short - 2"),),
        PROOF,
    ),
    Fault("being_short_asks_for_more", "rules.compiler:_lowered", (("value - by", "value + by"),), PROOF),
    Fault(
        "the_exclusion_of_a_tier_is_dropped",
        "rules.compiler:_standing_rules",
        (("if tier.unless is not None:", "if False:"),),
        PROOF,
    ),
    Fault(
        "counted_traits_are_any_traits",
        "rules.inputs:Rows.member",
        (("len(met & traits) if traits else len(met)", "len(met)"),),
        PROOF,
    ),
    Fault("an_absent_number_is_zero", "rules.inputs:_add_numbers", (("row.append(ABSENT)", "row.append(0)"),), PROOF),
    Fault("a_trait_that_is_met_is_not", "rules.inputs:Rows.member", (("1 if trait in met else 0", "0"),), PROOF),
    Fault("a_date_of_an_event_has_no_order", "rules.inputs:day_of", ((".toordinal()", ".toordinal() % 7"),), PROOF),
    # ---- judging
    Fault(
        "a_verdict_of_other_facts_is_handed_out",
        "rules.judge:Ruleset.judge",
        (
            ("self._verdicts.get((met, fired))", "self._verdicts.get((met, ()))"),
            ("self._verdicts[met, fired] =", "self._verdicts[met, ()] ="),
        ),
        PROOF,
    ),
    Fault(
        "any_word_makes_any_trait",
        "rules.judge:Ruleset.judge",
        (("inputs.attested & self._attestable", "inputs.attested"),),
        "tests/test_judge.py::test_an_attestation_of_a_trait_that_allows_none_is_not_heard",
    ),
    Fault(
        "a_word_is_not_heard",
        "rules.judge:Ruleset.judge",
        (("inputs.attested & self._attestable", "frozenset()"),),
        "tests/test_judge.py::test_an_attestation_makes_the_trait_met_whatever_the_condition_says",
    ),
    Fault("the_lowest_tier_may_be_lost", "rules.judge:Ruleset._verdict", (("index == 0 or one", "one"),), PROOF),
    Fault(
        "silence_promotes_everybody",
        "rules.judge:Ruleset._verdict",
        (("(tier.when is None and index == 0)", "tier.when is None"),),
        PROOF,
    ),
    Fault(
        "tiers_stand_as_in_the_file",
        "rules.judge:Ruleset.__init__",
        (("sorted(policy.tiers, key=lambda tier: tier.rank)", "list(policy.tiers)"),),
        PROOF,
    ),
    Fault(
        "prices_ask_the_standing_after",
        "rules.judge:Ruleset.prices",
        (("StandingTiers(tier, None)", "StandingTiers(None, tier)"),),
        PROOF,
    ),
    Fault(
        "every_line_is_judged_as_the_first",
        "rules.judge:_Passes.lines",
        (("if own not in seen:", "own = next(iter(seen), own)\n        if own not in seen:"),),
        PROOF,
    ),
    Fault("all_that_fired_is_counted", "rules.judge:_Passes._fired", (("len(fired & parts)", "len(fired)"),), PROOF),
    Fault(
        "what_always_holds_is_forgotten",
        "rules.judge:_Passes._fired",
        (("stage.always.union(self._match(stage.phase, row))", "frozenset(self._match(stage.phase, row))"),),
        PROOF,
    ),
    Fault(
        "an_explanation_leaves_the_number_out",
        "rules.judge:_compares",
        (("return observed >= required", "return observed > required"),),
        "tests/test_judge.py::test_patterns_plain_reading_and_explanations_agree_on_any_policy_and_member",
    ),
    Fault(
        "the_test_that_holds_is_blamed",
        "rules.judge:_deciding",
        (('explanation.holds != (explanation.how == "none")', "explanation.holds"),),
        "tests/test_judge.py::test_an_explanation_names_a_test_that_decided",
    ),
    # ---- the engine
    Fault(
        "the_fact_of_the_last_judgement_stays",
        "rules.engine:Matcher._ask",
        (("code, _ = library.retract_fact(handle, _OUR_FACT)", "code = _DONE"),),
        PROOF,
    ),
    Fault(
        "only_the_first_rule_that_fires_is_told",
        "rules.engine:Matcher._ask",
        (("if answer is None:", "if True:"),),
        PROOF,
    ),
    Fault(
        "rules_are_told_in_another_order",
        "rules.engine:_tell",
        (("sorted(positions)", "sorted(positions, reverse=True)"),),
        "tests/test_engine_lane.py::test_any_program_fires_on_any_row_what_its_definition_says",
    ),
    Fault(
        "the_answer_of_another_judgement_is_told",
        "rules.engine:Matcher._ask",
        (("at.told.get(names)", "at.told.get(names and next(iter(at.told), ()))"),),
        PROOF,
    ),
    Fault(
        "an_unknown_text_is_the_first_known_one",
        "rules.engine:Matcher.match",
        (("numbers.get(text, 0)", "numbers.get(text, 1)"),),
        PROOF,
    ),
    Fault(
        "a_number_too_great_is_let_in",
        "rules.engine:_refuse",
        (("not -MAX_INTEGER <= value <= MAX_INTEGER", "False"),),
        "tests/test_engine_lane.py::test_a_row_that_does_not_fit_is_refused_in_words_and_costs_no_handle",
    ),
    Fault(
        "greater_is_greater_or_equal",
        "rules.alternatives:_allowed",
        (('>": (value + 1, MAX', '>": (value, MAX'),),
        PROOF,
    ),
    Fault(
        "two_ranges_with_a_gap_are_one",
        "rules.alternatives:_unite",
        (("merged[-1][1] + 1:", "merged[-1][1] + 2:"),),
        PROOF,
    ),
    Fault(
        "of_two_ranges_the_inner_end_counts",
        "rules.alternatives:_unite",
        (("max(high, merged[-1][1])", "high"),),
        "tests/test_engine_lane.py::test_eight_threads_on_one_matcher_each_get_their_own_answers",
    ),
    Fault(
        "the_ends_of_a_gap_are_in_it",
        "rules.alternatives:_complement",
        (("(low - 1, high + 1)", "(low - 1, high)"),),
        PROOF,
    ),
    Fault(
        "what_never_holds_always_does",
        "rules.alternatives:_tidy",
        (("if () in kept.values():\n            continue", "if () in kept.values():\n            return [{}]"),),
        PROOF,
    ),
    # ---- what is written
    Fault(
        "a_discount_is_read_as_what_is_taken_off",
        "rules.values:share_paid",
        (("    return share\n", "    return 10_000 - share\n"),),
        "tests/test_reader.py::test_the_small_policy_reads_without_a_word_of_complaint_in_both_tongues",
    ),
    Fault(
        "ninety_five_zhe_is_nine_and_a_half_per_mille",
        "rules.values:_zhe",
        (("return int(whole) * 100", "return int(whole) * 10"),),
        "tests/test_reader.py::test_the_small_policy_reads_without_a_word_of_complaint_in_both_tongues",
    ),
    Fault(
        "a_hundred_per_cent_paid_is_no_price",
        "rules.values:share_paid",
        (("not 0 < share <= 10_000", "not 0 < share < 10_000"),),
        "tests/test_reader_values.py::test_what_is_paid_is_a_percentage_or_zhe",
    ),
    Fault(
        "a_yuan_is_a_fen",
        "rules.values:money",
        (("number * 100", "number * 1"),),
        "tests/test_reader.py::test_the_small_policy_reads_without_a_word_of_complaint_in_both_tongues",
    ),
    Fault(
        "half_a_fen_is_cut_off",
        "rules.values:money",
        (("if cents != cents.to_integral_value():", "if False:"),),
        "tests/test_reader_values.py::test_money_needs_a_number_and_a_currency",
    ),
    Fault(
        "a_bound_is_outside_of_its_range",
        "rules.values:_bounded",
        (("low <= number <= high", "low < number < high"),),
        "tests/test_reader.py::test_the_small_policy_reads_without_a_word_of_complaint_in_both_tongues",
    ),
    Fault(
        "two_wan_is_two_thousand",
        "rules.values:_spelled",
        (('10_000 if char == "万"', '1_000 if char == "万"'),),
        "tests/test_reader_values.py::test_money_needs_a_number_and_a_currency",
    ),
    Fault(
        "rungs_two_to_three_are_the_second_only",
        "rules.rewards:read_ladder",
        (("Rung(first, last, amount)", "Rung(first, first, amount)"),),
        "tests/test_reader.py::test_amounts_come_in_four_forms",
    ),
    Fault(
        "a_window_of_months_is_one_of_days",
        "rules.facts:Facts._window",
        (("Window(span, months=self._positive(months", "Window(span, days=self._positive(months"),),
        "tests/test_reader_conditions.py::test_facts_know_their_unit_window_and_filters",
    ),
    Fault(
        "the_preceding_window_is_the_running_one",
        "rules.facts:Facts._window",
        (('"preceding" if key == "preceding" else "rolling"', '"rolling"'),),
        "tests/test_reader_conditions.py::test_a_ratio_holds_both_sides_named_or_written_in_place",
    ),
    Fault(
        "any_of_is_all_of",
        "rules.conditions:_of_keyword",
        (('AnyOf(parts) if name == "any" else', ""),),
        "tests/test_reader_conditions.py::test_conditions_say_what_they_mean",
    ),
)
