"""When a policy version may begin, and what a running programme may not change. On both databases."""

from __future__ import annotations

from functools import partial

import pytest

from tests.club import SMALL, Club
from tierengine.errors import Refused
from tierengine.policies.versions import NOTICE
from tierengine.zone import moment


@pytest.fixture
def club(book_url):
    made = Club(book_url)
    yield made
    made.close()


def refused(act) -> dict:
    with pytest.raises(Refused) as caught:
        act()
    assert caught.value.code == "refused"
    return dict(caught.value.details)


def test_a_version_begins_a_minute_after_it_is_published_at_the_earliest(club):
    earliest = club.now + NOTICE
    assert NOTICE == 60_000_000
    assert refused(partial(club.publish, SMALL, earliest - 1)) == {"reason": "too_soon", "earliest": earliest}
    assert club.publish(SMALL, earliest) == 2


def test_a_version_begins_after_the_one_before_it(club):
    start = club.now + 10 * NOTICE
    club.publish(SMALL, start)
    for early in (club.now + NOTICE, start):
        assert refused(partial(club.publish, SMALL, early)) == {"reason": "too_soon", "earliest": start + 1}
    assert club.publish(SMALL, start + 1) == 3


def test_a_version_begins_after_all_that_a_clock_ahead_has_told_of(club):
    """A clock up to ten minutes ahead is forgiven; what it told of was judged by the version in force."""
    head = (club.now + 9 * NOTICE) // 1_000_000 * 1_000_000
    club.send(club.contact("ahead", moment(head).isoformat()))
    assert refused(partial(club.publish, SMALL, head)) == {"reason": "too_soon", "earliest": head + 1}
    assert club.publish(SMALL, head + 1) == 2


@pytest.mark.parametrize(
    ("other", "details"),
    [
        ("timezone: Asia/Urumqi\n", {"currency": "CNY", "timezone": "Asia/Shanghai"}),
        ("currency: USD\n", {"currency": "CNY", "timezone": "Asia/Shanghai"}),
    ],
)
def test_a_running_programme_keeps_its_zone_and_its_currency(club, other, details):
    name = other.partition(":")[0]
    lines = [other if line.startswith(name) else line for line in SMALL.splitlines(keepends=True)]
    text = "".join(lines)
    assert text != SMALL
    if name == "currency":
        text = text.replace(" CNY", " USD")
    assert refused(partial(club.publish, text, club.now + NOTICE)) == {"reason": "programme_changed", **details}
