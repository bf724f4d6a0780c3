"""What each endpoint takes and answers, in the words of OpenAPI: bodies and answers by the names of their shapes.

The shapes themselves (api/*_shapes.py) are looked up when the document is made (api/document.py), which most
processes never do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

Lang = Literal["zh", "en", "both"]
REF: Final = "#/components/schemas/"
PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": f"{REF}ProblemDetail"}}}

_TOO_MANY: Final = "Too often; `Retry-After` tells when it may be sent again."
_READ: Final = {
    401: "No valid key.",
    403: "The key's role may not.",
    404: "No such member.",
    422: "Malformed.",
    429: _TOO_MANY,
}
_WRITE: Final = {
    400: "The body is no JSON, or the Idempotency-Key is missing.",
    401: "No valid key.",
    403: "The key's role may not.",
    404: "It names a member, store or wallet that is not on file.",
    409: "The state refuses it, or the key is taken by other content.",
    413: "The body is too large.",
    415: "The body is no application/json, or it is compressed.",
    422: "Malformed: every error with its pointer; or the Idempotency-Key came with another body.",
    429: _TOO_MANY,
    503: "Not now; the same may be sent again.",
}
_SEEN: Final[dict[str, object]] = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the state that the caller saw.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]+$"},
}
_NEW: Final[dict[str, object]] = {
    "name": "If-None-Match",
    "in": "header",
    "description": "Instead of If-Match, for what is not there yet.",
    "schema": {"type": "string", "enum": ["*"]},
}
_SECURITY: Final[list[dict[str, list[str]]]] = [{"key": []}]


def _problems(told: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    return {status: {"description": text, "content": PROBLEM} for status, text in told.items()}


def _content(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REF + name}}}


def _body(name: str) -> dict[str, Any]:
    return {"required": True, "content": _content(name)}


def _answer(name: str, description: str, **more: Any) -> dict[str, Any]:
    return {"description": description, "content": _content(name), **more}


def read(summary: str, answer: str, *, tagged: bool = False) -> dict[str, Any]:
    """Return the words of an endpoint that reads. `tagged`: the answer has an ETag."""
    found = _answer(answer, "Found.")
    if tagged:
        found["headers"] = {"ETag": {"description": "What names this state.", "schema": {"type": "string"}}}
    responses = {200: found, **_problems(_READ)}
    return {"summary": summary, "responses": responses, "openapi_extra": {"security": _SECURITY}}


def read_body(name: str, summary: str, answer: str, *, more: Sequence[Mapping[str, object]] = ()) -> dict[str, Any]:
    """Return the words of an endpoint that reads and takes a body; `more` are parameters that it reads for itself."""
    told = {status: text for status, text in _WRITE.items() if status != 409}
    responses = {200: _answer(answer, "Nothing was written."), **_problems(told)}
    extra: dict[str, Any] = {"security": _SECURITY, "requestBody": _body(name)}
    if more:
        extra["parameters"] = list(more)
    return {"summary": summary, "responses": responses, "openapi_extra": extra}


def batch(name: str, summary: str, answer: str) -> dict[str, Any]:
    """Return the words of an endpoint that writes many things, each with a result of its own."""
    words = write(name, summary, answer)
    headers = words["responses"].pop(201)["headers"]
    words["responses"][200] = _answer(answer, "A result for each, in order.", headers=headers)
    return {**words, "status_code": 200}


def removal(summary: str, answer: str) -> dict[str, Any]:
    """Return the words of an endpoint that takes something away: it has no body, and asks what the caller saw."""
    words = write("VoidIn", summary, answer, tagged=True)
    del words["openapi_extra"]["requestBody"]
    for status in (413, 415):
        del words["responses"][status]
    return words


def write(
    name: str,
    summary: str,
    answer: str,
    *,
    parked: bool = False,
    tagged: bool = False,
    more: Sequence[Mapping[str, object]] = (),
) -> dict[str, Any]:
    """Return the words of an endpoint that writes. `tagged`: it changes only what the caller has seen.

    more  parameters that it reads for itself
    """
    replay = {"Idempotent-Replayed": {"description": "The stored answer.", "schema": {"type": "string"}}}
    responses: dict[int | str, dict[str, Any]] = {
        201: _answer(answer, "Recorded, in effect, committed.", headers=replay),
        200: _answer(answer, "It was here already, with equal content.", headers=replay),
        **_problems(_WRITE),
    }
    if parked:
        responses[202] = _answer(answer, "Stored; counts when what it names is here.")
    key: dict[str, object] = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "One key, one effect, one answer: sent again, it gives the stored bytes.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]{0,253}[!-~])?$"},
    }
    parameters: list[Mapping[str, object]] = [key, *more]
    if tagged:
        responses |= _problems({412: "Somebody else changed it.", 428: "If-Match is missing."})
        parameters += [_SEEN, _NEW]
    extra = {"security": _SECURITY, "requestBody": _body(name), "parameters": parameters}
    return {"summary": summary, "status_code": 201, "responses": responses, "openapi_extra": extra}


def seconded(words: dict[str, Any]) -> dict[str, Any]:
    """Return the words of an endpoint for which a second person may show his session."""
    header = {
        "name": "Second-Authorization",
        "in": "header",
        "description": "`Bearer ts_…` of a second person, where the policy asks for one and the first is logged in.",
        "schema": {"type": "string", "maxLength": 200},
    }
    words["openapi_extra"]["parameters"] = [*words["openapi_extra"]["parameters"], header]
    return words


def act(name: str, summary: str, answer: str, *, status: int = 201, open_: bool = False) -> dict[str, Any]:
    """Return the words of an act of the staff: no idempotency key, its answer is kept nowhere. `open_`: for anybody."""
    told = {code: text for code, text in _WRITE.items() if not (open_ and code in (403, 404, 409))}
    responses = {status: _answer(answer, "Done."), **_problems(told)}
    extra: dict[str, Any] = {"requestBody": _body(name)} | ({} if open_ else {"security": _SECURITY})
    return {"summary": summary, "status_code": status, "responses": responses, "openapi_extra": extra}


def end(summary: str) -> dict[str, Any]:
    """Return the words of an endpoint that ends something and answers nothing."""
    responses = _problems({**_READ, 409: _WRITE[409], 503: _WRITE[503]})
    return {"summary": summary, "responses": responses, "openapi_extra": {"security": _SECURITY}}
