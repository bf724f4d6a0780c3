"""From what a source sent to an observation: every error of form at once, and the key under which it is known.

A correction is the whole event again under the same key with a higher `revision`. `observation_cancelled` names what it
cancels by `source_id`: an id of the same source, or, with a colon in it, any event's key
(`order:S01:4711:parts_purchase`). It takes that key for its own, with a higher revision, and the highest counts; a
later revision of the event itself brings the event back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

import orjson

from rules.vocabulary import PROSE
from tierengine.errors import Malformed
from tierengine.judging.bounds import REVISION_MOST
from tierengine.judging.clock import Clock
from tierengine.judging.forms import Form
from tierengine.judging.history import Observation
from tierengine.judging.values import CANCELLED


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

    `raw` is flat: kind, member, occurred_at (RFC 3339 with its zone), revision, store, currency and the fields of its
    kind. `source` and `store` come from who asks; a source that speaks for many stores passes "" and `raw` names one.
    `late_days` None: the source may date as far back as it likes (the archivist).
    """
    if ":" in source or source in ("", "order"):
        raise ValueError(f"A source is named without a colon, and not 'order': {source!r}")
    form = Form(raw, source)
    clock = Clock(now_us, zone, late_days)
    kind = form.kind()
    form.currency(currency)
    occurred_at = form.instant("occurred_at", clock)
    revision = form.integer("/revision", 0 if raw.get("revision") is None else raw["revision"], 0, REVISION_MOST)
    member = form.identifier("/member", raw.get("member")) or ""
    store = form.store(store)
    if kind is None:
        raise Malformed(form.errors)
    fields = form.fields(kind)
    key, cluster = form.address(kind, fields, store)
    # Who owns an order or an event that it names is known from there; a referral belongs to another member.
    told = kind.id == CANCELLED or any(name != "referral" for name, _ in kind.names)
    if not member and not told and not form.has("/member"):
        form.wrong("/member", "missing")
    if kind.id == CANCELLED and revision == 0:
        form.wrong("/revision", "needs_revision")
    form.end()
    source_id = str(fields.pop("source_id", ""))
    texts = {name: fields.pop(name) for name in list(fields) if name in PROSE}
    return Observation(kind.id, member, occurred_at, source, source_id, store, revision, fields, key, cluster, texts)


def content_hash(observation: Observation) -> str:
    """Return the SHA-256 (hex) of what is said, in whatever words: source, its id and texts are left out."""
    return hashlib.sha256(_said(observation, "", "")).hexdigest()


def body_text(observation: Observation) -> str:
    """Return the canonical JSON text of `body`."""
    return _said(observation, observation.source, observation.source_id).decode()


def _said(observation: Observation, source: str, source_id: str) -> bytes:
    """Return the canonical JSON of `body` with another source; a tuple is written as a list is."""
    said = {
        "kind": observation.kind,
        "member": observation.member,
        "occurred_at": observation.occurred_at,
        "source": source,
        "source_id": source_id,
        "store": observation.store,
        "revision": observation.revision,
        "key": observation.key,
        "cluster": observation.cluster,
        "fields": dict(observation.fields),
    }
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def body(observation: Observation) -> dict[str, Any]:
    """Return the observation as JSON values, for `event.body`: without its texts."""
    return {
        "kind": observation.kind,
        "member": observation.member,
        "occurred_at": observation.occurred_at,
        "source": observation.source,
        "source_id": observation.source_id,
        "store": observation.store,
        "revision": observation.revision,
        "key": observation.key,
        "cluster": observation.cluster,
        "fields": {name: _plain(value) for name, value in observation.fields.items()},
    }


def from_body(stored: Mapping[str, Any]) -> Observation:
    """Return the observation that `body` stored."""
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in stored["fields"].items()}
    return Observation(**{**stored, "fields": fields})


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
