"""The section `prices`: what goods cost whom."""

from __future__ import annotations

from typing import Final, Literal, cast

from rules import values
from rules.conditions import NOTHING, Scope, read_condition, unmarked
from rules.desk import Desk, bare
from rules.lanes import read_lane, read_least
from rules.nodes import Form
from rules.policy import Condition, Free, Price
from rules.source import Entries, Node
from rules.values import plain
from rules.vocabulary import KINDS
from rules.wallets import read_dates, read_weekdays

_PAID: Final = ("pay", "off", "fixed", "less", "free")
_KEYS: Final = (
    "title", "for", "level", "where", "when", *_PAID, "rounding", "rounded_per", "lane", "priority", "not_with",
    "beside", "minimum_order", "minimum_quantity", "maximum_quantity", "line_cap", "order_cap", "from", "until",
    "weekdays",
)  # fmt: skip
SALES: Final = tuple(kind.id for kind in KINDS.values() if kind.by_order and kind.id != "purchase_settled")
"""The kinds of event whose lines have prices."""


def define_prices(desk: Desk, node: Node | None) -> None:
    """Remember the ids of the prices before anything names one."""
    for written, value in node.pairs if isinstance(node, Entries) else ():
        desk.define("prices", bare(written.text), written.mark, value)


def read_prices(desk: Desk, node: Node | None) -> dict[str, Price]:
    """Read the prices."""
    prices: dict[str, Price] = {}
    for name, written, value in desk.named(node, "prices"):
        form = desk.form(value, f"prices.{name}", _KEYS, ("where",))
        found = _paid(desk, form) if isinstance(value, Entries) else {}
        lane, priority = read_lane(desk, form)
        rounding = _rounding(desk, form, share=found.get("pay_bp") is not None)
        begins, ends = read_dates(desk, form)
        scope = Scope(kinds=SALES, fields=True, partly=True)
        prices[name] = Price(
            id=name,
            title=desk.title(form, name, written),
            for_tiers=desk.references("tiers", form.get("for"), form.path("for")),
            where=read_condition(desk, form.get("where"), form.path("where"), scope) or NOTHING,
            pay_bp=found.get("pay_bp"),
            fixed=found.get("fixed"),
            less=found.get("less"),
            less_each=found.get("less_each", 0),
            less_pieces=found.get("less_pieces", 0),
            free=Free(found["each"], found["pieces"]) if "pieces" in found else None,
            rounding=rounding[0],
            rounded_per=rounding[1],
            for_levels=desk.references("levels", form.get("level"), form.path("level")),
            when=read_condition(desk, form.get("when"), form.path("when"), Scope()),
            weekdays=read_weekdays(desk, form),
            lane=lane,
            priority=priority,
            not_with=_others(desk, form, name),
            beside=read_condition(desk, form.get("beside"), form.path("beside"), scope),
            minimum_order=read_least(desk, form, "minimum_order"),
            minimum_quantity=read_least(desk, form, "minimum_quantity"),
            maximum_quantity=_most_pieces(desk, form, found),
            line_cap=_cap(desk, form, "line_cap"),
            order_cap=_cap(desk, form, "order_cap"),
            valid_from=begins,
            valid_until=ends,
            mark=written.mark,
        )
    _shadowed(desk, prices)
    return prices


def _cap(desk: Desk, form: Form, key: str) -> int | None:
    return desk.money(form.get(key), form.path(key)) if key in form else None


def _most_pieces(desk: Desk, form: Form, found: dict[str, int]) -> int | None:
    """Read how many pieces of an order get the price; it says nothing of what is taken off the order as a whole."""
    if "maximum_quantity" not in form:
        return None
    if found.get("less") and not found.get("less_pieces"):
        desk.without_effect(form, "maximum_quantity")
    return desk.integer(form.get("maximum_quantity"), form.path("maximum_quantity"), 1, low=1)


def _others(desk: Desk, form: Form, name: str) -> tuple[str, ...]:
    """Read the prices that this one does not go with; with itself none does."""
    found = desk.references("prices", form.get("not_with"), form.path("not_with"))
    if name in found:
        desk.without_effect(form, "not_with")
    return tuple(other for other in found if other != name)


