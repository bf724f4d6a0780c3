"""A member's wallets: what each act does to balances and lots, and random sequences of acts against a naive model."""

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierengine.errors import Broken, Refused, Unknown
from tierengine.ledger.book import MemberBook
from tierengine.ledger.entries import Balance, Lapsed, PostingDraft, Taken
from tierengine.ledger.lots import Lot

CREDIT = "parts_credit"


def book_with(*lots: tuple[int, int | None]) -> MemberBook:
    """A book with one grant (amount, expiry) for each: G1, G2, …"""
    book = MemberBook()
    for number, (amount, expires_at) in enumerate(lots, 1):
        grant(book, f"G{number}", amount, expires_at=expires_at)
    return book


def grant(book: MemberBook, key: str, delta: int, **more):
    return book.adjust(key, "welcome", CREDIT, "CNY", delta, **more)


def kinds(entries) -> list[str]:
    return [entry.kind for entry in entries]


def remaining(book: MemberBook) -> list[int]:
    return [lot.remaining for lot in book.lots]


def test_a_grant_is_one_posting_from_the_house_and_one_lot():
    book = MemberBook(next_number=7)
    (entry,) = grant(book, "E1", 100_000, usable_from=5, expires_at=90, cause="C1", decision=3)
    assert (entry.number, entry.kind, entry.delta, entry.unit, entry.decision) == (7, "grant", 100_000, "CNY", 3)
    assert entry.postings == (PostingDraft("grants", "available", 100_000),)
    assert [(lot.ref, lot.amount, lot.usable_from, lot.expires_at) for lot in entry.lots] == [(-1, 100_000, 5, 90)]
    assert book.next_number == 8


def test_an_award_is_paid_from_the_awards_account():
    (entry,) = grant(MemberBook(), "A1", 500, kind="award")
    assert entry.postings == (PostingDraft("awards", "available", 500),)


def test_a_change_by_nothing_posts_nothing():
    assert grant(MemberBook(), "E1", 0) == ()


def test_the_lot_that_expires_first_is_used_first_and_ties_go_to_the_earlier_grant():
    book = book_with((10, None), (10, 50), (10, 20), (10, 50))
    (entry,) = book.use(CREDIT, 25, "O1", now=1)
    assert [(use.ref, use.amount) for use in entry.uses] == [(-3, 10), (-2, 10), (-4, 5)]
    assert remaining(book) == [10, 0, 0, 5]
    assert entry.postings == (PostingDraft("available", "uses", 25),)


def test_a_lot_is_usable_from_its_first_instant_until_just_before_its_expiry():
    book = MemberBook()
    grant(book, "E1", 10, usable_from=5, expires_at=9)
    assert [book.usable(CREDIT, now) for now in (4, 5, 8, 9)] == [0, 10, 10, 0]


def test_a_use_of_more_than_is_usable_is_refused_and_takes_nothing():
    book = book_with((10, None))
    grant(book, "LATER", 10, usable_from=100)
    with pytest.raises(Refused) as refusal:
        book.use(CREDIT, 11, "O1", now=1)
    assert refusal.value.code == "insufficient_credit"
    assert refusal.value.details == {"wallet": CREDIT, "usable": 10, "wanted": 11}
    assert remaining(book) == [10, 10]
    assert book.used(CREDIT, "O1") == 0


def test_a_refused_use_of_an_unknown_wallet_leaves_no_wallet_behind():
    book = MemberBook()
    with pytest.raises(Refused):
        book.use("points", 1, "O1", now=1)
    with pytest.raises(Unknown):
        book.use("points", 1, "O1", now=1, allow_debt=True)
    assert book.balances == {}


@pytest.mark.parametrize("amount", [0, -1])
def test_only_positive_amounts_are_used_or_given_back(amount):
    book = book_with((10, None))
    with pytest.raises(ValueError, match="above 0"):
        book.use(CREDIT, amount, "O1", now=1)
    with pytest.raises(ValueError, match="above 0"):
        book.give_back(CREDIT, amount, "O1", now=1)


