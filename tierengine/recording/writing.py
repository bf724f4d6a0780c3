"""What one transaction writes: rows collected by table, sent with one statement a table, in one round trip.

The order of the tables is that of their references, which both databases check at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from tierengine.judging.history import Position
from tierengine.personal import records
from tierengine.personal.texts import Texts
from tierengine.store.dialect import Link
from tierengine.store.rows import Row, Table

TABLES: Final = {
    table.name: table
    for table in (
        Table("event"),
        Table("event_conflict"),
        Table("parked", ("event_id",)),
        Table("contribution"),
        Table("decision"),
        Table("emission"),
        Table("tier_change"),
        Table("checkpoint", ("member_id", "at")),
        Table("account", ("id",)),
        Table("entry"),
        Table("posting"),
        Table("lot"),
        Table("lot_use"),
        Table("lot_state", ("lot_id",)),
        Table("command"),
        Table("hold"),
        Table("hold_lot"),
        Table("hold_end"),
        Table("hold_state", ("hold_id",)),
        Table("attribute", ("member_id", "name")),
        Table("machine", ("dealer_id", "serial")),
        Table("budget_pot", ("dealer_id", "key")),
        Table("ledger", ("member_id",), made=("joined_id",)),
        Table("idempotency"),
        Table("audit"),
        records.ROWS,
    )
}

_DELETE_CHANGES: Final = 'DELETE FROM tier_change WHERE member_id = ?1 AND (at, "class", key) > (?2, ?3, ?4)'
# The one at the start too: what came late may stand in its month, and then it is no longer the end of one. Where it
# still is, the fold keeps it again.
_DELETE_CHECKPOINTS: Final = (
    "DELETE FROM checkpoint WHERE member_id = ?1 AND (at, head_class, head_key) >= (?2, ?3, ?4)"
)
_DELETE_PARKED: Final = "DELETE FROM parked WHERE event_id IN (?1*)"
_DELETE_ATTRIBUTES: Final = "DELETE FROM attribute WHERE member_id = ?1"
_DELETE_MACHINE: Final = "DELETE FROM machine WHERE dealer_id = ?1 AND serial = ?2"
_JOIN: Final = "UPDATE ledger SET joined_id = ?2 WHERE member_id = ?1"
_APPLY_EMISSIONS: Final = "UPDATE emission SET applied = true WHERE id IN (?1*)"


@dataclass(slots=True)
class Rows:
    """The rows of one transaction, in the columns of `store.layout`, and what of the caches goes first."""

    tables: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in TABLES})
    unparked: list[int] = field(default_factory=list)
    rewound: list[tuple[int, Position]] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    unmade: list[tuple[int, str]] = field(default_factory=list)
    applied: list[int] = field(default_factory=list)
    texts: list[tuple[int, str, int, Texts]] = field(default_factory=list)
    joined: dict[int, int | None] = field(default_factory=dict)  # member → in whose history his is folded

    def add(self, table: str, *values: Any) -> None:
        """Add one row."""
        self.tables[table].append(values)

    def extend(self, table: str, rows: Iterable[Row]) -> None:
        """Add rows."""
        self.tables[table].extend(rows)

    def wrote(self, member_id: int, table: str, number: int, texts: Texts) -> None:
        """Keep what somebody wrote with that row, under the member's key."""
        self.texts.append((member_id, table, number, texts))

    def rewind(self, member_id: int, start: Position) -> None:
        """Drop a member's tier changes and checkpoints later than `start`: they are about to be written anew."""
        self.rewound.append((member_id, start))

    def send(self, link: Link) -> None:
        """Write everything; inside a pipeline this is one round trip."""
        if self.unparked:
            link.run(_DELETE_PARKED, self.unparked)
        for member_id, (at, class_, key) in self.rewound:
            link.run(_DELETE_CHANGES, member_id, at, class_, key)
            link.run(_DELETE_CHECKPOINTS, member_id, at, class_, key)
        for member_id in self.forgotten:
            link.run(_DELETE_ATTRIBUTES, member_id)
        for dealer_id, serial in self.unmade:
            link.run(_DELETE_MACHINE, dealer_id, serial)
        # Two groups of other members may bring the same keys: in one order, or each would wait for the other.
        self.tables["idempotency"].sort(key=lambda row: row[:3])
        link.store([(TABLES[name], rows) for name, rows in self.tables.items() if rows])
        for member_id, root in self.joined.items():
            link.run(_JOIN, member_id, root)
        if self.applied:
            link.run(_APPLY_EMISSIONS, self.applied)
