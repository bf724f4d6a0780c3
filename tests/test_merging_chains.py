"""Chains of merges that are cut in the middle and tied together otherwise: whose the money is then."""

import random
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.club import opened
from tests.test_merging import CREDIT, have, merge, placed, record, sound, spend, unmerge
from tierengine.judging.merging import MERGE, classes
from tierengine.ledger.lots import Lot, plan
from tierengine.membership import people
from tierengine.recording.acts import Adjust, VoidHold
from tierengine.recording.items import Command
from tierengine.recording.lending import Handed, Lending, Parting, Word, read_lending
from tierengine.store.ids import Ids, transact
from tierengine.zone import DAY

ENDS = (
    "SELECT m.code, l.expires_at, SUM(s.remaining) FROM lot l JOIN lot_state s ON s.lot_id = l.id "
    "JOIN member m ON m.id = l.member_id WHERE s.remaining > 0 GROUP BY 1, 2 ORDER BY 1, 2"
)


@pytest.fixture
def club(book_url):
    with opened(book_url) as made:
        yield made
        assert sound(made)


def given_to(club, member, amount, days, number=1):
    act = Adjust(f"adjust:{member}:{number}", CREDIT, amount, "", "w", expires_at=club.now + days * DAY)
    assert record(club, Command(club.dealer, (member,), act)).status == "recorded"


def gathers(club, member, amount):
    """Have so much of what all of them have in his own book, free."""
    hold = placed(club, member, f"h{club.count('entry')}", amount).body["hold"]
    assert record(club, Command(club.dealer, (member,), VoidHold(hold["id"]))).status == "recorded"


def money(club, *members):
    return [have(club, member)[0] for member in members]


# ---- the smallest cases --------------------------------------------------------------------------------------------


def test_who_is_cut_off_takes_nothing_of_the_third_for_what_the_second_spent(club):
    given_to(club, "M1", 100, 10), given_to(club, "M3", 70, 20)
    record(club, merge(club, "M1", "M2", 1))
    spend(club, "U", "M2", 100)
    record(club, merge(club, "M2", "M3", 2))
    gathers(club, "M2", 70)
    record(club, unmerge(club, "M1", 1))
    assert money(club, "M1", "M2", "M3") == [0, 0, 70]
    record(club, unmerge(club, "M2", 2))
    assert money(club, "M1", "M2", "M3") == [0, 0, 70]


def test_tied_together_the_other_way_round_nobody_is_asked_again_for_what_was_spent(club):
    given_to(club, "M1", 100, 10), given_to(club, "M3", 70, 20)
    record(club, merge(club, "M1", "M2", 1))
    record(club, merge(club, "M2", "M3", 2))
    spend(club, "U", "M2", 100)
    record(club, unmerge(club, "M1", 1))
    record(club, merge(club, "M1", "M3", 3))
    gathers(club, "M2", 70)
    record(club, unmerge(club, "M2", 2))
    assert money(club, "M1", "M2", "M3") == [0, 0, 70]
    record(club, unmerge(club, "M1", 3))
    assert money(club, "M1", "M2", "M3") == [0, 0, 70]


def test_cut_in_the_middle_each_of_those_who_stay_one_has_his_own_again(club):
    given_to(club, "M1", 100, 10), given_to(club, "M2", 70, 20)
    record(club, merge(club, "M1", "M2", 1))
    record(club, merge(club, "M2", "M3", 2))
    gathers(club, "M3", 170)
    assert money(club, "M1", "M2", "M3") == [0, 0, 170]
    record(club, unmerge(club, "M2", 2))
    assert money(club, "M1", "M2", "M3") == [100, 70, 0]


def test_each_has_the_dates_that_were_his_whoever_is_cut_off_first(club):
    given_to(club, "M1", 100, 20), given_to(club, "M2", 100, 10)
    before = club.rows(ENDS)
    record(club, merge(club, "M1", "M2", 1))
    record(club, merge(club, "M2", "M3", 2))
    gathers(club, "M3", 200)
    record(club, unmerge(club, "M1", 1))
    record(club, unmerge(club, "M2", 2))
    assert club.rows(ENDS) == before


