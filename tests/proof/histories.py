"""Random histories of one member under a policy, the positions they are asked at, and the lines of an event."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from rules import policy as ast
from rules.inputs import StandingTiers
from rules.vocabulary import ATTRIBUTES, FIELDS, KINDS
from tests import oracle_facts as oracle
from tests.chance import Chance
from tests.proof.policies import DEGREES, PEOPLE, ROLES, TRAITS, VALUES, Theme, fields_of
from tierengine.judging.history import AFTER, Contribution, Position

# Local wall times about which windows, days and terms begin and end; the last two, where clocks change.
EDGES = (
    "2025-01-01T00:00", "2025-02-28T10:00", "2025-03-31T10:00", "2025-04-01T00:00", "2025-12-31T10:00",
    "2026-01-01T00:00", "2026-01-31T10:00", "2026-02-28T10:00", "2026-03-01T00:00", "2026-03-31T10:00",
    "2026-03-31T10:00", "2026-04-30T10:00", "2025-11-02T01:30", "2026-03-08T02:30",
)  # fmt: skip
OFF = (0, 0, 0, 0, -1, 1, 3_600_000_000, -86_400_000_000)
LATE = 40 * 86_400_000_000
STATES = (
    "attestation", "attestation", "manager_assigned", "attribute_changed", "attribute_changed", "segment_set",
    "overdue_changed", "card_issued", "machine_registered", "machine_registered", "machine_purchase",
    "machine_disposed", "link_set", "link_ended",
)  # fmt: skip
EVENTS = 3  # of a state
DATED = tuple(item.id for item in ATTRIBUTES.values() if item.set_by[0] == "attribute_changed")


@dataclass(frozen=True, eq=False)
class History:
    """What is in the book of one member, corrections and what they took back among it, and what stands of it."""

    stored: tuple[Contribution, ...]
    standing: tuple[Contribution, ...]


@dataclass(frozen=True)
class Event:
    """What happens to a member: its kind and lines, and how he stands now, before it, after it and at the order."""

    kind: str
    lines: tuple[dict[str, object], ...]
    tier: str | None
    tiers: StandingTiers


@dataclass(frozen=True)
class State:
    """What is known of a member as of a position, `since` when his tier began, and what may happen there.

    A case is one policy, one state and one of its events.
    """

    history: History
    position: Position
    since: int
    events: tuple[Event, ...]


@cache
def _edges(zone: str) -> tuple[int, ...]:
    return tuple(oracle.instant(ZoneInfo(zone), datetime.fromisoformat(one)) for one in EDGES)


def instant(chance: Chance, zone: str) -> int:
    return chance.pick(_edges(zone)) + chance.pick(OFF)


def said(chance: Chance, name: str) -> object:
    """A value of a field, as events carry it."""
    type_ = FIELDS[name].type
    if type_ == "bool":
        return chance.pick((0, 1, False, True))
    if name == "status":
        return chance.pick(("accepted", "submitted", "a"))
    return chance.pick(VALUES[type_])


def _fields(chance: Chance, kind: str) -> dict[str, object]:
    names = [name for name in fields_of(kind) if name not in ("qty", "amount")]
    fields = {name: said(chance, name) for name in names if chance.often(75)}
    if chance.often(5) and fields:
        fields[chance.pick(sorted(fields))] = None
    fields["month"] = chance.pick(("2026-01", "2026-02", "2026-03"))
    return fields | _words(chance, kind)


def _words(chance: Chance, kind: str) -> dict[str, object]:
    """What the states read."""
    match kind:
        case "attestation":
            words: dict[str, object] = {
                "trait": chance.pick((*TRAITS, "unheard_of")),
                "degree": chance.pick((None, *DEGREES, "unheard_of")),
                "stated_by": chance.pick(PEOPLE),
                "stated_role": chance.pick((*ROLES, "clerk")),
                "countersigned_by": chance.pick((None, *PEOPLE)),
                "countersigned_role": chance.pick((None, *ROLES)),
                "valid_until": chance.pick((None, "2025-12-31", "2026-02-28")),
            }
            return words
        case "manager_assigned":
            return {"manager": chance.pick(PEOPLE)}
        case "attribute_changed":
            name = chance.pick(DATED)
            type_ = ATTRIBUTES[name].type
            where = ATTRIBUTES[name].set_by[1]
            days = ("2016-02-29", "2016-03-31", "2026-01-01")
            return {"name": name} | ({where: chance.pick(days if type_ == "date" else VALUES[type_])})
        case "machine_registered":
            return {
                "tenure": chance.pick(("owned", "owned", "rented")),
                "checked_at": chance.pick((None, "2025-03-31", "2025-12-31")),
                "serial": chance.pick((None, "S1", "S2")),
            }
        case "machine_purchase":
            return {"serial": chance.pick((None, "S1", "S2"))}
        case "machine_disposed":
            return {"serial": chance.pick(("S1", "S2"))}
    return {}


def _turned(fields: dict[str, object]) -> dict[str, object]:
    """What takes a line back says its own numbers with the other sign."""
    return {
        name: -value if oracle.net_field(name) and isinstance(value, int) else value for name, value in fields.items()
    }


def _back(row: Contribution, qty: int, amount: int, at: int, key: str) -> Contribution:
    """What takes back part of a line, known from `at` or, dated before the sale, from just after it."""
    known = (at, 3, key) if at > row.at else (row.at, row.known[1], row.known[2] + AFTER + key)
    return replace(row, known=known, cause="sale_returned", qty=-qty, amount=-amount, fields=_turned(dict(row.fields)))


Rows = tuple[list[Contribution], list[Contribution]]


def _event(chance: Chance, about: Theme, zone: str, number: int) -> Rows:
    """One event's rows: what is stored, and what of it stands."""
    kind = chance.pick(about.kinds) if chance.often(75) else chance.pick(STATES)
    at, key = instant(chance, zone), f"k{chance.pick(range(10))}-{number}"
    qty, amount = chance.pick((1, 1, 2)), chance.pick((500, 1000, 1001, 2000))
    known = (at + chance.pick((0, 0, 0, 1, LATE)), KINDS[kind].class_, key)
    row = Contribution(kind, f"{key}#0", at, known, kind, qty, amount, _fields(chance, kind))
    stated = kind in STATES
    match chance.pick(
        ("kept", "kept", "kept", "kept", "returned", "part", "corrected", "moved", "replaced", "unnamed")
    ):
        case "returned":
            both = [row, _back(row, qty, amount, instant(chance, zone), f"r{number}")]
            return both, both
        case "part" if not stated and qty == 2:
            both = [row, _back(row, 1, amount // 2, instant(chance, zone), f"r{number}")]
            return both, both
        case "corrected" if not stated:
            back = _back(row, qty, amount, instant(chance, zone), f"c{number}")
            both = [row, back, replace(row, known=back.known, amount=amount + 500, fields=_fields(chance, kind))]
            return both, both
        case "moved" if not stated:
            back = _back(row, qty, amount, instant(chance, zone), f"c{number}")
            both = [row, back, replace(row, known=back.known, at=instant(chance, zone))]
            return both, both
        case "replaced":  # by a revision, which keeps the place of the first word
            gone = replace(row, qty=-qty, amount=-amount, fields=_turned(dict(row.fields)))
            now = replace(row, amount=amount + 500, fields=_fields(chance, kind))
            return ([row, gone, now], [now]) if now != row else ([row], [row])
        case "unnamed" if not stated:
            other = replace(
                row, line=f"u{number}#0", qty=-qty, amount=-amount, known=(at, 3, f"u{number}"),
                fields=_turned(dict(row.fields)),
            )  # fmt: skip
            return [row, other], [row, other]
    return [row], [row]


def _order(row: Contribution) -> tuple[Position, str, int]:
    return row.known, row.line, row.qty


def states(chance: Chance, policy: ast.Policy, about: Theme) -> list[State]:
    """One history, asked at one to three positions that never go back."""
    zone = policy.timezone
    stored: list[Contribution] = []
    standing: list[Contribution] = []
    for number in range(chance.pick((0, 1, 2, 4, 6, 8, 10))):
        rows, stand = _event(chance, about, zone, number)
        stored += rows
        standing += stand
    stored.sort(key=_order)
    standing.sort(key=_order)
    free = (instant(chance, zone), chance.pick((0, 1, 2, 3, 9)), chance.pick(("", "k5")))
    known = sorted({row.known for row in stored})
    asked = sorted({free, *(known[-1:] if chance.often(80) else ()), *(chance.some(known, 1) if known else ())})
    tiers = (None, *(tier.id for tier in policy.tiers))
    began = instant(chance, zone)
    history = History(tuple(stored), tuple(standing))
    found = []
    for position in asked:
        events = tuple(_happening(chance, about, tiers) for _ in range(EVENTS))
        found.append(State(history, position, min(began, position[0]), events))
    return found


def _happening(chance: Chance, about: Theme, tiers: tuple[str | None, ...]) -> Event:
    kind = chance.pick(about.kinds)
    lines = tuple(_line(chance, kind) for _ in range(chance.pick((0, 1, 1, 2, 3))))
    standing = StandingTiers(chance.pick(tiers), chance.pick(tiers), chance.pick(tiers))
    return Event(kind, lines, chance.pick(tiers), standing)


def _line(chance: Chance, kind: str) -> dict[str, object]:
    line = {name: said(chance, name) for name in fields_of(kind) if chance.often(80)}
    if line and chance.often(10):
        name = chance.pick(sorted(line))
        line[name] = chance.pick((None, "")) if FIELDS[name].type in ("text", "member") else None
    return line
