"""Members who were registered twice are merged, and un-merged: their histories, their grants and their money."""

import contextlib
import random
from dataclasses import replace

import pytest

from tests.chance import Seeded
from tests.club import MEMBERS, SMALL, Club, opened
from tests.history.cases import FEW, case
from tests.history.deliveries import Book, merged
from tests.keys import acting
from tierengine.errors import Unknown
from tierengine.judging.history import Contribution, Observation
from tierengine.judging.merging import MERGE, MERGED, united
from tierengine.ledger.verify import verify
from tierengine.membership import people
from tierengine.membership.asker import Asker
from tierengine.membership.merging import read_unmerge
from tierengine.membership.past import explain
from tierengine.membership.view import view
from tierengine.membership.wallets import balance
from tierengine.personal.erasure import erase
from tierengine.policies import versions
from tierengine.policies.backtest import backtest
from tierengine.recording.acts import Adjust, CaptureHold, PlaceHold, Settle, VoidHold
from tierengine.recording.items import Command, Merge, Observe, Sale
from tierengine.recording.rebuilding import rebuild
from tierengine.recording.recorder import Recorder
from tierengine.recording.writer import Writer
from tierengine.store.ids import Ids, transact
from tierengine.zone import DAY

CREDIT = "parts_credit"


@pytest.fixture
def club(book_url):
    with opened(book_url) as made:
        yield made
        assert sound(made)


def merge(club, loser, into, number=1, at="2026-06-01"):
    occurred = club.said("card_lost", at, loser, source_id="x").occurred_at
    key = f"{MERGE}{number}"
    said = Observation(MERGED, loser, occurred, "merge", str(number), "", 0, {"into": into}, key, key)
    return Merge(club.dealer, said, into)


def unmerge(club, loser, number=1):
    key = f"{MERGE}{number}"
    said = Observation("observation_cancelled", loser, 0, "merge", key, "", 1, {}, key, key)
    return Merge(club.dealer, said)


def record(club, *items):
    answers = club.recorder.record(list(items))
    while club.recorder.deliver():
        pass
    return answers[0] if len(answers) == 1 else answers


def sound(club):
    """Every invariant holds, and every cache comes out the same when it is made again."""
    found = verify(club.link)
    club.link.rollback()
    assert not found, found
    differences = rebuild(club.link, versions.load(club.link, club.dealer))
    club.link.rollback()
    assert differences.same, differences
    return True


def spend(club, order, member, amount, at="2026-07-01", **how):
    said = club.parts(order, at, member, amount=amount * 2, credit=amount, cash=amount)
    return record(club, Sale(club.dealer, (said,), uses={CREDIT: amount}, **how))


def have(club, member, wallet=CREDIT):
    """Available, held and debt in a member's own book."""
    return tuple(club.balance(wallet, kind, member) for kind in ("available", "held", "debt"))


def read(club, ask, member):
    programme = versions.load(club.link, club.dealer)
    found = ask(club.link, programme, member, club.now, Asker())
    club.link.rollback()
    return found


# ---- histories ---------------------------------------------------------------------------------------------------


def test_two_who_bought_one_machine_each_are_one_who_bought_two(club):
    club.send(club.machine("A", "2026-01-05", "M1"), club.machine("B", "2026-02-05", "M2"))
    assert club.tiers("M1") == club.tiers("M2") == []
    answer = record(club, merge(club, "M2", "M1"))
    assert (answer.status, answer.body["member"], answer.body["merged_into"]) == ("recorded", "M1", "M1")
    assert [row[1] for row in club.tiers("M1")] == ["member"]
    assert club.tiers("M2") == []
    (answer,) = club.send(club.parts("P", "2026-04-01", amount=100_000, member="M2"))
    assert (answer.body["member"], answer.body["merged_into"]) == ("M1", "M1")
    assert [(grant["rule"], grant["amount"]) for grant in answer.body["grants"]] == [("parts_points", 100)]
    assert answer.body["balances"]["points"]["usable"] == 100
    assert record(club, unmerge(club, "M2")).status == "recorded"
    assert club.tiers("M1") == club.tiers("M2") == []
    assert club.net() == []


