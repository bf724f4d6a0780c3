"""An example: what happened, and what should come of it."""

from __future__ import annotations

from typing import Final, get_args

from rules.grammar.shapes import (
    AMOUNT,
    DATE,
    ID,
    IDS,
    KIND,
    MOMENT,
    MONEY,
    TEXT,
    TITLE,
    Either,
    Form,
    Leaf,
    ListOf,
    MapOf,
    Named,
    Ref,
    word,
)
from rules.policy import State

EXAMPLES: Final[dict[str, Form]] = {
    "example": Form(
        {"title": TITLE, "given": ListOf(Ref("event"), one=False), "expect": Ref("expect")},
        required=("given", "expect"),
    ),
    "event": Form(
        {"event": KIND, "at": MOMENT, "member": TEXT, "store": TEXT}, required=("event", "at"), others=Named("field")
    ),
    "line": Form({}, others=Named("field")),
    "expect": Form(
        {
            "member": TEXT,
            "at": MOMENT,
            "tier": ID,
            "state": word(*get_args(State)),
            "since": DATE,
            "until": DATE,
            "level": ID,
            "traits": IDS,
            "why": IDS,
            "grants": MapOf(ID, AMOUNT),
            "balance": MapOf(ID, AMOUNT),
            "pays": Either(scalar=MONEY, mapping=MapOf(TEXT, MONEY)),
            "price": Either(scalar=MONEY, mapping=MapOf(TEXT, MONEY)),
            "entitlements": Either(ID, IDS, MapOf(ID, Leaf("integer", ("unlimited",)))),
            "duties": IDS,
            "lists": IDS,
        }
    ),
}
