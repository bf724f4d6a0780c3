"""When a slip or a quote's token covers a sale, to the microsecond, and what credit goes on a slip. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import jwt
import pytest

from rules import policy as ast
from rules.policy import Wallet
from tests.keys import SECRET
from tests.policy_strategies import TITLE
from tierengine.access.secret import Secret
from tierengine.judging.pricing import OrderLine, PricedLine
from tierengine.recording import slips as recording
from tierengine.till.orders import Order
from tierengine.till.promises import promise, promised
from tierengine.till.signing import REVOKED, Signer
from tierengine.till.slips import _simple, _span, shown, signed
from tierengine.zone import Zone, moment

SIGNER = Signer(Secret(SECRET))
SECOND = 1_000_000
BEGINS = 1_700_000_000 * SECOND
ENDS = BEGINS + 3_600 * SECOND
LINE = OrderLine("F-100", "parts", 1, 101_000)
ORDER = Order("C1", "P1", BEGINS, (LINE,), {}, None, (), ())


class Ends:
    """The revocations on file: as of which instant the slip was revoked, None: it was not."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at

    def ask(self, *_: object) -> SimpleNamespace:
        return SimpleNamespace(rows=lambda: [] if self.at is None else [(self.at,)])


def state(at: int, *, revoked: int | None = None, dealer: int = 1, issued: int = BEGINS, ends: int = ENDS) -> str:
    said = {"id": "7", "member": "C1", "store": "S01", "till": "T1", "issued_us": issued, "expires_us": ends}
    token = signed(SIGNER, 1, {**said, "tier": "gold", "policy_version": 1, "prices": [], "credit": []})
    return shown(SIGNER, Ends(revoked), dealer, replace(ORDER, occurred_at=at, slip=token), "S01").state


# ---- slips -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "expected"), [(BEGINS - 1, "expired"), (BEGINS, "good"), (ENDS - 1, "good"), (ENDS, "expired")]
)
def test_a_slip_covers_from_its_issue_to_just_before_its_end(at, expected):
    assert state(at) == expected


def test_a_slip_ends_on_the_second_before_never_after_the_end_that_was_recorded():
    assert state(ENDS - 1, ends=ENDS + SECOND - 1) == "good"
    assert state(ENDS, ends=ENDS + SECOND - 1) == "expired"


def test_a_slip_covers_what_was_sold_before_it_was_revoked_and_nothing_from_then_on():
    revoked = BEGINS + 60 * SECOND
    assert state(revoked - 1, revoked=revoked) == "good"
    assert state(revoked, revoked=revoked) == "revoked"
    assert state(revoked + 1, revoked=revoked) == "revoked"


def test_a_slip_that_was_recorded_before_slips_named_their_till_is_signed_again():
    """Its request is sent again, after the service was renewed: the answer that is stored says no till."""
    said = {"id": "7", "member": "C1", "store": "S01", "issued_us": BEGINS, "expires_us": ENDS}
    token = signed(SIGNER, 1, {**said, "tier": "gold", "policy_version": 1, "prices": [], "credit": []})
    assert shown(SIGNER, Ends(), 1, replace(ORDER, slip=token), "S01").state == "good"


def test_a_slip_of_another_dealer_with_the_same_codes_is_none():
    assert state(BEGINS, dealer=1) == "good"
    assert state(BEGINS, dealer=2) == "forged"


@pytest.mark.parametrize(
    ("offline", "has", "promised_elsewhere", "minimum", "block", "goes"),
    [
        (50_000, 60_000, 0, 0, 1, 50_000),
        (50_000, 40_000, 0, 0, 1, 40_000),
        (50_000, 60_000, 49_999, 0, 1, 1),
        (50_000, 60_000, 50_000, 0, 1, 0),
        (50_000, 20_000, 30_000, 0, 1, 0),
        (50_000, 60_000, 0, 50_000, 1, 50_000),
        (50_000, 60_000, 0, 50_001, 1, 0),
        (50_000, 60_000, 1, 0, 100, 49_900),
        (50_000, 60_000, 1, 49_901, 100, 0),
    ],
)
def test_a_slip_names_what_may_be_used_at_once_of_what_is_left(offline, has, promised_elsewhere, minimum, block, goes):
    wallet = Wallet("parts_credit", TITLE, "money", (), None, offline=offline, minimum=minimum, block=block)
    commands = SimpleNamespace(usable=lambda _member, _wallet: has)
    assert recording._free(commands, wallet, 1, promised_elsewhere) == goes


