"""The standing of a member in time: promotion, validity, grace, demotion (judging.md, Tiers in time).

Pure: judged conditions and a carry in, a carry and at most one change out. Boundaries are the local midnight after the
last valid day; they are computed, never stored as events, and nobody sweeps.

Readings taken where the design is silent: `keep: 12 months` from 10 March is valid to the end of 10 March a year later,
and renewed to the end of 10 March after that, whatever other terms a version between brings; every evaluation point, a
boundary too, promotes and excludes; at the end of a grace, a lock or an assignment a tier whose condition holds is kept
anew from that day, and what does not hold ends as the facts say; an assigned tier is a floor until its last day, also
while a higher tier or a lock covers it; a promotion that a return undoes restores the standing before it, unless that
ended meanwhile or the facts say more, and then the promotion to that one is asked the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeVar

from rules.judge import Judged
from rules.policy import Policy, State, Tier
from tierengine.judging.carry import Carry, Replaced, Standing, changed
from tierengine.judging.history import Scalar
from tierengine.zone import Zone, add_months

DAY = 86_400_000_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Moved:
    """A standing, and in one word what made it: promoted, renewed, grace, demoted, excluded, returned, …"""

    standing: Standing
    cause: str


class Ladder:
    """The tiers of one policy version in one time zone."""

    __slots__ = ("_by_id", "_policy", "_zone")

    def __init__(self, policy: Policy, zone: Zone) -> None:
        self._policy = policy
        self._zone = zone
        self._by_id = {tier.id: tier for tier in policy.tiers}

    def starting(self, version: int) -> Carry:
        """Return the carry of a member of whom nothing is known yet: the lowest tier, since ever."""
        return Carry(Standing(self._policy.tiers[0].id, 0), version)

    def tier_of(self, standing: Standing) -> Tier:
        """Return the standing's tier; a tier that this version lacks is the one that replaces it, else the lowest."""
        return self._called(standing.tier)

    # ---- evaluation points ----

    def at_point(self, carry: Carry, judged: Judged, instant: int, *, returned: bool) -> tuple[Carry, Moved | None]:
        """Evaluate at an observation or a version start. `returned`: the observation takes a purchase back."""
        return self._evaluate(carry, judged, instant, returned=returned, ended=False)

    def at_boundary(self, carry: Carry, judged: Judged, instant: int) -> tuple[Carry, Moved | None]:
        """Evaluate at the end of a validity, a grace period, a lock or an assignment, which is `instant`."""
        return self._evaluate(carry, judged, instant, returned=False, ended=True)

    def at_version(self, carry: Carry, version: int) -> tuple[Carry, Moved | None]:
        """Take the carry over into this version; a running validity stays, tiers go by the names they have now."""
        standing = replace(carry.standing, tier=self.tier_of(carry.standing).id)
        moved = Moved(standing, "replaced") if standing != carry.standing else None
        carry = replace(
            carry,
            standing=standing,
            version=version,
            replaced=tuple(
                replace(one, standing=replace(one.standing, tier=self.tier_of(one.standing).id))
                for one in carry.replaced
            ),
            nominated=self._renamed(carry.nominated, min),
            confirmed=self._renamed(carry.confirmed, max),
            floors=self._renamed(carry.floors, _later_end),
            orders={cluster: self._called(tier).id for cluster, tier in carry.orders.items()},
        )
        return carry, moved

    # ---- words of a person ----

    def word(self, carry: Carry, kind: str, fields: dict[str, Scalar], instant: int) -> tuple[Carry, Moved | None]:
        """Take a confirmation, an assigned or a locked tier into the carry before the point is evaluated."""
        tier = self._by_id.get(str(fields.get("tier")))
        if tier is None:
            return carry, None
        if kind == "promotion_confirmed":
            return replace(carry, confirmed=changed(carry.confirmed, tier.id, instant)), None
        if kind not in ("tier_assigned", "tier_locked"):
            return carry, None
        until = self._last_day(fields.get("until"))
        if until is not None and until <= instant:
            return carry, None
        standing = carry.standing
        if kind == "tier_assigned":
            carry = replace(carry, floors={**carry.floors, tier.id: until})
            longer = standing.state != "assigned" and _later_end(standing.until, until) == standing.until
            if tier.rank < self.tier_of(standing).rank or (tier.id == standing.tier and longer):
                return carry, None  # a floor that the standing covers shows when that ends
        state: State = "assigned" if kind == "tier_assigned" else "locked"
        since = standing.since if standing.tier == tier.id else instant
        return self._move(replace(carry, replaced=()), Standing(tier.id, since, until, state), state)

    # ---- parts ----

    def _evaluate(
        self, carry: Carry, judged: Judged, instant: int, *, returned: bool, ended: bool
    ) -> tuple[Carry, Moved | None]:
        standing = carry.standing
        tier = self.tier_of(standing)
        if standing.state == "locked" and not ended:
            return carry, None
        carry = self._nominate(carry, judged, tier, instant)
        goal, floor = self._reachable(carry, judged, tier, instant), self._floor(carry, instant)
        if goal is not None and goal.rank >= floor:
            return self._promote(carry, goal, instant)
        if floor > tier.rank:
            return self._fall(carry, tier.rank, instant, "assigned")
        if standing.state in ("locked", "assigned"):
            return self._release(carry, judged, tier, instant) if ended else (carry, None)
        holds = judged.tiers[tier.rank]
        if tier.rank and judged.excluded[tier.rank]:
            return self._fall(carry, self._highest(judged, tier.rank), instant, "excluded")
        if standing.state == "grace" and holds:
            return self._move(carry, self._valid(tier, standing.since, instant), "renewed")
        if ended:
            return self._end(carry, judged, tier, instant)
        if returned and not holds:
            return self._undo(carry, judged, instant)
        return carry, None

    def _release(self, carry: Carry, judged: Judged, tier: Tier, instant: int) -> tuple[Carry, Moved]:
        """End a lock or an assignment."""
        if judged.tiers[tier.rank]:
            return self._move(carry, self._valid(tier, carry.standing.since, instant), "renewed")
        return self._fall(carry, self._highest(judged, tier.rank), instant, "ended")

    def _end(self, carry: Carry, judged: Judged, tier: Tier, instant: int) -> tuple[Carry, Moved]:
        """End a validity, or a grace period in which the condition never held again."""
        standing, keep = carry.standing, tier.keep
        if keep is None:  # the version in force keeps this tier without end
            return self._move(carry, replace(standing, until=None, state="valid"), "renewed")
        if standing.state == "valid":
            if judged.tiers[tier.rank]:
                return self._move(carry, self._extended(standing, tier), "renewed")
            if keep.grace_days:
                until = self._zone.start_of(self._zone.local_date(instant) + timedelta(days=keep.grace_days))
                return self._move(carry, replace(standing, until=until, state="grace"), "grace")
        if keep.then == "as_facts_say":
            return self._fall(carry, self._highest(judged, tier.rank), instant, "demoted")
        below = tier.rank - 1
        while below > 0 and judged.excluded[below]:
            below -= 1
        return self._fall(carry, max(below, 0), instant, "demoted")

    def _nominate(self, carry: Carry, judged: Judged, tier: Tier, instant: int) -> Carry:
        """Open a nomination for each confirmed tier above whose condition holds, close those that no longer do."""
        nominated = {
            above.id: carry.nominated.get(above.id, instant)
            for above in self._policy.tiers[tier.rank + 1 :]
            if above.promotion == "confirmed" and judged.tiers[above.rank]
        }
        return carry if nominated == carry.nominated else replace(carry, nominated=nominated)

    def _reachable(self, carry: Carry, judged: Judged, tier: Tier, instant: int) -> Tier | None:
        for above in reversed(self._policy.tiers[tier.rank + 1 :]):
            if not judged.tiers[above.rank]:
                continue
            if above.promotion == "automatic":
                return above
            word = carry.confirmed.get(above.id)
            if word is not None and instant <= word + above.confirm_within_days * DAY:
                return above
        return None

    def _promote(self, carry: Carry, goal: Tier, instant: int) -> tuple[Carry, Moved]:
        cause = "confirmed" if goal.promotion == "confirmed" else "promoted"
        carry = replace(
            carry,
            replaced=(*carry.replaced, Replaced(carry.standing, instant)),
            nominated=changed(carry.nominated, goal.id, None),
            confirmed=changed(carry.confirmed, goal.id, None) if goal.promotion == "confirmed" else carry.confirmed,
        )
        return self._move(carry, self._valid(goal, instant, instant), cause)

    def _undo(self, carry: Carry, judged: Judged, instant: int) -> tuple[Carry, Moved | None]:
        """Take back each promotion, the last one first, that is young and does not hold without what was returned."""
        before = carry
        while carry.replaced and carry.standing.state in ("valid", "grace"):
            tier, last = self.tier_of(carry.standing), carry.replaced[-1]
            if judged.tiers[tier.rank] or instant >= last.at + tier.returns_undo_days * DAY:
                break
            back, rank, facts_say = last.standing, self.tier_of(last.standing).rank, self._highest(judged, tier.rank)
            ended = back.until is not None and back.until <= instant
            excluded = rank > 0 and judged.excluded[rank] and back.state != "assigned"
            if rank < facts_say or ended or excluded:
                return self._fall(carry, facts_say, instant, "returned")
            carry = replace(carry.stands(back), replaced=carry.replaced[:-1])
        if carry is before:
            return carry, None
        standing = carry.standing
        tier = self.tier_of(standing)
        if standing.state == "grace" and judged.tiers[tier.rank]:
            standing = self._valid(tier, standing.since, instant)
        return self._move(carry, standing, "returned")

    def _highest(self, judged: Judged, below: int) -> int:
        return max(rank for rank in range(max(below, 1)) if rank == 0 or judged.tiers[rank])

    def _floor(self, carry: Carry, instant: int) -> int:
        """Return the rank of the highest tier that a person's word holds the member in; without one the lowest."""
        running = (tier for tier, until in carry.floors.items() if until is None or until > instant)
        return max((self._called(tier).rank for tier in running), default=0)

    def _fall(self, carry: Carry, rank: int, instant: int, cause: str) -> tuple[Carry, Moved]:
        """Let the member down to this rank, or to where a person's word holds him."""
        carry, floor = replace(carry, replaced=()), self._floor(carry, instant)
        if floor <= rank:
            return self._move(carry, self._valid(self._policy.tiers[rank], instant, instant), cause)
        held = self._policy.tiers[floor].id
        since = carry.standing.since if carry.standing.tier == held else instant
        return self._move(carry, Standing(held, since, carry.floors[held], "assigned"), cause)

    def _move(self, carry: Carry, standing: Standing, cause: str) -> tuple[Carry, Moved]:
        return carry.stands(standing), Moved(standing, cause)

    def _valid(self, tier: Tier, since: int, instant: int) -> Standing:
        return self._extended(Standing(tier.id, since, anchor=self._zone.local_date(instant).toordinal()), tier)

    def _extended(self, standing: Standing, tier: Tier) -> Standing:
        """Return the standing kept for one more term, counted with all before it from the anchor's day."""
        keep = tier.keep
        if keep is None:
            return replace(standing, until=None)
        # To the end of this year is no term to be kept again for: that is a year more.
        term = keep.months if standing.until is None else keep.months or (12 if keep.to == "year" else 1)
        months = standing.months + term
        until = self._after_last(add_months(standing.anchor_date, months), keep.to)
        while standing.until is not None and until <= standing.until:  # another version counted otherwise
            months += term
            until = self._after_last(add_months(standing.anchor_date, months), keep.to)
        return replace(standing, until=until, months=months)

    def _after_last(self, day: date, to: str) -> int:
        """Return the first instant after a term whose last day is this one, or ends with its month or year."""
        last = day if to == "day" else day.replace(month=12 if to == "year" else day.month, day=1)
        last = last if to == "day" else add_months(last, 1) - timedelta(days=1)
        return self._zone.start_of(last + timedelta(days=1))

    def _last_day(self, value: Scalar) -> int | None:
        if not isinstance(value, str) or not value:
            return None
        return self._zone.start_of(date.fromisoformat(value) + timedelta(days=1))

    def _called(self, name: str) -> Tier:
        found = self._by_id.get(name)
        if found is not None:
            return found
        return next((tier for tier in self._policy.tiers if name in tier.replaces), self._policy.tiers[0])

    def _renamed(self, table: dict[str, T], both: Callable[[T, T], T]) -> dict[str, T]:
        """Return the table under the tiers' names in this version; `both` of two tiers that became one."""
        found: dict[str, T] = {}
        for name, value in table.items():
            tier = self._called(name).id
            found[tier] = both(found[tier], value) if tier in found else value
        return found


def _later_end(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
