"""The lines of a member's book, latest first or of a period: what lapsed unposted, and what no other store is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.test_holds import CREDIT, HAS, MINUTE, Holds
from tests.test_merging import merge, record
from tierengine.membership import statements
from tierengine.membership.activity import statement
from tierengine.membership.asker import Asker
from tierengine.membership.statements import Period
from tierengine.membership.wallets import balance
from tierengine.policies.versions import load
from tierengine.zone import DAY


@pytest.fixture
def club(book_url):
    made = Holds(book_url)
    yield made
    made.close()


def told(club, member="M1", *, store="", **page):
    how = {"before": None, "limit": 200} | page
    found = statement(club.link, load(club.link, club.dealer), member, club.now, Asker(store), **how)
    club.link.rollback()
    return found


def lapsed(club):
    """A hold that lapsed and lots that ended, none of it posted yet."""
    club.hold("P1", 100_000)
    (end,) = club.rows("SELECT max(expires_at) FROM lot WHERE wallet = ?1", CREDIT)[0]
    club.now = end + DAY
    whole = told(club)["lines"]
    assert {one["kind"] for one in whole if one["number"] is None} == {"void", "expire"}
    return whole


def test_pages_are_the_whole_with_nothing_twice_and_nothing_left_out(club):
    whole = lapsed(club)
    page = told(club, limit=1)
    found = page["lines"]
    while page["next"] is not None and len(found) <= len(whole):
        page = told(club, before=page["next"], limit=1)
        found += page["lines"]
    assert found == whole
    assert [one["number"] for one in whole if one["number"]] == [4, 3, 2, 1]
    assert sum(one["available"] for one in whole if one["wallet"] == CREDIT) == 0


def test_another_store_is_told_the_amounts_and_no_order(club):
    whole = lapsed(club)
    assert all("order:S1:" in one["event"] for one in whole if one["kind"] in ("grant", "expire"))
    elsewhere = told(club, store="S2")["lines"]
    assert "S1:" not in str(elsewhere)
    assert [one["available"] for one in elsewhere] == [one["available"] for one in whole]
    assert told(club, store="S1")["lines"] == whole


def test_what_was_booked_under_a_merged_member_is_told_under_his_own_code(club):
    club.send(*club.golden("M2"), club.machine("H", "2026-03-12", "M2"))
    own = told(club, "M2")["lines"]
    club.now += MINUTE
    assert record(club, merge(club, "M2", "M1")).status == "recorded"
    found = told(club, "M2")
    assert found["member"] == "M2"
    assert found["lines"][-len(own) :] == own
    assert {one["event"] for one in own} & {one["event"] for one in told(club)["lines"]} == set()


# ---- of a period -------------------------------------------------------------------------------------------------


def of_period(club, begin, end, *, store=""):
    programme = load(club.link, club.dealer)
    period = Period.of(programme, begin, end, club.now)
    found = statements.statement(club.link, programme, "M1", period, Asker(store))
    club.link.rollback()
    return found


def test_what_lapsed_unposted_stands_on_the_day_after_its_last_and_on_no_other(club):
    zone = load(club.link, club.dealer).zone
    (end,) = club.rows("SELECT max(expires_at) FROM lot WHERE wallet = ?1", CREDIT)[0]
    (before,) = club.rows("SELECT count(*) FROM entry WHERE kind = 'expire'")[0]
    club.now = end + 10 * DAY
    after = zone.local_date(end)
    days = [after - timedelta(days=1), after, after + timedelta(days=1)]
    found = [of_period(club, day, day) for day in days]
    assert before == 0
    assert [{one["kind"] for one in page["lines"]} for page in found] == [set(), {"expire"}, set()]
    sums = [next(one for one in page["wallets"] if one["wallet"] == CREDIT) for page in found]
    assert [(one["opening"]["available"], one["closing"]["available"]) for one in sums] == [
        (HAS, HAS), (HAS, 0), (0, 0),
    ]  # fmt: skip


def test_a_statement_for_another_store_tells_the_amounts_and_no_order(club):
    lapsed(club)
    whole, elsewhere = of_period(club, None, None), of_period(club, None, None, store="S2")
    assert "order:S1:" in str([one for one in whole["lines"] if one["number"]])
    assert "S1:" not in str(elsewhere)
    assert [one["balance"] for one in elsewhere["lines"]] == [one["balance"] for one in whole["lines"]]
    assert of_period(club, None, None, store="S1") == whole


def test_the_wallets_tell_another_store_no_order(club):
    club.hold("P1", 100_000)

    def wallets(store):
        found = balance(club.link, load(club.link, club.dealer), "M1", club.now, Asker(store))
        club.link.rollback()
        return next(one for one in found["wallets"] if one["wallet"] == CREDIT)

    own, elsewhere = wallets("S1"), wallets("S2")
    assert own == wallets("")
    assert "order:S1:" in str(own["lots"])
    assert [one["order"] for one in own["holds"]] == ["order:S1:P1"]
    assert "S1:" not in str(elsewhere)
    assert [one["remaining"] for one in elsewhere["lots"]] == [one["remaining"] for one in own["lots"]]
    assert [one["remaining"] for one in elsewhere["holds"]] == [100_000]
