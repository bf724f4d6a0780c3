"""Keys for tests, and the secret of the servers that know them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from tests import postgres
from tierengine.access import keys
from tierengine.access.audit import Acting
from tierengine.access.secret import Secret
from tierengine.personal.vault import Vault
from tierengine.settings import Settings, kind_of
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


def keys_url(url: str) -> str:
    """Return where a server in the tests keeps the keys of personal data: beside the book, or in a file of the run."""
    if kind_of(url) == "sqlite":
        return ""
    name = url.partition("?")[0].rpartition("/")[2]
    return f"sqlite:///{_folder()}/{name}.keys"


def vault_of(url: str) -> Vault:
    """Return what seals personal data of a book of the tests."""
    return Vault.of(Settings(database_url=url, keys_url=keys_url(url), secret=SECRET))


@cache
def _folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix="tierengine-keys-", dir=postgres.MEMORY if postgres.roomy() else None))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
