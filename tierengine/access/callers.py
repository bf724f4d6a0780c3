"""Who asks: the key or the session behind what was presented, with its dealer, its store and its roles."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tierengine.access import tokens
from tierengine.access.secret import Secret
from tierengine.store.dialect import Link

ROLES: Final = (
    "pos", "sales_manager", "archivist", "policy_editor", "policy_approver", "award_owner", "auditor", "admin",
)  # fmt: skip

_KEY: Final = (
    "SELECT k.id, k.dealer_id, k.store_id, s.code, k.roles, k.digest, k.expires_at, k.origin_id FROM api_key k "
    "LEFT JOIN store s ON s.id = k.store_id WHERE k.prefix = ?1 AND k.revoked_at IS NULL"
)
_SESSION: Final = (
    "SELECT f.id, f.dealer_id, f.store_id, s.code, f.roles, n.digest, n.expires_at, f.id, f.login, n.seen_at "
    "FROM staff_session n JOIN staff f ON f.id = n.staff_id LEFT JOIN store s ON s.id = f.store_id "
    "WHERE n.prefix = ?1 AND n.ended_at IS NULL AND f.disabled_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key or session a request carries; instants in microseconds UTC.

    number      of the key, or of the member of staff
    prefix      of what was presented
    login       "" for a program
    expires_at  None: never
    origin      of a key that replaced another: the number of the first of them; 0: it replaced none
    seen_at     of a session: when it was last used, as it is stored
    renewed     of a key that is kept under the server's secret before, or under none: its digest under the present one
    """

    number: int
    dealer_id: int
    store_id: int | None
    store: str
    roles: frozenset[str]
    prefix: str = ""
    login: str = ""
    expires_at: int | None = None
    seen_at: int | None = None
    origin: int = 0
    renewed: str = ""

    @property
    def scope(self) -> str:
        """Return the scope of the caller's idempotency keys; a key's successor has its scope."""
        return f"staff:{self.number}" if self.login else f"key:{self.origin or self.number}"

    @property
    def actor(self) -> str:
        """Return who he is in the audit."""
        return f"staff:{self.login}" if self.login else f"key:{self.prefix}"

    def may(self, roles: Iterable[str]) -> bool:
        """Whether he has one of these roles."""
        return not self.roles.isdisjoint(roles)


def find(link: Link, secret: Secret, text: str, now: int, idle: int) -> Caller | None:
    """Return who presents this token; None when it is nobody's, revoked or over.

    `idle`: for how many microseconds a session lasts that is not used.
    """
    form = tokens.read(text)
    if form is None:
        return None
    sort, prefix = form
    rows = link.ask(_KEY if sort == tokens.KEY else _SESSION, prefix).rows()
    if not rows or not _same(text, rows[0][5], secret):
        return None
    number, dealer_id, store_id, store, roles, digest, expires_at, origin, *session = rows[0]
    present = secret.mac(tokens.PURPOSE, text)
    if expires_at is not None and expires_at <= now:
        return None
    login, seen_at = session or ("", None)
    if seen_at is not None and seen_at + idle <= now:
        return None
    return Caller(
        number, dealer_id, store_id, store or "", frozenset(roles.split()), prefix, login, expires_at, seen_at,
        origin or 0, "" if digest == present else present,
    )  # fmt: skip


def _same(text: str, digest: str, secret: Secret) -> bool:
    # A key of before there was a secret is kept as a plain hash; 192 random bits are nobody's to try out.
    kept = digest.removeprefix("sha256:")
    made = [hashlib.sha256(text.encode()).hexdigest()] if kept != digest else secret.macs(tokens.PURPOSE, text)
    return any(hmac.compare_digest(kept, one) for one in made)


def written(roles: Iterable[str]) -> str:
    """Return roles as they are stored; ValueError for one that there is not."""
    wanted = set(roles)
    unknown = sorted(wanted - {*ROLES})
    if unknown or not wanted:
        raise ValueError(f"{', '.join(unknown) or 'nothing'} is no role; there are {', '.join(ROLES)}")
    return " ".join(role for role in ROLES if role in wanted)
