"""What an order costs a member, and how much of it a wallet may pay. Pure integer arithmetic on matched prices.

Sides taken where the policy is silent: a line's price is rounded half up to the fen, per line; what is taken off an
order is shared among its lines by largest remainder; the lowest price of a line wins, ties to the first in the file;
prices use the standing before the order; credit pays what is left after the discount and never changes the amount that
counts for tiers. Lanes apply one after the other, each on what the ones before left to pay.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, NamedTuple, TypeAlias

from rules.policy import Free, Policy, Price, Wallet
from tierengine.judging.worth import block_of, fen_of, pays, units_of

FULL = 10_000  # basis points


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line of an order as the till sends it. `list` is the whole line's list price in fen, `qty` at least 1."""

    item: str
    category: str
    qty: int
    list: int
    special: bool = False
    serial: str = ""
    brand: str = ""
    margin: int | None = None

    def fields(self) -> dict[str, int | str | None]:
        """Return what conditions of prices may read, before anything was charged."""
        return {
            "item": self.item,
            "category": self.category,
            "qty": self.qty,
            "list": self.list,
            "amount": self.list,
            "special": int(self.special),
            "serial": self.serial or None,
            "brand": self.brand or None,
        }


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line with what it costs: `amount` after the price rule, of which `credit` is paid by wallets, the rest cash."""

    line: OrderLine
    amount: int
    rule: str = ""
    credit: int = 0
    rules: tuple[str, ...] = ()  # every rule that applied, in the order of their lanes; `rule` is the last

    @property
    def cash(self) -> int:
        """Return what is paid in money."""
        return self.amount - self.credit


def share(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` among `weights` (non-negative) by largest remainder; ties go to the earlier. The parts sum to it.

    >>> share(100, [1, 1, 1])
    [34, 33, 33]
    """
    whole = sum(weights)
    if whole <= 0:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts


def price_order(
    policy: Policy,
    lines: Sequence[OrderLine],
    matched: Sequence[Sequence[str]],
    day: date,
    *,
    before: str | None = None,
) -> list[PricedLine]:
    """Return the lines with their prices.

    matched  for each line the ids of the prices whose conditions hold, and `beside:ID` where that one's `beside` does
    day      local
    before   go no further than to this lane, whose prices are left out
    """
    there = {name for rules in matched for name in rules}
    found = [PricedLine(line, line.list) for line in lines]
    for lane in ("", *policy.lanes):
        if lane == before:
            break
        rules = [rule for rule in policy.prices.values() if rule.lane == lane and _open(rule, day, there)]
        if rules:
            found = _lane(policy, rules, found, matched, by_priority=_by_priority(policy, lane))
    return found


def _by_priority(policy: Policy, lane: str) -> bool:
    return bool(lane) and policy.lanes[lane].compete == "by_priority"


def _lane(
    policy: Policy,
    rules: Sequence[Price],
    found: Sequence[PricedLine],
    matched: Sequence[Sequence[str]],
    *,
    by_priority: bool,
) -> list[PricedLine]:
    """Return the lines after one lane: of its prices each line takes the lowest, or the first by priority."""
    best: dict[int, tuple[tuple[int, int], PricedLine]] = {}
    for rule in rules:
        places = _places(policy, rule, found, matched)
        if not _enough(rule, [found[place].line for place in places]):
            continue
        off = _off(rule, [found[place] for place in places])
        for place, less in zip(places, off, strict=True):
            if less <= 0:
                continue
            rank = (rule.priority, -less) if by_priority else (-less, rule.priority)
            if place not in best or rank < best[place][0]:
                line = found[place]
                best[place] = (rank, PricedLine(line.line, line.amount - less, rule.id, 0, (*line.rules, rule.id)))
    return [best[place][1] if place in best else line for place, line in enumerate(found)]


class Reached(NamedTuple):
    """What a price counts of an order, against its minimum: list prices in fen, pieces; and the order's local day."""

    list: int
    qty: int
    day: date


class Rival(NamedTuple):
    """A price that was not taken against the one that its lane gave a line, in fen of that line.

    listed  what the line cost before the lane
    mine    what it would cost by the price that was not taken
    taken   what it costs by the other; `rule` is that one, "" where the lane gave none
    first   whether the other was taken for its priority, though it is not lower
    """

    listed: int
    mine: int
    taken: int
    rule: str
    first: bool


