"""The shape of a policy file as values: which keys stand where, and what stands under each.

`rules.reader` and its sections are the judge of a file; this is the same grammar said once more as data, for what has
to walk the whole of it: the converter between the tongues, the numbers in Excel and the JSON Schema. A test reads a
file that holds one of everything and compares every mapping that the reader took with the one that stands here.

What shapes there are: shapes. The forms: members, benefits, examples; the file itself stands here.
"""

from __future__ import annotations

from typing import Final

from rules.grammar.benefits import BENEFITS
from rules.grammar.examples import EXAMPLES
from rules.grammar.members import OF_MEMBERS
from rules.grammar.shapes import DAYS, ID, MINUTES, NUMBER, TEXT, TITLE, Form, Leaf, ListOf, MapOf, Ref, word

_FILE: Final[dict[str, Form]] = {
    "policy": Form(
        {
            "programme": ID,
            "title": TITLE,
            "currency": Leaf("currency"),
            "timezone": Leaf("timezone"),
            "returned_as": word("return", "cancelled"),
            "late": MapOf(Leaf("source", ("till", "erp")), DAYS),
            "manager_limit": NUMBER,
            "price_token": MINUTES,
            "offline_slip": MINUTES,
            "facts": MapOf(ID, Ref("fact")),
            "traits": MapOf(ID, Ref("trait")),
            "tiers": ListOf(Ref("tier"), one=False),
            "lists": MapOf(ID, Ref("list")),
            "segments": MapOf(TEXT, ID),
            "levels": MapOf(ID, Ref("level")),
            "wallets": MapOf(ID, Ref("wallet")),
            "lanes": MapOf(ID, Ref("lane")),
            "prices": MapOf(ID, Ref("price")),
            "emissions": MapOf(ID, Ref("emission")),
            "rewards": MapOf(ID, Ref("reward")),
            "budgets": MapOf(ID, Ref("budget")),
            "awards": MapOf(ID, Ref("award")),
            "examples": ListOf(Ref("example"), one=False),
        },
        required=("programme", "tiers"),
    ),
}

# Form → its keys.
FORMS: Final[dict[str, Form]] = _FILE | OF_MEMBERS | BENEFITS | EXAMPLES
