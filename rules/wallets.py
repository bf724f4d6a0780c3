"""The section `wallets`: what kinds of value there are, what each may pay for, and how long it lasts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final, Literal, cast

from rules import names, values
from rules.conditions import Scope, read_condition
from rules.desk import Desk, bare
from rules.keys import WORDS
from rules.lanes import read_least
from rules.nodes import Form
from rules.policy import Expiry, Wallet
from rules.source import Entries, Node, Scalar
from rules.values import DAYS_IN, MINUTES_IN, MONTHS_IN, plain

_WALLET_KEYS: Final = (
    "title", "unit", "pays_for", "not_with", "max_share", "share_of", "block", "minimum", "minimum_order", "expires",
    "notice", "clawback", "suspended_when", "worth", "holds", "return_grace", "returned_to", "transfer",
    "second_person", "offline",
)  # fmt: skip
_SHARES: Final = ("line", "whole_order")
_HOLD_MINUTES: Final = 30
_UNITS: Final = ("money", "points")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ENDS: Final = ("month_end", "year_end", "end_of_next_year")


def define_wallets(desk: Desk, node: Node | None) -> None:
    """Remember ids and units of the wallets before any amount is read."""
    if not isinstance(node, Entries):
        return
    for written, value in node.pairs:
        name = bare(written.text)
        desk.define("wallets", name, written.mark, value)
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
        elif "worth" not in form:  # such points pay nothing
            desk.without_effect(form, "pays_for", "max_share", "share_of", "minimum_order", "not_with")
        returned_to = cast(
            "Literal['old_lot', 'new_lot']",
            desk.word(form.get("returned_to"), form.path("returned_to"), ("old_lot", "new_lot"), "old_lot"),
        )
        if returned_to == "new_lot":
            desk.without_effect(form, "return_grace")
        share = form.get("max_share")
        holds = desk.form(form.get("holds"), form.path("holds"), ("for", "partial", "above"))
        wallets[name] = Wallet(
            id=name,
            title=desk.title(form, name, written),
            unit=unit,
            pays_for=desk.categories(form.get("pays_for"), form.path("pays_for")),
            expires=read_expiry(desk, form.get("expires"), form.path("expires")),
            notice_days=_notice(desk, form),
            not_with=desk.references("prices", form.get("not_with"), form.path("not_with")),
            max_share_bp=10_000 if share is None else desk.percent(share, form.path("max_share"), 10_000, 1, 10_000),
            share_of=_share_of(desk, form),
            block=_amount_of_one(desk, form, "block", unit, 1),
            minimum=_amount_of_one(desk, form, "minimum", unit, 0),
            minimum_order=read_least(desk, form, "minimum_order"),
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
            hold_above=cast(
                "Literal['refuse', 'take']",
                desk.word(holds.get("above"), holds.path("above"), ("refuse", "take"), "refuse"),
            ),
            returned_to=returned_to,
            return_grace_days=desk.length(form.get("return_grace"), form.path("return_grace"), DAYS_IN),
            transfer=cast(
                "Literal['none', 'linked']",
                desk.word(form.get("transfer"), form.path("transfer"), ("none", "linked"), "none"),
            ),
            second_person_above=_amount_of_one(desk, form, "second_person", unit, 0)
            if "second_person" in form
            else None,
            offline=_amount_of_one(desk, form, "offline", unit, 0),
            mark=written.mark,
        )
    return wallets


def _amount_of_one(desk: Desk, form: Form, key: str, unit: str, default: int) -> int:
    return desk.amount(form.get(key), form.path(key), unit, low=default) if key in form else default


def _hold_minutes(desk: Desk, holds: Form) -> int:
    return desk.length(holds.get("for"), holds.path("for"), MINUTES_IN, _HOLD_MINUTES) or _HOLD_MINUTES


def _share_of(desk: Desk, form: Form) -> Literal["line", "whole_order"]:
    if "max_share" not in form:
        desk.without_effect(form, "share_of")
    return cast(
        "Literal['line', 'whole_order']", desk.word(form.get("share_of"), form.path("share_of"), _SHARES, "line")
    )


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
        return _after(desk, node, about)
    form = desk.form(node, about, ("after", "to"))
    to = desk.word(form.get("to"), form.path("to"), _ENDS, "") if "to" in form else ""
    after = _after(desk, form.get("after"), form.path("after"))
    if isinstance(node, Entries) and not node.pairs:
        desk.note("P208", node, about=about)
    if to == "end_of_next_year":
        desk.without_effect(form, "after")
        return Expiry(years=1, to="year")
    ends: dict[str, Literal["day", "month", "year"]] = {"month_end": "month", "year_end": "year"}
    return replace(after, to=ends.get(to, "day"))


def _after(desk: Desk, node: Node | None, about: str) -> Expiry:
    """Read `24 months` or `90 days`; the two are never turned into one another."""
    found = desk.value(node, about, values.length, None)
    if found is None:
        return Expiry(months=0 if node is None else 1)
    if found.unit in DAYS_IN:
        return Expiry(days=found.count * DAYS_IN[found.unit])
    return Expiry(months=desk.length(node, about, MONTHS_IN, 1))


def read_dates(desk: Desk, form: Form) -> tuple[date | None, date | None]:
    """Read `from` and `until`, both days included."""
    begins, ends = desk.day(form.get("from"), form.path("from")), desk.day(form.get("until"), form.path("until"))
    if begins and ends and begins > ends:
        desk.note("P508", form.get("until") or form.mark, begins.isoformat(), (ends.isoformat(),), form.about)
    return begins, ends


def read_weekdays(desk: Desk, form: Form) -> tuple[int, ...]:
    """Read the days of the week on which something goes; 0 is Monday."""
    path = form.path("weekdays")
    found = (desk.word(item, path, _DAYS, "") for item in desk.items_or_one(form.get("weekdays"), path))
    return tuple(sorted({_DAYS.index(name) for name in found if name}))
