"""Holds in the book, on both databases: made, captured, voided, lapsed; once, however often they are asked for."""

import threading

import pytest

from tests.club import SMALL, Club
from tierengine.ledger.verify import verify
from tierengine.recording.acts import Adjust, CaptureHold, PlaceHold, Settle, Transfer, VoidHold
from tierengine.recording.items import Command, Once
from tierengine.recording.recorder import Recorder
from tierengine.store import database

MINUTE = 60_000_000
CREDIT = "parts_credit"
# What a gold member's three machines brought him: 1000 + 1500 + 1500 yuan.
HAS = 400_000


class Holds(Club):
    """A club whose recorder's clock is set by hand, with a gold member and 4000 yuan of credit."""

    def __init__(self, url, text=SMALL):
        super().__init__(url, text)
        self.start = self.now
        self.recorder = Recorder(self.link, now=lambda: self.now)
        self.send(*self.golden())
        for number in range(3):
            self.send(self.machine(f"G{number}", f"2026-03-{10 + number}"))

    def command(self, act, member="M1", once=None):
        answer = self.items(Command(self.dealer, (member,), act, once))[0]
        self.clean()
        return answer

    def hold(self, order="P1", amount=100_000, member="M1", once=None, **more):
        act = PlaceHold(f"hold:S1:{order}:{CREDIT}", CREDIT, amount, f"order:S1:{order}", **more)
        return self.command(act, member, once)

    def capture(self, hold, amount=None, once=None):
        return self.command(CaptureHold(hold, amount), once=once)

    def void(self, hold):
        return self.command(VoidHold(hold))

    def later(self, minutes):
        self.now += minutes * MINUTE

    def has(self, member="M1"):
        return tuple(self.balance(CREDIT, kind, member) for kind in ("available", "held", "debt"))

    def clean(self):
        assert verify(self.link) == ()
        self.link.rollback()

    def money(self):
        tables = ("entry", "posting", "lot", "lot_use", "command", "hold", "hold_lot", "hold_end", "hold_state")
        return {table: self.count(table) for table in tables}


@pytest.fixture
def club(book_url):
    made = Holds(book_url)
    yield made
    made.close()


def number(answer):
    return answer.body["hold"]["id"]


def test_a_hold_ties_up_and_a_capture_takes(club):
    made = club.hold()
    assert (made.status, made.body["hold"]["state"], made.body["hold"]["remaining"]) == ("recorded", "held", 100_000)
    assert made.body["balances"][CREDIT] == {
        "unit": "CNY", "available": 300_000, "held": 100_000, "debt": 0, "usable": 300_000,
    }  # fmt: skip
    assert club.has() == (300_000, 100_000, 0)
    taken = club.capture(number(made))
    assert (taken.body["hold"]["state"], taken.body["hold"]["captured"]) == ("captured", 100_000)
    assert club.has() == (300_000, 0, 0)


def test_the_same_order_is_the_same_hold_for_ever(club):
    first = club.hold(once=Once("s", "k1", "h"))
    before = club.money()
    again = club.hold(once=Once("s", "k2", "h"))
    assert (again.status, again.body["hold"]) == ("duplicate", first.body["hold"])
    club.void(number(first))
    assert club.hold(once=Once("s", "k3", "h")).body["hold"]["state"] == "voided"
    assert club.money() == before | {"entry": before["entry"] + 1, "posting": before["posting"] + 1, "hold_end": 1}


def test_the_same_order_with_another_amount_or_member_is_a_conflict(club):
    club.hold()
    before = club.money()
    assert club.hold(amount=90_000).code == "command_conflict"
    assert club.hold(member="M2").code == "command_conflict"
    assert club.money() == before


