"""A text that stands under a name in a document, as an index holds it on SQLite.

PostgreSQL indexes `document ->> 'name'` itself. SQLite, told to trust no schema, runs none of its JSON functions for an
index; so there an index holds what the document's text has between the name and the next quotation mark. That is the
text itself, or, of one with quotation marks, its beginning: who looks one up asks for the value too. It is right for
documents as we write them: canonical, and with no other object inside that has the name before.
"""

from __future__ import annotations


def indexed(document: str, name: str) -> str:
    """Return the expression by which an index of SQLite holds the text under `name`, a name of ASCII."""
    start = f'instr({document}, \'"{name}":"\') + {len(name) + 4}'
    return f"substr({document}, {start}, instr(substr({document}, {start}), '\"') - 1)"


def there(document: str, name: str) -> str:
    """Return the condition under which there is a text under `name`."""
    return f'instr({document}, \'"{name}":"\') > 0'


def among(document: str, name: str, place: int) -> str:
    """Return the condition that the text under `name` may be one of the list at `place`; an index answers it."""
    held = "substr(json_quote(value), 2, instr(substr(json_quote(value), 2), '\"') - 1)"
    return f"{there(document, name)} AND {indexed(document, name)} IN (SELECT {held} FROM json_each(?{place}))"
