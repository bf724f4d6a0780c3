"""Conditions and filters: mappings whose entries all hold, read into tests on facts, attributes, traits and fields."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, cast

from rules import measures, names, values
from rules.desk import Desk, bare
from rules.keys import ALSO, KEYS
from rules.nodes import absent
from rules.policy import AllOf, AnyOf, Condition, CountOf, Filter, Mark, NoneOf, Operator, Subject, Test
from rules.policy import Scalar as Value
from rules.presence import PRESENT, presence
from rules.repairs import SYMBOLS
from rules.source import Entries, Items, Node, Scalar
from rules.titles import titled
from rules.vocabulary import ATTRIBUTES

NOTHING: Final = AllOf(())
_SAME: Final = ("is", "is_not", "in", "not_in")

Read = Callable[[Node, str], Value | None]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a condition may read: the fields of `kinds`, or facts and attributes, and traits and tier where allowed."""

    kinds: tuple[str, ...] = ()
    fields: bool = False
    partly: bool = False  # not each of the kinds needs to have the field
    traits: bool = True
    tier: bool = True

    def keywords(self) -> tuple[str, ...]:
        """List the words that are no names here."""
        if self.fields:
            return ("any", "all", "none", "at_least", "of")
        return names.CONDITION_KEYS


@dataclass(frozen=True, slots=True)
class _Comparison:
    op: Operator
    value: Value | tuple[Value, ...]


def read_condition(desk: Desk, node: Node | None, about: str, scope: Scope) -> Condition | None:
    """Read a condition; None when there is no node. What is wrong in it is noted and left out."""
    if node is None:
        return None
    found: dict[str, tuple[Scalar, Node]] = {}
    in_order: list[tuple[str | None, Scalar, Node]] = []
    if isinstance(node, Entries) and not node.pairs and not scope.fields:
        desk.note("P208", node, about=about)
    for written, value in desk.entries(node, about):
        name = names.key(values.plain(written.text), scope.keywords())
        if name in found:
            desk.note("P202", written, written.text, about=str(found[name][0].mark.line))
            continue
        in_order.append((name, written, value))
        if name is not None:
            found[name] = (written, value)
    parts: list[Condition] = []
    for name, written, value in in_order:
        if name is None:
            parts.extend(_test_of_name(desk, written, value, about, scope))
        else:
            parts.extend(_of_keyword(desk, name, written, value, about, scope, found))
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts)) if parts else NOTHING


def _of_keyword(
    desk: Desk,
    name: str,
    written: Scalar,
    value: Node,
    about: str,
    scope: Scope,
    found: dict[str, tuple[Scalar, Node]],
) -> list[Condition]:
    path = f"{about}.{name}"
    if name in ("any", "all", "none"):
        # Under `none` a field that an event does not carry is as good as one that says no.
        parts = _parts(desk, value, path, replace(scope, partly=True) if name == "none" else scope)
        return [AnyOf(parts) if name == "any" else AllOf(parts) if name == "all" else NoneOf(parts)]
    if name == "at_least":
        return _count_of(desk, written, value, about, scope, found)
    if name == "of":
        if "at_least" not in found:
            desk.note("P203", written, allowed=("at_least",), about=about, allowed_zh=names.keys_zh(("at_least",)))
        return []
    if (name == "tier" and not scope.tier) or (name != "tier" and not scope.traits):
        desk.note("P514", written, written.text)
        return []
    if name == "tier":
        return _tier_tests(desk, value, path, written.mark)
    if name == "trait":
        if isinstance(value, Entries):
            return _degree_tests(desk, value, path, written.mark)
        traits = desk.references("traits", value, path)
        return [Test(Subject("trait", trait), "is", 1, written.mark) for trait in traits]
    return _counted_traits(desk, written, value, path)


def _parts(desk: Desk, node: Node, about: str, scope: Scope) -> tuple[Condition, ...]:
    items = desk.items(node, about)
    if isinstance(node, Items) and not items:
        desk.note("P208", node, about=about)
    read = (read_condition(desk, item, f"{about}[{at}]", scope) for at, item in enumerate(items, start=1))
    return tuple(part for part in read if part is not None)


