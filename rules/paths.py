"""Where a path of a file leads in the grammar, and how the path and the keys there are spelled in Chinese.

`rewards.off.for` is 奖励.off.适用: an id stays as it is, also one that spells a key; a key is spelled as in its form.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from rules.grammar import FORMS
from rules.grammar.shapes import Either, Form, ListOf, MapOf, Named, Ref, Shape, shape_of
from rules.keys import KEYS, WORDS
from rules.names import ATTRIBUTES_ZH, FIELDS_ZH, KINDS_ZH

_ROOT: Final = Ref("policy")
_WORDS: Final = {"source": KEYS, "word": WORDS, "kind": KINDS_ZH}


def path_zh(path: str) -> str:
    """Spell a path in Chinese; kinds of events, given in place of a path, by their names."""
    if not path:
        return "文件"
    kinds = path.split(", ")
    return ", ".join(KINDS_ZH[one] for one in kinds) if kinds[0] in KINDS_ZH else _walk(path)[0]


def keys_zh(path: str, keys: Iterable[str]) -> tuple[str, ...]:
    """Spell the keys of the mapping at `path` in Chinese."""
    found = _walk(path)[1] if path else FORMS["policy"]
    form = _form(found)
    return tuple(form.chinese(key) if form and key in form.keys else KEYS.get(key, key) for key in keys)


@lru_cache(maxsize=1024)
def _walk(path: str) -> tuple[str, Shape | None]:
    at: Shape | None = _ROOT
    spelled = []
    for part in path.split("."):
        name, bracket, number = part.partition("[")
        word, at = _step(at, name)
        spelled.append(word + bracket + number)
        if bracket:
            at = _item(at)
    return ".".join(spelled), at


def _step(shape: Shape | None, name: str) -> tuple[str, Shape | None]:
    """Return how a part of a path is spelled, and what stands under it; None once the grammar does not know."""
    if isinstance(shape, Ref):
        shape = FORMS[shape.form]
    if isinstance(shape, Either):
        inner = shape.mapping if shape.mapping is not None else shape.items
        return _step(inner, name)
    if isinstance(shape, Form):
        if name in shape.keys:
            return shape.chinese(name), shape.keys[name]
        return _other(shape.others, name)
    if isinstance(shape, MapOf):
        return _WORDS.get(shape.key.type, {}).get(name, name), shape.value
    if isinstance(shape, ListOf):  # whose items have ids
        return name, shape.item
    return KEYS.get(name, name), None


def _other(others: Named | None, name: str) -> tuple[str, Shape | None]:
    """Return a name that is no key: a field's or an attribute's, a fact's."""
    if others is None:
        return KEYS.get(name, name), None
    if others.source == "subject":
        return ATTRIBUTES_ZH.get(name, name), shape_of(others, name)
    field = next((one for one, zh in FIELDS_ZH.items() if name in (one, zh)), "")
    return FIELDS_ZH.get(field, name), shape_of(others, field) if field else None


def _item(shape: Shape | None) -> Shape | None:
    if isinstance(shape, Either):
        shape = shape.items
    return shape.item if isinstance(shape, ListOf) else None


def _form(shape: Shape | None) -> Form | None:
    if isinstance(shape, Either):
        shape = shape.mapping
    if isinstance(shape, Ref):
        return FORMS[shape.form]
    return shape if isinstance(shape, Form) else None
