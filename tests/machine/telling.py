"""What is said of members: observations, what takes them back, and what tells them again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.machine.playing import Playing, agos, lists, members, stamp
from tests.machine.worlds import STORE
from tests.model.rows import Said, key_of


class Telling(Playing):
    """The rules of the desk and of the nightly file."""

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

    @precondition(lambda self: self.raws)
    @rule(data=st.data(), code=st.one_of(st.none(), members))
    def told_again(self, data: st.DataObject, code: str | None = None) -> None:
        """The same event under another idempotency key, as a second channel tells it; or under another code."""
        key = data.draw(st.sampled_from(sorted(self.raws)))
        first = next(one for one in self.oracle.said if one.key == key and one.revision == 0)
        raw = {"store": STORE, **self.raws[key]}
        if code is not None and first.member:
            first, raw = replace(first, member=code), raw | {"member": code}
        self.ask(self.call("/v1/events", raw, "archivist"), lambda: self.oracle.observe(first))
