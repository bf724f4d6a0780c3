"""Who there is: members and how they are found, API keys, and the versions of a programme."""

import time

import pytest

from tests.club import SMALL, Club
from tierengine.errors import Conflict, Refused
from tierengine.membership import people
from tierengine.personal.records import digits
from tierengine.policies import versions
from tierengine.policies.examination import PolicyRefused
from tierengine.store.ids import Ids, transact


@pytest.fixture
def club(book_url):
    made = Club(book_url)
    yield made
    made.close()


def act(club, what):
    return transact(club.link, Ids(), what)


# ---- members ----------------------------------------------------------------------------------------------------


def test_a_member_is_found_by_code_phone_name_card_and_machine(club, vault):
    new = people.NewMember("N1", "王五", ("+86 138-0000-0001", "13800000002"))
    act(club, lambda link, ids: people.create_members(link, ids, club.dealer, [new], club.now, vault))
    club.send(
        club.said("card_issued", "2026-01-01", "N1", source_id="card", card_no="VIP-7"),
        club.machine("A", "2026-01-05", "N1", serial="SN-1"),
    )
    for by, value in (
        ("code", "N1"),
        ("phone", "138 0000 0001"),
        ("name", "王 五"),
        ("card_no", "VIP-7"),
        ("serial", "SN-1"),
    ):
        assert [code for _, code in people.find_members(club.link, club.dealer, by, value, vault)] == ["N1"], by
    assert people.find_members(club.link, club.dealer, "phone", "13800000009", vault) == []
    with pytest.raises(ValueError, match="vault"):
        people.find_members(club.link, club.dealer, "phone", "13800000001")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("138 0000 0001", "13800000001"),
        ("１３８－００００－０００１", "13800000001"),
        ("＋８６ 138 0000 0001", "13800000001"),
        ("+86-13800000001", "13800000001"),
        ("8613800000001", "13800000001"),
        ("0086 138 0000 0001", "13800000001"),
        ("０５７１-８８８８ ６６６６", "057188886666"),
        ("+86 571 8888 6666", "057188886666"),
        ("+86 (0)571 8888 6666", "057188886666"),
        ("+852 2123 4567", "85221234567"),
        ("无", ""),
        ("", ""),
        ("+86", ""),
    ],
)
def test_a_phone_is_the_same_however_it_is_written(written, kept):
    assert digits(written) == kept
    assert digits(kept) == kept


def test_two_members_may_share_a_phone(club, vault):
    new = [people.NewMember(code, phones=("13800000001",)) for code in ("N2", "N1")]
    act(club, lambda link, ids: people.create_members(link, ids, club.dealer, new, club.now, vault))
    found = people.find_members(club.link, club.dealer, "phone", "13800000001", vault)
    assert [code for _, code in found] == ["N1", "N2"]


def test_a_machine_is_whose_it_was_said_to_be_last_in_whatever_order_that_came(club):
    club.send(club.machine("B", "2026-03-05", "M2", serial="SN-1", used=True))
    club.send(club.machine("A", "2026-01-05", "M1", serial="SN-1"))
    assert [code for _, code in people.find_members(club.link, club.dealer, "serial", "SN-1")] == ["M2"]
    about = "order:S1:B:machine_purchase"
    club.send(club.said("observation_cancelled", "2026-03-06", source_id=about, revision=1, reason="x"))
    # The second sale never was: it is whose it was before.
    assert [code for _, code in people.find_members(club.link, club.dealer, "serial", "SN-1")] == ["M1"]
    club.send(club.said("hours_read", "2026-04-01", "M1", source_id="h", serial="SN-1", hours=5))


def test_a_machine_of_two_members_in_one_group_is_the_last_ones(club):
    club.send(
        club.machine("B", "2026-03-05", "M2", serial="SN-1", used=True),
        club.machine("A", "2026-01-05", "M1", serial="SN-1"),
    )
    assert [code for _, code in people.find_members(club.link, club.dealer, "serial", "SN-1")] == ["M2"]


def test_the_card_of_today_is_the_one_issued_last(club):
    club.send(club.said("card_issued", "2026-02-01", "M1", source_id="c2", card_no="NEW"))
    club.send(club.said("card_issued", "2026-01-01", "M1", source_id="c1", card_no="OLD"))
    assert [code for _, code in people.find_members(club.link, club.dealer, "card_no", "NEW")] == ["M1"]
    assert people.find_members(club.link, club.dealer, "card_no", "OLD") == []


def test_a_code_that_is_taken_is_refused(club):
    with pytest.raises(Conflict):
        act(club, lambda link, ids: people.create_members(link, ids, club.dealer, [people.NewMember("M1")], club.now))


# ---- versions ---------------------------------------------------------------------------------------------------


def test_a_text_that_is_no_policy_is_refused_with_its_problems(club):
    with pytest.raises(PolicyRefused) as refused:
        club.publish("programme: x\ntiers: 5\n", club.now + 10**9)
    assert refused.value.reading.problems


def test_a_tier_that_would_be_lost_must_be_mapped(club):
    later = int(time.time() * 1e6) + 10**9
    with pytest.raises(Refused) as refused:
        club.publish(
            SMALL.replace("- id: gold", "- id: diamond").replace("[gold]", "[diamond]").replace("gold]", "diamond]"),
            later,
        )
    assert refused.value.details["reason"] == "tier_lost"


def test_versions_are_numbered_and_begin_one_after_the_other(club):
    now = int(time.time() * 1e6)
    assert club.publish(SMALL, now + 10**9) == 2
    assert club.publish(SMALL, now + 2 * 10**9) == 3
    with pytest.raises(Refused):
        club.publish(SMALL, now + 10**9)
    programme = versions.load(club.link, club.dealer)
    assert [version.number for version in programme.line.versions] == [1, 2, 3]
    assert programme.line.at(now).number == 1
    assert programme.line.at(now + 2 * 10**9).number == 3


def test_a_dealer_without_a_policy_records_nothing(club):
    other = act(club, lambda link, ids: people.create_dealer(link, ids, "d2", "Other"))
    act(club, lambda link, ids: people.create_members(link, ids, other, [people.NewMember("M1")], club.now))
    club.dealer = other
    (answer,) = club.send(club.contact(1, "2026-04-01"))
    assert (answer.status, answer.code) == ("unknown", "no_policy")
    assert club.count("event") == 0
