"""judging.md once more, as slow and as plain as can be: what the fold is held against.

Written from the page, not from the code: it shares nothing with tierengine, and with rules only the values of
`rules.policy`. Nothing is carried along that can be looked up again. A fact is asked of all rows at each position;
which rung an occurrence stands on is counted from the grants that stand there; what a return leaves is worked out from
the rows that are known there. Only the standing, which depends on itself, is a state.

Readings, where the page is silent:

- `keep.for: 1 month` from 31 January is valid to the end of 29 February, and renewed to the end of 31 March: the end is
  the anchor day so many months later, of all terms together, whatever length of term each version had.
- Every evaluation point, a boundary too, promotes and excludes. At the end of a grace, a lock or an assignment at which
  the condition holds, the tier is kept anew from there.
- An assigned tier is a floor until its last day, also under a higher standing or a lock, where it shows again later.
- A promotion that a return undoes restores the standing that it replaced, if that still runs and the facts say no more;
  then the promotion to that one is asked the same.
- What takes back another event's line is a return: of a sale, an attestation, a derived event.
- A confirmation and a promotion's youth are counted in days of 24 hours.
- What is judged again after a return is the amount: the lines that matched then and the class they had stay.
"""

from __future__ import annotations

import operator
from calendar import monthrange
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from rules import policy as ast

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000
NEVER = 1 << 62
JUST_AFTER = "\x01"
ORDERS = ("machine_purchase", "purchase_settled", "parts_purchase")
BEFORE_OTHERS = ("segment_set", "overdue_changed", "manager_assigned")
WORDS = ("promotion_confirmed", "tier_assigned", "tier_locked")
MEASURES = ("amount", "cash", "credit", "list")

Position = tuple[int, int, str]


# ---- the calendar ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=100_000)
def wall(zone: str, at: int) -> datetime:
    return (EPOCH + timedelta(microseconds=at)).astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def day_of(zone: str, at: int) -> date:
    return wall(zone, at).date()


def instant(zone: str, clock: datetime) -> int:
    return (clock.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=100_000)
