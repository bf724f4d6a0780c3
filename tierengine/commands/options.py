"""What several commands take: a file, the dealer, and who publishes, from when on and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tierengine.commands.screen import both

EffectiveFrom = Annotated[
    str,
    typer.Option(
        "--effective-from",
        metavar="DAY",
        help=both(
            "从哪天零点（或哪一刻）起生效；缺省：第一版立即，以后一分钟后。", "Rules from; default: in a minute."
        ),
    ),
]
Author = Annotated[str, typer.Option(help=both("谁发布；缺省：当前用户。", "Who; default: this user."))]
Reason = Annotated[str, typer.Option(help=both("为什么。", "Why."))]
Dealer = Annotated[
    str,
    typer.Option(
        "--dealer", metavar="CODE", help=both("哪一家代理商（只有一家时不写）。", "Which dealer, if several.")
    ),
]
DataFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        readable=True,
        show_default=False,
        help=both("文件。", "The file."),
    ),
]
