"""What a transaction has locked and read, for one dealer; and that more must be locked than was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tierengine.judging.history import Contribution, Position
from tierengine.judging.merging import MERGED, united
from tierengine.judging.netting import net
from tierengine.recording.stored import Stored
from tierengine.store.rows import Row

BEGINNING: Final[Position] = (-(1 << 62), 0, "")


class NeedMore(Exception):
    """Under the locks it turned out that more must be locked: roll back, and begin again with these as well."""

    def __init__(self, members: Iterable[int], keys: Iterable[str]) -> None:
        self.members = frozenset(members)
        self.keys = frozenset(keys)
        super().__init__(f"{len(self.members)} more members, {len(self.keys)} more keys")


@dataclass(frozen=True, slots=True)
class Head:
    """A member's ledger row: where his history stands, and the number and instant of his last entry."""

    member_id: int
    code: str
    entry_no: int
    position: Position
    tier: str
    boundary_at: int | None
    carry: str
    recorded_at: int
    joined_id: int | None = None


@dataclass(slots=True)
class Locked:
    """All that was read under the locks of one transaction, for one dealer.

    newest_version  number of the policy's newest version, 0: there is none
    obtained  the members whose rows were obtained
    events    key → revision → event
    outside   the same, of the events that these name in other clusters
    whole     members whose remembered history is still whole
    waiting   clusters of parked events that wait for what is locked
    once      (scope, key) → (request hash, status number, stored answer)
    later     decisions of steps after the head of a member's history
    lots      those that time or a hold concerns
    holds     those that have not ended, a row for each of their lots; `held_orders` the orders that ever had one
    commands  key → hash, of the stored ones among those that were asked for
    classes   merged members by who stands for them, himself first; nobody who is merged with none
    """

    newest_version: int = 0
    obtained: frozenset[int] = frozenset()
    ledgers: dict[int, Head] = field(default_factory=dict)
    once: dict[tuple[str, str], tuple[str, int, bytes]] = field(default_factory=dict)
    events: dict[str, dict[int, Stored]] = field(default_factory=dict)
    outside: dict[str, dict[int, Stored]] = field(default_factory=dict)
    outside_wanted: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)
    histories: dict[int, list[Contribution]] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)
    later: dict[int, list[Row]] = field(default_factory=dict)
    accounts: dict[int, list[Row]] = field(default_factory=dict)
    lots: dict[int, list[Row]] = field(default_factory=dict)
    holds: dict[int, list[Row]] = field(default_factory=dict)
    held_orders: set[str] = field(default_factory=set)
    commands: dict[str, str] = field(default_factory=dict)
    classes: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def root(self, member_id: int) -> int:
        """Return who stands for a member: himself, unless he is merged into another."""
        if not self.classes:
            return member_id
        return next((root for root, all_ in self.classes.items() if member_id in all_), member_id)

    def members(self, member_id: int) -> tuple[int, ...]:
        """Return all who are one with a member, who stands for them first."""
        if not self.classes:
            return (member_id,)
        root = self.root(member_id)
        return self.classes.get(root, (root,))

    def has(self, member_id: int) -> bool:
        """Whether a member's row was obtained, and those of all who are one with him."""
        return member_id in self.obtained and (not self.classes or self.obtained.issuperset(self.members(member_id)))

    def history(self, member_id: int) -> Sequence[Contribution]:
        """Return the history in which a member's is folded, in order of `known`."""
        all_ = self.members(member_id)
        if len(all_) == 1:
            return self.histories.get(member_id, ())
        return united([self.histories.get(one, ()) for one in all_], self.codes(member_id))

    def merge_of(self, member_id: int) -> str:
        """Return the key of the last merge among those who are one with a member: what is handed over cites it."""
        words = (row for one in self.members(member_id) for row in self.histories.get(one, ()) if row.kind == MERGED)
        return max(net(words), key=lambda row: row.known).known[2]

    def codes(self, member_id: int) -> frozenset[str]:
        """Return the codes of all who are one with a member."""
        return frozenset(self.ledgers[one].code for one in self.members(member_id))

    def code_of(self, member_id: int) -> str:
        """Return a locked member's code."""
        return self.ledgers[member_id].code
