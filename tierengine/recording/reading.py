"""What a transaction reads under its locks, in one round trip: one statement a table, however many members.

Lock, claim and read are separate statements: one that locks and reads at once reads a snapshot older than its lock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tierengine.judging.history import Contribution, Position
from tierengine.judging.merging import MERGED, united
from tierengine.judging.netting import net
from tierengine.judging.observations import from_body
from tierengine.judging.recorded import Recorded
from tierengine.judging.resolution import outside_keys
from tierengine.store.dialect import Link, binary, doc, either
from tierengine.store.rows import Row

_MEMBERS: Final = either(
    "SELECT code, id FROM member WHERE dealer_id = ?1 AND code IN (?2*)",
    "SELECT m.code, m.id FROM unnest(?2::text[]) AS named(code) CROSS JOIN LATERAL "
    "(SELECT code, id FROM member WHERE dealer_id = ?1 AND code = named.code OFFSET 0) AS m",
)
_NEWEST_MEMBERS: Final = "SELECT code, id FROM member WHERE dealer_id = ?1 ORDER BY id DESC LIMIT ?2"
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
_EVENTS_NAMED: Final = either(
    _NAMED + "event e WHERE dealer_id = ?1 AND (key IN (?2*) OR cluster IN (?2*))",
    f"{_NAMED}{_EVENT_EACH}key = named.key UNION ALL {_EVENT_IN}) AS e",
)
_ORDERS_NAMED: Final = either(
    _NAMED + "event e WHERE dealer_id = ?1 AND cluster IN (?2*)",
    _NAMED + "event e WHERE dealer_id + 0 = ?1 AND cluster IN (?2*)",
)
_WAITING: Final = (
    "SELECT e.cluster FROM parked p JOIN event e ON e.id = p.event_id WHERE p.waits_for IN (?2*) AND p.dealer_id = ?1"
)
_NEWEST_VERSION: Final = "SELECT number FROM policy_version WHERE dealer_id = ?1 ORDER BY number DESC LIMIT 1"
_NAMING_REFERRAL: Final = (
    "SELECT cluster FROM event WHERE dealer_id = ?1 AND kind = 'machine_purchase' "
    "AND body -> 'fields' ->> 'referral' IN (?2*)"
)
_HISTORIES: Final = (
    "SELECT member_id, kind, line, at, known_at, known_class, known_key, cause, qty, amount, fields "
    "FROM contribution WHERE member_id IN (?1*) ORDER BY member_id, known_at, known_class, known_key, id"
)
_COUNTS: Final = "SELECT member_id, count(*) FROM contribution WHERE member_id IN (?1*) GROUP BY member_id"
_LATER_DECISIONS: Final = (
    "SELECT d.id, d.member_id, d.event_key, d.rule, d.step_at, d.step_class, d.step_key, d.kind, d.basis "
    "FROM decision d JOIN ledger l ON l.member_id = d.member_id "
    # (The first comparison says no more than the second; it is the one that an index can answer.)
    "WHERE l.member_id IN (?1*) AND d.step_at >= l.head_at "
    "AND (d.step_at, d.step_class, d.step_key) > (l.head_at, l.head_class, l.head_key) ORDER BY d.id"
)
_DECISION: Final = "SELECT id, member_id, event_key, rule, step_at, step_class, step_key, kind, basis FROM decision "
_DECISIONS_FROM: Final = (
    _DECISION + "WHERE member_id IN (?1*) AND (step_at, step_class, step_key) > (?2, ?3, ?4) ORDER BY id"
)
_DECISIONS_BETWEEN: Final = (
    _DECISION + "WHERE member_id = ?1 AND step_at BETWEEN ?2 AND ?5 AND (step_at, step_class, step_key) > (?2, ?3, ?4) "
    "AND (step_at, step_class, step_key) <= (?5, ?6, ?7) ORDER BY id"
)
_DECISIONS_OF: Final = _DECISION + "WHERE dealer_id = ?1 AND event_key IN (?2*) AND member_id IN (?3*) ORDER BY id"
_CHECKPOINT: Final = (
    "SELECT at, head_class, head_key, carry FROM checkpoint WHERE member_id = ?1 "
    "AND (at, head_class, head_key) < (?2, ?3, ?4) ORDER BY at DESC, head_class DESC, head_key DESC LIMIT 1"
)
_EMISSIONS: Final = (
    "SELECT id, key, revision, to_member_id, event_key, rule, kind, cancelled, applied, body, member_id FROM emission "
    "WHERE dealer_id = ?1 AND key IN (?2*) ORDER BY revision"
)
_EMISSIONS_DUE: Final = "SELECT DISTINCT key FROM emission WHERE to_member_id IN (?1*) AND NOT applied"
_UNDELIVERED: Final = "SELECT DISTINCT dealer_id, to_member_id FROM emission WHERE NOT applied"
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
BEGINNING: Final[Position] = (-(1 << 62), 0, "")


class NeedMore(Exception):
    """Under the locks it turned out that more must be locked: roll back, and begin again with these as well."""

    def __init__(self, members: Iterable[int], keys: Iterable[str]) -> None:
        self.members = frozenset(members)
        self.keys = frozenset(keys)
        super().__init__(f"{len(self.members)} more members, {len(self.keys)} more keys")


@dataclass(frozen=True, slots=True)
class Head:
    """A member's ledger row: where his history stands, and the number and instant of his last entry."""

    member_id: int
    code: str
    entry_no: int
    position: Position
    tier: str
    boundary_at: int | None
    carry: str
    recorded_at: int
    joined_id: int | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored event: the observation, whose it is, and the hash of its content."""

    event_id: int
    cluster: str
    hash: str
    member_id: int | None
    recorded: Recorded


@dataclass(slots=True)
class Held:
    """All that was read under the locks of one transaction, for one dealer.

    locked    the members whose rows were obtained
    events    key → revision → event
    outside   the same, of the events that these name in other clusters
    whole     members whose remembered history is still whole
    waiting   clusters of parked events that wait for what is locked
    once      (scope, key) → (request hash, status number, stored answer)
    holds     those that have not ended, a row for each of their lots; `held_orders` the orders that ever had one
    commands  key → hash, of the stored ones among those that were asked for
    classes   merged members by who stands for them, himself first; nobody who is merged with none
    """

    head: int = 0
    locked: frozenset[int] = frozenset()
    ledgers: dict[int, Head] = field(default_factory=dict)
    once: dict[tuple[str, str], tuple[str, int, bytes]] = field(default_factory=dict)
    events: dict[str, dict[int, Stored]] = field(default_factory=dict)
    outside: dict[str, dict[int, Stored]] = field(default_factory=dict)
    outside_wanted: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)
    histories: dict[int, list[Contribution]] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)
    later: dict[int, list[Row]] = field(default_factory=dict)
    accounts: dict[int, list[Row]] = field(default_factory=dict)
    lots: dict[int, list[Row]] = field(default_factory=dict)
    holds: dict[int, list[Row]] = field(default_factory=dict)
    held_orders: set[str] = field(default_factory=set)
    commands: dict[str, str] = field(default_factory=dict)
    classes: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def root(self, member_id: int) -> int:
        """Return who stands for a member: himself, unless he is merged into another."""
        if not self.classes:
            return member_id
        return next((root for root, all_ in self.classes.items() if member_id in all_), member_id)

    def members(self, member_id: int) -> tuple[int, ...]:
        """Return all who are one with a member, who stands for them first."""
        if not self.classes:
            return (member_id,)
        root = self.root(member_id)
        return self.classes.get(root, (root,))

    def is_locked(self, member_id: int) -> bool:
        """Whether a member's row was obtained, and those of all who are one with him."""
        return member_id in self.locked and (not self.classes or self.locked.issuperset(self.members(member_id)))

    def history(self, member_id: int) -> Sequence[Contribution]:
        """Return the history in which a member's is folded, in order of `known`."""
        all_ = self.members(member_id)
        if len(all_) == 1:
            return self.histories.get(member_id, ())
        return united([self.histories.get(one, ()) for one in all_], self.codes(member_id))

    def merge_of(self, member_id: int) -> str:
        """Return the key of the last merge among those who are one with a member: what is handed over cites it."""
        words = (row for one in self.members(member_id) for row in self.histories.get(one, ()) if row.kind == MERGED)
        return max(net(words), key=lambda row: row.known).known[2]

    def codes(self, member_id: int) -> frozenset[str]:
        """Return the codes of all who are one with a member."""
        return frozenset(self.ledgers[one].code for one in self.members(member_id))

    def code_of(self, member_id: int) -> str:
        """Return a locked member's code."""
        return self.ledgers[member_id].code


