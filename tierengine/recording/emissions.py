"""Derived events for other members: what the giver's fold wants to stand, and how it reaches the receiver's.

A wanted set like grants. Whatever changes raises the revision of its key, and the highest counts, in whatever order
they come. The giver's transaction writes them; one of the receiver's own, by the same writer, folds them in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from tierengine.judging.decisions import Emitted
from tierengine.judging.history import OBSERVATION, Contribution, Position
from tierengine.judging.netting import difference
from tierengine.policies.versions import Programme
from tierengine.recording import lookups
from tierengine.recording.decided import Refolded
from tierengine.recording.refolding import Source, emission_key
from tierengine.recording.rows import text
from tierengine.recording.writing import Rows
from tierengine.store.dialect import Link, doc
from tierengine.store.ids import Ids
from tierengine.store.rows import Row

_KEY: Final = 1
_REVISION: Final = 2
_TO: Final = 3
_KIND: Final = 6
_CANCELLED: Final = 7
_APPLIED: Final = 8
_BODY: Final = 9
_GIVER: Final = 10


def emit(
    rows: Rows,
    link: Link,
    ids: Ids,
    programme: Programme,
    rules: Mapping[str, frozenset[str]],
    source: Source,
    outcome: Refolded,
    now: int,
) -> set[int]:
    """Add the emissions that changed; return the members whom that concerns. `rules` as `emitting` tells them."""
    keys = _keys(source, outcome, rules)
    # One return may take back several: what its order told at the purchase, and when it was settled.
    wanted: dict[str, list[Emitted]] = {}
    for one in outcome.folded.emissions:
        wanted.setdefault(emission_key(one.rule, one.event_key), []).append(one)
    every = list(chain.from_iterable(wanted.values()))
    if not keys and not wanted:
        return set()
    stored: dict[str, list[Row]] = {}
    positives = {one.line.rpartition("#")[0] for one in every}
    for row in lookups.emissions(link, programme.dealer_id, keys | wanted.keys() | positives):
        stored.setdefault(row[_KEY], []).append(row)
    receivers = lookups.member_ids(link, programme.dealer_id, {one.to for one in every})
    concerned: set[int] = set()
    writer = _Writer(rows, ids, programme, source.head.member_id, now)
    for key in sorted(keys | wanted.keys()):
        last = stored[key][-1] if key in stored else None
        standing = last is not None and not last[_CANCELLED] and outcome.covers(_step(last))
        told = wanted.get(key, [])
        to = receivers.get(told[0].to) if told else None
        if to in source.merged:
            to = None  # nobody tells himself of himself
        if to is None:
            if standing and last is not None:
                concerned.add(writer.cancel(last))
            continue
        content = _body(told, wanted, stored, programme, source.head.code)
        same = last is not None and not last[_CANCELLED] and last[_TO] == to and doc(last[_BODY]) == content
        if last is not None and same and last[_GIVER] == source.head.member_id:
            continue
        revision = 0 if last is None else last[_REVISION] + 1
        if last is not None and not last[_CANCELLED] and last[_TO] != to:
            concerned.add(writer.cancel(last))
            revision += 1
        writer.add(key, revision, to, told[0], content)
        concerned.add(to)
    return concerned


def _keys(source: Source, outcome: Refolded, rules: Mapping[str, frozenset[str]]) -> set[str]:
    """Return the keys of all emissions that events of the suffix, gone ones included, may have made."""
    keys: set[str] = set()
    told = (line for step in outcome.steps for line in step.lines)
    for row in chain(outcome.again(source.stored), told):
        for rule, kinds in rules.items():
            if row.kind in kinds:
                keys |= {emission_key(rule, row.event_key), emission_key(rule, row.known[2])}
    return keys


def _step(row: Row) -> Position:
    at, class_, key = doc(row[_BODY])["step"]
    return (at, class_, key)


def _body(
    told: Sequence[Emitted],
    wanted: dict[str, list[Emitted]],
    stored: dict[str, list[Row]],
    programme: Programme,
    giver: str,
) -> dict[str, Any]:
    """Return the body: what the receiver's contributions are made of; `also` has all but the first."""
    first, *rest = (
        _content(one, wanted, stored, programme, giver) for one in sorted(told, key=lambda one: (one.line, one.qty))
    )
    return {"step": list(told[0].step), **first} | ({"also": rest} if rest else {})


