"""The sections `rewards` and `emissions`: what an event earns its member, and what reaches another one by it."""

from __future__ import annotations

import re
from typing import Final, Literal, cast

from rules import names
from rules.conditions import Scope, read_condition, read_filters
from rules.desk import Desk
from rules.keys import WORDS
from rules.lanes import read_compete, read_lane, read_least, read_times
from rules.measures import number, of_field, unit_of_field
from rules.misspelt import mended
from rules.nodes import Form, absent
from rules.policy import (
    Amount,
    ByClass,
    Cap,
    Emission,
    Exclusive,
    Filter,
    Fixed,
    Ladder,
    PerAmount,
    Period,
    Reward,
    Rung,
)
from rules.source import Entries, Node, Scalar
from rules.values import DAYS_IN, Refused, plain
from rules.vocabulary import FIELDS, KINDS
from rules.wallets import read_dates, read_expiry, read_weekdays

_AMOUNTS: Final = ("amount", "per", "nth")
_KEYS: Final = (
    "title", "on", "where", "when", "for", "level", "standing", "into", *_AMOUNTS, "by_class", "period", "counted_on",
    "counting", "count_by", "exclusive", "lane", "priority", "caps", "settle", "expires", "from", "until", "weekdays",
    "minimum_spend", "minimum_quantity", "returns", "return_frees",
)  # fmt: skip
_PERIODS: Final = ("life", "year", "quarter", "month", "day")
_CAP_PERIODS: Final = (*_PERIODS, "event")
_SAME: Final = ("event", "beneficiary")
_NTH: Final = r"第?(\d{1,6})(?:次|台|个)?"
_RUNG: Final = re.compile(rf"{_NTH}(?:\s*(-|~|至|到)\s*{_NTH}|\s*(\+|以上|起))?")
_EVERY: Final = re.compile(rf"(?:every|每)\s*{_NTH}")
_TIMES: Final = re.compile(r".*(?:次|times?)", re.IGNORECASE)


def read_rewards(desk: Desk, node: Node | None) -> dict[str, Reward]:
    """Read the rewards."""
    rewards: dict[str, Reward] = {}
    for name, written, value in desk.named(node, "rewards"):
        desk.define("rewards", name, written.mark, value)
        rewards[name] = _reward(desk, name, written, value)
    _lonely_groups(desk, rewards)
    return rewards


def _reward(desk: Desk, name: str, written: Scalar, value: Node) -> Reward:
    form = desk.form(value, f"rewards.{name}", _KEYS, ("on", "into"))
    kinds = desk.kinds(form.get("on"), form.path("on"))
    wallet = desk.reference("wallets", form.get("into"), form.path("into"))
    unit = desk.wallet_units.get(wallet, "")
    counting = desk.word(form.get("counting"), form.path("counting"), ("granted", "all"), "granted")
    begins, ends = read_dates(desk, form)
    amount = _amount(desk, form, kinds, unit, every=counting == "all") if isinstance(value, Entries) else Fixed(0)
    if not _counts(amount):
        # Who writes `amount: 1000 CNY, period: life` means once in a life, which `nth` says and this does not.
        desk.without_effect(form, "period", "counting", "count_by")
    lane, priority = read_lane(desk, form)
    fields = Scope(kinds=kinds, fields=True)
    return Reward(
        id=name,
        title=desk.title(form, name, written),
        on=kinds,
        wallet=wallet,
        amount=amount,
        where=read_condition(desk, form.get("where"), form.path("where"), fields) if kinds else None,
        when=read_condition(desk, form.get("when"), form.path("when"), Scope()),
        for_tiers=desk.references("tiers", form.get("for"), form.path("for")),
        standing=_standing(desk, form, kinds),
        period=cast("Period", desk.word(form.get("period"), form.path("period"), _PERIODS, "life")),
        counted_on=_date_field(desk, form, kinds),
        counting=cast("Literal['granted', 'all']", counting),
        count_by=desk.field(form.get("count_by"), form.path("count_by"), kinds),
        for_levels=desk.references("levels", form.get("level"), form.path("level")),
        lane=lane,
        priority=priority,
        exclusive=_exclusive(desk, form, kinds),
        caps=_caps(desk, form, unit),
        settle_days=desk.length(form.get("settle"), form.path("settle"), DAYS_IN),
        expires=read_expiry(desk, form.get("expires"), form.path("expires"), never=False),
        valid_from=begins,
        valid_until=ends,
        weekdays=read_weekdays(desk, form),
        minimum_spend=read_least(desk, form, "minimum_spend"),
        minimum_quantity=read_least(desk, form, "minimum_quantity"),
        returns=cast(
            "Literal['pro_rata', 'rejudge']",
            desk.word(form.get("returns"), form.path("returns"), ("pro_rata", "rejudge"), "pro_rata"),
        ),
        return_frees=desk.yes(form.get("return_frees"), form.path("return_frees"), default=True),
        mark=written.mark,
    )


