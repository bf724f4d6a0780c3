"""API keys of stores and batches: made, listed, rotated without an interruption, revoked. Each act is in the audit.

Every function runs in the caller's transaction. Instants and spans in microseconds (UTC).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tierengine.access import tokens
from tierengine.access.audit import Acting
from tierengine.access.callers import written
from tierengine.access.secret import Secret
from tierengine.errors import Unknown
from tierengine.store.dialect import Link
from tierengine.store.rows import Table

_TABLE: Final = Table("api_key")
_LISTED: Final = (
    "SELECT k.prefix, k.name, k.roles, s.code, k.created_at, k.expires_at, k.last_used_at, k.revoked_at "
    "FROM api_key k LEFT JOIN store s ON s.id = k.store_id WHERE k.dealer_id = ?1 ORDER BY k.created_at, k.prefix"
)
_ALIVE: Final = (
    "SELECT COALESCE(origin_id, id), id, store_id, name, roles, expires_at FROM api_key "
    "WHERE dealer_id = ?1 AND prefix = ?2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?3)"
)
_END: Final = (
    "UPDATE api_key SET revoked_at = ?1 WHERE dealer_id = ?2 AND prefix = ?3 AND revoked_at IS NULL RETURNING id"
)
_LAST: Final = "UPDATE api_key SET expires_at = ?1 WHERE id = ?2"
_RENEWED: Final = "UPDATE api_key SET digest = ?2 WHERE prefix = ?1"
_USED: Final = "UPDATE api_key SET last_used_at = ?1 WHERE prefix IN (?2*) AND coalesce(last_used_at, 0) < ?1"


@dataclass(frozen=True, slots=True)
class Made:
    """A new key: `key` is shown this once."""

    key: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A key as it is listed; nothing of it opens anything."""

    prefix: str
    name: str
    roles: tuple[str, ...]
    store: str
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    revoked_at: int | None

    def state(self, now: int) -> str:
        """Return "valid", "revoked" or "expired"."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"


def create(
    by: Acting,
    secret: Secret,
    roles: Iterable[str],
    *,
    store_id: int | None = None,
    name: str = "",
    expires_at: int | None = None,
) -> Made:
    """Make a key; it is shown this once. ValueError for a role that there is not."""
    made, listed = _made(by, secret, roles, store_id, name, expires_at)
    by.note("key.create", f"key:{made.prefix}", roles=listed.split(), store=store_id, expires_at=expires_at)
    return made


def every(link: Link, dealer_id: int) -> Sequence[Listed]:
    """Return all keys of a dealer, ended ones too, oldest first."""
    return [
        Listed(prefix, name, tuple(roles.split()), store or "", *rest)
        for prefix, name, roles, store, *rest in link.ask(_LISTED, dealer_id).rows()
    ]


def rotate(by: Acting, secret: Secret, prefix: str, *, keep: int) -> Made:
    """Make another key with the same rights; the old one is valid beside it for `keep` more, or until it is revoked.

    Idempotency keys and limits are those of both: a write whose reply was lost is sent again with the new one.
    Unknown when the dealer has no such key in force.
    """
    rows = by.link.ask(_ALIVE, by.dealer_id, prefix, by.now).rows()
    if not rows:
        raise Unknown("unknown_key", key=prefix[:40])
    origin, number, store_id, name, roles, expires_at = rows[0]
    made, _ = _made(by, secret, roles.split(), store_id, name, expires_at, origin)
    ends = by.now + keep if expires_at is None else min(expires_at, by.now + keep)
    by.link.run(_LAST, ends, number)
    by.note("key.rotate", f"key:{prefix}", new=made.prefix, old_until=ends)
    return made


def revoke(by: Acting, prefix: str) -> None:
    """End a key at once; Unknown when the dealer has none of this prefix that is not revoked."""
    if not by.link.ask(_END, by.now, by.dealer_id, prefix).rows():
        raise Unknown("unknown_key", key=prefix[:40])
    by.note("key.revoke", f"key:{prefix}")


def _made(
    by: Acting,
    secret: Secret,
    roles: Iterable[str],
    store_id: int | None,
    name: str,
    expires_at: int | None,
    origin: int | None = None,
) -> tuple[Made, str]:
    listed, token = written(roles), tokens.make(tokens.KEY, secret)
    row = (by.ids.take(), by.dealer_id, store_id, token.prefix, token.digest, listed, name, by.now, expires_at)
    by.link.write(_TABLE, [(*row, None, None, origin)])
    return Made(token.text, token.prefix), listed


def renewed(link: Link, digests: Mapping[str, str]) -> None:
    """Keep keys by their digests under the server's present secret, so that the one before it can be taken away."""
    for prefix, digest in digests.items():
        link.run(_RENEWED, prefix, digest)


def used(link: Link, prefixes: Sequence[str], at: int) -> None:
    """Keep when these keys were last used; it is never earlier than what is kept."""
    link.run(_USED, at, list(prefixes))
