"""Whether every invariant of the ledger holds: those that queries ask (invariants), and the chain of seals.

Read only. On a large book it takes no more than two to three times what it takes to read its rows once: each pass over
the large tables answers for all the invariants that it can, and the chain is walked beside the queries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Final

from tierengine.ledger.chain import Fault, Wrong, check, check_anchors
from tierengine.ledger.invariants import INVARIANTS, Invariant
from tierengine.store.dialect import Link, either
from tierengine.store.rows import Row

SAMPLES: Final = 5
MEMORY: Final = 64 * 1024  # kB


@dataclass(frozen=True, slots=True)
class Broken:
    """An invariant that does not hold: how often, and its first rows (member id, found, expected)."""

    invariant: Invariant
    count: int
    rows: tuple[tuple[object, ...], ...]


# What is found by walking the chains (chain.py) and not by a query.
_SENTENCES: Final[Mapping[Wrong, tuple[str, str]]] = {
    "row_changed": ("每一行与封存时相同", "every row is as it was sealed"),
    "row_removed": ("封存过的行都在", "every sealed row is there"),
    "row_unsealed": ("每一行都已封存或等待封存", "every row is sealed or listed to be"),
    "seal_broken": ("每一封的散列与内容、前一封相符", "every seal's hash follows from its rows and the seal before"),
    "seal_missing": ("封的编号连续", "the seals are numbered without a gap"),
    "anchor_differs": ("链与外存的链头相符", "the chains pass through the anchors kept outside"),
}
CHAIN: Final = {wrong: Invariant(12, wrong, *sentences, "") for wrong, sentences in _SENTENCES.items()}


def verify(link: Link, anchors: Iterable[str] = (), beside: Link | None = None) -> tuple[Broken, ...]:
    """Run every invariant; return those that do not hold, in order. Call it inside a snapshot.

    anchors  lines of an anchor file; BadAnchor for one that is none
    beside   another connection inside a snapshot, on which the chains are walked at the same time: the queries are the
             database's work, the hashing is ours. (A chain needs no moment in common with the queries.)
    """
    if beside is None:
        return (*_queried(link), *broken_chains(chain(check(link), check_anchors(link, anchors))))
    with ThreadPoolExecutor(1, "tierengine-chain") as other:
        walked = other.submit(lambda: broken_chains(chain(check(beside), check_anchors(beside, anchors))))
        return (*_queried(link), *walked.result())


def _queried(link: Link) -> list[Broken]:
    # Sorting and grouping a million rows in the usual few MB goes by way of files. (On PostgreSQL this ends with the
    # transaction, on SQLite with the connection.)
    link.run(either(f"PRAGMA cache_size = -{MEMORY}", f"SET LOCAL work_mem = {MEMORY}"))
    by_query: dict[str, list[Invariant]] = {}
    for invariant in INVARIANTS:
        by_query.setdefault(invariant.sql, []).append(invariant)
    rows: dict[str, list[Row]] = {}
    for sql, asked in by_query.items():
        for row in link.ask(sql).rows():
            code, shown = (asked[0].code, row) if len(asked) == 1 else (row[0], row[1:])
            rows.setdefault(code, []).append(shown)
    return [Broken(one, len(rows[one.code]), tuple(rows[one.code][:SAMPLES])) for one in INVARIANTS if one.code in rows]


def broken_chains(faults: Iterable[Fault]) -> tuple[Broken, ...]:
    """Return the faults as broken invariants: (dealer id, seal number, table, row's key), the first ones first."""
    counts: Counter[Wrong] = Counter()
    samples: dict[Wrong, list[tuple[object, ...]]] = {}
    for fault in faults:
        counts[fault.wrong] += 1
        if counts[fault.wrong] <= SAMPLES:
            samples.setdefault(fault.wrong, []).append(fault.row())
    return tuple(Broken(CHAIN[wrong], counts[wrong], tuple(samples[wrong])) for wrong in CHAIN if wrong in counts)
