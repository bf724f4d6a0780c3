"""What an order's lines came to, in words that a till prints: as they were sold, and as they came back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rules.vocabulary import KINDS
from tierengine.judging.history import Contribution
from tierengine.judging.netting import MEASURES
from tierengine.judging.returns import RETURNS

SUMS: Final = ("list", "amount", "credit", "cash")
# (What is told of an order later, that it was settled, goes with it and sold nothing.)
_SOLD: Final = frozenset(kind for _, kinds in KINDS["sale_returned"].names for kind in kinds)
_SAID: Final = ("item", "category", "qty", *SUMS)


def booked_line(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line as JSON, in fen; `amount` = `credit` + `cash`."""
    amount, credit = fields.get("amount", 0), fields.get("credit", 0)
    # (A nightly file that told it first may have left out what goes without saying.)
    implied = {"qty": 1, "list": amount, "credit": 0, "cash": amount - credit}
    return {name: fields.get(name, implied.get(name, 0)) for name in _SAID}


def given_back(rows: Iterable[Contribution]) -> list[dict[str, Any]]:
    """Return the lines that returns among these rows take back, those of one kind as they were sold.

    `cash` is what the customer is handed; what credit had paid goes back to his wallet. Numbers are positive.
    """
    found = []
    back = (one for one in rows if one.cause in RETURNS and one.qty < 0 and one.kind in _SOLD)
    for row in sorted(back, key=_as_sold):
        said = {name: -value if name in MEASURES else value for name, value in row.fields.items()}  # type: ignore[operator]
        line = booked_line({**said, "qty": -row.qty, "amount": -row.amount})
        if not line["item"]:  # a machine
            line["item"], line["category"] = str(row.fields.get("serial", "")), row.kind
        found.append(line)
    return found


def totals(lines: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return the sums of lines, in fen."""
    rows = list(lines)
    return {name: sum(line[name] for line in rows) for name in SUMS}


def _as_sold(row: Contribution) -> tuple[str, int]:
    key, _, place = row.line.rpartition("#")
    return key, int(place)
