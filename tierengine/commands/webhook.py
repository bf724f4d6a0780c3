"""`webhook add | list | rotate | deliveries | replay | pause | resume | remove`: who is told, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from tierengine.access.secret import Secret
from tierengine.commands.acting import acting_at
from tierengine.commands.failure import Stop
from tierengine.commands.opened import DealerOption, chosen, dealers, programme_of, settings, writing
from tierengine.commands.screen import USAGE, Screen, both
from tierengine.errors import Malformed
from tierengine.recording.recorder import clock
from tierengine.store.database import check_ready
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, transact
from tierengine.store.snapshots import reader
from tierengine.webhooks import endpoints, outbox, rotation
from tierengine.webhooks.messages import TYPES, lowest_of
from tierengine.zone import HOUR

app = typer.Typer(name="webhook", help=both("事件推送。", "Webhooks."), no_args_is_help=True)
Number = Annotated[int, typer.Argument(min=1, help=both("推送编号。", "The webhook's id."))]


@app.command(help=both("新增推送地址并显示其密钥。", "Add a webhook and show its secret."))
def add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help=both("https 地址。", "An https address."))],
    kinds: Annotated[
        list[str] | None, typer.Option("--type", help=both("只推送这些：", "Only these: ") + ", ".join(TYPES))
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help=both("连同以前的。", "Also what was before."))] = False,
    dealer: DealerOption = "",
) -> int:
    """Add a webhook."""
    screen: Screen = context.obj
    wanted = settings()
    raw: dict[str, Any] = {"url": url, "all": everything, **({"types": kinds} if kinds else {})}
    try:
        address, types, _ = endpoints.read_request(raw, inside=bool(wanted.webhooks_inside))
    except Malformed:
        known = ", ".join(TYPES)
        raise Stop(
            "bad_webhook", f"应为 https 地址，类型为 {known}", f"An https address is expected, types are {known}", USAGE
        ) from None
    with writing() as (link, ids):
        of = chosen(dealers(link), dealer)
        programme = programme_of(link, of)
        link.rollback()

        def act(link: Link, ids: Ids) -> tuple[endpoints.Endpoint, tuple[rotation.Signing, ...]]:
            lowest = lowest_of(programme, clock())
            made = endpoints.add(link, ids, of.id, address, types, clock(), lowest=lowest, from_start=everything)
            acting_at(link, ids, of).note("POST /v1/webhooks", f"webhook:{made.id}")
            return made, rotation.in_force(link, [made.id], clock())[made.id]

        made, signing = transact(link, ids, act)
    secret = rotation.secret_of(Secret.of(wanted), made.id, signing[0].number)
    return screen.end(
        {**made.plain(), "secrets": [one.plain() for one in signing], "secret": secret},
        lambda: screen.print(
            f"推送 {made.id} → {made.url}\n密钥：{secret}", f"Webhook {made.id} → {made.url}\nSecret: {secret}"
        ),
    )


@app.command("list", help=both("列出推送地址。", "List the webhooks."))
def list_(context: typer.Context, dealer: DealerOption = "") -> int:
    """List the webhooks."""
    screen: Screen = context.obj
    with _reading() as link:
        webhooks = endpoints.endpoints(link, chosen(dealers(link), dealer).id)
        signing = rotation.in_force(link, [one.id for one in webhooks], clock())
    found = [{**one.plain(), "secrets": [each.plain() for each in signing[one.id]]} for one in webhooks]
    shown = "\n".join(f"{one['id']}  {one['state']:<7}  {one['url']}  {', '.join(one['types'])}" for one in found)
    return screen.end({"webhooks": found}, lambda: screen.print(shown or "没有推送地址。", shown or "No webhooks."))


@app.command(
    help=both("换新密钥；旧的在一段时间内同时签名。", "Another secret; the old one signs beside it for a while.")
)
def rotate(
    context: typer.Context,
    webhook: Number,
    keep: Annotated[
        int,
        typer.Option(
            "--keep-hours",
            min=0,
            max=rotation.KEEP_HOURS_MOST,
            help=both("旧密钥还签几小时；0 立即作废。", "Hours for the old ones; 0: they end now."),
        ),
    ] = rotation.KEEP_HOURS,
    dealer: DealerOption = "",
) -> int:
    """Give a webhook another secret; messages carry a signature by each for a while."""
    screen: Screen = context.obj
    with writing() as (link, ids):
        of = chosen(dealers(link), dealer)
        one = endpoints.endpoint(link, of.id, webhook)
        link.rollback()

        def act(link: Link, ids: Ids) -> tuple[rotation.Signing, ...]:
            made = rotation.rotate(link, of.id, one.id, clock(), keep * HOUR)
            acting_at(link, ids, of).note(
                "POST /v1/webhooks/{webhook}/rotate", f"webhook:{webhook}", number=made[0].number, keep_hours=keep
            )
            return made

        signing = transact(link, ids, act)
    secret = rotation.secret_of(Secret.of(settings()), one.id, signing[0].number)
    document = {**one.plain(), "secrets": [each.plain() for each in signing], "secret": secret, "keep_hours": keep}

    def show() -> None:
        screen.print(f"推送 {webhook} 的新密钥：{secret}", f"The new secret of webhook {webhook}: {secret}")
        if len(signing) > 1:
            screen.print(
                f"旧密钥还有效 {keep} 小时：这期间每条通知带两种签名。",
                f"The old one stays valid for {keep} hours: until then each message carries both signatures.",
            )
        else:
            screen.print("旧密钥已作废。", "The old one has ended.")

    return screen.end(document, show)


@app.command(help=both("查看投递情况；--state dead 为已放弃的。", "What became of deliveries; --state dead: given up."))
def deliveries(
    context: typer.Context,
    webhook: Number,
    state: Annotated[str, typer.Option(help="waiting, delivered, dead")] = "",
    after: Annotated[int, typer.Option(min=0, help=both("从此编号之后。", "After this delivery."))] = 0,
    dealer: DealerOption = "",
) -> int:
    """Show a page of deliveries."""
    screen: Screen = context.obj
    if state not in ("", "waiting", "delivered", "dead"):
        raise Stop("bad_state", f"没有状态 {state}", f"There is no state {state}", USAGE)
    with _reading() as link:
        one = endpoints.endpoint(link, chosen(dealers(link), dealer).id, webhook)
        found = outbox.page(link, one, state, after, outbox.PAGE_MOST)
    shown = "\n".join(
        f"{one['id']}  {one['state']:<9}  {one['attempts']}×  {one['type']}  {one['message']}  {one['last']}"
        for one in found
    )
    return screen.end({"deliveries": found}, lambda: screen.print(shown or "没有。", shown or "None."))


@app.command(help=both("重新投递已放弃的（或 --delivered 已送达的）。", "Send again what is dead (or --delivered)."))
def replay(
    context: typer.Context,
    webhook: Number,
    delivered: Annotated[bool, typer.Option("--delivered", help=both("已送达的。", "What was delivered."))] = False,
    since: Annotated[int, typer.Option(min=0, help=both("从此编号起。", "From this delivery on."))] = 0,
    until: Annotated[
        int,
        typer.Option(
            min=0, max=outbox.ALL, help=both("到此编号止（含）。", "Up to this delivery."), show_default=False
        ),
    ] = outbox.ALL,
    dealer: DealerOption = "",
) -> int:
    """Send deliveries again."""
    screen: Screen = context.obj
    state = "delivered" if delivered else "dead"
    with writing() as (link, ids):
        of = chosen(dealers(link), dealer)
        one = endpoints.endpoint(link, of.id, webhook)
        link.rollback()

        def act(link: Link, ids: Ids) -> tuple[int, int | None]:
            again, further = outbox.replay(link, one, state, clock(), days=days, since=begin, until=until)
            by = acting_at(link, ids, of)
            by.note("POST /v1/webhooks/{webhook}/replay", f"webhook:{webhook}", state=state, again=again)
            return again, further

        again, begin, days = 0, since, outbox.days_of(settings(), state)
        while True:
            count, further = transact(link, ids, act)
            again += count
            if further is None:
                break
            begin = further
    return screen.end({"again": again}, lambda: screen.print(f"将重新投递 {again} 条。", f"{again} are sent again."))


@app.command(help=both("暂停推送。", "Pause a webhook."))
def pause(context: typer.Context, webhook: Number, dealer: DealerOption = "") -> int:
    """Pause a webhook."""
    return _turn(context, webhook, "paused", dealer)


@app.command(help=both("恢复推送。", "Resume a webhook."))
def resume(context: typer.Context, webhook: Number, dealer: DealerOption = "") -> int:
    """Resume a webhook."""
    return _turn(context, webhook, "active", dealer)


@app.command(help=both("删除推送地址。", "Remove a webhook."))
def remove(context: typer.Context, webhook: Number, dealer: DealerOption = "") -> int:
    """Remove a webhook."""
    return _turn(context, webhook, "removed", dealer)


@contextmanager
def _reading() -> Iterator[Link]:
    """Open the book beside a running service."""
    wanted = settings()
    check_ready(wanted.database_url)
    link = reader(wanted.database_url, wanted)
    try:
        yield link
    finally:
        link.close()


def _turn(context: typer.Context, webhook: int, state: str, dealer: str) -> int:
    screen: Screen = context.obj

    with writing() as (link, ids):
        of = chosen(dealers(link), dealer)

        def act(link: Link, ids: Ids) -> None:
            endpoints.turn(link, webhook, state)
            by = acting_at(link, ids, of)
            by.note("POST /v1/webhooks/{webhook}/state", f"webhook:{webhook}", state=state)

        one = endpoints.endpoint(link, of.id, webhook)
        link.rollback()
        transact(link, ids, act)
    return screen.end(
        {**one.plain(), "state": state}, lambda: screen.print(f"推送 {webhook}：{state}", f"Webhook {webhook}: {state}")
    )
