"""Random policies and random members for Hypothesis, small enough to read when one fails.

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
NUMBERS = st.integers(-2, 4)
TEXTS = st.sampled_from(("red", "blue", "green"))
TITLE = ast.Text("名", "name")

_NUMERIC = ("at_least", "more_than", "at_most", "less_than", "is", "is_not", "in", "not_in")
_EQUALITY = ("is", "is_not", "in", "not_in")


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

    return st.recursive(_tests(*sources), joined, max_leaves=8)


MEMBER = conditions("fact", "attribute")
JUDGED = conditions("fact", "attribute", "trait", "traits", "tier")
LINE = conditions("fact", "attribute", "trait", "traits", "tier", "field")


def maybe(strategy):
    return st.none() | strategy


def _fact(name, how):
    return ast.Fact(name, TITLE, how, "count", KINDS)


def _wallet(name, when):
    return ast.Wallet(name, TITLE, "money", (), None, suspended_when=when)


def _award(name, unless):
    return ast.Award(name, TITLE, (), 0, unless, (), (), 0, 0, 0, 0, 0)


@st.composite
def policies(draw):
    """Whole policies: traits, three tiers, lists, a wallet, an award, prices, rewards and an emission."""
    attested = ast.Attested(("manager",), (), not_own_manager=False, valid_months=12)
    count_of_traits = st.builds(
        ast.Test,
        st.builds(ast.Subject, st.just("traits"), st.just(""), st.sampled_from(((), ("buyer", "known", "owner")))),
        st.just("at_least"),
        st.integers(1, 4),
    )
    standing = st.sampled_from(("before", "after", "order"))
    tiers = st.lists(st.sampled_from(TIERS), max_size=2, unique=True).map(tuple)
    kinds = st.lists(st.sampled_from(KINDS), min_size=1, max_size=2, unique=True).map(tuple)
    rewards = [
        ast.Reward(
            f"reward{number}", TITLE, draw(kinds), "purse", ast.Fixed(1), draw(maybe(LINE)), draw(maybe(JUDGED)),
            draw(tiers), draw(standing),
        )
        for number in range(draw(st.integers(0, 3)))
    ]  # fmt: skip
    return ast.Policy(
        programme="random",
        title=TITLE,
        currency="CNY",
        timezone="Asia/Shanghai",
        facts={name: _fact(name, how) for name, how in FACTS.items()},
        traits={
            name: ast.Trait(name, TITLE, draw(maybe(MEMBER)), attested if name in ATTESTED else None)
            for name in TRAITS
        },
        tiers=(
            ast.Tier("basic", TITLE, 0, "clip", None, draw(maybe(JUDGED)), None),
            ast.Tier("silver", TITLE, 1, "zipper", draw(maybe(JUDGED)), draw(maybe(JUDGED)), None),
            ast.Tier("gold", TITLE, 2, "velcro", draw(count_of_traits), draw(maybe(JUDGED)), None),
        ),
        lists={
            "court": ast.MemberList("court", TITLE, draw(JUDGED)),
            "short": ast.MemberList("short", TITLE, None, "gold", draw(st.integers(1, 2))),
        },
        wallets={"purse": _wallet("purse", draw(maybe(JUDGED)))},
        awards={"title": _award("title", draw(maybe(JUDGED)))},
        prices={
            f"price{number}": ast.Price(f"price{number}", TITLE, draw(tiers), draw(LINE), 9_500)
            for number in range(draw(st.integers(0, 2)))
        },
        rewards={reward.id: reward for reward in rewards},
        emissions={
            "passed_on": ast.Emission(
                "passed_on", TITLE, draw(kinds), "referrer", "brought_about", (), "buyer", draw(maybe(LINE)),
                draw(maybe(JUDGED)),
            )
        },
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
