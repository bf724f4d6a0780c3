"""The domain layer: the recorder in this process, on an SQLite file, without HTTP and without threads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import orjson

from api import errors
from tests.machine.programme import Family
from tests.machine.worlds import CALLERS, Call, Crash, Made, Reply, World, bare
from tierengine.errors import TierengineError
from tierengine.judging.observations import read_observation
from tierengine.membership.activity import statement
from tierengine.membership.asker import Asker
from tierengine.membership.merging import read_merge, read_unmerge
from tierengine.membership.view import view
from tierengine.membership.wallets import balance
from tierengine.recording.acts import CaptureHold, VoidHold
from tierengine.recording.items import Command, Item, Observe, Once
from tierengine.recording.recorder import Recorder
from tierengine.store import database
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, transact
from tierengine.till.asked import read_adjustment, read_capture, read_hold, read_transfer
from tierengine.till.orders import read_order
from tierengine.till.prices import as_asked
from tierengine.till.quotes import charge
from tierengine.till.sales import booked_lines, sale

_OWNER = "SELECT m.code FROM hold h JOIN member m ON m.id = h.member_id WHERE h.id = ?1"


class Domain(World):
    """The recorder in this process, on an SQLite file: what the endpoints do, without HTTP and without threads."""

    def __init__(self, name: str, url: str, family: Family, now: Callable[[], int]) -> None:
        super().__init__(name, url, family, now)
        self._begin()

    def _begin(self) -> None:
        self.link = database.connect(self.url)
        self.recorder = Recorder(self.link, now=self.now, vault=lambda: self.vault)
        self.recorder.recover()
        self.recorder.deliver()

    def restart(self) -> None:
        self.link.rollback()
        self.link.close()
        self._begin()

    def close(self) -> None:
        self.link.rollback()
        self.link.close()
        super().close()

    def perform(self, act: Callable[[Link, Ids], Made]) -> Made:
        self.link.rollback()
        return transact(self.link, self.recorder.ids, act)

    def send(self, call: Call) -> Reply:
        body = call.path.encode() + orjson.dumps(dict(call.body))
        once = Once(call.role, call.once, hashlib.sha256(body).hexdigest())
        try:
            item = self._item(call, once)
        except TierengineError as problem:
            return Reply(errors.status_of(problem), problem.code, bare({"details": dict(problem.details)}))
        try:
            (answer,) = self.recorder.record([item])
        except Crash:
            self.restart()
            return Reply(503, "writer_down", {"details": {}})
        self.recorder.deliver()
        assert answer is not None
        body = orjson.loads(answer.encoded())
        hold = body.get("hold", {}).get("id", 0)
        if answer.number >= 400:
            details = {name: value for name, value in (body.get("details") or {}).items() if name != "lines"}
            return Reply(
                answer.number, answer.code, bare({"details": details}), answer.encoded(), (), hold, answer.replayed
            )
        # (Of the answer, as a till reads them: one that comes again has the lines that were booked.)
        lines = tuple(body.pop("lines", ())) if call.path == "/v1/sales" else ()
        return Reply(answer.number, "", bare(body), answer.encoded(), lines, hold, answer.replayed)

    def _item(self, call: Call, once: Once) -> Item:
        now, (source, store, late_days) = self.now(), CALLERS[call.role]
        with self.looking() as link:
            programme = self.programme(link)
        form: dict[str, Any] = {
            "source": source, "store": store, "now_us": now, "zone": programme.info, "late_days": late_days,
            "currency": programme.currency,
        }  # fmt: skip
        number = hashlib.sha256(call.once.encode()).hexdigest()[:32]
        match call.path.removeprefix("/v1/").split("/"):
            case ["events"]:
                return Observe(self.dealer, read_observation(call.body, **form), once)
            case ["sales"]:
                order = read_order(call.body, **form)
                late = order.late(now)
                if order.charged is None or order.credit == "max" or late:
                    self.eye.rollback()
                    charged = charge(self.eye, programme, order, now)  # it sees to its snapshot itself
                    self.eye.rollback()
                    lines, uses = charged.lines, charged.uses
                else:
                    lines, uses = as_asked(programme.line.at(now).rules.policy, order)
                return sale(
                    self.dealer, order, lines, uses, now=now, once=once,
                    tell=lambda said: {"lines": booked_lines(order, said)},
                )  # fmt: skip
            case ["sales", order_, "returns"]:
                raw = {"kind": "sale_returned", **call.body, "order": order_}
                return Observe(self.dealer, read_observation(raw, **form), once, refusable=True)
            case ["holds"]:
                member, act = read_hold(call.body, store=store, now_us=now)
                return Command(self.dealer, (member,), act, once)
            case ["holds", hold, what]:
                end = CaptureHold(int(hold), read_capture(call.body)) if what == "capture" else VoidHold(int(hold))
                return Command(self.dealer, (self._owner(int(hold)),), end, once)
            case ["members", code, "adjustments"]:
                return Command(self.dealer, (code,), read_adjustment(call.body, programme.zone, number), once)
            case ["members", code, "merge"]:
                who = {"dealer": self.dealer, "once": once}
                return read_merge(call.body, code, now_us=now, otherwise=number, by="x", **who)
            case ["members", code, "unmerge"]:
                with self.looking() as link:
                    return read_unmerge(link, call.body, code, dealer=self.dealer, once=once)
            case ["members", code, "transfers"]:
                to, transfer = read_transfer(call.body, number)
                return Command(self.dealer, (code, to), transfer, once)
        raise AssertionError(call.path)

    def _owner(self, hold: int) -> str:
        with self.looking() as link:
            rows = link.ask(_OWNER, hold).rows()
        return str(rows[0][0])

    def see(self, path: str) -> dict[str, Any]:
        _, _, _, code, *what = path.partition("?")[0].split("/")
        asker = Asker("", "zh")
        with self.looking() as link:
            programme = self.programme(link)
            if what == ["balance"]:
                found = balance(link, programme, code, self.now(), asker)
            elif what == ["ledger"]:
                found = statement(link, programme, code, self.now(), asker, before=None, limit=200)
            else:
                found = view(link, programme, code, self.now(), asker)
        told: dict[str, Any] = bare(orjson.loads(orjson.dumps(found)))
        return told
