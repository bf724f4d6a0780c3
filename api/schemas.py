"""The OpenAPI document: what each endpoint takes and answers, and every error, without slowing any of them down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api import access_shapes, shapes, slip_shapes, staff_shapes, webhook_shapes
from api.shapes import (
    Balance,
    Batch,
    Booked,
    Explained,
    Found,
    HeldFor,
    Member,
    Moved,
    PeriodStatement,
    Quote,
    Sold,
    Statement,
)
from api.slip_shapes import SlipEnded, SlipMade, SlipsRevoked
from rules.vocabulary import COMMON, FIELDS, KINDS
from tierengine.judging.bounds import MONEY_MOST

__all__ = [
    "OF_CLAIM", "Balance", "Batch", "Booked", "Explained", "Found", "HeldFor", "Lang", "Member", "Moved",
    "PeriodStatement", "Quote", "SlipEnded", "SlipMade", "SlipsRevoked", "Sold", "Statement",
    "batch", "document", "read", "read_body", "removal", "write",
]  # fmt: skip

Lang = Literal["zh", "en", "both"]
OF_CLAIM: Final = frozenset(shapes.ClaimIn.model_fields)
_REF: Final = "#/components/schemas/"
_BODIES: Final[tuple[type[BaseModel], ...]] = (
    shapes.OrderIn, shapes.QuoteIn, shapes.ReturnIn, shapes.ClaimIn, shapes.HoldIn, shapes.CaptureIn, shapes.VoidIn,
    shapes.AdjustmentIn, shapes.TransferIn, slip_shapes.SlipIn, slip_shapes.SlipEndIn,
    staff_shapes.StoreIn, staff_shapes.MemberIn, staff_shapes.PersonIn, staff_shapes.ConsentIn, staff_shapes.ErasureIn,
    staff_shapes.MergeIn, staff_shapes.UnmergeIn,
    staff_shapes.AttributeIn, staff_shapes.PolicyIn,
    staff_shapes.PublishIn, staff_shapes.IssueIn, staff_shapes.DoneIn,
    access_shapes.SessionIn, access_shapes.KeyIn, access_shapes.RotateIn, access_shapes.NothingIn,
    access_shapes.StaffIn, access_shapes.PasswordIn,
    webhook_shapes.WebhookIn, webhook_shapes.WebhookStateIn, webhook_shapes.ReplayIn,
)  # fmt: skip
_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": f"{_REF}ProblemDetail"}}}

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
    415: "The body is no application/json.",
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
    return {status: {"description": text, "content": _PROBLEM} for status, text in told.items()}


def _body(name: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": {"$ref": _REF + name}}}}


def read(summary: str, model: type[BaseModel], *, tagged: bool = False) -> dict[str, Any]:
    """Return the words of an endpoint that reads. `tagged`: the answer has an ETag."""
    found: dict[str, Any] = {"model": model, "description": "Found."}
    if tagged:
        found["headers"] = {"ETag": {"description": "What names this state.", "schema": {"type": "string"}}}
    responses = {200: found, **_problems(_READ)}
    return {"summary": summary, "responses": responses, "openapi_extra": {"security": _SECURITY}}


def read_body(
    name: str, summary: str, model: type[BaseModel], *, more: Sequence[Mapping[str, object]] = ()
) -> dict[str, Any]:
    """Return the words of an endpoint that reads and takes a body; `more` are parameters that it reads for itself."""
    told = {status: text for status, text in _WRITE.items() if status != 409}
    responses = {200: {"model": model, "description": "Nothing was written."}, **_problems(told)}
    extra: dict[str, Any] = {"security": _SECURITY, "requestBody": _body(name)}
    if more:
        extra["parameters"] = list(more)
    return {"summary": summary, "responses": responses, "openapi_extra": extra}


def batch(name: str, summary: str, model: type[BaseModel]) -> dict[str, Any]:
    """Return the words of an endpoint that writes many things, each with a result of its own."""
    words = write(name, summary, model)
    headers = words["responses"].pop(201)["headers"]
    words["responses"][200] = {"model": model, "description": "A result for each, in order.", "headers": headers}
    return {**words, "status_code": 200}


def removal(summary: str, model: type[BaseModel]) -> dict[str, Any]:
    """Return the words of an endpoint that takes something away: it has no body, and asks what the caller saw."""
    words = write("VoidIn", summary, model, tagged=True)
    del words["openapi_extra"]["requestBody"]
    for status in (413, 415):
        del words["responses"][status]
    return words


def write(
    name: str,
    summary: str,
    model: type[BaseModel],
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
        201: {"model": model, "description": "Recorded, in effect, committed.", "headers": replay},
        200: {"model": model, "description": "It was here already, with equal content.", "headers": replay},
        **_problems(_WRITE),
    }
    if parked:
        responses[202] = {"model": model, "description": "Stored; counts when what it names is here."}
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


def act(name: str, summary: str, model: type[BaseModel], *, status: int = 201, open_: bool = False) -> dict[str, Any]:
    """Return the words of an act of the staff: no idempotency key, its answer is kept nowhere. `open_`: for anybody."""
    told = {code: text for code, text in _WRITE.items() if not (open_ and code in (403, 404, 409))}
    responses = {status: {"model": model, "description": "Done."}, **_problems(told)}
    extra: dict[str, Any] = {"requestBody": _body(name)} | ({} if open_ else {"security": _SECURITY})
    return {"summary": summary, "status_code": status, "responses": responses, "openapi_extra": extra}


def end(summary: str) -> dict[str, Any]:
    """Return the words of an endpoint that ends something and answers nothing."""
    responses = _problems({**_READ, 409: _WRITE[409], 503: _WRITE[503]})
    return {"summary": summary, "responses": responses, "openapi_extra": {"security": _SECURITY}}


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of the app."""
    made = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes, openapi_version="3.1.0"
    )
    made["info"]["license"] = {"name": "Proprietary", "identifier": "LicenseRef-Proprietary"}
    made["servers"] = [{"url": "/", "description": "Where this document was read."}]
    for operation in (one for path in made["paths"].values() for one in path.values()):
        # What is open to all says so.
        operation.setdefault("security", [])
        if not any(status.startswith("4") for status in operation["responses"]):
            operation["responses"]["4XX"] = {"description": "A problem.", "content": _PROBLEM}
    components = made.setdefault("components", {})
    known = components.setdefault("schemas", {})
    models: tuple[type[BaseModel], ...] = (*_BODIES, shapes.ProblemDetail)
    for model in models:
        schema = model.model_json_schema(ref_template=_REF + "{model}")
        known.update(schema.pop("$defs", {}))
        known[model.__name__] = schema
    known["EventIn"] = event_schema()
    known["BatchIn"] = {
        "title": "BatchIn",
        "type": "object",
        "required": ["events"],
        "properties": {
            "events": {"type": "array", "minItems": 1, "maxItems": 1_000, "items": {"$ref": f"{_REF}EventIn"}}
        },
        "additionalProperties": False,
    }
    # FastAPI documents its own shape of 422, which this service never sends.
    for name in ("HTTPValidationError", "ValidationError"):
        known.pop(name, None)
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "te_… of a store."}}
    return made


