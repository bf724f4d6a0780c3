"""Policies as Python values, for tests: small ones by hand, and random ones with random members for Hypothesis.

Nothing here is realistic. Names and constants are few, so that conditions meet the values they are judged on, absence
is common, and every kind of subject, operator and nesting comes up.
"""

from __future__ import annotations

from hypothesis import strategies as st

from rules import policy as ast
from rules.inputs import Inputs, StandingTiers

FACTS = {
    "bought": "count",
    "spent": "sum",
    "largest": "max",
    "smallest": "min",
    "quiet_days": "days_since_last",
    "growth": "ratio",
}
NEVER_ABSENT = ("bought", "spent")
TRAITS = ("buyer", "grower", "known", "owner")
ATTESTED = ("known", "owner")
TIERS = ("basic", "silver", "gold")
KINDS = ("purchase", "contact")
KIND = KINDS[0]
NUMBERS = st.integers(-2, 4)
TEXTS = st.sampled_from(("red", "blue", "green"))
TITLE = ast.Text("名", "name")

_NUMERIC = ("at_least", "more_than", "at_most", "less_than", "is", "is_not", "in", "not_in")
_EQUALITY = ("is", "is_not", "in", "not_in")


# ---- by hand -----------------------------------------------------------------------------------------------------


def is_at_least(fact, value):
    return ast.Test(ast.Subject("fact", fact), "at_least", value)


def trait_count(least):
    return ast.Test(ast.Subject("traits"), "at_least", least)


def reward(name, where=None, when=None, for_tiers=(), standing="after", on=(KIND,)):
    return ast.Reward(name, TITLE, on, "purse", ast.Fixed(1), where, when, for_tiers, standing)


def minimal(traits=None, attested=(), tiers=(("basic", None, None),), **others):
    """A policy of these traits (id → condition) and tiers (id, when, unless); the others are values with an id."""
    word = ast.Attested(("manager",), (), not_own_manager=False, valid_months=12)
    return ast.Policy(
        programme="minimal",
        title=TITLE,
        currency="CNY",
        timezone="Asia/Shanghai",
        facts={name: ast.Fact(name, TITLE, how, "count", KINDS) for name, how in FACTS.items()},
        traits={
            name: ast.Trait(name, TITLE, when, word if name in attested else None)
            for name, when in (traits or {}).items()
        },
        tiers=tuple(ast.Tier(name, TITLE, rank, "clip", *asked, None) for rank, (name, *asked) in enumerate(tiers)),
        **{section: {item.id: item for item in items} for section, items in others.items()},
    )


def priced_when(where):
    """A policy of one price, `price`, for lines that match."""
    return minimal(traits=dict.fromkeys(TRAITS), prices=(ast.Price("price", TITLE, (), where, 9_500),))


# ---- by chance ---------------------------------------------------------------------------------------------------


@st.composite
def _test_of(draw, subject, values, operators):
    op = draw(st.sampled_from(operators))
    if op in ("in", "not_in"):
        return ast.Test(subject, op, tuple(draw(st.lists(values, min_size=1, max_size=4, unique=True))))
    return ast.Test(subject, op, draw(values))


def _tests(*sources):
    by_source = {
        "fact": [(ast.Subject("fact", name), NUMBERS, _NUMERIC) for name in FACTS],
        "attribute": [
            (ast.Subject("attribute", "overdue"), NUMBERS, _NUMERIC),
            (ast.Subject("attribute", "segment"), TEXTS, _EQUALITY),
        ],
        "trait": [(ast.Subject("trait", name), st.integers(0, 1), ("is", "is_not", "at_least")) for name in TRAITS],
        "traits": [
            (ast.Subject("traits", "", of), NUMBERS, _NUMERIC)
            for of in ((), ("buyer", "known"), ("known", "buyer"), ("owner", "grower", "buyer"))
        ],
        "tier": [(ast.Subject("tier"), st.sampled_from(TIERS), _EQUALITY)],
        "field": [
            (ast.Subject("field", "amount"), NUMBERS, _NUMERIC),
            (ast.Subject("field", "category"), TEXTS, _EQUALITY),
            (ast.Subject("field", "used"), st.integers(0, 1), ("is", "is_not")),
        ],
    }
    return st.one_of(*(_test_of(*row) for source in sources for row in by_source[source]))


