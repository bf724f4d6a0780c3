"""What webhooks are told when several processes record, tiers move without an event, and one thing goes wrong."""

# ruff: noqa: F811  that is how pytest is asked for a fixture of another module

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading

import pytest

from api import metrics
from tests.test_api_book import POLICY, code, moment, opened, order, serving
from tests.webhook_desk import (  # noqa: F401  fixtures among them
    SECOND,
    Receiver,
    added,
    courier,
    deliveries,
    desk,
    receiver,
    sealed,
    till,
    time,
    told,
)
from tierengine.errors import Malformed, Refused
from tierengine.membership import people
from tierengine.policies import versions
from tierengine.store import database
from tierengine.store.database import sqlite_path
from tierengine.store.ids import Ids, transact
from tierengine.webhooks import address, messages
from tierengine.webhooks.address import read_url
from tierengine.webhooks.courier import Courier


def adjusted(till, number, member="C1"):
    made = till.at("D1/sales_manager").post(
        f"/v1/members/{member}/adjustments",
        {"wallet": "parts_credit", "amount": 100 + number, "reason": "x", "by": "wang", "source_id": f"A{number}"},
        once=f"A{number}",
    )
    assert made.status_code == 201, made.text


def tiers(receiver):
    return [
        (one["data"]["member"], one["data"]["previous"], one["data"]["tier"])
        for one in receiver.bodies()
        if one["type"] == "tier.changed"
    ]


def published(till, time, old, new, wait=61):
    link, ids = database.connect(till.book.url), Ids()
    text = versions.text_of(link, till.book.dealer, 1)
    assert old in text

    def act(link, ids):
        versions.publish(
            link, ids, till.book.dealer, text.replace(old, new), author="a", reason="x",
            effective_from=time.now + wait * SECOND, now=time.now,
        )  # fmt: skip

    transact(link, ids, act)
    link.close()


# ---- order ------------------------------------------------------------------------------------------------------


def test_what_two_processes_record_of_a_member_is_told_in_his_order(postgres_book_url, time, receiver):
    with serving(postgres_book_url, now=time, webhooks_inside=1) as one, opened(one.book, now=time) as two:
        for till in (one, two):
            till.client.app.state.courier.close()
        app = one.client.app.state
        made = Courier(app.tierengine.settings, app.tierengine.secret, None, now=time, start=False)
        added(one, receiver, types=["credit.changed"])
        for number, till in enumerate((one, two, one, two, one)):
            adjusted(till, number)
        told(one, made, time)
        made.close()
        assert [body["data"]["number"] for body in receiver.bodies()] == [1, 2, 3, 4, 5]


# ---- tiers ------------------------------------------------------------------------------------------------------


def test_who_stood_there_before_a_webhook_was_added_is_no_change(till, time, courier, receiver):
    till.gold("C1")
    told(till, courier, time)
    added(till, receiver, types=["tier.changed"])
    time.now += SECOND
    assert till.post("/v1/sales", order(occurred_at=time.stamp())).status_code == 201
    told(till, courier, time)
    assert tiers(receiver) == []
    time.now += 3 * 366 * 86_400 * SECOND
    told(till, courier, time)
    assert [one[:2] for one in tiers(receiver)] == [("C1", "gold")], "but what moves him from now on is"


def test_a_merge_and_its_end_tell_the_tier_that_they_move(till, time, courier, receiver):
    added(till, receiver, types=["tier.changed"])
    till.gold("C1")
    told(till, courier, time)
    by = till.at("D1/sales_manager")
    assert by.post("/v1/members/C1/merge", {"into": "C2", "reason": "x"}).status_code == 201
    told(till, courier, time)
    assert ("C2", "customer", "gold") in tiers(receiver)
    time.now += SECOND
    assert by.post("/v1/members/C1/unmerge", {"reason": "x"}).status_code == 201
    told(till, courier, time)
    assert tiers(receiver)[-1] == ("C2", "gold", "customer")


