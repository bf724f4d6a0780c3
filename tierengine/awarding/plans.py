"""The ranked list of an award, as of an instant. A plan only reads."""

from __future__ import annotations

from dataclasses import dataclass

from rules.policy import Award
from tierengine.awarding.eligibility import candidates
from tierengine.awarding.periods import EXAMPLES, bounds, named, period_of
from tierengine.awarding.ranking import Ranked, rank
from tierengine.errors import Refused, Unknown
from tierengine.judging.decisions import Version
from tierengine.policies.versions import Programme
from tierengine.store.dialect import Link


@dataclass(frozen=True, slots=True)
class Plan:
    """A ranked list as of an instant, by the policy version in force then. Amounts in fen."""

    award: Award
    year: int
    version: Version
    as_of: int
    final: bool  # the year was over at `as_of`
    ranked: Ranked

    @property
    def cost(self) -> int:
        """Return what the prizes of the winners come to."""
        return sum(one.prize for one in self.ranked.placed)


def the_award(programme: Programme, award_id: str | None, instant: int) -> Award:
    """Return the award of this id, or the only one; Unknown when there is none."""
    awards = programme.line.at(instant).rules.policy.awards
    if award_id is None and len(awards) == 1:
        return next(iter(awards.values()))
    if award_id is None or award_id not in awards:
        raise Unknown("unknown_award", award=award_id or "", known=", ".join(awards))
    return awards[award_id]


def plan(link: Link, programme: Programme, award_id: str | None, year: int, closing: int) -> Plan:
    """Return the ranked list for a year as of `closing` (an instant; the year's end, when that is later than it).

    year  also a quarter or a month, for an award of that period (periods.py)
    """
    zone = programme.zone
    first, after = bounds(year)
    begin, end = zone.start_of(first), zone.start_of(after)
    as_of = min(closing, end - 1)
    if as_of < begin:
        raise Refused("award_too_early", year=named(year))
    version = programme.line.at(as_of)
    award = the_award(programme, award_id, as_of)
    if award.period != period_of(year):
        raise Refused("award_other_period", award=award.id, period=award.period, expected=EXAMPLES[award.period])
    found = candidates(link, programme, version, award, begin, as_of)
    return Plan(award, year, version, as_of, as_of == end - 1, rank(award, found))
