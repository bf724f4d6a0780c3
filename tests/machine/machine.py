"""The state machine: whatever may happen to a book, in any order, in all worlds and in the oracle."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, ClassVar, Final
from unittest import mock

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.machine.oracle import FIRM, MEMBERS, Oracle, Wrong
from tests.machine.programme import CREDIT, FAMILIES, POINTS, ZONE, Family
from tests.machine.worlds import PLAN, STORE, Call, Reply, World, mortal
from tests.model import dates
from tests.model.dates import DAY
from tests.model.rows import Said, key_of
from tierengine.awarding import awards
from tierengine.policies import versions
from tierengine.policies.versions import load
from tierengine.recording import sealer
from tierengine.recording.rebuilding import rebuild

HOUR, MINUTE = DAY // 24, DAY // 1_440
START: Final = dates.start_of(ZONE, date(2026, 1, 20)) + 10 * HOUR
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What a refused request may change: its own stored answer, the audit of what the staff tried, and what is to be sealed.
_OWN: Final = ("idempotency", "audit", "unsealed")

READ: Final = cache(versions._policy)

Worlds = Callable[[Family, Callable[[], int]], tuple[list[World], Callable[[], None]]]


@dataclass
class Tally:
    """How much was done, of all examples."""

    examples: int = 0
    steps: int = 0
    calls: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Sent:
    """A call that was sent, with what its first sending was answered."""

    call: Call
    replies: tuple[Reply, ...]
    at: int


def stamp(at: int) -> str:
    return (_EPOCH + timedelta(microseconds=at)).isoformat()


members = st.sampled_from(MEMBERS)
agos = st.sampled_from((0, 0, 1, MINUTE, HOUR, DAY, 3 * DAY, 12 * DAY, 33 * DAY))
fen = st.integers(1, 30)
lists = st.sampled_from((1, 10, 35, 50, 99, 100, 151, 250))


class Machine(RuleBasedStateMachine):
    """All rules; `worlds` makes the worlds of an example, and what ends them."""

    worlds: ClassVar[Worlds]
    tally: ClassVar[Tally]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(mortal())
        # Its own seconds would decide when the sealer looks; here it is a rule.
        self.stack.enter_context(mock.patch.object(sealer, "LOOK_SECONDS", 3_600.0))
        self.stack.enter_context(mock.patch.object(awards, "CHUNK", 1))
        # To read a text takes longer than to do anything by it, and many are started here.
        self.stack.enter_context(mock.patch.object(versions, "_policy", READ))
        self.numbers = itertools.count(1)
        self.crash = ""
        self.crashed = False
        self.sound = False  # whether the last step was looked at to its end
        self.wrote = True
        self.spoken: set[str] = set()
        self.sent: list[Sent] = []
        self.raws: dict[str, dict[str, Any]] = {}  # event key → the highest revision of it as it was sent
        self.holds: dict[str, tuple[str, list[int]]] = {}  # order → whose, its id in each world
        self.oracle: Oracle
        self.all: list[World] = []

    @initialize(family=st.sampled_from(FAMILIES))
    def begin(self, family: Family) -> None:
        self.oracle = Oracle(family, START)
        self.all, end = type(self).worlds(family, lambda: self.oracle.now)
        self.stack.callback(end)
        for member in FIRM:
            said = {"kind": "attribute_changed", "member": member, "name": "firm", "value_text": "F1"}
            self.tell(said, lambda: "recorded", source_id=f"firm-{member}")
        type(self).tally.examples += 1

    # ---- one call, everywhere

    def call(self, path: str, body: Mapping[str, Any], role: str) -> Call:
        return Call(path, body, role, f"k{next(self.numbers)}")

    def ask(self, call: Call, expected: Callable[[], str]) -> list[Reply]:
        """Send a call to all; they answer alike, and as the oracle says."""
        self.tally.calls[call.path.split("/")[2] if "/holds/" not in call.path else call.path.rsplit("/", 1)[1]] += 1
        kept = [world.dump() for world in self.all] if self._refused(expected) else None
        try:
            status, code = expected(), ""
        except Wrong as wrong:
            status, code = "refused", wrong.code
        replies = self.everywhere(call)
        first = replies[0]
        self.spoken |= {first.body.get("member", ""), call.body.get("to", "")} & set(MEMBERS)
        assert (first.body.get("status", "") if not first.code else "refused", first.code) == (status, code), (
            call, first, status, code,
        )  # fmt: skip
        if kept is not None and code:
            self.unchanged(kept, replies, code)
        self.sent.append(Sent(call, tuple(replies), self.oracle.now))
        return replies

    def _refused(self, expected: Callable[[], str]) -> bool:
        """Whether it will be refused: asked of an oracle that is thrown away."""
        kept = self.oracle
        self.oracle = kept.copy()
        try:
            expected()
        except Wrong:
            return True
        finally:
            self.oracle = kept
        return False

    def everywhere(self, call: Call | list[Call]) -> list[Reply]:
        calls = call if isinstance(call, list) else [call] * len(self.all)
        crash, self.crash = self.crash, ""
        self.crashed, self.wrote, self.sound = False, True, False
        replies = []
        for world, one in zip(self.all, calls, strict=True):
            PLAN.at = crash
            reply = world.send(one)
            PLAN.at = ""
            if reply.status == 503:
                assert crash, reply
                self.crashed = True
                reply = world.send(one)  # as a till does that got no answer
            replies.append(reply)
        self.alike(replies, call)
        return replies

    def alike(self, found: list[Any], about: object) -> None:
        for world, one in zip(self.all[1:], found[1:], strict=True):
            assert one == found[0], (about, self.all[0].name, found[0], world.name, one)

    def unchanged(self, kept: list[dict[str, str]], replies: list[Reply], code: str) -> None:
        """A refused request has changed nothing but its own stored answer (and the list of contradictions)."""
        own = (*_OWN, "event_conflict") if code == "event_conflict" else _OWN
        for world, before, reply in zip(self.all, kept, replies, strict=True):
            after = world.dump()
            changed = {table for table in after if after[table] != before[table]}
            assert changed <= set(own), (world.name, code, changed)
            rows = [int(one["idempotency"].split()[0]) for one in (before, after)]
            assert rows[1] - rows[0] == int(reply.status == 409), (world.name, reply)

    # ---- what is said

    def tell(
        self, raw: Mapping[str, Any], expected: Callable[[], str], *, ago: int = 0, role: str = "archivist", **more: Any
    ) -> list[Reply]:
        body = {"occurred_at": stamp(self.oracle.now - ago), "store": STORE, **raw, **more}
        return self.ask(self.call("/v1/events", body, role), expected)

    def observed(self, raw: dict[str, Any], said: Said, **how: Any) -> None:
        """Send an observation; `said` is the same for the oracle."""
        self.raws[said.key] = {**raw, "occurred_at": stamp(said.at)}
        self.tell(self.raws[said.key], lambda: self.oracle.observe(said), **how)

    @rule(member=members, ago=agos)
    def contact(self, member: str, ago: int) -> None:
        number, at = f"c{next(self.numbers)}", self.oracle.now - ago
        fields = {"channel": "phone", "direction": "customer", "status": "accepted"}
        raw = {"kind": "contact", "member": member, "source_id": number, **fields}
        self.observed(raw, Said("contact", f"archive:{number}", at, member, fields))

    @rule(ago=agos)
    def refer(self, ago: int) -> None:
        number, at = f"f{next(self.numbers)}", self.oracle.now - ago
        raw = {"kind": "referral_registered", "member": "C", "source_id": number, "referred": "A"}
        self.observed(raw, Said("referral_registered", f"archive:{number}", at, "C", {"referred": "A"}))

    @rule(
        member=members, ago=agos, amount=st.sampled_from((1_000, 2_500)), referred=st.booleans(),
        serial=st.sampled_from(("", "", "X0")), data=st.data(),
    )  # fmt: skip
    def machine(self, member: str, ago: int, amount: int, referred: bool, serial: str, data: st.DataObject) -> None:
        """Somebody buys a machine; X0 is bought and given away by all of them."""
        order = f"M{next(self.numbers)}"
        fields: dict[str, Any] = {"amount": amount, "serial": serial or f"X{order}", "used": 0}
        raw = {"kind": "machine_purchase", "member": member, "order": order, "amount": amount}
        raw["serial"] = fields["serial"]
        known = sorted(key for key, one in self.oracle.there().items() if one.kind == "referral_registered")
        if referred and member != "C" and known:
            fields["referral"] = raw["referral"] = data.draw(st.sampled_from(known))
        key = key_of("machine_purchase", order)
        said = Said("machine_purchase", key, self.oracle.now - ago, member, fields, order=order)
        self.observed(raw | {"used": False}, said)

    @rule(data=st.data(), ago=agos)
    def settled(self, data: st.DataObject, ago: int) -> None:
        """A machine is paid for; or one that nobody knows of yet."""
        orders = sorted(one.order for one in self.sales() if one.kind == "machine_purchase")
        order = data.draw(st.sampled_from([*orders, f"M{next(self.numbers) + 2}"]))
        key = key_of("purchase_settled", order)
        if key not in self.raws:
            raw = {"kind": "purchase_settled", "order": order}
            self.observed(raw, Said("purchase_settled", key, self.oracle.now - ago, "", order=order))

    @rule(member=members, ago=agos, amounts=st.lists(lists, min_size=1, max_size=2), qty=st.integers(1, 3))
    def parts(self, member: str, ago: int, amounts: list[int], qty: int) -> None:
        order = f"P{next(self.numbers)}"
        lines = tuple(
            {"item": f"i{place}", "category": "parts", "qty": qty, "amount": amount}
            for place, amount in enumerate(amounts)
        )
        raw = {"kind": "parts_purchase", "member": member, "order": order, "lines": list(lines)}
        key = key_of("parts_purchase", order)
        self.observed(raw, Said("parts_purchase", key, self.oracle.now - ago, member, order=order, lines=lines))

    def sales(self) -> list[Said]:
        return [one for one in self.oracle.there().values() if one.kind in ("machine_purchase", "parts_purchase")]

    @precondition(lambda self: self.sales())
    @rule(data=st.data(), ago=agos, till=st.booleans(), part=st.sampled_from((0, 0, 1, 2)))
    def returned(self, data: st.DataObject, ago: int, till: bool, part: int) -> None:
        """A sale comes back, whole or a piece of it: over the till's own call, or told by the desk."""
        sold = data.draw(st.sampled_from(self.sales()))
        self.back(sold.order, ago, till=till, part=part if sold.lines else 0)

    @rule(ago=agos)
    def returned_before_its_sale(self, ago: int) -> None:
        self.back(f"P{next(self.numbers) + 3}", ago, till=False, part=0)

    def back(self, order: str, ago: int, *, till: bool, part: int) -> None:
        number = f"r{next(self.numbers)}"
        at = self.oracle.now - (0 if till else ago)
        lines = ({"item": "i0", "qty": part},) if part else ()
        source = "till-S1" if till else "archive"
        said = Said("sale_returned", f"{source}:{number}", at, "", order=order, lines=lines)
        raw: dict[str, Any] = {"source_id": number, "occurred_at": stamp(at)}
        raw |= {"lines": list(lines)} if part else {}
        if till:
            call = self.call(f"/v1/sales/{order}/returns", raw, "pos")
            self.ask(call, lambda: self.oracle.observe(said, refusable=True))
        else:
            self.observed({"kind": "sale_returned", "order": order, **raw}, said)

    @precondition(lambda self: self.raws)
    @rule(data=st.data())
    def cancelled(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(sorted(self.raws.keys() & self.oracle.there().keys())))
        there = self.oracle.there()[old]
        gone = replace(
            there, kind="observation_cancelled", member="", lines=(), fields={}, revision=there.revision + 1, order="",
            names="", at=self.oracle.now,
        )  # fmt: skip
        raw = {"kind": "observation_cancelled", "source_id": old, "revision": gone.revision, "reason": "x"}
        self.tell(raw, lambda: self.oracle.observe(gone))

    @precondition(lambda self: self.raws)
    @rule(data=st.data(), ago=agos, other=st.booleans())
    def corrected(self, data: st.DataObject, ago: int, other: bool) -> None:
        """The whole event again under a higher revision: on another day; or under the same one, which is a conflict."""
        key = data.draw(st.sampled_from(sorted(self.raws)))
        first = next(one for one in self.oracle.said if one.key == key and one.kind != "observation_cancelled")
        revision = self.oracle.there()[key].revision + (0 if other else 1)
        said = replace(first, at=self.oracle.now - ago, revision=revision)
        raw = {**self.raws[key], "occurred_at": stamp(said.at)} | ({"revision": revision} if revision else {})
        self.tell(raw, lambda: self.oracle.observe(said))

    # ---- tills

    @rule(member=members, amounts=st.lists(lists, min_size=1, max_size=2), credit=st.one_of(st.just(0), fen))
    def sale(self, member: str, amounts: list[int], credit: int) -> None:
        self.sell(f"S{next(self.numbers)}", member, amounts, credit)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), amounts=st.lists(lists, min_size=1, max_size=2), credit=fen)
    def sale_of_what_is_held(self, data: st.DataObject, amounts: list[int], credit: int) -> None:
        order = data.draw(st.sampled_from(sorted(self.holds)))
        if key_of("parts_purchase", order) not in self.oracle.there():
            self.sell(order, self.holds[order][0], amounts, credit)

    def sell(self, order: str, member: str, amounts: list[int], credit: int) -> None:
        at, key = self.oracle.now, key_of("parts_purchase", order)
        gold = self.oracle.tier(member, (at, 3, key)) == "gold"
        prices = [(amount * 95 + 50) // 100 if gold else amount for amount in amounts]
        lines = [
            {"item": f"i{place}", "category": "parts", "qty": 1, "list": amount} for place, amount in enumerate(amounts)
        ]
        body: dict[str, Any] = {"member": member, "order": order, "occurred_at": stamp(at), "lines": lines}
        body |= {"credit": {CREDIT: credit}} if credit else {}
        # How the credit is shared among the lines is told by each; here it only must be all of it.
        parts = self.shared(prices, credit)
        told = tuple(
            {**line, "amount": price, "credit": part, "cash": price - part}
            for line, price, part in zip(lines, prices, parts, strict=True)
        )
        said = Said("parts_purchase", key, at, member, order=order, lines=told)
        replies = self.ask(self.call("/v1/sales", body, "pos"), lambda: self.oracle.sell(said, credit, prices))
        if not replies[0].code:
            for reply in replies:
                booked = [(line["amount"], line["credit"], line["cash"]) for line in reply.lines]
                assert booked == [(line["amount"], line["credit"], line["cash"]) for line in told], reply

    @staticmethod
    def shared(prices: list[int], credit: int) -> list[int]:
        """Shares in proportion, what is left by rounding to the largest remainders, the first line first."""
        total = sum(prices)
        if not total or credit > total:
            return [0] * len(prices)
        shares = [credit * price // total for price in prices]
        rest = sorted(range(len(prices)), key=lambda place: (-(credit * prices[place] % total), place))
        for place in rest[: credit - sum(shares)]:
            shares[place] += 1
        return shares

    @rule(member=members, amount=fen, soon=st.sampled_from((None, None, MINUTE, DAY)))
    def hold(self, member: str, amount: int, soon: int | None) -> None:
        order = f"H{next(self.numbers)}"
        until = None if soon is None else self.oracle.now + soon
        body: dict[str, Any] = {"member": member, "order": order, "wallet": CREDIT, "amount": amount}
        body |= {"expires_at": stamp(until)} if until is not None else {}
        call = self.call("/v1/holds", body, "pos")
        replies = self.ask(call, lambda: self.oracle.place_hold(member, order, amount, until))
        if not replies[0].code:
            self.holds[order] = (member, [reply.hold for reply in replies])

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), amount=st.one_of(st.none(), fen))
    def capture(self, data: st.DataObject, amount: int | None) -> None:
        order = data.draw(st.sampled_from(sorted(self.holds)))
        body = {} if amount is None else {"amount": amount}
        self.end(order, "capture", body, lambda: self.oracle.capture(self.holds[order][0], order, amount))

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(sorted(self.holds)))
        self.end(order, "void", {}, lambda: self.oracle.void(self.holds[order][0], order))

    def end(self, order: str, what: str, body: dict[str, Any], expected: Callable[[], str]) -> None:
        self.tally.calls[what] += 1
        once = f"k{next(self.numbers)}"
        calls = [Call(f"/v1/holds/{number}/{what}", body, "pos", once) for number in self.holds[order][1]]
        kept = [world.dump() for world in self.all] if self._refused(expected) else None
        try:
            status, code = expected(), ""
        except Wrong as wrong:
            status, code = "refused", wrong.code
        replies = self.everywhere(calls)
        self.spoken.add(self.holds[order][0])
        found = replies[0].body.get("status") if not replies[0].code else "refused"
        assert (found, replies[0].code) == (status, code), (what, order, replies[0])
        if kept is not None and code:
            self.unchanged(kept, replies, code)

    # ---- by hand

    @rule(
        member=members, wallet=st.sampled_from((CREDIT, CREDIT, POINTS)), amount=st.integers(-30, 30).filter(bool),
        second=st.sampled_from(("U2", "U2", "")), days=st.sampled_from((None, 0, 1, 20)),
    )  # fmt: skip
    def adjust(self, member: str, wallet: str, amount: int, second: str, days: int | None) -> None:
        number = f"a{next(self.numbers)}"
        body: dict[str, Any] = {"wallet": wallet, "amount": amount, "reason": "x", "by": "U1", "source_id": number}
        body |= {"second": second} if second else {}
        ends = None
        if days is not None:
            day = dates.days_later(dates.day_of(ZONE, self.oracle.now), days)
            body["last_day"], ends = day.isoformat(), dates.start_of(ZONE, dates.days_later(day, 1))
        call = self.call(f"/v1/members/{member}/adjustments", body, "admin")
        self.ask(call, lambda: self.oracle.adjust(f"adjust:{number}", member, wallet, amount, second, ends))

    @rule(giver=members, receiver=st.sampled_from(("B", "A", "B", "C")), amount=fen)
    def transfer(self, giver: str, receiver: str, amount: int) -> None:
        number = f"t{next(self.numbers)}"
        body = {"to": receiver, "wallet": CREDIT, "amount": amount, "reason": "x", "by": "U1", "source_id": number}
        call = self.call(f"/v1/members/{giver}/transfers", body, "admin")
        self.ask(call, lambda: self.oracle.transfer(f"transfer:{number}", giver, receiver, amount))

    # ---- once

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def sent_again(self, data: st.DataObject) -> None:
        """The same key and body: the same bytes, where the first answer was kept.

        Within the days that a till may date back: older ones are refused for their form before anybody looks.
        """
        old = data.draw(st.sampled_from(self.sent[-12:]))
        kept = old.replies[0].status in (200, 201, 202, 409) and self.oracle.now - old.at < 7 * DAY
        if kept:
            ended = str(old.call.body.get("expires_at", "9999")) <= stamp(self.oracle.now)
            for world, first in zip(self.all, old.replies, strict=True):
                if ended and world.name == "domain":
                    continue  # it is the service that looks for the key before it reads a form that has become too old
                again = world.send(old.call)
                assert (again.raw, again.replayed, again.status) == (first.raw, True, first.status) or (
                    not first.raw
                ), (world.name, first, again)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def another_body_under_a_key(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.sent[-12:]))
        if old.replies[0].status in (200, 201, 202) and old.call.path == "/v1/events":
            other = replace(old.call, body={**old.call.body, "note": "other"})
            before = [world.dump() for world in self.all]
            replies = self.everywhere(other)
            assert (replies[0].status, replies[0].code) == (422, "idempotency_mismatch")
            self.unchanged(before, replies, "idempotency_mismatch")

    @precondition(lambda self: self.raws)
    @rule(data=st.data())
    def told_again(self, data: st.DataObject) -> None:
        """The same event under another idempotency key, as a second channel tells it."""
        key = data.draw(st.sampled_from(sorted(self.raws)))
        first = next(one for one in self.oracle.said if one.key == key and one.revision == 0)
        raw = self.raws[key]
        self.ask(self.call("/v1/events", {"store": STORE, **raw}, "archivist"), lambda: self.oracle.observe(first))

    # ---- time, staff, and ends of processes

    @rule(by=st.sampled_from((1, MINUTE, HOUR, DAY, 5 * DAY, 16 * DAY, 31 * DAY)))
    def clock_forward(self, by: int) -> None:
        self.oracle.forward(by)

    @precondition(lambda self: self.oracle.instants())
    @rule(data=st.data(), off=st.sampled_from((0, 0, -1, 1)))
    def clock_to_an_end(self, data: st.DataObject, off: int) -> None:
        """To the very instant at which something ends, or a microsecond off it."""
        at = data.draw(st.sampled_from(self.oracle.instants()[:3]))
        self.oracle.forward(max(0, at + off - self.oracle.now))

    @rule(later=st.sampled_from((61, 3_600, 3 * 86_400)))
    def publish(self, later: int) -> None:
        """The other text of the family rules from a minute on, or later."""
        text = self.oracle.family.texts[len(self.oracle.versions) % 2]
        start = self.oracle.now + later * 1_000_000
        if start > self.oracle.versions[-1][0]:
            for world in self.all:
                world.publish(text, start)
            self.oracle.publish(text, start)

    @rule(member=members)
    def erase(self, member: str) -> None:
        """A member's personal data goes, unless an order of his is under way; nothing else of him changes, ever."""
        found = [world.erase(member) for world in self.all]
        self.wrote = True
        self.alike(found, "erase")
        held = any(purse.open() for (owner, _), purse in self.oracle.purses.items() if owner == member)
        assert found[0] == ("erase_holds" if held else ""), (found, member)

    @rule(upto=st.sampled_from((None, None, -1, 0, 1)))
    def award(self, upto: int | None) -> None:
        """The month's award is issued; or its process ends before the list is read, or after so many prizes."""
        month = int(f"{dates.day_of(ZONE, self.oracle.now):%Y%m}")
        expected = self.oracle.award(month, upto)
        found = [world.award(month, upto) for world in self.all]
        self.wrote, self.spoken = True, set(self.oracle.runs[month])
        self.alike(found, "award")
        assert upto is not None or found[0] == expected, (found, expected)

    @rule(when=st.sampled_from(("before", "after")))
    def crash_next(self, when: str) -> None:
        """The next group's process ends just before or just after its COMMIT, and the caller asks again."""
        self.crash = when

    @rule(now=st.sampled_from((False, False, False, True)))
    def restart(self, now: bool) -> None:
        if not now:
            return
        for world in self.all:
            world.restart()

    @rule()
    def sealed(self) -> None:
        for world in self.all:
            world.seal()
        self.wrote = True

    # ---- what must be so

    def check_invariants(self, *args: Any, **named: Any) -> None:  # type: ignore[override]
        """After every step (Hypothesis calls it then)."""
        super().check_invariants(*args, **named)
        if self.all:
            self.tally.steps += 1
            self.look()
            self.sound = True

    def look(self) -> None:
        if self.wrote:
            for world in self.all:
                assert world.broken() == (), world.name
        self.oracle.forward(0)
        # Those of whom the last call spoke, and another one in turn.
        seen_now = {*self.spoken, MEMBERS[self.tally.steps % 3]}
        self.wrote, self.spoken = False, set()
        for member in sorted(seen_now):
            seen = [world.see(f"/v1/members/{member}") for world in self.all]
            self.alike(seen, f"member {member}")
            assert seen[0]["standing"]["tier"] == self.oracle.tier(member), (member, seen[0]["standing"])
            for shown in seen[0]["wallets"]:
                name = shown["wallet"]
                told = tuple(shown[part] for part in ("available", "held", "debt", "usable"))
                assert told == self.oracle.balances(member)[name], (member, name, told, self.oracle.balances(member))
                days = Counter[str]()
                for lot in shown["lots"]:
                    days[lot["last_day"]] += lot["remaining"]
                ends = self.oracle.ends(member)[name]
                assert days == {str(dates.day_of(ZONE, end - 1)): count for end, count in ends.items()}, (member, name)

    def teardown(self) -> None:
        try:
            for world in self.all if self.sound else ():
                self.rebuilt(world)
            for member in MEMBERS if self.sound else ():
                pages = [world.see(f"/v1/members/{member}/ledger?limit=200") for world in self.all]
                self.alike(pages, f"statement of {member}")
                if len(pages[0]["lines"]) < 200:
                    for wallet, (available, held, debt, _) in self.oracle.balances(member).items():
                        mine = [line for line in pages[0]["lines"] if line["wallet"] == wallet]
                        sums = tuple(sum(line[part] for line in mine) for part in ("available", "held", "debt"))
                        assert sums == (available, held, -debt), (member, wallet, sums)
        finally:
            self.stack.close()

    def rebuilt(self, world: World) -> None:
        """All caches and decisions come out the same when they are made again from the observations."""
        with world.looking() as link:
            found = rebuild(link, load(link, world.dealer))
        assert found.same, (world.name, found)
