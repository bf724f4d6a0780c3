"""The reference till as a bad day at the counter finds it, and slips of members who changed meanwhile."""

# ruff: noqa: F811  that is how pytest is asked for a fixture of another module

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
import pytest

from tests.test_api_book import POLICY, code
from tests.test_api_book import serving as with_vault
from tests.test_slips import (  # noqa: F401  fixtures among them
    HOUR,
    NO_TIMES,
    Wire,
    counter,
    parts,
    reference,
    said,
    serving,
    slip_of,
    sold,
    till,
    time,
)
from tierengine.policies import versions
from tierengine.store import database
from tierengine.store.ids import Ids, transact

MINUTE = 60_000_000


def balance(till, member="C1"):
    found = till.get(f"/v1/members/{member}/balance").json()["wallets"]
    (one,) = [one for one in found if one["wallet"] == "parts_credit"]
    return one["available"], one["debt"]


# ---- what was sold stays sold -------------------------------------------------------------------------------------


def test_a_sale_at_the_list_price_without_a_slip_is_settled_though_the_rules_say_less(counter, till, time):
    """A gold member without a slip pays the list price; five minutes later the service would refuse that price."""
    machine, wire = counter
    wire.cut = True
    assert "应付 1,010.00" in machine.sell("R1", "C1", parts())
    wire.cut = False
    time.now += 5 * MINUTE
    machine.settle()
    assert (machine.waiting(), machine.refused()) == (["R1"], {}), "it is told again when it counts as late"
    time.now += 11 * MINUTE
    assert machine.settle() == 1
    assert (machine.waiting(), machine.refused()) == ([], {})
    assert "R1" in str(till.get("/v1/members/C1/ledger").json()), "points were earned by it"


def test_a_sale_whose_answer_was_lost_and_whose_credit_was_used_meanwhile_is_settled(counter, till, time):
    machine, wire = counter
    real = wire.handle_request

    def cut_after_quote(request):
        wire.cut = request.url.path == "/v1/sales"
        return real(request)

    wire.handle_request = cut_after_quote
    assert "应付 1,500.00" in machine.sell("R1", "C1", parts(200_000), credit=40_000)  # the customer is gone with it
    wire.handle_request, wire.cut = real, False
    assert sold(till, time, "P9", lines=parts(200_000), credit={"parts_credit": 100_000}).status_code == 201
    time.now += MINUTE
    machine.settle()
    assert machine.refused() == {}
    time.now += 20 * MINUTE
    machine.settle()
    assert (machine.waiting(), machine.refused()) == ([], {})
    assert balance(till) == (0, 40_000)


@pytest.mark.parametrize("status", [200, 302, 404, 511])
def test_what_stands_between_and_is_not_the_service_loses_no_sale(counter, till, time, status):
    """A router that shows its own page, a proxy that knows no such site."""
    machine, wire = counter
    machine.prepare("C1")
    wire.cut = True
    machine.sell("R1", "C1", parts())
    real, wire.cut = wire.handle_request, False
    wire.handle_request = lambda request: httpx.Response(status, html="<p>请登录 WiFi</p>", request=request)
    assert "应付 959.50" in machine.sell("R2", "C1", parts())
    assert machine.settle() == 0
    assert (machine.waiting(), machine.refused()) == (["R1", "R2"], {})
    wire.handle_request = real
    assert machine.settle() == 2


def test_one_sale_that_the_service_trips_over_keeps_no_other_waiting(counter, till, time):
    machine, wire = counter
    wire.cut = True
    for number in ("R1", "R2", "R3"):
        machine.sell(number, "C2", parts())
    real, wire.cut = wire.handle_request, False
    wire.handle_request = lambda request: (
        httpx.Response(500, json={"code": "internal", "retryable": False, "detail": "x"}, request=request)
        if b"R1" in request.read() else real(request)
    )  # fmt: skip
    assert machine.settle() == 2
    assert machine.waiting() == ["R1"]


def test_a_member_the_service_does_not_know_is_said_and_nothing_is_sold(counter, till):
    machine, _ = counter
    assert "C99" in machine.sell("R1", "C99", parts())[0]
    assert (machine.waiting(), machine.refused()) == ([], {})


def test_a_number_is_used_once_and_again_only_after_a_refusal(counter, till, time):
    machine, wire = counter
    machine.sell("R1", "C1", parts())
    wire.cut = True
    assert "R1" in machine.sell("R1", "C1", parts())[0]
    machine.sell("R2", "C1", parts())
    assert "没有成交" in machine.sell("R2", "C1", parts())[0]
    assert machine.waiting() == ["R2"]
    wire.cut = False
    machine.settle()
    time.now += 1_000_000
    wire.after_quote = lambda: sold(
        till, time, "P9", lines=parts(200_000), prices=[190_000], credit={"parts_credit": 95_950}
    )
    assert "没有成交" in machine.sell("R3", "C1", parts(200_000), credit=40_000)[0]
    assert "没有成交" not in machine.sell("R3", "C1", parts(200_000))[0]
    assert machine.refused() == {}


