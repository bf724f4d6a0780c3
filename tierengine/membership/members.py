"""One member as he stands: read in one snapshot, judged as of now, told with reasons. Nothing is written.

Boundaries that time alone passed since his last event are passed here too, by the same fold. Reads go by the member's
indexes only, so that they cost the same however many members there are; a long history is asked through facts_sql, a
short one is read whole, which is cheaper.

Money is as of now: a lot or hold that has lapsed and is not posted yet is shown as the next transaction will post it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from operator import attrgetter
from typing import Any, Final, Protocol

from rules.judge import Inputs, Judged, StandingTiers, explain_condition
from rules.policy import Policy
from tierengine.errors import Unknown
from tierengine.judging.carry import Carry, load
from tierengine.judging.decisions import FactSource, Granted, Version
from tierengine.judging.facts_sql import Ask, Snapshot, read_contributions, read_facts
from tierengine.judging.fold import Lane, fold
from tierengine.judging.grants import Occasion
from tierengine.judging.history import LAST, Contribution, Position, Step
from tierengine.judging.resolution import net, steps
from tierengine.judging.running import RunningFacts
from tierengine.ledger.book import MemberBook
from tierengine.ledger.deadlines import deadlines
from tierengine.ledger.entries import Balance, EntryDraft
from tierengine.ledger.holds import tie
from tierengine.ledger.lots import Lot, first_out
from tierengine.membership.explaining import (
    Event,
    Words,
    degree_of,
    missing,
    reward_reasons,
    said,
    title,
    trait_reason,
)
from tierengine.membership.shortlist import lists_of, needed_traits
from tierengine.policies.versions import Programme
from tierengine.service.entitlements import ASKED_BY_RIGHTS, level, rights
from tierengine.settings import Settings
from tierengine.store import database
from tierengine.store.dialect import Link, PostgresLink, Row, SqliteLink, doc
from tierengine.zone import Zone

WHOLE: Final = 400  # so many contributions are read at once rather than asked of the database
STATEMENT_MOST: Final = 200

_COLUMNS: Final = "kind, line, at, known_at, known_class, known_key, cause, qty, amount"
# All that is nearly always enough to know a member, in one statement: one round trip, and a snapshot by itself. Lists
# come as JSON, for the two databases by functions of other names.
_MEMBER: Final = (
    "SELECT m.id, m.code, m.form, l.head_at, l.head_class, l.head_key, l.boundary_at, l.carry, "
    f"(SELECT {{agg}}({{array}}({_COLUMNS}, {{doc}})) FROM (SELECT * FROM contribution WHERE member_id = m.id "
    f"ORDER BY known_at, known_class, known_key, id LIMIT {WHOLE + 1}) AS c), "
    "(SELECT {agg}({array}(x.id, x.wallet, x.event_key, x.rule, x.amount, s.remaining, x.usable_from, x.expires_at, "
    "e.number)) FROM lot_state s JOIN lot x ON x.id = s.lot_id JOIN entry e ON e.id = x.entry_id "
    "WHERE s.member_id = m.id AND s.remaining > 0), "
    "(SELECT {agg}({array}(a.wallet, a.kind, a.balance)) FROM account a "
    "WHERE a.dealer_id = m.dealer_id AND a.member_id = m.id) "
    "FROM member m JOIN ledger l ON l.member_id = m.id WHERE m.dealer_id = ?1 AND m.code = ?2"
)
_MEMBER_OF: Final = {
    "sqlite": _MEMBER.format(agg="json_group_array", array="json_array", doc="json(fields)"),
    "postgresql": _MEMBER.format(agg="json_agg", array="json_build_array", doc="fields"),
}
# Asked only of who has something held; hardly anybody has.
_HOLDS: Final = (
    "SELECT h.member_id, h.id, h.key, h.wallet, h.cluster, h.amount, h.expires_at, t.remaining, y.lot_id, y.amount "
    "FROM hold_state t JOIN hold h ON h.id = t.hold_id JOIN hold_lot y ON y.hold_id = h.id "
    "WHERE t.member_id = ?1 AND t.remaining > 0 ORDER BY h.id, y.place"
)
_SOME: Final = (
    "SELECT kind, line, at, known_at, known_class, known_key, cause, qty, amount, fields FROM contribution "
    "WHERE member_id = ?1 AND kind IN (?2*) ORDER BY known_at, known_class, known_key, id"
)
_AT_HEAD: Final = (
    "SELECT kind, line, at, known_at, known_class, known_key, cause, qty, amount, fields FROM contribution "
    "WHERE member_id = ?1 AND known_at = ?2 ORDER BY known_at, known_class, known_key, id"
)
_CHANGES: Final = (
    'SELECT at, "class", key, tier, previous, since, until, state, cause, traits FROM tier_change WHERE member_id = ?1 '
    'ORDER BY at DESC, "class" DESC, key DESC LIMIT ?2'
)
_GRANTED: Final = (
    "SELECT event_key, rule, kind, basis FROM decision WHERE dealer_id = ?1 AND event_key IN (?2*) AND member_id = ?3 "
    "ORDER BY step_at, step_class, step_key, id"
)
_ENTRIES: Final = (
    "SELECT e.id, e.number, e.kind, e.wallet, e.event_key, e.rule, e.recorded_at FROM entry e "
    "WHERE e.member_id = ?1 AND e.number < ?2 ORDER BY e.number DESC LIMIT ?3"
)
_MOVES: Final = (
    "SELECT p.entry_id, a.kind, CASE WHEN a.id = p.destination_id THEN p.amount ELSE -p.amount END FROM posting p "
    "JOIN account a ON a.id IN (p.source_id, p.destination_id) AND a.member_id = ?1 WHERE p.entry_id IN (?2*)"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def reader(url: str, settings: Settings | None = None) -> Link:
    """Open a connection that only reads."""
    link = database.connect(url, settings, readonly=True)
    if isinstance(link, PostgresLink):
        link.raw.autocommit = True  # a single statement is a snapshot by itself; `snapshot` is for several
    return link


@contextmanager
def snapshot(link: Link) -> Iterator[None]:
    """Read everything inside as of one moment."""
    if isinstance(link, SqliteLink):
        link.raw.execute("BEGIN")
    else:
        link.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
    try:
        yield
    finally:
        link.rollback()


# ---- reading -----------------------------------------------------------------------------------------------------


class Source(FactSource, Protocol):
    """A member's facts, to which more may be added that comes after all that is there: what is being quoted."""

    def add(self, candidates: Iterable[Contribution]) -> None:
        """Count these as if they were stored."""
        ...


