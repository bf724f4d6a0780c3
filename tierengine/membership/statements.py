"""A member's statement of a period: what he had when it began, every change, what he had when it ended.

Every line stands where it took effect (ledger/effective.py): what lapsed stands at its moment, whether it has been
posted since or not. So the statement of a past period is the same whenever it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from tierengine.ledger.effective import told
from tierengine.ledger.entries import EntryDraft
from tierengine.membership.asker import Asker, when
from tierengine.membership.known import Known, read_member
from tierengine.policies.versions import Programme
from tierengine.store.dialect import Link

MOST: Final = 500
KINDS: Final = ("available", "held", "debt")
_FIRST: Final = date(1970, 1, 1)  # nothing is older
_BEFORE: Final = -(1 << 62)
_TOLD: Final = told("e.member_id = ?1")
# A debt is worth what went out less what came in.
_WORTH: Final = "CASE WHEN (a.id = p.destination_id) = (a.kind <> 'debt') THEN p.amount ELSE -p.amount END"
# From his entries to their postings to his accounts: the other way round all postings there are would be read. (`+ 0`:
# an account is looked up by its number, which tells it alone.)
_HIS: Final = "a.id IN (p.source_id, p.destination_id) AND a.member_id + 0 = ?1"
_SUMS: Final = f"""
    WITH told AS ({_TOLD}),
    sides AS (SELECT a.wallet, a.kind, t.at, t.number, {_WORTH} AS amount FROM told t
              JOIN posting p ON p.entry_id = t.id JOIN account a ON {_HIS})
    SELECT wallet, kind, SUM(CASE WHEN at < ?2 THEN amount ELSE 0 END), SUM(CASE WHEN at < ?3 THEN amount ELSE 0 END),
           SUM(CASE WHEN at < ?2 OR (at < ?3 AND number <= ?4) THEN amount ELSE 0 END)
    FROM sides GROUP BY wallet, kind ORDER BY wallet, kind
"""
_LINES: Final = f"""
    WITH told AS ({_TOLD}), page AS (SELECT * FROM told WHERE at >= ?2 AND at < ?3 AND number > ?4
                                     ORDER BY number LIMIT ?5)
    SELECT t.number, t.kind, t.wallet, t.event_key, t.rule, t.at, t.recorded_at, a.kind, SUM({_WORTH})
    FROM page t LEFT JOIN posting p ON p.entry_id = t.id LEFT JOIN account a ON {_HIS}
    GROUP BY t.number, t.kind, t.wallet, t.event_key, t.rule, t.at, t.recorded_at, a.kind ORDER BY t.number
"""


@dataclass(slots=True)
class _Sums:
    """What of one wallet stood when the period began, when it ended, and before the page's first line."""

    opening: dict[str, int]
    closing: dict[str, int]
    running: int


@dataclass(frozen=True, slots=True)
class Period:
    """Local days from `begin` (None: from the first) to `end`, as instants [first, last); the future is left out."""

    begin: date | None
    end: date
    first: int
    last: int
    now: int

    @classmethod
    def of(cls, programme: Programme, begin: date | None, end: date | None, now: int) -> Period:
        """Return the days from `begin` to `end` inclusive; `end` None: to now."""
        zone = programme.zone
        today = zone.local_date(now)
        until = end or today
        over = None if until >= today else zone.end_of(max(until, _FIRST))
        first = _BEFORE if begin is None or begin <= _FIRST else zone.start_of(min(begin, today + timedelta(days=1)))
        return cls(begin, until, first, now + 1 if over is None else over, now)


