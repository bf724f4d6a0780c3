"""Random small programmes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from rules import policy as ast
from tests.chance import Chance

TITLE = ast.Text("名", "name")
AMOUNTS = (500, 999, 1_000, 1_001, 1_500, 2_000, 3_333)
THRESHOLDS = (1_000, 1_500, 2_000, 3_000, 5_000)
CATEGORIES = ("parts", "lubricant", "fuel")
SIZES = ("small", "medium", "large")
PARTS, MACHINE, SETTLED, TIP = ("parts_purchase",), ("machine_purchase",), ("purchase_settled",), ("tip",)
BROUGHT = ("machine_brought_about",)


def windows(chance: Chance, *spans: str) -> ast.Window:
    months, days = chance.pick(((1, 0), (2, 0), (3, 0), (0, 10), (0, 31), (0, 45)))
    span = chance.pick(spans)
    return ast.Window(span, months, days) if span in ("rolling", "preceding") else ast.Window(span)


def facts(chance: Chance) -> dict[str, ast.Fact]:
    def made(name, how, unit, kinds, field="", where=(), span=None):
        return ast.Fact(name, TITLE, how, unit, kinds, field, where, span or ast.Window())

    near = windows(chance, "rolling")
    spent = made("spent", "sum", "money", PARTS, "amount", (), near)
    earlier = made("earlier", "sum", "money", PARTS, "amount", (), replace(near, span="preceding"))
    ours = (ast.Filter("direction", "is", "customer"),)
    used = (ast.Filter("category", chance.pick(("is", "is_not")), "parts"),)
    found = (
        spent,
        earlier,
        ast.Fact("growth", TITLE, "ratio", "percent", over=spent, under=earlier),
        made(
            "bought", "count", "count", (*MACHINE, *BROUGHT), "", (), windows(chance, "always", "rolling", "this_year")
        ),
        made(
            "period",
            "sum",
            "money",
            PARTS,
            "amount",
            used,
            windows(chance, "this_year", "this_quarter", "last_quarter"),
        ),
        made("since", "sum", "money", (*PARTS, *MACHINE), "amount", (), ast.Window("since_tier")),
        made("busy", "months_with", "months", PARTS, "", (), windows(chance, "always", "rolling")),
        made("talks", "count", "count", ("contact",), "", ours, windows(chance, "rolling")),
        made("tips", "count", "count", TIP, "", (), windows(chance, "rolling", "always")),
        made("quiet", "days_since_last", "days", (*PARTS, "contact")),
        made("first", "days_since_first", "days", PARTS),
        made("largest", "max", "money", PARTS, "amount"),
        made("items", "distinct", "count", PARTS, "item", (), windows(chance, "always", "rolling")),
    )
    return {one.id: one for one in found}


def asks(chance: Chance, *names: str) -> ast.Test:
    name = chance.pick(names)
    op = "at_least"
    if name in ("quiet", "first"):
        op, value = chance.pick(("at_least", "less_than", "at_most")), chance.pick((1, 5, 20, 31, 60))
    elif name == "growth":
        value = chance.pick((5_000, 10_000, 13_000))
    elif name in ("spent", "earlier", "period", "since", "largest"):
        op, value = chance.pick(("at_least", "at_least", "more_than")), chance.pick(THRESHOLDS)
    else:
        value = chance.pick((1, 1, 2))
    return ast.Test(ast.Subject("fact", name), op, value)


def condition(chance: Chance, *names: str) -> ast.Condition:
    made = asks(chance, *names)
    if chance.often(30):
        joined = chance.pick((ast.AllOf, ast.AnyOf))
        return joined((made, asks(chance, *names)))
    return ast.NoneOf((made,)) if chance.often(10) else made


def traits(chance: Chance) -> dict[str, ast.Trait]:
    word = ast.Attested(("leader",), (), not_own_manager=chance.often(50), valid_months=chance.pick((1, 3)))
    found = (
        ast.Trait("buyer", TITLE, condition(chance, "spent", "largest", "bought", "items"), None),
        ast.Trait(
            "talker", TITLE, condition(chance, "talks", "tips", "busy", "quiet"), word if chance.often(50) else None
        ),
        ast.Trait("known", TITLE, None, word),
        ast.Trait("grower", TITLE, condition(chance, "growth", "period", "since", "spent", "first"), None),
    )
    return {one.id: one for one in found}


def tiers(chance: Chance, names: Sequence[str]) -> tuple[ast.Tier, ...]:
    made = [ast.Tier(names[0], TITLE, 0, "", None, None, None)]
    for rank, name in enumerate(names[1:], 1):
        count = ast.Test(ast.Subject("traits"), "at_least", min(rank, 3))
        when = chance.pick((count, count, condition(chance, "spent", "bought", "since", "period", "tips")))
        if rank > 1 and chance.often(30):
            when = ast.AllOf((count, asks(chance, "bought", "spent")))
        unless = None
        if chance.often(55):
            key = ast.Test(ast.Subject("attribute", "segment"), "is", "key")
            late = ast.Test(ast.Subject("attribute", "overdue_days"), "at_least", 30)
            unless = chance.pick((key, late, ast.AnyOf((key, late)), asks(chance, "tips", "quiet")))
        keep = ast.Keep(
            chance.pick((1, 1, 2, 3, 12)), chance.pick((0, 5, 20, 31)), chance.pick(("one_down", "as_facts_say"))
        )
        made.append(
            ast.Tier(
                name, TITLE, rank, "", when, unless, keep,
                promotion="confirmed" if chance.often(25) else "automatic",
                confirm_within_days=chance.pick((1, 10, 30, 90)),
                returns_undo_days=chance.pick((0, 1, 10, 30, 30, 90)),
            )
        )  # fmt: skip
    return tuple(made)


def plain_amount(chance: Chance, kinds: Sequence[str]) -> ast.Amount:
    how = chance.pick(("fixed", "per", "ladder", "ladder"))
    if how == "fixed" or (how == "per" and kinds == TIP):
        return ast.Fixed(chance.pick((7, 100, 150)))
    if how == "per":
        cap = chance.pick((None, None, 40))
        base = "amount" if kinds == BROUGHT else "cash"
        return ast.PerAmount(chance.pick((1, 3)), chance.pick((7, 100)), base, chance.pick(("floor", "half_up")), cap)
    first, later = chance.pick((100, 50)), chance.pick((150, 151))
    last = chance.pick((3, 2, None))
    return ast.Ladder((ast.Rung(1, 1, first), ast.Rung(2, last, later))[chance.pick((0, 0, 1)) :])


def amount(chance: Chance, kinds: Sequence[str]) -> ast.Amount:
    otherwise = plain_amount(chance, kinds)
    if chance.often(65) or kinds == TIP:
        return otherwise
    if kinds == PARTS:
        test = chance.pick((ast.Filter("category", "is", "lubricant"), ast.Filter("amount", "at_least", 1_000)))
    else:
        test = chance.pick((ast.Filter("size", "is", "small"), ast.Filter("amount", "more_than", 1_000)))
    return ast.ByClass((("special", (test,), plain_amount(chance, kinds)),), otherwise)


def where(chance: Chance, kinds: Sequence[str]) -> ast.Condition | None:
    if kinds != PARTS or chance.often(60):
        return None
    parts = ast.Test(ast.Subject("field", "category"), "in", ("parts", "lubricant"))
    return chance.pick((parts, ast.Test(ast.Subject("field", "amount"), "at_least", 1_000)))


def reward(chance: Chance, number: int, names: Sequence[str], year: int, *, selling: bool) -> ast.Reward:
    """A reward; where much is sold, one that is often granted, and the first two rivals over the same machines."""
    kinds = chance.pick((PARTS, PARTS, MACHINE, MACHINE, SETTLED, SETTLED, (*MACHINE, *SETTLED), TIP, BROUGHT, BROUGHT))
    kinds, seldom = (MACHINE if number < 2 else kinds, 5) if selling else (kinds, 20)
    exclusive = None
    if chance.often(50):
        key = chance.pick(("serial", "order")) if kinds not in (PARTS, BROUGHT) else "order"
        exclusive = ast.Exclusive("group", key, chance.pick((0, 1)))
    caps = tuple(
        ast.Cap(period, chance.pick((60, 99, 150, 251)))
        for period in chance.some(("month", "year", "life", "life", "event", "day"), 3)
        if chance.often(70)
    )
    return ast.Reward(
        id=f"reward{number}",
        title=TITLE,
        on=kinds,
        wallet=chance.pick(("credit", "points")),
        amount=amount(chance, kinds),
        where=where(chance, kinds),
        when=condition(chance, "spent", "bought", "talks", "since") if chance.often(seldom) else None,
        for_tiers=tuple(sorted(chance.some(names, 2))) if chance.often(2 * seldom) else (),
        standing=chance.pick(("after", "before", "order") if kinds == SETTLED else ("after", "before")),
        period=chance.pick(("life", "life", "year", "quarter", "month", "month", "day", "event")),
        counted_on="delivered_on" if kinds in (MACHINE, SETTLED) and chance.often(50) else "",
        counting=chance.pick(("granted", "all")),
        exclusive=exclusive,
        caps=caps,
        settle_days=chance.pick((0, 0, 1, 30)),
        expires=chance.pick((None, *(ast.Expiry(*terms) for terms in ((1, 0), (1, 0, "month"), (0, 1, "year"))))),
        valid_from=date(year, 1, 31) if chance.often(seldom) else None,
        valid_until=date(year, 2, 28) if chance.often(seldom) else None,
        weekdays=(0, 1, 2, 3) if chance.often(seldom) else (),
        minimum_spend=chance.pick((1_000, 2_000)) if kinds != TIP and chance.often(2 * seldom) else 0,
        returns=chance.pick(("pro_rata", "rejudge")),
    )


def telling(kinds: Sequence[str]) -> ast.Emission:
    unrelated = ast.Test(ast.Subject("field", "related"), "is", 0)
    fields = ("size", "amount", "serial")
    return ast.Emission("telling", TITLE, tuple(kinds), "referrer", BROUGHT[0], fields, "buyer", unrelated)


def programme(chance: Chance, zone: str, names: Sequence[str], year: int, *, selling: bool) -> ast.Policy:
    wallets = (
        ast.Wallet("credit", TITLE, "money", ("parts",), ast.Expiry(months=2)),
        ast.Wallet("points", TITLE, "points", (), None),
    )
    made = [reward(chance, number, names, year, selling=selling) for number in range(6 if selling else 2)]
    told = [telling(chance.pick((MACHINE, SETTLED)))] if selling or chance.often(30) else []
    return ast.Policy(
        programme="chance",
        title=TITLE,
        currency="CNY",
        timezone=zone,
        facts=facts(chance),
        traits=traits(chance),
        tiers=tiers(chance, names),
        wallets={one.id: one for one in wallets},
        emissions={one.id: one for one in told},
        rewards={one.id: one for one in made},
    )
