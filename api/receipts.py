"""Receipts of a till's calls: printed where the till says how wide its paper is (`?width=32`), else left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import Request

from api.parameters import told
from tierengine.errors import FormError, Malformed
from tierengine.recording.items import Answer
from tierengine.till.receipts import LEAST, MOST, Row, both

WIDTH: Final[dict[str, object]] = {
    "name": "width",
    "in": "query",
    "required": False,
    "description": "Receipt lines of so many cells: 32 on paper of 58 mm, 48 on 80 mm; a Chinese character takes two.",
    "schema": {"type": "integer", "minimum": LEAST, "maximum": MOST},
}


def width_of(request: Request) -> int | None:
    """Return how wide the till's paper is, None where it does not say; Malformed when that is no width."""
    text = told(request, "width")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 4 and LEAST <= int(text) <= MOST):
        raise Malformed([FormError("/width", "out_of_range", {"least": LEAST, "most": MOST})])
    return int(text)


def printed(answer: Answer, rows: Callable[[Mapping[str, Any], str], list[Row]], across: int | None) -> dict[str, Any]:
    """Return the receipt of an answer, as what comes before it; nothing where none is wanted, or it was refused."""
    if across is None or answer.number >= 400:
        return {}
    return {"receipt": both(lambda lang: rows(answer.body, lang), across)}
