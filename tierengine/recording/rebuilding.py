"""Every cache, made again from what is insert only, and compared with what is stored; replaced where that is asked for.

From the events: what they contribute, and which of them wait (parked). From the contributions: each member's standing
over time, checkpoints, carry, attributes, machines, and what should stand of every grant. From the entries: balances,
what is left of lots and of holds. Contributions and decisions are no caches: where they differ, that is only told.

Everything is read in one transaction, some members at a time, and nothing is written unless it differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeVar

from tierengine.judging.budgets import drawn
from tierengine.judging.decisions import TierChanged
from tierengine.judging.history import Contribution
from tierengine.judging.merging import MERGED, NOBODY, Joined, into_of, united
from tierengine.judging.netting import difference
from tierengine.judging.recorded import cause_key
from tierengine.judging.resolution import resolve
from tierengine.policies.versions import Programme
from tierengine.recording.locked import BEGINNING
from tierengine.recording.rejudging import folded_again, granted_of
from tierengine.recording.rows import MACHINE_KINDS, attribute_rows, machine_rows, text
from tierengine.recording.stored import contribution, histories_of, told_in
from tierengine.recording.writing import Rows
from tierengine.store.dialect import Link, doc
from tierengine.store.ids import Ids
from tierengine.store.rows import Row

Key = TypeVar("Key", int, str)

SAMPLES: Final = 5
MEMBERS: Final = 200
CLUSTERS: Final = 2_000
# What is derived and yet insert only: compared, never replaced.
DERIVED: Final = ("contribution", "decision")

_ALL_MEMBERS: Final = "SELECT id, code FROM member WHERE dealer_id = ?1 ORDER BY id"
_LEDGERS: Final = (
    "SELECT member_id, entry_no, head_at, head_class, head_key, tier, boundary_at, carry FROM ledger "
    "WHERE member_id IN (?1*)"
)
_ENTRIES: Final = "SELECT member_id, MAX(number) FROM entry WHERE member_id IN (?1*) GROUP BY member_id"
_CHANGES: Final = (
    'SELECT member_id, at, "class", key, tier, previous, since, until, state, cause, version_id, traits, basis '
    'FROM tier_change WHERE member_id IN (?1*) ORDER BY member_id, at, "class", key, id'
)
_CHECKPOINTS: Final = "SELECT member_id, at, head_class, head_key, carry FROM checkpoint WHERE member_id IN (?1*)"
_ATTRIBUTES: Final = "SELECT member_id, name, dealer_id, value, changed_at FROM attribute WHERE member_id IN (?1*)"
_MACHINES: Final = (
    "SELECT dealer_id, serial, member_id, brand, model, machine_kind, size, from_us, delivered_on FROM machine "
    "WHERE dealer_id = ?1"
)
_OF_KINDS: Final = (
    "SELECT member_id, kind, line, at, known_at, known_class, known_key, cause, qty, amount, fields FROM contribution "
    "WHERE dealer_id = ?1 AND kind IN (?2*) ORDER BY member_id, known_at, known_class, known_key, id"
)
# (`+ 0`: by the index of the merged, and of clusters, not by one of all that the dealer has.)
_STORED_JOINED: Final = "SELECT member_id, joined_id FROM ledger WHERE dealer_id + 0 = ?1 AND joined_id IS NOT NULL"
_PARKED: Final = "SELECT event_id, dealer_id, waits_for, reason FROM parked WHERE dealer_id = ?1"
_ALL_CLUSTERS: Final = (
    "SELECT DISTINCT cluster FROM event WHERE dealer_id + 0 = ?1 AND cluster > ?2 ORDER BY cluster LIMIT ?3"
)
_SAID: Final = (
    "SELECT kind, line, at, known_at, known_class, known_key, cause, qty, amount, fields, member_id FROM contribution "
    "WHERE dealer_id = ?1 AND known_key IN (?2*) ORDER BY id"
)
# The three that entries tell of are compared where they lie: (key, stored, what it should be, the row to write).
_ACCOUNTS: Final = """
    SELECT a.id, a.balance, a.should, a.dealer_id, a.member_id, a.wallet, a.kind, a.unit FROM (
        SELECT a.*, CASE WHEN a.kind = 'debt' THEN -1 ELSE 1 END * COALESCE(m.amount, 0) AS should FROM account a
        LEFT JOIN (SELECT account_id, SUM(amount) AS amount FROM (
            SELECT destination_id AS account_id, amount FROM posting WHERE dealer_id = ?1
            UNION ALL SELECT source_id, -amount FROM posting WHERE dealer_id = ?1) AS sides GROUP BY account_id
        ) AS m ON m.account_id = a.id WHERE a.dealer_id = ?1 AND a.member_id IS NOT NULL) AS a
    WHERE a.balance IS NULL OR a.balance <> a.should ORDER BY a.id
