"""What an amount of a wallet is worth at the till. Money is worth itself; points what the policy exchanges them for.

Only as many points pay as make whole fen: of 3 points for 1 CNY these are 3, 6, 9 …, of 100 for 1 CNY any number.
"""

from __future__ import annotations

from math import gcd, lcm

from rules.policy import Wallet


def pays(wallet: Wallet) -> bool:
    """Whether the wallet may pay at the till: money always, points that are worth money and have something to pay."""
    return wallet.unit == "money" or (wallet.point_value is not None and bool(wallet.pays_for))


def fen_of(wallet: Wallet, amount: int) -> int:
    """Return what `amount` of the wallet is worth, in fen, floored; 0 for points that are worth no money."""
    fen, units = _rate(wallet)
    return amount * fen // units


def units_of(wallet: Wallet, fen: int, *, up: bool = False) -> int:
    """Return how much of the wallet is worth `fen`, floored, or rounded up."""
    worth, units = _rate(wallet)
    if not worth:
        return 0
    return -(-fen * units // worth) if up else fen * units // worth


def block_of(wallet: Wallet) -> int:
    """Return the multiple in which the wallet is used: its own block, and whole fen."""
    fen, units = _rate(wallet)
    return lcm(wallet.block, units // gcd(fen, units))


def points_back(wallet: Wallet, used: int, owed: int, fen: int) -> tuple[int, int]:
    """Return the fen of `fen` that this wallet answers for, and the points that this gives back (below 0: takes again).

    used  points that the order holds of this wallet
    owed  fen of the order that they pay, before this

    What the order goes on to hold is rounded up to whole points, so that parts never give back more than the whole,
    and the last part gives back all that is left.
    """
    part = min(fen, owed)
    return part, used - units_of(wallet, owed - part, up=True)


def _rate(wallet: Wallet) -> tuple[int, int]:
    """Return fen and for how much of the wallet."""
    if wallet.unit == "money":
        return 1, 1
    return wallet.point_value or (0, 1)