def event_schema() -> dict[str, Any]:
    """Return the shape of an event, from the vocabulary: which kind takes which fields stands in `x-fields`."""
    kinds = [kind for kind in KINDS.values() if not (kind.derived or kind.merges)]
    names = dict.fromkeys(name for kind in kinds for name in (*kind.fields, *COMMON))
    line_names = dict.fromkeys(name for kind in kinds for name in kind.lines)
    lines = {
        "type": "object",
        "properties": {name: _field(name) for name in line_names},
        "additionalProperties": False,
    }
    properties: dict[str, Any] = {
        "kind": {"type": "string", "enum": [kind.id for kind in kinds]},
        "member": {"type": "string", "maxLength": 100},
        "occurred_at": {"type": "string", "format": "date-time"},
        "revision": {"type": "integer", "minimum": 0},
        "store": {"type": "string", "maxLength": 100},
        "currency": {"type": "string"},
        **{name: _field(name) for name in names},
        "lines": {"type": "array", "minItems": 1, "items": lines},
    }
    return {
        "title": "EventIn",
        "type": "object",
        "required": ["kind", "occurred_at"],
        "properties": properties,
        "additionalProperties": False,
        "x-fields": {kind.id: {"required": list(kind.required), "fields": list(kind.fields)} for kind in kinds},
    }


def _field(name: str) -> dict[str, Any]:
    field = FIELDS[name]
    shape: dict[str, Any]
    match field.type:
        case "money":
            shape = {"type": "integer", "maximum": MONEY_MOST, "description": f"{field.zh}, fen"}
        case "int":
            shape = {"type": "integer"}
        case "bool":
            shape = {"type": "boolean"}
        case "date":
            shape = {"type": "string", "format": "date"}
        case "texts":
            shape = {"type": "array", "items": {"type": "string"}}
        case _:
            shape = {"type": "string"}
    return {"title": field.zh, **shape}
