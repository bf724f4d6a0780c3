"""`returned_as: cancelled`: a book in which a whole order came back is the book without it, however it was told."""

import itertools

import pytest

from tests.club import Club
from tierengine.ledger.verify import verify
from tierengine.policies import versions
from tierengine.recording.rebuilding import rebuild

POLICY = """programme: club
returned_as: cancelled
facts:
  spend: {sum: amount, of: parts_purchase}
tiers:
  - {id: customer, title: 客户}
  - {id: gold, title: 金卡, when: {spend: {at_least: 1500 CNY}}, keep: {for: 12 months, then: one_down}}
wallets:
  credit: {title: 款, unit: money, pays_for: parts}
rewards:
  ladder:
    title: 台阶
    on: parts_purchase
    nth: {1: 10 CNY, 2: 20 CNY, after: 5 CNY}
    into: credit
  capped: {title: 封顶, on: parts_purchase, for: gold, amount: 8 CNY, caps: {year: 12 CNY}, into: credit}
"""


def told(club, *, without=False):
    """Three orders, of which the second comes back in two pieces; or only the other two."""
    sold = [club.parts("A", "2026-03-01"), club.parts("B", "2026-03-05", qty=2), club.parts("C", "2026-03-09")]
    half = {"lines": [{"item": "filter", "qty": 1}]}
    back = [club.returned("B", "2026-04-01", 1, **half), club.returned("B", "2026-05-01", 2)]
    return [sold[0], sold[2]] if without else [*sold, *back]


def book(club):
    """What stands: every tier change that lasted, and what each order is worth to the member by each rule."""
    assert verify(club.link) == ()
    again = rebuild(club.link, versions.load(club.link, club.dealer))
    assert again.same, again.rows
    club.link.rollback()
    changes = club.rows("SELECT at, tier, previous FROM tier_change ORDER BY at, key")
    lasting = [(at, tier) for at, tier, _ in changes if [one[0] for one in changes].count(at) == 1]
    nets = club.rows("SELECT event_key, rule, SUM(delta) FROM entry WHERE rule <> '' GROUP BY event_key, rule")
    return lasting, sorted((key, rule, int(net)) for key, rule, net in nets if net)


@pytest.fixture
def without(sqlite_book_url, tmp_path):
    club = Club(sqlite_book_url, POLICY, ["M1"])
    club.send(*told(club, without=True))
    found = book(club)
    club.close()
    return found


def test_the_book_is_as_if_the_order_had_never_been(postgres_book_url, without):
    club = Club(postgres_book_url, POLICY, ["M1"])
    for one in told(club):
        club.send(one)
    assert book(club) == without
    club.close()


def test_in_whatever_order_it_is_told(sqlite_url, sqlite_template, without):
    for order in itertools.islice(itertools.permutations(range(5)), 0, 120, 11):
        path = sqlite_url.removeprefix("sqlite:///")
        copied = f"{path}.{''.join(map(str, order))}"
        with open(sqlite_template, "rb") as source, open(copied, "wb") as target:  # noqa: PTH123  two plain files
            target.write(source.read())
        club = Club(f"sqlite:///{copied}", POLICY, ["M1"])
        said = told(club)
        for place in order:
            club.send(said[place])
        assert book(club) == without, order
        club.close()


def test_credit_that_paid_it_comes_back(book_url):
    club = Club(book_url, POLICY, ["M1"])
    club.send(club.parts("A", "2026-03-01"))
    club.sale(club.parts("B", "2026-03-05", credit=600), uses={"credit": 600})
    club.send(club.returned("B", "2026-03-09"))
    assert club.rows("SELECT balance FROM account WHERE kind = 'available'") == [(1_000,)]
    club.close()


def test_a_return_of_a_part_stays_a_return(sqlite_book_url):
    club = Club(sqlite_book_url, POLICY, ["M1"])
    club.send(*told(club)[:4])
    assert {key.split(":")[2]: net for key, rule, net in book(club)[1] if rule == "ladder"} == {
        "A": 1_000, "B": 1_000, "C": 500,
    }  # fmt: skip
    club.close()


def test_a_return_of_nothing_that_is_left_moves_nowhere(club_of_one):
    """Its order is gone as a whole already; that one more return names it is flagged, and changes nothing."""
    club = club_of_one
    for one in told(club):
        club.send(one)
    before = book(club)
    (answer,) = club.send(club.returned("B", "2026-05-02", 3))
    assert (answer.status, [flag["code"] for flag in answer.body["flags"]]) == ("recorded", ["beyond_sold"])
    assert book(club) == before


@pytest.fixture
def club_of_one(book_url):
    club = Club(book_url, POLICY, ["M1"])
    yield club
    club.close()
