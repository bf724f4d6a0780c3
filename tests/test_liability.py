"""What the house owed at a past instant is what it was seen to owe then, by lots and by entries; so are statements."""

import contextlib
import shutil
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import postgres
from tests.club import SMALL, Club
from tests.conftest import migrate
from tierengine.commands.report import report
from tierengine.ledger.liability import liability
from tierengine.ledger.verify import verify
from tierengine.membership import wallets
from tierengine.membership.asker import Asker
from tierengine.membership.statements import KINDS, Period, statement
from tierengine.policies.versions import load
from tierengine.recording.acts import Adjust, CaptureHold, PlaceHold, Transfer, VoidHold
from tierengine.recording.items import Command, Sale
from tierengine.recording.rebuilding import rebuild
from tierengine.recording.recorder import Recorder

DAY = 86_400_000_000
MEMBERS = ["M1", "M2", "M3"]
_OF_ORDER = "SELECT 1 FROM event WHERE key = ?1"
# Credits that end soon, so that a short history sees many ends; M1 and M2 belong to one firm.
POLICY = (
    SMALL.replace("{after: 24 months, to: month_end}", "{after: 40 days}")
    .replace("{to: end_of_next_year}", "{after: 25 days}")
    .replace("    clawback: debt\n", "    clawback: debt\n    transfer: linked\n", 1)
)
GRACE = POLICY.replace("    transfer: linked\n", "    transfer: linked\n    return_grace: 10 days\n")
ANEW = POLICY.replace("    transfer: linked\n", "    transfer: linked\n    returned_to: new_lot\n")


