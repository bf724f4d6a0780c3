"""`python -m tests.bench`: runs every benchmark and prints the table that BENCHMARKS.md holds.

Needs a PostgreSQL (found by tests.postgres, with fsync on), and a C compiler for `embedded`. `--quick` runs a tenth of
everything, to see that it works; `--large` adds a book of 1,000,000 members, verifies 1,000,000 entries and grows to
10,000,000 (about an hour more, and 40 GB of disk). `--members N` is how many `plan` (50,000) and `award` (100,000) play
with. Name sections to run only those: starting, judging, sales, embedded, groups, redeem, quotes, reads, imports, bulk,
verify, growth, entries, plan, award, slow.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterable
from functools import partial

from tests.bench import book_rows, service_rows
from tests.bench.table import Row


def main(argv: list[str]) -> int:
    """Run the sections asked for and print one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--members", type=int, default=0)
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], default=[])
    asked = parser.parse_args(argv)
    scale = 10 if asked.quick else 1
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}; medians of runs in turn.\n"
    )
    print("| what | measured | ratio (least to most) | goal |\n|---|---|---|---|", flush=True)
    for name in asked.sections or SECTIONS:
        section = (LARGE if asked.large and name in LARGE else SECTIONS)[name]
        if name in CROWDED and asked.members:
            section = partial(section, members=asked.members)
        for row in section(scale):
            print("| " + " | ".join(row) + " |", flush=True)
    return 0


SECTIONS: dict[str, Callable[[int], Iterable[Row]]] = {
    "starting": service_rows.starting_rows,
    "judging": book_rows.judging_rows,
    "sales": service_rows.sales_rows,
    "embedded": service_rows.embedded_rows,
    "groups": book_rows.groups_rows,
    "redeem": service_rows.redeem_rows,
    "quotes": service_rows.quotes_rows,
    "reads": service_rows.reads_rows,
    "imports": book_rows.imports_rows,
    "bulk": book_rows.bulk_rows,
    "verify": book_rows.verify_rows,
    "growth": book_rows.growth_rows,
    "entries": service_rows.entries_rows,
    "plan": book_rows.plan_rows,
    "award": book_rows.award_rows,
    "slow": service_rows.slow_rows,
}
LARGE: dict[str, Callable[[int], Iterable[Row]]] = {
    "reads": partial(service_rows.reads_rows, sizes=(1_000, 100_000, 1_000_000)),
    "verify": partial(book_rows.verify_rows, entries=1_000_000, runs=2),
    "entries": partial(service_rows.entries_rows, most=10_000_000),
}
CROWDED = ("plan", "award")

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
