"""What the demo shows: who became gold and why, who lacks one trait, what it cost, what is owed, who wins."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.text import Text

from rules.policy import Policy
from tierengine.amounts import amount
from tierengine.awarding import plans
from tierengine.awarding.plans import Plan
from tierengine.commands import award, duties, report, verify
from tierengine.commands.money import count, minute
from tierengine.commands.names import names_of
from tierengine.commands.opened import Opened
from tierengine.commands.screen import Screen
from tierengine.demo.book import demo_book
from tierengine.demo.run import RecordedDemo, policy_file
from tierengine.ledger.verify import Broken
from tierengine.ledger.verify import verify as broken_of
from tierengine.membership.asker import Asker
from tierengine.membership.view import view
from tierengine.service.dutybook import read_duties
from tierengine.settings import Settings

YEAR: Final = 2026
SHORT_SHOWN: Final = 12
ALIKE_SHOWN: Final = 3
BELOW_THE_LINE: Final = 5
_MARKS: Final = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_CODES: Final = "SELECT code FROM member WHERE dealer_id = ?1 ORDER BY code"

View = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the page says."""

    opened: Opened
    told: RecordedDemo
    policy: Policy
    views: Mapping[str, View]
    names: Mapping[str, str]
    promoted: Sequence[str]
    short: Sequence[str]
    court: Sequence[str]
    grants: Sequence[report.Granted]
    discount: int
    owners: Sequence[duties.Owner]
    plan: Plan
    broken: tuple[Broken, ...]


def read(opened: Opened, told: RecordedDemo, wanted: Settings) -> Page:
    """Read the book as of the demo's last day."""
    link, programme, now = opened.link, opened.programme, told.now
    codes = [row[0] for row in link.ask(_CODES, opened.dealer.id).rows()]
    # Of no one language: every sentence comes in both.
    views = {code: view(link, programme, code, now, Asker(lang="")) for code in codes}
    policy = programme.line.at(now).rules.policy
    top = policy.tiers[-1].id
    promoted = [code for code in codes if views[code]["standing"]["tier"] == top]
    listed = {
        name: [code for code in codes if any(one["id"] == name for one in views[code]["lists"])]
        for name in ("one_short", "to_court")
    }
    return Page(
        opened=opened,
        told=told,
        policy=policy,
        views=views,
        names=names_of(link, codes=codes, dealer_id=opened.dealer.id, wanted=wanted),
        promoted=sorted(promoted, key=lambda code: views[code]["standing"]["since"]),
        short=sorted(listed["one_short"], key=lambda code: (-_nearest(views[code])[0], code)),
        court=listed["to_court"],
        grants=report.grants(link, programme),
        discount=report.discount(link, programme),
        owners=duties.owners_of(read_duties(link, programme, now), now),
        plan=plans.plan(link, programme, None, YEAR, now),
        broken=broken_of(link),
    )


def _nearest(view: View) -> tuple[float, View]:
    """Return the trait that lacks least, and how far it is met: of the tests that fail, observed to required.

    Years pass by themselves: what fails for want of years is nothing anybody can do.
    """
    best: tuple[float, View] = (-1.0, {})
    for trait in view["traits"]:
        failing = [one for one in trait["conditions"] if not one["ok"]]
        if trait["met"] or not failing or any(one["unit"] == "years" for one in failing):
            continue
        shares = [
            min(1.0, max(0, one["observed"] or 0) / one["required"])
            for one in failing
            if isinstance(one["required"], int) and one["required"] > 0
        ]
        share = sum(shares) / len(shares) if shares else 0.0
        best = max(best, (share, trait), key=lambda found: found[0])
    return best


# ---- for programs ------------------------------------------------------------------------------------------------


