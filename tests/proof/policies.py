"""Random policies over the whole vocabulary: any kind, field, attribute, fact, window, operator and joining.

Nothing here is realistic. A policy has a theme of few kinds and attributes, and constants are few, so that conditions
meet the values they are judged on; over many policies everything in the vocabulary comes up, which a test asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import get_args

from rules import policy as ast
from rules.vocabulary import ATTRIBUTES, COMMON, FIELDS, KINDS, PROSE
from tests.chance import Chance

TITLE = ast.Text("名", "name")
ZONES = ("Asia/Shanghai", "America/New_York", "Europe/Berlin")
HOWS = get_args(ast.How)
SPANS = get_args(ast.Span)
OPERATORS = get_args(ast.Operator)
EQUALITY = ("is", "is_not", "in", "not_in")
TIERS = ("basic", "silver", "gold", "platinum")
LEVELS = ("plain", "quick", "close")
TRAITS = ("buyer", "grower", "known", "owner", "talker")
FAR, DEGREES = ("owner", "talker"), ("some", "much")
"""Traits that have degrees, lowest first."""
ROLES = ("leader", "sales_manager")
PEOPLE = ("li", "wang")
ORDINAL = {day: date.fromisoformat(day).toordinal() for day in ("2025-12-31", "2026-01-01", "2026-02-28")}
# What is compared and what is said, by type. Few, and next to one another.
VALUES: dict[str, Sequence[int | str]] = {
    "text": ("a", "乙", "it's"),
    "member": ("a", "乙", "it's"),
    "int": (0, 1, 2, 3),
    "money": (0, 500, 1000, 1001),
    "bool": (0, 1),
    "date": tuple(ORDINAL),
}
THRESHOLDS: dict[str, Sequence[int]] = {
    "money": (-500, 0, 500, 1000, 1001, 2500),
    "days": (0, 1, 30, 31, 59, 365),
    "months": (0, 1, 11),
    "years": (0, 9, 10),
    # No two next to each other: facts.ratio says what it cannot tell apart.
    "percent": (-5000, 0, 3333, 5000, 10000, 13000, 20000),
    "count": (-1, 0, 1, 2, 3),
}
WINDOW_MONTHS, WINDOW_DAYS = (1, 2, 3, 12), (1, 30, 31)


def asked_of(type_: str) -> Sequence[int | str]:
    """What a value of this type is compared with: dates as ordinal days."""
    return tuple(ORDINAL.values()) if type_ == "date" else VALUES[type_]


def fields_of(kind: str) -> tuple[str, ...]:
    """The fields that rules may compare of a kind's lines."""
    every = dict.fromkeys((*KINDS[kind].fields, *KINDS[kind].lines, *COMMON))
    return tuple(name for name in every if FIELDS[name].type in VALUES and name not in PROSE)


ANY_FIELD = tuple(dict.fromkeys(name for kind in KINDS for name in fields_of(kind)))
DATES = tuple(item.id for item in ATTRIBUTES.values() if item.type == "date")


@dataclass(frozen=True)
class Theme:
    """What a policy is about."""

    kinds: tuple[str, ...]
    attributes: tuple[str, ...]


def theme(chance: Chance) -> Theme:
    kinds = (chance.pick(tuple(KINDS)), *chance.some(tuple(KINDS), 3))
    attributes = (chance.pick(tuple(ATTRIBUTES)), *chance.some(tuple(ATTRIBUTES), 2))
    return Theme(tuple(dict.fromkeys(kinds)), tuple(dict.fromkeys(attributes)))


# ---- facts -------------------------------------------------------------------------------------------------------


def window(chance: Chance) -> ast.Window:
    # The narrower the window, the less is in it.
    span = chance.pick((*SPANS, "always", "always", "always", "rolling"))
    if span not in ("rolling", "preceding"):
        return ast.Window(span)
    if chance.often(50):
        return ast.Window(span, months=chance.pick(WINDOW_MONTHS))
    return ast.Window(span, days=chance.pick(WINDOW_DAYS))


def filter_(chance: Chance, names: Sequence[str]) -> ast.Filter:
    name = chance.pick(names)
    type_ = FIELDS[name].type
    op = chance.pick(OPERATORS if type_ not in ("text", "member", "bool") else EQUALITY)
    values = asked_of(type_)
    return ast.Filter(name, op, several(chance, values) if op in ("in", "not_in") else chance.pick(values))


def several(chance: Chance, values: Sequence[int | str]) -> tuple[int | str, ...]:
    return tuple(dict.fromkeys((chance.pick(values), *chance.some(values, 2))))


