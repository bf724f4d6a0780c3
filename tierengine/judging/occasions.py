"""Occasions: one event with its lines, as rewards look at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from rules.vocabulary import FIELDS
from tierengine.judging.history import Contribution, Scalar
from tierengine.judging.states import linked_name

_OTHERS: Final = tuple(field.id for field in FIELDS.values() if field.type == "member")  # whom an event names


@dataclass(frozen=True, slots=True)
class Occasion:
    """One event that may earn: its key, kind, instant, and its lines with the event's fields merged in."""

    key: str
    kind: str
    instant: int
    lines: tuple[Contribution, ...]
    fields: tuple[Mapping[str, Scalar], ...]


def told_apart(occasion: Occasion, attributes: Mapping[str, Scalar]) -> Occasion:
    """Return the occasion with what the member's links say of those whom it names: a referrer who is his wife.

    Judged here and not where the event is resolved, because a link is a dated word of its own that may come late.
    """
    fields = tuple(_related(line, attributes) for line in occasion.fields)
    return replace(occasion, fields=fields) if fields != occasion.fields else occasion


def _related(fields: Mapping[str, Scalar], attributes: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
    for name in _OTHERS:
        other = fields.get(name)
        relation = attributes.get(linked_name(other)) if other else None
        if relation:
            return {**fields, "related": 1, "related_by": fields.get("related_by") or relation}
    return fields