def statement(
    link: Link, programme: Programme, code: str, period: Period, asker: Asker, *, after: int = 0, limit: int = MOST
) -> dict[str, Any]:
    """Return a page of a member's statement, oldest line first, as JSON; call it inside a snapshot.

    after  the number of the last line of the page before; `next` is that of the page after, None: there is none
    """
    known = read_member(link, programme, code, alone=True)
    first, last = period.first, period.last
    limit = max(1, min(limit, MOST))
    waiting = _unposted(known, period.now)
    sums = _sums(link, known, period, waiting, after)
    found: dict[int, dict[str, Any]] = {}
    for number, kind, wallet, event_key, rule, at, recorded_at, account, amount in link.ask(
        _LINES, known.id, first, last, after, limit + 1
    ).rows():
        if number not in found:
            what = (number, kind, wallet, rule, at)
            found[number] = _line(known, what, asker.key(event_key) if event_key else None, when(known, recorded_at))
        if account is not None:  # what takes back a grant that had lapsed moves nothing of his
            found[number][account] = int(amount)
    lines = list(found.values())[:limit]
    more = len(found) > limit
    if not more:
        for at, entry in waiting:
            if first <= at < last:
                what = (None, entry.kind, entry.wallet, entry.rule, at)
                event = asker.key(entry.event_key) if entry.event_key else None
                lines.append(_line(known, what, event, None) | _changes(entry))
    for line in lines:
        stood = sums.setdefault(line["wallet"], _Sums(dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0), 0))
        stood.running += line["available"]
        line["balance"] = stood.running
    return {
        "member": known.code,
        "from": None if period.begin is None else period.begin.isoformat(),
        "to": period.end.isoformat(),
        "wallets": [
            {"wallet": wallet, "unit": programme.unit(wallet), "opening": one.opening, "closing": one.closing}
            for wallet, one in sums.items()
        ],
        "lines": lines,
        "next": lines[-1]["number"] if more else None,
    }


def _sums(
    link: Link, known: Known, period: Period, waiting: Sequence[tuple[int, EntryDraft]], after: int
) -> dict[str, _Sums]:
    sums: dict[str, _Sums] = {}
    for wallet, kind, opening, closing, running in link.ask(_SUMS, known.id, period.first, period.last, after).rows():
        one = sums.setdefault(wallet, _Sums(dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0), 0))
        one.opening[kind], one.closing[kind] = int(opening), int(closing)
        if kind == "available":
            one.running = int(running)
    for at, entry in waiting:
        one = sums[entry.wallet]
        for kind, change in _changes(entry).items():
            one.closing[kind] += change if at < period.last else 0
            one.opening[kind] += change if at < period.first else 0
        one.running += _changes(entry)["available"] if at < period.first else 0
    return sums


def _unposted(known: Known, now: int) -> list[tuple[int, EntryDraft]]:
    """Return what the next transaction will post before anything else, each with the instant of its effect."""
    book = known.book(now)
    ends = {lot.ref: lot.expires_at for lot in book.lots}
    held = {end.hold.key: end.hold.expires_at for end in book.ended}
    found: list[tuple[int, EntryDraft]] = []
    at = 0
    for entry in book.entries:
        own = ends[entry.uses[0].ref] if entry.kind == "expire" else held.get(entry.cause, at)
        at = max(at, own or at)
        found.append((at, entry))
    return found


def _changes(entry: EntryDraft) -> dict[str, int]:
    """Return what an entry does to what is available, held and owed."""
    found = dict.fromkeys(KINDS, 0)
    for posting in entry.postings:
        for account, amount in ((posting.source, -posting.amount), (posting.destination, posting.amount)):
            if account in found:
                found[account] += -amount if account == "debt" else amount
    return found


def _line(
    known: Known, what: tuple[int | None, str, str, str, int | None], event: str | None, recorded_at: str | None
) -> dict[str, Any]:
    number, kind, wallet, rule, at = what
    return {
        "number": number,
        "at": when(known, at),
        "kind": kind,
        "wallet": wallet,
        "unit": known.programme.unit(wallet),
        **dict.fromkeys(KINDS, 0),
        "event": event,
        "rule": rule or None,
        "recorded_at": recorded_at,
    }
