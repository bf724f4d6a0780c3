"""`python -m tests.faults.page FILE…`: the table of docs/faults.md from the rows that `--out` wrote, in Markdown.

Rows of one fault and database are added up, so that a long run may be done in pieces.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.faults.__main__ import COLUMNS
from tests.faults.registry import FAULTS
from tests.faults.tally import Tally

ADDED = ("cycles", "kills", "acknowledged", "lost", "doubled", "seconds")


def main(files: list[str]) -> int:
    found: dict[tuple[str, str], Tally] = {}
    for file in files:
        for line in Path(file).read_text(encoding="utf-8").splitlines():
            one = Tally(**json.loads(line))
            first = found.setdefault((one.fault, one.database), one)
            if first is not one:
                for name in ADDED:
                    setattr(first, name, getattr(first, name) + getattr(one, name))
                first.wrong += one.wrong
                first.recovered += one.recovered
                first.note = one.note or first.note
    order = [known.title for known in FAULTS]
    rows = sorted(found.values(), key=lambda one: (one.control, _place(order, one.fault), one.database != "sqlite"))
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for one in rows:
        print("| " + " | ".join(one.row()) + " |")
    real = [one for one in rows if not one.control]
    sums = [f"{sum(getattr(one, name) for one in real):,}" for name in ADDED[:-1]]
    print(f"| **all but the controls** | | {' | '.join(f'**{one}**' for one in sums)} | | |")
    print(f"\n{sum(one.seconds for one in rows) / 60:.0f} minutes in all, in runs side by side.")
    return 0 if all(one.passed for one in rows) else 1


def _place(order: list[str], fault: str) -> int:
    return next((place for place, title in enumerate(order) if fault.startswith(title)), len(order))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
