"""What a quote promised: a token that holds its prices for as long as the policy says, though the rules change.

It holds for the same member and the same lines, of whichever order; whoever asks for a token of lines asks for their
prices too. It covers nothing but the prices: credit is looked at when the sale comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import fields, replace
from operator import attrgetter
from typing import Final

import orjson

from tierengine.judging.pricing import OrderLine, PricedLine
from tierengine.till.orders import Order
from tierengine.till.signing import Signer
from tierengine.zone import SECOND

MINUTE: Final = 60 * SECOND
_all_of: Final = attrgetter(*(one.name for one in fields(OrderLine)))  # (astuple copies each value deeply)


def promise(
    signer: Signer, dealer: int, order: Order, lines: Sequence[PricedLine], version: int, expires_at: int
) -> str:
    """Return the token that holds the prices of these lines until `expires_at`, microseconds UTC."""
    prices = [one.amount for one in lines]
    return signer.quote({"for": _subject(dealer, order), "version": version, "prices": prices, "until": expires_at})


def promised(signer: Signer, dealer: int, order: Order, now: int) -> Order | None:
    """Return the order at the prices that its token holds; None when it has none, or one that does not cover it."""
    found = signer.read_quote(order.quote) if order.quote else None
    if found is None or found.get("for") != _subject(dealer, order) or now >= found["until"]:
        return None
    prices = tuple(found["prices"])
    return replace(order, charged=prices) if order.charged in (None, prices) else None


def _subject(dealer: int, order: Order) -> str:
    said = orjson.dumps([dealer, order.member, [_all_of(line) for line in order.lines]])
    return hashlib.sha256(said).hexdigest()
