"""Both evaluators of facts give what the oracle gives, on both databases, for whatever histories and facts."""

import contextlib
import itertools
import json
import sqlite3
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import get_args
from zoneinfo import ZoneInfo

import psycopg
import pytest
import sqlalchemy
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from rules import policy as rules_policy
from rules.policy import AllOf, Attested, Fact, Filter, Policy, Span, Subject, Text, Tier, Trait, Window
from tests import oracle_facts as oracle
from tierengine.judging.facts import FactSet, fact_set, ratio
from tierengine.judging.facts_sql import read_contributions, read_facts
from tierengine.judging.facts_statement import Ask
from tierengine.judging.history import AFTER, Contribution
from tierengine.judging.netting import net
from tierengine.judging.running import RunningFacts
from tierengine.store.tables.history import ContributionRow
from tierengine.zone import Zone

ZONES = ("Asia/Shanghai", "America/New_York")
TEXT = Text("", "")
ALWAYS = Window()


# ---- a book of contributions -------------------------------------------------------------------------------------


@dataclass
class Book:
    """A database with the table of contributions, through the driver itself."""

    connection: object
    cursor: object
    members: itertools.count

    def member(self, history) -> int:
        """Store a history as a new member's."""
        number = next(self.members)
        mark = "?" if isinstance(self.connection, sqlite3.Connection) else "%s"
        rows = [
            (
                number * 1000 + i,
                1,
                number,
                i,
                c.kind,
                c.line,
                c.at,
                *c.known,
                c.cause,
                c.qty,
                c.amount,
                json.dumps(c.fields),
            )
            for i, c in enumerate(history)
        ]
        self.cursor.executemany(f"INSERT INTO contribution VALUES ({', '.join([mark] * 14)})", rows)
        return number


