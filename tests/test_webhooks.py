"""Events out: signed, in order for each member, tried again, given up in the open, replayed; never to the inside."""

# ruff: noqa: F811  that is how pytest is asked for a fixture of another module

from __future__ import annotations

import contextlib
import socket
import threading
from datetime import UTC, datetime
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from api import webhook_shapes
from tests.test_api_book import Till, code, order, serving
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
from tierengine.store import database
from tierengine.webhooks import endpoints, outbox
from tierengine.webhooks.address import read_url, target
from tierengine.webhooks.courier import Courier
from tierengine.webhooks.outbox import BACK_OFF

# ---- what is told -----------------------------------------------------------------------------------------------


def test_what_is_recorded_is_told_signed_and_in_order(till: Till, time, courier, receiver):
    made = added(till, receiver)
    webhook_shapes.WithSecret.model_validate(made, extra="forbid")
    till.gold()
    time.now += SECOND
    assert till.post("/v1/sales", order(credit={"parts_credit": 20_000}, occurred_at=time.stamp())).status_code == 201
    told(till, courier, time)
    at = datetime.fromtimestamp(time.seconds(), UTC)
    for headers, body in receiver.got:
        assert abs(int(headers["webhook-timestamp"]) - at.timestamp()) < 5
        assert Webhook(made["secret"]).verify(body, headers)["data"]["member"] == "C1"
        with pytest.raises(WebhookVerificationError):
            Webhook(made["secret"]).verify(body.replace(b"C1", b"C2"), headers)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == len(receiver.got)
    credit = [one["data"] for one in receiver.bodies() if one["type"] == "credit.changed"]
    assert [one["number"] for one in credit] == sorted(one["number"] for one in credit)
    assert [(one["kind"], one["available"]) for one in credit if one["wallet"] == "parts_credit"] == [
        ("grant", 100_000), ("use", -20_000),
    ]  # fmt: skip
    (tier,) = [one["data"] for one in receiver.bodies() if one["type"] == "tier.changed"]
    assert (tier["previous"], tier["tier"], tier["state"]) == ("customer", "gold", "valid")
    assert "客户1" not in str(receiver.bodies())
    count = len(receiver.got)
    told(till, courier, time)
    assert len(receiver.got) == count


def test_a_tier_that_time_ends_is_told_though_nothing_happens(till, time, courier, receiver):
    added(till, receiver, types=["tier.changed"])
    till.gold()
    told(till, courier, time)
    assert [one["data"]["tier"] for one in receiver.bodies()] == ["gold"]
    time.now += 3 * 366 * 86_400 * SECOND
    told(till, courier, time)
    last = receiver.bodies()[-1]["data"]
    assert (last["previous"], len(receiver.got)) == ("gold", 2)
    assert last["tier"] != "gold"


def test_a_webhook_is_told_what_comes_after_it_or_everything(till, time, courier, receiver):
    till.gold()
    told(till, courier, time)
    late = added(till, receiver, types=["credit.changed"])
    told(till, courier, time)
    assert receiver.got == []
    assert added(till, receiver, types=["credit.changed"])["webhook"]["id"] == late["webhook"]["id"]
    other = Receiver()
    try:
        added(till, other, all=True)
        told(till, courier, time)
        assert {one["type"] for one in other.bodies()} == {"credit.changed", "tier.changed"}
    finally:
        other.close()


# ---- what is not taken ------------------------------------------------------------------------------------------


def test_a_members_next_message_waits_for_the_one_before_and_other_members_do_not(till, time, courier, receiver):
    number = added(till, receiver, types=["credit.changed"])["webhook"]["id"]
    till.gold("C1")
    till.count += 100
    till.gold("C2")
    receiver.answers["C1"] = 503
    told(till, courier, time)
    by = [one["data"]["member"] for one in receiver.bodies()]
    assert by.count("C1") == 1, "one try, and what follows waits"
    assert by.count("C2") == 2
    first = receiver.bodies()[by.index("C1")]["data"]["number"]
    waiting = deliveries(till, number, "waiting")
    assert 4 < (datetime.fromisoformat(waiting[0].due_at).timestamp() - time.seconds()) < 6, "about five seconds later"
    assert [(one.attempts, one.last) for one in waiting] == [(1, "503"), (0, "")]
    del receiver.answers["C1"]
    time.now += 4 * SECOND
    told(till, courier, time)
    assert len(receiver.got) == len(by), "not before its time"
    time.now += 2 * SECOND
    told(till, courier, time)
    again = [one["data"]["number"] for one in receiver.bodies() if one["data"]["member"] == "C1"]
    assert again == [first, first, first + 1]
    ids = [headers["webhook-id"] for headers, body in receiver.got if b'"C1"' in body]
    assert ids[0] == ids[1] != ids[2]


