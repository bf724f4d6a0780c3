"""The table of docs/faults.md. `python -m tests.faults.page FILE…` prints it of the rows that `--out` wrote.

Rows of one fault and database are added up, so that a long run may be done in pieces.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.registry import FAULTS
from tests.faults.tally import COLUMNS, Tally

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
FROM, TO = "<!-- the last whole run, by `make faults ARGS=--keep` -->", "<!-- its end -->"
ADDED = ("cycles", "kills", "acknowledged", "lost", "doubled", "seconds")


def main(files: list[str]) -> int:
    found: dict[tuple[str, str], Tally] = {}
    for one in (one for file in files for one in read(Path(file))):
        first = found.setdefault((one.fault, one.database), one)
        if first is not one:
            for name in ADDED:
                setattr(first, name, getattr(first, name) + getattr(one, name))
            first.wrong += one.wrong
            first.recovered += one.recovered
            first.note = one.note or first.note
    rows = in_order(found.values())
    print(table(rows))
    return 0 if all(one.passed for one in rows) else 1


def line(tally: Tally) -> str:
    """Return a row as a line of JSON."""
    return json.dumps(asdict(tally), ensure_ascii=False) + "\n"


def read(file: Path) -> list[Tally]:
    """Return the rows of a file of such lines."""
    return [Tally(**json.loads(one)) for one in file.read_text(encoding="utf-8").splitlines()]


def in_order(found: Iterable[Tally]) -> list[Tally]:
    """Return rows in the order of the table."""
    order = [known.title for known in FAULTS]
    return sorted(found, key=lambda one: (one.control, _place(order, one.fault), one.database != "sqlite"))


def table(rows: Sequence[Tally]) -> str:
    """Return the table in Markdown, with its sums."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    lines += ["| " + " | ".join(one.row()) + " |" for one in rows]
    real = [one for one in rows if not one.control]
    sums = [f"{sum(getattr(one, name) for one in real):,}" for name in ADDED[:-1]]
    lines.append(f"| **all but the controls** | | {' | '.join(f'**{one}**' for one in sums)} | | |")
    return "\n".join(lines)


def keep(rows: Sequence[Tally], seconds: float, seed: int) -> None:
    """Put the table of a run into the page, in the place of the one before."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(FROM)
    _, _, after = rest.partition(TO)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    about = (
        f"{datetime.now(UTC):%d %B %Y}, code {commit.strip()}, seed {seed}: {seconds / 60:.0f} minutes of one command, "
        f"both databases side by side. {os.cpu_count()} {platform.machine()} cores, Python "
        f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}, load at the end {os.getloadavg()[1]:.0f}."
    )
    PAGE.write_text(f"{before}{FROM}\n\n{about}\n\n{table(rows)}\n\n{TO}{after}", encoding="utf-8")


def _place(order: list[str], fault: str) -> int:
    return next((place for place, title in enumerate(order) if fault.startswith(title)), len(order))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
