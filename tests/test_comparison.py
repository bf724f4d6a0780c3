"""What differs between two policies: values, not words, layout or order."""

from pathlib import Path

import pytest

from rules.comparison import differences
from rules.formatting import translated

SMALL = (Path(__file__).parent / "policies" / "small.yaml").read_text(encoding="utf-8")
SHIPPED = (Path(__file__).parents[1] / "policies.yaml").read_text(encoding="utf-8")


def changed(old, new, lang="en", text=SMALL):
    assert text.count(old) == 1
    return [(one.path, one.before, one.after) for one in differences(text, text.replace(old, new), lang)]


@pytest.mark.parametrize("text", [SMALL, SHIPPED], ids=["small", "shipped"])
def test_the_other_tongue_says_the_same(text):
    assert differences(text, translated(text, "en"), "zh") == []
    assert differences(translated(text, "zh"), text, "en") == []


def test_layout_comments_and_order_are_no_difference():
    block = SMALL.replace("  key_account: velcro\n", "  # who is it\n\n  'key_account':    velcro\n")
    assert differences(SMALL, block, "en") == []


def test_a_number_is_named_by_its_place():
    assert changed("2-3: 1500 CNY", "2-3: 1200 CNY") == [
        (("rewards", "machine_ladder", "nth", "2-3"), "1500 CNY", "1200 CNY")
    ]


def test_a_tier_is_found_by_its_id_wherever_it_stands_now():
    assert changed("traits: {at_least: 2}, machines", "traits: {at_least: 3}, machines", "zh") == [
        (("等级", "gold", "满足", "特点", "不低于"), "2", "3")
    ]


def test_the_title_is_the_items_in_the_readers_tongue():
    text = SMALL.replace("pay: 95折", "pay: 9折")
    assert [differences(SMALL, text, lang)[0].title for lang in ("zh", "en")] == [
        "金卡九五折",
        "Gold members pay 95 percent",
    ]


def test_what_is_new_and_what_is_gone():
    text = SMALL.replace("    clawback: debt\n", "").replace("late: {till: 7 days", "late: {web: 1 day, till: 7 days")
    found = [(one.path, one.before, one.after) for one in differences(SMALL, text, "en")]
    assert found == [
        (("late", "web"), None, "1 day"),
        (("wallets", "parts_credit", "clawback"), "debt", None),
    ]


def test_elements_without_an_id_are_compared_by_their_places_where_there_are_as_many():
    [(path, before, _)] = changed("20000 CNY", "3 万元")
    assert path == ("traits", "repeat_buyer", "when", "any", "[2]", "parts_spend_12m", "at_least")
    assert before == "20000 CNY"
    old = "{any: [{machines_bought: {at_least: 2}}, "
    [(path, *_)] = changed(old, old.replace("[", "[{contacts_12m: {at_least: 9}}, "))
    assert path == ("traits", "repeat_buyer", "when", "any")
