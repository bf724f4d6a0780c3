"""Why a price applies to a line or does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from rules.judge import Inputs, Judged, explain_condition
from rules.policy import Price, Text
from rules.policy.text import title
from tierengine.judging.pricing import Hindrance
from tierengine.membership.explaining import (
    Reason,
    Words,
    amount_text,
    both,
    level_reason,
    tier_reason,
)


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
) -> Reason:
    """Return why a price was or was not taken for a line. `applied`: those that were; `hindered`: by the order."""
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
        return Reason(hindered, _hindered(rule, hindered))
    return Reason("better_price", both("另一个价格更低", "another price is lower"))


def _hindered(rule: Price, hindered: Hindrance) -> Text:
    if hindered == "minimum_order":
        need = amount_text(rule.minimum_order, "money")
        return both(f"这一单要满 {need.zh}", f"the order must come to {need.en}")
    if hindered == "minimum_quantity":
        return both(f"这一单要满 {rule.minimum_quantity} 件", f"the order must have {rule.minimum_quantity} pieces")
    return {
        "dates": both("不在有效期内", "outside its dates"),
        "weekday": both("不在规定的星期几", "not on this day of the week"),
        "beside": both("这一单里没有要同时买的", "the order lacks what must be bought beside it"),
    }[hindered]
