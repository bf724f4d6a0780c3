"""What a command asks of a member's money: plain values, with the content by which equal ones are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias


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
        return {"wallet": self.wallet, "amount": self.amount, "reason": self.reason, "by": self.by}


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
        said = {"wallet": self.wallet, "amount": self.amount, "reason": self.reason, "by": self.by}
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


Act: TypeAlias = PlaceHold | CaptureHold | VoidHold | Transfer | Adjust | Open | Settle
