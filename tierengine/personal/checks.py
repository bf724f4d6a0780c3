"""What of invariant 18 the book cannot tell alone: whether its keys and the key store's fit together."""

from __future__ import annotations

from typing import Final

from tierengine.personal.keystore import KeyStore
from tierengine.store.dialect import Link

_ERASED: Final = "SELECT member_id FROM erasure ORDER BY member_id"
_SEALED: Final = "SELECT DISTINCT member_id FROM personal ORDER BY member_id"


def erased_with_key(link: Link, store: KeyStore) -> list[int]:
    """Return erased members who have a key: an old copy of the keys was put back. Erasing them again destroys it."""
    erased = [row[0] for row in link.ask(_ERASED).rows()]
    return sorted(store.keys(erased))


def without_key(link: Link, store: KeyStore) -> list[int]:
    """Return members whose personal data nothing opens any more: the keys are lost, or older than the book."""
    sealed = [row[0] for row in link.ask(_SEALED).rows()]
    there = store.keys(sealed)
    return [member for member in sealed if member not in there]
