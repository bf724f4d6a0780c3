"""Receipts: aligned to the cell in Chinese and English on 58 and 80 mm paper, of quotes, sales and returns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_api_book import code, moment, order, serving
from tierengine.till import receipts
from tierengine.till.receipts import cells, printed


@pytest.fixture
def till(book_url):
    with serving(book_url) as till:
        till.gold()
        yield till


def right(line, text, across):
    """The text stands at the right edge."""
    return cells(line) == across and line.endswith(text)


@pytest.mark.parametrize("across", [32, 48])
def test_a_quote_a_sale_and_a_return_are_printed_as_wide_as_the_paper(till, across):
    body = order("P1", credit={"parts_credit": 1_000})
    asked = {name: body[name] for name in ("member", "lines", "credit")}
    quoted = till.post(f"/v1/quotes?explain=none&width={across}", asked).json()["receipt"]
    sold = till.post(f"/v1/sales?width={across}", body, once="s")
    back = till.post(f"/v1/sales/P1/returns?width={across}", {"source_id": "R1", "occurred_at": moment()}, once="r")
    assert (sold.status_code, back.status_code) == (201, 201), (sold.text, back.text)
    zh, en = quoted["zh"], quoted["en"]
    assert right(zh[0], "1,010.00", across)
    assert zh[0].startswith("F-100 x1 ")
    assert right(zh[1], "-50.50", across)
    assert zh[1].startswith(" 金卡九五折 ")
    assert "-" * across in zh
    assert right(zh[-2], "1,829.50", across)
    assert zh[-2].startswith("应付 ")
    assert right(en[-2], "1,829.50", across)
    assert en[-2].startswith("To pay ")
    assert zh[-1].startswith("本单得 积分 ")
    told = sold.json()["receipt"]
    assert told["zh"][0].startswith("单号 ")
    assert right(next(one for one in told["zh"] if one.startswith("实付")), "1,829.50", across)
    assert right(next(one for one in told["en"] if one.startswith("Paid")), "1,829.50", across)
    assert any(one.startswith("余额 配件款 ") and right(one, "990.00", across) for one in told["zh"])
    gone = back.json()["receipt"]
    assert gone["zh"][0].startswith("退货 单号 ")
    assert any(one.startswith("退回 配件款 ") and right(one, "10.00", across) for one in gone["zh"])
    assert any(one.startswith("Taken back: Points ") for one in gone["en"])
    for lines in (quoted, told, gone):
        assert max(cells(one) for lang in lines.values() for one in lang) <= across
    # Sent again, the same bytes; and what is stored has no receipt in it.
    again = till.post(f"/v1/sales?width={across}", body, once="s")
    assert again.content == sold.content
    assert again.headers["idempotent-replayed"] == "true"
    assert "receipt" not in till.post("/v1/sales", body, once="s").json()


def test_a_return_that_waits_says_so_on_its_receipt(till):
    back = till.post("/v1/sales/NONE/returns?width=32", {"source_id": "R9", "occurred_at": moment()})
    assert back.status_code == 202
    assert back.json()["receipt"]["zh"][2] == "原单未到，到后生效"


def test_a_width_that_is_none_is_refused_before_anything_is_recorded(till):
    for width in ("0", "-1", "1000000", "x", "3２", "+32", ""):
        params, headers = {"width": width}, till.headers({"idempotency-key": "w"})
        for path, body in (
            ("/v1/sales", order("P2")),
            ("/v1/sales/P2/returns", {"source_id": "R1", "occurred_at": moment()}),
        ):
            answer = till.client.post(path, params=params, json=body, headers=headers)
            assert code(answer) == (422, "malformed"), answer.text
            assert answer.json()["errors"][0]["pointer"] == "/width"
    quoted = {"member": "C1", "lines": order()["lines"]}
    answer = till.client.post("/v1/quotes", params={"width": "0"}, json=quoted, headers=till.headers())
    assert code(answer)[0] == 422
    assert till.post("/v1/sales", order("P2"), once="w").status_code == 201


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)


@given(st.lists(st.tuples(TEXTS, st.from_regex(r"-?[0-9]{1,3}(,[0-9]{3}){0,2}\.[0-9]{2}", fullmatch=True)), max_size=5),
       st.integers(receipts.LEAST, receipts.MOST))  # fmt: skip
def test_no_line_is_wider_than_the_paper_and_every_amount_is_at_its_edge(rows, across):
    lines = printed(rows, across)
    assert all(cells(one) <= across for one in lines)
    ends = [one for one in lines if any(one.endswith(amount) and cells(one) == across for _, amount in rows)]
    assert len(ends) >= len(rows)


def test_what_a_printer_takes_for_an_order_is_left_out_and_what_is_too_long_is_wrapped():
    assert printed([("\x1b@滤\u202e芯\r\n", "1.00")], 24) == ["@滤芯" + " " * 15 + "1.00"]
    long = "液压油滤芯总成进口原装加"
    assert printed([(f"{long}强型号", "12,345.00")], 24) == [long, "强型号" + " " * 9 + "12,345.00"]
    assert printed([(long, "1.00")], 24) == [long, " " * 20 + "1.00"]
    assert cells("×") == 2  # as Chinese printers have it


def test_what_fits_a_line_to_the_cell_stays_on_it():
    assert printed([("滤芯总成进口", "12,345.00")], 22) == ["滤芯总成进口 12,345.00"]
    assert printed([("滤芯总成进口", "12,345.00")], 21) == ["滤芯总成进口", " " * 12 + "12,345.00"]


@pytest.mark.parametrize(
    ("fen", "told"),
    [
        (0, "0.00"),
        (1, "0.01"),
        (-1, "-0.01"),
        (-99, "-0.99"),
        (-101, "-1.01"),
        (-5_050, "-50.50"),
        (123_456_789, "1,234,567.89"),
    ],
)
def test_money_is_told_with_its_sign_once_and_two_digits_of_fen(fen, told):
    assert receipts.yuan(fen) == told
