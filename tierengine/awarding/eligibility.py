"""Who may win an award: long enough in its tiers, not barred, and the facts that he is ranked by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Final

from rules.judge import Inputs, Ruleset
from rules.narrowing import narrowed
from rules.policy import Award
from tierengine.awarding.ranking import Candidate
from tierengine.judging.decisions import FactSource, Version
from tierengine.judging.facts_sql import read_contributions, read_facts
from tierengine.judging.facts_statement import Ask
from tierengine.judging.history import LAST
from tierengine.judging.merging import Joined
from tierengine.judging.netting import standing as stands
from tierengine.judging.running import RunningFacts
from tierengine.membership.joined import read_joined
from tierengine.membership.standings import Stage, beginnings, stages
from tierengine.policies.versions import Programme
from tierengine.store.dialect import Link
from tierengine.zone import add_months

TOGETHER: Final = 2_000
"""Members whose facts are read at once."""

_EVER_IN = "SELECT DISTINCT member_id FROM tier_change WHERE dealer_id = ?1 AND tier IN (?2*) AND at <= ?3 ORDER BY 1"
_CODES = "SELECT id, code FROM member WHERE id IN (?1*)"


def candidates(
    link: Link, programme: Programme, version: Version, award: Award, begin: int, as_of: int
) -> list[Candidate]:
    """Return who may win as of an instant, of a period that began at `begin`, with what he is ranked by."""
    members = [row[0] for row in link.ask(_EVER_IN, programme.dealer_id, list(award.tiers), as_of).rows()]
    lowest = version.rules.policy.tiers[0].id
    begun = beginnings(link, programme, lowest, as_of) if lowest in award.tiers else {}
    members = sorted({*members, *begun})
    standing = stages(link, programme, members, as_of)
    for member, stage in begun.items():
        if not standing[member] or stage.at < standing[member][0].at:
            standing[member].insert(0, stage)
    in_tier = [
        member
        for member in members
        if standing[member]
        and standing[member][-1].tier in award.tiers
        and months_in(programme, standing[member], award.tiers, begin, as_of + 1) >= award.months_in_tier
    ]
    return _unbarred(link, programme, version, award, in_tier, standing, as_of)


def months_in(programme: Programme, standing: Sequence[Stage], tiers: Sequence[str], begin: int, end: int) -> int:
    """Return the whole months within [begin, end) spent in these tiers, stretch by stretch."""
    zone, months = programme.zone, 0
    for place, stage in enumerate(standing):
        if stage.tier not in tiers:
            continue
        until = standing[place + 1].at if place + 1 < len(standing) else end
        months += _whole_months(zone.local_date(max(stage.at, begin)), zone.local_date(min(until, end)))
    return months


@lru_cache(maxsize=4096)
def _whole_months(first: date, last: date) -> int:
    months = 0
    while add_months(first, 1) <= last:
        first, months = add_months(first, 1), months + 1
    return months


def _unbarred(
    link: Link,
    programme: Programme,
    version: Version,
    award: Award,
    members: list[int],
    standing: dict[int, list[Stage]],
    as_of: int,
) -> list[Candidate]:
    joined = read_joined(link, programme.dealer_id)
    version = replace(version, rules=asked(version.rules, award.id))
    position = (as_of, LAST, "")
    found = []
    for first in range(0, len(members), TOGETHER):
        some = members[first : first + TOGETHER]
        asks = [Ask(member, position, standing[member][-1].since) for member in some]
        known = _known(link, programme, version, asks, joined)
        codes: dict[int, str] = dict(link.ask(_CODES, some).rows())
        for ask in asks:
            source = known[ask.member_id]
            facts = source.facts(version, position, ask.since)
            attributes = source.attributes(position)
            attested = source.attested(version, position)
            inputs = Inputs(facts, attributes, attested, standing[ask.member_id][-1].tier)
            if award.unless is None or award.id not in version.rules.judge(inputs).barred:
                found.append(Candidate(ask.member_id, codes[ask.member_id], facts, attributes))
    return found


@lru_cache(maxsize=8)
def asked(rules: Ruleset, award_id: str) -> Ruleset:
    """Return what of a policy one award asks of everybody: who is barred from it, and the facts it is decided by."""
    award = rules.policy.awards[award_id]
    read = {part.fact for part in award.score} | {tie.name for tie in award.ties if tie.source == "fact"}
    read |= {award.prize_share.fact} if award.prize_share is not None else set()
    return narrowed(rules.policy, awards=[award_id], facts=read)


def _known(
    link: Link, programme: Programme, version: Version, asks: Sequence[Ask], joined: Joined
) -> dict[int, FactSource]:
    """Return each one's facts at the position asked; those of merged members are of all their histories."""
    alone = [ask for ask in asks if ask.member_id not in joined.members]
    known: dict[int, FactSource] = {**read_facts(link.cursor(), version, alone)}
    if merged := [ask.member_id for ask in asks if ask.member_id in joined.members]:
        histories = joined.united(read_contributions(link.cursor(), joined.everybody(merged)))
        known |= {member: RunningFacts(programme.zone, stands(histories[member])) for member in merged}
    return known
