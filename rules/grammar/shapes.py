"""Of what a policy file is made: leaves, lists, maps and forms; `rules.grammar` puts them in their places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from rules import measures, names
from rules.keys import KEYS
from rules.vocabulary import ATTRIBUTES, FIELDS, STATUSES

LeafType = Literal[
    "id",  # of something the file defines, or a name of the dealer's own
    "prose",  # a sentence for people
    "text",  # a value that is compared as it is written
    "word",
    "kind",
    "field",
    "attribute",
    "category",
    "money",
    "amount",  # money or points, as the wallet counts
    "percent",
    "paid",  # a share of the list price: 95折, 95%
    "quantity",  # a number in whatever unit the tested thing has
    "integer",
    "length",
    "date",
    "moment",
    "yes",
    "currency",
    "timezone",
    "rung",
    "source",
]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value. `words` are also understood there (for the type "word": nothing else is).

    `units` are the units a length may have, `of` the names that a field or attribute is one of (none: all).
    """

    type: LeafType
    words: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; with `one` a single item may stand there without its brackets."""

    item: Shape
    one: bool = True


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping whose keys the writer chooses, or that are words, kinds or rungs."""

    key: Leaf
    value: Shape


@dataclass(frozen=True, slots=True)
class Either:
    """What is meant depends on whether a single value, a list or a mapping is written."""

    scalar: Leaf | None = None
    items: Shape | None = None
    mapping: Shape | None = None


@dataclass(frozen=True, slots=True)
class Ref:
    """A form by name, so that shapes may hold themselves."""

    form: str


@dataclass(frozen=True, slots=True)
class Named:
    """What else may be a key of a form: names of `source`, each with the shape of its values.

    "subject" is a fact of the file or an attribute of the member, tested; "tested" a field that is tested; "field" a
    field with its value.
    """

    source: Literal["subject", "tested", "field"]
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """A mapping with known keys.

    one_of    groups of keys of which one must be there
    spelled   Chinese spellings that read better here than those of `rules.keys`
    instead   the shapes of some keys when another key is there
    refused   keys that are known here only to be refused
    others    what else may be a key
    """

    keys: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    spelled: Mapping[str, str] = field(default_factory=dict)
    instead: tuple[str, Mapping[str, Shape]] | None = None
    refused: tuple[str, ...] = ()
    others: Named | None = None

    def chinese(self, key: str) -> str:
        """Return the Chinese spelling of a key in this form."""
        return self.spelled.get(key) or KEYS[key]


Shape = Leaf | ListOf | MapOf | Either | Ref | Form

ID: Final = Leaf("id")
PROSE: Final = Leaf("prose")
TEXT: Final = Leaf("text")
MONEY: Final = Leaf("money")
AMOUNT: Final = Leaf("amount")
NUMBER: Final = Leaf("integer")
QUANTITY: Final = Leaf("quantity")
PERCENT: Final = Leaf("percent")
DATE: Final = Leaf("date")
MOMENT: Final = Leaf("moment")
YES: Final = Leaf("yes")
KIND: Final = Leaf("kind")
FIELD: Final = Leaf("field")
CATEGORY: Final = Leaf("category")
IDS: Final = ListOf(ID)
KINDS: Final = ListOf(KIND)
MINUTES: Final = Leaf("length", units=("minutes", "hours", "days", "weeks"))
DAYS: Final = Leaf("length", units=("days", "weeks"))
MONTHS: Final = Leaf("length", units=("months", "years"))
SPAN: Final = Leaf("length", units=("days", "weeks", "months", "years"))
LEAST_MONEY: Final = Either(scalar=MONEY, mapping=Ref("least_money"))
LEAST_PIECES: Final = Either(scalar=NUMBER, mapping=Ref("least_pieces"))
TITLE: Final = Either(scalar=PROSE, mapping=Ref("text"))
FILTERS: Final = Ref("filters")
PERIODS: Final = ("life", "year", "quarter", "month", "day")
DATED: Final = Leaf("attribute", of=tuple(item.id for item in ATTRIBUTES.values() if item.type == "date"))
MEMBERS: Final = Leaf("field", of=tuple(item.id for item in FIELDS.values() if item.type == "member"))
DATES: Final = Leaf("field", of=tuple(item.id for item in FIELDS.values() if item.type == "date"))


def word(*words: str) -> Leaf:
    """Make a value that is one of a few words."""
    return Leaf("word", words)


def test_of(leaf: Leaf) -> Either:
    """Make a TEST on values of one type: a value, a list of them, or comparisons."""
    many = ListOf(leaf)
    operators = {name: many if name in ("in", "not_in") else leaf for name in names.OPERATORS}
    return Either(leaf, many, Form(operators))


def tested(measure: measures.Measure | None) -> Either | None:
    """Return the shape of tests on what is measured so; None for what no test can compare."""
    leaves: dict[str, Leaf] = {
        "text": TEXT, "category": CATEGORY, "bool": YES, "date": DATE, "money": MONEY, "status": word(*STATUSES),
    }  # fmt: skip
    return None if measure is None else test_of(leaves.get(measure, QUANTITY))


def field_shape(name: str) -> Shape:
    """Return the shape of a field's value in an example."""
    if name in ("trait", "degree", "tier", "wallet", "entitlement", "duty"):
        return ID
    if name == "category":
        return CATEGORY
    found: dict[str, Shape] = {
        "int": NUMBER, "money": MONEY, "bool": YES, "date": DATE, "texts": ListOf(TEXT),
        "lines": ListOf(Ref("line"), one=False),
    }  # fmt: skip
    return found.get(FIELDS[name].type, TEXT)


def shape_of(named: Named, name: str) -> Shape | None:
    """Return what may stand under a name; None when the name cannot be a key there. A fact is any other name."""
    if named.source == "field":
        return field_shape(name)
    if named.source == "tested":
        return tested(measures.of_field(name))
    return tested(measures.of_attribute(name)) if name in ATTRIBUTES else test_of(QUANTITY)
