"""Reading a body strictly: bounded, UTF-8, an object, no key twice, no NaN; whatever is wrong is a 4xx.

Python's own parser is used because it alone can tell a key that comes twice; it raises RecursionError on deep nesting
and ValueError on numbers of thousands of digits, both of which are only bad JSON here.
"""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from fastapi import Request

from api.errors import Problem
from tierengine.errors import FormError, Malformed
from tierengine.typed import type_name

BODY_MOST: Final = 1 << 20
# A body that nests deeper than this says nothing that any kind of event knows.
DEPTH_MOST: Final = 32


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found


def _no_number(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_number)


async def read_bytes(request: Request, most: int = BODY_MOST) -> bytes:
    """Return the body; Problem when it is too large, however its length was declared."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem("unsupported_media_type")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:20]) > most:
        raise Problem("too_large", most=most)
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise Problem("too_large", most=most)
        parts.append(chunk)
    return b"".join(parts)


def parse(body: bytes) -> dict[str, Any]:
    """Return the object that the body is; Problem `bad_json` or Malformed otherwise."""
    try:
        text = body.decode("utf-8")
        found = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise Problem("bad_json") from None
    if not isinstance(found, dict):
        raise Malformed([FormError("", "wrong_type", {"expected": "object", "got": type_name(found)})])
    # (What opens no more than that cannot nest deeper: nearly always.)
    if text.count("{") + text.count("[") > DEPTH_MOST and _depth(found) > DEPTH_MOST:
        raise Problem("bad_json")
    return found


def _depth(value: Any) -> int:
    """Return how deep a value nests, counted without recursion."""
    deepest, level = 0, [value]
    while level:
        deepest += 1
        if deepest > DEPTH_MOST:
            break
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner.extend(part for part in one.values() if isinstance(part, (dict, list)))
            elif isinstance(one, list):
                inner.extend(part for part in one if isinstance(part, (dict, list)))
        level = inner
    return deepest
