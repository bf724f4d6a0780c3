"""Conditions, as plain frozen values: tests and how they are joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rules.policy.text import Mark

Operator = Literal["at_least", "more_than", "at_most", "less_than", "is", "is_not", "in", "not_in"]
Scalar = int | str
Source = Literal["fact", "attribute", "field", "traits", "trait", "tier"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a test reads.

    source   name                      value
    fact     id under `facts`          int in the fact's unit, absent when it has no value
    attribute member attribute id      as of the asked position (text, int, bool as 0/1, date as ordinal day)
    field    field of event or line    rewards, prices and emissions only
    traits   ""                        how many of `of` (empty: of all traits) are met
    trait    trait id, or trait.degree 1 when met, else 0
    tier     ""                        id of the standing tier
    """

    source: Source
    name: str = ""
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison. `value` is a tuple for `in` and `not_in`, one scalar otherwise. Booleans are 0 and 1."""

    subject: Subject
    op: Operator
    value: Scalar | tuple[Scalar, ...]
    mark: Mark = Mark(0, 0)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds (no parts: true)."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds (no parts: false)."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """No part holds; a test on an absent value does not hold, so `none` of it is true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class CountOf:
    """At least `least` of the parts hold."""

    least: int
    parts: tuple[Condition, ...]


Condition = Test | AllOf | AnyOf | NoneOf | CountOf


@dataclass(frozen=True, slots=True)
class Filter:
    """A test on a field of an event line. `value` is a tuple for `in` and `not_in`. Booleans are 0 and 1."""

    field: str
    op: Operator
    value: Scalar | tuple[Scalar, ...]
