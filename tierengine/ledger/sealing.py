"""Sealing: what is unsealed becomes links of its dealer's chain, in pieces short enough that nobody waits for them.

A row is listed in `unsealed` by the transaction that wrote it, so one that commits late is listed late and sealed late,
never skipped. Whoever seals holds one lock; the list shrinks and the chain grows in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tierengine.ledger.chain import GENESIS, GONE, link_hash
from tierengine.ledger.sealed import Ref, digests_of, read_refs, write_refs
from tierengine.store.dialect import Link
from tierengine.store.rows import Row, Table

ROWS_A_SEAL: Final = 64
PIECE: Final = 2_000
_NUMBER: Final = 7_445_022  # of the lock on PostgreSQL; arbitrary and ours
_LISTS: Final = 512

_SEALS: Final = Table("seal")
_LOCK: Final = f"SELECT pg_try_advisory_xact_lock({_NUMBER})"
_LOCK_WAITING: Final = f"SELECT pg_advisory_xact_lock({_NUMBER})"
_WAITING: Final = "SELECT id, dealer_id, refs FROM unsealed ORDER BY id LIMIT ?1"
_SEALED: Final = "DELETE FROM unsealed WHERE id IN (?1*)"
_LAST: Final = "SELECT number, hash FROM seal WHERE dealer_id = ?1 ORDER BY number DESC LIMIT 1"


def seal(link: Link, now: int, *, wait: bool = False, most: int = PIECE) -> int | None:
    """Seal at least one and about `most` rows in the caller's transaction; return how many, 0 when none is left.

    None: another process is sealing, and `wait` did not ask to wait for it. `now` in microseconds UTC.
    """
    if link.kind == "postgresql" and not _locked(link, wait=wait):
        return None
    taken: list[int] = []
    by_dealer: dict[int, list[tuple[str, Ref]]] = {}
    count = 0
    for number, dealer_id, text in link.ask(_WAITING, _LISTS).rows():
        if count >= most:
            break
        refs = read_refs(text)
        taken.append(number)
        by_dealer.setdefault(dealer_id, []).extend(refs)
        count += len(refs)
    if not taken:
        return 0
    rows = [row for dealer_id, refs in sorted(by_dealer.items()) for row in _links(link, dealer_id, refs, now)]
    with link.pipeline():
        link.write(_SEALS, rows)
        link.run(_SEALED, taken)
    return count


def _locked(link: Link, *, wait: bool) -> bool:
    if wait:
        link.ask(_LOCK_WAITING).rows()
        return True
    return bool(link.ask(_LOCK).rows()[0][0])


def _links(link: Link, dealer_id: int, refs: Sequence[tuple[str, Ref]], now: int) -> Iterator[Row]:
    last = link.ask(_LAST, dealer_id).rows()
    number, before = last[0] if last else (0, GENESIS)
    found = digests_of(link, dealer_id, refs)
    for first in range(0, len(refs), ROWS_A_SEAL):
        # (Written and read again, for the digests stand in the order of the text.)
        text = write_refs(refs[first : first + ROWS_A_SEAL])
        digests = b"".join(found.get(ref, GONE) for ref in read_refs(text))
        number += 1
        before = link_hash(before, dealer_id, number, now, text, digests)
        yield (dealer_id, number, now, text, digests, before)