def test_what_a_merged_member_does_moves_who_stands_for_him_and_nobody_of_another_dealer(till, time, courier, receiver):
    added(till, receiver, types=["tier.changed"])
    by = till.at("D1/sales_manager")
    assert by.post("/v1/members/C1/merge", {"into": "C2", "reason": "x"}).status_code == 201
    told(till, courier, time)
    time.now += SECOND
    till.gold("C1")
    told(till, courier, time)
    assert tiers(receiver) == [("C2", "customer", "gold")]
    link = database.connect(till.book.url, readonly=True)
    members = messages.sealed_after(link, till.book.dealer, 0, 200).members
    assert link.ask("SELECT DISTINCT dealer_id FROM member WHERE id IN (?1*)", members).rows() == [(till.book.dealer,)]
    link.close()


def nearly_gold(till, member):
    """Two traits and a machine: gold by the programme as it ships, not where it asks for three traits."""
    by = till.at("D1/archivist")
    terms = {
        "stated_by": "U1", "stated_role": "sales_manager", "countersigned_by": "U2", "countersigned_role": "leader",
        "evidence": "全县第一家", "store": "S01",
    }  # fmt: skip
    for trait in ("early_entrant", "peer_influence"):
        said = by.event(
            "attestation",
            member=member,
            trait=trait,
            occurred_at=moment(days=60),
            source_id=f"{trait}-{member}",
            **terms,
        )
        assert said.status_code == 201, said.text
    bought = by.event("machine_purchase", occurred_at=moment(days=50), serial=f"SN-{member}", size="medium",
                      amount=86_000_000, order=f"M-{member}", member=member, store="S01")  # fmt: skip
    assert bought.status_code == 201, bought.text


def test_a_version_that_starts_tells_the_tiers_that_it_moves(book_url, time, receiver, monkeypatch):
    monkeypatch.setattr("tierengine.webhooks.outbox.WALKED", 1)
    old, new = "- 特点: {不低于: 2}", "- 特点: {不低于: 3}"
    with serving(
        book_url, now=time, policy=POLICY.partition("\n示例:")[0].replace(old, new), webhooks_inside=1
    ) as till:
        app = till.client.app.state
        app.courier.close()
        courier = Courier(app.tierengine.settings, app.tierengine.secret, app.tierengine.writer, now=time, start=False)
        added(till, receiver, types=["tier.changed"])
        for member in ("C1", "C3"):
            till.count += 100
            nearly_gold(till, member)
        told(till, courier, time)
        before = tiers(receiver)
        assert "gold" not in str(before)
        published(till, time, new, old)
        time.now += 60 * SECOND
        told(till, courier, time)
        assert tiers(receiver) == before, "not before it starts"
        time.now += 2 * SECOND
        told(till, courier, time)
        assert [one[0::2] for one in tiers(receiver)[len(before) :]] == [("C1", "gold"), ("C3", "gold")]
        told(till, courier, time)
        assert len(tiers(receiver)) == len(before) + 2
        courier.close()


# ---- one thing that goes wrong ------------------------------------------------------------------------------------


def test_a_name_whose_resolver_hangs_keeps_nobody_else_waiting(till, time, receiver, monkeypatch):
    monkeypatch.setattr("tierengine.webhooks.courier.LOOK_SECONDS", 0.2)
    service, free, asked = till.client.app.state.tierengine, threading.Event(), []

    def resolve(name, _):
        if name == "tarpit.example":
            asked.append(name)
            free.wait(30)
        return ["127.0.0.1"]

    made = Courier(service.settings, service.secret, service.writer, now=time, start=False, resolve=resolve)
    desk(till).post("/v1/webhooks", {"url": "http://tarpit.example/", "types": ["credit.changed"]})
    link, ids = database.connect(till.book.url), Ids()
    crowd = [f"X{n}" for n in range(12)]
    transact(
        link,
        ids,
        lambda link, ids: people.create_members(
            link, ids, till.book.dealer, [people.NewMember(one) for one in crowd], 0
        ),
    )
    link.close()
    added(till, receiver, types=["credit.changed"])
    for number, member in enumerate(crowd):
        adjusted(till, number, member)
    sealed(till, time)
    try:
        for _ in range(20):
            if len(receiver.got) < len(crowd):
                made.round()
        assert len(receiver.got) == len(crowd)
        assert len(asked) == 1, "one look-up for all that goes there"
    finally:
        free.set()
        made.close()


