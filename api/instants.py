"""Instants as bodies and queries say them and answers tell them: RFC 3339 outside, microseconds UTC inside."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Query
from pydantic import AwareDatetime

from tierengine import zone
from tierengine.errors import FormError, Malformed

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
Instant = Annotated[AwareDatetime | None, Query(description="RFC 3339 with its zone (write + as %2B); none: now.")]


def microseconds(pointer: str, moment: datetime) -> int:
    """Return an instant in microseconds UTC; Malformed for one before 1990 or after 2199."""
    if not EARLIEST <= moment <= LATEST:
        raise Malformed([FormError(pointer, "too_early" if moment < EARLIEST else "in_the_future")])
    return zone.microseconds(moment)


def instant(pointer: str, text: str) -> int:
    """Return the instant that a body says; Malformed when it is none, or has no zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or len(text) < len("2026-03-01T10:00:00Z"):
        raise Malformed([FormError(pointer, "bad_time")])
    return microseconds(pointer, moment)


def told(at: int) -> str:
    """Return an instant as answers tell it where no dealer's zone is at hand: UTC."""
    return zone.moment(at).isoformat().replace("+00:00", "Z")
