"""Why a reward whose conditions all hold gives nothing: its amount is 0, another came first, a limit is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rules.judge import Inputs, Judged, StandingTiers
from rules.policy import ByClass, Ladder, PerAmount, Policy, Reward, Rung, Text
from rules.policy.text import title
from rules.vocabulary import FIELDS
from tierengine.judging.amounts import holds, per_line
from tierengine.judging.carry import Carry
from tierengine.judging.decisions import Granted
from tierengine.judging.grants import Limit, Rewards, Worth, exclusive_key
from tierengine.judging.history import Scalar
from tierengine.judging.occasions import Occasion
from tierengine.membership.demands import demand
from tierengine.membership.reasons import Reason, amount_text, both

_PERIODS: Final = {
    "life": both("总共", "in all"), "year": both("每年", "a year"), "quarter": both("每季", "a quarter"),
    "month": both("每月", "a month"), "day": both("每天", "a day"), "event": both("每次", "each time"),
}  # fmt: skip
_TIMES: Final = both("次数", "times")


@dataclass(frozen=True, slots=True)
class Event:
    """An event whose rewards are asked about: what it was, the standings around it, and what it was judged on.

    used  what budgets over several members have given, by their keys, as far as that was asked
    """

    occasions: tuple[Occasion, ...]
    tiers: StandingTiers
    inputs: Inputs
    judged: Judged
    carry: Carry
    granted: Mapping[tuple[str, str], Granted]
    used: Mapping[str, int]


def worth_reason(policy: Policy, rewards: Rewards, reward: Reward, occasion: Occasion, places: Sequence[int],
                 event: Event) -> Reason:  # fmt: skip
    """Return the first thing that left nothing of a reward for the lines of an event that it matches."""
    firm = event.inputs.attributes.get("firm")
    worth = rewards.worth(event.carry, reward, occasion, places, firm if isinstance(firm, str) else "")
    if worth.value <= 0:
        return _nothing(policy, reward, worth, occasion.fields[places[0]])
    return (
        _lost(policy, reward, worth.value, occasion, event)
        or _taken(policy, reward, occasion.fields[places[0]], occasion, event)
        or next((limit_reason(policy, reward, one) for one in worth.limits if one.used >= one.most), None)
        or Reason("nothing", both("这一次没有奖励", "this one earns nothing"))
    )


def limit_reason(policy: Policy, reward: Reward, limit: Limit) -> Reason:
    """Return that a cap of a reward, or a budget that it draws on, is reached: its window, and what of it was used."""
    budget = policy.budgets.get(limit.budget)
    unit = policy.wallets[reward.wallet].unit
    most, used, left = (_said(one, unit, limit) for one in (limit.most, limit.used, max(limit.most - limit.used, 0)))
    period = _PERIODS[limit.period]
    window = f"（{limit.window}）" if limit.window else ""
    by = f" ({limit.window})" if limit.window else ""
    if budget is None:
        text = both(
            f"{period.zh}封顶 {most.zh}，已得 {used.zh}，还剩 {left.zh}{window}",
            f"at most {most.en} {period.en}; {used.en} earned already, {left.en} left{by}",
        )
        name = both("已得", "earned")
    else:
        called = title(budget.title, budget.id)
        text = both(
            f"「{called.zh}」{period.zh} {most.zh}，已给 {used.zh}，还剩 {left.zh}{window}",
            f"{called.en}: {most.en} {period.en}; {used.en} given already, {left.en} left{by}",
        )
        name = called
    return demand(
        "budget" if budget else "cap", text, "reward", name, "less_than", required=limit.most, observed=limit.used,
        unit="count" if limit.times else unit, left=max(limit.most - limit.used, 0), period=limit.period,
        window=limit.window,
    )  # fmt: skip


def _said(amount: int, unit: str, limit: Limit) -> Text:
    if not limit.times:
        return amount_text(amount, unit)
    return both(f"{amount} 次", f"{amount} time{'s' * (amount != 1)}")


# ---- another one came first --------------------------------------------------------------------------------------


def _lost(policy: Policy, reward: Reward, value: int, occasion: Occasion, event: Event) -> Reason | None:
    """Return that of a lane, or of an exclusive group, another reward was given for this very event."""
    for key, rule in event.granted:
        rival = policy.rewards.get(rule)
        if key != occasion.key or rival is None or rival is reward:
            continue
        given = event.granted[key, rule].judged
        if reward.lane and rival.lane == reward.lane:
            by_value = policy.lanes[reward.lane].compete == "best"
            return _outdone(policy, "lane", reward, rival, (value, reward.priority), (given, rival.priority), by_value)
        mine, other = reward.exclusive, rival.exclusive
        if mine and other and event.granted[key, rule].taken == exclusive_key(reward, occasion, occasion.fields[0]):
            by_value = mine.compete == "best"
            return _outdone(
                policy, "exclusive", reward, rival, (value, mine.priority), (given, other.priority), by_value
            )
    return None


def _outdone(
    policy: Policy, code: str, reward: Reward, rival: Reward, mine: tuple[int, int], other: tuple[int, int],
    by_value: bool,
) -> Reason:  # fmt: skip
    """Return that a rival was given instead: `mine` and `other` are value and priority."""
    called, unit = title(rival.title, rival.id), policy.wallets[reward.wallet].unit
    given = amount_text(other[0], policy.wallets[rival.wallet].unit)
    text = both(f"已给「{called.zh}」{given.zh}，只给一样", f"{called.en} gives {given.en}; only one is given")
    if not by_value and mine[1] != other[1]:
        name = both("优先级", "priority")
        return demand(
            code, text, "reward", name, "at_most", required=other[1], observed=mine[1], unit="count", rule=rival.id
        )
    name = both("奖励金额", "what it gives")
    return demand(
        code, text, "reward", name, "more_than", required=other[0], observed=mine[0], unit=unit, rule=rival.id
    )


def _taken(
    policy: Policy, reward: Reward, fields: Mapping[str, Scalar], occasion: Occasion, event: Event
) -> Reason | None:
    """Return that an event before this one used up the key of its exclusive group."""
    rule = event.carry.taken.get(exclusive_key(reward, occasion, fields)) if reward.exclusive else None
    if rule is None:
        return None
    won = policy.rewards.get(rule)
    called = title(won.title, won.id) if won else both(rule, rule)
    text = both(f"已由「{called.zh}」奖励过，只给一样", f"already rewarded by {called.en}; only one is given")
    name = both("奖励过的", "rewarded by")
    return demand("exclusive", text, "reward", name, "is", required=None, observed=rule, unit="text", rule=rule)


# ---- it is worth nothing by itself -------------------------------------------------------------------------------


def _nothing(policy: Policy, reward: Reward, worth: Worth, fields: Mapping[str, Scalar]) -> Reason:
    if isinstance(worth.amount, Ladder):
        return _off_ladder(worth.amount, worth.nth, reward)
    if isinstance(worth.amount, PerAmount):
        return _too_little(worth.amount, worth.bases)
    return _no_class(policy, reward, fields)


def _off_ladder(ladder: Ladder, nth: int, reward: Reward) -> Reason:
    """Return which time this is, and at which there is something: from the next on, or up to the last."""
    paid = [rung for rung in ladder.rungs if rung.amount > 0]
    following = min((first for rung in paid if (first := _next(rung, nth)) is not None), default=None)
    if following is not None:
        op, required = "at_least", following
        text = both(f"这是第 {nth} 次，第 {following} 次才有", f"this is number {nth}; number {following} earns")
    else:
        op, required = "at_most", max((rung.last or 0 for rung in paid), default=0)
        text = both(f"这是第 {nth} 次，到第 {required} 次为止", f"this is number {nth}; up to number {required} earn")
    name = both("第几次", "which time")
    return demand(
        "ladder", text, "reward", name, op, required=required, observed=nth, unit="count", period=reward.period
    )


def _next(rung: Rung, nth: int) -> int | None:
    """Return the next time after the `nth` at which a rung counts; None when it was the last."""
    if rung.every:
        return (nth // rung.every + 1) * rung.every
    if nth < rung.first:
        return rung.first
    return nth + 1 if rung.last is None or nth < rung.last else None


def _too_little(amount: PerAmount, bases: Sequence[int]) -> Reason:
    """Return how far the base is from the least that earns one: of one line where each is rounded by itself."""
    if amount.rounding == "half_up":
        least = -(-amount.each // (2 * amount.give))
    else:
        least = -(-amount.each // amount.give) if amount.proportional else amount.each
    alone = per_line(amount)
    has = max(bases) if alone else sum(bases)
    required = least if alone else least + amount.above
    field = FIELDS.get(amount.base)
    type_ = field.type if field else "count"
    called = both(field.zh if field else amount.base, amount.base.replace("_", " "))
    need, seen = _number(required, type_), _number(has, type_)
    text = both(f"{called.zh}要满 {need.zh}，现有 {seen.zh}", f"{called.en} must come to {need.en}, not {seen.en}")
    unit = type_ if type_ == "money" else "count"
    return demand("too_little", text, "field", called, "at_least", required=required, observed=has, unit=unit)


def _number(amount: int, type_: str) -> Text:
    return amount_text(amount, "money") if type_ == "money" else both(str(amount), str(amount))


def _no_class(policy: Policy, reward: Reward, fields: Mapping[str, Scalar]) -> Reason:
    """Return which class an event would have to be in; of a class that earns nothing only that."""
    text = both("这一类没有奖励", "its class earns nothing")
    amount = reward.amount
    if isinstance(amount, ByClass):
        for _, filters, _ in amount.classes:
            test = next((one for one in filters if not holds(one, fields.get(one.field))), None)
            if test is not None:
                field = FIELDS.get(test.field)
                name = both(field.zh if field else test.field, test.field.replace("_", " "))
                required = list(map(str, test.value)) if isinstance(test.value, tuple) else test.value
                return demand(
                    "class", text, "field", name, test.op, required=required, observed=fields.get(test.field),
                    unit=field.type if field else "text",
                )  # fmt: skip
    name, unit = both("奖励金额", "what it gives"), policy.wallets[reward.wallet].unit
    return demand("class", text, "reward", name, "more_than", required=0, observed=0, unit=unit)
