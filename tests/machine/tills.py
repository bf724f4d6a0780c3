"""What asks for money: orders paid with credit, holds, what is moved by hand, and the same asked twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.machine.oracle import Wrong
from tests.machine.playing import DAY, MINUTE, ZONE, Playing, fen, lists, members, stamp
from tests.machine.programme import CREDIT, POINTS
from tests.machine.worlds import Call
from tests.model import dates
from tests.model.rows import Said, key_of


class Tills(Playing):
    """The rules of the tills, and of what the staff books by hand."""

    @rule(member=members, amounts=st.lists(lists, min_size=1, max_size=2), credit=st.one_of(st.just(0), fen))
    def sale(self, member: str, amounts: list[int], credit: int) -> None:
        self.sell(f"S{next(self.numbers)}", member, amounts, credit)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), amounts=st.lists(lists, min_size=1, max_size=2), credit=fen)
    def sale_of_what_is_held(self, data: st.DataObject, amounts: list[int], credit: int) -> None:
        """Under the code that it is held for, or another one of the same customer."""
        order = data.draw(st.sampled_from(sorted(self.holds)))
        code = data.draw(st.sampled_from(self.oracle.all_of(self.holds[order][0])))
        if key_of("parts_purchase", order) not in self.oracle.there():
            self.sell(order, code, amounts, credit)

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), code=members)
    def hold_again(self, data: st.DataObject, code: str) -> None:
        """The same hold asked for once more, under the same code or another."""
        body = data.draw(st.sampled_from(self.asked))
        if str(body.get("expires_at", "9999")) <= stamp(self.oracle.now):
            return  # it is malformed by now
        again = self.call("/v1/holds", {**body, "member": code}, "pos")
        self.ask(again, lambda: self.oracle.place_hold(code, body["order"], body["amount"], None))

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
            self.asked.append(body)

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
