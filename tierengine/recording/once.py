"""Acts that are no observations (a member put on file, a policy published) under an idempotency key, like the rest.

The key is claimed in the transaction of the effect, with the answer as it is sent: the same key and body get the same
bytes, another body is refused, and a refusal sticks to its key as that of a command does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Final

import psycopg

from tierengine.errors import Conflict, Refused
from tierengine.recording.audited import audited
from tierengine.recording.items import NUMBERS, Answer, Once, refusal, replay
from tierengine.recording.recorder import clock
from tierengine.store.dialect import Link, binary
from tierengine.store.ids import Ids
from tierengine.store.rows import Table

_TABLE: Final = Table("idempotency")
_AUDIT: Final = Table("audit")
_STORED: Final = "SELECT request_hash, answer FROM idempotency WHERE dealer_id = ?1 AND scope = ?2 AND key = ?3"

Act = Callable[[Link, Ids], Mapping[str, Any]]
Run = Callable[[Callable[[Link, Ids], Answer]], Answer]
"""Runs what it is given in one transaction: `transact` on a connection, or the writer's `perform`."""


def once(run: Run, dealer: int, key: Once | None, act: Act) -> Answer:
    """Return what `act` answers, under `key`. Raises what it raises, but for Refused and Conflict, which are answers.

    `act` returns the body of the answer without its `status`; a refusal is stored in a transaction of its own, as
    that of the act was rolled back.
    """

    def done(link: Link, ids: Ids) -> Answer:
        return Answer("recorded", "", {"status": "recorded", **act(link, ids)})

    try:
        return _claimed(run, dealer, key, done)
    except (Refused, Conflict) as problem:
        refused = refusal("refused" if isinstance(problem, Refused) else "conflict", problem)
    return _claimed(run, dealer, key, lambda _, __: refused)


def _claimed(run: Run, dealer: int, key: Once | None, make: Callable[[Link, Ids], Answer]) -> Answer:
    def claimed(link: Link, ids: Ids) -> Answer:
        if key is None:
            return make(link, ids)
        answer = stored(link, dealer, key)
        if answer is None:
            answer = keep(link, dealer, key, make(link, ids))
            if key.by is not None:
                link.write(_AUDIT, [audited(ids, dealer, key, answer, clock())])
        return answer

    try:
        return run(claimed)
    except (sqlite3.IntegrityError, psycopg.errors.UniqueViolation):
        # Another process was first with the key, or with what the act makes; now it can be seen.
        return run(claimed)


def stored(link: Link, dealer: int, key: Once) -> Answer | None:
    """Return the answer that the key has, None where it is free; with another body it is a mismatch."""
    rows = link.ask(_STORED, dealer, key.scope, key.key).rows()
    if not rows:
        return None
    if not key.same(rows[0][0]):
        return refusal("mismatch", Conflict("idempotency_mismatch"))
    return replay(binary(rows[0][1]))


def keep(link: Link, dealer: int, key: Once, answer: Answer) -> Answer:
    """Claim the key with this answer, in the caller's transaction."""
    answer = answer.sealed()
    link.write(_TABLE, [(dealer, key.scope, key.key, key.request_hash, NUMBERS[answer.status], answer.stored, clock())])
    return answer
