"""What was said, and the rows that it makes known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.model.dates import day_of

JUST_AFTER = "\x01"
ORDERS = ("machine_purchase", "purchase_settled", "parts_purchase")
BEFORE_OTHERS = ("segment_set", "overdue_changed", "manager_assigned", "members_merged")
MEASURES = ("amount", "cash", "credit", "list")
Position = tuple[int, int, str]


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


def number(row: Row, name: str) -> int:
    if name in ("", "amount"):
        return row.amount
    value = row.qty if name == "qty" else row.fields.get(name)
    return value if isinstance(value, int) else 0
