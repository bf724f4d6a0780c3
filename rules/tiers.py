"""The sections `traits`, `tiers`, `lists` and `segments`: who a member is, and how he rises and falls."""

from __future__ import annotations

import itertools
from typing import Final, Literal, cast

from rules import names
from rules.conditions import Scope, read_condition
from rules.desk import Desk, bare
from rules.nodes import Form, absent
from rules.policy import AllOf, AnyOf, Attested, Condition, Degree, Keep, Mark, MemberList, Test, Tier, Trait
from rules.source import Entries, Items, Node, Scalar
from rules.values import DAYS_IN, MONTHS_IN, plain

_TIER_KEYS: Final = (
    "id", "title", "level", "when", "unless", "promotion", "confirm_within", "returns_undo", "replaces", "keep",
)  # fmt: skip
MAX_TIERS: Final = 50
MAX_DEGREES: Final = 20
_OF_MEMBERS: Final = Scope()
_OF_TRAITS: Final = Scope(traits=False, tier=False)


def define_tiers(desk: Desk, node: Node | None) -> None:
    """Remember the ids of the tiers, lowest first, before anything names one."""
    for item in node.items[:MAX_TIERS] if isinstance(node, Items) else ():
        if not isinstance(item, Entries):
            continue
        for written, value in item.pairs:
            if names.key(plain(written.text), ("id",)) and isinstance(value, Scalar):
                desk.define("tiers", bare(value.text), value.mark, item)


def define_traits(desk: Desk, node: Node | None) -> None:
    """Remember the ids of the traits and of their degrees before anything names one."""
    for written, value in node.pairs if isinstance(node, Entries) else ():
        name = bare(written.text)
        desk.define("traits", name, written.mark, value)
        for key, listed in value.pairs if isinstance(value, Entries) else ():
            if names.key(plain(key.text), ("degrees",)) and isinstance(listed, Items):
                desk.degrees[name] = tuple(
                    bare(found.text)
                    for item in listed.items[:MAX_DEGREES]
                    if isinstance(item, Entries)
                    for written_, found in item.pairs
                    if names.key(plain(written_.text), ("id",)) and isinstance(found, Scalar)
                )


def read_traits(desk: Desk, node: Node | None) -> dict[str, Trait]:
    """Read the traits; each is measured, attested, or either."""
    traits: dict[str, Trait] = {}
    for name, written, value in desk.named(node, "traits"):
        about = f"traits.{name}"
        form = desk.form(value, about, ("title", "when", "degrees", "attested"))
        if isinstance(value, Entries) and not ("attested" in form and not {"when", "degrees"} & set(form.keys())):
            desk.one_of(form, ("when", "degrees") if "attested" in form else ("when", "degrees", "attested"))
        degrees = _degrees(desk, form, name)
        when: Condition | None = read_condition(desk, form.get("when"), form.path("when"), _OF_TRAITS)
        if degrees:
            when = AnyOf(tuple(degree.when for degree in degrees))
        attested = _attested(desk, form.get("attested"), form.path("attested"))
        traits[name] = Trait(name, desk.title(form, name, written), when, attested, written.mark, degrees)
    return traits


def _degrees(desk: Desk, form: Form, trait: str) -> tuple[Degree, ...]:
    """Read how far a trait may go, lowest first."""
    found: list[Degree] = []
    seen: dict[str, Degree] = {}
    for at, item in enumerate(desk.items(form.get("degrees"), form.path("degrees"), MAX_DEGREES), start=1):
        one = desk.form(item, f"{form.path('degrees')}[{at}]", ("id", "title", "when"), ("id", "when"))
        name, title_at = desk.id(one.get("id"), one.path("id")), one.get("id")
        when = read_condition(desk, one.get("when"), one.path("when"), _OF_TRAITS)
        if not name or when is None:
            continue
        title = desk.text(one.get("title"), one.path("title"), name)
        degree = Degree(name, title, when, (title_at or item).mark)
        if name in seen:
            desk.note("P415", degree.mark, name, about=str(seen[name].mark.line))
        seen[name] = degree
        found.append(degree)
    for lower, higher in itertools.pairwise(found):
        _easier(desk, (lower.when, higher.when), higher.mark, f"{trait}.{higher.id}")
    return tuple(found)