def test_a_late_sale_takes_pending_lots_too_and_the_rest_is_debt():
    book = book_with((10, None))
    grant(book, "LATER", 5, usable_from=100)
    (entry,) = book.use(CREDIT, 20, "O1", now=1, allow_debt=True)
    assert entry.postings == (PostingDraft("available", "uses", 15), PostingDraft("debt", "uses", 5))
    assert (book.balances[CREDIT].available, book.balances[CREDIT].debt) == (0, 5)


def test_what_comes_in_pays_debt_before_it_is_available():
    book = MemberBook(balances={CREDIT: Balance("CNY", debt=30)})
    entries = grant(book, "E1", 100)
    assert kinds(entries) == ["grant", "settle_debt"]
    assert entries[1].postings == (PostingDraft("available", "debt", 30),)
    assert [(use.ref, use.amount) for use in entries[1].uses] == [(-1, 30)]
    assert (book.usable(CREDIT, 0), book.balances[CREDIT].debt, remaining(book)) == (70, 0, [70])


def test_expiry_takes_exactly_the_unheld_remainder_and_only_once():
    lot = Lot(
        ref=4,
        wallet=CREDIT,
        event_key="E1",
        rule="r",
        amount=10,
        remaining=10,
        usable_from=0,
        expires_at=50,
        order=1,
        held=4,
    )
    book = MemberBook(balances={CREDIT: Balance("CNY", available=6, held=4)}, lots=[lot])
    assert book.settle(49) == ()
    (entry,) = book.settle(50)
    assert entry.postings == (PostingDraft("available", "expired", 6),)
    assert (entry.event_key, entry.rule, entry.uses[0].ref) == ("", "", 4)
    assert book.settle(51) == ()


def test_a_clock_that_goes_back_brings_nothing_back():
    book = book_with((10, 50))
    book.settle(60)
    with pytest.raises(Refused):
        book.use(CREDIT, 1, "O1", now=40)
    assert book.now == 60


def test_a_grant_whose_last_day_is_over_lapses_at_once_but_pays_debt_first():
    book = MemberBook(balances={CREDIT: Balance("CNY", debt=3)})
    book.settle(100)
    assert kinds(grant(book, "E1", 10, expires_at=90)) == ["grant", "settle_debt", "expire"]
    assert book.balances[CREDIT] == Balance("CNY")
    assert book.lapsed["E1", "welcome"] == Lapsed(expired=7)


def test_a_claw_back_takes_the_grants_own_lots_then_those_that_expire_first():
    book = book_with((10, None), (10, 90), (10, 50))
    (entry,) = grant(book, "G1", -10)
    assert [(use.ref, use.amount) for use in entry.uses] == [(-1, 10)]
    book.use(CREDIT, 6, "O1", now=1)  # of G3
    (entry,) = grant(book, "G2", -10)
    grant(book, "G1", 4)
    book.use(CREDIT, 4, "O2", now=1)
    (entry,) = grant(book, "G1", -4)
    assert [(use.ref, use.amount) for use in entry.uses] == [(-4, 4)]
    assert (entry.kind, entry.delta) == ("reverse", -4)


@pytest.mark.parametrize(("policy", "debt", "forgiven"), [("debt", 4, 0), ("forgive", 0, 4)])
def test_what_a_claw_back_does_not_find_is_debt_or_forgiven_as_the_policy_says(policy, debt, forgiven):
    book = book_with((10, None))
    book.use(CREDIT, 4, "O1", now=1)
    (entry,) = grant(book, "G1", -10, clawback=policy)
    source = "debt" if debt else "forgiven"
    assert entry.postings == (PostingDraft("available", "grants", 6), PostingDraft(source, "grants", 4))
    assert book.balances[CREDIT].debt == debt
    assert book.lapsed["G1", "welcome"].forgiven == forgiven


def test_a_claw_back_that_may_refuse_changes_nothing_when_it_does():
    book = book_with((10, None))
    book.use(CREDIT, 4, "O1", now=1)
    before = remaining(book), len(book.entries), book.balances[CREDIT].available
    with pytest.raises(Refused) as refusal:
        grant(book, "G1", -10, clawback="refuse")
    assert refusal.value.details["missing"] == 4
    assert before == (remaining(book), len(book.entries), book.balances[CREDIT].available)