# ---- what a slip is worth once ------------------------------------------------------------------------------------


def test_a_slips_credit_is_used_once_however_often_the_line_comes_and_goes(counter, till, time):
    machine, wire = counter
    machine.prepare("C1")
    used = []
    for number in range(3):
        wire.cut = True
        time.now += MINUTE
        receipt = machine.sell(f"R{number}", "C1", parts(), credit=30_000)
        used += [line for line in receipt if line.startswith("配件款")]
        wire.cut = False
        machine.settle()
    assert used == ["配件款支付 300.00", "配件款支付 200.00"]
    assert balance(till) == (50_000, 0)


def test_what_waits_in_the_queue_counts_against_a_slip_that_is_fetched_before_it_is_settled(counter, till, time):
    machine, wire = counter
    machine.prepare("C1")
    wire.cut = True
    time.now += MINUTE
    assert "配件款支付 400.00" in machine.sell("R1", "C1", parts(), credit=40_000)
    wire.cut = False
    time.now += MINUTE
    machine.prepare("C1")
    wire.cut = True
    time.now += MINUTE
    assert "配件款支付 100.00" in machine.sell("R2", "C1", parts(), credit=40_000)


def test_what_was_used_with_the_line_is_not_there_without_it(counter, till, time):
    machine, wire = counter
    machine.prepare("C1")
    time.now += MINUTE
    machine.sell("R1", "C1", parts(200_000), credit=40_000)
    wire.cut = True
    time.now += MINUTE
    assert "配件款支付 100.00" in machine.sell("R2", "C1", parts(), credit=40_000)


# ---- clocks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [-26 * 3600, 3600, 26 * 3600, 400 * 86_400])
def test_a_till_whose_clock_is_wrong_goes_by_the_services(till, time, tmp_path, reference, wrong):
    wire = Wire(till)
    real = wire.handle_request

    def dated(request):
        answer = real(request)
        answer.headers["date"] = format_datetime(datetime.fromtimestamp(time.seconds(), UTC), usegmt=True)
        return answer

    wire.handle_request = dated
    http = httpx.Client(transport=wire, base_url="http://till", headers=till.headers())
    machine = reference.Till(http, "S01", tmp_path / "wrong.db", lambda: time.seconds() + wrong)
    machine.prepare("C1")
    assert machine.slip("C1") is not None
    assert "应付 959.50" in machine.sell("R1", "C1", parts())
    wire.cut = True
    time.now += MINUTE
    assert "应付 959.50" in machine.sell("R2", "C1", parts())
    time.now += 24 * HOUR
    assert machine.slip("C1") is None, "over by the service's clock"
    wire.cut = False
    assert machine.settle() == 1
    assert (machine.waiting(), machine.refused()) == ([], {})
    machine.memory.close()
    http.close()


# ---- prices that a slip may name ----------------------------------------------------------------------------------

PRICES = """\
  weekday_price: {名称: 周三, 适用: [gold], 条件: {类别: 配件}, 实付: 50折, 星期: [周三]}
  few_price: {名称: 限量, 适用: [gold], 条件: {类别: 配件}, 实付: 40折, 限量: 2}
  over_price: {名称: 已过, 适用: [gold], 条件: {类别: 配件}, 实付: 30折, 自: 2026-01-01, 至: 2026-02-01}
  spring_price: {名称: 春季, 适用: [gold], 条件: {类别: 配件}, 实付: 20折, 自: %s}
"""


def test_a_price_is_on_a_slip_only_as_long_as_a_till_may_go_by_it(book_url, time, reference, tmp_path):
    tomorrow = datetime.fromtimestamp(time.seconds() + 8 * 3600, UTC).date().toordinal() + 1
    starts = datetime.fromordinal(tomorrow).date().isoformat()
    text = POLICY.partition("\n示例:")[0].replace("\n价格:\n", "\n价格:\n" + PRICES % starts)
    with serving(book_url, time, policy=text) as till:
        till.gold()
        time.now += 1_000_000
        wire = Wire(till)
        http = httpx.Client(transport=wire, base_url="http://till", headers=till.headers())
        machine = reference.Till(http, "S01", tmp_path / "p.db", time.seconds)
        machine.prepare("C1")
        names = [one["rule"] for one in machine.slip("C1")["prices"]]
        assert "weekday_price" not in names
        assert "few_price" not in names
        wire.cut = True
        assert "应付 959.50" in machine.sell("R1", "C1", parts())
        # From midnight by the dealer's clock, whatever the till's zone.
        midnight = (tomorrow - 719_163) * 86_400 - 8 * 3600
        time.now = midnight * 1_000_000 - 1_000_000
        assert "应付 959.50" in machine.sell("R2", "C1", parts())
        time.now = midnight * 1_000_000 + 1_000_000
        assert "应付 202.00" in machine.sell("R3", "C1", parts())
        http.close()
        machine.memory.close()


# ---- who changed while the line was down --------------------------------------------------------------------------


