"""Every invariant, broken by hand in a real book on both databases, is found and named; an honest book is clean."""

from __future__ import annotations

import pytest

from tests.club import Club
from tests.disarming import disarm
from tierengine.ledger.invariants import INVARIANTS
from tierengine.ledger.verify import verify
from tierengine.recording.acts import Adjust, PlaceHold
from tierengine.recording.items import Command


@pytest.fixture
def club(book_url):
    """A book with grants, a claw-back and a hold in it, whose triggers a wrongdoer with all rights has removed."""
    club = Club(book_url)
    club.send(*club.golden())
    club.send(club.parts("P1", "2026-03-10", amount=500_000))
    club.send(club.parts("P2", "2026-03-11", amount=300_000))
    club.send(club.returned("P2", "2026-03-12"))
    credit = Adjust("adjust:1", "parts_credit", 500, "opening", "U1")
    assert club.items(Command(club.dealer, ("M1",), credit))[0].status == "recorded"
    assert club.sale(club.parts("P3", "2026-03-13", credit=300, cash=99_700), uses={"parts_credit": 300}).code == ""
    club.send(club.returned("P3", "2026-03-14", number=3))
    act = PlaceHold("hold:S1:H1:points", "points", 5, "order:S1:H1")
    assert club.items(Command(club.dealer, ("M1",), act))[0].status == "recorded"
    disarm(club.link)
    yield club
    club.close()


_FIRST_ENTRY = "(SELECT min(id) FROM entry)"

_RUN = (
    "INSERT INTO award_run (id, dealer_id, award, year, version_id, as_of, list_hash, planned_at, plan) "
    "SELECT 900000001, dealer_id, 'x', 2026, id, 0, '', 0, '{\"budget\": 499}' FROM policy_version"
)
_WINNERS = (
    "INSERT INTO award_winner (run_id, member_id, dealer_id, place, score, prize) "
    "SELECT 900000001, id, dealer_id, id, 1, 250 FROM member WHERE code IN ('M1', 'M2')"
)

_SEALED = (
    "INSERT INTO personal (member_id, field, dealer_id, sealed) "
    "SELECT id, 'name', dealer_id, CAST('0123456789012345678901234567890' AS {}) FROM member WHERE code = 'M1'"
)

_MERGED = (
    "UPDATE ledger SET joined_id = (SELECT id FROM member WHERE code = 'M1') "
    "WHERE member_id IN (SELECT id FROM member WHERE code IN ('M1', 'M2'))"
)
_OWES = (
    "INSERT INTO account (id, dealer_id, member_id, wallet, kind, unit, balance) "
    "SELECT 900000000 + a.id, a.dealer_id, m.id, a.wallet, 'debt', a.unit, 5 FROM account a JOIN member m "
    "ON m.code = 'M2' WHERE a.kind = 'available' AND a.balance > 0"
)

