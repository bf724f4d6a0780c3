"""Random histories: what may be said, and when, of a member under a programme.

Cases are few and hostile on purpose: thresholds and amounts that meet, terms of a month that begin on the 31st, clocks
that change at midnight, several events at one instant, and events at the very instants at which terms end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from rules import policy as ast
from tests.chance import Chance
from tests.history.programmes import AMOUNTS, CATEGORIES, SIZES
from tests.model import dates, rows
from tests.model.rows import Said


@dataclass(frozen=True)
class Line:
    """The versions of a programme, by (effective from, policy), and what tends to happen under it."""

    zone: str
    versions: tuple[tuple[int, ast.Policy], ...]
    happens: Sequence[str]

    @property
    def tiers(self) -> list[str]:
        return list(dict.fromkeys(tier.id for _, policy in self.versions for tier in policy.tiers))


# A year in which 29 February or a change of the clocks at midnight makes trouble, by zone.
YEARS = {"Asia/Shanghai": 2024, "Europe/Berlin": 2024, "America/Sao_Paulo": 2018}
DAYS = (
    (1, 29), (1, 30), (1, 31), (2, 1), (2, 15), (2, 17), (2, 18), (2, 27), (2, 28), (3, 1), (3, 2), (3, 15), (3, 30),
    (3, 31), (4, 1), (4, 29), (4, 30), (5, 1), (5, 31), (6, 1), (7, 31), (8, 31), (10, 27), (10, 28), (11, 3), (11, 4),
    (12, 31),
)  # fmt: skip
HOUR = dates.DAY // 24
TIMES = (time(0), time(0), time(0, 0, 0, 1), time(0, 30), time(10), time(10), time(23, 59, 59, 999_999))


def when(chance: Chance, zone: str) -> int:
    month, day = chance.pick(DAYS)
    chosen = date(YEARS[zone], month, day) + timedelta(days=chance.pick((0, 0, 0, 0, 1, 7)))
    # An hour later may be the same hour again.
    return dates.instant(zone, datetime.combine(chosen, chance.pick(TIMES))) + chance.pick((0, 0, 0, 0, HOUR))


@dataclass(frozen=True)
class Case:
    zone: str
    versions: tuple[tuple[int, ast.Policy], ...]
    said: tuple[Said, ...]

    @property
    def end(self) -> int:
        """Long enough after the last event for several terms to end in silence."""
        return max(one.at for one in self.said) + 200 * dates.DAY


MADE_BY: dict[str, Callable[..., Said | None]] = {}


def happening(make: Callable[..., Said | None]) -> Callable[..., Said | None]:
    MADE_BY[make.__name__.removeprefix("a_")] = make
    return make


@dataclass(frozen=True)
class Scene:
    """Where the next event happens: its key and instant, and what was said before it, about which it may be."""

    chance: Chance
    zone: str
    tiers: Sequence[str]
    key: str
    order: str
    at: int
    said: Sequence[Said]

    def some(self, *kinds: str) -> Said | None:
        found = [one for one in self.said if one.kind in kinds]
        return self.chance.pick(found) if found else None

    def of(self, kind: str, **fields: Any) -> Said:
        return Said(kind, self.key, self.at, self.chance.pick(("M", "M", "M", "R")), fields)

    def last_day(self) -> str:
        return str(dates.day_of(self.zone, self.at) + timedelta(days=self.chance.pick((0, 1, 10, 31, 60))))


@happening
def a_machine(scene):
    pick, key = scene.chance.pick, rows.key_of("machine_purchase", scene.order)
    fields = {
        "amount": pick(AMOUNTS),
        "serial": pick(("X1", "X2", "X3", "X4")),
        "size": pick(SIZES),
        "used": pick((0, 0, 1)),
    }
    referral = scene.some("referral_registered")
    if referral is not None and scene.chance.often(70):
        fields["referral"] = referral.key
    return Said("machine_purchase", key, scene.at, fields=fields, order=scene.order)


@happening
def a_parts(scene):
    pick, key = scene.chance.pick, rows.key_of("parts_purchase", scene.order)
    lines = tuple(
        {"item": f"i{place}", "category": pick(CATEGORIES), "qty": pick((1, 2, 3)), "amount": pick(AMOUNTS)}
        for place in range(pick((1, 1, 2, 3)))
    )
    return Said("parts_purchase", key, scene.at, order=scene.order, lines=lines)


@happening
def a_settlement(scene):
    settled = {one.order for one in scene.said if one.kind == "purchase_settled"}
    orders = [one.order for one in scene.said if one.kind == "machine_purchase" and one.order not in settled]
    if not orders:
        return None
    order = scene.chance.pick(orders)
    return Said("purchase_settled", rows.key_of("purchase_settled", order), scene.at, order=order)


@happening
def a_return(scene):
    sold = scene.some("machine_purchase", "parts_purchase")
    if sold is None:
        return None
    if sold.kind == "machine_purchase" and scene.chance.often(70):
        return Said("machine_returned", scene.key, scene.at, order=sold.order, fields={"reason": "x"})
    lines: tuple[dict[str, Any], ...] = ()
    if sold.lines and scene.chance.often(60):
        lines = ({"item": scene.chance.pick(sold.lines)["item"], "qty": scene.chance.pick((1, 1, 2, 9))},)
    return Said("sale_returned", scene.key, scene.at, order=sold.order, lines=lines)


@happening
def a_referral(scene):
    return Said("referral_registered", scene.key, scene.at, scene.chance.pick(("R", "R", "M")), {"referred": "x"})


@happening
def a_contact(scene):
    return scene.of("contact", channel="phone", direction=scene.chance.pick(("customer", "ours")), status="accepted")


@happening
def a_tip(scene):
    return scene.of("tip", topic="x", status=scene.chance.pick(("submitted", "accepted")))


@happening
def an_acceptance(scene):
    tip = scene.some("tip")
    told = {"accepted_by": "boss"}
    return tip and Said("submission_accepted", scene.key, scene.at, fields=told, names=tip.key)


@happening
def a_word(scene):
    pick = scene.chance.pick
    fields = {"trait": pick(("known", "talker", "buyer")), "stated_by": pick(("liu", "ma")), "evidence": "x"}
    if scene.chance.often(30):
        fields["valid_until"] = scene.last_day()
    return scene.of("attestation", stated_role=pick(("leader", "leader", "clerk")), **fields)


@happening
def a_withdrawal(scene):
    word = scene.some("attestation")
    return word and Said("attestation_withdrawn", scene.key, scene.at, names=word.key)


@happening
def an_attribute(scene):
    pick = scene.chance.pick
    segment, days, manager = (
        {"segment": pick(("key", "other"))},
        {"overdue_days": pick((0, 29, 30))},
        pick(("liu", "ma")),
    )
    kinds = (("segment_set", segment), ("overdue_changed", days), ("manager_assigned", {"manager": manager}))
    kind, fields = pick(kinds)
    return scene.of(kind, **fields)


@happening
def a_confirmation(scene):
    return scene.of("promotion_confirmed", tier=scene.chance.pick(scene.tiers[1:]), by="x")


@happening
def a_tier(scene):
    until = {"until": scene.last_day()} if scene.chance.often(70) else {}
    return scene.of("tier_assigned", tier=scene.chance.pick(scene.tiers), by="x", reason="x", **until)


@happening
def a_lock(scene):
    return scene.of("tier_locked", tier=scene.chance.pick(scene.tiers), by="x", reason="x", until=scene.last_day())


@happening
def a_cancellation(scene):
    """A sale, a return, a word that never was."""
    kinds = {one.kind for one in scene.said} - {"observation_cancelled"}
    gone = scene.some(*sorted(kinds))
    return gone and replace(
        gone,
        kind="observation_cancelled",
        member="",
        lines=(),
        fields={},
        revision=gone.revision + 1,
        order="",
        names="",
    )


HAPPENS = ("parts", "return") * 4 + ("tip", "word", "confirmation", "an_attribute", "tier") * 3 + (
    "machine", "machine", "settlement", "referral", "contact", "an_acceptance", "withdrawal", "lock", "cancellation",
)  # fmt: skip
SELLING = ("machine", "settlement", "return") * 4 + ("parts", "parts", "return", "referral", "tip", "cancellation")


def something(line: Line, chance: Chance, number: int, at: int, said: Sequence[Said]) -> Said:
    """One more event; about another one where there is one that it may be about."""
    order = f"{chance.pick('abcdefgh')}{number}"  # so that ties are not in the order of arrival
    scene = Scene(chance, line.zone, line.tiers, f"src:{order}", order, at, said)
    return MADE_BY[chance.pick(line.happens)](scene) or a_parts(scene)
