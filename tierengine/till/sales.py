"""A till's order: from what it sends to priced lines, the credit that pays part of them, and what is recorded.

An order becomes one observation for each kind of event among its lines' categories, and one command for the credit,
recorded together or not at all. Prices are worked out twice: by whoever builds the sale, from a read, and under the
member's lock by the check that goes with it. Where the till said what it charged, the check compares with that.

A sale older than fifteen minutes has happened: it is booked as charged, and the difference is only told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any, Final, Literal, Protocol

import orjson

from rules.judge import Inputs, Judged
from rules.policy import Policy, Wallet
from rules.vocabulary import CATEGORIES
from tierengine.errors import FormError, Malformed, Refused, pointed
from tierengine.judging.bounds import LINES_MOST, MONEY_MOST
from tierengine.judging.fold import Lane
from tierengine.judging.history import Observation
from tierengine.judging.observations import read_observation
from tierengine.judging.pricing import OrderLine, PricedLine, pay_by_credit, price_order, share, usable_credit
from tierengine.judging.worth import block_of, fen_of
from tierengine.policies.wording import no_wallet, not_payable, wallet_words
from tierengine.recording.items import Before, Check, Once, Sale, Tell
from tierengine.zone import SECOND

LATE: Final = 15 * 60 * SECOND
ENVELOPE: Final = ("member", "order", "occurred_at", "store", "currency", "channel", "staff", "note")
OF_ORDER: Final = frozenset({*ENVELOPE, "lines", "credit", "prices", "quote", "slip"})
OF_LINE: Final = frozenset({"item", "category", "qty", "list", "special", "serial", "brand", "margin"})
WALLETS_MOST: Final = 20
TOKEN_MOST: Final = 8_192  # characters; a slip with twenty wallets and fifty prices has about six thousand
_NO_LIMIT: Final = 10**15
# Fields of a line that the service works out where the till says no price, and where it says "max".
_PRICED: Final = frozenset(("amount", "credit", "cash"))
_PAID: Final = frozenset(("credit", "cash"))
_NOTHING: Final = frozenset[str]()
_BOOKED: Final = ("item", "category", "qty", "list", "amount", "credit", "cash")
_KINDS: Final = tuple(dict.fromkeys(kind for _, kind in CATEGORIES.values()))


@dataclass(frozen=True, slots=True)
class Order:
    """An order that is right in form.

    drafts   one observation for each kind, still at list prices; `places` the lines of the order that each holds
    credit   wallet → fen or points, or "max"
    charged  what the till charged for each line, fen; None: it asks
    quote    the token of the quote whose prices it charged, or ""
    slip     the offline slip by which it was sold, or ""
    """

    member: str
    order: str
    occurred_at: int
    lines: tuple[OrderLine, ...]
    credit: Mapping[str, int] | Literal["max"]
    charged: tuple[int, ...] | None
    drafts: tuple[Observation, ...]
    places: tuple[tuple[int, ...], ...]
    quote: str = ""
    slip: str = ""

    def late(self, now: int) -> bool:
        """Whether it happened already and cannot be refused any more."""
        return self.occurred_at < now - LATE


# ---- form --------------------------------------------------------------------------------------------------------


def read_order(
    raw: Mapping[str, object],
    *,
    source: str,
    store: str,
    now_us: int,
    zone: tzinfo,
    late_days: int | None,
    currency: str,
) -> Order:
    """Return the order that `raw` says, or raise Malformed with everything that is wrong in its form."""
    errors = [FormError(f"/{pointed(name)}", "unknown_field") for name in raw if name not in OF_ORDER]
    if raw.get("member") is None:
        errors.append(FormError("/member", "missing"))
    kinds = _kinds(raw.get("lines"), errors)
    sent = raw.get("lines")
    lines: list[Any] = sent if isinstance(sent, list) else []
    drafts: list[Observation] = []
    for kind, places in kinds.items():
        said = {name: raw[name] for name in ENVELOPE if name in raw}
        said |= {"kind": kind, "lines": [{**lines[place], "amount": lines[place].get("list")} for place in places]}
        try:
            drafts.append(
                read_observation(
                    said, source=source, store=store, now_us=now_us, zone=zone, late_days=late_days, currency=currency
                )
            )
        except Malformed as problem:
            errors += [replace(error, pointer=_moved(error.pointer, places)) for error in problem.errors]
    credit = _credit(raw.get("credit"), errors)
    charged = _charged(raw.get("prices"), len(lines), errors)
    tokens = [_token(raw, name, errors) for name in ("quote", "slip")]
    if errors:
        raise Malformed({(error.pointer, error.code): error for error in errors}.values())
    order_lines: list[OrderLine] = [OrderLine("", "", 1, 0)] * len(lines)
    for draft, places in zip(drafts, kinds.values(), strict=True):
        for place, line in zip(places, _lines(draft), strict=True):
            order_lines[place] = _order_line(line)
    first = drafts[0]
    return Order(
        first.member,
        str(first.fields["order"]),
        first.occurred_at,
        tuple(order_lines),
        credit,
        charged,
        # (What was written of the order is kept once.)
        (first, *(replace(one, texts={}) if one.texts else one for one in drafts[1:])),
        tuple(tuple(places) for places in kinds.values()),
        *tokens,
    )


def _kinds(lines: object, errors: list[FormError]) -> dict[str, list[int]]:
    """Return the places of the lines by the kind of event that they become."""
    found: dict[str, list[int]] = {}
    if not isinstance(lines, list) or not 1 <= len(lines) <= LINES_MOST:
        # One reader says what is wrong with such lines, as with any observation's.
        errors.append(
            FormError("/lines", "missing")
            if lines is None
            else FormError("/lines", "wrong_type", {"expected": "list", "got": "other"})
            if not isinstance(lines, list)
            else FormError("/lines", "out_of_range", {"least": 1, "most": LINES_MOST})
        )
        return found
    for place, line in enumerate(lines):
        if not isinstance(line, dict):
            errors.append(FormError(f"/lines/{place}", "wrong_type", {"expected": "object", "got": "other"}))
            continue
        errors += [
            FormError(f"/lines/{place}/{pointed(name)}", "unknown_field") for name in line if name not in OF_LINE
        ]
        errors += [
            FormError(f"/lines/{place}/{name}", "missing") for name in ("item", "list") if line.get(name) is None
        ]
        category = line.get("category")
        if not isinstance(category, str) or category not in CATEGORIES:
            known = ", ".join(CATEGORIES)
            missing = FormError(f"/lines/{place}/category", "missing")
            errors.append(
                missing if category is None else replace(missing, code="not_one_of", details={"expected": known})
            )
            continue
        found.setdefault(CATEGORIES[category][1], []).append(place)
    # Always in the same order, whatever the order of the lines: equal orders are equal content.
    return {kind: found[kind] for kind in _KINDS if kind in found}


def _credit(raw: object, errors: list[FormError]) -> dict[str, int] | Literal["max"]:
    if raw is None:
        return {}
    if raw == "max":
        return "max"
    if not isinstance(raw, dict):
        errors.append(FormError("/credit", "wrong_type", {"expected": "object, max", "got": "other"}))
        return {}
    if len(raw) > WALLETS_MOST:
        errors.append(FormError("/credit", "too_long", {"most": WALLETS_MOST, "got": len(raw)}))
        return {}
    found: dict[str, int] = {}
    for wallet, amount in raw.items():
        pointer = f"/credit/{pointed(wallet)}"
        if isinstance(amount, bool) or not isinstance(amount, int):
            errors.append(FormError(pointer, "wrong_type", {"expected": "integer", "got": "other"}))
        elif not 0 <= amount <= MONEY_MOST:
            errors.append(FormError(pointer, "out_of_range", {"least": 0, "most": MONEY_MOST}))
        elif not wallet.isascii() or not wallet.isidentifier():
            errors.append(FormError(pointer, "bad_id"))
        elif amount:
            found[wallet] = amount
    return found


def _charged(raw: object, lines: int, errors: list[FormError]) -> tuple[int, ...] | None:
    if raw is None:
        return None
    if not isinstance(raw, list) or len(raw) != lines:
        errors.append(FormError("/prices", "wrong_type", {"expected": f"list of {lines}", "got": "other"}))
        return None
    for place, amount in enumerate(raw):
        if isinstance(amount, bool) or not isinstance(amount, int):
            errors.append(FormError(f"/prices/{place}", "wrong_type", {"expected": "integer", "got": "other"}))
        elif not 0 <= amount <= MONEY_MOST:
            errors.append(FormError(f"/prices/{place}", "out_of_range", {"least": 0, "most": MONEY_MOST}))
    return tuple(raw)


def _token(raw: Mapping[str, object], name: str, errors: list[FormError]) -> str:
    token = raw.get(name)
    if token is None:
        return ""
    if not isinstance(token, str):
        errors.append(FormError(f"/{name}", "wrong_type", {"expected": "text", "got": "other"}))
        return ""
    if not 0 < len(token) <= TOKEN_MOST:
        errors.append(FormError(f"/{name}", "too_long", {"most": TOKEN_MOST, "got": len(token)}))
    return token


def _order_line(line: Mapping[str, Any]) -> OrderLine:
    return OrderLine(
        item=line["item"],
        category=line["category"],
        qty=line.get("qty", 1),
        list=line["list"],
        special=bool(line.get("special", 0)),
        serial=line.get("serial", ""),
        brand=line.get("brand", ""),
        margin=line.get("margin"),
    )


def _lines(draft: Observation) -> Sequence[Mapping[str, Any]]:
    lines = draft.fields["lines"]
    return lines if isinstance(lines, tuple) else ()


def _moved(pointer: str, places: Sequence[int]) -> str:
    """Return a pointer into the order for one into the observation that holds the lines at `places`."""
    parts = pointer.split("/")
    if len(parts) > 2 and parts[1] == "lines" and parts[2].isdigit():
        parts[2] = str(places[int(parts[2])])
        if parts[-1] == "amount":
            parts[-1] = "list"
    return "/".join(parts)


# ---- prices and credit -------------------------------------------------------------------------------------------


class Standing(Protocol):
    """A member who may be asked what his prices read: his tier, and the rest only where they do."""

    @property
    def lane(self) -> Lane:
        """Return the version in force."""
        ...

    @property
    def tier(self) -> str:
        """Return the standing tier."""
        ...

    @property
    def inputs(self) -> Inputs:
        """Return what he is judged on."""
        ...

    @property
    def judged(self) -> Judged:
        """Return what holds of him."""
        ...


def price(order: Order, member: Standing) -> list[PricedLine]:
    """Return the lines with what they cost this member, before any credit."""
    return at_prices(member.lane, order, matching(order, member))


def matching(order: Order, member: Standing) -> list[tuple[str, ...]]:
    """Return for each line the prices whose conditions hold (see price_order)."""
    rules, lines = member.lane.version.rules, [line.fields() for line in order.lines]
    if rules.priced_by_tier:
        return rules.prices("", lines, member.tier, None, None)
    return rules.prices("", lines, member.tier, member.inputs, member.judged)


def at_prices(lane: Lane, order: Order, matched: Sequence[Sequence[str]]) -> list[PricedLine]:
    """Return the lines at the best of the prices that match them."""
    return price_order(lane.version.rules.policy, order.lines, matched, lane.zone.local_date(order.occurred_at))


def as_charged(order: Order, priced: Sequence[PricedLine]) -> list[PricedLine]:
    """Return the lines at what the till charged; a rule is named where it agrees."""
    if order.charged is None:
        return list(priced)
    return [
        line if line.amount == amount else PricedLine(line.line, amount)
        for line, amount in zip(priced, order.charged, strict=True)
    ]


def as_asked(policy: Policy, order: Order) -> tuple[list[PricedLine], dict[str, int]]:
    """Return the lines and the credit just as the till says them, for a sale that the check will decide."""
    charged = order.charged or tuple(line.list for line in order.lines)
    lines = [PricedLine(line, amount) for line, amount in zip(order.lines, charged, strict=True)]
    return pay(policy, lines, order.credit, {})


def pay(
    policy: Policy, lines: Sequence[PricedLine], credit: Mapping[str, int] | Literal["max"], usable: Mapping[str, int]
) -> tuple[list[PricedLine], dict[str, int]]:
    """Return the lines with the credit that pays them, and how much of which wallet; "max" is what `usable` allows."""
    paid, uses = list(lines), dict[str, int]()
    wanted: Iterable[tuple[str, int | None]]
    wanted = ((name, None) for name in policy.wallets) if credit == "max" else credit.items()
    for name, asked in wanted:
        wallet = policy.wallets.get(name)
        if wallet is None:
            raise no_wallet(name, policy.wallets)
        amount = usable_credit(wallet, paid, usable.get(name, 0)) if asked is None else asked
        if amount:
            paid = _spread(policy, wallet, paid, amount)
            uses[name] = amount
    return paid, uses


def _spread(policy: Policy, wallet: Wallet, lines: Sequence[PricedLine], amount: int) -> list[PricedLine]:
    """Spread credit over the lines it may pay; more than it may pay over what is left of all lines.

    The check refuses such a sale; one that happened already is booked as it was paid.
    """
    paid = pay_by_credit(wallet, lines, amount)
    worth = fen_of(wallet, amount)
    if not worth:  # points that pay nothing, or fewer than make one fen
        raise not_payable(wallet, 0, amount).telling(**wallet_words(wallet, policy.currency))
    if all(line.cash >= 0 for line in paid) and sum(line.credit for line in paid) == worth + sum(
        line.credit for line in lines
    ):
        return paid
    left = [line.cash for line in lines]
    if sum(left) < worth:
        raise Malformed([FormError(f"/credit/{wallet.id}", "exceeds_amount", {"amount": sum(left)})])
    return [replace(line, credit=line.credit + part) for line, part in zip(lines, share(worth, left), strict=True)]


def payable(policy: Policy, name: str, lines: Sequence[PricedLine], wanted: int, suspended: frozenset[str]) -> None:
    """Refuse credit that may not pay these lines, whatever the member has of it."""
    wallet = policy.wallets.get(name)
    if wallet is None:
        raise no_wallet(name, policy.wallets)
    if name in suspended:
        raise Refused("credit_suspended", wallet=name)
    most = usable_credit(wallet, lines, _NO_LIMIT)
    if wanted > most or wanted % block_of(wallet) or wanted < wallet.minimum:
        raise not_payable(wallet, most, wanted)


# ---- what is recorded --------------------------------------------------------------------------------------------


def plain_lines(lines: Sequence[PricedLine]) -> list[dict[str, Any]]:
    """Return priced lines as JSON, in fen."""
    return [
        {
            "item": one.line.item,
            "category": one.line.category,
            "qty": one.line.qty,
            "list": one.line.list,
            "amount": one.amount,
            "credit": one.credit,
            "cash": one.cash,
            "rule": one.rule or None,
        }
        for one in lines
    ]


def observations(order: Order, lines: Sequence[PricedLine]) -> tuple[Observation, ...]:
    """Return the order's observations at these prices."""
    return tuple(
        replace(
            draft,
            fields={
                **draft.fields,
                "lines": tuple(
                    {**said, "amount": lines[place].amount, "credit": lines[place].credit, "cash": lines[place].cash}
                    for said, place in zip(_lines(draft), places, strict=True)
                ),
            },
        )
        for draft, places in zip(order.drafts, order.places, strict=True)
    )


