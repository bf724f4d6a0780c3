"""Why a price applies to a line or does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from rules.judge import Inputs, Judged, explain_condition
from rules.policy import Price
from rules.policy.text import title
from tierengine.judging.pricing import Hindrance, Reached
from tierengine.membership.demands import level_reason, other_day, other_weekday, tier_reason, too_small
from tierengine.membership.reasons import Reason, Words, both


class Placed(Protocol):
    """A member as prices see him (`stand.Stand` is one)."""

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


def price_reason(
    words: Words,
    rule: Price,
    fields: Mapping[str, int | str | None],
    member: Placed,
    *,
    applied: Sequence[str],
    hindered: Hindrance,
    reached: Reached,
) -> Reason:
    """Return why a price was or was not taken for a line.

    applied   those that were
    hindered  by the order, of which what the price counts is `reached`
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
        other = words.policy.prices[apart[0]].title
        return Reason("not_with", both(f"不与「{other.zh}」同享", f"does not go with {title(other, apart[0]).en}"))
    if hindered:
        return _hindered(rule, hindered, reached)
    return Reason("better_price", both("另一个价格更低", "another price is lower"))


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
    return Reason(hindered, both("这一单里没有要同时买的", "the order lacks what must be bought beside it"))
