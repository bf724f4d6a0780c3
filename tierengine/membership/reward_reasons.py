"""Why an event earns a reward or does not, for every reward of the policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from rules.judge import Explanation, Inputs, Judged, StandingTiers, explain_condition
from rules.policy import Condition, Ladder, Policy, Reward
from rules.policy.text import title
from tierengine.judging.amounts import plain_amount
from tierengine.judging.carry import Carry
from tierengine.judging.decisions import Granted
from tierengine.judging.grants import exclusive_key
from tierengine.judging.occasions import Occasion, told_apart
from tierengine.membership.demands import kind_reason, level_reason, other_day, other_weekday, tier_reason, too_small
from tierengine.membership.reasons import Reason, Words, amount_text, both, said
from tierengine.zone import Zone, period_key


@dataclass(frozen=True, slots=True)
class Event:
    """An event whose rewards are asked about: what it was, the standings around it, and what it was judged on."""

    occasions: tuple[Occasion, ...]
    tiers: StandingTiers
    inputs: Inputs
    judged: Judged
    carry: Carry
    granted: Mapping[tuple[str, str], Granted]


def reward_reasons(policy: Policy, zone: Zone, event: Event, lang: str) -> list[dict[str, Any]]:
    """Return every reward of the policy with what this event earned by it, or why nothing."""
    words = Words(policy)
    occasions = tuple(told_apart(one, event.inputs.attributes) for one in event.occasions)
    event = replace(event, occasions=occasions)
    found: list[dict[str, Any]] = []
    for reward in policy.rewards.values():
        unit = policy.wallets[reward.wallet].unit
        amount, reason = _reward(words, policy, zone, reward, event)
        found.append(
            {
                "rule": reward.id,
                "title": said(title(reward.title, reward.id), lang),
                "wallet": reward.wallet,
                "unit": unit,
                "amount": amount,
                **reason.plain(lang),
            }
        )
    return found


def _reward(words: Words, policy: Policy, zone: Zone, reward: Reward, event: Event) -> tuple[int, Reason]:
    mine = [one for one in event.occasions if one.kind in reward.on]
    if not mine:
        return 0, kind_reason(reward, [one.kind for one in event.occasions])
    granted = [event.granted[one.key, reward.id] for one in mine if (one.key, reward.id) in event.granted]
    amount = sum(one.wanted for one in granted)
    if amount:
        text = amount_text(amount, policy.wallets[reward.wallet].unit)
        return amount, Reason("granted", both(f"得 {text.zh}", f"earns {text.en}"))
    if granted and not any(one.judged for one in granted):
        return 0, Reason("budget", both("总额已经给完", "the budget is used up"))
    if granted:
        return 0, Reason("taken_back", both("已随退货收回", "taken back with the return"))
    return 0, _not_granted(words, zone, reward, mine[0], event)


def _not_granted(words: Words, zone: Zone, reward: Reward, occasion: Occasion, event: Event) -> Reason:
    """Return the first thing that kept a reward from being granted, in the order in which the engine asks."""
    tier = getattr(event.tiers, reward.standing)
    if reward.for_tiers and tier not in reward.for_tiers:
        return tier_reason(words, tier or "", reward.for_tiers)
    matching = list(range(len(occasion.lines)))
    if reward.where is not None:
        told = [_told(reward.where, event, fields, tier) for fields in occasion.fields]
        matching = [place for place, one in enumerate(told) if one.holds]
        if not matching:
            return words.failing(told[0], "where") or Reason("where", both("没有符合的行", "no line matches"))
    if reward.when is not None:
        reason = words.failing(_told(reward.when, event, occasion.fields[matching[0]], tier), "when")
        if reason is not None:
            return reason
    reason = level_reason(words, reward, event.inputs, event.judged, tier)
    if reason is not None:
        return reason
    today = zone.local_date(occasion.instant)
    if (reward.valid_from and today < reward.valid_from) or (reward.valid_until and today > reward.valid_until):
        return other_day(reward, today, both("不在活动期内", "outside its dates"))
    if reward.weekdays and today.weekday() not in reward.weekdays:
        return other_weekday(reward, today)
    spent = sum(occasion.lines[place].amount for place in matching)
    if spent < reward.minimum_spend:
        return too_small("minimum_spend", reward.minimum_spend, spent)
    pieces = sum(occasion.lines[place].qty for place in matching)
    if pieces < reward.minimum_quantity:
        return too_small("minimum_quantity", reward.minimum_quantity, pieces)
    return _not_worth(words, zone, reward, occasion, matching[0], event)


def _not_worth(words: Words, zone: Zone, reward: Reward, occasion: Occasion, place: int, event: Event) -> Reason:
    """Everything matched, and still nothing was granted: another rule came first, or the amount is 0."""
    fields = occasion.fields[place]
    if reward.lane:
        # (Whoever won the lane was granted something for this event.)
        for key, rule in event.granted:
            rival = words.policy.rewards.get(rule)
            if key == occasion.key and rival is not None and rival.lane == reward.lane:
                return Reason(
                    "lane", both(f"同一通道已给 {rule}，只给一样", f"{rule} was given in this lane; only one is")
                )
    if reward.exclusive is not None:
        taken = event.carry.taken.get(exclusive_key(reward, occasion, fields))
        if taken is not None and taken != reward.id:
            return Reason(
                "exclusive", both(f"已由 {taken} 奖励，只给一样", f"already rewarded by {taken}; only one is given")
            )
    counted = fields.get(reward.counted_on) if reward.counted_on else None
    day = date.fromisoformat(counted) if isinstance(counted, str) else zone.local_date(occasion.instant)
    period = occasion.key if reward.period == "event" else period_key(reward.period, day)
    by = f"|{fields.get(reward.count_by)}" if reward.count_by else ""
    nth = event.carry.counts.get(f"{reward.id}|{period}{by}", 0)
    if isinstance(plain_amount(reward.amount, fields), Ladder):
        return Reason(
            "ladder",
            both(f"本期已得 {nth} 次，这一次没有奖励", f"earned {nth} times this period; this one earns nothing"),
        )
    if reward.caps:
        return Reason("cap", both("已到封顶数", "the cap is reached"))
    return Reason("too_little", both("不足一个计算单位", "less than one unit of the base"))


def _told(condition: Condition, event: Event, fields: Mapping[str, int | str | None], tier: str | None) -> Explanation:
    return explain_condition(condition, event.inputs, event.judged, fields, tier)