def _attested(desk: Desk, node: Node | None, about: str) -> Attested | None:
    if node is None:
        return None
    form = desk.form(node, about, ("by", "countersigned_by", "not_own_manager", "valid"), ("by", "valid"))
    return Attested(
        by=desk.ids(form.get("by"), form.path("by")),
        countersigned_by=desk.ids(form.get("countersigned_by"), form.path("countersigned_by")),
        not_own_manager=desk.yes(form.get("not_own_manager"), form.path("not_own_manager")),
        valid_months=desk.length(form.get("valid"), form.path("valid"), MONTHS_IN, 12),
    )


def read_tiers(desk: Desk, node: Node | None) -> tuple[Tier, ...]:
    """Read the tiers, lowest first; what is asked for one must not be less than for the one below."""
    tiers: list[Tier] = []
    seen: dict[str, Tier] = {}
    items = desk.items(node, "tiers", MAX_TIERS)
    if node is not None and not items:
        desk.note("P208", node, about="tiers")
    for item in items:
        tier = _tier(desk, item, len(tiers))
        if tier.id in seen:
            desk.note("P415", tier.mark, tier.id, about=str(seen[tier.id].mark.line))
        elif tier.id:
            seen[tier.id] = tier
        tiers.append(tier)
    for lower, higher in itertools.pairwise(tiers):
        _compare(desk, lower, higher)
    return tuple(tiers)


def _tier(desk: Desk, node: Node, rank: int) -> Tier:
    form = desk.form(node, f"tiers[{rank + 1}]", _TIER_KEYS, ("id",))
    name = desk.id(form.get("id"), form.path("id"))
    form.about = f"tiers.{name}" if name else form.about
    mark = (form.get("id") or node).mark
    when = read_condition(desk, form.get("when"), form.path("when"), _OF_MEMBERS)
    _place(desk, form, name, rank, node)
    title_at = form.get("id")
    if not isinstance(title_at, Scalar):
        title_at = Scalar("", node.mark, 1, plain=True)
    return Tier(
        id=name,
        title=desk.title(form, name, title_at),
        rank=rank,
        level=_level(desk, form, node),
        when=when,
        unless=read_condition(desk, form.get("unless"), form.path("unless"), _OF_MEMBERS),
        keep=_keep(desk, form.get("keep"), form.path("keep")),
        promotion=cast(
            "Literal['automatic', 'confirmed']",
            desk.word(form.get("promotion"), form.path("promotion"), ("automatic", "confirmed"), "automatic"),
        ),
        confirm_within_days=desk.length(form.get("confirm_within"), form.path("confirm_within"), DAYS_IN, 90),
        returns_undo_days=desk.length(form.get("returns_undo"), form.path("returns_undo"), DAYS_IN, 30),
        replaces=_replaced(desk, form),
        mark=mark,
    )


def _place(desk: Desk, form: Form, name: str, rank: int, node: Node) -> None:
    """The lowest tier is everybody's and for ever; each higher one says who gets it and for how long."""
    if not isinstance(node, Entries):
        return
    if rank == 0:
        if "when" in form:
            desk.note("P501", form.key("when"), name)
        desk.without_effect(form, "unless", "keep", "promotion", "confirm_within", "returns_undo")
        return
    if "when" not in form:
        desk.note("P502", node, name)
    if "keep" not in form:
        desk.note("P203", node, allowed=("keep",), about=form.about, allowed_zh=("保级",))
    if "confirm_within" in form and form.get("promotion") is None:
        desk.without_effect(form, "confirm_within")


def _level(desk: Desk, form: Form, node: Node) -> str:
    if "level" not in form:
        if desk.defined["levels"] and isinstance(node, Entries):
            desk.note("P203", node, allowed=("level",), about=form.about, allowed_zh=("服务",))
        return ""
    return desk.reference("levels", form.get("level"), form.path("level"))


