"""The hash chain of each dealer: what a seal is a hash of, and whether every row still is as it was sealed.

What stands for a row is its digest (sealed.py). A seal's hash is SHA-256 over the RFC 8785 array [hash before, dealer,
number, sealed at, refs, digests in hexadecimal]; the first one's hash before is "". So the chain is the same on both
databases. A seal covers up to 64 rows of whichever tables: one seal a row would have cost as much again as what it
seals.

Who can write to every table can build a whole new chain. That is what anchors are for: a dealer's newest number and
hash, kept where he cannot write (`tierengine seal --anchor FILE`, `verify --anchor FILE`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import lt
from typing import Final, Literal

import orjson

from tierengine.ledger.sealed import Listed, Ref, digests_by_table, read_listed, sealed_tables
from tierengine.store.dialect import Link, binary
from tierengine.store.rows import Row

Wrong = Literal["row_changed", "row_removed", "row_unsealed", "seal_broken", "seal_missing", "anchor_differs"]

GENESIS: Final = ""
DIGEST: Final = 32
GONE: Final = bytes(DIGEST)  # stands for a row that was gone before it could be sealed
TAIL: Final = 1_000  # seals checked when a service starts
_WINDOW: Final = 400  # seals looked at together
_LATEST: Final = 1 << 57  # neither a seal's number nor its time, in microseconds, is so large

_HEADS: Final = (
    "SELECT s.dealer_id, d.code, s.number, s.hash, s.sealed_at FROM dealer d JOIN seal s ON s.dealer_id = d.id "
    "AND s.number = (SELECT max(number) FROM seal WHERE dealer_id = d.id) ORDER BY d.code"
)
_SEALS: Final = (
    "SELECT number, sealed_at, refs, digests, hash FROM seal WHERE dealer_id = ?1 AND number > ?2 "
    "ORDER BY number LIMIT ?3"
)
_HASH: Final = "SELECT hash FROM seal WHERE dealer_id = ?1 AND number = ?2"
_ALL_REFS: Final = "SELECT refs FROM seal WHERE dealer_id = ?1"
_UNSEALED: Final = "SELECT refs FROM unsealed WHERE dealer_id = ?1"
_DEALERS: Final = "SELECT id FROM dealer ORDER BY id"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of one dealer's chain. `sealed_at` in microseconds UTC."""

    dealer_id: int
    dealer: str
    number: int
    hash: str
    sealed_at: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a chain does not hold: what is wrong, with which seal (0: none covers it), and the row if it is one."""

    wrong: Wrong
    dealer_id: int
    number: int
    table: str = ""
    ref: Ref | None = None

    def row(self) -> tuple[object, ...]:
        """Return (dealer id, seal number, table, row's key), as `verify` shows it."""
        return (self.dealer_id, self.number, self.table, list(self.ref) if isinstance(self.ref, tuple) else self.ref)


def link_hash(before: str, dealer_id: int, number: int, sealed_at: int, refs: str, digests: bytes) -> str:
    """Return the hash of a seal, in hexadecimal."""
    content = orjson.dumps([before, dealer_id, number, sealed_at, refs, digests.hex()])
    return hashlib.sha256(content).hexdigest()


def heads(link: Link) -> list[Head]:
    """Return the end of every dealer's chain."""
    return [Head(*row) for row in link.ask(_HEADS).rows()]


# ---- checking ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Walk:
    """One pass along a dealer's chain."""

    link: Link
    dealer_id: int
    number: int  # the last seal that was looked at
    before: str
    there: Counter[str] = field(default_factory=Counter)  # table → sealed rows found

    def faults(self) -> Iterator[Fault]:
        while seals := self.link.ask(_SEALS, self.dealer_id, self.number, _WINDOW).rows():
            listed = [_listed_or_none(seal[2]) for seal in seals]
            digests = [binary(seal[3]) for seal in seals]
            wanted: Listed = {}
            sealed: dict[str, list[bytes]] = {}
            for one, raw in zip(listed, digests, strict=True):
                place = 0
                for table, refs in (one or {}).items():
                    wanted.setdefault(table, []).extend(refs)
                    end = place + DIGEST * len(refs)
                    sealed.setdefault(table, []).append(raw[place:end])
                    place = end
            # Nearly always all rows of a table are as they were sealed, in the order of their keys: compared at once.
            same = {one for one, refs in wanted.items() if _joined(self.link, one, refs) == b"".join(sealed[one])}
            found: dict[str, Mapping[Ref, bytes] | None] = dict.fromkeys(same)
            others = {one: refs for one, refs in wanted.items() if one not in same}
            found |= digests_by_table(self.link, self.dealer_id, others)
            for seal, refs_of, raw in zip(seals, listed, digests, strict=True):
                yield from self._look(seal, refs_of, raw, found)

    def _look(
        self, seal: Row, listed: Listed | None, digests: bytes, found: Mapping[str, Mapping[Ref, bytes] | None]
    ) -> Iterator[Fault]:
        """Look at one seal; `found` has None for tables whose rows are known to be as they were sealed."""
        number, sealed_at, text, _, stored = seal
        if number != self.number + 1:
            yield Fault("seal_missing", self.dealer_id, self.number + 1)
            # Of the first that is left it cannot be said what it followed, only that this is not here.
        broken = stored != link_hash(self.before, self.dealer_id, number, sealed_at, text, digests)
        if broken and number == self.number + 1:
            yield Fault("seal_broken", self.dealer_id, number)
        self.number, self.before = number, stored
        if listed is None or len(digests) != DIGEST * sum(map(len, listed.values())):
            if not broken:
                yield Fault("seal_broken", self.dealer_id, number)
            return
        place = 0
        for table, refs in listed.items():
            end = place + DIGEST * len(refs)
            rows = found.get(table, {})
            now = [] if rows is None else [rows.get(ref) for ref in refs]
            if rows is None or (None not in now and b"".join(now) == digests[place:end]):  # type: ignore[arg-type]
                self.there[table] += len(refs)
            else:
                yield from self._differing(number, table, refs, now, digests[place:end])
            place = end

    def _differing(
        self, number: int, table: str, refs: Sequence[Ref], now: Sequence[bytes | None], digests: bytes
    ) -> Iterator[Fault]:
        for place, (ref, digest) in enumerate(zip(refs, now, strict=True)):
            if digest is None:
                yield Fault("row_removed", self.dealer_id, number, table, ref)
                continue
            self.there[table] += 1
            if digest != digests[DIGEST * place : DIGEST * (place + 1)]:
                yield Fault("row_changed", self.dealer_id, number, table, ref)


def _joined(link: Link, table: str, refs: Sequence[Ref]) -> bytes | None:
    """Return the digests of these rows in one piece, where their keys rise; None: they are looked at one by one."""
    known = sealed_tables().get(table)
    if known is None or not refs or not all(map(lt, refs, refs[1:])):
        return None
    return known.joined(link, refs)


def _listed_or_none(text: str) -> Listed | None:
    """Return what a seal lists, or None where that is no list of rows."""
    known = sealed_tables()
    try:
        listed = read_listed(text)
        fits = all(table not in known or known[table].may_name(refs) for table, refs in listed.items())
    except (ValueError, AttributeError, TypeError):
        return None
    return listed if fits else None


def check(link: Link) -> Iterator[Fault]:
    """Walk every dealer's whole chain, and find what no seal covers; call it inside a snapshot."""
    for (dealer_id,) in link.ask(_DEALERS).rows():
        walk = _Walk(link, dealer_id, 0, GENESIS)
        yield from walk.faults()
        yield from _uncovered(link, dealer_id, walk.there)


def check_tail(link: Link, seals: int = TAIL) -> Iterator[Fault]:
    """Check the last `seals` of every dealer's chain; what is older is for `check`, nightly."""
    for head in heads(link):
        start = max(head.number - seals, 0)
        before = link.ask(_HASH, head.dealer_id, start).rows()
        if start and not before:
            yield Fault("seal_missing", head.dealer_id, start)
        yield from _Walk(link, head.dealer_id, start, before[0][0] if before else GENESIS).faults()


def _uncovered(link: Link, dealer_id: int, there: Counter[str]) -> Iterator[Fault]:
    """Find rows that stand in no seal and do not wait for one: put in past everything that lists them."""
    waiting: dict[str, set[Ref]] = {}
    for (text,) in link.ask(_UNSEALED, dealer_id).rows():
        for table, refs in read_listed(text).items():
            waiting.setdefault(table, set()).update(refs)
    for name, known in sealed_tables().items():
        mine = waiting.get(name, set())
        if link.ask(known.count, dealer_id).rows()[0][0] == there[name] + len(mine):
            continue
        covered = set(mine)
        for (text,) in link.ask(_ALL_REFS, dealer_id).rows():
            covered.update((_listed_or_none(text) or {}).get(name, ()))
        for row in link.ask(known.keys, dealer_id).rows():
            ref = row[0] if len(row) == 1 else tuple(row)
            if ref not in covered:
                yield Fault("row_unsealed", dealer_id, 0, name, ref)


# ---- anchors -----------------------------------------------------------------------------------------------------


class BadAnchor(ValueError):
    """A line of an anchor file is none; `line` counts from 1."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(f"line {line} is no anchor: expected {{dealer, number, hash, sealed_at}}")


def anchor_line(head: Head) -> str:
    """Return a head as one line of an anchor file (JSON Lines)."""
    plain = {"dealer": head.dealer, "number": head.number, "hash": head.hash, "sealed_at": head.sealed_at}
    return orjson.dumps(plain).decode()


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head as it was kept outside. `sealed_at` in microseconds UTC; None: its line does not say."""

    dealer: str
    number: int
    hash: str
    sealed_at: int | None


def read_anchors(lines: Iterable[str]) -> Iterator[Anchor]:
    """Return the anchors of a file; BadAnchor for a line that is none."""
    for place, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            said = orjson.loads(line)
            dealer, number, hash_, at = (
                str(said["dealer"]),
                int(said["number"]),
                str(said["hash"]),
                said.get("sealed_at"),
            )
        except (ValueError, KeyError, TypeError) as problem:
            raise BadAnchor(place) from problem
        if not 0 <= number < _LATEST:
            raise BadAnchor(place)
        yield Anchor(dealer, number, hash_, at if isinstance(at, int) and 0 <= at < _LATEST else None)


def stands(link: Link, dealer_id: int, anchor: Anchor) -> bool:
    """Return whether a dealer's chain passes through an anchor."""
    return link.ask(_HASH, dealer_id, anchor.number).rows() == [(anchor.hash,)]


def check_anchors(link: Link, lines: Iterable[str]) -> Iterator[Fault]:
    """Compare the seals with anchors kept outside; what was cut off or rewritten since then differs."""
    dealers = {code: number for number, code in link.ask("SELECT id, code FROM dealer").rows()}
    for anchor in read_anchors(lines):
        dealer_id = dealers.get(anchor.dealer, 0)
        if not stands(link, dealer_id, anchor):
            yield Fault("anchor_differs", dealer_id, anchor.number, anchor.dealer)