PLAIN = ast.Price("gold_price", TITLE, ("gold",), ast.Test(ast.Subject("field", "category"), "is", "parts"), 9_500)
MARGIN = ast.Test(ast.Subject("field", "margin"), "at_least", 10)


def test_a_till_works_out_a_share_of_the_price_by_category():
    assert _simple(PLAIN)
    assert _simple(replace(PLAIN, where=ast.AllOf((PLAIN.where, ast.Test(ast.Subject("field", "special"), "is", 0)))))
    assert _simple(replace(PLAIN, line_cap=500, minimum_order=1_000, rounding="floor"))


@pytest.mark.parametrize(
    "more",
    [
        {"pay_bp": None, "fixed": 1_000},
        {"lane": "member"},
        {"not_with": ("other",)},
        {"beside": PLAIN.where},
        {"rounded_per": "whole_order"},
        {"order_cap": 500},
        {"maximum_quantity": 2},
        {"weekdays": (0,)},
        {"where": ast.AllOf((PLAIN.where, MARGIN))},
    ],
)
def test_a_slip_names_no_price_that_a_till_cannot_work_out_alone(more):
    assert not _simple(replace(PLAIN, **more))


def test_a_price_on_a_slip_is_given_to_the_end_of_its_last_day_in_the_dealers_zone():
    begins, ends = _span(
        Zone("Asia/Shanghai"), replace(PLAIN, valid_from=date(2026, 3, 1), valid_until=date(2026, 3, 31))
    )
    assert [moment(one * SECOND).isoformat() for one in (begins, ends) if one] == [
        "2026-02-28T16:00:00+00:00",
        "2026-03-31T16:00:00+00:00",
    ]
    assert _span(Zone("Asia/Shanghai"), PLAIN) == (None, None)


def test_a_list_of_revoked_slips_is_no_slip_and_a_quote_neither():
    said = {"iss": "tierengine:1", "sub": "C1"}
    assert SIGNER.read_slip(SIGNER.slip(said)) == said
    for other in (SIGNER.slip(said, REVOKED), SIGNER.quote(said), "", "x.y.z"):
        assert SIGNER.read_slip(other) is None


def test_while_the_secret_changes_what_the_one_before_signed_is_known_and_its_key_published():
    said, next_ = {"sub": "C1"}, Signer(Secret("n" * 40, SECRET))
    assert next_.read_slip(SIGNER.slip(said)) == next_.read_quote(SIGNER.quote(said)) == said
    assert [one["kid"] for one in next_.keys()["keys"]][1:] == [one["kid"] for one in SIGNER.keys()["keys"]]
    assert SIGNER.read_slip(next_.slip(said)) is None
    assert SIGNER.read_quote(next_.quote(said)) is None


# ---- quote tokens ------------------------------------------------------------------------------------------------


def token(order: Order = ORDER) -> str:
    return promise(SIGNER, 1, order, [PricedLine(LINE, 95_950)], 1, ENDS)


def test_a_quote_holds_its_prices_to_just_before_its_end():
    asked = replace(ORDER, quote=token())
    found = promised(SIGNER, 1, asked, ENDS - 1)
    assert found is not None
    assert found.charged == (95_950,)
    assert promised(SIGNER, 1, asked, ENDS) is None


def test_a_quote_covers_its_own_prices_and_no_others():
    for charged, covered in (((95_950,), True), ((95_951,), False), ((95_949,), False), ((101_000,), False)):
        found = promised(SIGNER, 1, replace(ORDER, quote=token(), charged=charged), BEGINS)
        assert (found is not None) is covered, charged


@pytest.mark.parametrize(
    "other",
    [
        {"member": "C2"},
        {"lines": (replace(LINE, qty=2),)},
        {"lines": (replace(LINE, special=True),)},
        {"lines": (replace(LINE, list=101_001),)},
        {"lines": (LINE, LINE)},
        {"lines": ()},
    ],
)
def test_a_quote_covers_no_other_member_or_line(other):
    assert promised(SIGNER, 1, replace(ORDER, quote=token(), **other), BEGINS) is None


def test_a_quote_is_of_its_dealer_and_of_whichever_order():
    asked = replace(ORDER, quote=token(), order="P2", occurred_at=BEGINS + 1)
    assert promised(SIGNER, 1, asked, BEGINS) is not None
    assert promised(SIGNER, 2, asked, BEGINS) is None
    forged = jwt.encode(jwt.decode(token(), options={"verify_signature": False}), "k" * 32, "HS256")
    assert promised(SIGNER, 1, replace(ORDER, quote=forged), BEGINS) is None