"""
_LOTS: Final = """
    SELECT l.id, s.remaining, l.amount - COALESCE(u.used, 0), l.dealer_id, l.member_id FROM lot l
    LEFT JOIN lot_state s ON s.lot_id = l.id
    LEFT JOIN (SELECT lot_id, SUM(amount) AS used FROM lot_use WHERE dealer_id = ?1 GROUP BY lot_id) AS u
      ON u.lot_id = l.id
    WHERE l.dealer_id = ?1 AND (s.remaining IS NULL OR s.remaining <> l.amount - COALESCE(u.used, 0)) ORDER BY l.id
"""
_HOLDS: Final = """
    SELECT h.id, h.remaining, h.should, h.dealer_id, h.member_id FROM (
        SELECT h.id, h.dealer_id, h.member_id, s.remaining, CASE WHEN d.hold_id IS NOT NULL THEN 0 ELSE h.amount +
            COALESCE((SELECT SUM(c.delta) FROM entry c WHERE c.member_id = h.member_id AND c.kind = 'capture'
                      AND c.event_key = h.cluster AND c.wallet = h.wallet AND c.number > e.number), 0) END AS should
        FROM hold h JOIN entry e ON e.id = h.entry_id LEFT JOIN hold_end d ON d.hold_id = h.id
        LEFT JOIN hold_state s ON s.hold_id = h.id WHERE h.dealer_id = ?1) AS h
    WHERE h.remaining IS NULL OR h.remaining <> h.should ORDER BY h.id