def _count_of(
    desk: Desk, written: Scalar, value: Node, about: str, scope: Scope, found: dict[str, tuple[Scalar, Node]]
) -> list[Condition]:
    least = desk.integer(value, f"{about}.at_least", 1, low=1)
    if "of" not in found:
        desk.note("P203", written, allowed=("of",), about=about, allowed_zh=names.keys_zh(("of",)))
        return []
    parts = _parts(desk, found["of"][1], f"{about}.of", scope)
    if parts and least > len(parts):
        desk.note("P503", value, str(least), (str(len(parts)),), about)
    return [CountOf(least, parts)]


def _counted_traits(desk: Desk, written: Scalar, value: Node, about: str) -> list[Condition]:
    of: tuple[str, ...] = ()
    tested = value
    if isinstance(value, Entries):
        named = [pair for pair in value.pairs if names.key(values.plain(pair[0].text), ("of",)) == "of"]
        if named:
            of = desk.references("traits", named[0][1], f"{about}.of")
            rest = tuple(pair for pair in value.pairs if pair not in named)
            tested = Entries(rest, value.mark, value.length)
    if not of:
        desk.all_traits_counted = True

    def read(node: Node, path: str) -> Value | None:
        return desk.value(node, path, lambda text: values.integer(text, 0, values.LIMIT, ("项", "条", "个")), None)

    total = len(of or desk.defined["traits"])
    found = _comparisons(desk, tested, about, read)
    for comparison in found:
        asked = comparison.value
        if isinstance(asked, int) and comparison.op in ("at_least", "more_than", "is"):
            asked += comparison.op == "more_than"
            if asked > total:
                inner = tested.pairs[0][1] if isinstance(tested, Entries) and tested.pairs else value
                desk.note("P503", inner, str(asked), (str(total),), about)
    subject = Subject("traits", "", of)
    return [Test(subject, comparison.op, comparison.value, written.mark) for comparison in found]


def _degree_tests(desk: Desk, node: Entries, about: str, mark: Mark) -> list[Condition]:
    """Turn comparisons of how far a trait goes into the traits and degrees that they mean."""
    found: list[Condition] = []
    for written, value in desk.entries(node, about):
        trait = desk.reference("traits", written, about)
        if not trait:
            continue
        degrees = desk.degrees.get(trait, ())

        def read(one: Node, path: str, trait: str = trait, degrees: tuple[str, ...] = degrees) -> Value | None:
            scalar = desk.scalar(one, path)
            if scalar is None or not desk.well_typed(scalar):
                return None
            name = bare(scalar.text)
            if name not in degrees:
                desk.note("P412", scalar, scalar.text, degrees, f"traits.{trait}.degrees")
                return None
            return name

        compared = _comparisons(desk, value, f"{about}.{trait}", read)
        found += [_degree_test(trait, degrees, comparison, mark) for comparison in compared]
    if not node.pairs:
        desk.note("P208", node, about=about)
    return found


def _degree_test(trait: str, degrees: tuple[str, ...], comparison: _Comparison, mark: Mark) -> Condition:
    """Say one comparison by what each degree alone says: that it holds, whatever holds above it."""

    def reaches(rank: int) -> Condition:
        parts = tuple(Test(Subject("trait", f"{trait}.{one}"), "is", 1, mark) for one in degrees[rank:])
        return parts[0] if len(parts) == 1 else AnyOf(parts)

    met = Test(Subject("trait", trait), "is", 1, mark)
    op = comparison.op
    asked = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
    if op in ("is", "is_not", "in", "not_in"):
        exactly = tuple(
            AllOf((reaches(rank), NoneOf((reaches(rank + 1),))))
            for rank in sorted(degrees.index(str(value)) for value in asked)
        )
        return AnyOf(exactly) if op in ("is", "in") else AllOf((met, NoneOf(exactly)))
    rank = degrees.index(str(asked[0])) + (op in ("more_than", "at_most"))
    return reaches(rank) if op in ("at_least", "more_than") else AllOf((met, NoneOf((reaches(rank),))))


