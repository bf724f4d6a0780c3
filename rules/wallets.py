"""The sections `wallets` and `prices`: what kinds of value there are, and what goods cost whom."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal, cast

from rules import names, values
from rules.conditions import NOTHING, Scope, read_condition, unmarked
from rules.desk import Desk, Form
from rules.keys import WORDS
from rules.policy import Expiry, Price, Wallet
from rules.source import Entries, Node, Scalar
from rules.values import DAYS_IN, MINUTES_IN, MONTHS_IN, plain
from rules.vocabulary import KINDS

_WALLET_KEYS: Final = (
    "title", "unit", "pays_for", "max_share", "block", "minimum", "expires", "notice", "clawback", "suspended_when",
    "worth", "holds", "return_grace", "transfer", "second_person",
)  # fmt: skip
_PRICE_KEYS: Final = (
    "title", "for", "where", "pay", "off", "fixed", "minimum_order", "line_cap", "order_cap", "from", "until",
)  # fmt: skip
_HOLD_MINUTES: Final = 30
_UNITS: Final = ("money", "points")
_ENDS: Final = ("month_end", "year_end", "end_of_next_year")
SALES: Final = tuple(kind.id for kind in KINDS.values() if kind.by_order and kind.id != "purchase_settled")
"""The kinds of event whose lines have prices."""


def define_wallets(desk: Desk, node: Node | None) -> None:
    """Remember ids and units of the wallets before any amount is read."""
    if not isinstance(node, Entries):
        return
    for written, value in node.pairs:
        name = plain(written.text)
        desk.define("wallets", name, written.mark)
        unit = ""
        for key, found in value.pairs if isinstance(value, Entries) else ():
            if names.key(plain(key.text), ("unit",)) and isinstance(found, Scalar):
                unit = names.canonical(plain(found.text), _UNITS, WORDS) or ""
        desk.wallet_units.setdefault(name, unit)


def read_wallets(desk: Desk, node: Node | None) -> dict[str, Wallet]:
    """Read the wallets."""
    wallets: dict[str, Wallet] = {}
    for name, written, value in desk.named(node, "wallets"):
        form = desk.form(value, f"wallets.{name}", _WALLET_KEYS, ("unit",))
        unit = cast("Literal['money', 'points']", desk.word(form.get("unit"), form.path("unit"), _UNITS, "money"))
        if unit == "money":
            desk.without_effect(form, "worth")
        share = form.get("max_share")
        holds = desk.form(form.get("holds"), form.path("holds"), ("for", "partial"))
        wallets[name] = Wallet(
            id=name,
            title=desk.title(form, name, written),
            unit=unit,
            pays_for=desk.categories(form.get("pays_for"), form.path("pays_for")),
            expires=read_expiry(desk, form.get("expires"), form.path("expires")),
            notice_days=_notice(desk, form),
            max_share_bp=10_000 if share is None else desk.percent(share, form.path("max_share"), 10_000, 1, 10_000),
            block=_amount_of_one(desk, form, "block", unit, 1),
            minimum=_amount_of_one(desk, form, "minimum", unit, 0),
            clawback=cast(
                "Literal['debt', 'forgive', 'refuse']",
                desk.word(form.get("clawback"), form.path("clawback"), ("debt", "forgive", "refuse"), "debt"),
            ),
            suspended_when=read_condition(desk, form.get("suspended_when"), form.path("suspended_when"), Scope()),
            point_value=_worth(desk, form) if unit == "points" else None,
            hold_minutes=_hold_minutes(desk, holds),
            hold_partial=cast(
                "Literal['free', 'keep']",
                desk.word(holds.get("partial"), holds.path("partial"), ("free", "keep"), "free"),
            ),
            return_grace_days=desk.length(form.get("return_grace"), form.path("return_grace"), DAYS_IN),
            transfer=cast(
                "Literal['none', 'linked']",
                desk.word(form.get("transfer"), form.path("transfer"), ("none", "linked"), "none"),
            ),
            second_person_above=_amount_of_one(desk, form, "second_person", unit, 0)
            if "second_person" in form
            else None,
            mark=written.mark,
        )
    return wallets


def _amount_of_one(desk: Desk, form: Form, key: str, unit: str, default: int) -> int:
    return desk.amount(form.get(key), form.path(key), unit, low=default) if key in form else default


def _hold_minutes(desk: Desk, holds: Form) -> int:
    return desk.length(holds.get("for"), holds.path("for"), MINUTES_IN, _HOLD_MINUTES) or _HOLD_MINUTES


def _notice(desk: Desk, form: Form) -> tuple[int, ...]:
    path = form.path("notice")
    found = (desk.length(item, path, DAYS_IN) for item in desk.items_or_one(form.get("notice"), path))
    return tuple(sorted(set(found), reverse=True))


def _worth(desk: Desk, form: Form) -> tuple[int, int] | None:
    if "worth" not in form:
        return None
    found = desk.form(form.get("worth"), form.path("worth"), ("points", "money"), ("points", "money"))
    fen = desk.money(found.get("money"), found.path("money"), 1, low=1)
    points = desk.value(found.get("points"), found.path("points"), lambda text: values.points(text, 1), 1)
    return fen, points


def read_expiry(desk: Desk, node: Node | None, about: str, *, never: bool = True) -> Expiry | None:
    """Read `{after: 24 months, to: month_end}`, `{to: end_of_next_year}`, `24 months`, or `none` (where `never`)."""
    if node is None:
        return None
    if isinstance(node, Scalar):
        word = plain(node.text)
        if never and word in ("none", "无"):
            return None
        return Expiry(months=desk.length(node, about, MONTHS_IN, 1))
    form = desk.form(node, about, ("after", "to"))
    to = desk.word(form.get("to"), form.path("to"), _ENDS, "") if "to" in form else ""
    months = desk.length(form.get("after"), form.path("after"), MONTHS_IN)
    if isinstance(node, Entries) and not node.pairs:
        desk.note("P208", node, about=about)
    if to == "end_of_next_year":
        desk.without_effect(form, "after")
        return Expiry(years=1, to="year")
    ends: dict[str, Literal["day", "month", "year"]] = {"month_end": "month", "year_end": "year"}
    return Expiry(months=months, to=ends.get(to, "day"))


def read_dates(desk: Desk, form: Form) -> tuple[date | None, date | None]:
    """Read `from` and `until`, both days included."""
    begins, ends = desk.day(form.get("from"), form.path("from")), desk.day(form.get("until"), form.path("until"))
    if begins and ends and begins > ends:
        desk.note("P508", form.get("until") or form.mark, begins.isoformat(), (ends.isoformat(),), form.about)
    return begins, ends


def read_prices(desk: Desk, node: Node | None) -> dict[str, Price]:
    """Read the prices."""
    prices: dict[str, Price] = {}
    for name, written, value in desk.named(node, "prices"):
        form = desk.form(value, f"prices.{name}", _PRICE_KEYS, ("where",))
        desk.define("prices", name, written.mark)
        paid, fixed = _paid(desk, form) if isinstance(value, Entries) else (None, None)
        begins, ends = read_dates(desk, form)
        scope = Scope(kinds=SALES, fields=True, partly=True)
        prices[name] = Price(
            id=name,
            title=desk.title(form, name, written),
            for_tiers=desk.references("tiers", form.get("for"), form.path("for")),
            where=read_condition(desk, form.get("where"), form.path("where"), scope) or NOTHING,
            pay_bp=paid,
            fixed=fixed,
            minimum_order=desk.money(form.get("minimum_order"), form.path("minimum_order")),
            line_cap=_cap(desk, form, "line_cap"),
            order_cap=_cap(desk, form, "order_cap"),
            valid_from=begins,
            valid_until=ends,
            mark=written.mark,
        )
        _shadowed(desk, prices, name)
    return prices


def _cap(desk: Desk, form: Form, key: str) -> int | None:
    return desk.money(form.get(key), form.path(key)) if key in form else None


def _paid(desk: Desk, form: Form) -> tuple[int | None, int | None]:
    which = desk.one_of(form, ("pay", "off", "fixed"))
    node, path = form.get(which) if which else None, form.path(which)
    if which == "fixed":
        return None, desk.money(node, path)
    if which == "pay":
        paid = desk.value(node, path, values.share_paid, 10_000)
    elif which == "off":
        paid = 10_000 - desk.value(node, path, _taken_off, 0)
    else:
        return None, None
    if paid < 5_000 and node is not None:
        desk.note("P509", node, f"{paid / 100:g}%", about=path)
    return paid, None


def _taken_off(text: str) -> int:
    clean = plain(text)
    if clean.endswith("折"):
        raise values.Refused("P309")
    off = values.percent(clean)
    if not 0 < off < 10_000:
        raise values.Refused("P507")
    return off


def _shadowed(desk: Desk, prices: dict[str, Price], name: str) -> None:
    """Of two prices for the same lines and members the dearer never wins."""
    price = prices[name]
    for other in prices.values():
        if other.id == name or not other.pay_bp or not price.pay_bp:
            continue
        as_wide = not other.for_tiers or (price.for_tiers and set(other.for_tiers) >= set(price.for_tiers))
        limits = (other.minimum_order, other.line_cap, other.order_cap, other.valid_from, other.valid_until)
        same_lines = unmarked(other.where) == unmarked(price.where) and limits == (0, None, None, None, None)
        if as_wide and same_lines and other.pay_bp <= price.pay_bp:
            desk.note("P518", price.mark, name, about=other.id)
            return
