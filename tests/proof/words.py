"""The words of the vocabulary that a policy uses, so that it can be asked whether any never came up."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import get_args

from rules import policy as ast
from rules.vocabulary import ATTRIBUTES, KINDS
from tests.proof.policies import ANY_FIELD, HOWS, OPERATORS, SPANS

JOINS = ("AllOf", "AnyOf", "NoneOf", "CountOf")
SOURCES = get_args(ast.Source)
SECTIONS = ("facts", "traits", "tiers", "lists", "wallets", "prices", "emissions", "rewards", "awards")
STANDINGS = ("before", "after", "order")
ALL: frozenset[str] = frozenset(
    [f"kind {one}" for one in KINDS]
    + [f"earns {one}" for one in KINDS]
    + [f"filter {one}" for one in ANY_FIELD]
    + [f"field {one}" for one in ANY_FIELD]
    + [f"attribute {one}" for one in ATTRIBUTES]
    + [f"how {one}" for one in HOWS]
    + [f"span {one}" for one in SPANS]
    + [f"{source} {op}" for source in ("fact", "attribute", "field", "traits") for op in OPERATORS]
    + [f"source {one}" for one in SOURCES]
    + [f"filter op {one}" for one in OPERATORS]
    + [f"join {one}" for one in JOINS]
    + [f"section {one}" for one in SECTIONS]
    + [f"standing {one}" for one in STANDINGS]
    + ["list short", "trait attested", "trait countersigned", "trait not own manager", "tier unless", "tier by hand"]
    + ["for tiers", "for levels", "segment with a level", "trait degrees", "price beside"]
)


def said_by(policy: ast.Policy) -> set[str]:
    """The words that a policy uses."""
    words = {f"section {name}" for name in SECTIONS if getattr(policy, name)}
    words |= {"segment with a level"} if policy.segments else set()
    for one in _every(policy):
        match one:
            case ast.Fact():
                words.add(f"how {one.how}")
                words.add(f"span {one.window.span}")
                words |= {f"kind {kind}" for kind in one.kinds}
            case ast.Filter():
                words |= {f"filter {one.field}", f"filter op {one.op}"}
            case ast.Test():
                source = one.subject.source
                words |= {f"source {source}", f"{source} {one.op}"}
                if source in ("field", "attribute"):
                    words.add(f"{source} {one.subject.name}")
            case ast.AllOf() | ast.AnyOf() | ast.NoneOf() | ast.CountOf():
                words.add(f"join {type(one).__name__}")
            case ast.Reward() | ast.Emission():
                words |= {f"earns {kind}" for kind in one.on}
                words.add(f"standing {getattr(one, 'standing', 'after')}")
                words |= {"for tiers"} if getattr(one, "for_tiers", ()) else set()
                words |= {"for levels"} if getattr(one, "for_levels", ()) else set()
            case ast.Degree():
                words.add("trait degrees")
            case ast.Price(beside=beside) if beside is not None:
                words.add("price beside")
            case ast.MemberList(of=of) if of:
                words.add("list short")
            case ast.Attested():
                words.add("trait attested")
                words |= {"trait countersigned"} if one.countersigned_by else set()
                words |= {"trait not own manager"} if one.not_own_manager else set()
            case ast.Tier():
                words |= {"tier unless"} if one.unless is not None else set()
                words |= {"tier by hand"} if one.when is None and one.rank else set()
    return words & ALL


def _every(value: object) -> Iterator[object]:
    """Yield every value in a policy, whatever it stands in."""
    parts: tuple[object, ...] = ()
    if dataclasses.is_dataclass(value):
        yield value
        parts = tuple(getattr(value, one.name) for one in dataclasses.fields(value))
    elif isinstance(value, Mapping):
        parts = tuple(value.values())
    elif isinstance(value, tuple):
        parts = value
    for part in parts:
        yield from _every(part)
