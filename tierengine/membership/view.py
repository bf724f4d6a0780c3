"""One member as he stands, judged as of now and told with reasons. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from rules.judge import StandingTiers
from tierengine.judging.decisions import Granted
from tierengine.judging.history import LAST
from tierengine.membership.activity import STATEMENT_MOST
from tierengine.membership.asker import Asker, last_day, when
from tierengine.membership.known import Known, read_member
from tierengine.membership.reward_reasons import reward_reasons
from tierengine.membership.stand import Stand, judged_at, occasions_of, stand
from tierengine.membership.told import Told
from tierengine.membership.wallets import wallets
from tierengine.membership.worth_reasons import Event
from tierengine.policies.versions import Programme
from tierengine.service.entitlements import ASKED_BY_RIGHTS, level, rights
from tierengine.store.dialect import Link, doc
from tierengine.store.rows import Row

_CHANGES: Final = (
    'SELECT at, "class", key, tier, previous, since, until, state, cause, traits FROM tier_change WHERE member_id = ?1 '
    'ORDER BY at DESC, "class" DESC, key DESC LIMIT ?2'
)
_GRANTED: Final = (
    "SELECT event_key, rule, kind, basis FROM decision WHERE dealer_id = ?1 AND event_key IN (?2*) "
    "AND member_id IN (?3*) ORDER BY step_at, step_class, step_key, id"
)


@dataclass(slots=True)
class _View:
    """The parts of one member's view."""

    link: Link
    known: Known
    then: Stand | None  # right after his last event
    asker: Asker
    changes: list[Row] = field(init=False)

    def __post_init__(self) -> None:
        self.changes = self.link.ask(_CHANGES, self.known.id, STATEMENT_MOST).rows()

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
        for key, rule, kind, basis in self.link.ask(_GRANTED, known.programme.dealer_id, keys, list(known.ids)).rows():
            granted.pop((key, rule), None)
            if kind != "withdrawn":
                granted[key, rule] = Granted.of(doc(basis)["granted"])
        moved = [row for row in self.changes if (row[0], row[1], row[2]) == known.head]
        cluster = occasions[0].key.rpartition(":")[0]
        tiers = StandingTiers(
            moved[-1][4] if moved else then.tier, then.tier, then.carry.orders.get(cluster, then.tier)
        )
        event = Event(occasions, tiers, then.inputs, then.judged, then.carry, granted, {})
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
    shown, told = _View(link, known, then, asker), Told(known, here, asker)
    of = level(here.policy, here.tier, here.inputs.attributes.get("segment"))
    return {
        "member": known.code,
        **known.joined(),
        "form": known.form,
        "as_of": when(known, now),
        "programme": told.say(here.policy.title, here.policy.programme),
        "policy_version": here.regime.version.number,
        "standing": told.standing(),
        "next_tier": told.next_tier(),
        "traits": told.traits(),
        "lists": told.lists(),
        "wallets": wallets(known, here, now, asker),
        "tier_history": shown.history(),
        "last_event": shown.last_event(),
        "entitlements": [
            one.plain(asker.lang)
            for one in rights(programme.zone, of, known.of_kinds(ASKED_BY_RIGHTS), max(now, known.head[0]))
        ],
    }
