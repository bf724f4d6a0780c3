"""`migrate`: make the book, or bring it to this program's tables; and give the service's role its rights."""

from __future__ import annotations

from typing import Annotated

import typer

from tierengine.commands.failure import Stop
from tierengine.commands.opened import settings, shown_url
from tierengine.commands.screen import USAGE, Screen, both
from tierengine.store import database, migrating
from tierengine.store.role import grant

app = typer.Typer()


@app.command(help=both("建账，或把账本升级到本程序的版本。", "Make the book, or bring it to this program's tables."))
def migrate(
    context: typer.Context,
    role: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=both(
                "PostgreSQL：给服务用的角色，只能添记，不能改、不能删（没有就新建）。",
                "PostgreSQL: a role for the service, which may add and never change or delete; made if missing.",
            ),
        ),
    ] = "",
) -> int:
    """Migrate the database that TIERENGINE_DATABASE_URL names."""
    screen: Screen = context.obj
    url = settings().database_url
    migrating.migrate(url)
    database.check_ready(url)
    made = _granted(url, role) if role else False
    shown = shown_url(url)

    def show() -> None:
        screen.print(f"账本已就绪：{shown}", f"The book is ready: {shown}", style="green")
        if role:
            screen.print(f"角色 {role} 可以添记和查阅。", f"Role {role} may add and read.")
        if made:
            password = f"ALTER ROLE {role} PASSWORD '…'"
            screen.print(f"给它设密码：{password}", f"Set it a password: {password}")

    return screen.end({"database": shown, "ready": True} | ({"role": role, "role_made": made} if role else {}), show)


def _granted(url: str, role: str) -> bool:
    try:
        return grant(url, role)
    except ValueError as problem:
        raise Stop(
            "bad_role",
            f"角色名用小写字母、数字、下划线，以字母开头，收到的是 {role!r}。",
            f"A role's name has lower-case letters, digits and underscores and begins with a letter; got {role!r}.",
            USAGE,
        ) from problem
