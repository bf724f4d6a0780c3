"""Random policies' facts, and random histories that they are asked of: sales, returns, corrections, late words."""

from dataclasses import replace
from datetime import date, datetime
from types import SimpleNamespace
from typing import get_args
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from rules.policy import Fact, Filter, Policy, Span, Text, Window
from tests import oracle_facts as oracle
from tierengine.judging.history import AFTER, Contribution
from tierengine.judging.netting import net

ZONES = ("Asia/Shanghai", "America/New_York")
TEXT = Text("", "")
ALWAYS = Window()


def policy_of(facts, zone="Asia/Shanghai", traits=(), tiers=()) -> Policy:
    return Policy("x", TEXT, "CNY", zone, {one.id: one for one in facts}, {one.id: one for one in traits}, tiers)


def version_of(policy: Policy):
    return SimpleNamespace(rules=SimpleNamespace(policy=policy))


def fact(how, kinds=("parts_purchase",), field="", *where, window=ALWAYS, name="f", **sides) -> Fact:
    return Fact(name, TEXT, how, "count", tuple(kinds), field, where, window, **sides)


def purchase(at: int, qty: int = 1, amount: int = 100, key: str = "", **fields) -> Contribution:
    key = key or f"k{at}"
    return Contribution("parts_purchase", f"{key}#0", at, (at, 3, key), "parts_purchase", qty, amount, fields)


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
        match draw(st.sampled_from(FATES)):
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
