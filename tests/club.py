"""A club with a book, as tests of recording tell it what happens and look at what came of it."""

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from tierengine.judging.observations import read_observation
from tierengine.membership import people
from tierengine.policies import versions
from tierengine.recording.items import Observe, Sale
from tierengine.recording.recorder import Recorder
from tierengine.recording.writer import Writer
from tierengine.store import database
from tierengine.store.ids import Ids, transact

ZONE = ZoneInfo("Asia/Shanghai")
SMALL = (Path(__file__).parent / "policies" / "small.yaml").read_text(encoding="utf-8")
MEMBERS = [f"M{number}" for number in range(6)]
# Everything that is not a cache or an instant of recording: what two books of the same truth must agree on.
NET = (
    "SELECT event_key, rule, wallet, sum(delta) FROM entry WHERE rule <> '' GROUP BY 1, 2, 3 HAVING sum(delta) <> 0 "
    "ORDER BY 1, 2, 3"
)


class Club:
    """One dealer with a policy and members, and short words for what happens there."""

    def __init__(self, url, text=SMALL, members=MEMBERS):
        self.url = url
        self.now = int(time.time() * 1e6)
        self.link = database.connect(url)
        ids = Ids()
        self.dealer = transact(self.link, ids, lambda link, ids: people.create_dealer(link, ids, "d1", "Dealer"))
        transact(self.link, ids, lambda link, ids: people.create_store(link, ids, self.dealer, "S1", "Store"))
        new = [people.NewMember(code) for code in members]
        transact(self.link, ids, lambda link, ids: people.create_members(link, ids, self.dealer, new, self.now))
        self.publish(text, 0)
        self.recorder = Recorder(self.link)

    def publish(self, text, effective_from):
        def act(link, ids):
            return versions.publish(
                link, ids, self.dealer, text, author="a", reason="r", effective_from=effective_from, now=self.now
            )

        return transact(self.link, Ids(), act)

    def close(self):
        self.link.rollback()
        self.link.close()

    @contextlib.contextmanager
    def beside(self, *members, text=SMALL):
        """A second dealer in the same book with a store and members of the same codes; within, the words are his."""
        ids, mine = Ids(), self.dealer
        self.dealer = transact(self.link, ids, lambda link, ids: people.create_dealer(link, ids, "d2", "Other"))
        new = [people.NewMember(code) for code in members]
        transact(self.link, ids, lambda link, ids: people.create_store(link, ids, self.dealer, "S1", "Store"))
        transact(self.link, ids, lambda link, ids: people.create_members(link, ids, self.dealer, new, self.now))
        self.publish(text, 0)
        try:
            yield self
        finally:
            self.dealer = mine

    # ---- observations

    def said(self, kind, at, member="", source="till", **fields):
        occurred_at = at if "T" in at else f"{at}T10:00:00+08:00"
        raw = {"kind": kind, "occurred_at": occurred_at, **fields} | ({"member": member} if member else {})
        return read_observation(
            raw, source=source, store="S1", now_us=self.now, zone=ZONE, late_days=None, currency="CNY"
        )

    def machine(self, order, at, member="M1", **fields):
        fields = {"amount": 30_000_000, "serial": f"X-{order}", "used": False} | fields
        return self.said("machine_purchase", at, member, order=order, **fields)

    def parts(self, order, at, member="M1", amount=100_000, qty=1, **fields):
        line = {"item": "filter", "category": "parts", "qty": qty, "amount": amount} | fields
        return self.said("parts_purchase", at, member, order=order, lines=[line])

    def contact(self, number, at, member="M1", **fields):
        fields = {"channel": "phone", "direction": "customer", "status": "accepted"} | fields
        return self.said("contact", at, member, source_id=f"c{number}", **fields)

    def returned(self, order, at, number=1, member="", **fields):
        return self.said("sale_returned", at, member, order=order, source_id=f"r{number}", **fields)

    def golden(self, member="M1"):
        """What makes a member gold in March 2026."""
        return [
            self.machine(f"{member}-A", "2026-01-05", member),
            self.machine(f"{member}-B", "2026-02-05", member),
            *(self.contact(f"{member}{day}", f"2026-03-{day:02d}", member) for day in (1, 2, 3)),
        ]

    # ---- recording and looking

    def send(self, *observations, **how):
        return self.items(*(Observe(self.dealer, one, **how) for one in observations))

    def items(self, *items):
        answers = self.recorder.record(list(items))
        self.recorder.deliver()
        return answers

    def sale(self, *observations, once=None, **how):
        return self.items(Sale(self.dealer, observations, once=once, **how))[0]

    def rows(self, sql, *values):
        found = self.link.ask(sql, *values).rows()
        self.link.rollback()
        return found

    def net(self):
        return self.rows(NET)

    def tiers(self, member="M1"):
        return self.rows(
            "SELECT c.at, c.tier, c.previous, c.cause, c.state, c.until FROM tier_change c "
            'JOIN member m ON m.id = c.member_id WHERE m.code = ?1 ORDER BY c.at, c."class", c.key',
            member,
        )

    def balance(self, wallet, kind="available", member="M1"):
        found = self.rows(
            "SELECT a.balance FROM account a JOIN member m ON m.id = a.member_id "
            "WHERE m.code = ?1 AND a.wallet = ?2 AND a.kind = ?3",
            member,
            wallet,
            kind,
        )
        return found[0][0] if found else 0

    def count(self, table):
        return self.rows(f"SELECT count(*) FROM {table}")[0][0]

    def counts(self):
        tables = (
            "event",
            "contribution",
            "decision",
            "entry",
            "posting",
            "lot",
            "lot_use",
            "idempotency",
            "event_conflict",
        )
        return {table: self.count(table) for table in tables}

    def check(self):
        """The invariants that every committed state keeps."""
        moved = defaultdict(int)
        for source, target, amount in self.rows("SELECT source_id, destination_id, amount FROM posting"):
            moved[source] -= amount
            moved[target] += amount
        for number, kind, balance in self.rows("SELECT id, kind, balance FROM account WHERE member_id IS NOT NULL"):
            assert balance == (-moved[number] if kind == "debt" else moved[number]), (number, kind)
        used = dict(self.rows("SELECT lot_id, sum(amount) FROM lot_use GROUP BY 1"))
        by_wallet = defaultdict(int)
        for lot, member, wallet, amount, remaining in self.rows(
            "SELECT l.id, l.member_id, l.wallet, l.amount, s.remaining FROM lot l JOIN lot_state s ON s.lot_id = l.id"
        ):
            assert remaining == amount - used.get(lot, 0)
            by_wallet[member, wallet] += remaining
        for member, wallet, balance in self.rows(
            "SELECT member_id, wallet, sum(balance) FROM account WHERE member_id IS NOT NULL AND kind <> 'debt' "
            "GROUP BY 1, 2"
        ):
            assert by_wallet[member, wallet] == balance
        wanted = {}
        for event_key, rule, member, amount in self.rows(
            "SELECT event_key, rule, member_id, wanted FROM decision d WHERE kind <> 'withdrawn' AND id = "
            "(SELECT max(id) FROM decision x WHERE x.member_id = d.member_id AND x.event_key = d.event_key "
            "AND x.rule = d.rule AND x.step_at = d.step_at AND x.step_class = d.step_class "
            "AND x.step_key = d.step_key) ORDER BY step_at, step_class, step_key"
        ):
            wanted[event_key, rule, member] = amount
        posted = {
            (event_key, rule, member): amount
            for event_key, rule, member, amount in self.rows(
                "SELECT event_key, rule, member_id, sum(delta) FROM entry WHERE rule <> '' GROUP BY 1, 2, 3"
            )
        }
        assert {pair: amount for pair, amount in wanted.items() if amount} == {
            pair: amount for pair, amount in posted.items() if amount
        }
        numbers = self.rows("SELECT member_id, count(*), max(number), min(number) FROM entry GROUP BY 1")
        assert all((most, least) == (count, 1) for _, count, most, least in numbers)
        heads = dict(self.rows("SELECT member_id, entry_no FROM ledger"))
        assert all(heads[member] == count for member, count, _, _ in numbers)


@contextlib.contextmanager
def opened(url: str) -> Iterator[Club]:
    """A club whose book must be sound when the test is over."""
    club = Club(url)
    yield club
    club.check()
    club.close()


def items(club: Club, *observations) -> list[Observe]:
    """What the writer takes."""
    return [Observe(club.dealer, one) for one in observations]


def hold(writer: Writer) -> threading.Event:
    """Keep the writer busy until the event is set, so that what is sent meanwhile waits together."""
    started, go = threading.Event(), threading.Event()

    def wait(link, ids):
        started.set()
        go.wait(20)

    writer.perform(wait)
    started.wait(20)
    return go