def _counts(amount: Amount) -> bool:
    """Tell whether an amount depends on how many there were before."""
    if isinstance(amount, ByClass):
        return _counts(amount.otherwise) or any(_counts(one) for _, _, one in amount.classes)
    return isinstance(amount, Ladder)


def _standing(desk: Desk, form: Form, kinds: tuple[str, ...]) -> Literal["before", "after", "order"]:
    word = desk.word(form.get("standing"), form.path("standing"), ("before", "after", "order"), "after")
    node = form.get("standing")
    if word == "order" and node is not None:
        without = [kind for kind in kinds if not any(name == "order" for name, _ in KINDS[kind].names)]
        if kinds and len(without) == len(kinds):
            desk.note("P402", node, "order", about=", ".join(without))
    return cast("Literal['before', 'after', 'order']", word)


def _date_field(desk: Desk, form: Form, kinds: tuple[str, ...]) -> str:
    node = form.get("counted_on")
    name = desk.field(node, form.path("counted_on"), kinds)
    if name and node is not None and FIELDS[name].type != "date":
        desk.note("P416", node, name, about=form.path("counted_on"))
    return name


def _exclusive(desk: Desk, form: Form, kinds: tuple[str, ...]) -> Exclusive | None:
    if "exclusive" not in form:
        return None
    keys = ("group", "key", "priority", "compete")
    found = desk.form(form.get("exclusive"), form.path("exclusive"), keys, ("group", "key"))
    key = found.get("key")
    word = names.canonical(plain(key.text), _SAME, WORDS) if isinstance(key, Scalar) else None
    return Exclusive(
        group=desk.id(found.get("group"), found.path("group")),
        key=word or desk.field(key, found.path("key"), kinds),
        priority=desk.integer(found.get("priority"), found.path("priority"), 0, high=10_000),
        compete=read_compete(desk, found),
    )


def _caps(desk: Desk, form: Form, unit: str) -> tuple[Cap, ...]:
    caps: list[Cap] = []
    for written, value in desk.entries(form.get("caps"), form.path("caps")):
        period = desk.word(written, form.path("caps"), _CAP_PERIODS, "")
        about = f"{form.path('caps')}.{written.text}"
        times = isinstance(value, Scalar) and bool(_TIMES.fullmatch(plain(value.text)))
        limit = read_times(desk, value, about) if times else desk.amount(value, about, unit)
        if period:
            caps.append(Cap(cast("Period", period), limit, times))
    return tuple(caps)


# ---- amounts ----------------------------------------------------------------------------------------------------


def _amount(desk: Desk, form: Form, kinds: tuple[str, ...], unit: str, *, every: bool) -> Amount:
    """Read what is given; `by_class` puts classes before the amount that all others get."""
    otherwise = _plain_amount(desk, form, kinds, unit, every=every)
    if "by_class" not in form:
        return otherwise
    classes: list[tuple[str, tuple[Filter, ...], Amount]] = []
    for at, item in enumerate(desk.items(form.get("by_class"), form.path("by_class"), 100), start=1):
        about = f"{form.path('by_class')}[{at}]"
        found = desk.form(item, about, ("class", "where", *_AMOUNTS), ("class", "where"))
        name = desk.line(found.get("class"), found.path("class"))
        filters = read_filters(desk, found.get("where"), found.path("where"), kinds) if kinds else ()
        for earlier, narrower, _ in classes:
            if set(narrower) <= set(filters):
                desk.note("P518", found.get("class") or item, name, about=earlier)
                break
        if isinstance(item, Entries):
            classes.append((name, filters, _plain_amount(desk, found, kinds, unit, every=every)))
    return ByClass(tuple(classes), otherwise)


