"""What a source may say, how it may say it, and under which key it is known."""

import json
from string import Formatter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.vocabulary import COMMON, FIELDS, KINDS
from tierengine.errors import CATALOGUE, Malformed
from tierengine.judging.observations import body, content_hash, from_body, read_observation

CHINA = ZoneInfo("Asia/Shanghai")
NOW = 1_772_337_600_000_000  # 2026-03-01 12:00 in China


def read(raw, *, source="till", store="S1", late_days=7, now_us=NOW):
    return read_observation(
        raw, source=source, store=store, now_us=now_us, zone=CHINA, late_days=late_days, currency="CNY"
    )


def wrong(raw, **more) -> dict[str, str]:
    """The errors of `raw`: pointer → code."""
    with pytest.raises(Malformed) as refusal:
        read(raw, **more)
    return {error.pointer: error.code for error in refusal.value.errors}


def sale(**more):
    line = {"item": "A1", "category": "parts", "qty": 2, "amount": 20_000, "list": 21_000}
    return {
        "kind": "parts_purchase", "member": "M1", "occurred_at": "2026-03-01T10:00:00+08:00", "order": "4711",
        "lines": [line], **more,
    }  # fmt: skip


def contact(**more):
    return {
        "kind": "contact", "member": "M1", "occurred_at": "2026-03-01T10:00:00+08:00", "source_id": "c1",
        "channel": "visit", "direction": "ours", **more,
    }  # fmt: skip


def event(kind, **fields):
    return {"kind": kind, "occurred_at": "2026-03-01T10:00:00+08:00", "source_id": "x1", **fields}


# ---- keys and clusters --------------------------------------------------------------------------------------------


def test_a_sale_has_one_key_whatever_the_channel():
    till, erp = read(sale(staff="w1")), read(sale(source_id="77", staff="w1"), source="erp")
    assert till.key == erp.key == "order:S1:4711:parts_purchase"
    assert till.cluster == "order:S1:4711"
    assert content_hash(till) == content_hash(erp)


def test_all_else_is_known_by_its_source_and_id():
    seen = read(contact())
    assert (seen.key, seen.cluster, seen.source_id) == ("till:c1", "till:c1", "c1")
    assert wrong(contact(source_id=None)) == {"/source_id": "missing"}


@pytest.mark.parametrize(
    ("raw", "cluster"),
    [
        (event("sale_returned", order="4711"), "order:S1:4711"),
        (event("machine_returned", order="4711", reason="repossessed"), "order:S1:4711"),
        (event("submission_accepted", accepts="c9", accepted_by="w2"), "till:c9"),
        (event("submission_accepted", accepts="crm:c9", accepted_by="w2"), "crm:c9"),
        (event("attestation_withdrawn", attestation="crm:a1"), "crm:a1"),
        (event("repair_step", request="r1", step="fixed"), "till:r1"),
        (event("complaint_step", complaint="k1", step="closed"), "till:k1"),
    ],
)
def test_what_names_another_event_stands_in_its_cluster_and_needs_no_member(raw, cluster):
    seen = read(raw)
    assert (seen.key, seen.cluster, seen.member) == ("till:x1", cluster, "")


def test_a_purchase_names_its_referral_without_leaving_its_order():
    raw = event("machine_purchase", order="9", amount=5, member="M1", referral="bb-1")
    seen = read(raw)
    assert seen.fields["referral"] == "till:bb-1"
    assert seen.cluster == "order:S1:9"
    del raw["member"]
    assert wrong(raw) == {"/member": "missing"}


def test_parts_that_arrived_for_an_order_are_no_part_of_the_sale():
    seen = read(event("parts_arrived", member="M1", order="4711"))
    assert seen.cluster == "till:x1"


def test_a_settlement_is_known_by_its_order():
    seen = read(event("purchase_settled", order="4711"))
    assert (seen.key, seen.cluster) == ("order:S1:4711:purchase_settled", "order:S1:4711")


@pytest.mark.parametrize(
    ("source_id", "key", "cluster"),
    [
        ("c1", "till:c1", "till:c1"),
        ("crm:c1", "crm:c1", "crm:c1"),
        ("order:S1:4711:parts_purchase", "order:S1:4711:parts_purchase", "order:S1:4711"),
    ],
)
def test_a_cancellation_takes_the_key_of_what_it_cancels(source_id, key, cluster):
    seen = read(event("observation_cancelled", revision=1) | {"source_id": source_id})
    assert (seen.key, seen.cluster, seen.revision) == (key, cluster, 1)