@pytest.mark.parametrize("seed", range(2))
def test_however_it_is_told_they_are_as_if_they_had_been_one_from_the_first(book_url, seed):
    book = Book(book_url)
    for number in range(seed * 5, seed * 5 + 5):
        merged(book, Seeded(number), case(Seeded(number), FEW[number % len(FEW)]), f"s{number}-")
    book.close()


def test_a_chain_is_one_and_falls_apart_where_it_is_cut(club):
    three = ("M1", "M2", "M3")
    for number, member in enumerate(three):
        club.send(club.machine(f"A{number}", f"2026-0{number + 1}-05", member))
    record(club, merge(club, "M2", "M3", 2))
    record(club, merge(club, "M1", "M2", 1))
    assert [read(club, view, one)["member"] for one in three] == ["M3", "M3", "M3"]
    assert read(club, view, "M3")["merged"] == ["M1", "M2"]
    record(club, unmerge(club, "M2", 2))
    assert [read(club, view, one)["member"] for one in three] == ["M2", "M2", "M3"]
    assert [row[1] for row in club.tiers("M2")] == ["member"]
    assert club.tiers("M3") == club.tiers("M1") == []


def test_what_makes_no_sense_is_refused_and_leaves_no_trace(club):
    record(club, merge(club, "M2", "M1", 1))
    before = club.counts()
    answers = [
        record(club, merge(club, "M2", "M3", 2)),
        record(club, merge(club, "M1", "M2", 3)),
        record(club, unmerge(club, "M1", 4)),
        record(club, merge(club, "M3", "nobody", 5)),
    ]
    assert [answer.code for answer in answers] == ["merge_again", "merge_cycle", "not_merged", "unknown_member"]
    assert club.counts() == before
    assert record(club, merge(club, "M2", "M1", 1)).status == "duplicate"
    assert record(club, unmerge(club, "M2", 1)).status == "recorded"
    assert record(club, unmerge(club, "M2", 1)).status == "duplicate"
    assert record(club, merge(club, "M1", "M2", 6)).status == "recorded"


def test_a_refused_merge_does_not_even_post_what_has_lapsed(club):
    rich(club, "M1", "M2")
    record(club, merge(club, "M2", "M1", 1))
    club.now += 4 * 366 * DAY
    club.recorder = Recorder(club.link, now=lambda: club.now)
    before = club.counts()
    assert record(club, merge(club, "M2", "M3", 2)).code == "merge_again"
    assert club.counts() == before


def test_two_who_merge_one_at_the_same_moment_are_answered_one_after_the_other(club):
    sold = Observe(club.dealer, club.machine("A", "2026-01-05", "M2"))
    answers = record(club, merge(club, "M2", "M1", 1), merge(club, "M2", "M3", 2), sold)
    assert [answer.status for answer in answers] == ["recorded", "refused", "recorded"]
    assert answers[2].body["member"] == "M1"


def test_nobody_refers_himself():
    bought = Contribution(
        "machine_purchase", "k#0", 5, (5, 3, "k"), "machine_purchase", 1, 9, {"referrer": "B", "related": 0}
    )
    for codes, related in ((["A", "B"], 1), (["A", "C"], 0)):
        (row,) = united([[bought]], codes)
        assert (row.fields["related"], row.fields.get("related_by")) == (related, "self" if related else None)


def test_what_was_known_of_them_before_stays_as_it_was_known(club):
    club.send(club.machine("A", "2026-01-05", "M1"), club.machine("B", "2026-02-05", "M2"))
    before = club.recorder.now()
    record(club, merge(club, "M2", "M1"))
    now = club.recorder.now()

    def told(member, known_at):
        programme = versions.load(club.link, club.dealer)
        found = explain(club.link, programme, member, now, known_at, Asker())
        club.link.rollback()
        return found["member"], found["standing"]["tier"]

    assert [told(one, before) for one in ("M1", "M2")] == [("M1", "customer"), ("M2", "customer")]
    assert [told(one, now) for one in ("M1", "M2")] == [("M1", "member"), ("M1", "member")]


