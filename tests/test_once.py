"""Acts under an idempotency key, one by one: whose key it is, which refusal sticks, and what the audit is told."""

import sqlite3

import psycopg
import pytest

from tests.club import Club
from tierengine.errors import Conflict, Refused
from tierengine.membership import people
from tierengine.recording.items import By, Once
from tierengine.recording.once import once
from tierengine.store.dialect import doc
from tierengine.store.ids import Ids, transact

BY = By("U1", "act", "thing", "r1")
AUDIT = "SELECT actor, act, body FROM audit WHERE act = 'act' ORDER BY id"


class Desk:
    """Somebody who does a thing under a key, and how often it was done."""

    def __init__(self, club):
        self.club, self.done, self.raised = club, 0, []

    def run(self, act):
        return transact(self.club.link, Ids(), act)

    def act(self, link, ids):
        self.done += 1
        if self.raised:
            raise self.raised.pop(0)
        return {"number": self.done}

    def ask(self, scope="s", key="k", body="b", by=None, dealer=None):
        return once(self.run, dealer or self.club.dealer, Once(scope, key, body, by), self.act)


@pytest.fixture
def desk(book_url):
    club = Club(book_url)
    yield Desk(club)
    club.close()


def test_a_key_is_one_dealer_s_and_one_scope_s(desk):
    other = desk.run(lambda link, ids: people.create_dealer(link, ids, "d2", "Other"))
    asked = [{}, {"scope": "t"}, {"key": "l"}, {"dealer": other}]
    assert [desk.ask(**one).body["number"] for one in asked] == [1, 2, 3, 4]
    again = [desk.ask(**one) for one in asked]
    assert [(one.replayed, doc(one.encoded())["number"]) for one in again] == [
        (True, number) for number in (1, 2, 3, 4)
    ]
    assert (desk.ask(body="other").status, desk.done) == ("mismatch", 4)


@pytest.mark.parametrize(
    ("problem", "status", "code"),
    [
        (Refused("hold_ended", hold="h"), "refused", "hold_ended"),
        (Conflict("event_conflict", key="k"), "conflict", "event_conflict"),
    ],
)
def test_a_refusal_sticks_to_its_key_under_its_own_name(desk, problem, status, code):
    desk.raised = [problem]
    first = desk.ask(by=BY)
    assert (first.status, first.code, first.number) == (status, code, 409)
    again = desk.ask(by=BY)
    assert (again.number, again.encoded(), again.replayed, desk.done) == (409, first.encoded(), True, 1)
    assert [(actor, doc(body)["code"]) for actor, _, body in desk.club.rows(AUDIT)] == [("U1", code)]


def test_what_else_an_act_raises_leaves_its_key_free(desk):
    desk.raised = [ValueError("ours")]
    with pytest.raises(ValueError, match="ours"):
        desk.ask()
    assert desk.ask().body == {"status": "recorded", "number": 2}


def test_who_lost_a_race_sees_what_won(desk):
    lost = {"sqlite": sqlite3.IntegrityError("lost"), "postgresql": psycopg.errors.UniqueViolation("lost")}
    desk.raised = [lost[desk.club.link.kind]]
    assert desk.ask().body["number"] == 2


def test_the_audit_is_told_once_and_only_of_what_somebody_of_the_staff_did(desk):
    desk.ask()
    assert desk.club.rows(AUDIT) == []
    for _ in range(2):
        desk.ask(key="l", by=BY)
    assert [(actor, doc(body)["status"]) for actor, _, body in desk.club.rows(AUDIT)] == [("U1", 201)]


def test_an_act_says_its_own_status_where_it_has_one(desk):
    made = once(desk.run, desk.club.dealer, Once("s", "own", "b"), lambda link, ids: {"status": "revoked"})
    assert made.body == {"status": "revoked"}
