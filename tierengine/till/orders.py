"""A till's order as it is sent: its form, and the observations that it becomes, one for each kind of event."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any, Final, Literal

from rules.vocabulary import CATEGORIES
from tierengine.errors import FormError, Malformed, pointed, unknown_fields
from tierengine.judging.bounds import ID_MOST, LINES_MOST, MONEY_MOST
from tierengine.judging.history import Observation
from tierengine.judging.observations import read_observation
from tierengine.judging.pricing import OrderLine
from tierengine.typed import type_name
from tierengine.zone import SECOND

LATE: Final = 15 * 60 * SECOND
ENVELOPE: Final = ("member", "order", "occurred_at", "store", "currency", "channel", "staff", "note")
OF_ORDER: Final = frozenset({*ENVELOPE, "lines", "credit", "prices", "quote", "slip"})
OF_LINE: Final = frozenset({"item", "category", "qty", "list", "special", "serial", "brand", "margin"})
WALLETS_MOST: Final = 20
TOKEN_MOST: Final = 8_192  # characters; a slip with twenty wallets and fifty prices has about six thousand
_KINDS: Final = tuple(dict.fromkeys(kind for _, kind in CATEGORIES.values()))


@dataclass(frozen=True, slots=True)
class Order:
    """An order that is right in form.

    drafts   one observation for each kind, still at list prices; `places` the lines of the order that each holds
    credit   wallet → fen or points, or "max"
    charged  what the till charged for each line, fen; None: it asks
    quote    the token of the quote whose prices it charged, or ""
    slip     the offline slip by which it was sold, or ""
    """

    member: str
    order: str
    occurred_at: int
    lines: tuple[OrderLine, ...]
    credit: Mapping[str, int] | Literal["max"]
    charged: tuple[int, ...] | None
    drafts: tuple[Observation, ...]
    places: tuple[tuple[int, ...], ...]
    quote: str = ""
    slip: str = ""

    def late(self, now: int) -> bool:
        """Whether it happened already and cannot be refused any more."""
        return self.occurred_at < now - LATE


def read_order(
    raw: Mapping[str, object],
    *,
    source: str,
    store: str,
    now_us: int,
    zone: tzinfo,
    late_days: int | None,
    currency: str,
) -> Order:
    """Return the order that `raw` says, or raise Malformed with everything that is wrong in its form."""
    errors: list[FormError] = []
    if not raw.keys() <= OF_ORDER:
        errors += unknown_fields(raw, OF_ORDER)
    if raw.get("member") is None:
        errors.append(FormError("/member", "missing"))
    kinds = _kinds(raw.get("lines"), errors)
    sent = raw.get("lines")
    lines: list[Any] = sent if isinstance(sent, list) else []
    drafts: list[Observation] = []
    for kind, places in kinds.items():
        said = {name: raw[name] for name in ENVELOPE if name in raw}
        said |= {"kind": kind, "lines": [{**lines[place], "amount": lines[place].get("list")} for place in places]}
        try:
            drafts.append(
                read_observation(
                    said, source=source, store=store, now_us=now_us, zone=zone, late_days=late_days, currency=currency
                )
            )
        except Malformed as problem:
            errors += [replace(error, pointer=_moved(error.pointer, places)) for error in problem.errors]
    credit = _credit(raw.get("credit"), errors)
    charged = _charged(raw.get("prices"), len(lines), errors)
    tokens = [_token(raw, name, errors) for name in ("quote", "slip")]
    if errors:
        raise Malformed({(error.pointer, error.code): error for error in errors}.values())
    order_lines: list[OrderLine] = [OrderLine("", "", 1, 0)] * len(lines)
    for draft, places in zip(drafts, kinds.values(), strict=True):
        for place, line in zip(places, said_lines(draft), strict=True):
            order_lines[place] = _order_line(line)
    first = drafts[0]
    return Order(
        first.member,
        str(first.fields["order"]),
        first.occurred_at,
        tuple(order_lines),
        credit,
        charged,
        # (What was written of the order is kept once.)
        (first, *(replace(one, texts={}) if one.texts else one for one in drafts[1:])),
        tuple(tuple(places) for places in kinds.values()),
        *tokens,
    )


def _kinds(lines: object, errors: list[FormError]) -> dict[str, list[int]]:
    """Return the places of the lines by the kind of event that they become."""
    found: dict[str, list[int]] = {}
    if not isinstance(lines, list) or not 1 <= len(lines) <= LINES_MOST:
        # One reader says what is wrong with such lines, as with any observation's.
        errors.append(
            FormError("/lines", "missing")
            if lines is None
            else FormError("/lines", "wrong_type", {"expected": "list", "got": type_name(lines)})
            if not isinstance(lines, list)
            else FormError("/lines", "out_of_range", {"least": 1, "most": LINES_MOST})
        )
        return found
    for place, line in enumerate(lines):
        if not isinstance(line, dict):
            errors.append(FormError(f"/lines/{place}", "wrong_type", {"expected": "object", "got": type_name(line)}))
            continue
        if not line.keys() <= OF_LINE:
            errors += unknown_fields(line, OF_LINE, f"/lines/{place}")
        errors += [
            FormError(f"/lines/{place}/{name}", "missing") for name in ("item", "list") if _blank(line.get(name))
        ]
        category = line.get("category")
        if not isinstance(category, str) or category not in CATEGORIES:
            known = ", ".join(CATEGORIES)
            missing = FormError(f"/lines/{place}/category", "missing")
            errors.append(
                missing if category is None else replace(missing, code="not_one_of", details={"expected": known})
            )
            continue
        found.setdefault(CATEGORIES[category][1], []).append(place)
    # Always in the same order, whatever the order of the lines: equal orders are equal content.
    return {kind: found[kind] for kind in _KINDS if kind in found}


def _blank(value: object) -> bool:
    """Whether nothing is there, as whoever reads single values sees it."""
    return value is None or (isinstance(value, str) and not value.strip())


def _credit(raw: object, errors: list[FormError]) -> dict[str, int] | Literal["max"]:
    if raw is None:
        return {}
    if raw == "max":
        return "max"
    if not isinstance(raw, dict):
        errors.append(FormError("/credit", "wrong_type", {"expected": "object, max", "got": type_name(raw)}))
        return {}
    if len(raw) > WALLETS_MOST:
        errors.append(FormError("/credit", "too_long", {"most": WALLETS_MOST, "got": len(raw)}))
        return {}
    found: dict[str, int] = {}
    for wallet, amount in raw.items():
        pointer = f"/credit/{pointed(wallet)}"
        if isinstance(amount, bool) or not isinstance(amount, int):
            errors.append(FormError(pointer, "wrong_type", {"expected": "integer", "got": type_name(amount)}))
        elif not 0 <= amount <= MONEY_MOST:
            errors.append(FormError(pointer, "out_of_range", {"least": 0, "most": MONEY_MOST}))
        elif (name := _wallet(wallet)) is None or name in found:
            errors.append(FormError(pointer, "bad_id"))
        elif amount:
            found[name] = amount
    return found


def _wallet(text: str) -> str | None:
    """Return a wallet's id as it is kept; one that there is not is told with those that there are. None: no id."""
    name = text if text.isascii() else unicodedata.normalize("NFKC", text)
    name = name.strip()
    return name if len(name) <= ID_MOST and name.isidentifier() else None


