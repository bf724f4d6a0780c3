"""From what was recorded to what is sent: the stored bytes as they are, or the problem that a refusal is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import Request
from starlette.responses import Response

from api.errors import problem
from api.rights import CALLER
from tierengine.access.callers import Caller
from tierengine.recording.items import Answer

JSON: Final = "application/json"


def plain(content: Mapping[str, Any], status: int = 200) -> Response:
    """Return JSON that was made here."""
    return Response(orjson.dumps(content), status, media_type=JSON)


def answered(request: Request, answer: Answer, more: Mapping[str, Any] | None = None) -> Response:
    """Return the answer to a write. `more` comes before what was recorded, in the same object.

    A replayed answer is the stored bytes, and says so.
    """
    replayed = {"idempotent-replayed": "true"} if answer.replayed else {}
    status = answer.number
    if status >= 400:
        return _refused(request, answer, status, replayed)
    content = answer.encoded()
    if more:
        content = orjson.dumps(more)[:-1] + b"," + content[1:]
    return Response(content, status, replayed, JSON)


def _refused(request: Request, answer: Answer, status: int, headers: Mapping[str, str]) -> Response:
    details = dict(answer.body.get("details") or {})
    more: dict[str, Any] = {}
    if status == 409:
        # A refusal sticks to its key: sent again, with the API key's successor too, it is the same to the byte, so its
        # id is that of the key.
        caller: Caller = request.scope[CALLER]
        once = f"{request.headers.get('idempotency-key', '')}\n{caller.dealer_id}\n{caller.scope}"
        more["request_id"] = hashlib.sha256(once.encode()).hexdigest()[:16]
    # The new prices travel in the refusal's details, which hold text and numbers only.
    lines = details.pop("lines", None)
    if isinstance(lines, str):
        more["lines"] = orjson.loads(lines)
    return problem(request, status, answer.code or "failed", details, more=more, headers=headers)