class Ledger:
    """A club whose clock the test sets, and what was seen at each instant."""

    def __init__(self, url, policy=POLICY):
        self.club = Club(url, policy, MEMBERS)
        self.now = int(datetime(2026, 4, 1, 2, tzinfo=UTC).timestamp()) * 1_000_000
        self.club.recorder = Recorder(self.club.link, now=lambda: self.now)
        self.link, self.dealer = self.club.link, self.club.dealer
        self.orders, self.holds = {}, []
        for member in MEMBERS:
            self.tick(0)
            self.club.send(*self.club.golden(member))
            firm = {"name": "firm", "value_text": "F" if member != "M3" else "G"}
            self.club.send(self.club.said("attribute_changed", "2026-03-05", member, source_id=f"f{member}", **firm))
        self.programme = load(self.link, self.dealer)
        self.link.rollback()
        self.seen = []

    def tick(self, days):
        self.now += days * DAY + 61_000_000
        self.club.now = self.now

    def step(self, kind, member, days, amount, which):
        self.tick(days)
        club, at = self.club, datetime.fromtimestamp(self.now / 1e6, UTC).isoformat()
        order = f"O{len(self.orders)}"
        known = [one for one, owner in self.orders.items() if owner == member]
        if kind == "machine":
            club.send(club.machine(order, at, member))
            self.orders[order] = member
        elif kind == "parts":
            club.send(club.parts(order, at, member, amount=amount * 1_000))
            self.orders[order] = member
        elif kind == "use":
            sold = club.parts(order, at, member, amount=amount * 1_000, credit=min(amount * 1_000, 60_000))
            uses = {"parts_credit": min(amount * 1_000, 60_000)}
            club.items(Sale(club.dealer, (sold,), uses=uses, late=which % 2 == 0))
            self.orders[order] = member
        elif kind == "hold":
            wallet = "parts_credit" if which % 2 else "points"
            act = PlaceHold(
                f"hold:S1:{order}:{wallet}", wallet, amount * 100, f"order:S1:{order}", self.now + (which + 1) * 3 * DAY
            )
            self.orders[order] = ""
            answer = club.items(Command(club.dealer, (member,), act))[0]
            if answer.status == "recorded":
                self.holds.append((member, answer.body["hold"]["id"]))
        elif kind in ("capture", "void") and self.holds:
            owner, number = self.holds[which % len(self.holds)]
            act = VoidHold(number) if kind == "void" else CaptureHold(number, amount)
            club.items(Command(club.dealer, (owner,), act))
        elif kind == "adjust":
            club.items(
                Command(
                    club.dealer,
                    (member,),
                    Adjust(f"adjust:{len(self.seen)}", "parts_credit", (which - 4) * 20_000, "x", "U1"),
                )
            )
        elif kind == "transfer":
            to = MEMBERS[(MEMBERS.index(member) + 1) % 3]  # refused where they are of different firms
            club.items(
                Command(
                    club.dealer,
                    (member, to),
                    Transfer(f"transfer:{len(self.seen)}", "parts_credit", amount * 500, "x", "U1"),
                )
            )
        elif kind == "cancel" and known:
            kinds = [one for one in ("machine", "parts") if club.rows(_OF_ORDER, f"order:S1:{known[0]}:{one}_purchase")]
            for one in kinds:
                key = f"order:S1:{known[0]}:{one}_purchase"
                club.send(
                    club.said("observation_cancelled", at, source_id=key, revision=1 + len(self.seen), reason="x")
                )
        elif kind == "return" and known:
            club.send(club.returned(known[which % len(known)], at, number=f"{order}-{len(self.seen)}"))
        self.look()

    def look(self):
        """Remember what is seen now."""
        found = liability(self.link, self.dealer, self.now)
        shown = {one: wallets.balance(self.link, self.programme, one, self.now, Asker())["wallets"] for one in MEMBERS}
        self.link.rollback()
        self.seen.append((self.now, found, shown))

    def period(self, first, last):
        return Period(None, date(2026, 12, 31), first, last + 1, self.now)

    def statement(self, member, first, last, limit=500):
        lines, after = [], 0
        while True:
            page = statement(
                self.link, self.programme, member, self.period(first, last), Asker(), after=after, limit=limit
            )
            lines += page["lines"]
            if page["next"] is None:
                self.link.rollback()
                return page | {"lines": lines}
            after = page["next"]

    def check(self):
        assert verify(self.link) == ()
        for at, found, shown in self.seen:
            again = liability(self.link, self.dealer, at)
            assert again.lots == again.entries
            assert (again.lots, again.debts) == (found.lots, found.debts), at
            for wallet in {name for one in shown.values() for name in [w["wallet"] for w in one]}:
                mine = [one for wallets in shown.values() for one in wallets if one["wallet"] == wallet]
                assert again.wallets().get(wallet, 0) == sum(one["available"] + one["held"] for one in mine)
                assert again.debts.get(wallet, 0) == sum(one["debt"] for one in mine)
        assert rebuild(self.link, self.programme).same
        self.report_holds()
        middle = self.seen[len(self.seen) // 2][0]
        for member in MEMBERS:
            for at, _, shown in self.seen[len(self.seen) // 2 :]:
                self.statement_holds(member, middle, at, shown[member])
        self.link.rollback()

    def report_holds(self):
        """At the end of the last year, which is now, members hold what the house owes them but for what lapsed held."""
        (year, held) = list(report(self.link, self.programme, self.now).outstanding.items())[-1]
        if year == self.programme.zone.local_date(self.now).year:
            owed = {}
            for (wallet, _, end), amount in liability(self.link, self.dealer, self.now).lots.items():
                if end is None or end > self.now:
                    owed[wallet] = owed.get(wallet, 0) + amount
            assert {wallet: amount for wallet, amount in held.items() if amount} == owed

    def statement_holds(self, member, first, at, wallets):
        whole = self.statement(member, first, at)
        paged = self.statement(member, first, at, limit=2)
        assert paged == whole
        stands = {one["wallet"]: one for one in whole["wallets"]}
        for one in wallets:
            ends = stands.get(one["wallet"])
            if ends is None:
                assert one["available"] == one["held"] == one["debt"] == 0
                continue
            assert {kind: one[kind] for kind in KINDS} == ends["closing"]
            lines = [line for line in whole["lines"] if line["wallet"] == one["wallet"]]
            for kind in KINDS:
                assert ends["opening"][kind] + sum(line[kind] for line in lines) == ends["closing"][kind]
            if lines:
                assert lines[-1]["balance"] == ends["closing"]["available"]
        moments = [line["at"] for line in whole["lines"]]
        assert moments == sorted(moments)


ACTS = [
    "machine", "machine", "parts", "use", "use", "return", "return", "wait", "hold", "hold", "capture", "void",
    "adjust", "transfer", "cancel",
]  # fmt: skip
STEPS = st.lists(
    st.tuples(
        st.sampled_from(ACTS),
        st.sampled_from(MEMBERS),
        st.integers(0, 30),
        st.integers(1, 400),
        st.integers(0, 9),
    ),
    min_size=3,
    max_size=12,
)
RULES = st.sampled_from([POLICY, GRACE, ANEW])


@contextlib.contextmanager
def sqlite_book(template, folder):
    try:
        yield f"sqlite:///{shutil.copy(template, folder / 'book.db')}"
    finally:
        for left in folder.glob("book.db*"):
            left.unlink()


def played(book, steps, policy):
    with book as url:
        ledger = Ledger(url, policy)
        try:
            for step in steps:
                ledger.step(*step)
            ledger.check()
        finally:
            ledger.club.close()


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, RULES)
def test_the_past_stays_what_it_was_on_sqlite(sqlite_template, tmp_path, steps, policy):
    played(sqlite_book(sqlite_template, tmp_path), steps, policy)


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, RULES)
def test_the_past_stays_what_it_was_on_postgresql(postgres_server, steps, policy):
    played(postgres.database(postgres_server, postgres.template(postgres_server, migrate)), steps, policy)


