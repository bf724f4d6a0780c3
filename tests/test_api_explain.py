"""How a member stood at any past instant, by what is known now and by what was known then."""

from __future__ import annotations

import json

import pytest

from api import member_shapes
from tests.test_api_book import Till, code, moment, order, serving
from tierengine import __main__ as program
from tierengine.store import database


@pytest.fixture
def till(book_url):
    with serving(book_url) as till:
        yield till


def explained(till: Till, **query: str) -> dict:
    asked = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in query.items())
    answer = till.get(f"/v1/members/C1/explain?{asked}")
    assert answer.status_code == 200, answer.text
    member_shapes.Explained.model_validate(answer.json(), extra="forbid")
    return answer.json()


def test_the_past_is_told_as_it_was_and_the_present_as_the_member_shows_it(till: Till):
    till.gold()
    now = explained(till)
    shown = till.get("/v1/members/C1").json()
    for part in ("standing", "next_tier", "traits", "lists", "tier_history"):
        assert now[part] == shown[part], part
    before = explained(till, at=moment(days=70))
    assert (before["standing"]["tier"], before["decisions"]) == ("customer", [])
    assert {one["id"] for one in before["traits"] if one["met"]} == set()
    between = explained(till, at=moment(days=59, hours=12))
    assert between["standing"]["tier"] == "member"
    assert between["next_tier"]["tier"] == "gold"
    assert {one["id"] for one in between["traits"] if one["met"]} == {"early_entrant"}


def test_by_what_was_known_then_nothing_had_happened_yet(till: Till):
    started = moment()
    till.gold()
    assert explained(till, at=moment(days=50))["standing"]["tier"] == "gold"
    known = explained(till, at=moment(days=50), known_at=started)
    assert (known["standing"]["tier"], known["decisions"], known["tier_history"]) == ("customer", [], [])


def test_decisions_are_told_as_they_were_stored_page_by_page(till: Till):
    till.gold()
    for number in range(3):
        till.post("/v1/sales", order(f"P{number}"))
    till.post("/v1/sales/P0/returns", {"source_id": "R0", "occurred_at": moment()})
    link = database.connect(till.book.url, readonly=True)
    stored = [
        tuple(row) for row in link.ask("SELECT id, event_key, rule, kind, wanted FROM decision ORDER BY id DESC").rows()
    ]
    link.close()
    told, cursor = [], ""
    while True:
        page = explained(till, limit="2", **({"cursor": cursor} if cursor else {}))
        told += [(one["id"], one["event"], one["rule"], one["kind"], one["amount"]) for one in page["decisions"]]
        if page["next"] is None:
            break
        cursor = str(page["next"])
    assert told == stored
    returned = next(one for one in explained(till)["decisions"] if one["kind"] == "return")
    assert returned["amount"] == 0
    assert returned["event"].startswith("order:S01:P0:")
    assert returned["caused_by"] == "till-S01:R0"
    assert returned["basis"]["sold"] > returned["basis"]["left"] == 0


def test_another_stores_order_is_told_without_its_number_or_what_it_was_made_on(till: Till):
    till.gold()
    till.post("/v1/sales", order())
    answer = till.at("D1/S02").get("/v1/members/C1/explain")
    assert {one["event"] for one in answer.json()["decisions"]} == {None}
    assert "S01" not in answer.text
    assert code(till.at("D1/S02").get("/v1/members/C9/explain")) == (404, "unknown_member")


@pytest.mark.parametrize(
    "at", ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00", "x", "0001-01-01T00:00:00%2B14:00"]
)
def test_an_instant_that_is_none_is_refused(till: Till, at):
    assert till.get(f"/v1/members/C1/explain?at={at}").status_code == 422


def test_a_quote_says_what_the_next_tier_takes(till: Till):
    above = till.post("/v1/quotes", order()).json()["next_tier"]
    assert above == till.get("/v1/members/C1").json()["next_tier"]
    assert above["tier"] == "member"
    till.gold()
    assert till.post("/v1/quotes", order()).json()["next_tier"] is None


def test_the_command_line_tells_the_same(till: Till, monkeypatch, capsys):
    till.gold()
    at = moment(days=50)
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", till.book.url)
    assert program.main(["--lang", "zh", "member", "explain", "C1", "--at", at, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    asked = explained(till, at=at)
    assert {name: told[name] for name in told if name != "known_at"} == {
        name: asked[name] for name in asked if name != "known_at"
    }
    assert program.main(["--lang", "zh", "member", "explain", "C1"]) == 0
    assert "金卡客户" in capsys.readouterr().out
