"""What an order costs a member, and the credit that pays part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal, Protocol

from rules.judge import Inputs, Judged
from rules.policy import Policy, Wallet
from tierengine.errors import FormError, Malformed, Refused
from tierengine.judging.pricing import PricedLine, pay_by_credit, price_order, share, usable_credit
from tierengine.judging.regimes import Regime
from tierengine.judging.worth import block_of, fen_of
from tierengine.policies.wording import no_wallet, not_payable, wallet_words
from tierengine.till.orders import Order

_NO_LIMIT: Final = 10**15


class Buyer(Protocol):
    """A member who may be asked what his prices read: his tier, and the rest only where they do."""

    @property
    def regime(self) -> Regime:
        """Return the version in force."""
        ...

    @property
    def tier(self) -> str:
        """Return the standing tier."""
        ...

    @property
    def inputs(self) -> Inputs:
        """Return what he is judged on."""
        ...

    @property
    def judged(self) -> Judged:
        """Return what holds of him."""
        ...


def price(order: Order, member: Buyer) -> list[PricedLine]:
    """Return the lines with what they cost this member, before any credit."""
    return at_prices(member.regime, order, matching(order, member))


def matching(order: Order, member: Buyer) -> list[tuple[str, ...]]:
    """Return for each line the prices whose conditions hold (see price_order)."""
    rules, lines = member.regime.version.rules, [line.fields() for line in order.lines]
    if rules.priced_by_tier:
        return rules.prices("", lines, member.tier, None, None)
    return rules.prices("", lines, member.tier, member.inputs, member.judged)


def at_prices(regime: Regime, order: Order, matched: Sequence[Sequence[str]]) -> list[PricedLine]:
    """Return the lines at the best of the prices that match them."""
    return price_order(regime.version.rules.policy, order.lines, matched, regime.zone.local_date(order.occurred_at))


def as_charged(order: Order, priced: Sequence[PricedLine]) -> list[PricedLine]:
    """Return the lines at what the till charged; a rule is named where it agrees."""
    if order.charged is None:
        return list(priced)
    return [
        line if line.amount == amount else PricedLine(line.line, amount)
        for line, amount in zip(priced, order.charged, strict=True)
    ]


def as_asked(policy: Policy, order: Order) -> tuple[list[PricedLine], dict[str, int]]:
    """Return the lines and the credit just as the till says them, for a sale that the check will decide."""
    charged = order.charged or tuple(line.list for line in order.lines)
    lines = [PricedLine(line, amount) for line, amount in zip(order.lines, charged, strict=True)]
    return pay(policy, lines, order.credit, {})


def pay(
    policy: Policy, lines: Sequence[PricedLine], credit: Mapping[str, int] | Literal["max"], usable: Mapping[str, int]
) -> tuple[list[PricedLine], dict[str, int]]:
    """Return the lines with the credit that pays them, and how much of which wallet; "max" is what `usable` allows."""
    paid, uses = list(lines), dict[str, int]()
    wanted: Iterable[tuple[str, int | None]]
    wanted = ((name, None) for name in policy.wallets) if credit == "max" else credit.items()
    for name, asked in wanted:
        wallet = policy.wallets.get(name)
        if wallet is None:
            raise no_wallet(name, policy.wallets)
        amount = usable_credit(wallet, paid, usable.get(name, 0)) if asked is None else asked
        if amount:
            paid = _spread(policy, wallet, paid, amount)
            uses[name] = amount
    return paid, uses


def _spread(policy: Policy, wallet: Wallet, lines: Sequence[PricedLine], amount: int) -> list[PricedLine]:
    """Spread credit over the lines it may pay; more than it may pay over what is left of all lines.

    The check refuses such a sale; one that happened already is booked as it was paid.
    """
    paid = pay_by_credit(wallet, lines, amount)
    worth = fen_of(wallet, amount)
    if not worth:  # points that pay nothing, or fewer than make one fen
        raise not_payable(wallet, 0, amount).telling(**wallet_words(wallet, policy.currency))
    if all(line.cash >= 0 for line in paid) and sum(line.credit for line in paid) == worth + sum(
        line.credit for line in lines
    ):
        return paid
    left = [line.cash for line in lines]
    if sum(left) < worth:
        raise Malformed([FormError(f"/credit/{wallet.id}", "exceeds_amount", {"amount": sum(left)})])
    return [replace(line, credit=line.credit + part) for line, part in zip(lines, share(worth, left), strict=True)]


def payable(policy: Policy, name: str, lines: Sequence[PricedLine], wanted: int, suspended: frozenset[str]) -> None:
    """Refuse credit that may not pay these lines, whatever the member has of it."""
    wallet = policy.wallets.get(name)
    if wallet is None:
        raise no_wallet(name, policy.wallets)
    if name in suspended:
        raise Refused("credit_suspended", wallet=name)
    most = usable_credit(wallet, lines, _NO_LIMIT)
    if wanted > most or wanted % block_of(wallet) or wanted < wallet.minimum:
        raise not_payable(wallet, most, wanted)
