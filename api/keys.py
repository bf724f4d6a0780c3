"""Who asks, by `Authorization: Bearer …`: a key (te_…) or a session (ts_…). What a role may call: api/rights.py.

Who was found is remembered for two seconds, so a revocation is honoured by every process within that time without a
question to the database at each request; who was not found as well, in a place of its own, so that bad keys in numbers
neither make the database work nor push good ones out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from types import MappingProxyType
from typing import Any, Final

from fastapi import Request

from api.readers import Readers
from tierengine.access import keys, sessions, tokens
from tierengine.access.callers import Caller, find
from tierengine.access.secret import Secret
from tierengine.policies.versions import Programme
from tierengine.recording.recorder import Clock
from tierengine.recording.writer import Writer
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.zone import SECOND

REMEMBERED_SECONDS: Final = 2.0
REMEMBERED_MOST: Final = 10_000
FLUSH_SECONDS: Final = 30.0
HEADER_MOST: Final = 200

# A person's word over the facts is not for a till to give.
STAFF_KINDS: Final = frozenset(("tier_assigned", "tier_locked"))
_LATE_DAYS: Final = MappingProxyType({"till": 7, "erp": 400})  # where the policy does not say
_log = logging.getLogger(__name__)


class Keys:
    """The callers known a moment ago, and when each was last here. Used on one event loop."""

    def __init__(self, readers: Readers, secret: Secret, idle_minutes: int, *, now: Clock) -> None:
        self.secret = secret
        self._readers = readers
        self._now = now
        # (What was seen is kept only every so often: a session may be older than it looks by as much.)
        self._idle = idle_minutes * 60 * SECOND + int(FLUSH_SECONDS) * SECOND
        self._known: dict[str, tuple[Caller, float]] = {}
        self._unknown: dict[str, float] = {}
        self._used: dict[str, tuple[Caller, int]] = {}

    async def of(self, request: Request) -> Caller | None:
        """Return who asks; None when what he presents is nobody's, revoked or over."""
        return await self.who(request.headers.get("authorization", ""))

    async def who(self, header: str) -> Caller | None:
        """Return whom `Bearer …` names."""
        kept = self._known.get(header)
        if kept is not None and kept[1] > time.monotonic():
            return kept[0]
        return await self._look_up(header)

    def forget(self, request: Request) -> None:
        """Look up anew whoever presents this: what it opens has just changed."""
        self._known.pop(request.headers.get("authorization", ""), None)

    async def _look_up(self, header: str) -> Caller | None:
        now = time.monotonic()
        scheme, _, text = header.partition(" ")
        if scheme.lower() != "bearer" or len(header) > HEADER_MOST or tokens.read(text) is None:
            return None
        if self._unknown.get(header, 0.0) > now:
            return None
        at, idle = self._now(), self._idle
        found = await self._readers.ask(lambda link: find(link, self.secret, text, at, idle))
        if found is None:
            _room(self._unknown)
            self._known.pop(header, None)
            self._unknown[header] = now + REMEMBERED_SECONDS
            return None
        _room(self._known)
        _room(self._used)
        self._known[header] = (found, now + REMEMBERED_SECONDS)
        self._used[found.prefix] = (found, at)
        return found

    @contextlib.asynccontextmanager
    async def noting(self, writer: Writer) -> AsyncIterator[None]:
        """Keep every half a minute, and at the end, which keys and sessions were used."""

        async def live() -> None:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                await self._note(writer)

        task = asyncio.create_task(live())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self._note(writer)

    async def _note(self, writer: Writer) -> None:
        used, self._used = self._used, {}
        if not used or not writer.ready:
            return

        def act(link: Link, _: Ids) -> None:
            at = max(when for _, when in used.values())
            keys.used(link, [one.prefix for one, _ in used.values() if not one.login], at)
            keys.renewed(link, {one.prefix: one.renewed for one, _ in used.values() if one.renewed and not one.login})
            sessions.seen(link, [one.prefix for one, _ in used.values() if one.login], at)

        try:
            await asyncio.wrap_future(writer.perform(act))
        except Exception as problem:  # noqa: BLE001 - it only says when a key was used
            _log.warning("the last use of keys is not kept: %s", type(problem).__name__)


def _room(kept: dict[str, Any]) -> None:
    if len(kept) >= REMEMBERED_MOST:
        kept.clear()


def source_of(found: Caller) -> str:
    """Return the source that a caller's events are told apart by: a store's tills are one."""
    if "archivist" in found.roles:
        return "archive"
    return f"till-{found.store.replace(':', '-')}" if found.store else "erp"


def late_days_of(found: Caller, programme: Programme, now: int) -> int | None:
    """Return how far back a caller may date; None: as far as he likes."""
    if "archivist" in found.roles:
        return None
    kind = "till" if found.store else "erp"
    return programme.line.at(now).rules.policy.late_days.get(kind, _LATE_DAYS[kind])
