"""The OpenAPI document, made when it is first asked for: the routes' own words, and the shapes that these name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api import (
    access_shapes,
    balance_shapes,
    common_shapes,
    event_shapes,
    member_shapes,
    sale_shapes,
    slip_shapes,
    staff_shapes,
    webhook_shapes,
)
from api.schemas import PROBLEM, REF
from api.shape import Shape
from rules.vocabulary import COMMON, FIELDS, KINDS
from tierengine.judging.bounds import MONEY_MOST

_MODULES: Final = (
    common_shapes, sale_shapes, event_shapes, balance_shapes, member_shapes, slip_shapes, staff_shapes, access_shapes,
    webhook_shapes,
)  # fmt: skip
_OWN: Final = frozenset(("EventIn", "BatchIn", "HTTPValidationError"))  # what is made here, and what is taken out


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
            operation["responses"]["4XX"] = {"description": "A problem.", "content": PROBLEM}
    components = made.setdefault("components", {})
    known = components.setdefault("schemas", {})
    known.update(_named(made["paths"]))
    known["EventIn"] = event_schema()
    known["BatchIn"] = {
        "title": "BatchIn",
        "type": "object",
        "required": ["events"],
        "properties": {
            "events": {"type": "array", "minItems": 1, "maxItems": 1_000, "items": {"$ref": f"{REF}EventIn"}}
        },
        "additionalProperties": False,
    }
    # FastAPI documents its own shape of 422, which this service never sends.
    for name in ("HTTPValidationError", "ValidationError"):
        known.pop(name, None)
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "te_… of a store."}}
    return made


def _named(paths: Any) -> dict[str, Any]:
    """Return the schemas of all shapes that the operations name, and of what those are made of."""
    shapes = _shapes()
    asked = [shapes[name] for name in sorted(_names(paths)) if name not in _OWN]
    told = models_json_schema([(shape, "validation") for shape in asked], ref_template=REF + "{model}")[1]
    schemas: dict[str, Any] = told["$defs"]
    return schemas


def _names(part: Any) -> Iterator[str]:
    """Yield the name of every schema that a part of the document refers to, some more than once."""
    if isinstance(part, dict):
        if isinstance(named := part.get("$ref"), str):
            yield named.removeprefix(REF)
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _names(inner)


def _shapes() -> dict[str, type[BaseModel]]:
    """Return every shape by its name; ValueError where two have the same."""
    found: dict[str, type[BaseModel]] = {}
    for module in _MODULES:
        for name, shape in vars(module).items():
            if (
                isinstance(shape, type)
                and issubclass(shape, Shape)
                and shape.__module__ == module.__name__
                and name[0] != "_"
            ):
                if name in found:
                    raise ValueError(f"two shapes are named {name}")
                found[name] = shape
    return found


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
