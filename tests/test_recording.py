"""What a recorded item does to the book, on both databases."""

import sqlite3
import time

import psycopg
import pytest

from tests.club import SMALL
from tierengine.errors import Refused
from tierengine.judging.history import LAST
from tierengine.membership.known import read_member
from tierengine.membership.stand import stand
from tierengine.membership.standings import stages
from tierengine.policies import versions
from tierengine.recording.items import Claim, Observe, Once
from tierengine.recording.writing import TABLES, Rows
from tierengine.store.ids import Ids, transact

# ---- observations -----------------------------------------------------------------------------------------------


def test_a_parts_purchase_of_a_member_grants_points(club):
    club.send(club.machine("A", "2026-01-05"), club.machine("B", "2026-02-05"))
    (answer,) = club.send(club.parts("P", "2026-04-01", amount=123_456))
    assert answer.status == "recorded"
    assert answer.body["tier"] == {"before": "member", "after": "member", "now": "member"}
    assert [(grant["rule"], grant["amount"]) for grant in answer.body["grants"]] == [("parts_points", 123)]
    assert answer.body["balances"]["points"]["usable"] == 123


def test_the_purchase_that_makes_a_member_says_what_made_him_one(club):
    club.send(club.machine("A", "2026-01-05"))
    (answer,) = club.send(club.machine("B", "2026-02-05"))
    assert answer.body["tier"] == {"before": "customer", "after": "member", "now": "member"}
    (change,) = answer.body["tier_changes"]
    assert (change["cause"], change["traits"], change["until"]) == (
        "promoted",
        ["repeat_buyer"],
        "2027-02-06T00:00:00+08:00",
    )


def test_an_unknown_member_leaves_no_trace(club):
    (answer,) = club.send(club.parts("P", "2026-04-01", member="nobody"))
    assert (answer.status, answer.code) == ("unknown", "unknown_member")
    assert not any(club.counts().values())


def test_a_late_event_judges_again_and_posts_the_difference(club):
    one, other, *contacts = club.golden()
    club.send(other, club.parts("P1", "2026-02-10", amount=100_000))
    assert club.net() == []
    before = club.count("entry")
    (answer,) = club.send(one)
    assert answer.body["adjusted"] == [{"event": "order:S1:P1:parts_purchase", "rule": "parts_points", "change": 100}]
    assert club.count("entry") == before + 1
    assert [row[1:3] for row in club.tiers()] == [("member", "customer")]
    club.send(*contacts)
    assert club.tiers()[-1][1] == "gold"


def test_a_ladder_moves_up_when_an_earlier_machine_is_told_later(club):
    club.send(*club.golden())
    club.send(club.machine("C", "2026-05-01"))
    club.send(club.machine("D", "2026-04-01"))
    net = {(key, rule): amount for key, rule, _, amount in club.net()}
    assert net["order:S1:D:machine_purchase", "machine_ladder"] == 100_000
    assert net["order:S1:C:machine_purchase", "machine_ladder"] == 150_000
    assert club.balance("parts_credit") == 250_000


def test_a_return_takes_back_what_the_sale_earned(club):
    club.send(*club.golden(), club.parts("P", "2026-04-01", amount=100_000, qty=2))
    (answer,) = club.send(club.returned("P", "2026-04-03", lines=[{"item": "filter", "qty": 1}]))
    assert [(grant["amount"], grant["change"]) for grant in answer.body["grants"]] == [(50, -50)]
    (answer,) = club.send(club.returned("P", "2026-04-04", number=2))
    assert club.net() == []
    assert club.balance("points") == 0


def test_a_return_before_its_sale_waits_and_then_counts(club):
    club.send(*club.golden())
    (answer,) = club.send(club.returned("P", "2026-04-03"))
    assert (answer.status, answer.body["waits_for"]) == ("parked", ["order:S1:P"])
    assert club.count("parked") == 1
    club.send(club.parts("P", "2026-04-01"))
    assert club.count("parked") == 0
    assert club.net() == []
    assert club.count("contribution") == 7


def test_a_cancelled_event_is_as_if_it_had_never_been(club):
    club.send(*club.golden(), club.machine("C", "2026-05-01"), club.machine("D", "2026-06-01"))
    club.send(
        club.said(
            "observation_cancelled", "2026-06-02", source_id="order:S1:C:machine_purchase", revision=1, reason="x"
        )
    )
    assert [(row[0], row[3]) for row in club.net()] == [("order:S1:D:machine_purchase", 100_000)]
    club.send(club.machine("C", "2026-05-01", revision=2))
    assert [row[3] for row in club.net()] == [100_000, 150_000]


