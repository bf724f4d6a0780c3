"""Programs for the engine, drawn and made to measure, and the plain reading that it is compared with."""

import operator

from hypothesis import strategies as st

from rules.pattern import MAX_INTEGER, AllOf, AnyOf, Atom, Field, Pattern, Phase, Program, negated

SIGNS = {"==": operator.eq, "!=": operator.ne, ">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}
FIELDS = (Field("n", "int"), Field("m", "int"), Field("flag", "int"), Field("s", "text"), Field("t", "text"))
HOSTILE = (
    "", " ", "gold", "Gold", '"', "'", "\\", '\\"', '","id":"x', '{"id":"x","sid":"y","k":2}', "id", "sid", "$s",
    "0", "1", "金卡客户", "😀", "%d%s", "\n\t", "\x01", "a" * 10_000,
)  # fmt: skip


def holds(node, row):
    """Evaluate a condition plainly, the way its definition reads."""
    if node is None:
        return True
    if isinstance(node, Atom):
        return SIGNS[node.op](row[node.field], node.value)
    return (all if isinstance(node, AllOf) else any)(holds(part, row) for part in node.parts)


def expected(phase, values):
    row = {field.name: value for field, value in zip(phase.fields, values, strict=True)}
    return tuple(pattern.rule for pattern in phase.patterns if holds(pattern.when, row))


def one_phase(*conditions, fields=FIELDS):
    patterns = tuple(Pattern(f"rule {index}", 1, when) for index, when in enumerate(conditions))
    return Program("a programme", (Phase(1, fields, patterns),))


numbers = st.one_of(
    st.integers(-3, 3), st.sampled_from((MAX_INTEGER, -MAX_INTEGER, MAX_INTEGER - 1, 1 - MAX_INTEGER, 2**31, -(2**32)))
)
texts = st.sampled_from(HOSTILE)
atoms = st.one_of(
    st.builds(Atom, st.sampled_from(("n", "m")), st.sampled_from(tuple(SIGNS)), numbers),
    st.builds(Atom, st.just("flag"), st.sampled_from(("==", "!=")), st.integers(0, 1)),
    st.builds(Atom, st.sampled_from(("s", "t")), st.sampled_from(("==", "!=")), texts),
)
several = st.lists(atoms, min_size=1, max_size=6).map(tuple)
nodes = st.recursive(
    st.one_of(atoms, several.map(AnyOf), several.map(AllOf)),
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple).flatmap(lambda parts: st.sampled_from((AllOf(parts), AnyOf(parts))))
    ),
    max_leaves=5,
)
rows = st.tuples(numbers, numbers, st.integers(0, 1), texts, texts)


@st.composite
def programs(draw):
    phases = []
    for number in (1, 7):
        conditions = draw(st.lists(st.one_of(st.none(), nodes, nodes.map(negated)), max_size=20))
        patterns = tuple(Pattern(f"rule {index}", number, when) for index, when in enumerate(conditions))
        phases.append(Phase(number, FIELDS, patterns))
    return Program("drawn", tuple(phases))


def spy(function, seen):
    """Wrap a function so that its arguments are noted."""

    def spied(*arguments):
        seen.append(arguments)
        return function(*arguments)

    return spied
