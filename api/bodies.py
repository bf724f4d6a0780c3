"""Reading a body strictly: bounded, not compressed, UTF-8, an object, no key twice, no NaN; what is wrong is a 4xx.

It says where, and what the encoding seems to be, for whoever has to mend an old till; never what was sent but a key.
Python's own parser is used because it alone can tell a key that comes twice; it raises RecursionError on deep nesting
and ValueError on numbers of thousands of digits, both of which are only bad JSON here.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import Any, Final, NoReturn

from fastapi import Request

from api.errors import Problem
from tierengine.errors import FormError, Malformed
from tierengine.typed import type_name

BODY_MOST: Final = 1 << 20
# A body that nests deeper than this says nothing that any kind of event knows.
DEPTH_MOST: Final = 32


# What a body begins with that is no JSON, though somebody meant it to be.
_GZIP: Final = b"\x1f\x8b"
_KEY_MOST: Final = 100


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for place, key in enumerate(keys) if key in keys[:place])
        raise Problem("bad_json", reason="key_twice", key=twice[:_KEY_MOST].encode("utf-8", "replace").decode())
    return found


def _no_number(_: str) -> NoReturn:
    raise Problem("bad_json", reason="no_number")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_number)


async def read_bytes(request: Request, most: int = BODY_MOST) -> bytes:
    """Return the body; Problem when it is too large, however its length was declared."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem("unsupported_media_type")
    if (coding := request.headers.get("content-encoding")) and coding.strip().lower() != "identity":
        # An order has a few hundred bytes: nothing is gained, and what unpacks to a thousand times as much stays out.
        raise Problem("unsupported_content_encoding")
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
        text = body.decode("utf-8").removeprefix("\ufeff")  # (a mark that RFC 8259 lets a reader go past)
        found = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise _misread(body) from None
    except json.JSONDecodeError as error:
        if b"\0" in body[:4]:
            raise _misread(body) from None
        if not error.doc.strip():
            raise Problem("bad_json", reason="empty") from None
        raise Problem("bad_json", reason="position", line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise Problem("bad_json", reason="depth", most=DEPTH_MOST) from None
    except ValueError:
        raise Problem("bad_json", reason="digits") from None
    if not isinstance(found, dict):
        raise Malformed([FormError("", "wrong_type", {"expected": "object", "got": type_name(found)})])
    # (What opens no more than that cannot nest deeper: nearly always.)
    if text.count("{") + text.count("[") > DEPTH_MOST and _depth(found) > DEPTH_MOST:
        raise Problem("bad_json", reason="depth", most=DEPTH_MOST)
    return found


def _misread(body: bytes) -> Problem:
    """Return what is said of a body that is no UTF-8: what it seems to be instead."""
    if body.startswith(_GZIP):
        return Problem("unsupported_content_encoding")
    if body[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) or b"\0" in body[:4]:
        return Problem("bad_json", reason="encoding", encoding="UTF-16")
    try:
        told = body.decode("gbk")
    except UnicodeDecodeError:
        told = ""
    if any("\u4e00" <= sign <= "\u9fff" for sign in told):
        return Problem("bad_json", reason="encoding", encoding="GBK")
    return Problem("bad_json", reason="not_utf8")


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