def _content(
    one: Emitted, wanted: dict[str, list[Emitted]], stored: dict[str, list[Row]], programme: Programme, giver: str
) -> dict[str, Any]:
    """Return what one contribution is made of.

    What takes an emission back takes back what that said, however much of the giver's history was folded again.
    """
    amount, fields = one.amount, dict(one.fields)
    if one.qty < 0:
        key = one.line.rpartition("#")[0]
        if key in wanted:
            amount, fields = -wanted[key][0].amount, dict(wanted[key][0].fields)
        elif key in stored:
            said = doc(stored[key][-1][_BODY])
            amount, fields = -said["amount"], said["fields"]
    emission = programme.regimes.at(one.step[0]).version.rules.policy.emissions.get(one.rule)
    day = programme.zone.local_date(one.at)
    fields |= {"month": f"{day.year:04d}-{day.month:02d}", "quarter": f"{day.year:04d}Q{(day.month + 2) // 3}"}
    if emission is not None and emission.giver:
        fields[emission.giver] = giver
    return {"line": one.line, "at": one.at, "qty": one.qty, "amount": amount, "fields": fields}


@dataclass(slots=True)
class _Writer:
    rows: Rows
    ids: Ids
    programme: Programme
    giver: int
    now: int

    def add(self, key: str, revision: int, to: int, one: Emitted, content: dict[str, Any]) -> None:
        self.rows.add(
            "emission", self.ids.take(), self.programme.dealer_id, self.giver, to, key, revision, one.event_key,
            one.rule, one.kind, one.step[0], False, False, text(content), self.now,
        )  # fmt: skip

    def cancel(self, last: Row) -> int:
        """Withdraw the emission; return whom it reached."""
        content = doc(last[_BODY])
        self.rows.add(
            "emission", self.ids.take(), self.programme.dealer_id, self.giver, last[_TO], last[_KEY],
            last[_REVISION] + 1, last[4], last[5], last[_KIND], content["step"][0], True, False, text(content),
            self.now,
        )  # fmt: skip
        receiver: int = last[_TO]
        return receiver


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What undelivered emissions change for one receiver, and which of them are delivered by that."""

    rows: list[Contribution]
    event_ids: list[int]
    applied: list[int]

    @classmethod
    def to(cls, link: Link, programme: Programme, receiver: int, stored: Sequence[Contribution]) -> Deliveries:
        """Read what is due to the receiver; of each key the highest revision counts, if it is his."""
        keys = lookups.emissions_due(link, [receiver])
        highest: dict[str, Row] = {}
        applied: list[int] = []
        for row in lookups.emissions(link, programme.dealer_id, keys):
            highest[row[_KEY]] = row
            if row[_TO] == receiver and not row[_APPLIED]:
                applied.append(row[0])
        mine = [row for row in highest.values() if row[_TO] == receiver and not row[_CANCELLED]]
        wanted = list(chain.from_iterable(map(_received, mine)))
        fresh = list(difference([row for row in stored if row.known[2] in keys], wanted))
        return cls(fresh, [highest[row.known[2]][0] for row in fresh], applied)


def _received(row: Row) -> list[Contribution]:
    """Return the receiver's contributions: at the giver's instant, in his own history under the emission's key."""
    said = doc(row[_BODY])
    known = (said["step"][0], OBSERVATION, row[_KEY])
    kind = row[_KIND]
    return [
        Contribution(kind, one["line"], one["at"], known, kind, one["qty"], one["amount"], one["fields"])
        for one in (said, *said.get("also", ()))
    ]
