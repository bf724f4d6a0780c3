"""The section `awards`: who takes part, in what order, how many win, and what."""

from __future__ import annotations

from typing import Final, Literal, cast

from rules import names
from rules.conditions import Scope, read_condition
from rules.desk import Desk
from rules.keys import WORDS
from rules.nodes import Form
from rules.policy import Award, PrizeShare, Rung, Score, Tie
from rules.rewards import read_ladder
from rules.source import Entries, Node, Scalar
from rules.values import plain
from rules.vocabulary import ATTRIBUTES

_KEYS: Final = (
    "title", "for", "period", "months_in_tier", "unless", "per_group", "score", "measure", "ties", "winners", "prize",
    "tax", "budget", "into",
)  # fmt: skip
_MOST: Final = 100_000


def read_awards(desk: Desk, node: Node | None) -> dict[str, Award]:
    """Read the year-end awards."""
    return {name: _award(desk, name, written, value) for name, written, value in desk.named(node, "awards")}


def _award(desk: Desk, name: str, written: Scalar, value: Node) -> Award:
    form = desk.form(value, f"awards.{name}", _KEYS, ("for", "winners", "prize", "budget"))
    share, least, most = _winners(desk, form)
    prize, prizes, in_proportion = _prize(desk, form)
    budget_at = form.get("budget")
    budget = desk.money(budget_at, form.path("budget"))
    least_cost = least * min((prize, *(rung.amount for rung in prizes))) if prizes else least * prize
    if budget_at is not None and budget and budget < least_cost:
        each = least_cost // least
        desk.note("P513", budget_at, f"{least} × {each / 100:g}", (f"{budget / 100:g}",), form.path("budget"))
    tax_bp, borne_by = _tax(desk, form)
    return Award(
        id=name,
        title=desk.title(form, name, written),
        tiers=desk.references("tiers", form.get("for"), form.path("for")),
        months_in_tier=desk.integer(form.get("months_in_tier"), form.path("months_in_tier"), high=12),
        unless=read_condition(desk, form.get("unless"), form.path("unless"), Scope()),
        score=_score(desk, form),
        ties=tuple(
            _tie(desk, item, form.path(f"ties[{at}]"))
            for at, item in enumerate(desk.items(form.get("ties"), form.path("ties")), start=1)
        ),
        share_bp=share,
        at_least=least,
        at_most=most,
        prize=prize,
        budget=budget,
        wallet=desk.reference("wallets", form.get("into"), form.path("into")),
        mark=written.mark,
        period=cast(
            "Literal['year', 'quarter', 'month']",
            desk.word(form.get("period"), form.path("period"), ("year", "quarter", "month"), "year"),
        ),
        per=_attribute(desk, form.get("per_group"), form.path("per_group")),
        prizes=prizes,
        prize_share=in_proportion,
        tax_bp=tax_bp,
        tax_borne_by=borne_by,
    )


def _winners(desk: Desk, form: Form) -> tuple[int, int, int]:
    """Read `{share, at_least, at_most}`, a number, or `all`: the share of the eligible, the least and the most."""
    node, path = form.get("winners"), form.path("winners")
    if isinstance(node, Scalar):
        if names.canonical(plain(node.text), ("all",), WORDS):
            return 10_000, 0, _MOST
        number = desk.integer(node, path, low=1, high=_MOST)
        return 10_000, 0, number
    all_of = ("share", "at_least", "at_most")
    winners = desk.form(node, path, all_of, all_of)
    least = desk.integer(winners.get("at_least"), winners.path("at_least"), high=_MOST)
    most = desk.integer(winners.get("at_most"), winners.path("at_most"), high=_MOST)
    if least > most and "at_most" in winners:
        desk.note("P512", winners.key("at_least"), str(least), (str(most),), winners.about)
    return desk.percent(winners.get("share"), winners.path("share"), low=0, high=10_000), least, most


def _prize(desk: Desk, form: Form) -> tuple[int, tuple[Rung, ...], PrizeShare | None]:
    """Read `5000 CNY`, `{places: {1: 5000 CNY, after: none}}`, or `{share: 1%, fact: id, cap, block}`."""
    node, path = form.get("prize"), form.path("prize")
    if not isinstance(node, Entries):
        return desk.money(node, path), (), None
    found = desk.form(node, path, ("places", "share", "fact", "cap", "block"))
    if desk.one_of(found, ("places", "share")) == "places":
        desk.without_effect(found, "fact", "cap", "block")
        return 0, read_ladder(desk, found.get("places"), found.path("places"), "money", every=True).rungs, None
    if "fact" not in found:
        desk.note("P203", found.mark, allowed=("fact",), about=found.about, allowed_zh=names.keys_zh(("fact",)))
    share = desk.percent(found.get("share"), found.path("share"), low=1)
    fact = desk.reference("facts", found.get("fact"), found.path("fact"))
    cap = desk.money(found.get("cap"), found.path("cap")) if "cap" in found else None
    block = desk.money(found.get("block"), found.path("block"), 1, low=1)
    return 0, (), PrizeShare(share, fact, cap, block)


def _tax(desk: Desk, form: Form) -> tuple[int, Literal["winner", "dealer"]]:
    if "tax" not in form:
        return 0, "winner"
    found = desk.form(form.get("tax"), form.path("tax"), ("rate", "borne_by"), ("rate", "borne_by"))
    by = desk.word(found.get("borne_by"), found.path("borne_by"), ("winner", "dealer"), "winner")
    rate = desk.percent(found.get("rate"), found.path("rate"), low=1, high=9_900)
    return rate, cast("Literal['winner', 'dealer']", by)


def _score(desk: Desk, form: Form) -> tuple[Score, ...]:
    if desk.one_of(form, ("score", "measure")) == "measure":
        # Ranked by one fact is ranked by its rank: the amounts themselves never count.
        fact = desk.reference("facts", form.get("measure"), form.path("measure"))
        return (Score(fact, 1),)
    node, path = form.get("score"), form.path("score")
    found: list[Score] = []
    for written, value in desk.entries(node, path):
        fact = desk.reference("facts", written, path)
        weight = desk.integer(value, f"{path}.{written.text}", 1, low=1, high=10_000)
        found.append(Score(fact, weight))
    if isinstance(node, Entries) and not node.pairs:
        desk.note("P208", node, about=path)
    return tuple(found)


def _tie(desk: Desk, node: Node, about: str) -> Tie:
    form = desk.form(node, about, ("fact", "attribute", "first"), ("first",))
    which = desk.one_of(form, ("fact", "attribute")) if isinstance(node, Entries) else ""
    first = cast(
        "Literal['highest', 'lowest']",
        desk.word(form.get("first"), form.path("first"), ("highest", "lowest"), "highest"),
    )
    if which == "fact":
        return Tie("fact", desk.reference("facts", form.get("fact"), form.path("fact")), first)
    return Tie("attribute", _attribute(desk, form.get("attribute"), form.path("attribute")), first)


def _attribute(desk: Desk, node: Node | None, about: str) -> str:
    found = desk.scalar(node, about)
    name = names.canonical(plain(found.text), ATTRIBUTES, names.ATTRIBUTES_ZH) if found else ""
    if found and name is None:
        desk.note("P411", found, found.text, ATTRIBUTES, allowed_zh=names.spelled(ATTRIBUTES, names.ATTRIBUTES_ZH))
    return name or ""
