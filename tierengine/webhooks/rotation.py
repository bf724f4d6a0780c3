"""The secrets of a webhook: the newest, and those before it that are still signed with while the receiver changes.

A secret is made from the service's, the webhook's number and its own, and stands nowhere; kept is only how long each is
signed with. Instants and spans in microseconds (UTC).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tierengine.access.secret import Secret
from tierengine.errors import FormError, Malformed, Refused, unknown_fields
from tierengine.store.dialect import Link
from tierengine.store.rows import Table
from tierengine.typed import type_name
from tierengine.zone import HOUR, moment

# More signatures than these would only make a header that some receiver does not take.
OLDER_MOST: Final = 3
KEEP_HOURS: Final = 24
KEEP_HOURS_MOST: Final = 24 * 90
_TABLE: Final = Table("webhook_secret")
_SIGNED: Final = (
    "SELECT webhook_id, number, until FROM webhook_secret WHERE webhook_id IN (?1*) AND (until IS NULL OR until > ?2) "
    "ORDER BY webhook_id, number DESC"
)
_LAST: Final = "UPDATE webhook_secret SET until = ?2 WHERE webhook_id = ?1 AND (until IS NULL OR until > ?2)"


@dataclass(frozen=True, slots=True)
class Signing:
    """One secret of a webhook. `until`: signed with so long; None: until it is rotated."""

    number: int
    until: int | None = None

    def plain(self) -> dict[str, Any]:
        """Return it as JSON; it tells nothing of the secret itself."""
        return {"number": self.number, "until": None if self.until is None else moment(self.until).isoformat()}


FIRST: Final = (Signing(0),)


def read_keep(raw: Mapping[str, object]) -> int:
    """Return for how long the secrets before are kept, by a request to rotate, or raise Malformed."""
    errors = unknown_fields(raw, ("keep_hours",))
    hours = raw.get("keep_hours", KEEP_HOURS)
    if isinstance(hours, bool) or not isinstance(hours, int):
        expected = {"expected": "integer", "got": type_name(hours)}
        errors.append(FormError("/keep_hours", "wrong_type", expected))
    elif not 0 <= hours <= KEEP_HOURS_MOST:
        errors.append(FormError("/keep_hours", "out_of_range", {"least": 0, "most": KEEP_HOURS_MOST}))
    if errors or not isinstance(hours, int):
        raise Malformed(errors)
    return hours * HOUR


def in_force(link: Link, webhooks: Sequence[int], now: int) -> dict[int, tuple[Signing, ...]]:
    """Return with what each of these webhooks signs now, the newest first."""
    found: dict[int, tuple[Signing, ...]] = {}
    for webhook, number, until in link.ask(_SIGNED, list(webhooks), now).rows():
        found[webhook] = (*found.get(webhook, ()), Signing(number, until))
    return {webhook: found.get(webhook, FIRST) for webhook in webhooks}


def rotate(link: Link, dealer: int, webhook: int, now: int, keep: int) -> tuple[Signing, ...]:
    """Give a webhook another secret and return what it signs with now; none before it lasts longer than `keep` more.

    Refused (`secrets_in_force`) while too many are signed with, unless all of them end now. Who rotates at the same
    moment meets the other's row (an integrity error): tried again, he sees it.
    """
    before = in_force(link, [webhook], now)[webhook]
    if keep and len(before) > OLDER_MOST:
        raise Refused("secrets_in_force", count=len(before), until=str(before[-1].plain()["until"]))
    made, ends = Signing(before[0].number + 1), now + keep
    if before == FIRST:
        link.write(_TABLE, [(webhook, 0, dealer, ends)])
    else:
        link.run(_LAST, webhook, ends)
    link.write(_TABLE, [(webhook, made.number, dealer, None)])
    return (made, *in_force(link, [webhook], now)[webhook][1:])


def secret_of(secret: Secret, webhook: int, number: int) -> str:
    """Return a secret of a webhook as its receiver is given it (`whsec_…`)."""
    purpose = f"webhook {webhook} {number}" if number else f"webhook {webhook}"
    return "whsec_" + base64.b64encode(secret.key(purpose)).decode()


def secrets_of(secret: Secret, webhook: int, signing: Sequence[Signing]) -> list[str]:
    """Return the secrets that a message is signed with, the newest first; also those of the server's secret before."""
    made = [secret_of(secret, webhook, one.number) for one in signing]
    return [*made, *(secrets_of(secret.before, webhook, signing) if secret.before is not None else ())]
