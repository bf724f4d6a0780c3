"""Offline slips and quote tokens: what is signed, what it covers, what becomes of sales made without the line."""

from __future__ import annotations

import contextlib
import importlib.util
import random
import sys
from pathlib import Path

import httpx
import jwt
import pytest

from api import sale_shapes, slip_shapes
from api.app import create_app
from api.service import stamp
from tests import test_api_book
from tests.keys import SECRET, UNLIMITED
from tests.test_api_book import PAYS, POLICY, Book, Client, Till, code, order
from tierengine.ledger.verify import verify
from tierengine.membership import people
from tierengine.policies import versions
from tierengine.recording.acts import IssueSlip
from tierengine.recording.items import Command
from tierengine.recording.recorder import clock
from tierengine.settings import Settings
from tierengine.store import database
from tierengine.store.ids import Ids, transact
from tierengine.till.slips import new_id

HOUR = 3_600_000_000
# The clock of the tests runs ahead of the machine's.
NO_TIMES = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
SCRIPT = Path(__file__).parent.parent / "docs" / "reference_till.py"


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("reference_till", SCRIPT)
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


class Clock:
    """The service's and the tills' clock."""

    def __init__(self):
        self.now = clock()

    def __call__(self):
        return self.now

    def seconds(self):
        return self.now / 1_000_000

    def stamp(self):
        return stamp(self.now)


@contextlib.contextmanager
def serving(url, time, *, policy="", **more):
    book = Book(url, policy=policy).make(others=True)
    with Client(create_app(Settings(database_url=url, **{"secret": SECRET, **UNLIMITED, **more}), now=time)) as client:
        yield Till(client, book)
    link = database.connect(url, readonly=True)
    assert verify(link) == ()
    link.rollback()
    link.close()


@pytest.fixture
def time():
    return Clock()


@pytest.fixture
def till(book_url, time):
    with serving(book_url, time) as till:
        till.gold()
        time.now += 1_000_000
        yield till


def keys_of(till):
    found = till.client.get("/.well-known/jwks.json").json()
    return jwt.PyJWKSet.from_dict(found)