def test_a_corrected_event_moves_to_where_it_belongs(club):
    club.send(*club.golden(), club.machine("C", "2026-05-01"), club.machine("D", "2026-06-01"))
    club.send(club.machine("C", "2026-07-01", revision=1))
    assert {row[0]: row[3] for row in club.net()} == {
        "order:S1:D:machine_purchase": 100_000,
        "order:S1:C:machine_purchase": 150_000,
    }


def test_a_correction_may_give_a_purchase_to_another_member(club):
    club.send(*club.golden("M1"), *club.golden("M2"), club.machine("C", "2026-05-01", "M1"))
    assert (club.balance("parts_credit", member="M1"), club.balance("parts_credit", member="M2")) == (100_000, 0)
    club.send(club.machine("C", "2026-05-01", "M2", revision=1))
    assert (club.balance("parts_credit", member="M1"), club.balance("parts_credit", member="M2")) == (0, 100_000)


# ---- once -------------------------------------------------------------------------------------------------------


def test_what_is_sent_often_happens_once(club):
    said = [*club.golden(), club.parts("P", "2026-04-01")]
    first = club.send(*said)
    counts = club.counts()
    for _ in range(2):
        again = club.send(*said)
        assert {answer.status for answer in again} == {"duplicate"}
    assert again[-1].body["grants"] == [{**first[-1].body["grants"][0], "change": 0}]
    assert again[-1].body["balances"] == first[-1].body["balances"]
    assert club.counts() == counts


def test_duplicates_inside_one_group_are_found(club):
    said = club.parts("P", "2026-04-01")
    answers = club.send(said, said, said)
    assert [answer.status for answer in answers] == ["recorded", "duplicate", "duplicate"]
    assert club.count("event") == 1


def test_other_content_under_the_same_key_is_listed_and_not_booked(club):
    club.send(*club.golden(), club.parts("P", "2026-04-01", amount=100_000))
    for _ in range(2):
        (answer,) = club.send(club.parts("P", "2026-04-01", amount=900_000))
        assert (answer.status, answer.code) == ("conflict", "event_conflict")
    assert club.count("event_conflict") == 1
    assert club.balance("points") == 100


def test_an_idempotency_key_has_one_answer(club):
    club.send(*club.golden())
    once = Once("key:1", "k1", "hash")
    item = Observe(club.dealer, club.parts("P", "2026-04-01"), once=once)
    (first,) = club.items(item)
    counts = club.counts()
    (again,) = club.items(item)
    assert again.replayed
    assert (again.status, again.encoded()) == (first.status, first.encoded())
    other = Observe(club.dealer, club.parts("Q", "2026-04-01"), once=Once("key:1", "k1", "other"))
    (refused,) = club.items(other)
    assert (refused.status, refused.code) == ("mismatch", "idempotency_mismatch")
    assert club.counts() == counts


def test_one_idempotency_key_twice_in_a_group_shares_its_answer(club):
    item = Observe(club.dealer, club.parts("P", "2026-04-01"), once=Once("key:1", "k1", "hash"))
    other = Observe(club.dealer, club.parts("Q", "2026-04-01"), once=Once("key:1", "k1", "other"))
    first, again, mismatch = club.items(item, item, other)
    assert (first.status, again.status, mismatch.status) == ("recorded", "recorded", "mismatch")
    assert first.encoded() == again.encoded()
    assert (club.count("event"), club.count("idempotency")) == (1, 1)


# ---- commands ---------------------------------------------------------------------------------------------------


@pytest.fixture
def rich(club):
    """A gold member with 1,000 yuan of parts credit."""
    club.send(*club.golden(), club.machine("C", "2026-05-01"))
    return club


def test_credit_pays_and_its_part_earns_nothing(rich):
    answer = rich.sale(rich.parts("P", "2026-06-01", amount=100_000, credit=60_000), uses={"parts_credit": 60_000})
    assert answer.status == "recorded"
    assert answer.body["credit_used"] == {"parts_credit": 60_000}
    assert answer.body["balances"]["parts_credit"]["usable"] == 40_000
    assert [grant["amount"] for grant in answer.body["grants"]] == [40]