def _paid(desk: Desk, form: Form) -> dict[str, int]:
    """Read what is charged, as the fields of `Price` that say so."""
    which = desk.one_of(form, _PAID)
    node, path = form.get(which) if which else None, form.path(which)
    match which:
        case "fixed":
            return {"fixed": desk.money(node, path)}
        case "less":
            return _less(desk, node, path)
        case "free":
            return _free(desk, node, path)
        case "pay":
            paid = desk.value(node, path, values.share_paid, 10_000)
        case "off":
            paid = 10_000 - desk.value(node, path, _taken_off, 0)
        case _:
            return {}
    if paid < 5_000 and node is not None:
        desk.note("P509", node, f"{paid / 100:g}%", about=path)
    return {"pay_bp": paid}


def _less(desk: Desk, node: Node | None, about: str) -> dict[str, int]:
    """Read `200 CNY` off the order, `{give: 200 CNY, each: 3000 CNY}` off every full 3000, `pieces: 2` off each two."""
    if not isinstance(node, Entries):
        return {"less": desk.money(node, about, 1, low=1)}
    form = desk.form(node, about, ("give", "each", "pieces"), ("give",))
    if desk.one_of(form, ("each", "pieces")) == "pieces":
        less = desk.money(form.get("give"), form.path("give"), 1, low=1)
        return {"less": less, "less_pieces": desk.integer(form.get("pieces"), form.path("pieces"), 1, low=1)}
    each = desk.money(form.get("each"), form.path("each"), 1, low=1)
    less = desk.money(form.get("give"), form.path("give"), 1, low=1)
    if less > each:
        desk.note("P512", form.get("give") or node, str(less), (str(each),), about)
    return {"less": less, "less_each": each}


def _free(desk: Desk, node: Node | None, about: str) -> dict[str, int]:
    """Read `{each: 11, give: 1}`: of every full eleven pieces one is not charged (buy ten, get one)."""
    form = desk.form(node, about, ("give", "each"), ("give", "each"))
    each = desk.integer(form.get("each"), form.path("each"), 1, low=1)
    pieces = desk.integer(form.get("give"), form.path("give"), 1, low=1)
    if pieces > each:
        desk.note("P512", form.get("give") or form.mark, str(pieces), (str(each),), about)
    return {"each": each, "pieces": pieces}


def _rounding(
    desk: Desk, form: Form, *, share: bool
) -> tuple[Literal["half_up", "floor"], Literal["line", "whole_order"]]:
    if not share:
        desk.without_effect(form, "rounding", "rounded_per")
    word = desk.word(form.get("rounding"), form.path("rounding"), ("half_up", "floor"), "half_up")
    per = desk.word(form.get("rounded_per"), form.path("rounded_per"), ("line", "whole_order"), "line")
    return cast("Literal['half_up', 'floor']", word), cast("Literal['line', 'whole_order']", per)


def _taken_off(text: str) -> int:
    clean = plain(text)
    if clean.endswith("折"):
        raise values.Refused("P309")
    off = values.percent(clean)
    if not 0 < off < 10_000:
        raise values.Refused("P507")
    if off >= 5_000:
        # Who means to pay 95 % writes it here more often than he who takes 95 % off. What is paid is never doubtful.
        paid, rest = f"{off / 100:g}%", f"{(10_000 - off) / 100:g}%"
        raise values.Refused("P309", f"pay: {paid}", f"pay: {rest}", zh=(f"实付: {paid}", f"实付: {rest}"))
    return off


def _shadowed(desk: Desk, prices: dict[str, Price]) -> None:
    """Of two prices that compete for the same lines and members the dearer never wins, and of two alike the later."""
    rivals: dict[tuple[str, int, Condition], list[Price]] = {}
    for price in prices.values():
        if price.pay_bp:
            rivals.setdefault((price.lane, price.priority, unmarked(price.where)), []).append(price)
    for group in rivals.values():
        unlimited = [one for one in group if _unlimited(one)]
        seen: set[str] = set()
        for price in group:
            for other in unlimited:
                wide = not other.for_tiers or (price.for_tiers and set(other.for_tiers) >= set(price.for_tiers))
                cheaper = (other.pay_bp or 0) < (price.pay_bp or 0)
                if wide and not price.for_levels and (cheaper or (other.pay_bp == price.pay_bp and other.id in seen)):
                    desk.note("P518", price.mark, price.id, about=other.id)
                    break
            seen.add(price.id)


def _unlimited(price: Price) -> bool:
    """Tell whether a price holds for every line and day that it names."""
    least = (price.minimum_order, price.minimum_quantity)
    most = (price.maximum_quantity, price.line_cap, price.order_cap, price.valid_from, price.valid_until)
    asked = (price.beside, price.when, price.weekdays or None)
    free = most == (None,) * len(most) and asked == (None, None, None)
    return least == (0, 0) and free and not price.not_with and not price.for_levels
