"""Patterns as plain values: what the compiler hands to the engine, and nothing the rule library knows.

A `Program` is one policy version ready to be matched. It has phases (first the traits, then the tier's rewards, …);
each phase reads one row of facts, in the order of its `fields`, and names the patterns that fire on it. Nothing here
imports the rule library, so this module is also the vocabulary of tests and of the plain evaluator they compare with.

An integer field is a whole number of its own unit (fen, points, days, basis points, 0 or 1 for a truth value); the
unit is the policy's business. A text field is compared for equality only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Operator: TypeAlias = Literal["==", "!=", ">=", ">", "<=", "<"]
Kind: TypeAlias = Literal["int", "text"]

MAX_INTEGER: Final = 2**53
"""Largest magnitude of a fact or a constant: exact in every JSON reader and far from where the library saturates."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One comparison of a field with a constant of the field's own kind: `f3 >= 20000`."""

    field: str
    op: Operator
    value: int | str


@dataclass(frozen=True, slots=True)
class AllOf:
    """True when every part is; with no parts, true."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when at least one part is; with no parts, false."""

    parts: tuple[Node, ...]


Node: TypeAlias = Atom | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Pattern:
    """Fires the rule id `rule` in phase `phase` when `when` holds; `None` always fires. Ids are unique in a phase."""

    rule: str
    phase: int
    when: Node | None


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a phase's row of facts. Every row carries every field, present and of this kind."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Phase:
    """The rules judged together on one row; `number` is 1 or more, unique in the program, and on every pattern."""

    number: int
    fields: tuple[Field, ...]
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """Everything one policy version asks the engine; `name` is for messages only."""

    name: str
    phases: tuple[Phase, ...]


class EngineLimitExceeded(ValueError):
    """A program asks for more than the engine safely holds; raised before the library sees anything of it.

    `cap` is the stable name of the limit, `rule` the rule id (or the field or phase) that broke it,
    `got` what was found and `allowed` what is possible.
    """

    def __init__(self, cap: str, rule: str, got: object, allowed: object) -> None:
        super().__init__(f"{rule}: {cap} is {got}, allowed is {allowed}")
        self.cap = cap
        self.rule = rule
        self.got = got
        self.allowed = allowed


class FactRefused(ValueError):
    """A row does not fit its phase (wrong length, kind or range); nothing was matched and the engine is untouched."""


class EngineFault(RuntimeError):
    """The library answered what it never should. This judgement failed; the next one runs on a fresh engine."""


_OPPOSITE: Final[dict[Operator, Operator]] = {"==": "!=", "!=": "==", ">=": "<", "<": ">=", ">": "<=", "<=": ">"}


def negated(node: Node) -> Node:
    """Give the node that holds exactly when `node` does not; exact because every field is present in every row."""
    if isinstance(node, Atom):
        return Atom(node.field, _OPPOSITE[node.op], node.value)
    parts = tuple(negated(part) for part in node.parts)
    return AnyOf(parts) if isinstance(node, AllOf) else AllOf(parts)
