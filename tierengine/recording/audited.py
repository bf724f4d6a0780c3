"""The line of the audit that an act of the staff leaves, in the transaction that does or refuses it."""

from __future__ import annotations

from typing import Any

import orjson

from tierengine.recording.items import Answer, Once
from tierengine.store.ids import Ids


def audited(ids: Ids, dealer: int, once: Once, answer: Answer, now: int) -> tuple[Any, ...]:
    """Return the row of `audit` for what was done under this key; what was answered is kept with the key itself."""
    if once.by is None:
        raise ValueError("nobody of the staff did this")
    by = once.by
    body: dict[str, Any] = {"key": once.key, "status": answer.number}
    body |= {name: said for name, said in (("code", answer.code), ("second", by.second)) if said}
    kept = orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()
    return (ids.take(), dealer, now, by.actor, by.act, by.subject, by.request, kept)
