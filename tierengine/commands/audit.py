"""`audit list`: what the staff did, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from tierengine.access import audit
from tierengine.commands.acting import looking
from tierengine.commands.failure import Stop
from tierengine.commands.money import minute
from tierengine.commands.opened import DealerOption
from tierengine.commands.screen import USAGE, Screen, both

app = typer.Typer(name="audit", help=both("员工操作记录。", "What the staff did."), no_args_is_help=True)


@app.callback()
def audits() -> None:
    """Group the commands of this noun."""


@app.command("list", help=both("列出操作，新的在前。", "List acts, newest first."))
def list_(
    context: typer.Context,
    actor: Annotated[
        str,
        typer.Option(help=both("staff：登录名、key：前缀、command：用户。", "As staff:LOGIN or key:PREFIX.")),
    ] = "",
    subject: Annotated[
        str, typer.Option(help=both("关于什么，如 member:C0266。", "About what, as member:C0266."))
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=audit.MOST, help=both("最多几条。", "At most so many."))] = 50,
    cursor: Annotated[str, typer.Option(help=both("从上一页的 next 接着看。", "`next` of the page before."))] = "",
    dealer: DealerOption = "",
) -> int:
    """List acts."""
    screen: Screen = context.obj
    before = audit.read_cursor(cursor) if cursor else audit.LAST
    if before is None:
        raise Stop("bad_cursor", "--cursor 应为上一页的 next。", "--cursor is `next` of the page before.", USAGE)
    zone, found = looking(
        dealer,
        lambda link, of: audit.page(link, of, before=before, actor=actor, subject=subject, limit=limit + 1),
    )
    lines, more = found[:limit], len(found) > limit
    rows = [(minute(one.recorded_at, zone), one.actor, one.act, one.subject, _told(one.body)) for one in lines]
    heads = [
        screen.say(zh, en)
        for zh, en in (("时间", "When"), ("谁", "Who"), ("做了什么", "Act"), ("关于", "About"), ("内容", "What"))
    ]
    document = {
        "lines": [
            {
                "id": one.number, "at": one.recorded_at, "actor": one.actor, "act": one.act, "subject": one.subject,
                "request_id": one.request or None, "body": one.body,
            }
            for one in lines
        ],
        "next": lines[-1].cursor if more else None,
    }  # fmt: skip
    return screen.end(document, lambda: screen.table("", heads, rows, unbroken=(0,)))


def _told(body: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in body.items() if value is not None)
