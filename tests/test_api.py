"""The contract of each endpoint, on both databases."""

from __future__ import annotations

import threading

import pytest

from api.service import stamp
from tests.keys import acting
from tests.test_api_book import PAYS, POLICY, Book, Till, code, moment, opened, order, rows, serving
from tierengine.access import keys
from tierengine.policies.versions import publish
from tierengine.recording.recorder import clock
from tierengine.store import database
from tierengine.store.dialect import PostgresLink, SqliteLink
from tierengine.store.ids import Ids, transact


@pytest.fixture
def till(book_url):
    with serving(book_url) as till:
        yield till


# ---- sales ------------------------------------------------------------------------------------------------------


def test_a_sale_is_priced_paid_by_credit_judged_and_booked_in_one_answer(till: Till):
    till.gold()
    answer = till.post("/v1/sales", order(credit="max"))
    assert answer.status_code == 201, answer.text
    sold = answer.json()
    assert [line["amount"] for line in sold["lines"]] == PAYS
    assert sold["total"] == {"list": 191_000, "amount": 183_950, "credit": 95_950, "cash": 88_000}
    assert sold["credit_used"] == {"parts_credit": 95_950}
    assert sold["balances"]["parts_credit"]["usable"] == 4_050
    assert {grant["rule"]: grant["amount"] for grant in sold["grants"]} == {"points_spend": 38}
    assert sold["tier"] == {"before": "gold", "after": "gold", "now": "gold"}
    assert answer.headers["x-request-id"]


def test_a_quote_equals_the_sale_that_follows_it_and_writes_nothing(till: Till):
    till.gold()
    before = rows(till.book)
    asked = till.post("/v1/quotes", order(credit={"parts_credit": 20_000}))
    assert asked.status_code == 200, asked.text
    assert rows(till.book) == before
    quoted = asked.json()
    sold = till.post(
        "/v1/sales",
        order(credit={"parts_credit": 20_000}, prices=[line["amount"] for line in quoted["lines"]]),
    ).json()
    for line in quoted["lines"]:
        del line["rule"]
    assert sold["lines"] == quoted["lines"]
    assert sold["total"] == quoted["total"]
    earned: dict[str, int] = {}
    for grant in sold["grants"]:
        earned[grant["rule"]] = earned.get(grant["rule"], 0) + grant["amount"]
    promised: dict[str, int] = {}
    for one in quoted["earns"]:
        promised[one["rule"]] = promised.get(one["rule"], 0) + one["amount"]
    assert earned == promised


def test_a_sale_at_other_prices_is_refused_with_the_new_lines_and_its_number_stays_free(till: Till):
    till.gold()
    before = rows(till.book)
    refused = till.post("/v1/sales", order(prices=[101_000, 40_000, 50_000]))
    assert code(refused) == (409, "price_changed")
    assert [line["amount"] for line in refused.json()["lines"]] == PAYS
    assert rows(till.book) == before
    assert till.post("/v1/sales", order(prices=PAYS)).status_code == 201


def test_a_sale_that_happened_already_is_booked_as_charged_and_the_difference_told(till: Till):
    till.gold()
    late = till.post("/v1/sales", order(occurred_at=moment(hours=2), prices=[101_000, 40_000, 50_000]))
    assert late.status_code == 201, late.text
    assert late.json()["late"] is True
    assert late.json()["price_differs"] == [
        {"line": 0, "charged": 101_000, "ruled": 95_950},
        {"line": 1, "charged": 40_000, "ruled": 38_000},
    ]
    assert late.json()["total"]["amount"] == 191_000


def test_a_late_sale_may_use_more_credit_than_there_is_and_the_rest_is_debt(till: Till):
    till.gold()
    lines = [{"item": "F", "category": "parts", "list": 300_000}]
    late = till.post(
        "/v1/sales",
        order(occurred_at=moment(hours=2), lines=lines, prices=[285_000], credit={"parts_credit": 150_000}),
    )
    assert late.status_code == 201, late.text
    balances = late.json()["balances"]["parts_credit"]
    assert (balances["available"], balances["debt"]) == (0, 50_000)


