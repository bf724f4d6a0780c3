"""A member's name, phones, company contact and note: kept sealed, found by digests, shown to who may see them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from tierengine.personal.vault import Keys, Vault
from tierengine.store.dialect import Link, binary
from tierengine.store.rows import Row, Table

ROWS: Final = Table("personal", ("member_id", "field"))
_INDEX: Final = Table("personal_index")
FIELDS: Final = ("name", "phones", "contact", "note")
_SEALED: Final = "SELECT member_id, field, sealed FROM personal WHERE member_id IN (?1*) AND field IN (?2*)"
_UNFIND: Final = "DELETE FROM personal_index WHERE member_id = ?1 AND field = ?2"
_BY_DIGEST: Final = (
    "SELECT m.id, m.code FROM personal_index p JOIN member m ON m.id = p.member_id "
    "WHERE p.dealer_id = ?1 AND p.field = ?2 AND p.digest = ?3"
)
_ERASED: Final = "SELECT member_id FROM erasure WHERE member_id IN (?1*)"
_SPACES: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Person:
    """What is personal of a member. `contact`: whom to ask for at a firm. Empty: not known."""

    name: str = ""
    phones: tuple[str, ...] = ()
    contact: str = ""
    note: str = ""

    def __bool__(self) -> bool:
        return bool(self.name or self.phones or self.contact or self.note)

    def texts(self) -> dict[str, str]:
        """Return field → text, of what is there."""
        phones = orjson.dumps(known(self.phones)).decode() if self.phones else ""
        every = {"name": self.name, "phones": phones, "contact": self.contact, "note": self.note}
        return {field: text for field, text in every.items() if text}


def save(link: Link, vault: Vault, dealer: int, people: Mapping[int, Person]) -> None:
    """Store what is personal of members, in the caller's transaction; what they had of the same fields is replaced."""
    told = {member: person.texts() for member, person in people.items() if person}
    if not told:
        return
    keys = vault.keys_made(dealer, told)
    link.write(
        ROWS,
        [
            (member, field, dealer, keys.seal(member, field, text))
            for member, texts in told.items()
            if member in keys
            for field, text in texts.items()
        ],
    )
    found: list[Row] = []
    for member, texts in told.items():
        if member in keys:
            found += _digests(vault, dealer, member, people[member], texts)
    link.write(_INDEX, found)


def change(link: Link, vault: Vault, dealer: int, member: int, person: Person, fields: Iterable[str]) -> None:
    """Put these fields right; one that is empty now is taken away."""
    for field in fields:
        link.run("DELETE FROM personal WHERE member_id = ?1 AND field = ?2", member, field)
        link.run(_UNFIND, member, {"phones": "phone"}.get(field, field))
    save(link, vault, dealer, {member: person})


def _digests(vault: Vault, dealer: int, member: int, person: Person, texts: Mapping[str, str]) -> list[Row]:
    named = [("name", plain_name(person.name))] if texts.get("name") else []
    phones = [("phone", phone) for phone in known(person.phones)]
    return [(dealer, field, vault.digest(dealer, field, text), member) for field, text in (*named, *phones) if text]


def find(link: Link, vault: Vault, dealer: int, by: str, value: str) -> list[tuple[int, str]]:
    """Return (id, code) of the members with this phone or name, however it is written."""
    asked = digits(value) if by == "phone" else plain_name(value)
    if not asked:
        return []
    return [(row[0], row[1]) for row in link.ask(_BY_DIGEST, dealer, by, vault.digest(dealer, by, asked)).rows()]


def people_of(link: Link, vault: Vault, dealer: int, members: Sequence[int]) -> dict[int, Person]:
    """Return what is personal of these members; who was erased, or has nothing, is not there."""
    rows = link.ask(_SEALED, list(members), list(FIELDS)).rows()
    keys = vault.keys(dealer, {row[0] for row in rows})
    found: dict[int, dict[str, str]] = {}
    for member, field, text in opened(keys, rows):
        found.setdefault(member, {})[field] = text
    return {
        member: Person(
            texts.get("name", ""),
            tuple(orjson.loads(texts.get("phones", "[]"))),
            texts.get("contact", ""),
            texts.get("note", ""),
        )
        for member, texts in found.items()
    }


def names_of(link: Link, vault: Vault, dealer: int, members: Sequence[int]) -> dict[int, str]:
    """Return the names of these members, as far as they are known."""
    rows = link.ask(_SEALED, list(members), ["name"]).rows()
    return {member: text for member, _, text in opened(vault.keys(dealer, {row[0] for row in rows}), rows)}


def erased_of(link: Link, members: Sequence[int]) -> set[int]:
    """Return who of these was erased."""
    return {row[0] for row in link.ask(_ERASED, list(members)).rows()}


def opened(keys: Keys, rows: Iterable[Row]) -> list[tuple[int, str, str]]:
    """Return (member, field, text) of rows (member, field, sealed) whose key is there."""
    return [
        (member, field, keys.open(member, field, binary(sealed))) for member, field, sealed in rows if member in keys
    ]


def known(phones: Iterable[str]) -> list[str]:
    """Return phones as they are looked up, each once."""
    return list(dict.fromkeys(filter(None, map(digits, phones))))


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


def plain_name(name: str) -> str:
    """Return a name as it is looked up: full-width letters, case and spaces make no difference."""
    return _SPACES.sub("", unicodedata.normalize("NFKC", name)).casefold()
