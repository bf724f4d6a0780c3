"""What came of an example: the order it priced, the member who is looked at, and what is found of what it expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rules.judge import Inputs, Judged, Ruleset
from rules.policy import Policy
from tierengine.judging.pricing import PricedLine
from tierengine.judging.regimes import Regimes
from tierengine.membership.shortlist import lists_of
from tierengine.policies.cast import Part
from tierengine.service.duties import Happened, Owed, dates_of, gone, level_of, level_over_time, owed, turns_of
from tierengine.service.entitlements import rights
from tierengine.zone import Zone

Net = dict[tuple[str, str], tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it was priced, and what it was priced on."""

    member: str
    lines: tuple[PricedLine, ...]
    inputs: Inputs
    judged: Judged
    tier: str
    matched: Sequence[Sequence[str]]
    day: date


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an example: the member who is looked at, and his last order if he made one."""

    rules: Ruleset
    regimes: Regimes
    zone: Zone
    part: Part
    order: Order | None

    @property
    def policy(self) -> Policy:
        """The policy the example is about."""
        return self.rules.policy


def got_of(outcome: Outcome, expect: Mapping[str, object]) -> dict[str, object]:
    """Return what came out under the keys that are expected; a list that may be a part of it is given back as it is."""
    policy, one = outcome.policy, outcome.part
    level = level_of(policy, one.tier, one.segment)
    net = net_of(one)
    standing, zone = one.carry.standing, outcome.zone
    got: dict[str, object] = {
        "tier": one.tier,
        "state": standing.state,
        "since": zone.local_date(standing.since).isoformat() if standing.since else "",
        "until": zone.local_date(standing.until - 1).isoformat() if standing.until is not None else "",
        "level": level,
    }
    met = sorted(one.judged.met)
    if "traits" in expect:
        got["traits"] = _same(expect["traits"], met)
    if "why" in expect:
        # The traits of the day on which the tier began; one that never began has those of today.
        rise = next((move for move in reversed(one.folded.changes) if move.previous != move.tier), None)
        got["why"] = _same(expect["why"], met if rise is None else sorted(rise.traits))
    for key in ("pays", "price"):
        if key in expect:
            got[key] = _paid(outcome.order, expect[key])
    if isinstance(grants := expect.get("grants"), dict):
        got["grants"] = {rule: sum(amount for (_, name), (_, amount) in net.items() if name == rule) for rule in grants}
    if isinstance(balance := expect.get("balance"), dict):
        got["balance"] = {
            wallet: sum(amount for (name, amount) in net.values() if name == wallet) for wallet in balance
        }
    if "lists" in expect:
        got["lists"] = _among(expect["lists"], {one.list_id for one in lists_of(policy, one.judged, one.tier)})
    if isinstance(left := expect.get("entitlements"), dict):
        of_level = rights(zone, policy.levels.get(level), one.lines, one.at[0])
        have = {each.entitlement.id: "unlimited" if each.quota is None else each.remaining for each in of_level}
        got["entitlements"] = {name: have.get(name) for name in left}
    elif "entitlements" in expect:
        found = policy.levels.get(level)
        got["entitlements"] = _among(expect["entitlements"], {one.id for one in found.entitlements} if found else set())
    if "duties" in expect:
        open_ = {one.duty for one in duties_of(policy, outcome.zone, one) if one.done_at is None}
        got["duties"] = _among(expect["duties"], open_)
    return {key: value for key, value in got.items() if key in expect}


def net_of(one: Part) -> Net:
    """Return (event key, rule) → (wallet, what should stand at the end)."""
    return {
        (move.granted.event_key, move.granted.rule): (move.granted.wallet, move.granted.wanted)
        for move in one.folded.decisions
    }


def duties_of(policy: Policy, zone: Zone, one: Part) -> list[Owed]:
    """Return every duty that arose towards the member, done or not."""
    happened = [Happened(line, line.known[0]) for line in one.lines if line.qty > 0]
    happened.sort(key=lambda each: each.line.known)
    sets = [each.line for each in happened if each.line.kind == "segment_set"]
    segments = [(line.at, str(line.fields.get("segment", ""))) for line in sets]
    moves = [(move.step[0], move.tier, move.cause, move.until, move.state) for move in one.folded.changes]
    levels = level_over_time(policy, [(at, tier) for at, tier, *_ in moves], segments)
    dates, turns = dates_of(zone, happened), turns_of(policy, moves)
    return owed(policy, zone, levels, happened, dates, one.at[0], turns, gone(one.lines))


def _same(wanted: object, found: list[str]) -> object:
    """Give back what is wanted when it names the same ids: the order is the writer's."""
    return wanted if isinstance(wanted, list) and sorted(map(str, wanted)) == found else found


def _among(wanted: object, found: set[str]) -> object:
    """Give back what is wanted when it is among what is found; an empty list says that there is nothing."""
    names = {str(one) for one in wanted} if isinstance(wanted, list) else set()
    return wanted if (names <= found if names else not found) else sorted(found)


def _paid(order: Order | None, wanted: object) -> object:
    if order is None:
        return None
    if not isinstance(wanted, dict):
        return sum(line.amount for line in order.lines)
    return {item: sum(line.amount for line in order.lines if line.line.item == item) for item in wanted}
