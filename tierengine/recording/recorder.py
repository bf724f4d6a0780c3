"""record(): the only way into the book for what happened and what is asked for. One group of items, one transaction.

Lock the members and the keys; read; decide what is new; fold the histories that changed; post the differences; write;
COMMIT; only then answer. A group is of one dealer. What cannot be done under the locks that were taken (NeedMore) or
with the ids at hand (NeedIds) is rolled back and begun again; so is a group that lost a race for a unique key.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import psycopg

from tierengine.errors import Refused
from tierengine.judging.history import Observation
from tierengine.judging.resolution import outside_keys
from tierengine.judging.values import CANCELLED
from tierengine.personal.texts import Vaults, none
from tierengine.policies.versions import Programmes
from tierengine.recording import lookups, stored
from tierengine.recording.group import STEP, Blocked, Group, ItemRefused
from tierengine.recording.intake import observations_of
from tierengine.recording.items import Answer, Item, Merge, members_of
from tierengine.recording.locked import NeedMore
from tierengine.recording.memory import Memory
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, NeedIds

ATTEMPTS: Final = 5
# What a group usually needs; with too few it is run again with more.
_IDS_AT_LEAST: Final = 500
_IDS_AN_ITEM: Final = 12
_REMEMBERED: Final = 200_000
_AHEAD: Final = 20_000
_STORES: Final = "SELECT code, id FROM store WHERE dealer_id = ?1"

Clock = Callable[[], int]


def clock() -> int:
    """Return the time in microseconds UTC."""
    return time.time_ns() // 1_000


@dataclass(slots=True)
class _Wants:
    """What a group locks; it grows while the group finds out what belongs to it.

    also   clusters that must be resolved again though nothing new is in them
    """

    members: set[int] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    also: set[str] = field(default_factory=set)


class Recorder:
    """Records groups on one connection. Used by one thread; `Writer` gives it what waits."""

    def __init__(self, link: Link, *, now: Clock = clock, vault: Vaults = none) -> None:
        """`vault` is asked for what seals free text, when there is some."""
        self.link = link
        self._vault = vault
        self.ids = Ids()
        self.programmes = Programmes()
        self.memory = Memory()
        self._now = now
        self._last = 0
        self._members: dict[tuple[int, str], int] = {}
        self._met: set[int] = set()
        self._stores: dict[int, dict[str, int]] = {}
        self.due: set[tuple[int, int]] = set()
        self.delivering: tuple[int, int] = (0, 0)  # (dealer, receiver) whose turn it is, or was when it failed

    def now(self) -> int:
        """Return the instant of recording: the clock, and not before the last one while that is no more than trimmed.

        A clock that is set back by more was wrong before: nobody else's credit or hold is to end by it.
        """
        found = self._now()
        self._last = found if self._last - found > STEP else max(found, self._last)
        return self._last

    def record(self, items: Sequence[Item], *, wait: bool = False) -> list[Answer | None]:
        """Record items of one dealer in one transaction; None where a member is locked elsewhere (try again later).

        Raises what the database raises; then nothing was recorded, but for a COMMIT whose outcome is unknown.
        """
        dealer = items[0].dealer
        alone = next((place for place, item in enumerate(items) if isinstance(item, Merge)), None)
        if alone is not None and len(items) > 1:
            # Who is one with whom is settled before anything else of them is asked.
            parts = (items[:alone], items[alone : alone + 1], items[alone + 1 :])
            return [answer for part in parts if part for answer in self.record(part, wait=wait)]
        observations = observations_of(items)
        named = {member for item in items for member in members_of(item)}
        try:
            wants = self._wants(dealer, observations, named)
            stores = self._stores_of(dealer, observations)
        except BaseException:
            # What failed here has opened a transaction that PostgreSQL goes on with only when it is rolled back.
            self.link.rollback()
            raise
        codes = {member: self._members[dealer, member] for member in named if (dealer, member) in self._members}
        refused: dict[int, Refused] = {}

        def run() -> Group:
            group = Group(self.link, self.ids, self.programmes, dealer, items, codes, stores, self.memory)
            group.refused = refused
            group.vault = self._vault
            group.also = frozenset(wants.also)
            group.run(wants.members, wants.keys, wants.outside, now=self.now(), wait=wait)
            return group

        try:
            group = self._until_done(run, wants, refused, dealer, len(items))
        except Blocked:
            if len(items) == 1:
                return [None]
            middle = len(items) // 2
            return [*self.record(items[:middle], wait=wait), *self.record(items[middle:], wait=wait)]
        self.due.update((dealer, member) for member in group.receivers)
        return group.answers()

    def deliver(self) -> int:
        """Bring what members' events mean for other members to those, a transaction each; return how many.

        A receiver who is locked elsewhere stays due.
        """
        done = 0
        for dealer, receiver in sorted(self.due):
            wants = _Wants({receiver})
            self.delivering = (dealer, receiver)

            def run(dealer: int = dealer, receiver: int = receiver, wants: _Wants = wants) -> Group:
                group = Group(self.link, self.ids, self.programmes, dealer, (), {}, {}, self.memory)
                group.deliver_to = receiver
                group.run(wants.members, wants.keys, wants.outside, now=self.now(), wait=False)
                return group

            group = self._until_done(run, wants, {}, dealer, 1)
            if group.delivered:
                self.due.discard((dealer, receiver))
                done += 1
        return done

    def recover(self) -> None:
        """Find the emissions that a stopped process left undelivered."""
        try:
            self.due.update(lookups.undelivered(self.link))
        finally:
            self.link.rollback()

    # ---- inside

    def _until_done(
        self, run: Callable[[], Group], wants: _Wants, refused: dict[int, Refused], dealer: int, items: int
    ) -> Group:
        need = NeedIds(_IDS_AT_LEAST + _IDS_AN_ITEM * items)
        lost = 0
        while True:
            self.ids.reserve(self.link, need.count, need.above)
            self.link.begin()
            try:
                group = run()
                group.commit()
            except NeedIds as more:
                self.link.rollback()
                need = more
            except NeedMore as more:
                self.link.rollback()
                if more.members <= wants.members and more.keys <= wants.keys:
                    raise RuntimeError("what is asked for is locked already") from more
                wants.members |= more.members
                wants.keys |= more.keys
            except ItemRefused as problem:
                self.link.rollback()
                refused[problem.place] = problem.refusal
            except (sqlite3.IntegrityError, psycopg.errors.UniqueViolation):
                # Somebody else was first with a key; now it can be seen.
                self.link.rollback()
                lost += 1
                if lost >= ATTEMPTS:
                    raise
            except BaseException:
                self.link.rollback()
                self._members = {known: number for known, number in self._members.items() if known[0] != dealer}
                raise
            else:
                return group

    def _wants(self, dealer: int, observations: Sequence[Observation], named: set[str]) -> _Wants:
        self._know_members(dealer, named)
        wants = _Wants({self._members[dealer, member] for member in named if (dealer, member) in self._members})
        corrected = set()
        for observation in observations:
            wants.keys |= {observation.key, observation.cluster}
            wants.outside.update(outside_keys(observation))
            if observation.revision and observation.kind in ("referral_registered", CANCELLED):
                corrected.add(observation.key)
        # (What is read here opens the transaction in which the group goes on; every statement has its own snapshot.)
        wants.also = stored.naming(self.link, dealer, corrected)
        wants.keys |= wants.also
        return wants

    def _know_members(self, dealer: int, codes: set[str]) -> None:
        missing = {code for code in codes if (dealer, code) not in self._members}
        if missing and dealer not in self._met:
            # Most of whom a till will name, at once: who is looked up one by one costs each first sale a round trip.
            self._met.add(dealer)
            newest = lookups.newest_members(self.link, dealer, _AHEAD)
            self._members.update(((dealer, code), number) for code, number in newest.items())
            missing -= newest.keys()
        if missing:
            if len(self._members) > _REMEMBERED:
                self._members.clear()
                missing = codes
            found = lookups.member_ids(self.link, dealer, missing)
            self._members.update(((dealer, code), number) for code, number in found.items())

    def _stores_of(self, dealer: int, observations: Sequence[Observation]) -> Mapping[str, int]:
        known = self._stores.setdefault(dealer, {})
        if any(o.store and o.store not in known for o in observations):
            known.update(self.link.ask(_STORES, dealer).rows())
        return known
