"""One message on its way: to the address that was looked at, signed with each secret in force, within its time.

Whatever goes wrong with one message is that message's failure and nobody else's: a name that no resolver takes, an
answer that comes a byte at a time. Nothing is sent over a connection that was opened for another webhook, for that one
was made to another name.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from standardwebhooks import Webhook

from tierengine.errors import Refused
from tierengine.webhooks.address import Resolve, Target, target
from tierengine.webhooks.outbox import Due

if TYPE_CHECKING:
    import httpx

ANSWER_SECONDS: Final = 10.0
PATIENCE_MOST: Final = 86_400  # seconds that a receiver may ask for; what is longer is the longest of our own waits
_DATE_MOST: Final = 40  # characters of the longest form of an HTTP date, and some


@dataclass(frozen=True, slots=True)
class Sending:
    """A message, where it goes, and the secrets it is signed with (the newest first)."""

    due: Due
    url: str
    secrets: Sequence[str]


def client() -> httpx.AsyncClient:
    """Return a client that follows no redirect, asks no proxy of the environment, and keeps no connection."""
    import httpx  # noqa: PLC0415  a tenth of what starting the service takes, and most have no webhooks

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncClient(timeout=ANSWER_SECONDS, follow_redirects=False, trust_env=False, limits=limits)


async def look_up(url: str, *, inside: bool, resolve: Resolve | None) -> Target:
    """Return where a call to `url` goes; Refused and OSError as `target`. `inside`: of the inside network will do.

    The system's resolver cannot be told to stop. So it has a thread of its own, which nobody else waits for: neither
    another webhook's name nor the end of the service.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Target] = loop.create_future()

    def say(tell: Callable[[Any], None], what: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody asks any more
            loop.call_soon_threadsafe(lambda: None if found.done() else tell(what))

    def look() -> None:
        try:
            say(found.set_result, target(url, inside=inside, resolve=resolve))
        except Exception as problem:  # noqa: BLE001 - whatever a resolver raises, it is told to who asked
            say(found.set_exception, problem)

    threading.Thread(target=look, name="tierengine-lookup", daemon=True).start()
    return await found


async def send(http: httpx.AsyncClient, one: Sending, now: int, where: Awaitable[Target]) -> tuple[str, int]:
    """Send one message; return ("", 0) when it was taken, else why not and how long to wait, in seconds.

    now    microseconds UTC, as the message is stamped
    where  the address that was looked at, for all that goes to this webhook now
    """
    try:
        # In all: the client's own time-out begins anew with each byte of an answer.
        async with asyncio.timeout(ANSWER_SECONDS):
            to = await where
            request = http.build_request(
                "POST", to.url, content=one.due.content, headers=_headers(one, now, to.host),
                extensions={"sni_hostname": to.name},
            )  # fmt: skip
            # Whatever it says, its status is enough: a body without an end costs nothing.
            answer = await http.send(request, stream=True)
            await answer.aclose()
    except Refused as problem:
        return problem.code, 0
    except Exception as problem:  # noqa: BLE001 - this message waits; every other one goes on
        return type(problem).__name__, 0
    if answer.is_success:
        return "", 0
    return str(answer.status_code), _patience(
        answer.headers.get("retry-after", ""), answer.headers.get("date", ""), now
    )


def _patience(asked: str, date: str, now: int) -> int:
    """Return for how many seconds a receiver asks to be left alone: `Retry-After`, a number or an HTTP date; else 0.

    date  what its own clock said: a date is meant by that one, whatever ours says
    """
    if asked.isascii() and asked.isdigit():
        return PATIENCE_MOST if len(asked) > len(str(PATIENCE_MOST)) else min(int(asked), PATIENCE_MOST)
    until, its = _instant(asked), _instant(date)
    since = now / 1_000_000 if its is None else its
    return 0 if until is None else min(max(0, math.ceil(until - since)), PATIENCE_MOST)


def _instant(date: str) -> float | None:
    try:
        found = parsedate_to_datetime(date) if len(date) <= _DATE_MOST else None
        # (asctime's form names no zone, and means this one.)
        return None if found is None else (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except Exception:  # noqa: BLE001 - the parser was made for mail and trips over odd text in more than one way
        return None


def _headers(one: Sending, now: int, host: str) -> dict[str, str]:
    at = datetime.fromtimestamp(now / 1_000_000, UTC)
    text = one.due.content.decode()
    return {
        "content-type": "application/json",
        "host": host,
        "user-agent": "tierengine",
        "webhook-id": one.due.message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(one.due.message, at, text) for secret in one.secrets),
    }
