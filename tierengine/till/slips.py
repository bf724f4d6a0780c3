"""Offline slips: what a till may go by while its line is down. It verifies the signature with the published key.

A slip says, as of its issue, the member's tier, the prices of his tier that a till can work out by itself, and how much
of which wallet he may use before the slip ends. It is for one till, of which no other knows while the line is down: the
slips of one member on all tills together name no more than the wallet's `offline`, and no more than he has. A till's
next slip replaces the one before. Which till it is it says itself (`till`); one that does not is known by its key, so
that tills which share a key and no name share a slip as well, and may use it twice. A slip keeps no credit from being
used with the line meanwhile: what is no longer there when the sale arrives becomes debt.

What a till sold with a slip happened: it is booked as charged, judged by the policy of its own time, never refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rules.compiler import tests_of
from rules.policy import Price
from rules.vocabulary import CATEGORIES
from tierengine.errors import Unknown
from tierengine.judging.forms import Form
from tierengine.membership.stand import Stand
from tierengine.recording.acts import SLIP, SLIP_END, EndSlip, IssueSlip
from tierengine.store.dialect import Link, doc
from tierengine.till.asked import REASON_MOST
from tierengine.till.orders import TOKEN_MOST, Order
from tierengine.till.signing import Signer
from tierengine.typed import type_name
from tierengine.zone import SECOND, Zone

MINUTE: Final = 60 * SECOND
ID_MOST: Final = 40
_PLAIN: Final = ("category", "special")
_END: Final = "SELECT recorded_at FROM command WHERE dealer_id = ?1 AND key = ?2"
_ENDS: Final = "SELECT key FROM command WHERE dealer_id = ?1 AND key > ?2 AND key < ?3 ORDER BY key LIMIT ?4"
_SLIP: Final = (
    "SELECT c.body, m.code FROM command c JOIN member m ON m.id = c.member_id WHERE c.dealer_id = ?1 AND c.key = ?2"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A slip that came with a sale. `state` is good, forged, other_member, other_store, expired or revoked."""

    id: str
    state: str


# ---- issuing -----------------------------------------------------------------------------------------------------


def new_id(now: int) -> str:
    """Return the id of a slip: its instant first, so that those still good lie together."""
    return f"{now:014x}-{secrets.token_hex(6)}"


def read_request(raw: Mapping[str, object], store: str, caller: str) -> tuple[str, str, str]:
    """Return the member's code, the store and the till that a request for a slip names, or raise Malformed.

    A till that has no name is told from others by who calls (`caller`, which no name is like: it has a colon).
    """
    form = Form(raw, "command")
    form.only(("member", "store", "till"))
    member = form.identifier("/member", raw.get("member")) or ""
    if not member and not form.has("/member"):
        form.wrong("/member", "missing")
    store = form.store(store)
    if not store and not form.has("/store"):
        form.wrong("/store", "missing")
    till = form.identifier("/till", raw.get("till")) or caller
    form.end()
    return member, store, till


def read_end(raw: Mapping[str, object]) -> str:
    """Return why a slip is revoked, or raise Malformed."""
    reason = raw.get("reason")
    form = Form(raw, "command")
    form.only(("reason",))
    if reason is None or (isinstance(reason, str) and not reason.strip()):
        form.wrong("/reason", "missing")
    elif not isinstance(reason, str):
        form.wrong("/reason", "wrong_type", expected="text", got=type_name(reason))
    elif len(reason) > REASON_MOST:
        form.wrong("/reason", "too_long", most=REASON_MOST, got=len(reason))
    form.end()
    return str(reason).strip()


def slip_for(stand: Stand, store: str, till: str, now: int, zone: Zone) -> IssueSlip:
    """Return the command that issues a slip to a member who stands like this; its credit is decided under his lock."""
    said = {
        "tier": stand.tier,
        "policy_version": stand.regime.version.number,
        "prices": list(_prices(stand, zone)),
    }
    until = now + stand.policy.offline_slip_minutes * MINUTE
    return IssueSlip(new_id(now), store, now, until, said, frozenset(stand.judged.suspended), till=till)


