"""The section `levels`: what a member may claim, and what the dealer owes him."""

from __future__ import annotations

from typing import Final, Literal, cast, get_args

from rules import names
from rules.conditions import read_filters
from rules.desk import Desk
from rules.nodes import Form, absent
from rules.policy import Duty, Entitlement, Filter, Level, Text, Turn
from rules.source import Entries, Node, Scalar
from rules.values import DAYS_IN, MINUTES_IN, MONTHS_IN, Refused, length, plain
from rules.vocabulary import ATTRIBUTES

TURNS: Final = get_args(Turn)
_TRIGGERS: Final = ("on", "every", "on_date", "on_standing")
_QUOTA_PERIODS: Final = ("life", "year", "quarter", "month")
_DUTY_KEYS: Final = (
    "title", "owner", "within", "on", "where", "every", "on_date", "on_standing", "ahead", "done_by", "matching",
    "escalate_to", "escalate_after",
)  # fmt: skip


def define_levels(desk: Desk, node: Node | None) -> None:
    """Remember the ids of levels, entitlements and duties before anything names one."""
    for name, written, value in _pairs(node):
        desk.define("levels", name, written.mark, value)
        for key, _, bundle in _pairs(value):
            section = names.key(key, ("entitlements", "duties"))
            for inner, at, entry in _pairs(bundle) if section else ():
                desk.define(section or "", inner, at.mark, entry)


def _pairs(node: Node | None) -> list[tuple[str, Scalar, Node]]:
    return [(plain(key.text), key, value) for key, value in node.pairs] if isinstance(node, Entries) else []


def read_levels(desk: Desk, node: Node | None) -> dict[str, Level]:
    """Read the service levels, lowest first."""
    levels: dict[str, Level] = {}
    for name, written, value in desk.named(node, "levels"):
        form = desk.form(value, f"levels.{name}", ("title", "entitlements", "duties", "terms"))
        levels[name] = Level(
            id=name,
            title=desk.title(form, name, written),
            rank=len(levels),
            entitlements=tuple(
                _entitlement(desk, inner, at, found, form.path(f"entitlements.{inner}"))
                for inner, at, found in desk.named(form.get("entitlements"), form.path("entitlements"))
            ),
            duties=tuple(
                _duty(desk, inner, at, found, form.path(f"duties.{inner}"))
                for inner, at, found in desk.named(form.get("duties"), form.path("duties"))
            ),
            terms=tuple(
                (Text(key.text.strip(), key.text.strip()), desk.text(found, form.path(f"terms.{key.text}")))
                for key, found in desk.entries(form.get("terms"), form.path("terms"))
            ),
            mark=written.mark,
        )
    return levels


def _entitlement(desk: Desk, name: str, written: Scalar, node: Node, about: str) -> Entitlement:
    form = desk.form(node, about, ("title", "quota", "period", "per_machine", "note"))
    quota_at = form.get("quota")
    quota: int | None = None
    if isinstance(quota_at, Scalar) and plain(quota_at.text) in ("unlimited", "不限"):
        desk.without_effect(form, "period", "per_machine")
    elif quota_at is not None:
        quota = desk.integer(quota_at, form.path("quota"), high=1_000_000)
    return Entitlement(
        id=name,
        title=desk.title(form, name, written),
        quota=quota,
        period=cast(
            "Literal['life', 'year', 'quarter', 'month']",
            desk.word(form.get("period"), form.path("period"), _QUOTA_PERIODS, "year"),
        ),
        per_machine=desk.yes(form.get("per_machine"), form.path("per_machine")),
        note=desk.text(form.get("note"), form.path("note")),
        mark=written.mark,
    )