def conditions(*sources):
    """Conditions over subjects of these sources, with every way of joining and a few wide counts."""

    def joined(parts):
        few = st.lists(parts, max_size=4).map(tuple)
        many = st.lists(_tests(*sources), min_size=7, max_size=9).map(tuple)
        return st.one_of(
            few.map(ast.AllOf),
            few.map(ast.AnyOf),
            few.map(ast.NoneOf),
            st.builds(ast.CountOf, st.integers(0, 4), few),
            st.builds(ast.CountOf, st.integers(2, 6), many),
        )

    return st.recursive(_tests(*sources), joined, max_leaves=5)


MEMBER = conditions("fact", "attribute")
JUDGED = conditions("fact", "attribute", "trait", "traits", "tier")
LINE = conditions("fact", "attribute", "trait", "traits", "tier", "field")


def maybe(strategy):
    return st.none() | strategy


@st.composite
def policies(draw):
    """Whole policies: traits, three tiers, lists, a wallet, an award, prices, rewards and an emission."""
    count_of_traits = st.builds(
        ast.Test,
        st.sampled_from((ast.Subject("traits"), ast.Subject("traits", "", ("buyer", "known", "owner")))),
        st.just("at_least"),
        st.integers(1, 4),
    )
    some_tiers = st.lists(st.sampled_from(TIERS), max_size=2, unique=True).map(tuple)
    some_kinds = st.lists(st.sampled_from(KINDS), min_size=1, max_size=2, unique=True).map(tuple)
    standing = st.sampled_from(("before", "after", "order"))
    asked = draw(maybe(LINE)), draw(maybe(JUDGED))
    return minimal(
        traits={name: draw(maybe(MEMBER)) for name in TRAITS},
        attested=ATTESTED,
        tiers=(
            ("basic", None, draw(maybe(JUDGED))),
            ("silver", draw(maybe(JUDGED)), draw(maybe(JUDGED))),
            ("gold", draw(count_of_traits), draw(maybe(JUDGED))),
        ),
        lists=(
            ast.MemberList("court", TITLE, draw(JUDGED)),
            ast.MemberList("short", TITLE, None, "gold", draw(st.integers(1, 2))),
        ),
        wallets=(ast.Wallet("purse", TITLE, "money", (), None, suspended_when=draw(maybe(JUDGED))),),
        awards=(ast.Award("title", TITLE, (), 0, draw(maybe(JUDGED)), (), (), 0, 0, 0, 0, 0),),
        prices=[
            ast.Price(f"price{number}", TITLE, draw(some_tiers), draw(LINE), 9_500)
            for number in range(draw(st.integers(0, 2)))
        ],
        rewards=[
            reward(
                f"reward{number}", draw(maybe(LINE)), draw(maybe(JUDGED)), draw(some_tiers), draw(standing),
                draw(some_kinds),
            )
            for number in range(draw(st.integers(0, 3)))
        ],
        emissions=(ast.Emission("passed", TITLE, draw(some_kinds), "referrer", "brought", (), "buyer", *asked),),
    )  # fmt: skip


def tiers():
    return st.sampled_from((None, *TIERS))


def inputs():
    """What is known of a member; attributes may be missing, None or empty."""
    return st.builds(
        Inputs,
        st.fixed_dictionaries({name: NUMBERS if name in NEVER_ABSENT else maybe(NUMBERS) for name in FACTS}),
        st.fixed_dictionaries(
            {}, optional={"overdue": maybe(NUMBERS), "segment": st.sampled_from((None, "", "red", "blue", "other"))}
        ),
        st.frozensets(st.sampled_from((*TRAITS, "unheard_of"))),
        tiers(),
    )


def lines():
    line = st.fixed_dictionaries(
        {},
        optional={
            "amount": maybe(NUMBERS),
            "category": st.sampled_from((None, "", "red", "green", "other")),
            "used": st.sampled_from((None, 0, 1, True, False)),
            "unread": st.just(["a", "list"]),
        },
    )
    return st.lists(line, max_size=4)


def standing_tiers():
    return st.builds(StandingTiers, tiers(), tiers(), tiers())
