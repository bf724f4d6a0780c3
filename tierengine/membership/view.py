"""One member as he stands, judged as of now and told with reasons. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from rules.judge import StandingTiers, explain_condition
from tierengine.judging.decisions import Granted
from tierengine.judging.history import LAST
from tierengine.membership.activity import STATEMENT_MOST
from tierengine.membership.asker import Asker, last_day, when
from tierengine.membership.explaining import Event, Words, degree_of, missing, reward_reasons, said, title, trait_reason
from tierengine.membership.known import Known, read_member
from tierengine.membership.shortlist import lists_of, needed_traits
from tierengine.membership.stand import Stand, judged_at, occasions_of, stand
from tierengine.membership.wallets import wallets
from tierengine.policies.versions import Programme
from tierengine.service.entitlements import ASKED_BY_RIGHTS, level, rights
from tierengine.store.dialect import Link, Row, doc

_CHANGES: Final = (
    'SELECT at, "class", key, tier, previous, since, until, state, cause, traits FROM tier_change WHERE member_id = ?1 '
    'ORDER BY at DESC, "class" DESC, key DESC LIMIT ?2'
)
_GRANTED: Final = (
    "SELECT event_key, rule, kind, basis FROM decision WHERE dealer_id = ?1 AND event_key IN (?2*) AND member_id = ?3 "
    "ORDER BY step_at, step_class, step_key, id"
)


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
