"""The sealer of a service: seals in the background what was recorded, so that the chain is seconds behind the book."""

from __future__ import annotations

import logging
import threading
from typing import Final

from tierengine.ledger.sealing import PIECE, seal
from tierengine.recording.recorder import Clock, clock
from tierengine.recording.writer import Writer
from tierengine.settings import Settings
from tierengine.store.database import connect
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, transact
from tierengine.store.outages import told
from tierengine.traces import Traces

# Between two looks, and between two pieces while so much waits that a look finds more than half a piece. A seal is a
# transaction of its own: one a second costs a till nothing, twenty cost one that is alone half of its speed.
LOOK_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 0.05
_ANY: Final = "SELECT 1 FROM unsealed LIMIT 1"
_log = logging.getLogger(__name__)


class Sealer:
    """A thread that seals until it is closed. On SQLite the writer's connection does it, on PostgreSQL one of its own.

    Several processes may run one each: one of them seals, the others find it locked and look again later.
    """

    def __init__(self, settings: Settings, writer: Writer, *, now: Clock = clock, traces: Traces | None = None) -> None:
        self._traces = traces
        self._settings, self._writer, self._now = settings, writer, now
        self._link: Link | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._live, name="tierengine-sealer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; what is unsealed then is sealed by the next one."""
        self._closing.set()
        self._thread.join()

    def _live(self) -> None:
        while True:
            try:
                sealed = self._piece()
            except Exception as problem:  # noqa: BLE001 - whatever it is, what comes later is to be sealed too
                _log.warning("sealing waits: %s", told(problem))
                self._part()
                sealed = 0
            if self._closing.wait(PAUSE_SECONDS if sealed > PIECE // 2 else LOOK_SECONDS):
                break
        self._part()

    def _piece(self) -> int:
        """Seal a piece; return how many rows."""
        sqlite = self._settings.kind == "sqlite"
        if self._link is None:
            self._link = connect(self._settings.database_url, self._settings, readonly=sqlite)
        waiting = self._link.ask(_ANY).rows()
        self._link.rollback()
        if not waiting:
            return 0
        if self._traces is None:
            return self._sealed(self._link, sqlite=sqlite)
        with self._traces.work("seal", ()):
            return self._sealed(self._link, sqlite=sqlite)

    def _sealed(self, link: Link, *, sqlite: bool) -> int:
        if sqlite:
            return self._writer.perform(self._seal).result() or 0
        return transact(link, Ids(), self._seal) or 0

    def _part(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _seal(self, link: Link, _: Ids) -> int | None:
        return seal(link, self._now())
