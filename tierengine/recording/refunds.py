"""Credit that comes back with a return: to which of the wallets that paid, how much, and into which lots."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from rules.policy import Wallet
from tierengine.judging.history import Contribution, Observation
from tierengine.judging.returns import RETURNS
from tierengine.judging.worth import fen_of, pays, points_back, units_of
from tierengine.recording.purse import Purse
from tierengine.store.dialect import Link


def give_back(
    purse: Purse, link: Link, fresh: Sequence[Contribution], stored: Sequence[Contribution], now: int
) -> dict[str, dict[str, int]]:
    """Return the credit that paid for what came back (or take it again, where the return was corrected away).

    What it returns tells of each order how much of which wallet that was.

    stored  the member's contributions until now; of points they tell what the order still holds
    """
    by_order: dict[str, int] = {}  # fen
    unsaid: dict[str, int] = {}
    causes: dict[str, str] = {}
    sold: dict[str, int] = {}
    for row in fresh:
        credit = row.fields.get("credit")
        if not isinstance(credit, int) or not credit:
            continue
        order = row.event_key.rpartition(":")[0]
        sold[order] = row.at
        if row.cause in RETURNS:
            by_order[order] = by_order.get(order, 0) - credit
            causes[order] = row.known[2]
        else:
            # The sale itself: less than nothing where it is cancelled, or corrected to less credit. A sale that is
            # told takes nothing by being told; what it used was asked for by a command.
            unsaid[order] = unsaid.get(order, 0) - credit
            causes.setdefault(order, row.known[2])
    for order, credit in unsaid.items():
        if credit > 0:
            by_order[order] = by_order.get(order, 0) + credit
    given: dict[str, dict[str, int]] = {}
    purse.know_orders(link, by_order)
    for order, amount in sorted(by_order.items()):
        for wallet, part in _shares(purse, order, amount, sold[order], (*stored, *fresh)):
            if part > 0:
                _put_back(purse, wallet, part, order, now, causes[order])
            elif part < 0:
                unit = purse.programme.unit(wallet)
                purse.book.use(wallet, -part, order, now, cause=causes[order], unit=unit, allow_debt=True)
            if part:
                given.setdefault(order, {})[wallet] = part
    return given


def lessen(purse: Purse, link: Link, said: Observation, told: int, rows: Collection[Contribution], now: int) -> None:
    """Give back what an order has just used, as far as it had come back or been cancelled before that was asked for.

    said  what asked for it: an event of the order
    told  the fen that credit paid by that
    rows  all that is known of the member
    """
    order, at = said.cluster, said.occurred_at
    purse.know_orders(link, [order])
    used = sum(_worth(purse, order, at).values())
    back = min(told, used) - _credit_of(order, rows)
    if back > 0:
        for wallet, part in _shares(purse, order, back, at, rows):
            if part > 0:
                _put_back(purse, wallet, part, order, now, said.key)


def _shares(purse: Purse, order: str, fen: int, at: int, rows: Iterable[Contribution]) -> list[tuple[str, int]]:
    """Return how much of which wallet gives back `fen` of an order: those that paid first give back first.

    at    when the order was sold: points are worth what they were then
    rows  all that is known of the member, what brings this about included
    """
    used = {one.wallet: purse.book.used(one.wallet, order) for one in purse.book.taken.get(order, ())}
    points = {wallet: found for wallet in used if (found := _points(purse, wallet, at)) is not None}
    if fen < 0:
        return _again(purse, order, -fen, at)
    shares = []
    if not points:
        for wallet, amount in used.items():
            part = min(fen, amount)
            shares.append((wallet, part))
            fen -= part
        return shares
    left = _credit_of(order, rows)
    if left <= 0:
        return list(used.items())
    worth = _worth(purse, order, at)
    whole, rest = left + fen, fen
    for wallet, amount in used.items():
        if wallet in points:
            others = sum(worth.values()) - worth[wallet]
            owed = max(min(worth[wallet], whole - others), 0)
            answered, part = points_back(points[wallet], amount, owed, rest)
        else:
            answered = part = min(rest, amount)
        shares.append((wallet, part))
        rest -= answered
    return shares


def _worth(purse: Purse, order: str, at: int) -> dict[str, int]:
    """Return the fen of what an order holds of each wallet."""
    used = {one.wallet: purse.book.used(one.wallet, order) for one in purse.book.taken.get(order, ())}
    points = {wallet: _points(purse, wallet, at) for wallet in used}
    return {
        wallet: amount if (one := points[wallet]) is None else fen_of(one, amount) for wallet, amount in used.items()
    }


def _again(purse: Purse, order: str, fen: int, at: int) -> list[tuple[str, int]]:
    """Return what each wallet takes again (below 0) of what it gave back; those that gave back last come first."""
    shares = []
    for wallet, gave in reversed(purse.book.gave_back(order).items()):
        points = _points(purse, wallet, at)
        worth = gave if points is None else fen_of(points, gave)
        if fen >= worth:
            shares.append((wallet, -gave))
        else:
            shares.append((wallet, -(fen if points is None else min(units_of(points, fen, up=True), gave))))
        fen = max(fen - worth, 0)
    return shares


def _points(purse: Purse, name: str, at: int) -> Wallet | None:
    """Return the wallet as it was when the order was sold, where it pays with points; None: it counts fen."""
    wallet = purse.programme.line.at(at).rules.policy.wallets.get(name) or purse.programme.wallet(name)
    return wallet if wallet is not None and wallet.unit == "points" and pays(wallet) else None


def _put_back(purse: Purse, wallet: str, amount: int, order: str, now: int, cause: str) -> None:
    """Give back by the wallet's rule: to the old lots, good for some days at least, or as a new lot."""
    rule, zone = purse.programme.wallet(wallet), purse.programme.zone
    days = rule.return_grace_days if rule is not None else 0
    purse.book.give_back(
        wallet,
        amount,
        order,
        now,
        cause=cause,
        expires_at=zone.expiry(rule.expires, now) if rule is not None else None,
        grace_until=zone.end_of(zone.local_date(now) + timedelta(days=days)) if days else None,
        anew=rule is not None and rule.returned_to == "new_lot",
    )


def _credit_of(order: str, rows: Iterable[Contribution]) -> int:
    """Return the fen of an order that wallets still pay, by all that is known of it."""
    of_order = (row.fields.get("credit") for row in rows if row.event_key.rpartition(":")[0] == order)
    return sum(credit for credit in of_order if isinstance(credit, int))
