"""Logging in and out, keys and logins over HTTP, limits: as the staff, and as somebody who should not be here."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from api.limits import TRIES_OF_A_LOGIN, Buckets
from tests.keys import acting
from tests.test_api_book import Book, Till, code, opened, order, serving
from tierengine.access import passwords, staff
from tierengine.errors import Malformed, Refused
from tierengine.store import database, migrating
from tierengine.store.ids import Ids, transact

PASSWORD = "correct horse 电池 staple"
# Hashing takes its time on purpose; here once is enough.
DIGEST = passwords.hashed(PASSWORD)
NOW = 1_700_000_000_000_000


@pytest.fixture
def hour():
    """A clock that a test may put forward, in microseconds."""
    return [NOW + 800 * 86_400_000_000]


def with_staff(book: Book, *logins: tuple[str, str]) -> Book:
    link = database.connect(book.url)
    for login, role in logins:
        transact(link, Ids(), lambda link, ids, login=login, role=role: staff.add(
            acting(link, ids, book.dealer, NOW), login, DIGEST, (role,)
        ))  # fmt: skip
    link.close()
    return book


@pytest.fixture
def till(book_url):
    book = with_staff(Book(book_url).make(), ("wang", "admin"), ("li", "auditor"), ("zhao", "sales_manager"))
    with opened(book) as till:
        yield till


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """One service for what changes nothing."""
    url = f"sqlite:///{tmp_path_factory.mktemp('here') / 'book.db'}"
    migrating.migrate(url)
    with opened(with_staff(Book(url).make(), ("wang", "admin"))) as till:
        yield till


def log_in(till: Till, login: str, password: str = PASSWORD):
    return till.client.post("/v1/sessions", json={"login": login, "password": password})


def of(till: Till, login: str) -> Till:
    """The same client, logged in."""
    answer = log_in(till, login)
    assert answer.status_code == 201, answer.text
    till.book.keys[login] = answer.json()["token"]
    return till.at(login)


# ---- sessions ---------------------------------------------------------------------------------------------------


def test_somebody_logs_in_does_his_work_and_logs_out(till: Till):
    answer = log_in(till, "ＷＡＮＧ", "correct horse 电池　staple")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["login"], told["roles"], told["store"], told["idle_minutes"]) == ("wang", ["admin"], None, 30)
    assert told["token"].startswith("ts_")
    wang = of(till, "wang")
    assert wang.get("/v1/sessions/current").json()["actor"] == "staff:wang"
    assert wang.get("/v1/members/C1").status_code == 200
    assert till.client.request("DELETE", "/v1/sessions/current", headers=wang.headers()).status_code == 204
    assert code(wang.get("/v1/members/C1")) == (401, "unauthenticated")
    acts = [line["act"] for line in of(till, "li").get("/v1/audit").json()["lines"]]
    assert acts[:3] == ["session.open", "session.close", "session.open"]


def test_of_a_session_only_an_hmac_is_kept(till: Till):
    token = log_in(till, "wang").json()["token"]
    link = database.connect(till.book.url, readonly=True)
    kept = str([link.ask(f"SELECT * FROM {table}").rows() for table in ("staff_session", "staff", "audit")])
    link.rollback()
    link.close()
    assert token.split("_")[1] in kept
    for told in (token, token.split("_")[2], token.split("_")[2][:16], PASSWORD):
        assert told not in kept
    assert "$argon2id$" in kept


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("wang", "wrong"),
        ("nobody", PASSWORD),
        ("wang'--", PASSWORD),
        ("w", PASSWORD),
        ("wang", PASSWORD + "x"),
        ("\u202e", "x"),
    ],
)
def test_a_wrong_log_in_tells_nothing(here: Till, login, password):
    assert code(log_in(here, login, password)) == (401, "log_in_failed")


@pytest.mark.parametrize("body", [{}, {"login": 1, "password": "x"}, {"login": "a", "password": "b", "more": 1}, []])
def test_a_malformed_log_in_is_told_its_form_and_never_its_password(here: Till, body):
    answer = here.client.post("/v1/sessions", json=body)
    assert answer.status_code == 422
    secret = here.client.post("/v1/sessions", json={"login": ["x"], "password": ["hunter2hunter2"]})
    assert "hunter2" not in secret.text


def test_after_five_failures_a_login_waits_longer_each_time(book_url, hour):
    with opened(with_staff(Book(book_url).make(), ("wang", "admin")), now=lambda: hour[0]) as till:
        for _ in range(5):
            assert code(log_in(till, "wang", "wrong")) == (401, "log_in_failed")
        waits = log_in(till, "wang")
        assert code(waits) == (429, "too_many_log_ins")
        first = int(waits.headers["retry-after"])
        assert 25 <= first <= 31
        hour[0] += first * 1_000_000
        assert code(log_in(till, "wang", "wrong")) == (401, "log_in_failed")
        second = int(log_in(till, "wang").headers["retry-after"])
        assert second > first + 20
        hour[0] += second * 1_000_000
        assert log_in(till, "wang").status_code == 201
        assert code(log_in(till, "wang", "wrong")) == (401, "log_in_failed")
        assert log_in(till, "wang").status_code == 201  # the count began anew


def test_a_login_that_is_not_there_is_limited_like_one_that_is(sqlite_book_url, monkeypatch):
    with serving(sqlite_book_url) as till:
        monkeypatch.setattr("throttled.utils.now_mono_f", lambda: 1.0)
        answers = [log_in(till, "nobody", "x").status_code for _ in range(TRIES_OF_A_LOGIN + 1)]
        assert answers == [401] * TRIES_OF_A_LOGIN + [429]


@pytest.mark.parametrize(("step", "count", "lives"), [(29 * 60, 4, True), (32 * 60, 1, False), (29 * 60, 26, False)])
def test_a_session_is_over_when_idle_and_at_its_end(book_url, hour, monkeypatch, step, count, lives):
    monkeypatch.setattr("api.keys.REMEMBERED_SECONDS", 0.0)
    with opened(with_staff(Book(book_url).make(), ("wang", "admin")), now=lambda: hour[0]) as till:
        wang = of(till, "wang")
        service = till.client.app.state.tierengine
        answer = None
        for _ in range(count):
            hour[0] += step * 1_000_000
            answer = wang.get("/v1/sessions/current")
            till.client._run(service.keys._note(service.writer))
        assert answer is not None
        assert (answer.status_code == 200) is lives, answer.text


def test_a_disabled_login_and_a_changed_password_end_its_sessions(till: Till, monkeypatch):
    monkeypatch.setattr("api.keys.REMEMBERED_SECONDS", 0.0)
    admin, zhao, li = of(till, "wang"), of(till, "zhao"), of(till, "li")
    assert admin.post("/v1/staff/zhao/disable", {}).status_code == 200
    assert admin.post("/v1/staff/li/password", {"password": "another 密码 of hers"}).status_code == 200
    for one in (zhao, li):
        assert code(one.get("/v1/sessions/current")) == (401, "unauthenticated")
    assert code(log_in(till, "zhao")) == (401, "log_in_failed")
    assert code(log_in(till, "li")) == (401, "log_in_failed")
    assert log_in(till, "li", "another 密码 of hers").status_code == 201
    assert code(admin.post("/v1/staff/wang/disable", {})) == (409, "last_admin")
    assert code(admin.post("/v1/staff/zhao/disable", {})) == (404, "unknown_login")


# ---- keys and logins --------------------------------------------------------------------------------------------


def test_an_admin_makes_rotates_and_revokes_keys(till: Till, monkeypatch):
    monkeypatch.setattr("api.keys.REMEMBERED_SECONDS", 0.0)
    admin = of(till, "wang")
    made = admin.post("/v1/keys", {"roles": ["pos"], "store": "S01", "name": "前台", "days": 30})
    assert made.status_code == 201, made.text
    till.book.keys["old"] = made.json()["key"]
    prefix = made.json()["prefix"]
    new = admin.post(f"/v1/keys/{prefix}/rotate", {"keep_hours": 24}).json()
    till.book.keys["new"] = new["key"]
    for name in ("old", "new"):
        assert till.at(name).post("/v1/sales", order(f"O-{name}")).status_code == 201
    assert admin.post(f"/v1/keys/{prefix}/revoke", {}).status_code == 200
    assert code(till.at("old").get("/v1/members/C1")) == (401, "unauthenticated")
    assert till.at("new").get("/v1/members/C1").status_code == 200
    listed = {one["prefix"]: one for one in admin.get("/v1/keys").json()["keys"]}
    assert listed[prefix]["state"] == "revoked"
    assert listed[new["prefix"]]["name"] == "前台"
    # (The new one has what was left of the thirty days, and no more.)
    made_at = datetime.fromisoformat(listed[prefix]["created_at"])
    assert datetime.fromisoformat(listed[new["prefix"]]["expires_at"]) - made_at == timedelta(days=30)
    assert datetime.fromisoformat(listed[prefix]["expires_at"]) - made_at < timedelta(hours=25)
    assert made.json()["key"] not in admin.get("/v1/keys").text
    assert code(admin.post(f"/v1/keys/{prefix}/revoke", {})) == (404, "unknown_key")


def test_what_was_sent_with_a_key_is_the_same_sent_again_with_its_successor(till: Till):
    """A lost reply, and the key rotated before the retry: one effect, and the stored bytes."""
    till.gold()
    admin = of(till, "wang")
    prefix = till.book.keys["D1/sales_manager"][3:15]
    given = {"wallet": "parts_credit", "amount": 700, "reason": "x", "by": "wang"}
    first = till.at("D1/sales_manager").post("/v1/members/C1/adjustments", given, once="K1")
    assert first.status_code == 201, first.text
    much = {**given, "amount": -100_000_000}
    refused = till.at("D1/sales_manager").post("/v1/members/C1/adjustments", much, once="K2")
    assert refused.status_code == 409, refused.text
    for _ in range(2):  # rotated, and rotated again
        made = admin.post(f"/v1/keys/{prefix}/rotate", {"keep_hours": 1}).json()
        till.book.keys["new"], prefix = made["key"], made["prefix"]
        again = till.at("new").post("/v1/members/C1/adjustments", given, once="K1")
        assert (again.headers.get("idempotent-replayed"), again.content) == ("true", first.content)
        no = till.at("new").post("/v1/members/C1/adjustments", much, once="K2")
        assert (no.headers.get("idempotent-replayed"), no.content) == ("true", refused.content)
        assert code(till.at("new").post("/v1/members/C1/adjustments", {**given, "amount": 1}, once="K1"))[0] == 422
    other = admin.post("/v1/keys", {"roles": ["sales_manager"]}).json()["key"]
    till.book.keys["other"] = other
    own = till.at("other").post("/v1/members/C1/adjustments", {**given, "amount": 5}, once="K1")
    assert own.status_code == 201, "a key of its own has idempotency keys of its own"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/keys", {"roles": ["pos"]}),
        ("/v1/keys", {"roles": []}),
        ("/v1/keys", {"roles": ["boss"]}),
        ("/v1/keys", {"roles": ["auditor"], "days": 0}),
        ("/v1/keys", {"roles": ["auditor"], "days": True}),
        ("/v1/keys", {"roles": ["auditor"], "name": "a\u202eb"}),
        ("/v1/keys/xyz/revoke", {}),
        ("/v1/staff", {"login": "new", "password": "short", "roles": ["pos"]}),
        ("/v1/staff", {"login": "a b", "password": PASSWORD, "roles": ["pos"]}),
    ],
)
def test_what_cannot_be_is_told_by_its_pointer(here: Till, path, body):
    answer = of(here, "wang").post(path, body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"]
    assert str(body.get("password", "-- --")) not in answer.text


def test_a_login_is_added_once_and_belongs_to_its_store(till: Till):
    admin = of(till, "wang")
    new = {"login": "Chen", "password": "long enough 密码", "roles": ["pos"], "store": "S02", "name": "陈"}
    assert admin.post("/v1/staff", new).status_code == 201
    assert code(admin.post("/v1/staff", new)) == (409, "login_taken")
    assert code(admin.post("/v1/staff", {**new, "login": "x2", "store": "S9"})) == (404, "unknown_store")
    assert log_in(till, "chen", "long enough 密码").json()["store"] == "S02"
    listed = {one["login"]: one for one in admin.get("/v1/staff").json()["staff"]}
    assert (listed["chen"]["store"], listed["chen"]["name"]) == ("S02", "陈")


def test_who_belongs_to_one_store_manages_nobody(till: Till):
    admin = of(till, "wang")
    made = admin.post("/v1/keys", {"roles": ["admin", "pos", "auditor"], "store": "S01"}).json()
    till.book.keys["local"] = made["key"]
    local = till.at("local")
    for path in ("/v1/keys", "/v1/staff", "/v1/audit"):
        assert code(local.get(path)) == (403, "forbidden")
    assert code(local.post("/v1/keys", {"roles": ["admin"]})) == (403, "forbidden")
    assert code(local.post(f"/v1/keys/{made['prefix']}/revoke", {})) == (403, "forbidden")


def test_another_dealers_keys_logins_and_audit_are_not_there(book_url):
    with serving(book_url, others=True) as till:
        mine, other = till.at("D1/admin"), till.at("D2/admin")
        made = mine.post("/v1/keys", {"roles": ["auditor"]}).json()
        assert mine.post("/v1/stores", {"store": "S77", "name": "分店"}).status_code == 201
        theirs = {"roles": ["pos"], "store": "S77"}
        assert code(other.post("/v1/keys", theirs)) == (404, "unknown_store")
        assert mine.post("/v1/keys", theirs).status_code == 201
        added = {"login": "chen", "password": "long enough 密码", "roles": ["pos"]}
        assert mine.post("/v1/staff", added).status_code == 201
        for path, missing in (
            (f"/v1/keys/{made['prefix']}/revoke", "unknown_key"),
            (f"/v1/keys/{made['prefix']}/rotate", "unknown_key"),
            ("/v1/staff/chen/disable", "unknown_login"),
        ):
            assert code(other.post(path, {})) == (404, missing)
        assert code(other.post("/v1/staff/chen/password", {"password": PASSWORD})) == (404, "unknown_login")
        assert made["prefix"] not in other.get("/v1/keys").text
        assert other.get("/v1/staff").json() == {"staff": []}
        assert {line["subject"] for line in other.get("/v1/audit").json()["lines"]}.isdisjoint(
            {f"key:{made['prefix']}", "staff:chen"}
        )


def test_the_audit_is_read_page_by_page(till: Till):
    admin = of(till, "wang")
    for number in range(5):
        assert admin.post("/v1/keys", {"roles": ["auditor"], "name": f"k{number}"}).status_code == 201
    auditor, seen, cursor = of(till, "li"), [], ""
    while True:
        page = auditor.get("/v1/audit?limit=2" + (f"&cursor={cursor}" if cursor else "")).json()
        seen += [line["id"] for line in page["lines"]]
        if not page["next"]:
            break
        cursor = page["next"]
    assert len(seen) == len(set(seen)) == len(auditor.get("/v1/audit?limit=200").json()["lines"])
    mine = auditor.get("/v1/audit?actor=staff:wang&limit=200").json()["lines"]
    assert {line["act"] for line in mine} == {"session.open", "key.create"}
    assert all(line["request_id"] for line in mine)
    assert code(auditor.get("/v1/audit?cursor=x"))[0] == 422
    assert code(auditor.get("/v1/audit?actor=%00"))[0] == 422


def test_the_first_admin_is_made_once(book_url):
    book = Book(book_url).make()
    link = database.connect(book.url)
    for attempt in range(2):

        def first(link, ids):
            return staff.add_first(acting(link, ids, book.dealer, NOW), f"boss{attempt}", DIGEST)  # noqa: B023

        if attempt:
            with pytest.raises(Refused, match="admin"):
                transact(link, Ids(), first)
        else:
            transact(link, Ids(), first)
    assert [one.login for one in staff.every(link, book.dealer)] == ["boss0"]
    link.rollback()
    link.close()


@pytest.mark.parametrize("password", ["short", "x" * 300, "aaaaaaaaaaaaaaaa", "my-wang-password", "　" * 20])
def test_an_easy_password_is_refused(password):
    with pytest.raises(Malformed):
        passwords.hashed(password, "wang")


# ---- limits -----------------------------------------------------------------------------------------------------


@pytest.fixture
def now(monkeypatch):
    """Seconds, as the buckets read them."""
    seconds = [1000.0]
    monkeypatch.setattr("throttled.utils.now_mono_f", lambda: seconds[0])
    return seconds


def test_a_bucket_gives_its_minute_at_once_and_then_flows_evenly(now):
    bucket = Buckets("key", 60)
    assert [bucket.take("a") for _ in range(60)] == list(range(59, -1, -1))
    for _ in range(3):
        with pytest.raises(Exception, match="too_many_requests"):
            bucket.take("a")
    assert bucket.take("b") == 59
    now[0] += 1.0
    assert bucket.take("a") == 0
    now[0] += 120
    assert bucket.take("a") == 59


def test_a_bucket_that_is_forgiven_is_full(now):
    bucket = Buckets("login", 3)
    assert [bucket.take("a") for _ in range(3)] == [2, 1, 0]
    bucket.forgive("a")
    bucket.forgive("never seen")
    assert [bucket.take("a") for _ in range(3)] == [2, 1, 0]
    with pytest.raises(Exception, match="too_many_requests"):
        bucket.take("a")


@pytest.mark.parametrize("quota", [1, 7, 600, 60_000])
def test_a_bucket_holds_its_quota_whatever_part_of_a_second_each_takes(now, quota):
    bucket = Buckets("key", quota)
    now[0] = 123_456.789
    for left in range(quota - 1, -1, -1):
        assert bucket.take("a") == left
        now[0] += 1e-8  # (no two requests are at the same instant; what is lost in adding fractions is less than that)
    with pytest.raises(Exception, match="too_many_requests"):
        bucket.take("a")


def test_a_bucket_never_lets_more_through_than_two_quotas_in_any_minute(now):
    passed = []
    bucket = Buckets("key", 30)
    for step in range(4_000):
        now[0] = step * 0.05
        try:
            bucket.take("a")
        except Exception:  # noqa: BLE001, S112
            continue
        passed.append(now[0])
    most = max(sum(1 for one in passed if start <= one < start + 60) for start in passed)
    assert 30 <= most <= 60
    assert len(passed) <= 30 + 200 / 2 + 1


def test_many_buckets_do_not_grow_without_end(monkeypatch, now):
    monkeypatch.setattr("api.limits.BUCKETS_MOST", 100)
    bucket = Buckets("member", 60)
    for number in range(1_000):
        bucket.take(number)
        bucket.take("asks all the time")
        now[0] += 1
    kept = [number for number in range(1_000) if bucket._kept.exists(f"member:v1:gcra:{number}")]
    assert kept == list(range(901, 1_000))
    assert bucket._kept.exists("member:v1:gcra:asks all the time")


@pytest.mark.parametrize("named", ["key", "store", "member"])
def test_too_many_requests_are_told_when_to_come_again(sqlite_book_url, named):
    with serving(sqlite_book_url, **{f"limit_{named}": 3}) as till:
        for _ in range(3):
            answer = till.post("/v1/quotes", order())
            assert answer.status_code == 200, answer.text
        refused = till.post("/v1/quotes", order(), lang="en")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
        assert refused.json()["retryable"] is True
        assert refused.json()["details"]["limit"] == named
        assert 15 <= int(refused.headers["retry-after"]) <= 21
        assert till.at("D1/S02").post("/v1/quotes", order(member="C2")).status_code == 200
        assert (till.get("/v1/members/C1").status_code == 429) is True
        if named == "key":
            assert refused.headers["ratelimit-policy"] == answer.headers["ratelimit-policy"] == '"key";q=3;w=60'
            assert answer.headers["ratelimit"] == '"key";r=0;t=60'


def test_without_limits_no_headers_speak_of_them(sqlite_book_url):
    with serving(sqlite_book_url) as till:
        assert "ratelimit" not in till.get("/v1/members/C1").headers
