"""What every word that stands for a value means, and what the types of values are, one sentence in each tongue."""

from __future__ import annotations

from typing import Final

from rules.codes import CODES
from rules.schema_texts import Said
from rules.vocabulary import FIELDS

WORD_TEXTS: Final[dict[str, Said]] = {
    "this_year": ("当年 1 月 1 日起。", "From 1 January of this year."),
    "last_year": ("上一个日历年。", "The calendar year before."),
    "promoted": ("升到更高的等级。", "A rise to a higher tier."),
    "renewed": ("到期够条件，再保一期。", "Kept for one more term."),
    "lapsing": ("有效期快到了；提前几天写在“提前”里。", "The validity is about to end; `ahead` says how soon."),
    "grace": ("进入宽限期。", "The grace period begins."),
    "demoted": ("降到更低的等级。", "A fall to a lower tier."),
    "submitted": ("交上来了，还没有采纳。", "Handed in, and not accepted yet."),
    "accepted": ("已经采纳。", "Accepted."),
    "valid": ("在有效期内。", "Within its validity."),
    "locked": ("等级被人冻结。", "The tier is locked by a person."),
    "assigned": ("等级由人指定。", "The tier is given by a person's word."),
    "this_month": ("本月第一天起。", "From the first day of this month."),
    "last_month": ("上个月整月。", "The whole of last month."),
    "this_quarter": ("本季第一天起。", "From the first day of this quarter."),
    "last_quarter": ("上一个季度。", "The quarter before."),
    "since_tier": ("升到现在这一级以来。", "Since the standing tier began."),
    "automatic": ("够条件就升。", "At once when the condition holds."),
    "confirmed": ("够条件后由人确认才升。", "Only when somebody has confirmed it."),
    "one_down": ("降到低一级。", "Down to the next lower tier."),
    "as_facts_say": ("降到条件仍然成立的那一级。", "Down to the tier whose condition still holds."),
    "debt": ("余额记成负数，以后的奖励先还。", "The balance goes below nothing; later rewards pay it off."),
    "forgive": ("不足的部分不收。", "What is missing is let go."),
    "refuse": ("不足就不许退。", "The return is refused."),
    "free": ("其余的马上放开。", "The rest is free at once."),
    "keep": ("其余的继续占着，可以再扣。", "The rest stays held and may be captured later."),
    "linked": ("同一单位的账户之间可以。", "Between the accounts of one firm."),
    "month_end": ("顺延到当月最后一天。", "On to the last day of the month."),
    "year_end": ("顺延到当年 12 月 31 日。", "On to 31 December."),
    "end_of_next_year": ("下一年的 12 月 31 日。", "31 December of the next year."),
    "before": ("事件之前的等级。", "The tier before the event."),
    "after": ("事件之后的等级。", "The tier after the event."),
    "order": ("它所属的单据刚记入时的等级。", "The tier right after the order that it names."),
    "life": ("从入会到现在。", "All the time."),
    "year": ("每个日历年。", "Each calendar year."),
    "quarter": ("每个季度。", "Each quarter."),
    "month": ("每个月。", "Each month."),
    "day": ("每一天。", "Each day."),
    "event": ("每一件事。", "Each event."),
    "granted": ("只有给了奖的才算一次。", "Only what earned something counts."),
    "all": ("符合的都算一次，给没给都算。", "Everything that matches counts."),
    "floor": ("不满的舍去。", "What is not full is dropped."),
    "half_up": ("四舍五入。", "Rounded half up."),
    "pro_rata": ("退多少收回多少。", "As much is taken back as came back."),
    "rejudge": ("当作没有退掉的部分重新算。", "Judged again on what is left."),
    "none": ("没有。", "Nothing."),
    "unlimited": ("没有限额。", "Without limit."),
    "highest": ("大的在前。", "The largest comes first."),
    "lowest": ("小的（早的）在前。", "The smallest, or earliest, comes first."),
    "owned": ("产权是自己的。", "The member's own."),
    "yes": ("是。", "Yes."),
    "no": ("否。", "No."),
    "money": ("钱。", "Money."),
    "points": ("积分。", "Points."),
    "percent": ("百分数。", "A percentage."),
    "days": ("天数。", "A number of days."),
    "months": ("月数。", "A number of months."),
    "years": ("年数。", "A number of years."),
    "hours": ("小时数。", "A number of hours."),
    "count": ("个数。", "A plain number."),
    "monday": ("星期一。", "Monday."),
    "tuesday": ("星期二。", "Tuesday."),
    "wednesday": ("星期三。", "Wednesday."),
    "thursday": ("星期四。", "Thursday."),
    "friday": ("星期五。", "Friday."),
    "saturday": ("星期六。", "Saturday."),
    "sunday": ("星期日。", "Sunday."),
    "take": ("其余从可用余额里取。", "The rest comes out of what is available."),
    "old_lot": ("原来那一批，到期日照旧。", "The lot that it came from, which ends as it would have."),
    "new_lot": ("另起一批，从退回那天重新计期。", "A lot of its own, whose term begins with the return."),
    "best": ("优惠大的那一样。", "Whatever is worth most."),
    "by_priority": ("优先数小的那一样。", "Whatever has the lowest priority."),
    "beneficiary": ("每位会员一次。", "Once for each member."),
    "line": ("逐行。", "Line by line."),
    "programme": ("所有会员合计。", "All members together."),
    "firm": ("所属单位相同的会员合计。", "The members who name one firm, together."),
    "member": ("每位会员各算各的。", "Each member by himself."),
    "return": ("从退货起减去；之前已判定的不变。", "Taken off from the return on; what was decided before stands."),
    "cancelled": (
        "当作从没发生过，其后的台阶、封顶、等级都重新判定。",
        "As if it had never been: all after it is judged again.",
    ),
    "winner": ("从奖品里扣。", "Taken out of the prize."),
    "dealer": ("公司另外付。", "Paid on top by the dealer."),
    "whole_order": ("整单。", "Over the whole order."),
    "till": ("门店收银。", "The tills."),
    "erp": ("财务系统。", "The accounting system."),
}

