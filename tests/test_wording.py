"""Refusals as a cashier reads them: wallets by their titles, amounts in their units, in either tongue."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from rules.reader import read
from tests.test_api_book import Till, moment, serving
from tests.test_points_till import PAYING
from tierengine.errors import CATALOGUE, sentence
from tierengine.policies.wording import no_wallet, wallet_words

PARTS = {"item": "F-1", "category": "parts", "list": 300_000}


@pytest.fixture
def till(book_url):
    with serving(book_url, policy=PAYING) as till:
        till.gold()
        yield till


def sale(till: Till, credit: dict[str, int], at: str, lang: str, **more: object):
    order = {"member": "C1", "order": "W1", "occurred_at": at, "lines": [PARTS], "credit": credit}
    answer = till.post("/v1/sales", order, lang=lang, **more)
    assert answer.status_code == 409, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("credit", "zh", "en"),
    [
        (
            {"parts_credit": 150_000},
            "配件款：可用 ¥1,000.00，需要 ¥1,500.00。",
            "Parts credit: CN¥1,000.00 usable, CN¥1,500.00 wanted.",
        ),
        ({"points": 600}, "积分：可用 500 分，需要 600 分。", "Points: 500 points usable, 600 points wanted."),
        (
            {"points": 150},
            "积分：每次要用 100 分的整数倍，最多可付 14,200 分，需要 150 分。",
            "Points: in multiples of 100 points, 14,200 points at most; 150 points wanted.",
        ),
    ],
    ids=["money", "points", "blocks"],
)
def test_a_refused_sale_speaks_of_money_and_not_of_fen(till: Till, credit: dict[str, int], zh: str, en: str):
    at = moment()
    assert sale(till, credit, at, "zh", once="same")["detail"] == zh
    assert sale(till, credit, at, "zh", once="same")["detail"] == zh  # as it is stored with its key
    found = sale(till, credit, at, "en", once="same")
    assert found["detail"].lower() == en.lower()
    assert {"wallet", "unit", "wanted"} < set(found["details"])  # for programs: minor units, and of what
    assert found["details"]["wanted"] in credit.values()


def test_an_unknown_wallet_is_answered_with_those_there_are(till: Till):
    held = {"member": "C1", "order": "W2", "wallet": "配件", "amount": 100}
    assert till.post("/v1/holds", held).json()["detail"] == "没有钱包 配件，有：配件款(parts_credit)、积分(points)。"


def test_every_sentence_can_be_said_with_and_without_the_names_of_its_wallet():
    policy = read(PAYING, "club.yaml").policy
    assert policy is not None
    for wallet in policy.wallets.values():
        more = wallet_words(wallet, policy.currency)
        for code, text in CATALOGUE.items():
            details: dict[str, object] = dict.fromkeys(re.findall(r"{(\w+)}", text.zh + text.en), 7)
            for lang in ("zh", "en"):
                assert sentence(code, details, lang) == text.say(lang).format_map(details)
                named = sentence(code, {**details, **more}, lang)
                assert not [name for _, name, _, _ in Formatter().parse(named) if name]
    assert "配件款(parts_credit)" in no_wallet("x", policy.wallets).say("zh")
    assert no_wallet("x", policy.wallets).say("en").isascii()
