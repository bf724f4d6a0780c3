"""The standing of a member in time: promotion, validity, grace, demotion (judging.md, Tiers in time).

Pure: judged conditions and a carry in, a carry and at most one change out. Boundaries are the local midnight after the
last valid day; they are computed, never stored as events, and nobody sweeps.

Readings taken where the design is silent: `keep: 12 months` from 10 March is valid to the end of 10 March a year later;
a standing that a word assigned or locked ends as the facts say, and what then holds is kept anew from that day; a
promotion that a return undoes restores the standing before it, unless that ended meanwhile or the facts say more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from rules.judge import Judged
from rules.policy import Policy, Tier
from tierengine.carry import Carry, Standing, changed
from tierengine.history import Scalar
from tierengine.zone import Zone, add_months

DAY = 86_400_000_000


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
        tier = self._by_id.get(standing.tier)
        if tier is not None:
            return tier
        for candidate in self._policy.tiers:
            if standing.tier in candidate.replaces:
                return candidate
        return self._policy.tiers[0]

    def boundary(self, standing: Standing) -> int | None:
        """Return the next instant at which time alone may move this standing, or None."""
        return standing.until

    # ---- evaluation points ----

    def at_point(self, carry: Carry, judged: Judged, instant: int, *, returned: bool) -> tuple[Carry, Moved | None]:
        """Evaluate at an observation or a version start. `returned`: the observation takes a purchase back."""
        standing = carry.standing
        tier = self.tier_of(standing)
        if standing.state == "locked":
            return carry, None
        carry = self._nominate(carry, judged, tier, instant)
        goal = self._reachable(carry, judged, tier, instant)
        if goal is not None:
            return self._promote(carry, goal, instant)
        if standing.state == "assigned":
            return carry, None
        if judged.excluded[tier.rank]:
            return self._fall(carry, self._highest(judged, tier.rank), instant, "excluded")
        if standing.state == "grace" and judged.tiers[tier.rank]:
            return self._move(carry, self._valid(tier, standing.since, instant), "renewed")
        if returned and not judged.tiers[tier.rank] and self._young(carry, tier, instant):
            return self._undo(carry, judged, tier, instant)
        return carry, None

    def at_boundary(self, carry: Carry, judged: Judged, instant: int) -> tuple[Carry, Moved | None]:
        """Evaluate at the end of a validity, a grace period, a lock or an assignment, which is `instant`."""
        standing = carry.standing
        tier = self.tier_of(standing)
        holds = judged.tiers[tier.rank]
        if standing.state in ("locked", "assigned"):
            if holds:
                return self._move(carry, self._valid(tier, standing.since, instant), "renewed")
            return self._fall(carry, self._highest(judged, tier.rank), instant, "ended")
        keep = tier.keep
        if keep is None:  # the version in force keeps this tier without end
            return self._move(carry, replace(standing, until=None, state="valid"), "renewed")
        if standing.state == "valid":
            if holds:
                renewed = replace(standing, terms=standing.terms + 1)
                return self._move(carry, replace(renewed, until=self._until(renewed, tier)), "renewed")
            if keep.grace_days:
                until = self._zone.start_of(self._zone.local_date(instant) + timedelta(days=keep.grace_days))
                return self._move(carry, replace(standing, until=until, state="grace"), "grace")
        if keep.then == "one_down":
            below = tier.rank - 1
            while below > 0 and judged.excluded[below]:
                below -= 1
            return self._fall(carry, max(below, 0), instant, "demoted")
        return self._fall(carry, self._highest(judged, tier.rank), instant, "demoted")

    def at_version(self, carry: Carry, version: int) -> Carry:
        """Take the carry over into this version; a running validity stays."""
        tier = self.tier_of(carry.standing)
        return replace(carry, version=version, standing=replace(carry.standing, tier=tier.id))

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
        if kind == "tier_assigned" and tier.rank < self.tier_of(carry.standing).rank:
            return carry, None  # a floor below the standing changes nothing
        since = carry.standing.since if carry.standing.tier == tier.id else instant
        state = "assigned" if kind == "tier_assigned" else "locked"
        held = Standing(tier.id, since, until, "assigned" if state == "assigned" else "locked")
        return self._move(replace(carry, fallback=None, promoted_at=None), held, state)

    # ---- parts ----

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
        fallback = carry.standing
        if carry.promoted_at is not None and carry.fallback is not None and self._young(carry, goal, instant):
            fallback = carry.fallback  # two steps within the time of one return fall back together
        carry = replace(
            carry,
            fallback=fallback,
            promoted_at=instant,
            nominated=changed(carry.nominated, goal.id, None),
            confirmed=changed(carry.confirmed, goal.id, None),
        )
        return self._move(carry, self._valid(goal, instant, instant), cause)

    def _young(self, carry: Carry, tier: Tier, instant: int) -> bool:
        return carry.promoted_at is not None and instant < carry.promoted_at + tier.returns_undo_days * DAY

    def _undo(self, carry: Carry, judged: Judged, tier: Tier, instant: int) -> tuple[Carry, Moved | None]:
        rank = self._highest(judged, tier.rank)
        back = carry.fallback
        if back is not None and self.tier_of(back).rank >= rank and (back.until is None or back.until > instant):
            return self._move(replace(carry, fallback=None, promoted_at=None), back, "returned")
        return self._fall(carry, rank, instant, "returned")

    def _highest(self, judged: Judged, below: int) -> int:
        return max(rank for rank in range(max(below, 1)) if rank == 0 or judged.tiers[rank])

    def _fall(self, carry: Carry, rank: int, instant: int, cause: str) -> tuple[Carry, Moved]:
        lower = self._policy.tiers[rank]
        return self._move(replace(carry, fallback=None, promoted_at=None), self._valid(lower, instant, instant), cause)

    def _move(self, carry: Carry, standing: Standing, cause: str) -> tuple[Carry, Moved]:
        return carry.stands(standing), Moved(standing, cause)

    def _valid(self, tier: Tier, since: int, instant: int) -> Standing:
        start = Standing(tier.id, since, None, "valid", self._zone.local_date(instant).toordinal(), 1)
        return replace(start, until=self._until(start, tier))

    def _until(self, standing: Standing, tier: Tier) -> int | None:
        if tier.keep is None:
            return None
        last = add_months(standing.anchor_date, tier.keep.months * standing.terms)
        return self._zone.start_of(last + timedelta(days=1))

    def _last_day(self, value: Scalar) -> int | None:
        if not isinstance(value, str) or not value:
            return None
        return self._zone.start_of(date.fromisoformat(value) + timedelta(days=1))
