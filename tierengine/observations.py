"""From what a source sent to an observation: every error of form at once, and the key under which it is known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from tierengine.history import Observation


def read_observation(
    raw: Mapping[str, object],
    *,
    source: str,
    store: str,
    now_us: int,
    zone: tzinfo,
    late_days: int | None,
    currency: str,
) -> Observation:
    """Return the observation that `raw` says, or raise Malformed with all that is wrong in its form.

    `raw` is flat: kind, member, occurred_at (RFC 3339 with zone), revision, store, currency and the fields of its kind.
    """
    raise NotImplementedError


def content_hash(observation: Observation) -> str:
    """Return the SHA-256 (hex) of what is said, whoever says it: source and source id are left out."""
    raise NotImplementedError


def body(observation: Observation) -> dict[str, Any]:
    """Return the observation as JSON values, for `event.body`."""
    raise NotImplementedError


def from_body(stored: Mapping[str, Any]) -> Observation:
    """Return the observation that `body` stored."""
    raise NotImplementedError
