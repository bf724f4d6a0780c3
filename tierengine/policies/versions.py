"""Published policies: appended, never edited; read once into each process and kept while their head is the same.

A version is the text as its author wrote it, with its hash, its author, the reason, and from when on it rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from rules.judge import Ruleset
from rules.policy import Award, Policy, Wallet
from rules.reader import read
from tierengine.errors import Refused, Unknown
from tierengine.judging.decisions import PolicyLine, Version
from tierengine.judging.long_histories import LongHistories
from tierengine.judging.regimes import Regimes
from tierengine.policies.examination import examined
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.store.rows import Table
from tierengine.zone import SECOND, Zone

NOTICE: Final = 60 * SECOND
_REMEMBERED: Final = 8
HOUSE: Final = ("grants", "uses", "expired", "forgiven", "awards")

_VERSIONS: Final = Table("policy_version")
_ACCOUNTS: Final = Table("account")
_PUBLISHED: Final = (
    "SELECT number, effective_from, published_at, author, reason, hash FROM policy_version "
    "WHERE dealer_id = ?1 ORDER BY number DESC"
)


@dataclass(frozen=True, slots=True)
class Programme:
    """One dealer's programme as this process knows it: all versions, compiled, and the accounts of the house.

    house  (wallet, kind) → account id, of every wallet that any version declares
    long   the long histories that were read under it; shared between threads, as all of it is
    """

    dealer_id: int
    head: int
    currency: str
    zone: Zone
    info: ZoneInfo
    regimes: Regimes
    house: Mapping[tuple[str, str], int]
    long: LongHistories = field(default_factory=LongHistories, compare=False, repr=False)

    @property
    def line(self) -> PolicyLine:
        """Return all versions in order."""
        return self.regimes.line

    def wallet(self, name: str) -> Wallet | None:
        """Return the newest declaration of a wallet; a wallet outlives the policy that dropped it."""
        for version in reversed(self.line.versions):
            found = version.rules.policy.wallets.get(name)
            if found is not None:
                return found
        return None

    def unit(self, name: str) -> str:
        """Return what the wallet counts: the currency's code, or "points"."""
        wallet = self.wallet(name)
        return self.currency if wallet is None or wallet.unit == "money" else "points"


class Programmes:
    """The programmes that this process has read. One writer uses one; nothing here is shared between threads."""

    def __init__(self) -> None:
        self._known: dict[int, Programme] = {}

    def of(self, link: Link, dealer_id: int, head: int) -> Programme:
        """Return the programme whose newest version is number `head`, reading what is not known yet."""
        known = self._known.get(dealer_id)
        if known is None or known.head != head:
            known = self._known[dealer_id] = load(link, dealer_id, known)
        return known


def heads(link: Link, dealers: list[int]) -> dict[int, int]:
    """Return the number of the newest version of each dealer that has one."""
    return {row[0]: row[1] for row in link.ask(_HEADS, dealers).rows()}


_HEADS: Final = "SELECT dealer_id, max(number) FROM policy_version WHERE dealer_id IN (?1*) GROUP BY dealer_id"


def load(link: Link, dealer_id: int, known: Programme | None = None) -> Programme:
    """Read a dealer's programme; versions that `known` has are not compiled again."""
    compiled = {version.id: version for version in known.line.versions} if known else {}
    rows = link.ask(
        "SELECT id, number, effective_from, text FROM policy_version WHERE dealer_id = ?1 "
        "ORDER BY effective_from, number",
        dealer_id,
    ).rows()
    if not rows:
        raise Unknown("no_policy", dealer=dealer_id)
    versions = tuple(compiled.get(row[0]) or Version(row[0], row[1], row[2], _ruleset(row[3], row[1])) for row in rows)
    accounts = link.ask(
        "SELECT wallet, kind, id FROM account WHERE dealer_id = ?1 AND member_id IS NULL", dealer_id
    ).rows()
    currency, timezone = link.ask("SELECT currency, timezone FROM dealer WHERE id = ?1", dealer_id).rows()[0]
    zone = Zone(timezone)
    return Programme(
        dealer_id=dealer_id,
        head=max(row[1] for row in rows),
        currency=currency,
        zone=zone,
        info=ZoneInfo(timezone),
        regimes=Regimes(PolicyLine(versions), zone),
        house={(wallet, kind): account for wallet, kind, account in accounts},
    )


@dataclass(frozen=True, slots=True)
class Published:
    """A published version without its text; instants in microseconds UTC."""

    number: int
    effective_from: int
    published_at: int
    author: str
    reason: str
    hash: str


