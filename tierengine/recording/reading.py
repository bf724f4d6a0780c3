"""What a transaction reads under its locks, in one round trip: one statement a table, however many members.

Lock, claim and read are separate statements: one that locks and reads at once reads a snapshot older than its lock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from tierengine.judging.history import Contribution
from tierengine.judging.resolution import outside_keys
from tierengine.recording.locked import Head, Locked, NeedMore
from tierengine.recording.stored import (
    EVENTS_NAMED,
    HISTORIES,
    ORDERS_NAMED,
    Stored,
    by_member,
    events_by_key,
    histories_of,
)
from tierengine.store.dialect import Link, binary, either
from tierengine.store.rows import Row

# A locked row is told as it stands once it is locked, whatever the statement's snapshot; no other table's row is.
_LEDGERS: Final = (
    "SELECT member_id, (SELECT code FROM member WHERE id = l.member_id) AS code, entry_no, head_at, head_class, "
    "head_key, tier, boundary_at, carry, joined_id FROM ledger l WHERE member_id IN (?1*) ORDER BY member_id"
)
# (Asked only where one of those locked is merged with somebody.)
_JOINED: Final = "SELECT joined_id, member_id FROM ledger WHERE joined_id IN (?1*) ORDER BY member_id"
_LOCK_WAITING: Final = _LEDGERS + " FOR NO KEY UPDATE"
_LOCK: Final = _LOCK_WAITING + " SKIP LOCKED"
# Two workers that record an event and what names it must see one another, or the second stays parked for ever. The
# members' locks come first everywhere, and these in order, so no two transactions wait for each other.
_LOCK_KEYS: Final = "SELECT pg_advisory_xact_lock(key) FROM (SELECT unnest(?1::bigint[]) AS key ORDER BY 1) AS keys"
# Where the dealer and a list both choose: while PostgreSQL knows nothing of a young book, it takes the dealer to choose
# a few rows and reads all of his. A row looked up for each of the list, apart, leaves it no choice.
_ONCE: Final = either(
    "SELECT scope, key, request_hash, status, answer FROM idempotency "
    "WHERE dealer_id = ?1 AND scope IN (?2*) AND key IN (?3*)",
    "SELECT i.scope, i.key, i.request_hash, i.status, i.answer "
    "FROM unnest(?2::text[], ?3::text[]) AS named(scope, key) CROSS JOIN LATERAL (SELECT * FROM idempotency "
    "WHERE dealer_id = ?1 AND scope = named.scope AND key = named.key OFFSET 0) AS i",
)
_WAITING: Final = (
    "SELECT e.cluster FROM parked p JOIN event e ON e.id = p.event_id WHERE p.waits_for IN (?2*) AND p.dealer_id = ?1"
)
_NEWEST_VERSION: Final = "SELECT number FROM policy_version WHERE dealer_id = ?1 ORDER BY number DESC LIMIT 1"
_COUNTS: Final = "SELECT member_id, count(*) FROM contribution WHERE member_id IN (?1*) GROUP BY member_id"
_LATER_DECISIONS: Final = (
    "SELECT d.id, d.member_id, d.event_key, d.rule, d.step_at, d.step_class, d.step_key, d.kind, d.basis "
    "FROM decision d JOIN ledger l ON l.member_id = d.member_id "
    # (The first comparison says no more than the second; it is the one that an index can answer.)
    "WHERE l.member_id IN (?1*) AND d.step_at >= l.head_at "
    "AND (d.step_at, d.step_class, d.step_key) > (l.head_at, l.head_class, l.head_key) ORDER BY d.id"
)
# Who has an entry has an account: the instant of his last entry comes with these.
_OF_ACCOUNT: Final = (
    "SELECT a.member_id, a.wallet, a.kind, a.unit, a.balance, a.id, (SELECT recorded_at FROM entry "
    "WHERE member_id = a.member_id ORDER BY number DESC LIMIT 1) AS recorded_at FROM "
)
_ACCOUNTS: Final = either(
    _OF_ACCOUNT + "account a WHERE dealer_id = ?1 AND member_id IN (?2*)",
    _OF_ACCOUNT + "unnest(?2::bigint[]) AS wanted(member_id) "
    "CROSS JOIN LATERAL (SELECT * FROM account WHERE dealer_id = ?1 AND member_id = wanted.member_id OFFSET 0) AS a",
)
_LOT: Final = (
    "SELECT s.member_id, l.id, l.wallet, l.event_key, l.rule, l.amount, s.remaining, l.usable_from, l.expires_at, "
    "e.number FROM lot_state s JOIN lot l ON l.id = s.lot_id JOIN entry e ON e.id = l.entry_id "
)
_OPEN_HOLDS: Final = (
    "SELECT h.member_id, h.id, h.key, h.wallet, h.cluster, h.amount, h.expires_at, s.remaining, x.lot_id, "
    "x.amount AS tied FROM hold_state s JOIN hold h ON h.id = s.hold_id JOIN hold_lot x ON x.hold_id = h.id "
    "WHERE s.member_id IN (?1*) AND s.remaining > 0 ORDER BY h.id, x.place"
)
_COMMANDS: Final = either(
    "SELECT key, hash FROM command WHERE dealer_id = ?1 AND key IN (?2*)",
    "SELECT c.key, c.hash FROM unnest(?2::text[]) AS named(key) CROSS JOIN LATERAL "
    "(SELECT key, hash FROM command WHERE dealer_id = ?1 AND key = named.key OFFSET 0) AS c",
)
_HELD_ORDERS: Final = "SELECT DISTINCT cluster FROM hold WHERE dealer_id = ?1 AND cluster IN (?2*)"
# Of the others only the sum is asked, mostly, and what is available and held says that.
_DUE_LOTS: Final = (
    _LOT + "WHERE s.member_id IN (?1*) AND s.remaining > 0 AND (l.expires_at <= ?2 OR l.usable_from > ?2) ORDER BY l.id"
)
LOTS: Final = (
    "SELECT s.member_id, l.id, l.wallet, l.event_key, l.rule, l.amount, s.remaining, l.usable_from, l.expires_at, "
    "e.number FROM lot l JOIN lot_state s ON s.lot_id = l.id JOIN entry e ON e.id = l.entry_id WHERE l.id IN (?1*)"
)
_ORDER: Final = "order:"  # an order's event names its cluster in its key: no revision of it stands elsewhere


def lock(  # noqa: PLR0913 - what is locked and what is read are one round trip
    link: Link,
    dealer_id: int,
    members: Collection[int],
    keys: Collection[str],
    outside: Collection[str],
    once: Collection[tuple[str, str]],
    remembered: Mapping[int, Sequence[Contribution]],
    *,
    paying: Collection[str] = (),
    commands: Collection[str] = (),
    now: int,
    wait: bool,
) -> Locked:
    """Lock the members and the keys (of events and clusters), and read what is stored of both.

    outside   keys of events in other clusters that the new ones name
    remembered  histories that need not be read where the book has as many contributions
    paying    orders that credit pays: those that ever had a hold are told
    commands  keys of commands that may be there already
    now       the instant of recording, unless a member's last entry is later: what of his lots lapsed by then, is not
              usable yet or is tied up is read
    wait      wait for members locked elsewhere; else they are left out of `locked`

    NeedMore tells what else must be locked.
    """
    wanted, named = sorted(members), sorted(keys)
    orders = all(key.startswith(_ORDER) for key in named)
    with link.pipeline():
        lock = link.ask(_LOCK_WAITING if wait else _LOCK, wanted)
        if link.kind == "postgresql" and named:
            link.ask(_LOCK_KEYS, [lock_number(dealer_id, key) for key in {*named, *outside}])
        asked: dict[str, tuple[str, tuple[object, ...]]] = {
            "version": (_NEWEST_VERSION, (dealer_id,)),
            "events": (ORDERS_NAMED if orders else EVENTS_NAMED, (dealer_id, named)),
            "waiting": (_WAITING, (dealer_id, named)),
            "later": (_LATER_DECISIONS, (wanted,)),
            "accounts": (_ACCOUNTS, (dealer_id, wanted)),
            "lots": (_DUE_LOTS, (wanted, now)),
        }
        if once:
            pairs = sorted(once)
            asked["once"] = (_ONCE, (dealer_id, [scope for scope, _ in pairs], [token for _, token in pairs]))
        if remembered:
            asked["counts"] = (_COUNTS, (sorted(remembered),))
        if unknown := [member for member in wanted if member not in remembered]:
            asked["histories"] = (HISTORIES, (unknown,))
        if paying:
            asked["orders"] = (_HELD_ORDERS, (dealer_id, sorted(paying)))
        if commands:
            asked["commands"] = (_COMMANDS, (dealer_id, sorted(commands)))
        gathered = link.gather(*asked.values())
    read: dict[str, list[Row]] = {"once": [], "counts": [], "histories": [], "orders": [], "commands": []}
    read |= dict(zip(asked, gathered(), strict=True))
    ledgers = lock.rows()
    locked = frozenset(row[0] for row in ledgers)
    if elsewhere := [member for member in wanted if member not in locked]:
        ledgers = [*ledgers, *link.ask(_LEDGERS, elsewhere).rows()]
    recorded = {row[0]: row[6] for row in read["accounts"]}
    found = Locked(
        outside_wanted=set(outside),
        newest_version=next((row[0] for row in read["version"]), 0),
        obtained=locked,
        ledgers={row[0]: _head(row, recorded.get(row[0])) for row in ledgers},
        once={(row[0], row[1]): (row[2], row[3], binary(row[4])) for row in read["once"]},
        waiting={row[0] for row in read["waiting"]},
        histories=by_member(read["histories"]),
        later=_grouped(read["later"], 1),
        accounts=_grouped((row[:6] for row in read["accounts"]), 0),
        lots=_grouped(read["lots"], 0),
        held_orders={row[0] for row in read["orders"]},
        commands={row[0]: row[1] for row in read["commands"]},
    )
    if holding := sorted({row[0] for row in read["accounts"] if row[2] == "held" and row[4]}):
        found.holds = _grouped(link.ask(_OPEN_HOLDS, holding).rows(), 0)
    latest = max((row[6] for row in read["accounts"] if row[6]), default=now)
    if latest > now:  # the clock went back
        found.lots = _grouped(link.ask(_DUE_LOTS, wanted, latest).rows(), 0)
    if tied := {row[8] for rows in found.holds.values() for row in rows}:
        there = {row[1] for rows in found.lots.values() for row in rows}
        for row in link.ask(LOTS, sorted(tied - there)).rows():
            found.lots.setdefault(row[0], []).append(row)
    if remembered:
        _recall(link, found, remembered, {row[0]: row[1] for row in read["counts"]})
    if joined := {head.joined_id for head in found.ledgers.values() if head.joined_id is not None}:
        _join(link, found, sorted(joined), frozenset(wanted))
    codes = {member: head.code for member, head in found.ledgers.items()}
    events = [(*row[:6], codes.get(row[6]), row[6]) for row in read["events"]]
    _close(link, dealer_id, found, frozenset(named), events, set(found.waiting))
    owners = {one.member_id for revisions in found.events.values() for one in revisions.values()} - {None}
    if owners - set(members):
        raise NeedMore((owner for owner in owners if owner is not None), ())
    return found


def _join(link: Link, found: Locked, joined: Sequence[int], wanted: frozenset[int]) -> None:
    """Note who is merged with whom; NeedMore for those who are not among the wanted. No shortcut serves for them."""
    by_root: dict[int, list[int]] = {}
    for root, member in link.ask(_JOINED, joined).rows():
        by_root.setdefault(root, []).append(member)
    found.classes = {root: (root, *(one for one in all_ if one != root)) for root, all_ in by_root.items()}
    everybody = {member for all_ in by_root.values() for member in all_}
    if everybody - wanted:
        raise NeedMore(everybody - wanted, ())
    found.whole -= everybody


def _recall(
    link: Link, found: Locked, remembered: Mapping[int, Sequence[Contribution]], counts: Mapping[int, int]
) -> None:
    """Take the histories that are remembered and still whole, and read the others."""
    stale = []
    for member, rows in remembered.items():
        if counts.get(member, 0) == len(rows):
            found.histories[member] = list(rows)
            found.whole.add(member)
        else:
            stale.append(member)
    if stale:
        found.histories.update(histories_of(link, stale))


def _close(
    link: Link, dealer_id: int, found: Locked, locked: frozenset[str], rows: list[Row], clusters: set[str]
) -> None:
    """Follow what was found to all that belongs to it; NeedMore for clusters that are not locked yet.

    Whoever records a revision of an event must hold the clusters that its stored revisions stand in, so holding the
    clusters is enough to read every revision, and every event outside that one of them names.
    """
    asked = set(locked)
    if clusters - locked:
        raise NeedMore((), clusters - locked)
    while rows:
        outside: set[str] = set()
        further: set[str] = set()
        for row in rows:
            stored = Stored.of(row)
            found.events.setdefault(row[1], {})[row[2]] = stored
            clusters.add(row[3])
            outside.update(outside_keys(stored.recorded.observation))
            if not row[1].startswith(_ORDER):
                further.add(row[1])
        if clusters - locked:
            raise NeedMore((), clusters - locked)
        further -= asked
        asked |= further
        rows = events_by_key(link, dealer_id, further)
        found.outside_wanted |= outside
    for row in events_by_key(link, dealer_id, found.outside_wanted - found.events.keys()):
        found.outside.setdefault(row[1], {})[row[2]] = Stored.of(row)


def _head(row: Row, recorded_at: int | None) -> Head:
    member_id, code, entry_no, at, class_, key, tier, boundary_at, carry, joined_id = row
    return Head(member_id, code, entry_no, (at, class_, key), tier, boundary_at, carry, recorded_at or 0, joined_id)


def _grouped(rows: Iterable[Row], place: int) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row[place], []).append(row)
    return found


def lock_machines(link: Link, dealer_id: int, serials: Collection[str]) -> None:
    """Keep every other transaction from saying whose these machines are; the last of a transaction's locks.

    On SQLite, which has one writer, nothing is to be done. Inside a pipeline it is sent with what is asked next.
    """
    if link.kind == "postgresql" and serials:
        link.ask(_LOCK_KEYS, [lock_number(dealer_id, f"serial:{serial}") for serial in serials])


def lock_number(dealer_id: int, key: str) -> int:
    """Return the number under which PostgreSQL locks a key."""
    digest = hashlib.blake2b(f"{dealer_id}:{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
