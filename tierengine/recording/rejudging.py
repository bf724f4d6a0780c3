"""Judging again: whether what stands of members is what their stored observations come to (invariant 13).

A member is folded from the beginning of his history, and what comes of it is held against what is stored: what stands
of each grant, what was told to others, his standings over time, and the carry that the next judgement goes on from.
What budgets over several members admitted is in the order of recording: it is taken from the decisions.

To judge a whole book again costs as much as to import it. So `part_of` makes parts of a bounded size, and says which
one's turn it is: after as many days as there are parts every member has been judged again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tierengine.judging.budgets import Pots
from tierengine.judging.decisions import Folded, Granted
from tierengine.judging.fold import fold
from tierengine.judging.history import Contribution
from tierengine.judging.merging import NOBODY, Joined
from tierengine.judging.netting import net, steps
from tierengine.judging.running import RunningFacts
from tierengine.ledger.invariants import Invariant
from tierengine.membership.joined import read_joined
from tierengine.policies.versions import Programme
from tierengine.recording.refolding import emission_key
from tierengine.recording.stored import histories_of
from tierengine.store.dialect import Link, doc
from tierengine.store.rows import Row

Pair = tuple[str, str]

PART: Final = 20_000
"""Contributions that a part of the book holds at the most, by the mean of all parts."""
MEMBERS: Final = 200

JUDGED: Final = Invariant(
    13, "judged_otherwise", "每项判定按存下的观察重新判定，结果相同",
    "every decision comes out the same when it is judged again from the stored observations", "",
)  # fmt: skip
STANDING: Final = Invariant(
    13, "standing_otherwise", "会员历次等级按存下的观察重新判定，结果相同",
    "the standings of every member come out the same when they are judged again", "",
)  # fmt: skip

_COUNT: Final = "SELECT count(*) FROM contribution WHERE dealer_id = ?1"
_MEMBERS: Final = "SELECT id, code FROM member WHERE dealer_id = ?1 ORDER BY id"
_LEDGERS: Final = (
    "SELECT member_id, head_at, head_class, head_key, tier, boundary_at, carry FROM ledger WHERE member_id IN (?1*)"
)
_DECISIONS: Final = (
    "SELECT member_id, event_key, rule, step_at, step_class, step_key, kind, basis, version_id, wallet, wanted, "
    "usable_from, expires_at FROM decision "
    "WHERE member_id IN (?1*) ORDER BY member_id, step_at, step_class, step_key, id"
)
_CHANGES: Final = (
    'SELECT member_id, at, "class", key, tier, previous, since, until, state, cause, version_id FROM tier_change '
    'WHERE member_id IN (?1*) ORDER BY member_id, at, "class", key, id'
)
_EMISSIONS: Final = (
    "SELECT e.member_id, e.key, m.code, e.cancelled, e.body FROM emission e JOIN member m ON m.id = e.to_member_id "
    "WHERE e.member_id IN (?1*) AND NOT EXISTS (SELECT 1 FROM emission h WHERE h.dealer_id = e.dealer_id "
    "AND h.key = e.key AND h.revision > e.revision) ORDER BY e.member_id, e.key"
)
_THERE: Final = (
    "SELECT 1 FROM member m JOIN event e ON e.dealer_id = m.dealer_id WHERE m.dealer_id = ?1 AND m.code = ?2 "
    "AND e.key = ?3 AND e.recorded_at > m.created_at"
)


@dataclass(frozen=True, slots=True)
class Part:
    """Part `number` of `parts` of a dealer's members, in order of their ids: id → code."""

    number: int
    parts: int
    members: Mapping[int, str]
    of: int


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What stands and what it should be: of a grant, of something told to another, or of a standing."""

    invariant: Invariant
    member_id: int
    what: tuple[object, ...]
    found: object
    expected: object

    def row(self) -> tuple[object, ...]:
        """Return (member id, what …, found, expected), as `verify` shows it."""
        return (self.member_id, *self.what, self.found, self.expected)


def part_of(link: Link, dealer_id: int, day: int, most: int | None = PART) -> Part:
    """Return the members whose turn it is on a day (any running number); `most` None: all of them."""
    members = [(number, code) for number, code in link.ask(_MEMBERS, dealer_id).rows()]
    rows: int = 0 if most is None else link.ask(_COUNT, dealer_id).rows()[0][0]
    # A power of two, so that the parts stay the same while the book grows by less than its double.
    parts = 1 << max(-(-rows // (most or 1)) - 1, 0).bit_length() if most else 1
    number = day % parts
    return Part(number + 1, parts, dict(members[number::parts]), len(members))


def judge_again(link: Link, programme: Programme, members: Mapping[int, str]) -> Iterator[Otherwise]:
    """Judge these members (id → code) again; yield what stands otherwise, member by member. Call it in a snapshot."""
    ordered, joined = sorted(members), read_joined(link, programme.dealer_id)
    for first in range(0, len(ordered), MEMBERS):
        chunk = ordered[first : first + MEMBERS]
        everybody = joined.everybody(chunk)
        histories = joined.united(histories_of(link, everybody))
        granted, torn = granted_of(link, everybody, joined)
        heads = {row[0]: tuple(row[1:]) for row in link.ask(_LEDGERS, chunk).rows()}
        changes: dict[int, list[Row]] = {}
        for row in link.ask(_CHANGES, chunk).rows():
            changes.setdefault(row[0], []).append(tuple(row[1:]))
        told = _told(link, everybody)
        for member in chunk:
            folded = folded_again(programme, histories.get(member, []), granted.get(member, {}))
            yield from torn.get(member, ())
            if joined.absorbed(member):
                # Who stands for him is judged with all that is his.
                yield from _standings(member, heads.get(member), changes.get(member, []), None)
                continue
            yield from _grants(member, granted.get(member, {}), folded)
            yield from _emissions(
                link, programme, member, told.get(member, {}), folded, joined.codes.get(member, frozenset())
            )
            yield from _standings(member, heads.get(member), changes.get(member, []), folded)


# ---- what stands, and what should --------------------------------------------------------------------------------


def folded_again(
    programme: Programme, history: Sequence[Contribution], granted: Mapping[Pair, Granted]
) -> Folded | None:
    """Fold a history from its beginning; None: nothing happened, or nothing of it stands.

    What budgets over several members admitted was decided when it was recorded: it is taken from `granted`.
    """
    told = steps(net(history))
    admit = Pots(lambda _: {}, dict(granted)).admit
    return fold(programme.regimes, "", None, told, RunningFacts(programme.zone, history), admit=admit) if told else None


def granted_of(
    link: Link, members: Sequence[int], joined: Joined = NOBODY
) -> tuple[dict[int, dict[Pair, Granted]], dict[int, list[Otherwise]]]:
    """Return what stands of each (event, rule) by the stored decisions: of a step the newest, of the steps the last.

    And those decisions whose row says another thing than the basis that stands beside it. Those of merged members are
    told of who stands for them.
    """
    found: dict[int, dict[Pair, dict[Row, Granted | None]]] = {}
    torn: dict[int, list[Otherwise]] = {}
    for row in link.ask(_DECISIONS, members).rows():
        member, event_key, rule, at, class_, key, kind, basis = row[:8]
        granted = None if kind == "withdrawn" else Granted.of(doc(basis)["granted"])
        found.setdefault(member, {}).setdefault((event_key, rule), {})[at, class_, key] = granted
        if granted is not None and list(row[8:]) != _terms(granted):
            otherwise = Otherwise(JUDGED, member, (event_key, rule), list(row[8:]), _terms(granted))
            torn.setdefault(member, []).append(otherwise)
    stands: dict[int, dict[Pair, Granted]] = {}
    for member, pairs in found.items():
        for pair, by_step in pairs.items():
            standing = [granted for granted in by_step.values() if granted is not None]
            if standing:
                stands.setdefault(joined.root.get(member, member), {})[pair] = standing[-1]
    return stands, torn


def _terms(granted: Granted) -> list[object]:
    return [granted.version_id, granted.wallet, granted.wanted, granted.usable_from, granted.expires_at]


def _grants(member: int, stored: Mapping[Pair, Granted], folded: Folded | None) -> Iterator[Otherwise]:
    made = {} if folded is None else folded.stands()
    for pair in sorted(stored.keys() | made.keys()):
        before, after = stored.get(pair), made.get(pair)
        if before == after or (after is not None and after.stands_as(before)):
            continue
        if before is None or after is None:
            found, expected = (None if one is None else _terms(one) for one in (before, after))
            yield Otherwise(JUDGED, member, pair, found, expected)
            continue
        stood, stands = before.plain(), after.plain()
        differ = [name for name in stands if stood[name] != stands[name]]
        yield Otherwise(JUDGED, member, pair, *({name: one[name] for name in differ} for one in (stood, stands)))


Emissions = dict[str, tuple[str, list[tuple[str, int, int | None]]]]
"""Key → to whom, and lines with quantity and amount."""


def _told(link: Link, members: Sequence[int]) -> dict[int, Emissions]:
    """Return what stands of the emissions of these members; of each key the highest revision counts."""
    found: dict[int, Emissions] = {}
    for member, key, to, cancelled, body in link.ask(_EMISSIONS, members).rows():
        said = doc(body)
        lines = [(one["line"], one["qty"], one["amount"]) for one in (said, *said.get("also", ()))]
        mine = found.setdefault(member, {})
        mine.pop(key, None)
        if not cancelled:
            mine[key] = (to, _lines(lines))
    return found


def _lines(lines: Sequence[tuple[str, int, int]]) -> list[tuple[str, int, int | None]]:
    # (What takes an emission back takes back what that said then, and says its amount only here.)
    return sorted((line, qty, amount if qty > 0 else None) for line, qty, amount in lines)


def _emissions(
    link: Link,
    programme: Programme,
    member: int,
    stored: Emissions,
    folded: Folded | None,
    himself: Collection[str],
) -> Iterator[Otherwise]:
    gathered: dict[str, tuple[str, list[tuple[str, int, int]]]] = {}
    for one in folded.emissions if folded is not None else ():
        if one.to in himself:
            continue  # nobody tells himself of himself
        key = emission_key(one.rule, one.event_key)
        gathered.setdefault(key, (one.to, []))[1].append((one.line, one.qty, one.amount))
    made: Emissions = {key: (to, _lines(lines)) for key, (to, lines) in gathered.items()}
    for key in sorted(stored.keys() | made.keys()):
        found, expected = stored.get(key), made.get(key)
        if found == expected:
            continue
        if found is None and expected is not None:  # who was not on file yet was told nothing
            event = key.split(":", 2)[2]
            if not link.ask(_THERE, programme.dealer_id, expected[0], event).rows():
                continue
        yield Otherwise(JUDGED, member, (key,), found, expected)


def _standings(member: int, head: Row | None, stored: Sequence[Row], folded: Folded | None) -> Iterator[Otherwise]:
    made: list[Row] = []
    for one in folded.changes if folded is not None else ():
        terms = (one.tier, one.previous, one.since, one.until, one.state, one.cause, one.version_id)
        made.append((*one.step, *terms))
    if stored != made:
        place = next((at for at, pair in enumerate(zip(stored, made, strict=False)) if pair[0] != pair[1]), None)
        at = min(len(stored), len(made)) if place is None else place
        found, expected = (list(rows[at]) if at < len(rows) else None for rows in (stored, made))
        yield Otherwise(STANDING, member, ("tier_change",), found, expected)
    should: Row = (0, 0, "", "", None, "")
    if folded is not None:
        should = (*folded.head, folded.tier, folded.boundary_at, folded.carry)
    if head != should:
        names = ("head_at", "head_class", "head_key", "tier", "boundary_at", "carry")
        pairs = zip(names, head or (None,) * len(names), should, strict=True)
        name, found, expected = next(one for one in pairs if one[1] != one[2])
        yield Otherwise(STANDING, member, ("ledger", name), found, expected)