def document(page: Page) -> dict[str, Any]:
    """Return the page as one document."""
    told = page.told
    return {
        "dealer": page.opened.dealer.name,
        "as_of": minute(told.now, page.opened.programme.zone),
        "database": "sqlite:///demo.db",
        "delivered": told.delivered,
        "answers": dict(sorted(told.status.items())),
        "tiers": dict(Counter(view["standing"]["tier"] for view in page.views.values())),
        "promoted": [
            {
                "member": code,
                "since": page.views[code]["standing"]["since"],
                "state": page.views[code]["standing"]["state"],
                "traits": _met(page, code),
            }
            for code in page.promoted
        ],
        "one_short": [
            {
                "member": code,
                "traits": _met(page, code),
                "nearest": _nearest(page.views[code])[1].get("id"),
                "why": _nearest(page.views[code])[1].get("why"),
            }
            for code in page.short
        ],
        "to_court": list(page.court),
        "grants": [
            {
                "rule": one.rule,
                "wallet": one.wallet,
                "unit": page.opened.programme.unit(one.wallet),
                "members": one.members,
                "total": one.total,
                "years": {str(year): total for year, total in one.years.items()},
            }
            for one in page.grants
        ],
        "discount": page.discount,
        "duties": [duties.owner_document(owner) for owner in page.owners],
        "award": award.document(page.opened, page.plan),
        "verify": verify.document(page.broken),
    }


def _met(page: Page, code: str) -> list[str]:
    return [one["id"] for one in page.views[code]["traits"] if one["met"]]


# ---- for people --------------------------------------------------------------------------------------------------


def show(screen: Screen, page: Page, seconds: float) -> None:
    """Print the page."""
    _received(screen, page, seconds)
    _legend(screen, page)
    _promoted(screen, page)
    _short(screen, page)
    report.show_grants(screen, page.opened.programme, page.grants)
    _cost(screen, page)
    late = sum(owner.late for owner in page.owners)
    title = screen.say(f"应尽服务：迟了没做 {late} 项", f"Duties: {late} late and not done")
    duties.show_owners(screen, page.owners, demo_book().staff, title)
    award.show(screen, page.opened, page.plan, dict(page.names), BELOW_THE_LINE)
    verify.show(screen, page.broken)
    _next(screen, page)


def _received(screen: Screen, page: Page, seconds: float) -> None:
    told, lang = page.told, screen.lang
    of = {name: count(told.status[name], lang) for name in ("recorded", "parked", "duplicate", "conflict")}
    screen.print(
        f"收到 {count(told.delivered, lang)} 条：记录 {of['recorded']}，重复 {of['duplicate']}（不重复记），"
        f"先到等配对 {of['parked']}，内容冲突待人核对 {of['conflict']}。用时 {seconds:.0f} 秒。",
        f"{count(told.delivered, lang)} received: {of['recorded']} recorded, {of['duplicate']} duplicates (no effect), "
        f"{of['parked']} came before what they name, {of['conflict']} conflicts for a person. {seconds:.0f} s.",
    )
    held = Counter(view["standing"]["tier"] for view in page.views.values())
    tiers = [f"{tier.title.say(lang)} {held[tier.id]}" for tier in page.policy.tiers]
    day = minute(told.now, page.opened.programme.zone)
    screen.print(f"截至 {day}：{'、'.join(tiers)}。", f"As of {day}: {', '.join(tiers)}.", style="bold")


def _legend(screen: Screen, page: Page) -> None:
    screen.print("", "")
    for mark, trait in zip(_marks(page.policy), page.policy.traits.values(), strict=True):
        screen.print(f"{mark} {trait.title.zh}", f"{mark} {trait.title.en}", style="dim")


def _marks(policy: Policy) -> list[str]:
    names = list(policy.traits)
    return list(_MARKS[: len(names)]) if len(names) <= len(_MARKS) else names


def _traits(page: Page, code: str) -> str:
    marks = dict(zip(page.policy.traits, _marks(page.policy), strict=True))
    return "".join(marks[name] for name in _met(page, code))


def _promoted(screen: Screen, page: Page) -> None:
    tier = page.policy.tiers[-1].title.say(screen.lang)
    rows = []
    for code in page.promoted:
        view = page.views[code]
        change = next(one for one in view["tier_history"] if one["tier"] == view["standing"]["tier"])
        first = next((one for one in reversed(view["tier_history"]) if one["tier"] == view["standing"]["tier"]), change)
        marks = dict(zip(page.policy.traits, _marks(page.policy), strict=True))
        grace = view["standing"]["state"] == "grace"
        until = Text(screen.say("宽限期内", "in grace"), style="yellow") if grace else view["standing"]["until"] or "-"
        rows.append(
            [
                f"{code} {page.names.get(code, '')}",
                first["at"][:10],
                "".join(marks[name] for name in first["traits"]),
                _traits(page, code),
                until,
            ]
        )
    screen.table(
        screen.say(f"{tier} {len(rows)} 位", f"{tier}: {len(rows)}"),
        [
            screen.say("会员", "Member"),
            screen.say("升级", "Since"),
            screen.say("凭什么升", "By"),
            screen.say("现在满足", "Meets now"),
            screen.say("有效到", "Until"),
        ],
        rows,
    )


