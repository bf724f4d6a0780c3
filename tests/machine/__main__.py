"""`python -m tests.machine`: play for longer than the suite does, on books in memory, and say how much was done."""

from __future__ import annotations

import argparse
import contextlib
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from tests import postgres
from tests.conftest import migrate
from tests.machine.machine import Tally
from tests.machine.play import play, worlds_in


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.machine", description=__doc__)
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--steps", type=int, default=60, help="most steps of an example")
    parser.add_argument("--minutes", type=float, default=0.0, help="go on with new examples for so long")
    parser.add_argument("--domain", action="store_true", help="only the domain layer beside the oracle, without HTTP")
    parser.add_argument("--same", action="store_true", help="the same examples as the last time, not new ones")
    parser.add_argument("--shrink", action="store_true", help="make a failing example small")
    asked = parser.parse_args(argv)
    begun = time.monotonic()
    memory = postgres.MEMORY if postgres.MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder, contextlib.ExitStack() as stack:
        server = "" if asked.domain else stack.enter_context(postgres.private_server(fast=True))
        file = Path(folder, "template.db")
        migrate(f"sqlite:///{file}")
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        template = postgres.template(server, migrate) if server else ""
        worlds = worlds_in(Path(folder), file, server, template)
        try:
            tally = Tally()
            while True:
                play(
                    worlds, examples=asked.examples, steps=asked.steps, new=not asked.same, shrink=asked.shrink,
                    tally=tally,
                )  # fmt: skip
                told(tally, "the domain layer" if asked.domain else "each of three worlds", time.monotonic() - begun)
                if time.monotonic() - begun >= 60 * asked.minutes:
                    break
        finally:
            postgres.drop_templates()
    return 0


def told(tally: Tally, where: str, seconds: float) -> None:
    """Say how much was done until now."""
    print(f"{tally.examples:,} examples, {tally.steps:,} steps in {where}, {seconds:,.0f} s")
    print(", ".join(f"{name} {count:,}" for name, count in tally.calls.most_common()), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
