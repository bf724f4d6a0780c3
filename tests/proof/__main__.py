"""`python -m tests.proof --cases N --seed S`: judge random cases by all readings, and say how many disagree.

Ends with 0 when none does; with 1, and a case made as small as can be, when one does; with 3 when it was stopped before
so many cases were judged. Memory is bounded: child processes judge 150 policies each.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

from tests import postgres
from tests.proof.judges import Tally
from tests.proof.run import Result, judge_apart
from tests.proof.words import ALL

EVERY = 60.0


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first policy; each next one has the next seed")
    parser.add_argument("--per-policy", type=int, default=400, help="cases under one policy")
    parser.add_argument("--minutes", type=float, default=24 * 60.0, help="stop after so long, wherever it is")
    parser.add_argument(
        "--database", choices=("sqlite", "postgresql"), default="sqlite", help="the SQL form runs on it"
    )
    asked = parser.parse_args(argv)
    if asked.database == "sqlite":
        return prove(asked, "")
    with postgres.private_server(fast=True) as server, postgres.database(server) as url:
        return prove(asked, url)


def prove(asked: argparse.Namespace, url: str) -> int:
    """Judge and report; `url` "" is SQLite."""
    begun = told = time.monotonic()
    found = Result()
    try:
        for found in judge_apart(asked.seed, asked.cases, asked.per_policy, begun + 60 * asked.minutes, url=url):
            if time.monotonic() > told + EVERY:
                told = time.monotonic()
                print(f"{_said(found)}, {told - begun:.0f} s", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    report(found, asked.database, time.monotonic() - begun)
    if found.failures:
        return 1
    return 0 if found.tally.cases >= asked.cases else 3


def _said(found: Result) -> str:
    tally = found.tally
    return f"{tally.cases:,} cases, {tally.policies:,} policies, {len(found.failures)} disagreements"


def report(found: Result, database: str, seconds: float) -> None:
    """Print what was judged, and each failure."""
    tally: Tally = found.tally
    for failure in found.failures:
        print(f"seed {failure.seed}: {failure.what}\n{failure.case}\n")
    never = sorted(ALL - tally.words)
    used = [resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    for name, value in (
        ("cases", f"{tally.cases:,}, the SQL on {database}"),
        ("policies", f"{tally.policies:,} ({tally.refused:,} more were beyond what the engine holds)"),
        ("histories as of a position", f"{tally.states:,}"),
        ("facts compared", f"{tally.facts:,} ({tally.absent:,} absent, {tally.away_from_zero:,} neither that nor 0)"),
        ("decisions compared", f"{tally.decisions:,} ({tally.held:,} held)"),
        ("disagreements", f"{len(found.failures)}"),
        ("words of the vocabulary", f"{len(ALL) - len(never)} of {len(ALL)} used{'; never: ' if never else ''}"),
        ("most memory", f"{used[0]} MB in the parent, {used[1]} MB in a child"),
        ("time", f"{seconds:,.0f} s"),
    ):
        print(f"{name:28}{value}" + (", ".join(never) if name.startswith("words") else ""))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
