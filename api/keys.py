"""Who asks: API keys by `Authorization: Bearer te_…`. What a role may call stands in api/rights.py.

A key found good is remembered for two seconds, so a revocation is honoured within that time; one found bad as well, so
that nobody can make the database work by sending bad ones.
"""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import Final

from fastapi import Request

from api.readers import Readers
from tierengine.errors import Denied
from tierengine.membership.people import Caller, caller
from tierengine.policies.versions import Programme

REMEMBERED_SECONDS: Final = 2.0
REMEMBERED_MOST: Final = 10_000
KEY_MOST: Final = 200

# A person's word over the facts is not for a till to give.
STAFF_KINDS: Final = frozenset(("tier_assigned", "tier_locked"))
_LATE_DAYS: Final = MappingProxyType({"till": 7, "erp": 400})  # where the policy does not say


class Keys:
    """The callers known a moment ago."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._known: dict[str, tuple[Caller | None, float]] = {}

    async def of(self, request: Request) -> Caller | None:
        """Return who asks; None when his key is nobody's, or revoked."""
        return await self._found(request.headers.get("authorization", ""))

    async def _found(self, header: str) -> Caller | None:
        kept = self._known.get(header)
        now = time.monotonic()
        if kept is not None and kept[1] > now:
            return kept[0]
        scheme, _, key = header.partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(key) <= KEY_MOST:
            return None
        found: Caller | None
        try:
            found = await self._readers.ask(lambda link: caller(link, key))
        except Denied:
            found = None
        if len(self._known) >= REMEMBERED_MOST:
            self._known.clear()
        self._known[header] = (found, now + REMEMBERED_SECONDS)
        return found


def source_of(found: Caller) -> str:
    """Return the source that a caller's events are told apart by: a store's tills are one."""
    if found.role == "archivist":
        return "archive"
    return f"till-{found.store.replace(':', '-')}" if found.store else "erp"


def late_days_of(found: Caller, programme: Programme, now: int) -> int | None:
    """Return how far back a caller may date; None: as far as he likes."""
    if found.role == "archivist":
        return None
    kind = "till" if found.store else "erp"
    return programme.line.at(now).rules.policy.late_days.get(kind, _LATE_DAYS[kind])
