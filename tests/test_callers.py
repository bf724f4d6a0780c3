"""What follows from who calls: whose events they are, how far back they may date, which numbers he is told. Pure."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from api.keys import late_days_of, source_of
from api.limits import TRIES_OF_A_LOGIN, TRIES_OF_AN_ADDRESS, Limits
from api.service import _says_of_people
from tierengine.access import passwords
from tierengine.access.audit import read_cursor
from tierengine.access.callers import Caller
from tierengine.errors import Malformed
from tierengine.membership.asker import Asker
from tierengine.settings import Settings


def caller(*roles, store=""):
    return Caller(1, 1, 1 if store else None, store, frozenset(roles))


def programme(**late_days):
    version = SimpleNamespace(rules=SimpleNamespace(policy=SimpleNamespace(late_days=late_days)))
    return SimpleNamespace(line=SimpleNamespace(at=lambda _: version))


def test_a_stores_tills_are_one_source_and_the_archive_is_its_own():
    assert source_of(caller("pos", store="S01")) == "till-S01"
    assert source_of(caller("sales_manager")) == "erp"
    assert source_of(caller("pos", "archivist", store="S01")) == "archive"


@pytest.mark.parametrize(
    ("who", "said", "days"),
    [
        (caller("pos", store="S01"), {}, 7),
        (caller("sales_manager"), {}, 400),
        (caller("pos", store="S01"), {"till": 3, "erp": 30}, 3),
        (caller("admin"), {"till": 3, "erp": 30}, 30),
        (caller("pos", store="S01"), {"till": 0}, 0),
        (caller("archivist"), {"till": 3, "erp": 30}, None),
        (caller("auditor", store="S01"), {"till": 3}, 3),
    ],
)
def test_how_far_back_somebody_may_date_is_his_and_only_the_archive_has_no_end(who, said, days):
    assert late_days_of(who, programme(**said), 0) == days


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("order:S1:P1", True),
        ("order:S10:P1", False),
        ("order:S2:P1", False),
        ("emit:reward:order:S2:P1", False),
        ("emit:reward:order:S1:P1", True),
        ("emit:pre_order:order:S1:P1", True),
        ("till-S2:contact:7", True),
    ],
)
def test_a_store_is_told_no_order_number_of_another_also_of_one_that_begins_like_it(key, told):
    assert Asker("S1").key(key) == (key if told else None)
    assert Asker("").key(key) == key


def test_together_the_workers_let_through_no_more_than_the_setting_says():
    limits = Limits(Settings(workers=3, limit_key=600, limit_store=601, limit_member=2))
    assert [one.quota for one in (limits.key, limits.store, limits.member)] == [200, 200, 1]
    assert [one.quota for one in (limits.login, limits.address)] == [TRIES_OF_A_LOGIN // 3, TRIES_OF_AN_ADDRESS // 3]
    assert Limits(Settings(workers=3, limit_key=0)).key.take("a") == -1


def test_a_member_of_one_dealer_uses_up_nothing_of_another_dealers():
    limits = Limits(Settings(workers=1, limit_member=1))
    limits.touch(1, "C1")
    limits.touch(2, "C1")
    with pytest.raises(Exception, match="too_many_requests"):
        limits.touch(1, "C1")


def test_attempts_to_log_in_are_counted_by_login_and_by_address_and_forgotten_for_who_came_in():
    def from_(host):
        return SimpleNamespace(client=SimpleNamespace(host=host))

    limits = Limits(Settings(workers=1))
    for place in range(TRIES_OF_A_LOGIN):
        limits.knock(from_(f"10.0.0.{place}"), "wang")
    with pytest.raises(Exception, match="too_many_requests"):
        limits.knock(from_("10.0.1.1"), "wang")
    limits.came_in(from_("10.0.0.1"), "wang")
    limits.knock(from_("10.0.1.1"), "wang")
    for place in range(TRIES_OF_AN_ADDRESS):
        limits.knock(from_("10.9.9.9"), f"login{place}")
    with pytest.raises(Exception, match="too_many_requests"):
        limits.knock(from_("10.9.9.9"), "other")
    limits.came_in(from_("10.9.9.9"), "other")
    limits.knock(from_("10.9.9.9"), "other")


@pytest.mark.parametrize(
    ("path", "raw", "people"),
    [
        ("/v1/members", {}, True),
        ("/v1/members/C1/person", {}, True),
        ("/v1/sales", {"member": "C1"}, False),
        ("/v1/sales", {"note": "x"}, True),
        ("/v1/events:batch", {"events": [{"kind": "contact"}, {"kind": "contact", "note": "x"}]}, True),
        ("/v1/events:batch", {"events": [{"kind": "contact"}, 7]}, False),
    ],
)
def test_of_which_bodies_no_plain_hash_is_kept(path, raw, people):
    assert _says_of_people(path, raw) is people


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("abcdef" * 2, True),
        ("abcde" * 3, False),
        ("abcdefghijk", False),
        ("abcdef" * 33 + "gh", True),
        ("abcdef" * 33 + "ghi", False),
        ("xx-WANG-long-enough", False),
        ("xx-ｗａｎｇ-long-enough", False),
    ],
)
def test_a_password_has_twelve_to_two_hundred_characters_six_of_them_different_and_no_login(
    password, good, monkeypatch
):
    monkeypatch.setattr(passwords, "_HASHER", SimpleNamespace(hash=lambda _: "a digest"))
    if good:
        assert passwords.hashed(password, "wang") == "a digest"
    else:
        with pytest.raises(Malformed):
            passwords.hashed(password, "wang")


@pytest.mark.parametrize(
    "text", ["", "-", "1-", "-1", "1", "1-2-3", "+1-2", "1- 2", "１-2", f"{1 << 62}-1", f"1-{1 << 62}"]
)
def test_what_is_no_place_in_the_audit_is_none(text):
    assert read_cursor(text) is None
    assert read_cursor(f"{(1 << 62) - 1}-7") == ((1 << 62) - 1, 7)