def _plain_amount(desk: Desk, form: Form, kinds: tuple[str, ...], unit: str, *, every: bool) -> Amount:
    which = desk.one_of(form, _AMOUNTS)
    if which == "per":
        return _per(desk, form, kinds, unit)
    if which == "nth":
        return read_ladder(desk, form.get("nth"), form.path("nth"), unit, every=every)
    return Fixed(desk.amount(form.get("amount"), form.path("amount"), unit) if which else 0)


_PER: Final = ("give", "each", "of", "above", "less_credit", "rounding", "rounded_per", "cap")


def _per(desk: Desk, form: Form, kinds: tuple[str, ...], unit: str) -> PerAmount:
    found = desk.form(form.get("per"), form.path("per"), _PER, ("give",))
    base = desk.field(found.get("of"), found.path("of"), kinds) if "of" in found else "amount"
    base_at = found.get("of")
    if base_at is not None and base and unit_of_field(base) is None:
        desk.note("P416", base_at, base, about=found.path("of"))
    give_at = found.get("give")
    share = isinstance(give_at, Scalar) and "%" in plain(give_at.text)
    each, give = 10_000, 0
    if share:
        desk.without_effect(found, "each")
        give = desk.percent(give_at, found.path("give"), low=1, high=100_000)
    else:
        if "each" not in found and isinstance(form.get("per"), Entries):
            desk.note("P203", found.mark, allowed=("each",), about=found.about, allowed_zh=names.keys_zh(("each",)))
        each = _of_base(desk, found, "each", base, 1, 1)
        give = desk.amount(give_at, found.path("give"), unit)
    less_credit = desk.yes(found.get("less_credit"), found.path("less_credit"))
    if base == "cash":
        desk.without_effect(found, "less_credit")
    per = desk.word(found.get("rounded_per"), found.path("rounded_per"), ("line", "whole_order"), "whole_order")
    if per == "line":  # what lies beyond a sum of the whole order belongs to no line
        desk.without_effect(found, "above")
    return PerAmount(
        give,
        each,
        base,
        _rounding(desk, found, give_at if share else None),
        desk.amount(found.get("cap"), found.path("cap"), unit) if "cap" in found else None,
        proportional=share,
        above=_of_base(desk, found, "above", base, 0, 0),
        less_credit=less_credit,
        rounded_per=cast("Literal['line', 'whole_order']", per),
    )


def _rounding(desk: Desk, found: Form, share: Node | None) -> Literal["floor", "half_up"]:
    """Read how the amount is rounded; of a percentage it must be said, for both ways are common."""
    word = desk.word(found.get("rounding"), found.path("rounding"), ("floor", "half_up"), "floor")
    if share is not None and "rounding" not in found:
        desk.note("P520", share, getattr(share, "text", ""))
    return cast("Literal['floor', 'half_up']", word)


def _of_base(desk: Desk, found: Form, key: str, base: str, default: int, low: int) -> int:
    """Read a quantity of what the base counts: money, time, or pieces."""
    node, path = found.get(key), found.path(key)
    if base and FIELDS[base].type == "money":
        return desk.money(node, path, default, low=low)
    if base and of_field(base) == "minutes":
        return desk.value(node, path, lambda text: max(number(text, "minutes", desk.currency), low), default)
    return desk.integer(node, path, default, low=low)


def read_ladder(desk: Desk, node: Node | None, about: str, unit: str, *, every: bool) -> Ladder:
    """Read `{1: 1000 CNY, 2-3: 1500 CNY, after: none}`; rungs follow one another from the first without a gap."""
    rungs: list[Rung] = []
    reached, ended, silent = 0, False, 0
    for written, value in desk.entries(node, about):
        again = _EVERY.fullmatch(plain(written.text))
        if again:
            rungs.append(_every(desk, written, int(again[1]), desk.amount(value, f"{about}.{written.text}", unit)))
            if not every:
                desk.note("P505", written, _span(1, int(again[1]) - 1), about=about)
            ended = True
            continue
        span = _rung(desk, written, reached)
        if span is None:
            continue
        first, last = span
        if ended or first <= reached:
            overlap = first <= reached
            desk.note("P504" if overlap else "P506", written, str(first) if overlap else written.text, about=about)
        elif first > reached + 1 and not every:
            desk.note("P505", written, _span(reached + 1, first - 1), about=about)
        nothing = isinstance(value, Scalar) and plain(value.text) in ("none", "无") and not absent(value)
        if nothing:
            silent = silent or first
        else:
            if silent and not every:
                desk.note("P505", written, _span(silent, first - 1), about=about)
                silent = 0
            amount = desk.amount(value, f"{about}.{written.text}", unit)
            rungs.append(Rung(first, last, amount))
        reached, ended = max(reached, last or first), ended or last is None
    if isinstance(node, Entries) and not ended:
        if rungs:
            desk.note("P516", node, str(reached), about=about)
        elif not node.pairs:
            desk.note("P208", node, about=about)
    return Ladder(tuple(rungs))