@pytest.fixture
def ledger(book_url):
    ledger = Ledger(book_url)
    yield ledger
    ledger.club.close()


def test_what_lapsed_is_told_at_its_moment_whenever_it_was_posted(ledger):
    ledger.step("machine", "M1", 0, 0, 0)
    granted = ledger.now
    ledger.step("wait", "M1", 60, 0, 0)
    before = ledger.statement("M1", 0, ledger.now)
    (waiting,) = [line for line in before["lines"] if line["kind"] == "expire"]
    assert waiting["number"] is None
    ledger.step("contact", "M1", 0, 0, 0)
    ledger.step("parts", "M1", 1, 5, 0)
    after = ledger.statement("M1", 0, ledger.now)
    (posted,) = [line for line in after["lines"] if line["kind"] == "expire"]
    assert posted["number"] is not None
    assert posted["recorded_at"] != posted["at"]
    assert (posted["at"], posted["available"], posted["balance"]) == (waiting["at"], waiting["available"], 0)
    end = (timedelta(microseconds=granted) + timedelta(days=40)) // timedelta(microseconds=1)
    assert liability(ledger.link, ledger.dealer, end - DAY).wallets()["parts_credit"] > 0
    assert liability(ledger.link, ledger.dealer, end + 2 * DAY).wallets() == {}
    ledger.link.rollback()


@pytest.mark.parametrize("policy", [GRACE, ANEW])
def test_what_an_order_gave_back_as_a_new_lot_is_held_and_not_spent(book_url, policy):
    ledger = Ledger(book_url, policy)
    ledger.step("machine", "M1", 0, 0, 0)
    ledger.step("use", "M1", 0, 60, 1)
    ledger.step("return", "M1", 35, 0, 1)
    assert report(ledger.link, ledger.programme, ledger.now).outstanding == {2026: {"parts_credit": 100_000}}
    ledger.check()
    ledger.club.close()


def test_what_was_put_in_by_hand_or_handed_on_is_held_by_whom_it_lies_with(ledger):
    ledger.step("adjust", "M1", 0, 0, 9)
    ledger.step("transfer", "M1", 0, 120, 0)
    ledger.step("use", "M2", 0, 50, 1)
    assert ledger.club.balance("parts_credit", member="M2") == 10_000
    assert report(ledger.link, ledger.programme, ledger.now).outstanding[2026]["parts_credit"] == 50_000
    ledger.check()


def test_a_posting_that_no_lot_tells_of_is_seen_at_once(ledger):
    ledger.step("machine", "M1", 0, 0, 0)
    assert liability(ledger.link, ledger.dealer, ledger.now).equal
    ledger.link.begin()
    ledger.link.run(
        "INSERT INTO posting SELECT 900000001, dealer_id, member_id, entry_id, source_id, destination_id, 7 "
        "FROM posting WHERE id = (SELECT max(id) FROM posting)"
    )
    ledger.link.commit()
    found = liability(ledger.link, ledger.dealer, ledger.now)
    assert not found.equal
    assert sum(found.entries.values()) == sum(found.lots.values()) + 7
    ledger.link.rollback()
