"""The rest of what is said of one customer: at the parts counter, at the workshop, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from tierengine.demo.book.catalogue import ARCHIVIST as ARCHIVIST_NAMES
from tierengine.demo.book.catalogue import LEADERS, PARTS, SUGGESTIONS, TECHNICIANS, TRADES, Part
from tierengine.demo.book.days import at, at_once, days_from, on_friday, on_monday, some_time, that_evening
from tierengine.demo.book.post import ARCHIVIST, DESK, STAFF, TILL
from tierengine.demo.book.slips import Arrives, Slips

_ARCHIVIST: Final = ARCHIVIST_NAMES[0]


@dataclass(slots=True)
class Diary(Slips):
    """One customer's two years."""

    def parts(
        self,
        day: date,
        yuan: int,
        *,
        discount_bp: int = 10_000,
        credit: int = 0,
        van: bool = False,
    ) -> tuple[str, list[dict[str, Any]]]:
        """Sell parts for about so many yuan at list price; `credit` fen of it are paid from his parts credit."""
        lines = [self._line(part, qty, discount_bp) for part, qty in self._basket(yuan)]
        rest = credit
        for line in lines:
            used = min(rest, line["amount"]) if line["category"] in ("parts", "lubricant") else 0
            rest -= used
            if used:
                line.update(credit=used, cash=line["amount"] - used)
        used = credit - rest
        order = self.number("P")
        when = some_time(day, self.rng)
        arrives: Arrives = (lambda moment: that_evening(moment + timedelta(days=2))) if van else at_once
        self.say(
            TILL, "parts_purchase", when, arrives, order=order, channel="van" if van else "counter", lines=lines,
            uses={"parts_credit": used} if used else {},
        )  # fmt: skip
        return order, lines

    def _basket(self, yuan: int) -> list[tuple[Part, int]]:
        basket: dict[str, tuple[Part, int]] = {}
        left = yuan
        while left > 0 or not basket:
            fitting = [part for part in PARTS if left // 6 <= part.price <= max(left, 240)]
            part = self.rng.choice(fitting)
            basket[part.item] = (part, basket.get(part.item, (part, 0))[1] + 1)
            left -= part.price
        return list(basket.values())

    def _line(self, part: Part, qty: int, discount_bp: int) -> dict[str, Any]:
        listed = part.price * qty * 100
        amount = (2 * listed * discount_bp + 10_000) // 20_000 if part.category in ("parts", "lubricant") else listed
        return {
            "item": part.item, "category": part.category, "qty": qty, "list": listed, "amount": amount,
            "margin": amount * 26 // 100,
        }  # fmt: skip

    def give_back(self, day: date, order: str, lines: Sequence[dict[str, Any]]) -> None:
        """Bring parts of an order back to the counter."""
        back = [{"item": line["item"], "qty": line["qty"]} for line in lines]
        self.say(TILL, "sale_returned", some_time(day, self.rng), at_once, order=order, reason="型号不对", lines=back)

    def repair(self, day: date, yuan: int, *, prompt: bool = True) -> None:
        """Have a machine repaired: the call, the steps, the bill."""
        deal = self.rng.choice(self.deals) if self.deals else None
        serial: dict[str, Any] = {"serial": deal.serial} if deal else {}
        call = some_time(day, self.rng)
        severity, distance = self.rng.choice(("ordinary", "ordinary", "serious")), self.rng.randint(6, 150)
        down = self.rng.random() < 0.5
        pace = self.rng.uniform(0.3, 0.9) if prompt else self.rng.uniform(2.0, 4.0)
        if not prompt:
            # Late in town, on the way out, and where a day is not enough.
            distance, slower = ((12, 1), (distance, 1), (260, 3))[call.minute % 3]
            pace *= slower
        slip = self.say(
            DESK, "repair_requested", call, at_once, severity=severity, distance_km=distance, down=down, **serial,
        )  # fmt: skip
        for step, minutes in (("called_back", 14), ("arrived", 115), ("fixed", 460)):
            when = call + timedelta(minutes=minutes * pace)
            self.say(
                DESK, "repair_step", when, at_once, request=f"{DESK}:{slip}", step=step,
                technician=self.rng.choice(TECHNICIANS),
            )  # fmt: skip
        labour = yuan * 45 // 100
        line = {"item": "LABOUR", "category": "labour", "qty": 1, "list": labour * 100, "amount": labour * 100}
        lines = [line, *(self._line(part, qty, 10_000) for part, qty in self._basket(yuan - labour))]
        bill = call + timedelta(minutes=480 * pace + 30)
        self.say(TILL, "repair_purchase", bill, at_once, order=self.number("W"), lines=lines, **serial)
        if self.rng.random() < 0.85:
            self.survey(days_from(bill.date(), 1))

    def rent(self, day: date, days: int, yuan: int) -> None:
        """Rent a machine out to him."""
        line = {"item": "RENT-EXC", "category": "rental", "qty": 1, "list": yuan * 100, "amount": yuan * 100}
        when = some_time(day, self.rng)
        self.say(
            TILL, "rental", when, at_once, order=self.number("R"), rental_kind="excavator", days=days, lines=[line]
        )

    # ---- words

    def contact(
        self,
        day: date,
        channel: str = "phone",
        *,
        direction: str = "ours",
        leader: bool = False,
    ) -> None:
        """Talk. What our people do is entered with their week; what he does is submitted and then accepted."""
        when = some_time(day, self.rng)
        who = LEADERS[self.customer.store][0] if leader else self.customer.manager
        words: dict[str, Any] = {"channel": channel, "direction": direction, "staff": who}
        words |= {"by_leader": True} if leader else {}
        words |= {"job": self.rng.choice(TRADES[self.customer.trade][1]), "needs": [self.rng.choice(SUGGESTIONS)]}
        if direction == "ours":
            self.say(STAFF, "contact", when, on_friday, status="accepted", **words)
            return
        slip = self.say(STAFF, "contact", when, on_friday, status="submitted", **words)
        self._accept(slip, on_friday(when), proved=None)

    def tip(self, day: date, topic: str, *, proved: bool) -> None:
        """Tell of works or of demand; somebody else than the receiver accepts it."""
        when = some_time(day, self.rng)
        slip = self.say(STAFF, "tip", when, that_evening, topic=topic, staff=self.customer.manager, status="submitted")
        self._accept(slip, that_evening(when), proved=proved)

    def demonstrate(self, day: date, form: str) -> None:
        """Speak for us at a show, or let others look at his machines."""
        when = some_time(day, self.rng)
        slip = self.say(
            STAFF, "demonstration", when, that_evening, form=form, staff=self.customer.manager, status="submitted"
        )
        self._accept(slip, that_evening(when), proved=None)

    def _accept(self, slip: str, entered: datetime, *, proved: bool | None) -> None:
        when = on_monday(entered)
        more: dict[str, Any] = {} if proved is None else {"proved": proved}
        self.say(
            ARCHIVIST, "submission_accepted", when, at_once, accepts=f"{STAFF}:{slip}", accepted_by=_ARCHIVIST, **more
        )

    def survey(self, day: date) -> None:
        """Ask how satisfied he is."""
        self.say(
            DESK, "survey_answered", some_time(day, self.rng), at_once, topic="service", score=self.rng.randint(6, 10)
        )

    def complaint(self, day: date, about: str, *, answered_hours: float, closed_days: float) -> None:
        """Complain, and be answered."""
        when = some_time(day, self.rng, 8, 14)
        slip = self.say(DESK, "complaint", when, at_once, about=about, severity="ordinary")
        for step, later in (("answered", timedelta(hours=answered_hours)), ("closed", timedelta(days=closed_days))):
            self.say(DESK, "complaint_step", when + later, at_once, complaint=f"{DESK}:{slip}", step=step)

    def gift(self, day: date, kind: str) -> None:
        """Send him something."""
        self.say(DESK, "gift_sent", at(day, 10, self.rng.randint(0, 59)), that_evening, gift=kind)

    def consent(self, day: date, purpose: str, *, given: bool) -> None:
        """Say yes or no to being asked, called or written to for a purpose."""
        self.say(DESK, "consent_changed", some_time(day, self.rng), that_evening, purpose=purpose, given=given)

    def done(self, day: date, duty: str, evidence: str = "已完成") -> None:
        """Note that a duty was done."""
        self.say(STAFF, "duty_done", some_time(day, self.rng), that_evening, duty=duty, evidence=evidence)

    def report(self, day: date) -> None:
        """Hand in the month's report about him."""
        self.say(
            STAFF, "contact_report", at(day, 17, self.rng.randint(0, 59)), that_evening, month=f"{day:%Y-%m}",
            changes=self.rng.choice(("无", "新开工地", "买了别家的破碎锤", "换了操作手")), next_plan="回访",
        )  # fmt: skip

    def wish(self, day: date, kind: str, stage: str) -> None:
        """Say what he may buy."""
        when = some_time(day, self.rng)
        self.say(STAFF, "intention", when, on_friday, machine_kind=kind, month=f"{day:%Y-%m}", stage=stage)

    def lost(self, day: date, reason: str) -> None:
        """Buy elsewhere."""
        self.say(STAFF, "deal_lost", some_time(day, self.rng), on_friday, competitor="其他品牌", reason=reason)

    def tender(self, day: date, yuan: int, result: str) -> None:
        """Invite tenders."""
        self.say(STAFF, "tender", some_time(day, self.rng), on_friday, value=yuan * 100, result=result)
