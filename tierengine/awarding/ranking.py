"""The year-end award as a ranked list: rank shares, stated ties, a number of winners, a budget. Pure.

A part of the score is the member's rank share: how many of the other eligible members have less, out of all others.
Scores are compared as exact integers; basis points are for people. The order is total: the award's own ties first, the
member code last, so that two runs over the same book always agree.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from rules.policy import Award, Tie
from tierengine.judging.history import Scalar

FULL = 10_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """An eligible member with the facts and attributes of the award as of the last instant of its year."""

    member_id: int
    code: str
    facts: Mapping[str, int | None]
    attributes: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Placed:
    """A candidate with his place (from 1) in his group, his score in basis points of a full score, and each part of it.

    prize  what he gets, fen; 0 without a win
    """

    candidate: Candidate
    place: int
    score_bp: int
    parts: Mapping[str, int]  # fact → basis points of that part's weight
    wins: bool
    decided_by: str  # "" when the score alone set him behind the one before, else the tie that did
    group: str = ""
    prize: int = 0


@dataclass(frozen=True, slots=True)
class Ranked:
    """The list, winners first, and where the cut line is and why."""

    placed: tuple[Placed, ...]
    winners: int
    limited_by: str  # "share", "at_least", "at_most", "budget" or "eligible"


def rank(award: Award, candidates: Sequence[Candidate]) -> Ranked:
    """Return all candidates in order, the winners first."""
    groups: dict[str, list[Candidate]] = {}
    for one in candidates:
        group = one.attributes.get(award.per) if award.per else None
        groups.setdefault(str(group) if group is not None else "", []).append(one)
    ranked = [(group, _ranked(award, members)) for group, members in sorted(groups.items())]
    placed = [replace(one, group=group) if group else one for group, list_ in ranked for one in list_.placed]
    paid, over = _paid(award, placed)
    order = sorted(paid, key=lambda one: (not one.wins, one.group, one.place)) if award.per else paid
    limits = [list_.limited_by for _, list_ in ranked] or [winners(award, 0)[1]]
    limited_by = "budget" if over else limits[0] if len(set(limits)) == 1 else "share"
    return Ranked(tuple(order), sum(one.wins for one in order), limited_by)


def _paid(award: Award, placed: Sequence[Placed]) -> tuple[list[Placed], bool]:
    """Give each winner his prize while the budget lasts: the first places first; tell whether it ended the list."""
    left, over, prizes = award.budget, False, dict[int, int]()
    for one in sorted((one for one in placed if one.wins), key=lambda one: (one.place, one.group)):
        prize = prize_of(award, one.place, one.candidate.facts)
        over = over or (prize > left and (prize > 0))
        if not over:
            left -= prize
            prizes[one.candidate.member_id] = prize
    paid = [
        replace(one, wins=one.candidate.member_id in prizes, prize=prizes.get(one.candidate.member_id, 0))
        if one.wins
        else one
        for one in placed
    ]
    return paid, over


def prize_of(award: Award, place: int, facts: Mapping[str, int | None]) -> int:
    """Return what a winner at this place gets, in fen."""
    if award.prizes:
        rungs = (one for one in award.prizes if one.first <= place and (one.last is None or place <= one.last))
        return next((one.amount for one in rungs), 0)
    share = award.prize_share
    if share is None:
        return award.prize
    value = max(facts.get(share.fact) or 0, 0) * share.share_bp // FULL
    value = value if share.cap is None else min(value, share.cap)
    return value - value % share.block


def tax_of(award: Award, prize: int) -> int:
    """Return the tax on a prize, in fen, half up: out of it, or on top where the dealer bears it."""
    base = FULL - award.tax_bp if award.tax_borne_by == "dealer" else FULL
    return (2 * prize * award.tax_bp + base) // (2 * base)


def _ranked(award: Award, candidates: Sequence[Candidate]) -> Ranked:
    """Return one group in order."""
    others = max(len(candidates) - 1, 1)
    shares: dict[str, dict[int, int]] = {}
    for part in award.score:
        values = sorted(candidate.facts.get(part.fact) or 0 for candidate in candidates)
        shares[part.fact] = {
            one.member_id: bisect_left(values, one.facts.get(part.fact) or 0) if len(values) > 1 else 1
            for one in candidates
        }
    weight = sum(part.weight for part in award.score) or 1

    scored = {
        one.member_id: sum(part.weight * shares[part.fact][one.member_id] for part in award.score) for one in candidates
    }

    def points(one: Candidate) -> int:
        return scored[one.member_id]

    order = sorted(candidates, key=lambda one: one.code)
    for tie in reversed(award.ties):
        order.sort(key=partial(_tie, tie), reverse=tie.first == "highest")
    order.sort(key=points, reverse=True)
    number, limited_by = winners(award, len(candidates))
    placed = tuple(
        Placed(
            candidate=one,
            place=place + 1,
            score_bp=points(one) * FULL // (weight * others),
            parts={part.fact: shares[part.fact][one.member_id] * FULL // others for part in award.score},
            wins=place < number,
            decided_by=_decided(award, order[place - 1], one, points(order[place - 1]), points(one)) if place else "",
        )
        for place, one in enumerate(order)
    )
    return Ranked(placed, number, limited_by)


def winners(award: Award, eligible: int) -> tuple[int, str]:
    """Return how many win among so many eligible members, and which limit set the number."""
    number, limited_by = eligible * award.share_bp // FULL, "share"
    if number < award.at_least:
        number, limited_by = award.at_least, "at_least"
    if number > award.at_most:
        number, limited_by = award.at_most, "at_most"
    if award.prize > 0 and number > award.budget // award.prize:
        number, limited_by = award.budget // award.prize, "budget"
    if number > eligible:
        number, limited_by = eligible, "eligible"
    return number, limited_by


def _tie(tie: Tie, one: Candidate) -> tuple[bool, int | str]:
    """Return the sort key of one tie step; who has no value comes after who has one, whichever end is first."""
    value = one.facts.get(tie.name) if tie.source == "fact" else one.attributes.get(tie.name)
    return ((value is None) == (tie.first == "lowest"), 0 if value is None else value)


def _decided(award: Award, before: Candidate, one: Candidate, ahead: int, behind: int) -> str:
    if ahead != behind:
        return ""
    for tie in award.ties:
        if _tie(tie, before) != _tie(tie, one):
            return tie.name
    return "code"
