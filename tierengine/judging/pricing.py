"""What an order costs a member, and how much of it a wallet may pay. Pure integer arithmetic on matched prices.

Sides taken: a line's price is rounded half up to the fen, per line; a cap of an order is shared among its lines by
largest remainder; the lowest price of a line wins, ties to the first in the file; prices use the standing before the
order; credit pays what is left after the discount and never changes the amount that counts for tiers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from rules.policy import Policy, Price, Wallet

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
    policy: Policy, lines: Sequence[OrderLine], matched: Sequence[Sequence[str]], day: date
) -> list[PricedLine]:
    """Return the lines with their prices. `matched`: for each line the prices whose conditions hold; `day` is local."""
    best = [PricedLine(line, line.list) for line in lines]
    for rule in policy.prices.values():
        places = [place for place, rules in enumerate(matched) if rule.id in rules]
        if not places or not _in_force(rule, day):
            continue
        if sum(lines[place].list for place in places) < rule.minimum_order:
            continue
        off = [lines[place].list - _price(rule, lines[place]) for place in places]
        if rule.line_cap is not None:
            off = [min(one, rule.line_cap) for one in off]
        if rule.order_cap is not None and sum(off) > rule.order_cap:
            off = share(rule.order_cap, off)
        for place, less in zip(places, off, strict=True):
            amount = lines[place].list - less
            if amount < best[place].amount:
                best[place] = PricedLine(lines[place], amount, rule.id)
    return best


def usable_credit(wallet: Wallet, lines: Sequence[PricedLine], available: int) -> int:
    """Return the most fen that this wallet may pay of these lines with `available` in it."""
    if wallet.unit != "money":
        return 0
    payable = sum(part for part in _payable(wallet, lines))
    most = min(payable, available)
    most -= most % wallet.block
    return most if most >= wallet.minimum else 0


def pay_by_credit(wallet: Wallet, lines: Sequence[PricedLine], amount: int) -> list[PricedLine]:
    """Spread `amount` fen of this wallet over the lines it may pay, in proportion to what it may pay of each."""
    parts = share(amount, _payable(wallet, lines))
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
    return [
        min(line.cash, line.amount * wallet.max_share_bp // FULL) if line.line.category in wallet.pays_for else 0
        for line in lines
    ]


def _in_force(rule: Price, day: date) -> bool:
    return (rule.valid_from is None or rule.valid_from <= day) and (rule.valid_until is None or day <= rule.valid_until)


def _price(rule: Price, line: OrderLine) -> int:
    if rule.fixed is not None:
        return min(rule.fixed * line.qty, line.list)
    pay_bp = FULL if rule.pay_bp is None else rule.pay_bp
    return (2 * line.list * pay_bp + FULL) // (2 * FULL)
