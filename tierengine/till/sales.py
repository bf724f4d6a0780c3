"""A till's order: from what it sends to priced lines, the credit that pays part of them, and what is recorded.

An order becomes one observation for each kind of event among its lines' categories, and one command for the credit,
recorded together or not at all. Prices are worked out twice: by whoever builds the sale, from a read, and under the
member's lock by the check that goes with it. Where the till said what it charged, the check compares with that.

A sale older than fifteen minutes has happened: it is booked as charged, and the difference is only told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import orjson

from tierengine.errors import Refused
from tierengine.judging.history import Observation
from tierengine.judging.pricing import PricedLine, pay_by_credit
from tierengine.recording.items import Before, Check, Once, Sale, Tell
from tierengine.recording.takings import booked_line
from tierengine.till.orders import Order, said_lines
from tierengine.till.prices import as_charged, payable, price

# Fields of a line that the service works out where the till says no price, and where it says "max".
_PRICED: Final = frozenset(("amount", "credit", "cash"))
_PAID: Final = frozenset(("credit", "cash"))
_NOTHING: Final = frozenset[str]()


def plain_lines(lines: Sequence[PricedLine]) -> list[dict[str, Any]]:
    """Return priced lines as JSON, in fen."""
    return [
        {
            "item": one.line.item,
            "category": one.line.category,
            "qty": one.line.qty,
            "list": one.line.list,
            "amount": one.amount,
            "credit": one.credit,
            "cash": one.cash,
            "rule": one.rule or None,
        }
        for one in lines
    ]


def observations(order: Order, lines: Sequence[PricedLine]) -> tuple[Observation, ...]:
    """Return the order's observations at these prices."""
    return tuple(
        replace(
            draft,
            fields={
                **draft.fields,
                "lines": tuple(
                    {**said, "amount": lines[place].amount, "credit": lines[place].credit, "cash": lines[place].cash}
                    for said, place in zip(said_lines(draft), places, strict=True)
                ),
            },
        )
        for draft, places in zip(order.drafts, order.places, strict=True)
    )


def sale(  # noqa: PLR0913 - the order as it is charged, and what is known of it
    dealer: int,
    order: Order,
    lines: Sequence[PricedLine],
    uses: Mapping[str, int],
    *,
    now: int,
    once: Once | None,
    promised: bool = False,
    happened: bool = False,
    tell: Tell | None = None,
) -> Sale:
    """Return the command: the lines as charged and the credit, with the check that decides them under the lock.

    promised  a quote holds these prices: they are not compared with what the rules say now
    happened  a slip covers the sale: it is booked as charged however short ago it was
    tell      what its answer says besides what it did
    """
    late = happened or order.late(now)
    check = None if late else sale_check(order, lines, uses, promised=promised)
    left_open = _PRICED if order.charged is None else _PAID if order.credit == "max" else _NOTHING
    return Sale(
        dealer,
        observations(order, lines),
        dict(uses),
        check,
        late,
        once,
        tell=tell,
        left_open=left_open,
        said_credit=order.credit != "max",
    )


def sale_check(
    order: Order, charged: Sequence[PricedLine], uses: Mapping[str, int], *, promised: bool = False
) -> Check:
    """Return what refuses the sale when its prices are no longer those charged, or its credit may not pay it."""

    def check(before: Before) -> None:
        regime = before.regime
        fresh = price(order, before)
        if promised:
            fresh = as_charged(order, fresh)
        elif [line.amount for line in fresh] != [line.amount for line in charged]:
            raise Refused("price_changed", lines=orjson.dumps(plain_lines(fresh)).decode())
        policy = regime.version.rules.policy
        paid: Sequence[PricedLine] = fresh
        for name, wanted in uses.items():
            payable(policy, name, paid, wanted, before.suspended)
            paid = pay_by_credit(policy.wallets[name], paid, wanted)

    return check


def booked_lines(order: Order, said: Sequence[Observation]) -> list[dict[str, Any]]:
    """Return the lines of the order's observations as JSON, in the order in which the till sent them."""
    found: list[dict[str, Any]] = [{} for _ in order.lines]
    for observation, places in zip(said, order.places, strict=True):
        for place, line in zip(places, said_lines(observation), strict=True):
            found[place] = booked_line(line)
    return found
