"""A member as he stands, told with every why in both languages; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules.judge import Explanation
from rules.policy import Subject, Text
from rules.reader import read
from tests.test_api_book import POLICY, Till, code, moment, order, serving
from tierengine.membership.asker import Asker
from tierengine.membership.reasons import Words, conditions_of, missing
from tierengine.membership.view import view
from tierengine.policies.versions import load
from tierengine.recording.recorder import clock
from tierengine.store.snapshots import reader, snapshot

DAY = 86_400_000_000


@pytest.fixture
def till(book_url):
    with serving(book_url) as till:
        yield till


def member(till: Till, name: str = "C1", query: str = "?lang=both") -> dict[str, Any]:
    answer = till.get(f"/v1/members/{name}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def later(till: Till, name: str, days: int) -> dict[str, Any]:
    """Return the member's view as of so many days from now."""
    link = reader(till.book.url)
    try:
        with snapshot(link):
            return view(link, load(link, till.book.dealer), name, clock() + days * DAY, Asker("", "zh"))
    finally:
        link.close()


def test_each_trait_says_why_or_why_not_in_both_languages(till: Till):
    till.gold()
    traits = {one["id"]: one for one in member(till)["traits"]}
    assert traits["early_entrant"]["met"] is True
    assert traits["early_entrant"]["why"] == {"zh": "有认定在有效期内", "en": "an attestation is in force"}
    assert traits["repeat_buyer"]["met"] is False
    assert traits["repeat_buyer"]["why"] == {
        "zh": "近 60 个月购机台数 1，需要 ≥ 2",
        "en": "machines bought 5y: 1, needs at least 2",
    }
    spend = traits["repeat_buyer"]["conditions"][2]["sentence"]
    assert spend["zh"] == "近 12 个月配件和修理净额 0 元，需要 ≥ 20,000 元"
    assert traits["growth_potential"]["why"]["zh"] == "配件修理租赁增长 没有记录，需要 ≥ 130%"


def test_one_language_is_told_when_one_is_asked_for(till: Till):
    zh = member(till, query="")["traits"][1]["why"]
    assert zh.startswith("近 60 个月")
    assert member(till, query="?lang=en")["traits"][1]["why"].isascii()
    answer = till.get("/v1/members/C1", accept_language="en-US,en;q=0.9,zh;q=0.8")
    assert answer.json()["traits"][1]["why"].isascii()


def test_the_next_tier_says_what_is_missing_and_which_traits_would_help(till: Till):
    above = member(till, "C2")["next_tier"]
    assert above["tier"] == "member"
    assert {one["sentence"]["zh"] for one in above["missing"]} == {
        "满足的特点 0，需要 ≥ 1",
        "购中型、大型机台数 0，需要 ≥ 1",
        "在本公司购机台数 0，需要 ≥ 2",
    }
    assert (above["traits"]["short"], len(above["traits"]["would_help"])) == (1, 7)
    till.gold()
    assert member(till)["next_tier"] is None


def test_what_excludes_from_the_next_tier_is_told_too(till: Till):
    till.event("segment_set", member="C2", segment="key_account", reason="招标")
    above = member(till, "C2")["next_tier"]
    assert above["excluded"] is True
    assert "客户分类 key_account，不得为 key_account" in {one["sentence"]["zh"] for one in above["missing"]}


def test_standing_history_lists_and_level(till: Till):
    till.gold()
    found = member(till)
    assert found["standing"]["tier"] == "gold"
    assert found["standing"]["level"]["id"] == "velcro"
    assert [(one["tier"], one["previous"], one["cause"]) for one in found["tier_history"]] == [
        ("gold", "member", "promoted"),
        ("member", "customer", "promoted"),
    ]
    assert found["tier_history"][0]["traits"] == ["early_entrant", "peer_influence"]
    till.event("attestation", member="C3", trait="early_entrant", stated_by="U1", stated_role="sales_manager",
               countersigned_by="U2", countersigned_role="leader", evidence="x")  # fmt: skip
    (listed,) = member(till, "C3")["lists"]
    assert listed["id"] == "one_short"
    assert "repeat_buyer" in listed["lacking"]


def test_the_rewards_of_the_last_event_say_why_and_why_not(till: Till):
    till.gold()
    last = member(till)["last_event"]
    assert last["kind"] == "purchase_settled"
    rewards = {one["rule"]: one for one in last["rewards"]}
    assert rewards["welcome_gift"]["why"] == {"zh": "得 1,000 元", "en": "earns CNY 1,000"}
    assert rewards["referral_ladder"]["code"] == "exclusive"
    assert rewards["points_tip"]["why"]["zh"] == "只在 提供信息 时给"


def test_the_rewards_of_a_return_are_told_as_taken_back(till: Till):
    till.gold()
    till.post("/v1/sales", order())
    till.post("/v1/sales/P1/returns", {"source_id": "R1", "occurred_at": moment()})
    last = member(till)["last_event"]
    assert last["kind"] == "sale_returned"
    assert {one["rule"]: one["code"] for one in last["rewards"]}["points_spend"] == "taken_back"