def sale(  # noqa: PLR0913 - the order as it is charged, and what is known of it
    dealer: int,
    order: Order,
    lines: Sequence[PricedLine],
    uses: Mapping[str, int],
    *,
    now: int,
    once: Once | None,
    promised: bool = False,
    happened: bool = False,
    tell: Tell | None = None,
) -> Sale:
    """Return the command: the lines as charged and the credit, with the check that decides them under the lock.

    promised  a quote holds these prices: they are not compared with what the rules say now
    happened  a slip covers the sale: it is booked as charged however short ago it was
    tell      what its answer says besides what it did
    """
    late = happened or order.late(now)
    check = None if late else sale_check(order, lines, uses, promised=promised)
    left_open = _PRICED if order.charged is None else _PAID if order.credit == "max" else _NOTHING
    return Sale(
        dealer,
        observations(order, lines),
        dict(uses),
        check,
        late,
        once,
        tell=tell,
        left_open=left_open,
        said_credit=order.credit != "max",
    )


def sale_check(
    order: Order, charged: Sequence[PricedLine], uses: Mapping[str, int], *, promised: bool = False
) -> Check:
    """Return what refuses the sale when its prices are no longer those charged, or its credit may not pay it."""

    def check(before: Before) -> None:
        lane = before.lane
        fresh = price(order, before)
        if promised:
            fresh = as_charged(order, fresh)
        elif [line.amount for line in fresh] != [line.amount for line in charged]:
            raise Refused("price_changed", lines=orjson.dumps(plain_lines(fresh)).decode())
        policy = lane.version.rules.policy
        paid: Sequence[PricedLine] = fresh
        for name, wanted in uses.items():
            payable(policy, name, paid, wanted, before.suspended)
            paid = pay_by_credit(policy.wallets[name], paid, wanted)

    return check


def booked_lines(order: Order, said: Sequence[Observation]) -> list[dict[str, Any]]:
    """Return the lines of the order's observations as JSON, in the order in which the till sent them."""
    found: list[dict[str, Any]] = [{} for _ in order.lines]
    for observation, places in zip(said, order.places, strict=True):
        for place, line in zip(places, _lines(observation), strict=True):
            found[place] = {name: line.get(name, 1 if name == "qty" else 0) for name in _BOOKED}
    return found
