"""The section `examples`: worked cases, read into canonical English keys and whole numbers. Others run them."""

from __future__ import annotations

from typing import Final, get_args

from rules import names, values
from rules.desk import Desk
from rules.nodes import Form
from rules.policy import Example, Mark, Plain, State
from rules.source import Entries, Items, Node, Scalar
from rules.values import plain
from rules.vocabulary import ATTRIBUTES, COMMON, FIELDS, KINDS, STATUSES

_EVENT_KEYS: Final = ("event", "at", "member", "store")
_EXPECT_KEYS: Final = (
    "member", "at", "tier", "state", "since", "until", "level", "traits", "why", "grants", "balance", "pays", "price",
    "entitlements", "duties", "lists",
)  # fmt: skip
_IDS: Final[dict[str, str]] = {
    "traits": "traits", "why": "traits", "entitlements": "entitlements", "duties": "duties", "lists": "lists",
}  # fmt: skip
_DEFINED_FIELDS: Final[dict[str, str]] = {
    "trait": "traits", "tier": "tiers", "wallet": "wallets", "entitlement": "entitlements", "duty": "duties",
}  # fmt: skip

# attribute that an event may change → the field that takes its value
CHANGED: Final[dict[str, str]] = {
    item.id: item.set_by[1] for item in ATTRIBUTES.values() if item.set_by[0] == "attribute_changed"
}


def read_examples(desk: Desk, node: Node | None, reward_units: dict[str, str]) -> tuple[Example, ...]:
    """Read the examples; `reward_units` says in which unit each reward gives."""
    used, counted = set(desk.used), desk.all_traits_counted
    found = tuple(
        _example(desk, item, at, reward_units) for at, item in enumerate(desk.items(node, "examples"), start=1)
    )
    # An example exercises a rule; it is no use of it.
    desk.used, desk.all_traits_counted = used, counted
    return found


def _example(desk: Desk, node: Node, at: int, reward_units: dict[str, str]) -> Example:
    about = f"examples[{at}]"
    form = desk.form(node, about, ("title", "given", "expect"), ("given", "expect"))
    title = desk.text(form.get("title"), form.path("title"), f"{at}").zh
    given = tuple(
        _event(desk, item, form.path(f"given[{number}]"))
        for number, item in enumerate(desk.items(form.get("given"), form.path("given")), start=1)
    )
    places: dict[str, Mark] = {}
    expect = _expect(desk, form.get("expect"), form.path("expect"), reward_units, places)
    return Example(title, given, expect, node.mark, places)


# ---- given ------------------------------------------------------------------------------------------------------


def _event(desk: Desk, node: Node, about: str) -> dict[str, Plain]:
    if not isinstance(node, Entries):
        desk.shape(node, about, "mapping")
        return {}
    kind = _kind(desk, node, about)
    if not kind:
        return {}
    found = KINDS[kind]
    keys = (*_EVENT_KEYS, *dict.fromkeys((*found.fields, *COMMON)), *found.lines)
    form = _fields(desk, node, about, keys)
    event: dict[str, Plain] = {"event": kind}
    if "at" not in form:
        desk.note("P203", node, allowed=("at",), about=about, allowed_zh=names.keys_zh(("at",)))
    line: dict[str, Plain] = {}
    own = {*_EVENT_KEYS, *found.fields, *COMMON}
    for key in form.keys():  # noqa: SIM118
        value, path = form.get(key), form.path(key)
        if key == "event" or value is None:
            continue
        if key == "at":
            event["at"] = desk.value(value, path, values.moment, "")
        elif key in ("member", "store"):
            event[key] = desk.line(value, path)
        elif key == "lines":
            lines: list[Plain] = [
                _line(desk, item, f"{path}[{number}]", found.lines)
                for number, item in enumerate(desk.items(value, path), start=1)
            ]
            event["lines"] = lines
        elif key in own:
            event[key] = _field(desk, key, value, path)
        else:
            line[key] = _field(desk, key, value, path)
    if kind == "attribute_changed":
        _typed(desk, form, event)
    if line and "lines" in form:
        first = next(iter(line))
        desk.note("P205", form.key(first), f"lines, {first}", ("lines", first), about)
    elif line:
        event["lines"] = [line]
    return event


def _kind(desk: Desk, node: Entries, about: str) -> str:
    for written, value in node.pairs:
        if names.key(plain(written.text), ("event",)):
            return next(iter(desk.kinds(value, f"{about}.event")), "")
    desk.note("P203", node, allowed=("event",), about=about, allowed_zh=names.keys_zh(("event",)))
    return ""


def _line(desk: Desk, node: Node, about: str, fields: tuple[str, ...]) -> dict[str, Plain]:
    if not isinstance(node, Entries):
        desk.shape(node, about, "mapping")
        return {}
    form = _fields(desk, node, about, fields)
    return {key: _field(desk, key, form.get(key), form.path(key)) for key in form.keys()}  # noqa: SIM118


def _fields(desk: Desk, node: Entries, about: str, keys: tuple[str, ...]) -> Form:
    """Read a mapping whose keys are names of fields, or the few keys of an event."""
    found: dict[str, tuple[Scalar, Node]] = {}
    own = tuple(key for key in keys if key in _EVENT_KEYS)
    rest = tuple(key for key in keys if key not in _EVENT_KEYS)
    for written, value in desk.pairs(node):
        text = plain(written.text)
        name = names.key(text, own) or names.canonical(text, rest, names.FIELDS_ZH)
        if name is None:
            chinese = (*names.keys_zh(own), *names.spelled(rest, names.FIELDS_ZH))
            desk.note("P402", written, written.text, (*own, *rest), about, chinese)
        elif name in found:
            desk.note("P202", written, written.text, about=str(found[name][0].mark.line))
        else:
            found[name] = (written, value)
    return Form(node.mark, about, found)