@pytest.mark.parametrize(
    ("credit", "problem"),
    [
        ({"parts_credit": 95_951}, "credit_not_payable"),
        ({"nothing": 1}, "unknown_wallet"),
        ({"points": 10}, "credit_not_payable"),
    ],
)
def test_credit_that_may_not_pay_the_order_is_refused(till: Till, credit, problem):
    till.gold()
    assert code(till.post("/v1/sales", order(credit=credit)))[1] == problem


def test_more_credit_than_there_is_is_refused_and_nothing_is_recorded(till: Till):
    till.gold()
    before = rows(till.book)
    lines = [{"item": "F", "category": "parts", "list": 300_000}]
    refused = till.post("/v1/sales", order(lines=lines, credit={"parts_credit": 150_000}))
    assert code(refused) == (409, "insufficient_credit")
    assert refused.json()["details"] == {
        "wallet": "parts_credit", "usable": 100_000, "wanted": 150_000, "unit": "CNY", "title_zh": "配件款",
        "title_en": "Parts credit",
    }  # fmt: skip
    assert rows(till.book) == before


def test_a_suspended_wallet_pays_nothing(till: Till):
    till.gold()
    till.event("overdue_changed", member="C1", overdue_days=31)
    assert code(till.post("/v1/sales", order(credit={"parts_credit": 100})))[1] == "credit_suspended"
    wallets = till.get("/v1/members/C1/balance").json()["wallets"]
    (shown,) = (one for one in wallets if one["wallet"] == "parts_credit")
    assert (shown["suspended"], shown["usable"], shown["available"] > 0) == (True, 0, True)
    assert till.post("/v1/sales", order(credit="max")).json()["total"]["credit"] == 0


# ---- returns ----------------------------------------------------------------------------------------------------


def test_a_whole_return_takes_back_what_the_sale_earned_and_gives_back_its_credit(till: Till):
    till.gold()
    before = till.get("/v1/members/C1/balance").json()["wallets"]
    till.post("/v1/sales", order(credit="max"))
    back = till.post("/v1/sales/P1/returns", {"source_id": "R1", "occurred_at": moment(), "reason": "订错"})
    assert back.status_code == 201, back.text
    after = till.get("/v1/members/C1/balance").json()["wallets"]
    amounts = [[(one["wallet"], one["available"], one["debt"]) for one in wallets] for wallets in (before, after)]
    assert amounts[0] == amounts[1]


def test_a_return_of_an_order_that_is_not_here_waits_for_it(till: Till):
    till.gold()
    waiting = till.post("/v1/sales/P9/returns", {"source_id": "R9", "occurred_at": moment()})
    assert waiting.status_code == 202, waiting.text
    assert waiting.json()["status"] == "parked"
    sold = till.post("/v1/sales", order("P9"))
    assert sold.status_code == 201, sold.text
    points = next(w for w in till.get("/v1/members/C1/balance").json()["wallets"] if w["wallet"] == "points")
    assert points["available"] == 500