"""
_POTS: Final = "SELECT key, used FROM budget_pot WHERE dealer_id = ?1 AND key <> ''"
_LOCK: Final = "LOCK TABLE ledger IN EXCLUSIVE MODE"


@dataclass(slots=True)
class Differences:
    """What came out differently: how often in each cache, and its first rows (key, stored, made again)."""

    counts: Counter[str] = field(default_factory=Counter)
    rows: dict[str, list[tuple[object, object, object]]] = field(default_factory=dict)
    pots: Counter[str] = field(default_factory=Counter)  # what the members folded so far drew on budgets
    replaced: bool = False

    def note(self, cache: str, key: object, stored: object, made: object) -> None:
        """Add a difference."""
        self.counts[cache] += 1
        if self.counts[cache] <= SAMPLES:
            self.rows.setdefault(cache, []).append((key, stored, made))

    @property
    def replaceable(self) -> bool:
        """Whether all that differs is a cache."""
        return not any(cache in self.counts for cache in DERIVED)

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.counts

    def compare(self, cache: str, stored: Mapping[Key, Row], made: Mapping[Key, Row]) -> set[Key]:
        """Note and return the keys whose rows differ."""
        differing = {key for key in stored.keys() | made.keys() if stored.get(key) != made.get(key)}
        for key in sorted(differing):
            self.note(cache, key, stored.get(key), made.get(key))
        return differing


def rebuild(link: Link, programme: Programme, ids: Ids | None = None) -> Differences:
    """Make one dealer's caches again and compare; with `ids` replace what differs, in the caller's transaction.

    On PostgreSQL that keeps every recorder out until the transaction ends.
    """
    if ids is not None and link.kind == "postgresql":
        link.run(_LOCK)
    found, rows = Differences(replaced=ids is not None), Rows()
    _rebuild_parked(link, programme, found, rows)
    everybody: dict[int, str] = dict(link.ask(_ALL_MEMBERS, programme.dealer_id).rows())
    joined = _rebuild_joined(link, programme, everybody, found, rows)
    members = iter(everybody.items())
    while chunk := list(islice(members, MEMBERS)):
        rebuild_members(link, programme, dict(chunk), found, rows, ids, joined)
    _rebuild_pots(link, programme, found, rows)
    _rebuild_machines(link, programme, found, rows)
    _rebuild_money(link, programme, found, rows)
    if ids is not None:
        rows.send(link)
    return found


# ---- from the events ---------------------------------------------------------------------------------------------


def _rebuild_parked(link: Link, programme: Programme, found: Differences, rows: Rows) -> None:
    dealer = programme.dealer_id
    codes = {code: number for number, code in link.ask(_ALL_MEMBERS, dealer).rows()}
    stored: dict[int, Row] = {row[0]: tuple(row) for row in link.ask(_PARKED, dealer).rows()}
    made: dict[int, Row] = {}
    last = ""
    while clusters := [row[0] for row in link.ask(_ALL_CLUSTERS, dealer, last, CLUSTERS).rows()]:
        last = clusters[-1]
        events, outside = told_in(link, dealer, clusters)
        said = [one.recorded for revisions in events.values() for one in revisions.values()]
        highest = {key: revisions[max(revisions)].recorded for key, revisions in outside.items()}
        resolved = resolve(said, highest, programme.info, clusters=frozenset(clusters), cancels=programme.line.cancels)
        for key, waits in resolved.parked.items():
            revisions = events[key]
            event_id = revisions[max(revisions)].event_id
            made[event_id] = (event_id, dealer, waits.key, waits.reason)
        _compare_contributions(link, programme, codes, resolved.contributions, found)
    for number in found.compare("parked", stored, made):
        if number in made:
            rows.add("parked", *made[number])
        else:
            rows.unparked.append(number)


def _compare_contributions(
    link: Link,
    programme: Programme,
    codes: Mapping[str, int],
    contributions: Mapping[str, Sequence[tuple[str, Contribution]]],
    found: Differences,
) -> None:
    """Tell where what an event contributes is not what is stored of it."""
    wanted: dict[tuple[str, int], list[Contribution]] = {}
    places = set(contributions)
    for key, given in contributions.items():
        for code, row in given:
            wanted.setdefault((key, codes[code]), []).append(row)
            places.add(row.known[2])
    stored: dict[tuple[str, int], list[Contribution]] = {}
    for *one, member in link.ask(_SAID, programme.dealer_id, sorted(places)).rows():
        row = contribution(tuple(one))
        if cause_key(row.known) in contributions:
            stored.setdefault((cause_key(row.known), member), []).append(row)
    for pair in sorted(wanted.keys() | stored.keys()):
        for row in difference(stored.get(pair, []), wanted.get(pair, [])):
            found.note("contribution", pair[0], None if row.qty > 0 else row.line, row.line if row.qty > 0 else None)


# ---- from the contributions --------------------------------------------------------------------------------------


def _rebuild_joined(
    link: Link, programme: Programme, everybody: Mapping[int, str], found: Differences, rows: Rows
) -> Joined:
    """Compare in whose history each member's is folded with what the merges say; return those who are one."""
    said: dict[int, list[Contribution]] = {}
    for member, *row in link.ask(_OF_KINDS, programme.dealer_id, [MERGED]).rows():
        said.setdefault(member, []).append(contribution(tuple(row)))
    numbers = {code: number for number, code in everybody.items()}
    into = {member: numbers[code] for member, told in said.items() if (code := into_of(told)) is not None}
    joined = Joined.of(into, everybody)
    made: dict[int, Row] = {member: (root,) for member, root in joined.root.items()}
    stored: dict[int, Row] = {row[0]: (row[1],) for row in link.ask(_STORED_JOINED, programme.dealer_id).rows()}
    for member in found.compare("ledger", stored, made):
        rows.joined[member] = made[member][0] if member in made else None
    return joined


