"""Drafts: policies that are being written. Nothing is judged by one; a second person publishes it.

Whoever changes a draft names the revision that he saw (its tag), so that nobody overwrites what he has not read.
Every function runs in the caller's transaction, but for those that read.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from tierengine.errors import Refused, Stale, Unknown
from tierengine.policies import versions
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.store.rows import Table
from tierengine.zone import SECOND

TEXT_MOST: Final = 1 << 19
_TABLE: Final = Table("policy_draft", key=("dealer_id", "name"))
_COLUMNS: Final = "name, revision, text, hash, author, updated_at"
_ONE: Final = f"SELECT {_COLUMNS} FROM policy_draft WHERE dealer_id = ?1 AND name = ?2"
_ALL: Final = f"SELECT {_COLUMNS} FROM policy_draft WHERE dealer_id = ?1 ORDER BY name"
# The dealer's row makes two changes wait for one another.
_LOCK: Final = "SELECT id FROM dealer WHERE id = ?1 FOR UPDATE"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it stands; `updated_at` in microseconds UTC."""

    name: str
    revision: int
    text: str
    hash: str
    author: str
    updated_at: int

    @property
    def tag(self) -> str:
        """Return what names this state of it."""
        return f"{self.revision}-{self.hash[:16]}"


@dataclass(frozen=True, slots=True)
class Publication:
    """Who publishes what he saw, why, and when it begins to rule; instants in microseconds UTC.

    effective_from  None: the first version at once, others after the least notice
    """

    seen: str
    by: str
    reason: str
    effective_from: int | None
    now: int


def drafts(link: Link, dealer: int) -> list[Draft]:
    """Return all drafts of a dealer, by name."""
    return [Draft(*row) for row in link.ask(_ALL, dealer).rows()]


def draft(link: Link, dealer: int, name: str) -> Draft:
    """Return a draft; Unknown when there is none of this name."""
    rows = link.ask(_ONE, dealer, name).rows()
    if not rows:
        raise Unknown("unknown_draft", draft=name)
    return Draft(*rows[0])


def tag_of(link: Link, dealer: int, name: str) -> str:
    """Return the tag of a draft as it stands, "" where there is none."""
    rows = link.ask(_ONE, dealer, name).rows()
    return Draft(*rows[0]).tag if rows else ""


def write(link: Link, dealer: int, name: str, text: str, *, seen: str, author: str, now: int) -> Draft:
    """Make a draft (`seen` ""), or put another text in the place of the one whose tag is `seen`; Stale otherwise."""
    link.ask(_LOCK, dealer).rows()
    rows = link.ask(_ONE, dealer, name).rows()
    there = Draft(*rows[0]) if rows else None
    if (there.tag if there else "") != seen:
        raise Stale
    # A draft of the same name that was dropped must not give an old tag a new meaning: the hash is a part of it.
    made = Draft(name, there.revision + 1 if there else 1, text, hashlib.sha256(text.encode()).hexdigest(), author, now)
    row = (dealer, made.name, made.revision, made.text, made.hash, made.author, made.updated_at)
    link.write(_TABLE, [row])
    return made


def drop(link: Link, dealer: int, name: str, *, seen: str) -> None:
    """Take a draft away; Stale unless `seen` is its tag."""
    link.ask(_LOCK, dealer).rows()
    if draft(link, dealer, name).tag != seen:
        raise Stale
    link.run("DELETE FROM policy_draft WHERE dealer_id = ?1 AND name = ?2", dealer, name)


def publish(
    link: Link,
    ids: Ids,
    dealer: int,
    name: str,
    told: Publication,
) -> dict[str, Any]:
    """Publish a draft that somebody else wrote, and drop it. The caller has had its text examined."""
    link.ask(_LOCK, dealer).rows()
    found = draft(link, dealer, name)
    if found.tag != told.seen:
        raise Stale
    if found.author == told.by:
        raise Refused("publisher_is_author", draft=name)
    first = not versions.heads(link, [dealer])
    begins, now = told.effective_from, told.now
    if begins is None:
        latest = link.ask("SELECT max(head_at) FROM ledger WHERE dealer_id = ?1", dealer).rows()[0][0] or 0
        begins = now if first else max(now, latest) + versions.NOTICE + SECOND
    number = versions.publish(
        link, ids, dealer, found.text, author=found.author, reason=told.reason, effective_from=begins, now=now
    )
    link.run("DELETE FROM policy_draft WHERE dealer_id = ?1 AND name = ?2", dealer, name)
    return {
        "version": number,
        "effective_from": begins,
        "author": found.author,
        "published_by": told.by,
        "hash": found.hash,
    }