def test_credit_that_is_not_there_refuses_the_sale_and_leaves_its_order_number_free(rich):
    counts = rich.counts()
    answer = rich.sale(rich.parts("P", "2026-06-01", credit=100_000), uses={"parts_credit": 100_001})
    assert (answer.status, answer.code) == ("refused", "insufficient_credit")
    assert rich.counts() == counts
    answer = rich.sale(rich.parts("P", "2026-06-01", credit=50_000), uses={"parts_credit": 50_000})
    assert answer.status == "recorded"


def test_of_a_group_whose_last_row_fails_nothing_stays(club, monkeypatch):
    send, table = Rows.send, TABLES["idempotency"]

    def spoiled(rows, link):
        rows.add("idempotency", *(b"" if name == "answer" else None for name in table.columns))
        send(rows, link)

    monkeypatch.setattr(Rows, "send", spoiled)
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.NotNullViolation)):
        club.send(club.parts("P1", "2026-03-10"))
    monkeypatch.undo()
    assert club.rows("SELECT count(*) FROM event") == [(0,)]
    assert club.rows("SELECT count(*) FROM entry") == [(0,)]


def test_a_refusal_sticks_to_its_key(rich):
    once = Once("key:1", "k", "h")
    first = rich.sale(rich.parts("P", "2026-06-01"), uses={"parts_credit": 100_001}, once=once)
    rich.send(rich.machine("D", "2026-05-02"))
    again = rich.sale(rich.parts("P", "2026-06-01"), uses={"parts_credit": 100_001}, once=once)
    assert (again.status, again.replayed, again.encoded()) == ("refused", True, first.encoded())


def test_a_late_sale_is_never_refused_and_its_over_use_is_debt(rich):
    answer = rich.sale(
        rich.parts("P", "2026-06-01", amount=200_000, credit=150_000), uses={"parts_credit": 150_000}, late=True
    )
    assert answer.status == "recorded"
    assert (rich.balance("parts_credit"), rich.balance("parts_credit", "debt")) == (0, 50_000)
    rich.send(rich.machine("D", "2026-05-02"))
    assert (rich.balance("parts_credit"), rich.balance("parts_credit", "debt")) == (100_000, 0)


def test_credit_of_an_order_that_the_nightly_file_told_first_is_still_taken_and_once(rich):
    sold = rich.parts("P", "2026-06-01", amount=100_000, credit=60_000)
    rich.send(sold)
    assert rich.balance("parts_credit") == 100_000
    for _ in range(2):
        answer = rich.sale(sold, uses={"parts_credit": 60_000}, late=True)
        assert (answer.status, answer.body["credit_used"]) == ("duplicate", {"parts_credit": 60_000})
        assert rich.balance("parts_credit") == 40_000
    (answer,) = rich.send(rich.returned("P", "2026-06-02"))
    assert answer.body["credit_returned"] == {"parts_credit": 60_000}
    rich.sale(sold, uses={"parts_credit": 60_000}, late=True)
    assert rich.balance("parts_credit") == 100_000


def test_a_returned_redemption_goes_back(rich):
    rich.sale(rich.parts("P", "2026-06-01", amount=100_000, qty=2, credit=60_000), uses={"parts_credit": 60_000})
    rich.send(rich.returned("P", "2026-06-02", lines=[{"item": "filter", "qty": 1}]))
    assert rich.balance("parts_credit") == 70_000
    rich.send(rich.returned("P", "2026-06-03", number=2))
    assert rich.balance("parts_credit") == 100_000


def test_an_order_number_with_other_content_is_a_conflict(rich):
    rich.sale(rich.parts("P", "2026-06-01"))
    counts = rich.counts()
    answer = rich.sale(rich.parts("P", "2026-06-01", amount=1))
    assert (answer.status, answer.code) == ("conflict", "order_conflict")
    assert rich.counts() == counts


def test_a_check_sees_the_state_before_and_may_refuse(rich):
    seen = []

    def check(before):
        seen.append((before.tier, before.usable["parts_credit"], before.inputs.facts["machines_bought"]))
        raise Refused("price_changed")

    answer = rich.sale(rich.machine("D", "2026-06-01"), check=check)
    assert (answer.status, answer.code) == ("refused", "price_changed")
    assert seen == [("gold", 100_000, 3)]


