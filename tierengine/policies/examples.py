"""Runs the examples inside a policy file: the same fold and prices as the till, over a history in memory.

An event's `at` may be a date: it then happened at noon, events of one day in the order of the file. A line of an order
without an amount is priced by the policy. `expect` is asked right after the last event, or at the end of its own `at`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from rules.judge import Inputs, Judged, Ruleset
from rules.policy import Example, Policy
from rules.vocabulary import KINDS
from tierengine.judging.carry import Carry, load
from tierengine.judging.decisions import Folded, PolicyLine, Version
from tierengine.judging.facts import RunningFacts
from tierengine.judging.fold import Lanes, fold
from tierengine.judging.history import LAST, Contribution, Observation, Position
from tierengine.judging.pricing import OrderLine, price_order
from tierengine.judging.resolution import Recorded, resolve, steps
from tierengine.membership.shortlist import lists_of
from tierengine.service.duties import level_of
from tierengine.zone import Zone

MEMBER = "example"
NOON = 12 * 3600 * 1_000_000
SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came out of one example. `wrong` holds (key, expected, got) of each expectation that failed."""

    example: Example
    wrong: tuple[tuple[str, object, object], ...]
    parked: tuple[str, ...]  # kinds of events that wait for one that the example lacks
    rules: frozenset[str]  # rewards and prices that this example exercised

    @property
    def passed(self) -> bool:
        """Tell whether everything expected came out."""
        return not self.wrong and not self.parked


def run_examples(rules: Ruleset) -> tuple[Verdict, ...]:
    """Run every example of a policy, in file order."""
    zone = Zone(rules.policy.timezone)
    lanes = Lanes(PolicyLine((Version(1, 1, 0, rules),)), zone)
    return tuple(_run(rules, lanes, zone, example) for example in rules.policy.examples)


def _run(rules: Ruleset, lanes: Lanes, zone: Zone, example: Example) -> Verdict:
    policy = rules.policy
    said: list[Recorded] = []
    derived: list[Contribution] = []
    exercised: set[str] = set()
    pays: int | None = None
    for number, event in enumerate(example.given):
        observation = _observation(event, number, zone)
        if KINDS[observation.kind].derived:
            derived.append(_derived(observation, zone))
            continue
        if isinstance(observation.fields.get("lines"), tuple) and KINDS[observation.kind].by_order:
            observation, pays, used = _priced(rules, lanes, zone, said, derived, observation)
            exercised |= used
        said.append(Recorded(observation, MEMBER))
    lines, parked = _history(said, derived, zone)
    until = _asked(example.expect.get("at"), zone)
    folded, inputs, judged = _fold(lanes, zone, lines, until)
    carry = load(folded.carry)
    net = _net(folded)
    exercised |= {rule for _, rule in net}
    got = _got(policy, example.expect, carry, inputs, judged, net, pays)
    wrong = tuple((key, want, got.get(key)) for key, want in example.expect.items() if key in got and got[key] != want)
    return Verdict(example, wrong, parked, frozenset(exercised))


def _got(
    policy: Policy,
    expect: Mapping[str, object],
    carry: Carry,
    inputs: Inputs,
    judged: Judged,
    net: Mapping[tuple[str, str], tuple[str, int]],
    pays: int | None,
) -> dict[str, object]:
    tier = carry.standing.tier
    segment = inputs.attributes.get("segment")
    met = sorted(judged.met)
    wanted_traits = {key: value for key, value in expect.items() if key in ("traits", "why")}
    got: dict[str, object] = {
        "tier": tier,
        "level": level_of(policy, tier, segment if isinstance(segment, str) else None),
        "pays": pays,
        "price": pays,
    }
    for key, value in wanted_traits.items():
        # Order is the writer's; what counts is which traits.
        same = isinstance(value, list) and sorted(map(str, value)) == met
        got[key] = value if same else met
    if isinstance(grants := expect.get("grants"), dict):
        got["grants"] = {rule: sum(amount for (_, name), (_, amount) in net.items() if name == rule) for rule in grants}
    if isinstance(balance := expect.get("balance"), dict):
        got["balance"] = {
            wallet: sum(amount for (name, amount) in net.values() if name == wallet) for wallet in balance
        }
    if isinstance(lists := expect.get("lists"), list):
        found = {listed.list_id for listed in lists_of(policy, judged, tier)}
        # A member may stand on other lists too: an example about one of them need not name them all.
        got["lists"] = lists if set(map(str, lists)) <= found else sorted(found)
    if isinstance(entitlements := expect.get("entitlements"), list):
        level = policy.levels.get(str(got["level"]))
        have = {one.id for one in level.entitlements} if level is not None else set()
        got["entitlements"] = entitlements if set(map(str, entitlements)) <= have else sorted(have)
    return got


