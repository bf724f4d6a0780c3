"""What a return takes back and gives back, sentence by sentence, on both databases; the book holds after each."""

from pathlib import Path

import pytest

from tests.club import SMALL, Club
from tests.test_holds import CREDIT, HAS, MINUTE, Holds
from tierengine.ledger.verify import verify
from tierengine.recording.items import Observe

POLICY = (Path(__file__).parent.parent / "policies.yaml").read_text(encoding="utf-8")
MONTH = 31 * 24 * 60


def ruled(more: str) -> str:
    return SMALL.replace("    clawback: debt\n", more, 1)


@pytest.fixture
def club(book_url, request):
    made = Holds(book_url, ruled(getattr(request, "param", "    clawback: debt\n")))
    yield made
    made.clean()
    made.close()


def sold(club, order="P", amount=100_000, credit=60_000, qty=1):
    line = club.parts(order, "2026-03-20", amount=amount, qty=qty, credit=credit, cash=amount - credit)
    answer = club.sale(line, uses={CREDIT: credit})
    assert answer.status == "recorded", answer
    return answer


def shot(club):
    """What everybody has, and what everything is worth: what a full return must bring back."""
    worth = club.rows(
        "SELECT wallet, rule, sum(delta) FROM entry WHERE rule <> '' GROUP BY 1, 2 HAVING sum(delta) <> 0 ORDER BY 1, 2"
    )
    lots = club.rows(
        "SELECT l.wallet, l.expires_at, sum(s.remaining) FROM lot l JOIN lot_state s ON s.lot_id = l.id "
        "WHERE s.remaining > 0 GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return worth, lots, club.has()


def test_a_whole_return_leaves_the_book_worth_what_it_was(club):
    before = shot(club)
    sold(club)
    assert shot(club) != before
    club.send(club.returned("P", "2026-03-21"))
    assert shot(club) == before


def test_parts_of_a_sale_come_back_until_nothing_is_left_and_never_more(club):
    before = shot(club)
    sold(club, amount=100_001, credit=60_001, qty=3)
    left = []
    for number in range(1, 5):
        club.send(club.returned("P", f"2026-03-2{number}", number=number, lines=[{"item": "filter", "qty": 1}]))
        left.append(club.has()[0])
    assert left[2:] == [HAS, HAS]
    assert left[:2] == [HAS - 40_001, HAS - 20_001]  # thirds of what was paid by credit, floored while some is left
    assert shot(club) == before


def test_credit_comes_back_to_its_lot_with_the_old_last_day_and_lapses_when_that_is_over(club):
    sold(club, credit=60_000)
    club.later(25 * MONTH)
    assert club.has()[0] > 0  # nothing was posted yet
    club.send(club.returned("P", "2026-03-21"))
    assert club.has() == (0, 0, 0)


@pytest.mark.parametrize("club", ["    clawback: debt\n    return_grace: 30 days\n"], indirect=True)
def test_credit_that_comes_back_is_good_for_the_days_of_grace_at_least(club):
    sold(club, "P1", credit=60_000)
    sold(club, "P2", credit=50_000)
    club.send(club.returned("P1", "2026-03-21"))  # its lot ends in two years
    assert club.has() == (HAS - 50_000, 0, 0)
    club.later(25 * MONTH)
    club.send(club.returned("P2", "2026-03-22", number=2))
    assert club.has() == (50_000, 0, 0)
    (ends,) = club.rows("SELECT expires_at, rule FROM lot ORDER BY id DESC LIMIT 1")
    assert ends[1] == "machine_ladder"
    assert 30 * 24 * 60 * MINUTE <= ends[0] - club.now <= 31 * 24 * 60 * MINUTE
    club.clean()


@pytest.mark.parametrize("club", ["    clawback: debt\n    returned_to: new_lot\n"], indirect=True)
def test_credit_that_comes_back_as_a_new_lot_has_a_term_of_its_own(club):
    sold(club, "P1", credit=60_000)
    (old,) = club.rows("SELECT min(expires_at) FROM lot")
    club.later(5 * MONTH)
    club.send(club.returned("P1", "2026-03-21"))
    assert club.has() == (HAS, 0, 0)
    (ends,) = club.rows("SELECT expires_at, rule, amount FROM lot ORDER BY id DESC LIMIT 1")
    assert (ends[1], ends[2]) == ("machine_ladder", 60_000)
    assert ends[0] > old[0] + 4 * MONTH * MINUTE
    club.clean()


@pytest.mark.parametrize(
    "club", ["    clawback: debt\n", "    clawback: debt\n    returned_to: new_lot\n"], indirect=True
)
@pytest.mark.parametrize("qty", [1, 2])
def test_a_return_that_never_was_takes_the_credit_again(club, qty):
    sold(club, qty=qty)
    paid = club.has()
    back = club.returned("P", "2026-03-21", lines=[{"item": "filter", "qty": 1}])
    club.send(back)
    assert club.has() == (HAS - 60_000 + 60_000 // qty, 0, 0)
    club.send(club.said("observation_cancelled", "2026-03-22", source_id=back.key, revision=1, reason="x"))
    assert club.has() == paid
    club.clean()


def test_a_sale_that_is_cancelled_gives_its_credit_back_too(club):
    before = shot(club)
    sold(club)
    key = "order:S1:P:parts_purchase"
    club.send(club.said("observation_cancelled", "2026-03-21", source_id=key, revision=1, reason="x"))
    assert shot(club) == before


def test_a_sale_that_is_cancelled_after_part_of_it_came_back_gives_the_rest_back(club):
    before = shot(club)
    sold(club, qty=2)
    club.send(club.returned("P", "2026-03-21", lines=[{"item": "filter", "qty": 1}]))
    key = "order:S1:P:parts_purchase"
    club.send(club.said("observation_cancelled", "2026-03-22", source_id=key, revision=1, reason="x"))
    assert shot(club) == before


@pytest.mark.parametrize(("credit", "has"), [(60_000, HAS - 60_000), (45_000, HAS - 45_000), (70_000, HAS - 60_000)])
def test_a_correction_gives_back_what_it_says_was_not_paid_by_credit_and_takes_nothing(club, credit, has):
    sold(club)
    line = {"item": "filter", "category": "parts", "amount": 100_000, "credit": credit, "cash": 100_000 - credit}
    club.send(club.said("parts_purchase", "2026-03-20", "M1", order="P", lines=[line], revision=1))
    assert club.has()[0] == has


def test_an_over_use_that_was_paid_for_comes_back_with_a_last_day(club):
    line = club.parts("L", "2026-03-20", amount=HAS + 50_000, credit=HAS + 50_000, cash=0)
    club.sale(line, uses={CREDIT: HAS + 50_000}, late=True)
    assert club.has() == (0, 0, 50_000)
    club.later(3 * MONTH)
    club.send(club.machine("NEXT", "2027-01-05"))  # the first rung of its year pays the debt
    assert club.has() == (50_000, 0, 0)
    club.send(club.returned("L", "2026-03-21"))
    assert club.has() == (HAS + 100_000, 0, 0)
    assert club.rows("SELECT count(*) FROM lot WHERE wallet = 'parts_credit' AND expires_at IS NULL") == [(0,)]


@pytest.mark.parametrize(
    ("club", "after"),
    [
        ("    clawback: debt\n", (0, 0, 150_000)),
        ("    clawback: forgive\n", (0, 0, 0)),
    ],
    indirect=["club"],
)
def test_a_claw_back_beyond_the_balance_is_what_the_policy_says(club, after):
    sold(club, amount=HAS, credit=HAS)
    club.send(club.said("machine_returned", "2026-03-22", order="G2", serial="X-G2", source_id="r2", reason="x"))
    assert club.has() == after


@pytest.mark.parametrize("club", ["    clawback: refuse\n"], indirect=True)
def test_a_claw_back_that_the_policy_refuses_is_refused_to_the_till_alone(club):
    sold(club, amount=HAS, credit=HAS)
    back = club.said("machine_returned", "2026-03-22", order="G2", serial="X-G2", source_id="r2", reason="x")
    before = club.counts() | club.money()
    (refused,) = club.items(Observe(club.dealer, back, refusable=True))
    assert (refused.status, refused.code) == ("refused", "clawback_refused")
    assert club.counts() | club.money() == before
    club.send(back)  # a file only says what happened
    assert club.has() == (0, 0, 150_000)


def test_a_returned_machine_gives_its_rung_to_the_next(club):
    club.send(club.said("machine_returned", "2026-03-22", order="G0", serial="X-G0", source_id="r0", reason="x"))
    assert club.has() == (HAS - 100_000, 0, 0)
    club.send(club.machine("AGAIN", "2026-04-01"))
    assert club.has() == (HAS + 50_000, 0, 0)  # the third rung, which came free, not a fourth


# ---- both sides of a referral -----------------------------------------------------------------------------------


def brought(club, number, day):
    """A referral of a new buyer by M1, his machine, and its settlement."""
    buyer, order = f"M{number}", f"R{number}"
    club.send(club.said("referral_registered", f"2026-0{day}-01", "M1", source_id=f"ref{number}", referred=buyer))
    club.send(
        club.machine(order, f"2026-0{day}-10", buyer, size="medium", referral=f"ref{number}"),
        club.said("purchase_settled", f"2026-0{day}-20", buyer, order=order, amount=30_000_000),
    )


@pytest.fixture
def referrals(book_url):
    made = Club(book_url, POLICY)
    by = {"stated_by": "U1", "stated_role": "sales_manager", "countersigned_by": "U2", "countersigned_role": "leader"}
    for member in ("M1", "M2", "M3"):
        made.send(
            *(
                made.said(
                    "attestation", "2026-01-02", member, trait=trait, evidence="x", source_id=f"{trait}{member}", **by
                )
                for trait in ("early_entrant", "peer_influence")
            )
        )
    yield made
    assert verify(made.link) == ()
    made.close()


def test_a_referred_machine_that_comes_back_takes_from_both_sides_and_frees_the_rung(referrals):
    club = referrals
    club.send(club.machine("OWN", "2026-01-10", size="medium"))
    club.send(club.said("purchase_settled", "2026-01-20", "M1", order="OWN", amount=30_000_000))
    start = [club.balance(CREDIT, member=member) for member in ("M1", "M2")]
    brought(club, 2, 3)
    first = [club.balance(CREDIT, member=member) for member in ("M1", "M2")]
    assert all(after > before for before, after in zip(start, first, strict=True)), (start, first)
    club.send(club.said("machine_returned", "2026-05-01", order="R2", serial="X-R2", source_id="back", reason="x"))
    assert [club.balance(CREDIT, member=member) for member in ("M1", "M2")] == start
    brought(club, 3, 6)
    assert club.balance(CREDIT) == first[0]  # the same rung as the machine that came back had
