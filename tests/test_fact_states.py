"""Attributes, attestations and machines as of a position are what the oracle says, on both databases."""

# ruff: noqa: F811  that is how pytest is asked for a fixture of another module

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.policy import Attested, Filter, Trait, Window
from tests import oracle_facts as oracle
from tests.contribution_book import book, both  # noqa: F401  fixtures
from tests.facts_cases import TEXT, ZONES, fact, instants, mirror, negative, policy_of, standing, version_of
from tierengine.judging.facts_sql import read_facts
from tierengine.judging.facts_statement import Ask
from tierengine.judging.history import Contribution
from tierengine.judging.running import RunningFacts
from tierengine.zone import Zone

TRAITS = (
    Trait("trusted", TEXT, None, Attested(("leader",), (), not_own_manager=True, valid_months=1)),
    Trait("early", TEXT, None, Attested(("sales_manager",), ("leader",), not_own_manager=False, valid_months=12)),
)


def ends_of(row: Contribution, zone: ZoneInfo) -> set[int]:
    """The first instants at which what was stated may hold no longer: by its own word, or by the terms of its trait."""
    day = oracle.local(zone, row.at).date()
    last = {oracle.months_later(day, trait.attested.valid_months) for trait in TRAITS}
    if row.fields.get("valid_until"):
        last.add(date.fromisoformat(row.fields["valid_until"]))
    return {oracle.instant(zone, datetime.combine(one + timedelta(days=1), time())) for one in last}


@st.composite
def state_rows(draw, zone: str, number: int):
    at = draw(instants(zone))
    kind = draw(st.sampled_from(("attestation", "manager_assigned", "attribute_changed", "card_issued", *oracle.FLEET)))
    people = st.sampled_from(("wang", "li"))
    fields = {
        "attestation": {
            "trait": draw(st.sampled_from(("trusted", "early"))),
            "stated_by": draw(people),
            "stated_role": draw(st.sampled_from(("leader", "sales_manager"))),
            "countersigned_by": draw(st.none() | people),
            "countersigned_role": draw(st.sampled_from((None, "leader"))),
            "valid_until": draw(st.sampled_from((None, "2025-12-31", "2026-02-28"))),
        },
        "manager_assigned": {"manager": draw(people)},
        "attribute_changed": draw(
            st.sampled_from(
                (
                    {"name": "entered_trade_on", "value_date": "2016-02-29"},
                    {"name": "entered_trade_on", "value_date": "2016-03-31"},
                    {"name": "entered_trade_on"},
                    {"name": "trade", "value_text": "quarry"},
                )
            )
        ),
        "card_issued": {"card_no": "8"},
        "machine_registered": {
            "tenure": draw(st.sampled_from(("owned", "owned", "rented"))),
            "checked_at": draw(st.sampled_from((None, "2025-03-31", "2025-12-31"))),
            "size": draw(st.sampled_from((None, "small", "large"))),
            "serial": draw(st.sampled_from((None, "S1", "S2"))),
        },
        "machine_purchase": {"serial": draw(st.sampled_from((None, "S1"))), "size": "large"},
        "machine_disposed": {"serial": draw(st.sampled_from(("S1", "S2")))},
    }[kind]
    class_ = 2 if kind in ("manager_assigned", "attribute_changed", "card_issued") else 3
    key = f"{draw(st.sampled_from('ab'))}{number}"
    row = Contribution(kind, f"{key}#0", at, (at, class_, key), kind, 1, 0, fields)
    back = negative(row, 1, 0, draw(instants(zone)), f"w{number}")
    match draw(st.sampled_from(("kept", "kept", "withdrawn", "replaced"))):
        case "withdrawn":
            return [row, back]
        case "replaced":
            fields = {
                name: value for name, value in fields.items() if name in ("trait", "stated_role", "stated_by", "name")
            }
            said = replace(row, fields=fields | {"serial": "S1", "tenure": "owned", "size": "large"})
            return [row, mirror(row), said] if said.fields != row.fields else [row]
    return [row]


