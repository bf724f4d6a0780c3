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

# What the engine holds, and in the comment what the library (durable-rules 2.0.28) does beyond its own limit.
MAX_FIELDS: Final = 200  # of a phase. 252 properties of a fact: refused, the fact half stored
MAX_RULES: Final = 4_000  # of a program, counting alternatives. 4,097: refused, a handle leaked
MAX_ALTERNATIVES: Final = 256  # of a rule. Nested choices are followed path by path: 4^10 paths take 1.7 s
MAX_NESTING: Final = 32  # of a condition. Flattened before the library, which has 15 groups; this is for our recursion
MAX_STEPS: Final = 128  # conditions of one alternative. No limit; this is for our recursion
MAX_CHOICES: Final = 12  # of one alternative. 15 groups in one rule, one of which is the rule: refused
MAX_CONDITIONS: Final = 20_000  # of a program. No limit, but 4.5 kB each in every handle
MAX_FOLLOWERS: Final = 256  # of one condition. 512: the compile never ends
MAX_JUNCTIONS: Final = 50  # choices that one condition ends. 128: read out of bounds
MAX_SAME_END: Final = 128  # rules with the same last condition. 256: the first match crashes
MAX_PENDING: Final = 60  # conditions found to hold and not yet followed. 65: refused, the fact half stored


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