def slip_of(till, member="C1", /, **more):
    answer = till.post("/v1/offline-allowances", {"member": member, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def said(till, token):
    key = keys_of(till)[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key.key, algorithms=["EdDSA"], audience="S01", options=NO_TIMES)


def sold(till, time, number="P1", **more):
    return till.post("/v1/sales", order(number, **{"occurred_at": time.stamp(), **more}))


# ---- slips ------------------------------------------------------------------------------------------------------


def test_a_slip_is_verified_with_the_published_key_and_says_tier_prices_and_credit(till, time):
    made = slip_of(till)
    slip_shapes.SlipMade.model_validate(made, extra="forbid")
    claims = said(till, made["token"])
    assert (claims["sub"], claims["aud"], claims["tier"]) == ("C1", "S01", "gold")
    assert claims["exp"] - claims["nbf"] == 24 * 3600
    (price,) = [one for one in claims["prices"] if one["rule"] == "gold_price"]
    assert price["pay_bp"] == 9_500
    assert {"category": "parts", "special": False} in price["lines"]
    assert {"category": "parts", "special": True} not in price["lines"]
    assert {"category": "fuel", "special": False} not in price["lines"]
    (credit,) = claims["credit"]
    assert (credit["wallet"], credit["amount"]) == ("parts_credit", 50_000)
    assert "客户" not in str(claims)
    token = made["token"]
    forged = token[:-6] + ("AAAAAA" if token[-6:] != "AAAAAA" else "BBBBBB")
    with pytest.raises(jwt.InvalidSignatureError):
        said(till, forged)


def test_one_key_one_slip(till, time, sqlite_book_url):
    first, again = (till.post("/v1/offline-allowances", {"member": "C1"}, once="k") for _ in range(2))
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert code(till.post("/v1/offline-allowances", {"member": "C2"}, once="k")) == (422, "idempotency_mismatch")
    assert code(till.post("/v1/offline-allowances", {"member": "nobody"})) == (404, "unknown_member")
    for body in ({}, {"member": 1}, {"member": "C1", "amount": 5}, {"member": "C1", "store": "S02"}):
        assert till.post("/v1/offline-allowances", body).status_code == 422, body


def test_the_slips_of_several_stores_together_name_no_more_than_the_wallet_allows(till, time):
    amounts = [one["amount"] for one in slip_of(till)["slip"]["credit"]]
    assert amounts == [50_000]
    assert slip_of(till.at("D1/S02"))["slip"]["credit"] == []
    assert [one["amount"] for one in slip_of(till)["slip"]["credit"]] == [50_000]  # replaces the store's own
    time.now += 25 * HOUR
    assert [one["amount"] for one in slip_of(till.at("D1/S02"))["slip"]["credit"]] == [50_000]


def credit_of(made):
    return [one["amount"] for one in made["slip"]["credit"]]


def test_the_slips_of_the_tills_of_one_store_together_name_no_more_either(till, time):
    one, two = slip_of(till, till="一号"), slip_of(till, till="二号")
    assert (credit_of(one), credit_of(two)) == ([50_000], [])
    assert (said(till, one["token"])["till"], one["slip"]["till"]) == ("一号", "一号")
    assert credit_of(slip_of(till, till=" 一号　")) == [50_000], "it replaces its own"
    assert credit_of(slip_of(till, till="二号")) == [], "a slip that was replaced counts no more, the next one does"
    last = slip_of(till, till="一号")["slip"]["id"]
    for number in (one["slip"]["id"], last):
        till.at("D1/admin").post(f"/v1/offline-allowances/{number}/revoke", {"reason": "收银机坏了"})
    time.now += 25 * HOUR
    assert credit_of(slip_of(till, till="二号")) == [50_000]
    for wrong in (5, "a:b", "x" * 101, "..", ["x"]):
        answer = till.post("/v1/offline-allowances", {"member": "C1", "till": wrong})
        assert [one["pointer"] for one in answer.json()["errors"]] == ["/till"], wrong


def test_tills_without_a_name_are_told_apart_by_their_keys_and_share_a_slip_where_they_share_one(till, time):
    """What comes of it where two share both: each has a slip, each uses it, and the second use is debt."""
    assert credit_of(slip_of(till)) == [50_000]
    assert credit_of(slip_of(till.at("D1/pos"), store="S01")) == [], "another key, another till"
    tokens = [slip_of(till)["token"] for _ in range(3)]
    for number, token in enumerate(tokens):
        time.now += 1_000_000
        answer = sold(till, time, f"P{number}", credit={"parts_credit": 50_000}, prices=PAYS, slip=token)
        assert answer.json()["slip"]["state"] == "good"
    told = till.get("/v1/members/C1/balance").json()["wallets"]
    assert next((one["available"], one["debt"]) for one in told if one["wallet"] == "parts_credit") == (0, 50_000)


def test_slips_that_are_asked_for_at_once_name_no_more_either(till, time):
    """They come together, also where his last command was refused and the next are taken into one group."""
    too_much = {"member": "C1", "wallet": "parts_credit", "order": "H1", "amount": 10**9}
    assert till.post("/v1/holds", too_much).status_code == 409
    acts = [
        IssueSlip(new_id(time.now), store, time.now, time.now + HOUR, {"tier": "gold"}, till=name)
        for store, name in (("S01", "T1"), ("S01", "T2"), ("S02", "T1"), ("S01", "T1"))
    ]
    items = [Command(till.book.dealer, ("C1",), act) for act in acts]
    answers = [one.result(60) for one in till.client.app.state.tierengine.writer.submit_all(items)]
    assert [credit_of(one.body) for one in answers] == [[50_000], [], [], [50_000]]


def test_a_sale_with_a_slip_is_booked_as_charged_however_short_ago(till, time):
    token = slip_of(till)["token"]
    time.now += HOUR
    charged = [90_000, 40_000, 50_000]
    assert code(sold(till, time, prices=charged)) == (409, "price_changed")
    answer = sold(till, time, prices=charged, slip=token, credit={"parts_credit": 50_000})
    assert answer.status_code == 201, answer.text
    found = answer.json()
    sale_shapes.Sold.model_validate(found, extra="ignore")
    assert (found["late"], found["slip"]["state"]) == (True, "good")
    assert found["price_differs"] == [
        {"line": 0, "charged": 90_000, "ruled": 95_950}, {"line": 1, "charged": 40_000, "ruled": 38_000},
    ]  # fmt: skip
    assert found["credit_used"] == {"parts_credit": 50_000}


def test_what_was_used_too_much_becomes_debt(till, time):
    token = slip_of(till)["token"]
    assert sold(till, time, credit={"parts_credit": 90_000}, prices=PAYS).status_code == 201
    time.now += HOUR
    late = sold(till, time, "P2", credit={"parts_credit": 40_000}, prices=PAYS, slip=token)
    assert late.status_code == 201, late.text
    assert late.json()["balances"]["parts_credit"] | {"usable": 0} == late.json()["balances"]["parts_credit"]
    assert late.json()["balances"]["parts_credit"]["debt"] == 30_000


@pytest.mark.parametrize("state", ["forged", "other_member", "other_store", "expired", "revoked"])
def test_a_slip_that_does_not_cover_the_sale_is_told_and_the_sale_is_as_any_other(till, time, state):
    made = slip_of(till, "C2") if state == "other_member" else slip_of(till)
    token, number = made["token"], made["slip"]["id"]
    time.now += HOUR
    desk = till.at("D1/sales_manager")
    if state == "revoked":
        ended = desk.post(f"/v1/offline-allowances/{number}/revoke", {"reason": "卡丢了"})
        assert ended.status_code == 201, ended.text
        assert desk.post(f"/v1/offline-allowances/{number}/revoke", {"reason": "again"}).status_code == 200
        time.now += HOUR
    if state == "expired":
        time.now += 24 * HOUR
    if state == "forged":
        token = token.replace(".", "x.", 1)
    at = till.at("D1/S02") if state == "other_store" else till
    answer = sold(at, time, prices=PAYS, slip=token)
    assert (answer.status_code, answer.json()["slip"]["state"]) == (201, state)
    assert code(sold(at, time, "P2", prices=[1, 1, 1], slip=token)) == (409, "price_changed")


def test_the_list_of_revoked_slips_is_signed_and_a_store_ends_no_other_stores(till, time):
    number = slip_of(till)["slip"]["id"]
    assert code(till.post(f"/v1/offline-allowances/{number}/revoke", {"reason": "x"})) == (403, "forbidden")
    other = till.at("D2/sales_manager")
    assert code(other.post(f"/v1/offline-allowances/{number}/revoke", {"reason": "x"})) == (404, "unknown_slip")
    desk = till.at("D1/admin")
    for body in ({}, {"reason": ""}, {"reason": 5}, {"reason": "x", "more": 1}):
        assert desk.post(f"/v1/offline-allowances/{number}/revoke", body).status_code == 422
    assert till.get("/v1/offline-allowances/revoked").json()["revoked"] == []
    assert desk.post(f"/v1/offline-allowances/{number}/revoke", {"reason": "卡丢了"}).status_code == 201
    found = till.get("/v1/offline-allowances/revoked").json()
    assert found["revoked"] == [number]
    key = keys_of(till)[jwt.get_unverified_header(found["token"])["kid"]]
    assert jwt.decode(found["token"], key.key, algorithms=["EdDSA"], options=NO_TIMES)["revoked"] == [number]
    # A signed list is no slip.
    assert sold(till, time, prices=PAYS, slip=found["token"]).json()["slip"]["state"] == "forged"
    assert other.get("/v1/offline-allowances/revoked").json()["revoked"] == []


def test_the_list_of_revoked_slips_is_read_page_by_page_and_none_is_missed(till, time, counter):
    desk = till.at("D1/admin")
    numbers = [slip_of(till, till=f"T{number}")["slip"]["id"] for number in range(5)]
    for number in reversed(numbers):  # (those that were issued first are revoked last)
        assert desk.post(f"/v1/offline-allowances/{number}/revoke", {"reason": "x"}).status_code == 201
    found, cursor, signed = [], "", []
    while cursor is not None:
        page = till.get(f"/v1/offline-allowances/revoked?limit=2&cursor={cursor}").json()
        slip_shapes.SlipsRevoked.model_validate(page, extra="forbid")
        key = keys_of(till)[jwt.get_unverified_header(page["token"])["kid"]]
        told = jwt.decode(page["token"], key.key, algorithms=["EdDSA"], options=NO_TIMES)
        assert (told["cursor"], told["revoked"], told["next"]) == (cursor, page["revoked"], page["next"])
        found += page["revoked"]
        signed.append(len(page["revoked"]))
        cursor = page["next"]
    assert (found, signed) == (sorted(numbers), [2, 2, 1])
    for wrong in ("limit=0", "limit=10001", "limit=x", "cursor=%", "cursor=%E4%B8%80"):
        assert code(till.get(f"/v1/offline-allowances/revoked?{wrong}")) == (422, "bad_parameter"), wrong


def test_the_reference_till_reads_every_page_of_what_was_revoked(till, time, counter, monkeypatch):
    machine, wire = counter
    machine.prepare("C1")
    mine, real, pages = machine.slip("C1")["jti"], wire.handle_request, []
    desk = till.at("D1/admin")
    for number in [slip_of(till, till=f"T{number}")["slip"]["id"] for number in range(3)] + [mine]:
        desk.post(f"/v1/offline-allowances/{number}/revoke", {"reason": "x"})

    def in_pages_of_one(request):
        if request.url.path.endswith("/revoked"):
            pages.append(request.url.params["cursor"])
            request.url = request.url.copy_merge_params({"limit": 1})
        return real(request)

    wire.handle_request = in_pages_of_one
    machine.refresh()
    assert (len(pages), machine.slip("C1")) == (4, None)


def test_a_new_secret_is_taken_without_losing_what_the_old_one_signed(sqlite_book_url, time):
    with serving(sqlite_book_url, time) as till:
        till.gold()
        token = slip_of(till)["token"]
        quoted = till.post("/v1/quotes", order()).json()["token"]
        book = till.book
    settings = Settings(database_url=book.url, secret="f" * 32, secret_before=SECRET)
    time.now += HOUR
    with Client(create_app(settings, now=time)) as client:
        till = Till(client, book, count=1_000)
        assert len(keys_of(till).keys) == 2
        assert sold(till, time, slip=token, prices=[1, 1, 1]).json()["slip"]["state"] == "good"
        time.now -= HOUR - 60_000_000
        assert till.post("/v1/sales", order("P2", quote=quoted, occurred_at=time.stamp())).status_code == 201


# ---- quote tokens -----------------------------------------------------------------------------------------------


@pytest.fixture
def changed(till, time):
    """Return a quote's token and publish a policy in which gold members pay more."""
    quoted = till.post("/v1/quotes", order()).json()
    link, ids = database.connect(till.book.url), Ids()
    text = POLICY.partition("\n示例:")[0].replace("实付: 95折", "实付: 97折")
    assert text != POLICY

    def act(link, ids):
        versions.publish(
            link, ids, till.book.dealer, text, author="a", reason="涨价", effective_from=time.now + 61_000_000,
            now=time.now,
        )  # fmt: skip

    transact(link, ids, act)
    link.close()
    time.now += 120_000_000
    return quoted


def test_a_quote_holds_its_prices_for_fifteen_minutes_though_the_rules_change(till, time, changed):
    prices = [line["amount"] for line in changed["lines"]]
    assert prices == PAYS
    assert code(sold(till, time, prices=prices)) == (409, "price_changed")
    answer = sold(till, time, prices=prices, quote=changed["token"])
    assert answer.status_code == 201, answer.text
    assert [line["amount"] for line in answer.json()["lines"]] == PAYS
    # The token alone says what was charged, and credit is decided as ever.
    again = sold(till, time, "P2", quote=changed["token"], credit={"parts_credit": 10_000})
    assert (again.status_code, again.json()["total"]["amount"]) == (201, sum(PAYS))
    short = sold(till, time, "P3", quote=changed["token"], credit={"parts_credit": 95_950})
    assert code(short) == (409, "insufficient_credit")


def test_a_quote_covers_nothing_but_its_own_lines_member_and_time(till, time, changed):
    token, prices = changed["token"], PAYS
    lines = order()["lines"]
    other = [{**lines[0], "item": "F-200"}, *lines[1:]]
    assert code(sold(till, time, prices=prices, quote=token, lines=other)) == (409, "price_changed")
    assert code(sold(till, time, prices=[1, *prices[1:]], quote=token)) == (409, "price_changed")
    assert code(sold(till, time, prices=prices, quote=token[:-2] + "xx")) == (409, "price_changed")
    slip = slip_of(till)["token"]
    assert code(sold(till, time, prices=prices, quote=slip)) == (409, "price_changed")
    assert code(sold(till, time, prices=prices, quote=token, member="C2")) == (409, "price_changed")
    time.now += 15 * 60_000_000
    assert code(sold(till, time, prices=prices, quote=token)) == (409, "price_changed")
    for wrong in (5, "x" * 9_000, ["x"]):
        assert sold(till, time, prices=prices, quote=wrong).status_code == 422


# ---- the reference till -----------------------------------------------------------------------------------------


class Wire(httpx.BaseTransport):
    """A line to the service that can be cut, also after the request has gone through."""

    def __init__(self, till):
        self.till = till
        self.cut = False
        self.lose = False
        self.says = None
        self.after_quote = None

    def handle_request(self, request):
        if self.cut:
            raise httpx.ConnectError("the line is cut", request=request)
        if self.says is not None:
            return httpx.Response(self.says[0], json=self.says[1], request=request)
        answer = self.till.client.request(
            request.method, request.url.raw_path.decode(), content=request.read(), headers=dict(request.headers)
        )
        if self.after_quote is not None and request.url.path == "/v1/quotes":
            (self.after_quote, _) = (None, self.after_quote())
        if self.lose:
            self.lose = False
            raise httpx.ReadTimeout("the answer is lost", request=request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content, request=request)


@pytest.fixture
def counter(till, time, tmp_path, reference):
    wire = Wire(till)
    http = httpx.Client(transport=wire, base_url="http://till", headers=till.headers())
    made = reference.Till(http, "S01", tmp_path / "till.db", time.seconds)
    yield made, wire
    made.memory.close()
    http.close()


def parts(amount=101_000, **more):
    return [{"item": "滤芯", "category": "parts", "qty": 1, "list": amount, **more}]


def test_the_reference_till_sells_with_the_line_and_without_it(counter, till, time):
    machine, wire = counter
    machine.prepare("C1")
    assert "应付 959.50" in machine.sell("R1", "C1", parts())
    assert machine.waiting() == []
    wire.cut = True
    time.now += HOUR
    receipt = machine.sell("R2", "C1", parts(), credit=40_000)
    assert receipt[1:3] == ["配件款支付 400.00", "应付 559.50"]
    assert "配件款支付 100.00" in machine.sell("R3", "C1", parts(), credit=40_000)  # the slip's 500 yuan are used up
    assert "应付 1,010.00" in machine.sell("R4", "C2", parts())  # no slip: the list price
    assert "应付 1,010.00" in machine.sell("R5", "C1", parts(special=True))
    assert machine.waiting() == ["R2", "R3", "R4", "R5"]
    wire.cut = False
    assert machine.settle() == 4
    assert (machine.waiting(), machine.refused()) == ([], {})
    found = till.get("/v1/members/C1/balance").json()["wallets"]
    assert next(one for one in found if one["wallet"] == "parts_credit")["available"] == 50_000


def test_an_answer_that_was_lost_is_asked_for_again_and_nothing_is_doubled(counter, till, time):
    machine, wire = counter
    machine.prepare("C1")
    wire.cut = True
    machine.sell("R1", "C1", parts(), credit=10_000)
    wire.cut, wire.lose = False, True
    assert machine.settle() == 0
    assert machine.settle() == 1
    found = till.get("/v1/members/C1/balance").json()["wallets"]
    assert next(one for one in found if one["wallet"] == "parts_credit")["available"] == 90_000


def test_a_slip_that_is_over_revoked_or_forged_gives_nothing(counter, till, time):
    machine, _ = counter
    machine.prepare("C1")
    assert machine.slip("C1")["tier"] == "gold"
    number = machine.slip("C1")["jti"]
    time.now += 25 * HOUR
    assert machine.slip("C1") is None
    time.now -= 25 * HOUR
    token = machine._token("C1")
    machine.memory.execute("REPLACE INTO slip VALUES ('C3', ?)", (token,))
    assert machine.slip("C3") is None
    head, body, sign = token.split(".")
    machine.memory.execute("REPLACE INTO slip VALUES ('C1', ?)", (f"{head}.{body}.{sign[::-1]}",))
    assert machine.slip("C1") is None
    till.at("D1/admin").post(f"/v1/offline-allowances/{number}/revoke", {"reason": "卡丢了"})
    machine.prepare("C2")
    machine.memory.execute("REPLACE INTO slip VALUES ('C1', ?)", (token,))
    assert machine.slip("C1") is None


@pytest.mark.parametrize(("status", "code_"), [(401, "unauthenticated"), (409, "in_flight"), (429, "too_many")])
def test_what_is_not_decided_yet_stays_in_the_queue(counter, till, time, status, code_):
    """A key that ended while the line was down, the same sale under way, too many at once: no sale is given up."""
    machine, wire = counter
    machine.prepare("C1")
    wire.cut = True
    machine.sell("R1", "C1", parts())
    wire.cut, wire.says = False, (status, {"code": code_, "retryable": status != 401, "detail": "x"})
    assert "应付 959.50" in machine.sell("R2", "C1", parts())  # by the slip, as without a line
    assert machine.settle() == 0
    assert (machine.waiting(), machine.refused()) == (["R1", "R2"], {})
    wire.says = None
    assert (machine.settle(), machine.waiting(), machine.refused()) == (2, [], {})


def test_a_sale_that_is_refused_gets_no_receipt(counter, till, time):
    machine, wire = counter
    wire.after_quote = lambda: sold(till, time, "P9", credit={"parts_credit": 95_950})  # meanwhile, at the other till
    assert "没有成交" in machine.sell("R1", "C1", parts(200_000), credit=40_000)[0]
    assert list(machine.refused()) == ["R1"]


def histories(till):
    link = database.connect(till.book.url, readonly=True)
    try:
        tiers = link.ask(
            "SELECT m.code, t.at, t.tier, t.state FROM tier_change t JOIN member m ON m.id = t.member_id "
            "WHERE t.dealer_id = ?1 ORDER BY m.code, t.at, t.tier", till.book.dealer,
        ).rows()  # fmt: skip
        grants = link.ask(
            "SELECT m.code, e.event_key, e.rule, SUM(e.delta) FROM entry e JOIN member m ON m.id = e.member_id "
            "WHERE e.dealer_id = ?1 AND e.rule <> '' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3", till.book.dealer,
        ).rows()  # fmt: skip
        used = link.ask(
            "SELECT m.code, SUM(e.delta) FROM entry e JOIN member m ON m.id = e.member_id "
            "WHERE e.dealer_id = ?1 AND e.kind = 'use' GROUP BY 1 ORDER BY 1", till.book.dealer,
        ).rows()  # fmt: skip
        return ([tuple(map(str, row)) for row in found] for found in (tiers, grants, used))
    finally:
        link.rollback()
        link.close()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_five_hundred_late_sales_settle_in_any_order_to_the_same(
    sqlite_book_url, postgres_book_url, time, reference, tmp_path
):
    start, ends = time.now, []
    for place, url in enumerate((sqlite_book_url, postgres_book_url)):
        time.now = start
        with serving(url, time) as till:
            seen = random.Random(7)
            for member in ("C1", "C2", "C3"):
                fixed_gold(till, member, time)
            time.now += 1_000_000
            wire = Wire(till)
            machine = reference.Till(
                httpx.Client(transport=wire, base_url="http://till", headers=till.headers()),
                "S01", tmp_path / f"till{place}.db", time.seconds,
            )  # fmt: skip
            crowd = [f"C{number}" for number in range(1, 41)]
            more(till, crowd[4:])
            for member in crowd:
                machine.prepare(member)
            wire.cut = True
            for number in range(500):
                time.now += 120_000_000
                machine.sell(
                    f"R{number}", seen.choice((*crowd, *crowd[:3] * 3)), parts(seen.randint(1, 40) * 10_000),
                    credit=seen.choice((0, 0, 0, 20_000)),
                )  # fmt: skip
            wire.cut = False
            rows = machine.memory.execute("SELECT * FROM queue").fetchall()
            random.Random(place).shuffle(rows)
            machine.memory.execute("DELETE FROM queue")
            machine.memory.executemany("INSERT INTO queue VALUES (?, ?, ?, ?)", rows)
            assert machine.settle() == 500
            assert machine.refused() == {}
            ends.append([list(one) for one in histories(till)])
            machine.http.close()
            machine.memory.close()
    assert ends[0] == ends[1]
    assert ends[0][2], "credit was used"


def more(till, codes):
    link, ids = database.connect(till.book.url), Ids()
    new = [people.NewMember(one) for one in codes]
    transact(link, ids, lambda link, ids: people.create_members(link, ids, till.book.dealer, new, 0))
    link.close()


def fixed_gold(till, member, time):
    """Make a member gold at instants that do not depend on when the test runs a line."""
    real, test_api_book.moment = test_api_book.moment, lambda **ago: stamped(time, **ago)
    till.count += 100  # keys of its own for each member
    try:
        till.gold(member)
    finally:
        test_api_book.moment = real


def stamped(time, *, days=0, **_):
    return stamp(time.now - days * 24 * HOUR)
