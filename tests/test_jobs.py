"""Which waiting jobs share a transaction: those of one dealer, nobody before his own, and no act in company. Pure."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future

from tests.club import ZONE
from tierengine.judging.observations import read_observation
from tierengine.recording.acts import Settle
from tierengine.recording.items import Command, Observe
from tierengine.recording.jobs import Job, take_group


def asks(member: str, dealer: int = 1) -> Job:
    """A command of a member: it sees what was recorded before it."""
    return Job(Future(), Command(dealer, (member,), Settle()))


def tells(member: str, dealer: int = 1) -> Job:
    """An observation of a member."""
    raw = {"kind": "contact", "member": member, "occurred_at": "2026-03-01T10:00:00+08:00", "source_id": "1"}
    raw |= {"channel": "phone", "direction": "ours"}
    said = read_observation(
        raw, source="till", store="S1", now_us=1_800_000_000_000_000, zone=ZONE, late_days=None, currency="CNY"
    )
    return Job(Future(), Observe(dealer, said))


def act() -> Job:
    return Job(Future(), act=lambda _link, _ids: None)


def groups(*jobs: Job, most: int = 10, refused: tuple[str, ...] = ()) -> list[list[int]]:
    """The places of the jobs, group by group, until none waits."""
    lane, found = deque(jobs), []
    while lane:
        found.append([jobs.index(job) for job in take_group(lane, most, refused)])
    return found


def test_items_of_one_dealer_share_a_group_and_those_of_others_wait():
    assert groups(tells("A"), tells("B", 2), tells("C"), tells("D", 2)) == [[0, 2], [1, 3]]


def test_nobody_overtakes_an_item_of_his_own_that_stays():
    # The command of A waits for his observation to be recorded, and what he says after it waits with it.
    assert groups(tells("A"), asks("A"), tells("A"), tells("B")) == [[0, 3], [1, 2]]
    # A member of this code at another dealer is taken for the same: he waits a little, and loses nothing.
    assert groups(tells("A"), tells("B", 2), tells("B")) == [[0], [1], [2]]


def test_an_act_is_alone_and_comes_after_all_that_came_before_it():
    assert groups(act(), tells("A")) == [[0], [1]]
    assert groups(tells("A"), act(), tells("B")) == [[0], [1], [2]]


def test_a_group_has_no_more_than_so_many_and_keeps_their_order():
    assert groups(*(tells(name) for name in "ABCDE"), most=2) == [[0, 1], [2, 3], [4]]


def test_two_commands_of_a_member_share_a_group_only_while_his_last_was_refused():
    assert groups(asks("A"), asks("A"), asks("B")) == [[0, 2], [1]]
    assert groups(asks("A"), asks("A"), asks("B"), refused=("A",)) == [[0, 1, 2]]
    assert groups(tells("A"), asks("A"), refused=("A",)) == [[0], [1]]