# What the values of a field or attribute are.
TYPE_TEXTS: Final[dict[str, Said]] = {
    "text": ("文字，照原样比较。", "A text, compared as it is written."),
    "int": ("整数。", "A whole number."),
    "money": ("金额，要写单位。", "An amount of money, with its currency."),
    "bool": ("是或否。", "Yes or no."),
    "date": ("日期。", "A date."),
    "member": ("会员编号。", "The code of a member."),
    "texts": ("几个文字的列表。", "A list of texts."),
    "lines": ("单据的各行。", "The lines of the order."),
}

# What a field holds, where its type does not say enough; `WORKED_OUT` are filled in by the book.
FIELD_TEXTS: Final[dict[str, Said]] = {
    "list": (
        "这一行的标价合计（单价乘数量），要写单位。",
        "The list price of the whole line (unit price times pieces), with its currency.",
    ),
    "amount": (
        "这一行（或这台整机）折后合计的金额，要写单位。",
        "What the whole line, or the machine, comes to after discounts, with its currency.",
    ),
    "cash": ("这一行里现金付的，要写单位。", "What of the line was paid in cash, with its currency."),
    "credit": ("这一行里配件款付的，要写单位。", "What of the line was paid by credit, with its currency."),
    "qty": ("件数，整数。", "How many pieces: a whole number."),
    "source_id": (
        "这件事在它来源里的号，不重复；别的事件用这个号指它。",
        "Its own number in its source; other events name it by this.",
    ),
    "referral": ("转介绍报备的来源单号。", "The source_id of the referral's registration."),
    "request": ("报修的来源单号。", "The source_id of the request."),
    "complaint": ("投诉的来源单号。", "The source_id of the complaint."),
    "accepts": ("所采纳的那条的来源单号。", "The source_id of what is accepted."),
    "attestation": ("所撤销的认定的来源单号。", "The source_id of the attestation."),
    "name": ("变的是哪个客户属性，中英文都行。", "The attribute that changes, in either tongue."),
}
_WORKED_OUT: Final = ("referrer", "referral_days", "related", "related_by", "quarter", "minutes")


def field_text(name: str) -> Said:
    """Return what a field of an event holds: its type, or more where that is not enough, and the codes in use."""
    zh, en = FIELD_TEXTS.get(name, TYPE_TEXTS[FIELDS[name].type])
    if name in _WORKED_OUT:
        zh, en = f"{zh}系统自己算，事件里不写。", f"{en} Worked out by the book, never sent."
    codes = {} if name == "form" else CODES.get(name, {})  # (Of the attribute of that name, not of a demonstration's.)
    if codes:
        zh += f"常用代码：{'、'.join(f'{code} {said}' for code, said in codes.items())}。"
        en += f" Codes in use: {', '.join(codes)}."
    return zh, en
