"""Names in two tongues: written key, word, kind, field, attribute or category → its canonical English form.

Lookups are always among a few candidates, so that a spelling with two meanings is read by where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from rules.keys import ALSO, KEYS, WORDS
from rules.vocabulary import ATTRIBUTES, CATEGORIES, COMMON, FIELDS, KINDS, PROSE

KINDS_ZH: Final[Mapping[str, str]] = {kind.id: kind.zh for kind in KINDS.values()}
FIELDS_ZH: Final[Mapping[str, str]] = {field.id: field.zh for field in FIELDS.values()}
ATTRIBUTES_ZH: Final[Mapping[str, str]] = {item.id: item.zh for item in ATTRIBUTES.values()}
CATEGORIES_ZH: Final[Mapping[str, str]] = {name: row[0] for name, row in CATEGORIES.items()}
LENGTHS_ZH: Final[Mapping[str, str]] = {
    "minutes": "分钟", "hours": "小时", "days": "天", "weeks": "周", "months": "个月", "years": "年",
}  # fmt: skip
OPERATORS: Final = ("at_least", "more_than", "at_most", "less_than", "is", "is_not", "in", "not_in")
CONDITION_KEYS: Final = ("any", "all", "none", "at_least", "of", "traits", "trait", "tier")


def canonical(text: str, candidates: Iterable[str], spelled: Mapping[str, str]) -> str | None:
    """Return the candidate that `text` names in either tongue, or None."""
    for name in candidates:
        if text == name or text == spelled.get(name):
            return name
    return None


def key(text: str, candidates: tuple[str, ...]) -> str | None:
    """Return the key among `candidates` that `text` spells in either tongue."""
    return _spellings(candidates).get(text)


@lru_cache(maxsize=256)
def _spellings(candidates: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in candidates:
        for spelling in ALSO.get(name, ()):
            found.setdefault(spelling, name)
    found |= {KEYS.get(name, name): name for name in candidates}
    return found | {name: name for name in candidates}


def keys_zh(names: Iterable[str]) -> tuple[str, ...]:
    """Spell keys in Chinese."""
    return tuple(KEYS.get(name, name) for name in names)


def words_zh(names: Iterable[str]) -> tuple[str, ...]:
    """Spell words in Chinese."""
    return tuple(WORDS.get(name, name) for name in names)


def spelled(names: Iterable[str], table: Mapping[str, str]) -> tuple[str, ...]:
    """Spell names in Chinese by `table`."""
    return tuple(table.get(name, name) for name in names)


@lru_cache(maxsize=256)
def carried_by(kind: str) -> tuple[str, ...]:
    """List the fields that an event of this kind or one of its lines carries."""
    found = KINDS[kind]
    return tuple(dict.fromkeys((*found.fields, *found.lines, *COMMON)))


@lru_cache(maxsize=256)
def fields_of(kind: str) -> tuple[str, ...]:
    """List the fields of an event of this kind, or of one of its lines, that a policy may read."""
    return tuple(name for name in carried_by(kind) if name not in PROSE)


@lru_cache(maxsize=256)
def fields_of_all(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """List the fields that at least one of these kinds carries."""
    return tuple(dict.fromkeys(name for kind in kinds for name in fields_of(kind)))