def test_a_member_of_whom_nothing_is_known_yet_is_told_too(till: Till):
    found = member(till, "C4")
    assert found["standing"]["tier"] == "customer"
    assert found["standing"]["since"] is None
    assert found["last_event"] is None
    assert found["tier_history"] == []
    assert {one["available"] for one in found["wallets"]} == {0}


def test_time_alone_moves_a_member_without_anything_being_recorded(till: Till):
    till.gold()
    until = datetime.fromisoformat(member(till)["standing"]["until"]).replace(tzinfo=UTC)
    ends = (until - datetime.now(UTC)).days
    assert later(till, "C1", ends - 2)["standing"]["state"] == "valid"
    # The attested traits hold for 36 and 24 months, so the first end is a renewal; after 24 months one is gone.
    renewed = later(till, "C1", ends + 5)["standing"]
    assert (renewed["tier"], renewed["state"]) == ("gold", "valid")
    grace = later(till, "C1", ends + 370)["standing"]
    assert (grace["tier"], grace["state"]) == ("gold", "grace")
    assert later(till, "C1", ends + 370 + 95)["standing"]["tier"] == "member"
    assert member(till)["standing"]["tier"] == "gold"


def test_a_lapsed_lot_is_gone_from_the_balance_before_anybody_posts_it(till: Till):
    till.gold()
    assert member(till)["wallets"][0]["available"] == 100_000
    gone = later(till, "C1", 800)["wallets"][0]
    assert (gone["available"], gone["usable"], gone["lots"]) == (0, 0, [])


def test_the_lots_say_their_last_day(till: Till):
    till.gold()
    (lot,) = member(till)["wallets"][0]["lots"]
    last = datetime.fromisoformat(lot["last_day"])
    assert (last + timedelta(days=1)).day == 1  # to the end of a month
    assert (lot["amount"], lot["remaining"], lot["rule"]) == (100_000, 100_000, "welcome_gift")


def test_nobody_is_told_of_a_member_who_is_not_there(till: Till):
    for path in ("", "/balance", "/ledger"):
        assert code(till.get(f"/v1/members/nobody{path}")) == (404, "unknown_member")


# ---- sentences, without a database ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def words() -> Words:
    policy = read(POLICY, "policies.yaml").policy
    assert policy is not None
    return Words(policy)


def told(subject: Subject, op: Any, required: Any, observed: Any, *, holds: bool = False) -> Explanation:
    return Explanation("test", holds, (), subject, op, required, observed)


@pytest.mark.parametrize(
    ("found", "negated", "zh", "en"),
    [
        (
            told(Subject("fact", "parts_spend_year"), "more_than", 12_345, -5),
            False,
            "当年配件净额 -0.05 元，需要 > 123.45 元",
            "parts spend year: CNY -0.05, needs more than CNY 123.45",
        ),
        (
            told(Subject("fact", "after_sales_growth"), "at_least", 13_050, 13_050, holds=True),
            False,
            "配件修理租赁增长 130.5%，达到 ≥ 130.5%",
            "after sales growth: 130.5%, which is at least 130.5%",
        ),
        (
            told(Subject("attribute", "overdue_days"), "more_than", 90, 91, holds=True),
            True,
            "逾期天数 91，不得 > 90",
            "overdue days: 91, must not be more than 90",
        ),
        (
            told(Subject("attribute", "entered_trade_on"), "at_most", 730_000, 733_000),
            False,
            "入行日期 2007-11-20，需要 ≤ 1999-09-03",
            "entered trade on: 2007-11-20, needs at most 1999-09-03",
        ),
        (
            told(Subject("attribute", "card_no"), "is_not", "", None),
            False,
            "卡号 没有记录，需要有记录",
            "card no: not on record, needs to be on record",
        ),
        (
            told(Subject("attribute", "birth_date"), "at_least", 1, 730_000, holds=True),
            True,
            "生日 1999-09-03，需要没有记录",
            "birth date: 1999-09-03, must not be on record",
        ),
        (
            told(Subject("tier"), "in", ("member", "gold"), "customer"),
            False,
            "等级 客户，需要属于 会员、金卡客户",
            "tier: Customer, needs one of Member, Gold-card member",
        ),
        (
            told(Subject("trait", "repeat_buyer"), "is", 1, 0),
            False,
            "与代理商交往较多，多次购买设备、购买配件的 否，需要为 是",
            "Deals with us often, and has bought machines and parts many times: no, needs yes",
        ),
        (
            told(Subject("field", "used"), "is", 1, None),
            True,
            "二手 没有记录，没有为 是",
            "used: not on record, which is not yes",
        ),
    ],
)
def test_a_test_is_said_in_both_languages(words: Words, found: Explanation, negated: bool, zh: str, en: str):
    assert words.test(found, negated=negated) == Text(zh, en)


def test_what_is_missing_of_a_condition_is_every_way_out_of_it():
    yes, no = (told(Subject("traits"), "at_least", 1, int(holds), holds=holds) for holds in (True, False))
    either = Explanation("any", holds=False, parts=(no, no))
    whole = Explanation("all", holds=False, parts=(yes, either, Explanation("none", holds=False, parts=(yes, no))))
    assert [(one.holds, negated) for one, negated in missing(whole)] == [(False, False), (False, False), (True, True)]
    assert len(list(conditions_of(whole))) == 5
