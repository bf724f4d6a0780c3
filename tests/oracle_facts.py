"""Facts once more, straight from judging.md, as slow and as plain as can be: what both evaluators are held against.

Nothing is shared with tierengine but the plain values. Everything is looked at again for each fact and position.
"""

import operator
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from rules.vocabulary import ATTRIBUTES, FIELDS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FLEET = ("machine_registered", "machine_purchase", "machine_disposed")
COMPARE = {
    "at_least": lambda a, b: a >= b,
    "more_than": lambda a, b: a > b,
    "at_most": lambda a, b: a <= b,
    "less_than": lambda a, b: a < b,
    "is": lambda a, b: a == b,
    "is_not": lambda a, b: a != b,
    "in": lambda a, b: a in b,
    "not_in": lambda a, b: a not in b,
}


def local(zone: ZoneInfo, at: int) -> datetime:
    return (EPOCH + timedelta(microseconds=at)).astimezone(zone).replace(tzinfo=None, fold=0)


def instant(zone: ZoneInfo, wall: datetime) -> int:
    return (wall.replace(tzinfo=zone).astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


def months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def bounds(zone: ZoneInfo, window, at: int, since: int) -> tuple[float, float]:
    """(from, upto] of a window."""
    wall = local(zone, at)

    def back(times: int) -> int:
        if window.months:
            day = months_later(wall.date(), -window.months * times)
        else:
            day = wall.date() - timedelta(days=window.days * times)
        return instant(zone, datetime.combine(day, wall.time()))

    def calendar(months: int, spans_ago: int) -> int:
        first = wall.date().replace(month=(wall.month - 1) // months * months + 1, day=1)
        return instant(zone, datetime.combine(months_later(first, -spans_ago * months), datetime.min.time())) - 1

    match window.span:
        case "always":
            return float("-inf"), at
        case "since_tier":
            return since - 1, at
        case "rolling":
            return back(1), at
        case "preceding":
            return back(2), back(1)
    months = next(number for unit, number in (("year", 12), ("quarter", 3), ("month", 1)) if window.span.endswith(unit))
    return (calendar(months, 0), at) if window.span.startswith("this") else (calendar(months, 1), calendar(months, 0))


def net_field(name: str) -> bool:
    return name in ("qty", "amount", "days") or (name in FIELDS and FIELDS[name].type == "money")


def read(row, name: str):
    return {"qty": row.qty, "amount": row.amount, "kind": row.kind}.get(name, row.fields.get(name))


def passes(filter_, value) -> bool:
    if value is None:
        return False
    wanted = filter_.value
    if name_is_date(filter_.field):
        value = date.fromisoformat(value).toordinal()
    return COMPARE[filter_.op](value, wanted)


def name_is_date(name: str) -> bool:
    return name in FIELDS and FIELDS[name].type == "date"


def standing(rows, unit):
    """The units (of lines) whose quantities sum above 0."""
    return {one for one in map(unit, rows) if sum(row.qty for row in rows if unit(row) == one) > 0}


def net(rows, line: str, name: str):
    saying = [row for row in rows if row.line == line and read(row, name) is not None]
    there = name in ("qty", "amount") or sum(row.qty for row in saying) > 0
    return sum(read(row, name) for row in saying) if there else None


def fact(asked, history, position, since: int, zone: ZoneInfo, ratio=operator.floordiv):  # noqa: PLR0911
    """One fact; `ratio` divides, so that Fraction keeps what is lost by whole basis points."""
    at = position[0]
    if asked.how == "ratio":
        # A ratio inside a ratio is in whole basis points already.
        over = fact(asked.over, history, position, since, zone)
        under = fact(asked.under, history, position, since, zone)
        return None if over is None or under is None or under <= 0 else ratio(over * 10_000, under)
    if asked.how in ("years_since", "days_since"):
        day = attributes(history, position, zone).get(asked.field)
        return None if day is None else passed(asked.how, date.fromordinal(day), local(zone, at).date())
    if asked.how.endswith("_to_anniversary"):
        day = attributes(history, position, zone).get(asked.field)
        return None if day is None else ahead(asked.how, date.fromordinal(day), local(zone, at).date())
    start, upto = bounds(zone, asked.window, at, since)
    if asked.how == "fleet":
        return sum(
            all(passes(one, machine.get(one.field)) for one in asked.where)
            and (
                asked.window.span == "always" or any(start < end and begin <= upto for begin, end in [machine["seen"]])
            )
            for machine in fleet(history, position, zone)
        )
    rows = [
        row
        for row in history
        if row.known <= position
        and start < row.at <= upto
        and row.kind.removesuffix("_submitted") in asked.kinds
        and status_passes(asked, row)
        and all(passes(one, read(row, one.field)) for one in described(asked))
    ]
    passing = {
        row.line
        for row in rows
        if all(passes(one, net(rows, row.line, one.field)) for one in asked.where if net_field(one.field))
    }
    if asked.how == "distinct" and net_field(asked.field):
        lines = standing(rows, lambda row: row.line) & passing
        return len({net(rows, line, asked.field) for line in lines} - {None})
    if asked.how in ("distinct", "months_with"):
        name = "month" if asked.how == "months_with" else asked.field
        return len({value for _, value in valued(rows, name, asked)})
    if asked.field in FIELDS and FIELDS[asked.field].type in ("int", "bool") and not net_field(asked.field):
        numbers = [number for _, number in valued(rows, asked.field, asked)]
        if asked.how == "sum":
            return sum(numbers)
        choose = max if asked.how == "max" else min
        return choose(numbers, default=None)
    if "_since_" in asked.how:
        instants = [moment for line, moment in moments(rows, asked)]
        if not instants:
            return None
        chosen = min(instants) if asked.how.endswith("first") else max(instants)
        return passed(asked.how, local(zone, chosen).date(), local(zone, at).date())
    if asked.how == "quantity":
        return sum(row.qty for row in rows if row.line in passing)
    if asked.how == "sum":
        return sum(read(row, asked.field) or 0 for row in rows if row.line in passing)
    lines = standing(rows, lambda row: row.line) & passing
    if asked.how == "count":
        return len(lines)
    nets = [number for line in lines if (number := net(rows, line, asked.field)) is not None]
    if not nets:
        return None
    return max(nets) if asked.how == "max" else min(nets)


def described(asked) -> list:
    """The filters on what describes a row: neither on what a line nets, nor on the status."""
    return [one for one in asked.where if not net_field(one.field) and one.field != "status"]


def status_passes(asked, row) -> bool:
    """What is handed in counts once it is accepted, unless the fact says which it wants; anything else was accepted."""
    status = "submitted" if row.kind.endswith("_submitted") else "accepted"
    said = [one for one in asked.where if one.field == "status"]
    return all(passes(one, status) for one in said) if said else status == "accepted"


def valued(rows, name: str, asked):
    """The standing (line, value), each asked the filters on what it nets."""
    units = {(row.line, read(row, name)) for row in rows if read(row, name) is not None}
    return {unit for unit in units if stands([r for r in rows if (r.line, read(r, name)) == unit], asked)}


def moments(rows, asked):
    units = {(row.line, row.at) for row in rows}
    return {unit for unit in units if stands([row for row in rows if (row.line, row.at) == unit], asked)}


def stands(rows, asked) -> bool:
    nets = [one for one in asked.where if net_field(one.field)]
    return sum(row.qty for row in rows) > 0 and all(passes(one, net(rows, rows[0].line, one.field)) for one in nets)


def facts(policy, history, position, since: int, ratio=operator.floordiv):
    zone = ZoneInfo(policy.timezone)
    return {name: fact(one, history, position, since, zone, ratio) for name, one in policy.facts.items()}


def passed(how: str, start: date, end: date) -> int:
    return (end - start).days if how.startswith("days") else whole_years(start, end)


def ahead(how: str, start: date, today: date) -> int:
    """Days, or turns of the month, until the anniversary comes next: tried one after the other."""
    if how.startswith("months"):
        return next(turns for turns in range(12) if months_later(today.replace(day=1), turns).month == start.month)
    days = ((today + timedelta(days=number), number) for number in range(400))
    return next(number for day, number in days if day == months_later(start, 12 * (day.year - start.year)))


def whole_years(start: date, end: date) -> int:
    years = end.year - start.year
    return years if months_later(start, 12 * years) <= end else years - 1


# ---- states ------------------------------------------------------------------------------------------------------


def said(history, position, kinds):
    """The last word of each line that stands, in order."""
    rows = [row for row in history if row.known <= position and row.at <= position[0] and row.kind in kinds]
    lines = standing(rows, lambda row: row.line)
    last = {row.line: row for row in sorted(rows, key=lambda row: row.known) if row.qty > 0}
    return sorted((row for line, row in last.items() if line in lines), key=lambda row: (row.at, row.known))


def attributes(history, position, zone: ZoneInfo):
    found = {}
    for item in ATTRIBUTES.values():
        kind, field = item.set_by
        for row in said(history, position, (kind,)):
            if kind == "attribute_changed" and row.fields.get("name") != item.id:
                continue
            value = row.fields.get(field) if field else local(zone, row.at).date().isoformat()
            if item.type == "date" and value is not None:
                value = date.fromisoformat(value).toordinal()
            found[item.id] = value
    for row in said(history, position, ("link_set", "link_ended")):
        name = f"linked:{row.fields.get('linked')}"
        found.pop(name, None)
        if row.kind == "link_set":
            found[name] = row.fields.get("relation")
    return found


def fleet(history, position, zone: ZoneInfo):
    machines = {}
    for row in said(history, position, FLEET):
        key = row.fields.get("serial") or row.line
        if row.kind == "machine_disposed" or row.fields.get("tenure") == "rented":
            machines.pop(key, None)
            continue
        day = row.fields.get("checked_at" if row.kind == "machine_registered" else "delivered_on")
        if day:
            start = datetime.fromisoformat(day)
            seen = (instant(zone, start), instant(zone, start + timedelta(days=1)) - 1)
        else:
            seen = (row.at, row.at)
        before = machines.get(key, {"seen": seen})
        stated = {name: value for name, value in row.fields.items() if value is not None}
        # Of two sightings that end at one instant the last word counts.
        last = seen if seen[1] >= before["seen"][1] else before["seen"]
        machines[key] = {**before, **stated, "seen": last}
    return machines.values()


def attested(policy, history, position):
    zone = ZoneInfo(policy.timezone)
    today = local(zone, position[0]).date()
    found = set()
    for row in said(history, position, ("attestation",)):
        words = row.fields
        trait = policy.traits.get(words["trait"])
        terms = trait.attested if trait else None
        if terms is None:
            continue
        manager = attributes([one for one in history if one.at <= row.at], row.known, zone).get("account_manager")
        second = words.get("countersigned_by")
        ends = [months_later(local(zone, row.at).date(), terms.valid_months)]
        if words.get("valid_until"):
            ends.append(date.fromisoformat(words["valid_until"]))
        if (
            words["stated_role"] in terms.by
            and (
                not terms.countersigned_by
                or (
                    words.get("countersigned_role") in terms.countersigned_by
                    and second not in (None, words["stated_by"])
                )
            )
            and not (terms.not_own_manager and manager == words["stated_by"])
            and today <= min(ends)
        ):
            found.add(trait.id)
            if trait.degrees:
                known = [one.id for one in trait.degrees]
                stated = words.get("degree")
                found.add(f"{trait.id}.{stated if stated in known else known[0]}")
    return frozenset(found)
