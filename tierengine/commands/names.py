"""The names behind codes, for people at the dealer's own terminal; programs are given codes only."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from tierengine.commands.opened import settings
from tierengine.errors import Unavailable
from tierengine.personal import records
from tierengine.personal.vault import Vault
from tierengine.settings import Settings
from tierengine.store.database import NotReady
from tierengine.store.dialect import Link
from tierengine.store.outages import told

_BY_ID: Final = "SELECT id, code, dealer_id FROM member WHERE id IN (?1*)"
_BY_CODE: Final = "SELECT id, code, dealer_id FROM member WHERE dealer_id = ?2 AND code IN (?1*)"
_ANY: Final = "SELECT 1 FROM personal LIMIT 1"
ERASED: Final = ("已注销", "erased")

_log = logging.getLogger(__name__)


def names_of(
    link: Link, ids: Sequence[int] = (), *, codes: Sequence[str] = (), dealer_id: int = 0, lang: str = "zh",
    wanted: Settings | None = None,
)  -> dict[str, str]:  # fmt: skip
    """Return code → name of members known by their ids, or by their codes; of who was erased, that he was.

    Without the keys there are codes alone: a list of winners does not fail for the want of a name.
    """
    rows = link.ask(_BY_CODE, list(codes), dealer_id).rows() if codes else link.ask(_BY_ID, list(ids)).rows()
    there = {number: code for number, code, _ in rows}
    gone = ERASED[lang == "en"]
    found = {there[number]: gone for number in records.erased_of(link, list(there))}
    if not rows or not link.ask(_ANY).rows():
        return found
    try:
        vault = Vault.of(wanted or settings())
        try:
            names = records.names_of(link, vault, rows[0][2], list(there))
        finally:
            vault.close()
    except (NotReady, Unavailable) as problem:
        _log.warning("names cannot be shown: %s", told(problem))
        return found
    return {**{there[number]: name for number, name in names.items()}, **found}
