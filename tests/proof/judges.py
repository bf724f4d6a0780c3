"""The readings of one case, and whether they agree.

Facts: SQL on a book of either database, running aggregates, and the oracle of tests/oracle_facts.py. Decisions: the
engine on what SQL read, and the oracle of tests/oracle_judge.py on what the oracle of facts found, with ratios as exact
fractions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from rules import policy as ast
from rules.inputs import Inputs
from rules.judge import Ruleset
from tests import oracle_facts, oracle_judge
from tests.proof.books import Book
from tests.proof.histories import Event, State
from tierengine.judging.facts_sql import Snapshot, read_facts
from tierengine.judging.facts_statement import Ask
from tierengine.judging.running import RunningFacts
from tierengine.zone import Zone

AT_ONCE = 12
"""The most members asked in one statement."""


class Disagreement(AssertionError):
    """Two readings of one case differ."""

    def __init__(self, what: str, state: State, one: object, other: object) -> None:
        super().__init__(f"{what}: {one!r}, and by the oracle {other!r}")
        self.state = state


@dataclass
class Tally:
    """What was judged: cases, and of how many decisions how many held."""

    states: int = 0
    cases: int = 0
    decisions: int = 0
    held: int = 0
    facts: int = 0
    absent: int = 0
    away_from_zero: int = 0
    policies: int = 0
    refused: int = 0
    words: set[str] = field(default_factory=set)

    def add(self, other: Tally) -> None:
        for one in fields(self):
            if one.name == "words":
                self.words |= other.words
            else:
                setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


def agree(policy: ast.Policy, rules: Ruleset, states: Sequence[State], book: Book, tally: Tally) -> None:
    """Judge each state by all readings; raises Disagreement."""
    version: Any = SimpleNamespace(rules=SimpleNamespace(policy=policy))
    zone = ZoneInfo(policy.timezone)
    running: dict[int, RunningFacts] = {}
    for state, source in _by_sql(version, states, book):
        at = state.position
        own = running.get(id(state.history))
        if own is None:
            own = running[id(state.history)] = RunningFacts(Zone(policy.timezone), state.history.standing)
        expected = oracle_facts.facts(policy, state.history.standing, at, state.since, Fraction)
        attributes = oracle_facts.attributes(state.history.standing, at, zone)
        attested = oracle_facts.attested(policy, state.history.standing, at)
        for name, one in (("SQL", source), ("running", own)):
            found = one.facts(version, at, state.since)
            if not _same(found, expected):
                raise Disagreement(f"facts by {name}", state, found, expected)
            _equal(f"attributes by {name}", state, one.attributes(at), attributes)
            _equal(f"attestations by {name}", state, one.attested(version, at), attested)
        by_sql = source.facts(version, at, state.since)
        _equal("facts by SQL and running", state, by_sql, own.facts(version, at, state.since))
        tally.states += 1
        tally.facts += len(expected)
        tally.absent += sum(value is None for value in expected.values())
        tally.away_from_zero += sum(bool(value) for value in expected.values())
        known = source.attributes(at), source.attested(version, at)
        for event in state.events:
            plain: Any = Inputs(expected, attributes, attested, event.tier)
            _decisions(policy, rules, (state, event), Inputs(by_sql, *known, event.tier), plain, tally)


def _decisions(
    policy: ast.Policy, rules: Ruleset, case: tuple[State, Event], engine: Inputs, plain: Inputs, tally: Tally
) -> None:
    state, event = case
    judged = rules.judge(engine)
    expected = oracle_judge.judge(policy, plain)
    _equal("judged", state, judged, expected)
    lines: Any = event.lines
    flags = expected.met | expected.degrees
    earned = rules.rewards(event.kind, lines, event.tiers, engine, judged)
    asked = oracle_judge.rewards(policy, event.kind, lines, event.tiers, plain, flags)
    _equal("rewards", state, earned, asked)
    priced = rules.prices(event.kind, lines, event.tiers.before, engine, judged)
    _equal("prices", state, priced, oracle_judge.prices(policy, lines, event.tiers.before, plain, flags))
    tally.cases += 1
    on = sum(event.kind in one.on for one in (*policy.rewards.values(), *policy.emissions.values()))
    named = sum(len(one.names()) for one in policy.traits.values())
    tally.decisions += named + 2 * len(policy.tiers) + len(policy.lists) + len(policy.wallets) + len(policy.awards)
    tally.decisions += len(event.lines) * (on + len(policy.prices))
    tally.held += len(judged.met) + len(judged.degrees) + sum(judged.when) + sum(judged.excluded) + len(judged.lists)
    tally.held += len(judged.suspended) + len(judged.barred) + sum(map(len, earned.values())) + sum(map(len, priced))


def _by_sql(version: Any, states: Sequence[State], book: Book) -> Iterator[tuple[State, Snapshot]]:
    """Read the facts of all states in few statements."""
    # A member is asked once in a statement.
    rounds: list[dict[int, State]] = []
    for state in states:
        one = next((one for one in rounds if len(one) < AT_ONCE and id(state.history) not in one), None)
        if one is None:
            rounds.append(one := {})
        one[id(state.history)] = state
    histories = {id(state.history): state.history for state in states}
    members = {name: book.member(history.stored) for name, history in histories.items()}
    found: dict[int, Snapshot] = {}
    with contextlib.closing(book.connection.cursor()) as cursor:
        for asked in rounds:
            asks = [Ask(members[one], state.position, state.since) for one, state in asked.items()]
            read = read_facts(cursor, version, asks)
            found |= {id(state): read[members[one]] for one, state in asked.items()}
    for state in states:
        yield state, found[id(state)]


def _same(found: Any, expected: dict[str, Any]) -> bool:
    """Facts are the oracle's; a ratio is one of the two whole basis points next to it."""
    if found == expected:
        return True
    return found.keys() == expected.keys() and all(
        found[name] == value or (isinstance(value, Fraction) and found[name] in (value // 1, -(-value // 1)))
        for name, value in expected.items()
    )


def _equal(what: str, state: State, one: object, other: object) -> None:
    if one != other:
        raise Disagreement(what, state, one, other)
