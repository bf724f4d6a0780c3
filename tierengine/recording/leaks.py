"""Personal data that stands open in what is for ever: in events, what comes of them, and commands (invariant 18).

Free text goes under the member's key before anything is stored, and a number that can only be a phone's or an identity
card's is refused where it would stay. What got past that, by a bug or by hand, is looked for here in every stored
document: first by its bytes, a page at a time, then field by field in the few that may hold something.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from rules.vocabulary import PROSE
from tierengine.judging.values import is_personal, tells_none
from tierengine.ledger.invariants import Invariant
from tierengine.store.dialect import Link

DISCLOSED: Final = Invariant(
    18, "text_open", "事件、推得、派生与指令里没有自由文字，也没有手机号或身份证号",
    "no event, nothing derived from one and no command holds free text, or the number of a phone or identity card", "",
)  # fmt: skip
PAGE: Final = 5_000
_OF_COMMANDS: Final = frozenset(("reason", "note"))  # (To whom a transfer goes is a member's code.)
# Where a document may hold a field of somebody's words: its key as JSON writes it, with PostgreSQL's space or without.
_WORDS: Final = re.compile(rf'"(?:{"|".join(sorted(PROSE))})":'.encode())
# Digits that may be such a number, or any that are written in full width.
_NUMBERS: Final = re.compile(rb"(?<![0-9])1[3-9][0-9]{9}(?![0-9])|[1-9][0-9]{16}[0-9Xx](?![0-9])|\xef\xbc[\x90-\x99]")
_COLUMNS: Final[Mapping[str, str]] = {
    "event": "body", "event_conflict": "body", "emission": "body", "contribution": "fields", "command": "body",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leak:
    """A stored document with personal data in it: in which table and row, and under which name."""

    member_id: int | None
    table: str
    id: int
    field: str

    def row(self) -> tuple[object, ...]:
        """Return (member id, table, row's id, field), as `verify` shows it; never what stands there."""
        return (self.member_id, self.table, self.id, self.field)


def leaks(link: Link) -> Iterator[Leak]:
    """Yield every stored document with personal data in it. Call it inside a snapshot."""
    for table, column in _COLUMNS.items():
        member = "NULL" if table == "event_conflict" else "member_id"
        shown = f"CAST({column} AS BLOB)" if link.kind == "sqlite" else f"{column}::text"
        page = f"SELECT id, {member}, {shown} FROM {table} WHERE id > ?1 ORDER BY id LIMIT {PAGE}"
        words, last = _OF_COMMANDS if table == "command" else PROSE, 0
        while rows := link.ask(page, last).rows():
            last = rows[-1][0]
            texts = [row[2] for row in rows]
            whole = b"\n".join(texts) if link.kind == "sqlite" else "\n".join(texts).encode()
            if _WORDS.search(whole) is None and _NUMBERS.search(whole) is None:
                continue
            for number, whose, text in rows:
                as_bytes = text if link.kind == "sqlite" else text.encode()
                if _WORDS.search(as_bytes) is None and _NUMBERS.search(as_bytes) is None:
                    continue
                field = _disclosed(orjson.loads(text), words)
                if field:
                    yield Leak(whose, table, number, field)


def _disclosed(said: Mapping[str, Any], words: frozenset[str]) -> str:
    """Return the first field of a document that says what it must not, "" for none."""
    fields = said["fields"] if isinstance(said.get("fields"), dict) else said
    for name, value in fields.items():
        if name in words:
            return str(name)
        if isinstance(value, str) and tells_none(name) and is_personal(value):
            return str(name)
        for inner in value if isinstance(value, list) else ():
            if isinstance(inner, dict) and (found := _disclosed(inner, words)):
                return found
    return next((found for one in said.get("also", ()) if (found := _disclosed(one, words))), "")
