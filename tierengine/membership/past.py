"""A member as of any past instant, by what is known now or was known then, and what was decided up to it.

The standing is judged again, by the version that was in force, on what happened up to the instant and was on file at
`known_at`. The decisions are those that were stored: each cites its rule, its version, and the facts it used.
"""

from __future__ import annotations

from typing import Any, Final

from rules.policy.text import title
from tierengine.judging.fold import fold
from tierengine.judging.history import LAST, Contribution
from tierengine.judging.merging import MERGE, classes, into_of, united
from tierengine.judging.netting import net, steps
from tierengine.judging.running import RunningFacts
from tierengine.membership.asker import Asker, last_day, when
from tierengine.membership.known import read_member
from tierengine.membership.reasons import said
from tierengine.membership.stand import judged_at
from tierengine.membership.told import Told
from tierengine.policies.versions import Programme
from tierengine.recording.lookups import member_ids
from tierengine.recording.stored import contribution
from tierengine.store.dialect import Link, doc
from tierengine.store.rows import Row

DECISIONS_MOST: Final = 200
_ROWS: Final = (
    "SELECT c.kind, c.line, c.at, c.known_at, c.known_class, c.known_key, c.cause, c.qty, c.amount, c.fields "
    "FROM contribution c JOIN event e ON e.id = c.event_id WHERE c.member_id IN (?1*) AND c.known_at <= ?2 "
    "AND e.recorded_at <= ?3 ORDER BY c.known_at, c.known_class, c.known_key, c.id"
)
_MERGES: Final = (
    "SELECT c.member_id, m.code, c.kind, c.line, c.at, c.known_at, c.known_class, c.known_key, c.cause, c.qty, "
    "c.amount, c.fields FROM contribution c JOIN event e ON e.id = c.event_id JOIN member m ON m.id = c.member_id "
    "WHERE c.dealer_id = ?1 AND c.known_key >= ?2 AND c.known_key < ?3 AND e.recorded_at <= ?4"
)
_DECISIONS: Final = (
    "SELECT d.id, d.event_key, d.rule, v.number, d.step_at, d.step_key, d.kind, d.wallet, d.wanted, d.usable_from, "
    "d.expires_at, d.recorded_at, d.basis FROM decision d JOIN policy_version v ON v.id = d.version_id "
    "WHERE d.member_id IN (?1*) AND d.step_at <= ?2 AND d.recorded_at <= ?3 AND d.id < ?4 ORDER BY d.id DESC LIMIT ?5"
)


def joined_by(link: Link, dealer: int, code: str, known_at: int) -> tuple[list[int], list[str]]:
    """Return ids and codes of all who were one with a member by what was known then, who stood for them first."""
    said: dict[int, list[Contribution]] = {}
    ids: dict[str, int] = {}
    for member, own, *row in link.ask(_MERGES, dealer, MERGE, MERGE + "\U0010ffff", known_at).rows():
        said.setdefault(member, []).append(contribution(tuple(row)))
        ids[own] = member
    words = {member: into_of(rows) for member, rows in said.items()}
    ids |= member_ids(link, dealer, {code, *(into for into in words.values() if into is not None)})
    into = {member: ids[code] for member, code in words.items() if code is not None}
    all_ = next(all_ for all_ in classes({ids[code], *into, *into.values()}, into).values() if ids[code] in all_)
    by_id = {number: code for code, number in ids.items()}
    return list(all_), [by_id[one] for one in all_]


def explain(
    link: Link,
    programme: Programme,
    code: str,
    at: int,
    known_at: int,
    asker: Asker,
    *,
    before: int | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """Return the member as of `at`, as JSON; call it inside a snapshot. Unknown when there is none of this code.

    Instants in microseconds UTC. Decisions come newest first, `limit` of them, those with an id below `before`.
    """
    known = read_member(link, programme, code)
    ids, codes = joined_by(link, programme.dealer_id, code, known_at)
    stored = [contribution(row) for row in link.ask(_ROWS, ids, at, known_at).rows()]
    history = sorted(net(united([stored], codes)), key=lambda row: row.known)
    source, position = RunningFacts(programme.zone, history), (at, LAST, "")
    folded = fold(programme.regimes, "", None, steps(history), source, until=position)
    here = judged_at(known, folded.carry, folded.head, position, source)
    told = Told(known, here, asker)
    limit = min(limit, DECISIONS_MOST)
    found = link.ask(_DECISIONS, ids, at, known_at, before if before is not None else 1 << 62, limit + 1).rows()
    return {
        "member": codes[0],
        **({"merged_into": codes[0]} if codes[0] != code else {"merged": codes[1:]} if codes[1:] else {}),
        "at": when(known, at),
        "known_at": when(known, known_at),
        "policy_version": here.regime.version.number,
        "standing": told.standing(),
        "next_tier": told.next_tier(),
        "traits": told.traits(),
        "lists": told.lists(),
        "tier_history": [
            {
                "at": when(known, change.step[0]),
                "tier": change.tier,
                "previous": change.previous,
                "since": when(known, change.since) if change.since else None,
                "until": last_day(known, change.until),
                "state": change.state,
                "cause": change.cause,
                "traits": list(change.traits),
            }
            for change in reversed(folded.changes)
        ],
        "decisions": [_decision(row, programme, told) for row in found[:limit]],
        "next": found[limit - 1][0] if len(found) > limit else None,
    }


def _decision(row: Row, programme: Programme, told: Told) -> dict[str, Any]:
    number, event, rule, version, step_at, step_key, kind, wallet, wanted, usable_from, expires_at, recorded, basis = (
        row
    )
    policy = next((one for one in programme.line.versions if one.number == version), programme.line.versions[-1]).rules
    reward = policy.policy.rewards.get(rule)
    known, asker = told.known, told.asker
    visible = asker.key(event) is not None
    return {
        "id": number,
        "event": asker.key(event),
        "caused_by": asker.key(step_key),
        "rule": rule,
        "title": said(title(reward.title, rule), asker.lang) if reward is not None else rule,
        "policy_version": version,
        "kind": kind,
        "wallet": wallet,
        "unit": programme.unit(wallet),
        "amount": wanted,
        "usable_from": when(known, usable_from),
        "last_day": last_day(known, expires_at),
        "at": when(known, step_at),
        "recorded_at": when(known, recorded),
        # Lines and keys of another store's order are not told.
        "basis": doc(basis) if visible else None,
    }
