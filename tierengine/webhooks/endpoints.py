"""The webhooks of a dealer: adding, listing, pausing and removing them. Their secrets: tierengine/webhooks/rotation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from tierengine.errors import FormError, Malformed, Refused, Unknown, unknown_fields
from tierengine.store.dialect import Link, doc
from tierengine.store.ids import Ids
from tierengine.store.rows import Table
from tierengine.typed import type_name
from tierengine.webhooks.address import read_url
from tierengine.webhooks.messages import TIER, TYPES

_TABLE: Final = Table("webhook")
_HEAD: Final = "SELECT COALESCE(max(number), 0) FROM seal WHERE dealer_id = ?1"
_LIST: Final = (
    "SELECT id, dealer_id, url, types, state, seen, looked_at, created_at FROM webhook "
    "WHERE dealer_id = ?1 AND state <> 'removed' ORDER BY id"
)
_ACTIVE: Final = (
    "SELECT id, dealer_id, url, types, state, seen, looked_at, created_at FROM webhook WHERE state = 'active' "
    "ORDER BY id"
)
# What was removed stays so, whatever its last answer says.
_STATE: Final = "UPDATE webhook SET state = ?2 WHERE id = ?1 AND state <> 'removed'"
_STANDINGS: Final = (
    "INSERT INTO webhook_standing (webhook_id, member_id, dealer_id, tier) "
    "SELECT ?1, member_id, dealer_id, tier FROM ledger WHERE dealer_id = ?2 AND tier <> '' AND tier <> ?3"
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One webhook. `seen` is the last seal whose rows it was told of."""

    id: int
    dealer_id: int
    url: str
    types: tuple[str, ...]
    state: str
    seen: int
    looked_at: int
    created_at: int

    def plain(self) -> dict[str, Any]:
        """Return it as JSON, without its secret."""
        return {"id": self.id, "url": self.url, "types": list(self.types), "state": self.state}


def read_request(raw: Mapping[str, object], *, inside: bool) -> tuple[str, tuple[str, ...], bool]:
    """Return (url, types, from the beginning) of a request for a webhook, or raise Malformed."""
    errors = unknown_fields(raw, ("url", "types", "all"))
    url = ""
    try:
        url = read_url(raw.get("url"), inside=inside)
    except Malformed as problem:
        errors += problem.errors
    types = raw.get("types", list(TYPES))
    known = isinstance(types, list) and types and all(isinstance(one, str) and one in TYPES for one in types)
    if not known:
        errors.append(FormError("/types", "not_one_of", {"expected": ", ".join(TYPES)}))
    if not isinstance(raw.get("all", False), bool):
        errors.append(FormError("/all", "wrong_type", {"expected": "true or false", "got": type_name(raw["all"])}))
    if errors:
        raise Malformed(errors)
    wanted = types if isinstance(types, list) else []
    return url, tuple(one for one in TYPES if one in wanted), bool(raw.get("all"))


def add(
    link: Link,
    ids: Ids,
    dealer: int,
    url: str,
    types: Sequence[str],
    now: int,
    *,
    lowest: str,
    from_start: bool = False,
) -> Endpoint:
    """Add a webhook, or return the one that has this address. It is told what is sealed from now on, or everything.

    Refused (`webhook_differs`) where the one that has it is told of other types, or is there already and was to be told
    everything: what it was told since it was added stays as it is.
    lowest  the tier in which everybody begins: whoever stands in another one now is no change for this webhook
    """
    found = next((one for one in endpoints(link, dealer) if one.url == url), None)
    if found is not None:
        if from_start or {*found.types} != {*types}:
            names, wanted = ", ".join(found.types), ", ".join(types)
            raise Refused(
                "webhook_differs", webhook=found.id, types=names, asked=wanted + (", all" if from_start else "")
            )
        return found
    seen = 0 if from_start else int(link.ask(_HEAD, dealer).rows()[0][0])
    made = Endpoint(ids.take(), dealer, url, tuple(types), "active", seen, now, now)
    link.write(_TABLE, [(made.id, dealer, url, orjson.dumps(list(types)).decode(), made.state, seen, now, now)])
    if TIER in types and not from_start:
        link.run(_STANDINGS, made.id, dealer, lowest)
    return made


def endpoints(link: Link, dealer: int) -> list[Endpoint]:
    """Return a dealer's webhooks."""
    return [_of(row) for row in link.ask(_LIST, dealer).rows()]


def active(link: Link) -> list[Endpoint]:
    """Return the webhooks of all dealers that are to be told."""
    return [_of(row) for row in link.ask(_ACTIVE).rows()]


def endpoint(link: Link, dealer: int, number: int) -> Endpoint:
    """Return one of a dealer's webhooks; Unknown when it is none of his."""
    found = next((one for one in endpoints(link, dealer) if one.id == number), None)
    if found is None:
        raise Unknown("unknown_webhook", webhook=number)
    return found


def turn(link: Link, number: int, state: str) -> None:
    """Make a webhook active, paused or removed."""
    link.run(_STATE, number, state)


def _of(row: Sequence[Any]) -> Endpoint:
    number, dealer, url, types, *rest = row
    return Endpoint(number, dealer, url, tuple(doc(types)), *rest)
