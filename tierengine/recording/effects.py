"""What one group brought about, as rows: its events, what they contribute, and where that leaves its members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tierengine.judging.budgets import Pots
from tierengine.judging.history import Contribution, Observation
from tierengine.judging.observations import body
from tierengine.judging.recorded import Waits
from tierengine.policies.versions import Programme
from tierengine.recording.decided import Refolded
from tierengine.recording.emissions import emit
from tierengine.recording.histories import Histories
from tierengine.recording.intake import Intake, Taken
from tierengine.recording.locked import Locked
from tierengine.recording.purses import Purses
from tierengine.recording.refolding import emitting
from tierengine.recording.rows import (
    NOTHING,
    attribute_rows,
    contribution_rows,
    event_row,
    folded_rows,
    head_of,
    machine_rows,
    text,
)
from tierengine.recording.writing import Rows
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids

_CONFLICTS: Final = "SELECT key, revision, hash FROM event_conflict WHERE dealer_id = ?1 AND key IN (?2*)"

Added = Mapping[int, tuple[list[Contribution], list[int]]]
"""What is new, by whose it is, each contribution with the id of the event that makes it known."""


@dataclass(slots=True)
class Effects:
    """Adds the rows of one group. `receivers` are the members to whom something is to be delivered after it."""

    link: Link
    ids: Ids
    programme: Programme
    stores: Mapping[str, int]
    locked: Locked
    histories: Histories
    purses: Purses
    rows: Rows
    now: int
    receivers: set[int] = field(default_factory=set)

    def events(self, intake: Intake, taken: Sequence[Taken], parked: Mapping[str, Waits]) -> None:
        """Add what was told, and what of it waits."""
        rows, dealer = self.rows, self.programme.dealer_id
        for event in (event for one in taken for event in one.fresh):
            rows.add("event", *event_row(event, dealer, self.stores, self.now))
        for key, waits in parked.items():
            revisions = intake.events[key]
            rows.add("parked", revisions[max(revisions)].event_id, dealer, waits.key, waits.reason)

    def folds(self, fresh: Added, outcomes: Mapping[int, Refolded]) -> None:
        """Add what is new of the members, what the folds made of it, and what that tells others."""
        rows, dealer = self.rows, self.programme.dealer_id
        for member, (contributions, event_ids) in fresh.items():
            if contributions:
                contribution_rows(rows, self.ids, dealer, member, contributions, event_ids)
        rules = emitting(self.programme)
        for root, outcome in outcomes.items():
            mine = [row for member in self.locked.members(root) for row in fresh.get(member, ((), ()))[0]]
            folded_rows(rows, self.ids, dealer, outcome, self.now)
            stored = self.locked.history(root)
            if self.purses.joining is None:
                attribute_rows(rows, self.programme, root, stored, mine)
            else:
                rows.forgotten.append(root)
                attribute_rows(rows, self.programme, root, (), [*stored, *mine])
            if rules:
                source = self.histories.source(root)
                self.receivers |= emit(rows, self.link, self.ids, self.programme, rules, source, outcome, self.now)
        said = {member: (self.locked.histories.get(member, ()), added) for member, (added, _) in fresh.items()}
        machine_rows(rows, self.link, self.programme, said, locking=True)

    def members(self, outcomes: Mapping[int, Refolded], pots: Pots) -> None:
        """Add where each member stands whom the group touched, with all that was posted in his book."""
        rows, dealer = self.rows, self.programme.dealer_id
        for member in sorted(self.purses.touched):
            head = self.locked.ledgers[member]
            purse = self.purses.opened(member)
            if purse is not None:
                purse.store(rows, self.ids, self.now)
            entry_no = purse.book.next_number - 1 if purse is not None else head.entry_no
            folded = outcomes.get(member)
            state = head_of(folded) if folded is not None else (*head.position, head.tier, head.boundary_at, head.carry)
            if self.locked.root(member) != member:
                state = NOTHING  # it is told of who stands for him
            rows.add("ledger", member, dealer, entry_no, *state)
        rows.extend("budget_pot", ((dealer, key, pots.used[key]) for key in sorted(pots.touched)))

    def texts(self, taken: Sequence[Taken], fresh: Added) -> None:
        """Keep what was written with the new events. Where nobody can be told whom it is about, it is not kept."""
        wrote = [event for one in taken for event in one.fresh if event.recorded.observation.texts]
        if not wrote:
            return
        owners = {number: member for member, (_, numbers) in fresh.items() for number in numbers}
        for event in wrote:
            member = event.member_id or owners.get(event.event_id)
            if member is not None:
                self.rows.wrote(member, "event", event.event_id, event.recorded.observation.texts)

    def conflicts(self, conflicts: Mapping[tuple[str, int, str], Observation]) -> None:
        """List what contradicts the book for a person to look at, each contradiction once however often it is sent."""
        if not conflicts:
            return
        dealer = self.programme.dealer_id
        there = {tuple(row) for row in self.link.ask(_CONFLICTS, dealer, [key for key, _, _ in conflicts]).rows()}
        for (key, revision, digest), said in conflicts.items():
            if (key, revision, digest) not in there:
                self.rows.add(
                    "event_conflict", self.ids.take(), dealer, key, revision, text(body(said)), digest, said.source,
                    self.now,
                )  # fmt: skip
