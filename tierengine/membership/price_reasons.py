"""Why a price applies to a line or does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from rules.judge import Inputs, Judged, explain_condition
from rules.policy import Price
from rules.policy.text import title
from tierengine.judging.pricing import Hindrance, Reached, Rival
from tierengine.membership.demands import demand, level_reason, other_day, other_weekday, tier_reason, too_small
from tierengine.membership.reasons import Reason, Words, amount_text, both

_UNASKED: Final = Inputs({}, {})
_UNJUDGED: Final = Judged(frozenset(), (), (), (), frozenset(), frozenset(), frozenset())


class Placed(Protocol):
    """A member as prices see him: a `stand.Stand`, or `OfTier`."""

    @property
    def inputs(self) -> Inputs:
        """What he is judged on."""
        ...

    @property
    def judged(self) -> Judged:
        """What was judged."""
        ...

    @property
    def tier(self) -> str:
        """The standing tier."""
        ...


@dataclass(frozen=True, slots=True)
class OfTier:
    """A member as prices see him that read his standing tier alone: nobody need judge him for them."""

    tier: str
    inputs: Inputs = _UNASKED
    judged: Judged = _UNJUDGED


def price_reason(
    words: Words,
    rule: Price,
    fields: Mapping[str, int | str | None],
    member: Placed,
    *,
    applied: Sequence[str],
    hindered: Hindrance,
    reached: Reached,
    rival: Callable[[], Rival | Reached],
) -> Reason:
    """Return why a price was or was not taken for a line.

    applied   those that were
    hindered  by the order, of which what the price counts is `reached`
    rival     tells how it did against the others of its lane on this line, or how far the lines come that they leave it
    """
    tier = member.tier
    if rule.id in applied:
        return Reason("applied", both(f"按「{rule.title.zh}」计价", f"priced by {title(rule.title, rule.id).en}"))
    if rule.for_tiers and tier not in rule.for_tiers:
        return tier_reason(words, tier, rule.for_tiers)
    reason = level_reason(words, rule, member.inputs, member.judged, tier)
    if reason is not None:
        return reason
    reason = words.failing(explain_condition(rule.where, member.inputs, member.judged, fields, tier), "condition")
    if reason is None and rule.when is not None:
        reason = words.failing(explain_condition(rule.when, member.inputs, member.judged, fields, tier), "when")
    if reason is not None:
        return reason
    apart = [other for other in applied if other in rule.not_with or rule.id in words.policy.prices[other].not_with]
    if apart:
        return _not_with(words, rule, apart[0])
    if hindered:
        return _hindered(rule, hindered, reached)
    against = rival()
    if isinstance(against, Reached):
        return _hindered(rule, _short(rule, against), against)
    return _outdone(words, rule, against)


def _not_with(words: Words, rule: Price, taken: str) -> Reason:
    other = words.policy.prices[taken]
    text = both(f"不与「{other.title.zh}」同享", f"does not go with {title(other.title, taken).en}")
    kept = [one.id for one in words.policy.prices.values() if one.id in rule.not_with or rule.id in one.not_with]
    name = both("已有的价格", "the price it has")
    return demand(
        "not_with", text, "price", name, "not_in", required=kept, observed=taken, unit="text", rule=taken
    )  # fmt: skip


def _short(rule: Price, reached: Reached) -> Hindrance:
    return "minimum_order" if reached.list < rule.minimum_order else "minimum_quantity"


def _outdone(words: Words, rule: Price, rival: Rival) -> Reason:
    """Return why a price that could have been taken was not: it takes nothing off, or another was taken."""
    name = both(f"按「{rule.title.zh}」的价格", f"the price by {title(rule.title, rule.id).en}")
    mine = amount_text(rival.mine, "money")
    if not rival.rule:
        text = both(f"按它要 {mine.zh}，没有便宜", f"by it the line costs {mine.en}, which is no less")
        return demand(
            "nothing_off", text, "price", name, "less_than", required=rival.listed, observed=rival.mine, unit="money"
        )
    other = words.policy.prices[rival.rule]
    called, taken = title(other.title, other.id), amount_text(rival.taken, "money")
    if rival.first:
        text = both(
            f"「{called.zh}」优先：{other.priority}，这个是 {rule.priority}",
            f"{called.en} goes first: {other.priority}, this one is {rule.priority}",
        )
        name = both("优先级", "priority")
        return demand(
            "priority", text, "price", name, "at_most", required=other.priority, observed=rule.priority, unit="count",
            rule=other.id,
        )  # fmt: skip
    if rival.mine == rival.taken:
        text = both(f"与「{called.zh}」一样，都是 {mine.zh}", f"the same as {called.en}: {mine.en}")
    else:
        text = both(
            f"「{called.zh}」更低：{taken.zh}，按它要 {mine.zh}", f"{called.en} is lower: {taken.en}, not {mine.en}"
        )
    return demand(
        "better_price", text, "price", name, "less_than", required=rival.taken, observed=rival.mine, unit="money",
        rule=other.id,
    )  # fmt: skip


def _hindered(rule: Price, hindered: Hindrance, reached: Reached) -> Reason:
    match hindered:
        case "minimum_order":
            return too_small(hindered, rule.minimum_order, reached.list)
        case "minimum_quantity":
            return too_small(hindered, rule.minimum_quantity, reached.qty)
        case "weekday":
            return other_weekday(rule, reached.day)
        case "dates":
            return other_day(rule, reached.day, both("不在有效期内", "outside its dates"))
    text = both("这一单里没有要同时买的", "the order lacks what must be bought beside it")
    name = both("同时买的行", "lines bought beside it")
    return demand(hindered, text, "order", name, "at_least", required=1, observed=0, unit="count")
