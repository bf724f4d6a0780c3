"""One group of items in one transaction: from what was read under the locks to the rows that are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tierengine.errors import Refused, Unknown
from tierengine.judging.budgets import Pots
from tierengine.judging.history import LAST, Contribution, Observation
from tierengine.judging.merging import united
from tierengine.judging.netting import net
from tierengine.judging.observations import body
from tierengine.judging.recorded import Flag, Recorded, Waits, cause_key
from tierengine.judging.worth import units_of
from tierengine.personal.texts import Vaults, none, sealed
from tierengine.policies.versions import Programme, Programmes
from tierengine.recording import reading
from tierengine.recording.answers import Answers
from tierengine.recording.commands import Commands
from tierengine.recording.emissions import Deliveries, emit
from tierengine.recording.intake import Intake, Taken
from tierengine.recording.items import Answer, Claim, Command, Item, Merge, Sale, is_command, members_of, refusal
from tierengine.recording.joining import Joining
from tierengine.recording.joint import Balances, Joint, together
from tierengine.recording.memory import Memory, Remembered
from tierengine.recording.pots import pots_under_lock
from tierengine.recording.purse import Purse
from tierengine.recording.reading import BEGINNING, Held, Stored
from tierengine.recording.refolding import Refolded, Source, before, refold
from tierengine.recording.resolving import contributed
from tierengine.recording.retelling import retold
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

_USED: Final = (
    "SELECT number FROM entry WHERE dealer_id = ?1 AND event_key = ?2 AND member_id = ?3 "
    "AND kind IN ('use', 'capture') LIMIT 1"
)
_CONFLICTS: Final = "SELECT key, revision, hash FROM event_conflict WHERE dealer_id = ?1 AND key IN (?2*)"


class ItemRefused(Exception):
    """A fold found that an item must be refused: roll back and run the group again without it."""

    def __init__(self, place: int, refusal_: Refused) -> None:
        self.place = place
        self.refusal = refusal_
        super().__init__(f"item {place}: {refusal_}")


class Blocked(Exception):
    """A member whose history would change is locked elsewhere, and it was not seen whose item that is."""


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
    _held: Held = field(default_factory=Held)
    _rows: Rows = field(default_factory=Rows)
    _purses: dict[int, Purse] = field(default_factory=dict)
    _known: dict[int, Remembered] = field(default_factory=dict)
    _folded: dict[int, Remembered] = field(default_factory=dict)
    _touched: set[int] = field(default_factory=set)
    _used: dict[int, dict[str, int]] = field(default_factory=dict)
    _returned: dict[int, dict[str, int]] = field(default_factory=dict)
    _flags: list[Flag] = field(default_factory=list)
    _parked: dict[str, Waits] = field(default_factory=dict)
    _refusing: bool = False
    _moved: set[str] = field(default_factory=set)  # codes of members of whom a command was granted
    _joints: dict[int, Joint] = field(default_factory=dict)
    _joining: Joining | None = None
    _pots: Pots = field(init=False)

    def __post_init__(self) -> None:
        self._pots = Pots(partial(pots_under_lock, self.link, self.dealer))

    def run(self, members: Iterable[int], keys: Iterable[str], outside: Iterable[str], *, now: int, wait: bool) -> None:
        """Decide everything under the locks; nothing is written yet."""
        self._refusing = any(item.refusable for item in self.items)
        once = [(item.once.scope, item.once.key) for item in self.items if item.once is not None]
        wanted = set(members)
        self._known = self.memory.of(wanted)
        remembered = {member: known.rows for member, known in self._known.items()}
        paying = {item.observations[0].cluster for item in self.items if isinstance(item, Sale) and item.uses}
        self._held = reading.hold(
            self.link, self.dealer, wanted, set(keys), set(outside), once, remembered, paying=paying, now=now, wait=wait
        )
        self.now = max(now, max((head.recorded_at for head in self._held.ledgers.values()), default=0))
        if self.deliver_to is not None and not self._held.is_locked(self.deliver_to):
            return
        if not self._held.head:
            problem = Unknown("no_policy", dealer=self.dealer)
            self._answers = [refusal("unknown", problem) for _ in self.items]
            return
        programme = self.programmes.of(self.link, self.dealer, self._held.head)
        intake = Intake(self._held, self.codes, self.stores, self.ids)
        commands = Commands(
            self.link, self.ids, programme, self.codes, self._rows, self.now,
            lambda member: self._purse(programme, member), lambda member: self._suspended(programme, member),
            self._touched, self._held.members, lambda member: self._joint(programme, member),
        )  # fmt: skip
        taken = [self._take(programme, intake, commands, place, item) for place, item in enumerate(self.items)]
        fresh = self._fresh(programme, intake, taken)
        if not all(self._held.is_locked(member) for member in fresh):
            raise Blocked
        rows = {member: rows for member, (rows, _) in fresh.items() if rows}
        again = self._rejoin(rows)
        by_root: dict[int, dict[int, list[Contribution]]] = {root: {} for root in again}
        for member, mine in rows.items():
            by_root.setdefault(self._held.root(member), {})[member] = mine
        outcomes = {root: self._refold(programme, root, mine, whole=root in again) for root, mine in by_root.items()}
        self._touched.update(outcomes)
        deltas = {root: self._post(programme, outcomes[root], mine, taken) for root, mine in by_root.items()}
        if self._joining is not None:
            self._joining.hand_back(self.link, self._held, lambda member: self._purse(programme, member), self.now)
        self._level(programme)
        self._write(programme, intake, taken, fresh, outcomes)
        self._answers = Answers(
            self.link, programme, self._held, intake, self.items, taken, self.now,
            outcomes, deltas, lambda member: self._balances(programme, member), self._used, self._returned,
            self._parked, self._flags,
        ).all(self._rows)  # fmt: skip

    def commit(self) -> None:
        """Write, make it durable, and keep the histories that were folded."""
        # COMMIT goes with the rows, in their round trip: where a row fails, PostgreSQL passes over all that follows it.
        if self._rows.texts:
            self._rows.extend("personal", sealed(self.vault, self.dealer, self._rows.texts))
        with self.link.pipeline():
            self._rows.send(self.link)
            self.link.commit()
        for member, history in self._folded.items():
            if len(self._held.members(member)) == 1:
                self.memory.keep(member, history)

    def answers(self) -> list[Answer | None]:
        """Return the answers in the order of the items; None: a member is locked elsewhere."""
        return self._answers

    # ---- commands ----------------------------------------------------------------------------------------------

    def _take(self, programme: Programme, intake: Intake, commands: Commands, place: int, item: Item) -> Taken:
        if self._moved and self._moved & members_of(item):
            return Taken(later=True)  # it is to see what was granted just before it
        taken = intake.take(place, item)
        if isinstance(item, Command):
            if taken.answer is None and not taken.later and taken.same_as is None:
                taken.answer = commands.decide(item)
        elif taken.fresh and place in self.refused:
            self._refuse(intake, taken, self.refused[place])
        elif not taken.fresh and isinstance(item, Sale) and item.uses and _says(taken, "duplicate"):
            self._use_late(programme, place, item)
        elif taken.fresh and is_command(item):
            try:
                self._decide(programme, place, item, taken)
            except Refused as problem:
                self._refuse(intake, taken, problem)
            except Unknown as problem:
                intake.forget(taken)
                taken.answer = refusal("unknown", problem)
        if is_command(item) and not taken.later and (taken.fresh or _says(taken, "recorded")):
            self._moved |= members_of(item)
        return taken

    @staticmethod
    def _refuse(intake: Intake, taken: Taken, problem: Refused) -> None:
        intake.forget(taken)
        taken.answer = refusal("refused", problem)

    def _decide(self, programme: Programme, place: int, item: Item, taken: Taken) -> None:
        """Decide a command on the state before it, and take the credit that it uses; Refused leaves no trace."""
        first = taken.fresh[0].recorded
        member = self.codes[first.observation.member]
        purse = self._purse(programme, member)
        if isinstance(item, Merge):
            self._joining = Joining.of(self.link, self._held, item, self._stored_at(first))
            return
        check = item.check if isinstance(item, (Sale, Claim)) else None
        joint = self._joint(programme, member)
        if check is not None:
            have = purse.usable(self.now) if joint is None else {name: joint.usable(name) for name in joint.wallets()}
            state, history = before(self._source(programme, member), first.position, have)
            if history is not None and joint is None:
                self._known[member] = history
                self._held.whole.add(member)
            check(state)
        if not isinstance(item, Sale):
            return
        for wallet, amount in item.uses.items():
            if programme.wallet(wallet) is None:
                raise Unknown("unknown_wallet", wallet=wallet)
            free = purse.book.usable(wallet, self.now) if joint is None else joint.usable(wallet)
            usable = free + self._reserved(purse, wallet, first.observation.cluster)
            if usable < amount and not item.late:
                raise Refused("insufficient_credit", wallet=wallet, usable=usable, wanted=amount)
        self._use(programme, place, item, member, late=item.late)

    def _use(self, programme: Programme, place: int, item: Sale, member: int, *, late: bool) -> None:
        said = item.observations[0]
        purse = self._purse(programme, member)
        for wallet, amount in item.uses.items():
            rest = amount - self._capture(programme, purse, wallet, amount, said.cluster)
            if rest:
                if (joint := self._joint(programme, member)) is not None:
                    joint.bring(member, wallet, rest, any_lot=late)
                unit = programme.unit(wallet)
                purse.book.use(wallet, rest, said.cluster, self.now, cause=said.key, unit=unit, allow_debt=late)
        self._used[place] = dict(item.uses)
        self._touched.add(member)

    def _reserved(self, purse: Purse, wallet: str, order: str) -> int:
        """Return what the order's own holds have for it: what they took of the wallet and what they still tie up."""
        if not self._is_held(purse, order):
            return 0
        return self._took(purse, wallet, order) + purse.book.held(wallet, order)

    def _is_held(self, purse: Purse, order: str) -> bool:
        return order in self._held.held_orders or any(hold.order == order for hold in purse.book.holds)

    def _took(self, purse: Purse, wallet: str, order: str) -> int:
        """Return what was captured for the order and no event of it has told of yet."""
        purse.know_orders(self.link, [order])
        said = [revisions[max(revisions)].recorded.observation for revisions in self._held.events.values()]
        told = sum(credit_of(one) for one in said if one.cluster == order)
        used = purse.book.used(wallet, order)
        found = purse.programme.wallet(wallet)
        return max(0, used - (told if found is None else units_of(found, told)))

    def _capture(self, programme: Programme, purse: Purse, wallet: str, wanted: int, order: str) -> int:
        """Pay as much of `wanted` as the order's holds can; returns it. What they took before counts as paid."""
        if not self._is_held(purse, order):
            return 0
        paid = min(wanted, self._took(purse, wallet, order))
        found = programme.wallet(wallet)
        for hold in [one for one in purse.book.holds if (one.wallet, one.order) == (wallet, order)]:
            if part := min(wanted - paid, hold.left):
                purse.book.capture(hold.key, part, self.now, keep=found is not None and found.hold_partial == "keep")
                paid += part
        return paid

    def _suspended(self, programme: Programme, member: int) -> frozenset[str]:
        """Return the wallets that a member may not use now."""
        head = self._held.ledgers[self._held.root(member)].position
        state, _ = before(self._source(programme, member), max((self.now, LAST, ""), head), {})
        return state.suspended

    def _use_late(self, programme: Programme, place: int, item: Sale) -> None:
        """Take the credit of an order that another channel told first (the nightly file before a till's queue).

        What was told then is an observation and took nothing. The order happened, so this is never refused.
        """
        said = item.observations[0]
        member = self.codes[said.member]
        if (
            all(programme.wallet(wallet) is not None for wallet in item.uses)
            and not self.link.ask(_USED, self.dealer, said.cluster, member).rows()
        ):
            self._use(programme, place, item, member, late=True)

    def _purse(self, programme: Programme, member: int) -> Purse:
        purse = self._purses.get(member)
        if purse is None:
            purse = self._purses[member] = Purse.held(self._held, programme, member, self.link)
            purse.settle(self.now)
        return purse

    def _joint(self, programme: Programme, member: int) -> Joint | None:
        """Return the purses of all who are one with a member; None: he is alone, as nearly everybody is."""
        if not self._held.classes or len(all_ := self._held.members(member)) == 1:
            return None
        found = self._joints.get(all_[0])
        if found is None:
            purses = {one: self._purse(programme, one) for one in all_}
            key = self._held.merge_of(member) if self._joining is None else self._joining.key
            found = self._joints[all_[0]] = Joint(purses, key, self.now)
        return found

    def _balances(self, programme: Programme, member: int) -> Balances:
        return together([self._purse(programme, one) for one in self._held.members(member)], self.now)

    def _level(self, programme: Programme) -> None:
        """Pay what merged members owe of what they have, where money of one of them was moved."""
        for root in sorted({self._held.root(member) for member in self._purses}):
            if (joint := self._joint(programme, root)) is not None:
                joint.level()
                self._touched.update(one for one, purse in joint.purses.items() if purse.book.entries)

    def _source(
        self, programme: Programme, member: int, fresh: Mapping[int, Sequence[Contribution]] | None = None
    ) -> Source:
        held = self._held
        all_ = held.members(member)
        if len(all_) == 1:
            return Source(
                self.link,
                programme,
                held.ledgers[member],
                held.histories.get(member, ()),
                held.later.get(member, ()),
                self.ids,
                self._known.get(member) if member in held.whole else None,
            )
        home = {
            row.event_key: one
            for one in all_
            for row in net((*held.histories.get(one, ()), *(fresh or {}).get(one, ())))
        }
        return Source(
            self.link, programme, held.ledgers[all_[0]], held.history(member), (), self.ids, merged=all_, home=home
        )

    def _refold(
        self, programme: Programme, root: int, fresh: Mapping[int, Sequence[Contribution]], *, whole: bool
    ) -> Refolded:
        """Fold the history of a member, and of those who are one with him, of whom so much is new."""
        all_ = self._held.members(root)
        for member in all_:
            self.memory.forget(member)
        if whole:
            self._held.whole.discard(root)
        source = self._source(programme, root, fresh)
        rows = fresh.get(root, ()) if len(all_) == 1 else united(list(fresh.values()), self._held.codes(root))
        outcome = None if whole else retold(source, rows, self._pots)
        outcome = outcome or refold(source, rows, self._pots, whole=whole)
        self._folded[root] = outcome.history
        return outcome

    def _stored_at(self, event: Recorded) -> Mapping[int, Stored]:
        """Return what is stored under the key of a new event."""
        return self._held.events.get(event.key, {})

    def _rejoin(self, fresh: Mapping[int, Sequence[Contribution]]) -> set[int]:
        """Take down who is one with whom from now on; return whose histories are to be folded from the beginning."""
        if self._joining is None:
            return set()
        self._joints.clear()
        changed = self._joining.change(self._held, fresh)
        self._rows.joined |= changed
        for member in changed:
            root = self._held.root(member)
            self._touched.add(member)
            self.memory.forget(member)
            if root != member:
                self._rows.rewind(member, BEGINNING)
                self._rows.forgotten.append(member)
        return {self._held.root(member) for member in changed}

    # ---- what the new events contribute -------------------------------------------------------------------------

    def _fresh(
        self, programme: Programme, intake: Intake, taken: Sequence[Taken]
    ) -> dict[int, tuple[list[Contribution], list[int]]]:
        """Return the contributions to insert, by member, each with the id of the event that makes it known."""
        if self.deliver_to is not None:
            deliveries = Deliveries.to(
                self.link, programme, self.deliver_to, self._held.histories.get(self.deliver_to, ())
            )
            self._rows.applied = deliveries.applied
            self.delivered = True
            self._touched.add(self.deliver_to)
            return {self.deliver_to: (deliveries.rows, deliveries.event_ids)}
        clusters = set(self.also)
        for event in (event for one in taken for event in one.fresh):
            revisions = intake.events[event.recorded.key].values()
            clusters.update(revision.cluster for revision in revisions)
        if not clusters:
            return {}
        clusters |= self._held.waiting
        return self._contributions(programme, intake, clusters)

    def _contributions(
        self, programme: Programme, intake: Intake, clusters: set[str]
    ) -> dict[int, tuple[list[Contribution], list[int]]]:
        found = contributed(self.link, self.dealer, programme, self._held, intake, clusters)
        self._flags, self._parked = found.flags, found.parked
        self._rows.unparked = found.looked_at
        self._touched.update(found.fresh)
        return found.fresh

    # ---- money --------------------------------------------------------------------------------------------------

    def _post(
        self,
        programme: Programme,
        outcome: Refolded,
        fresh: Mapping[int, Sequence[Contribution]],
        taken: Sequence[Taken],
    ) -> dict[tuple[str, str], int]:
        """Post what the fold changed; returns by how much each (event key, rule)."""
        root = outcome.head.member_id
        every = [row for rows in fresh.values() for row in rows]
        cause = cause_key(every[0].known) if self._joining is None else self._joining.key
        given = self._returned.setdefault(root, {})
        for member, rows in fresh.items():
            back = self._purse(programme, member).give_back(
                self.link, rows, self._held.histories.get(member, ()), self.now
            )
            given |= {wallet: given.get(wallet, 0) + amount for wallet, amount in back.items()}
        place = self._refusable(every, taken)
        joint = self._joint(programme, root)
        try:
            if joint is None:
                purse = self._purse(programme, root)
                deltas = purse.apply(self.link, outcome.changes, cause, refusable=place is not None)
            else:
                deltas = joint.apply(self.link, outcome.changes, cause, refusable=place is not None)
            if self._joining is not None:
                self._joining.regranted(deltas, outcome)
            return deltas
        except Refused as problem:
            if place is None:
                raise
            raise ItemRefused(place, problem) from problem

    def _refusable(self, fresh: Sequence[Contribution], taken: Sequence[Taken]) -> int | None:
        if not self._refusing:
            return None
        keys = {cause_key(row.known) for row in fresh}
        for place, (item, one) in enumerate(zip(self.items, taken, strict=True)):
            if item.refusable and any(event.recorded.key in keys for event in one.fresh):
                return place
        return None

    # ---- rows ---------------------------------------------------------------------------------------------------

    def _write(
        self,
        programme: Programme,
        intake: Intake,
        taken: Sequence[Taken],
        fresh: Mapping[int, tuple[list[Contribution], list[int]]],
        outcomes: Mapping[int, Refolded],
    ) -> None:
        rows, now = self._rows, self.now
        for event in (event for one in taken for event in one.fresh):
            rows.add("event", *event_row(event, self.dealer, self.stores, now))
        for key, waits in self._parked.items():
            revisions = intake.events[key]
            rows.add("parked", revisions[max(revisions)].event_id, self.dealer, waits.key, waits.reason)
        for member, (contributions, event_ids) in fresh.items():
            if contributions:
                contribution_rows(rows, self.ids, self.dealer, member, contributions, event_ids)
        for root, outcome in outcomes.items():
            all_ = self._held.members(root)
            mine = [row for member in all_ for row in fresh.get(member, ((), ()))[0]]
            folded_rows(rows, self.ids, self.dealer, outcome, now)
            stored = self._held.history(root)
            if self._joining is None:
                attribute_rows(rows, programme, root, stored, mine)
            else:
                rows.forgotten.append(root)
                attribute_rows(rows, programme, root, (), [*stored, *mine])
            self.receivers |= emit(rows, self.link, self.ids, programme, self._source(programme, root), outcome, now)
        self._keep_texts(taken, fresh)
        said = {
            member: (self._held.histories.get(member, ()), contributions)
            for member, (contributions, _) in fresh.items()
        }
        machine_rows(rows, self.link, programme, said, locking=True)
        for member in sorted(self._touched):
            head = self._held.ledgers[member]
            purse = self._purses.get(member)
            if purse is not None:
                purse.store(rows, self.ids, now)
            entry_no = purse.book.next_number - 1 if purse is not None else head.entry_no
            folded = outcomes.get(member)
            state = head_of(folded) if folded is not None else (*head.position, head.tier, head.boundary_at, head.carry)
            if self._held.root(member) != member:
                state = NOTHING  # it is told of who stands for him
            rows.add("ledger", member, self.dealer, entry_no, *state)
        rows.extend("budget_pot", ((self.dealer, key, self._pots.used[key]) for key in sorted(self._pots.touched)))
        self._list_conflicts(intake)

    def _keep_texts(self, taken: Sequence[Taken], fresh: Mapping[int, tuple[list[Contribution], list[int]]]) -> None:
        """Keep what was written with the new events. Where nobody can be told whom it is about, it is not kept."""
        wrote = [event for one in taken for event in one.fresh if event.recorded.observation.texts]
        if not wrote:
            return
        owners = {number: member for member, (_, numbers) in fresh.items() for number in numbers}
        for event in wrote:
            member = event.member_id or owners.get(event.event_id)
            if member is not None:
                self._rows.wrote(member, "event", event.event_id, event.recorded.observation.texts)

    def _list_conflicts(self, intake: Intake) -> None:
        """List what contradicts the book for a person to look at, each contradiction once however often it is sent."""
        if not intake.conflicts:
            return
        there = {
            tuple(row) for row in self.link.ask(_CONFLICTS, self.dealer, [key for key, _, _ in intake.conflicts]).rows()
        }
        for (key, revision, digest), said in intake.conflicts.items():
            if (key, revision, digest) not in there:
                number = self.ids.take()
                self._rows.add(
                    "event_conflict",
                    number,
                    self.dealer,
                    key,
                    revision,
                    text(body(said)),
                    digest,
                    said.source,
                    self.now,
                )


def credit_of(said: Observation) -> int:
    """Return what of an order's event was paid by credit, as it says."""
    lines = said.fields.get("lines")
    found = [line.get("credit") for line in lines] if isinstance(lines, tuple) else []
    return sum(credit for credit in found if isinstance(credit, int))


def _says(taken: Taken, status: str) -> bool:
    return taken.answer is not None and taken.answer.status == status
