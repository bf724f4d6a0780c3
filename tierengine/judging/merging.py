"""Who is one with whom: what the merges that stand come to. Pure.

A merge says that two members on file were always the same customer, registered twice. Each merged member has one word
of it that stands; so the merges are a forest, and the order in which they were told makes no difference to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tierengine.judging.history import Contribution
from tierengine.judging.netting import net

MERGE: Final = "merge::"
"""Begins the key of every merge. (No source brings such a key: neither a source nor its ids hold a colon.)"""
MERGED: Final = "members_merged"


def into_of(rows: Iterable[Contribution]) -> str | None:
    """Return into whom a member is merged by his own contributions (retracted ones too); None: into nobody."""
    words = [row for row in net(row for row in rows if row.kind == MERGED) if row.qty > 0]
    last = max(words, key=lambda row: row.known, default=None)
    return None if last is None else str(last.fields["into"])


def stands_for(member: int, into: Mapping[int, int]) -> int:
    """Return who stands for a member in the end."""
    seen = {member}
    while (member := into.get(member, member)) not in seen:
        seen.add(member)
    return member


def classes(members: Iterable[int], into: Mapping[int, int]) -> dict[int, tuple[int, ...]]:
    """Return the members by who stands for them, himself first; of those not merged too."""
    found: dict[int, list[int]] = {}
    for member in sorted(members):
        found.setdefault(stands_for(member, into), []).append(member)
    return {root: (root, *(one for one in all_ if one != root)) for root, all_ in found.items()}


def united(histories: Sequence[Sequence[Contribution]], codes: Collection[str]) -> list[Contribution]:
    """Return the histories of merged members as one, in order of `known`: nobody refers himself to us.

    codes  of all of them: a purchase whose referrer is one of them was brought about by the buyer himself
    """
    rows = [_of_himself(row, codes) for history in histories for row in history]
    return sorted(rows, key=lambda row: row.known)


def _of_himself(row: Contribution, codes: Collection[str]) -> Contribution:
    if row.fields.get("referrer") not in codes or row.fields.get("related_by") == "self":
        return row
    return replace(row, fields={**row.fields, "related": 1, "related_by": "self"})


@dataclass(frozen=True, slots=True)
class Joined:
    """Merged members by who stands for them, himself first; of each who that is; and all their codes."""

    members: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    root: Mapping[int, int] = field(default_factory=dict)
    codes: Mapping[int, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, into: Mapping[int, int], everybody: Mapping[int, str]) -> Joined:
        """Return those whom these merges join; `everybody`: id → code."""
        members = {root: all_ for root, all_ in classes({*into, *into.values()}, into).items() if len(all_) > 1}
        codes = {root: frozenset(everybody[one] for one in all_) for root, all_ in members.items()}
        return cls(members, {one: root for root, all_ in members.items() for one in all_}, codes)

    def absorbed(self, member: int) -> bool:
        """Whether a member is merged into another, who stands for him."""
        return self.root.get(member, member) != member

    def everybody(self, members: Iterable[int]) -> list[int]:
        """Return these members with all who are one with them."""
        return sorted({one for member in members for one in self.members.get(self.root.get(member, member), (member,))})

    def united(self, histories: Mapping[int, Sequence[Contribution]]) -> dict[int, Sequence[Contribution]]:
        """Return each history as it is folded: under who stands for it; of who is merged into another there is none."""
        found = dict(histories)
        for root, all_ in self.members.items():
            if not found.keys().isdisjoint(all_):
                found[root] = united([histories.get(one, ()) for one in all_], self.codes[root])
        return {member: rows for member, rows in found.items() if not self.absorbed(member)}


NOBODY: Final = Joined()
