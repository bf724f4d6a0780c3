"""The names behind codes, for people at the dealer's own terminal; programs are given codes only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tierengine.store.dialect import Link

_BY_ID: Final = "SELECT m.code, p.name FROM member m JOIN member_person p ON p.member_id = m.id WHERE m.id IN (?1*)"
_BY_CODE: Final = (
    "SELECT m.code, p.name FROM member m JOIN member_person p ON p.member_id = m.id "
    "WHERE m.dealer_id = ?2 AND m.code IN (?1*)"
)


def names_of(link: Link, ids: Sequence[int] = (), *, codes: Sequence[str] = (), dealer_id: int = 0) -> dict[str, str]:
    """Return code → name of members known by their ids, or by their codes."""
    rows = link.ask(_BY_CODE, list(codes), dealer_id).rows() if codes else link.ask(_BY_ID, list(ids)).rows()
    return dict(rows)
