"""From a policy's conditions to the patterns of the engine.

Three moments are judged, each on a row of its own: the traits; what depends on the traits (tiers, lists, wallets,
awards); and each line of an event (prices in one phase, rewards and emissions in one phase per kind of event, so that
a row carries only what the rules of its kind read and a kind without rules costs nothing).

A test on an absent value is false, also under `none`. Tests therefore carry their presence with them
(`x != absent and x < 5`, see `rules.inputs`), and the negation that `none` asks for is the plain one (`x == absent or
x >= 5`): every field of a row has a value, so the engine's logic is two-valued and De Morgan is exact.

"At least k of n conditions" is written out while it is small. Wider ones, and whatever has more alternatives than the
engine takes, are counted in Python: the parts become rules of an earlier pass over the same values, and the count is
one field here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, count
from math import comb, prod
from typing import Final

from rules import policy as ast
from rules.inputs import ABSENT, ABSENT_TEXT, Column, Layout, PolicyNotCompilable, Slot, column, subject_key, values_of
from rules.pattern import AllOf, AnyOf, Atom, Field, Kind, Node, Pattern, Phase, Program, negated
from rules.pattern import Operator as Sign

TRAITS: Final = 1
STANDING: Final = 2
PRICES: Final = 3
FIRST_KIND: Final = 4
"""Phase numbers. The kinds with rules follow in file order, then the passes that count."""

WAYS: Final = 64
"""How many combinations of "at least k of n" are written out."""
ALTERNATIVES: Final = 128
"""How many alternatives a condition may have before its parts are judged one by one; the engine refuses 256."""

_TRUE: Final = AllOf(())
_FALSE: Final = AnyOf(())
# Traits are judged together, so that none can ask for another.
_OF_TRAITS: Final[frozenset[ast.Source]] = frozenset(("fact", "attribute"))
_OF_STANDING: Final[frozenset[ast.Source]] = frozenset((*_OF_TRAITS, "trait", "traits", "tier"))
_OF_LINES: Final[frozenset[ast.Source]] = frozenset((*_OF_STANDING, "field"))
_SIGNS: Final[dict[ast.Operator, Sign]] = {
    "at_least": ">=", "more_than": ">", "at_most": "<=", "less_than": "<", "is": "==", "is_not": "!=",
    "in": "==", "not_in": "==",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition to be judged, and which standing tier a test on the tier means in it."""

    when: ast.Condition
    tier: Slot = "tier"


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass over the engine; without patterns it is not in the program.

    rules    all rule ids, in file order
    always   rules whose condition is true of everything; they cost the engine nothing
    counted  for each count in the layout, the rules of `earlier` that it counts
    earlier  the pass that comes before, when something is counted
    """

    phase: int
    layout: Layout
    rules: tuple[str, ...]
    always: frozenset[str]
    counted: tuple[frozenset[str], ...]
    earlier: Stage | None

    @property
    def asks(self) -> bool:
        """Whether there is anything for the engine to match."""
        return bool(self.layout.fields)

    def passes(self) -> Iterator[Stage]:
        """Yield this pass and those before it."""
        yield self
        if self.earlier is not None:
            yield from self.earlier.passes()

    def facts(self) -> tuple[str, ...]:
        """Return the ids of the facts that this pass and those before it read."""
        return tuple(dict.fromkeys(name for stage in self.passes() for name in stage.layout.names("fact")))


@dataclass(frozen=True, slots=True)
class Compiled:
    """A policy ready for the engine. Rule ids: trait ids; `when:TIER` …; price ids, `beside:PRICE`; reward ids.

    priced_by  every test that a price's conditions make
    """

    program: Program
    traits: Stage
    standing: Stage
    prices: Stage
    kinds: Mapping[str, Stage]
    priced_by: tuple[ast.Test, ...]


def compile_policy(policy: ast.Policy) -> Compiled:
    """Compile all conditions of a policy; raises PolicyNotCompilable."""
    clash = policy.rewards.keys() & policy.emissions.keys()
    if clash:
        raise PolicyNotCompilable(min(clash), "is both a reward and an emission")
    kinds = _event_rules(policy)
    builder = _Builder(policy, FIRST_KIND + len(kinds))
    traits = {trait.id: Rule(trait.when) for trait in policy.traits.values() if trait.when is not None}
    for trait in policy.traits.values():
        traits |= {f"{trait.id}.{degree.id}": Rule(degree.when) for degree in trait.degrees}
    prices = {price.id: _price_rule(policy, price) for price in policy.prices.values()}
    besides = {f"beside:{one.id}": Rule(one.beside) for one in policy.prices.values() if one.beside is not None}
    stages = (
        builder.stage(TRAITS, traits, _OF_TRAITS),
        builder.stage(STANDING, _standing_rules(policy), _OF_STANDING),
        builder.stage(PRICES, prices | besides, _OF_LINES),
    )
    lines = {
        kind: builder.stage(number, rules, _OF_LINES) for number, (kind, rules) in enumerate(kinds.items(), FIRST_KIND)
    }
    phases = sorted(builder.phases, key=lambda phase: phase.number)
    priced_by = tuple(test for rule in (prices | besides).values() for test in tests_of(rule.when))
    return Compiled(Program(policy.programme, tuple(phases)), *stages, lines, priced_by)


def _standing_rules(policy: ast.Policy) -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for tier in policy.tiers:
        if tier.when is not None:
            rules[f"when:{tier.id}"] = Rule(tier.when)
        if tier.unless is not None:
            rules[f"unless:{tier.id}"] = Rule(tier.unless)
    for item in policy.lists.values():
        rules[f"list:{item.id}"] = Rule(list_condition(policy, item))
    for wallet in policy.wallets.values():
        if wallet.suspended_when is not None:
            rules[f"wallet:{wallet.id}"] = Rule(wallet.suspended_when)
    for award in policy.awards.values():
        if award.unless is not None:
            rules[f"award:{award.id}"] = Rule(award.unless)
    return rules


def _price_rule(policy: ast.Policy, price: ast.Price) -> Rule:
    whom = () if price.when is None else (price.when,)
    return Rule(ast.AllOf((*_whose(policy, price), price.where, *whom)), "before")


def _event_rules(policy: ast.Policy) -> dict[str, dict[str, Rule]]:
    """Return the rules of each kind of event, emissions first, as in the file."""
    kinds: dict[str, dict[str, Rule]] = {}
    for emission in policy.emissions.values():
        _add(kinds, emission, Rule(_joint((), emission), "after"))
    for reward in policy.rewards.values():
        _add(kinds, reward, Rule(_joint(_whose(policy, reward), reward), reward.standing))
    return kinds


def _joint(whose: tuple[ast.Condition, ...], item: ast.Emission | ast.Reward) -> ast.Condition:
    return ast.AllOf((*whose, *(part for part in (item.where, item.when) if part is not None)))


def _add(kinds: dict[str, dict[str, Rule]], item: ast.Emission | ast.Reward, rule: Rule) -> None:
    for kind in item.on:
        kinds.setdefault(kind, {})[item.id] = rule


def _whose(policy: ast.Policy, item: ast.Price | ast.Reward) -> tuple[ast.Condition, ...]:
    """Return the conditions on the standing that `for` and `level` state."""
    levels = (level_condition(policy, item.for_levels, item.mark),) if item.for_levels else ()
    return (*_for_tiers(item.for_tiers, item.mark), *levels)


def _for_tiers(tiers: tuple[str, ...], mark: ast.Mark) -> tuple[ast.Test, ...]:
    return (ast.Test(ast.Subject("tier"), "in", tiers, mark),) if tiers else ()


def level_condition(policy: ast.Policy, levels: tuple[str, ...], mark: ast.Mark) -> ast.Condition:
    """Say "his service level is one of these" by tier and segment: the level is the higher of what the two give."""
    segment = ast.Subject("attribute", "segment")
    by_tiers: dict[tuple[str, ...], list[str]] = {}
    for name, level in policy.segments.items():
        tiers = tuple(tier.id for tier in policy.tiers if _higher(policy, tier.level, level) in levels)
        by_tiers.setdefault(tiers, []).append(name)
    plain = tuple(tier.id for tier in policy.tiers if tier.level in levels)
    parts: list[ast.Condition] = []
    named = ast.Test(segment, "in", tuple(policy.segments), mark)
    if plain:
        # (No segment at all is none of those that have a level: `not_in` would be false of it.)
        parts.append(ast.AllOf((*_for_tiers(plain, mark), *((ast.NoneOf((named,)),) if policy.segments else ()))))
    for tiers, names in by_tiers.items():
        if tiers:
            every = len(tiers) == len(policy.tiers)
            of_segment = ast.Test(segment, "in", tuple(names), mark)
            parts.append(of_segment if every else ast.AllOf((of_segment, *_for_tiers(tiers, mark))))
    return parts[0] if len(parts) == 1 else ast.AnyOf(tuple(parts))


def _higher(policy: ast.Policy, one: str, other: str) -> str:
    known = [policy.levels[name] for name in (one, other) if name in policy.levels]
    return max(known, key=lambda level: level.rank).id if known else ""


# ---- lists of those who fall short -------------------------------------------------------------------------------


def list_condition(policy: ast.Policy, item: ast.MemberList) -> ast.Condition:
    """Return the list's condition; for `short` traits below a tier: the tier's own with its counts lowered by so many.

    Who fails with the counts lowered by one less is exactly `short` below; who is excluded from the tier is on no
    list that courts him for it.
    """
    if item.when is not None:
        return item.when
    tier = policy.tier(item.of)
    if tier.when is None:
        raise PolicyNotCompilable(item.id, f"tier {tier.id} has no condition to fall short of", item.mark)
    out = (_lowered(tier.when, item.short - 1), *(() if tier.unless is None else (tier.unless,)))
    return ast.AllOf((_lowered(tier.when, item.short), *(ast.NoneOf((part,)) for part in out)))


def _lowered(condition: ast.Condition, by: int) -> ast.Condition:
    """Lower what is asked of the count of traits. Under `none` nothing is lowered: there it would ask for more."""
    match condition:
        case ast.Test(ast.Subject("traits"), "at_least" | "more_than" | "is", int(value)):
            return replace(condition, value=value - by)
        case ast.AllOf() | ast.AnyOf() | ast.CountOf():
            return replace(condition, parts=tuple(_lowered(part, by) for part in condition.parts))
        case _:
            return condition


# ---- one pass ----------------------------------------------------------------------------------------------------


def tests_of(condition: ast.Condition) -> Iterator[ast.Test]:
    """Yield every test of a condition, in file order."""
    if isinstance(condition, ast.Test):
        yield condition
    else:
        for part in condition.parts:
            yield from tests_of(part)


class _Builder:
    """Compiles passes and collects the phases of the program."""

    def __init__(self, policy: ast.Policy, first_counting_phase: int) -> None:
        self.policy = policy
        self.phases: list[Phase] = []
        self._numbers = count(first_counting_phase)
        self._kinds: dict[tuple[ast.Source, str], Kind] = {}

    def stage(self, phase: int, rules: Mapping[str, Rule], sources: frozenset[ast.Source]) -> Stage:
        nodes = _Nodes(self._columns(rules, sources))
        wanted = {rule_id: nodes.rule(rule_id, rule) for rule_id, rule in rules.items()}
        patterns = tuple(
            Pattern(rule_id, phase, node) for rule_id, node in wanted.items() if node not in (_TRUE, _FALSE)
        )
        used = {atom.field for pattern in patterns if pattern.when is not None for atom in _atoms(pattern.when)}
        kept = (made for made in nodes.columns.values() if made.field.name in used)
        counted = {field: parts for field, parts in nodes.counted.items() if field in used}
        layout = Layout(
            tuple(sorted(kept, key=lambda made: made.place)), tuple(Field(field, "int") for field in counted)
        )
        if patterns:
            self.phases.append(Phase(phase, layout.fields, patterns))
        always = frozenset(rule_id for rule_id, node in wanted.items() if node == _TRUE)
        parts = {part_id: part for parts in counted.values() for part_id, part in parts.items()}
        earlier = self.stage(next(self._numbers), parts, sources) if parts else None
        return Stage(phase, layout, tuple(rules), always, tuple(map(frozenset, counted.values())), earlier)

    def _columns(self, rules: Mapping[str, Rule], sources: frozenset[ast.Source]) -> dict[ast.Subject, Column]:
        asked: dict[ast.Subject, list[ast.Test]] = {}
        for rule_id, rule in rules.items():
            for test in tests_of(rule.when):
                if test.subject.source not in sources:
                    raise PolicyNotCompilable(rule_id, f"a {test.subject.source} cannot be asked here", test.mark)
                asked.setdefault(subject_key(test.subject, rule.tier), []).append(test)
        columns = {subject: column(self.policy, subject, tests) for subject, tests in asked.items()}
        for subject, made in columns.items():
            key = (subject.source, subject.name)
            if self._kinds.setdefault(key, made.field.kind) != made.field.kind:
                raise PolicyNotCompilable(
                    made.field.name, "is compared with numbers and with text", asked[subject][0].mark
                )
        return columns


def _atoms(node: Node) -> Iterator[Atom]:
    if isinstance(node, Atom):
        yield node
    else:
        for part in node.parts:
            yield from _atoms(part)


# ---- conditions to nodes -----------------------------------------------------------------------------------------


class _Nodes:
    """Turns the conditions of one pass into nodes over its columns, and collects what must be counted before."""

    def __init__(self, columns: Mapping[ast.Subject, Column]) -> None:
        self.columns = columns
        self.counted: dict[str, dict[str, Rule]] = {}

    def rule(self, rule_id: str, rule: Rule) -> Node:
        return self._node(rule.when, rule_id, rule.tier, negate=False)

    def _node(self, condition: ast.Condition, rule_id: str, tier: Slot, *, negate: bool) -> Node:
        """Compile a condition, or its negation. Every joining condition is "at least k of its parts", or not that."""
        if isinstance(condition, ast.Test):
            node = _test(condition, self.columns[subject_key(condition.subject, tier)])
            return negated(node) if negate else node
        parts = condition.parts
        negate ^= isinstance(condition, ast.NoneOf)
        least = _least(condition)
        # Not k of n is n - k + 1 of the n negations (De Morgan): this keeps alternatives few under `none` too.
        wanted = len(parts) - least + 1 if negate else least
        if not 1 < wanted < len(parts) or comb(len(parts), wanted) <= WAYS:
            nodes = [self._node(part, rule_id, tier, negate=negate) for part in parts]
            node = _at_least(wanted, nodes)
            if _alternatives(node) <= ALTERNATIVES:
                return node
        field = f"counted.{len(self.counted)}"
        self.counted[field] = {f"{rule_id}/{field}.{number}": Rule(part, tier) for number, part in enumerate(parts)}
        return Atom(field, "<" if negate else ">=", least)


def _test(test: ast.Test, column: Column) -> Node:
    """Compile one comparison so that it is false of an absent value; its negation is then true of it."""
    field = column.field.name
    values = [column.ranks[str(value)] if column.ranks else value for value in values_of(test)]
    compared = _any(Atom(field, _SIGNS[test.op], value) for value in values)
    if test.op == "not_in":
        compared = negated(compared)
    if test.op == "is_not" and test.value == ABSENT_TEXT:
        return compared  # that there is a value
    if column.maybe and test.op in ("at_most", "less_than", "is_not", "not_in"):
        return _all((Atom(field, "!=", ABSENT if column.field.kind == "int" else ABSENT_TEXT), compared))
    # What stands for an absent value is below every constant and equal to none: these tests are false of it already.
    return compared


def _least(condition: ast.AllOf | ast.AnyOf | ast.NoneOf | ast.CountOf) -> int:
    match condition:
        case ast.AllOf(parts):
            return len(parts)
        case ast.CountOf(least):
            return least
        case _:
            return 1


def _at_least(least: int, nodes: list[Node]) -> Node:
    if least <= 0:
        return _TRUE
    return _any(_all(some) for some in combinations(nodes, least))


def _alternatives(node: Node) -> int:
    """Count the ways in which a node can hold, as the engine will; comparisons of one field are one way."""
    if isinstance(node, Atom):
        return 1
    if isinstance(node, AllOf):
        return prod(_alternatives(part) for part in node.parts)
    fields = {part.field for part in node.parts if isinstance(part, Atom)}
    return len(fields) + sum(_alternatives(part) for part in node.parts if not isinstance(part, Atom))


def _all(nodes: Iterable[Node]) -> Node:
    return _joined(nodes, AllOf)


def _any(nodes: Iterable[Node]) -> Node:
    return _joined(nodes, AnyOf)


def _joined(nodes: Iterable[Node], join: type[AllOf | AnyOf]) -> Node:
    """Join nodes flat, without doubles and without constants."""
    parts: dict[Node, None] = {}
    for node in nodes:
        if isinstance(node, join):
            parts.update(dict.fromkeys(node.parts))
        elif not isinstance(node, Atom) and not node.parts:
            return node  # false decides an AllOf, true an AnyOf
        else:
            parts[node] = None
    return next(iter(parts)) if len(parts) == 1 else join(tuple(parts))
