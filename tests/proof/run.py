"""Many cases, policy by policy: in this process, or in child processes that may crash, hang or grow without harm."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from rules.judge import Ruleset
from rules.pattern import EngineLimitExceeded
from tests.chance import Seeded
from tests.proof import histories, policies
from tests.proof.books import Book
from tests.proof.judges import Tally, agree
from tests.proof.reduce import reduced
from tests.proof.words import said_by

A_CHILD: int = 150
"""Policies of one child process. The library keeps 13 kB of each rule for ever; the process gives it back."""
Work = Callable[[Connection, int, int, str], None]
"""What a child does: it sends, from the seed on, what came of each policy with so many cases, on the book of a URL."""
SILENCE = 300.0
"""Seconds after which a child that says nothing hangs; on a busy machine a policy may take many."""


@dataclass
class Failure:
    """What went wrong under the policy of a seed, and the smallest case found that still does."""

    seed: int
    what: str
    case: str = ""


@dataclass
class Result:
    """All that was judged, and every failure."""

    tally: Tally = field(default_factory=Tally)
    failures: list[Failure] = field(default_factory=list)


def judge_policy(seed: int, cases: int, book: Book, *, small: bool = True) -> tuple[Tally, Failure | None]:
    """Draw a policy and at least so many cases under it, and judge them by all readings.

    `small`: what fails is made as small as it can be, which may take a minute.
    """
    chance = Seeded(seed)
    policy, about = policies.policy(chance)
    tally = Tally(policies=1, words=said_by(policy))
    try:
        rules = Ruleset(policy)
    except EngineLimitExceeded:  # in words and before anything is judged: what the engine cannot hold is not judged
        return Tally(refused=1), None
    states: list[histories.State] = []
    while len(states) * histories.EVENTS < cases:
        states += histories.states(chance, policy, about)
    try:
        agree(policy, rules, states, book, tally)
    except Exception as problem:  # noqa: BLE001 - whatever it is, it is reported with a case
        case = reduced(policy, states, problem, book.url) if small else f"python -m tests.proof --cases 1 --seed {seed}"
        return tally, Failure(seed, f"{type(problem).__name__}: {problem}", case)
    finally:
        book.forget()
    return tally, None


def judge(seeds: range, cases: int, *, small: bool = True, url: str = "") -> Result:
    """Judge the policies of these seeds in this process; without making failures small, up to the first one."""
    found = Result()
    with Book(url) as book:
        for seed in seeds:
            tally, failure = judge_policy(seed, cases, book)
            found.tally.add(tally)
            found.failures += [failure] if failure else []
            if failure and not small:
                break
    return found


def judge_apart(
    seed: int,
    cases: int,
    per_policy: int,
    until: float,
    work: Work | None = None,
    silence: float = SILENCE,
    url: str = "",
) -> Iterator[Result]:
    """Judge in one child process after the other, until so many cases or that time; yields the whole after each policy.

    A child that dies or falls silent is a failure of the policy it was at; the next one goes on behind it.
    """
    found = Result()
    spawn = multiprocessing.get_context("spawn")
    while found.tally.cases < cases and time.monotonic() < until:
        ours, theirs = spawn.Pipe(duplex=False)
        child = spawn.Process(target=work or _child, args=(theirs, seed, per_policy, url), daemon=True)
        child.start()
        theirs.close()
        first, last = seed, seed + A_CHILD
        try:
            while seed < last and found.tally.cases < cases and time.monotonic() < until:
                patience = max(silence, SILENCE) if seed == first else silence  # it must start up before its first
                if not ours.poll(patience):
                    found.failures.append(Failure(seed, f"hangs: no answer in {patience:g} s"))
                    seed += 1
                    break
                try:
                    tally, failure = ours.recv()
                except EOFError:
                    child.join(5)
                    found.failures.append(Failure(seed, f"the process ended with code {child.exitcode}"))
                    seed += 1
                    break
                seed += 1
                found.tally.add(tally)
                found.failures += [failure] if failure else []
                yield found
        finally:
            ours.close()
            child.kill()
            child.join()
    yield found


def _child(pipe: Connection, seed: int, per_policy: int, url: str) -> None:
    with Book(url) as book:
        for one in range(seed, seed + A_CHILD):
            pipe.send(judge_policy(one, per_policy, book))