def test_of_two_members_in_one_group_the_first_gets_the_order(club):
    act = PlaceHold("hold:S1:G:points", "points", 1, "order:S1:G")
    grant = [Adjust(f"adjust:{member}", "points", 5, "x", "U1") for member in ("M2", "M3")]
    club.items(*(Command(club.dealer, (one.key[7:],), one) for one in grant))
    answers = club.items(*(Command(club.dealer, (member,), act) for member in ("M2", "M3")))
    assert [(answer.status, answer.code) for answer in answers] == [("recorded", ""), ("conflict", "command_conflict")]
    assert [club.balance("points", "held", member) for member in ("M2", "M3")] == [1, 0]
    club.clean()


def test_the_same_key_gets_the_same_bytes(club):
    once = Once("s", "k", "h")
    first, again = club.hold(once=once), club.hold(once=once)
    assert again.replayed
    assert again.encoded() == first.encoded()
    taken = club.capture(number(first), 40_000, Once("s", "c", "h"))
    assert club.capture(number(first), 40_000, Once("s", "c", "h")).encoded() == taken.encoded()
    assert club.has() == (360_000, 0, 0)


def test_a_refused_hold_leaves_nothing_but_its_answer_and_its_order_stays_free(club):
    before = club.counts() | club.money()
    refused = club.hold(amount=HAS + 1, once=Once("s", "k", "h"))
    assert (refused.status, refused.code) == ("refused", "insufficient_credit")
    assert club.counts() | club.money() == before | {"idempotency": before["idempotency"] + 1}
    assert club.hold(amount=HAS).status == "recorded"


def test_more_than_the_hold_is_not_captured(club):
    made = club.hold()
    assert club.capture(number(made), 100_001).code == "capture_exceeds_hold"
    assert club.has() == (300_000, 100_000, 0)


@pytest.mark.parametrize(("rule", "after"), [("free", (360_000, 0, 0)), ("keep", (300_000, 60_000, 0))])
def test_the_policy_says_what_becomes_of_the_rest_of_a_hold(book_url, rule, after):
    text = SMALL.replace(
        "    clawback: debt\n", f"    clawback: debt\n    holds: {{for: 2 hours, partial: {rule}}}\n", 1
    )
    club = Holds(book_url, text)
    made = club.hold()
    club.capture(number(made), 40_000)
    assert club.has() == after
    again = club.capture(number(made), 60_000)
    assert again.status == ("recorded" if rule == "keep" else "refused")
    assert club.has() == ((300_000, 0, 0) if rule == "keep" else after)
    club.close()


def test_a_hold_lapses_by_itself_also_for_those_who_only_read(club):
    made = club.hold()
    club.later(30)
    refused = club.capture(number(made))
    assert (refused.code, refused.body["details"]["state"]) == ("hold_ended", "lapsed")
    assert club.count("hold_end") == 0  # who is refused posts nothing
    sold = club.sale(club.parts("P2", "2026-03-20", amount=HAS), uses={CREDIT: HAS})
    assert sold.status == "recorded", sold
    assert club.has() == (0, 0, 0)
    assert club.rows("SELECT kind FROM hold_end") == [("lapsed",)]
    assert club.void(number(made)).body["hold"]["state"] == "lapsed"


def test_a_till_may_ask_for_less_time_but_not_for_more(club):
    short = club.hold("P1", expires_at=club.now + MINUTE)
    long = club.hold("P2", expires_at=club.now + 1000 * MINUTE)
    ends = dict(club.rows("SELECT id, expires_at FROM hold"))
    assert ends == {number(short): club.now + MINUTE, number(long): club.now + 30 * MINUTE}


def test_settling_twice_posts_once(club):
    club.hold()
    club.later(31)
    assert club.command(Settle()).body["entries"] == 1
    before = club.money()
    assert club.command(Settle()).body["entries"] == 0
    assert club.money() == before
    assert club.has() == (HAS, 0, 0)