def rivals(
    policy: Policy, rule: Price, lines: Sequence[OrderLine], matched: Sequence[Sequence[str]], day: date
) -> Mapping[int, Rival | Reached]:
    """Return for the places of the lines that a price may go on how it did against the others of its lane.

    Where those lines that no other price keeps from it do not come to its minimum: how far they come.
    """
    there = {name for rules in matched for name in rules}
    before = price_order(policy, lines, matched, day, before=rule.lane)
    others = [one for one in policy.prices.values() if one.lane == rule.lane and _open(one, day, there)]
    by_priority = _by_priority(policy, rule.lane)
    after = _lane(policy, others, before, matched, by_priority=by_priority)
    places = _places(policy, rule, before, matched)
    mine = [before[place].line for place in places]
    if not _enough(rule, mine):
        far = Reached(sum(line.list for line in mine), sum(line.qty for line in mine), day)
        return dict.fromkeys(places, far)
    found: dict[int, Rival | Reached] = {}
    for place, off in zip(places, _off(rule, [before[place] for place in places]), strict=True):
        listed, taken = before[place].amount, after[place]
        other = taken.rule if taken.rules != before[place].rules else ""
        first = by_priority and bool(other) and policy.prices[other].priority < rule.priority
        asks = rule.fixed * before[place].line.qty if rule.fixed is not None and off <= 0 else listed - off
        found[place] = Rival(listed, asks, taken.amount, other, first)
    return found


def _places(policy: Policy, rule: Price, found: Sequence[PricedLine], matched: Sequence[Sequence[str]]) -> list[int]:
    """Return the places of the lines whose conditions hold and that have no price that keeps this one off."""
    return [
        place
        for place, line in enumerate(found)
        if rule.id in matched[place] and not any(_apart(policy, rule, other) for other in line.rules)
    ]


Hindrance: TypeAlias = Literal["", "dates", "weekday", "beside", "minimum_order", "minimum_quantity"]


def hindrance(rule: Price, lines: Sequence[OrderLine], matched: Sequence[Sequence[str]], day: date) -> Hindrance:
    """Return what of the order keeps a price from the lines whose conditions hold, "" when nothing does."""
    if rule.weekdays and day.weekday() not in rule.weekdays:
        return "weekday"
    if not _open(rule, day, {f"beside:{rule.id}"}):
        return "dates"
    if not _open(rule, day, {name for rules in matched for name in rules}):
        return "beside"
    mine = _mine(rule, lines, matched)
    if sum(line.list for line in mine) < rule.minimum_order:
        return "minimum_order"
    return "" if _enough(rule, mine) else "minimum_quantity"


def reached(rule: Price, lines: Sequence[OrderLine], matched: Sequence[Sequence[str]], day: date) -> Reached:
    """Return how far the lines come whose conditions hold."""
    mine = _mine(rule, lines, matched)
    return Reached(sum(line.list for line in mine), sum(line.qty for line in mine), day)


def _mine(rule: Price, lines: Sequence[OrderLine], matched: Sequence[Sequence[str]]) -> list[OrderLine]:
    return [line for line, rules in zip(lines, matched, strict=True) if rule.id in rules]


def _apart(policy: Policy, rule: Price, other: str) -> bool:
    """Tell whether a price does not go on a line that already has another one."""
    return other in rule.not_with or rule.id in policy.prices[other].not_with


def _enough(rule: Price, lines: Sequence[OrderLine]) -> bool:
    return (
        bool(lines)
        and sum(line.list for line in lines) >= rule.minimum_order
        and sum(line.qty for line in lines) >= rule.minimum_quantity
    )