def test_a_cancellation_has_a_revision_and_names_an_event_of_the_own_store():
    assert wrong(event("observation_cancelled")) == {"/revision": "needs_revision"}
    for source_id in ("order:S1:4711", "order:S1:4711:contact", "a:b:c", ":c", "till:"):
        raw = event("observation_cancelled", revision=1) | {"source_id": source_id}
        assert wrong(raw) == {"/source_id": "bad_key"}
    raw = event("observation_cancelled", revision=1) | {"source_id": "order:S2:4711:parts_purchase"}
    assert wrong(raw) == {"/source_id": "other_store"}


def test_a_source_for_many_stores_names_one_and_a_store_names_no_other():
    assert read(sale(store="S7"), source="erp", store="").key.startswith("order:S7:")
    assert wrong(sale(), store="") == {"/store": "missing"}
    assert wrong(sale(store="S7")) == {"/store": "other_store"}


@pytest.mark.parametrize("source", ["", "order", "a:b"])
def test_a_source_whose_name_would_blur_the_keys_is_a_mistake_of_ours(source):
    with pytest.raises(ValueError, match="without a colon"):
        read(sale(), source=source)


# ---- kinds and fields ---------------------------------------------------------------------------------------------


def test_every_error_is_told_at_once():
    raw = {"kind": "contact", "occurred_at": 5, "channel": True, "direction": " ", "by_leader": 1, "lines": []}
    assert wrong(raw) == {
        "/occurred_at": "bad_time", "/channel": "wrong_type", "/direction": "missing", "/by_leader": "wrong_type",
        "/lines": "unknown_field", "/source_id": "missing", "/member": "missing",
    }  # fmt: skip


def test_only_kinds_of_the_vocabulary_are_taken_and_never_derived_ones():
    assert wrong({"occurred_at": "2026-03-01T10:00:00+08:00"})["/kind"] == "missing"
    for kind in ("purchase", 5, ["contact"]):
        assert wrong(contact(kind=kind)) == {"/kind": "unknown_kind"}
    assert wrong(event("machine_brought_about", member="M1", buyer="M2"))["/kind"] == "derived_kind"


@pytest.mark.parametrize("name", ["delivered_on", "referrer", "referral_days", "related", "quarter", "month"])
def test_what_the_engine_works_out_is_not_taken_from_outside(name):
    assert wrong(event("machine_purchase", order="1", amount=5, member="M1") | {name: 1}) == {
        f"/{name}": "computed_field"
    }
    assert "month" in read(event("contact_report", member="M1", month="2026-02")).fields


def test_only_submissions_have_a_status():
    assert read(contact(status="accepted")).fields["status"] == "accepted"
    assert wrong(contact(status="done")) == {"/status": "not_one_of"}
    assert wrong(sale(status="accepted")) == {"/status": "not_a_submission"}


def test_a_category_is_one_of_those_that_a_policy_can_name():
    # Any other would be left out of prices, points and facts without a word.
    assert wrong(sale(lines=[{"item": "A", "category": "机油", "amount": 5}])) == {"/lines/0/category": "not_one_of"}
    back = event("sale_returned", order="1", lines=[{"category": "oil", "qty": 1}])
    assert wrong(back) == {"/lines/0/category": "not_one_of"}


def test_null_and_empty_text_are_as_if_not_there():
    seen = read(contact(place="", job=None, needs=[" "]))
    assert set(seen.fields) == {"channel", "direction"}


def test_an_attribute_takes_its_value_in_the_field_of_its_type():
    assert (
        read(event("attribute_changed", member="M1", name="trade", value_text="quarry")).fields["value_text"]
        == "quarry"
    )
    assert wrong(event("attribute_changed", member="M1", name="trade", value_int=5)) == {"/value_int": "unknown_field"}
    assert wrong(event("attribute_changed", member="M1", name="shoe_size", value_int=5)) == {"/name": "not_one_of"}


def test_a_line_of_a_sale_has_an_amount_and_a_line_of_a_return_says_what_came_back():
    assert wrong(sale(lines=[{"item": "A"}])) == {"/lines/0/amount": "missing"}
    assert wrong(event("sale_returned", order="1", lines=[{"qty": 1}])) == {"/lines/0/item": "missing"}
    assert read(event("sale_returned", order="1", lines=[{"category": "parts"}]))


@pytest.mark.parametrize("lines", [[], [{}] * 201, "A1", {"item": "A1"}, [5], [[]]])
def test_lines_are_one_to_two_hundred_objects(lines):
    assert wrong(sale(lines=lines))


