"""The shape of a policy file as values: which keys stand where, and what stands under each.

`rules.reader` and its sections are the judge of a file; this is the same grammar said once more as data, for what has
to walk the whole of it: the converter between the tongues and the JSON Schema. A test reads a file that holds one of
everything and compares every mapping that the reader took with the one that stands here.
"""

from __future__ import annotations

from typing import Final, get_args

from rules.facts import HOWS, SPANS, UNITS
from rules.levels import TURNS
from rules.policy import State
from rules.schema_shapes import (
    AMOUNT,
    CATEGORY,
    DATE,
    DATED,
    DATES,
    DAYS,
    FIELD,
    ID,
    IDS,
    KIND,
    KINDS,
    LEAST_MONEY,
    LEAST_PIECES,
    MEMBERS,
    MINUTES,
    MOMENT,
    MONEY,
    MONTHS,
    NUMBER,
    PERCENT,
    PROSE,
    QUANTITY,
    SPAN,
    TEXT,
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

# ---- parts that stand in several sections ------------------------------------------------------------------------

_FOR: Final = {"for": "适用"}
_FILTERS: Final = Ref("filters")
_AMOUNTS: Final[dict[str, Shape]] = {
    "amount": AMOUNT,
    "per": Ref("per"),
    "nth": MapOf(Leaf("rung", ("after",)), Leaf("amount", ("none",))),
}
_PERIODS: Final = ("life", "year", "quarter", "month", "day")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


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


# ---- the file ------------------------------------------------------------------------------------------------------

FORMS: Final[dict[str, Form]] = {
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
            "fleet": word("owned"),
            "ratio": Either(scalar=ID, mapping=Ref("fact")),
            "to": Either(scalar=ID, mapping=Ref("fact")),
            "of": KINDS,
            "field": FIELD,
            "where": _FILTERS,
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
    "wallet": Form(
        {
            "title": TITLE,
            "unit": word("money", "points"),
            "pays_for": ListOf(CATEGORY),
            "not_with": IDS,
            "max_share": PERCENT,
            "share_of": word("line", "whole_order"),
            "block": AMOUNT,
            "minimum": AMOUNT,
            "minimum_order": LEAST_MONEY,
            "expires": Either(scalar=Leaf("length", ("none",), SPAN.units), mapping=Ref("expires")),
            "notice": ListOf(DAYS),
            "clawback": word("debt", "forgive", "refuse"),
            "suspended_when": Ref("condition"),
            "worth": Ref("worth"),
            "holds": Ref("holds"),
            "return_grace": DAYS,
            "returned_to": word("old_lot", "new_lot"),
            "offline": AMOUNT,
            "transfer": word("none", "linked"),
            "second_person": AMOUNT,
        },
        required=("unit",),
    ),
    "holds": Form({"for": MINUTES, "partial": word("free", "keep"), "above": word("refuse", "take")}),
    "worth": Form({"points": AMOUNT, "money": MONEY}, required=("points", "money")),
    "expires": Form({"after": SPAN, "to": word("month_end", "year_end", "end_of_next_year")}, spelled={"to": "截至"}),
    "lane": Form({"title": TITLE, "compete": word("best", "by_priority")}, required=("compete",)),
    "least_money": Form({"at_least": MONEY, "more_than": MONEY}, one_of=(("at_least", "more_than"),)),
    "least_pieces": Form({"at_least": NUMBER, "more_than": NUMBER}, one_of=(("at_least", "more_than"),)),
    "less": Form({"give": MONEY, "each": MONEY, "pieces": NUMBER}, required=("give",), one_of=(("each", "pieces"),)),
    "free": Form({"give": NUMBER, "each": NUMBER}, required=("give", "each")),
    "price": Form(
        {
            "title": TITLE,
            "for": IDS,
            "level": IDS,
            "where": Ref("line_condition"),
            "when": Ref("condition"),
            "weekdays": ListOf(word(*_DAYS)),
            "pay": Leaf("paid"),
            "off": PERCENT,
            "fixed": MONEY,
            "less": Either(scalar=MONEY, mapping=Ref("less")),
            "free": Ref("free"),
            "rounding": word("half_up", "floor"),
            "rounded_per": word("line", "whole_order"),
            "lane": ID,
            "priority": NUMBER,
            "not_with": IDS,
            "beside": Ref("line_condition"),
            "minimum_order": LEAST_MONEY,
            "minimum_quantity": LEAST_PIECES,
            "maximum_quantity": NUMBER,
            "line_cap": MONEY,
            "order_cap": MONEY,
            "from": DATE,
            "until": DATE,
        },
        required=("where",),
        one_of=(("pay", "off", "fixed", "less", "free"),),
        spelled=_FOR,
    ),
    "emission": Form(
        {
            "title": TITLE,
            "on": KINDS,
            "where": Ref("line_condition"),
            "when": Ref("condition"),
            "to": MEMBERS,
            "emits": KIND,
            "carries": ListOf(FIELD),
            "giver": MEMBERS,
        },
        required=("on", "to", "emits"),
        spelled={"to": "送给"},
    ),
    "reward": Form(
        {
            "title": TITLE,
            "on": KINDS,
            "where": Ref("line_condition"),
            "when": Ref("condition"),
            "for": IDS,
            "level": IDS,
            "standing": word("before", "after", "order"),
            "into": ID,
            **_AMOUNTS,
            "by_class": ListOf(Ref("class"), one=False),
            "period": word(*_PERIODS),
            "counted_on": DATES,
            "counting": word("granted", "all"),
            "count_by": FIELD,
            "exclusive": Ref("exclusive"),
            "lane": ID,
            "priority": NUMBER,
            "caps": MapOf(word(*_PERIODS, "event"), AMOUNT),
            "settle": DAYS,
            "expires": Either(scalar=SPAN, mapping=Ref("expires")),
            "from": DATE,
            "until": DATE,
            "weekdays": ListOf(word(*_DAYS)),
            "minimum_spend": LEAST_MONEY,
            "minimum_quantity": LEAST_PIECES,
            "returns": word("pro_rata", "rejudge"),
            "return_frees": YES,
        },
        required=("on", "into"),
        one_of=(tuple(_AMOUNTS),),
        spelled=_FOR,
    ),
    "budget": Form(
        {
            "title": TITLE,
            "limit": AMOUNT,
            "period": word(*_PERIODS),
            "scope": word("programme", "firm", "member"),
            "rewards": IDS,
        },
        required=("limit", "rewards"),
    ),
    "class": Form(
        {"class": PROSE, "where": _FILTERS, **_AMOUNTS}, required=("class", "where"), one_of=(tuple(_AMOUNTS),)
    ),
    "exclusive": Form(
        {
            "group": ID,
            "key": Leaf("field", ("event", "beneficiary")),
            "priority": NUMBER,
            "compete": word("best", "by_priority"),
        },
        required=("group", "key"),
    ),
    "per": Form(
        {
            "give": Leaf("amount", units=("percent",)),
            "each": QUANTITY,
            "of": FIELD,
            "above": QUANTITY,
            "less_credit": YES,
            "rounding": word("floor", "half_up"),
            "rounded_per": word("line", "whole_order"),
            "cap": AMOUNT,
        },
        required=("give",),
        spelled={"of": "基数"},
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
            "period": word(*_PERIODS[:-1]),
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
            "where": _FILTERS,
            "every": SPAN,
            "on_date": DATED,
            "on_standing": ListOf(word(*TURNS)),
            "ahead": DAYS,
            "done_by": Either(scalar=KIND, items=KINDS, mapping=MapOf(KIND, _FILTERS)),
            "matching": ListOf(FIELD),
            "escalate_to": ID,
            "escalate_after": MINUTES,
        },
        required=("owner", "within"),
        one_of=(("on", "every", "on_date", "on_standing"),),
        spelled={"within": "时限"},
    ),
    "award": Form(
        {
            "title": TITLE,
            "for": IDS,
            "months_in_tier": NUMBER,
            "unless": Ref("condition"),
            "period": word("year", "quarter", "month"),
            "per_group": Leaf("attribute"),
            "score": MapOf(ID, NUMBER),
            "measure": ID,
            "ties": ListOf(Ref("tie"), one=False),
            "winners": Either(scalar=Leaf("integer", ("all",)), mapping=Ref("winners")),
            "prize": Either(scalar=MONEY, mapping=Ref("prize")),
            "tax": Ref("tax"),
            "budget": MONEY,
            "into": ID,
        },
        required=("for", "winners", "prize", "budget"),
        one_of=(("score", "measure"),),
        spelled=_FOR,
    ),
    "prize": Form(
        {
            "places": MapOf(Leaf("rung", ("after",)), Leaf("amount", ("none",))),
            "share": PERCENT,
            "fact": ID,
            "cap": MONEY,
            "block": MONEY,
        },
        one_of=(("places", "share"),),
    ),
    "tax": Form({"rate": PERCENT, "borne_by": word("winner", "dealer")}, required=("rate", "borne_by")),
    "winners": Form(
        {"share": PERCENT, "at_least": NUMBER, "at_most": NUMBER}, required=("share", "at_least", "at_most")
    ),
    "tie": Form(
        {"fact": ID, "attribute": Leaf("attribute"), "first": word("highest", "lowest")},
        required=("first",),
        one_of=(("fact", "attribute"),),
    ),
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
