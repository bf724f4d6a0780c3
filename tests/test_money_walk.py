"""Long random walks through record() on both databases: the book, what is read, and a model that moves single units.

After every step every invariant of the ledger holds as a query, what is read without posting anything equals the model,
and a refused command has changed nothing.
"""

import random
from collections import Counter

import pytest

from tests.club import SMALL
from tests.test_holds import CREDIT, MINUTE, Holds
from tests.test_ledger_property import Model
from tierengine.ledger.verify import verify
from tierengine.membership.activity import statement
from tierengine.membership.asker import Asker
from tierengine.membership.wallets import balance
from tierengine.policies.versions import load
from tierengine.recording.acts import Adjust, CaptureHold, PlaceHold, Settle, VoidHold
from tierengine.recording.items import Command, Once, Sale
from tierengine.store.snapshots import snapshot

STEPS = 70
FAR = 2**61


class Walk(Holds):
    """One member's money, changed in every way there is; each step is done to the book and to the model."""

    def __init__(self, url, seed, *, keep):
        rule = "    holds: {for: 30 days, partial: keep}\n" if keep else "    holds: {for: 30 days}\n"
        super().__init__(url, SMALL.replace("    clawback: debt\n", "    clawback: debt\n" + rule, 1))
        self.chance = random.Random(seed)
        self.keep = keep
        self.model = Model(now=self.now, far=FAR)
        self.send(self.said("machine_returned", "2026-03-20", order="G0", serial="X-G0", source_id="r0", reason="x"))
        for number in (1, 2):
            back = {"order": f"G{number}", "serial": f"X-G{number}"}
            self.send(self.said("machine_returned", "2026-03-20", source_id=f"r{number}", reason="x", **back))
        assert self.has() == (0, 0, 0)
        self.programme = load(self.link, self.dealer)
        self.link.rollback()
        self.ids: dict[str, int] = {}
        self.sold: dict[str, int] = {}
        self.turn = 0

    def step(self):
        self.turn += 1
        self.now += self.chance.choice((0, 0, 1, MINUTE, 600 * MINUTE, 6_000 * MINUTE))
        self.model.tick(self.now)
        names = (
            "add",
            "add",
            "take",
            "place",
            "place",
            "place",
            "capture",
            "capture",
            "void",
            "sell",
            "sell",
            "late",
            "back",
        )
        name = self.chance.choice((*names, "settle"))
        getattr(self, name)(self.chance.randint(1, 12))
        self.look()

    # ---- the steps; each says to the book and to the model what happens

    def ask(self, act, allowed):
        """Send a command twice; the second time it changes nothing, and a refused one changed nothing at all."""
        before = self.money() | self.counts()
        once = Once("walk", f"k{self.turn}", "h")
        (answer,) = self.items(Command(self.dealer, ("M1",), act, once))
        assert (answer.status != "refused") is allowed, (act, answer)
        after = self.money() | self.counts()
        if not allowed:
            assert after == before | {"idempotency": before["idempotency"] + 1}
        (again,) = self.items(Command(self.dealer, ("M1",), act, once))
        assert (again.replayed, again.encoded()) == (True, answer.encoded())
        assert self.money() | self.counts() == after
        return answer

    def add(self, amount):
        ends = self.now + self.chance.choice((MINUTE, 9_000 * MINUTE, 60_000 * MINUTE, 90_000 * MINUTE))
        key, amount = f"adjust:{self.turn}", 3 * amount
        self.ask(Adjust(key, CREDIT, amount, "x", "U1", expires_at=ends), allowed=True)
        self.model.grant(key, amount, self.now, ends)

    def take(self, amount):
        key = f"adjust:{self.turn}"
        self.ask(Adjust(key, CREDIT, -amount, "x", "U1"), allowed=True)
        self.model.claw_back(key, amount, "debt")

    def place(self, amount):
        order = f"H{self.turn}"
        until = self.now + self.chance.choice((MINUTE, 10_000 * MINUTE, 20_000 * MINUTE))
        allowed = self.model.hold(order, amount, until)
        act = PlaceHold(f"hold:S1:{order}:{CREDIT}", CREDIT, amount, f"order:S1:{order}", until)
        answer = self.ask(act, allowed=allowed)
        if allowed:
            self.ids[order] = answer.body["hold"]["id"]

    def capture(self, amount):
        if self.ids:
            order = self.some_hold()
            if order in self.model.holds or not self.taken(order):  # (what was captured in full may be asked for again)
                allowed = self.model.capture(order, amount, keep=self.keep)
                self.ask(CaptureHold(self.ids[order], amount), allowed=allowed)

    def some_hold(self):
        """Mostly one that is open, sometimes one that ended."""
        still = [*self.model.holds] if self.chance.random() < 0.8 else []
        return self.chance.choice(still or [*self.ids][-3:])

    def taken(self, order):
        return len(self.model.orders.get(f"of {order}", ()))

    def void(self, _):
        if self.ids:
            order = self.some_hold()
            if order in self.model.holds or not self.taken(order):
                answer = self.ask(VoidHold(self.ids[order]), allowed=True)
                assert (answer.status == "recorded") is self.model.void(order)

    def sell(self, amount, *, late=False):
        order = f"S{self.turn}"
        line = self.parts(order, "2026-03-25", amount=100, credit=amount, cash=100 - amount)
        allowed = self.model.use(order, amount, late=late)
        (answer,) = self.items(Sale(self.dealer, (line,), {CREDIT: amount}, late=late))
        assert (answer.status == "recorded") is allowed, answer
        if allowed:
            self.sold[order] = amount

    def late(self, amount):
        self.sell(amount, late=True)

    def back(self, _):
        if self.sold:
            order, amount = self.sold.popitem()
            self.send(self.returned(order, "2026-03-26", number=100 + self.turn))
            assert self.model.give_back(order, amount)

    def settle(self, _):
        self.items(Command(self.dealer, ("M1",), Settle()))

    # ---- what must be so after each

    def look(self):
        assert verify(self.link) == ()
        self.link.rollback()
        with snapshot(self.link):
            found = balance(self.link, self.programme, "M1", self.now, Asker())["wallets"]
            lines = statement(self.link, self.programme, "M1", self.now, Asker(), before=None, limit=200)["lines"]
        shown = next(one for one in found if one["wallet"] == CREDIT)
        model = self.model
        tied = sum(len(units) for _, units in model.holds.values())
        assert (shown["available"], shown["held"], shown["debt"]) == (len(model.free()), tied, model.debt)
        assert shown["usable"] == len(model.free())
        assert {one["id"]: one["remaining"] for one in shown["holds"]} == {
            self.ids[order]: len(units) for order, (_, units) in model.holds.items()
        }
        left = Counter(unit.lot for unit in model.units if unit.state in ("free", "held"))
        assert sorted(lot["remaining"] for lot in shown["lots"]) == sorted(left.values())
        for part in ("lots", "deadlines"):
            key = "remaining" if part == "lots" else "amount"
            assert sum(one[key] for one in shown[part]) == shown["available"] + shown["held"]
        if len(lines) < 200:
            mine = [line for line in lines if line["wallet"] == CREDIT]
            for account, sign in (("available", 1), ("held", 1), ("debt", -1)):
                assert sum(line[account] for line in mine) == sign * shown[account]


@pytest.mark.parametrize(("seed", "keep"), [(7, False), (14, True)])
def test_every_step_of_a_random_walk_leaves_the_book_as_the_model_says(book_url, seed, keep):
    walk = Walk(book_url, seed, keep=keep)
    for _ in range(STEPS):
        walk.step()
    kinds = {row[0] for row in walk.rows("SELECT DISTINCT kind FROM entry WHERE wallet = 'parts_credit'")}
    assert kinds >= {"adjust", "hold", "capture", "void", "use", "return", "expire", "settle_debt"}, kinds
    walk.close()
