"""What the book comes to: tiers at the end of each year, what each rule granted, balances."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from rules.policy import Policy
from tierengine.amounts import amount
from tierengine.commands.money import count
from tierengine.commands.opened import Opened
from tierengine.commands.screen import Screen
from tierengine.membership.joined import read_joined
from tierengine.membership.standings import stages
from tierengine.policies.versions import Programme
from tierengine.store.dialect import Link, doc

_MEMBERS: Final = "SELECT id FROM member WHERE dealer_id = ?1 ORDER BY id"
_NET: Final = (
    "SELECT wallet, rule, event_key, member_id, SUM(delta) FROM entry WHERE dealer_id = ?1 AND rule <> '' "
    "AND kind IN ('grant', 'reverse', 'adjust') GROUP BY wallet, rule, event_key, member_id HAVING SUM(delta) <> 0"
)
_WHEN: Final = "SELECT event_key, rule, MIN(step_at) FROM decision WHERE dealer_id = ?1 GROUP BY event_key, rule"
_BALANCES: Final = (
    "SELECT wallet, kind, SUM(balance), COUNT(*) FROM account WHERE dealer_id = ?1 AND member_id IS NOT NULL "
    "AND balance <> 0 GROUP BY wallet, kind ORDER BY wallet, kind"
)
# What is left at ?2 of every lot that was earned by then and has not ended: its amount less what was taken back of it,
# whenever that was, and what left it by then. What an order gave back as a new lot is there from then on.
_HELD: Final = """
    WITH earned AS (SELECT event_key, rule, MIN(step_at) AS at FROM decision WHERE dealer_id = ?1
                    GROUP BY event_key, rule)
    SELECT wallet, SUM(amount) FROM (
        SELECT l.wallet, l.amount FROM lot l JOIN entry e ON e.id = l.entry_id
        LEFT JOIN earned d ON d.event_key = l.event_key AND d.rule = l.rule AND e.kind <> 'return'
        WHERE l.dealer_id = ?1 AND COALESCE(d.at, e.recorded_at) <= ?2 AND (l.expires_at IS NULL OR l.expires_at > ?2)
        UNION ALL
        SELECT l.wallet, -u.amount FROM lot_use u JOIN lot l ON l.id = u.lot_id JOIN entry e ON e.id = u.entry_id
        JOIN entry m ON m.id = l.entry_id
        LEFT JOIN earned d ON d.event_key = l.event_key AND d.rule = l.rule AND m.kind <> 'return'
        WHERE l.dealer_id = ?1 AND COALESCE(d.at, m.recorded_at) <= ?2 AND (l.expires_at IS NULL OR l.expires_at > ?2)
          AND (e.kind = 'reverse' OR e.recorded_at <= ?2)) AS parts
    GROUP BY wallet ORDER BY wallet
