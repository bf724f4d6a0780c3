"""`store add | list`: the places of sale, to which the keys of tills belong."""

from __future__ import annotations

from typing import Annotated

import typer

from tierengine.access.audit import Acting
from tierengine.commands.acting import acting, looking
from tierengine.commands.opened import DealerOption
from tierengine.commands.screen import Screen, both
from tierengine.membership.stores import create_store, read_store, stores

app = typer.Typer(name="store", help=both("门店。", "Stores."), no_args_is_help=True)


@app.command(help=both("新增门店；之后可为它的收银台建密钥。", "Put a store on file; then tills get keys for it."))
def add(
    context: typer.Context,
    code: Annotated[str, typer.Argument(metavar="CODE", show_default=False, help=both("门店编号。", "Its code."))],
    name: Annotated[str, typer.Option(help=both("名称。", "Its name."))] = "",
    dealer: DealerOption = "",
) -> int:
    """Put a store on file."""
    screen: Screen = context.obj
    kept, title = read_store(code, name)

    def act(by: Acting) -> None:
        create_store(by.link, by.ids, by.dealer_id, kept, title)
        by.note("POST /v1/stores", f"store:{kept}")

    acting(dealer, act)
    return screen.end(
        {"store": kept, "name": title},
        lambda: screen.print(f"门店 {kept} {title} 已建档。", f"Store {kept}: on file."),
    )


@app.command("list", help=both("列出门店。", "List the stores."))
def list_(context: typer.Context, dealer: DealerOption = "") -> int:
    """List the stores."""
    screen: Screen = context.obj
    _, found = looking(dealer, stores)
    heads = [screen.say("门店", "Store"), screen.say("名称", "Name")]
    rows = [(one["store"], one["name"]) for one in found]
    return screen.end({"stores": found}, lambda: screen.table(screen.say("门店", "Stores"), heads, rows))
