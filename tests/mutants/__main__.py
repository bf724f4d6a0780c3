"""`python -m tests.mutants`: plant every fault, one at a time, and see which test catches it.

Prints a row for each, and ends with 1 when one survives or cannot be planted. Words choose faults by their names or
areas: `python -m tests.mutants rules. ledger`. `--list` plants nothing.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.mutants.fault import checked
from tests.mutants.registry import FAULTS, FOLD
from tests.mutants.trial import tried, warm


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--list", action="store_true")
    asked = parser.parse_args(argv)
    chosen = [
        one
        for one in (*FAULTS, *FOLD)
        if not asked.words or any(word in f"{one.area} {one.name}" for word in asked.words)
    ]
    if asked.list:
        for fault in chosen:
            checked(fault)
            print(f"{fault.at:60} {fault.name}  → {fault.caught_by}")
        return 0
    warm()
    begun = time.monotonic()
    survivors = 0
    print("| fault | in | caught by | seconds |\n|---|---|---|---|", flush=True)
    for fault in chosen:
        outcome = tried(fault)
        survivors += outcome.verdict in ("survives", "broken")
        what = {"caught": outcome.by, "hangs": f"{outcome.by} (hangs)"}.get(outcome.verdict, f"**{outcome.verdict}**")
        print(f"| {fault.name.replace('_', ' ')} | {fault.at} | {what} | {outcome.seconds:.1f} |", flush=True)
        if outcome.said:
            print(outcome.said[-1500:], file=sys.stderr)
    print(f"\n{len(chosen) - survivors} of {len(chosen)} caught in {time.monotonic() - begun:.0f} s")
    return 1 if survivors or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