def test_what_is_refused_for_days_is_dead_seen_and_replayed(till, time, courier, receiver):
    number = added(till, receiver, types=["credit.changed"])["webhook"]["id"]
    till.gold()
    receiver.status = 500
    for wait in (0, *BACK_OFF):
        time.now += int(wait * 1.2) * SECOND
        sealed(till, time)
        courier.round()
        courier.round()
    dead = deliveries(till, number, "dead")
    assert [(one.attempts, one.last) for one in dead] == [(len(BACK_OFF) + 1, "500")]
    assert [one.attempts for one in deliveries(till, number, "waiting")] == [1], "the next one goes on"
    receiver.status, receiver.got[:] = 200, []
    time.now += 10 * SECOND
    told(till, courier, time)
    assert len(receiver.got) == 1
    again = desk(till).post(f"/v1/webhooks/{number}/replay", {"state": "dead"})
    assert (again.status_code, again.json()["again"]) == (201, 1)
    told(till, courier, time)
    assert deliveries(till, number, "dead") == []
    everything = desk(till)
    assert everything.post(f"/v1/webhooks/{number}/replay", {"state": "delivered"}).json()["again"] == 2
    told(till, courier, time)
    assert [one["data"]["number"] for one in receiver.bodies()][-2:] == [1, 2]


def test_a_receiver_may_ask_for_patience_and_one_that_is_gone_is_left_alone(till, time, courier, receiver):
    number = added(till, receiver, types=["credit.changed"])["webhook"]["id"]
    till.gold()
    receiver.status, receiver.headers = 429, {"retry-after": "60"}
    told(till, courier, time)
    time.now += 30 * SECOND
    told(till, courier, time)
    assert len(receiver.got) == 1
    receiver.status, receiver.headers = 410, {}
    time.now += 31 * SECOND
    told(till, courier, time)
    assert len(receiver.got) == 2
    (one,) = desk(till).get("/v1/webhooks").json()["webhooks"]
    assert (one["id"], one["state"]) == (number, "paused")
    time.now += 10**6 * SECOND
    told(till, courier, time)
    assert len(receiver.got) == 2
    receiver.status = 200
    admin = desk(till)
    assert admin.post(f"/v1/webhooks/{number}/state", {"state": "active"}).status_code == 201
    told(till, courier, time)
    assert len(receiver.got) == 4


def test_a_replay_is_of_one_webhook_alone(till, time, courier, receiver):
    other = Receiver()
    try:
        number = added(till, receiver, types=["credit.changed"])["webhook"]["id"]
        added(till, other, types=["credit.changed"])
        till.gold()
        told(till, courier, time)
        heard = len(receiver.got)
        assert heard == len(other.got) > 0
        again = desk(till).post(f"/v1/webhooks/{number}/replay", {"state": "delivered"})
        assert again.json()["again"] == heard
        told(till, courier, time)
        assert (len(receiver.got), len(other.got)) == (2 * heard, heard)
        for state in ("", "delivered"):
            assert len(deliveries(till, number, state)) == heard, "of each his own"
    finally:
        other.close()


def test_what_is_over_stays_so_whatever_a_courier_of_before_notes_late(till, time, courier, receiver):
    """Its connection broke, another one took over and delivered: that its own try failed is no news."""
    number = added(till, receiver, types=["credit.changed"])["webhook"]["id"]
    till.gold()
    sealed(till, time)
    courier._fill(courier._connected(), endpoints.active(courier._connected())[0])
    first = outbox.due(courier._connected(), number, time(), 1)[0]
    courier._connected().rollback()
    told(till, courier, time)
    done = deliveries(till, number, "delivered")
    courier._do(lambda link, _: outbox.failed(link, first, time(), "ReadTimeout"))
    assert deliveries(till, number, "delivered") == done
    assert deliveries(till, number, "waiting") == []


