"""`verify`: whether every invariant of the ledger holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tierengine.commands.failure import Stop
from tierengine.commands.opened import settings
from tierengine.commands.screen import DONE, PROBLEMS, Screen, both
from tierengine.ledger.chain import BadAnchor
from tierengine.ledger.verify import CHAIN, INVARIANTS, Broken
from tierengine.ledger.verify import verify as broken_of
from tierengine.membership import members
from tierengine.store.database import check_ready

app = typer.Typer()


@app.command(help=both("核对账目:所有不变式都成立吗。", "Check the ledger: does every invariant hold."))
def verify(
    context: typer.Context,
    anchor: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=both(
                "外存的链头(tierengine seal --anchor 写的),逐条核对。",
                "Anchors kept outside, as `tierengine seal --anchor` wrote them.",
            ),
        ),
    ] = None,
) -> int:
    """Run every invariant over the whole book."""
    screen: Screen = context.obj
    wanted = settings()
    check_ready(wanted.database_url)
    link = members.reader(wanted.database_url, wanted)
    lines = [] if anchor is None else anchor.read_text(encoding="utf-8").splitlines()
    try:
        with members.snapshot(link):
            broken = broken_of(link, lines)
    except BadAnchor as problem:
        raise Stop(
            "bad_anchor",
            f"{anchor} 第 {problem.line} 行不是链头:应有 dealer、number、hash。",
            f"{anchor}, line {problem.line}: no anchor; expected dealer, number and hash.",
            PROBLEMS,
        ) from problem
    finally:
        link.close()
    return screen.end(document(broken), lambda: show(screen, broken), PROBLEMS if broken else DONE)


def document(broken: tuple[Broken, ...]) -> dict[str, object]:
    """Return what was found, for a program."""
    return {
        "ok": not broken,
        "invariants": len(INVARIANTS) + len(CHAIN),
        "broken": [
            {
                "number": one.invariant.number,
                "code": one.invariant.code,
                "zh": one.invariant.zh,
                "en": one.invariant.en,
                "count": one.count,
                "rows": [list(row) for row in one.rows],
            }
            for one in broken
        ],
    }


def show(screen: Screen, broken: tuple[Broken, ...]) -> None:
    """Print what was found."""
    for one in broken:
        screen.print(
            f"✗ {one.invariant.number} {one.invariant.code}:{one.invariant.zh}({one.count} 处,如 {list(one.rows[0])})",
            f"✗ {one.invariant.number} {one.invariant.code}: {one.invariant.en} ({one.count}, as {list(one.rows[0])})",
            style="bold red",
        )
    if not broken:
        screen.print(
            f"✓ 账目核对无误:{len(INVARIANTS) + len(CHAIN)} 条不变式全部成立。",
            f"✓ The ledger is clean: all {len(INVARIANTS) + len(CHAIN)} invariants hold.",
            style="bold green",
        )
