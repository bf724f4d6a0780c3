"""The audit: what each of the staff did, insert only and sealed like the ledger. It names members by code alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from tierengine.store.dialect import Link, doc
from tierengine.store.ids import Ids
from tierengine.store.rows import Table

MOST: Final = 200
_TABLE: Final = Table("audit")
# By what is asked for: each text has its index; one for all would read a dealer's whole audit.
_PAGE: Final = (
    "SELECT id, recorded_at, actor, act, subject, request, body FROM audit "
    "WHERE dealer_id = ?1 AND (recorded_at, id) < (?2, ?3) AND {of} ORDER BY recorded_at DESC, id DESC LIMIT ?6"
)
_PAGES: Final = {
    (False, False): _PAGE.format(of="?4 = '' AND ?5 = ''"),
    (True, False): _PAGE.format(of="actor = ?4 AND ?5 = ''"),
    (False, True): _PAGE.format(of="subject = ?5 AND ?4 = ''"),
    (True, True): _PAGE.format(of="subject = ?5 AND actor = ?4"),
}
LAST: Final = ((1 << 62), (1 << 62))


@dataclass(frozen=True, slots=True)
class Line:
    """One act. `recorded_at` in microseconds UTC; `body` holds what of it is no personal data."""

    number: int
    recorded_at: int
    actor: str
    act: str
    subject: str
    request: str
    body: Mapping[str, Any]

    @property
    def cursor(self) -> str:
        """Return what asks for the lines older than this one."""
        return f"{self.recorded_at}-{self.number}"


@dataclass(frozen=True, slots=True)
class Acting:
    """An act under way: in which transaction, at which dealer's, when (microseconds UTC), by whom, by which request."""

    link: Link
    ids: Ids
    dealer_id: int
    now: int
    actor: str
    request: str = ""

    def note(self, act: str, subject: str, **body: Any) -> None:
        """Write the act down, in the transaction that does it."""
        kept = orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()
        row = (self.ids.take(), self.dealer_id, self.now, self.actor, act, subject, self.request, kept)
        self.link.write(_TABLE, [row])


def page(
    link: Link, dealer_id: int, *, before: tuple[int, int] = LAST, actor: str = "", subject: str = "",
    limit: int = MOST,
) -> Sequence[Line]:  # fmt: skip
    """Return acts, newest first: those before a cursor, of one actor, about one subject."""
    rows = link.ask(_PAGES[bool(actor), bool(subject)], dealer_id, *before, actor, subject, limit).rows()
    return [Line(number, at, who, act, what, request, doc(body)) for number, at, who, act, what, request, body in rows]


def read_cursor(text: str) -> tuple[int, int] | None:
    """Return the place that a cursor names; None when it is none."""
    first, _, second = text.partition("-")
    if not (first.isascii() and first.isdigit() and second.isascii() and second.isdigit() and len(text) <= 40):
        return None
    return (int(first), int(second)) if max(int(first), int(second)) < 1 << 62 else None
