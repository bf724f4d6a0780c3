"""JSON Schema (draft-07) of a policy file, for editors: completion, hover and the wrong key underlined while typing.

Made from the grammar and the vocabulary, in Chinese, in English, or with both spellings of everything. It knows shapes,
names and rough forms of values; what a file means is checked by `rules.reader` alone, so whatever the reader takes the
schema takes too. Patterns use only what regular expressions of JavaScript and Python have in common.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from rules.grammar import FORMS
from rules.grammar.shapes import Either, Form, Leaf, ListOf, MapOf, Named, Ref, Shape, shape_of
from rules.keys import ALSO, KEYS, WORDS
from rules.names import carried_by
from rules.problems import Lang
from rules.schema_leaves import LEAVES, Json, typed
from rules.schema_texts import KEY_TEXTS, Said
from rules.schema_words import TYPE_TEXTS, WORD_TEXTS, field_text
from rules.vocabulary import ATTRIBUTES, CATEGORIES, FIELDS, KINDS, FieldType, Kind

Tongue = Literal["zh", "en", "mixed"]
_TITLES: Final = {"zh": "会员政策文件", "en": "Membership policy", "mixed": "会员政策文件 / Membership policy"}


def policy_schema(tongue: Tongue) -> Json:
    """Return the schema whose keys and words are in one tongue, or in both."""
    maker = _Maker(tongue)
    root = maker.form("policy", FORMS["policy"])
    definitions = {name: maker.form(name, form) for name, form in FORMS.items() if name != "policy"}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": _TITLES[tongue],
        **root,
        "definitions": {**definitions, **maker.shared},
    }


class _Maker:
    def __init__(self, tongue: Tongue) -> None:
        self._tongue = tongue
        self.shared: dict[str, Json] = {}

    # ---- words of the tongue ---------------------------------------------------------------------------------------

    def _say(self, said: Said) -> str:
        zh, en = said
        return zh if self._tongue == "zh" else en if self._tongue == "en" else f"{zh}\n\n{en}"

    def _spell(self, name: str, chinese: str) -> list[str]:
        # Of both the Chinese one comes first: editors name the first when one is missing.
        both: dict[Tongue, list[str]] = {"zh": [chinese], "en": [name], "mixed": [chinese, name]}
        return both[self._tongue]

    def _keys(self, form: Form, key: str) -> list[str]:
        """List the spellings of a key, those that are suggested first."""
        good = self._spell(key, form.chinese(key))
        more = (KEYS[key], *ALSO.get(key, ())) if self._tongue != "en" else ()
        return [*good, *(one for one in dict.fromkeys(more) if one not in good)]

    # ---- shapes ----------------------------------------------------------------------------------------------------

    def shape(self, shape: Shape) -> Json:
        """Return the schema of one place."""
        if isinstance(shape, Leaf):
            return self._leaf(shape)
        if isinstance(shape, Ref):
            return {"$ref": f"#/definitions/{shape.form}"}
        if isinstance(shape, ListOf):
            item = self.shape(shape.item)
            many: Json = {"type": "array", "items": item}
            return {"anyOf": [item, many]} if shape.one else many
        if isinstance(shape, MapOf):
            return self._map(shape)
        if isinstance(shape, Either):
            return self._either(shape)
        return self.form("test", shape)

    def _either(self, shape: Either) -> Json:
        inside = shape.mapping
        if not isinstance(inside, Form) or shape.scalar is None:
            parts = [part for part in (shape.scalar, shape.items, inside) if part is not None]
            return {"anyOf": [self.shape(part) for part in parts]}
        # A TEST: the same few stand under hundreds of names.
        name = "test_" + ("traits" if "of" in inside.keys else shape.scalar.type)
        parts = [part for part in (shape.scalar, shape.items, inside) if part is not None]
        return self._share(name, lambda: {"anyOf": [self.shape(part) for part in parts]})

    def _share(self, name: str, make: Callable[[], Json]) -> Json:
        """Define what stands in many places once."""
        if name not in self.shared:
            self.shared[name] = make()
        return {"$ref": f"#/definitions/{name}"}

    def _leaf(self, leaf: Leaf) -> Json:
        if leaf.type == "word":
            return self._enum({name: (WORDS[name], WORD_TEXTS[name]) for name in leaf.words})
        rows = self._rows(leaf)
        if rows and leaf.words:
            return self._enum(rows | {name: (WORDS[name], WORD_TEXTS[name]) for name in leaf.words})
        if rows and leaf.of:
            return self._enum({name: rows[name] for name in leaf.of})
        if rows:
            return self._share(leaf.type, lambda: self._enum(rows))
        if leaf.type == "yes":
            return {"enum": [*(one for name in ("yes", "no") for one in self._spell(name, WORDS[name])), True, False]}
        return typed(leaf, self._tongue)

    def _rows(self, leaf: Leaf) -> dict[str, tuple[str, Said]]:
        if leaf.type == "kind":
            return {kind.id: (kind.zh, _kind_text(kind)) for kind in KINDS.values()}
        if leaf.type == "field":
            return {one.id: (one.zh, field_text(one.id)) for one in FIELDS.values()}
        if leaf.type == "attribute":
            return {one.id: (one.zh, TYPE_TEXTS[one.type]) for one in ATTRIBUTES.values()}
        if leaf.type == "category":
            return {name: (zh, (f"类别：{zh}。", f"Category {name}.")) for name, (zh, _) in CATEGORIES.items()}
        return {}

    def _enum(self, rows: dict[str, tuple[str, Said]]) -> Json:
        listed = [(one, self._say(said)) for name, (zh, said) in rows.items() for one in self._spell(name, zh)]
        return {"enum": [one for one, _ in listed], "enumDescriptions": [text for _, text in listed]}

    def _map(self, shape: MapOf) -> Json:
        value = self.shape(shape.value)
        key = shape.key
        found: Json = {"type": "object"}
        if key.type in ("word", "kind"):
            names = self._enum(self._rows(key)) if key.type == "kind" else self._leaf(key)
            said = dict(zip(names["enum"], names["enumDescriptions"], strict=True))
            found["properties"] = {name: _described(value, "", text) for name, text in said.items()}
            found["additionalProperties"] = False
        elif key.words:
            chinese = {**WORDS, **KEYS}
            found["properties"] = {
                one: _described(value, "", self._say(WORD_TEXTS[name]))
                for name in key.words
                for one in self._spell(name, chinese[name])
            }
            if key.type == "rung":
                found["patternProperties"] = {LEAVES["rung"]["pattern"]: value}
            found["additionalProperties"] = value if key.type != "rung" else False
        else:
            found["additionalProperties"] = value
            if key.type == "id":
                found["propertyNames"] = {"pattern": LEAVES["id"]["pattern"]}
        return found

    # ---- forms -----------------------------------------------------------------------------------------------------

    def form(self, name: str, form: Form) -> Json:
        """Return the schema of a mapping with known keys."""
        texts = KEY_TEXTS.get(name, {})
        properties: dict[str, Any] = {}
        for key, shape in form.keys.items():
            spellings = self._keys(form, key)
            found = self._alternatives(form, key, shape)
            good = len(self._spell(key, ""))
            for place, spelling in enumerate(spellings):
                title = f"{form.chinese(key)} ({key})" if spelling != key else f"{key} ({form.chinese(key)})"
                told = _described(found, title, self._say(texts[key]))
                shown: Any = False if key in form.refused else told if place < good else {**told, "doNotSuggest": True}
                # A spelling that is only also read gives way to the key it properly belongs to.
                if place < good or spelling not in properties:
                    properties[spelling] = shown
        if form.others is not None:
            properties |= self._named(form.others)
        result: Json = {"type": "object", "properties": properties, "additionalProperties": False}
        if form.others is not None and form.others.source == "subject":
            # Any other name is a fact of the file.
            result["additionalProperties"] = self.shape(shape_of(form.others, "") or Leaf("text"))
        self._demand(form, result)
        if name == "event":
            result["allOf"] = [*result.get("allOf", ()), *self._by_kind(form)]
        return result

    def _alternatives(self, form: Form, key: str, shape: Shape) -> Json:
        found = self.shape(shape)
        if form.instead and key in form.instead[1]:
            return {"anyOf": [found, self.shape(form.instead[1][key])]}
        return found

    def _demand(self, form: Form, result: Json) -> None:
        required = []
        choices = []
        for key in form.required:
            spellings = self._keys(form, key)
            if len(spellings) == 1:
                required += spellings
            else:
                choices.append(spellings)
        choices += [[one for key in group for one in self._keys(form, key)] for group in form.one_of]
        if required:
            result["required"] = required
        if choices:
            result["allOf"] = [{"anyOf": [{"required": [one]} for one in group]} for group in choices]

    def _named(self, named: Named) -> dict[str, Json]:
        found: dict[str, Json] = {}
        rows: list[tuple[str, str, FieldType]] = (
            [(one.id, one.zh, one.type) for one in ATTRIBUTES.values()]
            if named.source == "subject"
            else [(one.id, one.zh, one.type) for one in FIELDS.values()]
        )
        for name, zh, type_ in rows:
            shape = shape_of(named, name)
            if shape is None:
                continue
            for spelling in self._spell(name, zh):
                title = f"{zh} ({name})" if spelling == zh else f"{name} ({zh})"
                found[spelling] = _described(self.shape(shape), title, self._say(TYPE_TEXTS[type_]))
        return found

    def _by_kind(self, form: Form) -> list[Json]:
        """An event has the fields of its kind and no others."""
        keys = self._keys(form, "event")
        own = [one for key in form.keys for one in self._keys(form, key)]
        found = []
        for kind in KINDS.values():
            named = self._spell(kind.id, kind.zh)
            asked = [{"required": [key], "properties": {key: {"enum": named}}} for key in keys]
            fields = [one for name in carried_by(kind.id) for one in self._spell(name, FIELDS[name].zh)]
            found.append({"if": {"anyOf": asked}, "then": {"propertyNames": {"enum": [*own, *fields]}}})
        return found


def _described(schema: Json, title: str, text: str) -> Json:
    """Put words beside a schema: beside a `$ref` itself they would not be read."""
    inner = schema
    if "$ref" in schema:
        # An editor that knows it is a mapping begins it on a new line.
        named = str(schema["$ref"]).rpartition("/")[2] in FORMS
        inner = {**({"type": "object"} if named else {}), "allOf": [schema]}
    return {**({"title": title} if title else {}), "description": text, **inner}


def _kind_text(kind: Kind) -> Said:
    lang: Lang
    said = []
    for lang in ("zh", "en"):
        names = [FIELDS[name].zh if lang == "zh" else name for name in dict.fromkeys((*kind.fields, *kind.lines))]
        if lang == "zh":
            text = f"{kind.zh}（{kind.id}）。" + (f"字段：{'、'.join(names)}。" if names else "")
            said.append(text + ("采纳后才算。" if kind.submission else "") + ("只由规则产生。" if kind.derived else ""))
        else:
            text = f"{kind.id}." + (f" Fields: {', '.join(names)}." if names else "")
            more = " Counts once accepted." if kind.submission else " Made by rules only." if kind.derived else ""
            said.append(text + more)
    return said[0], said[1]
