"""The courier: a thread that follows the seals and delivers. One process of a service at a time does it.

A slow receiver keeps nobody else waiting: deliveries to several go at once, each within its time. What was answered
with 2xx is over; all else is tried again, so a receiver may see a message twice and knows it by `webhook-id`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from standardwebhooks import Webhook

from tierengine.access.secret import Secret
from tierengine.errors import Refused
from tierengine.policies.versions import Programmes
from tierengine.recording.recorder import Clock, clock
from tierengine.recording.writer import Writer
from tierengine.settings import Settings
from tierengine.store.database import connect
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, transact
from tierengine.webhooks.address import Resolve, target
from tierengine.webhooks.endpoints import Endpoint, active, turn
from tierengine.webhooks.outbox import Due, delivered, due, failed, fill, look
from tierengine.webhooks.rotation import in_force, secrets_of

if TYPE_CHECKING:
    import httpx

LOOK_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 10.0
AT_ONCE: Final = 32
_GONE: Final = 410
_HEADS: Final = "SELECT COALESCE(max(number), 0) FROM policy_version WHERE dealer_id = ?1"
# Any number will do that nobody else locks.
_LOCK: Final = "SELECT pg_try_advisory_lock(6846713)"
_log = logging.getLogger(__name__)


class Courier:
    """Tells webhooks until it is closed. On SQLite the writer's connection writes, on PostgreSQL one of its own."""

    def __init__(
        self,
        settings: Settings,
        secret: Secret,
        writer: Writer | None,
        *,
        now: Clock = clock,
        resolve: Resolve | None = None,
        start: bool = True,
    ) -> None:
        self._settings, self._secret, self._writer, self._now, self._resolve = settings, secret, writer, now, resolve
        self._link: Link | None = None
        self._mine = False
        self._programmes = Programmes()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._live, name="tierengine-courier", daemon=True)
        if start:
            self._thread.start()

    def close(self) -> None:
        """End the thread; what is under way is waited for, what was not noted is sent again by the next one."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        self._part()

    def round(self) -> int:
        """Look at the seals once and try once what is due; return how many deliveries were made or tried."""
        link = self._connected()
        if not self._mine:
            return 0
        webhooks = {one.id: one for one in active(link)}
        link.rollback()
        done = 0
        for one in webhooks.values():
            done += self._fill(link, one)
        waiting = due(link, self._now(), AT_ONCE) if webhooks else []
        signing = in_force(link, sorted({one.webhook_id for one in waiting}), self._now()) if waiting else {}
        link.rollback()
        if waiting:
            secrets = {number: secrets_of(self._secret, number, found) for number, found in signing.items()}
            asyncio.run(self._deliver(waiting, webhooks, secrets))
        return done + len(waiting)

    def _live(self) -> None:
        while True:
            try:
                done = self.round()
            except Exception as problem:  # noqa: BLE001 - whatever it is, what comes later is to be told too
                _log.warning("webhooks wait: %s", type(problem).__name__)
                self._part()
                done = 0
            if self._closing.wait(0.0 if done else LOOK_SECONDS):
                break

    def _connected(self) -> Link:
        if self._link is None:
            sqlite = self._settings.kind == "sqlite"
            self._link = connect(self._settings.database_url, self._settings, readonly=sqlite)
            self._mine = sqlite
        if not self._mine:
            self._mine = bool(self._link.ask(_LOCK).rows()[0][0])
            self._link.rollback()
        return self._link

    def _part(self) -> None:
        link, self._link, self._mine = self._link, None, False
        if link is not None:
            link.close()

    def _fill(self, link: Link, one: Endpoint) -> int:
        head = int(link.ask(_HEADS, one.dealer_id).rows()[0][0])
        if not head:
            link.rollback()
            return 0
        programme = self._programmes.of(link, one.dealer_id, head)
        found = look(link, programme, one, self._now())
        link.rollback()
        if found is None:
            return 0
        self._do(lambda link, ids: fill(link, ids, found))
        # Also a stretch of seals that had nothing to tell is progress: the next is looked at without a pause.
        return 1

    def _do(self, act: Callable[[Link, Ids], object]) -> None:
        if self._writer is not None and self._settings.kind == "sqlite":
            self._writer.perform(act).result()
        elif self._link is not None:
            transact(self._link, Ids(), act)

    # ---- sending --------------------------------------------------------------------------------------------------

    async def _deliver(self, waiting: list[Due], webhooks: dict[int, Endpoint], secrets: dict[int, list[str]]) -> None:
        import httpx  # noqa: PLC0415  a tenth of what starting the service takes, and most have no webhooks

        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, follow_redirects=False, trust_env=False) as http:
            told = await asyncio.gather(
                *(self._send(http, one, webhooks[one.webhook_id], secrets[one.webhook_id]) for one in waiting)
            )
        for one, (why, wait) in zip(waiting, told, strict=True):
            self._do(lambda link, _, one=one, why=why, wait=wait: self._note(link, one, why, wait))  # type: ignore[misc]

    def _note(self, link: Link, one: Due, why: str, wait: int) -> None:
        now = self._now()
        if not why:
            delivered(link, one, now)
            return
        failed(link, one, now, why, wait)
        if why == str(_GONE):
            turn(link, one.webhook_id, "paused")  # the receiver says that nobody lives there any more

    async def _send(self, http: httpx.AsyncClient, one: Due, webhook: Endpoint, secrets: list[str]) -> tuple[str, int]:
        """Send one message; return ("", 0) when it was taken, else why not and how long to wait, in seconds."""
        import httpx  # noqa: PLC0415  as above

        try:
            inside = bool(self._settings.webhooks_inside)
            to = await asyncio.to_thread(target, webhook.url, inside=inside, resolve=self._resolve)
            request = http.build_request(
                "POST", to.url, content=one.content, headers=self._headers(one, secrets, to.host),
                extensions={"sni_hostname": to.name},
            )  # fmt: skip
            # Whatever it says, its status is enough: a body without an end costs nothing.
            answer = await http.send(request, stream=True)
            await answer.aclose()
        except Refused as problem:
            return problem.code, 0
        except (OSError, httpx.HTTPError) as problem:
            return type(problem).__name__, 0
        if answer.is_success:
            return "", 0
        asked = answer.headers.get("retry-after", "")
        return str(answer.status_code), int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 0

    def _headers(self, one: Due, secrets: list[str], host: str) -> dict[str, str]:
        at = datetime.fromtimestamp(self._now() / 1_000_000, UTC)
        signed = " ".join(Webhook(secret).sign(one.message, at, one.content.decode()) for secret in secrets)
        return {
            "content-type": "application/json",
            "host": host,
            "user-agent": "tierengine",
            "webhook-id": one.message,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signed,
        }