def _every(desk: Desk, written: Scalar, nth: int, amount: int) -> Rung:
    if nth < 2:
        desk.note("P506", written, written.text)
    return Rung(nth, None, amount, max(nth, 1))


def _rung(desk: Desk, written: Scalar, reached: int) -> tuple[int, int | None] | None:
    text = plain(written.text)
    if names.key(text, ("after",)):
        return reached + 1, None
    match = _RUNG.fullmatch(text)
    if match is None:
        desk.note("P321", written, written.text, meant=mended(written.text, _readable))
        return None
    first, dash, last, open_end = int(match[1]), match[2], match[3], match[4]
    if first == 0 or (dash and int(last) < first):
        desk.note("P506", written, written.text)
        return None
    return first, None if open_end else int(last) if dash else first


def _readable(text: str) -> None:
    if _RUNG.fullmatch(text) is None and not names.key(text, ("after",)):
        raise Refused("P321")


def _span(first: int, last: int) -> str:
    return str(first) if first >= last else f"{first}-{last}"


def _lonely_groups(desk: Desk, rewards: dict[str, Reward]) -> None:
    groups: dict[str, list[Reward]] = {}
    for reward in rewards.values():
        if reward.exclusive and reward.exclusive.group:
            groups.setdefault(reward.exclusive.group, []).append(reward)
    for group, members in groups.items():
        if len(members) == 1:
            desk.note("P511", members[0].mark, group, tuple(other for other in groups if other != group))


# ---- emissions --------------------------------------------------------------------------------------------------


def read_emissions(desk: Desk, node: Node | None) -> dict[str, Emission]:
    """Read what events send on to other members."""
    emissions: dict[str, Emission] = {}
    for name, written, value in desk.named(node, "emissions"):
        keys = ("title", "on", "where", "when", "to", "emits", "carries", "giver")
        form = desk.form(value, f"emissions.{name}", keys, ("on", "to", "emits"))
        kinds = desk.kinds(form.get("on"), form.path("on"))
        emitted = _emitted(desk, form)
        received = (emitted,) if emitted else ()
        carries = tuple(
            field
            for item in desk.items_or_one(form.get("carries"), form.path("carries"))
            if (field := desk.field(item, form.path("carries"), kinds))
            and (not received or desk.field(item, form.path("carries"), received))
        )
        emissions[name] = Emission(
            id=name,
            title=desk.text(form.get("title"), form.path("title"), name),
            on=kinds,
            to=_member_field(desk, form, "to", kinds),
            emits=emitted,
            carries=carries,
            giver=_member_field(desk, form, "giver", received),
            where=read_condition(desk, form.get("where"), form.path("where"), Scope(kinds=kinds, fields=True))
            if kinds
            else None,
            when=read_condition(desk, form.get("when"), form.path("when"), Scope()),
            mark=written.mark,
        )
    return emissions


def _emitted(desk: Desk, form: Form) -> str:
    node = form.get("emits")
    kinds = desk.kinds(node, form.path("emits"))[:1]
    if kinds and node is not None and not KINDS[kinds[0]].derived:
        derived = tuple(kind.id for kind in KINDS.values() if kind.derived)
        desk.note("P417", node, kinds[0], derived, allowed_zh=names.spelled(derived, names.KINDS_ZH))
    return kinds[0] if kinds else ""


def _member_field(desk: Desk, form: Form, key: str, kinds: tuple[str, ...]) -> str:
    node = form.get(key)
    name = desk.field(node, form.path(key), kinds)
    if name and node is not None and FIELDS[name].type != "member":
        desk.note("P416", node, name, about=form.path(key))
    return name
