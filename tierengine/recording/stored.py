"""Events and histories as they are stored, and as the values that they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from tierengine.judging.history import Contribution
from tierengine.judging.observations import from_body
from tierengine.judging.recorded import Recorded
from tierengine.judging.resolution import outside_keys
from tierengine.store.dialect import Link, doc, either
from tierengine.store.rows import Row
from tierengine.store.within import among

# (Where a list and the dealer both choose, each of the list is looked up apart: see reading.py.)
_EVENT: Final = "SELECT e.id, e.key, e.revision, e.cluster, e.hash, e.body, m.code, e.member_id FROM "
_EVENT_OF: Final = "event e LEFT JOIN member m ON m.id = e.member_id WHERE e.dealer_id = ?1 AND "
_EVENT_EACH: Final = (
    "unnest(?2::text[]) AS named(key) CROSS JOIN LATERAL (SELECT * FROM event WHERE dealer_id = ?1 AND "
)
_EVENT_END: Final = ") AS e LEFT JOIN member m ON m.id = e.member_id"
_EVENTS_BY_KEY: Final = either(
    _EVENT + _EVENT_OF + "e.key IN (?2*)", _EVENT + _EVENT_EACH + "key = named.key OFFSET 0" + _EVENT_END
)
# (`+ 0`: no index begins with this dealer, so the one of clusters is taken.)
_EVENT_IN: Final = "SELECT * FROM event WHERE dealer_id + 0 = ?1 AND cluster = named.key"
_EVENTS_BY_CLUSTER: Final = either(
    _EVENT + _EVENT_OF + "e.cluster IN (?2*)",
    f"{_EVENT}unnest(?2::text[]) AS named(key) CROSS JOIN LATERAL ({_EVENT_IN} OFFSET 0{_EVENT_END}",
)
# What a group names is its members', or is asked for again with their owner, so his code is known.
_NAMED: Final = "SELECT e.id, e.key, e.revision, e.cluster, e.hash, e.body, e.member_id FROM "
EVENTS_NAMED: Final = either(
    # (One search each: with OR, SQLite reads all that the dealer ever recorded. Who is found twice is one.)
    f"{_NAMED}event e WHERE dealer_id = ?1 AND key IN (?2*) UNION ALL {_NAMED}event e WHERE dealer_id = ?1 AND "
    "cluster IN (?2*)",
    f"{_NAMED}{_EVENT_EACH}key = named.key UNION ALL {_EVENT_IN}) AS e",
)
ORDERS_NAMED: Final = either(
    _NAMED + "event e WHERE dealer_id = ?1 AND cluster IN (?2*)",
    _NAMED + "event e WHERE dealer_id + 0 = ?1 AND cluster IN (?2*)",
)
_OF_PURCHASES: Final = "SELECT cluster FROM event WHERE dealer_id = ?1 AND kind = 'machine_purchase' AND "
_REFERRAL: Final = "body -> 'fields' ->> 'referral'"
_NAMING_REFERRAL: Final = either(
    f"{_OF_PURCHASES}{among('body', 'referral', 2)} AND {_REFERRAL} IN (?2*)",
    "SELECT e.cluster FROM unnest(?2::text[]) AS named(key) CROSS JOIN LATERAL "
    f"({_OF_PURCHASES}{_REFERRAL} = named.key OFFSET 0) AS e",
)
HISTORIES: Final = (
    "SELECT member_id, kind, line, at, known_at, known_class, known_key, cause, qty, amount, fields "
    "FROM contribution WHERE member_id IN (?1*) ORDER BY member_id, known_at, known_class, known_key, id"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored event: the observation, whose it is, and the hash of its content."""

    event_id: int
    cluster: str
    hash: str
    member_id: int | None
    recorded: Recorded

    @classmethod
    def of(cls, row: Row) -> Stored:
        """Return the event of a row: id, key, revision, cluster, hash, body, member's code and id."""
        observation = from_body(doc(row[5]))
        return cls(row[0], row[3], row[4], row[7], Recorded(observation, row[6], row[0]))


def contribution(row: Row) -> Contribution:
    """Return the contribution of a row: kind, line, at, known, cause, qty, amount, fields."""
    kind, line, at, known_at, known_class, known_key, cause, qty, amount, fields = row
    return Contribution(kind, line, at, (known_at, known_class, known_key), cause, qty, amount, doc(fields))


def by_member(rows: Iterable[Row]) -> dict[int, list[Contribution]]:
    """Return the contributions of rows that each begin with the member."""
    found: dict[int, list[Contribution]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(contribution(row[1:]))
    return found


def histories_of(link: Link, members: Collection[int]) -> dict[int, list[Contribution]]:
    """Return the contributions of members in order of `known`, retracted ones too."""
    return by_member(link.ask(HISTORIES, sorted(members)).rows())


def events_by_key(link: Link, dealer_id: int, keys: Collection[str]) -> list[Row]:
    """Return a row of every revision of these events, as `Stored.of` takes it."""
    return link.ask(_EVENTS_BY_KEY, dealer_id, sorted(keys)).rows() if keys else []


def naming(link: Link, dealer_id: int, referrals: Collection[str]) -> set[str]:
    """Return the clusters of the purchases that name these referrals; only a corrected referral asks for them."""
    return {row[0] for row in link.ask(_NAMING_REFERRAL, dealer_id, sorted(referrals)).rows()} if referrals else set()


def told_in(
    link: Link, dealer_id: int, clusters: Collection[str]
) -> tuple[dict[str, dict[int, Stored]], dict[str, dict[int, Stored]]]:
    """Return every revision of the events that ever stood in these clusters, and of the events elsewhere they name."""
    events: dict[str, dict[int, Stored]] = {}
    for row in link.ask(_EVENTS_BY_CLUSTER, dealer_id, sorted(clusters)).rows():
        events.setdefault(row[1], {})[row[2]] = Stored.of(row)
    for row in events_by_key(link, dealer_id, events):
        events[row[1]][row[2]] = Stored.of(row)
    named = {
        key
        for revisions in events.values()
        for one in revisions.values()
        for key in outside_keys(one.recorded.observation)
    }
    outside: dict[str, dict[int, Stored]] = {}
    for row in events_by_key(link, dealer_id, named):
        outside.setdefault(row[1], {})[row[2]] = Stored.of(row)
    return events, outside
