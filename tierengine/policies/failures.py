"""What an example expects and did not get: with its place in the file, and why it came out otherwise.

Reasons are those of the till and of `member show`: the trait or rule, what was observed and what is required.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rules.judge import Explanation, Inputs, Judged, StandingTiers, explain_condition
from rules.policy import Condition, Example, Mark, Text, Tier
from rules.policy.text import title
from tierengine.judging.carry import load
from tierengine.judging.decisions import Granted
from tierengine.judging.history import Contribution, Step
from tierengine.judging.occasions import Occasion
from tierengine.judging.pricing import hindrance, reached, rivals
from tierengine.membership.price_reasons import price_reason
from tierengine.membership.reasons import Words, conditions_of, missing, trait_reason
from tierengine.membership.reward_reasons import reward_reasons
from tierengine.membership.shortlist import needed_traits
from tierengine.membership.worth_reasons import Event
from tierengine.policies.cast import part
from tierengine.policies.expected import Outcome, duties_of
from tierengine.service.duties import level_of

_REASONS: Final = 8
"""So many reasons are told of one expectation; more would hide the first."""


@dataclass(frozen=True, slots=True)
class Because:
    """One reason: the rule it is about (`traits.large_fleet`), its place in the policy file, and a sentence."""

    rule: str
    mark: Mark
    text: Text


@dataclass(frozen=True, slots=True)
class Failure:
    """One expectation that did not come out. `key` is `tier`, or with an id `grants.welcome_gift`.

    `unit` says what the numbers are: money (fen), points, or "" for ids.
    """

    key: str
    mark: Mark
    expected: object
    got: object
    unit: str
    why: tuple[Because, ...]


def failures(outcome: Outcome, example: Example, wrong: Sequence[tuple[str, object, object]]) -> tuple[Failure, ...]:
    """Return each difference with its place in the example's file and the reasons for what came out."""
    found = []
    for key, want, got in wrong:
        why = _why(outcome, key, want, got)
        if isinstance(want, dict) and isinstance(got, dict):
            for name, amount in want.items():
                if got.get(name) != amount:
                    path = f"{key}.{name}"
                    place = example.places.get(path, example.places.get(key, example.mark))
                    reasons = why if key not in ("grants", "balance") else _granted(outcome, key, name)
                    found.append(Failure(path, place, amount, got.get(name), _unit(outcome, key, name), reasons))
        else:
            unit = "money" if key in ("pays", "price") else ""
            found.append(Failure(key, example.places.get(key, example.mark), want, got, unit, why))
    return tuple(found)


def _unit(outcome: Outcome, key: str, name: str) -> str:
    if key == "entitlements":
        return ""
    policy = outcome.policy
    wallet = policy.rewards[name].wallet if key == "grants" else name
    return policy.wallets[wallet].unit if key in ("grants", "balance") else "money"


def _why(outcome: Outcome, key: str, want: object, got: object) -> tuple[Because, ...]:
    if key == "tier":
        found = _tier(outcome, str(want), str(got))
    elif key == "level":
        found = _level(outcome)
    elif key in ("traits", "why"):
        found = _traits(outcome, set(_texts(want)) ^ set(_texts(got)))
    elif key in ("pays", "price"):
        found = _prices(outcome)
    elif key == "lists":
        found = _lists(outcome, set(_texts(want)) ^ set(_texts(got)))
    elif key == "duties":
        found = _duties(outcome, [name for name in _texts(want) if name not in _texts(got)])
    elif key == "entitlements":
        found = _level(outcome)
    else:
        found = iter(())
    return tuple(one for one, _ in zip(found, range(_REASONS), strict=False))


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _tests(outcome: Outcome, rule: str, mark: Mark, tests: Iterator[tuple[Explanation, bool]]) -> Iterator[Because]:
    words = Words(outcome.policy)
    for test, negated in tests:
        yield Because(rule, test.mark if test.mark.line else mark, words.test(test, negated=negated))


def _told(outcome: Outcome, condition: Condition) -> Explanation:
    one = outcome.part
    return explain_condition(condition, one.inputs, one.judged, None, one.tier)