def test_what_was_found_for_a_webhook_that_is_removed_meanwhile_is_not_kept_for_it(till, time, courier, receiver):
    number = added(till, receiver, types=["credit.changed"])["webhook"]["id"]
    till.gold()
    sealed(till, time)
    link = courier._connected()
    (one,) = endpoints.active(link)
    found = outbox.look(link, courier._programmes.of(link, one.dealer_id, 1), one, time())
    link.rollback()
    assert found.messages
    assert desk(till).post(f"/v1/webhooks/{number}/state", {"state": "removed"}).status_code == 201
    assert not courier._do(lambda link, ids: outbox.fill(link, ids, found))
    assert link.ask("SELECT count(*) FROM webhook_delivery").rows() == [(0,)]
    link.rollback()


def test_a_redirect_is_not_followed(till, time, courier, receiver):
    number = added(till, receiver, types=["credit.changed"])["webhook"]["id"]
    till.gold()
    receiver.status, receiver.headers = 302, {"location": receiver.url + "/elsewhere"}
    told(till, courier, time)
    assert len(receiver.got) == 1
    assert deliveries(till, number, "waiting")[0].last == "302"


def test_a_courier_that_ends_before_its_note_tells_it_again_with_the_same_id(till, time, courier, receiver):
    added(till, receiver, types=["credit.changed"])
    till.gold()
    sealed(till, time)
    courier._note = lambda *_: None  # the note is lost with the process
    for _ in range(4):
        courier.round()
    del courier._note
    told(till, courier, time)
    ids = [headers["webhook-id"] for headers, _ in receiver.got]
    assert len(ids) > len(set(ids)) == 2


def test_two_couriers_on_postgresql_tell_it_once(postgres_book_url, time, receiver):
    with serving(postgres_book_url, now=time, webhooks_inside=1) as till:
        app = till.client.app.state
        app.courier.close()
        pair = [Courier(app.tierengine.settings, app.tierengine.secret, None, now=time, start=False) for _ in range(2)]
        added(till, receiver, types=["credit.changed"])
        till.gold()
        sealed(till, time)
        assert [one.round() > 0 for one in pair] == [True, False]
        pair[0].close()
        waited = threading.Event()
        # PostgreSQL frees the lock of a connection a moment after it was closed.
        for _ in range(200):
            if not pair[1].round() and len(receiver.got) >= 2:
                break
            waited.wait(0.02)
        pair[1].close()
        assert len({headers["webhook-id"] for headers, _ in receiver.got}) == len(receiver.got) == 2


def test_the_service_tells_by_itself(sqlite_book_url, receiver):
    with serving(sqlite_book_url, webhooks_inside=1) as till:
        added(till, receiver)
        till.gold()
        waited = threading.Event()
        for _ in range(100):
            if len(receiver.got) >= 3:
                break
            waited.wait(0.1)
        assert {one["type"] for one in receiver.bodies()} == {"credit.changed", "tier.changed"}


def test_the_same_address_with_other_types_is_told_what_differs(till, time, courier, receiver):
    made = added(till, receiver, types=["credit.changed"])["webhook"]
    same = desk(till).post("/v1/webhooks", {"url": receiver.url, "types": ["credit.changed"] * 2})
    assert (same.status_code, same.json()["webhook"]) == (201, made)
    for wish in ({}, {"types": ["tier.changed"]}, {"types": ["credit.changed"], "all": True}):
        other = desk(till).post("/v1/webhooks", {"url": receiver.url, **wish})
        assert code(other) == (409, "webhook_differs")
        told = other.json()["details"]
        assert (told["webhook"], told["types"]) == (made["id"], "credit.changed")
        assert "secret" not in other.json()
    assert [one["types"] for one in desk(till).get("/v1/webhooks").json()["webhooks"]] == [["credit.changed"]]
    both = desk(till)
    assert both.post(f"/v1/webhooks/{made['id']}/state", {"state": "removed"}).status_code == 201
    assert added(till, receiver, types=["tier.changed", "credit.changed"])["webhook"]["types"] == [
        "credit.changed", "tier.changed",
    ]  # fmt: skip


def test_what_waits_since_before_the_clock_was_set_back_is_not_kept_as_long(till, time, courier, receiver):
    number = added(till, receiver, types=["credit.changed"])["webhook"]["id"]
    till.gold()
    time.now += 86_400 * SECOND  # somebody sets it wrong
    receiver.status = 503
    told(till, courier, time)
    assert [one.attempts for one in deliveries(till, number, "waiting")] == [1, 0]
    time.now -= 86_400 * SECOND
    receiver.status = 204
    told(till, courier, time)
    assert [one["data"]["number"] for one in receiver.bodies()] == [1, 1, 2], "in order, and not a day later"


