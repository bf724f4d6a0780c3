"""Budgets over several members, through the book: who is recorded first is served first, and no more is ever given."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierengine.judging.budgets import Pots, Share
from tierengine.judging.observations import read_observation
from tierengine.ledger.verify import verify
from tierengine.membership.people import NewMember, create_dealer, create_members, create_store
from tierengine.policies import versions
from tierengine.recording.items import Observe
from tierengine.recording.rebuilding import rebuild
from tierengine.recording.writer import Writer
from tierengine.store import database
from tierengine.store.dialect import doc
from tierengine.zone import DAY, Zone

ZONE = Zone("Asia/Shanghai")
POLICY = """programme: club
tiers: [{id: customer, title: 客户}]
wallets:
  points: {title: 积分, unit: points}
rewards:
  spend:
    title: 消费
    on: parts_purchase
    per: {give: 1 points, each: 1 CNY}
    into: points
budgets:
  all: {title: 全体, limit: LIMIT, period: year, rewards: [spend]}
"""
MEMBERS = ("C1", "C2", "C3")


class Book:
    """A dealer with a budget; every purchase is recorded when it is told."""

    def __init__(self, url, limit="100 points"):
        self.url = url
        self.clock = [ZONE.start_of(date(2026, 1, 1))]
        self.writer = Writer(url, now=lambda: self.clock[0])
        self.writer.__enter__()
        self.dealer = self.writer.perform(lambda link, ids: self._make(link, ids, limit)).result()
        self.clock[0] = ZONE.start_of(date(2026, 12, 1))

    def _make(self, link, ids, limit):
        dealer = create_dealer(link, ids, "east", "华东")
        create_store(link, ids, dealer, "S01", "S01")
        create_members(link, ids, dealer, [NewMember(code=code) for code in MEMBERS], self.clock[0])
        text = POLICY.replace("LIMIT", limit)
        versions.publish(
            link, ids, dealer, text, author="t", reason="", effective_from=self.clock[0], now=self.clock[0]
        )
        return dealer

    def tell(self, **raw):
        self.clock[0] += 1_000_000
        told = read_observation(
            raw,
            source="till",
            store="S01",
            now_us=self.clock[0],
            zone=ZoneInfo(ZONE.name),
            late_days=None,
            currency="CNY",
        )
        self.writer.record([Observe(self.dealer, told)])

    def buys(self, member, order, yuan, day="2026-03-01"):
        line = {"item": "A", "category": "parts", "qty": yuan, "list": yuan * 100, "amount": yuan * 100}
        self.tell(kind="parts_purchase", member=member, order=order, occurred_at=f"{day}T10:00:00+08:00", lines=[line])

    def brings_back(self, order, day="2026-04-01", **more):
        at = f"{day}T10:00:00+08:00"
        self.tell(kind="sale_returned", source_id=f"R{order}", order=order, occurred_at=at, **more)

    def points(self):
        """What each member has, and what the pot says was given; the two must always agree."""
        link = database.connect(self.url)
        rows = link.ask(
            "SELECT m.code, a.balance FROM account a JOIN member m ON m.id = a.member_id WHERE a.kind = 'available'"
        ).rows()
        pots = dict(link.ask("SELECT key, used FROM budget_pot WHERE key <> ''").rows())
        decisions = link.ask(
            "SELECT id, event_key, rule, kind, basis FROM decision ORDER BY step_at, step_key, id"
        ).rows()
        assert verify(link) == ()
        again = rebuild(link, versions.load(link, self.dealer))
        assert again.same, again.rows
        link.close()
        last = {(event, rule): None if kind == "withdrawn" else doc(basis) for _, event, rule, kind, basis in decisions}
        drawn = Counter()
        for basis in last.values():
            for key in basis["granted"]["budgets"] if basis else ():
                drawn[key] += basis["granted"]["wanted"]
        assert +drawn == +Counter(pots)
        return {code: balance for code, balance in rows if balance}

    def close(self):
        self.writer.__exit__(None, None, None)


@pytest.fixture
def book(book_url):
    made = Book(book_url)
    yield made
    made.close()


def test_who_is_recorded_first_is_served_first_whenever_it_happened(book):
    book.buys("C1", "A", 70, "2026-05-01")
    book.buys("C2", "B", 70, "2026-03-01")
    book.buys("C3", "C", 70, "2026-02-01")
    assert book.points() == {"C1": 70, "C2": 30}


def test_judging_again_never_gives_more_though_something_became_free(book):
    book.buys("C1", "A", 70)
    book.buys("C2", "B", 70)
    book.brings_back("A")
    assert book.points() == {"C2": 30}
    book.buys("C2", "E", 10, "2026-01-15")  # before B: all of C2's year is judged again
    assert book.points() == {"C2": 40}
    book.buys("C3", "C", 90)  # what the return put back is there for whoever comes next
    assert book.points() == {"C2": 40, "C3": 60}


def test_who_got_nothing_gets_nothing_later(book):
    book.buys("C1", "A", 100)
    book.buys("C2", "B", 50)
    book.brings_back("A")
    book.buys("C2", "E", 1, "2026-01-15")
    assert book.points() == {"C2": 1}


def test_a_part_that_comes_back_takes_its_part_of_what_was_admitted(book):
    book.buys("C1", "A", 60)
    book.buys("C2", "B", 80)
    book.brings_back("B", lines=[{"item": "A", "qty": 40}])
    assert book.points() == {"C1": 60, "C2": 20}


def test_each_period_has_its_own_pot(book):
    book.buys("C1", "A", 100, "2026-03-01")
    book.buys("C1", "B", 100, "2025-03-01")
    assert book.points() == {"C1": 200}


def test_the_first_so_many_are_counted_not_summed(book_url):
    book = Book(book_url, "2 times")
    for member, order in (("C1", "A"), ("C2", "B"), ("C3", "C")):
        book.buys(member, order, 70)
    book.close()
    link = database.connect(book_url)
    assert sorted(link.ask("SELECT balance FROM account WHERE kind = 'available'").rows()) == [(70,), (70,)]
    link.close()


def test_two_processes_never_give_more_than_there_is(postgres_book_url):
    first = Book(postgres_book_url)
    second = Writer(postgres_book_url, now=lambda: first.clock[0] + DAY)
    with second, ThreadPoolExecutor(2) as pool:

        def sells(writer, member, number):
            told = read_observation(
                {
                    "kind": "parts_purchase", "member": member, "order": f"{member}-{number}",
                    "occurred_at": "2026-03-01T10:00:00+08:00",
                    "lines": [{"item": "A", "category": "parts", "qty": 1, "list": 900, "amount": 900}],
                },
                source="till", store="S01", now_us=first.clock[0], zone=ZoneInfo(ZONE.name), late_days=None,
                currency="CNY",
            )  # fmt: skip
            writer.record([Observe(first.dealer, told)])

        def one(pair):
            for number in range(15):
                sells(pair[0], pair[1], number)

        list(pool.map(one, [(first.writer, "C1"), (second, "C2")]))
    assert sum(first.points().values()) == 100
    first.close()


@pytest.mark.parametrize(("used", "admitted"), [(0, 50), (49, 50), (51, 49), (99, 1), (100, 0), (101, 0), (500, 0)])
def test_a_pot_from_which_more_was_given_than_its_limit_now_is_admits_nothing(used, admitted):
    """A version may lower a limit below what was given already."""
    assert Pots(lambda _: {"k": used}).admit(("E", "r"), [Share("k", 100)], 50) == admitted


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 60)), max_size=40), st.integers(0, 100))
def test_a_pot_never_gives_more_than_its_limit_nor_more_than_it_admitted_before(asked, limit):
    pots = Pots(lambda _: {})
    given_: dict[tuple[str, str], int] = {}
    for number, value in asked:
        pair = (f"E{number}", "r")
        if pair in given_:
            continue
        given_[pair] = pots.admit(pair, [Share("k", limit)], value)
        assert 0 <= given_[pair] <= value
    assert sum(given_.values()) == min(limit, sum(dict(reversed(asked)).values()))