def test_a_merged_member_is_found_by_his_card_and_his_machine_as_who_stands_for_him(club):
    club.send(
        club.machine("A", "2026-01-05", "M2", serial="X-A"),
        club.said("card_issued", "2026-01-06", "M2", source_id="k", card_no="K9"),
    )
    assert record(club, merge(club, "M2", "M1")).status == "recorded"
    with club.beside("M1", "N1"):
        club.send(
            club.machine("B", "2026-01-05", "N1", serial="X-B"),
            club.said("card_issued", "2026-01-06", "N1", source_id="k", card_no="K8"),
        )
        assert [found(club, *one) for one in (("serial", "X-B"), ("card_no", "K8"))] == [["N1"], ["N1"]]
        assert [found(club, *one) for one in (("serial", "X-A"), ("card_no", "K9"), ("code", "M2"))] == [[], [], []]
    assert [found(club, *one) for one in (("serial", "X-A"), ("card_no", "K9"))] == [["M1"], ["M1"]]
    assert [found(club, *one) for one in (("serial", "X-B"), ("card_no", "K8"), ("code", "N1"))] == [[], [], []]
    with pytest.raises(Unknown):
        read(club, balance, "N1")
    club.link.rollback()


def found(club, by, value):
    codes = [code for _, code in people.find_members(club.link, club.dealer, by, value)]
    club.link.rollback()
    return codes


def test_another_dealers_merge_of_the_same_codes_is_none_here(club):
    """Neither does it move whom a member is explained as, nor can it be ended here."""
    with club.beside("M1", "M2"):
        club.send(club.machine("O", "2026-01-05", "M2"))
        assert record(club, merge(club, "M2", "M1")).status == "recorded"
        other = club.dealer
    programme, now = versions.load(club.link, club.dealer), club.recorder.now()
    for code in ("M1", "M2"):
        found = explain(club.link, programme, code, now, now, Asker())
        assert (found["member"], found.get("merged"), found.get("merged_into")) == (code, None, None)
        assert found["decisions"] == []
    for dealer, key in ((club.dealer, f"{MERGE}:M2"), (other, f"{MERGE}1")):
        said = read_unmerge(club.link, {"reason": "x"}, "M2", dealer=dealer, once=None)
        assert said.observation.key == key
    club.link.rollback()


def test_a_back_test_plays_each_who_stands_for_himself_once_and_nobody_of_another_dealer(club):
    club.send(club.machine("A", "2026-01-05", "M1"), club.machine("B", "2026-02-05", "M2"))
    assert record(club, merge(club, "M2", "M1")).status == "recorded"
    with club.beside("N1"):
        club.send(club.machine("O", "2026-01-05", "N1"), club.machine("P", "2026-02-05", "N1"))
    programme = versions.load(club.link, club.dealer)
    rules, now = programme.line.at(club.now).rules, club.recorder.now()
    played = backtest(club.link, programme, rules, since=1, now=now)
    club.link.rollback()
    assert played.members == len(MEMBERS) - 1
    assert played.before == played.after == {"customer": len(MEMBERS) - 2, "member": 1}
    assert (played.moved, [one.more for one in played.costs if one.more]) == ((), [])


def test_a_decision_is_told_from_its_own_instant_and_from_when_it_was_recorded(club):
    club.send(*club.golden("M1"), club.machine("C", "2026-03-10"))
    programme = versions.load(club.link, club.dealer)

    def told(at, known_at):
        found = explain(club.link, programme, "M1", at, known_at, Asker())
        club.link.rollback()
        return len(found["decisions"])

    ((at, recorded),) = club.rows("SELECT min(step_at), min(recorded_at) FROM decision")
    now = club.recorder.now()
    assert [told(at - 1, now), bool(told(at, now))] == [0, True]
    assert [told(now, recorded - 1), bool(told(now, recorded))] == [0, True]


