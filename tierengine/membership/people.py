"""Dealers, stores and members: who there is. Every function runs in the caller's transaction.

Personal data (names, phones) stand in tables of their own and never leave them; elsewhere a member is his code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from tierengine.errors import Conflict
from tierengine.store.dialect import Link, Row, Table
from tierengine.store.ids import Ids
from tierengine.store.tables.judgement import Ledger
from tierengine.store.tables.people import Dealer, Member, MemberPerson, MemberPhone, Store

_DEALERS: Final = Table(Dealer)
_STORES: Final = Table(Store)
_MEMBERS: Final = Table(Member)
_PERSONS: Final = Table(MemberPerson)
_PHONES: Final = Table(MemberPhone)
_LEDGERS: Final = Table(Ledger)


@dataclass(frozen=True, slots=True)
class NewMember:
    """A customer to put on file. `form` is person or firm; name, phones and note are personal data."""

    code: str
    name: str = ""
    phones: tuple[str, ...] = ()
    form: str = "person"
    note: str = ""


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
    """Return a phone number as it is looked up: half-width digits, as it is dialled inside China.

    +86 and 0086 fall away, also without the plus before a mobile; a landline gets its 0 back. What is no number is "".
    """
    text = unicodedata.normalize("NFKC", phone).strip()
    plain = re.sub(r"[^0-9]", "", text)
    abroad = plain if text.startswith("+") else plain[2:] if plain.startswith("00") else ""
    if abroad.startswith("86"):
        home = abroad[2:].lstrip("0")
        return home if len(home) == 11 and home.startswith("1") else f"0{home}" if home else ""
    return plain[2:] if len(plain) == 13 and plain.startswith("861") else plain


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


def _free(rows: Sequence[Row]) -> None:
    if rows:
        raise Conflict("code_taken", taken=rows[0][0])
