"""`key`: keys of tills and programs. A key is shown once, when it is made."""

from __future__ import annotations

from typing import Annotated

import typer

from tierengine.access import keys
from tierengine.access.audit import Acting
from tierengine.access.callers import ROLES
from tierengine.access.secret import Secret
from tierengine.commands.acting import acting, looking, store_id_of
from tierengine.commands.failure import Stop
from tierengine.commands.money import minute
from tierengine.commands.opened import DealerOption, settings
from tierengine.commands.screen import USAGE, Screen, both
from tierengine.recording.recorder import clock
from tierengine.zone import DAY, HOUR

app = typer.Typer(name="key", help=both("接口密钥。", "API keys."), no_args_is_help=True)
RolesOption = Annotated[
    list[str], typer.Option("--role", help=both("职责（可多次）：" + "、".join(ROLES), "Roles: " + ", ".join(ROLES)))
]
StoreOption = Annotated[
    str, typer.Option("--store", metavar="CODE", help=both("门店编号；pos 必填。", "The store; a must for pos."))
]
PrefixArgument = Annotated[
    str, typer.Argument(metavar="PREFIX", help=both("te_ 后的十二位。", "The twelve digits after te_."))
]


@app.command(help=both("新建密钥；只显示这一次。", "Make a key; it is shown this once."))
def create(
    context: typer.Context,
    role: RolesOption = ["pos"],  # noqa: B006  typer's way to write a default
    store: StoreOption = "",
    name: Annotated[str, typer.Option(help=both("用途。", "What it is for."))] = "",
    days: Annotated[
        int, typer.Option(min=0, max=3_650, help=both("几天后失效；0 不失效。", "Valid days; 0: no end."))
    ] = 0,
    dealer: DealerOption = "",
) -> int:
    """Make a key."""
    screen: Screen = context.obj
    known_roles(role)
    if "pos" in role and not store:
        raise Stop("store_missing", "收银密钥要写明门店：--store", "A till's key belongs to a store: --store", USAGE)

    def act(by: Acting) -> keys.Made:
        ends = by.now + days * DAY if days else None
        return keys.create(by, Secret.of(settings()), role, store_id=store_id_of(by, store), name=name, expires_at=ends)

    of, made = acting(dealer, act)
    document = {"key": made.key, "role": " ".join(role), "store": store or None, "dealer": of.code}
    return screen.end(document, lambda: _show(screen, made.key))


@app.command("list", help=both("列出密钥。", "List the keys."))
def list_(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help=both("连同失效的。", "Ended ones too."))] = False,
    dealer: DealerOption = "",
) -> int:
    """List keys, which open nothing."""
    screen: Screen = context.obj
    zone, found = looking(dealer, keys.every)
    now = clock()
    shown = [one for one in found if every or one.state(now) == "valid"]
    rows = [
        (
            one.prefix, " ".join(one.roles), one.store, one.name, screen.say(*_STATE[one.state(now)]),
            *(minute(at, zone) if at is not None else "" for at in (one.created_at, one.last_used_at, one.expires_at)),
        )
        for one in shown
    ]  # fmt: skip
    heads = [
        screen.say(zh, en)
        for zh, en in (
            ("前缀", "Prefix"), ("职责", "Roles"), ("门店", "Store"), ("用途", "Name"), ("状态", "State"),
            ("建立", "Made"), ("上次使用", "Last used"), ("失效", "Ends"),
        )
    ]  # fmt: skip
    document = [
        {
            "prefix": one.prefix, "roles": one.roles, "store": one.store or None, "name": one.name,
            "state": one.state(now), "created_at": one.created_at, "last_used_at": one.last_used_at,
            "expires_at": one.expires_at, "revoked_at": one.revoked_at,
        }
        for one in shown
    ]  # fmt: skip
    return screen.end({"keys": document}, lambda: screen.table("", heads, rows, unbroken=(0,)))


@app.command(help=both("换新密钥；旧的在一段时间内同时有效。", "Replace a key; the old one stays valid for a while."))
def rotate(
    context: typer.Context,
    prefix: PrefixArgument,
    keep: Annotated[
        int,
        typer.Option("--keep-hours", min=0, max=24 * 90, help=both("旧密钥还有效几小时。", "Hours for the old one.")),
    ] = 24 * 7,
    dealer: DealerOption = "",
) -> int:
    """Make another key with the same rights."""
    screen: Screen = context.obj
    of, made = acting(dealer, lambda by: keys.rotate(by, Secret.of(settings()), prefix_of(prefix), keep=keep * HOUR))

    def show() -> None:
        _show(screen, made.key)
        screen.print(f"旧密钥 {prefix} 还有效 {keep} 小时。", f"The old key {prefix} stays valid for {keep} hours.")

    return screen.end({"key": made.key, "dealer": of.code, "keep_hours": keep}, show)


@app.command(help=both("吊销密钥，两秒内生效。", "Revoke a key; every process refuses it within two seconds."))
def revoke(context: typer.Context, prefix: PrefixArgument, dealer: DealerOption = "") -> int:
    """End a key."""
    screen: Screen = context.obj
    acting(dealer, lambda by: keys.revoke(by, prefix_of(prefix)))
    return screen.end({"revoked": prefix}, lambda: screen.print(f"已吊销 {prefix}。", f"{prefix} is revoked."))


_STATE = {"valid": ("有效", "valid"), "revoked": ("已吊销", "revoked"), "expired": ("已过期", "expired")}


def known_roles(roles: list[str]) -> None:
    """Refuse roles that there are not."""
    for role in roles:
        if role not in ROLES:
            listed = ", ".join(ROLES)
            raise Stop(
                "unknown_role", f"没有职责 {role}；有：{listed}", f"There is no role {role}; known: {listed}", USAGE
            )


def prefix_of(text: str) -> str:
    """Return the prefix, also of somebody who gave the whole key."""
    return text.split("_")[1] if text.startswith("te_") else text


def _show(screen: Screen, key: str) -> None:
    screen.print("密钥（只显示这一次，请妥善保存）：", "The key (shown this once, keep it safe):")
    screen.out.print(key, style="bold", soft_wrap=True)
