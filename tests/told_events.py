"""Events of one order in March 2026, as a till tells them, and what comes of resolving them."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from tierengine.judging.history import Contribution
from tierengine.judging.observations import read_observation
from tierengine.judging.recorded import Recorded, Resolved
from tierengine.judging.resolution import resolve

CHINA = ZoneInfo("Asia/Shanghai")
DAY = 86_400 * 10**6
MARCH_1 = 1_772_294_400_000_000  # 2026-03-01 00:00 in China
SALE = "order:S1:1:parts_purchase"
REPAIR = "order:S1:1:repair_purchase"
MACHINE = "order:S1:1:machine_purchase"
SETTLED = "order:S1:1:purchase_settled"


def event(kind: str, day: float = 1, *, member: str | None = "M1", source_id: str = "", **fields) -> Recorded:
    """An event of 2026-03-`day`, of order 1 of store S1 where it takes one."""
    raw = {"kind": kind, "occurred_at": at_text(day), "member": member, "source_id": source_id or kind, **fields}
    seen = read_observation(
        raw, source="till", store="S1", now_us=MARCH_1 + 365 * DAY, zone=CHINA, late_days=None, currency="CNY"
    )
    return Recorded(seen, seen.member or None)


def at_text(day: float) -> str:
    return f"2026-03-{int(day):02d}T{int(day % 1 * 24):02d}:00:00+08:00"


def at(day: float) -> int:
    return MARCH_1 + int((day - 1) * DAY)


def parts(day: float = 2, lines: list | None = None, **more) -> Recorded:
    lines = lines or [
        {"item": "A", "category": "parts", "qty": 3, "amount": 10_000, "list": 11_000, "credit": 1_000, "margin": 500},
        {"item": "B", "category": "lubricant", "amount": 500},
    ]
    return event("parts_purchase", day, order="1", lines=lines, **more)


def machine(day: float = 2, **more) -> Recorded:
    return event("machine_purchase", day, order="1", amount=900_000, margin=9, serial="ZL1", size="large", **more)


def returned(day: float = 5, **more) -> Recorded:
    return event("sale_returned", day, **{"order": "1", "member": None, "source_id": "r1", **more})


def found(*events: Recorded, outside: Iterable[Recorded] = ()) -> Resolved:
    return resolve(events, {one.key: one for one in outside}, CHINA)


def given_by(resolved: Resolved, key: str) -> list[Contribution]:
    return [line for _, line in resolved.contributions[key]]


def rows(resolved: Resolved) -> list[tuple[str, Contribution]]:
    return [row for given_ in resolved.contributions.values() for row in given_]


def registered(day: float = 1, member: str = "M9", **more) -> Recorded:
    return event("referral_registered", day, member=member, source_id="bb", referred="a quarry", **more)
