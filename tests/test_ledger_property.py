"""Any sequence of acts ends as in a model that moves single units, and the entries alone tell it all."""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger_book import CREDIT, grant
from tierengine.errors import Refused
from tierengine.ledger.book import MemberBook
from tierengine.ledger.entries import Balance, Lapsed


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