def test_two_workers_merge_one_at_once_and_a_sale_of_either_beside_them(book_url):
    """Whoever is first; nobody is merged twice, and nothing waits for ever."""
    with opened(book_url) as club, Writer(book_url) as one:
        rich(club, "M1", "M2")
        with contextlib.ExitStack() as stack:
            other = stack.enter_context(Writer(book_url)) if club.link.kind == "postgresql" else one
            sale = club.parts("U", "2026-07-01", "M2", amount=200_000, credit=100_000, cash=100_000)
            told = [
                one.submit(merge(club, "M2", "M1", 1)),
                other.submit(merge(club, "M2", "M3", 2)),
                other.submit(Sale(club.dealer, (sale,), uses={CREDIT: 100_000})),
                one.submit(merge(club, "M1", "M3", 3)),
                other.submit(merge(club, "M3", "M1", 4)),
            ]
            statuses = [answer.result(timeout=60).status for answer in told]
        assert statuses[2] == "recorded"
        assert sorted(statuses[:2]) == ["recorded", "refused"]
        assert sorted(statuses[3:]).count("recorded") == 1
        club.recorder.memory = type(club.recorder.memory)()
        assert sound(club)


def test_who_is_erased_is_erased_with_all_who_are_one_with_him_and_merged_no_more(club, vault):
    record(club, merge(club, "M2", "M1"))
    transact(
        club.link, Ids(), lambda link, ids: erase(acting(link, ids, club.dealer, club.now), vault, "M1", second="li")
    )
    assert club.count("erasure") == 2
    refused = record(club, merge(club, "M1", "M3", 2))
    assert refused.code == "merge_erased"


# ---- money -------------------------------------------------------------------------------------------------------


def rich(club, *members):
    """Gold since March, with the rewards of two machines since April: 2 500 yuan each."""
    for member in members:
        bought = [club.machine(f"{member}-{name}", f"2026-04-0{day}", member) for day, name in ((1, "C"), (2, "D"))]
        club.send(*club.golden(member), *bought)


def placed(club, member, order, amount):
    act = PlaceHold(f"hold:S1:{order}:c", CREDIT, amount, f"order:S1:{order}")
    return record(club, Command(club.dealer, (member,), act))


def ends(club):
    return club.rows(
        "SELECT DISTINCT l.expires_at FROM lot l JOIN lot_state s ON s.lot_id = l.id WHERE s.remaining > 0 ORDER BY 1"
    )


def test_what_both_were_given_because_they_were_two_is_taken_back_and_given_again(club):
    rich(club, "M1", "M2")
    assert have(club, "M1")[0] == have(club, "M2")[0] == 250_000
    answer = record(club, merge(club, "M2", "M1"))
    # Four machines of one customer: 1 000, 1 500, 1 500, and nothing for the fourth.
    assert sum(one["change"] for one in (*answer.body["adjusted"], *answer.body["grants"])) == -100_000
    assert answer.body["balances"][CREDIT]["usable"] == 400_000
    assert club.tiers("M1")
    assert not club.tiers("M2")
    causes = club.rows("SELECT DISTINCT cause_key FROM entry WHERE recorded_at = (SELECT MAX(recorded_at) FROM entry)")
    assert causes == [(f"{MERGE}1",)]
    record(club, unmerge(club, "M2"))
    assert have(club, "M1") == have(club, "M2") == (250_000, 0, 0)


def test_spent_credit_becomes_no_debt_while_the_other_has_some(club):
    rich(club, "M1", "M2")
    spend(club, "U", "M2", 250_000)
    record(club, merge(club, "M2", "M1"))
    assert (have(club, "M1"), have(club, "M2")) == ((150_000, 0, 0), (0, 0, 0))
    record(club, unmerge(club, "M2"))
    # What he was given anew repays what the other gave for him.
    assert (have(club, "M1"), have(club, "M2")) == ((250_000, 0, 0), (0, 0, 0))


def test_nothing_is_forgiven_while_the_other_has_some(book_url):
    with contextlib.closing(Club(book_url, SMALL.replace("clawback: debt", "clawback: forgive"))) as club:
        rich(club, "M1", "M2")
        spend(club, "U", "M2", 250_000)
        record(club, merge(club, "M2", "M1"))
        assert (have(club, "M1"), have(club, "M2")) == ((150_000, 0, 0), (0, 0, 0))
        assert sound(club)


