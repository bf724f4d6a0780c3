"""Dealers, stores, members and API keys: who there is. Every function runs in the caller's transaction.

Personal data (names, phones) stand in tables of their own and never leave them; elsewhere a member is his code.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from tierengine.errors import Conflict, Denied, Unknown
from tierengine.store.dialect import Link, Row, Table
from tierengine.store.ids import Ids
from tierengine.store.tables.judgement import Ledger
from tierengine.store.tables.people import ApiKey, Dealer, Member, MemberPerson, MemberPhone, Store

_DEALERS: Final = Table(Dealer)
_STORES: Final = Table(Store)
_MEMBERS: Final = Table(Member)
_PERSONS: Final = Table(MemberPerson)
_PHONES: Final = Table(MemberPhone)
_LEDGERS: Final = Table(Ledger)
_KEYS: Final = Table(ApiKey)

ROLES: Final = (
    "pos", "sales_manager", "archivist", "policy_editor", "policy_approver", "award_owner", "auditor", "admin",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewMember:
    """A customer to put on file. `form` is person or firm; name, phones and note are personal data."""

    code: str
    name: str = ""
    phones: tuple[str, ...] = ()
    form: str = "person"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key it is that a request carries. `scope` is what idempotency keys are scoped to."""

    key_id: int
    dealer_id: int
    store_id: int | None
    store: str
    role: str

    @property
    def scope(self) -> str:
        """Return the scope of the caller's idempotency keys."""
        return f"key:{self.key_id}"


def create_dealer(
    link: Link, ids: Ids, code: str, name: str, timezone: str = "Asia/Shanghai", currency: str = "CNY"
) -> int:
    """Put a dealer on file; the first policy version sets his zone and currency."""
    _free(link.ask("SELECT code FROM dealer WHERE code = ?1", code).rows())
    number = ids.take()
    link.write(_DEALERS, [(number, code, name, timezone, currency)])
    return number


def create_store(link: Link, ids: Ids, dealer_id: int, code: str, name: str) -> int:
    """Put a place of sale on file."""
    _free(link.ask("SELECT code FROM store WHERE dealer_id = ?1 AND code = ?2", dealer_id, code).rows())
    number = ids.take()
    link.write(_STORES, [(number, dealer_id, code, name)])
    return number


def create_members(link: Link, ids: Ids, dealer_id: int, members: Sequence[NewMember], now: int) -> list[int]:
    """Put customers on file and return their ids; Conflict when a code is taken.

    The ledger row comes with the member: it is what his transactions lock. Accounts come with his first money.
    """
    _free(
        link.ask(
            "SELECT code FROM member WHERE dealer_id = ?1 AND code IN (?2*)", dealer_id, [m.code for m in members]
        ).rows()
    )
    numbers = [ids.take() for _ in members]
    pairs = list(zip(numbers, members, strict=True))
    link.write(_MEMBERS, [(number, dealer_id, new.code, new.form, now) for number, new in pairs])
    link.write(_LEDGERS, [(number, dealer_id, 0, 0, 0, "", "", None, "") for number in numbers])
    phones = [tuple(dict.fromkeys(filter(None, map(digits, new.phones)))) for new in members]
    link.write(
        _PERSONS,
        [
            (number, dealer_id, new.name, orjson.dumps(known).decode(), new.note)
            for (number, new), known in zip(pairs, phones, strict=True)
        ],
    )
    link.write(
        _PHONES,
        [(dealer_id, phone, number) for number, known in zip(numbers, phones, strict=True) for phone in known],
    )
    return numbers


def digits(phone: str) -> str:
    """Return a phone number as it is looked up: digits only, without China's country code."""
    plain = re.sub(r"\D", "", phone, flags=re.ASCII)
    return plain.removeprefix("86") if len(plain) == 13 and plain.startswith("861") else plain


# ---- look-up ----------------------------------------------------------------------------------------------------

_BY: Final = {
    "code": "SELECT id, code FROM member WHERE dealer_id = ?1 AND code = ?2",
    "phone": "SELECT m.id, m.code FROM member_phone p JOIN member m ON m.id = p.member_id "
    "WHERE p.dealer_id = ?1 AND p.phone = ?2",
    "card_no": "SELECT m.id, m.code FROM attribute a JOIN member m ON m.id = a.member_id "
    "WHERE a.dealer_id = ?1 AND a.name = 'card_no' AND a.value = ?2",
    "serial": "SELECT m.id, m.code FROM machine x JOIN member m ON m.id = x.member_id "
    "WHERE x.dealer_id = ?1 AND x.serial = ?2",
}


def find_members(link: Link, dealer_id: int, by: str, value: str) -> list[tuple[int, str]]:
    """Return (id, code) of the members found by code, phone, card_no or serial, in order of their codes."""
    asked = digits(value) if by == "phone" else value
    return sorted(((row[0], row[1]) for row in link.ask(_BY[by], dealer_id, asked).rows()), key=lambda found: found[1])


# ---- keys -------------------------------------------------------------------------------------------------------


def create_key(link: Link, ids: Ids, dealer_id: int, role: str, now: int, store_id: int | None = None) -> str:
    """Make an API key and return it; it is shown this once, only its digest is stored.

    `te_<prefix>_<secret><checksum>`: the prefix (48 bits) finds the row, the secret has 192 bits, and the checksum
    tells a mistyped key from a wrong one without asking the database.
    """
    if role not in ROLES:
        raise ValueError(f"{role!r} is no role; there are {', '.join(ROLES)}")
    prefix, secret = secrets.token_hex(6), secrets.token_hex(24)
    body = f"te_{prefix}_{secret}"
    key = body + _checksum(body)
    link.write(_KEYS, [(ids.take(), dealer_id, store_id, prefix, _digest(key), role, now, None)])
    return key


def caller(link: Link, key: str) -> Caller:
    """Return whose key it is; Denied when it is nobody's or revoked."""
    parts = key.split("_")
    if (
        not key.isascii()
        or len(parts) != 3
        or parts[0] != "te"
        or not hmac.compare_digest(_checksum(key[:-8]), key[-8:])
    ):
        raise Denied("unauthenticated")
    rows = link.ask(
        "SELECT k.id, k.dealer_id, k.store_id, k.digest, k.role, s.code FROM api_key k "
        "LEFT JOIN store s ON s.id = k.store_id WHERE k.prefix = ?1 AND k.revoked_at IS NULL",
        parts[1],
    ).rows()
    if not rows or not hmac.compare_digest(rows[0][3], _digest(key)):
        raise Denied("unauthenticated")
    number, dealer_id, store_id, _, role, store = rows[0]
    return Caller(number, dealer_id, store_id, store or "", role)


def revoke_key(link: Link, dealer_id: int, prefix: str, now: int) -> None:
    """End a key; Unknown when the dealer has none of this prefix in force."""
    ended = link.ask(
        "UPDATE api_key SET revoked_at = ?1 WHERE dealer_id = ?2 AND prefix = ?3 AND revoked_at IS NULL RETURNING id",
        now,
        dealer_id,
        prefix,
    )
    if not ended.rows():
        raise Unknown("not_found")


def _digest(key: str) -> str:
    # A plain hash is enough: what is hashed has 192 random bits, which nobody tries out.
    return hashlib.sha256(key.encode()).hexdigest()


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def _free(rows: Sequence[Row]) -> None:
    if rows:
        raise Conflict("code_taken", taken=rows[0][0])
