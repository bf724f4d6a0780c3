"""The annual award: who is eligible, in what order, frozen once, and each prize booked exactly once. Flow 3.

A plan only reads. The first `issue` freezes the list (award_run, award_winner) as of a stated closing day; whatever is
recorded later, the list stands. Each prize is one entry under the member's lock, looked for before it is written, so a
run that was killed anywhere is simply run again.

A prize in goods is kept in a wallet of the award's own (`award:ID`): what the house owes until it is handed over, and
never payable at a till.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial
from itertools import islice
from typing import Any, Final, Protocol, TypeVar

import orjson

from rules.judge import Inputs, Ruleset
from rules.narrowing import narrowed
from rules.policy import Award
from tierengine.awarding.ranking import Candidate, Ranked, rank
from tierengine.errors import Refused, Unknown
from tierengine.judging.decisions import FactSource, Version
from tierengine.judging.facts_sql import read_contributions, read_facts
from tierengine.judging.facts_statement import Ask
from tierengine.judging.history import LAST
from tierengine.judging.merging import Joined
from tierengine.judging.netting import standing as stands
from tierengine.judging.running import RunningFacts
from tierengine.membership.joined import read_joined
from tierengine.membership.standings import Stage, beginnings, stages
from tierengine.policies.versions import Programme, prize_wallet
from tierengine.recording import reading
from tierengine.recording.purses import Purses
from tierengine.recording.writing import Rows
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.store.rows import Row, Table
from tierengine.zone import add_months, moment

CHUNK = 200
ASKED = 2_000  # members whose facts are read at once
Made = TypeVar("Made")


class Note(Protocol):
    """Puts an act about something into the audit, in the transaction under way."""

    def __call__(self, link: Link, ids: Ids, act: str, subject: str, told: Mapping[str, Any], /) -> None:
        """Note it."""


class Perform(Protocol):
    """Runs an act in a transaction of its own and returns what it made."""

    def __call__(self, act: Callable[[Link, Ids], Made], /) -> Made:
        """Run it."""
        ...


_RUNS = Table("award_run")
_WINNERS = Table("award_winner")

_EVER_IN = "SELECT DISTINCT member_id FROM tier_change WHERE dealer_id = ?1 AND tier IN (?2*) AND at <= ?3 ORDER BY 1"
_CODES = "SELECT id, code FROM member WHERE id IN (?1*)"
_RUN = (
    "SELECT id, version_id, as_of, list_hash, planned_at, plan FROM award_run "
    "WHERE dealer_id = ?1 AND award = ?2 AND year = ?3"
)
_WON = (
    "SELECT w.member_id, m.code, w.place, w.score, w.prize FROM award_winner w "
    "JOIN member m ON m.id = w.member_id WHERE w.run_id = ?1 ORDER BY w.place"
)
_WRITTEN: Final = {"year": "2026", "quarter": "2026-Q3", "month": "2026-03"}
_ISSUED = "SELECT member_id FROM entry WHERE kind = 'award' AND cause_key = ?1 AND member_id IN (?2*)"


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


@dataclass(frozen=True, slots=True)
class Winner:
    """One winner of a frozen list, and whether this run booked the prize or an earlier one had."""

    code: str
    place: int
    score_bp: int
    prize: int
    issued_now: bool


@dataclass(frozen=True, slots=True)
class Issued:
    """What a run of `issue` did. `as_of` is the instant as of which the list was frozen, now or by an earlier run."""

    award_id: str
    year: int
    as_of: int
    list_hash: str
    frozen_now: bool
    winners: tuple[Winner, ...]


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

    year  also a quarter or a month, for an award of that period (`period_of`)
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
        raise Refused("award_other_period", award=award.id, period=award.period, expected=_WRITTEN[award.period])
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
    candidates = _candidates(link, programme, version, award, in_tier, standing, as_of)
    return Plan(award, year, version, as_of, as_of == end - 1, rank(award, candidates))


def period_of(year: int) -> str:
    """Return what a number of `plan` means: 2026 a year, 20263 its third quarter, 202603 its March."""
    return {4: "year", 5: "quarter", 6: "month"}[len(str(year))]


def named(year: int) -> str:
    """Return how people write a period: 2026, 2026-Q3, 2026-03."""
    text = str(year)
    return {"year": text, "quarter": f"{text[:4]}-Q{text[4:]}", "month": f"{text[:4]}-{text[4:]}"}[period_of(year)]


def bounds(year: int) -> tuple[date, date]:
    """Return the first day of a period and the first day after it."""
    kind, text = period_of(year), str(year)
    if kind == "year":
        return date(year, 1, 1), date(year + 1, 1, 1)
    months = 3 if kind == "quarter" else 1
    first = date(int(text[:4]), (int(text[4:]) - 1) * months + 1, 1)
    return first, add_months(first, months)


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


def _candidates(
    link: Link,
    programme: Programme,
    version: Version,
    award: Award,
    members: Sequence[int],
    standing: dict[int, list[Stage]],
    as_of: int,
) -> list[Candidate]:
    joined = read_joined(link, programme.dealer_id)
    version = replace(version, rules=asked(version.rules, award.id))
    position = (as_of, LAST, "")
    found = []
    for some in _chunks(members, ASKED):
        asks = [Ask(member, position, standing[member][-1].since) for member in some]
        known = _known(link, programme, version, asks, joined)
        codes: dict[int, str] = dict(link.ask(_CODES, list(some)).rows())
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


# ---- issuing ----------------------------------------------------------------------------------------------------


def issue(
    perform: Perform,
    programme: Programme,
    award_id: str | None,
    year: int,
    now: int,
    closing: int | None = None,
    note: Note | None = None,
) -> Issued:
    """Freeze the list unless it is, then book every prize that is not booked yet.

    perform  runs an act in a transaction of its own: `Writer.perform(act).result()`, or ids.transact
    closing  the instant of closing, when the list is frozen before the year is over; without it that is refused, and
             so is another one than that of the list that is frozen already
    note     puts the freezing, and each lot of prizes, into the audit, in the transaction that does it
    """
    award = the_award(programme, award_id, now)
    about = f"award:{award.id}:{named(year)}"

    def freeze(link: Link, ids: Ids) -> _Run:
        run = _freeze(programme, award, year, now, closing, link, ids)
        if run.frozen_now and note is not None:
            note(link, ids, "award.freeze", about, {"list_hash": run.list_hash})
        return run

    def book(chunk: Sequence[Row], link: Link, ids: Ids) -> set[int]:
        done = _book(programme, award, year, chunk, now, link, ids)
        if done and note is not None:
            note(link, ids, "award.prizes", about, {"booked": len(done)})
        return done

    run = perform(freeze)
    winners = perform(lambda link, _: link.ask(_WON, run.id).rows())
    booked: set[int] = set()
    for chunk in _chunks(winners, CHUNK):
        booked |= perform(partial(book, chunk))
    return Issued(
        award.id,
        year,
        run.as_of,
        run.list_hash,
        run.frozen_now,
        tuple(Winner(code, place, score, prize, member in booked) for member, code, place, score, prize in winners),
    )


def cause_of(award_id: str, year: int) -> str:
    """Return what the entries of one award and year cite."""
    return f"award:{award_id}:{year}"


@dataclass(frozen=True, slots=True)
class _Run:
    """A frozen list."""

    id: int
    as_of: int
    list_hash: str
    frozen_now: bool


def frozen_as_of(link: Link, programme: Programme, award: Award, year: int) -> int | None:
    """Return the instant as of which a year's list was frozen; None: it is not yet."""
    known = link.ask(_RUN, programme.dealer_id, award.id, year).rows()
    return known[0][2] if known else None