def test_what_nobody_has_is_owed_once_and_paid_by_whatever_comes(club):
    rich(club, "M1", "M2")
    spend(club, "U", "M2", 250_000), spend(club, "V", "M1", 250_000)
    record(club, merge(club, "M2", "M1"))
    assert have(club, "M1")[2] + have(club, "M2")[2] == 100_000
    other = "M1" if have(club, "M2")[2] else "M2"
    record(club, Command(club.dealer, (other,), Adjust("adjust:1", CREDIT, 130_000, "x", "w")))
    assert have(club, "M1")[2] == have(club, "M2")[2] == 0
    assert have(club, "M1")[0] + have(club, "M2")[0] == 30_000
    record(club, unmerge(club, "M2"))
    assert sum(have(club, "M1")) + sum(have(club, "M2")) == 130_000


def test_one_spends_what_the_other_has_and_it_stays_spent(club):
    rich(club, "M2")
    club.send(*club.golden("M1"))
    record(club, merge(club, "M2", "M1"))
    refused = spend(club, "W", "M1", 300_000)
    assert (refused.code, refused.body["details"]["usable"]) == ("insufficient_credit", 250_000)
    assert spend(club, "U", "M1", 200_000).body["balances"][CREDIT]["usable"] == 50_000
    record(club, unmerge(club, "M2"))
    assert (have(club, "M1"), have(club, "M2")) == ((0, 0, 0), (50_000, 0, 0))
    # His order comes back: the credit is where the order is.
    club.send(club.returned("U", "2026-07-02"))
    assert (have(club, "M1")[0], have(club, "M2")[0]) == (200_000, 50_000)


def test_what_was_spent_of_the_others_is_never_asked_back(club):
    rich(club, "M2")
    club.send(*club.golden("M1"))
    record(club, merge(club, "M2", "M1"))
    spend(club, "U", "M1", 200_000)
    record(club, Command(club.dealer, ("M1",), Adjust("adjust:1", CREDIT, 300_000, "x", "w")))
    record(club, unmerge(club, "M2"))
    assert (have(club, "M1"), have(club, "M2")) == ((300_000, 0, 0), (50_000, 0, 0))


def test_what_was_handed_over_and_not_spent_goes_back_with_its_dates(club):
    rich(club, "M2")
    club.send(*club.golden("M1"))
    before = ends(club)
    record(club, merge(club, "M2", "M1"))
    hold = placed(club, "M1", "H", 200_000).body["hold"]
    assert (have(club, "M1"), have(club, "M2")) == ((0, 200_000, 0), (50_000, 0, 0))
    record(club, Command(club.dealer, ("M1",), VoidHold(hold["id"])))
    record(club, unmerge(club, "M2"))
    assert (have(club, "M1"), have(club, "M2")) == ((0, 0, 0), (250_000, 0, 0))
    assert ends(club) == before


def test_an_open_hold_survives_merge_and_un_merge(club):
    rich(club, "M1", "M2")
    hold = placed(club, "M2", "H", 200_000).body["hold"]
    record(club, merge(club, "M2", "M1"))
    assert read(club, balance, "M2")["wallets"][0]["held"] == 200_000
    record(club, unmerge(club, "M2"))
    record(club, merge(club, "M2", "M1", 2))
    assert record(club, Command(club.dealer, ("M2",), CaptureHold(hold["id"]))).body["hold"]["state"] == "captured"


def test_a_refused_adjustment_moves_nothing_between_them(book_url):
    with contextlib.closing(Club(book_url, SMALL.replace("clawback: debt", "clawback: refuse"))) as club:
        rich(club, "M2")
        record(club, merge(club, "M2", "M1"))
        before = club.counts()
        refused = record(club, Command(club.dealer, ("M1",), Adjust("adjust:1", CREDIT, -300_000, "x", "w")))
        assert refused.code == "clawback_refused"
        assert (club.counts(), have(club, "M1"), have(club, "M2")) == (before, (0, 0, 0), (250_000, 0, 0))
        assert sound(club)


@pytest.mark.parametrize(("spends", "holds"), [("M1", "M2"), ("M2", "M1")])
def test_what_the_hold_of_one_sets_free_pays_the_others_debt_before_it_lapses(club, spends, holds):
    rich(club, "M1", "M2")
    spend(club, "U", spends, 250_000)
    placed(club, holds, "H", 250_000)
    record(club, merge(club, "M2", "M1"))
    assert have(club, "M1")[2] + have(club, "M2")[2] == 100_000
    club.now += 4 * 366 * DAY  # the hold lapsed, and later on everything else
    club.recorder = Recorder(club.link, now=lambda: club.now)
    shown = read(club, balance, "M1")["wallets"][0]
    assert (shown["available"], shown["held"], shown["debt"]) == (0, 0, 0)
    record(club, Command(club.dealer, ("M1",), Settle()))
    assert have(club, "M1") == have(club, "M2") == (0, 0, 0)


