"""Keys for tests, and the secret of the servers that know them."""

from __future__ import annotations

from typing import Final

from tierengine.access import keys
from tierengine.access.audit import Acting
from tierengine.access.secret import Secret
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids

# What tests ask in seconds is more than a minute of anybody's.
UNLIMITED: Final = {"limit_key": 0, "limit_store": 0, "limit_member": 0}
SECRET: Final = "of the servers in tests, and of no other"


def acting(link: Link, ids: Ids, dealer: int, now: int) -> Acting:
    """Return an act of the tests."""
    return Acting(link, ids, dealer, now, "command:test")


def new_key(link: Link, ids: Ids, dealer: int, role: str, now: int, store_id: int | None = None) -> str:
    """Return a new key of one role."""
    return keys.create(acting(link, ids, dealer, now), Secret(SECRET), (role,), store_id=store_id).key