def start_of(zone: str, day: date) -> int:
    """The first instant that is on this day, looked for by quarters of an hour."""
    guess = (datetime(day.year, day.month, day.day, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    return next(at for at in range(guess - DAY, guess + DAY, DAY // 96) if day_of(zone, at) == day)


def months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def days_later(day: date, days: int) -> date:
    return day + timedelta(days=days)


def period_of(period: str, day: date, event: str) -> str:
    return {
        "life": "life",
        "year": f"{day.year}",
        "quarter": f"{day.year}Q{(day.month + 2) // 3}",
        "month": f"{day.year}-{day.month}",
        "day": f"{day}",
        "event": event,
    }[period]


# ---- what was said, and what it contributes ----------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """An observation. `order` names the order that it makes or is about; `names` the key of the event it is about."""

    kind: str
    key: str
    at: int
    member: str = "M"
    fields: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[Mapping[str, Any], ...] = ()
    order: str = ""
    names: str = ""
    revision: int = 0

    @property
    def position(self) -> Position:
        return (self.at, 2 if self.kind in BEFORE_OTHERS else 3, self.key)


@dataclass(frozen=True)
class Row:
    kind: str
    line: str
    at: int
    known: Position
    qty: int
    amount: int
    fields: Mapping[str, Any]

    @property
    def event(self) -> str:
        return self.line.rpartition("#")[0]


Book = dict[str, list[tuple[str, Row]]]  # event key → whose rows it made known


def key_of(kind: str, order: str) -> str:
    return f"order:S1:{order}:{kind}"


def contributions(said: Iterable[Said], zone: str) -> dict[str, list[Row]]:
    """What each member's events contribute, in order of position."""
    highest: dict[str, Said] = {}
    for one in said:
        if one.key not in highest or one.revision > highest[one.key].revision:
            highest[one.key] = one
    there = {key: one for key, one in highest.items() if one.kind != "observation_cancelled"}
    gone = highest.keys() - there.keys()
    book: Book = {}
    for one in there.values():
        if one.kind == "machine_purchase":
            _purchase(book, one, there, gone, zone)
        elif one.fields.get("status", "accepted") == "submitted":
            waiting = _rows(one, one.position, {}, zone)
            book[one.key] = [(member, replace(row, kind=f"{row.kind}_submitted")) for member, row in waiting]
        elif one.kind == "parts_purchase" or not (one.names or one.order):
            book[one.key] = _rows(one, one.position, {}, zone)
    in_order = sorted(there.values(), key=lambda one: one.position)
    for one in in_order:
        bought = key_of("machine_purchase", one.order)
        if one.kind == "purchase_settled" and bought in book:
            member, row = book[bought][0]
            own = {name: value for name, value in row.fields.items() if name not in ("month", "quarter")}
            book[one.key] = _rows(replace(one, member=member, fields=own), one.position, {}, zone)
    for one in in_order:
        spoken_of = [row for given in book.values() for _, row in given if row.event == one.names]
        handed_in = [row for row in spoken_of if row.kind.endswith("_submitted")]
        if one.kind == "submission_accepted" and one.names in there and spoken_of == handed_in:
            submitted = there[one.names]
            told = {"accepted_by": one.fields["accepted_by"], "proved": one.fields.get("proved", 0)}
            known = _after(one, submitted)
            waited = [(member, replace(row, known=known, qty=-1)) for member, row in book.get(one.names, ())]
            book[one.key] = [*_rows(submitted, known, told, zone), *waited]
        if one.kind == "attestation_withdrawn" and len(spoken_of) == 1:
            member, row = book[one.names][0]
            book[one.key] = [(member, replace(row, known=_after(one, there[one.names]), qty=-1))]
    left: dict[str, dict[str, int]] = {}
    for one in in_order:
        if one.kind in ("machine_returned", "sale_returned"):
            _take_back(book, one, there, left)
    found: dict[str, list[Row]] = {}
    for member, row in sorted((given for rows in book.values() for given in rows), key=lambda item: item[1].known):
        found.setdefault(member, []).append(row)
    return found


def _after(one: Said, named: Said) -> Position:
    """Its own position, or just after what it is about, whichever is later."""
    at, class_, key = named.position
    return one.position if one.position > named.position else (at, class_, f"{key}{JUST_AFTER}{one.key}")


def _rows(one: Said, known: Position, told: Mapping[str, Any], zone: str) -> list[tuple[str, Row]]:
    day = day_of(zone, one.at)
    dated = {"month": f"{day:%Y-%m}", "quarter": f"{day.year:04d}Q{(day.month + 2) // 3}"}
    rows = []
    for number, line in enumerate(one.lines or ({},)):
        fields = {**dated, **one.fields, **told, **line}
        if one.order:
            fields["order"] = one.order
        amount = fields.get("amount", 0) if one.kind in ORDERS else 0
        if one.kind in ORDERS:
            fields |= {"credit": fields.get("credit", 0)}
            fields |= {"cash": fields.get("cash", amount - fields["credit"]), "list": fields.get("list", amount)}
        made = Row(one.kind, f"{one.key}#{number}", one.at, known, line.get("qty", 1), amount, fields)
        rows.append((one.member, made))
    return rows


def _purchase(book: Book, one: Said, there: Mapping[str, Said], gone: Collection[str], zone: str) -> None:
    told: dict[str, Any] = {"delivered_on": day_of(zone, one.at).isoformat()}
    referral = one.fields.get("referral")
    if referral is not None and referral not in there and referral not in gone:
        return  # parked
    if referral in there:
        registered = there[referral]
        told["referral_days"] = (day_of(zone, one.at) - day_of(zone, registered.at)).days
        if registered.at <= one.at:
            told |= {"referrer": registered.member, "related": int(registered.member == one.member)}
    book[one.key] = _rows(one, one.position, told, zone)


def _take_back(book: Book, one: Said, there: Mapping[str, Said], left: dict[str, dict[str, int]]) -> None:
    kinds = ("machine_purchase", "purchase_settled") if one.kind == "machine_returned" else ORDERS
    sold = [given for kind in sorted(kinds) for given in book.get(key_of(kind, one.order), ())]
    needed = ("machine_purchase",) if one.kind == "machine_returned" else ("machine_purchase", "parts_purchase")
    if not any(key_of(kind, one.order) in book for kind in needed):
        return  # parked
    taken: dict[str, dict[str, int]] = {}
    for asked in one.lines or ({},):
        named = [name for name in ("item", "category") if name in asked]
        fitting = [row for _, row in sold if all(row.fields.get(name) == asked[name] for name in named)]
        for row in fitting:
            left.setdefault(row.line, {"qty": row.qty, **{name: row.fields[name] for name in MEASURES}})
        todo = min(asked.get("qty", 1 << 60), sum(left[row.line]["qty"] for row in fitting))
        for row in fitting:
            rest, part = left[row.line], min(todo, left[row.line]["qty"])
            if part:
                whole = part == rest["qty"]
                piece = {name: rest[name] if whole else row.fields[name] * part // row.qty for name in MEASURES}
                todo -= part
                mine = taken.setdefault(row.line, {"qty": 0, **dict.fromkeys(MEASURES, 0)})
                for name, value in {"qty": part, **piece}.items():
                    mine[name] += value
                    rest[name] -= value
    for member, row in sold:
        if row.line in taken:
            piece = taken[row.line]
            back = {name: -value for name, value in piece.items() if name in row.fields}
            known = _after(one, there[row.event])
            fields = {**row.fields, **back}
            book.setdefault(one.key, []).append(
                (member, replace(row, known=known, qty=-piece["qty"], amount=-piece["amount"], fields=fields))
            )


# ---- facts, attributes, attestations -----------------------------------------------------------------------------


@lru_cache(maxsize=10_000)
def window(zone: str, asked: ast.Window, at: int, since: int) -> tuple[float, int]:
    """(from, upto]."""
    clock = wall(zone, at)

    def back(times: int) -> int:
        if asked.months:
            day = months_later(clock.date(), -asked.months * times)
        else:
            day = days_later(clock.date(), -asked.days * times)
        return instant(zone, datetime.combine(day, clock.time()))

    if asked.span == "always":
        return float("-inf"), at
    if asked.span == "since_tier":
        return min(since - 1, at), at
    if asked.span == "rolling":
        return back(1), at
    if asked.span == "preceding":
        return back(2), back(1)
    months = 12 if asked.span.endswith("year") else 3
    first = clock.date().replace(month=(clock.month - 1) // months * months + 1, day=1)
    if asked.span.startswith("this"):
        return start_of(zone, first) - 1, at
    return start_of(zone, months_later(first, -months)) - 1, start_of(zone, first) - 1


def fact(zone: str, asked: ast.Fact, rows: Sequence[Row], position: Position, since: int) -> Any:
    if asked.how == "ratio":
        over, under = (fact(zone, one, rows, position, since) for one in (asked.over, asked.under) if one is not None)
        return None if over is None or under is None or under <= 0 else Fraction(over * 10_000, under)
    start, upto = window(zone, asked.window, position[0], since if asked.window.span == "since_tier" else 0)
    chosen = [
        row
        for row in rows
        if row.kind in asked.kinds
        and row.known <= position
        and start < row.at <= upto
        and all(passes(one, row.fields) for one in asked.where)
    ]

    def stand(*identity: str) -> set[Any]:
        read = operator.attrgetter(*identity)
        return {read(row) for row in chosen if sum(one.qty for one in chosen if read(one) == read(row)) > 0}

    if asked.how == "count":
        return len(stand("line"))
    if asked.how == "quantity":
        return sum(row.qty for row in chosen)
    if asked.how == "sum":
        return sum(number(row, asked.field) for row in chosen)
    if asked.how in ("max", "min"):
        nets = [sum(number(row, asked.field) for row in chosen if row.line == line) for line in stand("line")]
        return (max if asked.how == "max" else min)(nets, default=None)
    if asked.how in ("distinct", "months_with"):
        name = "month" if asked.how == "months_with" else asked.field
        lines = stand("line")
        return len({row.fields[name] for row in chosen if row.line in lines and row.fields.get(name) is not None})
    days = [(day_of(zone, position[0]) - day_of(zone, at)).days for _, at in stand("line", "at")]
    return (max if asked.how == "days_since_first" else min)(days, default=None)


def number(row: Row, name: str) -> int:
    if name in ("", "amount"):
        return row.amount
    value = row.qty if name == "qty" else row.fields.get(name)
    return value if isinstance(value, int) else 0


def words_of(rows: Sequence[Row], position: Position, kind: str) -> list[Row]:
    """What was said by then and is not taken back, in order of its date."""
    known = [row for row in rows if row.known <= position and row.at <= position[0] and row.kind == kind]
    standing = [row for row in known if sum(one.qty for one in known if one.line == row.line) > 0 and row.qty > 0]
    return sorted(standing, key=lambda row: (row.at, row.known))


def attributes(rows: Sequence[Row], position: Position) -> dict[str, Any]:
    found = {}
    for kind, source, name in (
        ("segment_set", "segment", "segment"),
        ("overdue_changed", "overdue_days", "overdue_days"),
        ("manager_assigned", "manager", "account_manager"),
    ):
        for row in words_of(rows, position, kind):
            found[name] = row.fields.get(source)
    return found


def attested(zone: str, policy: ast.Policy, rows: Sequence[Row], position: Position) -> set[str]:
    found = set()
    for row in words_of(rows, position, "attestation"):
        trait = policy.traits.get(row.fields["trait"])
        if trait is None or trait.attested is None or row.fields["stated_role"] not in trait.attested.by:
            continue
        manager = attributes([one for one in rows if one.at <= row.at], row.known).get("account_manager")
        if trait.attested.not_own_manager and manager == row.fields["stated_by"]:
            continue
        last = months_later(day_of(zone, row.at), trait.attested.valid_months)
        if row.fields.get("valid_until"):
            last = min(last, date.fromisoformat(row.fields["valid_until"]))
        if day_of(zone, position[0]) <= last:
            found.add(trait.id)
    return found


# ---- conditions --------------------------------------------------------------------------------------------------


def compare(value: Any, how: str, wanted: Any) -> bool:
    if value is None or value == "":
        return False
    if how in ("in", "not_in"):
        return (value in wanted) == (how == "in")
    asked = {"at_least": "ge", "more_than": "gt", "at_most": "le", "less_than": "lt", "is": "eq", "is_not": "ne"}[how]
    return bool(getattr(operator, asked)(value, wanted))


def passes(test: ast.Filter, fields: Mapping[str, Any]) -> bool:
    return compare(fields.get(test.field), test.op, test.value)


@dataclass(frozen=True)
class Seen:
    """All that conditions may read at one position."""

    facts: Mapping[str, Any]
    attributes: Mapping[str, Any]
    met: frozenset[str]
    tier: str | None


def holds(condition: ast.Condition | None, seen: Seen, line: Mapping[str, Any]) -> bool:
    match condition:
        case None:
            return True
        case ast.AllOf(parts):
            return all(holds(part, seen, line) for part in parts)
        case ast.AnyOf(parts):
            return any(holds(part, seen, line) for part in parts)
        case ast.NoneOf(parts):
            return not any(holds(part, seen, line) for part in parts)
        case ast.CountOf(least, parts):
            return sum(holds(part, seen, line) for part in parts) >= least
    value = {
        "fact": lambda name: seen.facts[name],
        "attribute": seen.attributes.get,
        "field": line.get,
        "trait": lambda name: int(name in seen.met),
        "traits": lambda _: len(seen.met & set(condition.subject.of) if condition.subject.of else seen.met),
        "tier": lambda _: seen.tier,
    }[condition.subject.source](condition.subject.name)
    return compare(value, condition.op, condition.value)


# ---- a member's life ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """A standing. `anchor` and `months` say how its end was reckoned."""

    tier: str
    since: int
    until: int | None = None
    state: str = "valid"
    anchor: date = date.min
    months: int = 0


@dataclass
class Grant:
    key: str
    rule: str
    policy: ast.Policy
    amount: ast.Amount
    lines: tuple[str, ...]
    nth: int
    periods: tuple[str, ...]  # that of the ladder, then that of each cap
    judged: int
    room: int | None
    exclusive: str
    usable_from: int
    expires_at: int | None
    wanted: int


@dataclass(frozen=True)
class Sent:
    """A derived event for another member, or, with qty -1, what takes back the one that `of` made at `at`."""

    rule: str
    kind: str
    key: str
    of: str
    known: Position
    at: int
    to: str
    qty: int
    amount: int
    fields: Mapping[str, Any]

    def row(self, zone: str, giver: Mapping[str, str]) -> Row:
        """What it contributes to who is told."""
        day = day_of(zone, self.at)
        dated = {"month": f"{day:%Y-%m}", "quarter": f"{day.year:04d}Q{(day.month + 2) // 3}"}
        line, known = f"emit:{self.rule}:{self.of}#0", (self.known[0], 3, f"emit:{self.rule}:{self.key}")
        return Row(self.kind, line, self.at, known, self.qty, self.amount, {**self.fields, **dated, **giver})


@dataclass
class Life:
    """What became of a member. `stood`: (position, standing) of each change, in order."""

    stood: list[tuple[Position, Held]] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)

    def nets(self) -> dict[tuple[str, str], tuple[int, int, int | None]]:
        return {(one.key, one.rule): (one.wanted, one.usable_from, one.expires_at) for one in self.grants if one.wanted}


@dataclass
class Member:
    """One member, his rows, and what depends on what was decided about him before."""

    versions: Sequence[tuple[int, ast.Policy]]
    zone: str
    rows: Sequence[Row]
    policy: ast.Policy
    held: Held
    life: Life = field(default_factory=Life)
    before: list[tuple[Held, int]] = field(default_factory=list)  # what each promotion replaced, and when
    confirmed: dict[str, int] = field(default_factory=dict)
    floors: dict[str, int | None] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    matched: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)  # rule, period, lines

    # ---- what holds

    def seen(self, position: Position) -> tuple[Seen, list[bool], list[bool]]:
        """What conditions may read, whether each tier holds, whether he is excluded from it."""
        facts = {
            name: fact(self.zone, one, self.rows, position, self.held.since) for name, one in self.policy.facts.items()
        }
        known = attributes(self.rows, position)
        nothing = Seen(facts, known, frozenset(), None)
        word = attested(self.zone, self.policy, self.rows, position)
        met = frozenset(
            name
            for name, trait in self.policy.traits.items()
            if name in word or (trait.when is not None and holds(trait.when, nothing, {}))
        )
        seen = Seen(facts, known, met, self.held.tier)
        out = [one.unless is not None and holds(one.unless, seen, {}) for one in self.policy.tiers]
        in_ = [
            rank == 0 or (one.when is not None and holds(one.when, seen, {}) and not out[rank])
            for rank, one in enumerate(self.policy.tiers)
        ]
        return seen, in_, out

    def rank(self, tier: str) -> int:
        return next(rank for rank, one in enumerate(self.policy.tiers) if one.id == tier)

    def now_called(self, tier: str) -> str:
        names = [one.id for one in self.policy.tiers if one.id == tier]
        names += [one.id for one in self.policy.tiers if tier in one.replaces]
        return (*names, self.policy.tiers[0].id)[0]

    # ---- moving

    def stand(self, held: Held, position: Position) -> None:
        self.held = held
        self.life.stood.append((position, held))

    def kept(self, tier: ast.Tier, since: int, at: int) -> Held:
        """Kept anew from the day of `at`."""
        anchor = day_of(self.zone, at)
        return self.extended(Held(tier.id, since, None, "valid", anchor, 0), tier)

    def extended(self, held: Held, tier: ast.Tier) -> Held:
        if tier.keep is None:
            return replace(held, until=None, state="valid")
        months = held.months + tier.keep.months
        last = months_later(held.anchor, months)
        return replace(held, until=start_of(self.zone, days_later(last, 1)), state="valid", months=months)

    def highest(self, in_: list[bool], below: int) -> int:
        return max(rank for rank in range(max(below, 1)) if in_[rank])

    def fall(self, rank: int, position: Position) -> None:
        """Down to this rank, but not below a floor."""
        self.before.clear()
        floor = self.floor(position[0])
        if floor is not None and self.rank(floor) > rank:
            since = self.held.since if self.held.tier == floor else position[0]
            self.stand(Held(floor, since, self.floors[floor], "assigned"), position)
        else:
            self.stand(self.kept(self.policy.tiers[rank], position[0], position[0]), position)

    def floor(self, at: int) -> str | None:
        running = [tier for tier, until in self.floors.items() if until is None or until > at]
        return max(running, key=self.rank, default=None)

    def reachable(self, in_: list[bool], at: int) -> ast.Tier | None:
        for tier in reversed(self.policy.tiers[self.rank(self.held.tier) + 1 :]):
            word = self.confirmed.get(tier.id)
            in_time = word is not None and at <= word + tier.confirm_within_days * DAY
            if in_[self.rank(tier.id)] and (tier.promotion == "automatic" or in_time):
                return tier
        return None

    def evaluate(self, position: Position, *, returned: bool = False, ended: bool = False) -> Seen:
        """The member at an evaluation point; `ended`: it is the end of his standing's time."""
        seen, in_, out = self.seen(position)
        self.move(position, in_, out, returned=returned, ended=ended)
        return seen

    def move(self, position: Position, in_: list[bool], out: list[bool], *, returned: bool, ended: bool) -> None:
        at, held, rank = position[0], self.held, self.rank(self.held.tier)
        tier = self.policy.tiers[rank]
        if held.state == "locked" and not ended:
            return
        goal = self.reachable(in_, at)
        floor = self.floor(at)
        if goal is not None and (floor is None or self.rank(floor) <= self.rank(goal.id)):
            self.before.append((held, at))
            self.confirmed.pop(goal.id, None) if goal.promotion == "confirmed" else None
            self.stand(self.kept(goal, at, at), position)
        elif floor is not None and self.rank(floor) > rank:
            self.fall(rank, position)
        elif held.state in ("locked", "assigned"):
            if ended and in_[rank]:
                self.stand(self.kept(tier, held.since, at), position)
            elif ended:
                self.fall(self.highest(in_, rank), position)
        elif out[rank] and rank:
            self.fall(self.highest(in_, rank), position)
        elif held.state == "grace" and in_[rank]:
            self.stand(self.kept(tier, held.since, at), position)
        elif ended:
            self.ended(position, in_, out)
        elif returned and not in_[rank]:
            self.undo(position, in_, out)

    def ended(self, position: Position, in_: list[bool], out: list[bool]) -> None:
        held, rank = self.held, self.rank(self.held.tier)
        tier = self.policy.tiers[rank]
        if tier.keep is None or (held.state == "valid" and in_[rank]):
            self.stand(self.extended(held, tier), position)
        elif held.state == "valid" and tier.keep.grace_days:
            until = start_of(self.zone, days_later(day_of(self.zone, position[0]), tier.keep.grace_days))
            self.stand(replace(held, until=until, state="grace"), position)
        elif tier.keep.then == "as_facts_say":
            self.fall(self.highest(in_, rank), position)
        else:
            self.fall(max((below for below in range(rank) if not out[below] or not below), default=0), position)

    def undo(self, position: Position, in_: list[bool], out: list[bool]) -> None:
        """Take back the promotions that are young and do not hold any more, the last one first."""
        at, moved = position[0], False
        while self.before and self.held.state in ("valid", "grace"):
            rank = self.rank(self.held.tier)
            replaced, promoted_at = self.before[-1]
            young = at < promoted_at + self.policy.tiers[rank].returns_undo_days * DAY
            if in_[rank] or not young:
                break
            moved = True
            self.before.pop()
            facts_say = self.highest(in_, rank)
            back = self.rank(replaced.tier)
            running = replaced.until is None or replaced.until > at
            if back < facts_say or not running or (out[back] and back and replaced.state != "assigned"):
                self.fall(facts_say, position)
                return
            self.held = replaced
        if moved:
            held = self.held
            if held.state == "grace" and in_[self.rank(held.tier)]:
                held = self.kept(self.policy.tiers[self.rank(held.tier)], held.since, at)
            self.stand(held, position)

    # ---- what a person said

    def word(self, row: Row, position: Position) -> None:
        at, tier = position[0], row.fields["tier"]
        if tier not in [one.id for one in self.policy.tiers]:
            return
        if row.kind == "promotion_confirmed":
            self.confirmed[tier] = at
            return
        last = row.fields.get("until")
        until = None if last is None else start_of(self.zone, days_later(date.fromisoformat(last), 1))
        if until is not None and until <= at:
            return
        if row.kind == "tier_assigned":
            self.floors[tier] = until
            held, running = self.held, NEVER if self.held.until is None else self.held.until
            covered = held.tier == tier and held.state != "assigned" and running >= (NEVER if until is None else until)
            if self.rank(tier) < self.rank(held.tier) or covered:
                return
        self.before.clear()
        since = self.held.since if self.held.tier == tier else at
        self.stand(Held(tier, since, until, "assigned" if row.kind == "tier_assigned" else "locked"), position)

    # ---- points

    def version_starts(self, policy: ast.Policy, position: Position) -> None:
        self.policy = policy
        renamed = replace(self.held, tier=self.now_called(self.held.tier))
        if renamed != self.held:
            self.stand(renamed, position)
        self.before = [(replace(held, tier=self.now_called(held.tier)), at) for held, at in self.before]
        self.floors = {
            new: max(
                (end for old, end in self.floors.items() if self.now_called(old) == new), key=lambda end: end or NEVER
            )
            for new in map(self.now_called, self.floors)
        }
        self.confirmed = {
            new: max(at for old, at in self.confirmed.items() if self.now_called(old) == new)
            for new in map(self.now_called, self.confirmed)
        }
        self.orders = {order: self.now_called(tier) for order, tier in self.orders.items()}
        self.evaluate(position)

    def event(self, position: Position) -> None:
        mine = sorted((row for row in self.rows if row.known == position), key=lambda row: row.line)
        before = self.held.tier
        for row in mine:
            if row.kind in WORDS:
                self.word(row, position)
        back = [row for row in mine if row.qty < 0 and row.event != position[2]]
        returned = [row for row in back if not row.kind.endswith("_submitted")]
        seen = self.evaluate(position, returned=bool(returned))
        for key in dict.fromkeys(row.event for row in returned):
            self.take_back(key, [row for row in returned if row.event == key], position)
        for key, kind in dict.fromkeys((row.event, row.kind) for row in mine if row.qty > 0):
            earning = [row for row in mine if row.qty > 0 and (row.event, row.kind) == (key, kind)]
            self.earn(earning, before, seen, position)

    # ---- grants

    def known(self, lines: Iterable[str], position: Position) -> list[Row]:
        return [row for row in self.rows if row.line in lines and row.known <= position]

    def stands(self, lines: Iterable[str], position: Position) -> bool:
        return sum(row.qty for row in self.known(lines, position)) > 0

    def earn(self, rows: list[Row], before: str, seen: Seen, position: Position) -> None:
        key, kind, after = rows[0].event, rows[0].kind, self.held.tier
        order = key.rpartition(":")[0]
        if kind == "machine_purchase":
            self.orders[order] = after
        tiers = {"before": before, "after": after, "order": self.orders.get(order)}
        for sending in self.policy.emissions.values():
            asked = replace(seen, tier=after)
            fits = [r for r in rows if holds(sending.where, asked, r.fields) and holds(sending.when, asked, r.fields)]
            if kind in sending.on and fits and fits[0].fields.get(sending.to):
                fields = {
                    name: fits[0].fields[name] for name in sending.carries if fits[0].fields.get(name) is not None
                }
                to = fits[0].fields[sending.to]
                self.life.sent.append(
                    Sent(sending.id, sending.emits, key, key, position, position[0], to, 1, fits[0].amount, fields)
                )
        offers = []
        for place, reward in enumerate(self.policy.rewards.values()):
            asked = replace(seen, tier=tiers[reward.standing])
            if kind not in reward.on or (reward.for_tiers and asked.tier not in reward.for_tiers):
                continue
            fits = [r for r in rows if holds(reward.where, asked, r.fields) and holds(reward.when, asked, r.fields)]
            offer = self.offer(reward, fits, position) if fits else None
            if offer is not None:
                priority = reward.exclusive.priority if reward.exclusive else 0
                offers.append(((-offer.judged, priority, place), offer))
        won: set[str] = set()
        for _, offer in sorted(offers, key=lambda item: item[0]):
            if not offer.exclusive or offer.exclusive not in won:
                won.add(offer.exclusive)
                self.life.grants.append(offer)

    def offer(self, reward: ast.Reward, rows: list[Row], position: Position) -> Grant | None:
        at, key, fields, lines = position[0], rows[0].event, rows[0].fields, tuple(row.line for row in rows)
        today = day_of(self.zone, at)
        spent = sum(row.amount for row in rows)
        if (
            (reward.valid_from and today < reward.valid_from)
            or (reward.valid_until and today > reward.valid_until)
            or (reward.weekdays and today.weekday() not in reward.weekdays)
            or spent < reward.minimum_spend
        ):
            return None
        told = fields.get(reward.counted_on) if reward.counted_on else None
        day = date.fromisoformat(told) if told else today
        period = period_of(reward.period, day, key)
        if reward.counting == "all":
            counting = self.matched
            self.matched = [*counting, (reward.id, period, lines)]
        else:
            counting = [(one.rule, one.periods[0], one.lines) for one in self.life.grants]
        nth = 1 + sum(self.stands(of, position) for rule, when, of in counting if (rule, when) == (reward.id, period))
        amount = reward.amount
        while isinstance(amount, ast.ByClass):
            fitting = [inner for _, tests, inner in amount.classes if all(passes(test, fields) for test in tests)]
            amount = (*fitting, amount.otherwise)[0]
        room = None
        periods = [f"{cap.period}:{period_of(cap.period, day, key)}" for cap in reward.caps]
        for cap, name in zip(reward.caps, periods, strict=True):
            used = sum(one.wanted for one in self.life.grants if one.rule == reward.id and name in one.periods[1:])
            room = min(cap.limit - used, cap.limit if room is None else room)
        judged = worth(amount, nth, rows)
        judged = judged if room is None else min(judged, room)
        if judged <= 0:
            return None
        exclusive = ""
        if reward.exclusive and fields.get(reward.exclusive.key) is not None:
            exclusive = f"{reward.exclusive.group}|{fields[reward.exclusive.key]}"
            if any(one.exclusive == exclusive and self.stands(one.lines, position) for one in self.life.grants):
                return None
        usable = start_of(self.zone, days_later(today, reward.settle_days)) if reward.settle_days else at
        ends = self.expiry(reward.expires or self.policy.wallets[reward.wallet].expires, today)
        return Grant(
            key, reward.id, self.policy, amount, lines, nth, (period, *periods), judged, room, exclusive, usable, ends,
            wanted=judged,
        )  # fmt: skip

    def expiry(self, asked: ast.Expiry | None, day: date) -> int | None:
        if asked is None:
            return None
        last = days_later(months_later(day, asked.months + 12 * asked.years), asked.days)
        if asked.to == "month":
            last = last.replace(day=monthrange(last.year, last.month)[1])
        elif asked.to == "year":
            last = last.replace(month=12, day=31)
        return start_of(self.zone, days_later(last, 1))

    def take_back(self, key: str, rows: list[Row], position: Position) -> None:
        """What a return of these rows leaves of what their event earned."""
        touched = {row.line for row in rows}
        for one in self.life.grants:
            if one.key != key or not touched & set(one.lines):
                continue
            reward, known = one.policy.rewards[one.rule], self.known(one.lines, position)
            sold, left = sum(r.amount for r in known if r.qty > 0), sum(r.amount for r in known)
            pieces, rest = sum(r.qty for r in known if r.qty > 0), sum(r.qty for r in known)
            if not rest:
                wanted = 0
            elif reward.returns == "rejudge":
                wanted = 0 if left < reward.minimum_spend else worth(one.amount, one.nth, known)
                wanted = wanted if one.room is None else min(wanted, one.room)
            else:
                wanted = one.judged * left // sold if sold else one.judged * rest // pieces
            one.wanted = min(one.wanted, wanted)
        if rows[0].kind == "machine_purchase":
            self.orders.pop(key.rpartition(":")[0], None)
        for sent in [one for one in self.life.sent if one.of == key]:
            if [one.of for one in self.life.sent if one.rule == sent.rule].count(key) == 1:
                taken = {name: -value if name in MEASURES else value for name, value in sent.fields.items()}
                back = replace(sent, key=position[2], known=position, qty=-1, amount=-sent.amount, fields=taken)
                self.life.sent.append(back)


def worth(amount: ast.Amount, nth: int, rows: Sequence[Row]) -> int:
    if isinstance(amount, ast.Fixed):
        return amount.amount
    if isinstance(amount, ast.Ladder):
        fitting = [r.amount for r in amount.rungs if r.first <= nth and (r.last is None or nth <= r.last)]
        return (*fitting, 0)[0]
    base = max(sum(number(row, amount.base) for row in rows), 0)
    if amount.rounding == "floor":
        value = base // amount.each * amount.give
    else:
        value = (Fraction(base * amount.give, amount.each) + Fraction(1, 2)).__floor__()
    return value if amount.cap is None else min(value, amount.cap)


def live(versions: Sequence[tuple[int, ast.Policy]], zone: str, rows: Sequence[Row], end: int) -> Life:
    """A member's life up to the instant `end`, that included. `versions`: (effective from, policy), first to last."""
    events = sorted({row.known for row in rows})
    now = (events[0][0] if events else end, 0, "")
    policy = next((one for start, one in reversed(versions) if start <= now[0]), versions[0][1])
    member = Member(versions, zone, rows, policy, Held(policy.tiers[0].id, 0))
    while True:
        points = [((start, 0, ""), one) for start, one in versions[1:] if start > now[0]][:1]
        points += [(position, "event") for position in events if position > now][:1]
        if member.held.until is not None:
            points.append(((member.held.until, 1, ""), "end"))
        position, what = min(points, key=lambda point: point[0], default=((end + 1, 0, ""), None))
        if position[0] > end:
            return member.life
        if what == "event":
            member.event(position)
        elif what == "end":
            member.evaluate(position, ended=True)
        else:
            member.version_starts(what, position)
        now = max(now, position)


def lives(
    versions: Sequence[tuple[int, ast.Policy]], zone: str, said: Sequence[Said], givers: Sequence[str], end: int
) -> dict[str, Life]:
    """The life of each member; those in `givers` first, since what they do may tell something to the others."""
    rows = contributions(said, zone)
    emissions = {name: one for _, policy in versions for name, one in policy.emissions.items()}
    found: dict[str, Life] = {}
    for member in (*givers, *sorted(rows.keys() - set(givers))):
        mine = list(rows.get(member, ()))
        for giver, life in found.items():
            mine += [one.row(zone, {emissions[one.rule].giver: giver}) for one in life.sent if one.to == member]
        found[member] = live(versions, zone, sorted(mine, key=lambda row: row.known), end)
    return found
