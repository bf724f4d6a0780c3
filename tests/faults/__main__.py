"""`python -m tests.faults`: every fault on both databases, and one table of what was lost and doubled.

Ends with 1 when anything acknowledged was lost or doubled, when an invariant broke, or when a control lost nothing (the
run could then not see a loss). Words choose faults by their names; `--databases`, `--scale` and `--seed` do the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.registry import FAULTS, Known
from tests.faults.server import Server
from tests.faults.stage import Stage
from tests.faults.tally import Tally

COLUMNS = ("fault", "database", "cycles", "kills", "acknowledged", "lost", "doubled", "recovery, median / worst", "")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="only the faults whose name has one of these")
    parser.add_argument("--databases", default="sqlite,postgresql", help="sqlite, postgresql, or both (the default)")
    parser.add_argument("--scale", type=float, default=1.0, help="how often, against the whole form (1)")
    parser.add_argument(
        "--minutes", type=float, default=0.0, help="stop each fault after so many; its row says how far"
    )
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of the chance; printed")
    parser.add_argument("--out", type=Path, help="add each row to this file too, as a line of JSON")
    parser.add_argument("--list", action="store_true", help="name the faults and run none")
    asked = parser.parse_args(argv)
    chosen = [one for one in FAULTS if not asked.words or any(word in one.name for word in asked.words)]
    if asked.list:
        for one in chosen:
            print(f"{one.name:20} {', '.join(one.databases)}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    found: list[Tally] = []
    for database in asked.databases.split(","):
        with staged(database, asked.scale, asked.seed, asked.minutes) as stage:
            for one in chosen:
                found.append(tried(one, stage))
                told(found[-1], asked.out)
    show(found, asked.seed)
    return 0 if found and all(one.passed for one in found) else 1


@contextmanager
def staged(database: str, scale: float, seed: int, minutes: float) -> Iterator[Stage]:
    """A folder, and for PostgreSQL a server of its own, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="tierengine-faults-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        server = Server(folder / "pg").make() if database == "postgresql" else None
        try:
            yield Stage(folder, database, server, scale, seed, minutes)
        finally:
            if server is not None:
                server.stop()


def tried(one: Known, stage: Stage) -> Tally:
    """Run one fault; one that cannot run here says why in its row."""
    begun = stage.begun = time.monotonic()
    if stage.database not in one.databases:
        tally = Tally(one.title, stage.database, skipped=True, note=one.why_not)
    else:
        tally = one.run(stage)
    tally.seconds = time.monotonic() - begun
    return tally


def told(tally: Tally, out: Path | None) -> None:
    """Say a row as soon as it is there, and what went wrong in it."""
    print(" | ".join(tally.row()), f"| {tally.seconds:.0f} s", file=sys.stderr, flush=True)
    for sentence in tally.wrong[:10]:
        print("   ", sentence, file=sys.stderr, flush=True)
    if out is not None:
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(tally), ensure_ascii=False) + "\n")


def show(found: list[Tally], seed: int) -> None:
    """Print the table and its sums."""
    table = Table(*COLUMNS, title=f"Python {platform.python_version()}, {os.cpu_count()} cores, seed {seed}")
    for place in range(2, 8):
        table.columns[place].justify = "right"
    for one in found:
        table.add_row(*one.row(), style=None if one.passed else "bold red")
    real = [one for one in found if not one.control]
    sums = [sum(getattr(one, name) for one in real) for name in ("cycles", "kills", "acknowledged", "lost", "doubled")]
    table.add_section()
    table.add_row("all but the controls", "", *(f"{one:,}" for one in sums), "", "")
    Console(width=None if sys.stdout.isatty() else 180).print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
