"""What is kept of deliveries, for how long, and what is said of a replay that comes too late."""

# ruff: noqa: F811  that is how pytest is asked for a fixture of another module

from __future__ import annotations

import pytest

from tests.test_api_book import code
from tests.webhook_desk import (  # noqa: F401  fixtures among them
    SECOND,
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
from tierengine.store import database
from tierengine.webhooks import outbox, pruning
from tierengine.webhooks.outbox import BACK_OFF

DAY = 86_400 * SECOND
BOOK = ("entry", "posting", "event", "emission")


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(pruning, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(pruning, "LOOK_SECONDS", 0.0)


def counts(till, *tables):
    link = database.connect(till.book.url, readonly=True)
    found = [link.ask(f"SELECT count(*) FROM {table}").rows()[0][0] for table in tables]
    link.close()
    return found


def credited(till, times):
    for _ in range(times):
        till.count += 1
        said = {"wallet": "parts_credit", "amount": 100, "reason": "x", "by": "wang", "source_id": f"A{till.count}"}
        answer = till.at("D1/sales_manager").post("/v1/members/C1/adjustments", said)
        assert answer.status_code == 201, answer.text


def test_what_arrived_is_kept_for_its_days_and_what_was_given_up_for_longer(till, time, courier, receiver):
    number = added(till, receiver, types=["credit.changed"])["webhook"]["id"]
    till.gold()
    receiver.status = 500
    for wait in (0, *BACK_OFF):
        time.now += int(wait * 1.2) * SECOND
        sealed(till, time)
        courier.round()
        courier.round()
    receiver.status = 204
    time.now += 10 * SECOND
    told(till, courier, time)
    book = counts(till, *BOOK)
    (arrived,), (dead,) = (deliveries(till, number, state) for state in ("delivered", "dead"))
    time.now += 30 * DAY - SECOND
    courier.round()
    assert len(deliveries(till, number)) == 2
    again = desk(till).post(f"/v1/webhooks/{number}/replay", {"state": "delivered", "since": arrived.id})
    assert again.json()["again"] == 1
    told(till, courier, time)
    time.now += 30 * DAY + SECOND
    courier.round()
    assert [one.id for one in deliveries(till, number)] == [dead.id], "from when it arrived last"
    for bounds in ({"since": arrived.id}, {"until": arrived.id}):
        late = desk(till).post(f"/v1/webhooks/{number}/replay", {"state": "delivered", **bounds})
        assert code(late) == (409, "not_kept")
        assert late.json()["details"]["days"] == 30
    late = desk(till).post(f"/v1/webhooks/{number}/replay", {"state": "dead", "since": dead.id - 1})
    assert (late.status_code, late.json().get("code")) == (201, None), "sixty days is not long for a dead letter"
    receiver.status = 410  # (and it is paused: nothing of it is tried again)
    told(till, courier, time)
    time.now += 400 * DAY
    courier.round()
    assert [one.state for one in deliveries(till, number)] == ["waiting"], "what is to be told yet is kept"
    assert counts(till, *BOOK) == book


def test_dead_letters_end_too(till, time, courier, receiver):
    number = added(till, receiver, types=["credit.changed"])["webhook"]["id"]
    credited(till, 1)
    told(till, courier, time)
    (one,) = deliveries(till, number)
    till.client.app.state.tierengine.writer.perform(
        lambda link, _: link.run("UPDATE webhook_delivery SET state = 'dead'")
    ).result()
    time.now += 179 * DAY
    courier.round()
    assert len(deliveries(till, number, "dead")) == 1
    time.now += 2 * DAY
    courier.round()
    assert deliveries(till, number) == []
    late = desk(till).post(f"/v1/webhooks/{number}/replay", {"state": "dead", "since": one.id})
    assert code(late) == (409, "not_kept")
    assert "180" in late.json()["detail"]
    everything = desk(till).post(f"/v1/webhooks/{number}/replay", {"state": "dead"})
    assert (everything.status_code, everything.json()["again"]) == (201, 0)


def test_it_goes_in_small_pieces_each_in_its_own_time(till, time, courier, receiver, monkeypatch):
    monkeypatch.setattr(pruning, "PIECE", 2)
    number = added(till, receiver, types=["credit.changed"])["webhook"]["id"]
    credited(till, 5)
    told(till, courier, time)
    time.now += 31 * DAY
    left = []
    for _ in range(4):
        courier.round()
        left.append(len(deliveries(till, number)))
    assert left == [3, 1, 0, 0]
    monkeypatch.setattr(pruning, "LOOK_SECONDS", 3_600.0)
    courier.round()
    credited(till, 1)
    told(till, courier, time)
    time.now += 31 * DAY
    courier.round()
    assert len(deliveries(till, number)) == 1, "the next look is later, by a clock that nobody sets"


def test_what_a_removed_webhook_never_heard_goes_with_it_and_what_it_heard_stays_its_days(
    till, time, courier, receiver
):
    number = added(till, receiver)["webhook"]["id"]
    till.gold()
    told(till, courier, time)
    receiver.status = 503
    credited(till, 2)
    told(till, courier, time)
    admin = desk(till)
    assert admin.post(f"/v1/webhooks/{number}/state", {"state": "removed"}).status_code == 201
    heard = len(receiver.got) - 1
    for _ in range(4):
        courier.round()
    assert counts(till, "webhook_delivery", "webhook_standing") == [heard, 0]
    time.now += 31 * DAY
    for _ in range(2):
        courier.round()
    assert counts(till, "webhook_delivery", "webhook_standing") == [0, 0]


def test_very_many_are_sent_again_in_parts_that_leave_nothing_out(till, time, courier, receiver, monkeypatch):
    monkeypatch.setattr(outbox, "REPLAY_MOST", 2)
    number = added(till, receiver, types=["credit.changed"])["webhook"]["id"]
    credited(till, 5)
    told(till, courier, time)
    first, since, counted = len(receiver.got), 0, []
    while since is not None:
        part = desk(till).post(f"/v1/webhooks/{number}/replay", {"state": "delivered", "since": since})
        assert part.status_code == 201, part.text
        counted.append(part.json()["again"])
        since = part.json()["next"]
        told(till, courier, time)
    assert counted == [2, 2, 1]
    assert [one["data"]["number"] for one in receiver.bodies()][first:] == [1, 2, 3, 4, 5]
