"""The courier: a thread that follows the seals and delivers. One process of a service at a time does it.

A slow receiver keeps nobody else waiting: what it has not answered stays under way while the rounds go on, and until
that is over its webhook gets nothing more. What was answered with 2xx is over; all else is tried again, so a receiver
may see a message twice and knows it by `webhook-id`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tierengine.access.secret import Secret
from tierengine.policies.versions import Programmes
from tierengine.recording.recorder import Clock, clock
from tierengine.recording.writer import Writer
from tierengine.settings import Settings
from tierengine.store.database import connect
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, Made, transact
from tierengine.store.outages import told
from tierengine.webhooks.address import Resolve, Target
from tierengine.webhooks.endpoints import Endpoint, active, turn
from tierengine.webhooks.outbox import Due, Walk, delivered, due, failed, fill, look
from tierengine.webhooks.pruning import Pruner
from tierengine.webhooks.rotation import in_force, secrets_of
from tierengine.webhooks.sending import Sending, client, look_up, send

if TYPE_CHECKING:
    import httpx

LOOK_SECONDS: Final = 1.0
PARTING_SECONDS: Final = 0.5  # when it is closed: for who is just answering
AT_ONCE: Final = 32  # to one webhook
ALL_AT_ONCE: Final = 512
_GONE: Final = 410
_HEADS: Final = "SELECT COALESCE(max(number), 0) FROM policy_version WHERE dealer_id = ?1"
# Any number will do that nobody else locks.
_LOCK: Final = "SELECT pg_try_advisory_lock(6846713)"
_log = logging.getLogger(__name__)
Answers = list[tuple[Due, tuple[str, int]]]


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
        self._pruner = Pruner(settings)
        self._runner: asyncio.Runner | None = None
        self._http: httpx.AsyncClient | None = None
        # Ids are the places of deliveries: whoever takes over takes a block of his own, above all that were used.
        self._ids = Ids()
        self._walks: dict[int, Walk | None] = {}
        self._lookups: dict[str, asyncio.Task[Target]] = {}
        self._flying: dict[asyncio.Task[tuple[str, int]], Due] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._live, name="tierengine-courier", daemon=True)
        if start:
            self._thread.start()

    def close(self) -> None:
        """End the thread. Who is just answering is heard; what is unanswered is sent again by the next courier."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        else:
            self._end()

    def round(self) -> int:
        """Look at the seals once, send what is due and note what was answered; return how much of all that there was.

        It takes no longer than LOOK_SECONDS or what is answered meanwhile; what is not stays under way.
        """
        link = self._connected()
        if not self._mine:
            return 0
        webhooks = {one.id: one for one in active(link)}
        link.rollback()
        done = 0
        for one in webhooks.values():
            try:
                done += self._fill(link, one)
            except Exception as problem:  # noqa: BLE001 - a policy that cannot be read is no other dealer's affair
                _log.warning("webhook %s waits: %s", one.id, type(problem).__name__)
                link.rollback()  # (and where it is the connection that is gone, this says so)
        waiting = self._due(link, webhooks)
        link.rollback()
        answered = self._run(self._deliver(waiting)) if waiting or self._flying else []
        self._noted(answered)
        self._pruner.piece(link, self._do, self._now())
        return done + len(waiting) + len(answered)

    def _live(self) -> None:
        while True:
            try:
                done = self.round()
            except Exception as problem:  # noqa: BLE001 - whatever it is, what comes later is to be told too
                _log.warning("webhooks wait: %s", told(problem))
                self._part()
                done = 0
            if self._closing.wait(0.0 if done or self._flying else LOOK_SECONDS):
                break
        self._end()

    def _end(self) -> None:
        """Note what is answered in a moment, then let go: a receiver that hangs keeps nobody from ending."""
        try:
            if self._flying:
                self._noted(self._run(self._answered()))
        except Exception as problem:  # noqa: BLE001 - it is sent again by the next courier
            _log.warning("webhooks wait: %s", told(problem))
        self._part()
        if self._runner is not None:
            if self._http is not None:
                self._runner.run(self._http.aclose())
            self._runner.close()
            self._runner = self._http = None

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
        for task in self._flying:
            task.cancel()
        self._flying.clear()
        self._ids, self._walks = Ids(), {}
        if link is not None:
            link.close()

    def _fill(self, link: Link, one: Endpoint) -> int:
        head = int(link.ask(_HEADS, one.dealer_id).rows()[0][0])
        if not head:
            link.rollback()
            return 0
        programme = self._programmes.of(link, one.dealer_id, head)
        found = look(link, programme, one, self._now(), self._walks.get(one.id))
        link.rollback()
        if found is None:
            return 0
        if self._do(lambda link, ids: fill(link, ids, found)):
            self._walks[one.id] = found.walk
        # Also a stretch of seals that had nothing to tell is progress: the next is looked at without a pause. Members
        # whom a version did not move are not: to judge all at once would take the processor from the tills.
        return 1 if found.walk is None or found.messages else 0

    def _do(self, act: Callable[[Link, Ids], Made]) -> Made:
        if self._writer is not None and self._settings.kind == "sqlite":
            return self._writer.perform(act).result()
        return transact(self._connected(), self._ids, act)

    # ---- sending --------------------------------------------------------------------------------------------------

    def _due(self, link: Link, webhooks: Mapping[int, Endpoint]) -> list[Sending]:
        """Return what is to be sent now, to each webhook of which nothing is under way."""
        now, busy = self._now(), {one.webhook_id for one in self._flying.values()}
        waiting = [one for number in webhooks if number not in busy for one in due(link, number, now, AT_ONCE)]
        waiting = waiting[: max(0, ALL_AT_ONCE - len(self._flying))]
        signing = in_force(link, sorted({one.webhook_id for one in waiting}), now) if waiting else {}
        secrets = {number: secrets_of(self._secret, number, found) for number, found in signing.items()}
        return [Sending(one, webhooks[one.webhook_id].url, secrets[one.webhook_id]) for one in waiting]

    def _run(self, work: Coroutine[Any, Any, Answers]) -> Answers:
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(work)

    async def _deliver(self, waiting: Sequence[Sending]) -> Answers:
        if self._http is None:
            self._http = client()
        now, new = self._now(), []
        for one in waiting:
            sent = send(self._http, one, now, asyncio.shield(self._where(one.url)))
            new.append(asyncio.create_task(sent))
            self._flying[new[-1]] = one.due
        # What was under way before is not waited for: others would get a round a second as long as one is silent.
        first = asyncio.ALL_COMPLETED if new else asyncio.FIRST_COMPLETED
        await asyncio.wait(new or self._flying, timeout=LOOK_SECONDS, return_when=first)
        return self._over()

    def _where(self, url: str) -> asyncio.Task[Target]:
        """Look up where this goes, once for all that goes there now; a look-up that hangs is not begun again."""
        if url not in self._lookups:
            inside = bool(self._settings.webhooks_inside)
            task = self._lookups[url] = asyncio.create_task(look_up(url, inside=inside, resolve=self._resolve))

            def over(task: asyncio.Task[Target]) -> None:
                self._lookups.pop(url, None)
                if not task.cancelled():
                    task.exception()  # told to each message that waited for it, if any still did

            task.add_done_callback(over)
        return self._lookups[url]

    async def _answered(self) -> Answers:
        """Give what is under way a moment; return what was answered."""
        await asyncio.wait(self._flying, timeout=PARTING_SECONDS)
        return self._over()

    def _over(self) -> Answers:
        return [(self._flying.pop(task), task.result()) for task in list(self._flying) if task.done()]

    def _noted(self, answers: Answers) -> None:
        for one, (why, wait) in answers:
            self._do(lambda link, _, one=one, why=why, wait=wait: self._note(link, one, why, wait))  # type: ignore[misc]

    def _note(self, link: Link, one: Due, why: str, wait: int) -> None:
        now = self._now()
        if not why:
            delivered(link, one, now)
            return
        failed(link, one, now, why, wait)
        if why == str(_GONE):
            turn(link, one.webhook_id, "paused")  # the receiver says that nobody lives there any more