@pytest.fixture
def book(database_url):
    engine = sqlalchemy.create_engine(database_url)
    ContributionRow.__table__.create(engine)
    engine.dispose()
    if database_url.startswith("sqlite"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
    else:
        connection = psycopg.connect(database_url.replace("postgresql+psycopg://", "postgresql://"))
    with contextlib.closing(connection):
        yield Book(connection, connection.cursor(), itertools.count(1))


def policy_of(facts, zone="Asia/Shanghai", traits=(), tiers=()) -> Policy:
    return Policy("x", TEXT, "CNY", zone, {one.id: one for one in facts}, {one.id: one for one in traits}, tiers)


def version_of(policy: Policy):
    return SimpleNamespace(rules=SimpleNamespace(policy=policy))


def fact(how, kinds=("parts_purchase",), field="", *where, window=ALWAYS, name="f", **sides) -> Fact:
    return Fact(name, TEXT, how, "count", tuple(kinds), field, where, window, **sides)


# ---- random histories --------------------------------------------------------------------------------------------

KINDS = ("parts_purchase", "contact", "machine_purchase")
SAID = (*KINDS, "contact_submitted")  # as what is handed in counts while it waits
# Local wall times about which windows and days begin and end; the last two, where clocks change in New York.
EDGES = (
    "2025-01-01T00:00", "2025-02-28T10:00", "2025-03-31T10:00", "2025-04-01T00:00", "2025-12-31T10:00",
    "2026-01-01T00:00", "2026-01-31T10:00", "2026-02-28T10:00", "2026-03-01T00:00", "2026-03-31T10:00",
    "2026-04-30T10:00", "2026-05-31T10:00", "2025-11-02T01:30", "2026-03-08T02:30",
)  # fmt: skip


@st.composite
def instants(draw, zone: str) -> int:
    wall = datetime.fromisoformat(draw(st.sampled_from(EDGES)))
    about = draw(st.sampled_from((0, 0, 0, -1, 1, 3_600_000_000, -86_400_000_000)))
    return oracle.instant(ZoneInfo(zone), wall) + about


FIELDS = st.fixed_dictionaries(
    {"month": st.sampled_from(("2026-01", "2026-02", "2026-03"))},
    optional={
        "category": st.sampled_from(("parts", "fuel", "labour")),
        "margin": st.integers(-3, 3).map(lambda n: n * 100),
        "score": st.integers(1, 3),
        "special": st.sampled_from((0, 1, False, True)),
        "delivered_on": st.sampled_from(("2025-12-31", "2026-01-01")),
        "size": st.none() | st.sampled_from(("small", "large")),
        "serial": st.sampled_from(("S1", "S2")),
    },
)


def negative(row: Contribution, qty: int, amount: int, at: int, key: str) -> Contribution:
    """What takes back part of a line, known from `at` or, dated before the sale, from just after it."""
    fields = {name: -value if name == "margin" else value for name, value in row.fields.items()}
    known = (at, 3, key) if at > row.at else (row.at, row.known[1], row.known[2] + AFTER + key)
    return replace(row, known=known, cause="sale_returned", qty=-qty, amount=-amount, fields=fields)


def mirror(row: Contribution) -> Contribution:
    fields = {name: -value if name == "margin" else value for name, value in row.fields.items()}
    return replace(row, qty=-row.qty, amount=-row.amount, fields=fields)


def standing(history) -> list[Contribution]:
    return sorted(net(history), key=lambda row: (row.known, row.line, row.qty))


FATES = ("kept", "kept", "returned", "in part", "corrected", "moved", "replaced", "unnamed")


@st.composite
def histories(draw, zone: str):
    rows: list[Contribution] = []
    for number in range(draw(st.integers(0, 7))):
        at, kind, key = draw(instants(zone)), draw(st.sampled_from(SAID)), f"k{draw(st.integers(0, 9))}-{number}"
        qty, amount = draw(st.integers(1, 2)), draw(st.integers(1, 4)) * 500
        late = draw(st.sampled_from((0, 0, 1, 40 * 86_400_000_000)))
        row = Contribution(kind, f"{key}#0", at, (at + late, 3, key), kind, qty, amount, draw(FIELDS))
        rows.append(row)
        match draw(
            st.sampled_from(("kept", "kept", "returned", "in part", "corrected", "moved", "replaced", "unnamed"))
        ):
            case "returned":
                rows.append(negative(row, qty, amount, draw(instants(zone)), f"r{number}"))
            case "in part":
                rows.append(negative(row, 1, amount // 2, draw(instants(zone)), f"r{number}"))
            case "corrected":
                back = negative(row, qty, amount, draw(instants(zone)), f"c{number}")
                rows += [back, replace(row, known=back.known, amount=amount + 500, fields=draw(FIELDS))]
            case "moved":
                back = negative(row, qty, amount, draw(instants(zone)), f"c{number}")
                rows += [back, replace(row, known=back.known, at=draw(instants(zone)))]
            case "replaced":  # by a revision, which keeps the place of the first word
                rows += [mirror(row), replace(row, amount=amount + 500, fields=draw(FIELDS))]
            case "unnamed":
                rows.append(replace(row, line=f"u{number}#0", qty=-qty, amount=-amount, known=(at, 3, f"u{number}")))
    return sorted(rows, key=lambda row: (row.known, row.line, row.qty))


WINDOWS = st.one_of(
    st.sampled_from(get_args(Span)).filter(lambda span: span not in ("rolling", "preceding")).map(Window),
    st.builds(Window, st.sampled_from(("rolling", "preceding")), months=st.sampled_from((1, 3, 12))),
    st.builds(Window, st.sampled_from(("rolling", "preceding")), days=st.sampled_from((1, 30, 31))),
)
SIGNS = st.sampled_from(("at_least", "more_than", "at_most", "less_than", "is", "is_not"))
NUMBERS = {"amount": (500, 1000), "qty": (1, 2), "margin": (-100, 0, 100), "score": (2,), "special": (0, 1)}
FILTERS = st.one_of(
    st.sampled_from(sorted(NUMBERS)).flatmap(
        lambda name: st.builds(Filter, st.just(name), SIGNS, st.sampled_from(NUMBERS[name]))
    ),
    st.builds(Filter, st.just("category"), st.sampled_from(("is", "is_not")), st.just("fuel")),
    st.builds(Filter, st.just("category"), st.sampled_from(("in", "not_in")), st.sampled_from((("parts", "fuel"), ()))),
    st.builds(Filter, st.just("kind"), st.just("is"), st.just("contact")),
    st.builds(Filter, st.just("status"), st.sampled_from(("is", "is_not")), st.sampled_from(("submitted", "accepted"))),
    st.just(Filter("status", "in", ("submitted", "accepted"))),
    st.builds(Filter, st.just("delivered_on"), SIGNS, st.just(date(2026, 1, 1).toordinal())),
)
HOWS = (
    "count", "quantity", "sum", "max", "min", "distinct", "months_with", "days_since_first", "days_since_last",
    "years_since_first", "years_since_last",
)  # fmt: skip
OF = {
    "sum": ("amount", "margin", "score"),
    "max": ("amount", "margin", "score"),
    "min": ("amount", "score"),
    "distinct": ("category", "score", "special", "serial", "delivered_on", "amount", "margin", "qty"),
}


@st.composite
def simple_facts(draw) -> Fact:
    how = draw(st.sampled_from(HOWS))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=2, unique=True))
    where = draw(st.lists(FILTERS, max_size=2))
    return fact(how, kinds, draw(st.sampled_from(OF.get(how, ("",)))), *where, window=draw(WINDOWS))


FACTS = st.one_of(
    simple_facts(),
    simple_facts(),
    simple_facts(),
    st.builds(lambda over, under: fact("ratio", (), over=over, under=under), simple_facts(), simple_facts()),
    st.builds(
        lambda window, where: fact("fleet", (), "", *where, window=window),
        WINDOWS,
        st.lists(st.just(Filter("size", "is", "large")), max_size=1),
    ),
)


@st.composite
def cases(draw):
    zone = draw(st.sampled_from(ZONES))
    policies = [
        policy_of(
            [replace(one, id=f"f{i}") for i, one in enumerate(draw(st.lists(FACTS, min_size=1, max_size=8)))], zone
        )
        for _ in range(2)
    ]
    history = draw(histories(zone))
    free = [(draw(instants(zone)), draw(st.integers(0, 3)), draw(st.sampled_from(("", "k5"))))]
    asked = sorted({row.known for row in history} | set(free))
    return policies, history, asked, draw(instants(zone))


@given(case=cases())
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.timeout(600)
def test_the_oracle_the_running_aggregates_and_sql_agree(book, case):
    policies, history, asked, since = case
    versions = [version_of(policy) for policy in policies]
    member = book.member(history)
    # The last third is not stored yet: it comes as candidates, and must count all the same.
    stored = len(history) - len(history) // 3
    quoted = book.member(history[:stored])
    told = standing(history)
    running = RunningFacts(Zone(policies[0].timezone), told)
    for index, position in enumerate(asked):
        # A policy version comes into force in mid-history, and each is asked again later.
        version = versions[index * 2 // len(asked)]
        policy = version.rules.policy
        begun = min(since, position[0])
        expected = oracle.facts(policy, told, position, begun)
        event("something counts" if any(expected.values()) else "nothing counts")
        assert running.facts(version, position, begun) == expected
        asks = [Ask(member, position, begun), Ask(quoted, position, begun)]
        read = read_facts(book.cursor, version, asks, {quoted: history[stored:]})
        assert read[member].facts(version, position, begun) == expected
        assert read[quoted].facts(version, position, begun) == expected
    assert standing(read_contributions(book.cursor, [member])[member]) == told


def test_members_are_asked_at_different_positions_in_one_statement(book):
    policy = policy_of([fact("count")])
    version = version_of(policy)
    history = [purchase(at) for at in (10, 20, 30)]
    members = [book.member(history) for _ in range(3)]
    asks = [Ask(member, (at, 9, ""), 0) for member, at in zip(members, (5, 10, 29), strict=True)]
    read = read_facts(book.cursor, version, asks)
    assert [read[ask.member_id].facts(version, ask.position, 0)["f"] for ask in asks] == [0, 1, 2]


def test_a_snapshot_answers_only_what_was_asked(book):
    version = version_of(policy_of([fact("count")]))
    ask = Ask(book.member([]), (5, 9, ""), 0)
    snapshot = read_facts(book.cursor, version, [ask])[ask.member_id]
    with pytest.raises(ValueError, match="as of"):
        snapshot.facts(version, (6, 9, ""), 0)
    with pytest.raises(ValueError, match="since"):
        snapshot.facts(version, ask.position, 1)
    with pytest.raises(ValueError, match="another policy version"):
        snapshot.facts(version_of(policy_of([])), ask.position, 0)


def test_a_text_of_the_policy_is_a_value_and_never_sql(book):
    hostile = "x'; DROP TABLE contribution; --"
    version = version_of(policy_of([fact("count", ("parts_purchase",), "", Filter("category", "is", hostile))]))
    ask = Ask(book.member([replace(purchase(1), fields={"category": hostile})]), (5, 9, ""), 0)
    assert read_facts(book.cursor, version, [ask])[ask.member_id].facts(version, ask.position, 0) == {"f": 1}


# ---- what is meant, in small -------------------------------------------------------------------------------------


def purchase(at: int, qty: int = 1, amount: int = 100, key: str = "", **fields) -> Contribution:
    key = key or f"k{at}"
    return Contribution("parts_purchase", f"{key}#0", at, (at, 3, key), "parts_purchase", qty, amount, fields)


def value(asked: Fact, history, at: int):
    running = RunningFacts(Zone("Asia/Shanghai"), sorted(history, key=lambda row: row.known))
    return running.facts(version_of(policy_of([asked])), (at, 9, ""), 0)[asked.id]


def test_a_return_changes_later_answers_and_no_earlier_one():
    sale = purchase(10, qty=2, amount=200)
    history = [sale, negative(sale, 2, 200, 30, "r")]
    assert value(fact("sum", field="amount"), history, 29) == 200
    assert value(fact("sum", field="amount"), history, 30) == 0
    assert value(fact("count"), history, 29) == 1
    assert value(fact("count"), history, 30) == 0


def test_different_amounts_are_those_that_are_left_of_lines_that_stand():
    one, other = purchase(10, qty=2, amount=200), purchase(20, qty=2, amount=100)
    different = fact("distinct", field="amount")
    assert value(different, [one, other], 30) == 2
    assert value(different, [one, other, negative(one, 1, 100, 25, "r")], 30) == 1
    assert value(different, [one, other, negative(one, 2, 200, 25, "r")], 30) == 1
    assert value(different, [one, negative(one, 2, 200, 25, "r")], 30) == 0


def test_a_line_partly_returned_still_stands():
    sale = purchase(10, qty=2, amount=200)
    assert value(fact("count"), [sale, negative(sale, 1, 100, 30, "r")], 30) == 1


def test_a_number_that_describes_a_line_stays_while_the_line_does():
    sale = purchase(10, qty=2, amount=200, score=9)
    for how in ("sum", "max", "min"):
        scored = fact(how, field="score")
        assert value(scored, [sale, negative(sale, 1, 100, 20, "r")], 30) == 9
        assert not value(scored, [sale, negative(sale, 2, 200, 20, "r")], 30)


def test_a_return_that_names_no_sale_may_make_a_sum_negative_but_no_count():
    history = [replace(purchase(10), qty=-1, amount=-100)]
    assert value(fact("sum", field="amount"), history, 30) == -100
    assert value(fact("count"), history, 30) == 0


def test_a_filter_on_money_asks_what_is_left_of_the_line():
    sale = purchase(10, qty=3, amount=1500)
    big = fact("sum", ("parts_purchase",), "amount", Filter("amount", "at_least", 1000))
    assert value(big, [sale], 30) == 1500
    assert value(big, [sale, negative(sale, 1, 500, 20, "r")], 30) == 1000
    assert value(big, [sale, negative(sale, 2, 1000, 20, "r")], 30) == 0


def test_an_absent_field_passes_no_filter_not_even_is_not():
    assert value(fact("count", ("parts_purchase",), "", Filter("category", "is_not", "fuel")), [purchase(1)], 5) == 0


def test_positions_that_go_back_are_refused():
    running = RunningFacts(Zone("Asia/Shanghai"), [])
    running.attributes((5, 3, "b"))
    with pytest.raises(ValueError, match="earlier"):
        running.attributes((5, 3, "a"))


def test_equal_measures_of_several_facts_are_taken_once():
    asked = [
        replace(fact("count", kinds), id=name) for name, kinds in (("a", ("tip", "contact")), ("b", ("contact", "tip")))
    ]
    assert len(FactSet(policy_of(asked)).measures) == 1


@pytest.mark.parametrize(
    ("over", "under", "exact", "expected"),
    [
        (13_000, 10_000, (), 13_000),
        (13_001, 10_000, (), 13_001),
        (130_005, 100_000, (), 13_000),  # 130.005 %, rounded down: at least 130 %
        (130_005, 100_000, (13_000,), 13_001),  # and, where it is asked, more than 130 %
        (130_000, 100_000, (13_000,), 13_000),  # which 130 % sharp is not
        (-1, 3, (), -3334),
        (1, 0, (), None),
        (1, -5, (), None),
        (None, 5, (), None),
        (1 << 60, 1, (), 1 << 53),  # the engine's greatest number
    ],
)
def test_a_ratio_is_compared_as_if_multiplied_out(over, under, exact, expected):
    assert ratio(over, under, frozenset(exact)) == expected


@given(over=st.integers(-10_000, 10_000), under=st.integers(1, 10_000), threshold=st.integers(-200, 30_000))
def test_every_comparison_with_a_threshold_is_exact(over, under, threshold):
    left, right = over * 10_000, threshold * under
    rounded, exact = ratio(over, under, frozenset()), ratio(over, under, frozenset((threshold,)))
    assert (rounded >= threshold, rounded < threshold) == (left >= right, left < right)
    assert (exact > threshold, exact <= threshold, exact == threshold) == (left > right, left <= right, left == right)


def test_a_policy_s_strict_comparisons_are_found_wherever_they_stand():
    over, under = fact("sum", field="amount"), fact("count")
    share = fact("ratio", (), over=over, under=under, name="share")
    test = rules_policy.Test(Subject("fact", "share"), "more_than", 3_333_333)
    tier = Tier("t", TEXT, 0, "", AllOf((test,)), None, None)
    history = [purchase(1, amount=1000), purchase(2, amount=0), purchase(3, amount=0)]
    for tiers, expected in (((), 3_333_333), ((tier,), 3_333_334)):
        running = RunningFacts(Zone("Asia/Shanghai"), history)
        assert running.facts(version_of(policy_of([share], tiers=tiers)), (9, 9, ""), 0) == {"share": expected}


def test_prepared_facts_are_kept_by_policy_and_not_by_likeness():
    one, two = policy_of([]), policy_of([])
    assert fact_set(one) is fact_set(one)
    assert fact_set(one) is not fact_set(two)


# ---- states ------------------------------------------------------------------------------------------------------

TRAITS = (
    Trait("trusted", TEXT, None, Attested(("leader",), (), not_own_manager=True, valid_months=1)),
    Trait("early", TEXT, None, Attested(("sales_manager",), ("leader",), not_own_manager=False, valid_months=12)),
)


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
def test_attributes_attestations_and_machines_are_the_oracle_s(book, data, zone):
    rows = [row for number in range(data.draw(st.integers(0, 8))) for row in data.draw(state_rows(zone, number))]
    history = sorted(rows, key=lambda row: row.known)
    year = Window("rolling", months=12)
    asked = [
        fact("years_since", (), "entered_trade_on", name="years"),
        fact("days_since", (), "entered_trade_on", name="days"),
        fact("fleet", (), name="owned"),
        fact("fleet", (), name="checked", window=year),
        fact("fleet", (), "", Filter("size", "is", "large"), name="large", window=year),
    ]
    policy = policy_of(asked, zone, TRAITS)
    version = version_of(policy)
    member = book.member(history)
    told = standing(history)
    running = RunningFacts(Zone(zone), told)
    for position in sorted({row.known for row in history} | {(data.draw(instants(zone)), 9, "")}):
        source = read_facts(book.cursor, version, [Ask(member, position, 0)])[member]
        for one in (running, source):
            assert one.facts(version, position, 0) == oracle.facts(policy, told, position, 0)
            assert one.attributes(position) == oracle.attributes(told, position, ZoneInfo(zone))
            assert one.attested(version, position) == oracle.attested(policy, told, position)


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


@pytest.mark.slow
def test_ten_thousand_events_asked_one_by_one_are_no_scan_each():
    start = Zone("Asia/Shanghai").start_of(date(2016, 1, 1))
    hour = int(timedelta(hours=8) / timedelta(microseconds=1))
    history = [purchase(start + number * hour, key=f"k{number}", month="2026-01") for number in range(10_000)]
    asked = [
        replace(fact(how, window=window), id=f"{how} {window}")
        for how in ("count", "quantity", "months_with", "days_since_first", "days_since_last")
        for window in (Window(), Window("rolling", months=12), Window("preceding", months=12), Window("this_year"))
    ]
    version = version_of(policy_of(asked))
    running = RunningFacts(Zone("Asia/Shanghai"), history)
    prepared = fact_set(version.rules.policy)
    moved = 0
    for row in history:
        before = dict(running.facts(version, row.known, 0))
        moved += before[asked[0].id]
    assert moved == sum(range(1, 10_001))
    assert len(prepared.measures) == len(asked)
