"""Drafts and published texts are one dealer's; published is what was seen, to begin after all that was told."""

from __future__ import annotations

import pytest

from tests.club import SMALL, Club
from tierengine.errors import Refused, Stale, Unknown
from tierengine.policies import drafts, versions
from tierengine.policies.drafts import Publication
from tierengine.store.ids import Ids, transact

MINUTE = 60_000_000


def act(club, what):
    return transact(club.link, Ids(), what)


def written(club, text, seen="", author="wang"):
    return act(
        club,
        lambda link, _: drafts.write(link, club.dealer, "next", text, seen=seen, author=author, now=club.now),
    )


def publish(club, seen, by="li"):
    told = Publication(seen, by, "x", None, club.now)
    return act(club, lambda link, ids: drafts.publish(link, ids, club.dealer, "next", told))


def test_another_dealers_draft_of_the_same_name_is_neither_seen_nor_published(club: Club):
    with club.beside("N1"):
        his = written(club, SMALL + "# his\n")
        other = club.dealer
    assert drafts.drafts(club.link, club.dealer) == []
    assert drafts.tag_of(club.link, club.dealer, "next") == ""
    for what in (
        lambda: drafts.draft(club.link, club.dealer, "next"),
        lambda: publish(club, his.tag),
        lambda: act(club, lambda link, _: drafts.drop(link, club.dealer, "next", seen=his.tag)),
    ):
        with pytest.raises(Unknown):
            what()
    ahead = club.now + 60 * MINUTE
    act(club, lambda link, _: link.run("UPDATE ledger SET head_at = ?1 WHERE dealer_id = ?2", ahead, other))
    mine = written(club, SMALL + "# mine\n")
    assert [one.text for one in drafts.drafts(club.link, club.dealer)] == [mine.text]
    made = publish(club, mine.tag)
    assert made["effective_from"] < ahead, "what others were told of holds up nobody"
    assert versions.text_of(club.link, club.dealer, made["version"]) == mine.text
    assert versions.text_of(club.link, other, made["version"]) is None
    assert drafts.drafts(club.link, other) == [his]
    assert drafts.drafts(club.link, club.dealer) == []
    club.link.rollback()


def test_only_the_state_that_was_seen_is_published_changed_or_dropped_and_not_by_its_author(club: Club):
    first = written(club, SMALL + "# 1\n")
    second = written(club, SMALL + "# 2\n", seen=first.tag)
    for what in (
        lambda: publish(club, first.tag),
        lambda: written(club, SMALL, seen=first.tag),
        lambda: act(club, lambda link, _: drafts.drop(link, club.dealer, "next", seen=first.tag)),
    ):
        with pytest.raises(Stale):
            what()
    with pytest.raises(Refused) as refused:
        publish(club, second.tag, by="wang")
    assert refused.value.code == "publisher_is_author"
    club.link.rollback()
    assert drafts.drafts(club.link, club.dealer) == [second]
    club.link.rollback()


def test_a_version_begins_after_the_least_notice_and_after_all_that_was_told(club: Club):
    """A till's clock may be ahead: what it told of was judged by the version before."""
    made = publish(club, written(club, SMALL + "# 1\n").tag)
    assert made["effective_from"] >= club.now + MINUTE
    ahead = made["effective_from"] + 5 * MINUTE
    act(club, lambda link, _: link.run("UPDATE ledger SET head_at = ?1 WHERE dealer_id = ?2", ahead, club.dealer))
    try:
        with pytest.raises(Refused) as refused:
            act(
                club,
                lambda link, ids: versions.publish(
                    link, ids, club.dealer, SMALL, author="a", reason="r", effective_from=ahead, now=club.now
                ),
            )
        assert refused.value.details["earliest"] == ahead + 1
        assert publish(club, written(club, SMALL + "# 2\n").tag)["effective_from"] > ahead + MINUTE
    finally:
        act(club, lambda link, _: link.run("UPDATE ledger SET head_at = 0 WHERE dealer_id = ?1", club.dealer))