def published(link: Link, dealer_id: int) -> list[Published]:
    """Return every version of a dealer, newest first."""
    return [Published(*row) for row in link.ask(_PUBLISHED, dealer_id).rows()]


def text_of(link: Link, dealer_id: int, number: int) -> str | None:
    """Return a version's text just as it was published; None where there is none of this number."""
    rows = link.ask("SELECT text FROM policy_version WHERE dealer_id = ?1 AND number = ?2", dealer_id, number).rows()
    return str(rows[0][0]) if rows else None


@lru_cache(maxsize=_REMEMBERED)
def _ruleset(text: str, number: int) -> Ruleset:
    """Return a published text, compiled: once for the writer, the readers and the courier of a process."""
    return Ruleset(_policy(text, number))


def _policy(text: str, number: int) -> Policy:
    policy = read(text, f"version {number}").policy
    if policy is None:
        raise RuntimeError(f"policy version {number} was published and cannot be read any more")
    return policy


def publish(
    link: Link,
    ids: Ids,
    dealer_id: int,
    text: str,
    *,
    author: str,
    reason: str,
    effective_from: int,
    now: int,
) -> int:
    """Append a version and return its number; the caller's transaction. The first may rule from any date.

    Raises what `examined` raises, which should be asked before the transaction begins, and Refused for a date that is
    too early or a tier that would be lost.
    """
    policy = examined(text).policy
    # The dealer's row makes two publications wait for one another.
    held = link.ask("SELECT currency, timezone FROM dealer WHERE id = ?1 FOR UPDATE", dealer_id).rows()
    if not held:
        raise Unknown("unknown_dealer", dealer=dealer_id)
    last = link.ask(
        "SELECT number, effective_from, text FROM policy_version WHERE dealer_id = ?1 ORDER BY number DESC LIMIT 1",
        dealer_id,
    ).rows()
    number = 1
    if last:
        number = last[0][0] + 1
        _follows(policy, _policy(last[0][2], last[0][0]), held[0])
        if effective_from < now + NOTICE or effective_from <= last[0][1]:
            raise Refused("refused", reason="too_soon", earliest=max(now + NOTICE, last[0][1] + 1))
        # A till's clock may be ahead by minutes: what it told of then was judged by the version in force until now.
        latest = link.ask("SELECT max(head_at) FROM ledger WHERE dealer_id = ?1", dealer_id).rows()[0][0] or 0
        if effective_from <= latest:
            raise Refused("refused", reason="too_soon", earliest=latest + 1)
    else:
        link.run(
            "UPDATE dealer SET currency = ?1, timezone = ?2 WHERE id = ?3", policy.currency, policy.timezone, dealer_id
        )
    digest = hashlib.sha256(text.encode()).hexdigest()
    link.write(_VERSIONS, [(ids.take(), dealer_id, number, text, digest, author, reason, effective_from, now)])
    _open_house(link, ids, dealer_id, policy)
    return number


def _follows(policy: Policy, before: Policy, dealer: tuple[str, str]) -> None:
    """Refuse what a running programme cannot change: its currency, its zone, and tiers that would be lost."""
    if (policy.currency, policy.timezone) != tuple(dealer):
        raise Refused("refused", reason="programme_changed", currency=dealer[0], timezone=dealer[1])
    kept = {tier.id for tier in policy.tiers} | {old for tier in policy.tiers for old in tier.replaces}
    lost = [tier.id for tier in before.tiers if tier.id not in kept]
    if lost:
        raise Refused("refused", reason="tier_lost", tiers=", ".join(lost))


def prize_wallet(award: Award) -> str:
    """Return the wallet that an award's prizes go to; goods have one of their own, which no till can spend from."""
    return award.wallet or f"award:{award.id}"


def _open_house(link: Link, ids: Ids, dealer_id: int, policy: Policy) -> None:
    there = {
        tuple(row)
        for row in link.ask(
            "SELECT wallet, kind FROM account WHERE dealer_id = ?1 AND member_id IS NULL", dealer_id
        ).rows()
    }
    wallets = {one.id: policy.currency if one.unit == "money" else "points" for one in policy.wallets.values()}
    wallets |= {prize_wallet(award): policy.currency for award in policy.awards.values() if not award.wallet}
    # A house account has no stored balance: every sale would update it.
    link.write(
        _ACCOUNTS,
        [
            (ids.take(), dealer_id, None, wallet, kind, unit, None)
            for wallet, unit in wallets.items()
            for kind in HOUSE
            if (wallet, kind) not in there
        ],
    )