def _field(desk: Desk, name: str, node: Node | None, about: str) -> Plain:
    """Read the value of a field by its type: money as fen, dates as ISO text, the rest as it is."""
    type_ = FIELDS[name].type
    if name == "name":
        return _attribute(desk, node, about)
    if name in _DEFINED_FIELDS:
        return desk.reference(_DEFINED_FIELDS[name], node, about)
    if name == "category":
        found = desk.scalar(node, about)
        return desk.category(found) if found else ""
    if name == "status":
        return desk.word(node, about, STATUSES, "submitted")
    if type_ == "texts":
        items: list[Plain] = [item.text.strip() for item in desk.items_or_one(node, about)]
        return items
    if type_ == "money":
        return desk.money(node, about, low=-values.LIMIT)
    if type_ == "int":
        return desk.integer(node, about, low=-values.LIMIT)
    if type_ == "bool":
        return desk.yes(node, about)
    if type_ == "date":
        day = desk.day(node, about)
        return day.isoformat() if day else ""
    return desk.line(node, about)


def _attribute(desk: Desk, node: Node | None, about: str) -> str:
    """Read the attribute that changes: the book refuses any other, so here it would change nothing without a word."""
    found = desk.scalar(node, about)
    if found is None or not desk.well_typed(found):
        return ""
    name = names.canonical(plain(found.text), CHANGED, names.ATTRIBUTES_ZH)
    if name is None:
        desk.note("P411", found, found.text, CHANGED, allowed_zh=names.spelled(CHANGED, names.ATTRIBUTES_ZH))
    return name or ""


def _typed(desk: Desk, form: Form, event: dict[str, Plain]) -> None:
    """An attribute takes its value in the field of its type, as in the book."""
    wanted = CHANGED.get(str(event.get("name")))
    for key in ("value_text", "value_int", "value_date"):
        if wanted and key in form and key != wanted:
            desk.note("P402", form.key(key), form.key(key).text, (wanted,), form.about, (names.FIELDS_ZH[wanted],))


# ---- expect -----------------------------------------------------------------------------------------------------


def _expect(
    desk: Desk, node: Node | None, about: str, reward_units: dict[str, str], places: dict[str, Mark]
) -> dict[str, Plain]:
    form = desk.form(node, about, _EXPECT_KEYS)
    if isinstance(node, Entries) and not node.pairs:
        desk.note("P208", node, about=about)
    expect: dict[str, Plain] = {}
    for key in form.keys():  # noqa: SIM118
        value, path = form.get(key), form.path(key)
        places[key] = form.key(key).mark
        if isinstance(value, Entries):
            places |= {f"{key}.{plain(written.text)}": written.mark for written, _ in value.pairs}
        if key == "tier":
            expect[key] = desk.reference("tiers", value, path)
        elif key == "level":
            expect[key] = desk.reference("levels", value, path)
        elif key == "state":
            expect[key] = desk.word(value, path, get_args(State), "valid")
        elif key in ("since", "until"):
            day = desk.day(value, path)
            expect[key] = day.isoformat() if day else ""
        elif key == "entitlements" and isinstance(value, Entries):
            expect[key] = _left(desk, value, path)
        elif key == "at":
            expect[key] = desk.value(value, path, values.moment, "")
        elif key == "member":
            expect[key] = desk.line(value, path)
        elif key in _IDS:
            expect[key] = list(_ids(desk, _IDS[key], value, path))
        elif key == "grants":
            expect[key] = _amounts(desk, value, path, "rewards", reward_units)
        elif key == "balance":
            expect[key] = _amounts(desk, value, path, "wallets", desk.wallet_units)
        else:
            expect[key] = _prices(desk, value, path)
    return expect


def _left(desk: Desk, node: Node, about: str) -> dict[str, Plain]:
    """Read how often each entitlement may still be claimed: a number, or `unlimited`."""
    found: dict[str, Plain] = {}
    for written, value in desk.entries(node, about):
        name, path = desk.reference("entitlements", written, about), f"{about}.{written.text}"
        if isinstance(value, Scalar) and plain(value.text) in ("unlimited", "不限"):
            found[name] = "unlimited"
        else:
            found[name] = desk.integer(value, path)
    return found


def _ids(desk: Desk, section: str, node: Node | None, about: str) -> tuple[str, ...]:
    return () if isinstance(node, Items) and not node.items else desk.references(section, node, about)


def _amounts(desk: Desk, node: Node | None, about: str, section: str, units: dict[str, str]) -> dict[str, Plain]:
    found: dict[str, Plain] = {}
    for written, value in desk.entries(node, about):
        name = desk.reference(section, written, about)
        if name:
            amount = desk.amount(value, f"{about}.{name}", units.get(name, ""), low=-values.LIMIT)
            found[name] = amount
    return found


def _prices(desk: Desk, node: Node | None, about: str) -> Plain:
    """Read what is paid: one amount, or an amount by item or line."""
    if not isinstance(node, Entries):
        return desk.money(node, about)
    pairs = desk.entries(node, about)
    return {written.text.strip(): desk.money(value, f"{about}.{written.text}") for written, value in pairs}
