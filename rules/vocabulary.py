"""What may happen: event kinds, their fields with types, and the Chinese name of each.

The one list that the policy reader, the recorder, the API's schemas and the generated documentation share. A new kind
or field is one line here with a test. Source: the dealers' articles and their default vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldType = Literal["text", "int", "money", "bool", "date", "member", "texts", "lines"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an event or of one of its lines. `money` is fen; `texts` a list of text; `date` an ISO local date."""

    id: str
    zh: str
    type: FieldType


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event.

    fields     what the event carries; `required` of them must be there
    lines      what each of its lines carries (empty: the event itself is its one line)
    amount     the field whose value is the line's amount in fen ("" = 0)
    names      field → kinds of the earlier event it names (it waits, parked, until that one is here)
    by_order   the event key is (store, order, kind): any channel may send it
    submission recorded as `submitted`, counts once accepted
    command    may be refused for the state; decided once
    derived    never recorded from outside: emitted by another member's event
    merges     says that two members are one: recorded by a call of its own, never among other events
    class_     place at one instant (judging.md, Position): 2 for attribute changes, 3 otherwise
    """

    id: str
    zh: str
    fields: tuple[str, ...]
    required: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    amount: str = ""
    names: tuple[tuple[str, tuple[str, ...]], ...] = ()
    by_order: bool = False
    submission: bool = False
    command: bool = False
    derived: bool = False
    merges: bool = False
    class_: int = 3


def _fields(*rows: tuple[str, str, FieldType]) -> dict[str, Field]:
    return {row[0]: Field(*row) for row in rows}


FIELDS: dict[str, Field] = _fields(
    ("order", "单号", "text"),
    ("serial", "整机编号", "text"),
    ("brand", "品牌", "text"),
    ("model", "型号", "text"),
    ("machine_kind", "机种", "text"),
    ("size", "规格", "text"),  # the codes of this and others: codes.py
    ("used", "二手", "bool"),
    ("tender_won", "招标成交", "bool"),
    ("amount", "金额", "money"),
    ("margin", "毛利", "money"),
    ("list", "标价", "money"),
    ("cash", "现金实付", "money"),  # amount less what credit paid
    ("credit", "配件款支付", "money"),
    ("payment_mode", "付款方式", "text"),
    ("down_payment", "首付", "money"),
    ("contract_no", "合同号", "text"),
    ("co_buyers", "合伙人", "texts"),
    ("referral", "报备单号", "text"),
    ("trade_in_serial", "置换旧机编号", "text"),
    ("delivered_on", "交机日期", "date"),
    ("referrer", "介绍人", "member"),
    ("referral_days", "报备到成交天数", "int"),
    ("related", "关联方", "bool"),  # whom it names is the member himself, or linked to him
    ("related_by", "关联关系", "text"),  # self, or the relation of the link
    ("linked", "关联会员", "member"),
    ("relation", "关系", "text"),  # shareholder, spouse, same_phone, same_company, employee, …
    ("buyer", "购买人", "member"),
    ("reason", "原因", "text"),
    ("item", "物料号", "text"),
    ("category", "类别", "text"),  # parts, lubricant, fuel, tyre, attachment, labour, rental, freight
    ("special", "特价", "bool"),  # special price, contract price or warranty: no member's price on top
    ("qty", "数量", "int"),
    ("channel", "渠道", "text"),
    ("warranty", "保修", "bool"),
    ("rental_kind", "租赁类型", "text"),
    ("days", "天数", "int"),
    ("minutes", "用时", "int"),  # from the request to the step, whole minutes
    ("what", "内容", "text"),
    ("direction", "方向", "text"),
    ("place", "地点", "text"),
    ("job", "工程", "text"),
    ("machine_state", "设备状况", "text"),
    ("needs", "需求", "texts"),
    ("by_leader", "领导参与", "bool"),
    ("month", "月份", "text"),
    ("changes", "变化", "text"),
    ("next_plan", "下月计划", "text"),
    ("help_wanted", "需要支持", "text"),
    ("stage", "阶段", "text"),
    ("order_class", "意向等级", "text"),
    ("competitor", "竞争品牌", "text"),
    ("value", "价值", "money"),
    ("result", "结果", "text"),
    ("referred", "被介绍人", "text"),
    ("valid_until", "有效期至", "date"),
    ("topic", "主题", "text"),
    ("accepted_by", "采纳人", "text"),
    ("proved", "已证实", "bool"),
    ("accepts", "采纳的提交", "text"),
    ("trait", "特点", "text"),
    ("degree", "程度", "text"),  # how far the attested trait goes, where it has degrees
    ("stated_by", "认定人", "text"),
    ("stated_role", "认定人职务", "text"),
    ("countersigned_by", "会签人", "text"),
    ("countersigned_role", "会签人职务", "text"),
    ("evidence", "证据", "text"),
    ("attestation", "认定单号", "text"),
    ("form", "形式", "text"),
    ("activity", "活动", "text"),
    ("seats", "席位", "int"),
    ("severity", "严重程度", "text"),
    ("distance_km", "距离公里", "int"),
    ("down", "停机", "bool"),
    ("request", "报修单号", "text"),
    ("step", "步骤", "text"),
    ("technician", "技师", "text"),
    ("hours", "小时数", "int"),
    ("interval", "保养间隔", "int"),
    ("by", "由谁", "text"),
    ("promised_at", "承诺时间", "date"),
    ("about", "事由", "text"),
    ("complaint", "投诉单号", "text"),
    ("score", "评分", "int"),
    ("entitlement", "权益", "text"),
    ("duty", "服务", "text"),
    ("gift", "礼品", "text"),
    ("tenure", "产权", "text"),
    ("year", "年份", "int"),
    ("checked_at", "核实日期", "date"),
    ("how", "方式", "text"),
    ("to", "去向", "text"),
    ("card_no", "卡号", "text"),
    ("manager", "客户经理", "text"),
    ("region", "区域", "text"),
    ("segment", "客户分类", "text"),
    ("overdue_days", "逾期天数", "int"),
    ("purpose", "用途", "text"),
    ("given", "同意", "bool"),
    ("text_version", "文本版本", "text"),  # of what he agreed to
    ("name", "属性", "text"),
    ("tier", "等级", "text"),
    ("until", "截止", "date"),
    ("staff", "经办人", "text"),
    ("source_id", "来源单号", "text"),
    ("note", "备注", "text"),
    ("lines", "明细", "lines"),
    ("product_group", "产品组", "text"),
    ("base_model", "基本型号", "text"),
    ("quarter", "季度", "text"),
    ("status", "状态", "text"),  # submitted, accepted
    ("wallet", "钱包", "text"),
    ("into", "并入", "member"),
)

_ITEM = ("item", "category", "qty", "list", "amount", "cash", "credit", "margin", "special", "serial", "brand")
_MACHINE = ("serial", "brand", "model", "machine_kind", "size", "used", "product_group", "base_model")
_DEAL = ("payment_mode", "down_payment", "contract_no", "co_buyers", "referral", "trade_in_serial", "tender_won")
# Filled in by the recorder from what the event names or from its own date, so that rules read dated copies only.
_RESOLVED = ("delivered_on", "referrer", "referral_days", "related", "related_by", "quarter", "month")

_ORDER = (("order", ("machine_purchase",)),)
_SOLD = ("machine_purchase", "parts_purchase", "repair_purchase", "rental", "derivative_sale")


def _kinds(*kinds: Kind) -> dict[str, Kind]:
    return {kind.id: kind for kind in kinds}


# fmt: off
KINDS: dict[str, Kind] = _kinds(
    Kind("machine_purchase", "购机", ("order", *_MACHINE, "amount", "margin", *_DEAL, *_RESOLVED),
         ("order", "amount"), amount="amount", by_order=True,
         names=(("referral", ("referral_registered",)),)),
    Kind("purchase_settled", "货款到位", ("order", *_MACHINE, "amount", *_DEAL, *_RESOLVED), ("order",),
         amount="amount", names=_ORDER, by_order=True),
    Kind("machine_returned", "退机收车", ("order", "serial", "reason"), ("order", "reason"),
         names=_ORDER),
    Kind("machine_brought_about", "促成购机", (*_MACHINE, "amount", "buyer", "tender_won", *_RESOLVED), ("buyer",),
         amount="amount", derived=True),
    Kind("parts_purchase", "购买配件", ("order", "channel", "lines"), ("order", "lines"), _ITEM, "amount",
         by_order=True),
    Kind("repair_purchase", "修理", ("order", "serial", "warranty", "lines"), ("order", "lines"), _ITEM, "amount",
         by_order=True),
    Kind("rental", "租赁", ("order", "rental_kind", "days", "lines"), ("order", "lines"), _ITEM, "amount",
         by_order=True),
    Kind("derivative_sale", "衍生业务", ("order", "what", "amount", "margin"), ("order", "amount"), amount="amount",
         by_order=True),
    Kind("sale_returned", "退货", ("order", "reason", "lines"), ("order",), ("item", "category", "qty", "amount"),
         names=(("order", _SOLD),)),
    Kind("contact", "联系走访",
         ("channel", "direction", "place", "job", "machine_state", "needs", "by_leader"),
         ("channel", "direction"), submission=True),
    Kind("contact_report", "月度联系报告", ("month", "changes", "next_plan", "help_wanted"), ("month",)),
    Kind("intention", "需求意向", ("machine_kind", "month", "stage", "order_class"), ("machine_kind",)),
    Kind("deal_lost", "战败", ("competitor", "reason"), ("reason",)),
    Kind("tender", "招投标", ("value", "result"), ("value",)),
    Kind("referral_registered", "转介绍报备", ("referred", "machine_kind", "valid_until"), ("referred",)),
    Kind("tip", "提供信息", ("topic", "accepted_by", "proved"), ("topic",), submission=True),
    Kind("submission_accepted", "采纳", ("accepts", "accepted_by", "proved"), ("accepts", "accepted_by"),
         names=(("accepts", ("contact", "tip", "demonstration")),)),
    Kind("attestation", "特点认定",
         ("trait", "degree", "stated_by", "stated_role", "countersigned_by", "countersigned_role", "evidence",
          "valid_until"),
         ("trait", "stated_by", "stated_role", "evidence")),
    Kind("attestation_withdrawn", "撤销认定", ("attestation", "reason"), ("attestation",),
         names=(("attestation", ("attestation",)),)),
    Kind("demonstration", "示范", ("form",), ("form",), submission=True),
    Kind("activity_attended", "参加活动", ("activity", "seats"), ("activity",)),
    Kind("consignment_moved", "寄存进出", ("item", "qty", "value"), ("item", "qty")),
    Kind("repair_requested", "报修", ("serial", "severity", "distance_km", "down"), ("severity",)),
    # (From the request: what it was and how far away, and how long it took.)
    Kind("repair_step", "服务进度",
         ("request", "step", "technician", "serial", "severity", "distance_km", "down", "minutes"), ("request", "step"),
         names=(("request", ("repair_requested",)),)),
    Kind("maintenance_done", "定时保养", ("serial", "hours", "interval"), ("serial",)),
    Kind("hours_read", "抄小时数", ("serial", "hours", "by"), ("serial", "hours")),
    Kind("parts_arrived", "配件到货", ("order", "promised_at"), ("order",)),
    Kind("complaint", "投诉", ("about", "severity"), ("about",)),
    Kind("complaint_step", "投诉处理", ("complaint", "step"), ("complaint", "step"),
         names=(("complaint", ("complaint",)),)),
    Kind("survey_answered", "满意度", ("topic", "score"), ("score",)),
    Kind("entitlement_claimed", "享用权益", ("entitlement", "qty", "serial"), ("entitlement",), command=True),
    Kind("duty_done", "履行服务", ("duty", "evidence"), ("duty",)),
    Kind("gift_sent", "礼包贺卡", ("gift",), ("gift",)),
    Kind("machine_registered", "设备登记", (*_MACHINE, "tenure", "year", "checked_at"), ("machine_kind", "tenure")),
    Kind("machine_disposed", "设备处置", ("serial", "how", "to"), ("serial",)),
    Kind("card_issued", "发卡", ("card_no",), ("card_no",), class_=2),
    Kind("card_lost", "挂失", (), class_=2),
    Kind("manager_assigned", "分配客户经理", ("manager", "region", "reason"), ("manager",), class_=2),
    Kind("segment_set", "设定客户分类", ("segment", "reason"), ("segment",), class_=2),
    Kind("overdue_changed", "逾期变动", ("contract_no", "overdue_days", "amount"), ("overdue_days",), class_=2),
    Kind("link_set", "登记关联", ("linked", "relation"), ("linked", "relation"), class_=2),
    Kind("link_ended", "解除关联", ("linked", "reason"), ("linked",), class_=2),
    Kind("consent_changed", "同意变更", ("purpose", "given", "text_version"), ("purpose", "given"), class_=2),
    Kind("attribute_changed", "属性变更", ("name", "value_text", "value_int", "value_date"), ("name",), class_=2),
    Kind("promotion_confirmed", "确认晋级", ("tier", "by"), ("tier", "by")),
    Kind("tier_assigned", "指定等级", ("tier", "by", "reason", "until"), ("tier", "by", "reason")),
    Kind("tier_locked", "冻结等级", ("tier", "by", "reason", "until"), ("tier", "by", "reason", "until")),
    # (By the call for it alone: it is decided under the locks of both, and of all who were merged with them.)
    Kind("members_merged", "合并会员", ("into", "by", "reason"), ("into",), merges=True, class_=2),
    Kind("observation_cancelled", "作废", ("reason",)),
)
# fmt: on

FIELDS.update(
    _fields(
        ("value_text", "文本值", "text"),
        ("value_int", "数值", "int"),
        ("value_date", "日期值", "date"),
    )
)

# What somebody writes in his own words, about a person as like as not. It is kept beside the member's personal data
# under his key, never in an event; no policy can read it, and it makes two deliveries neither the same nor different.
PROSE = frozenset(
    (
        "note", "reason", "place", "job", "machine_state", "needs", "changes", "next_plan", "help_wanted", "about",
        "evidence", "to", "co_buyers", "referred",
    )
)  # fmt: skip

COMMON = ("staff", "source_id", "note", "status")  # every event may carry these

STATUSES = ("submitted", "accepted")  # of what is handed in
SUBMITTED = "_submitted"  # ends the kind under which a submission counts while nobody has accepted it

# Line category → the kind of event that a till's line of that category becomes.
CATEGORIES: dict[str, tuple[str, str]] = {
    "parts": ("配件", "parts_purchase"),
    "lubricant": ("油品", "parts_purchase"),
    "fuel": ("燃油", "parts_purchase"),
    "tyre": ("轮胎", "parts_purchase"),
    "attachment": ("属具", "parts_purchase"),
    "freight": ("运费", "parts_purchase"),
    "labour": ("工时", "repair_purchase"),
    "rental": ("租赁", "rental"),
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something dated that a policy may read about a member. `set_by` is (kind, field) of the event that changes it."""

    id: str
    zh: str
    type: FieldType
    set_by: tuple[str, str]