def test_a_later_rise_first_undoes_what_was_forgiven():
    book = book_with((10, None))
    book.use(CREDIT, 10, "O1", now=1)
    grant(book, "G1", -10, clawback="forgive")
    (entry,) = grant(book, "G1", 12)
    assert entry.postings == (PostingDraft("grants", "forgiven", 10), PostingDraft("grants", "available", 2))
    assert book.usable(CREDIT, 1) == 2
    assert grant(book, "G2", 5)[0].postings == (PostingDraft("grants", "available", 5),)


def test_nobody_owes_what_lapsed_before_it_was_clawed_back():
    book = book_with((10, 50))
    book.use(CREDIT, 3, "O1", now=1)
    book.settle(60)
    (entry,) = grant(book, "G1", -10)
    assert entry.postings == (PostingDraft("expired", "grants", 7), PostingDraft("debt", "grants", 3))


def test_what_an_order_gives_back_returns_to_the_same_lots_newest_first():
    book = book_with((10, 50), (10, 90))
    book.use(CREDIT, 15, "O1", now=1)
    (entry,) = book.give_back(CREDIT, 7, "O1", now=2)
    assert [(use.ref, use.amount) for use in entry.uses] == [(-2, -5), (-1, -2)]
    assert remaining(book) == [2, 10]
    assert book.used(CREDIT, "O1") == 8


def test_an_order_cannot_give_back_more_than_it_used():
    book = book_with((10, None))
    book.use(CREDIT, 4, "O1", now=1)
    book.give_back(CREDIT, 3, "O1", now=2)
    with pytest.raises(Refused) as refusal:
        book.give_back(CREDIT, 2, "O1", now=3)
    assert refusal.value.details == {"wallet": CREDIT, "used": 1, "wanted": 2}


def test_units_that_go_back_to_a_lapsed_lot_lapse_at_once():
    book = book_with((10, 50))
    book.use(CREDIT, 10, "O1", now=1)
    assert kinds(book.give_back(CREDIT, 10, "O1", now=50)) == ["return", "expire"]
    assert book.balances[CREDIT] == Balance("CNY")


def test_an_over_use_that_comes_back_first_takes_the_debt_away():
    book = book_with((10, None))
    book.use(CREDIT, 15, "O1", now=1, allow_debt=True)
    (entry,) = book.give_back(CREDIT, 7, "O1", now=2)
    assert entry.postings == (PostingDraft("uses", "debt", 5), PostingDraft("uses", "available", 2))


def test_an_over_use_that_was_paid_for_comes_back_as_a_new_lot():
    book = MemberBook()
    book.use(CREDIT, 5, "O1", now=1, unit="CNY", allow_debt=True)
    grant(book, "G1", 8)
    (entry,) = book.give_back(CREDIT, 5, "O1", now=2, expires_at=99)
    assert [(lot.event_key, lot.rule, lot.amount, lot.expires_at) for lot in entry.lots] == [("O1", "", 5, 99)]
    assert book.usable(CREDIT, 2) == 8


def test_a_stored_lot_with_nothing_left_takes_units_back():
    lot = Lot(
        ref=12, wallet=CREDIT, event_key="E1", rule="r", amount=10, remaining=0, usable_from=0, expires_at=None, order=1
    )
    book = MemberBook(balances={CREDIT: Balance("CNY")}, lots=[lot], taken={"O1": [Taken(3, CREDIT, 12, 10)]})
    (entry,) = book.give_back(CREDIT, 10, "O1", now=2)
    assert (entry.uses[0].ref, entry.uses[0].amount, lot.remaining) == (12, -10, 10)


def test_a_book_that_does_not_add_up_is_not_stored():
    lot = Lot(
        ref=1, wallet=CREDIT, event_key="E1", rule="r", amount=10, remaining=10, usable_from=0, expires_at=None, order=1
    )
    book = MemberBook(balances={CREDIT: Balance("CNY", available=9)}, lots=[lot])
    with pytest.raises(Broken, match="remaining of lots"):
        book.use(CREDIT, 1, "O1", now=1)


# ---- holds --------------------------------------------------------------------------------------------------------


def held(book: MemberBook, amount: int, *, key: str = "H1", now: int = 1, until: int = 100):
    return book.hold(1, key, CREDIT, amount, f"order of {key}", now, until)