@pytest.mark.parametrize("one", ["M1", "M2"])
def test_what_went_back_once_does_not_go_back_again(club, one):
    """Who is un-merged out of a chain and merged again has nothing coming of what he had handed over the first time."""
    other = "M2" if one == "M1" else "M1"
    rich(club, "M1", "M2")
    record(club, merge(club, other, "M3", 2, at="2026-06-02"))
    record(club, merge(club, one, other, 1))
    spend(club, "U", other, 400_000)
    record(club, unmerge(club, one, 1))
    record(club, Command(club.dealer, (other,), Adjust("adjust:1", CREDIT, 500_000, "x", "w")))
    before = have(club, one)[0], have(club, other)[0] + have(club, "M3")[0]
    record(club, merge(club, one, other, 3))
    record(club, unmerge(club, one, 3))
    assert (have(club, one)[0], have(club, other)[0] + have(club, "M3")[0]) == before


# ---- one order, told under both codes ------------------------------------------------------------------------------


def filed(club, order, member, **how):
    """The order as the nightly file tells it."""
    said = replace(club.parts(order, "2026-07-01", member, amount=100_000, **how), source="erp")
    return record(club, Observe(club.dealer, said))


def test_one_order_told_under_both_codes_is_one_order_while_they_are_one(club):
    club.send(*club.golden("M1"))
    assert filed(club, "P", "M1").status == "recorded"
    assert filed(club, "P", "M2").code == "event_conflict"
    record(club, merge(club, "M2", "M1"))
    before = club.counts()
    told = filed(club, "P", "M2")
    assert (told.status, told.body["member"], club.counts()) == ("duplicate", "M1", before)
    assert filed(club, "P", "M2", qty=3).code == "event_conflict"
    sold = record(club, Sale(club.dealer, (club.parts("P", "2026-07-01", "M2", amount=100_000),)))
    assert sold.status == "duplicate"
    assert club.net() == [("order:S1:P:parts_purchase", "parts_points", "points", 100)]
    record(club, unmerge(club, "M2"))
    assert filed(club, "P", "M2").code == "event_conflict"
    assert filed(club, "P", "M3").code == "event_conflict"


def test_credit_that_the_till_tells_under_the_other_code_is_taken_once(club):
    rich(club, "M1", "M2")
    record(club, merge(club, "M2", "M1"))
    paid = {"credit": 50_000, "cash": 50_000}
    filed(club, "P", "M1", **paid)
    for code in ("M2", "M1", "M2"):
        said = club.parts("P", "2026-07-01", code, amount=100_000, **paid)
        assert record(club, Sale(club.dealer, (said,), uses={CREDIT: 50_000}, late=True)).status == "duplicate"
        assert have(club, "M1")[0] + have(club, "M2")[0] == 350_000
    record(club, unmerge(club, "M2"))
    club.send(club.returned("P", "2026-07-02"))
    assert have(club, "M1")[0] + have(club, "M2")[0] == 500_000


def test_an_order_corrected_to_the_other_code_gives_no_credit_back(club):
    rich(club, "M1", "M2")
    record(club, merge(club, "M2", "M1"))
    spend(club, "P", "M1", 50_000)
    said = replace(club.parts("P", "2026-07-01", "M2", amount=100_000, credit=50_000, cash=50_000), revision=1)
    assert record(club, Observe(club.dealer, said)).status == "recorded"
    assert have(club, "M1")[0] + have(club, "M2")[0] == 350_000
    club.send(club.returned("P", "2026-07-02"))
    assert have(club, "M1")[0] + have(club, "M2")[0] == 400_000


