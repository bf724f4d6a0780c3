"""A sentence that must hold of the book."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Invariant:
    """A sentence that must hold, with its number in docs/ledger.md, and the query for the rows that break it.

    The query returns them first one first: (member id, what was found, what was expected). Several may share one text,
    where one pass over the rows answers for all of them: each row then begins with the code of the one that it breaks.
    `sql` is "" where something other than a query finds them.
    """

    number: int
    code: str
    zh: str
    en: str
    sql: str
