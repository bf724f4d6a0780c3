"""Random small programmes and random histories, judged by the fold and by the model of tests/model.

Cases are few and hostile on purpose: thresholds and amounts that meet, terms of a month that begin on the 31st, clocks
that change at midnight, several events at one instant, and events at the very instants at which terms end.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.chance import Drawn, Seeded
from tests.history.cases import cases, seeded
from tests.history.deliveries import Book, delivered
from tests.history.judged import Whole, believed, folded, of_fold, of_model
from tierengine.judging import fold as folding
from tierengine.judging.carry import load
from tierengine.judging.decisions import Folded, Granted
from tierengine.judging.history import Position, Step
from tierengine.judging.netting import steps
from tierengine.judging.running import RunningFacts
from tierengine.recording import refolding as recording_history

# Programmes are compiled on the way, and a fixture's book serves all examples of a test.
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@settings(max_examples=60, suppress_health_check=SLOW)
@given(cases())
def test_the_fold_and_the_model_agree_on_every_standing_and_every_net_grant(one):
    assert of_fold(folded(one)) == of_model(believed(one))


# ---- one run and many --------------------------------------------------------------------------------------------


def again(whole: Whole, start: Position, carry: str, later: Sequence[Step], before: Sequence[Folded]) -> Folded:
    """Fold what comes after `start`, knowing only what the later events' returns are about, as the recorder does."""
    named = {line.event_key for step in later for line in step.lines if line.qty < 0}
    standing: dict[tuple[str, str], Granted] = {}
    emitted: set[tuple[str, str]] = set()
    for run in before:
        for decision in run.decisions:
            if decision.step <= start and decision.granted.event_key in named:
                standing[decision.granted.event_key, decision.granted.rule] = decision.granted
        for sent in run.emissions:
            if sent.step <= start:
                pair = (sent.rule, sent.line.removeprefix(f"emit:{sent.rule}:").removesuffix("#0"))
                (emitted.add if sent.qty > 0 else emitted.discard)(pair)
    earlier: dict[str, list[Granted]] = {}
    for (event_key, _), granted in standing.items():
        earlier.setdefault(event_key, []).append(granted)
    facts = RunningFacts(whole.regimes.zone, whole.rows)
    return folding.fold(whole.regimes, carry, start, later, facts, earlier=earlier, emitted=emitted, until=whole.end)


def same(whole: Folded, parts: Sequence[Folded], start: Position) -> None:
    """What came out of the parts, the last one from `start` on, is what came out of the whole."""
    last = parts[-1]
    assert (last.carry, last.head, last.tier, last.boundary_at) == (
        whole.carry, whole.head, whole.tier, whole.boundary_at,
    )  # fmt: skip
    for name in ("decisions", "changes", "emissions"):
        assert list(getattr(last, name)) == [one for one in getattr(whole, name) if one.step > start]
    assert list(last.checkpoints) == [one for one in whole.checkpoints if one[0] >= start]


@settings(max_examples=30, suppress_health_check=SLOW)
@given(cases(fresh=20))
def test_a_history_resumed_from_any_checkpoint_or_after_any_event_ends_as_in_one_run(one):
    for whole in folded(one).values():
        every = steps(whole.rows)
        for start, carry in whole.folded.checkpoints:
            rest = again(whole, start, carry, [step for step in every if step.position > start], [whole.folded])
            same(whole.folded, [rest], start)
        for done in range(1, len(every)):
            facts = RunningFacts(whole.regimes.zone, whole.rows)
            first = folding.fold(whole.regimes, "", None, every[:done], facts)
            rest = again(whole, first.head, first.carry, every[done:], [first])
            same(whole.folded, [first, rest], first.head)
            assert load(first.carry).dump() == first.carry


@pytest.fixture
def book(book_url):
    with contextlib.closing(Book(book_url)) as made:
        yield made


@settings(max_examples=20, suppress_health_check=SLOW)
@given(st.data())
def test_any_order_grouping_and_duplication_of_deliveries_ends_as_the_model_believes(book, data):
    delivered(book, Drawn(data.draw), data.draw(cases(fresh=20)), f"n{next(NUMBERS)}-")


NUMBERS = itertools.count()


def test_a_book_that_only_goes_on_from_where_it_is_is_found_out(sqlite_book_url, monkeypatch):
    real = recording_history._start

    def onward(source, affected):
        return (source.head.position, source.head.carry, False) if source.head.carry else real(source, affected)

    def many(book):
        for seed in range(20):
            delivered(book, Seeded(seed), seeded(seed), f"n{seed}-")

    monkeypatch.setattr(recording_history, "_start", onward)
    # Facts that are asked backwards refuse to answer, and those that are not asked come out otherwise.
    with contextlib.closing(Book(sqlite_book_url)) as book, pytest.raises((AssertionError, ValueError)):
        many(book)
