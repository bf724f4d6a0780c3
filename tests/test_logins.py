"""Logins to the microsecond: when a session is over, how long a log-in waits, who is the last admin. Both databases."""

from __future__ import annotations

import pytest

from tests.keys import SECRET, acting
from tierengine.access import sessions, staff
from tierengine.access.callers import find
from tierengine.access.second import same_person, two
from tierengine.access.secret import Secret
from tierengine.access.sessions import FIRST_WAIT, FORGOTTEN, FREE, LONGEST_WAIT
from tierengine.errors import Malformed, Refused
from tierengine.membership import people
from tierengine.store import database
from tierengine.store.ids import Ids, transact

NOW = 1_700_000_000_000_000
IDLE = 1_800_000_000
LASTS = 43_200_000_000
ALONE = Secret(SECRET)


class Desk:
    """A dealer with one admin, `wang`, and the connection on which his staff log in."""

    def __init__(self, link) -> None:
        self.link = link
        self.dealer = transact(link, Ids(), lambda link, ids: people.create_dealer(link, ids, "D1", "D1"))
        self.add("wang", "admin")

    def act(self, deed, now=NOW):
        return transact(self.link, Ids(), lambda link, ids: deed(acting(link, ids, self.dealer, now)))

    def add(self, login, role):
        self.act(lambda by: staff.add(by, login, "a digest", (role,)))

    def known(self, now, login="wang"):
        found = sessions.known(self.link, login, now)
        self.link.rollback()
        return found

    def fails(self, now, times=1):
        for _ in range(times):
            found = self.known(now)
            self.act(lambda by, found=found: sessions.failed(by, found), now)

    def opens(self, now=NOW):
        found = self.known(now)
        return self.act(lambda by: sessions.open_session(by, ALONE, found, lasts=LASTS), now).token

    def finds(self, token, now):
        found = find(self.link, ALONE, token, now, IDLE)
        self.link.rollback()
        return found


@pytest.fixture
def desk(book_url):
    link = database.connect(book_url)
    yield Desk(link)
    link.rollback()
    link.close()


def test_a_session_nobody_used_is_over_at_the_instant_its_idle_time_is_full(desk: Desk):
    token = desk.opens()
    assert desk.finds(token, NOW + IDLE - 1) is not None
    assert desk.finds(token, NOW + IDLE) is None


def test_a_session_in_use_is_over_at_its_end(desk: Desk):
    token = desk.opens()
    prefix = token.split("_")[1]
    for at in (NOW + LASTS - 2, NOW + LASTS - 1):
        desk.act(lambda by, at=at: sessions.seen(by.link, [prefix], at))
    assert desk.finds(token, NOW + LASTS - 1) is not None
    assert desk.finds(token, NOW + LASTS) is None


def test_each_failure_above_five_doubles_the_wait_up_to_a_quarter_of_an_hour(desk: Desk):
    desk.fails(NOW, FREE - 1)
    assert desk.known(NOW).wait_until == 0
    waits = []
    for _ in range(12):
        desk.fails(NOW)
        waits.append(desk.known(NOW).wait_until - NOW)
    assert waits == [min(FIRST_WAIT * 2**over, LONGEST_WAIT) for over in range(12)]
    assert waits[-1] == 900_000_000


def test_what_failed_a_day_ago_is_forgotten(desk: Desk):
    desk.fails(NOW, FREE + 3)
    assert desk.known(NOW + FORGOTTEN - 1).wait_until == NOW + 8 * FIRST_WAIT
    assert desk.known(NOW + FORGOTTEN).wait_until == 0
    later = NOW + FORGOTTEN + 1
    desk.fails(later)  # the first of a new count, of which five are free
    assert desk.known(later).wait_until == 0
    desk.fails(later, FREE - 1)
    assert desk.known(later).wait_until == later + FIRST_WAIT


def test_who_gets_a_new_password_need_not_wait_for_the_failures_with_the_old_one(desk: Desk):
    desk.fails(NOW, FREE)
    assert desk.known(NOW).wait_until == NOW + FIRST_WAIT
    desk.act(lambda by: staff.change_password(by, "wang", "another digest"))
    assert (desk.known(NOW).wait_until, desk.known(NOW).digest) == (0, "another digest")


def test_who_was_disabled_manages_nobody_so_the_admin_beside_him_is_the_last(desk: Desk):
    desk.add("zhao", "admin")
    desk.add("li", "auditor")
    desk.act(lambda by: staff.disable(by, "zhao"))
    with pytest.raises(Refused, match="last admin"):
        desk.act(lambda by: staff.disable(by, "wang"))
    desk.act(lambda by: staff.disable(by, "li"))  # whoever is no admin may go
    assert [one.login for one in staff.every(desk.link, desk.dealer) if one.disabled_at is None] == ["wang"]


@pytest.mark.parametrize("other", ["wang", "Wang", "WANG", " wang ", "ＷＡＮＧ", "ｗａｎｇ　"])
def test_one_person_is_no_second_however_he_writes_himself(other):
    assert same_person("wang", other)
    with pytest.raises(Malformed) as caught:
        two("wang", other)
    assert [(one.pointer, one.code) for one in caught.value.errors] == [("/second", "second_not_here")]


@pytest.mark.parametrize("nobody", ["", "  ", "　"])
def test_a_second_who_is_nobody_is_missing(nobody):
    with pytest.raises(Malformed) as caught:
        two("wang", nobody)
    assert [(one.pointer, one.code) for one in caught.value.errors] == [("/second", "missing")]


def test_two_people_are_two():
    two("wang", "王芳")
    assert not same_person("wang", "wang2")
