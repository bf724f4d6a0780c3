"""`duties due`: what the dealer owes his members and has not done, by who owes it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import typer
from rich.text import Text as Shown

from rules.policy import Text
from rules.policy.text import title
from tierengine.commands.acting import once_of, recorded
from tierengine.commands.money import minute
from tierengine.commands.names import names_of
from tierengine.commands.opened import AtOption, DealerOption, Opened, reading
from tierengine.commands.screen import Screen, both
from tierengine.judging.observations import read_observation
from tierengine.recording.items import Observe
from tierengine.recording.recorder import clock
from tierengine.service.duties import MINUTE, Owed
from tierengine.service.dutybook import DutyBook, MemberDuty, read_duties
from tierengine.service.owners import owner_of
from tierengine.zone import DAY, moment

app = typer.Typer(name="duties", help=both("应尽服务。", "What is owed to members."), no_args_is_help=True)

# The roles that a policy names as owners, as people call them.
ROLES: Final[Mapping[str, tuple[str, str]]] = {
    "account_manager": ("客户经理", "account manager"),
    "sales_manager": ("销售经理", "sales manager"),
    "leader": ("领导", "leader"),
    "service_manager": ("服务经理", "service manager"),
    "parts_manager": ("配件经理", "parts manager"),
    "technician": ("技师", "technician"),
    "customer_centre": ("客户中心", "customer centre"),
    "archivist": ("档案员", "archivist"),
}
RECENT_DAYS: Final = 90


@dataclass(slots=True)
class Owner:
    """Who owes duties: a manager, or a department. `members`: of the highest tier; `worst`: the longest late."""

    owner: str
    manager: bool
    members: int = 0
    over_limit: bool = False
    open: int = 0
    late: int = 0
    recent: int = 0
    done: int = 0
    done_late: int = 0
    worst: MemberDuty | None = None
    duties: dict[str, int] = field(default_factory=lambda: defaultdict(int))


@app.callback()
def duties() -> None:
    """Group the commands of this noun, of which there is one for now."""


@app.command(help=both("还没做的和迟了的，按负责人。", "What is open and late, by who owes it."))
def due(
    context: typer.Context,
    manager: Annotated[str, typer.Option(metavar="ID", help=both("只看这位负责人。", "Only this owner."))] = "",
    member: Annotated[str, typer.Option(metavar="ID", help=both("只看这位会员。", "Only this member."))] = "",
    limit: Annotated[int, typer.Option(min=0, help=both("最多列出几条。", "How many to list."))] = 30,
    at: AtOption = "",
    dealer: DealerOption = "",
) -> int:
    """Show what is owed."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        now = opened.at(at)
        book = read_duties(opened.link, opened.programme, now, codes=[member] if member else None)
        owners = owners_of(book, now)
        waiting = [
            one
            for one in book.duties
            if one.owed.status(now) in ("open", "late") and (not manager or owner_of(one) == manager)
        ]
        names = names_of(
            opened.link, codes=[one.member for one in waiting], dealer_id=opened.dealer.id, lang=screen.lang
        )
        return screen.end(
            document(opened, owners, waiting, now), lambda: _show(screen, opened, owners, waiting, now, limit, names)
        )


