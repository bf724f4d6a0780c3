"""The year-end award as a list: shares of a rank, ties, the cut line, the budget."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import policy as ast
from tests.policy_strategies import TITLE
from tierengine.awarding.ranking import Candidate, prize_of, rank, tax_of, winners

MARGIN, BROUGHT, TIPS = (ast.Score(*part) for part in (("margin", 40), ("brought", 25), ("tips", 10)))


def award(*score, ties=(), share_bp=2_000, at_least=0, at_most=100, prize=0, budget=0):
    parts = score or (MARGIN,)
    return ast.Award("a", TITLE, ("gold",), 6, None, parts, tuple(ties), share_bp, at_least, at_most, prize, budget)


def member(code, number, *, attributes=None, **facts):
    return Candidate(number, code, facts, attributes or {})


def book(**margins):
    return [member(code, number, margin=margin) for number, (code, margin) in enumerate(margins.items())]


def codes(ranked):
    return [one.candidate.code for one in ranked.placed]


# ---- score -------------------------------------------------------------------------------------------------------


def test_a_part_of_the_score_is_how_many_of_the_others_have_less():
    ranked = rank(award(), book(A=10, B=30, C=20, D=30, E=0))
    assert {one.candidate.code: one.parts["margin"] for one in ranked.placed} == {
        "B": 7_500, "D": 7_500, "C": 5_000, "A": 2_500, "E": 0,
    }  # fmt: skip


def test_amounts_do_not_matter_beyond_their_order():
    near, far = rank(award(), book(A=1, B=2, C=3)), rank(award(), book(A=1, B=2, C=3_000_000))
    assert [one.parts for one in near.placed] == [one.parts for one in far.placed]


def test_parts_count_by_their_weights():
    people = [member("A", 1, margin=9, brought=0), member("B", 2, margin=0, brought=9)]
    assert codes(rank(award(MARGIN, BROUGHT), people)) == ["A", "B"]
    heavier = ast.Score("brought", 41)
    ranked = rank(award(MARGIN, heavier), people)
    assert codes(ranked) == ["B", "A"]
    assert [one.score_bp for one in ranked.placed] == [41 * 10_000 // 81, 40 * 10_000 // 81]


def test_a_fact_without_a_value_counts_as_nothing():
    ranked = rank(award(), [member("A", 1, margin=None), member("B", 2, margin=1), member("C", 3)])
    assert [(one.candidate.code, one.score_bp) for one in ranked.placed] == [("B", 10_000), ("A", 0), ("C", 0)]


def test_the_only_candidate_has_the_whole_score():
    (placed,) = rank(award(), book(A=0)).placed
    assert (placed.place, placed.score_bp, placed.parts, placed.decided_by) == (1, 10_000, {"margin": 10_000}, "")


def test_nobody_eligible_is_an_empty_list():
    ranked = rank(award(at_least=3), [])
    assert (ranked.placed, ranked.winners, ranked.limited_by) == ((), 0, "eligible")


# ---- ties --------------------------------------------------------------------------------------------------------


def test_equal_scores_go_by_the_stated_ties_in_their_order_and_say_which_decided():
    ties = (ast.Tie("fact", "brought", "highest"), ast.Tie("attribute", "card_issued_on", "lowest"))
    people = [
        member("A", 1, margin=5, brought=1, attributes={"card_issued_on": 100}),
        member("B", 2, margin=5, brought=2, attributes={"card_issued_on": 300}),
        member("C", 3, margin=5, brought=1, attributes={"card_issued_on": 50}),
        member("D", 4, margin=5, brought=1, attributes={"card_issued_on": 100}),
    ]
    ranked = rank(award(ties=ties), people)
    assert [(one.candidate.code, one.decided_by) for one in ranked.placed] == [
        ("B", ""), ("C", "brought"), ("A", "card_issued_on"), ("D", "code"),
    ]  # fmt: skip


@pytest.mark.parametrize("first", ["highest", "lowest"])
def test_who_has_no_value_comes_after_who_has_one_whichever_end_is_first(first):
    ties = (ast.Tie("fact", "brought", first),)
    people = [member("A", 1, margin=5, brought=None), member("B", 2, margin=5, brought=0), member("C", 3, margin=5)]
    assert codes(rank(award(ties=ties), people)) == ["B", "A", "C"]


@pytest.mark.parametrize(("first", "expected"), [("lowest", ["B", "C", "A"]), ("highest", ["C", "B", "A"])])
def test_texts_are_ranked_from_the_stated_end_too(first, expected):
    people = [
        member("A", 1, margin=5),
        member("B", 2, margin=5, attributes={"card_no": "0017"}),
        member("C", 3, margin=5, attributes={"card_no": "0170"}),
    ]
    ties = (ast.Tie("attribute", "card_no", first),)
    assert codes(rank(award(ties=ties), people)) == expected


def test_a_score_decides_before_any_tie():
    ties = (ast.Tie("fact", "brought", "highest"),)
    people = [member("A", 1, margin=6, brought=0), member("B", 2, margin=5, brought=9)]
    ranked = rank(award(ties=ties), people)
    assert [(one.candidate.code, one.decided_by) for one in ranked.placed] == [("A", ""), ("B", "")]


# ---- the cut line ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("eligible", "terms", "expected"),
    [
        (30, {}, (6, "share")),
        (37, {}, (7, "share")),  # 7.4
        (10, {"at_least": 3}, (3, "at_least")),
        (2, {"at_least": 3}, (2, "eligible")),
        (80, {"at_most": 10}, (10, "at_most")),
        (80, {"at_most": 10, "prize": 500_000, "budget": 5_000_000}, (10, "at_most")),
        (80, {"at_most": 10, "prize": 500_000, "budget": 4_999_999}, (9, "budget")),
        (10, {"at_least": 3, "prize": 500_000, "budget": 1_000_000}, (2, "budget")),
        (80, {"at_least": 12, "at_most": 10}, (10, "at_most")),
        (80, {"prize": 0, "budget": 0}, (16, "share")),  # a title without a prize costs nothing
        (0, {}, (0, "share")),
        (4, {"share_bp": 10_000}, (4, "share")),
    ],
)
def test_how_many_win_and_what_limits_them(eligible, terms, expected):
    assert winners(award(**terms), eligible) == expected


def test_the_cut_line_runs_between_two_with_equal_scores_by_their_tie():
    people = [member(code, number, margin=5) for number, code in enumerate("CABD")]
    ranked = rank(award(share_bp=5_000), people)
    assert [(one.candidate.code, one.wins) for one in ranked.placed] == [
        ("A", True), ("B", True), ("C", False), ("D", False),
    ]  # fmt: skip


@given(
    st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 2)), max_size=12),
    st.randoms(use_true_random=False),
    st.integers(0, 10_000), st.integers(0, 4), st.integers(0, 6), st.integers(0, 3),
)  # fmt: skip
def test_two_runs_over_the_same_book_agree_whatever_its_order(values, chance: random.Random, share, least, most, cost):
    people = [
        member(f"M{number:02}", number, margin=margin, brought=brought)
        for number, (margin, brought) in enumerate(values)
    ]
    terms = award(
        MARGIN, TIPS, ties=(ast.Tie("fact", "brought", "highest"),), share_bp=share, at_least=least, at_most=most,
        prize=cost, budget=7,
    )  # fmt: skip
    ranked = rank(terms, people)
    assert rank(terms, chance.sample(people, len(people))) == ranked
    assert [one.place for one in ranked.placed] == list(range(1, len(people) + 1))
    assert [one.wins for one in ranked.placed] == [place < ranked.winners for place in range(len(people))]
    assert ranked.winners * cost <= 7
    assert ranked.winners <= min(most, len(people))
    scores = [one.score_bp for one in ranked.placed]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 10_000 for score in scores)


# ---- prizes ------------------------------------------------------------------------------------------------------

PRIZES = st.one_of(
    st.builds(dict, prize=st.integers(0, 500)),
    st.builds(
        lambda first, rest: {"prizes": (ast.Rung(1, 1, first), ast.Rung(2, None, rest))},
        st.integers(0, 500),
        st.integers(0, 500),
    ),
    st.builds(
        lambda share, cap, block: {"prize_share": ast.PrizeShare(share, "margin", cap, block)},
        st.integers(1, 10_000),
        st.none() | st.integers(0, 300),
        st.integers(1, 50),
    ),
)


@given(
    st.lists(st.tuples(st.integers(0, 1_000), st.sampled_from(("S1", "S2", None))), max_size=12),
    PRIZES,
    st.integers(0, 2_000),
    st.integers(0, 6),
    st.sampled_from(("", "home_store")),
)
def test_prizes_never_exceed_the_budget_and_nobody_is_passed_over(margins, prizes, budget, most, per):
    made = replace(award(share_bp=10_000, at_most=most, budget=budget), per=per, **prizes)
    people = [
        member(f"C{n}", n, margin=margin, attributes={"home_store": store}) for n, (margin, store) in enumerate(margins)
    ]
    found = rank(made, people)
    assert sum(one.prize for one in found.placed) <= budget
    assert found.winners == sum(one.wins for one in found.placed)
    for one in found.placed:
        ahead = [other for other in found.placed if other.group == one.group and other.place < one.place]
        assert not one.wins or all(other.wins for other in ahead)
        assert one.prize == (prize_of(made, one.place, one.candidate.facts) if one.wins else 0)
        assert not one.wins or one.place <= most
    assert len({(one.group, one.place) for one in found.placed}) == len(people)


@pytest.mark.parametrize(
    ("budget", "prizes", "limited_by"),
    [
        (600, [300, 200, 100], "share"),
        (599, [300, 200, 0], "budget"),
        (500, [300, 200, 0], "budget"),
        (0, [0] * 3, "budget"),
    ],
)
def test_a_budget_is_given_out_to_its_last_fen(budget, prizes, limited_by):
    rungs = tuple(ast.Rung(place, place, 400 - 100 * place) for place in (1, 2, 3))
    ranked = rank(replace(award(share_bp=10_000, budget=budget), prizes=rungs), book(A=3, B=2, C=1))
    assert [one.prize for one in ranked.placed] == prizes
    assert [one.wins for one in ranked.placed] == [prize > 0 for prize in prizes]
    assert ranked.limited_by == limited_by


@pytest.mark.parametrize(
    ("value", "prize"),
    [(19_999, 900), (20_000, 1_000), (0, 0), (-1, 0), (None, 0), (60_000, 3_000), (79_999, 3_000)],
)
def test_a_share_of_a_fact_is_paid_in_whole_blocks_up_to_its_cap(value, prize):
    share = ast.PrizeShare(500, "margin", cap=3_050, block=100)
    assert prize_of(replace(award(), prize_share=share), 1, {"margin": value}) == prize


@pytest.mark.parametrize(
    ("borne_by", "prize", "tax"), [("winner", 500_000, 100_000), ("dealer", 500_000, 125_000), ("winner", 3, 1)]
)
def test_the_tax_is_paid_out_of_the_prize_or_on_top_of_it(borne_by, prize, tax):
    assert tax_of(replace(award(), tax_bp=2_000, tax_borne_by=borne_by), prize) == tax