def test_what_two_spent_of_one_another_is_set_off(club):
    given_to(club, "M1", 100, 10), given_to(club, "M2", 100, 20)
    record(club, merge(club, "M1", "M2", 1))
    spend(club, "U", "M2", 100)
    gathers(club, "M1", 100)
    record(club, unmerge(club, "M1", 1))
    # (His own was spent by the other, whose money he keeps: none of them had more than was his.)
    assert money(club, "M1", "M2") == [100, 0]


def lent(club, *members):
    """What members have of others', as it is read of these alone."""
    ids = dict(club.rows("SELECT code, id FROM member WHERE dealer_id = ?1", club.dealer))
    found = read_lending(club.link, club.dealer, [ids[one] for one in members])
    club.link.rollback()
    return [found.has(CREDIT, ids[one]) for one in members]


def test_what_was_spent_of_one_who_left_since_is_not_had_of_him_any_more(club):
    given_to(club, "M0", 50, 10)
    record(club, merge(club, "M0", "M1", 1))
    spend(club, "U", "M1", 50)
    assert lent(club, "M1") == [50]
    record(club, unmerge(club, "M0", 1))
    assert lent(club, "M1") == lent(club, "M0") == [0]


def test_who_has_the_same_code_at_another_dealer_s_is_another(club):
    ids = Ids()
    other = transact(club.link, ids, lambda link, ids: people.create_dealer(link, ids, "d2", "Other"))
    same = [people.NewMember(code) for code in ("M1", "M2")]
    transact(club.link, ids, lambda link, ids: people.create_members(link, ids, other, same, club.now))
    given_to(club, "M1", 50, 10)
    record(club, merge(club, "M1", "M2", 1))
    spend(club, "U", "M2", 50)
    assert lent(club, "M1", "M2") == [-50, 50]
    record(club, unmerge(club, "M1", 1))
    assert lent(club, "M1", "M2") == [0, 0]


def test_what_has_lapsed_since_is_missed_by_nobody():
    lending = Lending()
    lending.went("w", 1, 2, (0, 10), 50)
    lending.went("w", 2, 1, (0, 90), 30)
    lending.lapse(20)
    lot = Lot(1, "w", f"{MERGE}1", "", 30, 30, 0, 90, 1)
    (piece,) = Parting(lending, "w", [(1,), (2,)], {1: [lot]}, {}).told()
    assert (piece.holder, piece.owner, piece.amount) == (1, 2, 30)


# ---- any chains ----------------------------------------------------------------------------------------------------


class Table:
    """Four members with money of their own, each of dates of its own, and whatever may become of it."""

    def __init__(self):
        self.lots = {one: [Lot(one, "w", f"own{one}", "", 60, 60, 0, 100 - one, 1)] for one in range(1, 5)}
        self.words, self.handed, self.into = [], [], {}
        self.at = 0
        self.spent = dict.fromkeys(self.lots, 0)

    def classes(self):
        return classes(self.lots, self.into)

    def kin(self, one):
        return next(all_ for all_ in self.classes().values() if one in all_)

    def hand(self, giver, to, lot, part):
        self.at += 1
        lot.remaining -= part
        dates = (lot.usable_from, lot.expires_at)
        self.lots[to].append(Lot(10 + self.at, "w", f"{MERGE}x", "", part, part, *dates, self.at))
        self.handed += [Handed(self.at, 2 * self.at, giver, "w", dates, -part)]
        self.handed += [Handed(self.at, 2 * self.at + 1, to, "w", dates, part)]

    def merge(self, one, other):
        if one not in self.into and other not in self.kin(one):
            self.at += 1
            self.into[one] = other
            self.words.append(Word(self.at, 2 * self.at, one, other))

    def lend(self, one, other, amount):
        if one != other and other in self.kin(one):
            for lot, part in plan(sorted(self.lots[one], key=lambda lot: lot.expires_at), amount):
                self.hand(one, other, lot, part)

    def spend(self, one, amount):
        for lot, part in plan(sorted(self.lots[one], key=lambda lot: lot.expires_at), amount):
            lot.remaining -= part
            self.spent[one] += part

    def cut(self, one):
        if one in self.into:
            whole = self.kin(one)
            lending = Lending.told(self.words, self.handed)
            del self.into[one]
            self.at += 1
            self.words.append(Word(self.at, 2 * self.at, one, None))
            sides = sorted({self.kin(member) for member in whole})
            before = self.at
            for piece in Parting(lending, "w", sides, self.lots, {}).told():
                self.hand(piece.holder, piece.owner, piece.lot, piece.amount)
            # (One transaction: what goes back is written with the word that parts them.)
            self.handed = [one if one.at <= before else Handed(before, *_rest(one)) for one in self.handed]

    def have(self):
        return {one: sum(lot.remaining for lot in lots) for one, lots in self.lots.items()}

    def astray(self):
        """Whose money lies with somebody with whom he is not one."""
        return [
            (one, 100 - lot.expires_at)
            for one, lots in self.lots.items()
            for lot in lots
            if lot.remaining and 100 - lot.expires_at not in self.kin(one)
        ]