def test_a_check_of_a_late_sale_sees_the_past(rich):
    seen = []
    rich.sale(rich.machine("D", "2026-02-20"), check=lambda before: seen.append((before.tier, len(before.history))))
    assert seen == [("member", 2)]


def test_a_claim_above_its_quota_is_refused(rich):
    def check(before):
        if sum(row.kind == "entitlement_claimed" for row in before.history) >= 1:
            raise Refused("entitlement_used_up", entitlement="training", quota=1, used=1)

    def claim(number):
        said = rich.said("entitlement_claimed", "2026-06-01", "M1", entitlement="training", source_id=f"e{number}")
        return Claim(rich.dealer, said, check)

    (first,) = rich.items(claim(1))
    (second,) = rich.items(claim(2))
    assert (first.status, second.status, second.code) == ("recorded", "refused", "entitlement_used_up")


# ---- policy versions and money in time --------------------------------------------------------------------------


def test_each_event_is_judged_by_the_version_of_its_own_time(club):
    club.now = int(time.time() * 1e6)
    start = club.now + 120_000_000
    club.publish(SMALL.replace("give: 1 points, each: 10 CNY", "give: 2 points, each: 10 CNY"), start)
    club.send(*club.golden(), club.parts("P", "2026-04-01"))
    assert club.balance("points") == 100
    club.recorder._now = lambda: start + 600_000_000
    club.now = start + 600_000_000
    later = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(start / 1e6 + 60))
    club.send(club.parts("Q", later))
    club.send(club.parts("R", "2026-04-02"))
    assert club.balance("points") == 400


def raced(club):
    """Let a till that is ahead tell of a sale while a version that begins before it is being published."""
    club.now = int(time.time() * 1e6)
    ahead = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(club.now / 1e6 + 90))
    club.send(club.parts("P", "2026-04-01", amount=900_000))
    club.send(club.parts("Q", ahead, amount=1_200_000))
    assert [row[1] for row in club.tiers()] == ["member"]
    text = SMALL.replace("when: {traits: {at_least: 1}}", "when: {traits: {at_least: 2}}")
    text = text.replace("for: [member, gold]", "for: [customer, member, gold]")

    def act(link, ids):
        row = (ids.take(), club.dealer, 2, text, "", "a", "r", club.now + 60_000_000, club.now)
        link.write(versions._VERSIONS, [row])

    transact(club.link, Ids(), act)
    club.now += 600_000_000
    club.recorder._now = lambda: club.now


def test_what_was_judged_by_a_version_that_ended_before_it_is_read_by_the_right_one(club):
    raced(club)
    programme = versions.load(club.link, club.dealer)
    member = club.rows("SELECT id FROM member WHERE code = 'M1'")[0][0]
    assert stages(club.link, programme, [member], club.now)[member] == []
    known = read_member(club.link, programme, "M1")
    here = stand(known, (club.now, LAST, ""), known.source())
    assert (here.tier, here.regime.version.number) == ("customer", 2)
    club.link.rollback()


def test_what_was_judged_by_a_version_that_ended_before_it_is_judged_again_with_the_next_event(club):
    raced(club)
    assert club.balance("points") == 1_200
    club.send(club.contact(1, time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(club.now / 1e6 - 60))))
    assert club.tiers() == []
    assert club.rows("SELECT tier FROM ledger l JOIN member m ON m.id = l.member_id WHERE m.code = 'M1'") == [
        ("customer",)
    ]


def test_a_version_cannot_be_published_into_the_past(club):
    with pytest.raises(Refused):
        club.publish(SMALL, club.now)


def test_what_lapsed_is_posted_before_anything_else(club):
    club.send(*club.golden(), club.machine("C", "2026-05-01"))
    after = 1_840_000_000_000_000  # April 2028: two years and a month later
    club.now = after + 10**12
    club.recorder._now = lambda: 1_850_000_000_000_000
    answer = club.sale(club.parts("P", "2026-06-01"), uses={"parts_credit": 1})
    assert answer.code == "insufficient_credit"
    assert club.balance("parts_credit") == 100_000  # a refusal changes nothing
    club.send(club.contact("late", "2026-06-01"))
    assert club.balance("parts_credit") == 0
    assert club.rows("SELECT kind, delta FROM entry WHERE kind = 'expire'") == [("expire", -100_000)]