def _off(rule: Price, lines: Sequence[PricedLine]) -> list[int]:
    """Return what the rule takes off each of its lines, in fen, within its caps."""
    if rule.less_pieces:
        off = [min((rule.less or 0) * (one.line.qty // rule.less_pieces), one.amount) for one in lines]
    elif rule.less is not None:
        whole = sum(one.amount for one in lines)
        times = whole // rule.less_each if rule.less_each else 1
        off = share(min(rule.less * times, whole), [one.amount for one in lines])
    elif rule.free is not None:
        off = [_free(rule.free, one) for one in lines]
    elif rule.fixed is not None:
        off = [max(one.amount - rule.fixed * one.line.qty, 0) for one in lines]
    else:
        off = [one.amount - price for one, price in zip(lines, _shares(rule, lines), strict=True)]
    if rule.maximum_quantity is not None:
        off = _limited(off, [one.line.qty for one in lines], rule.maximum_quantity)
    if rule.line_cap is not None:
        off = [min(one, rule.line_cap) for one in off]
    if rule.order_cap is not None and sum(off) > rule.order_cap:
        off = share(rule.order_cap, off)
    return off


def _limited(off: Sequence[int], pieces: Sequence[int], most: int) -> list[int]:
    """Return what is taken off where only so many pieces get the price, first line first; floored within a line."""
    found = []
    for one, qty in zip(off, pieces, strict=True):
        part = min(qty, most)
        most -= part
        found.append(one * part // qty)
    return found


def _shares(rule: Price, lines: Sequence[PricedLine]) -> list[int]:
    """Return what is paid of each line at a share of its price, rounded as the rule says."""
    pay_bp = FULL if rule.pay_bp is None else rule.pay_bp
    exact = [one.amount * pay_bp for one in lines]  # in ten-thousandths of a fen
    if rule.rounded_per == "line":
        return [_rounded(one, rule) for one in exact]
    parts = [one // FULL for one in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: (-(exact[place] % FULL), place))
    for place in by_remainder[: _rounded(sum(exact), rule) - sum(parts)]:
        parts[place] += 1
    return parts


def _rounded(exact: int, rule: Price) -> int:
    return exact // FULL if rule.rounding == "floor" else (2 * exact + FULL) // (2 * FULL)


def _free(free: Free, line: PricedLine) -> int:
    """Return the price of the pieces that are not charged; what does not divide is charged."""
    pieces = line.line.qty // free.each * free.pieces
    return line.amount * pieces // line.line.qty


def usable_credit(wallet: Wallet, lines: Sequence[PricedLine], available: int) -> int:
    """Return the most that this wallet may pay of these lines with `available` in it: fen, or points."""
    if not pays(wallet):
        return 0
    if sum(line.amount for line in lines if _pays(wallet, line)) < wallet.minimum_order:
        return 0
    due = sum(_payable(wallet, lines))
    if wallet.share_of == "whole_order":
        due = min(due, sum(line.amount for line in lines) * wallet.max_share_bp // FULL)
    most = min(units_of(wallet, due), available)
    most -= most % block_of(wallet)
    return most if most >= wallet.minimum else 0


def pay_by_credit(wallet: Wallet, lines: Sequence[PricedLine], amount: int) -> list[PricedLine]:
    """Spread what `amount` of this wallet is worth over the lines it may pay, in proportion to what it may of each."""
    parts = share(fen_of(wallet, amount), _payable(wallet, lines))
    return [replace(line, credit=line.credit + part) for line, part in zip(lines, parts, strict=True)]


def totals(lines: Sequence[PricedLine]) -> Mapping[str, int]:
    """Return list, amount, credit and cash of the order, in fen."""
    return {
        "list": sum(line.line.list for line in lines),
        "amount": sum(line.amount for line in lines),
        "credit": sum(line.credit for line in lines),
        "cash": sum(line.cash for line in lines),
    }


def _payable(wallet: Wallet, lines: Sequence[PricedLine]) -> list[int]:
    share_bp = wallet.max_share_bp if wallet.share_of == "line" else FULL
    return [min(line.cash, line.amount * share_bp // FULL) if _pays(wallet, line) else 0 for line in lines]


def _pays(wallet: Wallet, line: PricedLine) -> bool:
    return line.line.category in wallet.pays_for and not any(rule in wallet.not_with for rule in line.rules)


def _open(rule: Price, day: date, there: Container[str]) -> bool:
    if rule.weekdays and day.weekday() not in rule.weekdays:
        return False
    if rule.beside is not None and f"beside:{rule.id}" not in there:
        return False
    return (rule.valid_from is None or rule.valid_from <= day) and (rule.valid_until is None or day <= rule.valid_until)