def balances(book: MemberBook) -> tuple[int, int, int]:
    balance = book.balances[CREDIT]
    return balance.available, balance.held, balance.debt


def test_a_hold_ties_up_what_expires_first_and_only_its_order_may_take_it():
    book = book_with((10, None), (10, 50))
    held(book, 12)
    assert balances(book) == (8, 12, 0)
    assert [lot.held for lot in book.lots] == [2, 10]
    with pytest.raises(Refused):
        book.use(CREDIT, 9, "O2", now=1)
    entry = book.capture("H1", 12, now=2)
    assert (entry.kind, entry.delta, entry.event_key) == ("capture", -12, "order of H1")
    assert entry.postings == (PostingDraft("held", "uses", 12),)
    assert [(use.ref, use.amount) for use in entry.uses] == [(-2, 10), (-1, 2)]
    assert balances(book) == (8, 0, 0)


def test_a_hold_of_more_than_is_usable_is_refused_and_ties_up_nothing():
    book = book_with((10, None))
    held(book, 6)
    with pytest.raises(Refused) as refusal:
        held(book, 5, key="H2")
    assert refusal.value.details == {"wallet": CREDIT, "usable": 4, "wanted": 5}
    assert [hold.key for hold in book.holds] == ["H1"]


@pytest.mark.parametrize(("keep", "after"), [(False, (6, 0, 0)), (True, (0, 6, 0))])
def test_a_part_captured_frees_the_rest_or_keeps_it(keep, after):
    book = book_with((10, None))
    held(book, 10)
    book.capture("H1", 4, now=2, keep=keep)
    assert balances(book) == after
    assert [end.kind for end in book.ended] == ([] if keep else ["captured"])


def test_more_than_what_is_left_of_a_hold_cannot_be_captured():
    book = book_with((20, None))
    held(book, 10)
    book.capture("H1", 4, now=2, keep=True)
    with pytest.raises(Refused) as refusal:
        book.capture("H1", 7, now=3)
    assert refusal.value.code == "capture_exceeds_hold"
    assert refusal.value.details == {"wallet": CREDIT, "held": 6, "wanted": 7}
    assert balances(book) == (10, 6, 0)


def test_a_hold_ends_once():
    book = book_with((10, None))
    held(book, 10)
    book.void("H1", now=2)
    for again in (lambda: book.void("H1", now=3), lambda: book.capture("H1", 1, now=3)):
        with pytest.raises(Refused) as refusal:
            again()
        assert refusal.value.code == "hold_ended"
    assert [end.kind for end in book.ended] == ["voided"]


def test_a_hold_made_before_the_expiry_can_be_captured_after_it():
    book = book_with((10, 50))
    held(book, 6)
    book.settle(60)
    assert balances(book) == (0, 6, 0)
    book.capture("H1", 6, now=61)
    assert balances(book) == (0, 0, 0)
    assert book.lapsed["G1", "welcome"].expired == 4


def test_what_a_hold_frees_after_its_lots_last_day_expires_at_that_moment():
    book = book_with((10, 50))
    held(book, 6)
    assert kinds(book.void("H1", now=60)) == ["expire", "void", "expire"]
    assert balances(book) == (0, 0, 0)
    assert book.lapsed["G1", "welcome"].expired == 10


def test_a_hold_lapses_by_itself_and_its_units_are_usable_again():
    book = book_with((10, None))
    held(book, 6, until=100)
    assert book.usable(CREDIT, 99) == 4
    (entry,) = book.settle(100)
    assert (entry.kind, entry.delta, entry.cause) == ("void", 0, "H1")
    assert [(end.kind, end.entry) for end in book.ended] == [("lapsed", entry.number)]
    assert book.usable(CREDIT, 100) == 10
    assert book.settle(101) == ()


def test_ends_are_posted_in_order_of_time():
    book = book_with((10, 50), (10, 70))
    held(book, 6, until=60)
    entries = book.settle(100)
    assert [(entry.kind, entry.delta) for entry in entries] == [
        ("expire", -4),
        ("void", 0),
        ("expire", -6),
        ("expire", -10),
    ]


