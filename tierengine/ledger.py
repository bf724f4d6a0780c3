"""A member's wallets: balances, lots and the entries that change them. Pure; recording.py stores what comes out."""

from __future__ import annotations


from dataclasses import dataclass, field
from typing import Literal

from tierengine.lots import Lot

Account = Literal["available", "held", "debt", "grants", "uses", "expired", "forgiven", "awards"]
EntryKind = Literal["grant", "reverse", "adjust", "award", "settle_debt", "use", "return", "expire"]
Clawback = Literal["debt", "forgive", "refuse"]


@dataclass(slots=True)
class Balance:
    """What a member has in one wallet. `available` and `held` are what came in less what went out; `debt` the reverse."""

    unit: str
    available: int = 0
    held: int = 0
    debt: int = 0


@dataclass(slots=True)
class Lapsed:
    """What of one grant (event key, rule) lapsed unused and what was forgiven, less what was undone since."""

    expired: int = 0
    forgiven: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """What one use entry of an order took from a lot (`lot` = its ref) or as debt (`lot` None), less what went back."""

    number: int
    wallet: str
    lot: int | None
    amount: int


@dataclass(frozen=True, slots=True)
class PostingDraft:
    source: Account
    destination: Account
    amount: int


@dataclass(frozen=True, slots=True)
class LotDraft:
    """A lot to be made by its entry; `ref` is negative, and unique in the book."""

    ref: int
    wallet: str
    event_key: str
    rule: str
    amount: int
    usable_from: int
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class LotUseDraft:
    """`amount` taken from lot `ref` (positive) or put back (negative)."""

    ref: int
    amount: int


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """One business act. Only grants and what changes them cite (event_key, rule); uses and returns cite the order."""

    number: int
    kind: EntryKind
    wallet: str
    unit: str
    event_key: str
    rule: str
    delta: int
    cause: str
    decision: int | None
    postings: tuple[PostingDraft, ...]
    lots: tuple[LotDraft, ...] = ()
    uses: tuple[LotUseDraft, ...] = ()


@dataclass
class MemberBook:
    """One member's money: loaded under his lock, changed by the methods, stored from `entries`.

    balances  by wallet id
    lots      those with something remaining, and those that `taken` names
    lapsed    by (event key, rule), for the grants that may be adjusted
    taken     by order's event key, for the orders that may give back
    now       the latest instant settled; it never goes back
    """

    balances: dict[str, Balance] = field(default_factory=dict)
    lots: list[Lot] = field(default_factory=list)
    next_number: int = 1
    lapsed: dict[tuple[str, str], Lapsed] = field(default_factory=dict)
    taken: dict[str, list[Taken]] = field(default_factory=dict)
    now: int = 0
    entries: list[EntryDraft] = field(default_factory=list)

    def settle(self, now: int) -> tuple[EntryDraft, ...]:
        """Post the end of every lapsed lot, exactly its unheld remainder. Call it before anything else."""
        raise NotImplementedError

    def adjust(
        self,
        event_key: str,
        rule: str,
        wallet: str,
        unit: str,
        delta: int,
        *,
        usable_from: int = 0,
        expires_at: int | None = None,
        cause: str = "",
        decision: int | None = None,
        clawback: Clawback = "debt",
        kind: EntryKind | None = None,
    ) -> tuple[EntryDraft, ...]:
        """Change what (event_key, rule) is worth to the member by `delta`; `kind` None: grant or reverse by its sign."""
        raise NotImplementedError

    def use(
        self,
        wallet: str,
        amount: int,
        order: str,
        now: int,
        *,
        cause: str = "",
        unit: str = "",
        allow_debt: bool = False,
    ) -> tuple[EntryDraft, ...]:
        """Take `amount` for the order, earliest expiry first; Refused when short, unless over-use may become debt."""
        raise NotImplementedError

    def give_back(
        self, wallet: str, amount: int, order: str, now: int, *, cause: str = "", expires_at: int | None = None
    ) -> tuple[EntryDraft, ...]:
        """Return `amount` of what the order used to the lots it came from, newest use first."""
        raise NotImplementedError

    def usable(self, wallet: str, now: int) -> int:
        """Return what may be used at `now`."""
        raise NotImplementedError

    def used(self, wallet: str, order: str) -> int:
        """Return what the order took from the wallet and did not give back."""
        raise NotImplementedError