def _keep(desk: Desk, node: Node | None, about: str) -> Keep | None:
    if node is None:
        return None
    if isinstance(node, Scalar) and not absent(node):
        desk.word(node, about, ("life",), "life")
        return None
    form = desk.form(node, about, ("for", "to", "grace", "then"), ("then",))
    if isinstance(node, Entries):
        _term(desk, form)
    to = desk.word(form.get("to"), form.path("to"), ("month_end", "year_end", "end_of_next_year"), "")
    months = desk.length(form.get("for"), form.path("for"), MONTHS_IN, 0 if to else 12)
    at = form.get("for")
    if at is not None and not 1 <= months <= 1200:
        desk.note("P302", at, str(months), ("1-1200",), form.path("for"))
    return Keep(
        months=months + 12 * (to == "end_of_next_year"),
        grace_days=desk.length(form.get("grace"), form.path("grace"), DAYS_IN),
        then=cast(
            "Literal['one_down', 'as_facts_say']",
            desk.word(form.get("then"), form.path("then"), ("one_down", "as_facts_say"), "one_down"),
        ),
        to="month" if to == "month_end" else "year" if to else "day",
    )


def _term(desk: Desk, form: Form) -> None:
    """Say how long: so long, to the end of a calendar month or year, or so long and then to its end."""
    if not ("for" in form or "to" in form):
        desk.one_of(form, ("for", "to"))


def _replaced(desk: Desk, form: Form) -> tuple[str, ...]:
    replaced = desk.ids(form.get("replaces"), form.path("replaces"))
    for name in replaced:
        if name in desk.defined["tiers"]:
            desk.note("P519", form.get("replaces") or form.mark, name)
    return replaced


def _compare(desk: Desk, lower: Tier, higher: Tier) -> None:
    _easier(desk, (lower.when, higher.when), higher.mark, higher.id)


def _easier(desk: Desk, conditions: tuple[Condition | None, Condition | None], mark: Mark, name: str) -> None:
    """Note where the second condition asks for less of something than the first."""
    below = _thresholds(conditions[0])
    for subject, asked in _thresholds(conditions[1]).items():
        if subject in below and asked < below[subject]:
            desk.note("P510", mark, str(asked), (str(below[subject]),), f"{name}: {subject[1] or subject[0]}")


def _thresholds(condition: Condition | None) -> dict[tuple[object, ...], int]:
    """List what a condition asks for at least, where all of its tests must hold."""
    parts = condition.parts if isinstance(condition, AllOf) else (condition,) if condition else ()
    found: dict[tuple[object, ...], int] = {}
    for part in parts:
        if isinstance(part, Test) and part.op in ("at_least", "more_than") and isinstance(part.value, int):
            subject = part.subject
            found[(subject.source, subject.name, subject.of)] = part.value + (part.op == "more_than")
    return found


def read_lists(desk: Desk, node: Node | None) -> dict[str, MemberList]:
    """Read the lists of members to work on."""
    lists: dict[str, MemberList] = {}
    for name, written, value in desk.named(node, "lists"):
        form = desk.form(value, f"lists.{name}", ("title", "when", "of", "short"))
        desk.define("lists", name, written.mark, value)
        of, short = "", 0
        if isinstance(value, Entries) and desk.one_of(form, ("when", "of")) == "of":
            of = desk.reference("tiers", form.get("of"), form.path("of"))
            short = desk.integer(form.get("short"), form.path("short"), 1, low=1, high=100)
        else:
            desk.without_effect(form, "short")
        when = read_condition(desk, form.get("when"), form.path("when"), _OF_MEMBERS)
        title = desk.text(form.get("title"), form.path("title"), name)
        lists[name] = MemberList(name, title, when, of, short, written.mark)
    return lists


def read_segments(desk: Desk, node: Node | None) -> dict[str, str]:
    """Read which service level a segment has, whatever the tier."""
    found: dict[str, str] = {}
    for written, value in desk.entries(node, "segments"):
        desk.compared.append(("segment", written, "segments"))
        found[plain(written.text)] = desk.reference("levels", value, f"segments.{written.text}")
    return found