@app.command(help=both("记下一项服务做了。", "Record that a duty was done."))
def done(  # noqa: PLR0913, PLR0917  each is an option of the command
    context: typer.Context,
    member: Annotated[str, typer.Argument(metavar="ID", help=both("会员。", "The member."))],
    duty: Annotated[str, typer.Argument(metavar="DUTY", help=both("哪一项。", "Which duty."))],
    staff: Annotated[str, typer.Option(metavar="WHO", help=both("谁做的。", "Who did it."))] = "",
    evidence: Annotated[str, typer.Option(help=both("凭据。", "The evidence."))] = "",
    request: Annotated[str, typer.Option(help=both("为哪一次请求。", "For which request."))] = "",
    when: Annotated[str, typer.Option("--at", metavar="TIME", help=both("何时。", "When."))] = "",
    source: Annotated[str, typer.Option(help=both("单号：重发只记一次。", "An id: sent again, it counts once."))] = "",
    dealer: DealerOption = "",
) -> int:
    """Record it: an event like any other, `duty_done`."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        programme, number = opened.programme, opened.dealer.id
        said = {
            "kind": "duty_done", "member": member, "duty": duty, "source_id": source or f"done-{uuid.uuid4().hex}",
            "occurred_at": moment(opened.at(when)).isoformat(),
        }  # fmt: skip
        said |= {key: text for key, text in (("staff", staff), ("evidence", evidence), ("request", request)) if text}
        told = read_observation(
            said, source="archive", store="", now_us=clock(), zone=programme.info, late_days=None,
            currency=programme.currency,
        )  # fmt: skip
    answer = recorded(Observe(number, told, once_of("POST /v1/duties/done", f"member:{member}")))
    return screen.end(dict(answer.body), lambda: screen.print(f"已记：{member} {duty}", f"Recorded: {member} {duty}"))


def owners_of(book: DutyBook, now: int) -> list[Owner]:
    """Return who owes what, managers first, the most behind first among them."""
    found: dict[str, Owner] = {}
    for load in book.loads:
        found[load.manager] = Owner(load.manager, manager=True, members=load.members, over_limit=load.over)
    for one in book.duties:
        name = owner_of(one)
        owner = found.setdefault(name, Owner(name, manager=name not in ROLES))
        status = one.owed.status(now)
        if status == "done":
            owner.done += 1
        elif status == "done_late":
            owner.done_late += 1
        elif status == "open":
            owner.open += 1
        else:
            owner.late += 1
            owner.duties[one.owed.duty] += 1
            owner.recent += one.owed.due_at > now - RECENT_DAYS * DAY
            if owner.worst is None or one.owed.due_at < owner.worst.owed.due_at:
                owner.worst = one
    return sorted(found.values(), key=lambda owner: (not owner.manager, -owner.late, owner.owner))


def document(opened: Opened, owners: Sequence[Owner], waiting: Sequence[MemberDuty], now: int) -> dict[str, Any]:
    """Return the duties, for a program."""
    zone = opened.programme.zone
    return {
        "as_of": minute(now, zone),
        "owners": [owner_document(owner) for owner in owners],
        "duties": [
            {
                "member": one.member,
                "duty": one.owed.duty,
                "title": {"zh": one.owed.title_zh, "en": one.owed.title_en},
                "owner": owner_of(one),
                "role": one.owed.owner,
                "manager": one.manager or None,
                "level": one.owed.level,
                "cause": one.owed.cause,
                "due": minute(one.owed.due_at, zone),
                "status": one.owed.status(now),
                "late_minutes": max(0, (now - one.owed.due_at) // MINUTE),
                "escalate_to": one.owed.escalate_to or None,
                "escalate_at": None if one.owed.escalate_at is None else minute(one.owed.escalate_at, zone),
            }
            for one in waiting
        ],
    }


def owner_document(owner: Owner) -> dict[str, Any]:
    """Return one who owes duties, for a program."""
    return {
        "owner": owner.owner,
        "manager": owner.manager,
        "members_of_highest_tier": owner.members,
        "over_limit": owner.over_limit,
        "open": owner.open,
        "late": owner.late,
        f"late_due_in_{RECENT_DAYS}_days": owner.recent,
        "done": owner.done,
        "done_late": owner.done_late,
    }


def show_owners(screen: Screen, owners: Sequence[Owner], staff: Mapping[str, str], heading: str) -> None:
    """Print who owes what."""
    rows = []
    for owner in owners:
        promised = owner.done + owner.done_late + owner.late
        members = Shown(str(owner.members) if owner.manager else "")
        if owner.over_limit:
            members = Shown(screen.say(f"{owner.members} 超过上限", f"{owner.members} over the limit"), style="yellow")
        worst = ""
        if owner.worst is not None:
            of = owner.worst.owed
            worst = f"{owner.worst.member} {_titled(screen, of)}"
        rows.append(
            [
                _name(screen, owner, staff),
                members,
                owner.open,
                Shown(str(owner.late), style="red" if owner.late else ""),
                owner.recent,
                f"{owner.done / promised:.0%}" if promised else "-",
                worst,
            ]
        )
    headings = [
        screen.say("负责人", "Owner"),
        screen.say("金卡客户", "Top members"),
        screen.say("待办", "Open"),
        screen.say("迟了没做", "Late"),
        screen.say(f"其中近 {RECENT_DAYS} 天", f"of {RECENT_DAYS} days"),
        screen.say("按时率", "In time"),
        screen.say("拖得最久", "Longest late"),
    ]
    screen.table(heading, headings, rows, right=(1, 2, 3, 4, 5))


def _name(screen: Screen, owner: Owner, staff: Mapping[str, str]) -> str:
    if owner.owner in ROLES:
        return screen.say(*ROLES[owner.owner])
    return f"{owner.owner} {staff.get(owner.owner, '')}".strip()


def _titled(screen: Screen, of: Owed) -> str:
    return title(Text(of.title_zh, of.title_en), of.duty).say(screen.lang)


def _show(
    screen: Screen,
    opened: Opened,
    owners: Sequence[Owner],
    waiting: Sequence[MemberDuty],
    now: int,
    limit: int,
    names: Mapping[str, str],
) -> None:
    zone = opened.programme.zone
    late = sum(owner.late for owner in owners)
    opening = sum(owner.open for owner in owners)
    show_owners(
        screen,
        owners,
        {},
        screen.say(
            f"应尽服务（截至 {minute(now, zone)}）：迟了 {late} 项，待办 {opening} 项",
            f"Duties as of {minute(now, zone)}: {late} late, {opening} open",
        ),
    )
    rows = []
    for one in sorted(waiting, key=lambda one: abs(one.owed.due_at - now))[:limit]:
        status = one.owed.status(now)
        over = (now - one.owed.due_at) // MINUTE
        days, hours = over // 1440, over % 1440 // 60
        how = Shown(screen.say(f"迟 {days} 天 {hours} 小时", f"{days} d {hours} h late"), style="red")
        rows.append(
            [
                minute(one.owed.due_at, zone),
                f"{one.member} {names.get(one.member, '')}",
                _titled(screen, one.owed),
                owner_of(one),
                how if status == "late" else screen.say("待办", "open"),
            ]
        )
    if rows:
        screen.table(
            screen.say(f"期限最近的 {len(rows)} 项，共 {len(waiting)} 项", f"{len(rows)} nearest of {len(waiting)}"),
            [
                screen.say("期限", "Due"),
                screen.say("会员", "Member"),
                screen.say("服务", "Duty"),
                screen.say("负责人", "Owner"),
                screen.say("状态", "Status"),
            ],
            rows,
        )