def test_what_a_hold_frees_pays_debt_first():
    book = book_with((10, None))
    held(book, 6)
    book.use(CREDIT, 7, "O2", now=1, allow_debt=True)
    assert balances(book) == (0, 6, 3)
    book.void("H1", now=2)
    assert balances(book) == (3, 0, 0)


def test_what_is_held_is_owed_and_not_forgiven_when_its_grant_is_clawed_back():
    book = book_with((10, None))
    book.use(CREDIT, 3, "O2", now=1)
    held(book, 5)
    grant(book, "G1", -10, clawback="forgive")
    assert balances(book) == (0, 5, 5)
    assert book.lapsed["G1", "welcome"].forgiven == 3
    book.void("H1", now=2)
    assert balances(book) == (0, 0, 0)


def test_what_was_captured_goes_back_to_its_lots():
    book = book_with((10, 50), (10, 90))
    held(book, 15)
    book.capture("H1", 15, now=2)
    book.give_back(CREDIT, 15, "order of H1", now=3)
    assert remaining(book) == [10, 10]


# ---- grace, transfers -----------------------------------------------------------------------------------------------


def test_what_comes_back_to_a_lot_that_ends_before_the_grace_comes_as_a_new_lot_of_the_same_grant():
    book = book_with((10, 50), (10, 500))
    book.use(CREDIT, 15, "O1", now=1)
    (entry,) = book.give_back(CREDIT, 15, "O1", now=60, grace_until=90)
    assert [(lot.event_key, lot.rule, lot.amount, lot.expires_at) for lot in entry.lots] == [("G1", "welcome", 10, 90)]
    assert [(use.ref, use.amount) for use in entry.uses] == [(-2, -5)]
    assert book.usable(CREDIT, 89) == 20
    book.settle(90)
    assert book.usable(CREDIT, 90) == 10


def test_what_is_transferred_keeps_its_dates_and_pays_the_receivers_debt_first():
    giver, receiver = book_with((10, 50), (10, None)), MemberBook(balances={CREDIT: Balance("CNY", debt=4)})
    moved = giver.move_out(CREDIT, 12, "T1", now=1)
    entries = receiver.move_in(CREDIT, "CNY", moved, "T1", now=1)
    assert kinds(entries) == ["transfer", "settle_debt"]
    assert [(lot.remaining, lot.expires_at) for lot in receiver.lots] == [(6, 50), (2, None)]
    assert balances(giver) == (8, 0, 0)
    assert balances(receiver) == (8, 0, 0)
    with pytest.raises(Refused):
        giver.move_out(CREDIT, 9, "T2", now=1)


# ---- random sequences against a model that moves single units -----------------------------------------------------


@dataclass
class Unit:
    """One fen. `state` is free, held, used, paid (a debt), lapsed, or gone (clawed back)."""

    grant: str
    expires_at: int
    lot: int
    usable_from: int
    state: str = "free"