def _duty(desk: Desk, name: str, written: Scalar, node: Node, about: str) -> Duty:
    form = desk.form(node, about, _DUTY_KEYS, ("owner", "within"))
    trigger = desk.one_of(form, _TRIGGERS) if isinstance(node, Entries) else ""
    kinds = desk.kinds(form.get("on"), form.path("on"))
    if trigger and trigger != "on":
        desk.without_effect(form, "where", "matching")
    done_by = _done_by(desk, form.get("done_by"), form.path("done_by"))
    months, days = _period(desk, form.get("every"), form.path("every"))
    turns = _turns(desk, form, trigger)
    if "escalate_to" not in form:
        desk.without_effect(form, "escalate_after")
    shared = (*kinds, *(kind for kind, _ in done_by))
    within = desk.length(form.get("within"), form.path("within"), MINUTES_IN)
    matching = desk.items_or_one(form.get("matching"), form.path("matching"))
    return Duty(
        id=name,
        title=desk.title(form, name, written),
        owner=desk.id(form.get("owner"), form.path("owner")),
        within_minutes=within,
        whole_days=_in_days(form.get("within")),
        on=kinds,
        where=read_filters(desk, form.get("where"), form.path("where"), kinds) if kinds else (),
        every_months=months,
        every_days=days,
        on_date=_date_attribute(desk, form.get("on_date"), form.path("on_date")),
        on_standing=turns,
        ahead_days=desk.length(form.get("ahead"), form.path("ahead"), DAYS_IN),
        done_by=done_by,
        matching=tuple(name for item in matching if (name := desk.field(item, form.path("matching"), shared))),
        escalate_to=desk.id(form.get("escalate_to"), form.path("escalate_to")) if "escalate_to" in form else "",
        escalate_minutes=desk.length(form.get("escalate_after"), form.path("escalate_after"), MINUTES_IN),
        mark=written.mark,
    )


def _period(desk: Desk, node: Node | None, about: str) -> tuple[int, int]:
    """Read how often: in months or in days."""
    found = desk.value(node, about, length, None)
    if found is None or node is None:
        return 0, 0
    for place, units in enumerate((MONTHS_IN, DAYS_IN)):
        if found.unit in units:
            number, most = found.count * units[found.unit], (1200, 3660)[place]
            if not 1 <= number <= most:
                desk.note("P302", node, str(number), (f"1-{most}",), about)
            return (number, 0) if place == 0 else (0, number)
    known = (*DAYS_IN, *MONTHS_IN)
    desk.note("P312", node, getattr(node, "text", ""), known, about, names.spelled(known, names.LENGTHS_ZH))
    return 0, 0


def _turns(desk: Desk, form: Form, trigger: str) -> tuple[Turn, ...]:
    """Read what of the tier a duty comes from; only what is known before it comes can be prepared for."""
    path = form.path("on_standing")
    words = [desk.word(item, path, TURNS, "") for item in desk.items_or_one(form.get("on_standing"), path)]
    if trigger not in ("on_date", "on_standing") or (trigger == "on_standing" and "lapsing" not in words):
        desk.without_effect(form, "ahead")
    elif "lapsing" in words and "ahead" not in form:
        desk.note("P203", form.mark, allowed=("ahead",), about=form.about, allowed_zh=names.keys_zh(("ahead",)))
    return tuple(cast("Turn", word) for word in dict.fromkeys(words) if word)


def _in_days(node: Node | None) -> bool:
    """Tell whether a length is written in days: 24 hours end at the hour, one day at the end of the day."""
    try:
        return isinstance(node, Scalar) and length(node.text).unit in DAYS_IN
    except Refused:
        return False  # noted where the length itself is read


def _done_by(desk: Desk, node: Node | None, about: str) -> tuple[tuple[str, tuple[Filter, ...]], ...]:
    if not isinstance(node, Entries):
        return tuple((kind, ()) for kind in desk.kinds(node, about))
    found: list[tuple[str, tuple[Filter, ...]]] = []
    for written, value in desk.entries(node, about):
        for kind in desk.kinds(written, about):
            filters = () if absent(value) else read_filters(desk, value, f"{about}.{kind}", (kind,))
            found.append((kind, filters))
    return tuple(found)


def _date_attribute(desk: Desk, node: Node | None, about: str) -> str:
    found = desk.scalar(node, about)
    if found is None:
        return ""
    dates = tuple(item.id for item in ATTRIBUTES.values() if item.type == "date")
    name = names.canonical(plain(found.text), ATTRIBUTES, names.ATTRIBUTES_ZH)
    if name is None:
        desk.note("P411", found, found.text, dates, allowed_zh=names.spelled(dates, names.ATTRIBUTES_ZH))
    elif name not in dates:
        desk.note("P416", found, found.text, dates, about)
    return name or ""
