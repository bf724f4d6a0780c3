"""Returns: each takes its pieces off the lines of its sale, in proportion, and the last one all that is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rules.vocabulary import KINDS
from tierengine.judging.history import Contribution, Position, Scalar
from tierengine.judging.netting import MEASURES, whole
from tierengine.judging.recorded import Cancels, Flag, Recorded, Waits, after, just_after, kinds_named

RETURNS = {"machine_returned": frozenset({"machine_purchase", "purchase_settled"}), "sale_returned": frozenset(KINDS)}
_PIECES = "#"  # among the measures of a piece, how many pieces it is: the name of no field


@dataclass(slots=True)
class _Left:
    """What is left of a line of a sale."""

    member: str
    sold: Contribution
    qty: int
    measures: dict[str, int]


@dataclass(slots=True)
class Returns:
    """What returns take off the sales that stand, and what is left of those."""

    standing: Mapping[str, Recorded]
    cancelled: Collection[str]
    given: dict[str, list[tuple[str, Contribution]]]
    parked: dict[str, Waits]
    flags: list[Flag]
    left: dict[str, _Left] = field(default_factory=dict)

    def take_back(self, event: Recorded) -> None:
        """Take what a return says off the lines of its sale, in the order of the returns; or park it."""
        said = event.observation
        named_kinds, kinds = kinds_named(event), RETURNS[said.kind]
        keys = [f"{said.cluster}:{kind}" for kind in sorted(KINDS) if kind in kinds and KINDS[kind].by_order]
        sold = [key for key in keys if key in self.given]
        if not any(self.standing[key].kind.id in named_kinds for key in sold):
            self.parked[event.key] = self._no_sale(event, keys)
            return
        lines = []
        for member, line in (given for key in sold for given in self.given[key]):
            lines.append(self.left.setdefault(line.line, _Left(member, line, line.qty, _measures(line))))
        self._compare(event, lines)
        taken: dict[str, Counter[str]] = {}
        wanted = said.fields.get("lines") or ({},)
        for asked in wanted if isinstance(wanted, tuple) else ():
            if cut := self._take(asked, lines, taken):
                self.flags.append(Flag(event.key, cut))
        for name, measures in taken.items():
            sale = self.left[name]
            known = after(event, self.standing[sale.sold.event_key])
            back = _negative(sale.sold, measures, known, said.kind)
            self.given.setdefault(event.key, []).append((sale.member, back))

    def cancel(self, returned: Sequence[Recorded], cancels: Cancels) -> None:
        """Move what takes back a whole order to just after it was sold, where such a return is a cancellation.

        Whatever comes later then finds the order gone, and nothing was ever decided on it in between.
        """
        open_ = {line.sold.event_key.rpartition(":")[0] for line in self.left.values() if line.qty > 0}
        back: dict[str, list[Recorded]] = {}
        for event in returned:
            if event.key in self.given:
                back.setdefault(event.observation.cluster, []).append(event)
        for cluster, events in back.items():
            if cluster in open_ or not cancels(max(event.position for event in events)[0]):
                continue
            for event in events:
                self.given[event.key] = [
                    (member, replace(line, known=just_after(event, self.standing[line.event_key])))
                    for member, line in self.given[event.key]
                ]

    def _compare(self, event: Recorded, lines: Sequence[_Left]) -> None:
        """Flag a return that says another member or serial number than its sale; the order's number is what counts."""
        serial = event.observation.fields.get("serial")
        if serial is not None and all(line.sold.fields.get("serial") not in (None, serial) for line in lines):
            self.flags.append(Flag(event.key, "serial_differs"))
        if event.member is not None and any(event.member != line.member for line in lines):
            self.flags.append(Flag(event.key, "other_member"))

    @staticmethod
    def _take(asked: Mapping[str, Scalar], lines: list[_Left], taken: dict[str, Counter[str]]) -> str:
        """Take what one line of a return asks for; returns the flag of what was not left to take, or ""."""
        where = [(name, asked[name]) for name in ("item", "category") if name in asked]
        matching = [line for line in lines if line.qty > 0 and all(line.sold.fields.get(k) == v for k, v in where)]
        there = sum(line.qty for line in matching)
        qty = asked.get("qty", there)
        wanted = whole(qty)
        todo, stated = min(wanted, there), asked.get("amount")
        total = 0
        for line in matching:
            if not todo:
                break
            part = min(todo, line.qty)
            # A stated amount is spread over the pieces by quantity; the last one takes what is left of it.
            money = None if not isinstance(stated, int) else stated * part // todo
            stated = None if money is None or not isinstance(stated, int) else stated - money
            todo -= part
            piece = _piece(line, part, money)
            mine = taken.setdefault(line.sold.line, Counter())
            mine.update({**piece, _PIECES: part})
            for name, value in piece.items():
                line.measures[name] -= value
            line.qty -= part
            total += piece["amount"]
        if wanted > there or not there:
            return "beyond_sold"
        said = asked.get("amount")
        return "amount_cut" if isinstance(said, int) and said > total else ""

    def _no_sale(self, event: Recorded, keys: Sequence[str]) -> Waits:
        """Say what a return waits for: what its sale waits for, or the sale."""
        waiting = [self.parked[key] for key in keys if key in self.parked]
        if waiting:
            return waiting[0]
        cluster, kinds = event.observation.cluster, kinds_named(event)
        key = f"{cluster}:{kinds[0]}" if len(kinds) == 1 else cluster
        gone = any(f"{cluster}:{kind}" in self.cancelled for kind in kinds)
        return Waits(key, "cancelled" if gone else "not_here")


def _measures(line: Contribution) -> dict[str, int]:
    return {name: value for name, value in line.fields.items() if name in MEASURES and isinstance(value, int)}


def _piece(line: _Left, part: int, stated: int | None) -> dict[str, int]:
    """Return what `part` of the quantity takes of each measure: floored shares, and the last piece all that is left."""
    if part == line.qty:
        return dict(line.measures)
    sold, left = line.sold, line.measures
    piece = {name: whole(sold.fields[name]) * part // sold.qty for name in left}
    if stated is not None:
        piece["amount"] = stated
    piece = {name: min(value, left[name]) for name, value in piece.items()}
    if left["cash"] + left["credit"] == left["amount"]:  # what came back was paid by the one or by the other
        piece["cash"] = min(max(piece["amount"] - piece["credit"], 0), left["cash"])
        piece["credit"] = piece["amount"] - piece["cash"]
    return piece


def _negative(sold: Contribution, measures: Mapping[str, int], known: Position, cause: str) -> Contribution:
    """Return the row that takes the measures off a line of a sale, counted at the sale's own date."""
    fields = {**sold.fields, **{name: -value for name, value in measures.items() if name in sold.fields}}
    return replace(sold, known=known, cause=cause, fields=fields, qty=-measures[_PIECES], amount=-measures["amount"])
