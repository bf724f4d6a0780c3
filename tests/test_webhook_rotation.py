"""A webhook's secret is rotated alone and without a gap: for a while each message is signed with the old one too."""

# ruff: noqa: F811  that is how pytest is asked for a fixture of another module

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from api import webhook_shapes
from tests.keys import SECRET
from tests.test_api_book import code, serving
from tests.webhook_desk import (  # noqa: F401  fixtures among them
    SECOND,
    added,
    courier,
    desk,
    receiver,
    till,
    time,
    told,
)
from tierengine.access.secret import Secret
from tierengine.errors import Malformed
from tierengine.recording.once import once
from tierengine.recording.recorder import clock
from tierengine.store import database
from tierengine.store.ids import Ids, transact
from tierengine.webhooks import rotation
from tierengine.webhooks.rotation import Signing, read_keep, secrets_of
from tierengine.zone import HOUR


def rotated(till, number, hours, *, key=None):
    answer = desk(till).post(f"/v1/webhooks/{number}/rotate", {"keep_hours": hours}, once=key)
    assert answer.status_code == 201, answer.text
    return webhook_shapes.WithSecret.model_validate(answer.json(), extra="forbid")


def opens(secret, headers, body):
    """Whether the header holds this secret's signature. (The library's `verify` asks the machine's clock, too.)"""
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    signed = Webhook(secret).sign(headers["webhook-id"], at, body.decode())
    return signed in headers["webhook-signature"].split(" ")


def last(receiver):
    headers, body = receiver.got[-1]
    return headers, body, len(headers["webhook-signature"].split(" "))


@pytest.fixture
def tell(till, time, courier, receiver):
    """Have one more message told, and return the last one received."""

    def go():
        till.count += 1
        made = till.at("D1/sales_manager").post(
            "/v1/members/C1/adjustments",
            {"wallet": "parts_credit", "amount": 100, "reason": "x", "by": "wang", "source_id": f"A{till.count}"},
        )
        assert made.status_code == 201, made.text
        told(till, courier, time)
        return last(receiver)

    return go


def test_for_the_time_stated_both_secrets_open_each_message_then_the_new_one_alone(till, time, tell, receiver):
    made = added(till, receiver, types=["credit.changed"])
    number, old = made["webhook"]["id"], made["secret"]
    assert made["secrets"] == [{"number": 0, "until": None}]
    new = rotated(till, number, 2)
    assert new.secret not in ("", old)
    assert [one.number for one in new.secrets] == [1, 0]
    headers, body, signatures = tell()
    assert (opens(old, headers, body), opens(new.secret, headers, body), signatures) == (True, True, 2)
    for secret in (old, new.secret):
        assert Webhook(secret).verify(body, headers)["data"]["member"] == "C1"
    (listed,) = desk(till).get("/v1/webhooks").json()["webhooks"]
    webhook_shapes.Listed.model_validate(listed, extra="forbid")
    assert [one["number"] for one in listed["secrets"]] == [1, 0]
    time.now += 2 * HOUR + SECOND
    headers, body, signatures = tell()
    assert (opens(old, headers, body), opens(new.secret, headers, body), signatures) == (False, True, 1)
    (listed,) = desk(till).get("/v1/webhooks").json()["webhooks"]
    assert listed["secrets"] == [{"number": 1, "until": None}]
    again = added(till, receiver, types=["credit.changed"])
    assert (again["secret"], again["webhook"]["id"]) == (new.secret, number), "the address again shows the newest"


def test_a_lost_reply_of_a_rotation_is_asked_for_again_and_rotates_once(till, time, receiver):
    number = added(till, receiver)["webhook"]["id"]
    first = rotated(till, number, 2, key="rotate-1")
    answer = till.at("D1/admin").post(f"/v1/webhooks/{number}/rotate", {"keep_hours": 2}, once="rotate-1")
    assert answer.headers["idempotent-replayed"] == "true"
    assert answer.json()["secret"] == first.secret
    assert code(till.at("D1/admin").post(f"/v1/webhooks/{number}/rotate", {"keep_hours": 3}, once="rotate-1"))[0] == 422
    assert rotated(till, number, 2).secret != first.secret
    link = database.connect(till.book.url, readonly=True)
    assert first.secret.removeprefix("whsec_") not in str(
        [link.ask(f"SELECT * FROM {table}").rows() for table in ("webhook_secret", "webhook", "audit", "idempotency")]
    )
    link.rollback()
    link.close()


