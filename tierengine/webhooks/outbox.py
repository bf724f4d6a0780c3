"""Deliveries: filled from the seals, due one after the other for each member, tried again later and later, replayed.

What cannot be delivered in about three days is dead: it stays to be seen, and the member's next message goes on.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from tierengine.errors import Refused, Unknown
from tierengine.policies.versions import Programme
from tierengine.settings import Settings
from tierengine.store.dialect import Link, doc
from tierengine.store.ids import Ids
from tierengine.store.rows import Table
from tierengine.webhooks.endpoints import Endpoint
from tierengine.webhooks.messages import CREDIT, TIER, Message, judged, of_entries, of_tiers, passed, sealed_after
from tierengine.zone import DAY, SECOND, moment

# After the n-th failure, in seconds: the schedule that Standard Webhooks recommends. Then it is dead.
BACK_OFF: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
SEALS: Final = 200
WALKED: Final = 50  # members in one look: some 2.5 ms each, in the process that serves the tills
PAGE_MOST: Final = 200
REPLAY_MOST: Final = 1_000  # in one transaction, for which tills wait
ALL: Final = 1 << 62  # no delivery has such an id
_DELIVERIES: Final = Table("webhook_delivery")
_STANDINGS: Final = Table("webhook_standing")
_FORGET: Final = "DELETE FROM webhook_standing WHERE webhook_id = ?1 AND member_id IN (?2*)"
_SEEN: Final = "UPDATE webhook SET seen = ?2, looked_at = ?3 WHERE id = ?1 AND seen = ?4"
_NOW: Final = "SELECT seen FROM webhook WHERE id = ?1 AND state = 'active'"
_KNOWN: Final = "SELECT message FROM webhook_delivery WHERE webhook_id = ?1 AND message IN (?2*)"
_DUE: Final = (
    "SELECT d.id, d.webhook_id, d.message, d.body, d.attempts FROM webhook_delivery d "
    # (What was stamped later than now was stamped by a clock that has been set back: it would wait for as long.)
    "WHERE d.webhook_id = ?1 AND d.state = 'waiting' AND (d.due_at <= ?2 OR d.changed_at > ?2) "
    "AND NOT EXISTS (SELECT 1 FROM webhook_delivery e WHERE e.webhook_id = d.webhook_id "
    "AND e.member_id = d.member_id AND e.state = 'waiting' AND e.id < d.id) ORDER BY d.id LIMIT ?3"
)
_DONE: Final = (
    "UPDATE webhook_delivery SET state = ?2, attempts = ?3, due_at = ?4, last = ?5, changed_at = ?6 "
    "WHERE id = ?1 AND state = 'waiting'"
)
_COLUMNS: Final = "id, member_id, message, type, body, state, attempts, due_at, last, changed_at"
_PAGE: Final = (
    f"SELECT {_COLUMNS} FROM webhook_delivery WHERE webhook_id = ?1 AND id > ?2 AND state = ?3 ORDER BY id LIMIT ?4"
)
# A page of each state, of which the first are taken: the index that has a webhook's in order has them by state.
_PAGE_OF: Final = "SELECT * FROM ({page}) AS {state}"
_PAGE_OF_ALL: Final = (
    f"SELECT {_COLUMNS} FROM ("
    + " UNION ALL ".join(
        _PAGE_OF.format(page=_PAGE.replace("?3", f"'{state}'").replace("?4", "?3"), state=state)
        for state in ("waiting", "delivered", "dead")
    )
    + ") AS found ORDER BY id LIMIT ?3"
)
_REPLAY: Final = (
    "UPDATE webhook_delivery SET state = 'waiting', attempts = 0, due_at = ?2, changed_at = ?2 "
    "WHERE webhook_id = ?1 AND state = ?3 AND id BETWEEN ?4 AND ?5"
)
_LAST: Final = (
    "SELECT id FROM webhook_delivery WHERE webhook_id = ?1 AND state = ?2 AND id BETWEEN ?3 AND ?4 "
    "ORDER BY id LIMIT 1 OFFSET ?5"
)
_OLDEST: Final = "SELECT min(id) FROM webhook_delivery WHERE webhook_id = ?1 AND state = ?2"
_COUNT: Final = "SELECT count(*) FROM webhook_delivery WHERE webhook_id = ?1 AND state = ?2 AND id BETWEEN ?3 AND ?4"


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is to be tried now. `content` is what is sent, the same bytes each time."""

    id: int
    webhook_id: int
    message: str
    content: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class Walk:
    """All members, one after the other, because a version of the policy started, which may move any of them.

    begun  when the walk began: who is moved by time after that is looked for afterwards
    last   the member who was looked at last
    """

    begun: int
    last: int = 0


@dataclass(frozen=True, slots=True)
class Filled:
    """What one look at the seals found for a webhook. `walk`: how far it is through all members; None: it is not."""

    endpoint: Endpoint
    last: int
    now: int
    messages: Sequence[Message]
    looked_at: int
    walk: Walk | None = None


# ---- filling -----------------------------------------------------------------------------------------------------