@dataclass
class Model:
    units: list[Unit] = field(default_factory=list)
    debt: int = 0
    now: int = 0
    lots: int = 0
    made: int = 0  # holds asked for
    far: int = 1_000
    forgiven: Counter = field(default_factory=Counter)
    orders: dict[str, list[Unit | None]] = field(default_factory=dict)
    holds: dict[str, tuple[int, list[Unit]]] = field(default_factory=dict)

    def free(self, only=lambda _: True) -> list[Unit]:
        """The free units, that which is to go first at the front."""
        return sorted((u for u in self.units if u.state == "free" and only(u)), key=lambda u: (u.expires_at, u.lot))

    def pay(self) -> None:
        for unit in self.free()[: self.debt]:
            unit.state = "paid"
            self.debt -= 1

    def come_in(self) -> None:
        self.pay()
        self.lapse(self.now)

    def lapse(self, at: int) -> None:
        for unit in self.free(lambda u: u.expires_at <= at):
            unit.state = "lapsed"

    def tick(self, now: int) -> None:
        self.now = max(self.now, now)
        for until, key in sorted(
            ((until, key) for key, (until, _) in self.holds.items() if until <= self.now), key=lambda one: one[0]
        ):
            self.lapse(until)
            self.end(key)
        self.lapse(self.now)

    def end(self, key: str) -> None:
        for unit in self.holds.pop(key)[1]:
            unit.state = "free"
        self.pay()

    def hold(self, key: str, count: int, until: int) -> bool:
        ready = self.free(lambda u: u.usable_from <= self.now)
        if len(ready) < count:
            return False
        self.holds[key] = until, ready[:count]
        for unit in ready[:count]:
            unit.state = "held"
        return True

    def capture(self, key: str, count: int, *, keep: bool) -> bool:
        if key not in self.holds or count > len(self.holds[key][1]):
            return False
        until, tied = self.holds[key]
        for unit in tied[:count]:
            unit.state = "used"
        self.orders.setdefault(f"of {key}", []).extend(tied[:count])
        self.holds[key] = until, tied[count:]
        if not (keep and tied[count:]):
            self.end(key)
        self.lapse(self.now)
        return True

    def void(self, key: str) -> bool:
        if key not in self.holds:
            return False
        self.end(key)
        self.lapse(self.now)
        return True

    def lot(self, key: str, count: int, usable_from: int, expires_at: int) -> None:
        self.lots += 1
        self.units += [Unit(key, expires_at, self.lots, usable_from) for _ in range(count)]

    def grant(self, key: str, count: int, usable_from: int, expires_at: int) -> None:
        undone = min(count, self.forgiven[key])
        self.forgiven[key] -= undone
        if count > undone:
            self.lot(key, count - undone, usable_from, expires_at)
        self.come_in()

    def claw_back(self, key: str, count: int, policy: str) -> None:
        own = self.free(lambda u: u.grant == key)
        lapsed = [u for u in self.units if u.grant == key and u.state == "lapsed"]
        others = self.free(lambda u: u.grant != key)
        found = (own + lapsed + others)[:count]
        for unit in found:
            unit.state = "gone"
        missing = count - len(found)
        tied = sum(len(units) for _, units in self.holds.values())
        owed = missing if policy == "debt" else min(missing, tied)
        self.debt += owed
        self.forgiven[key] += missing - owed

    def use(self, order: str, count: int, *, late: bool) -> bool:
        ready = self.free(lambda u: u.usable_from <= self.now)
        if len(ready) < count and not late:
            return False
        taken = (ready + self.free(lambda u: u.usable_from > self.now))[:count]
        for unit in taken:
            unit.state = "used"
        self.debt += count - len(taken)
        self.orders.setdefault(order, []).extend([*taken, *[None] * (count - len(taken))])
        return True

    def give_back(self, order: str, count: int) -> bool:
        stack = self.orders.get(order, [])
        if count > len(stack):
            return False
        overused = 0
        for _ in range(count):
            unit = stack.pop()
            if unit is None:
                overused += 1
            else:
                unit.state = "free"
        undone = min(overused, self.debt)
        self.debt -= undone
        if overused > undone:
            self.lot(order, overused - undone, self.now, self.far)
        self.come_in()
        return True


FAR = 1_000
amounts = st.integers(1, 12)
instants = st.integers(0, 30)
keys = st.sampled_from(["A", "B", "C"])
orders = st.sampled_from(["O1", "O2", "of H0", "of H1", "of H2"])
holds = st.integers(0, 3)  # counted from the newest
acts = st.one_of(
    st.tuples(st.just("grant"), keys, amounts, instants, st.one_of(instants, st.just(FAR))),
    st.tuples(st.just("claw_back"), keys, amounts, st.sampled_from(["debt", "forgive"])),
    st.tuples(st.just("use"), orders, amounts, st.booleans()),
    st.tuples(st.just("give_back"), orders, amounts),
    st.tuples(st.just("hold"), amounts, instants),
    st.tuples(st.just("hold"), amounts, instants),
    st.tuples(st.just("capture"), holds, amounts, st.booleans()),
    st.tuples(st.just("void"), holds),
    st.tuples(st.just("tick"), st.integers(0, 8)),
)