class GrowingFacts(RunningFacts):
    """The facts of a member whose history was read whole."""

    def __init__(self, zone: Zone, rows: Iterable[Contribution]) -> None:
        self._rows = list(rows)
        super().__init__(zone, self._rows)

    def add(self, candidates: Iterable[Contribution]) -> None:
        """Count these as if they were stored."""
        self._rows.extend(candidates)


class AskedFacts:
    """The facts of a member with a long history, one statement a position."""

    def __init__(self, link: Link, member_id: int) -> None:
        self._link = link
        self._member = member_id
        self._candidates: list[Contribution] = []
        self._last: Snapshot | None = None
        self._asked: tuple[int, Position, int] | None = None

    def add(self, candidates: Iterable[Contribution]) -> None:
        """Count these as if they were stored."""
        self._candidates.extend(candidates)
        self._last = None

    def facts(self, version: Version, position: Position, since: int) -> Mapping[str, int | None]:
        """Return every fact as of the position."""
        return self._snapshot(version, position, since).facts(version, position, since)

    def attributes(self, position: Position) -> Mapping[str, int | str | None]:
        """Return the dated attributes as of the position, whose facts were asked before."""
        if self._last is None:
            raise ValueError("facts are asked before attributes")
        return self._last.attributes(position)

    def attested(self, version: Version, position: Position) -> frozenset[str]:
        """Return the traits with an attestation in force."""
        since = self._asked[2] if self._asked is not None else 0
        return self._snapshot(version, position, since).attested(version, position)

    def _snapshot(self, version: Version, position: Position, since: int) -> Snapshot:
        asked = (version.id, position, since)
        if self._last is None or asked != self._asked:
            ask = Ask(self._member, position, since)
            self._last = read_facts(self._link.cursor(), version, [ask], {self._member: self._candidates})[self._member]
            self._asked = asked
        return self._last


