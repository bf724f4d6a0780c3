"""How often who may ask: a bucket for each key, store and member, and for whoever tries to log in.

Each bucket is one number (throttled's GCRA, the generic cell rate algorithm): a minute's quota may come at once, and
flows back evenly. Counted in this process alone, which takes about seven microseconds; who was not seen for longest is
forgotten first. Several workers share a quota evenly. (The library `limits` has a thread that looks through all buckets
a hundred times a second: who names fifty thousand members would keep a core busy with it.)
"""

from __future__ import annotations

import asyncio
import math
from typing import Final

from fastapi import Request
from throttled.rate_limiter import GCRARateLimiter, per_min
from throttled.store import MemoryStore

from api.errors import Problem
from tierengine.settings import Settings

WINDOW: Final = 60.0
BUCKETS_MOST: Final = 50_000
STATE: Final = "tierengine.limits"  # where in the scope the headers of this request stand
# At most so many passwords are hashed at once: they compute on the cores that serve the tills.
HASHING: Final = 2
TRIES_OF_A_LOGIN: Final = 20
TRIES_OF_AN_ADDRESS: Final = 60


class Buckets:
    """Buckets of one sort. `quota` in a minute; 0: without limit."""

    def __init__(self, name: str, quota: int) -> None:
        self.name, self.quota = name, quota
        self.policy = f'"{name}";q={quota};w={WINDOW:.0f}'.encode()
        self._kept = MemoryStore(options={"MAX_SIZE": BUCKETS_MOST})
        self._limiter = GCRARateLimiter(per_min(quota), self._kept, key_prefix=name) if quota else None

    def take(self, key: str | int) -> int:
        """Take one; return how many are left at once, -1: without limit. Problem (429) when the bucket is empty."""
        if self._limiter is None:
            return -1
        found = self._limiter.limit(str(key))
        if found.limited:
            again = max(1, math.ceil(found.state.retry_after))
            raise Problem("too_many_requests", limit=self.name, quota=self.quota, seconds=again)
        return found.state.remaining

    def forgive(self, key: str | int) -> None:
        """Fill a bucket: what was counted turned out well."""
        kind = GCRARateLimiter
        self._kept.set(f"{self.name}:{kind.KEY_SCHEMA_VERSION}:{kind.Meta.type}:{key}", 0, 1)


class Limits:
    """The limits of one process, and how many may have a password looked at at once.

    Each worker has its share of every quota and tells of that: together they let through no more than the setting says,
    and who keeps to what he is told is never refused, whichever worker he speaks to.
    """

    def __init__(self, settings: Settings) -> None:
        def share(quota: int) -> int:
            return max(1, quota // settings.workers) if quota else 0

        self.key = Buckets("key", share(settings.limit_key))
        self.store = Buckets("store", share(settings.limit_store))
        self.member = Buckets("member", share(settings.limit_member))
        self.login = Buckets("login", share(TRIES_OF_A_LOGIN))
        self.address = Buckets("address", share(TRIES_OF_AN_ADDRESS))
        self.hashing = asyncio.Semaphore(HASHING)

    def enter(self, request: Request, number: str, store_id: int | None) -> None:
        """Count a request of this key and store; the answer's headers tell what is left of the key's."""
        try:
            left = self.key.take(number)
        except Problem:
            self._tell(request, 0)
            raise
        if left >= 0:
            self._tell(request, left)
        if store_id is not None:
            self.store.take(store_id)

    def _tell(self, request: Request, left: int) -> None:
        # (t: after so many seconds the bucket is full again.)
        until = WINDOW * (self.key.quota - left) / self.key.quota
        told = f'"key";r={left};t={math.ceil(until)}'.encode()
        request.scope[STATE] = ((b"ratelimit-policy", self.key.policy), (b"ratelimit", told))

    def touch(self, dealer_id: int, member: object) -> None:
        """Count a request about a member."""
        if self.member.quota and isinstance(member, str):
            self.member.take(f"{dealer_id}:{member[:100]}")

    def knock(self, request: Request, login: str) -> None:
        """Count an attempt to log in, of an address and of a login, whether there is such a one or not."""
        self.address.take(_address(request))
        self.login.take(login)

    def came_in(self, request: Request, login: str) -> None:
        """Forget the failures of whoever has logged in."""
        self.address.forgive(_address(request))
        self.login.forgive(login)


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""
