"""Two people for one act: they are two however one of them writes himself."""

from __future__ import annotations

import unicodedata

from tierengine.errors import FormError, Malformed


def same_person(first: str, second: str) -> bool:
    """Whether two names are one: full-width letters, capitals and spaces at the ends make no other person."""
    return _plain(first) == _plain(second)


def two(first: str, second: str) -> None:
    """Refuse an act that takes two people and has one: Malformed at `/second`."""
    if not _plain(second):
        raise Malformed([FormError("/second", "missing")])
    if same_person(first, second):
        raise Malformed([FormError("/second", "second_not_here")])


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()