"""
_ORDERS: Final = "SELECT fields, amount FROM contribution WHERE dealer_id = ?1 AND kind IN (?2*)"
_PRICED: Final = ("parts_purchase", "repair_purchase", "rental")
_FIRST: Final = "SELECT MIN(at), MAX(at) FROM contribution WHERE dealer_id = ?1"


@dataclass(frozen=True, slots=True)
class Granted:
    """What one rule granted, net of what was taken back: a year of the granting events → amount."""

    wallet: str
    rule: str
    years: dict[int, int]
    members: int

    @property
    def total(self) -> int:
        """Return the sum over all years."""
        return sum(self.years.values())


@dataclass(frozen=True, slots=True)
class Report:
    """The book in numbers.

    tiers        year → tier → members at its end (of the last year: at `now`)
    outstanding  year → wallet → what members hold at its end of all that was granted for events up to then
    balances     (wallet, kind of account, sum, members with one), as booked
    """

    tiers: dict[int, dict[str, int]]
    outstanding: dict[int, dict[str, int]]
    grants: tuple[Granted, ...]
    balances: tuple[tuple[str, str, int, int], ...]


def report(link: Link, programme: Programme, now: int) -> Report:
    """Read the book; call it inside a snapshot."""
    ends = _ends(link, programme, now)
    return Report(
        _tiers(link, programme, ends),
        _outstanding(link, programme, ends),
        tuple(grants(link, programme)),
        tuple(_balances(link, programme)),
    )


def _ends(link: Link, programme: Programme, now: int) -> dict[int, int]:
    """Return the last instant of each year in which something happened; of the last one, `now` if that is sooner."""
    zone = programme.zone
    first, last = link.ask(_FIRST, programme.dealer_id).rows()[0]
    if first is None:
        return {}
    years = range(zone.local_date(first).year, zone.local_date(min(last, now)).year + 1)
    return {year: min(now, zone.start_of(date(year + 1, 1, 1)) - 1) for year in years}


def _tiers(link: Link, programme: Programme, ends: dict[int, int]) -> dict[int, dict[str, int]]:
    joined = read_joined(link, programme.dealer_id)
    members = [row[0] for row in link.ask(_MEMBERS, programme.dealer_id).rows() if not joined.absorbed(row[0])]
    years: dict[int, dict[str, int]] = {}
    for year, end in ends.items():
        tiers = programme.line.at(end).rules.policy.tiers
        standing = stages(link, programme, members, end)
        held = Counter(standing[member][-1].tier if standing[member] else tiers[0].id for member in members)
        years[year] = {tier.id: held[tier.id] for tier in tiers}
    return years


def _outstanding(link: Link, programme: Programme, ends: dict[int, int]) -> dict[int, dict[str, int]]:
    """Return what was held at each year's end, by when it was earned: a file imported today tells of long ago.

    What was taken back never was; what was spent, handed on or paid a debt is gone from when that was.
    """
    return {
        year: {wallet: int(held) for wallet, held in link.ask(_HELD, programme.dealer_id, end).rows()}
        for year, end in ends.items()
    }


def _granted_at(link: Link, programme: Programme) -> dict[tuple[str, str], int]:
    return {(key, rule): at for key, rule, at in link.ask(_WHEN, programme.dealer_id).rows()}


def grants(link: Link, programme: Programme) -> list[Granted]:
    """Return what each rule granted, by the year of what it was granted for."""
    zone = programme.zone
    when = _granted_at(link, programme)
    sums: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    members: dict[tuple[str, str], set[int]] = defaultdict(set)
    for wallet, rule, key, member, delta in link.ask(_NET, programme.dealer_id).rows():
        at = when.get((key, rule))
        sums[wallet, rule][0 if at is None else zone.local_date(at).year] += int(delta)
        members[wallet, rule].add(member)
    order = {rule: place for place, rule in enumerate(_policy(programme).rewards)}
    ordered = sorted(sums, key=lambda one: (one[0], order.get(one[1], len(order)), one[1]))
    return [
        Granted(wallet, rule, dict(sorted(sums[wallet, rule].items())), len(members[wallet, rule]))
        for wallet, rule in ordered
    ]


def discount(link: Link, programme: Programme) -> int:
    """Return what the programme's prices took off the list, net of returns; special prices are no doing of its."""
    rows = link.ask(_ORDERS, programme.dealer_id, list(_PRICED)).rows()
    lines = [(doc(fields), amount) for fields, amount in rows]
    return sum(int(fields.get("list", amount)) - amount for fields, amount in lines if not fields.get("special"))


def _balances(link: Link, programme: Programme) -> list[tuple[str, str, int, int]]:
    rows = link.ask(_BALANCES, programme.dealer_id).rows()
    return [(wallet, kind, int(total), int(members)) for wallet, kind, total, members in rows]


def _policy(programme: Programme) -> Policy:
    return programme.line.versions[-1].rules.policy