@dataclass
class Known:
    """A member as one snapshot shows him. `rows` None: too many to read at once; `holds`: what `tie` takes."""

    link: Link
    programme: Programme
    id: int
    code: str
    form: str
    head: Position
    boundary_at: int | None
    carry: str
    rows: tuple[Contribution, ...] | None
    lots: tuple[Lot, ...]
    accounts: Mapping[tuple[str, str], int]
    holds: tuple[Row, ...] = ()

    @property
    def at_once(self) -> bool:
        """Whether one statement told everything; else what was read is of one moment only inside a snapshot."""
        return self.rows is not None and not any(self.accounts[one] for one in self.accounts if one[1] == "held")

    def source(self) -> Source:
        """Return his facts, to be asked at positions that never go back."""
        if self.rows is None:
            return AskedFacts(self.link, self.id)
        return GrowingFacts(self.programme.zone, self.rows)

    def unmoved(self, position: Position) -> bool:
        """Whether nothing, not even time, can have moved his carry since the last event."""
        start = self.programme.lanes.next_start(self.head[0])
        points = [point for point in (start, self.boundary_at) if point is not None]
        moved = any(point <= position[0] for point in points) or self.missed
        return bool(self.carry) and self.head <= position and not moved

    @cached_property
    def missed(self) -> bool:
        """Whether his history went past a version start without being judged by that version."""
        return self.programme.lanes.missed(self.carry, self.head) is not None

    @cached_property
    def history(self) -> Sequence[Contribution]:
        """All his contributions that stand, in order of `known`."""
        if self.rows is not None:
            return net(self.rows)
        return net(read_contributions(self.link.cursor(), [self.id])[self.id])

    def of_kinds(self, kinds: frozenset[str]) -> Sequence[Contribution]:
        """Return his contributions of these kinds that stand, in order of `known`."""
        if self.rows is not None:
            return net(row for row in self.rows if row.kind in kinds)
        return contributions_of(self.link, self.id, kinds)

    def last_step(self) -> Step | None:
        """Return the last event of his history with what it made known; None: nothing happened yet."""
        rows: Iterable[Contribution]
        if self.rows is not None:
            rows = (row for row in self.rows if row.known == self.head)
        else:
            rows = map(_contribution, self.link.ask(_AT_HEAD, self.id, self.head[0]).rows())
        return next((step for step in steps(rows) if step.position == self.head), None)

    def book(self, now: int) -> MemberBook:
        """Return his money as of now: as the next transaction will post it before anything else, and nothing posted."""
        book = MemberBook(lots=sorted((replace(lot) for lot in self.lots), key=lambda lot: lot.order))
        for (wallet, kind), amount in self.accounts.items():
            setattr(book.balances.setdefault(wallet, Balance(self.programme.unit(wallet))), kind, amount)
        tie(book, self.holds)
        book.settle(now)
        return book

    def usable(self, now: int, order: str = "") -> dict[str, int]:
        """Return what he may spend now, by wallet; for an order also what holds tie up for it."""
        if self.holds:
            book = self.book(now)
            return {name: book.usable(name, now) + book.held(name, order) for name in book.balances}
        found: dict[str, int] = {}
        for lot in self.lots:
            found[lot.wallet] = found.get(lot.wallet, 0) + (lot.free if lot.usable(now) else 0)
        return found


