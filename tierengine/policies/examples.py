"""Runs the examples inside a policy file: the same fold and prices as the till, over a history in memory.

An event's `at` may be a date: it then happened at noon, events of one day in the order of the file. A line of an order
without an amount is priced by the policy. An event without a member is the example's own; of several members each has
his own history. `expect` is asked right after the last event, or at the end of its own `at`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rules.judge import Ruleset
from rules.policy import Example
from rules.vocabulary import KINDS
from tierengine.judging.decisions import PolicyLine, Version
from tierengine.judging.history import Contribution, Observation
from tierengine.judging.pricing import OrderLine, price_order
from tierengine.judging.recorded import Recorded
from tierengine.judging.regimes import Regimes
from tierengine.policies.cast import Cast, play
from tierengine.policies.coverage import Used, used_by
from tierengine.policies.expected import Order, Outcome, got_of
from tierengine.policies.failures import Failure, failures
from tierengine.zone import Zone, microseconds

MEMBER = "example"
NOON = 12 * 3600 * 1_000_000
SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came out of one example. `wrong` holds (key, expected, got) of each expectation that failed.

    failures  the same one by one, each with its place and why it came out otherwise
    used      what of the policy the example exercised
    """

    example: Example
    wrong: tuple[tuple[str, object, object], ...]
    parked: tuple[str, ...]  # kinds of events that wait for one that the example lacks
    failures: tuple[Failure, ...]
    used: Used

    @property
    def passed(self) -> bool:
        """Tell whether everything expected came out."""
        return not self.wrong and not self.parked

    @property
    def rules(self) -> frozenset[str]:
        """Return the rewards and prices that the example exercised."""
        return frozenset(name for section, name in self.used if section in ("rewards", "prices"))


def run_examples(rules: Ruleset, examples: Sequence[Example] | None = None) -> tuple[Verdict, ...]:
    """Run every example of a policy, or those given, in their order."""
    zone = Zone(rules.policy.timezone)
    regimes = Regimes(PolicyLine((Version(1, 1, 0, rules),)), zone)
    chosen = rules.policy.examples if examples is None else examples
    return tuple(_run(rules, regimes, zone, example) for example in chosen)


def _run(rules: Ruleset, regimes: Regimes, zone: Zone, example: Example) -> Verdict:
    said: list[Recorded] = []
    derived: dict[str, list[Contribution]] = {}
    asked = str(example.expect.get("member") or MEMBER)
    orders: list[Order] = []
    members = dict.fromkeys((asked, *(str(event.get("member") or MEMBER) for event in example.given)))
    for number, event in enumerate(example.given):
        observation = _observation(event, number, zone)
        if KINDS[observation.kind].derived:
            derived.setdefault(observation.member, []).append(_derived(observation, zone))
            continue
        if isinstance(observation.fields.get("lines"), tuple) and KINDS[observation.kind].by_order:
            instant = observation.occurred_at
            now = play(regimes, zone, members, said, derived, instant, known_by=instant)
            observation, order = _priced(rules, zone, now, observation)
            orders.append(order)
        said.append(Recorded(observation, observation.member))
    cast = play(regimes, zone, members, said, derived, _asked(example.expect.get("at"), zone))
    last = next((order for order in reversed(orders) if order.member == asked), None)
    outcome = Outcome(rules, regimes, zone, cast.parts[asked], last)
    got = got_of(outcome, example.expect)
    wrong = tuple((key, want, got.get(key)) for key, want in example.expect.items() if key in got and got[key] != want)
    used = used_by(
        rules.policy,
        zone,
        cast,
        example.expect,
        [rule for order in orders for one in order.lines for rule in one.rules],
    )
    return Verdict(
        example,
        wrong,
        tuple(one.observation.kind for one in cast.parked),
        failures(outcome, example, wrong) if wrong else (),
        used,
    )