def _rest(one):
    return (one.id, one.member, one.wallet, one.dates, one.amount)


def test_what_was_spent_before_they_parted_is_not_set_off_when_they_part_again():
    table = Table()
    table.merge(1, 2), table.lend(2, 1, 50), table.spend(1, 50), table.cut(1)
    assert table.have() == {1: 60, 2: 10, 3: 60, 4: 60}
    table.merge(2, 1), table.lend(1, 2, 30), table.cut(2)
    assert table.have() == {1: 60, 2: 10, 3: 60, 4: 60}


MEMBER = st.integers(1, 4)
STEP = st.one_of(
    st.tuples(st.just("merge"), MEMBER, MEMBER),
    st.tuples(st.just("merge"), MEMBER, MEMBER),
    st.tuples(st.just("lend"), MEMBER, MEMBER, st.integers(1, 80)),
    st.tuples(st.just("lend"), MEMBER, MEMBER, st.integers(1, 80)),
    st.tuples(st.just("cut"), MEMBER),
)


@given(st.lists(STEP, max_size=30))
def test_nothing_stays_with_another_however_they_are_tied_and_cut(steps):
    table = Table()
    for name, *how in [*steps, *(("cut", one) for one in range(1, 5))]:
        getattr(table, name)(*how)
        assert not table.astray()
        assert sum(table.have().values()) == 240
    assert set(table.have().values()) == {60}


@given(st.lists(st.one_of(STEP, st.tuples(st.just("spend"), MEMBER, st.integers(1, 80))), max_size=30))
def test_nobody_has_more_in_the_end_than_was_his_and_none_is_lost(steps):
    table = Table()
    for name, *how in [*steps, *(("cut", one) for one in range(1, 5))]:
        getattr(table, name)(*how)
        assert sum(table.have().values()) + sum(table.spent.values()) == 240
        assert all(lot.remaining >= 0 for lots in table.lots.values() for lot in lots)
    assert all(amount <= 60 for amount in table.have().values())
    lending = Lending.told(table.words, table.handed)
    assert all(lending.has("w", one) == 0 for one in range(1, 5))


@pytest.mark.parametrize("seed", range(2))
def test_the_book_is_as_if_they_had_never_been_merged(book_url, tmp_path, sqlite_template, seed):
    """What nobody spent is where it was, with its dates, after any chain; beside a book in which nobody was merged."""
    chance, into = random.Random(seed), {}
    other_book = shutil.copy(sqlite_template, tmp_path / "apart.db")
    with opened(book_url) as club, opened(f"sqlite:///{other_book}") as apart:
        apart.now = club.now
        for book in (club, apart):
            for number, member in enumerate(("M1", "M2", "M3"), 1):
                given_to(book, member, 10_000 * number, 400 - number)
            book.send(*book.golden("M1"))
        for number in range(14):
            do, member = (
                chance.choice(("merge", "merge", "cut", "gather", "gather", "buys")),
                f"M{chance.randint(1, 3)}",
            )
            if do == "merge":
                other = chance.choice([one for one in ("M1", "M2", "M3") if one != member])
                if record(club, merge(club, member, other, number)).status == "recorded":
                    into[member] = number
            elif do == "cut" and into:
                member = chance.choice(sorted(into))
                record(club, unmerge(club, member, into.pop(member)))
                assert sound(club)
            elif do == "gather":
                gathers(club, member, chance.choice((3_000, 9_000)))
            elif do == "buys":
                for book in (club, apart):
                    book.send(book.machine(f"m{number}", f"2026-04-1{number % 10}", member))
        for member in sorted(into):
            record(club, unmerge(club, member, into[member]))
        assert club.net() == apart.net()
        assert club.rows(ENDS) == apart.rows(ENDS)
        assert sound(club)