# ---- one receiver is not another ----------------------------------------------------------------------------------


@contextlib.contextmanager
def odd_server(speak):
    """A server that takes each connection and does `speak(connection)` with it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        lines = []

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    lines.append(server.accept()[0])
                    threading.Thread(target=speak, args=(lines[-1],), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for line in lines:
            line.close()


def test_a_receiver_that_never_answers_keeps_nobody_else_waiting(till, time, courier, receiver, monkeypatch):
    monkeypatch.setattr("tierengine.webhooks.courier.LOOK_SECONDS", 0.2)
    monkeypatch.setattr("tierengine.webhooks.sending.ANSWER_SECONDS", 60.0)
    with odd_server(lambda _: None) as silent:
        stuck = desk(till).post("/v1/webhooks", {"url": silent, "types": ["credit.changed"]}).json()["webhook"]["id"]
        added(till, receiver, types=["credit.changed"])
        till.gold()
        told(till, courier, time)
        time.now += SECOND
        sold = order(credit={"parts_credit": 20_000}, occurred_at=time.stamp())
        assert till.post("/v1/sales", sold).status_code == 201
        told(till, courier, time)
        assert [one["data"]["number"] for one in receiver.bodies()][-1] > 2
        assert {one.attempts for one in deliveries(till, stuck, "waiting")} == {0}, "still under way"
        began = monotonic()
        courier.close()
        assert monotonic() - began < 5, "nor from ending"
    # Whoever comes next tells it.
    service, waiting = till.client.app.state.tierengine, len(deliveries(till, stuck, "waiting"))
    url = receiver.url
    service.writer.perform(lambda link, _: link.run("UPDATE webhook SET url = ?1 WHERE id = ?2", url, stuck)).result()
    heard, following = (
        len(receiver.got),
        Courier(service.settings, service.secret, service.writer, now=time, start=False),
    )
    told(till, following, time)
    following.close()
    assert len(receiver.got) - heard == waiting == len({one["webhook-id"] for one, _ in receiver.got[heard:]})


def test_an_answer_a_byte_at_a_time_has_its_time_in_all(till, time, courier, monkeypatch):
    monkeypatch.setattr("tierengine.webhooks.sending.ANSWER_SECONDS", 1.0)

    def drip(line):
        with contextlib.suppress(OSError):
            while True:
                line.sendall(b"HTTP/1.1 200 OK\r\nx-drip: " if line.recv(65_536) else b"")
                while True:
                    line.sendall(b"a")
                    pause.wait(0.1)

    pause = threading.Event()
    with odd_server(drip) as slow:
        number = desk(till).post("/v1/webhooks", {"url": slow, "types": ["credit.changed"]}).json()["webhook"]["id"]
        till.gold()
        sealed(till, time)
        for _ in range(100):
            courier.round()
            if (found := deliveries(till, number, "waiting")) and found[0].attempts:
                break
        assert (found[0].attempts, found[0].last) == (1, "TimeoutError")


def test_a_name_that_no_resolver_takes_fails_alone(till, time, courier, receiver):
    odd = added(till, receiver, types=["credit.changed"])["webhook"]["id"]
    url = "https://" + "a" * 64 + ".example/"  # (from before such a name was refused)
    till.client.app.state.tierengine.writer.perform(
        lambda link, _: link.run("UPDATE webhook SET url = ?1", url)
    ).result()
    added(till, receiver, types=["credit.changed"])
    till.gold()
    told(till, courier, time)
    assert len(receiver.got) == 2
    assert deliveries(till, odd, "waiting")[0].attempts == 1


# ---- who may, and where to --------------------------------------------------------------------------------------


def test_webhooks_are_the_admins_of_one_dealer(till, receiver):
    number = added(till, receiver)["webhook"]["id"]
    other = till.at("D2/admin")
    assert other.get("/v1/webhooks").json() == {"webhooks": []}
    assert code(other.get(f"/v1/webhooks/{number}/deliveries")) == (404, "unknown_webhook")
    for body, path in (({"state": "dead"}, "replay"), ({"state": "removed"}, "state")):
        assert code(other.post(f"/v1/webhooks/{number}/{path}", body)) == (404, "unknown_webhook")
    assert code(till.post("/v1/webhooks", {"url": receiver.url})) == (403, "forbidden")
    admin = desk(till)
    assert admin.post(f"/v1/webhooks/{number}/state", {"state": "removed"}).status_code == 201
    assert admin.get("/v1/webhooks").json() == {"webhooks": []}


def test_a_dealer_is_told_all_that_is_his_however_much_another_has_sealed(till, time, courier, receiver):
    till.gold("C1")
    till.count += 100
    till.gold("C2")
    told(till, courier, time)
    number = till.at("D2/admin").post("/v1/webhooks", {"url": receiver.url}).json()["webhook"]["id"]
    assert standings(till, number) == []
    till.at("D2/S01").gold("C3")
    told(till, courier, time)
    assert {one["type"] for one in receiver.bodies()} == {"credit.changed", "tier.changed"}
    assert {one["data"]["member"] for one in receiver.bodies()} == {"C3"}
    assert standings(till, number) == [("C3", "gold")]


def standings(till, number):
    """Who stood where by what a webhook was told."""
    link = database.connect(till.book.url, readonly=True)
    found = link.ask(
        "SELECT m.code, w.tier FROM webhook_standing w JOIN member m ON m.id = w.member_id WHERE w.webhook_id = ?1",
        number,
    ).rows()
    link.close()
    return found


@pytest.mark.parametrize(
    "body",
    [
        {}, {"url": 5}, {"url": "ftp://a.example/"}, {"url": "https://"}, {"url": "https://u:p@a.example/"},
        {"url": "https://a.example/#x"}, {"url": "https://" + "a" * 600}, {"url": "https://例子.example/"},
        {"url": "https://a.example:99999/"},
        {"url": "https://" + "a" * 64 + ".example/"}, {"url": "https://a..b/"}, {"url": "https://a.example/ b"},
        {"url": "https://a.example", "types": []},
        {"url": "https://a.example", "types": ["other"]}, {"url": "https://a.example", "all": 1},
        {"url": "https://a.example", "secret": "x"},
    ],
)  # fmt: skip
def test_a_wrong_webhook_is_refused(till, body):
    admin = desk(till)
    answer = admin.post("/v1/webhooks", body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"]


INSIDE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "::1", "fe80::1",  # noqa: S104
    "fc00::1", "fec0::1", "::", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::",
    "64:ff9b::7f00:1", "2001:0:5db8:d822:0:0:80ff:fffe", "224.0.0.1",
    "255.255.255.255",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_inside_address_is_never_called_however_it_is_written(address):
    with pytest.raises(Refused) as problem:
        target("https://hook.example/x", resolve=lambda *_: ["93.184.216.34", address])
    assert problem.value.code == "inside_address"


def test_the_call_goes_to_the_address_that_was_looked_at():
    seen = []

    def resolve(name, port):
        seen.append((name, port))
        return ["93.184.216.34"] if len(seen) == 1 else ["127.0.0.1"]

    to = target("https://hook.example:8443/a?b=c", resolve=resolve)
    assert (to.url, to.host, to.name) == ("https://93.184.216.34:8443/a?b=c", "hook.example:8443", "hook.example")
    six = target("https://hook.example/", resolve=lambda *_: ["2606:2800:220:1::1"])
    assert six.url == "https://[2606:2800:220:1::1]:443/"
    for url in ("https://0x7f000001/", "https://2130706433/", "https://127.1/", "https://localhost/"):
        try:
            with pytest.raises(Refused):
                target(url)
        except (socket.gaierror, UnicodeError):
            pass  # this machine's resolver does not know such a name at all


def test_the_courier_refuses_inside_addresses_also_when_the_name_moves_there_later(sqlite_book_url, time, receiver):
    with serving(sqlite_book_url, now=time) as till:
        app = till.client.app.state
        app.courier.close()
        admin = desk(till)
        assert code(admin.post("/v1/webhooks", {"url": receiver.url})) == (422, "malformed")
        made = admin.post("/v1/webhooks", {"url": "https://hook.example/x", "types": ["credit.changed"]})
        assert made.status_code == 201, made.text
        till.gold()
        made_courier = Courier(
            app.tierengine.settings,
            app.tierengine.secret,
            app.tierengine.writer,
            now=time,
            start=False,
            resolve=lambda *_: ["127.0.0.1"],
        )
        told(till, made_courier, time)
        made_courier.close()
        assert deliveries(till, made.json()["webhook"]["id"], "waiting")[0].last == "inside_address"


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_a_clear_error(text):
    try:
        found = read_url(text)
    except Malformed as problem:
        assert [error.pointer for error in problem.errors] == ["/url"]  # noqa: PT017  either is right
    else:
        assert found == text
        assert text.startswith("https://")
