"""What merged members hold of one another's, word by word: the order of the words, and how much goes home to whom."""

from itertools import permutations

from tierengine.judging.merging import MERGE
from tierengine.ledger.entries import EntryDraft, LotDraft, LotUseDraft
from tierengine.ledger.lots import Lot
from tierengine.recording.lending import Handed, Lending, Parting, Word, _ever_one

W = "credit"
DATES = (0, 90)


def holds(lending, *members):
    return [lending.has(W, member) for member in members]


def handed(at, number, giver, to, amount=50):
    """Two entries of one instant."""
    return Handed(at, number, giver, W, DATES, -amount), Handed(at, number + 1, to, W, DATES, amount)


def lent(**amounts):
    """`m1=-50`: others hold 50 of member 1's."""
    made = Lending()
    for member, amount in amounts.items():
        made.add(W, int(member[1:]), DATES, amount)
    return made


def test_what_happened_first_counts_first_whatever_number_it_has():
    """Processes take their numbers in blocks, so a later word may have a smaller one."""
    words = [Word(1, 90, 1, 2), Word(3, 5, 1, None)]
    for order in permutations([*words, *handed(2, 40, 1, 2)]):
        told = Lending.told(
            [one for one in order if isinstance(one, Word)], [one for one in order if isinstance(one, Handed)]
        )
        assert holds(told, 1, 2) == [0, 0], order


def test_of_one_instant_the_number_says_what_was_first():
    """What goes back is written after the word that parts them; a new merge of that instant begins from nothing."""
    words = [Word(1, 1, 1, 2), Word(3, 6, 1, None)]
    assert holds(Lending.told(words, [*handed(2, 2, 1, 2), *handed(3, 7, 2, 1)]), 1, 2) == [0, 0]
    again = Lending.told([*words, Word(3, 9, 1, 2)], [*handed(2, 2, 1, 2, 30), *handed(4, 10, 1, 2)])
    assert holds(again, 1, 2) == [-50, 50]


def test_what_is_handed_over_after_they_parted_is_not_set_off_against_what_was_spent_before():
    words = [Word(1, 1, 1, 2), Word(2, 2, 2, 3), Word(4, 5, 1, None)]
    told = Lending.told(words, [*handed(3, 3, 1, 2), *handed(5, 6, 2, 3)])
    assert holds(told, 1, 2, 3) == [0, -50, 50]


def test_what_this_transaction_hands_over_counts_on_both_sides():
    def entry(kind, key, lots=(), uses=()):
        return EntryDraft(1, kind, W, "CNY", key, "", 0, "", None, (), lots, uses)

    made = (LotDraft(-1, W, f"{MERGE}1", "", 50, *DATES),)
    lot = Lot(7, W, "E", "r", 80, 80, *DATES, 1)
    lending = Lending()
    lending.posted(2, [entry("transfer", f"{MERGE}1", lots=made)], {})
    lending.posted(1, [entry("transfer", f"{MERGE}1", uses=(LotUseDraft(7, 50),))], {7: lot})
    assert holds(lending, 1, 2) == [-50, 50]
    others = [entry("transfer", "transfer:1", lots=made), entry("grant", f"{MERGE}1", lots=made)]
    lending.posted(2, others, {})
    assert holds(lending, 1, 2) == [-50, 50]


def test_what_was_spent_is_taken_off_what_ends_first():
    lending = Lending()
    for dates in ((0, None), (0, 10), (5, 10)):
        lending.add(W, 1, dates, 30)
    lending.add(W, 2, (0, 10), -40)
    lending.add(W, 3, (0, 10), -50)
    lending.forget([(1,), (2, 3)])
    assert holds(lending, 1, 2, 3) == [0, 0, 0]
    lending.add(W, 1, (0, None), 30), lending.add(W, 1, (0, 10), 30), lending.add(W, 2, (0, 10), -20)
    lending.forget([(1, 2)])
    assert lending.of[W, 1] == {(0, None): 20, (0, 10): 0, (5, 10): 0}


def test_a_side_gets_no_more_than_it_misses_as_a_whole():
    """Of 1's 50 the other side spent 30; 20 are 2's to give back one day."""
    lots = [Lot(-number, W, "E", "r", 30, 30, *DATES, number) for number in (1, 2)]
    parting = Parting(lent(m1=-50, m2=20, m3=50, m4=-20), W, [(1, 2), (3, 4)], {3: lots}, {(3, W): 100})
    assert [(piece.holder, piece.owner, piece.amount) for piece in parting.told()] == [(3, 1, 30)]
    assert holds(parting.lending, 1, 2, 3, 4) == [-20, 20, 20, -20]


def test_who_misses_most_is_served_first():
    lots = [Lot(-1, W, "E", "r", 40, 40, *DATES, 1)]
    parting = Parting(lent(m1=-10, m2=-50, m3=60), W, [(1, 2), (3,)], {3: lots}, {(3, W): 40})
    assert [(piece.owner, piece.amount) for piece in parting.told()] == [(2, 40)]


def test_what_goes_home_goes_first_to_the_other_side_and_there_to_who_misses_most():
    lots = [Lot(1, W, f"{MERGE}1", "", 60, 60, *DATES, 1)]
    parting = Parting(lent(m1=-30, m2=-40, m3=90, m4=-20), W, [(3, 1), (2, 4)], {3: lots}, {})
    assert [(piece.owner, piece.amount) for piece in parting.told()] == [(2, 40), (4, 20)]


