"""`member merge` and `member unmerge`: two members on file are one customer, or are not; as over HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from tierengine.amounts import amount
from tierengine.commands.acting import actor, once_of, recorded
from tierengine.commands.finding import found
from tierengine.commands.names import names_of
from tierengine.commands.opened import DealerOption, Opened, reading, title_of
from tierengine.commands.screen import Screen, both
from tierengine.membership.merging import read_merge, read_unmerge
from tierengine.recording.recorder import clock
from tierengine.zone import moment

MERGE: Final = both("合并：两个编号其实是同一位客户。", "Two codes are one customer.")
UNMERGE: Final = both("取消合并：他们不是同一位客户。", "They are not one customer: take the merge back.")
Reason = Annotated[str, typer.Option("--reason", help=both("原因，记入审计，封存。", "Why; it is kept sealed."))]


def run_merge(
    context: typer.Context,
    who: Annotated[str, typer.Argument(metavar="ID", help=both("要并掉的会员。", "Who is merged."))],
    into: Annotated[str, typer.Option("--into", metavar="ID", help=both("并入哪位会员。", "Into whom."))],
    reason: Reason,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help=both("何时认定。", "When it was found out."))] = "",
    source: Annotated[str, typer.Option(help=both("单号：重发只记一次。", "An id: sent again, it counts once."))] = "",
    dealer: DealerOption = "",
) -> int:
    """Merge a member into another: one history, one standing and one purse from the beginning of both."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        code, other = found(opened, who), found(opened, into)
        raw: dict[str, object] = {"into": other, "reason": reason}
        raw |= {"occurred_at": moment(opened.at(at)).isoformat()} if at else {}
        raw |= {"source_id": source} if source else {}
        once = once_of("POST /v1/members/{code}/merge", f"member:{code}")
        item = read_merge(
            raw, code, dealer=opened.dealer.id, now_us=clock(), otherwise=uuid.uuid4().hex, by=actor(), once=once
        )
    body = dict(recorded(item).body)
    return screen.end(
        body, lambda: _told(screen, opened, body, f"{code} 已并入 {other}。", f"{code} is merged into {other}.")
    )


def run_unmerge(
    context: typer.Context,
    who: Annotated[str, typer.Argument(metavar="ID", help=both("并掉了的会员。", "Who was merged."))],
    reason: Reason,
    dealer: DealerOption = "",
) -> int:
    """Take a merge back: both stand as if it had never been; what one spent of the other's stays spent."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        code = found(opened, who)
        once = once_of("POST /v1/members/{code}/unmerge", f"member:{code}")
        item = read_unmerge(opened.link, {"reason": reason}, code, dealer=opened.dealer.id, once=once)
    body = dict(recorded(item).body)
    return screen.end(
        body, lambda: _told(screen, opened, body, f"{code} 不再与别人合并。", f"{code} is merged with nobody any more.")
    )


def _told(screen: Screen, opened: Opened, body: Mapping[str, Any], zh: str, en: str) -> None:
    screen.print(zh, en)
    told = [one for one in (body, body.get("survivor")) if one]
    with reading(opened.dealer.code) as again:  # (what the names are kept with was closed before it was recorded)
        codes = [one["member"] for one in told]
        names = names_of(again.link, codes=codes, dealer_id=opened.dealer.id, lang=screen.lang)
    for one in told:
        _told_of(screen, opened, one, " ".join(filter(None, (one["member"], names.get(one["member"], "")))))


def _told_of(screen: Screen, opened: Opened, body: Mapping[str, Any], who: str) -> None:
    """Say how one customer stands now, what was changed of his rewards, and what he may spend."""
    policy = opened.programme.line.versions[-1].rules.policy
    tiers = {one.id: one.title.say(screen.lang) for one in policy.tiers}
    told = body.get("tier") or {}
    if now := tiers.get(told.get("now", ""), told.get("now")):
        before = tiers.get(told["before"], told["before"])
        if before != now:
            screen.print(f"{who} 现在的等级：{now}（原为{before}）", f"{who} stands at {now} (before: {before})")
        else:
            screen.print(f"{who} 现在的等级：{now}", f"{who} stands at {now}")
    else:
        screen.print(who, who)
    for one in body.get("adjusted", ()):
        if one["change"]:
            reward = policy.rewards.get(one["rule"])
            title = one["rule"] if reward is None else reward.title.say(screen.lang)
            unit = opened.programme.unit("" if reward is None else reward.wallet)
            shown = ("+" if one["change"] > 0 else "") + amount(one["change"], unit, screen.lang)
            screen.print(f"  {title}({one['event']}):{shown}", f"  {title} ({one['event']}): {shown}")
    for wallet, one in (body.get("balances") or {}).items():
        shown, owed = (amount(one[part], one["unit"], screen.lang) for part in ("usable", "debt"))
        title = title_of(opened, wallet, screen)
        zh, en = (f"，欠 {owed}", f", {owed} owed") if one["debt"] else ("", "")
        screen.print(f"  {title}：可用 {shown}{zh}", f"  {title}: {shown} usable{en}")