# ---- idempotency ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [order(credit="max"), order(prices=PAYS), order(occurred_at=moment(hours=1))])
def test_the_same_key_and_body_get_the_same_bytes_and_one_effect(till: Till, body):
    till.gold()
    first = till.post("/v1/sales", body, once="k")
    after = rows(till.book)
    again = till.post("/v1/sales", body, once="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert rows(till.book) == after


def test_a_refusal_sticks_to_its_key_to_the_byte(till: Till):
    till.gold()
    body = order(prices=[1, 2, 3])
    first, again = (till.post("/v1/sales", body, once="k") for _ in range(2))
    assert code(first) == (409, "price_changed")
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"


def test_the_same_key_with_another_body_is_refused(till: Till):
    till.post("/v1/sales", order("P1"), once="k")
    assert code(till.post("/v1/sales", order("P2"), once="k")) == (422, "idempotency_mismatch")


def test_keys_of_two_stores_are_two_keys(till: Till):
    assert till.post("/v1/sales", order(), once="k").status_code == 201
    other = till.at("D1/S02").post("/v1/sales", order(member="C2"), once="k")
    assert other.status_code == 201
    assert "idempotent-replayed" not in other.headers


def test_the_same_order_under_another_key_is_a_duplicate_or_a_conflict(till: Till):
    body = order()
    first = till.post("/v1/sales", body)
    again = till.post("/v1/sales", body)
    assert again.status_code == 200, again.text
    assert again.json()["status"] == "duplicate"
    assert again.json()["lines"] == first.json()["lines"]
    other = {**body, "lines": body["lines"][:1]}
    assert code(till.post("/v1/sales", other)) == (409, "order_conflict")


@pytest.mark.parametrize(
    ("key", "problem"),
    [(None, "idempotency_key_missing"), ("", "idempotency_key_bad"), ("x" * 256, "idempotency_key_bad")],
)
def test_a_write_needs_a_proper_idempotency_key(till: Till, key, problem):
    headers = till.headers({} if key is None else {"idempotency-key": key})
    answer = till.client.post("/v1/sales", json=order(), headers=headers)
    assert code(answer) == (400, problem)


# ---- events and claims ------------------------------------------------------------------------------------------


def test_an_event_is_recorded_once_and_its_effect_told(till: Till):
    said = {"kind": "attestation", "member": "C2", "occurred_at": moment(), "source_id": "A1", "trait": "early_entrant",
            "stated_by": "U1", "stated_role": "sales_manager", "countersigned_by": "U2", "countersigned_role": "leader",
            "evidence": "全县第一家"}  # fmt: skip
    first = till.post("/v1/events", said)
    assert first.status_code == 201, first.text
    assert first.json()["tier"] == {"before": "customer", "after": "member", "now": "member"}
    assert first.json()["tier_changes"][0]["traits"] == ["early_entrant"]
    again = till.post("/v1/events", said)
    assert (again.status_code, again.json()["status"]) == (200, "duplicate")
    reworded = till.post("/v1/events", {**said, "evidence": "别的"})  # (free text makes no other event)
    assert (reworded.status_code, reworded.json()["status"]) == (200, "duplicate")
    changed = till.post("/v1/events", {**said, "stated_by": "U3"})
    assert code(changed) == (409, "event_conflict")


def test_an_event_that_names_what_is_not_here_waits(till: Till):
    waiting = till.event("complaint_step", complaint="nobody-knows", step="answered", member="C1")
    assert waiting.status_code == 202
    assert waiting.json()["waits_for"] == ["till-S01:nobody-knows"]


def test_an_entitlement_is_claimed_until_its_quota_is_used_and_then_refused_with_the_next_date(till: Till):
    till.gold()
    path = "/v1/members/C1/entitlements/vip_social/claims"
    assert till.post(path, {"qty": 3}).status_code == 201
    refused = till.post(path, {"qty": 2}, lang="en")
    assert code(refused) == (409, "entitlement_exhausted")
    details = refused.json()["details"]
    assert (details["quota"], details["used"]) == (4, 3)
    assert details["next_on"].endswith("-01-01")
    assert details["next_on"] in refused.json()["detail"]
    earlier = till.post(path, {"qty": 2, "occurred_at": moment(hours=3)})
    assert code(earlier)[1] == "entitlement_exhausted"
    assert till.post(path, {"qty": 1}).status_code == 201
    right = {one["id"]: one for one in till.get("/v1/members/C1").json()["entitlements"]}["vip_social"]
    assert (right["quota"], right["used"], right["remaining"]) == (4, 4, 0)


def test_an_entitlement_of_another_level_is_unknown_whichever_way_it_is_claimed(till: Till):
    assert code(till.post("/v1/members/C3/entitlements/vip_social/claims", {}))[1] == "entitlement_unknown"
    assert code(till.event("entitlement_claimed", member="C3", entitlement="vip_social"))[1] == "entitlement_unknown"


# ---- who may --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic abc", "Bearer te_1_2", "Bearer " + "x" * 500])
def test_a_bad_key_is_refused(till: Till, header):
    assert code(till.client.get("/v1/members/C1", headers={"authorization": header})) == (401, "unauthenticated")


def test_a_revoked_key_is_refused_within_seconds(till: Till, monkeypatch):
    monkeypatch.setattr("api.keys.REMEMBERED_SECONDS", 0.0)
    assert till.get("/v1/members/C1").status_code == 200
    service = till.client.app.state.tierengine
    key = till.book.keys["D1/S01"]
    prefix = key.split("_")[1]
    service.writer.perform(lambda link, ids: keys.revoke(acting(link, ids, till.book.dealer, 1), prefix)).result()
    assert code(till.get("/v1/members/C1")) == (401, "unauthenticated")


def test_another_dealers_member_is_not_there(book_url):
    with serving(book_url, others=True) as till:
        till.gold("C1")
        other = till.at("D2/S01")
        assert other.get("/v1/members/C1").json()["standing"]["tier"] == "customer"  # their own C1
        assert other.get("/v1/members/C1/ledger").json()["lines"] == []
        assert code(other.get("/v1/members/C9")) == (404, "unknown_member")


def test_a_store_never_reaches_another_stores_orders(till: Till):
    till.gold()
    till.post("/v1/sales", order(credit="max"))
    other = till.at("D1/S02")
    back = other.post("/v1/sales/P1/returns", {"source_id": "R1", "occurred_at": moment()})
    assert back.status_code == 202  # it waits for an order P1 of their own
    cancelled = other.event(
        "observation_cancelled", source_id="order:S01:P1:parts_purchase", revision=1, reason="x", member="C1"
    )
    assert code(cancelled) == (422, "malformed")
    named = other.event("contact", member="C1", channel="phone", direction="ours", store="S01")
    assert named.json()["errors"][0]["code"] == "other_store"
    lines = other.get("/v1/members/C1/ledger").json()["lines"]
    assert {line["event"] for line in lines} == {None}
    assert "S01" not in other.get("/v1/members/C1").text
    assert "order:S01:P1" in till.get("/v1/members/C1/ledger").text


def test_a_till_may_not_give_a_persons_word(till: Till):
    said = {"tier": "gold", "by": "U1", "reason": "x", "member": "C2"}
    assert code(till.event("tier_assigned", **said)) == (403, "forbidden")
    assert till.at("D1/sales_manager").event("tier_assigned", **said).status_code == 201


# ---- looking up -------------------------------------------------------------------------------------------------


def test_a_member_is_found_by_phone_card_or_machine_and_only_his_code_is_told(till: Till):
    till.gold()
    till.event("card_issued", member="C1", card_no="G-001")
    for query in ("phone=138%200000%200001", "phone=%2B8613800000001", "card_no=G-001", "serial=SN-C1"):
        assert till.get(f"/v1/members?{query}").json() == {"members": [{"member": "C1"}]}, query
    assert till.get("/v1/members?phone=000").json() == {"members": []}
    assert code(till.get("/v1/members")) == (422, "malformed")


def test_the_statement_sums_to_the_balance_over_its_pages(till: Till):
    till.gold()
    for number in range(4):
        till.post("/v1/sales", order(f"P{number}", credit="max"))
    till.post("/v1/sales/P0/returns", {"source_id": "R0", "occurred_at": moment()})
    total: dict[str, int] = {}
    cursor, pages = None, 0
    while True:
        page = till.get("/v1/members/C1/ledger?limit=3" + (f"&cursor={cursor}" if cursor else "")).json()
        for line in page["lines"]:
            total[line["wallet"]] = total.get(line["wallet"], 0) + line["available"]
        cursor, pages = page["next"], pages + 1
        if cursor is None:
            break
    assert pages > 2
    shown = {one["wallet"]: one["available"] for one in till.get("/v1/members/C1/balance").json()["wallets"]}
    assert total == shown
    for wallet in till.get("/v1/members/C1/balance").json()["wallets"]:
        assert sum(lot["remaining"] for lot in wallet["lots"]) == wallet["available"]


# ---- health, and what goes wrong ------------------------------------------------------------------------------------


def test_it_says_that_it_lives_and_is_ready(till: Till):
    assert till.client.get("/livez").json() == {"status": "live"}
    assert till.client.get("/readyz").json() == {"status": "ready", "writer": True, "database": True, "chain": True}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_failing_commit_is_never_answered_as_a_success(request, monkeypatch, kind):
    url = request.getfixturevalue("sqlite_book_url" if kind == "sqlite" else "postgres_book_url")
    with serving(url) as till:
        before = rows(till.book)

        def fail(_: object) -> None:
            raise RuntimeError("the disk is gone")

        monkeypatch.setattr(SqliteLink if kind == "sqlite" else PostgresLink, "commit", fail)
        assert till.post("/v1/sales", order()).status_code >= 500
        assert till.event("contact", member="C1", channel="phone", direction="ours").status_code >= 500
        monkeypatch.undo()
        assert rows(till.book) == before
        assert till.post("/v1/sales", order()).status_code == 201


def test_a_full_queue_answers_at_once_that_it_is_busy(sqlite_book_url):
    with serving(sqlite_book_url, queue_size=1) as till:
        service = till.client.app.state.tierengine
        go, begun = threading.Event(), threading.Event()
        held = service.writer.perform(lambda *_: (begun.set(), go.wait(10)))
        assert begun.wait(10)
        waiting = threading.Thread(target=till.post, args=("/v1/sales", order("P1")))
        waiting.start()
        while not service.writer._queue.waiting["till"]:
            pass
        busy = till.post("/v1/sales", order("P2"))
        go.set()
        held.result(10)
        waiting.join(10)
        assert code(busy) == (503, "busy")
        assert busy.headers["retry-after"]


def test_a_closed_writer_turns_readiness_red(sqlite_book_url):
    with serving(sqlite_book_url) as till:
        till.client.app.state.tierengine.writer.close()
        assert till.client.get("/readyz").status_code == 503
        assert till.client.get("/livez").status_code == 200
        assert code(till.post("/v1/sales", order())) == (503, "writer_down")


def test_what_nobody_expected_is_a_problem_too(sqlite_book_url, monkeypatch):
    with serving(sqlite_book_url) as till:
        monkeypatch.setattr("api.members.view", lambda *_: 1 // 0)
        assert code(till.get("/v1/members/C1")) == (500, "failed")


def test_a_book_outlives_its_service(book_url):
    book = Book(book_url).make()
    with opened(book) as till:
        till.gold()
    with opened(book) as till:
        assert till.get("/v1/members/C1").json()["standing"]["tier"] == "gold"


# ---- what began or ended since the member was last seen ---------------------------------------------------------


def test_a_sale_is_judged_on_though_a_new_version_began_since_the_members_last_event(book_url):
    start = clock()
    time = [start]
    with serving(book_url, now=lambda: time[0]) as till:
        till.gold()
        link, ids = database.connect(till.book.url), Ids()
        text = POLICY.partition("\n示例:")[0].replace("实付: 95折", "实付: 97折")
        begins = start + 61_000_000
        transact(
            link, ids,
            lambda link, ids: publish(
                link, ids, till.book.dealer, text, author="a", reason="x", effective_from=begins, now=start
            ),
        )  # fmt: skip
        link.close()
        time[0] = start + 120_000_000
        # A refusal has asked the same facts before.
        assert code(till.post("/v1/sales", order(prices=PAYS, occurred_at=stamp(time[0])))) == (409, "price_changed")
        for number, seconds in enumerate((120, 130)):
            time[0] = start + seconds * 1_000_000
            answer = till.post(
                "/v1/sales", order(f"P{number}", prices=[97_970, 38_800, 50_000], occurred_at=stamp(time[0]))
            )
            assert answer.status_code == 201, answer.text


def test_a_sale_is_judged_on_though_the_members_tier_ran_out_since_his_last_event(book_url):
    start = clock()
    time = [start]
    with serving(book_url, now=lambda: time[0]) as till:
        till.gold()
        for number, years in enumerate((3, 3)):
            time[0] = start + years * 366 * 86_400_000_000 + number
            answer = till.post("/v1/sales", order(f"P{number}", occurred_at=stamp(time[0])))
            assert answer.status_code == 201, answer.text
            assert answer.json()["tier"]["before"] != "gold"
