"""The free text of events and commands: kept beside the member's personal data under his key, never in the book.

Events and commands are for ever; what somebody wrote about a person is not. So the text goes into `personal`, as one
document a row, named `event:N` or `command:N`, and the row itself holds nothing of it. A rule cannot read it, and
whether two deliveries say the same does not depend on it: the first one's text stands.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import orjson

from tierengine.errors import Unavailable
from tierengine.personal.records import opened
from tierengine.personal.vault import Vault
from tierengine.store.database import NotReady
from tierengine.store.dialect import Link
from tierengine.store.outages import told
from tierengine.store.rows import Row

Texts = Mapping[str, object]  # field → text, or list of texts
_OF_MEMBER: Final = (
    "SELECT member_id, field, sealed FROM personal WHERE member_id = ?1 AND field > 'a' AND field LIKE '%:%' "
    "ORDER BY field"
)


Vaults = Callable[[], Vault]
"""Gives what seals, when there is something to seal; NotReady where there is none."""

_log = logging.getLogger(__name__)


def none() -> Vault:
    """Give nothing: whoever records here has no place for free text."""
    raise NotReady("no vault was given")


def sealed(vaults: Vaults, dealer: int, said: Sequence[tuple[int, str, int, Texts]]) -> list[Row]:
    """Return the rows of `personal` for what was written; without keys it is not kept, for no sale waits for them."""
    try:
        return rows_of(vaults(), dealer, said)
    except (NotReady, Unavailable) as problem:
        _log.error("free text of %d rows is not kept: %s", len(said), told(problem))
        return []


def rows_of(vault: Vault, dealer: int, said: Iterable[tuple[int, str, int, Texts]]) -> list[Row]:
    """Return the rows of `personal` for (member id, table, row's id, texts); none for a member who was erased."""
    listed = list(said)
    keys = vault.keys_made(dealer, {member for member, *_ in listed}) if listed else None
    rows: list[Row] = []
    for member, table, number, texts in listed:
        if keys is not None and member in keys:
            field = f"{table}:{number}"
            text = orjson.dumps(dict(texts), option=orjson.OPT_SORT_KEYS).decode()
            rows.append((member, field, dealer, keys.seal(member, field, text)))
    return rows


def of_member(link: Link, vault: Vault, dealer: int, member: int) -> dict[tuple[str, int], dict[str, object]]:
    """Return (table, row's id) → texts of a member; nothing of one who was erased."""
    rows = link.ask(_OF_MEMBER, member).rows()
    found = {}
    for _, field, text in opened(vault.keys(dealer, {member} if rows else ()), rows):
        table, _, number = field.partition(":")
        found[table, int(number)] = orjson.loads(text)
    return found
