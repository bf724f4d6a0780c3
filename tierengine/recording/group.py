"""One group of items in one transaction: from what was read under the locks to the rows that are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tierengine.errors import Refused, Unknown
from tierengine.judging.budgets import Pots
from tierengine.judging.history import Contribution
from tierengine.judging.recorded import cause_key
from tierengine.personal.texts import Vaults, none, sealed
from tierengine.policies.versions import Programme, Programmes
from tierengine.policies.wording import named
from tierengine.recording import reading
from tierengine.recording.answers import Answers
from tierengine.recording.commands import Commands, keys_of
from tierengine.recording.credit import Credit
from tierengine.recording.decided import Pair, Refolded
from tierengine.recording.effects import Effects
from tierengine.recording.emissions import Deliveries
from tierengine.recording.histories import Histories
from tierengine.recording.intake import Intake, Taken
from tierengine.recording.items import Answer, Claim, Command, Item, Merge, Sale, is_command, members_of, refusal
from tierengine.recording.joining import Joining
from tierengine.recording.locked import Locked
from tierengine.recording.memory import Memory, Remembered
from tierengine.recording.pots import pots_under_lock
from tierengine.recording.purses import Purses
from tierengine.recording.resolving import Contributed, contributed
from tierengine.recording.writing import Rows
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.zone import SECOND


class ItemRefused(Exception):
    """A fold found that an item must be refused: roll back and run the group again without it."""

    def __init__(self, place: int, refusal_: Refused) -> None:
        self.place = place
        self.refusal = refusal_
        super().__init__(f"item {place}: {refusal_}")


# A clock that goes back by more was set, one that goes back by less was trimmed.
STEP: Final = 5 * SECOND


class Blocked(Exception):
    """The items cannot be decided together: halves are tried.

    A member whose history would change is locked elsewhere, and it is not known which item concerns him. Or somebody
    was stamped by a clock that has been set back since: the others are not to share his time.
    """


@dataclass(slots=True)
class Group:
    """The work on one group: `run`, then `commit`. A group that is run again is a new one."""

    link: Link
    ids: Ids
    programmes: Programmes
    dealer: int
    items: Sequence[Item]
    codes: Mapping[str, int]
    stores: Mapping[str, int]
    memory: Memory
    refused: Mapping[int, Refused] = field(default_factory=dict)
    deliver_to: int | None = None
    also: frozenset[str] = frozenset()  # clusters to look at again though nothing new is in them
    now: int = 0
    vault: Vaults = none
    receivers: set[int] = field(default_factory=set)
    delivered: bool = False
    _answers: list[Answer | None] = field(default_factory=list)
    _rows: Rows = field(default_factory=Rows)
    _refusing: bool = False
    _moved: set[str] = field(default_factory=set)  # codes of members of whom a command was granted
    _folded: dict[int, Remembered] = field(default_factory=dict)
    _locked: Locked = field(init=False)
    _programme: Programme = field(init=False)
    _intake: Intake = field(init=False)
    _purses: Purses = field(init=False)
    _histories: Histories = field(init=False)
    _credit: Credit = field(init=False)
    _commands: Commands = field(init=False)

    def run(self, members: Iterable[int], keys: Iterable[str], outside: Iterable[str], *, now: int, wait: bool) -> None:
        """Decide everything under the locks; nothing is written yet."""
        self._refusing = any(item.refusable for item in self.items)
        once = [(item.once.scope, item.once.key) for item in self.items if item.once is not None]
        wanted = set(members)
        known = self.memory.of(wanted)
        remembered = {member: known.rows for member, known in known.items()}
        paying = {item.observations[0].cluster for item in self.items if isinstance(item, Sale) and item.uses}
        locked = self._locked = reading.lock(
            self.link, self.dealer, wanted, set(keys), set(outside), once, remembered,
            paying=paying, commands=keys_of(self.items), now=now, wait=wait,
        )  # fmt: skip
        self.now = max(now, max((head.recorded_at for head in locked.ledgers.values()), default=0))
        if self.now - now > STEP and len(self.items) > 1:
            raise Blocked
        if self.deliver_to is not None and not locked.has(self.deliver_to):
            return
        if not locked.newest_version:
            problem = Unknown("no_policy", dealer=self.dealer)
            self._answers = [refusal("unknown", problem) for _ in self.items]
            return
        self._programme = self.programmes.of(self.link, self.dealer, locked.newest_version)
        self._decide_all(known)

    def commit(self) -> None:
        """Write, make it durable, and keep the histories that were folded."""
        # COMMIT goes with the rows, in their round trip: where a row fails, PostgreSQL passes over all that follows it.
        if self._rows.texts:
            self._rows.extend("personal", sealed(self.vault, self.dealer, self._rows.texts))
        with self.link.pipeline():
            self._rows.send(self.link)
            self.link.commit()
        for member, history in self._folded.items():
            if len(self._locked.members(member)) == 1:
                self.memory.keep(member, history)

    def answers(self) -> list[Answer | None]:
        """Return the answers in the order of the items; None: a member is locked elsewhere."""
        return self._answers

    def _decide_all(self, known: dict[int, Remembered]) -> None:
        link, programme, locked, now = self.link, self._programme, self._locked, self.now
        pots = Pots(partial(pots_under_lock, link, self.dealer))
        histories = self._histories = Histories(
            link, self.ids, programme, locked, self.memory, pots, known, self._folded
        )
        purses = self._purses = Purses(link, locked, programme, now)
        intake = self._intake = Intake(locked, self.codes, self.stores, self.ids)
        self._credit = Credit(link, locked, programme, self.codes, purses, now)
        self._commands = Commands(
            link, self.ids, programme, self.codes, self._rows, now,
            purses.of, partial(histories.suspended, now=now), purses.touched, locked.members, purses.joint,
            locked.commands,
        )  # fmt: skip
        taken = [self._take(place, item) for place, item in enumerate(self.items)]
        resolved = self._resolved(taken)
        if not all(locked.has(member) for member in resolved.fresh):
            raise Blocked
        outcomes, deltas = self._fold(taken, {member: rows for member, (rows, _) in resolved.fresh.items() if rows})
        effects = Effects(link, self.ids, programme, self.stores, locked, histories, purses, self._rows, now)
        effects.events(intake, taken, resolved.parked)
        effects.folds(resolved.fresh, outcomes)
        effects.texts(taken, resolved.fresh)
        effects.members(outcomes, pots)
        effects.conflicts(intake.conflicts)
        self.receivers |= effects.receivers
        self._answers = Answers(
            link, programme, locked, intake, self.items, taken, now, outcomes, deltas, purses.balances,
            self._credit.used, purses.returned, resolved.parked, resolved.flags,
        ).all(self._rows)  # fmt: skip

    # ---- what is asked -----------------------------------------------------------------------------------------

    def _take(self, place: int, item: Item) -> Taken:
        if self._moved and self._moved & members_of(item):
            return Taken(later=True)  # it is to see what was granted just before it
        taken = self._intake.take(place, item)
        if isinstance(item, Command):
            if taken.answer is None and not taken.later and taken.same_as is None:
                taken.answer = self._commands.decide(item)
        elif taken.fresh and place in self.refused:
            self._refuse(taken, self.refused[place])
        elif not taken.fresh and isinstance(item, Sale) and item.uses and taken.says("duplicate"):
            self._credit.use_late(place, item)
        elif taken.fresh and is_command(item):
            try:
                self._decide(place, item, taken)
            except Refused as problem:
                self._refuse(taken, problem)
            except Unknown as problem:
                self._intake.forget(taken)
                taken.answer = refusal("unknown", problem)
        if is_command(item) and not taken.later and (taken.fresh or taken.says("recorded")):
            self._moved |= members_of(item)
        return taken

    def _refuse(self, taken: Taken, problem: Refused) -> None:
        self._intake.forget(taken)
        taken.answer = refusal("refused", named(problem, self._programme))

    def _decide(self, place: int, item: Item, taken: Taken) -> None:
        """Decide a command on the state before it, and take the credit that it uses; Refused leaves no trace."""
        first = taken.fresh[0].recorded
        member = self.codes[first.observation.member]
        self._purses.of(member)  # what lapsed is posted first
        if isinstance(item, Merge):
            stored = self._locked.events.get(first.key, {})
            self._purses.joining = Joining.of(self.link, self._locked, item, stored)
            return
        check = item.check if isinstance(item, (Sale, Claim)) else None
        if check is not None:
            check(self._histories.before(member, first.position, self._purses.usable_all(member)))
        if isinstance(item, Sale):
            self._credit.check(item, member)
            self._credit.use(place, item, member, late=item.late)

    # ---- what that contributes, and what comes of it ------------------------------------------------------------

    def _resolved(self, taken: Sequence[Taken]) -> Contributed:
        """Return the contributions to insert, by member, each with the id of the event that makes it known."""
        if self.deliver_to is not None:
            stored = self._locked.histories.get(self.deliver_to, ())
            deliveries = Deliveries.to(self.link, self._programme, self.deliver_to, stored)
            self._rows.applied = deliveries.applied
            self.delivered = True
            self._purses.touched.add(self.deliver_to)
            return Contributed({self.deliver_to: (deliveries.rows, deliveries.event_ids)})
        clusters = set(self.also)
        for event in (event for one in taken for event in one.fresh):
            revisions = self._intake.events[event.recorded.key].values()
            clusters.update(revision.cluster for revision in revisions)
        if not clusters:
            return Contributed()
        clusters |= self._locked.waiting
        found = contributed(self.link, self.dealer, self._programme, self._locked, self._intake, clusters)
        self._rows.unparked = found.looked_at
        self._purses.touched.update(found.fresh)
        return found

    def _fold(
        self, taken: Sequence[Taken], fresh: Mapping[int, Sequence[Contribution]]
    ) -> tuple[dict[int, Refolded], dict[int, dict[Pair, int]]]:
        """Fold the histories that changed and post what that changes, by who stands for whom."""
        locked, purses, histories = self._locked, self._purses, self._histories
        again: set[int] = set()
        if purses.joining is not None:
            purses.rejoined()
            changed = histories.rejoin(purses.joining, fresh, self._rows)
            purses.touched.update(changed)
            again = {locked.root(member) for member in changed}
        by_root: dict[int, dict[int, Sequence[Contribution]]] = {root: {} for root in again}
        for member, rows in fresh.items():
            by_root.setdefault(locked.root(member), {})[member] = rows
        outcomes = {root: histories.refold(root, mine, whole=root in again) for root, mine in by_root.items()}
        purses.touched.update(outcomes)
        deltas = {root: self._post(outcomes[root], mine, taken) for root, mine in by_root.items()}
        self._credit.lessen(self.items, self._intake.events, fresh)
        purses.close()
        return outcomes, deltas

    def _post(
        self, outcome: Refolded, fresh: Mapping[int, Sequence[Contribution]], taken: Sequence[Taken]
    ) -> dict[Pair, int]:
        place = self._refusable(fresh, taken) if self._refusing else None
        try:
            return self._purses.post(outcome, fresh, refusable=place is not None)
        except Refused as problem:
            if place is None:
                raise
            raise ItemRefused(place, problem) from problem

    def _refusable(self, fresh: Mapping[int, Sequence[Contribution]], taken: Sequence[Taken]) -> int | None:
        """Return the place of the item that brought these, if it is one that may be refused for what it takes back."""
        keys = {cause_key(row.known) for rows in fresh.values() for row in rows}
        for place, (item, one) in enumerate(zip(self.items, taken, strict=True)):
            if item.refusable and any(event.recorded.key in keys for event in one.fresh):
                return place
        return None
