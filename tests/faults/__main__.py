"""`python -m tests.faults`: every fault on both databases, and one table of what was lost and doubled.

Ends with 1 when anything acknowledged was lost or doubled, when an invariant broke, or when a control lost nothing (the
run could then not see a loss). Words choose faults by their names; `--databases`, `--scale` and `--seed` do the rest.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults import page
from tests.faults.registry import FAULTS, Known, minutes_of, ordered
from tests.faults.server import Server
from tests.faults.stage import Stage
from tests.faults.tally import COLUMNS, Tally


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="only the faults whose name has one of these")
    parser.add_argument("--databases", default="sqlite,postgresql", help="sqlite, postgresql, or both, side by side")
    parser.add_argument("--scale", type=float, default=1.0, help="how often, against the whole form (1)")
    parser.add_argument(
        "--minutes", type=float, default=90.0, help="of the whole run, shared among the faults; 0: as long as it takes"
    )
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of the chance; printed")
    parser.add_argument("--out", type=Path, help="add each row to this file too, as a line of JSON")
    parser.add_argument("--keep", action="store_true", help="put the table into docs/faults.md")
    parser.add_argument("--list", action="store_true", help="name the faults and run none")
    asked = parser.parse_args(argv)
    chosen = [one for one in FAULTS if not asked.words or any(word in one.name for word in asked.words)]
    if asked.list:
        for one in chosen:
            print(f"{one.name:20} {', '.join(one.databases)}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    begun = time.monotonic()
    databases = asked.databases.split(",")
    found = beside(databases, asked) if len(databases) > 1 else run(chosen, databases[0], asked)
    show(found, asked.seed)
    if asked.keep:
        page.keep(found, time.monotonic() - begun, asked.seed)
    return 0 if found and all(one.passed for one in found) else 1


def run(chosen: list[Known], database: str, asked: argparse.Namespace) -> list[Tally]:
    """Run faults on one database, each in its share of the time."""
    found: dict[str, Tally] = {}
    until = time.monotonic() + 60 * asked.minutes
    waiting = ordered(chosen)
    with staged(database, asked.scale, asked.seed) as stage:
        while waiting:
            one = waiting.pop(0)
            left = max(0.1, (until - time.monotonic()) / 60)
            stage.minutes = minutes_of(one, waiting, database, left) if asked.minutes else 0.0
            found[one.name] = tried(one, stage)
            told(found[one.name], asked.out)
    return [found[one.name] for one in chosen]


def beside(databases: list[str], asked: argparse.Namespace) -> list[Tally]:
    """Run each database in a process of its own, at once; returns their rows, fault by fault."""
    with tempfile.TemporaryDirectory(prefix="tierengine-faults-") as folder, contextlib.ExitStack() as stack:
        running = []
        for database in databases:
            rows = Path(folder, database)
            command = [sys.executable, "-m", "tests.faults", *asked.words, "--databases", database, "--out", str(rows)]
            command += ["--scale", str(asked.scale), "--minutes", str(asked.minutes), "--seed", str(asked.seed)]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            stack.callback(ended, process)
            running.append((process, rows))
        for process, _ in running:
            process.wait()
        found = list(itertools.chain.from_iterable(page.read(rows) for _, rows in running if rows.exists()))
        for (process, _), database in zip(running, databases, strict=True):
            if process.returncode not in (0, 1):
                found.append(Tally("the run itself", database, wrong=[f"it ended with {process.returncode}"]))
    if asked.out is not None:
        with asked.out.open("a", encoding="utf-8") as file:
            file.writelines(page.line(one) for one in found)
    return page.in_order(found)


def ended(process: subprocess.Popen[bytes]) -> None:
    """Let a process put away what it made, where it has not ended by itself."""
    process.terminate()
    process.wait()


@contextmanager
def staged(database: str, scale: float, seed: int) -> Iterator[Stage]:
    """A folder, and for PostgreSQL a server of its own, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="tierengine-faults-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        server = Server(folder / "pg").make() if database == "postgresql" else None
        try:
            yield Stage(folder, database, server, scale, seed)
        finally:
            if server is not None:
                server.stop()


def tried(one: Known, stage: Stage) -> Tally:
    """Run one fault; one that cannot run here says why in its row."""
    begun = stage.begun = time.monotonic()
    if stage.database not in one.databases:
        tally = Tally(one.title, stage.database, skipped=True, note=one.why_not)
    else:
        stage.cut_short = False
        tally = one.run(stage)
        if stage.cut_short:
            tally.note = "; ".join(part for part in (tally.note, "time was up") if part)
    tally.seconds = time.monotonic() - begun
    return tally


def told(tally: Tally, out: Path | None) -> None:
    """Say a row as soon as it is there, and what went wrong in it."""
    print(" | ".join(tally.row()), f"| {tally.seconds:.0f} s", file=sys.stderr, flush=True)
    for sentence in tally.wrong[:10]:
        print("   ", sentence, file=sys.stderr, flush=True)
    if out is not None:
        with out.open("a", encoding="utf-8") as file:
            file.write(page.line(tally))


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