def _test_of_name(desk: Desk, written: Scalar, value: Node, about: str, scope: Scope) -> list[Condition]:
    path = f"{about}.{written.text.strip()}"
    if scope.fields:
        name = desk.field(written, path, scope.kinds, partly=scope.partly)
        if not name:
            return []
        measure = measures.of_field(name)
        # What is judged event by event was accepted: only a fact can count what waits.
        if measure is None or measure == "status":
            desk.note("P416", written, written.text, about=about)
            return []
        return list(_measured_tests(desk, Subject("field", name), value, path, written.mark, measure))
    text = values.plain(written.text)
    if text in desk.fact_units:
        desk.used.add(("facts", text))
        return list(_measured_tests(desk, Subject("fact", text), value, path, written.mark, desk.fact_units[text]))
    if text in desk.defined["facts"]:
        return []  # defined, but what is wrong with it is noted there
    name_ = names.canonical(text, ATTRIBUTES, names.ATTRIBUTES_ZH)
    if name_ is None:
        facts = tuple(desk.defined["facts"])
        english, chinese = (*facts, *ATTRIBUTES), (*facts, *names.ATTRIBUTES_ZH.values())
        keywords = scope.keywords()
        allowed, allowed_zh = (*english, *keywords), (*chinese, *names.keys_zh(keywords))
        desk.note("P404", written, written.text, allowed, about, allowed_zh, titled(text, desk.titles["facts"]))
        return []
    found = measures.of_attribute(name_)
    if found is None:
        desk.note("P416", written, written.text, about=about)
        return []
    return list(_measured_tests(desk, Subject("attribute", name_), value, path, written.mark, found))


def _measured_tests(
    desk: Desk, subject: Subject, node: Node, about: str, mark: Mark, measure: measures.Measure
) -> list[Condition]:
    there = presence(node) if measure in PRESENT else None
    if there is not None:
        test = Test(subject, *PRESENT[measure], mark)
        return [test if there else NoneOf((test,))]
    found = _measured(desk, subject.name, node, about, measure)
    return [Test(subject, comparison.op, comparison.value, mark) for comparison in found]


def _measured(desk: Desk, name: str, node: Node, about: str, measure: measures.Measure) -> list[_Comparison]:
    def read(operand: Node, path: str) -> Value | None:
        if measure == "text" and isinstance(operand, Scalar):
            desk.compared.append((name, operand, path))
        return measures.measured(desk, operand, path, measure)

    return _comparisons(desk, node, about, read, ordered=measure not in ("text", "bool", "category", "status"))


def _tier_tests(desk: Desk, node: Node, about: str, mark: Mark) -> list[Condition]:
    """Turn an order of tiers (`at_least: gold`) into the tiers it means, since tiers are texts to the engine."""
    tiers = list(desk.defined["tiers"])
    tests: list[Condition] = []
    for comparison in _comparisons(desk, node, about, lambda n, p: desk.reference("tiers", n, p) or None):
        op, value = comparison.op, comparison.value
        if op not in _SAME and not isinstance(value, tuple):
            rank = tiers.index(str(value))
            ranges = {"at_least": (rank, None), "more_than": (rank + 1, None), "at_most": (0, rank + 1)}
            first, end = ranges.get(op, (0, rank))
            op, value = "in", tuple(tiers[first:end])
            if not value:
                desk.note("P515", node, str(comparison.value), about=about)
        tests.append(Test(Subject("tier"), op, value, mark))
    return tests


def _comparisons(desk: Desk, node: Node, about: str, read: Read, *, ordered: bool = True) -> list[_Comparison]:
    """Read a TEST: a scalar (is), a list (in), or a mapping from operators to values."""
    if isinstance(node, Scalar):
        if absent(node):
            desk.note("P208", node, about=about)
            return []
        formula = _formula(node)
        if formula is not None:
            word, number = formula
            desk.note("P323", node, node.text, (f"{{{word}: {number}}}",), about, (f"{{{KEYS[word]}: {number}}}",))
            return []
        value = read(node, about)
        return [] if value is None else [_Comparison("is", value)]
    if isinstance(node, Items):
        return _listed(desk, "in", node, about, read)
    form = desk.form(node, about, names.OPERATORS)
    found: list[_Comparison] = []
    for key in form.keys():  # noqa: SIM118
        op = cast("Operator", key)
        operand = form.get(key)
        if operand is None:
            continue
        if not ordered and op not in _SAME:
            allowed = names.keys_zh(_SAME)
            desk.note("P316", form.key(key), form.key(key).text, _SAME, about, allowed)
        elif op in ("in", "not_in"):
            found.extend(_listed(desk, op, operand, about, read))
        else:
            value = read(operand, f"{about}.{key}")
            if value is not None:
                found.append(_Comparison(op, value))
    if not node.pairs:
        desk.note("P208", node, about=about)
    _contradiction(desk, node, about, found)
    return found


