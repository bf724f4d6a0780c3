"""What `verify` looks at beyond its queries: members judged again, and documents that say what they must not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from tierengine.commands.opened import dealers
from tierengine.ledger.invariants import Invariant
from tierengine.ledger.verify import SAMPLES, Broken
from tierengine.policies.versions import heads, load
from tierengine.recording.leaks import DISCLOSED, leaks
from tierengine.recording.recorder import clock
from tierengine.recording.rejudging import PART, Otherwise, judge_again, part_of
from tierengine.store.dialect import Link
from tierengine.zone import SECOND

DAY: Final = 86_400 * SECOND


@dataclass(slots=True)
class Again:
    """Which members were judged again, dealer by dealer, and what came out otherwise."""

    parts: list[dict[str, object]] = field(default_factory=list)
    counts: Counter[Invariant] = field(default_factory=Counter)
    rows: dict[Invariant, list[tuple[object, ...]]] = field(default_factory=dict)

    def note(self, otherwise: Otherwise) -> None:
        """Add what came out otherwise."""
        self.counts[otherwise.invariant] += 1
        if self.counts[otherwise.invariant] <= SAMPLES:
            self.rows.setdefault(otherwise.invariant, []).append(otherwise.row())

    def broken(self) -> tuple[Broken, ...]:
        """Return what came out otherwise as broken invariants."""
        return tuple(Broken(one, count, tuple(self.rows[one])) for one, count in self.counts.items())


def judged(link: Link, *, every: bool) -> Again:
    """Judge members again: every one, or those whose turn it is today."""
    again, day = Again(), clock() // DAY
    for dealer in dealers(link):
        if not heads(link, [dealer.id]):
            continue
        part = part_of(link, dealer.id, day, None if every else PART)
        for otherwise in judge_again(link, load(link, dealer.id), part.members):
            again.note(otherwise)
        again.parts.append(
            {
                "dealer": dealer.code,
                "members": len(part.members),
                "of": part.of,
                "part": part.number,
                "parts": part.parts,
            }
        )
    return again


def disclosed(link: Link) -> list[Broken]:
    """Look for personal data that stands open in what is for ever."""
    found = [one.row() for one in leaks(link)]
    return [Broken(DISCLOSED, len(found), tuple(found[:SAMPLES]))] if found else []
