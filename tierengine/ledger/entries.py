"""What a member's book is made of and what comes out of it: balances, entries, postings, lots, holds. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Account = Literal["available", "held", "debt", "grants", "uses", "expired", "forgiven", "awards"]
EntryKind = Literal[
    "grant", "reverse", "adjust", "award", "settle_debt", "use", "return", "expire", "hold", "capture", "void",
    "transfer", "open",
]  # fmt: skip
HoldEndKind = Literal["captured", "voided", "lapsed"]
Clawback = Literal["debt", "forgive", "refuse"]


@dataclass(slots=True)
class Balance:
    """What a member has in one wallet; none of the three is ever below 0."""

    unit: str
    available: int = 0
    held: int = 0
    debt: int = 0


@dataclass(slots=True)
class Lapsed:
    """What of one grant (event key, rule) lapsed unused and what was forgiven, less what was undone since.

    expired   Σ uses of its lots by `expire` entries, less Σ postings from `expired` in its own entries
    forgiven  Σ postings from `forgiven` less Σ postings to it, in its own entries
    """

    expired: int = 0
    forgiven: int = 0


@dataclass(frozen=True, slots=True)
class LotTaken:
    """What one entry of an order took from a lot (`lot` = its ref) or as debt (`lot` None), less what went back.

    `number` is the entry's, `place` the place among what that entry took.
    """

    number: int
    wallet: str
    lot: int | None
    amount: int
    place: int = 0


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
    """One business act.

    event_key, rule   the grant, for what changes what a grant is worth; the order and "", for uses and returns; else ""
    delta             signed change of what the grant is worth, or of what the member has
    """

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


@dataclass(slots=True)
class Hold:
    """A promise to an order: `parts` of lots (ref → amount, earliest expiry first) that nobody else may take.

    order       the cluster of the order that it is for
    expires_at  first instant at which it is free by itself
    entry       number of the entry that made it, 0 for one that was stored before
    tied        the parts as they were when it was made
    above       what a capture took beyond it, where the policy allows that
    """

    ref: int
    key: str
    wallet: str
    order: str
    amount: int
    expires_at: int
    parts: dict[int, int] = field(default_factory=dict)
    entry: int = 0
    tied: tuple[tuple[int, int], ...] = ()
    above: int = 0

    @property
    def left(self) -> int:
        """Return what may still be captured."""
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class HoldEnd:
    """The one end of a hold, by the entry of this number; `freed` is what was left of it."""

    hold: Hold
    kind: HoldEndKind
    entry: int
    freed: int


@dataclass(frozen=True, slots=True)
class LotPart:
    """What of a lot is handed on to another member, with its dates."""

    amount: int
    usable_from: int
    expires_at: int | None
