"""What a command asks of a member's money: plain values, with the content by which equal ones are told.

A `reason` is no part of that: it is somebody's own words, kept under the member's key (tierengine/personal/texts.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, TypeAlias

SLIP: Final = "slip:"
SLIP_END: Final = "slip-end:"


@dataclass(frozen=True, slots=True)
class PlaceHold:
    """Tie up `amount` of a wallet for an order.

    key         same order and wallet, same hold
    order       the order's cluster
    expires_at  first instant at which it is free again; None: as late as the policy allows
    """

    key: str
    wallet: str
    amount: int
    order: str
    expires_at: int | None = None
    kind: ClassVar[Literal["hold"]] = "hold"

    def content(self) -> dict[str, Any]:
        """Return what makes two of one key the same; a retry may name a later end."""
        return {"wallet": self.wallet, "amount": self.amount, "order": self.order}


@dataclass(frozen=True, slots=True)
class CaptureHold:
    """Take `amount` of a hold; None: all that is left."""

    hold: int
    amount: int | None = None
    kind: ClassVar[Literal["capture"]] = "capture"


@dataclass(frozen=True, slots=True)
class VoidHold:
    """Free what is left of a hold."""

    hold: int
    kind: ClassVar[Literal["void"]] = "void"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand credit from the first member of the command to the second, who belongs to the same firm."""

    key: str
    wallet: str
    amount: int
    reason: str
    by: str
    kind: ClassVar[Literal["transfer"]] = "transfer"

    def content(self) -> dict[str, Any]:
        """Return what makes two of one key the same."""
        return {"wallet": self.wallet, "amount": self.amount, "by": self.by}


@dataclass(frozen=True, slots=True)
class Adjust:
    """Change a balance by hand. `second` is another person, needed above the policy's limit.

    expires_at  of what is added: first instant after its last day; None: as the wallet's rule says
    """

    key: str
    wallet: str
    amount: int
    reason: str
    by: str
    second: str = ""
    expires_at: int | None = None
    kind: ClassVar[Literal["adjust"]] = "adjust"

    def content(self) -> dict[str, Any]:
        """Return what makes two of one key the same."""
        said = {"wallet": self.wallet, "amount": self.amount, "by": self.by}
        return said | {"second": self.second, "expires_at": self.expires_at}


@dataclass(frozen=True, slots=True)
class Open:
    """Put in what a member had in the books before these; `expires_at` as in Adjust."""

    key: str
    wallet: str
    amount: int
    by: str
    expires_at: int | None = None
    kind: ClassVar[Literal["open"]] = "open"

    def content(self) -> dict[str, Any]:
        """Return what makes two of one key the same."""
        return {"wallet": self.wallet, "amount": self.amount, "expires_at": self.expires_at}


@dataclass(frozen=True, slots=True)
class Settle:
    """Post the ends of what has lapsed. Nothing depends on it: whoever reads works them out."""

    kind: ClassVar[Literal["settle"]] = "settle"


@dataclass(frozen=True, slots=True)
class IssueSlip:
    """Give a till a slip to go by while its line is down.

    till       which till of the store it is for: its next slip replaces this one
    said       what of the member's standing goes on it
    suspended  the wallets that he may not use
    credit     wallet by wallet what he may use; decided under his lock
    """

    number: str
    store: str
    issued_at: int
    expires_at: int
    said: Mapping[str, Any]
    suspended: frozenset[str] = frozenset()
    credit: tuple[Mapping[str, Any], ...] = ()
    till: str = ""
    kind: ClassVar[Literal["slip"]] = "slip"

    @property
    def key(self) -> str:
        """Return the command's key."""
        return SLIP + self.number

    def content(self) -> dict[str, Any]:
        """Return what the slip says."""
        return {
            "id": self.number, "store": self.store, "till": self.till,
            "issued_us": self.issued_at, "expires_us": self.expires_at, **self.said, "credit": list(self.credit),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class EndSlip:
    """Revoke a slip: what is sold with it from now on is not covered."""

    number: str
    reason: str
    kind: ClassVar[Literal["slip_end"]] = "slip_end"

    @property
    def key(self) -> str:
        """Return the command's key."""
        return SLIP_END + self.number

    def content(self) -> dict[str, Any]:
        """Return what makes two of one key the same: a slip ends once, whatever the reason of the second time."""
        return {"id": self.number}


Act: TypeAlias = PlaceHold | CaptureHold | VoidHold | Transfer | Adjust | Open | Settle | IssueSlip | EndSlip
Kept: TypeAlias = PlaceHold | Transfer | Adjust | Open | IssueSlip | EndSlip