def _attribute(name: str, zh: str, type_: FieldType) -> Attribute:
    field = {"int": "value_int", "bool": "value_int", "date": "value_date"}.get(type_, "value_text")
    return Attribute(name, zh, type_, ("attribute_changed", field))


ATTRIBUTES: dict[str, Attribute] = {
    item.id: item
    for item in (
        Attribute("segment", "客户分类", "text", ("segment_set", "segment")),
        Attribute("account_manager", "客户经理", "text", ("manager_assigned", "manager")),
        Attribute("overdue_days", "逾期天数", "int", ("overdue_changed", "overdue_days")),
        Attribute("card_no", "卡号", "text", ("card_issued", "card_no")),
        Attribute("card_issued_on", "发卡日期", "date", ("card_issued", "")),  # "" = the event's local date
        _attribute("form", "客户性质", "text"),  # person, firm
        _attribute("firm", "所属单位", "text"),  # accounts of one firm name the same
        _attribute("trade", "行业", "text"),  # earthworks, quarry, road, mine
        _attribute("region", "区域", "text"),
        _attribute("home_store", "所属门店", "text"),
        _attribute("entered_trade_on", "入行日期", "date"),
        _attribute("birth_date", "生日", "date"),
        _attribute("admitted_on", "入会日期", "date"),
        _attribute("lifecycle", "生命周期", "text"),
        _attribute("employee_of", "受雇于", "text"),
    )
}