def member_ids(link: Link, dealer_id: int, codes: Collection[str]) -> dict[str, int]:
    """Return the ids of the members that are on file."""
    return dict(link.ask(_MEMBERS, dealer_id, sorted(codes)).rows()) if codes else {}


def newest_members(link: Link, dealer_id: int, most: int) -> dict[str, int]:
    """Return the ids of the members who were put on file last."""
    return dict(link.ask(_NEWEST_MEMBERS, dealer_id, most).rows())


def hold(  # noqa: PLR0913 - what is locked and what is read are one round trip
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
) -> Held:
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
            "heads": (_NEWEST_VERSION, (dealer_id,)),
            "events": (_ORDERS_NAMED if orders else _EVENTS_NAMED, (dealer_id, named)),
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
            asked["histories"] = (_HISTORIES, (unknown,))
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
    found = Held(
        outside_wanted=set(outside),
        head=next((row[0] for row in read["heads"]), 0),
        locked=locked,
        ledgers={row[0]: _head(row, recorded.get(row[0])) for row in ledgers},
        once={(row[0], row[1]): (row[2], row[3], binary(row[4])) for row in read["once"]},
        waiting={row[0] for row in read["waiting"]},
        histories=_by_member(read["histories"]),
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


def _join(link: Link, found: Held, joined: Sequence[int], wanted: frozenset[int]) -> None:
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
    link: Link, found: Held, remembered: Mapping[int, Sequence[Contribution]], counts: Mapping[int, int]
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
        found.histories.update(_by_member(link.ask(_HISTORIES, sorted(stale)).rows()))


def _close(
    link: Link, dealer_id: int, found: Held, locked: frozenset[str], rows: list[Row], clusters: set[str]
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
            stored = _stored(row)
            found.events.setdefault(row[1], {})[row[2]] = stored
            clusters.add(row[3])
            outside.update(outside_keys(stored.recorded.observation))
            if not row[1].startswith(_ORDER):
                further.add(row[1])
        if clusters - locked:
            raise NeedMore((), clusters - locked)
        further -= asked
        asked |= further
        rows = link.ask(_EVENTS_BY_KEY, dealer_id, sorted(further)).rows() if further else []
        found.outside_wanted |= outside
    wanted = sorted(found.outside_wanted - found.events.keys())
    if wanted:
        for row in link.ask(_EVENTS_BY_KEY, dealer_id, wanted).rows():
            found.outside.setdefault(row[1], {})[row[2]] = _stored(row)


def lock_machines(link: Link, dealer_id: int, serials: Collection[str]) -> None:
    """Keep every other transaction from saying whose these machines are; the last of a transaction's locks.

    On SQLite, which has one writer, nothing is to be done. Inside a pipeline it is sent with what is asked next.
    """
    if link.kind == "postgresql" and serials:
        link.ask(_LOCK_KEYS, [lock_number(dealer_id, f"serial:{serial}") for serial in serials])


def naming(link: Link, dealer_id: int, referrals: Collection[str]) -> set[str]:
    """Return the clusters of the purchases that name these referrals; only a corrected referral asks for them."""
    return {row[0] for row in link.ask(_NAMING_REFERRAL, dealer_id, sorted(referrals)).rows()} if referrals else set()


def _stored(row: Row) -> Stored:
    observation = from_body(doc(row[5]))
    return Stored(row[0], row[3], row[4], row[7], Recorded(observation, row[6], row[0]))


def _head(row: Row, recorded_at: int | None) -> Head:
    member_id, code, entry_no, at, class_, key, tier, boundary_at, carry, joined_id = row
    return Head(member_id, code, entry_no, (at, class_, key), tier, boundary_at, carry, recorded_at or 0, joined_id)


def contribution(row: Row) -> Contribution:
    """Return the contribution of a row: kind, line, at, known, cause, qty, amount, fields."""
    kind, line, at, known_at, known_class, known_key, cause, qty, amount, fields = row
    return Contribution(kind, line, at, (known_at, known_class, known_key), cause, qty, amount, doc(fields))


def _by_member(rows: Iterable[Row]) -> dict[int, list[Contribution]]:
    found: dict[int, list[Contribution]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(contribution(row[1:]))
    return found


def _grouped(rows: Iterable[Row], place: int) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row[place], []).append(row)
    return found


def lock_number(dealer_id: int, key: str) -> int:
    """Return the number under which PostgreSQL locks a key."""
    digest = hashlib.blake2b(f"{dealer_id}:{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


# ---- asked for one member, where it is needed -------------------------------------------------------------------


def checkpoint_before(link: Link, member_id: int, position: Position) -> tuple[Position, str] | None:
    """Return the last checkpoint before a position, with its carry."""
    rows = link.ask(_CHECKPOINT, member_id, *position).rows()
    return ((rows[0][0], rows[0][1], rows[0][2]), rows[0][3]) if rows else None


def decisions_from(link: Link, members: Collection[int], start: Position) -> list[Row]:
    """Return all decisions of steps later than `start`, in the order in which they were made."""
    return link.ask(_DECISIONS_FROM, sorted(members), *start).rows()


def decisions_between(link: Link, member_id: int, start: Position, end: Position) -> list[Row]:
    """Return all decisions of steps later than `start` and up to `end`, in the order in which they were made."""
    return link.ask(_DECISIONS_BETWEEN, member_id, *start, *end).rows()


def decisions_of(link: Link, dealer_id: int, members: Collection[int], event_keys: Collection[str]) -> list[Row]:
    """Return all decisions about these granting events."""
    asked = (dealer_id, sorted(event_keys), sorted(members))
    return link.ask(_DECISIONS_OF, *asked).rows() if event_keys else []


def emissions(link: Link, dealer_id: int, keys: Collection[str]) -> list[Row]:
    """Return all revisions of these emissions, lowest first."""
    return link.ask(_EMISSIONS, dealer_id, sorted(keys)).rows() if keys else []


def emissions_due(link: Link, members: Collection[int]) -> set[str]:
    """Return the keys of the emissions to these members that were not delivered."""
    return {row[0] for row in link.ask(_EMISSIONS_DUE, sorted(members)).rows()}


def undelivered(link: Link) -> list[tuple[int, int]]:
    """Return (dealer, receiver) of every emission that a stopped process left undelivered."""
    return [(row[0], row[1]) for row in link.ask(_UNDELIVERED).rows()]


# ---- asked for a whole book at leisure --------------------------------------------------------------------------


def histories(link: Link, members: Collection[int]) -> dict[int, list[Contribution]]:
    """Return the contributions of members in order of `known`, retracted ones too."""
    return _by_member(link.ask(_HISTORIES, sorted(members)).rows())


def told_in(
    link: Link, dealer_id: int, clusters: Collection[str]
) -> tuple[dict[str, dict[int, Stored]], dict[str, dict[int, Stored]]]:
    """Return every revision of the events that ever stood in these clusters, and of the events elsewhere they name."""
    events: dict[str, dict[int, Stored]] = {}
    for row in link.ask(_EVENTS_BY_CLUSTER, dealer_id, sorted(clusters)).rows():
        events.setdefault(row[1], {})[row[2]] = _stored(row)
    for row in link.ask(_EVENTS_BY_KEY, dealer_id, sorted(events)).rows():
        events[row[1]][row[2]] = _stored(row)
    named = {
        key
        for revisions in events.values()
        for one in revisions.values()
        for key in outside_keys(one.recorded.observation)
    }
    outside: dict[str, dict[int, Stored]] = {}
    for row in link.ask(_EVENTS_BY_KEY, dealer_id, sorted(named)).rows():
        outside.setdefault(row[1], {})[row[2]] = _stored(row)
    return events, outside
