"""What a return leaves of what its sale was granted, and of what it was counted as."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rules.policy import Policy
from tierengine.judging.amounts import base_of, chosen_amount, value_of_lines
from tierengine.judging.budgets import TIMES
from tierengine.judging.carry import Carry, changed
from tierengine.judging.decisions import Granted
from tierengine.judging.history import Contribution


def freed(carry: Carry, event_key: str, grants: Iterable[Granted]) -> Iterator[str]:
    """Yield what of the carry a return of an event reads, as trail.Stretch says it."""
    for granted in grants:
        yield f"n{granted.counted}"
        yield f"t{granted.taken}"
        yield from (f"c{key}" for key in granted.caps)
    for one in carry.counted.get(event_key, {}).values():
        yield f"n{one.key}"


def take_back(policy: Policy, carry: Carry, granted: Granted, lines: Sequence[Contribution]) -> tuple[Carry, Granted]:
    """Return the carry after a return of these (negative) lines of a grant, and what it leaves of the grant.

    `policy` is that of the version that granted it.

    Pro rata of the value left, floored (of the quantity, where nothing was paid); or the amount judged again on
    what is left, with the same carry and class. A whole return leaves nothing, frees its rung, its cap and its key.
    """
    mine = [line for line in lines if line.line in granted.lines]
    if not mine:
        return carry, granted
    reward = policy.rewards.get(granted.rule)
    left = max(granted.left + sum(line.amount for line in mine), 0)
    left_quantity = max(granted.left_quantity + sum(line.qty for line in mine), 0)
    left_base, left_bases = granted.left_base, granted.left_bases
    wanted = 0
    if left_quantity:
        amount = chosen_amount(reward.amount, granted.chosen) if reward is not None else None
        if amount is not None:
            left_base = max(granted.left_base + sum(base_of(amount, line) for line in mine), 0)
            left_bases = tuple(
                max(left + sum(base_of(amount, line) for line in mine if line.line == name), 0)
                for name, left in zip(granted.lines, left_bases, strict=False)
            )
        if reward is not None and amount is not None and reward.returns == "rejudge":
            enough = left >= reward.minimum_spend and left_quantity >= reward.minimum_quantity
            wanted = value_of_lines(amount, granted.nth, left_bases or (left_base,)) if enough else 0
            wanted = wanted if granted.room is None else min(wanted, granted.room)
        elif granted.sold > 0:
            wanted = granted.judged * left // granted.sold
        else:
            wanted = granted.judged * left_quantity // granted.quantity
    wanted = min(wanted, granted.wanted)  # a return never gives more
    whole = left_quantity == 0
    frees = reward is None or reward.return_frees
    counts, caps, taken = carry.counts, carry.caps, carry.taken
    for key in granted.caps if frees else ():
        less = (1 if whole and granted.counted else 0) if key.endswith(TIMES) else granted.wanted - wanted
        caps = changed(caps, key, max(caps.get(key, 0) - less, 0) or None)
    counted, key = granted.counted, granted.taken
    if whole:
        if counted and frees:
            counts = changed(counts, counted, max(counts.get(counted, 0) - 1, 0) or None)
        if key and frees and taken.get(key) == granted.rule:
            taken = changed(taken, key, None)
        counted, key = "", ""
    rest = replace(
        granted,
        wanted=wanted,
        counted=counted,
        taken=key,
        left=left,
        left_quantity=left_quantity,
        left_base=left_base,
        left_bases=left_bases,
    )
    return replace(carry, counts=counts, caps=caps, taken=taken), rest


def uncount(carry: Carry, event_key: str, lines: Sequence[Contribution]) -> Carry:
    """Return the carry after a return of these (negative) lines of an event that rules count without a grant."""
    rules = carry.counted.get(event_key)
    if rules is None:
        return carry
    counts, left = carry.counts, {}
    for rule, one in rules.items():
        rest = one.left + sum(line.qty for line in lines if line.line in one.lines)
        if rest > 0:
            left[rule] = replace(one, left=rest)
        else:
            counts = changed(counts, one.key, max(counts.get(one.key, 0) - 1, 0) or None)
    return replace(carry, counts=counts, counted=changed(carry.counted, event_key, left or None))