def test_equal_lines_are_two_lines():
    line = {"item": "A1", "amount": 100}
    assert len(read(sale(lines=[line, line])).fields["lines"]) == 2


def test_credit_and_cash_are_parts_of_the_amount():
    assert wrong(sale(lines=[{"amount": 100, "credit": 101}])) == {"/lines/0/credit": "exceeds_amount"}
    assert wrong(sale(lines=[{"amount": 100, "credit": 60, "cash": 50}])) == {"/lines/0/cash": "exceeds_amount"}
    assert read(sale(lines=[{"amount": 100, "credit": 60, "cash": 40}]))


# ---- values -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", [True, 5.0, "5", -1, 10**13 + 1, [], {}, float("nan"), 10**400])
def test_money_is_a_whole_number_of_fen_in_bounds(amount):
    assert list(wrong(sale(lines=[{"amount": amount}]))) == ["/lines/0/amount"]


@pytest.mark.parametrize("amount", [0, 1, 10**13])
def test_money_at_its_bounds_is_taken(amount):
    assert read(sale(lines=[{"amount": amount}])).fields["lines"][0]["amount"] == amount


def test_quantities_are_positive_but_for_what_leaves_a_consignment():
    assert wrong(sale(lines=[{"amount": 1, "qty": 0}])) == {"/lines/0/qty": "out_of_range"}
    assert read(event("consignment_moved", member="M1", item="oil", qty=-3)).fields["qty"] == -3


@pytest.mark.parametrize("revision", [-1, 1_001, True, "1"])
def test_a_revision_is_a_number_up_to_a_thousand(revision):
    assert "/revision" in wrong(contact(revision=revision))


@pytest.mark.parametrize(
    "bad", ["a\0b", "a\ud800b", "a\x01b"], ids=["nul", "surrogate", "the character that ends a position"]
)
def test_text_that_no_database_stores_is_refused_anywhere(bad):
    assert wrong(contact(place=bad, needs=["ok", bad], source_id=bad)) == {
        "/place": "bad_text", "/needs/1": "bad_text", "/source_id": "bad_text",
    }  # fmt: skip


def test_text_is_bounded():
    assert read(contact(place="x" * 500, note="x" * 2_000))
    assert wrong(contact(place="x" * 501, note="x" * 2_001, source_id="x" * 101, needs=["x"] * 51)) == {
        "/place": "too_long", "/note": "too_long", "/source_id": "too_long", "/needs": "too_long",
    }  # fmt: skip


def test_full_width_ids_become_ascii_and_names_stay_as_they_are():
    seen = read(sale(order="　４７１１Ａ ", member="Ｍ１"))
    assert (seen.fields["order"], seen.member) == ("4711A", "M1")
    machine = read(event("machine_purchase", member="M1", order="1", amount=5, model=" ZL50C-Ⅱ ", serial="ＺＬ０１"))
    assert (machine.fields["model"], machine.fields["serial"]) == ("ZL50C-Ⅱ", "ZL01")


@pytest.mark.parametrize("order", ["a:b", "a：b", "a\nb", "a\u200bb", "\u202ea"])
def test_an_id_holds_no_colon_and_nothing_invisible(order):
    assert wrong(sale(order=order)) == {"/order": "bad_id"}


def test_a_name_that_normalisation_makes_long_is_too_long():
    assert wrong(sale(order="\ufdfa" * 60)) == {"/order": "too_long"}


@pytest.mark.parametrize("date", ["2026-02-30", "2026-2-3", "20260203", "1026-02-03", 5, "2026-02-03T00:00:00Z"])
def test_dates_are_iso_dates(date):
    raw = event("attestation", member="M1", trait="t", stated_by="w", stated_role="r", evidence="e", valid_until=date)
    assert wrong(raw) == {"/valid_until": "bad_date"}


def test_a_foreign_currency_is_refused():
    assert read(sale(currency="CNY"))
    assert wrong(sale(currency="USD")) == {"/currency": "other_currency"}


# ---- time ---------------------------------------------------------------------------------------------------------


def test_one_instant_in_two_zones_is_one_instant():
    one, other = read(contact()), read(contact(occurred_at="2026-03-01T02:00:00.000000Z"))
    assert one.occurred_at == other.occurred_at == NOW - 2 * 3_600 * 10**6
    assert content_hash(one) == content_hash(other)