def _tier(outcome: Outcome, want: str, got: str) -> Iterator[Because]:
    policy, one = outcome.policy, outcome.part
    wanted, there = policy.tier(want), policy.tier(got)
    if wanted.rank > there.rank:
        yield from _lacking(outcome, wanted)
    elif there.when is not None:
        held = ((test, negated) for test, negated in conditions_of(_told(outcome, there.when)) if test.holds != negated)
        yield from _tests(outcome, f"tiers.{there.id}", there.mark, held)
    moves = [move for move in one.folded.changes if move.previous != move.tier or move.state != "valid"]
    if moves:
        last = moves[-1]
        day = outcome.zone.local_date(last.step[0]).isoformat()
        text = Text(
            f"{day} {Words(policy).tier(last.previous).zh} → {Words(policy).tier(last.tier).zh}（{last.cause}）",
            f"{day}: {last.previous} → {last.tier} ({last.cause})",
        )
        yield Because(f"tiers.{last.tier}", policy.tier(last.tier).mark, text)


def _lacking(outcome: Outcome, tier: Tier) -> Iterator[Because]:
    rule = f"tiers.{tier.id}"
    if tier.unless is not None:
        told = _told(outcome, tier.unless)
        if told.holds:
            held = ((test, True) for test, negated in conditions_of(told) if test.holds != negated)
            yield from _tests(outcome, rule, tier.mark, held)
    if tier.when is not None:
        yield from _tests(outcome, rule, tier.mark, missing(_told(outcome, tier.when)))
        needed = needed_traits(tier)
        if needed is not None:
            lacking = {trait for trait in (needed[1] or outcome.policy.traits) if trait not in outcome.part.judged.met}
            if len(outcome.part.judged.met) < needed[0]:
                yield from _traits(outcome, lacking)


def _traits(outcome: Outcome, names: set[str]) -> Iterator[Because]:
    words = Words(outcome.policy)
    for trait in outcome.policy.traits.values():
        if trait.id in names:
            reason, _ = trait_reason(words, trait, outcome.part.inputs, outcome.part.judged)
            called = title(trait.title, trait.id)
            text = Text(f"{called.zh}：{reason.text.zh}", f"{called.en}: {reason.text.en}")
            yield Because(f"traits.{trait.id}", trait.mark, text)


def _level(outcome: Outcome) -> Iterator[Because]:
    policy, one = outcome.policy, outcome.part
    tier = policy.tier(one.tier)
    level = policy.levels.get(tier.level)
    named = title(level.title, level.id) if level is not None else Text("无", "none")
    called = Words(policy).tier(tier.id)
    text = Text(f"等级 {called.zh}，服务 {named.zh}", f"tier {called.en}, level {named.en}")
    yield Because(f"tiers.{tier.id}", tier.mark, text)
    if one.segment and one.segment in policy.segments:
        other = policy.levels[policy.segments[one.segment]]
        name = title(other.title, other.id)
        text = Text(f"客户分类 {one.segment}，服务 {name.zh}", f"segment {one.segment}, level {name.en}")
        yield Because(f"levels.{other.id}", other.mark, text)


def _duties(outcome: Outcome, lacking: list[str]) -> Iterator[Because]:
    """Tell of each duty that is not owed: done, never called for, or none of this level's."""
    policy, one = outcome.policy, outcome.part
    yield from _level(outcome)
    level = policy.levels.get(level_of(policy, one.tier, one.segment))
    arisen = {each.duty: each for each in duties_of(policy, outcome.zone, one)}
    for name in lacking:
        duty = next((each for each in level.duties if each.id == name), None) if level is not None else None
        done = arisen.get(name)
        if done is not None and done.done_at is not None:
            day = outcome.zone.local_date(done.done_at).isoformat()
            text = Text(f"{name}：{day} 已完成", f"{name}: done on {day}")
        elif duty is None:
            text = Text(f"{name}：这一级没有这项服务", f"{name}: this level has no such duty")
        else:
            text = Text(f"{name}：示例里没有引起它的事", f"{name}: nothing in the example calls for it")
        mark = duty.mark if duty is not None else level.mark if level is not None else policy.tier(one.tier).mark
        yield Because(f"duties.{name}", mark, text)