def test_a_hold_made_before_the_last_day_is_captured_after_it_and_what_it_frees_expires(club):
    last = club.rows("SELECT max(expires_at) FROM lot WHERE wallet = 'parts_credit'")[0][0]
    club.now = last - MINUTE
    first, second = club.hold("P1"), club.hold("P2")
    club.later(10)
    assert club.capture(number(first)).status == "recorded"
    club.void(number(second))
    assert club.has() == (0, 0, 0)
    assert club.rows("SELECT kind, delta FROM entry WHERE wallet = 'parts_credit' ORDER BY number DESC LIMIT 3") == [
        ("expire", -100_000), ("void", 0), ("capture", -100_000),
    ]  # fmt: skip


def test_what_was_captured_goes_back_with_its_order(club):
    made = club.hold("P1")
    club.capture(number(made))
    sold = club.sale(club.parts("P1", "2026-03-20", amount=100_000, credit=100_000, cash=0))
    assert sold.status == "recorded"
    club.send(club.returned("P1", "2026-03-21"))
    assert club.has() == (HAS, 0, 0)
    club.clean()


def test_a_sale_takes_its_credit_from_the_hold_of_its_order(club):
    club.hold("P1", HAS)
    order = club.parts("P1", "2026-03-20", amount=HAS, credit=HAS, cash=0)
    other = club.parts("P2", "2026-03-20", amount=1000, credit=1000, cash=0)
    assert club.sale(other, uses={CREDIT: 1000}).code == "insufficient_credit"
    assert club.sale(order, uses={CREDIT: HAS}).status == "recorded"
    assert club.has() == (0, 0, 0)
    assert club.rows("SELECT kind FROM hold_end") == [("captured",)]
    club.clean()


def test_a_sale_does_not_take_again_what_was_captured_for_it(club):
    made = club.hold("P1", 100_000)
    club.capture(number(made))
    order = club.parts("P1", "2026-03-20", amount=150_000, credit=120_000, cash=30_000)
    assert club.sale(order, uses={CREDIT: 120_000}).status == "recorded"
    assert club.has() == (280_000, 0, 0)
    club.clean()


def test_nobody_takes_another_members_hold(club):
    made = club.hold()
    assert club.command(CaptureHold(number(made)), "M2").code == "unknown_hold"
    assert club.command(VoidHold(999), "M1").code == "unknown_hold"
    assert club.hold(order="X", member="nobody").code == "unknown_member"


def test_a_hold_that_ended_cannot_be_ended_otherwise(club):
    made = club.hold()
    club.capture(number(made))
    assert club.void(number(made)).code == "hold_ended"
    assert club.capture(number(made), 1).code == "hold_ended"
    assert club.capture(number(made)).status == "duplicate"  # a retry under a new key


def test_a_member_without_holds_costs_no_further_question(club, monkeypatch):
    asked = []
    ask = type(club.link).ask

    def listened(self, sql, *values):
        asked.append(sql)
        return ask(self, sql, *values)

    monkeypatch.setattr(type(club.link), "ask", listened)
    club.sale(club.parts("P9", "2026-03-20", amount=1000), uses={CREDIT: 1000})
    alone = [sql for sql in asked if "hold" in sql and "hold_state" not in sql and "DISTINCT cluster" not in sql]
    assert alone == []


def test_of_two_workers_one_gets_the_last_credit(club, book_url):
    """Both ask for all of it at once; on SQLite the file's lock decides, on PostgreSQL the member's."""
    links = [database.connect(book_url) for _ in range(2)]
    answers = []

    def ask(place):
        act = PlaceHold(f"hold:S1:W{place}:{CREDIT}", CREDIT, HAS, f"order:S1:W{place}")
        answers.extend(Recorder(links[place]).record([Command(club.dealer, ("M1",), act)], wait=True))

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for link in links:
        link.close()
    assert sorted(answer.status for answer in answers) == ["recorded", "refused"]
    club.clean()


ABOVE = SMALL.replace("    clawback: debt\n", "    clawback: debt\n    holds: {for: 30 minutes, above: take}\n", 1)