def document(opened: Opened, found: Report) -> dict[str, Any]:
    """Return the report, for a program."""
    programme = opened.programme
    return {
        "tiers_per_year": {str(year): held for year, held in found.tiers.items()},
        "grants": [
            {
                "rule": one.rule,
                "wallet": one.wallet,
                "unit": programme.unit(one.wallet),
                "members": one.members,
                "total": one.total,
                "years": {str(year): total for year, total in one.years.items()},
            }
            for one in found.grants
        ],
        "outstanding_per_year": {str(year): wallets for year, wallets in found.outstanding.items()},
        "balances": [
            {"wallet": wallet, "kind": kind, "unit": programme.unit(wallet), "total": total, "members": members}
            for wallet, kind, total, members in found.balances
        ],
    }


def show(screen: Screen, opened: Opened, found: Report) -> None:
    """Print the report."""
    policy = _policy(opened.programme)
    tiers = [tier for tier in policy.tiers if any(tier.id in held for held in found.tiers.values())]
    wallets = sorted({wallet for held in found.outstanding.values() for wallet in held})
    if found.tiers:
        lang, programme = screen.lang, opened.programme
        screen.table(
            screen.say(
                "各年末的等级和余额（最后一年：现在）", "Tiers and credits at each year's end (the last one: now)"
            ),
            [
                screen.say("年", "Year"),
                *(tier.title.say(lang) for tier in tiers),
                *(_title(policy, wallet, screen) for wallet in wallets),
            ],
            [
                [
                    year,
                    *(count(held.get(tier.id, 0), lang) for tier in tiers),
                    *(amount(found.outstanding[year].get(one, 0), programme.unit(one), lang) for one in wallets),
                ]
                for year, held in found.tiers.items()
            ],
            right=range(1, 1 + len(tiers) + len(wallets)),
        )
    show_grants(screen, opened.programme, found.grants)
    rows = [
        [
            _title(policy, wallet, screen),
            screen.say(*_KINDS.get(kind, (kind, kind))),
            amount(total, opened.programme.unit(wallet), screen.lang),
            count(members, screen.lang),
        ]
        for wallet, kind, total, members in found.balances
    ]
    if rows:
        headings = [
            screen.say("钱包", "Wallet"),
            "",
            screen.say("余额", "Balance"),
            screen.say("会员", "Members"),
        ]
        screen.table(screen.say("余额", "Balances"), headings, rows, right=(2, 3))


_KINDS = {"available": ("可用", "available"), "held": ("冻结", "held"), "debt": ("欠", "debt")}


def show_grants(screen: Screen, programme: Programme, found: Sequence[Granted]) -> None:
    """Print what each rule granted; of many years, a line each."""
    if not found:
        return
    policy, lang = _policy(programme), screen.lang
    years = sorted({year for one in found for year in one.years})
    heading = screen.say("各项奖励（已减去收回的）", "What each rule granted, net")
    total = screen.say("合计", "Total")

    def of_year(one: Granted, year: int) -> str:
        return amount(one.years.get(year, 0), programme.unit(one.wallet), lang, whole=True)

    def of_all(one: Granted) -> str:
        return amount(one.total, programme.unit(one.wallet), lang)

    if len(years) > len(found):
        rows: list[list[object]] = [[year, *(of_year(one, year) for one in found)] for year in years]
        rows.append([total, *map(of_all, found)])
        headings = [screen.say("年", "Year"), *(_reward(policy, one, screen) for one in found)]
        screen.table(heading, headings, rows, right=range(1, 1 + len(found)))
        return
    screen.table(
        heading,
        [
            screen.say("奖励", "Reward"),
            screen.say("记入", "Into"),
            screen.say("会员", "Members"),
            *map(str, years),
            total,
        ],
        [
            [
                _reward(policy, one, screen),
                _title(policy, one.wallet, screen),
                count(one.members, lang),
                *(of_year(one, year) for year in years),
                of_all(one),
            ]
            for one in found
        ],
        right=range(2, 4 + len(years)),
    )


def _reward(policy: Policy, one: Granted, screen: Screen) -> str:
    known = policy.rewards.get(one.rule)
    return f"{known.title.say(screen.lang)} ({one.rule})" if known is not None else one.rule


def _title(policy: Policy, wallet: str, screen: Screen) -> str:
    known = policy.wallets.get(wallet)
    return known.title.say(screen.lang) if known is not None else wallet
