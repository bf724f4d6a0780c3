"""What may be recorded, and what is answered. Plain values; `Recorder.record` takes and gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

import orjson

from rules.judge import Inputs, Judged
from tierengine.errors import TierengineError
from tierengine.judging.decisions import Version
from tierengine.judging.history import Contribution, Observation
from tierengine.judging.netting import net
from tierengine.judging.regimes import Regime
from tierengine.recording.acts import Act

Status = Literal[
    "recorded",  # new, and in effect
    "duplicate",  # equal key and content: nothing new
    "parked",  # recorded; takes effect when what it names is here
    "conflict",  # equal key, other content: not booked
    "mismatch",  # the idempotency key came with another body before
    "unknown",  # names a member, wallet or dealer that is not on file
    "refused",  # a command that the state does not allow: nothing is recorded
    "unavailable",  # not now; the same may be sent again
    "failed",  # ours: nothing was recorded
]

# The number stored with an answer; the service sends it as its HTTP status.
NUMBERS: Final[Mapping[str, int]] = {
    "recorded": 201,
    "duplicate": 200,
    "parked": 202,
    "conflict": 409,
    "mismatch": 422,
    "unknown": 404,
    "refused": 409,
    "unavailable": 503,
    "failed": 500,
}


@dataclass(frozen=True, slots=True)
class By:
    """An act of the staff, as the audit tells it: who, what, about what, by which request."""

    actor: str
    act: str
    subject: str
    request: str
    second: str = ""  # who stood beside him


@dataclass(frozen=True, slots=True)
class Once:
    """An idempotency key: one key, one effect, one answer. `request_hash` tells one body from another.

    by      whose act of the staff this is; None: nobody's, a till's
    former  the hash under the server's secret before this one, where the body's hash is taken under a secret
    """

    scope: str
    key: str
    request_hash: str
    by: By | None = None
    former: str = ""

    def same(self, stored: str) -> bool:
        """Whether what is stored with the key is this body's hash."""
        return stored in (self.request_hash, self.former)


@dataclass(frozen=True)
class Before:
    """A member as of just before an event, under his lock: what prices and commands are decided on.

    asked   reads what a version would judge him on; only while nothing later was asked of his facts
    members  he, and all who are merged with him
    usable  what he may spend now, by wallet
    rows    all contributions known before it, retracted ones and what retracts them too
    """

    member_id: int
    at: int
    regime: Regime
    asked: Callable[[Version], Inputs]
    tier: str
    usable: Mapping[str, int]
    rows: Sequence[Contribution]
    members: tuple[int, ...] = ()

    @cached_property
    def inputs(self) -> Inputs:
        """What he is judged on; many a price asks nothing of it."""
        return self.asked(self.regime.version)

    @cached_property
    def judged(self) -> Judged:
        """What holds of him."""
        return self.regime.version.rules.judge(self.inputs)

    @cached_property
    def suspended(self) -> frozenset[str]:
        """Return the wallets that he may not use now."""
        return self.regime.suspended(self.asked)

    @property
    def history(self) -> tuple[Contribution, ...]:
        """Return what his standing events contributed up to then, claims among them."""
        return net(self.rows)


Tell: TypeAlias = Callable[[Sequence[Observation]], Mapping[str, Any]]
Check: TypeAlias = Callable[[Before], None]
"""Decides a command on the state before it; raises Refused to refuse it."""


class _OfOne:
    """An item that says one observation."""

    __slots__ = ()
    observation: Observation

    @property
    def observations(self) -> tuple[Observation, ...]:
        """Return what it says, as every item does."""
        return (self.observation,)


@dataclass(frozen=True, slots=True)
class Observe(_OfOne):
    """An observation: what happened. Never refused for the state.

    brief      the answer is only status and key (files, where nobody reads more)
    refusable  the till's own call for a return: where the policy says so, one that cannot be taken back is refused
    """

    dealer: int
    observation: Observation
    once: Once | None = None
    brief: bool = False
    refusable: bool = False


@dataclass(frozen=True, slots=True)
class Sale:
    """An order with the credit that pays part of it, recorded together or not at all.

    observations  one for each kind of line, with the prices charged
    uses          wallet → amount taken for the order
    check         decides prices and credit on the state before; None: the charge stands as it is
    late          it happened already: never refused, what was used too much becomes debt
    tell          what its answer says besides, of its observations as they stand; stored with the answer
    left_open     fields of its lines that the till left to the service: sent again they may come out otherwise
    said_credit   whether the till said how much credit pays; only how the lines share it may come out otherwise
    """

    dealer: int
    observations: tuple[Observation, ...]
    uses: Mapping[str, int] = field(default_factory=dict)
    check: Check | None = None
    late: bool = False
    once: Once | None = None
    brief: bool = False
    refusable: bool = False
    tell: Tell | None = None
    left_open: frozenset[str] = frozenset()
    said_credit: bool = False


@dataclass(frozen=True, slots=True)
class Claim(_OfOne):
    """A claim of an entitlement: refused when the quota is used up, an observation once accepted."""

    dealer: int
    observation: Observation
    check: Check
    once: Once | None = None
    brief: bool = False
    refusable: bool = False


@dataclass(frozen=True, slots=True)
class Merge(_OfOne):
    """The word of the staff that two members are one, or (a cancellation of that word) that they are not.

    Decided once, as it arrives, alone in its transaction; an observation once accepted. `into` is the code of who
    stands for both, "" of a cancellation.
    """

    dealer: int
    observation: Observation
    into: str = ""
    once: Once | None = None
    brief: bool = False
    refusable: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """Asks for what only moves money: decided once, in the order of arrival, under the locks of its members.

    members  codes; of a transfer the giver and the receiver
    """

    dealer: int
    members: tuple[str, ...]
    act: Act
    once: Once | None = None
    brief: bool = True
    refusable: bool = False

    @property
    def observations(self) -> tuple[Observation, ...]:
        """Return nothing: it tells of nothing that counts for facts."""
        return ()


Item: TypeAlias = Observe | Sale | Claim | Command | Merge


def is_command(item: Item) -> bool:
    """Whether the item asks for what the state may refuse (and so sees what came before it in the same moment)."""
    return isinstance(item, (Claim, Command, Merge)) or (isinstance(item, Sale) and bool(item.uses or item.check))


def members_of(item: Item) -> frozenset[str]:
    """Return the codes of the members that an item names."""
    if isinstance(item, Command):
        return frozenset(item.members)
    named = {said.member for said in item.observations if said.member}
    return frozenset(named | {item.into} if isinstance(item, Merge) and item.into else named)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an item. `code` is "" or that of the error; `replayed`: this is the answer stored with its key."""

    status: Status
    code: str
    body: Mapping[str, Any]
    replayed: bool = False
    stored: bytes = b""

    @property
    def number(self) -> int:
        """Return the HTTP status."""
        return NUMBERS[self.status]

    def encoded(self) -> bytes:
        """Return the body's bytes: of a replayed answer, those that were stored."""
        return self.stored or orjson.dumps(self.body)

    def sealed(self) -> Answer:
        """Return the answer with its bytes fixed, as it is stored and sent."""
        return replace(self, stored=self.encoded())


def refusal(status: Status, problem: TierengineError) -> Answer:
    """Return the answer that says an error."""
    return Answer(status, problem.code, {"status": status, "code": problem.code, "details": dict(problem.details)})


def replay(stored: bytes) -> Answer:
    """Return a stored answer; its body says what it is."""
    body: dict[str, Any] = orjson.loads(stored)
    return Answer(body["status"], body.get("code", ""), body, replayed=True, stored=stored)