def look(link: Link, programme: Programme, endpoint: Endpoint, now: int, walk: Walk | None = None) -> Filled | None:
    """Return what a webhook has to be told of the next seals, and of tiers that time moved; None: nothing is new.

    walk  how far the last look came through all members
    """
    sealed = sealed_after(link, endpoint.dealer_id, endpoint.seen, SEALS)
    start = programme.regimes.next_start(endpoint.looked_at) if TIER in endpoint.types else None
    started = start is not None and start <= now
    moved, looked_at, further = [], now, None
    if started:
        walk = walk or Walk(now)
        moved = judged(link, endpoint.dealer_id, walk.last, WALKED)
        further = Walk(walk.begun, moved[-1]) if len(moved) == WALKED else None
        looked_at = endpoint.looked_at if further else walk.begun
    elif TIER in endpoint.types:
        moved = passed(link, endpoint.dealer_id, endpoint.looked_at, now)
    if sealed is None and not moved and not started:
        return None
    found: list[Message] = []
    if sealed is not None and CREDIT in endpoint.types:
        found += of_entries(link, programme, sealed.entries)
    if TIER in endpoint.types:
        members = {*(() if sealed is None else sealed.members), *moved}
        found += of_tiers(link, programme, endpoint.id, sorted(members), now)
    return Filled(endpoint, endpoint.seen if sealed is None else sealed.last, now, found, looked_at, further)


def fill(link: Link, ids: Ids, found: Filled) -> bool:
    """Put what was found into deliveries; False when somebody else was first, or it is to be told nothing any more."""
    endpoint, now = found.endpoint, found.now
    if link.ask(_NOW, endpoint.id).rows() != [(endpoint.seen,)]:
        return False
    known = set()
    if found.messages:
        known = {row[0] for row in link.ask(_KNOWN, endpoint.id, [one.name for one in found.messages]).rows()}
    fresh = [one for one in found.messages if one.name not in known]
    link.run(_SEEN, endpoint.id, found.last, found.looked_at, endpoint.seen)
    link.write(
        _DELIVERIES,
        [
            (
                ids.take(), endpoint.dealer_id, endpoint.id, one.member_id, one.name, one.type, _text(one.body),
                "waiting", 0, now, "", now,
            )
            for one in fresh
        ],
    )  # fmt: skip
    told = {one.member_id: one.tier for one in fresh if one.type == TIER}
    if told:
        link.run(_FORGET, endpoint.id, sorted(told))
        link.write(_STANDINGS, [(endpoint.id, member, endpoint.dealer_id, tier) for member, tier in told.items()])
    return True


# ---- delivering --------------------------------------------------------------------------------------------------


def due(link: Link, webhook: int, now: int, most: int) -> list[Due]:
    """Return what is to be tried now of a webhook that is active: of each member the first that waits."""
    rows = link.ask(_DUE, webhook, now, most).rows()
    return [Due(number, webhook, name, _text(doc(body)).encode(), tried) for number, webhook, name, body, tried in rows]


def delivered(link: Link, one: Due, now: int) -> None:
    """Note that a delivery was taken."""
    link.run(_DONE, one.id, "delivered", one.attempts + 1, now, "", now)


def failed(link: Link, one: Due, now: int, why: str, wait: int = 0) -> None:
    """Note that a delivery was not taken: it is tried again later, with some chance in the time, or is dead.

    wait  seconds that the receiver asked for
    """
    if one.attempts >= len(BACK_OFF):
        link.run(_DONE, one.id, "dead", one.attempts + 1, now, why[:100], now)
        return
    seconds = max(BACK_OFF[one.attempts] * random.uniform(0.9, 1.1), min(wait, BACK_OFF[-1]))  # noqa: S311  no secret
    link.run(_DONE, one.id, "waiting", one.attempts + 1, now + int(seconds * SECOND), why[:100], now)


# ---- looking and replaying ---------------------------------------------------------------------------------------


def page(link: Link, endpoint: Endpoint, state: str, after: int, most: int) -> list[dict[str, Any]]:
    """Return deliveries of a webhook in order, after one of them; `state` "": whatever became of them."""
    names = [name.strip() for name in _COLUMNS.split(",")]
    most = min(most, PAGE_MOST)
    asked = (
        link.ask(_PAGE, endpoint.id, after, state, most) if state else link.ask(_PAGE_OF_ALL, endpoint.id, after, most)
    )
    rows = asked.rows()
    found = [dict(zip(names, row, strict=True)) for row in rows]
    for one in found:
        del one["member_id"]
        one["body"] = doc(one["body"])
        one |= {name: moment(one[name]).isoformat() for name in ("due_at", "changed_at")}
    return found


def days_of(settings: Settings, state: str) -> int:
    """Return for how many days deliveries of this state are kept."""
    return settings.webhook_dead_days if state == "dead" else settings.webhook_days


def replay(
    link: Link, endpoint: Endpoint, state: str, now: int, *, days: int, since: int = 0, until: int = ALL
) -> tuple[int, int | None]:
    """Have deliveries of this state sent again, from `since` to `until` (its ids), in their order.

    Return how many, and from which one it goes on: in one go no more than REPLAY_MOST are. Refused (`not_kept`) where a
    bound that was said lies before all that is kept, of a webhook that is older than what is kept.

    days  so long deliveries of this state are kept
    """
    if state not in ("dead", "delivered"):
        raise Unknown("not_found")
    asked = since or until
    if asked != ALL and endpoint.created_at < now - days * DAY:
        oldest = link.ask(_OLDEST, endpoint.id, state).rows()[0][0]
        if oldest is None or asked < oldest:
            raise Refused("not_kept", asked=asked, days=days, oldest="–" if oldest is None else oldest)
    last = link.ask(_LAST, endpoint.id, state, since, until, REPLAY_MOST - 1).rows()
    end = int(last[0][0]) if last else until
    count = int(link.ask(_COUNT, endpoint.id, state, since, end).rows()[0][0])
    more = bool(last) and bool(link.ask(_COUNT, endpoint.id, state, end + 1, until).rows()[0][0])
    link.run(_REPLAY, endpoint.id, now, state, since, end)
    return count, end + 1 if more else None


def _text(body: Mapping[str, Any]) -> str:
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()
