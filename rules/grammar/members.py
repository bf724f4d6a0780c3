"""What a policy says of members: conditions, facts, traits, tiers, lists, and the service that each level is due."""

from __future__ import annotations

from typing import Final

from rules.facts import HOWS, SPANS, UNITS
from rules.grammar.shapes import (
    DATED,
    DAYS,
    FIELD,
    FILTERS,
    ID,
    IDS,
    KIND,
    KINDS,
    MINUTES,
    MONTHS,
    NUMBER,
    PERIODS,
    PROSE,
    QUANTITY,
    SPAN,
    TITLE,
    YES,
    Either,
    Form,
    Leaf,
    ListOf,
    MapOf,
    Named,
    Ref,
    Shape,
    test_of,
    word,
)
from rules.levels import TURNS


def _condition(form: str, others: Named, refused: tuple[str, ...] = ()) -> Form:
    parts = ListOf(Ref(form), one=False)
    keys: dict[str, Shape] = {"any": parts, "all": parts, "none": parts, "at_least": NUMBER, "of": parts}
    if others.source == "subject":
        counted = test_of(QUANTITY).mapping
        operators = counted.keys if isinstance(counted, Form) else {}
        keys["traits"] = Either(QUANTITY, ListOf(QUANTITY), Form({**operators, "of": IDS}))
        keys["trait"] = Either(ID, IDS, MapOf(ID, test_of(ID)))
        keys["tier"] = test_of(ID)
    return Form(keys, refused=refused, others=others)


OF_MEMBERS: Final[dict[str, Form]] = {
    "text": Form({"zh": PROSE, "en": PROSE}),
    "filters": Form({}, others=Named("tested")),
    "condition": _condition("condition", Named("subject")),
    # A trait reads facts and attributes only.
    "trait_condition": _condition("trait_condition", Named("subject"), ("traits", "trait", "tier")),
    "line_condition": _condition("line_condition", Named("tested")),
    "fact": Form(
        {
            "count": KINDS,
            "quantity": KINDS,
            "sum": FIELD,
            "max": FIELD,
            "min": FIELD,
            "distinct": FIELD,
            "months_with": KINDS,
            "days_since_first": KINDS,
            "days_since_last": KINDS,
            "years_since_first": KINDS,
            "years_since_last": KINDS,
            "days_since": DATED,
            "years_since": DATED,
            "days_to_anniversary": DATED,
            "months_to_anniversary": DATED,
            "fleet": word("owned"),
            "ratio": Either(scalar=ID, mapping=Ref("fact")),
            "to": Either(scalar=ID, mapping=Ref("fact")),
            "of": KINDS,
            "field": FIELD,
            "where": FILTERS,
            "within": SPAN,
            "preceding": SPAN,
            "in": word(*SPANS),
            "checked_within": SPAN,
            "title": TITLE,
            "unit": word(*UNITS),
        },
        one_of=(HOWS,),
        instead=("field", dict.fromkeys(("sum", "max", "min", "distinct"), KINDS)),
    ),
    "trait": Form(
        {
            "title": TITLE,
            "when": Ref("trait_condition"),
            "degrees": ListOf(Ref("degree"), one=False),
            "attested": Ref("attested"),
        },
        one_of=(("when", "degrees", "attested"),),
    ),
    "degree": Form({"id": ID, "title": TITLE, "when": Ref("trait_condition")}, required=("id", "when")),
    "attested": Form(
        {"by": IDS, "countersigned_by": IDS, "not_own_manager": YES, "valid": MONTHS}, required=("by", "valid")
    ),
    "tier": Form(
        {
            "id": ID,
            "title": TITLE,
            "level": ID,
            "when": Ref("condition"),
            "unless": Ref("condition"),
            "promotion": word("automatic", "confirmed"),
            "confirm_within": DAYS,
            "returns_undo": DAYS,
            "replaces": IDS,
            "keep": Either(scalar=word("life"), mapping=Ref("keep")),
        },
        required=("id",),
    ),
    "keep": Form(
        {
            "for": MONTHS,
            "to": word("month_end", "year_end", "end_of_next_year"),
            "grace": DAYS,
            "then": word("one_down", "as_facts_say"),
        },
        required=("then",),
        spelled={"to": "截至"},
    ),
    "list": Form(
        {"title": TITLE, "when": Ref("condition"), "of": ID, "short": NUMBER},
        one_of=(("when", "of"),),
        spelled={"of": "目标等级"},
    ),
    "level": Form(
        {
            "title": TITLE,
            "entitlements": MapOf(ID, Ref("entitlement")),
            "duties": MapOf(ID, Ref("duty")),
            "terms": MapOf(PROSE, TITLE),
        }
    ),
    "entitlement": Form(
        {
            "title": TITLE,
            "quota": Leaf("integer", ("unlimited",)),
            "period": word(*PERIODS[:-1]),
            "per_machine": YES,
            "note": TITLE,
        }
    ),
    "duty": Form(
        {
            "title": TITLE,
            "owner": ID,
            "within": MINUTES,
            "on": KINDS,
            "where": FILTERS,
            "every": SPAN,
            "on_date": DATED,
            "on_standing": ListOf(word(*TURNS)),
            "ahead": DAYS,
            "done_by": Either(scalar=KIND, items=KINDS, mapping=MapOf(KIND, FILTERS)),
            "matching": ListOf(FIELD),
            "escalate_to": ID,
            "escalate_after": MINUTES,
        },
        required=("owner", "within"),
        one_of=(("on", "every", "on_date", "on_standing"),),
        spelled={"within": "时限"},
    ),
}