def test_a_leaked_secret_ends_at_once_with_all_before_it(till, time, tell, receiver):
    made = added(till, receiver, types=["credit.changed"])
    number = made["webhook"]["id"]
    second = rotated(till, number, 48)
    third = rotated(till, number, 0)
    assert [one.number for one in third.secrets] == [2]
    headers, body, signatures = tell()
    assert signatures == 1
    assert [opens(one, headers, body) for one in (made["secret"], second.secret, third.secret)] == [False, False, True]


def test_an_old_secret_never_gets_more_time_and_there_are_not_too_many(till, time, receiver):
    number = added(till, receiver)["webhook"]["id"]
    ends = [one.until for one in rotated(till, number, 1).secrets][1]
    assert [one.until for one in rotated(till, number, 90).secrets][2] == ends
    rotated(till, number, 90)
    admin = desk(till)
    refused = admin.post(f"/v1/webhooks/{number}/rotate", {"keep_hours": 1})
    assert code(refused) == (409, "secrets_in_force")
    assert ends in refused.json()["detail"]
    time.now += HOUR + SECOND
    assert [one.number for one in rotated(till, number, 1).secrets] == [4, 3, 2, 1]
    assert [one.number for one in rotated(till, number, 0).secrets] == [5]


@pytest.mark.parametrize("body", [{"keep_hours": -1}, {"keep_hours": 2161}, {"keep_hours": "24"}, {"hours": 1}])
def test_a_wrong_span_is_told_by_its_pointer(till, receiver, body):
    number = added(till, receiver)["webhook"]["id"]
    answer = desk(till).post(f"/v1/webhooks/{number}/rotate", body)
    assert code(answer) == (422, "malformed")
    assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(body))}"


def test_only_the_admin_of_the_dealer_rotates_and_what_is_removed_has_no_secret(till, receiver):
    number = added(till, receiver)["webhook"]["id"]
    assert code(till.post(f"/v1/webhooks/{number}/rotate", {})) == (403, "forbidden")
    assert code(till.at("D2/admin").post(f"/v1/webhooks/{number}/rotate", {})) == (404, "unknown_webhook")
    admin = desk(till)
    assert admin.post(f"/v1/webhooks/{number}/state", {"state": "removed"}).status_code == 201
    assert code(admin.post(f"/v1/webhooks/{number}/rotate", {})) == (404, "unknown_webhook")


def test_two_who_rotate_at_once_make_two_secrets(postgres_book_url):
    with serving(postgres_book_url, webhooks_inside=1) as till:
        number, dealer = (
            desk(till).post("/v1/webhooks", {"url": "http://hook.example/"}).json()["webhook"]["id"],
            till.book.dealer,
        )
        one, other = (database.connect(till.book.url) for _ in range(2))
        made = []

        def act(link, _):
            return {"secrets": [one.number for one in rotation.rotate(link, dealer, number, clock(), HOUR)]}

        def rotate():
            made.append(once(lambda act: transact(other, Ids(), act), dealer, None, act).body["secrets"])

        one.begin()
        made.append(act(one, None)["secrets"])
        thread = threading.Thread(target=rotate)
        thread.start()
        thread.join(0.5)
        assert len(made) == 1, "he waits, for the first one is not committed yet"
        one.commit()
        thread.join(30)
        assert made == [[1, 0], [2, 1, 0]]
        one.close()
        other.close()


def test_while_the_servers_secret_changes_each_one_of_a_webhook_is_doubled():
    before, now = Secret("b" * 40), Secret(SECRET, "b" * 40)
    both = secrets_of(now, 7, (Signing(1), Signing(0, 5)))
    assert len(set(both)) == 4
    assert both[2:] == secrets_of(before, 7, (Signing(1), Signing(0, 5)))
    assert secrets_of(now, 71, (Signing(1),)) != secrets_of(now, 7, (Signing(11),))


@pytest.mark.parametrize(
    ("asked", "hours"),
    [({}, 24), ({"keep_hours": 0}, 0), ({"keep_hours": 2_160}, 2_160), ({"keep_hours": 2_161}, None),
     ({"keep_hours": -1}, None), ({"keep_hours": True}, None), ({"keep_hours": 1.5}, None), ({"keep": 1}, None)],
)  # fmt: skip
def test_the_secrets_before_are_kept_for_ninety_days_at_most(asked, hours):
    if hours is None:
        with pytest.raises(Malformed):
            read_keep(asked)
    else:
        assert read_keep(asked) == hours * HOUR