# code of the invariant → what a wrongdoer, or a bug, would write
WRONGS = {
    "units_mixed": "UPDATE account SET unit = 'JPY' WHERE member_id IS NOT NULL AND kind = 'available'",
    "posting_orphan": "UPDATE posting SET destination_id = 999999999 WHERE id = (SELECT max(id) FROM posting)",
    "balance_differs": "UPDATE account SET balance = balance + 1 WHERE kind = 'available'",
    "entry_differs": f"UPDATE posting SET amount = amount + 1 WHERE entry_id = {_FIRST_ENTRY}",
    "entry_lots_differ": f"UPDATE lot SET amount = amount + 1 WHERE entry_id = {_FIRST_ENTRY}",
    "orphan": "UPDATE contribution SET event_id = 999999999 WHERE id = (SELECT min(id) FROM contribution)",
    "event_orphan": "UPDATE event SET store_id = 999999999 WHERE id = (SELECT min(id) FROM event)",
    "award_unlisted": "UPDATE entry SET kind = 'award', rule = '' WHERE kind = 'grant'",
    "overdrawn": "UPDATE entry SET number = 1000 + number WHERE kind = 'grant'",
    "grant_differs": "UPDATE entry SET delta = delta + 1 WHERE id = (SELECT min(id) FROM entry WHERE kind = 'grant')",
    "lot_uses_differ": "UPDATE lot_state SET remaining = remaining - 1 WHERE remaining > 0",
    "lots_differ": "UPDATE account SET balance = balance + 1 WHERE kind = 'available'",
    "debt_and_available": (
        "INSERT INTO account (id, dealer_id, member_id, wallet, kind, unit, balance) "
        "SELECT 900000000 + id, dealer_id, member_id, wallet, 'debt', unit, 5 FROM account "
        "WHERE kind = 'available' AND balance > 0 AND NOT EXISTS (SELECT 1 FROM account d WHERE d.kind = 'debt' "
        "AND d.member_id = account.member_id AND d.wallet = account.wallet)"
    ),
    "expired_early": "UPDATE entry SET kind = 'expire', rule = '' WHERE kind = 'reverse'",
    "expiry_missed": "UPDATE lot SET expires_at = 1 WHERE id = (SELECT min(lot_id) FROM lot_state WHERE remaining > 0)",
    "given_back_too_much": "UPDATE entry SET kind = 'return', rule = '' WHERE kind = 'grant'",
    "held_differs": "UPDATE hold_state SET remaining = remaining - 1",
    "lot_overheld": "UPDATE hold_lot SET amount = amount + 1000000000",
    "hold_ends": (
        "INSERT INTO hold_end (hold_id, dealer_id, member_id, kind, entry_id, recorded_at) "
        "SELECT id, dealer_id, member_id, 'voided', entry_id, recorded_at FROM hold"
    ),
    "entry_gap": "UPDATE ledger SET entry_no = entry_no + 1",
    "uncited": "UPDATE entry SET decision_id = NULL, cause_key = ''",
    "transfer_halves": f"UPDATE entry SET kind = 'transfer' WHERE id = {_FIRST_ENTRY}",
    "posted_elsewhere": (
        "UPDATE posting SET destination_id = (SELECT id FROM account WHERE kind = 'expired' AND wallet = 'points') "
        "WHERE entry_id = (SELECT min(id) FROM entry WHERE kind = 'reverse')"
    ),
    "reversal_exceeds": "UPDATE entry SET number = -number WHERE kind = 'reverse'",
    "returned_keeps": "UPDATE entry SET delta = delta + 1 WHERE kind = 'reverse'",
    "returned_elsewhere": "UPDATE lot_use SET lot_id = (SELECT min(id) FROM lot) WHERE amount < 0",
    "award_over_budget": (_RUN, _WINNERS),
    "erased_kept": (_SEALED, "INSERT INTO erasure SELECT id, dealer_id, 1, 'x' FROM member WHERE code = 'M1'"),
    "personal_open": (
        "INSERT INTO personal_index SELECT dealer_id, 'phone', '13800000001', id FROM member WHERE code = 'M1'"
    ),
    "merged_owes": (_MERGED, _OWES),
    "joined_astray": (
        "UPDATE ledger SET joined_id = (SELECT id FROM member WHERE code = 'M2') "
        "WHERE member_id = (SELECT id FROM member WHERE code = 'M1')"
    ),
    "award_differs": "UPDATE entry SET kind = 'award', cause_key = 'award:x:2026', wallet = 'w', rule = ''",
}


def test_an_honest_book_is_clean(club):
    assert verify(club.link) == ()


def test_every_invariant_has_a_wrong_that_breaks_it():
    assert set(WRONGS) == {invariant.code for invariant in INVARIANTS}


@pytest.mark.parametrize("code", WRONGS)
def test_a_book_that_was_tampered_with_is_found_out(club, code):
    club.link.begin()
    for wrong in [WRONGS[code]] if isinstance(WRONGS[code], str) else WRONGS[code]:
        club.link.run(wrong.replace("{}", "BLOB" if club.link.kind == "sqlite" else "BYTEA"))
    found = {broken.invariant.code: broken for broken in verify(club.link)}
    club.link.rollback()
    assert code in found
    assert found[code].count >= len(found[code].rows) > 0
