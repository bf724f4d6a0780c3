"""`seal`: make what was recorded part of each dealer's hash chain now, and hand out the ends of the chains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tierengine.commands.opened import writing
from tierengine.commands.screen import Screen, both
from tierengine.ledger.chain import Head, anchor_line, heads
from tierengine.ledger.sealing import seal as seal_piece
from tierengine.recording.recorder import clock
from tierengine.store.ids import transact

app = typer.Typer()


@app.command(
    help=both("封存：把已记的账接进散列链，给出链头。", "Seal what was recorded; show the heads of the chains.")
)
def seal(
    context: typer.Context,
    anchor: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=both(
                "把链头追加到这个文件（放在数据库之外），以后用 verify --anchor 核对。",
                "Append the heads to this file, kept outside the database, for `verify --anchor`.",
            ),
        ),
    ] = None,
) -> int:
    """Seal until nothing is left, then show where each chain ends."""
    screen: Screen = context.obj
    count = 0
    with writing() as (link, ids):
        while done := transact(link, ids, lambda link, _: seal_piece(link, clock(), wait=True)):
            count += done
        found = heads(link)
        link.rollback()
    if anchor is not None:
        with anchor.open("a", encoding="utf-8") as out:
            out.writelines(anchor_line(head) + "\n" for head in found)
    return screen.end(_document(count, found), lambda: _show(screen, count, found, anchor))


def _document(count: int, found: list[Head]) -> dict[str, Any]:
    return {
        "sealed": count,
        "heads": [
            {"dealer": one.dealer, "number": one.number, "hash": one.hash, "sealed_at": one.sealed_at} for one in found
        ],
    }


def _show(screen: Screen, count: int, found: list[Head], anchor: Path | None) -> None:
    screen.print(f"新封存 {count} 行。", f"{count} rows sealed now.")
    for head in found:
        screen.print(
            f"{head.dealer}：第 {head.number} 封 {head.hash}", f"{head.dealer}: seal {head.number} {head.hash}"
        )
    if anchor is not None:
        screen.print(f"链头已写入 {anchor}", f"The heads were written to {anchor}", style="green")
