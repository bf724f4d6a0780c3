"""A policy text is examined before it is published: checked, compiled where it can do no harm, and its examples run."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from rules.checking import check
from rules.compiler import compile_policy
from rules.judge import Ruleset
from rules.reader import Reading
from rules.rehearsal import NotCompiled, rehearse
from tierengine.errors import Refused
from tierengine.policies.examples import run_examples

_REMEMBERED: Final = 8


class PolicyRefused(Refused):
    """The text is no policy; `reading` has every problem with its place."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        super().__init__("refused")


@lru_cache(maxsize=_REMEMBERED)
def examined(text: str) -> Ruleset:
    """Return a text as a ruleset that may be published. Takes part of a second: ask before a transaction begins.

    Raises PolicyRefused with every problem of the text, and Refused for an example inside it that fails or for a
    programme that the engine does not compile in a process of its own, within its time and its memory.
    """
    reading = check(text, "policy")
    if reading.policy is None:
        raise PolicyRefused(reading)
    try:
        rehearse(compile_policy(reading.policy).program)
    except NotCompiled as problem:
        raise Refused("not_compiled", why=problem.why) from problem
    rules = Ruleset(reading.policy)
    failed = [verdict.example.title for verdict in run_examples(rules) if not verdict.passed]
    if failed:
        raise Refused("examples_failed", count=len(failed), first=failed[0])
    return rules
