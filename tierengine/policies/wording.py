"""What a refusal says of a wallet: its title and its unit as the policy has them, no code and no minor units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from rules.policy import Wallet
from rules.policy.text import title
from tierengine.amounts import POINTS
from tierengine.errors import Refused, TierengineError, Unknown
from tierengine.judging.worth import block_of
from tierengine.policies.versions import Programme, load
from tierengine.store.dialect import Link

E = TypeVar("E", bound=TierengineError)


def wallet_words(wallet: Wallet, currency: str) -> dict[str, str]:
    """Return the details by which a sentence names a wallet and says its amounts."""
    called = title(wallet.title, wallet.id)
    return {
        "wallet": wallet.id,
        "unit": currency if wallet.unit == "money" else POINTS,
        "title_zh": called.zh,
        "title_en": called.en,
    }


def named(problem: E, programme: Programme) -> E:
    """Return what is wrong with the wallet that it speaks of named as people name it."""
    wallet = programme.wallet(str(problem.details.get("wallet", "")))
    return problem if wallet is None else problem.telling(**wallet_words(wallet, programme.currency))


@contextmanager
def naming(link: Link, dealer: int) -> Iterator[None]:
    """Name the wallet of whatever is refused within, where no programme is at hand."""
    try:
        yield
    except Refused as problem:
        raise named(problem, load(link, dealer)) from None


def no_wallet(name: str, wallets: Mapping[str, Wallet]) -> Unknown:
    """Return that there is no such wallet, with those there are."""
    known = "、".join(f"{one.title.zh}({one.id})" for one in wallets.values())
    known_en = ", ".join(f"{title(one.title, one.id).en} ({one.id})" for one in wallets.values())
    return Unknown("unknown_wallet", wallet=name[:100], known=known, known_en=known_en)


def not_payable(wallet: Wallet, most: int, wanted: int) -> Refused:
    """Return that a wallet may not pay so much: `most` is what it may, and blocks and least amounts are named."""
    details = {"payable": most, "wanted": wanted}
    if wanted % block_of(wallet):
        details["block"] = block_of(wallet)
    elif wanted < wallet.minimum:
        details["minimum"] = wallet.minimum
    return Refused("credit_not_payable", wallet=wallet.id, **details)