def _charged(raw: object, lines: int, errors: list[FormError]) -> tuple[int, ...] | None:
    if raw is None:
        return None
    if not isinstance(raw, list) or len(raw) != lines:
        got = f"list of {len(raw)}" if isinstance(raw, list) else type_name(raw)
        errors.append(FormError("/prices", "wrong_type", {"expected": f"list of {lines}", "got": got}))
        return None
    for place, amount in enumerate(raw):
        if isinstance(amount, bool) or not isinstance(amount, int):
            errors.append(
                FormError(f"/prices/{place}", "wrong_type", {"expected": "integer", "got": type_name(amount)})
            )
        elif not 0 <= amount <= MONEY_MOST:
            errors.append(FormError(f"/prices/{place}", "out_of_range", {"least": 0, "most": MONEY_MOST}))
    return tuple(raw)


def _token(raw: Mapping[str, object], name: str, errors: list[FormError]) -> str:
    token = raw.get(name)
    if token is None or token == "":
        return ""
    if not isinstance(token, str):
        errors.append(FormError(f"/{name}", "wrong_type", {"expected": "text", "got": type_name(token)}))
        return ""
    if len(token) > TOKEN_MOST:
        errors.append(FormError(f"/{name}", "too_long", {"most": TOKEN_MOST, "got": len(token)}))
    return token


def _order_line(line: Mapping[str, Any]) -> OrderLine:
    return OrderLine(
        item=line["item"],
        category=line["category"],
        qty=line.get("qty", 1),
        list=line["list"],
        special=bool(line.get("special", 0)),
        serial=line.get("serial", ""),
        brand=line.get("brand", ""),
        margin=line.get("margin"),
    )


def said_lines(draft: Observation) -> Sequence[Mapping[str, Any]]:
    """Return the lines of one of an order's observations."""
    lines = draft.fields["lines"]
    return lines if isinstance(lines, tuple) else ()


def _moved(pointer: str, places: Sequence[int]) -> str:
    """Return a pointer into the order for one into the observation that holds the lines at `places`."""
    parts = pointer.split("/")
    if len(parts) > 2 and parts[1] == "lines" and parts[2].isdigit():
        parts[2] = str(places[int(parts[2])])
        if parts[-1] == "amount":
            parts[-1] = "list"
    return "/".join(parts)
