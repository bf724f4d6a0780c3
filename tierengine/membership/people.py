"""Dealers, stores and members: who there is. Every function runs in the caller's transaction.

Personal data (names, phones) stand apart, sealed (tierengine/personal); elsewhere a member is his code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tierengine.errors import Conflict
from tierengine.personal import records
from tierengine.personal.records import Person
from tierengine.personal.vault import Vault
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.store.rows import Row, Table

_DEALERS: Final = Table("dealer")
_STORES: Final = Table("store")
_MEMBERS: Final = Table("member")
_LEDGERS: Final = Table("ledger", made=("joined_id",))


@dataclass(frozen=True, slots=True)
class NewMember:
    """A customer to put on file. `form` is person or firm; the rest is personal data, and is sealed."""

    code: str
    name: str = ""
    phones: tuple[str, ...] = ()
    form: str = "person"
    note: str = ""
    contact: str = ""

    @property
    def person(self) -> Person:
        """Return what is personal of him."""
        return Person(self.name, self.phones, self.contact, self.note)


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


def create_members(
    link: Link, ids: Ids, dealer_id: int, members: Sequence[NewMember], now: int, vault: Vault | None = None
) -> list[int]:
    """Put customers on file and return their ids; Conflict when a code is taken.

    The ledger row comes with the member: it is what his transactions lock. Accounts come with his first money. Without
    a vault nothing personal can be stored: ValueError.
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
    people = {number: new.person for number, new in pairs if new.person}
    if people:
        if vault is None:
            raise ValueError("names and phones are kept sealed: a vault is needed")
        records.save(link, vault, dealer_id, people)
    return numbers


# ---- look-up ----------------------------------------------------------------------------------------------------

SEALED: Final = ("phone", "name")
_STAND: Final = (
    "SELECT m.id, m.code FROM ledger l JOIN member m ON m.id = COALESCE(l.joined_id, l.member_id) "
    "WHERE l.member_id IN (?1*)"
)
_BY: Final = {
    "code": "SELECT id, code FROM member WHERE dealer_id = ?1 AND code = ?2",
    "card_no": "SELECT m.id, m.code FROM attribute a JOIN member m ON m.id = a.member_id "
    "WHERE a.dealer_id = ?1 AND a.name = 'card_no' AND a.value = ?2",
    "serial": "SELECT m.id, m.code FROM machine x JOIN member m ON m.id = x.member_id "
    "WHERE x.dealer_id = ?1 AND x.serial = ?2",
}


def find_members(link: Link, dealer_id: int, by: str, value: str, vault: Vault | None = None) -> list[tuple[int, str]]:
    """Return (id, code) of the members found by code, card_no or serial, in order of their codes.

    Who is merged into another is found as that one, but for the code, which names him.

    By phone or name only with a vault, which alone knows how they are written down; without one: ValueError.
    """
    if by == "code":
        return _sorted((row[0], row[1]) for row in link.ask(_BY[by], dealer_id, value).rows())
    if by not in SEALED:
        return _standing(link, ((row[0], row[1]) for row in link.ask(_BY[by], dealer_id, value).rows()))
    if vault is None:
        raise ValueError(f"members are found by {by} with a vault only")
    return _standing(link, records.find(link, vault, dealer_id, by, value))


def _standing(link: Link, found: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return who stands for those who were found."""
    ids = [number for number, _ in found]
    return _sorted({(row[0], row[1]) for row in link.ask(_STAND, ids).rows()}) if ids else []


def _sorted(found: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    return sorted(found, key=lambda one: one[1])


def _free(rows: Sequence[Row]) -> None:
    if rows:
        raise Conflict("code_taken", taken=rows[0][0])
