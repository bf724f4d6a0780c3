"""What is answered to each item: what it did, in the words of the programme, from what was just decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from rules.vocabulary import KINDS
from tierengine.judging.history import Contribution, Position, Step
from tierengine.judging.recorded import Flag, Waits, cause_key
from tierengine.judging.returns import RETURNS
from tierengine.judging.values import CANCELLED
from tierengine.policies.versions import Programme
from tierengine.recording.audited import audited
from tierengine.recording.decided import Pair, Refolded
from tierengine.recording.intake import Intake, Taken, shared
from tierengine.recording.items import Answer, Item, Merge, Sale
from tierengine.recording.joint import Balances
from tierengine.recording.locked import Locked
from tierengine.recording.purse import Purse
from tierengine.recording.stored import Stored
from tierengine.recording.takings import given_back, totals
from tierengine.recording.writing import Rows
from tierengine.store.dialect import Link, doc
from tierengine.zone import moment

# Refusals of form, of rights, and our own failures are not kept: the mended request may carry the same key.
_KEPT: Final = frozenset(("recorded", "parked", "duplicate", "conflict", "refused"))

_TIERS: Final = (
    'SELECT at, "class", key, tier, previous, since, until, state, cause, version_id, traits FROM tier_change '
    'WHERE member_id = ?1 AND at <= ?2 ORDER BY at DESC, "class" DESC, key DESC LIMIT 20'
)
_GRANTS: Final = (
    "SELECT id, rule, version_id, wallet, wanted, usable_from, expires_at, step_at, step_class, step_key FROM decision "
    "WHERE dealer_id = ?1 AND event_key IN (?2*) AND member_id = ?3 ORDER BY step_at, step_class, step_key, id"
)


@dataclass
class Answers:
    """All that the answers of one group are made of."""

    link: Link
    programme: Programme
    locked: Locked
    intake: Intake
    items: Sequence[Item]
    taken: Sequence[Taken]
    now: int
    outcomes: Mapping[int, Refolded]
    deltas: Mapping[int, Mapping[Pair, int]]
    balances: Callable[[int], Balances]
    used: Mapping[int, Mapping[str, int]]
    returned: Mapping[str, Mapping[str, int]]
    parked: Mapping[str, Waits]
    flags: Sequence[Flag]

    def all(self, rows: Rows) -> list[Answer | None]:
        """Return an answer for each item, and add those that are kept with their idempotency key."""
        found: list[Answer | None] = []
        for place, (item, taken) in enumerate(zip(self.items, self.taken, strict=True)):
            if taken.later:
                found.append(None)
                continue
            if taken.same_as is not None:
                first = found[taken.same_as]
                found.append(shared(first) if first is not None else None)
                continue
            answer = self._answer(place, item, taken)
            if item.once is not None and not answer.replayed and answer.status in _KEPT:
                answer = answer.sealed()
                once = item.once
                rows.add(
                    "idempotency", self.programme.dealer_id, once.scope, once.key, once.request_hash, answer.number,
                    answer.stored, self.now,
                )  # fmt: skip
                if once.by is not None:
                    rows.add("audit", *audited(self.intake.ids, self.programme.dealer_id, once, answer, self.now))
            found.append(answer)
        return found

    def _answer(self, place: int, item: Item, taken: Taken) -> Answer:
        if taken.answer is not None:
            if taken.answer.status == "duplicate" and not item.brief and not taken.answer.replayed:
                return Answer("duplicate", "", {**self._told(item), **self._recalled(place, item)})
            return taken.answer
        keys = [event.recorded.key for event in taken.fresh] + taken.known
        parked = [key for key in keys if key in self.parked]
        status = "parked" if parked and len(parked) == len(keys) else "recorded"
        body: dict[str, Any] = {"status": status, "key": item.observations[0].key}
        if isinstance(item, Sale) and item.tell is not None:
            body = {**item.tell(item.observations), **body}
        if len(item.observations) > 1:
            body["keys"] = [observation.key for observation in item.observations]
        if parked:
            body["waits_for"] = sorted({self.parked[key].key for key in parked})
        if not item.brief:
            self._tell(body, place, item, set(keys))
        return Answer("parked" if status == "parked" else "recorded", "", body)

    def _tell(self, body: dict[str, Any], place: int, item: Item, keys: set[str]) -> None:
        """Say what the item did to its members; an item without effect of its own says so by empty lists."""
        body |= {"tier": None, "tier_changes": [], "grants": [], "adjusted": []}
        codes = self._codes(item)
        own: list[Step] = []
        for member in self._affected(keys, codes):
            outcome = self.outcomes[member]
            mine = [step for step in outcome.steps if cause_key(step.position) in keys]
            body["member"] = outcome.head.code
            positions = {step.position for step in mine}
            own += mine
            if mine:
                self._tell_tier(body, outcome, mine[0].position, mine[-1].position)
            pairs = self._tell_grants(body, outcome, positions)
            body["adjusted"] += [
                {"event": pair[0], "rule": pair[1], "change": delta}
                for pair, delta in sorted(self.deltas.get(member, {}).items())
                if pair not in pairs
            ]
        for code in codes:
            body.setdefault("member", self.locked.code_of(self.locked.root(self._ids[code])))
            if code != body["member"] and self.locked.classes:
                body["merged_into"] = body["member"]
        if isinstance(item, Merge) and item.observation.kind == CANCELLED:
            self._tell_apart(body, self._ids[item.observation.member])
        body |= _lines(item, (line for step in own for line in step.lines))
        body["credit_used"] = dict(self.used.get(place, {}))
        owner = self._member(body)
        if owner is not None:
            orders = [said.cluster for said in item.observations if KINDS[said.kind].names]
            if back := next((self.returned[order] for order in orders if order in self.returned), None):
                body["credit_returned"] = dict(back)
            body["balances"] = self.balances(owner)
        flags = [{"event": flag.key, "code": flag.code} for flag in self.flags if flag.key in keys]
        if flags:
            body["flags"] = flags

    def _tell_apart(self, body: dict[str, Any], member: int) -> None:
        """Say what an un-merge did to both: `survivor` is who stood for them until now."""
        stood_for = self.locked.ledgers[member].joined_id
        mine, other = self.outcomes.get(self.locked.root(member)), self.outcomes.get(stood_for or 0)
        if mine is None or other is None:
            return
        was, now, theirs = other.head.tier, mine.folded.tier, other.folded.tier
        body["tier"] = {"before": was, "after": now, "now": now}
        body["survivor"] = {
            "member": other.head.code,
            "tier": {"before": was, "after": theirs, "now": theirs},
            "adjusted": [
                {"event": pair[0], "rule": pair[1], "change": delta}
                for pair, delta in sorted(self.deltas.get(other.head.member_id, {}).items())
            ],
            "balances": self.balances(other.head.member_id),
        }

    def _codes(self, item: Item) -> set[str]:
        return {observation.member for observation in item.observations if observation.member}

    def _affected(self, keys: Iterable[str], codes: Iterable[str]) -> list[int]:
        """Return whose history these events changed, and who was named, in the order of the folds."""
        by_key, by_code = self._folded
        found = {member for key in keys for member in by_key.get(key, ())}
        found |= {by_code[code] for code in codes if code in by_code}
        return sorted(found, key=list(self.outcomes).index) if len(found) > 1 else list(found)

    @cached_property
    def _folded(self) -> tuple[dict[str, set[int]], dict[str, int]]:
        """The members who were folded: by the events of their steps, and by code."""
        by_key: dict[str, set[int]] = {}
        for member, outcome in self.outcomes.items():
            for step in outcome.steps:
                by_key.setdefault(cause_key(step.position), set()).add(member)
        return by_key, {code: member for member in self.outcomes for code in self.locked.codes(member)}

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {head.code: head.member_id for head in self.locked.ledgers.values()}

    def _member(self, body: Mapping[str, Any]) -> int | None:
        return self._ids.get(body.get("member", ""))

    def _tell_tier(self, body: dict[str, Any], outcome: Refolded, first: Position, last: Position) -> None:
        changes = outcome.folded.changes
        before = [change for change in changes if change.step < first]
        upto = [change for change in changes if change.step <= last]
        start = before[-1].tier if before else (changes[0].previous if changes else outcome.folded.tier)
        body["tier"] = {"before": start, "after": upto[-1].tier if upto else start, "now": outcome.folded.tier}
        body["tier_changes"] += [
            {
                "at": self._time(change.step[0]),
                "tier": change.tier,
                "previous": change.previous,
                "since": self._time(change.since),
                "until": self._time(change.until),
                "state": change.state,
                "cause": change.cause,
                "version": self._number(change.version_id),
                "traits": list(change.traits),
            }
            for change in upto
            if first <= change.step or not outcome.late
        ]

    def _tell_grants(self, body: dict[str, Any], outcome: Refolded, positions: set[Position]) -> set[Pair]:
        """Say what the item's own steps grant or take back; returns those pairs."""
        told: set[Pair] = set()
        deltas = self.deltas.get(outcome.head.member_id, {})
        for decision in outcome.folded.decisions:
            if decision.step in positions:
                granted = decision.granted
                pair = (granted.event_key, granted.rule)
                told.add(pair)
                body["grants"].append(
                    {
                        "event": granted.event_key,
                        "rule": granted.rule,
                        "version": self._number(granted.version_id),
                        "wallet": granted.wallet,
                        "amount": granted.wanted,
                        "change": deltas.get(pair, 0),
                        "usable_from": self._time(granted.usable_from),
                        "expires_at": self._time(granted.expires_at),
                    }
                )
        return told

    def _told(self, item: Item) -> Mapping[str, Any]:
        """Return what a sale that came again says of itself, by what it was booked with the first time."""
        if not isinstance(item, Sale) or item.tell is None:
            return {}
        stored = [self.intake.events.get(observation.key) for observation in item.observations]
        first = [one[min(one)].recorded.observation for one in stored if one]
        return item.tell(first if len(first) == len(stored) else item.observations)

    # ---- what was recorded before -------------------------------------------------------------------------------

    def _recalled(self, place: int, item: Item) -> dict[str, Any]:
        """Return what stands of an event that came again: tier after it, its grants, and the balances now."""
        key = item.observations[0].key
        revisions = self.intake.events.get(key, {})
        stored = revisions[max(revisions)] if revisions else None
        member = self._owner(stored) if stored is not None else None
        body: dict[str, Any] = {"status": "duplicate", "key": key}
        if stored is None or member is None or member not in self.locked.ledgers:
            return body
        at = stored.recorded.position
        changes = [
            row
            for row in self.link.ask(_TIERS, self.locked.root(member), at[0]).rows()
            if (row[0], row[1], row[2]) <= at
        ]
        keys = [observation.key for observation in item.observations]
        standing = {row[1]: row for row in self.link.ask(_GRANTS, self.programme.dealer_id, keys, member).rows()}
        after = changes[0][3] if changes else self.programme.line.at(at[0]).rules.policy.tiers[0].id
        own = bool(changes) and (changes[0][0], changes[0][1], changes[0][2]) == at
        return body | {
            "member": self.locked.code_of(self.locked.root(member)),
            "tier": {
                "before": changes[0][4] if own else after,
                "after": after,
                "now": self.locked.ledgers[self.locked.root(member)].tier,
            },
            "tier_changes": [
                {
                    "at": self._time(row[0]),
                    "tier": row[3],
                    "previous": row[4],
                    "since": self._time(row[5]),
                    "until": self._time(row[6]),
                    "state": row[7],
                    "cause": row[8],
                    "version": self._number(row[9]),
                    "traits": doc(row[10]),
                }
                for row in changes[: int(own)]
            ],
            "grants": [
                {
                    "event": key,
                    "rule": row[1],
                    "version": self._number(row[2]),
                    "wallet": row[3],
                    "amount": row[4],
                    "change": 0,
                    "usable_from": self._time(row[5]),
                    "expires_at": self._time(row[6]),
                }
                for row in standing.values()
            ],
            "adjusted": [],
            **_lines(item, (row for row in self.locked.histories.get(member, ()) if cause_key(row.known) == key)),
            # (An order that was told before without its credit has it taken by now.)
            "credit_used": dict(self.used.get(place) or self._used_by(member, stored.cluster)),
            "balances": self.balances(member),
        }

    def _owner(self, stored: Stored) -> int | None:
        """Return whose an event is; a return that names no member is its order's."""
        if stored.member_id is not None:
            return stored.member_id
        near = (one for revisions in self.intake.events.values() for one in revisions.values())
        return next(
            (one.member_id for one in near if one.cluster == stored.cluster and one.member_id is not None), None
        )

    def _used_by(self, member: int, order: str) -> dict[str, int]:
        purse = Purse.of(self.locked.ledgers[member], self.programme, (), (), ())
        purse.know_orders(self.link, [order])
        used = purse.book.taken.get(order, [])
        return {one.wallet: purse.book.used(one.wallet, order) for one in used}

    # ---- words --------------------------------------------------------------------------------------------------

    def _time(self, instant: int | None) -> str | None:
        """Return an instant in the dealer's zone, RFC 3339; None stays None (without end)."""
        if instant is None:
            return None
        return moment(instant, self.programme.info).isoformat()

    def _number(self, version_id: int) -> int:
        return self.programme.regimes.of(version_id).version.number


def _lines(item: Item, rows: Iterable[Contribution]) -> dict[str, Any]:
    """Return what a return among the item's observations gives back, by its lines; of others nothing is said."""
    if not any(said.kind in RETURNS for said in item.observations):
        return {}
    lines = given_back(rows)
    return {"lines": lines, "total": totals(lines)}