def test_a_hold_under_one_code_pays_the_order_under_the_other(club):
    rich(club, "M1", "M2")
    record(club, merge(club, "M2", "M1"))
    first = placed(club, "M1", "P", 300_000)
    again = placed(club, "M2", "P", 300_000)
    assert (again.status, again.body["hold"]) == ("duplicate", first.body["hold"])
    assert placed(club, "M2", "P", 1_000).code == "command_conflict"
    assert spend(club, "P", "M2", 300_000).body["balances"][CREDIT]["usable"] == 100_000
    assert have(club, "M1")[1] == have(club, "M2")[1] == 0
    club.send(club.returned("P", "2026-07-02"))
    assert have(club, "M1")[0] + have(club, "M2")[0] == 400_000


class Walk:
    """Whatever may happen to three members, in any order, while they are merged and un-merged."""

    MEMBERS = ("M1", "M2", "M3")

    def __init__(self, club, chance):
        self.club, self.chance = club, chance
        self.bought, self.held, self.spent, self.into = [], [], [], {}
        self.number = 0

    def step(self):
        self.number += 1
        doing = ("buys", "buys", "spends", "spends", "returns", "holds", "ends", "merges", "merges", "parts", "adjusts")
        getattr(self, self.chance.choice(doing))(self.chance.choice(self.MEMBERS))

    def buys(self, member):
        day = f"2026-0{self.chance.randint(4, 6)}-1{self.chance.randint(0, 9)}"
        self.bought.append(f"m{self.number}")
        self.club.send(self.club.machine(self.bought[-1], day, member))

    def spends(self, member):
        amount, late = self.chance.choice((1_000, 60_000, 150_000, 260_000)), self.chance.random() < 0.3
        if spend(self.club, f"u{self.number}", member, amount, late=late).status == "recorded":
            self.spent.append(f"u{self.number}")

    def returns(self, _):
        orders = self.chance.choice([self.spent, self.bought])
        if orders:
            order = orders.pop(self.chance.randrange(len(orders)))
            self.club.send(self.club.returned(order, "2026-07-10", number=self.number))

    def holds(self, member):
        done = placed(self.club, member, f"h{self.number}", self.chance.choice((500, 90_000)))
        if done.status == "recorded":
            self.held.append((member, done.body["hold"]["id"]))

    def ends(self, _):
        if self.held:
            owner, ref = self.held.pop()
            act = self.chance.choice((CaptureHold(ref), VoidHold(ref), CaptureHold(ref, 100)))
            record(self.club, Command(self.club.dealer, (owner,), act))

    def merges(self, member):
        other = self.chance.choice([one for one in self.MEMBERS if one != member])
        if record(self.club, merge(self.club, member, other, self.number)).status == "recorded":
            self.into[member] = self.number

    def parts(self, _):
        if self.into:
            member = self.chance.choice(sorted(self.into))
            assert record(self.club, unmerge(self.club, member, self.into.pop(member))).status == "recorded"

    def adjusts(self, member):
        act = Adjust(f"adjust:{self.number}", CREDIT, self.chance.choice((5_000, -40_000)), "x", "w")
        record(self.club, Command(self.club.dealer, (member,), act))

    def check(self):
        found = verify(self.club.link)
        self.club.link.rollback()
        assert not found, found
        for row in self.club.rows(TOGETHER):
            assert not (row[1] and row[2]), row


# What those who are one have and owe together.
TOGETHER = """
    SELECT a.wallet, SUM(CASE a.kind WHEN 'available' THEN a.balance ELSE 0 END) AS have,
           SUM(CASE a.kind WHEN 'debt' THEN a.balance ELSE 0 END) AS owe
    FROM account a JOIN ledger l ON l.member_id = a.member_id GROUP BY COALESCE(l.joined_id, l.member_id), a.wallet
"""


@pytest.mark.parametrize("seed", range(2))
def test_a_random_walk_keeps_every_invariant_whoever_is_merged_and_un_merged(club, seed):
    walk = Walk(club, random.Random(seed))
    rich(club, "M1", "M2")
    for _ in range(25):
        walk.step()
        walk.check()
    assert sound(club)
    for member in sorted(walk.into):
        assert record(club, unmerge(club, member, walk.into[member])).status == "recorded"
        walk.check()
    # (What should stand of every grant is worked out anew from what each was told of alone.)
    assert sound(club)
    assert not club.count("ledger WHERE joined_id IS NOT NULL")
