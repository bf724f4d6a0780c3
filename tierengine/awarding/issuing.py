"""Issuing an award: its list frozen once, and each prize booked exactly once. Flow 3.

The first `issue` freezes the list (award_run, award_winner) as of a stated closing day; whatever is recorded later, the
list stands. Each prize is one entry under the member's lock, looked for before it is written, so a run that was killed
anywhere is simply run again.

A prize in goods is kept in a wallet of the award's own (`award:ID`): what the house owes until it is handed over, and
never payable at a till.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import orjson

from rules.policy import Award
from tierengine.awarding.periods import bounds, named
from tierengine.awarding.plans import plan, the_award
from tierengine.errors import Refused
from tierengine.membership.joined import read_joined
from tierengine.policies.versions import Programme, prize_wallet
from tierengine.recording import reading
from tierengine.recording.purses import Purses
from tierengine.recording.writing import Rows
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.store.rows import Row, Table
from tierengine.zone import moment

TOGETHER: Final = 200
"""Prizes booked in one transaction."""
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
_RUN = (
    "SELECT id, version_id, as_of, list_hash, planned_at, plan FROM award_run "
    "WHERE dealer_id = ?1 AND award = ?2 AND year = ?3"
)
_WON = (
    "SELECT w.member_id, m.code, w.place, w.score, w.prize FROM award_winner w "
    "JOIN member m ON m.id = w.member_id WHERE w.run_id = ?1 ORDER BY w.place"
)
_ISSUED = "SELECT member_id FROM entry WHERE kind = 'award' AND cause_key = ?1 AND member_id IN (?2*)"


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
    for first in range(0, len(winners), TOGETHER):
        booked |= perform(partial(book, winners[first : first + TOGETHER]))
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
