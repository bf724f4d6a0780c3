"""What Schemathesis is told of this service: instants near now, and what a 422 to well-formed data may say."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import schemathesis
from schemathesis.generation import GenerationMode

# What depends on the clock, on another field or the path, on the kind of event, on who asks, or on what came before.
BEYOND_A_SCHEMA = frozenset(
    ("not_a_policy",
        "too_late", "too_early", "in_the_future", "in_the_past", "missing", "unknown_field", "computed_field",
        "other_store", "other_currency", "exceeds_amount", "needs_revision", "not_a_submission", "bad_key", "bad_id",
        "bad_text", "not_one_of", "merge_self", "only_dots",
    )
)  # fmt: skip
CODES = frozenset(("malformed", "idempotency_mismatch", "exceeds_amount"))


@schemathesis.check
def refuses_well_formed_data_only_for_what_no_schema_can_say(ctx: Any, response: Any, case: Any) -> None:
    if response.status_code != 422 or case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    problem = response.json()
    assert problem["code"] in CODES, f"422 {problem['code']}"
    said = {one["code"] for one in problem.get("errors", ())}
    assert said <= BEYOND_A_SCHEMA, f"a schema could say: {sorted(said - BEYOND_A_SCHEMA)}"


@schemathesis.hook
def map_body(ctx: Any, body: Any) -> Any:
    """Let most of what happened have happened lately, or every event would only be too old."""
    body = whole(body)
    for one in [body, *(body.get("events") or ())] if isinstance(body, dict) else ():
        if isinstance(one, dict) and isinstance(one.get("occurred_at"), str) and random.random() < 0.7:
            one["occurred_at"] = (datetime.now(UTC) - timedelta(minutes=random.randrange(10_000))).isoformat()
    return body


def whole(value: Any) -> Any:
    """Write 360.0 as 360: a schema takes both for whole numbers, this service refuses the first, which may be yuan."""
    if isinstance(value, dict):
        return {name: whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
