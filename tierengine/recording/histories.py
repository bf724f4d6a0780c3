"""The histories of one group's members: read, asked for commands, folded, and kept for the next group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tierengine.judging.budgets import Pots
from tierengine.judging.history import LAST, Contribution, Position
from tierengine.judging.merging import united
from tierengine.judging.netting import net
from tierengine.policies.versions import Programme
from tierengine.recording.decided import Refolded
from tierengine.recording.items import Before
from tierengine.recording.joining import Joining
from tierengine.recording.locked import BEGINNING, Locked
from tierengine.recording.memory import Memory, Remembered
from tierengine.recording.refolding import Source, before, refold
from tierengine.recording.retelling import retold
from tierengine.recording.writing import Rows
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids

Fresh = Mapping[int, Sequence[Contribution]]
"""What is new, by whose it is."""


@dataclass(slots=True)
class Histories:
    """What was read of the members' histories, and what becomes of them.

    known   those that this process remembers; a command that was decided on one has asked it already
    folded  those that were folded here, to be remembered once it is committed
    """

    link: Link
    ids: Ids
    programme: Programme
    locked: Locked
    memory: Memory
    pots: Pots
    known: dict[int, Remembered]
    folded: dict[int, Remembered]

    def source(self, member: int, fresh: Fresh | None = None) -> Source:
        """Return the source of the history in which a member's is folded: his own, or that of who stands for him."""
        locked = self.locked
        if not locked.classes or len(locked.members(member)) == 1:
            return Source(
                self.link,
                self.programme,
                locked.ledgers[member],
                locked.histories.get(member, ()),
                locked.later.get(member, ()),
                self.ids,
                self.known.get(member) if member in locked.whole else None,
            )
        all_ = locked.members(member)
        home = {
            row.event_key: one
            for one in all_
            for row in net((*locked.histories.get(one, ()), *(fresh or {}).get(one, ())))
        }
        return Source(
            self.link,
            self.programme,
            locked.ledgers[all_[0]],
            locked.history(member),
            (),
            self.ids,
            merged=all_,
            home=home,
        )

    def before(self, member: int, position: Position, usable: Mapping[str, int]) -> Before:
        """Return the member as of just before `position`, for a command; the fold of the event itself goes on there."""
        state, history = before(self.source(member), position, usable)
        if history is not None and len(self.locked.members(member)) == 1:
            self.known[member] = history
            self.locked.whole.add(member)
        return state

    def suspended(self, member: int, now: int) -> frozenset[str]:
        """Return the wallets that a member may not use now."""
        head = self.locked.ledgers[self.locked.root(member)].position
        state, _ = before(self.source(member), max((now, LAST, ""), head), {})
        return state.suspended

    def refold(self, root: int, fresh: Fresh, *, whole: bool) -> Refolded:
        """Fold the history of a member, and of those who are one with him, of whom so much is new."""
        all_ = self.locked.members(root)
        for member in all_:
            self.memory.forget(member)
        if whole:
            self.locked.whole.discard(root)
        source = self.source(root, fresh)
        rows = fresh.get(root, ()) if len(all_) == 1 else united(list(fresh.values()), self.locked.codes(root))
        outcome = None if whole else retold(source, rows, self.pots)
        outcome = outcome or refold(source, rows, self.pots, whole=whole)
        self.folded[root] = outcome.history
        return outcome

    def rejoin(self, joining: Joining, fresh: Fresh, rows: Rows) -> dict[int, int | None]:
        """Note who is one with whom from now on; return, of each member concerned, in whose history his is folded.

        None: in his own, alone.
        """
        changed = joining.change(self.locked, fresh)
        rows.joined |= changed
        for member in changed:
            self.memory.forget(member)
            if self.locked.root(member) != member:
                rows.rewind(member, BEGINNING)
                rows.forgotten.append(member)
        return changed
