"""Whose data is erased and handed out, and until which instant something stands against it."""

from __future__ import annotations

import pytest

from tests.club import SMALL, Club
from tests.keys import acting
from tests.test_merging import merge, record
from tierengine.errors import Unknown
from tierengine.membership import people
from tierengine.membership.export import export
from tierengine.personal import records
from tierengine.personal.erasure import erase, left, plan
from tierengine.personal.records import Person
from tierengine.recording.acts import PlaceHold
from tierengine.recording.items import Command
from tierengine.store.ids import Ids, transact

CREDIT = "parts_credit"


def act(club, what):
    return transact(club.link, Ids(), what)


def erased(club, vault, code, now=0, **how):
    return act(
        club, lambda link, ids: erase(acting(link, ids, club.dealer, now or club.now), vault, code, second="li", **how)
    )


def named(club, vault, code, name):
    number = club.rows("SELECT id FROM member WHERE code = ?1 AND dealer_id = ?2", code, club.dealer)[0][0]
    act(club, lambda link, _: records.save(link, vault, club.dealer, {number: Person(name)}))
    return number


# ---- whose -------------------------------------------------------------------------------------------------------


def test_another_dealers_member_of_the_same_code_is_neither_erased_nor_handed_out(club, vault):
    own = named(club, vault, "M1", "王五")
    with club.beside("M1", "N1"):
        his = named(club, vault, "M1", "赵六")
        act(club, lambda link, ids: acting(link, ids, club.dealer, club.now).note("member.read", "member:M1"))
        other = club.dealer
    told = export(club.link, vault, club.dealer, "M1", club.now)
    assert told["person"]["name"] == "王五"
    assert next(one["rows"] for one in told["sections"] if one["id"] == "audit") == []
    erased(club, vault, "M1")
    assert vault.store.keys([own, his]).keys() == {his}
    assert records.names_of(club.link, vault, other, [his]) == {his: "赵六"}
    for what in (lambda: erased(club, vault, "N1"), lambda: export(club.link, vault, club.dealer, "N1", club.now)):
        with pytest.raises(Unknown):
            what()
    club.link.rollback()


def test_a_phone_is_looked_up_among_this_dealers_members_alone(club, vault):
    with club.beside("N1"):
        new = [people.NewMember("N2", phones=("13800000001",))]
        act(club, lambda link, ids: people.create_members(link, ids, club.dealer, new, club.now, vault))
        assert [code for _, code in people.find_members(club.link, club.dealer, "phone", "13800000001", vault)] == [
            "N2"
        ]
    assert people.find_members(club.link, club.dealer, "phone", "13800000001", vault) == []


def test_of_merged_members_each_is_handed_out_under_either_code(club, vault):
    named(club, vault, "M1", "王五")
    named(club, vault, "M2", "王 五")
    assert record(club, merge(club, "M2", "M1")).status == "recorded"
    for asked, other in (("M1", "M2"), ("M2", "M1")):
        told = export(club.link, vault, club.dealer, asked, club.now)
        assert (told["member"], [one["member"] for one in told["merged"]]) == (asked, [other])
        assert {told["person"]["name"], told["merged"][0]["person"]["name"]} == {"王五", "王 五"}


# ---- what stands against it --------------------------------------------------------------------------------------


def test_credit_stands_against_it_to_its_last_instant(club: Club):
    club.send(*club.golden("M1"), club.machine("C", "2026-03-10"))
    member, ends = club.rows("SELECT member_id, max(expires_at) FROM lot GROUP BY 1")[0]
    assert left(club.link, member, ends - 1)
    assert left(club.link, member, ends) == {}
    club.link.rollback()


def test_credit_that_never_ends_stands_against_it(club: Club):
    never = SMALL.replace("{after: 24 months, to: month_end}", "none").replace("    notice: [90 days, 30 days]\n", "")
    with club.beside("M1", text=never):
        club.send(*club.golden("M1"), club.machine("C", "2026-03-10"))
        assert club.rows("SELECT DISTINCT expires_at FROM lot") == [(None,)]
        assert plan(club.link, club.dealer, "M1", club.now).credit
        club.link.rollback()


def test_a_hold_stands_against_it_to_its_last_instant(club: Club):
    club.send(*club.golden("M1"), club.machine("C", "2026-03-10"))
    club.items(Command(club.dealer, ("M1",), PlaceHold("hold:S1:P1", CREDIT, 100, "order:S1:P1")))
    ((ends,),) = club.rows("SELECT expires_at FROM hold")
    assert [plan(club.link, club.dealer, "M1", at).holds for at in (ends - 1, ends)] == [1, 0]
    club.link.rollback()
