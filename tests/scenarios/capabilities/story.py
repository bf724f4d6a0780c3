"""A story told to a real book: what only the ledger and the till can show (credit that pays, debt, lots, prizes).

It stands behind the policy of a case, after a line `---`, and is a list of what happens, in order; time moves along.
Money is in yuan, points are points, lists of lots are as the member sees them.

    会员: [C1]
    经过:
      # an event; with `拒绝: code` it is refused
      - {事件: 提供信息, 时间: 2026-03-02 10:00, 会员: C1, 来源单号: T1, …}
      # an order at the till, and what of it is paid in money
      - {销售: P1, 时间: …, 会员: C1, 抵用: 全部, 明细: […], 现金: 600, 拒绝: code}
      # credit held for an order, a part of it captured (all without 金额), the hold given up
      - {预占: P1, 时间: …, 会员: C1, 钱包: parts_credit, 金额: 300, 拒绝: code}
      - {扣款: P1, 时间: …, 金额: 100, 剩余: 200, 拒绝: code}
      - {撤销: P1, 时间: …}
      # what a wallet holds then
      - {看: 2026-04-01 10:00, 会员: C1, 钱包: parts_credit, 余额: 300, 可用: 0, 欠: 0}
      # the prizes of a year, issued
      - {评选: best, 年份: 2026, 得奖: {C1: 5000}}
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from rules.source import read_source
from tests.scenarios.test_scenarios import plain, raw_of
from tierengine.awarding import issuing
from tierengine.importing.values import decimal
from tierengine.judging.observations import read_observation
from tierengine.ledger.verify import verify
from tierengine.membership.asker import Asker
from tierengine.membership.people import NewMember, create_dealer, create_members, create_store
from tierengine.membership.view import view
from tierengine.policies import versions
from tierengine.recording.acts import CaptureHold, PlaceHold, VoidHold
from tierengine.recording.items import Command, Observe
from tierengine.recording.recorder import Recorder
from tierengine.store import database, snapshots
from tierengine.store.ids import Ids, transact
from tierengine.till.orders import read_order
from tierengine.till.quotes import charge
from tierengine.till.sales import sale
from tierengine.zone import Zone

ZONE = Zone("Asia/Shanghai")
_OF_TILL = ("item", "category", "qty", "list", "special", "serial", "brand")


class Story:
    """A book with one dealer, and what is told to it. `tell` returns what came out otherwise than is said."""

    def __init__(self, url: str, policy: str, codes: list[str]) -> None:
        self.now = ZONE.instant(datetime(2026, 1, 1))  # noqa: DTZ001  local by intent
        self.link = database.connect(url)
        self.recorder = Recorder(self.link, now=lambda: self.now)
        self.holds: dict[str, tuple[str, str, int]] = {}  # order → member, wallet, id of the hold

        def make(link, ids):
            dealer = create_dealer(link, ids, "east", "华东工程机械")
            create_store(link, ids, dealer, "S01", "S01")
            create_members(link, ids, dealer, [NewMember(code=code) for code in codes], self.now)
            versions.publish(link, ids, dealer, policy, author="a", reason="", effective_from=0, now=self.now)
            return dealer

        self.dealer = transact(self.link, Ids(), make)
        self.programme = self.asked(lambda link: versions.load(link, self.dealer))

    def asked(self, ask):
        """Ask something on a snapshot of its own."""
        try:
            with snapshots.snapshot(self.link):
                return ask(self.link)
        finally:
            self.link.rollback()

    def tell(self, step: dict[str, Any]) -> dict[str, Any]:
        """Let one thing happen; return what came out, under the keys that the step states."""
        if "事件" in step:
            return self.event(step)
        if "销售" in step:
            return self.sale(step)
        if "看" in step:
            return self.look(step)
        if "预占" in step or "扣款" in step or "撤销" in step:
            return self.hold(step)
        return self.award(step)

    def at(self, text: str) -> None:
        """Move time on to shortly after a moment; it never goes back."""
        self.now = max(self.now + 1, ZONE.instant(datetime.fromisoformat(text)) + 1_000_000)

    def event(self, step: dict[str, Any]) -> dict[str, Any]:
        """Record an event as a source sends it."""
        self.at(step["时间"])
        raw = raw_of({key: value for key, value in step.items() if key != "拒绝"})
        said = read_observation(
            raw,
            source="erp",
            store="S01",
            now_us=self.now,
            zone=ZoneInfo(ZONE.name),
            late_days=None,
            currency="CNY",
        )
        return self.answered(Observe(self.dealer, said, refusable="拒绝" in step), step)

    def sale(self, step: dict[str, Any]) -> dict[str, Any]:
        """Sell an order at the till, which asks what it costs and then sells it at that."""
        self.at(step["时间"])
        made = raw_of(
            {"事件": "购买配件", "时间": step["时间"], "会员": step["会员"], "单号": step["销售"], "明细": step["明细"]}
        )
        raw = {key: made[key] for key in ("member", "occurred_at")} | {"order": step["销售"]}
        raw["lines"] = [{key: line[key] for key in _OF_TILL if key in line} for line in made["lines"]]
        if "抵用" in step:
            used = step["抵用"]
            raw["credit"] = (
                "max" if used == "全部" else {name: self.units(name, amount) for name, amount in used.items()}
            )
        order = read_order(
            raw,
            source="till",
            store="S01",
            now_us=self.now,
            zone=ZoneInfo(ZONE.name),
            late_days=7,
            currency="CNY",
        )
        charged = charge(self.link, self.programme, order, self.now)
        self.link.rollback()
        item = sale(self.dealer, order, charged.lines, charged.uses, now=self.now, once=None)
        got = self.answered(item, step)
        return got | ({"现金": yuan(sum(one.cash for one in charged.lines))} if "现金" in step else {})

    def hold(self, step: dict[str, Any]) -> dict[str, Any]:
        """Hold credit for an order, capture it, or give the hold up."""
        self.at(step["时间"])
        order = step.get("预占") or step.get("扣款") or step["撤销"]
        if "预占" in step:
            self.holds[order] = (step["会员"], step["钱包"], 0)
        member, wallet, number = self.holds[order]
        amount = self.units(wallet, step["金额"]) if "金额" in step else None
        act: Any
        if "预占" in step:
            act = PlaceHold(f"hold:S01:{order}:{wallet}", wallet, amount, f"order:S01:{order}")
        else:
            act = CaptureHold(number, amount) if "扣款" in step else VoidHold(number)
        (answer,) = self.recorder.record([Command(self.dealer, (member,), act)])
        if answer.number >= 400:
            return {"拒绝": answer.body["code"]}
        self.holds[order] = (member, wallet, answer.body["hold"]["id"])
        left = answer.body["hold"]["remaining"]
        shown = yuan(left) if self.money(wallet) else str(left)
        return {"拒绝": ""} | ({"剩余": shown} if "剩余" in step else {})

    def money(self, wallet: str) -> bool:
        """Tell whether a wallet counts money."""
        return self.programme.unit(wallet) != "points"

    def units(self, wallet: str, text: str) -> int:
        """Return an amount as the wallet counts it."""
        return fen(text) if self.money(wallet) else int(text)

    def answered(self, item, step: dict[str, Any]) -> dict[str, Any]:
        """Record an item; what was refused is told by its code."""
        (answer,) = self.recorder.record([item])
        self.recorder.deliver()
        code = "" if answer.number < 400 else answer.body["code"]
        return {"拒绝": code} if code or "拒绝" in step else {}

    def look(self, step: dict[str, Any]) -> dict[str, Any]:
        """Look at one wallet of a member."""
        self.at(step["看"])
        shown = self.asked(lambda link: view(link, self.programme, step["会员"], self.now, Asker()))
        (found,) = (one for one in shown["wallets"] if one["wallet"] == step["钱包"])
        number = yuan if found["unit"] == "CNY" else str
        return {
            name: number(found[key])
            for name, key in (("余额", "available"), ("可用", "usable"), ("欠", "debt"))
            if name in step
        } | ({"到期": [lot["last_day"] for lot in found["lots"]]} if "到期" in step else {})

    def award(self, step: dict[str, Any]) -> dict[str, Any]:
        """Issue the prizes of a year that is over."""
        self.now = max(self.now, ZONE.instant(datetime(int(step["年份"][:4]) + 1, 1, 2)))  # noqa: DTZ001  local by intent
        issued = issuing.issue(
            partial(transact, self.link, Ids()), self.programme, step["评选"], int(step["年份"]), self.now
        )
        return {"得奖": {one.code: yuan(one.prize) for one in issued.winners}}

    def close(self) -> None:
        """Look whether every promise of the ledger holds."""
        assert self.asked(verify) == ()
        self.link.close()


def fen(text: str) -> int:
    """Return an amount in yuan as fen."""
    return int(decimal(text) * 100)


def yuan(amount: int) -> str:
    """Return fen as people write them."""
    return f"{amount // 100}.{amount % 100:02}".removesuffix(".00")


def tell(url: str, policy: str, story: str, name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Tell a story; return each step with what came out otherwise."""
    source = read_source(story.encode(), name)
    assert source.problems == (), source.problems
    assert source.root is not None
    told = plain(source.root)
    book = Story(url, policy, told["会员"])
    wrong = []
    for step in told["经过"]:
        got = book.tell(step)
        if any(step.get(key, "") != value for key, value in got.items()):
            wrong.append((step, got))
    book.close()
    return wrong