def test_a_dealer_whose_policy_cannot_be_read_keeps_no_other_dealer_waiting(till, time, courier, receiver, monkeypatch):
    other = Receiver()
    try:
        answer = till.at("D2/admin").post("/v1/webhooks", {"url": other.url})
        assert answer.status_code == 201, answer.text
        added(till, receiver)
        till.gold()
        real, broken = courier._programmes.of, till.book.other
        monkeypatch.setattr(
            courier._programmes,
            "of",
            lambda link, dealer, head: real(link, dealer, head) if dealer != broken else 1 / 0,
        )
        sealed(till, time)
        for _ in range(6):
            courier.round()
        assert len(receiver.got) >= 3
    finally:
        other.close()


def test_a_webhook_that_was_removed_stays_so_whatever_is_answered_then(till, time, courier, receiver):
    number = added(till, receiver, types=["credit.changed"])["webhook"]["id"]
    till.gold()
    sealed(till, time)
    real = courier._noted

    def noted(answers):
        if answers:
            assert desk(till).post(f"/v1/webhooks/{number}/state", {"state": "removed"}).status_code == 201
        real(answers)

    courier._noted = noted
    receiver.status = 410
    for _ in range(3):
        courier.round()
    assert len(receiver.got) == 1
    assert desk(till).get("/v1/webhooks").json() == {"webhooks": []}
    link = database.connect(till.book.url, readonly=True)
    assert link.ask(metrics.DELIVERIES, "waiting").rows() == [(0,)], "what nobody waits for any more alarms nobody"
    link.close()


def test_a_range_is_sent_again_and_no_more(till, time, courier, receiver):
    number = added(till, receiver, types=["credit.changed"])["webhook"]["id"]
    for each in range(4):
        adjusted(till, each)
    told(till, courier, time)
    ids = [one.id for one in deliveries(till, number, "delivered")]
    body = {"state": "delivered", "since": ids[1], "until": ids[2]}
    assert desk(till).post(f"/v1/webhooks/{number}/replay", body).json()["again"] == 2
    told(till, courier, time)
    assert [one["data"]["number"] for one in receiver.bodies()] == [1, 2, 3, 4, 2, 3]
    for wrong in ({"until": -1}, {"until": "x"}, {"until": True}, {"upto": 5}):
        assert code(desk(till).post(f"/v1/webhooks/{number}/replay", {"state": "dead"} | wrong)) == (422, "malformed")


# ---- tiers that time moves --------------------------------------------------------------------------------------


def test_a_boundary_is_looked_at_from_its_very_instant_and_once(till, time):
    """One look ends where the next begins: what neither took would never be told."""
    till.gold("C1")
    link = database.connect(till.book.url, readonly=True)
    ((member, at),) = link.ask("SELECT member_id, boundary_at FROM ledger WHERE boundary_at IS NOT NULL").rows()
    looks = [(at - SECOND, at - 1), (at - 1, at), (at, at + SECOND)]
    assert [messages.passed(link, till.book.dealer, *look) for look in looks] == [[], [member], []]
    link.close()


def test_each_webhook_is_told_of_a_tier_whatever_another_was_told(till, time, courier, receiver):
    other = Receiver()
    try:
        for one in (receiver, other):
            added(till, one, types=["tier.changed"])
        till.gold("C1")
        told(till, courier, time)
        time.now += 3 * 366 * 86_400 * SECOND
        told(till, courier, time)
        assert [one[:2] for one in tiers(receiver)] == [("C1", "customer"), ("C1", "gold")]
        assert tiers(other) == tiers(receiver)
        gold = receiver.bodies()[0]["data"]
        assert gold["since"][:4] < gold["until"][:4], "a year or more"
    finally:
        other.close()


