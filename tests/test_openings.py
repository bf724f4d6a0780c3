"""Opening balances: each is good to the end of its last day, and one a member, wallet and last day."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

from tierengine.importing.openings import Opening, commands
from tierengine.zone import Zone

CHINA = Zone("Asia/Shanghai")
PROGRAMME = SimpleNamespace(dealer_id=7, zone=CHINA)
DAYS = ("2026-12-31", "2027-01-31", "")


def test_an_opening_balance_is_good_to_the_end_of_its_last_day():
    made = commands(PROGRAMME, [Opening(1, "M1", "points", 100, day) for day in DAYS], "wang")
    assert [one.act.expires_at for one in made] == [
        CHINA.start_of(date(2027, 1, 1)), CHINA.start_of(date(2027, 2, 1)), None,
    ]  # fmt: skip
    assert {(one.dealer, one.members, one.act.wallet, one.act.amount, one.act.by) for one in made} == {
        (7, ("M1",), "points", 100, "wang")
    }


def test_balances_of_another_day_wallet_or_member_are_others():
    each = [
        Opening(1, member, wallet, 1, day) for member in ("M1", "M2") for wallet in ("points", "credit") for day in DAYS
    ]
    keys = [one.act.key for one in commands(PROGRAMME, each, "wang")]
    assert len(set(keys)) == len(each)
    assert keys[0] == "open:M1:points:2026-12-31"