def fact(chance: Chance, about: Theme, name: str, depth: int = 0) -> ast.Fact:
    how = chance.pick(HOWS)
    if how == "ratio":
        if depth > 1:
            how = "sum"
        else:
            over, under = (fact(chance, about, f"{name}.{side}", depth + 1) for side in ("over", "under"))
            return ast.Fact(name, TITLE, how, "percent", over=over, under=under)
    if how in ("years_since", "days_since"):
        return ast.Fact(name, TITLE, how, how.removesuffix("_since"), field=chance.pick(DATES))
    if how.endswith("_to_anniversary"):
        return ast.Fact(name, TITLE, how, how.partition("_")[0], field=chance.pick(DATES))
    kinds = ("machine_registered",) if how == "fleet" else several(chance, about.kinds)
    there = tuple(dict.fromkeys(one for kind in kinds for one in fields_of(kind)))
    where = tuple(filter_(chance, there) for _ in range(chance.pick((0, 0, 0, 0, 0, 1, 1, 2))))
    if how == "fleet":
        return ast.Fact(name, TITLE, how, "count", where=where, window=window(chance))
    field, unit = "", "count"
    if how in ("sum", "max", "min"):
        numbers = [one for one in there if FIELDS[one].type in ("int", "money")]
        field = "amount" if not numbers or chance.often(40) else chance.pick(numbers)
        unit = "money" if FIELDS[field].type == "money" else "count"
    elif how == "distinct":
        field = chance.pick(there)
    elif how.startswith(("days_since", "years_since")):
        unit = how.partition("_")[0]
    return ast.Fact(name, TITLE, how, unit, kinds, field, where, window(chance))


# ---- conditions --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scope:
    """What a condition may ask: facts (by unit) and attributes; below them traits and the tier; and fields."""

    units: dict[str, str]
    attributes: tuple[str, ...]
    standing: bool = False
    tiers: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


def test(chance: Chance, scope: Scope) -> ast.Test:
    sources = ["fact", "fact", "fact", "attribute"] if scope.units else []
    if scope.standing:
        sources += ["trait", "traits", "tier"]
    if scope.fields:
        sources += ["field"] * 4
    source = chance.pick(sources)
    operators: Sequence[str] = OPERATORS
    match source:
        case "fact":
            name = chance.pick(tuple(scope.units))
            subject, values = ast.Subject("fact", name), THRESHOLDS[scope.units[name]]
        case "attribute" | "field":
            name = chance.pick(scope.attributes if source == "attribute" else scope.fields)
            type_ = (ATTRIBUTES if source == "attribute" else FIELDS)[name].type
            subject, values = ast.Subject(source, name), asked_of(type_)
            operators = EQUALITY if type_ in ("text", "member", "bool") else OPERATORS
        case "trait":
            name = chance.pick((*TRAITS, *(f"{trait}.{degree}" for trait in FAR for degree in DEGREES)))
            subject, values, operators = ast.Subject("trait", name), (0, 1), ("is", "is_not", "at_least")
        case "traits":
            of = tuple(chance.some(TRAITS, 3)) if chance.often(50) else ()
            subject, values = ast.Subject("traits", "", of), (-1, 0, 1, 2, 3)
        case _:
            subject, values, operators = ast.Subject("tier"), scope.tiers, EQUALITY
    op = chance.pick(operators)
    return ast.Test(subject, op, several(chance, values) if op in ("in", "not_in") else chance.pick(values))


def condition(chance: Chance, scope: Scope, depth: int = 0) -> ast.Condition:
    if depth > 2 or chance.often(45 + 15 * depth):
        return test(chance, scope)
    join = chance.pick(("all", "any", "none", "count", "wide"))
    if join == "wide":  # more ways than are written out: counted in a pass of its own
        parts = tuple(test(chance, scope) for _ in range(chance.pick((7, 8, 9))))
        return ast.CountOf(chance.pick((2, 3, 4, 5)), parts)
    parts = tuple(condition(chance, scope, depth + 1) for _ in range(chance.pick((0, 1, 2, 2, 2, 3, 3))))
    if join == "count":
        return ast.CountOf(chance.pick((0, 1, 2, 2, 3)), parts)
    return {"all": ast.AllOf, "any": ast.AnyOf, "none": ast.NoneOf}[join](parts)


def perhaps(chance: Chance, scope: Scope, percent: int = 50) -> ast.Condition | None:
    return condition(chance, scope) if chance.often(percent) else None


# ---- policies ----------------------------------------------------------------------------------------------------