def _short(screen: Screen, page: Page) -> None:
    rows: list[list[str]] = []
    seen: Counter[str] = Counter()
    for code in page.short:
        _, trait = _nearest(page.views[code])
        seen[trait.get("id", "")] += 1
        # The nearest of each kind: thirty who lack the same machine tell no more than three.
        if seen[trait.get("id", "")] > ALIKE_SHOWN or len(rows) == SHORT_SHOWN:
            continue
        mark = dict(zip(page.policy.traits, _marks(page.policy), strict=True)).get(trait.get("id", ""), "")
        rows.append(
            [
                f"{code} {page.names.get(code, '')}",
                _traits(page, code),
                f"{mark} {trait['why'][screen.lang] if trait else ''}",
            ]
        )
    screen.table(
        screen.say(
            f"只差一个特点 {len(page.short)} 位（各样里离得最近的 {len(rows)} 位）",
            f"One trait short: {len(page.short)} (the nearest {len(rows)} of each kind)",
        ),
        [
            screen.say("会员", "Member"),
            screen.say("已有", "Has"),
            screen.say("最容易补上的一个", "Easiest to add"),
        ],
        rows,
    )
    court = "、".join(f"{code} {page.names.get(code, '')}" for code in page.court)
    screen.print(
        f"积极争取（特点够了，还不是金卡）共 {len(page.court)} 位：{court}",
        f"To court (enough traits, not gold yet), {len(page.court)}: {court}",
    )


def _cost(screen: Screen, page: Page) -> None:
    """Say what the programme comes to, a gold member and year."""
    unit, programme = page.opened.programme.currency, page.opened.programme
    credit = sum(one.total for one in page.grants if programme.unit(one.wallet) == unit)
    points = 0
    for one in page.grants:
        wallet = programme.wallet(one.wallet)
        if wallet is not None and wallet.point_value is not None:
            fen, number = wallet.point_value
            points += one.total * fen // number
    each = (credit + points + page.discount) // max(1, 2 * len(page.promoted)) + page.plan.cost // max(
        1, len(page.promoted)
    )
    parts = [amount(value, unit, screen.lang) for value in (credit, points, page.discount, page.plan.cost, each)]
    screen.print(
        "两年共发配件款 {}，积分折合 {}，折扣让利 {}；今年奖品 {}。合每位金卡客户每年 {}。".format(*parts),
        "In two years {} of parts credit, points worth {}, {} off prices; prizes this year {}. "
        "That is {} a gold member and year.".format(*parts),
        style="bold",
    )


def _next(screen: Screen, page: Page) -> None:
    """Name the commands to try on this book."""
    program = _program()
    day = minute(page.told.now, page.opened.programme.zone)[:10]
    placed = page.plan.ranked.placed
    first = placed[0].candidate.code if placed else next(iter(page.views), "")
    screen.print("接下来可以试：", "What to try next:", style="bold")
    screen.out.print(f"  export TIERENGINE_DATABASE_URL={'sqlite:///demo.db'}", soft_wrap=True)
    for words, zh, en in (
        (f"member show {first} --at {day}", "一位金卡客户，每个特点满足不满足的理由", "a gold member, with every why"),
        (f"duties due --at {day} --manager U11", "一位客户经理欠着的服务", "what one manager owes"),
        (
            f"award issue {YEAR} --closing {day}",
            "定下年度名单并发奖，每人只发一次",
            "freeze the award, book it once",
        ),
        (f"policy check {_near(policy_file())}", "改一个数字，看看哪里不对", "change a number, see what is wrong"),
        ("serve", "给收银台用的接口", "the service for the tills"),
    ):
        screen.out.print(Text(f"  {program} {words}  ", style="cyan").append(f"# {screen.say(zh, en)}", style="dim"))


def _program() -> str:
    """Return how this program was called, as short as it can be said."""
    called = Path(sys.argv[0])
    near = called.name == "tierengine" and called.is_relative_to(Path.cwd())
    return _near(called) if near else "tierengine"


def _near(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
