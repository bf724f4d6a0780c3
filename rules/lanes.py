"""The section `lanes`, and what prices and rewards say alike: their lane, their thresholds, how often."""

from __future__ import annotations

from typing import Final, Literal, cast

from rules import values
from rules.desk import Desk
from rules.nodes import Form
from rules.policy import Lane
from rules.source import Entries, Node

_COMPETE: Final = ("best", "by_priority")
_TIMES: Final = ("次", "times", "time")


def define_lanes(desk: Desk, node: Node | None) -> None:
    """Remember the ids of the lanes before any price or reward names one."""
    for written, _ in node.pairs if isinstance(node, Entries) else ():
        desk.define("lanes", values.plain(written.text), written.mark)


def read_lanes(desk: Desk, node: Node | None) -> dict[str, Lane]:
    """Read the lanes, in the order in which they apply."""
    lanes: dict[str, Lane] = {}
    for name, written, value in desk.named(node, "lanes"):
        form = desk.form(value, f"lanes.{name}", ("title", "compete"), ("compete",))
        title = desk.text(form.get("title"), form.path("title"), name)
        lanes[name] = Lane(name, title, read_compete(desk, form), written.mark)
    return lanes


def read_compete(desk: Desk, form: Form) -> Literal["best", "by_priority"]:
    """Read what decides between those that compete."""
    word = desk.word(form.get("compete"), form.path("compete"), _COMPETE, "best")
    return cast("Literal['best', 'by_priority']", word)


def read_lane(desk: Desk, form: Form) -> tuple[str, int]:
    """Read `lane` and the `priority` inside it."""
    lane = desk.reference("lanes", form.get("lane"), form.path("lane")) if "lane" in form else ""
    if "lane" not in form:
        desk.without_effect(form, "priority")
    return lane, desk.integer(form.get("priority"), form.path("priority"), 0, high=10_000)


def read_least(desk: Desk, form: Form, key: str) -> int:
    """Read a threshold: `3000 CNY` or `{at_least: 3000 CNY}` with its number, `{more_than: 3000 CNY}` without."""
    node, path = form.get(key), form.path(key)
    more = 0
    if isinstance(node, Entries):
        inner = desk.form(node, path, ("at_least", "more_than"))
        which = desk.one_of(inner, ("at_least", "more_than"))
        node, path, more = inner.get(which) if which else None, inner.path(which), int(which == "more_than")
    if node is None:
        return 0
    found = desk.integer(node, path) if key == "minimum_quantity" else desk.money(node, path)
    return found + more


def read_times(desk: Desk, node: Node, about: str) -> int:
    """Read how often: `5 times`."""
    return desk.value(node, about, lambda text: values.integer(text, 0, values.LIMIT, _TIMES), 0)