def _net(folded: Folded) -> dict[tuple[str, str], tuple[str, int]]:
    """Return (event key, rule) → (wallet, what should stand at the end)."""
    return {
        (one.granted.event_key, one.granted.rule): (one.granted.wallet, one.granted.wanted) for one in folded.decisions
    }


def _history(
    said: Sequence[Recorded], derived: Sequence[Contribution], zone: Zone
) -> tuple[list[Contribution], tuple[str, ...]]:
    by_key = {one.key: one for one in said}
    resolved = resolve(said, by_key, ZoneInfo(zone.name))
    lines = [line for given in resolved.contributions.values() for _, line in given]
    parked = tuple(by_key[key].observation.kind for key in resolved.parked if key in by_key)
    return [*lines, *derived], parked


def _fold(lanes: Lanes, zone: Zone, lines: Sequence[Contribution], until: int | None) -> tuple[Folded, Inputs, Judged]:
    ordered = sorted(lines, key=lambda line: (line.known, line.line))
    end: Position | None = (until, LAST, "") if until is not None else None
    folded = fold(lanes, "", None, steps(ordered), RunningFacts(zone, ordered), until=end)
    version = lanes.line.versions[0]
    position = max(folded.head, end or folded.head)
    asked = RunningFacts(zone, ordered)
    carry = load(folded.carry)
    inputs = Inputs(
        asked.facts(version, position, carry.standing.since),
        asked.attributes(position),
        asked.attested(version, position),
        carry.standing.tier,
    )
    return folded, inputs, version.rules.judge(inputs)


def _priced(
    rules: Ruleset,
    lanes: Lanes,
    zone: Zone,
    said: Sequence[Recorded],
    derived: Sequence[Contribution],
    observation: Observation,
) -> tuple[Observation, int, set[str]]:
    """Price an order by the standing before it; lines that state an amount keep it."""
    lines, _ = _history(said, derived, zone)
    before = [line for line in lines if line.known[0] <= observation.occurred_at]
    _folded, inputs, judged = _fold(lanes, zone, before, observation.occurred_at)
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
    matched = rules.prices(observation.kind, [line.fields() for line in order], inputs.tier, inputs, judged)
    priced = price_order(rules.policy, order, matched, zone.local_date(observation.occurred_at))
    for line, one in zip(stated, priced, strict=True):
        line.setdefault("amount", one.amount)
    fields = {**observation.fields, "lines": tuple(stated)}
    changed = Observation(
        **{name: getattr(observation, name) for name in Observation.__slots__ if name != "fields"}, fields=fields
    )
    return changed, sum(one.amount for one in priced), {one.rule for one in priced if one.rule}


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
        member=MEMBER,
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
    return zone.instant(moment) if moment.tzinfo is None else (moment - _EPOCH) // _MICROSECOND


def _asked(value: object, zone: Zone) -> int | None:
    if value is None:
        return None
    text = str(value)
    if len(text) == len("2026-01-01"):
        end = zone.end_of(date.fromisoformat(text))
        return None if end is None else end - 1
    return _instant(text, zone)