def test_a_capture_above_its_hold_takes_the_rest_where_the_policy_says_so(book_url):
    club = Holds(book_url, ABOVE)
    made = club.hold(amount=100_000)
    other = club.hold("P2", amount=250_000)
    before = club.money()
    assert club.capture(number(made), 150_001).code == "capture_exceeds_hold"  # only 50 000 are free besides
    assert club.money() == before
    taken = club.capture(number(made), 150_000)
    assert (taken.body["hold"]["captured"], taken.body["hold"]["state"]) == (150_000, "captured")
    assert club.has() == (0, 250_000, 0)
    again = club.capture(number(made), 150_000)
    assert (again.status, again.body["hold"]) == ("duplicate", taken.body["hold"])
    assert club.capture(number(made), 100_000).code == "hold_ended"
    assert club.capture(number(other)).body["hold"]["captured"] == 250_000
    # Its order tells of it later, and gives all of it back.
    line = club.parts("P1", "2026-03-20", amount=200_000, qty=1, credit=150_000, cash=50_000)
    assert club.sale(line, uses={CREDIT: 150_000}).status == "recorded"
    assert club.has() == (0, 0, 0)
    club.send(club.returned("P1", "2026-03-21"))
    assert club.has() == (150_000, 0, 0)
    club.clean()
    club.close()


STRICT = SMALL.replace(
    "    clawback: debt\n",
    "    clawback: debt\n    minimum: 50 CNY\n    transfer: linked\n    holds: {for: 30 minutes, above: take}\n"
    "    suspended_when: {overdue_days: {more_than: 30}}\n",
    1,
)


@pytest.fixture
def strict(sqlite_book_url):
    made = Holds(sqlite_book_url, STRICT)
    yield made
    made.clean()
    made.close()


def test_the_smallest_use_of_a_wallet_is_the_smallest_hold(strict):
    before = strict.money()
    refused = strict.hold(amount=4_999)
    assert (refused.status, refused.code) == ("refused", "credit_not_payable")
    assert strict.money() == before
    assert strict.hold(amount=5_000).status == "recorded"


def test_whose_credit_is_suspended_keeps_what_is_held_for_him_and_gets_no_more(strict):
    made = strict.hold(amount=100_000)
    strict.send(strict.said("overdue_changed", "2026-04-01", "M1", overdue_days=31, source_id="o1"))
    assert strict.hold("P2").code == "credit_suspended"
    assert strict.capture(number(made), 100_001).code == "credit_suspended"
    assert strict.has() == (300_000, 100_000, 0)
    assert strict.capture(number(made), 100_000).body["hold"]["state"] == "captured"
    assert strict.has() == (300_000, 0, 0)


def test_whose_credit_is_suspended_hands_none_on(strict):
    for member in ("M1", "M2"):
        said = {"name": "firm", "value_text": "F"}
        strict.send(strict.said("attribute_changed", "2026-04-01", member, source_id=f"f{member}", **said))
    act = Transfer("transfer:1", CREDIT, 10_000, "同一公司", "U1")
    moved = Command(strict.dealer, ("M1", "M2"), act)
    strict.send(strict.said("overdue_changed", "2026-04-01", "M1", overdue_days=31, source_id="o1"))
    assert strict.items(moved)[0].code == "credit_suspended"
    assert strict.has("M2") == (0, 0, 0)
    strict.send(strict.said("overdue_changed", "2026-04-02", "M1", overdue_days=30, source_id="o2"))
    assert strict.items(moved)[0].status == "recorded"
    assert strict.has("M2") == (10_000, 0, 0)


def test_nobody_hands_credit_to_himself(strict):
    said = {"name": "firm", "value_text": "F"}
    strict.send(strict.said("attribute_changed", "2026-04-01", "M1", source_id="f", **said))
    moved = Command(strict.dealer, ("M1", "M1"), Transfer("transfer:1", CREDIT, 10_000, "?", "U1"))
    assert strict.items(moved)[0].code == "transfer_not_allowed"
    assert strict.has() == (HAS, 0, 0)
