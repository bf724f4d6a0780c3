"""Finding the one member that a command means."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Final

import typer

from tierengine.commands.failure import Stop
from tierengine.commands.opened import Opened, settings
from tierengine.commands.screen import PROBLEMS, both
from tierengine.membership.people import SEALED, find_members
from tierengine.personal.vault import Vault

_ANY: Final = "SELECT 1 FROM personal_index WHERE dealer_id = ?1 LIMIT 1"
_NEAR: Final = "SELECT code FROM member WHERE dealer_id = ?1 AND LOWER(code) = ?2 ORDER BY code LIMIT 3"
WhoArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        show_default=False,
        help=both("会员编号、卡号、整机编号、电话、姓名。", "Code, card, serial, phone, name."),
    ),
]


def found(opened: Opened, who: str) -> str:
    """Return the code of the one member meant, however a keyboard writes him."""
    who = unicodedata.normalize("NFKC", who).strip()
    for by in ("code", "card_no", "serial", *SEALED):
        hits = _hits(opened, by, who)
        if len(hits) == 1:
            return hits[0][1]
        if hits:
            zh, en = (mark.join(code for _, code in hits) for mark in ("、", ", "))
            raise Stop(
                "several_members",
                f"有 {len(hits)} 位会员对得上：{zh}；请用会员编号。",
                f"{len(hits)} members fit: {en}; ask by code.",
                PROBLEMS,
            )
    near = [str(row[0]) for row in opened.link.ask(_NEAR, opened.dealer.id, who.lower()).rows()]
    zh, en = (mark.join(near) for mark in ("、", ", "))
    raise Stop(
        "unknown_member",
        f"没有会员 {who}：会员编号、卡号、整机编号、电话、姓名都查过了{f'；有 {zh}，大小写不同' if near else ''}。",
        f"There is no member {who}; looked for a code, a card, a serial number, a phone and a name"
        f"{f'. {en} is there, in other case' if near else ''}.",
        PROBLEMS,
    )


def _hits(opened: Opened, by: str, who: str) -> list[tuple[int, str]]:
    if by not in SEALED:
        return find_members(opened.link, opened.dealer.id, by, who)
    if not opened.link.ask(_ANY, opened.dealer.id).rows():
        return []
    vault = Vault.of(settings())
    try:
        return find_members(opened.link, opened.dealer.id, by, who, vault)
    finally:
        vault.close()
