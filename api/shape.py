"""The base of every shape of the service, of what a body may be or an answer is; and the words that many use."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Said = str | dict[str, str]
Id = Annotated[str, Field(min_length=1, max_length=100)]
When = Annotated[
    str,
    Field(
        description="RFC 3339 with its zone.",
        examples=["2026-03-01T10:00:00+08:00"],
        json_schema_extra={"format": "date-time"},
    ),
]


class Shape(BaseModel):
    """A shape. What checks bodies is built when the first one comes: there are a hundred, and serving begins sooner."""

    model_config = ConfigDict(defer_build=True)