def test_a_slip_of_another_dealer_is_no_slip_though_one_service_signs_for_both(till, time):
    token = till.at("D2/S01").post("/v1/offline-allowances", {"member": "C1"}).json()["token"]
    answer = sold(till, time, lines=parts(), prices=[95_950], slip=token)
    assert (answer.status_code, answer.json()["slip"]) == (201, {"id": "", "state": "forged"})
    assert code(sold(till, time, "P2", lines=parts(), prices=[1], slip=token)) == (409, "price_changed")


def test_what_was_sold_by_a_slip_is_booked_whoever_suspends_the_credit_meanwhile(counter, till, time):
    machine, wire = counter
    machine.prepare("C1")
    wire.cut = True
    time.now += MINUTE
    assert "配件款支付 300.00" in machine.sell("R1", "C1", parts(), credit=30_000)
    assert till.event("overdue_changed", member="C1", overdue_days=31, occurred_at=time.stamp()).status_code == 201
    time.now += MINUTE
    assert "配件款支付 200.00" in machine.sell("R2", "C1", parts(), credit=30_000)
    wire.cut = False
    assert (machine.settle(), machine.refused()) == (2, {})
    assert balance(till) == (50_000, 0)
    machine.prepare("C1")
    assert machine.slip("C1")["credit"] == []


def test_a_slip_of_a_member_who_was_merged_goes_on_for_the_one(counter, till, time):
    machine, wire = counter
    machine.prepare("C1")
    wire.cut = True
    time.now += MINUTE
    by = till.at("D1/sales_manager")
    assert by.post("/v1/members/C1/merge", {"into": "C2", "reason": "x"}).status_code == 201
    time.now += MINUTE
    assert "应付 659.50" in machine.sell("R1", "C1", parts(), credit=30_000)
    wire.cut = False
    assert (machine.settle(), machine.refused()) == (1, {})
    assert balance(till, "C2") == (70_000, 0)


def test_tills_with_a_slip_each_use_together_what_the_policy_allows(till, time, tmp_path, reference):
    """Three counters of one store, none with a line: no slip knows of the others' sales."""
    wire, machines = Wire(till), []
    for number in range(3):
        http = httpx.Client(transport=wire, base_url="http://till", headers=till.headers())
        machines.append(reference.Till(http, "S01", tmp_path / f"{number}.db", time.seconds))
        time.now += 1_000_000
        machines[-1].prepare("C1")
    wire.cut = True
    for number, machine in enumerate(machines):
        time.now += MINUTE
        receipt = machine.sell(f"R{number}", "C1", parts(), credit=50_000)
        assert ("配件款支付 500.00" in receipt) == (number == 0), "the first that asked has the allowance"
        assert ("应付 959.50" in receipt) == (number > 0), "all have the price"
    wire.cut = False
    for machine in reversed(machines):
        assert (machine.settle(), machine.refused()) == (1, {})
        machine.http.close()
        machine.memory.close()
    assert balance(till) == (50_000, 0)


def test_what_was_sold_to_a_member_who_is_erased_meanwhile_is_booked(book_url, time, tmp_path, reference):
    with with_vault(book_url, now=time) as till:
        till.gold()
        time.now += MINUTE
        wire = Wire(till)
        http = httpx.Client(transport=wire, base_url="http://till", headers=till.headers())
        machine = reference.Till(http, "S01", tmp_path / "t.db", time.seconds)
        machine.prepare("C1")
        wire.cut = True
        time.now += MINUTE
        assert "应付 659.50" in machine.sell("R1", "C1", parts(), credit=30_000)
        wanted = {"by": "U1", "second": "U2", "forfeit": True}
        erased = till.at("D1/admin").post("/v1/members/C1/erasure", wanted)
        assert erased.status_code == 201, erased.text
        time.now += MINUTE
        wire.cut = False
        machine.settle()
        assert (machine.waiting(), machine.refused()) == ([], {})
        assert balance(till) == (70_000, 0)
        http.close()
        machine.memory.close()


def test_a_late_sale_is_judged_by_the_policy_of_its_own_time(till, time):
    token = slip_of(till)["token"]
    time.now += MINUTE
    before = time.stamp()
    link, ids = database.connect(till.book.url), Ids()
    text = POLICY.partition("\n示例:")[0].replace("实付: 95折", "实付: 97折")
    transact(link, ids, lambda link, ids: versions.publish(
        link, ids, till.book.dealer, text, author="a", reason="涨价", effective_from=time.now + 61_000_000,
        now=time.now,
    ))  # fmt: skip
    link.close()
    # (Readers remember a programme for a second, by the machine's clock: a version starts a minute after it is there.)
    till.client.app.state.tierengine.readers._programmes.clear()
    time.now += HOUR
    told = {
        at: sold(till, time, number, lines=parts(), prices=[95_950], slip=token, occurred_at=at).json()
        for number, at in (("P2", time.stamp()), ("P1", before))
    }
    assert [one["slip"]["state"] for one in told.values()] == ["good", "good"]
    assert told[before]["price_differs"] == []
    assert [one["ruled"] for one in told[time.stamp()]["price_differs"]] == [97_970]
