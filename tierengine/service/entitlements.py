"""What a member's service level entitles him to: quotas a period, what was claimed, and whether one more may be.

Readings: a period is a calendar one in the dealer's zone; a quota per machine is times the machines owned at the time
of asking; a claim counts in the period of its own date. What is not on the member's level cannot be claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from rules.policy import Entitlement, Level, Policy
from rules.policy.text import title
from tierengine.errors import Refused
from tierengine.judging.history import Contribution, Observation, Scalar
from tierengine.judging.states import FLEET_KINDS, States
from tierengine.membership.reasons import said
from tierengine.recording.items import Before, Check
from tierengine.service.duties import level_of
from tierengine.zone import Zone, add_months, period_key

CLAIMED: Final = "entitlement_claimed"
ASKED_BY_RIGHTS: Final = FLEET_KINDS | {CLAIMED}  # the kinds of contribution that `rights` reads
_MONTHS: Final = {"year": 12, "quarter": 3, "month": 1}


@dataclass(frozen=True, slots=True)
class Right:
    """One entitlement of a member as of a day. `quota` None: without limit; `next_on`: first day of the next period."""

    entitlement: Entitlement
    quota: int | None
    used: int
    next_on: date | None

    @property
    def remaining(self) -> int | None:
        """Return how many more may be claimed; None: without limit."""
        return None if self.quota is None else max(self.quota - self.used, 0)

    def plain(self, lang: str) -> dict[str, Any]:
        """Return the JSON form."""
        one = self.entitlement
        return {
            "id": one.id,
            "title": said(title(one.title, one.id), lang),
            "note": said(one.note, lang) if one.note.zh else None,
            "quota": self.quota,
            "period": one.period,
            "per_machine": one.per_machine,
            "used": self.used,
            "remaining": self.remaining,
            "next_on": self.next_on.isoformat() if self.next_on else None,
        }


def level(policy: Policy, tier: str, segment: Scalar) -> Level | None:
    """Return the member's service level: the higher of the tier's and the segment's."""
    return policy.levels.get(level_of(policy, tier, segment if isinstance(segment, str) else None))


def rights(zone: Zone, of: Level | None, history: Sequence[Contribution], at: int) -> list[Right]:
    """Return what the level gives, with what was claimed in the period of `at`, in the order of the policy."""
    if of is None:
        return []
    machines = machines_owned(zone, history, at) if any(one.per_machine for one in of.entitlements) else 0
    claims = [one for one in history if one.kind == CLAIMED]
    return [_right(zone, one, claims, machines, at) for one in of.entitlements]


def machines_owned(zone: Zone, history: Iterable[Contribution], at: int) -> int:
    """Return how many machines the member owns."""
    return States(zone, history).owned(at, (), lambda _checks, _fields: True, None)


def claim_check(claim: Observation, zone: Zone, recorded: Callable[[Sequence[int]], Sequence[Contribution]]) -> Check:
    """Return what decides the claim under the member's lock: Refused when it may not be.

    recorded   ids of a member and of all merged with him → their claims as they are committed, whatever their dates:
               one that is dated before others finds the same quota used as they left it, for commands are decided in
               the order in which they arrive
    """
    wanted = str(claim.fields["entitlement"])
    qty = claim.fields.get("qty", 1)

    def check(before: Before) -> None:
        policy = before.regime.version.rules.policy
        of = level(policy, before.tier, before.inputs.attributes.get("segment"))
        history = [one for one in before.history if one.kind != CLAIMED] + list(recorded(before.members))
        found = next((one for one in rights(zone, of, history, before.at) if one.entitlement.id == wanted), None)
        if found is None:
            raise Refused("entitlement_unknown", entitlement=wanted)
        remaining = found.remaining
        if remaining is not None and isinstance(qty, int) and qty > remaining:
            quota = found.quota or 0
            if found.next_on is None:
                raise Refused("entitlement_used_up", entitlement=wanted, quota=quota, used=found.used)
            next_on = found.next_on.isoformat()
            raise Refused("entitlement_exhausted", entitlement=wanted, quota=quota, used=found.used, next_on=next_on)

    return check


def _right(zone: Zone, one: Entitlement, claims: Sequence[Contribution], machines: int, at: int) -> Right:
    today = zone.local_date(at)
    period = period_key(one.period, today)
    used = sum(
        claim.qty
        for claim in claims
        if claim.fields.get("entitlement") == one.id and period_key(one.period, zone.local_date(claim.at)) == period
    )
    quota = one.quota
    if quota is not None and one.per_machine:
        quota *= machines
    return Right(one, quota, max(used, 0), _next(one, today) if quota is not None else None)


def _next(one: Entitlement, today: date) -> date | None:
    months = _MONTHS.get(one.period)
    if months is None:
        return None
    first = today.replace(month=(today.month - 1) // months * months + 1, day=1)
    return add_months(first, months)
