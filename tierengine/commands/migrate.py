"""`migrate`: make the book, or bring it to this program's tables."""

from __future__ import annotations

import typer

from tierengine.commands.opened import settings, shown_url
from tierengine.commands.screen import Screen, both
from tierengine.store import database

app = typer.Typer()


@app.command(help=both("建账,或把账本升级到本程序的版本。", "Make the book, or bring it to this program's tables."))
def migrate(context: typer.Context) -> int:
    """Migrate the database that TIERENGINE_DATABASE_URL names."""
    screen: Screen = context.obj
    url = settings().database_url
    database.migrate(url)
    database.check_ready(url)
    shown = shown_url(url)
    return screen.end(
        {"database": shown, "ready": True},
        lambda: screen.print(f"账本已就绪:{shown}", f"The book is ready: {shown}", style="green"),
    )
