"""Logging in and out. A session is over when nobody used it for a while, at its end in any case, or by logging out.

Times in microseconds (UTC).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tierengine.access import passwords, tokens
from tierengine.access.audit import Acting
from tierengine.access.secret import Secret
from tierengine.errors import Denied
from tierengine.store.dialect import Link
from tierengine.store.rows import Table
from tierengine.zone import SECOND

# After so many failures a login waits; each further failure doubles the wait, to a quarter of an hour.
FREE: Final = 5
FIRST_WAIT: Final = 30 * SECOND
LONGEST_WAIT: Final = 900 * SECOND
# A failure is forgotten a day later.
FORGOTTEN: Final = 86_400 * SECOND

_TABLE: Final = Table("staff_session")
_KNOWN: Final = (
    "SELECT f.id, f.dealer_id, f.digest, f.roles, s.code, f.failures, f.failed_at FROM staff f "
    "LEFT JOIN store s ON s.id = f.store_id WHERE f.login = ?1 AND f.disabled_at IS NULL"
)
# (The row itself says how often: of two attempts at once, both count.)
_FAILED: Final = (
    "UPDATE staff SET failures = CASE WHEN coalesce(failed_at, 0) < ?1 THEN 1 ELSE failures + 1 END, failed_at = ?2 "
    "WHERE id = ?3"
)
_GOOD: Final = "UPDATE staff SET failures = 0, failed_at = NULL WHERE id = ?1 AND failures > 0"
_REHASH: Final = "UPDATE staff SET digest = ?1 WHERE id = ?2"
_SWEEP: Final = "DELETE FROM staff_session WHERE staff_id = ?1 AND expires_at < ?2"
_END: Final = "UPDATE staff_session SET ended_at = ?1 WHERE prefix = ?2 AND ended_at IS NULL RETURNING staff_id"
_SEEN: Final = "UPDATE staff_session SET seen_at = ?1 WHERE prefix IN (?2*) AND seen_at < ?1 AND ended_at IS NULL"


@dataclass(frozen=True, slots=True)
class Known:
    """A login that somebody tries, as it is on file; number 0: there is none."""

    number: int
    dealer_id: int
    digest: str
    roles: tuple[str, ...]
    store: str
    wait_until: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A session: `token` is shown this once."""

    token: str
    roles: tuple[str, ...]
    expires_at: int


def known(link: Link, login: str, now: int) -> Known:
    """Return what is on file of a login, and until when it has to wait."""
    rows = link.ask(_KNOWN, login).rows()
    if not rows:
        return Known(0, 0, passwords.NOBODY, (), "", 0)
    number, dealer_id, digest, roles, store, failures, failed_at = rows[0]
    over = failures - FREE
    wait = 0
    if over >= 0 and failed_at is not None and failed_at + FORGOTTEN > now:
        wait = failed_at + min(FIRST_WAIT << min(over, 10), LONGEST_WAIT)
    return Known(number, dealer_id, digest, tuple(roles.split()), store or "", wait)


def open_session(by: Acting, secret: Secret, found: Known, *, lasts: int, rehash: str = "") -> Opened:
    """Open a session for somebody whose password matched; `rehash`: his password's new hash, where it is due."""
    token = tokens.make(tokens.SESSION, secret)
    by.link.run(_GOOD, found.number)
    if rehash:
        by.link.run(_REHASH, rehash, found.number)
    by.link.run(_SWEEP, found.number, by.now - FORGOTTEN)
    ends = by.now + lasts
    row = (token.prefix, found.number, found.dealer_id, token.digest, by.now, by.now, ends, None)
    by.link.write(_TABLE, [row])
    by.note("session.open", f"session:{token.prefix}")
    return Opened(token.text, found.roles, ends)


def failed(by: Acting, found: Known) -> None:
    """Count a log-in that failed."""
    by.link.run(_FAILED, by.now - FORGOTTEN, by.now, found.number)
    by.note("session.failed", by.actor)


def close_session(by: Acting, prefix: str) -> None:
    """Log out; Denied when the session is over already."""
    if not by.link.ask(_END, by.now, prefix).rows():
        raise Denied("unauthenticated")
    by.note("session.close", f"session:{prefix}")


def seen(link: Link, prefixes: list[str], at: int) -> None:
    """Keep when these sessions were last used."""
    link.run(_SEEN, at, prefixes)