def _lists(outcome: Outcome, names: set[str]) -> Iterator[Because]:
    for listed in outcome.policy.lists.values():
        if listed.id not in names:
            continue
        if listed.when is not None:
            told = _told(outcome, listed.when)
            tests = missing(told) if not told.holds else conditions_of(told)
            yield from _tests(outcome, f"lists.{listed.id}", listed.mark, iter(tests))
        else:
            met = len(outcome.part.judged.met)
            text = Text(
                f"满足 {met} 个特点，名单要的是差 {listed.short} 个", f"{met} traits met; {listed.short} short is asked"
            )
            yield Because(f"lists.{listed.id}", listed.mark, text)


def _prices(outcome: Outcome) -> Iterator[Because]:
    order = outcome.order
    if order is None:
        return
    words = Words(outcome.policy)
    member = _Buyer(order.inputs, order.judged, order.tier)
    lines = [one.line for one in order.lines]
    hindered = {rule.id: hindrance(rule, lines, order.matched, order.day) for rule in outcome.policy.prices.values()}
    for number, line in enumerate(order.lines, start=1):
        for rule in outcome.policy.prices.values():
            if line.rules and rule.id not in line.rules:
                continue  # another price was taken: that one is the reason
            reason = price_reason(
                words, rule, line.line.fields(), member, applied=line.rules, hindered=hindered[rule.id],
                reached=reached(rule, lines, order.matched, order.day),
                rival=lambda rule=rule, place=number - 1: rivals(  # type: ignore[misc]
                    outcome.policy, rule, lines, order.matched, order.day
                )[place],
            )  # fmt: skip
            item = line.line.item or str(number)
            yield Because(
                f"prices.{rule.id}", rule.mark, Text(f"{item}：{reason.text.zh}", f"{item}: {reason.text.en}")
            )


@dataclass(frozen=True, slots=True)
class _Buyer:
    """The member as he stood when his order was priced."""

    inputs: Inputs
    judged: Judged
    tier: str


def _granted(outcome: Outcome, key: str, name: str) -> tuple[Because, ...]:
    """Tell of each event what the reward gave for it, or why nothing: as of that event."""
    policy, one = outcome.policy, outcome.part
    rules = [name] if key == "grants" else [rule.id for rule in policy.rewards.values() if rule.wallet == name]
    found: list[Because] = []
    for step in one.steps:
        for rule in (policy.rewards[each] for each in rules):
            if not any(line.kind in rule.on and line.qty > 0 for line in step.lines) or len(found) >= _REASONS:
                continue
            told = next(each for each in _event(outcome, step) if each["rule"] == rule.id)
            day = outcome.zone.local_date(step.position[0]).isoformat()
            why = told["why"]
            text = Text(f"{day}：{why['zh']}", f"{day}: {why['en']}")
            found.append(Because(f"rewards.{rule.id}", rule.mark, text))
    if not found:
        for rule in (policy.rewards[each] for each in rules):
            text = Text("示例里没有这条奖励所看的事件", "the example has no event that this reward is given for")
            found.append(Because(f"rewards.{rule.id}", rule.mark, text))
    return tuple(found[:_REASONS])


def _event(outcome: Outcome, step: Step) -> list[dict[str, Any]]:
    """Return what every reward gave for one event, judged as it was then."""
    one = outcome.part
    lines: list[Contribution] = [line for line in one.lines if line.known <= step.position]
    then = part(outcome.regimes, outcome.zone, lines, None)
    before = part(
        outcome.regimes, outcome.zone, [line for line in lines if line.known < step.position], step.position[0]
    )
    occasions: dict[tuple[str, str], list[Contribution]] = {}
    for line in step.lines:
        if line.qty > 0:
            occasions.setdefault((line.event_key, line.kind), []).append(line)
    made = tuple(
        Occasion(event, kind, step.position[0], tuple(each), tuple(line.fields for line in each))
        for (event, kind), each in occasions.items()
    )
    # The order's own standing is kept by the name of the order.
    cluster = made[0].key.rpartition(":")[0] if made else ""
    tiers = StandingTiers(before.tier, then.tier, load(then.folded.carry).orders.get(cluster, then.tier))
    granted: dict[tuple[str, str], Granted] = {
        (move.granted.event_key, move.granted.rule): move.granted for move in one.folded.decisions
    }
    return reward_reasons(
        outcome.policy, outcome.zone, Event(made, tiers, then.inputs, then.judged, then.carry, granted, {}), ""
    )
