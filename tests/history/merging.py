"""Cases in which somebody was registered twice: who is merged into whom, and which of these words are taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tests.chance import Chance
from tests.history.happenings import Case
from tests.model.rows import Said

# The same two, three or none of them: each forest that three members can make, and a chain.
FORESTS = ((("N", "M"),), (("M", "R"),), (("R", "N"),), (("N", "M"), ("M", "R")), (("M", "N"), ("R", "N")))


@dataclass(frozen=True)
class Word:
    """That one member is another, said of the instant `at`; `undone`: and taken back later."""

    loser: str
    into: str
    at: int
    key: str
    undone: bool


def twice(chance: Chance, one: Case, name: str) -> tuple[Case, tuple[Word, ...]]:
    """The case with some of what M did told of N, and what is said of who they are."""
    own = ("M", "N") if chance.often(70) else ("M",)
    said = tuple(
        replace(old, member=chance.pick(own)) if old.member == "M" and not old.names else old for old in one.said
    )
    if len(own) > 1:  # nobody tells something to somebody who may tell something back: only R refers
        said = tuple(replace(old, member="R") if old.kind == "referral_registered" else old for old in said)
    # (A later revision is about the same member: a correction does not move an event to another one here.)
    first: dict[str, str] = {}
    said = tuple(replace(old, member=first.setdefault(old.key, old.member)) if old.member else old for old in said)
    words = tuple(
        Word(loser, into, chance.pick(said).at + chance.pick((-1, 0, 0, 1)), f"merge::{name}{place}", chance.often(35))
        for place, (loser, into) in enumerate(chance.pick(FORESTS))
    )
    return replace(one, said=said), words


def stands_for(words: Sequence[Word], codes: Sequence[str]) -> Mapping[str, str]:
    """Who stands for whom in the end, by the words that stand."""
    into = {word.loser: word.into for word in words if not word.undone}
    found = {}
    for code in codes:
        root = code
        while root in into:
            root = into[root]
        found[code] = root
    return found


def as_one(one: Case, words: Sequence[Word], codes: Sequence[str]) -> Case:
    """The same case as if whoever is one had been on file once."""
    root = stands_for(words, codes)
    said = [replace(old, member=root[old.member]) if old.member else old for old in one.said]
    said += [
        Said("members_merged", word.key, word.at, root[word.loser], {"into": word.into})
        for word in words
        if not word.undone
    ]
    return replace(one, said=tuple(said))
