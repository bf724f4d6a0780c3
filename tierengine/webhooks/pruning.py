"""What is not kept of deliveries: what arrived long ago, dead letters after longer, what a removed webhook never heard.

In small pieces, each a transaction of its own, one in a second at most: a till never waits for more than one of them.
Nothing of the book is touched; what was told can be told again from it by a webhook that is added with `all`.
Days by the clock that stamped them; the pace by the one that nobody sets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from tierengine.settings import Settings
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.zone import DAY

PIECE: Final = 50
PAUSE_SECONDS: Final = 1.0  # between two pieces while there is more
LOOK_SECONDS: Final = 60.0  # where there was no more
# (What is over has `due_at` from when it was over: the index of what is due serves both.)
_OLD: Final = "SELECT id FROM webhook_delivery WHERE state = ?1 AND due_at < ?2 ORDER BY due_at LIMIT ?3"
_REMOVED: Final = "SELECT id FROM webhook WHERE state = 'removed' ORDER BY id"
_UNHEARD: Final = "SELECT id FROM webhook_delivery WHERE webhook_id = ?1 AND state = 'waiting' LIMIT ?2"
# (Replayed in between, it is waiting again and stays. `|| ''`: they are found by their numbers; by the index of what is
# due, each piece would read all that was ever delivered.)
_DELETE: Final = "DELETE FROM webhook_delivery WHERE state || '' = ?1 AND id IN (?2*)"
_STOOD: Final = "SELECT member_id FROM webhook_standing WHERE webhook_id = ?1 LIMIT ?2"
_FORGET: Final = "DELETE FROM webhook_standing WHERE webhook_id = ?1 AND member_id IN (?2*)"

Do = Callable[[Callable[[Link, Ids], Any]], Any]


class Pruner:
    """Prunes when its time has come; for one courier, in his thread."""

    def __init__(self, settings: Settings) -> None:
        self._days = {"delivered": settings.webhook_days, "dead": settings.webhook_dead_days}
        self._next = 0.0
        self._emptied: set[int] = set()  # removed webhooks of which nothing is left; none comes back

    def piece(self, link: Link, do: Do, now: int) -> int:
        """Look on `link` for what is not kept and have `do` delete a piece of it; return how many rows.

        now  microseconds UTC
        """
        if time.monotonic() < self._next:
            return 0
        gone = self._old(link, do, now) or self._unheard(link, do)
        self._next = time.monotonic() + (PAUSE_SECONDS if gone else LOOK_SECONDS)
        return gone

    def _old(self, link: Link, do: Do, now: int) -> int:
        for state, days in self._days.items():
            found = _first(link, _OLD, state, now - days * DAY, PIECE)
            if found:
                do(_run(_DELETE, state, found))
                return len(found)
        return 0

    def _unheard(self, link: Link, do: Do) -> int:
        for webhook in _first(link, _REMOVED):
            if webhook in self._emptied:
                continue
            if found := _first(link, _UNHEARD, webhook, PIECE):
                do(_run(_DELETE, "waiting", found))
                return len(found)
            if found := _first(link, _STOOD, webhook, PIECE):
                do(_run(_FORGET, webhook, found))
                return len(found)
            self._emptied.add(webhook)
        return 0


def _run(act: str, *values: object) -> Callable[[Link, Ids], None]:
    return lambda link, _: link.run(act, *values)


def _first(link: Link, question: str, *values: object) -> Sequence[int]:
    found = [row[0] for row in link.ask(question, *values).rows()]
    link.rollback()
    return found
