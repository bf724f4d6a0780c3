"""The sections `levels` and `awards`: what a member may claim, what the dealer owes him, and the year-end prize."""

from __future__ import annotations

from typing import Final, Literal, cast, get_args

from rules import names
from rules.conditions import Scope, read_condition, read_filters
from rules.desk import Desk, Form, absent
from rules.policy import Award, Duty, Entitlement, Filter, Level, Score, Text, Tie, Turn
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
_AWARD_KEYS: Final = (
    "title", "for", "months_in_tier", "unless", "score", "ties", "winners", "prize", "budget", "into",
)  # fmt: skip


def define_levels(desk: Desk, node: Node | None) -> None:
    """Remember the ids of levels, entitlements and duties before anything names one."""
    for name, written, value in _pairs(node):
        desk.define("levels", name, written.mark)
        for key, _, bundle in _pairs(value):
            section = names.key(key, ("entitlements", "duties"))
            for inner, at, _ in _pairs(bundle) if section else ():
                desk.define(section or "", inner, at.mark)


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
    desk.note("P312", node, getattr(node, "text", ""), (*DAYS_IN, *MONTHS_IN), about)
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


# ---- awards -----------------------------------------------------------------------------------------------------


def read_awards(desk: Desk, node: Node | None) -> dict[str, Award]:
    """Read the year-end awards."""
    return {name: _award(desk, name, written, value) for name, written, value in desk.named(node, "awards")}


def _award(desk: Desk, name: str, written: Scalar, value: Node) -> Award:
    form = desk.form(value, f"awards.{name}", _AWARD_KEYS, ("for", "score", "winners", "prize", "budget"))
    winners_at = form.get("winners")
    all_of = ("share", "at_least", "at_most")
    winners = desk.form(winners_at, form.path("winners"), all_of, all_of)
    least = desk.integer(winners.get("at_least"), winners.path("at_least"), high=100_000)
    most = desk.integer(winners.get("at_most"), winners.path("at_most"), high=100_000)
    prize = desk.money(form.get("prize"), form.path("prize"))
    budget_at = form.get("budget")
    budget = desk.money(budget_at, form.path("budget"))
    if least > most and "at_most" in winners:
        desk.note("P512", winners.key("at_least"), str(least), (str(most),), winners.about)
    if budget_at is not None and budget and budget < least * prize:
        desk.note("P513", budget_at, f"{least} × {prize / 100:g}", (f"{budget / 100:g}",), form.path("budget"))
    return Award(
        id=name,
        title=desk.title(form, name, written),
        tiers=desk.references("tiers", form.get("for"), form.path("for")),
        months_in_tier=desk.integer(form.get("months_in_tier"), form.path("months_in_tier"), high=12),
        unless=read_condition(desk, form.get("unless"), form.path("unless"), Scope()),
        score=_score(desk, form),
        ties=tuple(
            _tie(desk, item, form.path(f"ties[{at}]"))
            for at, item in enumerate(desk.items(form.get("ties"), form.path("ties")), start=1)
        ),
        share_bp=desk.percent(winners.get("share"), winners.path("share"), low=0, high=10_000),
        at_least=least,
        at_most=most,
        prize=prize,
        budget=budget,
        wallet=desk.reference("wallets", form.get("into"), form.path("into")),
        mark=written.mark,
    )


def _score(desk: Desk, form: Form) -> tuple[Score, ...]:
    node, path = form.get("score"), form.path("score")
    found: list[Score] = []
    for written, value in desk.entries(node, path):
        fact = desk.reference("facts", written, path)
        weight = desk.integer(value, f"{path}.{written.text}", 1, low=1, high=10_000)
        found.append(Score(fact, weight))
    if isinstance(node, Entries) and not node.pairs:
        desk.note("P208", node, about=path)
    return tuple(found)


def _tie(desk: Desk, node: Node, about: str) -> Tie:
    form = desk.form(node, about, ("fact", "attribute", "first"), ("first",))
    which = desk.one_of(form, ("fact", "attribute")) if isinstance(node, Entries) else ""
    first = cast(
        "Literal['highest', 'lowest']",
        desk.word(form.get("first"), form.path("first"), ("highest", "lowest"), "highest"),
    )
    if which == "fact":
        return Tie("fact", desk.reference("facts", form.get("fact"), form.path("fact")), first)
    found = desk.scalar(form.get("attribute"), form.path("attribute"))
    name = names.canonical(plain(found.text), ATTRIBUTES, names.ATTRIBUTES_ZH) if found else ""
    if found and name is None:
        desk.note("P411", found, found.text, ATTRIBUTES, allowed_zh=names.spelled(ATTRIBUTES, names.ATTRIBUTES_ZH))
    return Tie("attribute", name or "", first)
