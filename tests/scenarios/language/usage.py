"""Which keys and words of the grammar a policy file uses: form and key, or key and word, for everything in it."""

from __future__ import annotations

from rules import names
from rules.conversion import words
from rules.grammar import FORMS
from rules.grammar.shapes import Either, Form, Leaf, ListOf, MapOf, Ref, Shape, shape_of
from rules.names import canonical
from rules.source import Entries, Items, Node, Scalar, read_source
from rules.values import plain
from rules.vocabulary import ATTRIBUTES, FIELDS

Used = frozenset[tuple[str, str]]
"""(form, key) of every key; (word:form.key, word) of every word that stands for a value."""


def used_in(text: str) -> Used:
    """Go through a file with the grammar in hand."""
    found: set[tuple[str, str]] = set()
    _walk(found, Ref("policy"), read_source(text, "").root, "", "")
    return frozenset(found)


def _walk(found: set[tuple[str, str]], shape: Shape | None, node: Node | None, form: str, key: str) -> None:
    if shape is None or node is None:
        return
    if isinstance(shape, Ref):
        _walk(found, FORMS[shape.form], node, shape.form, "")
    elif isinstance(shape, Leaf):
        word = words(shape.words, node.text, "en") if isinstance(node, Scalar) and shape.words else None
        if word is not None:
            found.add((f"word:{form}.{key}", word))
    elif isinstance(shape, ListOf):
        for item in node.items if isinstance(node, Items) else (node,):
            _walk(found, shape.item, item, form, key)
    elif isinstance(shape, Either):
        kinds: dict[type, Shape | None] = {Scalar: shape.scalar, Items: shape.items, Entries: shape.mapping}
        _walk(found, kinds[type(node)], node, form, key)
    elif isinstance(shape, MapOf) and isinstance(node, Entries):
        for written, value in node.pairs:
            _walk(found, shape.key, written, form, key)
            _walk(found, shape.value, value, form, key)
    elif isinstance(shape, Form) and isinstance(node, Entries):
        _form(found, shape, node, form if FORMS.get(form) is shape else "test")


def _form(found: set[tuple[str, str]], shape: Form, node: Entries, name: str) -> None:
    keys = tuple(shape.keys)
    there = [names.key(plain(written.text), keys) for written, _ in node.pairs]
    other = shape.instead[1] if shape.instead and shape.instead[0] in there else {}
    for (written, value), key in zip(node.pairs, there, strict=True):
        if key is not None:
            found.add((name, key))
            _walk(found, other.get(key, shape.keys[key]), value, name, key)
        elif shape.others is not None:
            table, chinese = (
                (ATTRIBUTES, names.ATTRIBUTES_ZH) if shape.others.source == "subject" else (FIELDS, names.FIELDS_ZH)
            )
            text = plain(written.text)
            _walk(found, shape_of(shape.others, canonical(text, table, chinese) or text), value, name, "")