def _freeze(programme: Programme, award: Award, year: int, now: int, closing: int | None, link: Link, ids: Ids) -> _Run:
    # The dealer's row makes two runs that start at once wait for one another.
    link.ask("SELECT id FROM dealer WHERE id = ?1 FOR UPDATE", programme.dealer_id).rows()
    known = link.ask(_RUN, programme.dealer_id, award.id, year).rows()
    if known:
        run_id, _, as_of, digest, planned_at, _ = known[0]
        end = programme.zone.start_of(bounds(year)[1])
        if closing is not None and min(closing, planned_at, end - 1) != as_of:
            # Whoever names another day expects another list.
            raise Refused("award_frozen", year=named(year), as_of=f"{moment(as_of, programme.info):%Y-%m-%d %H:%M}")
        return _Run(run_id, as_of, digest, frozen_now=False)
    found = plan(link, programme, award.id, year, now if closing is None else min(closing, now))
    if not found.final and closing is None:
        raise Refused("award_too_early", year=named(year))
    won = [placed for placed in found.ranked.placed if placed.wins]
    listed = [[one.place, one.candidate.code, one.score_bp, one.prize] for one in won]
    digest = hashlib.sha256(orjson.dumps([award.id, year, found.version.number, found.as_of, listed])).hexdigest()
    run_id = ids.take()
    text = orjson.dumps({"winners": listed, "eligible": len(found.ranked.placed), "budget": award.budget}).decode()
    link.write(
        _RUNS,
        [(run_id, programme.dealer_id, award.id, year, found.version.id, found.as_of, digest, now, text)],
    )
    link.write(
        _WINNERS,
        [(run_id, one.candidate.member_id, programme.dealer_id, one.place, one.score_bp, one.prize) for one in won],
    )
    return _Run(run_id, found.as_of, digest, frozen_now=True)


def _book(
    programme: Programme, award: Award, year: int, chunk: Sequence[Row], now: int, link: Link, ids: Ids
) -> set[int]:
    """Book the prizes of some winners under their locks; return those that were not booked before."""
    cause, wallet = cause_of(award.id, year), prize_wallet(award)
    members = [row[0] for row in chunk]
    everybody = read_joined(link, programme.dealer_id).everybody(members)
    locked = reading.lock(link, programme.dealer_id, everybody, (), (), (), {}, now=now, wait=True)
    issued = {row[0] for row in link.ask(_ISSUED, cause, members).rows()}
    rows, booked = Rows(), set()
    moment = max(now, max((head.recorded_at for head in locked.ledgers.values()), default=0))
    # (Of two winners who are one by now, each has his prize in his own book, and both books are one purse.)
    purses = Purses(link, locked, programme, moment)
    for member_id, _code, _place, _score, prize in chunk:
        if member_id in issued or prize <= 0:
            continue
        expiry = programme.line.at(now).rules.policy.wallets[award.wallet].expires if award.wallet else None
        purses.of(member_id).book.adjust(
            cause,
            award.id,
            wallet,
            programme.unit(wallet),
            prize,
            usable_from=moment,
            expires_at=programme.zone.expiry(expiry, moment),
            cause=cause,
            kind="award",
        )
        purses.touched.add(member_id)
        booked.add(member_id)
    purses.close()
    for member_id, row in locked.ledgers.items():
        purse = purses.opened(member_id)
        if purse is not None and purse.book.entries:
            purse.store(rows, ids, moment)
            state = (row.tier, row.boundary_at, row.carry)
            number = purse.book.next_number - 1
            rows.add("ledger", member_id, programme.dealer_id, number, *row.position, *state)
    with link.pipeline():
        rows.send(link)
    return booked


def _chunks(rows: Sequence[Made], size: int) -> Iterator[Sequence[Made]]:
    left = iter(rows)
    while chunk := list(islice(left, size)):
        yield chunk