def rebuild_members(
    link: Link,
    programme: Programme,
    chunk: Mapping[int, str],
    found: Differences,
    rows: Rows,
    ids: Ids | None = None,
    joined: Joined = NOBODY,
) -> None:
    """Fold these members (id → code) from the beginning of their histories; note what differs, add its rows."""
    members = sorted(chunk)
    others = {one for member in members for one in joined.members.get(member, ())}
    histories = histories_of(link, sorted(others.union(members)))
    for root, all_ in joined.members.items():
        if root in chunk:
            histories[root] = united([histories.get(one, ()) for one in all_], joined.codes[root])
    for member in members:
        if joined.root.get(member, member) != member:
            histories.pop(member, None)
    entries: dict[int, int] = {row[0]: row[1] for row in link.ask(_ENTRIES, members).rows()}
    heads = {row[0]: tuple(row[1:]) for row in link.ask(_LEDGERS, members).rows()}
    changes = _by_member(link.ask(_CHANGES, members).rows())
    checkpoints = _by_member(link.ask(_CHECKPOINTS, members).rows())
    attributes = _by_member(link.ask(_ATTRIBUTES, members).rows())
    granted, torn = granted_of(link, sorted(others.union(members)), joined)
    for member in members:
        code, history = chunk[member], histories.get(member, [])
        folded = folded_again(programme, history, granted.get(member, {}))
        head = (0, 0, "", "", None, "") if folded is None else (
            *folded.head, folded.tier, folded.boundary_at, folded.carry,
        )  # fmt: skip
        made = (entries.get(member, 0), *head)
        if heads.get(member) != made:
            found.note("ledger", code, heads.get(member), made)
            rows.add("ledger", member, programme.dealer_id, *made)
        told = [] if folded is None else [_change(one) for one in folded.changes]
        kept = set() if folded is None else {(*place, carry) for place, carry in folded.checkpoints}
        same = _same(found, "tier_change", code, [_plain(row) for row in changes.get(member, ())], told)
        same &= _same(found, "checkpoint", code, {tuple(row) for row in checkpoints.get(member, ())}, kept)
        if not same and ids is not None:
            rows.rewind(member, BEGINNING)
            for change in told:
                rows.add("tier_change", ids.take(), programme.dealer_id, member, *change)
            for at, class_, key, carry in sorted(kept):
                rows.add("checkpoint", member, at, programme.dealer_id, class_, key, carry)
        mine = Rows()
        attribute_rows(mine, programme, member, (), history)
        known = {(member, *row) for row in attributes.get(member, ())}
        if not _same(found, "attribute", code, known, set(mine.tables["attribute"])):
            rows.forgotten.append(member)
            rows.extend("attribute", mine.tables["attribute"])
        stands = {} if folded is None else folded.stands()
        for one in stands.values():
            found.pots.update({key: drawn(key, one.wanted) for key in one.budgets})
        for two in torn.get(member, ()):
            found.note("decision", [code, *two.what], two.found, two.expected)
        for pair in sorted(stands.keys() | granted.get(member, {}).keys()):
            before, after = granted.get(member, {}).get(pair), stands.get(pair)
            if before != after and (after is None or not after.stands_as(before)):
                found.note("decision", [code, *pair], before and before.wanted, after and after.wanted)


def _rebuild_pots(link: Link, programme: Programme, found: Differences, rows: Rows) -> None:
    """Compare what the budgets over several members gave with what stands of the grants that drew on them."""
    dealer = programme.dealer_id
    stored: dict[str, Row] = {row[0]: (dealer, *row) for row in link.ask(_POTS, dealer).rows()}
    made: dict[str, Row] = {key: (dealer, key, found.pots[key]) for key in stored.keys() | found.pots.keys()}
    for key in sorted(found.compare("budget_pot", stored, made)):
        rows.add("budget_pot", *made[key])


def _change(change: TierChanged) -> tuple[object, ...]:
    return (
        *change.step, change.tier, change.previous, change.since, change.until, change.state, change.cause,
        change.version_id, text(change.traits), text(change.basis),
    )  # fmt: skip


def _plain(row: Row) -> tuple[object, ...]:
    return (*row[:-2], text(doc(row[-2])), text(doc(row[-1])))


def _same(found: Differences, cache: str, code: str, stored: object, made: object) -> bool:
    if stored != made:
        found.note(cache, code, stored, made)
    return stored == made


def _by_member(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row[1:])
    return found


def _rebuild_machines(link: Link, programme: Programme, found: Differences, rows: Rows) -> None:
    said: dict[int, tuple[list[Contribution], list[Contribution]]] = {}
    for row in link.ask(_OF_KINDS, programme.dealer_id, sorted(MACHINE_KINDS)).rows():
        said.setdefault(row[0], ([], []))[1].append(contribution(row[1:]))
    mine = Rows()
    machine_rows(mine, link, programme, said)
    stored: dict[str, Row] = {
        row[1]: (*row[:7], bool(row[7]), row[8]) for row in link.ask(_MACHINES, programme.dealer_id).rows()
    }
    made: dict[str, Row] = {row[1]: tuple(row) for row in mine.tables["machine"]}
    for serial in found.compare("machine", stored, made):
        if serial in made:
            rows.add("machine", *made[serial])
        else:
            rows.unmade.append((programme.dealer_id, serial))


# ---- from the entries --------------------------------------------------------------------------------------------


def _rebuild_money(link: Link, programme: Programme, found: Differences, rows: Rows) -> None:
    dealer = programme.dealer_id
    for number, stored, should, dealer_id, member, wallet, kind, unit in link.ask(_ACCOUNTS, dealer).rows():
        found.note("account", number, stored, int(should))
        rows.add("account", number, dealer_id, member, wallet, kind, unit, int(should))
    for cache, sql in (("lot_state", _LOTS), ("hold_state", _HOLDS)):
        for number, stored, should, dealer_id, member in link.ask(sql, dealer).rows():
            found.note(cache, number, stored, int(should))
            rows.add(cache, number, dealer_id, member, int(should))
