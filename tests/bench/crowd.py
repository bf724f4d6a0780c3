"""A book of very many members with a few purchases each, put in by SQL: what plans and awards are measured on.

Nothing in it is random: amounts and days follow from the members' numbers. What makes a member gold only grows, so that
who became it stays it, and SQL can say by hand what the policy says.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.stage import analyze, make
from tierengine.recording.recorder import clock
from tierengine.store.database import connect
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.zone import DAY

EACH = 4  # purchases a member
DAYS = 730  # over which they lie, up to yesterday
OFTEN, MUCH, GIVEN = 4, 1_250_000, 1_000  # purchases; fen in all; fen for each of which a point is given
POLICY = """\
programme: crowd
title: {zh: 众多会员, en: Very many members}
currency: CNY
timezone: Asia/Shanghai
facts:
  times: {title: 采购次数, count: parts_purchase}
  spent: {title: 采购净额, sum: amount, of: parts_purchase}
  spent_this_year: {title: 今年采购净额, sum: amount, of: parts_purchase, in: this_year}
  times_this_year: {title: 今年采购次数, count: parts_purchase, in: this_year}
traits:
  often: {title: {zh: 常来, en: Comes often}, when: {times: {at_least: 4}}}
  much: {title: {zh: 买得多, en: Buys much}, when: {spent: {at_least: 12500 CNY}}}
tiers:
  - {id: customer, title: {zh: 客户, en: Customer}}
  - {id: member, title: {zh: 会员, en: Member}, when: {traits: {at_least: 1}}, keep: life}
  - {id: gold, title: {zh: 金卡, en: Gold}, when: {traits: {at_least: 2}}, keep: life}
wallets:
  points: {title: {zh: 积分, en: Points}, unit: points}
  prizes: {title: {zh: 奖金, en: Prizes}, unit: money}
rewards:
  for_parts:
    title: {zh: 配件积分, en: Points for parts}
    on: parts_purchase
    for: [member, gold]
    into: points
    per: {give: 1 points, each: 10 CNY, of: amount}
awards:
  best:
    title: {zh: 年度最佳, en: Best of the year}
    for: [gold]
    months_in_tier: 1
    unless: {overdue_days: {more_than: 30}}
    score: {spent_this_year: 60, times_this_year: 40}
    ties:
      - {fact: spent_this_year, first: highest}
    winners: {share: 2%, at_least: 1, at_most: 5000}
    prize: 500 CNY
    budget: 2500000 CNY
    into: prizes
"""

# (place of the member from 0, number of his purchase from 0) → microseconds before `now`, and fen
_AGO = f"((place * 7919 + turn * 104729) % {DAYS} + 1) * {DAY}"
_AMOUNT = "((place * 31 + turn * 17) % 61 + 1) * 10000"
_MEMBERS = "(SELECT id AS member_id, dealer_id, row_number() OVER (ORDER BY id) - 1 AS place FROM member) AS members"
_TURNS = "(" + " UNION ALL ".join(f"SELECT {turn} AS turn" for turn in range(EACH)) + ")"
_PURCHASES = f"""
INSERT INTO contribution (id, dealer_id, member_id, event_id, kind, line, at, known_at, known_class, known_key, cause,
                          qty, amount, fields)
SELECT ?1 + place * {EACH} + turn, dealer_id, member_id, ?1 + place * {EACH} + turn, 'parts_purchase', key || '#0', at,
       at, 3, key, 'parts_purchase', 1, {_AMOUNT}, '{{}}'
FROM (
  SELECT place, turn, dealer_id, member_id, ?2 - {_AGO} AS at, 'order:S01:C' || place || '-' || turn AS key
  FROM {_MEMBERS} CROSS JOIN {_TURNS} AS turns
) AS bought
"""
_OVERDUE = """
INSERT INTO contribution (id, dealer_id, member_id, event_id, kind, line, at, known_at, known_class, known_key, cause,
                          qty, amount, fields)
SELECT ?1 + place, dealer_id, member_id, ?1 + place, 'overdue_changed', key || '#0', ?2, ?2, 2, key, 'overdue_changed',
       1, 0, '{"overdue_days": 60}'
FROM (SELECT place, dealer_id, member_id, 'erp:O' || place AS key FROM """
_OVERDUE += f"{_MEMBERS} WHERE place % 50 = 7) AS late"

# Every purchase with how often and how much its member had bought by then.
GROWING = """
SELECT member_id, dealer_id, at, known_key, amount,
       count(*) OVER so_far AS times, sum(amount) OVER so_far AS spent
FROM contribution WHERE kind = 'parts_purchase'
WINDOW so_far AS (PARTITION BY member_id ORDER BY known_at, known_class, known_key ROWS UNBOUNDED PRECEDING)
"""
_STANDING = f"""
INSERT INTO tier_change (id, dealer_id, member_id, at, class, key, tier, previous, since, until, state, cause,
                         version_id, traits, basis)
SELECT ?1 + row_number() OVER (ORDER BY member_id), dealer_id, member_id, at, 3, known_key, 'gold', 'member', at, NULL,
       'valid', 'promoted', ?2, '["often", "much"]', '{{}}'
FROM (SELECT member_id, dealer_id, at, known_key, row_number() OVER (PARTITION BY member_id ORDER BY at, known_key) AS n
      FROM ({GROWING}) AS growing WHERE times >= {OFTEN} AND spent >= {MUCH}) AS golden
WHERE n = 1
"""


@dataclass(frozen=True)
class Crowd:
    """The book: `now` is when it was made, in microseconds."""

    url: str
    members: int
    purchases: int
    now: int


def fill(url: str, members: int) -> Crowd:
    """Make the book; who is gold stands in it since the purchase that made him so."""
    stage = make(url, members, POLICY)
    link, ids, now = connect(url), Ids(), clock()
    ids.reserve(link, members * (EACH + 2) + 10)
    first = ids.take()
    version = link.ask("SELECT max(id) FROM policy_version").rows()[0][0]
    link.rollback()
    link.begin()
    link.run(_PURCHASES, first, now)
    link.run(_OVERDUE, first + members * EACH, now - DAY)
    link.run(_STANDING, first + members * (EACH + 1), version)
    link.commit()
    vacuum(link)
    link.close()
    analyze(stage)
    return Crowd(url, members, members * EACH, now)


def vacuum(link: Link) -> None:
    """Do what autovacuum does after so many rows, so that it does not do it while something is measured."""
    if link.kind == "postgresql":
        link.raw.autocommit = True  # type: ignore[attr-defined]
        link.run("VACUUM")
        link.run("CHECKPOINT")
        link.raw.autocommit = False  # type: ignore[attr-defined]
    else:
        link.run("ANALYZE")
