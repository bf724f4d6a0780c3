"""`policy plan` over a crowd: two policies on every history, against one statement of SQL that says the same by hand.

The statement is written for these two policies and no other: what members bought only grows, so that a window function
tells at each purchase where its member stood. It must come to the same numbers, or nothing is measured.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from rules.judge import Ruleset
from rules.reader import read
from tests.bench.crowd import GIVEN, GROWING, MUCH, OFTEN, POLICY, Crowd
from tests.bench.table import Took, timed
from tierengine.judging.running import RunningFacts
from tierengine.policies import backtest as playing
from tierengine.policies.backtest import Backtest, backtest
from tierengine.policies.versions import load
from tierengine.store.dialect import Link
from tierengine.store.snapshots import reader, snapshot
from tierengine.zone import DAY

LESS, OFTENER = 1_200_000, 800  # the candidate: less is much, and a point is given for fewer fen
CHANGES = (("at_least: 12500 CNY", "at_least: 12000 CNY"), ("each: 10 CNY", "each: 8 CNY"))
YEAR = 365 * DAY
_TIERS = ", ".join(f"count(CASE WHEN {side} = {rank} THEN 1 END)" for side in "ba" for rank in range(3))
_BY_HAND = f"""
SELECT count(*), {_TIERS},
       count(CASE WHEN a <> b THEN 1 END), sum(given), sum(would_be)
FROM (
  SELECT max(was) AS b, max(would) AS a,
         sum(CASE WHEN at >= ?1 AND was >= 1 THEN amount / {GIVEN} ELSE 0 END) AS given,
         sum(CASE WHEN at >= ?1 AND would >= 1 THEN amount / {OFTENER} ELSE 0 END) AS would_be
  FROM (
    SELECT member_id, at, amount,
           CASE WHEN times >= {OFTEN} THEN 1 ELSE 0 END + CASE WHEN spent >= {MUCH} THEN 1 ELSE 0 END AS was,
           CASE WHEN times >= {OFTEN} THEN 1 ELSE 0 END + CASE WHEN spent >= {LESS} THEN 1 ELSE 0 END AS would
    FROM ({GROWING}) AS growing
  ) AS told
  GROUP BY member_id
) AS members
"""


def measure(crowd: Crowd, rounds: int = 2) -> list[tuple[Took, Took]]:
    """Return what the plan and the statement took, in turn; raises where they disagree."""
    found = []
    link = reader(crowd.url)
    try:
        for _ in range(rounds):
            floor, told = timed(link, lambda: _by_hand(link, crowd))
            ours, played = timed(link, lambda: _played(link, crowd))
            if _numbers(played) != told:
                raise RuntimeError(f"the plan says {_numbers(played)}, the statement {told}")
            found.append((ours, floor))
    finally:
        link.close()
    return found


def shares(crowd: Crowd) -> dict[str, float]:
    """Return which part of the plan's time goes where; measured apart, for asking the clock costs as well."""
    link, took = reader(crowd.url), Counter[str]()
    with ExitStack() as opened:
        opened.callback(link.close)
        for name, owner, what in (
            ("reading", playing, "read_contributions"),
            ("facts", RunningFacts, "facts"),
            ("the rules engine", Ruleset, "judge"),
            ("the rules engine", Ruleset, "rewards"),
        ):
            opened.enter_context(_clocked(took, name, owner, what))
        began = time.process_time()
        _played(link, crowd)
        whole = time.process_time() - began
    return {name: seconds / whole for name, seconds in took.items()}


@contextmanager
def _clocked(took: Counter[str], name: str, owner: Any, what: str) -> Iterator[None]:
    real: Callable[..., Any] = getattr(owner, what)

    def clocked(*given: Any, **named: Any) -> Any:
        began = time.process_time()
        made = real(*given, **named)
        took[name] += time.process_time() - began  # type: ignore[assignment]
        return made

    with mock.patch.object(owner, what, clocked):
        yield


def _played(link: Link, crowd: Crowd) -> Backtest:
    text = POLICY
    for old, new in CHANGES:
        text = text.replace(old, new)
    policy = read(text, "candidate.yaml").policy
    assert policy is not None
    with snapshot(link):
        programme = load(link, int(link.ask("SELECT id FROM dealer").rows()[0][0]))
        return backtest(link, programme, Ruleset(policy), since=crowd.now - YEAR, now=crowd.now)


def _by_hand(link: Link, crowd: Crowd) -> list[int]:
    with snapshot(link):
        return [int(value) for value in link.ask(_BY_HAND, crowd.now - YEAR).rows()[0]]


def _numbers(played: Backtest) -> list[int]:
    tiers = [side.get(tier, 0) for side in (played.before, played.after) for tier in ("customer", "member", "gold")]
    return [played.members, *tiers, len(played.moved), played.costs[0].before, played.costs[0].after]
