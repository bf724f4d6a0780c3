"""The list of duties over the whole book, or one member's: who owes what to whom, how late, manager by manager."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rules.policy import Policy
from tierengine.judging.merging import Joined
from tierengine.judging.netting import net
from tierengine.membership.consents import KIND as CONSENT
from tierengine.membership.consents import withdrawn_at
from tierengine.membership.joined import read_joined
from tierengine.membership.standings import stages
from tierengine.policies.versions import Programme
from tierengine.recording.stored import contribution
from tierengine.service.duties import DATE_KINDS, Happened, Load, Owed, dates_of, gone, level_over_time, owed, turns_of
from tierengine.store.dialect import Link

_MEMBERS: Final = "SELECT id, code FROM member WHERE dealer_id = ?1 ORDER BY code"
_CODED: Final = "SELECT id, code FROM member WHERE dealer_id = ?1 AND code IN (?2*)"
_NAMES: Final = "SELECT id, code FROM member WHERE id IN (?1*) ORDER BY code"
_LINES: Final = (
    "SELECT c.member_id, e.recorded_at, c.kind, c.line, c.at, c.known_at, c.known_class, c.known_key, c.cause, c.qty, "
    "c.amount, c.fields FROM contribution c JOIN event e ON e.id = c.event_id "
    "WHERE c.member_id IN (?1*) AND c.kind IN (?2*) AND c.known_at <= ?3 ORDER BY c.member_id, c.id"
)
# What the service level, the owner's name and the dates follow from.
_STATE_KINDS: Final = frozenset(("segment_set", "manager_assigned", CONSENT)) | DATE_KINDS


@dataclass(frozen=True, slots=True)
class MemberDuty:
    """A duty with the member it is owed to and the manager who looks after him ("" = nobody yet)."""

    member: str
    manager: str
    owed: Owed


@dataclass(frozen=True, slots=True)
class DutyBook:
    """Every duty of the members asked, by due date, and the managers' loads."""

    duties: tuple[MemberDuty, ...]
    loads: tuple[Load, ...]


def read_duties(link: Link, programme: Programme, now: int, *, codes: Sequence[str] | None = None) -> DutyBook:
    """Return the duties as of `now` by the policy in force then; `codes`: only these members."""
    policy = programme.line.at(now).rules.policy
    joined = read_joined(link, programme.dealer_id)
    members = _members(link, programme.dealer_id, joined, codes)
    ids = list(members)
    kinds = sorted({*_STATE_KINDS, "duty_done", *_kinds(policy)})
    recorded: dict[tuple[int, str], int] = {}
    lines = defaultdict(list)
    for member_id, recorded_at, *row in link.ask(_LINES, joined.everybody(ids), kinds, now).rows():
        line = contribution(tuple(row))
        member_id = joined.root.get(member_id, member_id)  # noqa: PLW2901 - what is owed is owed to who stands for him
        lines[member_id].append(line)
        recorded[member_id, line.line] = max(recorded_at, recorded.get((member_id, line.line), 0))
    standing = stages(link, programme, ids, now)
    found: list[MemberDuty] = []
    top = policy.tiers[-1].id
    held: dict[str, int] = defaultdict(int)
    # What the dealer begins of his own accord, and no answer to anything: marketing, which a member may refuse.
    ours = {(level.id, duty.id) for level in policy.levels.values() for duty in level.duties if not duty.on}
    for member_id, code in members.items():
        happened = [Happened(line, recorded[member_id, line.line]) for line in net(lines[member_id]) if line.qty > 0]
        happened.sort(key=lambda one: one.line.known)
        manager = _last(happened, "manager_assigned", "manager")
        if standing[member_id] and standing[member_id][-1].tier == top and manager:
            held[manager] += 1
        moves = [(one.at, one.tier, one.cause, one.until, one.state) for one in standing[member_id]]
        levels = level_over_time(
            policy,
            [(at, tier) for at, tier, *_ in moves],
            [
                (one.line.at, str(one.line.fields.get("segment", "")))
                for one in happened
                if one.line.kind == "segment_set"
            ],
        )
        dates, turns = dates_of(programme.zone, happened), turns_of(policy, moves)
        duties = owed(policy, programme.zone, levels, happened, dates, now, turns, gone(net(lines[member_id])))
        silent = withdrawn_at([one.line for one in happened])
        found += [
            MemberDuty(code, manager, duty)
            for duty in duties
            if silent is None
            or duty.due_at <= silent
            or duty.done_at is not None
            or (duty.level, duty.duty) not in ours
        ]
    found.sort(key=lambda one: (one.owed.due_at, one.member, one.owed.duty))
    loads = tuple(Load(manager, number, policy.manager_limit) for manager, number in sorted(held.items()))
    return DutyBook(tuple(found), loads)


def _members(link: Link, dealer: int, joined: Joined, codes: Sequence[str] | None) -> dict[int, str]:
    """Return whom the list is of, id → code: each who stands for himself, or whoever stands for those who are asked."""
    if codes is None:
        return {one: code for one, code in link.ask(_MEMBERS, dealer).rows() if not joined.absorbed(one)}
    named = link.ask(_CODED, dealer, list(codes)).rows()
    return dict(link.ask(_NAMES, sorted({joined.root.get(one, one) for one, _ in named})).rows())


def _kinds(policy: Policy) -> set[str]:
    return {
        kind
        for level in policy.levels.values()
        for duty in level.duties
        for kind in (*duty.on, *(done for done, _ in duty.done_by))
    }


def _last(happened: Sequence[Happened], kind: str, field: str) -> str:
    return next((str(one.line.fields[field]) for one in reversed(happened) if one.line.kind == kind), "")