def _priced(rules: Ruleset, zone: Zone, now: Cast, observation: Observation) -> tuple[Observation, Order]:
    """Price an order by the standing before it; lines that state an amount keep it."""
    part = now.parts[observation.member]
    raw = observation.fields["lines"]
    stated = [dict(line) for line in raw] if isinstance(raw, tuple) else []
    order = [
        OrderLine(
            item=str(line.get("item", "")),
            category=str(line.get("category", "")),
            qty=int(line.get("qty", 1)),
            list=int(line.get("list", line.get("amount", 0))),
            special=bool(line.get("special", False)),
            serial=str(line.get("serial", "")),
            brand=str(line.get("brand", "")),
        )
        for line in stated
    ]
    tier = part.inputs.tier
    matched = rules.prices(observation.kind, [line.fields() for line in order], tier, part.inputs, part.judged)
    day = zone.local_date(observation.occurred_at)
    priced = price_order(rules.policy, order, matched, day)
    for line, one in zip(stated, priced, strict=True):
        line.setdefault("amount", one.amount)
    fields = {**observation.fields, "lines": tuple(stated)}
    changed = Observation(
        **{name: getattr(observation, name) for name in Observation.__slots__ if name != "fields"}, fields=fields
    )
    return changed, Order(observation.member, tuple(priced), part.inputs, part.judged, part.tier, matched, day)


def _observation(event: Mapping[str, object], number: int, zone: Zone) -> Observation:
    kind = KINDS[str(event["event"])]
    source_id = str(event.get("source_id") or number + 1)
    order = event.get("order")
    store = str(event.get("store") or "example")
    cluster = f"order:{store}:{order}"
    key = f"{cluster}:{kind.id}" if kind.by_order else f"example:{source_id}"
    fields: dict[str, object] = {}
    for name, value in event.items():
        if name in ("event", "at", "member", "store"):
            continue
        if name == "lines" and isinstance(value, list):
            fields[name] = tuple(_bits(line) for line in value)
        elif isinstance(value, str) and name in _NAMING and ":" not in value:
            fields[name] = f"example:{value}"
        else:
            fields[name] = int(value) if isinstance(value, bool) else value
    names_order = any(name == "order" for name, _ in kind.names)
    return Observation(
        kind=kind.id,
        member=str(event.get("member") or MEMBER),
        occurred_at=_instant(event["at"], zone) + number * SECOND,
        source="example",
        source_id=source_id,
        store=store,
        fields=fields,
        key=key,
        cluster=cluster if kind.by_order or names_order else _named_cluster(kind.names, fields) or key,
    )


_NAMING = frozenset(name for kind in KINDS.values() for name, _ in kind.names if name != "order")


def _named_cluster(names: Sequence[tuple[str, tuple[str, ...]]], fields: Mapping[str, object]) -> str:
    return next((str(fields[name]) for name, _ in names if name not in ("order", "referral") and name in fields), "")


def _bits(line: Mapping[str, object]) -> dict[str, object]:
    return {name: int(value) if isinstance(value, bool) else value for name, value in line.items()}


def _derived(observation: Observation, zone: Zone) -> Contribution:
    at = observation.occurred_at
    fields = {name: value for name, value in observation.fields.items() if isinstance(value, (int, str))}
    amount = fields.get("amount")
    return Contribution(
        kind=observation.kind,
        line=f"{observation.key}#0",
        at=at,
        known=(at, KINDS[observation.kind].class_, observation.key),
        cause=observation.kind,
        qty=1,
        amount=amount if isinstance(amount, int) else 0,
        fields={"month": zone.month_key(at), "quarter": zone.quarter_key(at), **fields},
    )


def _instant(value: object, zone: Zone) -> int:
    text = str(value)
    if len(text) == len("2026-01-01"):
        return zone.start_of(date.fromisoformat(text)) + NOON
    moment = datetime.fromisoformat(text)
    return zone.instant(moment) if moment.tzinfo is None else microseconds(moment)


def _asked(value: object, zone: Zone) -> int | None:
    if value is None:
        return None
    text = str(value)
    if len(text) == len("2026-01-01"):
        end = zone.end_of(date.fromisoformat(text))
        return None if end is None else end - 1
    return _instant(text, zone)
