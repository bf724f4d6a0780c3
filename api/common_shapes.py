"""What several shapes of the document share: amounts, categories, reasons and problems.

Bodies of tills are read by tierengine's own readers, which know more than a schema can say, and answers are bytes
before they reach FastAPI: the shapes are for the OpenAPI document, and none of these runs when a sale is served.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from api.shape import Said, Shape
from rules.vocabulary import CATEGORIES
from tierengine.judging.bounds import MONEY_MOST

Fen = Annotated[int, Field(ge=0, le=MONEY_MOST, description="Fen.")]
Category = Annotated[str, Field(json_schema_extra={"enum": list(CATEGORIES)})]


class Closed(Shape):
    """What is sent: a field that it does not have is an error."""

    model_config = ConfigDict(extra="forbid")


class Why(Shape):
    """Why or why not: a code, a sentence, and the test that decided.

    `condition` has `observed`, `op` and `required` in `unit`; `rule` where another price or reward came first; of a cap
    or a budget what is `left` in which `period` and `window`.
    """

    code: str
    why: Said
    condition: dict[str, Any] | None = None


class ProblemDetail(Shape):
    """RFC 9457. `code` is stable; `retryable` tells whether the same request may be sent again."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    retryable: bool
    details: dict[str, int | str] | None = None
    errors: list[dict[str, str]] | None = None