def test_another_dealers_members_hold_up_nobody(till, time, courier, receiver):
    """This dealer has no member of that code: to look for him here is an error, and his tier is nobody's business."""
    service = till.client.app.state.tierengine
    new = [people.NewMember("ONLY1")]
    service.writer.perform(lambda link, ids: people.create_members(link, ids, till.book.dealer, new, time())).result(30)
    till.gold("ONLY1")
    made = till.at("D2/admin").post("/v1/webhooks", {"url": receiver.url, "types": ["tier.changed"]})
    assert made.status_code == 201, made.text
    till.at("D2/S01").gold("C3")
    told(till, courier, time)
    assert tiers(receiver) == [("C3", "customer", "gold")]
    link = database.connect(till.book.url, readonly=True)
    walked = messages.judged(link, till.book.other, 0, 50)
    assert link.ask("SELECT code, dealer_id FROM member WHERE id IN (?1*)", walked).rows() == [("C3", till.book.other)]
    link.close()
    time.now += 3 * 366 * 86_400 * SECOND
    told(till, courier, time)
    assert [one[:2] for one in tiers(receiver)] == [("C3", "customer"), ("C3", "gold")]


# ---- the inside ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.7", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1]", "2130706433", "0x7f000001",
     "0177.0.0.1", "127.1", "localhost", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1.", "db.internal",
     "nas.local.", "[64:ff9b::7f00:1]", "[64:ff9b:1:a00:0:100:808:808]"],
)  # fmt: skip
def test_what_is_inside_by_its_spelling_is_refused_as_it_is_typed(host):
    with pytest.raises(Malformed) as problem:
        read_url(f"https://{host}/hook")
    assert [(one.pointer, one.code) for one in problem.value.errors] == [("/url", "inside_address")]
    assert "公网" in problem.value.errors[0].say("zh")


@pytest.mark.parametrize("url", ["https://93.184.216.34/", "https://[2606:2800:220:1::1]/x", "https://internal.example/",
                                 "https://local.example./a", "https://[64:ff9b::5db8:d822]/"])  # fmt: skip
def test_what_is_outside_or_only_a_name_is_taken(url):
    assert read_url(url) == url


def test_a_network_that_is_translated_locally_is_inside_whatever_it_wraps():
    for name in ("64:ff9b:1:a00:0:100:808:808", "64:ff9b:1::808:808"):
        with pytest.raises(Refused):
            address.target("https://hook.example/", resolve=lambda *_, name=name: [name])


def test_after_an_older_back_up_is_restored_no_message_has_the_id_of_another(sqlite_book_url, time, receiver, tmp_path):
    """Its receiver heard of what the back-up knows nothing of, and passes over what it heard already."""
    book, kept = sqlite_path(sqlite_book_url), tmp_path / "kept.db"

    def happens(till, *numbers):
        app = till.client.app.state
        app.courier.close()
        if not desk(till).get("/v1/webhooks").json()["webhooks"]:
            added(till, receiver, types=["credit.changed"])
        for number in numbers:
            time.now += SECOND
            adjusted(till, number)
        one = Courier(app.tierengine.settings, app.tierengine.secret, app.tierengine.writer, now=time, start=False)
        told(till, one, time)
        one.close()

    with serving(sqlite_book_url, now=time, webhooks_inside=1) as till:
        happens(till)
    with contextlib.closing(sqlite3.connect(book)) as source, contextlib.closing(sqlite3.connect(kept)) as copy:
        source.backup(copy)
    for number in (1, 2):
        with opened(till.book, now=time, webhooks_inside=1) as later:
            happens(later, number)
        with contextlib.closing(sqlite3.connect(kept)) as source, contextlib.closing(sqlite3.connect(book)) as copy:
            source.backup(copy)
    (lost, made) = (json.loads(body)["data"]["delta"] for _, body in receiver.got)
    assert (lost, made) == (101, 102)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 2