def policy(chance: Chance) -> tuple[ast.Policy, Theme]:
    """A policy and what it is about."""
    about = theme(chance)
    facts = {f"f{number}": fact(chance, about, f"f{number}") for number in range(chance.pick((2, 3, 4, 6)))}
    tiers = TIERS[: chance.pick((1, 2, 3, 3, 4))]
    member = Scope({one.id: one.unit for one in facts.values()}, about.attributes)
    judged = Scope(member.units, member.attributes, True, tiers)
    line = _lines(chance, about, judged)
    only_fields = Scope({}, (), fields=line.fields)
    some_tiers = lambda: tuple(chance.some(tiers, 2)) if chance.often(40) else ()  # noqa: E731
    rewards = [_reward(chance, number, about, judged, some_tiers()) for number in range(chance.pick((0, 1, 2, 4)))]
    prices = [
        ast.Price(
            f"price{number}",
            TITLE,
            some_tiers(),
            condition(chance, line),
            9_500,
            for_levels=_some_levels(chance),
            beside=perhaps(chance, only_fields, 25),
            when=perhaps(chance, judged, 25),
        )
        for number in range(chance.pick((0, 1, 2)))
    ]
    ladder = tuple(
        ast.Tier(
            name, TITLE, rank, chance.pick(LEVELS),
            None if rank == 0 or chance.often(10) else _for_tier(chance, judged), perhaps(chance, judged, 30), None,
        )
        for rank, name in enumerate(tiers)
    )  # fmt: skip
    lists = [ast.MemberList("court", TITLE, condition(chance, judged))]
    # A list may be about a tier that has something to fall short of.
    courted = [tier.id for tier in ladder if tier.when is not None]
    if courted:
        lists.append(ast.MemberList("short", TITLE, None, chance.pick(courted), chance.pick((1, 2))))
    return ast.Policy(
        programme="proof",
        title=TITLE,
        currency="CNY",
        timezone=chance.pick(ZONES),
        facts=facts,
        traits={name: _trait(chance, name, member) for name in TRAITS},
        # Not in the order of their ranks: ranks say which is higher.
        tiers=ladder if chance.often(70) else ladder[::-1],
        lists={one.id: one for one in lists},
        levels={name: ast.Level(name, TITLE, rank, (), ()) for rank, name in enumerate(LEVELS)},
        segments={str(name): chance.pick(LEVELS) for name in chance.some(VALUES["text"], 2)},
        wallets={"purse": ast.Wallet("purse", TITLE, "money", (), None, suspended_when=perhaps(chance, judged))},
        prices={one.id: one for one in prices},
        emissions=_emissions(chance, about, judged),
        rewards={one.id: one for one in rewards},
        awards={"king": ast.Award("king", TITLE, (), 0, perhaps(chance, judged), (), (), 0, 0, 0, 0, 0)},
    ), about


def _trait(chance: Chance, name: str, scope: Scope) -> ast.Trait:
    word = None
    if chance.often(40):
        second = (chance.pick(ROLES),) if chance.often(40) else ()
        by = tuple(chance.some(ROLES, 2)) or ROLES
        word = ast.Attested(by, second, not_own_manager=chance.often(50), valid_months=chance.pick((1, 3, 12)))
    if name in FAR:
        degrees = tuple(ast.Degree(one, TITLE, condition(chance, scope)) for one in DEGREES)
        return ast.Trait(name, TITLE, ast.AnyOf(tuple(one.when for one in degrees)), word, degrees=degrees)
    return ast.Trait(name, TITLE, None if word and chance.often(50) else condition(chance, scope), word)


def _for_tier(chance: Chance, scope: Scope) -> ast.Condition:
    of = tuple(chance.some(TRAITS, 4)) if chance.often(40) else ()
    count = ast.Test(ast.Subject("traits", "", of), "at_least", chance.pick((1, 1, 2, 3)))
    return chance.pick((count, ast.AllOf((count, condition(chance, scope))), condition(chance, scope)))


def _lines(chance: Chance, about: Theme, judged: Scope, kinds: Sequence[str] = ()) -> Scope:
    there = tuple(dict.fromkeys(one for kind in kinds or about.kinds for one in fields_of(kind)))
    some = tuple(dict.fromkeys((chance.pick(there), *chance.some(there, 3))))
    return Scope(judged.units, judged.attributes, True, judged.tiers, some)


def _reward(chance: Chance, number: int, about: Theme, judged: Scope, tiers: tuple[str, ...]) -> ast.Reward:
    on = several(chance, about.kinds)
    return ast.Reward(
        f"reward{number}", TITLE, on, "purse", ast.Fixed(1),
        perhaps(chance, _lines(chance, about, judged, on), 70), perhaps(chance, judged, 50), tiers,
        chance.pick(("before", "after", "order")), for_levels=_some_levels(chance),
    )  # fmt: skip


def _some_levels(chance: Chance) -> tuple[str, ...]:
    return tuple(chance.some(LEVELS, 2)) if chance.often(25) else ()


def _emissions(chance: Chance, about: Theme, judged: Scope) -> dict[str, ast.Emission]:
    if chance.often(60):
        return {}
    on = several(chance, about.kinds)
    asked = perhaps(chance, _lines(chance, about, judged, on)), perhaps(chance, judged)
    return {"told": ast.Emission("told", TITLE, on, "referrer", "machine_brought_about", (), "buyer", *asked)}
