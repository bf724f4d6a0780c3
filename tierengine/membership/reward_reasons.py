"""Why an event earns a reward or does not, for every reward of the policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rules.judge import Explanation, explain_condition
from rules.policy import Condition, Policy, Reward
from rules.policy.text import title
from tierengine.judging.grants import Rewards
from tierengine.judging.occasions import Occasion, told_apart
from tierengine.membership.demands import kind_reason, level_reason, other_day, other_weekday, tier_reason, too_small
from tierengine.membership.reasons import Reason, Words, amount_text, both, said
from tierengine.membership.worth_reasons import Event, limit_reason, worth_reason
from tierengine.zone import Zone


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
        return 0, _no_budget(policy, zone, reward, mine, event)
    if granted:
        return 0, Reason("taken_back", both("已随退货收回", "taken back with the return"))
    return 0, _not_granted(words, zone, reward, mine[0], event)


def _no_budget(policy: Policy, zone: Zone, reward: Reward, mine: Sequence[Occasion], event: Event) -> Reason:
    """Return which budget over several members has nothing left; what it gave is told where that was asked."""
    rewards, firm = Rewards(policy, zone), event.inputs.attributes.get("firm")
    first = next(one for one in mine if (one.key, reward.id) in event.granted)
    keys = event.granted[first.key, reward.id].budgets
    pots = rewards.pots(reward, rewards.day(reward, first), firm if isinstance(firm, str) else "", event.used)
    spent = [pots[key] for key in keys if key in pots and key in event.used and pots[key].used >= pots[key].most]
    if not spent:
        return Reason("budget", both("总额已经给完", "the budget is used up"))
    return limit_reason(policy, reward, spent[0])


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
    return worth_reason(words.policy, Rewards(words.policy, zone), reward, occasion, matching, event)


def _told(condition: Condition, event: Event, fields: Mapping[str, int | str | None], tier: str | None) -> Explanation:
    return explain_condition(condition, event.inputs, event.judged, fields, tier)
