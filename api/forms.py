"""Bodies of the staff's calls, read by the shapes that document them; every problem with its pointer, no value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from tierengine.errors import FormError, Malformed, pointed
from tierengine.typed import type_name

Shape = TypeVar("Shape", bound=BaseModel)
_EXPECTED: Final = {"string": "text", "int": "integer", "list": "list", "bool": "true or false", "dict": "object"}


def read(shape: type[Shape], raw: dict[str, Any]) -> Shape:
    """Return the body as `shape`; Malformed with everything that is wrong."""
    try:
        return shape.model_validate(raw, strict=True)
    except ValidationError as wrong:
        raise Malformed([error_of(dict(one)) for one in wrong.errors(include_url=False)]) from None


def _plain(expected: object) -> str:
    """Return alternatives as they are written, from pydantic's `'zh', 'en' or 'both'`."""
    return str(expected).replace(" or ", ", ").replace("'", "")


def error_of(one: Mapping[str, Any]) -> FormError:
    """Return what pydantic says of a part of a body or of a parameter, as one of our errors."""
    pointer = "".join(f"/{pointed(part)}" for part in one["loc"])
    said: dict[str, Any] = one.get("ctx") or {}
    got = len(one["input"]) if isinstance(one.get("input"), str | list) else 0
    match one["type"]:
        case "missing":
            return FormError(pointer, "missing")
        case "extra_forbidden":
            return FormError(pointer, "unknown_field")
        case "literal_error":
            return FormError(pointer, "not_one_of", {"expected": _plain(said["expected"])})
        case "string_too_long" | "too_long":
            return FormError(pointer, "too_long", {"most": said["max_length"], "got": got})
        case "string_too_short" | "too_short":
            return FormError(pointer, "missing")
        case "greater_than_equal" | "less_than_equal":
            return FormError(
                pointer, "out_of_range", {"floor": said["ge"]} if "ge" in said else {"ceiling": said["le"]}
            )
        case "string_pattern_mismatch":
            return FormError(pointer, "bad_text")
        case kind if kind.startswith(("date", "timezone")):
            return FormError(pointer, "bad_date" if kind.startswith("date_") else "bad_time")
    expected = _EXPECTED.get(one["type"].partition("_")[0], "another form")
    return FormError(pointer, "wrong_type", {"expected": expected, "got": type_name(one.get("input"))})
