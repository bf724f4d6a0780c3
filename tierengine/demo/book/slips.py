"""What is said of one customer, as slips on their way to the book: who he is, and the machines he buys.

Each method is something that happens, and says how late the book learns of it. diary.py has the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

from tierengine.demo.book.catalogue import LEADERS, MODELS, Model
from tierengine.demo.book.days import (
    START,
    TODAY,
    at,
    days_from,
    on_friday,
    some_time,
    text,
    that_evening,
    that_night,
)
from tierengine.demo.book.people import Customer
from tierengine.demo.book.post import ARCHIVIST, DESK, ERP, STAFF, TILL, Delivery
from tierengine.zone import microseconds

Arrives = Callable[[datetime], datetime]

_SERIES: Final = {TILL: "T", ERP: "E", STAFF: "S", ARCHIVIST: "A", DESK: "D"}


@dataclass(frozen=True, slots=True)
class Deal:
    """A machine sold: enough to settle it, to service it and to take it back."""

    order: str
    serial: str
    model: Model
    day: date
    settled: date | None


@dataclass(slots=True)
class Slips:
    """Collects what happens to one customer. Orders and slips are numbered by customer, so no two stories collide."""

    customer: Customer
    rng: Random
    said: list[Delivery] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)

    def number(self, prefix: str) -> str:
        """Return the next number of a series."""
        self._counts[prefix] = self._counts.get(prefix, 0) + 1
        return f"{prefix}{self.customer.code[1:]}-{self._counts[prefix]:02d}"

    def say(
        self,
        source: str,
        kind: str,
        when: datetime,
        arrives: Arrives,
        *,
        uses: Mapping[str, int] | None = None,
        **fields: Any,
    ) -> str:
        """Note one event and return its source id; what would happen after the book ends does not happen."""
        raw: dict[str, Any] = {"kind": kind, "member": self.customer.code, "occurred_at": text(when), **fields}
        raw.setdefault("store", self.customer.store)
        if "order" not in raw or kind in ("machine_returned", "sale_returned"):
            raw.setdefault("source_id", self.number(_SERIES[source]))
        if when.date() <= TODAY:
            self.said.append(Delivery(microseconds(arrives(when)), source, raw, uses or {}))
        return str(raw.get("source_id", ""))

    # ---- who he is

    def profile(self, day: date = START) -> None:
        """Enter what is known of him when his file is opened."""
        when = at(days_from(day, 1), 9, self.rng.randint(0, 59))
        who = self.customer
        known: tuple[tuple[str, dict[str, Any]], ...] = (
            ("trade", {"value_text": who.trade}),
            ("entered_trade_on", {"value_date": who.entered.isoformat()}),
            ("birth_date", {"value_date": who.born.isoformat()}),
        )
        for name, value in known:
            self.say(ARCHIVIST, "attribute_changed", when, that_evening, name=name, **value)

    def manager(self, day: date, reason: str = "本区域") -> None:
        """Give him his region's manager."""
        who = self.customer
        when = some_time(day, self.rng)
        self.say(
            ARCHIVIST, "manager_assigned", when, that_evening, manager=who.manager, region=who.region, reason=reason
        )

    def card(self, day: date) -> None:
        """Issue his card; its number is the day's and his own."""
        card_no = f"HD{day:%y%m}{self.customer.code[1:]}"
        self.say(DESK, "card_issued", some_time(day, self.rng), that_evening, card_no=card_no)

    def segment(self, day: date, name: str, reason: str) -> None:
        """Put him in a segment."""
        self.say(ARCHIVIST, "segment_set", some_time(day, self.rng), that_evening, segment=name, reason=reason)

    def overdue(self, day: date, number: int) -> None:
        """Note how many days he is behind with a payment."""
        self.say(ERP, "overdue_changed", at(day, 23, 30), that_night, overdue_days=number)

    def attest(self, trait: str, day: date, evidence: str, *, months_late: int = 0, leader_only: bool = False) -> None:
        """State a trait: a manager with a leader's signature, or a leader alone."""
        leader = LEADERS[self.customer.store][0]
        stated: dict[str, Any] = {"stated_by": leader, "stated_role": "leader"}
        if not leader_only:
            stated = {
                "stated_by": self.customer.manager,
                "stated_role": "sales_manager",
                "countersigned_by": leader,
                "countersigned_role": "leader",
            }
        late = timedelta(days=2 + 30 * months_late)
        when = some_time(day, self.rng)
        self.say(ARCHIVIST, "attestation", when, lambda moment: moment + late, trait=trait, evidence=evidence, **stated)

    def own(self, models: Sequence[Model], days: Sequence[date]) -> None:
        """Register machines he has from anywhere; each later day is another look at all of them."""
        serials = [self.number("X") for _ in models]
        for day in days:
            for model, serial in zip(models, serials, strict=True):
                self.say(
                    STAFF, "machine_registered", some_time(day, self.rng), on_friday, serial=serial, brand=model.brand,
                    model=model.model, machine_kind=model.kind, size=model.size, tenure="owned",
                    year=2016 + len(serial) % 7, checked_at=day.isoformat(),
                )  # fmt: skip

    # ---- machines

    def buy(
        self,
        day: date,
        model: Model | None = None,
        *,
        size: str = "medium",
        settled_after: int | None = 12,
        paper_late: int = 0,
        referral: str = "",
        **more: Any,
    ) -> Deal:
        """Deliver a machine. `paper_late`: days until the delivery is entered; the bank may be quicker."""
        model = model or self.rng.choice([one for one in MODELS if one.size == size])
        serial = f"{model.brand[:2].upper()}{self.rng.randint(10_000_000, 99_999_999)}"
        settled = None if settled_after is None else days_from(day, settled_after)
        deal = Deal(self.number("M"), serial, model, day, settled)
        amount = (model.price * self.rng.randint(955, 1000) // 1000) // 1000 * 1000 * 100
        mode = self.rng.choice(("cash", "mortgage", "mortgage", "finance_lease", "instalment"))
        more.update({"referral": referral} if referral else {})
        more.update({} if mode == "cash" else {"down_payment": amount * 3 // 10})
        when = some_time(day, self.rng, 9, 16)
        self.say(
            ERP, "machine_purchase", when, lambda moment: that_night(moment + timedelta(days=paper_late)),
            order=deal.order, serial=deal.serial, brand=model.brand, model=model.model, machine_kind=model.kind,
            size=model.size, amount=amount, margin=amount * self.rng.randint(55, 95) // 1000, payment_mode=mode, **more,
        )  # fmt: skip
        if settled is not None:
            self.say(ERP, "purchase_settled", at(settled, 16, 30), that_night, order=deal.order)
        self.deals.append(deal)
        return deal

    def send_back(self, deal: Deal, day: date, reason: str) -> None:
        """Take a machine back."""
        when = some_time(day, self.rng)
        self.say(ERP, "machine_returned", when, that_night, order=deal.order, serial=deal.serial, reason=reason)

    def refer(self, day: date, buyer: Customer, kind: str) -> str:
        """Register a referral and return the key that the purchase names."""
        slip = self.say(
            STAFF, "referral_registered", some_time(day, self.rng), that_evening, referred=buyer.code,
            machine_kind=kind, valid_until=days_from(day, 180).isoformat(),
        )  # fmt: skip
        return f"{STAFF}:{slip}"
