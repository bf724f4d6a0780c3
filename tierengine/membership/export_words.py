"""What an export of one member is made of, and what its columns are called in Chinese and in English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tierengine.store.dialect import either


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one table that are his.

    columns  with spaces between them
    by       the column that names him
    of       the condition by which an index of SQLite, and one of PostgreSQL, finds them; ?1 is what names him, ?2 the
             dealer
    """

    table: str
    zh: str
    en: str
    columns: str
    by: str = "member_id"
    of: tuple[str, str] = ("?2 > 0",) * 2

    @property
    def sql(self) -> str:
        """Return the statement that reads them."""
        listed = ", ".join(f'"{column}"' for column in self.columns.split())
        order = "ORDER BY 1, 2" if "," in listed else ""
        sqlite, postgresql = (
            f"SELECT {listed} FROM {self.table} WHERE {self.by} = ?1 AND {of} {order}" for of in self.of
        )
        return either(sqlite, postgresql)


def _among(column: str, listed: str) -> tuple[str, str]:
    """Return the condition that a column is one of those listed, as each database takes it for its index."""
    return f"{column} IN ({listed})", f"{column} = ANY(ARRAY({listed}))"


# (No index of these begins with the member, who is asked for seldom: they are found by what else names them.)
_HOLDS: Final = _among(
    "?2 > 0 AND id", "SELECT hold_id FROM hold_lot WHERE lot_id IN (SELECT id FROM lot WHERE member_id = ?1)"
)
_MACHINES: Final = _among(
    "dealer_id = ?2 AND serial", "SELECT fields ->> 'serial' FROM contribution WHERE member_id = ?1"
)
_AWARDS: Final = _among("run_id", "SELECT id FROM award_run WHERE dealer_id = ?2")
_TOLD: Final = _among("webhook_id", "SELECT id FROM webhook WHERE dealer_id = ?2")
_DEALER: Final = ("dealer_id = ?2",) * 2
SECTIONS: Final = (
    Section("event", "事件", "Events", "id key revision kind occurred_at recorded_at source body"),
    Section("contribution", "计入的内容", "What counted", "event_id kind line at known_at qty amount fields"),
    Section("emission", "带给其他会员的", "What it meant for others", "key revision kind occurred_at cancelled body"),
    Section("decision", "奖励决定", "Decisions on rewards", "event_key rule kind wallet wanted recorded_at basis"),
    Section("tier_change", "等级变动", "Changes of tier", "at tier previous since until state cause traits"),
    Section("entry", "账目", "Entries of the ledger", "number kind wallet event_key rule delta recorded_at"),
    Section("lot", "批次", "Lots of credit", "wallet event_key rule amount usable_from expires_at"),
    Section("hold", "预占", "Holds", "key wallet cluster amount expires_at recorded_at", of=_HOLDS),
    Section("command", "人工办理", "Acts by hand", "id key kind body recorded_at"),
    Section("account", "余额", "Balances", "wallet kind unit balance", of=_DEALER),
    Section("attribute", "属性", "Attributes", "name value changed_at"),
    Section("machine", "设备", "Machines", "serial brand model machine_kind size delivered_on", of=_MACHINES),
    Section("award_winner", "获奖", "Awards won", "run_id place score prize", of=_AWARDS),
    Section(
        "webhook_delivery", "对外通知", "Messages to other systems", "message type state body changed_at", of=_TOLD
    ),
    Section("audit", "办理记录", "What the staff did", "recorded_at actor act request", by="subject", of=_DEALER),
    Section("erasure", "注销", "Erasure", "recorded_at"),
)
DOCUMENTS: Final = frozenset(("body", "fields", "basis", "traits"))
INSTANTS: Final = frozenset(("at", "since", "until", "usable_from"))
LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "id": ("号", "Number"), "key": ("键", "Key"), "revision": ("版本", "Revision"), "kind": ("种类", "Kind"),
    "occurred_at": ("发生时间", "Happened at"), "recorded_at": ("记录时间", "Recorded at"),
    "source": ("来源", "Source"), "body": ("内容", "Content"), "texts": ("文字", "Free text"),
    "event_id": ("事件号", "Event"), "line": ("行", "Line"), "at": ("时间", "At"),
    "known_at": ("获知时间", "Known at"), "qty": ("数量", "Quantity"), "amount": ("金额", "Amount"),
    "fields": ("各项", "Fields"), "cancelled": ("已撤回", "Cancelled"), "event_key": ("事件", "Event"),
    "rule": ("规则", "Rule"), "wallet": ("钱包", "Wallet"), "wanted": ("应得", "Wanted"), "basis": ("依据", "Basis"),
    "tier": ("等级", "Tier"), "previous": ("原等级", "Before"), "since": ("起", "Since"), "until": ("止", "Until"),
    "state": ("状态", "State"), "cause": ("原因", "Cause"), "traits": ("特点", "Traits"),
    "number": ("序号", "Number"), "delta": ("变动", "Change"), "usable_from": ("可用起", "Usable from"),
    "expires_at": ("到期", "Expires at"), "cluster": ("订单", "Order"), "unit": ("单位", "Unit"),
    "balance": ("余额", "Balance"), "name": ("名称", "Name"), "value": ("值", "Value"),
    "changed_at": ("变动时间", "Changed at"), "serial": ("整机编号", "Serial"), "brand": ("品牌", "Brand"),
    "model": ("型号", "Model"), "machine_kind": ("机种", "Kind of machine"), "size": ("规格", "Size"),
    "delivered_on": ("交机日期", "Delivered on"), "run_id": ("评选", "Award"), "place": ("名次", "Place"),
    "score": ("得分", "Score"), "prize": ("奖品", "Prize"), "message": ("消息号", "Message"),
    "type": ("类型", "Type"), "actor": ("办理人", "By"), "act": ("办理", "Act"), "request": ("请求号", "Request"),
    "phones": ("电话", "Phones"), "contact": ("联系人", "Contact"), "note": ("备注", "Note"),
}  # fmt: skip
