"""The logins of the staff: put on file, listed, given another password, disabled. Each act is in the audit.

Every function runs in the caller's transaction. Instants in microseconds UTC.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tierengine.access.audit import Acting
from tierengine.access.callers import written
from tierengine.errors import Conflict, FormError, Malformed, Refused, Unknown
from tierengine.store.dialect import Link
from tierengine.store.rows import Table

_TABLE: Final = Table("staff")
_LOGIN: Final = re.compile(r"[\w.@-]{2,60}")
_TAKEN: Final = "SELECT 1 FROM staff WHERE login = ?1"
_ADMINS: Final = "SELECT roles FROM staff WHERE dealer_id = ?1 AND disabled_at IS NULL"
_LISTED: Final = (
    "SELECT f.login, f.name, f.roles, s.code, f.created_at, f.disabled_at FROM staff f "
    "LEFT JOIN store s ON s.id = f.store_id WHERE f.dealer_id = ?1 ORDER BY f.login"
)
_FOUND: Final = "SELECT id, roles FROM staff WHERE dealer_id = ?1 AND login = ?2 AND disabled_at IS NULL"
_DISABLE: Final = "UPDATE staff SET disabled_at = ?1 WHERE id = ?2"
_DIGEST: Final = "UPDATE staff SET digest = ?1, failures = 0, failed_at = NULL WHERE id = ?2"
_END: Final = "UPDATE staff_session SET ended_at = ?1 WHERE staff_id = ?2 AND ended_at IS NULL"


@dataclass(frozen=True, slots=True)
class Person:
    """A login as it is listed."""

    login: str
    name: str
    roles: tuple[str, ...]
    store: str
    created_at: int
    disabled_at: int | None


def login_of(text: str) -> str:
    """Return a login as it is kept: half-width, small letters; Malformed when it cannot be one."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    if not _LOGIN.fullmatch(plain):
        raise Malformed([FormError("/login", "bad_login")])
    if plain == "..":  # no address can name it (a dot alone is too short)
        raise Malformed([FormError("/login", "only_dots")])
    return plain


def add(
    by: Acting, login: str, digest: str, roles: Iterable[str], *, name: str = "", store_id: int | None = None
) -> None:
    """Put a login on file; `digest` from passwords.hashed. Conflict when it is taken, ValueError for no such role."""
    listed = written(roles)
    if by.link.ask(_TAKEN, login).rows():
        raise Conflict("login_taken")
    row = (by.ids.take(), by.dealer_id, store_id, login, name, digest, listed, by.now, None, 0, None)
    by.link.write(_TABLE, [row])
    by.note("staff.add", f"staff:{login}", roles=listed.split(), store=store_id)


def add_first(by: Acting, login: str, digest: str, *, name: str = "") -> None:
    """Put the first admin on file, for whom nobody can answer; Refused once there is one."""
    if any("admin" in roles.split() for (roles,) in by.link.ask(_ADMINS, by.dealer_id).rows()):
        raise Refused("admin_exists")
    add(by, login, digest, ("admin",), name=name)


def every(link: Link, dealer_id: int) -> Sequence[Person]:
    """Return all logins of a dealer, disabled ones too."""
    return [
        Person(login, name, tuple(roles.split()), store or "", created_at, disabled_at)
        for login, name, roles, store, created_at, disabled_at in link.ask(_LISTED, dealer_id).rows()
    ]


def disable(by: Acting, login: str) -> None:
    """End a login and its sessions. Unknown: there is none in force; Refused: nobody could manage logins any more."""
    number, roles = _found(by, login)
    if "admin" in roles.split():
        admins = [one for (one,) in by.link.ask(_ADMINS, by.dealer_id).rows() if "admin" in one.split()]
        if len(admins) == 1:
            raise Refused("last_admin")
    by.link.run(_DISABLE, by.now, number)
    by.link.run(_END, by.now, number)
    by.note("staff.disable", f"staff:{login}")


def change_password(by: Acting, login: str, digest: str) -> None:
    """Give a login another password; whoever is logged in with the old one is not any more."""
    number, _ = _found(by, login)
    by.link.run(_DIGEST, digest, number)
    by.link.run(_END, by.now, number)
    by.note("staff.password", f"staff:{login}")


def _found(by: Acting, login: str) -> tuple[int, str]:
    rows = by.link.ask(_FOUND, by.dealer_id, login).rows()
    if not rows:
        raise Unknown("unknown_login")
    number, roles = rows[0]
    return number, roles
