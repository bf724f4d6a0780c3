"""What a quote says of prices, credit, rewards and tiers, and why, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from tests.test_api_book import PAYS, Till, moment, order, rows, serving


@pytest.fixture
def till(book_url):
    with serving(book_url) as till:
        yield till


def quote(till: Till, query: str = "", **more: Any) -> dict[str, Any]:
    answer = till.post(f"/v1/quotes{query}", order(**more))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_each_line_has_its_price_and_the_rule_that_made_it(till: Till):
    till.gold()
    found = quote(till)
    assert [(line["amount"], line["rule"]) for line in found["lines"]] == [
        (95_950, "gold_price"),
        (38_000, "gold_price"),
        (50_000, None),
    ]


def test_every_price_says_why_or_why_not(till: Till):
    till.gold()
    reasons = {(one["line"], one["rule"]): one for one in quote(till)["prices"]}
    assert reasons[0, "gold_price"]["code"] == "applied"
    fuel = reasons[2, "gold_price"]
    assert (fuel["code"], fuel["condition"]["observed"]) == ("condition", "fuel")
    assert fuel["why"] == "类别 燃油，需要属于 配件、油品、工时、租赁"
    assert reasons[0, "member_price"]["why"] == "等级 金卡客户，需要 会员"
    special = quote(till, lines=[{"item": "F", "category": "parts", "list": 100, "special": True}])["prices"][0]
    assert special["why"] == "特价 是，不得为 是"


def test_whatever_fails_tells_what_was_observed_and_what_is_required(till: Till):
    """For every rule, not only where a condition of the language decides."""
    till.event("machine_purchase", member="C2", order="M2", serial="S2", size="medium", amount=1)
    found = quote(till, member="C2")
    told = {one["rule"]: one for one in (*found["prices"], *found["rewards"])}
    for one in told.values():
        if one["code"] in ("applied", "granted"):
            continue
        condition = one["condition"]
        assert condition["observed"] != condition["required"], one
        assert condition["sentence"] == one["why"]
        assert not condition["ok"]
    seen = {name: (one["code"], one["condition"]["observed"], one["condition"]["required"])
            for name, one in told.items() if "condition" in one}  # fmt: skip
    assert seen["gold_price"] == ("tier", "member", ["gold"])
    assert seen["points_tip"] == ("kind", ["parts_purchase", "repair_purchase"], ["tip"])
    small = quote(till, member="C2", lines=[{"item": "F", "category": "parts", "list": 299_900}])["prices"]
    condition = next(one["condition"] for one in small if one["rule"] == "member_price")
    assert (condition["observed"], condition["required"], condition["unit"]) == (299_900, 300_000, "money")


def test_a_price_that_needs_a_larger_order_says_so(till: Till):
    till.event("machine_purchase", member="C2", order="M2", serial="S2", size="medium", amount=1)
    lines = [{"item": "F", "category": "parts", "list": 299_900}]
    reasons = {one["rule"]: one for one in quote(till, member="C2", lines=lines)["prices"]}
    assert reasons["member_price"]["code"] == "minimum_order"
    assert reasons["member_price"]["why"] == "要满 3,000 元，现有 2,999 元"
    lines[0]["list"] = 300_000
    assert quote(till, member="C2", lines=lines)["total"]["amount"] == 294_000


def test_usable_credit_is_what_the_wallet_has_and_may_pay(till: Till):
    till.gold()
    (credit,) = quote(till)["credit"]
    assert credit == {
        "wallet": "parts_credit",
        "unit": "CNY",
        "available": 100_000,
        "usable": 95_950,
        "usable_worth": 95_950,
        "used": 0,
        "used_worth": 0,
        "suspended": False,
    }
    assert quote(till, credit="max")["total"]["cash"] == sum(PAYS) - 95_950
    till.event("overdue_changed", member="C1", overdue_days=31)
    (credit,) = quote(till, credit="max")["credit"]
    assert (credit["usable"], credit["used"], credit["suspended"]) == (0, 0, True)


def test_what_it_would_earn_counts_only_the_cash(till: Till):
    till.gold()
    assert {one["rule"]: one["amount"] for one in quote(till)["earns"] if one["amount"] == 95} == {"points_spend": 95}
    assert sum(one["amount"] for one in quote(till, credit="max")["earns"]) == 38


def test_every_reward_says_why_or_why_not(till: Till):
    till.gold()
    rewards = {one["rule"]: one for one in quote(till)["rewards"]}
    assert rewards["points_spend"]["code"] == "granted"
    assert rewards["points_spend"]["amount"] == 95 + 38
    assert rewards["welcome_gift"]["why"] == "只在 货款到位 时给"
    small = quote(till, lines=[{"item": "x", "category": "parts", "list": 500}])
    assert {one["rule"]: one["code"] for one in small["rewards"]}["points_spend"] == "too_little"
    customer = quote(till, member="C3")
    assert {one["rule"]: one["why"] for one in customer["rewards"]}["points_spend"] == "等级 客户，需要 会员、金卡客户"
    fuel = quote(till, lines=[{"item": "x", "category": "fuel", "list": 50_000}])
    assert {one["rule"]: one["code"] for one in fuel["rewards"]}["points_spend"] == "where"


def test_the_tier_before_and_after_is_told(till: Till):
    # Twelve thousand yuan of parts a year ago, thirteen now: growth of exactly 130 %.
    desk = till.at("D1/archivist")
    for days, amount in ((380, 1_000_000), (30, 1_299_900)):
        lines = [{"item": "A", "category": "parts", "qty": 1, "amount": amount}]
        said = {"member": "C2", "store": "S01", "order": f"O{days}", "lines": lines}
        assert desk.event("parts_purchase", occurred_at=moment(days=days), **said).status_code == 201
    before = quote(till, member="C2", lines=[{"item": "A", "category": "parts", "list": 99}])
    assert before["tier"] == {"before": "customer", "after": "customer"}
    after = quote(till, member="C2", lines=[{"item": "A", "category": "parts", "list": 100}])
    assert after["tier"] == {"before": "customer", "after": "member"}


def test_the_receipt_is_ready_to_print_in_both_languages(till: Till):
    till.gold()
    receipt = quote(till, credit="max")["receipt"]
    assert receipt["zh"] == [
        "F-100 × 1  1,010.00  金卡九五折 -50.50  959.50",
        "L-1 × 2  400.00  金卡九五折 -20.00  380.00",
        "D-0 × 1  500.00  500.00",
        "配件款 支付 959.50",
        "应付 880.00",
        "本单得 积分 38 分",
    ]
    assert receipt["en"][0] == "F-100 × 1  1,010.00  Gold card pays 95% -50.50  959.50"
    assert receipt["en"][-2:] == ["To pay 880.00", "Earns Points 38 points"]


def test_reasons_may_be_left_out_and_everything_else_stays(till: Till):
    till.gold()
    whole, short = quote(till), quote(till, "?explain=none")
    assert {"next_tier", "prices", "rewards"} == whole.keys() - short.keys()
    for name in ("lines", "total", "credit", "tier"):
        assert whole[name] == short[name]


def test_reasons_may_be_left_out_for_whoever_has_nothing_yet(till: Till):
    body = {"member": "C1", "lines": [{"item": "x", "category": "parts", "list": 500}]}
    whole, short = (till.post(f"/v1/quotes?explain={how}", body).json() for how in ("rules", "none"))
    assert (short["credit"], short["total"]) == (whole["credit"], whole["total"])


@pytest.mark.parametrize("asked", ["explain=all", "explain=", "lang=fr", "explain=none&lang=ZH"])
def test_a_quote_asked_how_nobody_can_is_refused(till: Till, asked):
    answer = till.post(
        f"/v1/quotes?{asked}", {"member": "C1", "lines": [{"item": "x", "category": "parts", "list": 1}]}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_parameter")
    wrong = "explain" if asked in ("explain=all", "explain=") else "lang"
    assert [one["pointer"] for one in answer.json()["errors"]] == [f"#/query/{wrong}"]


def test_a_quote_needs_no_number_and_no_time_and_leaves_no_trace(till: Till):
    before = rows(till.book)
    body = {"member": "C1", "lines": [{"item": "x", "category": "parts", "list": 500}]}
    assert till.post("/v1/quotes", body).status_code == 200
    assert rows(till.book) == before


@pytest.mark.parametrize("history", [3, 12])
def test_a_long_history_is_asked_and_a_short_one_read_and_both_say_the_same(till: Till, monkeypatch, history):
    till.gold()
    for number in range(history):
        till.post("/v1/sales", order(f"H{number}", prices=PAYS))
    read = quote(till, credit="max"), till.get("/v1/members/C1?lang=both").json()
    monkeypatch.setattr("tierengine.membership.known.WHOLE", 0)
    asked = quote(till, credit="max"), till.get("/v1/members/C1?lang=both").json()
    for one in (*read, *asked):
        del one["as_of"]  # the two were asked a moment apart; prices_until and the token say until when
        for instant in ("prices_until", "token"):
            one.pop(instant, None)
        for earned in one.get("earns", ()):
            del earned["usable_from"]
    assert asked == read
