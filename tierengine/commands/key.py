"""`key create`: a key for a till or a person; it is shown this once."""

from __future__ import annotations

from typing import Annotated

import typer

from tierengine.commands.failure import Stop
from tierengine.commands.opened import DealerOption, chosen, dealers, writing
from tierengine.commands.screen import PROBLEMS, USAGE, Screen, both
from tierengine.membership.people import ROLES, create_key
from tierengine.recording.recorder import clock
from tierengine.store.ids import transact

app = typer.Typer(name="key", help=both("接口密钥。", "API keys."), no_args_is_help=True)


@app.callback()
def keys() -> None:
    """Group the commands of this noun, of which there is one for now."""


@app.command(help=both("新建密钥;只显示这一次。", "Make a key; it is shown this once."))
def create(
    context: typer.Context,
    role: Annotated[str, typer.Option(help=both("职责:" + "、".join(ROLES), "Role: " + ", ".join(ROLES)))] = "pos",
    store: Annotated[
        str, typer.Option(metavar="CODE", help=both("门店编号;pos 必填。", "The store; a must for pos."))
    ] = "",
    dealer: DealerOption = "",
) -> int:
    """Make a key."""
    screen: Screen = context.obj
    if role not in ROLES:
        known = ", ".join(ROLES)
        raise Stop("unknown_role", f"没有职责 {role};有:{known}", f"There is no role {role}; known: {known}", USAGE)
    if role == "pos" and not store:
        raise Stop("store_missing", "收银密钥要写明门店:--store", "A till's key belongs to a store: --store", USAGE)
    with writing() as (link, ids):
        of = chosen(dealers(link), dealer)
        stores: dict[str, int] = dict(link.ask("SELECT code, id FROM store WHERE dealer_id = ?1", of.id).rows())
        link.rollback()
        if store and store not in stores:
            known = "、".join(sorted(stores))
            raise Stop(
                "unknown_store", f"没有门店 {store};有:{known}", f"There is no store {store}; known: {known}", PROBLEMS
            )
        made = transact(link, ids, lambda link, ids: create_key(link, ids, of.id, role, clock(), stores.get(store)))
    document = {"key": made, "role": role, "store": store or None, "dealer": of.code}
    return screen.end(document, lambda: _show(screen, made))


def _show(screen: Screen, key: str) -> None:
    screen.print("密钥(只显示这一次,请妥善保存):", "The key (shown this once, keep it safe):")
    screen.out.print(key, style="bold", soft_wrap=True)
