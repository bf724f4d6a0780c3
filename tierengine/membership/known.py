"""One member as one snapshot shows him: his history, his lots and his accounts, read in one statement.

Reads go by the member's indexes only, so that they cost the same however many members there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import attrgetter
from typing import Final

from tierengine.errors import Unknown
from tierengine.judging.facts_sql import read_contributions
from tierengine.judging.history import Contribution, Position, Step
from tierengine.judging.long_histories import LongFacts
from tierengine.judging.merging import united
from tierengine.judging.netting import net, steps
from tierengine.ledger.book import MemberBook
from tierengine.ledger.entries import Balance
from tierengine.ledger.holds import tie
from tierengine.ledger.lots import Lot, first_out
from tierengine.membership.facts import GrowingFacts, Source
from tierengine.policies.versions import Programme
from tierengine.recording.stored import contribution
from tierengine.store.dialect import Link, doc
from tierengine.store.rows import Row

WHOLE: Final = 400  # so many contributions are read at once rather than asked of the database
_COLUMNS: Final = "kind, line, at, known_at, known_class, known_key, cause, qty, amount"
# All that is nearly always enough to know a member, in one statement: one round trip, and a snapshot by itself. Lists
# come as JSON, for the two databases by functions of other names.
_MEMBER: Final = (
    "SELECT m.id, m.code, m.form, l.joined_id, l.head_at, l.head_class, l.head_key, l.boundary_at, l.carry, "
    "{rows}, {lots}, "
    "(SELECT {agg}({array}(a.wallet, a.kind, a.balance)) FROM account a "
    "WHERE a.dealer_id = m.dealer_id AND a.member_id = m.id) "
    "FROM member m JOIN ledger l ON l.member_id = m.id WHERE m.dealer_id = ?1 AND m.code = ?2"
)
_ROWS: Final = (
    f"(SELECT {{agg}}({{array}}({_COLUMNS}, {{doc}})) FROM (SELECT * FROM contribution WHERE member_id = m.id "
    f"ORDER BY known_at, known_class, known_key, id LIMIT {WHOLE + 1}) AS c)"
)
_SAYS: Final = {
    "sqlite": {"agg": "json_group_array", "array": "json_array", "doc": "json(fields)"},
    "postgresql": {"agg": "json_agg", "array": "json_build_array", "doc": "fields"},
}
_LOT: Final = "x.id, x.wallet, x.event_key, x.rule, x.amount, s.remaining, x.usable_from, x.expires_at, e.number"
_OPEN: Final = "lot_state s JOIN lot x ON x.id = s.lot_id"
_EACH: Final = (
    f"(SELECT {{agg}}({{array}}({_LOT})) FROM {_OPEN} JOIN entry e ON e.id = x.entry_id "
    "WHERE s.member_id = m.id AND s.remaining > 0)"
)
# There may be thousands, and a quote only asks what may be spent as of now (?3) of each wallet.
_USABLE: Final = (
    "(SELECT {agg}({array}(wallet, usable)) FROM (SELECT x.wallet, CAST(SUM(CASE WHEN x.usable_from <= ?3 "
    f"AND (x.expires_at IS NULL OR x.expires_at > ?3) THEN s.remaining ELSE 0 END) AS BIGINT) AS usable FROM {_OPEN} "
    "WHERE s.member_id = m.id AND s.remaining > 0 GROUP BY x.wallet) AS sums)"
)


def _statements(kind: str) -> dict[tuple[bool, bool], str]:
    """Return the statement for whom it is (not) known that his history is long, lot by lot or by sums."""
    words = _SAYS[kind]
    # (Of whom it is known that his history is long, and kept, it is not read.)
    return {
        (long, summed): _MEMBER.format(
            rows="NULL" if long else _ROWS.format(**words), lots=(_USABLE if summed else _EACH).format(**words), **words
        )
        for long in (False, True)
        for summed in (False, True)
    }


_MEMBER_OF: Final = {kind: _statements(kind) for kind in _SAYS}
_LOTS: Final = (
    f"SELECT {_LOT} FROM {_OPEN} JOIN entry e ON e.id = x.entry_id WHERE s.member_id = ?1 AND s.remaining > 0"
)
_JOINED: Final = (
    "SELECT l.member_id, m.code FROM ledger l JOIN member m ON m.id = l.member_id WHERE l.joined_id = ?1 "
    "ORDER BY l.member_id <> ?1, l.member_id"
)
# Asked only of who has something held; hardly anybody has.
_HOLDS: Final = (
    "SELECT h.member_id, h.id, h.key, h.wallet, h.cluster, h.amount, h.expires_at, t.remaining, y.lot_id, y.amount "
    "FROM hold_state t JOIN hold h ON h.id = t.hold_id JOIN hold_lot y ON y.hold_id = h.id "
    "WHERE t.member_id = ?1 AND t.remaining > 0 ORDER BY h.id, y.place"
)
_SOME: Final = (
    "SELECT kind, line, at, known_at, known_class, known_key, cause, qty, amount, fields FROM contribution "
    "WHERE member_id IN (?1*) AND kind IN (?2*) ORDER BY known_at, known_class, known_key, id"
)
_COUNT: Final = "SELECT count(*) FROM contribution WHERE member_id = ?1"
_LATEST: Final = (
    "SELECT kind, line, at, known_at, known_class, known_key, cause, qty, amount, fields FROM contribution "
    "WHERE member_id = ?1 AND known_at >= ?2 ORDER BY known_at, known_class, known_key, id"
)
_AT_HEAD: Final = (
    "SELECT kind, line, at, known_at, known_class, known_key, cause, qty, amount, fields FROM contribution "
    "WHERE member_id = ?1 AND known_at = ?2 ORDER BY known_at, known_class, known_key, id"
)


@dataclass
class Known:
    """A member as one snapshot shows him. `rows` None: too many to read at once; `holds`: what `tie` takes.

    whole   his lots, where they were read; else `sums` tells what he may spend of each wallet at the instant `at`

    Of merged members it is who stands for them, with the history and the money of all: `merged` has id and code of
    each, his own first; `asked` is the code by which he was asked for.
    """

    link: Link
    programme: Programme
    id: int
    code: str
    form: str
    head: Position
    boundary_at: int | None
    carry: str
    rows: tuple[Contribution, ...] | None
    whole: tuple[Lot, ...] | None
    accounts: Mapping[tuple[str, str], int]
    holds: tuple[Row, ...] = ()
    sums: Mapping[str, int] = field(default_factory=dict)
    at: int | None = None
    merged: tuple[tuple[int, str], ...] = ()
    asked: str = ""

    @cached_property
    def lots(self) -> tuple[Lot, ...]:
        """All that is left of his lots, first what is spent first."""
        rows = (Lot(*row) for row in self.link.ask(_LOTS, self.id).rows()) if self.whole is None else self.whole
        return tuple(sorted(rows, key=first_out))

    @property
    def ids(self) -> tuple[int, ...]:
        """Return the ids of all who are one with him, his own first."""
        return tuple(number for number, _ in self.merged) or (self.id,)

    def joined(self) -> dict[str, object]:
        """Return what is said of him besides where he is merged with others: into whom, or who with him."""
        if self.asked not in ("", self.code):
            return {"merged_into": self.code}
        return {"merged": [code for _, code in self.merged[1:]]} if self.merged else {}

    @property
    def at_once(self) -> bool:
        """Whether one statement told everything; else what was read is of one moment only inside a snapshot."""
        return (
            self.rows is not None
            and not self.merged
            and not any(self.accounts[one] for one in self.accounts if one[1] == "held")
        )

    def source(self) -> Source:
        """Return his facts, to be asked at positions that never go back."""
        if self.rows is None:
            count = self.link.ask(_COUNT, self.id).rows()[0][0]
            return LongFacts(self.programme.long, self.programme.zone, self.code, count, self._since)
        return GrowingFacts(self.programme.zone, self.rows)

    def _since(self, instant: int | None) -> list[Contribution]:
        """Return his contributions that became known at the instant or later, retracted ones too."""
        if instant is None:
            return read_contributions(self.link.cursor(), [self.id])[self.id]
        return list(map(contribution, self.link.ask(_LATEST, self.id, instant).rows()))

    def unmoved(self, position: Position) -> bool:
        """Whether nothing, not even time, can have moved his carry since the last event."""
        start = self.programme.regimes.next_start(self.head[0])
        points = [point for point in (start, self.boundary_at) if point is not None]
        moved = any(point <= position[0] for point in points) or self.missed
        return bool(self.carry) and self.head <= position and not moved

    @cached_property
    def missed(self) -> bool:
        """Whether his history went past a version start without being judged by that version."""
        return self.programme.regimes.missed(self.carry, self.head) is not None

    @cached_property
    def history(self) -> Sequence[Contribution]:
        """All his contributions that stand, in order of `known`."""
        if self.rows is not None:
            return net(self.rows)
        return net(read_contributions(self.link.cursor(), [self.id])[self.id])

    def of_kinds(self, kinds: frozenset[str]) -> Sequence[Contribution]:
        """Return his contributions of these kinds that stand, in order of `known`."""
        if self.rows is not None:
            return net(row for row in self.rows if row.kind in kinds)
        return contributions_of(self.link, self.ids, kinds)

    def last_step(self) -> Step | None:
        """Return the last event of his history with what it made known; None: nothing happened yet."""
        rows: Iterable[Contribution]
        if self.rows is not None:
            rows = (row for row in self.rows if row.known == self.head)
        else:
            rows = map(contribution, self.link.ask(_AT_HEAD, self.id, self.head[0]).rows())
        return next((step for step in steps(rows) if step.position == self.head), None)

    def book(self, now: int) -> MemberBook:
        """Return his money as of now: as the next transaction will post it before anything else, and nothing posted."""
        book = MemberBook(lots=sorted((replace(lot) for lot in self.lots), key=lambda lot: lot.order))
        for (wallet, kind), amount in self.accounts.items():
            setattr(book.balances.setdefault(wallet, Balance(self.programme.unit(wallet))), kind, amount)
        tie(book, self.holds)
        book.settle(now)
        return book

    def usable(self, now: int, order: str = "") -> dict[str, int]:
        """Return what he may spend now, by wallet; for an order also what holds tie up for it."""
        if self.holds:
            book = self.book(now)
            return {name: book.usable(name, now) + book.held(name, order) for name in book.balances}
        if now == self.at:
            return dict(self.sums)
        found: dict[str, int] = {}
        for lot in self.lots:
            ends = lot.expires_at
            free = lot.remaining - lot.held if lot.usable_from <= now and (ends is None or ends > now) else 0
            found[lot.wallet] = found.get(lot.wallet, 0) + free
        return found


def read_member(link: Link, programme: Programme, code: str, at: int | None = None, *, alone: bool = False) -> Known:
    """Read a member in one statement, or two when something of his is held. Unknown when there is none of this code.

    Who is merged into another is read as that one, with all that is theirs; `alone`: only what is booked under him.

    at  the instant of which it will be asked what he may spend: his lots are summed, not read

    What is asked afterwards, of a long history, of holds or lots, is of the same moment only inside a snapshot.
    """
    long, summed = code in programme.long, at is not None
    asked = (programme.dealer_id, code, at) if summed else (programme.dealer_id, code)
    found = link.ask(_MEMBER_OF[link.kind][long, summed], *asked).rows()
    if not found:
        raise Unknown("unknown_member", member=code)
    number, code, form, joined_id, *head, boundary_at, carry, rows, lots, accounts = found[0]
    if joined_id is not None and not alone:
        return _united(link, programme, code, joined_id)
    rows, lots, accounts = (doc(one) or [] for one in (rows, lots, accounts))
    held = any(kind == "held" and balance for _, kind, balance in accounts)
    few = not long and len(rows) <= WHOLE
    whole = sorted(map(contribution, rows), key=attrgetter("known")) if few else None
    return Known(
        link,
        programme,
        number,
        code,
        form,
        (head[0], head[1], head[2]),
        boundary_at,
        carry,
        None if whole is None else tuple(whole),
        None if summed else tuple(Lot(*row) for row in lots),
        {(wallet, kind): balance for wallet, kind, balance in accounts},
        tuple(link.ask(_HOLDS, number).rows()) if held else (),
        dict(lots) if summed else {},
        at,
    )


def _united(link: Link, programme: Programme, asked: str, root: int) -> Known:
    """Read all who are one with a member as the one who stands for them; call it inside a snapshot."""
    merged = tuple((row[0], row[1]) for row in link.ask(_JOINED, root).rows())
    each = [read_member(link, programme, code, alone=True) for _, code in merged]
    histories = read_contributions(link.cursor(), [number for number, _ in merged])
    accounts: dict[tuple[str, str], int] = {}
    for one in each:
        for account, balance in one.accounts.items():
            accounts[account] = accounts.get(account, 0) + balance
    return replace(
        each[0],
        rows=tuple(united([histories[number] for number, _ in merged], frozenset(code for _, code in merged))),
        whole=tuple(lot for one in each for lot in one.lots),
        accounts=accounts,
        holds=tuple(row for one in each for row in one.holds),
        merged=merged,
        asked=asked,
    )


def contributions_of(link: Link, members: Sequence[int], kinds: Iterable[str]) -> Sequence[Contribution]:
    """Return what members contributed of these kinds and stands, in order of `known`."""
    return net(map(contribution, link.ask(_SOME, list(members), sorted(kinds)).rows()))
