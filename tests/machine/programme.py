"""The programmes that the machine plays: small amounts, short terms, and ends that meet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from string import Template
from typing import Final

from rules.policy import Policy
from rules.reader import read

ZONE: Final = "Asia/Shanghai"
CREDIT, POINTS = "credit", "points"

_TEXT: Final = Template("""
programme: machine-club
title: {zh: 小俱乐部, en: Machine club}
currency: CNY
timezone: Asia/Shanghai
late: {till: 7 days, erp: 400 days}

facts:
  machines: {count: machine_purchase, within: 3 months}
  spent: {sum: amount, of: parts_purchase, within: 2 months}
  contacts: {count: contact, where: {direction: customer}, within: 2 months}
  brought: {count: machine_brought_about, within: 6 months}

traits:
  buyer: {title: {zh: 买设备, en: Buys machines}, when: {machines: {at_least: 1}}}
  spender: {title: {zh: 买配件, en: Buys parts}, when: {spent: {at_least: $spent CNY}}}
  friend: {title: {zh: 常联系, en: Keeps in touch}, when: {any: [{contacts: {at_least: 1}}, {brought: {at_least: 2}}]}}

tiers:
  - {id: customer, title: {zh: 客户, en: Customer}, level: clip}
  - id: member
    title: {zh: 会员, en: Member}
    level: clip
    when: {traits: {at_least: 1}}
    keep: {for: 2 months, grace: 10 days, then: one_down}
  - id: gold
    title: {zh: 金卡客户, en: Gold}
    level: clip
    when: {traits: {at_least: 2}}
    keep: {for: 1 months, grace: 5 days, then: one_down}
levels:
  clip: {title: {zh: 夹子, en: Clip}}

wallets:
  credit:
    title: {zh: 配件款, en: Credit}
    unit: money
    pays_for: [parts]
    expires: {after: 1 months}
    clawback: $clawback
    holds: {for: 3 days, partial: $partial}
    transfer: linked
    second_person: 0.20 CNY
  points:
    title: {zh: 积分, en: Points}
    unit: points
    expires: {after: 1 months, to: month_end}
    clawback: $clawback

prices:
  gold_price: {title: {zh: 九五折, en: 95 percent}, for: [gold], where: {category: parts}, pay: 95折}

emissions:
  referral:
    title: {zh: 促成, en: Brought about}
    on: $told
    where: {related: no}
    to: referrer
    emits: machine_brought_about
    carries: [amount, serial]
    giver: buyer

rewards:
  ladder:
    title: {zh: 购机奖励, en: Ladder}
    on: machine_purchase
    into: credit
    nth: {1: 0.12 CNY, 2: $second CNY, after: none}
    period: quarter
  back:
    title: {zh: 返配件款, en: Back in credit}
    on: parts_purchase
    for: [gold]
    into: credit
    per: {give: 0.03 CNY, each: 0.50 CNY, of: cash}
    caps: {month: 0.20 CNY}
    expires: {after: 10 days}
  parts_points:
    title: {zh: 配件积分, en: Points for parts}
    on: parts_purchase
    for: [member, gold]
    into: points
    per: {give: 1 points, each: $each CNY, of: cash}
    returns: rejudge
  brought_about:
    title: {zh: 促成奖励, en: Brought about}
    on: machine_brought_about
    into: credit
    nth: {1: 0.10 CNY, 2-3: 0.15 CNY, after: none}
    period: year
    settle: 2 days

awards:
  best:
    title: {zh: 金卡奖, en: Award}
    for: [gold]
    months_in_tier: 0
    period: month
    measure: spent
    winners: all
    budget: 5 CNY
    prize: 0.25 CNY
    into: credit
""")
PRIZE: Final = 25
SECOND_PERSON_ABOVE: Final = 20
HOLD_DAYS: Final = 3


@dataclass(frozen=True)
class Family:
    """How the wallets behave in all versions of one programme, and the texts of its versions, which take turns."""

    clawback: str
    partial: str

    @property
    def texts(self) -> tuple[str, str]:
        """The versions: other thresholds and amounts, equal wallets."""
        wallets = {"clawback": self.clawback, "partial": self.partial}
        first = {"spent": "1.50", "second": "0.17", "each": "0.10", "told": "machine_purchase"}
        both = "[machine_purchase, purchase_settled]"
        later = {"spent": "1.00", "second": "0.08", "each": "0.07", "told": both}
        return _TEXT.substitute(wallets | first), _TEXT.substitute(wallets | later)


FAMILIES: Final = (Family("debt", "free"), Family("forgive", "keep"), Family("refuse", "keep"))


@cache
def policy_of(text: str) -> Policy:
    """What the reader makes of a text."""
    reading = read(text, "policy")
    assert reading.policy is not None, [str(problem) for problem in reading.problems]
    return reading.policy
