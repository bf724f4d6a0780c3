"""Reasons that no condition of the language says, each with what was observed and what is required, as those have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rules.compiler import level_condition
from rules.judge import Inputs, Judged, explain_condition
from rules.policy import Price, Reward, Text
from rules.policy.text import title
from rules.vocabulary import KINDS
from tierengine.membership.reasons import Reason, Words, amount_text

Value = int | str | list[str] | None


def demand(
    code: str, text: Text, source: str, name: Text, op: str, *, required: Value, observed: Value, unit: str,
    **more: int | str,
) -> Reason:  # fmt: skip
    """Return a reason with its test, in the form of those that stand in a policy; `more` is of this one alone."""
    test = {
        "source": source, "name": code, "title": name, "op": op, "required": required, "observed": observed,
        "unit": unit, "negated": False, "ok": False, "sentence": text,
        **more,
    }  # fmt: skip
    return Reason(code, text, test)


def tier_reason(words: Words, tier: str, wanted: Sequence[str]) -> Reason:
    """Return that the member's tier is not among those wanted."""
    have, need = words.tier(tier), words.tiers(wanted)
    text = Text(f"等级 {have.zh}，需要 {need.zh}", f"tier: {have.en}, needs {need.en}")
    return demand(
        "tier", text, "tier", Text("等级", "tier"), "in", required=list(wanted), observed=tier or None, unit="text"
    )


def level_reason(words: Words, rule: Price | Reward, inputs: Inputs, judged: Judged, tier: str | None) -> Reason | None:
    """Return why the member's service level does not get it; None when it does."""
    if not rule.for_levels:
        return None

    def has(levels: tuple[str, ...]) -> bool:
        return explain_condition(level_condition(words.policy, levels, rule.mark), inputs, judged, None, tier).holds

    if has(rule.for_levels):
        return None
    levels = [words.policy.levels[name] for name in rule.for_levels]
    zh, en = "、".join(one.title.zh for one in levels), ", ".join(title(one.title, one.id).en for one in levels)
    text = Text(f"服务级别需要 {zh}", f"needs service level {en}")
    return demand(
        "level", text, "level", Text("服务级别", "service level"), "in", required=list(rule.for_levels),
        observed=next((one for one in words.policy.levels if has((one,))), None), unit="text",
    )  # fmt: skip


def kind_reason(reward: Reward, kinds: Sequence[str]) -> Reason:
    """Return that a reward is given for events of other kinds."""
    names = [KINDS[kind] for kind in reward.on]
    text = Text(
        f"只在 {'、'.join(kind.zh for kind in names)} 时给",
        f"given for {', '.join(kind.id.replace('_', ' ') for kind in names)} only",
    )
    return demand(
        "kind", text, "event", Text("事件", "event"), "in", required=list(reward.on), observed=list(kinds), unit="text"
    )


def too_small(code: str, required: int, observed: int) -> Reason:
    """Return that what is bought is too little: of money (`minimum_order`, `minimum_spend`), or of pieces."""
    if code == "minimum_quantity":
        text = Text(f"要满 {required} 件，现有 {observed} 件", f"{required} pieces or more, not {observed}")
        name = Text("件数", "pieces")
        return demand(code, text, "order", name, "at_least", required=required, observed=observed, unit="count")
    need, has = amount_text(required, "money"), amount_text(observed, "money")
    text = Text(f"要满 {need.zh}，现有 {has.zh}", f"must come to {need.en}, not {has.en}")
    name = Text("金额", "amount")
    return demand(code, text, "order", name, "at_least", required=required, observed=observed, unit="money")


def other_day(rule: Price | Reward, day: date, outside: Text) -> Reason:
    """Return that a rule begins after a day, or ended before it."""
    early = rule.valid_from is not None and day < rule.valid_from
    limit = rule.valid_from if early else rule.valid_until
    op = "at_least" if early else "at_most"
    required = None if limit is None else limit.isoformat()
    return demand(
        "dates", outside, "day", Text("日期", "day"), op, required=required, observed=day.isoformat(), unit="date"
    )


def other_weekday(rule: Price | Reward, day: date) -> Reason:
    """Return that a rule holds on other days of the week (1: Monday, as ISO 8601 counts)."""
    days = [str(one + 1) for one in sorted(rule.weekdays)]
    text = Text("不在规定的星期几", "not on this day of the week")
    name = Text("星期", "day of the week")
    return demand("weekday", text, "day", name, "in", required=days, observed=str(day.isoweekday()), unit="weekday")
