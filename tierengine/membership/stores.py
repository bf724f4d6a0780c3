"""The dealer's places of sale: put on file under codes of his own, and listed. A till's key belongs to one of them."""

from __future__ import annotations

from typing import Final

from tierengine.errors import FormError, Malformed
from tierengine.judging.values import Values, is_personal
from tierengine.membership.people import create_store
from tierengine.store.dialect import Link

__all__ = ["create_store", "read_store", "stores"]

NAME_MOST: Final = 100
_ALL: Final = "SELECT code, name FROM store WHERE dealer_id = ?1 ORDER BY code"


def read_store(code: object, name: object) -> tuple[str, str]:
    """Return code and name as they are kept; Malformed with everything that is wrong.

    The code stands in every order's key for ever: half-width, without a colon, and nobody's phone.
    """
    values = Values({}, "")
    found = values.identifier("/store", code)
    title = values.text("/name", name, NAME_MOST, "NFC")
    errors = list(values.errors)
    if found is None and not errors:
        errors.append(FormError("/store", "missing"))
    for pointer, text in (("/store", found or ""), ("/name", title or "")):
        if is_personal(text):
            errors.append(FormError(pointer, "personal_data"))
    if title is not None and not title.isprintable():
        errors.append(FormError("/name", "bad_text"))
    if errors or found is None:
        raise Malformed(errors)
    return found, title or found


def stores(link: Link, dealer: int) -> list[dict[str, str]]:
    """Return a dealer's stores by code, as they are told: `store` and `name`."""
    return [{"store": code, "name": name} for code, name in link.ask(_ALL, dealer).rows()]