@given(data=st.data(), zone=st.sampled_from(ZONES))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.timeout(600)
def test_attributes_attestations_and_machines_are_the_oracle_s(both, data, zone):
    rows = [row for number in range(data.draw(st.integers(0, 8))) for row in data.draw(state_rows(zone, number))]
    history = sorted(rows, key=lambda row: row.known)
    year = Window("rolling", months=12)
    asked = [
        fact("years_since", (), "entered_trade_on", name="years"),
        fact("days_since", (), "entered_trade_on", name="days"),
        fact("days_to_anniversary", (), "entered_trade_on", name="days_to"),
        fact("months_to_anniversary", (), "entered_trade_on", name="months_to"),
        fact("fleet", (), name="owned"),
        fact("fleet", (), name="checked", window=year),
        fact("fleet", (), "", Filter("size", "is", "large"), name="large", window=year),
    ]
    policy = policy_of(asked, zone, TRAITS)
    version = version_of(policy)
    members = [(one, one.member(history)) for one in both]
    told = standing(history)
    running = RunningFacts(Zone(zone), told)
    said = [end for row in told if row.kind == "attestation" for end in ends_of(row, ZoneInfo(zone))]
    free = {(at, 9, "") for at in (data.draw(instants(zone)), *said)}
    for position in sorted({row.known for row in history} | free):
        facts = oracle.facts(policy, told, position, 0)
        attributes = oracle.attributes(told, position, ZoneInfo(zone))
        attested = oracle.attested(policy, told, position)
        read = [read_facts(one.cursor, version, [Ask(member, position, 0)])[member] for one, member in members]
        for one in (running, *read):
            assert one.facts(version, position, 0) == facts
            assert one.attributes(position) == attributes
            assert one.attested(version, position) == attested


def stated(at: int, **words) -> Contribution:
    fields = {"trait": "trusted", "stated_by": "li", "stated_role": "leader", **words}
    return Contribution("attestation", "a#0", at, (at, 3, "a"), "attestation", 1, 0, fields)


def test_an_attestation_holds_to_the_end_of_its_last_local_day():
    zone = Zone("Asia/Shanghai")
    at = zone.instant(datetime.fromisoformat("2026-01-31T10:00"))
    version = version_of(policy_of([], traits=TRAITS))
    last = zone.start_of(date(2026, 3, 1)) - 1
    running = RunningFacts(zone, [stated(at)])
    assert running.attested(version, (at, 3, "a")) == {"trusted"}
    assert running.attested(version, (last, 9, "")) == {"trusted"}
    assert running.attested(version, (last + 1, 0, "")) == frozenset()


def test_who_was_his_manager_when_he_stated_it_counts_and_not_who_is():
    day = 86_400_000_000
    manager = Contribution("manager_assigned", "m#0", day, (day, 2, "m"), "manager_assigned", 1, 0, {"manager": "li"})
    version = version_of(policy_of([], traits=TRAITS))
    for said_at, expected in ((day - 1, {"trusted"}), (day, frozenset())):
        history = sorted((manager, stated(said_at)), key=lambda row: row.known)
        assert RunningFacts(Zone("UTC"), history).attested(version, (2 * day, 9, "")) == expected


def test_the_last_manager_before_it_counts_and_no_earlier_one():
    day = 86_400_000_000
    version = version_of(policy_of([], traits=TRAITS))

    def assigned(number: int, manager: str) -> Contribution:
        key = f"m{number}"
        known = (number * day, 2, key)
        return Contribution(
            "manager_assigned", f"{key}#0", number * day, known, "manager_assigned", 1, 0, {"manager": manager}
        )

    for managers, expected in (("li", "wang"), {"trusted"}), (("wang", "li"), frozenset()):
        history = sorted((*map(assigned, (1, 2), managers), stated(3 * day)), key=lambda row: row.known)
        assert RunningFacts(Zone("UTC"), history).attested(version, (3 * day, 9, "")) == expected


@pytest.mark.parametrize(
    ("second", "role", "expected"),
    [("wang", "leader", {"early"}), ("li", "leader", set()), ("wang", "clerk", set()), (None, "leader", set())],
)
def test_a_second_signature_is_of_another_person_in_the_right_role(second, role, expected):
    words = {"trait": "early", "stated_role": "sales_manager", "countersigned_by": second, "countersigned_role": role}
    version = version_of(policy_of([], traits=TRAITS))
    assert RunningFacts(Zone("UTC"), [stated(1, **words)]).attested(version, (2, 9, "")) == expected