def read_member(link: Link, programme: Programme, code: str) -> Known:
    """Read a member in one statement, or two when something of his is held. Unknown when there is none of this code.

    What is asked afterwards, of a long history or of holds, is of the same moment only inside a snapshot.
    """
    found = link.ask(_MEMBER_OF[link.kind], programme.dealer_id, code).rows()
    if not found:
        raise Unknown("unknown_member", member=code)
    number, code, form, at, class_, key, boundary_at, carry, *lists = found[0]
    rows, lots, accounts = (doc(one) or [] for one in lists)
    held = any(kind == "held" and balance for _, kind, balance in accounts)
    whole = sorted(map(_contribution, rows), key=attrgetter("known")) if len(rows) <= WHOLE else None
    return Known(
        link,
        programme,
        number,
        code,
        form,
        (at, class_, key),
        boundary_at,
        carry,
        None if whole is None else tuple(whole),
        tuple(sorted((Lot(*row) for row in lots), key=first_out)),
        {(wallet, kind): balance for wallet, kind, balance in accounts},
        tuple(link.ask(_HOLDS, number).rows()) if held else (),
    )


def contributions_of(link: Link, member_id: int, kinds: Iterable[str]) -> Sequence[Contribution]:
    """Return a member's contributions of these kinds that stand, in order of `known`."""
    return net(map(_contribution, link.ask(_SOME, member_id, sorted(kinds)).rows()))


def _contribution(row: Row) -> Contribution:
    kind, line, at, known_at, known_class, known_key, cause, qty, amount, fields = row
    return Contribution(kind, line, at, (known_at, known_class, known_key), cause, qty, amount, doc(fields))


# ---- judging -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stand:
    """A member as of a position: his carry with all boundaries passed, and what he is judged on."""

    lane: Lane
    carry: Carry
    text: str
    head: Position
    inputs: Inputs
    judged: Judged

    @property
    def tier(self) -> str:
        """Return the id of the standing tier."""
        return self.carry.standing.tier

    @property
    def policy(self) -> Policy:
        """Return the policy in force."""
        return self.lane.version.rules.policy


def stand(known: Known, position: Position, source: FactSource) -> Stand:
    """Return the member as of `position`; what he did later is left out."""
    lanes = known.programme.lanes
    if known.unmoved(position):
        return judged_at(known, known.carry, known.head, position, source)
    if known.head <= position and not known.missed:
        carry, start = known.carry, known.head
        since_then: tuple[Step, ...] = ()
    else:
        carry, start = "", (0, 0, "")
        since_then = tuple(step for step in steps(known.history) if step.position <= position)
    folded = fold(lanes, carry, start if carry else None, since_then, source, until=position)
    return judged_at(known, folded.carry, folded.head, position, source)


def judged_at(known: Known, carry: str, head: Position, position: Position, source: FactSource) -> Stand:
    """Judge a member with this carry as of `position`."""
    loaded = load(carry)
    lane = known.programme.lanes.of(loaded.version)
    version = lane.version
    inputs = Inputs(
        source.facts(version, position, loaded.standing.since),
        source.attributes(position),
        source.attested(version, position),
        loaded.standing.tier,
    )
    return Stand(lane, loaded, carry, head, inputs, version.rules.judge(inputs))


# ---- telling -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks. `store`: of other stores' orders no numbers are told; "" = the whole dealer."""

    store: str = ""
    lang: str = "zh"

    def key(self, event_key: str) -> str | None:
        """Return an event's key as this asker may see it; None: another store's order."""
        order = event_key.removeprefix("emit:").rpartition("order:")[2] if "order:" in event_key else ""
        if self.store and order and not order.startswith(f"{self.store}:"):
            return None
        return event_key


def when(known: Known, at: int | None) -> str | None:
    """Return an instant as RFC 3339 in the dealer's zone."""
    if at is None:
        return None
    moment = (_EPOCH + timedelta(microseconds=at)).astimezone(known.programme.info)
    return moment.isoformat(timespec="seconds")


def last_day(known: Known, end: int | None) -> str | None:
    """Return the last valid local day of what ends at the instant `end`."""
    return None if end is None else known.programme.zone.local_date(end - 1).isoformat()


