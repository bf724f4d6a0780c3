"""The purses of one group's members: each read and settled once, those of merged members together as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tierengine.judging.history import Contribution
from tierengine.judging.recorded import cause_key
from tierengine.policies.versions import Programme
from tierengine.recording.decided import Pair, Refolded
from tierengine.recording.joining import Joining
from tierengine.recording.joint import Balances, Joint, together
from tierengine.recording.locked import Locked
from tierengine.recording.purse import Purse
from tierengine.recording.refunds import give_back
from tierengine.store.dialect import Link


@dataclass(slots=True)
class Purses:
    """What the members of one group have, as it changes.

    touched   whose ledger row is to be written
    joining   the merge that this group decides on, if there is one
    returned  by order: wallet → what was given back of what paid for it
    """

    link: Link
    locked: Locked
    programme: Programme
    now: int
    touched: set[int] = field(default_factory=set)
    joining: Joining | None = None
    returned: dict[str, dict[str, int]] = field(default_factory=dict)
    _purses: dict[int, Purse] = field(default_factory=dict)
    _joints: dict[int, Joint] = field(default_factory=dict)

    def of(self, member: int) -> Purse:
        """Return a member's own purse."""
        purse = self._purses.get(member)
        if purse is None:
            if self.joint(member) is not None:
                return self._purses[member]
            purse = self._read(member)
            purse.settle(self.now)
        return purse

    def _read(self, member: int) -> Purse:
        if member not in self._purses:
            self._purses[member] = Purse.locked(self.locked, self.programme, member, self.link)
        return self._purses[member]

    def opened(self, member: int) -> Purse | None:
        """Return a member's purse if anybody asked for it."""
        return self._purses.get(member)

    def joint(self, member: int) -> Joint | None:
        """Return the purses of all who are one with a member; None: he is alone, as nearly everybody is."""
        if not self.locked.classes or len(all_ := self.locked.members(member)) == 1:
            return None
        found = self._joints.get(all_[0])
        if found is None:
            purses = {one: self._read(one) for one in all_}
            key = self.locked.merge_of(member) if self.joining is None else self.joining.key
            found = self._joints[all_[0]] = Joint(purses, key, self.now)
            found.settle()
        return found

    def usable(self, member: int, wallet: str) -> int:
        """Return what a member may spend now, with all who are one with him."""
        joint = self.joint(member)
        return self.of(member).book.usable(wallet, self.now) if joint is None else joint.usable(wallet)

    def usable_all(self, member: int) -> dict[str, int]:
        """Return what a member may spend now of each wallet that he has."""
        joint = self.joint(member)
        return (
            self.of(member).usable(self.now) if joint is None else {one: joint.usable(one) for one in joint.wallets()}
        )

    def payer(self, member: int, order: str) -> int:
        """Return in whose book an order of a member is paid: where it was, or is held for, of all who are one."""
        joint = self.joint(member)
        if joint is None:
            return member
        for one, purse in joint.purses.items():
            purse.know_orders(self.link, [order])
            if order in purse.book.taken or any(hold.order == order for hold in purse.book.holds):
                return one
        return member

    def balances(self, member: int) -> Balances:
        """Return what a member has, with all who are one with him."""
        return together([self.of(one) for one in self.locked.members(member)], self.now)

    # ---- changing ---------------------------------------------------------------------------------------------

    def post(
        self, outcome: Refolded, fresh: Mapping[int, Sequence[Contribution]], *, refusable: bool
    ) -> dict[Pair, int]:
        """Post what a fold changed, and what the new contributions give back; returns by how much each pair changed.

        Raises Refused where a wallet says so and the till may be told, which is what `refusable` says.
        """
        root = outcome.head.member_id
        for member, rows in self._by_payer(fresh).items():
            stored = [row for one in self.locked.members(member) for row in self.locked.histories.get(one, ())]
            self.returned |= give_back(self.of(member), self.link, rows, stored, self.now)
        if self.joining is None:
            cause = cause_key(next(row for rows in fresh.values() for row in rows).known)
        else:
            cause = self.joining.key
        purse = self.joint(root) or self.of(root)
        deltas = purse.apply(self.link, outcome.changes, cause, refusable=refusable)
        if self.joining is not None:
            self.joining.regranted(deltas, outcome)
        return deltas

    def _by_payer(self, fresh: Mapping[int, Sequence[Contribution]]) -> Mapping[int, Sequence[Contribution]]:
        """Return new contributions by whose book paid for their orders: who they are of, but of merged members."""
        if not self.locked.classes:
            return fresh
        found: dict[int, list[Contribution]] = {}
        for member, rows in fresh.items():
            for row in rows:
                paid = self.payer(member, row.event_key.rpartition(":")[0]) if row.fields.get("credit") else member
                found.setdefault(paid, []).append(row)
        return found

    def rejoined(self) -> None:
        """Forget whose purses were together: that has just become otherwise."""
        self._joints.clear()
        for purse in self._purses.values():
            purse.book.helps = None

    def close(self) -> None:
        """Post what ends the group: what is handed back, and what merged members owe of what they have."""
        if self.joining is not None:
            self.joining.hand_back(self.link, self.programme.dealer_id, self.locked, self.of, self.now)
        if not self.locked.classes:
            return
        for root in sorted({self.locked.root(member) for member in self._purses}):
            # (What lapsed by now of those whom nothing was granted to is posted another time.)
            if (joint := self.joint(root)) is not None and not self.touched.isdisjoint(joint.purses):
                joint.level()
                self.touched.update(one for one, purse in joint.purses.items() if purse.book.entries)