@pytest.mark.parametrize(
    "time",
    ["2026-03-01T10:00:00", "2026-03-01 10:00:00+08:00", "2026-03-01", "2026-02-30T10:00:00Z", "2026-03-01T24:00:00Z",
     "2026-03-01T10:00:60Z", "2026-03-01T10:00:00+24:00",
     "0001-01-01T00:00:00+23:59", "２026-03-01T10:00:00Z", 0, True],
)  # fmt: skip
def test_a_time_is_rfc_3339_with_its_zone(time):
    assert wrong(contact(occurred_at=time))["/occurred_at"] in ("bad_time", "too_early")


@pytest.mark.parametrize(
    ("time", "code"),
    [("2026-03-01T12:10:00+08:00", None), ("2026-03-01T12:10:01+08:00", "in_the_future"),
     ("1990-01-01T00:00:00Z", None), ("1989-12-31T23:59:59Z", "too_early")],
)  # fmt: skip
def test_a_time_lies_between_1990_and_ten_minutes_from_now(time, code):
    if code:
        assert wrong(contact(occurred_at=time), late_days=None) == {"/occurred_at": code}
    else:
        assert read(contact(occurred_at=time), late_days=None)


def test_how_far_back_a_source_may_go_is_counted_in_the_dealers_days():
    assert read(contact(occurred_at="2026-02-22T00:00:00+08:00"))
    assert wrong(contact(occurred_at="2026-02-21T23:59:59+08:00")) == {"/occurred_at": "too_late"}
    assert read(contact(occurred_at="2026-02-21T23:59:59+08:00"), late_days=None)


# ---- what is stored -----------------------------------------------------------------------------------------------


def test_the_hash_is_of_what_is_said_and_not_of_who_says_it():
    base = content_hash(read(sale()))
    assert base == content_hash(read(sale(source_id="9"), source="erp", late_days=400))
    assert base == content_hash(read(dict(reversed(sale().items()))))
    for more in ({"member": "M2"}, {"revision": 1}, {"staff": "w"}, {"occurred_at": "2026-03-01T10:00:01+08:00"}):
        assert base != content_hash(read(sale(**more)))


def test_an_error_never_repeats_what_was_sent():
    with pytest.raises(Malformed) as refusal:
        read(contact(member="M:13800000000", place="13800000000" * 99, **{"x\ud800/~": 1}))
    for error in refusal.value.errors:
        for said in (error.say("zh"), error.say("en"), error.pointer):
            said.encode()
            assert "138" not in said
    assert "/x?~1~0" in {error.pointer for error in refusal.value.errors}


def test_the_number_of_errors_is_bounded():
    assert len(wrong(contact(**{f"f{n}": 1 for n in range(5_000)}))) == 100


ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["2026-03-01T10:00:00+08:00", "2026-03-01", "parts", "a:b", "order:S1:1:rental", "４", "\ud800"]),
    st.integers(0, 9),
)  # fmt: skip
VALUES = st.one_of(
    ATOMS, st.lists(ATOMS, max_size=3), st.lists(st.dictionaries(st.sampled_from(sorted(FIELDS)), ATOMS), max_size=3)
)


@st.composite
def raws(draw):
    kind = draw(st.sampled_from(sorted(KINDS)))
    names = [*KINDS[kind].fields, *COMMON, "revision", "store", "currency", "member", draw(st.text(max_size=3))]
    raw = draw(st.dictionaries(st.sampled_from(names), VALUES, max_size=6))
    return (
        {"occurred_at": "2026-03-01T10:00:00+08:00", "member": "M1", "source_id": "s", "order": "1"}
        | raw
        | {"kind": kind}
    )


def tried(raw):
    try:
        return read(raw), ()
    except Malformed as problem:
        return None, problem.errors


@settings(max_examples=600, deadline=None)
@given(raws())
def test_whatever_is_sent_is_an_observation_that_can_be_stored_or_malformed(raw):
    seen, errors = tried(raw)
    if seen is None:
        assert errors
        assert all(error.code in CATALOGUE and error.say("zh").encode() for error in errors)
        return
    stored = json.loads(json.dumps(body(seen), allow_nan=False))
    assert from_body(stored) == seen
    assert content_hash(from_body(stored)) == content_hash(seen)
    assert len(seen.key.encode()) < 2_704
    assert seen.key
    assert seen.cluster


def test_every_sentence_is_there_in_both_tongues_and_says_the_same_values():
    for code, text in CATALOGUE.items():
        zh, en = ([name for _, name, _, _ in Formatter().parse(said) if name] for said in (text.zh, text.en))
        assert text.zh and text.en, code  # noqa: PT018 - which one is seen in the message
        assert sorted(zh) == sorted(en), code
