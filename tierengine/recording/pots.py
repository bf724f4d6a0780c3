"""The pots of the budgets over several members, as they are stored: locked once a transaction, after the members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tierengine.store.dialect import Link

_OPEN: Final = "INSERT INTO budget_pot (dealer_id, key, used) VALUES (?1, '', 0) ON CONFLICT DO NOTHING"
_LOCK: Final = "SELECT used FROM budget_pot WHERE dealer_id = ?1 AND key = '' FOR UPDATE"
_POTS: Final = "SELECT key, used FROM budget_pot WHERE dealer_id = ?1 AND key IN (?2*)"


def pots_under_lock(link: Link, dealer: int, keys: Sequence[str]) -> dict[str, int]:
    """Return what was given from these pots, and keep every other transaction of the dealer from giving until the end.

    The lock is one row for all pots, so that two transactions never wait for one another; the pots are read by a
    statement of its own, for one that began before the lock was there would show them as they were then.
    """
    link.run(_OPEN, dealer)
    link.ask(_LOCK, dealer).rows()
    return pots(link, dealer, keys)


def pots(link: Link, dealer: int, keys: Sequence[str]) -> dict[str, int]:
    """Return what was given from these pots, as this transaction sees them."""
    return dict(link.ask(_POTS, dealer, list(keys)).rows())