def test_only_what_was_granted_is_granted_anew_not_what_was_handed_over():
    lots = [Lot(-1, W, f"{MERGE}1", "", 40, 40, 1, 80, 1)]
    parting = Parting(lent(m1=-40, m3=40), W, [(1,), (3,)], {3: lots}, {(3, W): 40})
    assert parting.told() == []


def test_what_was_spent_is_taken_off_who_holds_most_and_off_nobody_else():
    lending = lent(m1=30, m2=50, m3=-40)
    lending.forget([(1, 2, 3)])
    assert holds(lending, 1, 2, 3) == [30, 10, -40]
    lending = lent(m1=-30, m2=-50, m3=40)
    lending.forget([(1, 2, 3)])
    assert holds(lending, 1, 2, 3) == [-30, -10, 40]


def test_what_lapses_is_forgotten_from_the_instant_of_its_end():
    lending = Lending()
    for dates in ((0, 10), (0, 11), (0, None)):
        lending.add(W, 1, dates, 5)
    lending.lapse(10)
    assert lending.of[W, 1] == {(0, 11): 5, (0, None): 5}


def test_no_more_goes_home_than_is_free_and_than_is_had_of_others():
    def goes(lot, **amounts):
        parting = Parting(lent(**amounts), W, [(1,), (3, 4)], {3: [lot]}, {})
        return [(piece.holder, piece.owner, piece.amount) for piece in parting.told()]

    assert goes(Lot(1, W, f"{MERGE}1", "", 60, 60, *DATES, 1, held=20), m1=-60, m3=60) == [(3, 1, 40)]
    assert goes(Lot(1, W, f"{MERGE}1", "", 60, 60, *DATES, 1), m1=-60, m3=10, m4=50) == [(3, 1, 10)]
    assert goes(Lot(1, W, f"{MERGE}1", "", 60, 60, *DATES, 1), m1=-10, m3=60, m4=-50) == [(3, 1, 10), (3, 4, 50)]


def test_either_side_gets_of_what_the_other_was_granted_just_now_and_only_of_that():
    def goes(lot, rises=100):
        parting = Parting(lent(m1=50, m2=-50), W, [(1,), (2,)], {1: [lot]}, {(1, W): rises})
        return [(piece.holder, piece.owner, piece.amount) for piece in parting.told()]

    assert goes(Lot(-1, W, "E", "r", 80, 80, *DATES, 1)) == [(1, 2, 50)]
    assert goes(Lot(-1, W, "E", "r", 80, 80, *DATES, 1), rises=20) == [(1, 2, 20)]
    assert goes(Lot(5, W, "E", "r", 80, 80, *DATES, 1)) == []


def test_what_is_given_has_the_dates_of_its_lot():
    lot = Lot(-1, W, "E", "r", 80, 80, 7, 60, 1)
    parting = Parting(lent(m1=50, m2=-50), W, [(1,), (2,)], {1: [lot]}, {(1, W): 80})
    parting.told()
    assert parting.lending.of[W, 2] == {DATES: -50, (7, 60): 50}


def test_of_several_who_give_none_gives_more_than_he_has_of_others():
    lots = {member: [Lot(-member, W, "E", "r", 80, 80, *DATES, member)] for member in (3, 4)}
    rises = {(3, W): 80, (4, W): 80}
    parting = Parting(lent(m1=-30, m2=-20, m3=20, m4=30), W, [(1, 2), (3, 4)], lots, rises)
    told = [(piece.holder, piece.owner, piece.amount) for piece in parting.told()]
    assert told == [(3, 1, 20), (4, 1, 10), (4, 2, 20)]
    assert holds(parting.lending, 1, 2, 3, 4) == [0, 0, 0, 0]


def test_all_who_were_one_with_any_of_them_are_looked_at_and_nobody_else():
    words = [Word(1, 1, 1, 2), Word(2, 2, 1, None), Word(3, 3, 3, 2), Word(4, 4, 8, 9)]
    assert [_ever_one([member], words) for member in (1, 3, 9, 7)] == [{1, 2, 3}, {1, 2, 3}, {8, 9}, {7}]


def set_off(first, second, *lots):
    """Member 1 holds `first` of 3's in these lots, 3 spent `second` of 1's; 2 and 4, beside them, hold 20 likewise."""
    lending = Lending()
    lending.went(W, 3, 1, DATES, first)
    lending.went(W, 1, 3, (0, 30), second)
    lending.went(W, 4, 2, (0, 30), 20)
    merged = [Lot(number, W, f"{MERGE}1", "", one, one, *DATES, number) for number, one in enumerate(lots, 1)]
    told = Parting(lending, W, [(1, 2), (3, 4)], {1: merged}, {}).told()
    return [(piece.holder, piece.owner, piece.amount) for piece in told]


def test_what_two_hold_of_one_another_stays_where_it_is_as_far_as_it_is_equal():
    assert set_off(50, 80, 50) == []
    assert set_off(120, 130, 60, 60) == [(1, 3, 10)]  # 20 of what is missed beside him are not made good twice