def act_on_both(book: MemberBook, model: Model, act: tuple) -> None:
    match act:
        case ("grant", key, count, usable_from, expires_at):
            grant(book, key, count, usable_from=usable_from, expires_at=expires_at)
            model.grant(key, count, usable_from, expires_at)
        case ("claw_back", key, count, policy):
            grant(book, key, -count, clawback=policy)
            model.claw_back(key, count, policy)
        case ("use", order, count, late):
            assert done(book.use, CREDIT, count, order, book.now, allow_debt=late) == model.use(order, count, late=late)
        case ("give_back", order, count):
            there = done(book.give_back, CREDIT, count, order, book.now, expires_at=FAR)
            assert there == model.give_back(order, count)
        case ("hold", count, after):
            key, until = f"H{model.made}", book.now + 1 + after
            made = done(book.hold, model.made, key, CREDIT, count, f"of {key}", book.now, until)
            assert made == model.hold(key, count, until)
            model.made += 1
        case ("capture", number, count, keep):
            key = f"H{model.made - 1 - number}"
            assert done(book.capture, key, count, book.now, keep=keep) == model.capture(key, count, keep=keep)
        case ("void", number):
            key = f"H{model.made - 1 - number}"
            assert done(book.void, key, book.now) == model.void(key)
        case ("tick", by):
            book.settle(book.now + by)
            model.tick(model.now + by)


def done(act, *args, **more) -> bool:
    try:
        act(*args, **more)
    except Refused:
        return False
    return True


@settings(max_examples=400, deadline=None)
@given(st.lists(acts, max_size=25))
def test_any_sequence_of_acts_ends_as_in_a_model_that_moves_single_units(sequence):
    book, model = MemberBook(balances={CREDIT: Balance("CNY")}), Model()
    for act in sequence:
        act_on_both(book, model, act)
        balance = book.balances[CREDIT]
        assert (balance.available, balance.debt) == (len(model.free()), model.debt)
        assert balance.held == sum(len(units) for _, units in model.holds.values())
        assert {hold.key: hold.left for hold in book.holds} == {k: len(units) for k, (_, units) in model.holds.items()}
        assert len({end.hold.key for end in book.ended}) == len(book.ended)
        assert book.usable(CREDIT, book.now) == len(model.free(lambda u: u.usable_from <= model.now))
        left = Counter(unit.lot for unit in model.units if unit.state in ("free", "held"))
        assert {-lot.ref: lot.remaining for lot in book.lots if lot.remaining} == left
        for key in "ABC":
            lapsed = book.lapsed.get((key, "welcome"), Lapsed())
            assert lapsed.forgiven == model.forgiven[key]
            assert lapsed.expired == sum(u.grant == key and u.state == "lapsed" for u in model.units)


@settings(max_examples=200, deadline=None)
@given(st.lists(acts, max_size=25))
def test_the_entries_alone_tell_every_balance_lot_and_grant(sequence):
    """What is stored suffices: nothing is in the book that its postings, lots and lot uses do not say."""
    book, model = MemberBook(balances={CREDIT: Balance("CNY")}), Model()
    wanted: Counter = Counter()
    for act in sequence:
        act_on_both(book, model, act)
        if act[0] in ("grant", "claw_back"):
            wanted[act[1]] += act[2] if act[0] == "grant" else -act[2]
    assert [entry.number for entry in book.entries] == list(range(1, len(book.entries) + 1))
    sums: Counter = Counter()
    lots: Counter = Counter()
    worth: Counter = Counter()
    for entry in book.entries:
        assert entry.postings
        for posting in entry.postings:
            assert posting.amount > 0
            assert posting.source != posting.destination
            sums[posting.source] -= posting.amount
            sums[posting.destination] += posting.amount
        lots.update({lot.ref: lot.amount for lot in entry.lots})
        lots.subtract({use.ref: use.amount for use in entry.uses})
        moved = sum(lot.amount for lot in entry.lots) - sum(use.amount for use in entry.uses)
        own = ("available", "held")
        into = sum(p.amount * ((p.destination in own) - (p.source in own)) for p in entry.postings)
        assert moved == into
        if entry.kind in ("grant", "reverse"):
            worth[entry.event_key] += entry.delta
    assert sum(sums.values()) == 0
    balance = book.balances[CREDIT]
    assert (sums["available"], sums["held"], -sums["debt"]) == (balance.available, balance.held, balance.debt)
    assert {ref: left for ref, left in lots.items() if left} == {x.ref: x.remaining for x in book.lots if x.remaining}
    assert worth == wanted
