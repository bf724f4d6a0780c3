"""Finding the one member that a command means."""

from __future__ import annotations

from typing import Annotated

import typer

from tierengine.commands.failure import Stop
from tierengine.commands.opened import Opened
from tierengine.commands.screen import PROBLEMS, both
from tierengine.membership.people import find_members

WhoArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID", show_default=False, help=both("会员编号、卡号、电话、整机编号。", "Code, card, phone, serial.")
    ),
]


def found(opened: Opened, who: str) -> str:
    """Return the code of the one member meant."""
    for by in ("code", "card_no", "phone", "serial"):
        hits = find_members(opened.link, opened.dealer.id, by, who)
        if len(hits) == 1:
            return hits[0][1]
        if hits:
            codes = "、".join(code for _, code in hits)
            raise Stop(
                "several_members",
                f"有 {len(hits)} 位会员对得上:{codes};请用会员编号。",
                f"{len(hits)} members fit: {codes}; ask by code.",
                PROBLEMS,
            )
    raise Stop(
        "unknown_member",
        f"没有会员 {who}:会员编号、卡号、电话、整机编号都查过了。",
        f"There is no member {who}; looked for a code, a card, a phone and a serial number.",
        PROBLEMS,
    )