@dataclass(slots=True)
class _View:
    """The parts of one member's view."""

    link: Link
    known: Known
    here: Stand
    then: Stand | None  # right after his last event
    now: int
    asker: Asker
    words: Words = field(init=False)
    changes: list[Row] = field(init=False)

    def __post_init__(self) -> None:
        self.words = Words(self.here.policy)
        self.changes = self.link.ask(_CHANGES, self.known.id, STATEMENT_MOST).rows()

    def say(self, text: Any, name: str) -> Any:
        return said(title(text, name), self.asker.lang)

    def standing(self) -> dict[str, Any]:
        known, standing = self.known, self.here.carry.standing
        of = level(self.here.policy, standing.tier, self.here.inputs.attributes.get("segment"))
        return {
            "tier": standing.tier,
            "title": said(self.words.tier(standing.tier), self.asker.lang),
            "since": when(known, standing.since) if standing.since else None,
            "until": last_day(known, standing.until),
            "state": standing.state,
            "level": None if of is None else {"id": of.id, "title": self.say(of.title, of.id)},
        }

    def next_tier(self) -> dict[str, Any] | None:
        """Return the tier above and all that keeps the member from it; None at the top."""
        policy, judged, lang = self.here.policy, self.here.judged, self.asker.lang
        rank = policy.tier(self.here.tier).rank
        above = next((tier for tier in policy.tiers if tier.rank == rank + 1), None)
        if above is None:
            return None
        lacking: list[dict[str, Any]] = []
        for condition, negated in ((above.when, False), (above.unless, True)):
            if condition is not None:
                found = explain_condition(condition, self.here.inputs, judged, tier=self.here.tier)
                lacking += [self._test(test, under) for test, under in missing(found, negated=negated)]
        needed = needed_traits(above)
        traits: dict[str, Any] | None = None
        if needed is not None:
            count, of = needed
            names = of or tuple(policy.traits)
            met = sum(name in judged.met for name in names)
            would_help = [
                {"id": name, "title": self.say(policy.traits[name].title, name)}
                for name in names
                if name not in judged.met
            ]
            traits = {"met": met, "needed": count, "short": max(count - met, 0), "would_help": would_help}
        return {
            "tier": above.id,
            "title": said(self.words.tier(above.id), lang),
            "excluded": judged.excluded[above.rank],
            "missing": lacking,
            "traits": traits,
            "promotion": above.promotion,
        }

    def _test(self, test: Any, negated: bool) -> dict[str, Any]:
        plain = self.words.plain(test, negated=negated)
        lang = self.asker.lang
        return {**plain, "title": said(plain["title"], lang), "sentence": said(plain["sentence"], lang)}

    def traits(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for trait in self.here.policy.traits.values():
            reason, explanation = trait_reason(self.words, trait, self.here.inputs, self.here.judged)
            found.append(
                {
                    "id": trait.id,
                    "title": self.say(trait.title, trait.id),
                    "met": trait.id in self.here.judged.met,
                    **reason.plain(self.asker.lang),
                    "degree": None if (far := degree_of(trait, self.here.judged)) is None else far.id,
                    "attestable": trait.attested is not None,
                    "conditions": [] if explanation is None else self.words.conditions(explanation, self.asker.lang),
                }
            )
        return found

    def lists(self) -> list[dict[str, Any]]:
        policy = self.here.policy
        return [
            {
                "id": one.list_id,
                "title": self.say(policy.lists[one.list_id].title, one.list_id),
                "lacking": list(one.lacking),
            }
            for one in lists_of(policy, self.here.judged, self.here.tier)
        ]

    def history(self) -> list[dict[str, Any]]:
        return [
            {
                "at": when(self.known, at),
                "tier": tier,
                "previous": previous,
                "since": when(self.known, since) if since else None,
                "until": last_day(self.known, until),
                "state": state,
                "cause": cause,
                "traits": doc(traits),
            }
            for at, _, _, tier, previous, since, until, state, cause, traits in self.changes
        ]

    def last_event(self) -> dict[str, Any] | None:
        """Return the last event with what each reward gave for it, or why nothing."""
        known, then = self.known, self.then
        step = known.last_step()
        if step is None or then is None:
            return None
        occasions = occasions_of(step)
        granted: dict[tuple[str, str], Granted] = {}
        keys = [one.key for one in occasions]
        for key, rule, kind, basis in self.link.ask(_GRANTED, known.programme.dealer_id, keys, known.id).rows():
            granted.pop((key, rule), None)
            if kind != "withdrawn":
                granted[key, rule] = Granted.of(doc(basis)["granted"])
        moved = [row for row in self.changes if (row[0], row[1], row[2]) == known.head]
        cluster = occasions[0].key.rpartition(":")[0]
        tiers = StandingTiers(
            moved[-1][4] if moved else then.tier, then.tier, then.carry.orders.get(cluster, then.tier)
        )
        event = Event(occasions, tiers, then.inputs, then.judged, then.carry, granted)
        return {
            "event": self.asker.key(occasions[0].key),
            "kind": step.kind,
            "at": when(known, known.head[0]),
            "rewards": reward_reasons(then.policy, known.programme.zone, event, self.asker.lang),
        }


def occasions_of(step: Step) -> tuple[Occasion, ...]:
    """Return the events whose lines a step is about: of a return, those that it takes back."""
    groups: dict[tuple[str, str], list[Contribution]] = {}
    for line in step.lines:
        groups.setdefault((line.event_key, line.kind), []).append(line)
    return tuple(
        Occasion(key, kind, step.position[0], tuple(group), tuple(line.fields for line in group))
        for (key, kind), group in groups.items()
    )


def view(link: Link, programme: Programme, code: str, now: int, asker: Asker) -> dict[str, Any]:
    """Return a member as JSON; call it inside a snapshot. Unknown when the dealer has none of this code."""
    known = read_member(link, programme, code)
    source = known.source()
    then = judged_at(known, known.carry, known.head, known.head, source) if known.carry else None
    here = stand(known, max((now, LAST, ""), known.head), source)
    shown = _View(link, known, here, then, now, asker)
    of = level(here.policy, here.tier, here.inputs.attributes.get("segment"))
    return {
        "member": known.code,
        "form": known.form,
        "as_of": when(known, now),
        "programme": shown.say(here.policy.title, here.policy.programme),
        "policy_version": here.lane.version.number,
        "standing": shown.standing(),
        "next_tier": shown.next_tier(),
        "traits": shown.traits(),
        "lists": shown.lists(),
        "wallets": wallets(known, here, now, asker),
        "tier_history": shown.history(),
        "last_event": shown.last_event(),
        "entitlements": [
            one.plain(asker.lang)
            for one in rights(programme.zone, of, known.of_kinds(ASKED_BY_RIGHTS), max(now, known.head[0]))
        ],
    }


def balance(link: Link, programme: Programme, code: str, now: int, asker: Asker) -> dict[str, Any]:
    """Return a member's wallets as JSON; call it inside a snapshot."""
    known = read_member(link, programme, code)
    here = stand(known, max((now, LAST, ""), known.head), known.source())
    return {"member": known.code, "as_of": when(known, now), "wallets": wallets(known, here, now, asker)}


def wallets(known: Known, here: Stand, now: int, asker: Asker) -> list[dict[str, Any]]:
    """Return each wallet: its lots and its deadlines each sum to `available` + `held`; `debt` is owed.

    `usable` is what may be spent now. A deadline whose `notice` is true lies within the days of notice of the policy.
    """
    policy, programme, book = here.policy, known.programme, known.book(now)
    names = dict.fromkeys((*policy.wallets, *sorted(wallet for wallet, _ in known.accounts)))
    found: list[dict[str, Any]] = []
    for name in names:
        wallet = programme.wallet(name)
        lots = sorted((lot for lot in book.lots if lot.wallet == name and lot.remaining), key=first_out)
        balance = book.balances.get(name, Balance(programme.unit(name)))
        suspended = name in here.judged.suspended
        found.append(
            {
                "wallet": name,
                "title": said(title(wallet.title, name), asker.lang) if wallet is not None else name,
                "unit": programme.unit(name),
                "available": balance.available,
                "usable": 0 if suspended else book.usable(name, now),
                "held": balance.held,
                "debt": balance.debt,
                "suspended": suspended,
                "lots": [
                    {
                        "amount": lot.amount,
                        "remaining": lot.remaining,
                        "held": lot.held,
                        "rule": lot.rule or None,
                        "event": asker.key(lot.event_key),
                        "usable_from": when(known, lot.usable_from),
                        "last_day": last_day(known, lot.expires_at),
                    }
                    for lot in lots
                ],
                "deadlines": [
                    {"last_day": end.last_day.isoformat() if end.last_day else None, "amount": end.amount,
                     "notice": end.notice}
                    for end in deadlines(programme.zone, lots, wallet.notice_days if wallet else (), now)
                ],
                "holds": [
                    {
                        "id": hold.ref,
                        "order": asker.key(hold.order),
                        "amount": hold.amount,
                        "remaining": hold.left,
                        "expires_at": when(known, hold.expires_at),
                    }
                    for hold in book.holds
                    if hold.wallet == name
                ],
            }
        )  # fmt: skip
    return found


def statement(
    link: Link, programme: Programme, code: str, now: int, asker: Asker, *, before: int | None, limit: int
) -> dict[str, Any]:
    """Return statement lines, newest first, those before entry number `before`; call it inside a snapshot.

    The changes of `available` over all pages sum to the balance shown: what has lapsed and is not posted yet comes
    first, without a number.
    """
    known = read_member(link, programme, code)
    limit = min(limit, STATEMENT_MOST)
    entries = link.ask(_ENTRIES, known.id, before if before is not None else 1 << 62, limit + 1).rows()
    more, entries = len(entries) > limit, entries[:limit]
    changes: dict[int, dict[str, int]] = {row[0]: {"available": 0, "held": 0, "debt": 0} for row in entries}
    for entry_id, kind, amount in link.ask(_MOVES, known.id, [row[0] for row in entries]).rows():
        changes[entry_id][kind] += amount
    lines = _unposted(known, asker, now) if before is None else []
    for number, place, kind, wallet, event_key, rule, recorded_at in entries:
        lines.append(
            {
                "number": place,
                "kind": kind,
                "wallet": wallet,
                "unit": programme.unit(wallet),
                **changes[number],
                "event": asker.key(event_key) if event_key else None,
                "rule": rule or None,
                "recorded_at": when(known, recorded_at),
            }
        )
    return {"member": known.code, "lines": lines, "next": entries[-1][1] if more else None}


def _unposted(known: Known, asker: Asker, now: int) -> list[dict[str, Any]]:
    """Return the lines of what has lapsed and is not posted yet, newest first."""
    book = known.book(now)
    by_ref = {lot.ref: lot for lot in book.lots}
    ended = {end.hold.key: end.hold for end in book.ended}
    lines = []
    at = now
    for entry in book.entries:
        lot = by_ref[entry.uses[0].ref] if entry.kind == "expire" else None
        if lot is not None and lot.expires_at is not None:
            at = lot.expires_at
        elif entry.kind == "void":
            at = ended[entry.cause].expires_at
        event_key = lot.event_key if lot is not None else entry.event_key
        lines.append(
            {
                "number": None,
                "kind": entry.kind,
                "wallet": entry.wallet,
                "unit": entry.unit,
                **_changes(entry),
                "event": asker.key(event_key) if event_key else None,
                "rule": (lot.rule if lot is not None else entry.rule) or None,
                "recorded_at": when(known, at),
            }
        )
    return lines[::-1]


def _changes(entry: EntryDraft) -> dict[str, int]:
    """Return what an entry does to the member's three accounts, as the statement's stored lines tell it."""
    found = {"available": 0, "held": 0, "debt": 0}
    for posting in entry.postings:
        for account, amount in ((posting.source, -posting.amount), (posting.destination, posting.amount)):
            if account in found:
                found[account] += amount
    return found