def _prices(stand: Stand, zone: Zone) -> Iterable[dict[str, Any]]:
    """Yield the prices that a till can work out without us: a share of the price, by category and `special` alone."""
    lines = [(category, special) for category in CATEGORIES for special in (0, 1)]
    fields: list[dict[str, int | str | None]] = [dict(zip(_PLAIN, line, strict=True)) for line in lines]
    matched = stand.regime.version.rules.prices("", fields, stand.tier, stand.inputs, stand.judged)
    for rule in stand.policy.prices.values():
        known = [line for line, rules in zip(lines, matched, strict=True) if rule.id in rules]
        begins, ends = _span(zone, rule)
        if known and _simple(rule):
            yield {
                "rule": rule.id,
                "title": {"zh": rule.title.zh, "en": rule.title.en},
                "pay_bp": rule.pay_bp,
                "rounding": rule.rounding,
                "minimum_order": rule.minimum_order,
                "minimum_quantity": rule.minimum_quantity,
                "line_cap": rule.line_cap,
                "from": rule.valid_from.isoformat() if rule.valid_from else None,
                "until": rule.valid_until.isoformat() if rule.valid_until else None,
                "begins": begins,
                "ends": ends,
                "lines": [{"category": category, "special": bool(special)} for category, special in known],
            }


def _span(zone: Zone, rule: Price) -> tuple[int | None, int | None]:
    """Return from when and until when a price is given, in seconds UTC: a till knows no dealer's zone."""
    first, last = rule.valid_from, rule.valid_until
    end = zone.end_of(last) if last else None
    return zone.start_of(first) // SECOND if first else None, end // SECOND if end is not None else None


def _simple(rule: Price) -> bool:
    return (
        rule.pay_bp is not None
        and not rule.lane
        and not rule.not_with
        and rule.beside is None
        and rule.rounded_per == "line"
        and rule.order_cap is None
        and rule.maximum_quantity is None
        and not rule.weekdays
        and all(test.subject.source != "field" or test.subject.name in _PLAIN for test in tests_of(rule.where))
    )


def signed(signer: Signer, dealer: int, slip: Mapping[str, Any]) -> str:
    """Return the slip that was recorded, as the till keeps it (RFC 7519; times in whole seconds, never later)."""
    issued, until = slip["issued_us"] // SECOND, slip["expires_us"] // SECOND
    # (One that was recorded before slips named their till has none.)
    told = {name: slip[name] for name in ("till", "tier", "policy_version", "prices", "credit") if name in slip}
    return signer.slip(
        {"iss": f"tierengine:{dealer}", "sub": slip["member"], "aud": slip["store"], "jti": slip["id"], "iat": issued,
         "nbf": issued, "exp": until, **told}
    )  # fmt: skip


# ---- revoking ----------------------------------------------------------------------------------------------------


def owner_of(link: Link, dealer: int, store: str, number: str) -> str:
    """Return whose slip it is; Unknown when there is none, or it is another store's (`store` "": any)."""
    rows = link.ask(_SLIP, dealer, SLIP + number).rows() if len(number) <= ID_MOST else []
    if not rows or store not in ("", doc(rows[0][0])["store"]):
        raise Unknown("unknown_slip", slip=number[:ID_MOST])
    return str(rows[0][1])


def end_of(number: str, reason: str) -> EndSlip:
    """Return the command that revokes a slip."""
    return EndSlip(number, reason)


def revoked(link: Link, dealer: int, since: int, after: str, most: int) -> list[str]:
    """Return the ids of slips issued since then (microseconds UTC) that were revoked: at most so many, after one.

    In the order of the slips' issue. What is revoked while somebody reads page after page may stand before the page
    that he is at: he has the list as of when he began.
    """
    first = max(f"{SLIP_END}{since:014x}", SLIP_END + after)
    rows = link.ask(_ENDS, dealer, first, SLIP_END[:-1] + ";", most).rows()
    return [str(key).removeprefix(SLIP_END) for (key,) in rows]


def shown(signer: Signer, link: Link, dealer: int, order: Order, store: str) -> Shown:
    """Return what the slip is worth that came with a sale, as of the sale's own instant."""
    said = signer.read_slip(order.slip) if len(order.slip) <= TOKEN_MOST else None
    if said is None or said["iss"] != f"tierengine:{dealer}":
        return Shown("", "forged")
    number = said["jti"]
    if said["sub"] != order.member:
        return Shown(number, "other_member")
    if said["aud"] != store:
        return Shown(number, "other_store")
    if not said["nbf"] * SECOND <= order.occurred_at < said["exp"] * SECOND:
        return Shown(number, "expired")
    ended = link.ask(_END, dealer, SLIP_END + number).rows()
    if ended and ended[0][0] <= order.occurred_at:
        return Shown(number, "revoked")
    return Shown(number, "good")
