"""The latest lines of a member's book, newest first, a page at a time; what lapsed and is not posted yet is first."""

from __future__ import annotations

from typing import Any, Final

from tierengine.ledger.entries import EntryDraft
from tierengine.membership.asker import Asker, when
from tierengine.membership.known import Known, read_member
from tierengine.policies.versions import Programme
from tierengine.store.dialect import Link

STATEMENT_MOST: Final = 200
_ENTRIES: Final = (
    "SELECT e.id, e.number, e.kind, e.wallet, e.event_key, e.rule, e.recorded_at FROM entry e "
    "WHERE e.member_id = ?1 AND e.number < ?2 ORDER BY e.number DESC LIMIT ?3"
)
_MOVES: Final = (
    "SELECT p.entry_id, a.kind, CASE WHEN a.id = p.destination_id THEN p.amount ELSE -p.amount END FROM posting p "
    "JOIN account a ON a.id IN (p.source_id, p.destination_id) AND a.member_id + 0 = ?1 WHERE p.entry_id IN (?2*)"
)


def statement(
    link: Link, programme: Programme, code: str, now: int, asker: Asker, *, before: int | None, limit: int
) -> dict[str, Any]:
    """Return statement lines, newest first, those before entry number `before`; call it inside a snapshot.

    The changes of `available` over all pages sum to the balance shown: what has lapsed and is not posted yet comes
    first, without a number.
    """
    known = read_member(link, programme, code, alone=True)
    limit = min(limit, STATEMENT_MOST)
    entries = link.ask(_ENTRIES, known.id, before if before is not None else 1 << 62, limit + 1).rows()
    more, entries = len(entries) > limit, entries[:limit]
    changes: dict[int, dict[str, int]] = {row[0]: {"available": 0, "held": 0, "debt": 0} for row in entries}
    for entry_id, kind, amount in link.ask(_MOVES, known.id, [row[0] for row in entries]).rows():
        changes[entry_id][kind] += amount
    lines = _unposted(known, asker, now) if before is None else []
    for number, place, kind, wallet, event_key, rule, recorded_at in entries:
        lines.append(
            {
                "number": place,
                "kind": kind,
                "wallet": wallet,
                "unit": programme.unit(wallet),
                **changes[number],
                "event": asker.key(event_key) if event_key else None,
                "rule": rule or None,
                "recorded_at": when(known, recorded_at),
            }
        )
    return {"member": known.code, "lines": lines, "next": entries[-1][1] if more else None}


def _unposted(known: Known, asker: Asker, now: int) -> list[dict[str, Any]]:
    """Return the lines of what has lapsed and is not posted yet, newest first."""
    book = known.book(now)
    by_ref = {lot.ref: lot for lot in book.lots}
    ended = {end.hold.key: end.hold for end in book.ended}
    lines = []
    at = now
    for entry in book.entries:
        lot = by_ref[entry.uses[0].ref] if entry.kind == "expire" else None
        if lot is not None and lot.expires_at is not None:
            at = lot.expires_at
        elif entry.kind == "void":
            at = ended[entry.cause].expires_at
        event_key = lot.event_key if lot is not None else entry.event_key
        lines.append(
            {
                "number": None,
                "kind": entry.kind,
                "wallet": entry.wallet,
                "unit": entry.unit,
                **_changes(entry),
                "event": asker.key(event_key) if event_key else None,
                "rule": (lot.rule if lot is not None else entry.rule) or None,
                "recorded_at": when(known, at),
            }
        )
    return lines[::-1]


def _changes(entry: EntryDraft) -> dict[str, int]:
    """Return what an entry does to the member's three accounts, as the statement's stored lines tell it."""
    found = {"available": 0, "held": 0, "debt": 0}
    for posting in entry.postings:
        for account, amount in ((posting.source, -posting.amount), (posting.destination, posting.amount)):
            if account in found:
                found[account] += amount
    return found
