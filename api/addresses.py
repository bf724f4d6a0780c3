"""The address of a request as routes see it: a slash that is part of a number is none between two parts of a path.

An order's number may be 2026/0815, which a till writes as 2026%2F0815 (RFC 3986). A server decodes that before anybody
routes by it; so it is put here as the full-width slash, which stands for itself in a path and which every reader of a
code turns into the plain one again (NFKC), as what a Chinese keyboard types.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from starlette.types import Scope

_SLASH: Final = re.compile(rb"%2f", re.IGNORECASE)
_FULL_WIDTH: Final = b"%EF%BC%8F"


def routed(scope: Scope) -> Scope:
    """Return the request's scope as it is routed by: an encoded slash kept apart, and HEAD as the GET that it is."""
    raw: bytes = scope.get("raw_path") or b""
    changed: dict[str, str] = {}
    if b"%2" in raw and _SLASH.search(raw):
        changed["path"] = unquote(_SLASH.sub(_FULL_WIDTH, raw).decode("ascii", "replace"))
    if scope["method"] == "HEAD":
        # (The server keeps the method that came, by which it leaves out the body.)
        changed["method"] = "GET"
    return {**scope, **changed} if changed else scope