def _formula(node: Scalar) -> tuple[str, str] | None:
    """Take `≥2` or `不低于 2` apart, as people write it who think of a formula; None for anything else."""
    text = values.plain(node.text)
    for word, op in _FORMULAS.items():
        operand = text.removeprefix(word).strip()
        # What follows is a number: 至少牌 may be a brand.
        if operand != text and _NUMBER.match(operand):
            return op, operand
    for word, op in _TAILS.items():
        operand = text.removesuffix(word).strip()
        if operand != text and _NUMBER.match(operand):
            return op, operand
    return None


_NUMBER: Final = re.compile(r"[¥$\d一二两三四五六七八九十]")
_TAILS: Final = {
    **dict.fromkeys(("及以上", "以上"), "at_least"), **dict.fromkeys(("及以下", "以下", "以内", "之内"), "at_most"),
}  # fmt: skip
_FORMULAS: Final[dict[str, str]] = {
    **SYMBOLS,
    **dict.fromkeys(("大于等于", "不小于", "不少于", "至少"), "at_least"), "大于": "more_than",
    **dict.fromkeys(("小于等于", "不大于", "不超过", "至多", "最多"), "at_most"), "小于": "less_than",
    "不到": "less_than", "等于": "is",
    **{KEYS[op]: op for op in ("at_least", "more_than", "at_most", "less_than")},
}  # fmt: skip


def _listed(desk: Desk, op: Operator, node: Node, about: str, read: Read) -> list[_Comparison]:
    found = [read(item, about) for item in desk.items_or_one(node, about)]
    kept = tuple(dict.fromkeys(value for value in found if value is not None))
    if isinstance(node, Items) and not node.items:
        desk.note("P208", node, about=about)
    return [_Comparison(op, kept)] if kept else []


def _contradiction(desk: Desk, node: Node, about: str, found: list[_Comparison]) -> None:
    low, high = -values.LIMIT, values.LIMIT
    for comparison in found:
        value = comparison.value
        if not isinstance(value, int):
            continue
        if comparison.op in ("at_least", "more_than", "is"):
            low = max(low, value + (comparison.op == "more_than"))
        if comparison.op in ("at_most", "less_than", "is"):
            high = min(high, value - (comparison.op == "less_than"))
    if low > high:
        desk.note("P515", node, f"{low} > {high}", about=about)


def read_filters(desk: Desk, node: Node | None, about: str, kinds: tuple[str, ...]) -> tuple[Filter, ...]:
    """Read `{field: TEST}` on the fields of these kinds; every entry holds."""
    filters: list[Filter] = []
    for written, value in desk.entries(node, about):
        path = f"{about}.{written.text.strip()}"
        name = desk.field(written, path, kinds)
        measure = measures.of_field(name) if name else None
        if measure is None:
            if name:
                desk.note("P416", written, written.text, about=about)
            continue
        there = presence(value) if measure in PRESENT else None
        if there:
            filters.append(Filter(name, *PRESENT[measure]))
            continue
        if there is False:  # a filter compares values; what has none is counted by taking away those that have one
            desk.note("P532", value, getattr(value, "text", ""), about=path)
            continue
        found = _measured(desk, name, value, path, measure)
        filters.extend(Filter(name, comparison.op, comparison.value) for comparison in found)
    return tuple(filters)


def unmarked(condition: Condition) -> Condition:
    """Return the condition without its places, to compare what two of them say."""
    if isinstance(condition, Test):
        return replace(condition, mark=Mark(0, 0))
    return replace(condition, parts=tuple(unmarked(part) for part in condition.parts))


CONDITION_WORDS: Final = frozenset(
    spelling for name in names.CONDITION_KEYS for spelling in (name, KEYS[name], *ALSO.get(name, ()))
)
