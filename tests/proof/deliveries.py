"""`python -m tests.proof.deliveries`: random histories in random deliveries, on both databases, against the model.

Each case is a programme, what happened under it, and one way to tell of it: in any order, grouping and number. The book
must end as the plain model believes (every standing at every instant, every net grant), come out the same when its
caches are made again, and name for every difference that it posted an event that caused it. The test of the same name
in test_history_property.py does this for a few; this is for nights.

Each database is a process of its own, and both run side by side. Ends with 0 when all agree, with 1 when one does not
(its seed is printed, and the others are tried all the same), with 3 when time ran out.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from tests import postgres
from tests.chance import Seeded
from tests.history.cases import FEW, Case, case, line_of
from tests.history.deliveries import Book, delivered, merged
from tierengine.store.migrating import migrate

A_BOOK = 500  # cases told to one book before a new one is begun
FRESH = 5  # one case in so many has a programme of its own
EVERY = 60.0


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof.deliveries", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="on each database")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=24 * 60.0)
    parser.add_argument("--merged", action="store_true", help="members are merged and un-merged between deliveries")
    parser.add_argument("databases", nargs="*", choices=[[], "sqlite", "postgresql"], default=[])
    asked = parser.parse_args(argv)
    kinds = asked.databases or ["sqlite", "postgresql"]
    if len(kinds) == 1:
        return _all(
            kinds[0], asked.merged, range(asked.seed, asked.seed + asked.cases), time.monotonic() + 60 * asked.minutes
        )
    how = ["--cases", str(asked.cases), "--seed", str(asked.seed), "--minutes", str(asked.minutes)]
    how += ["--merged"] if asked.merged else []
    running = [subprocess.Popen([sys.executable, "-m", "tests.proof.deliveries", kind, *how]) for kind in kinds]
    try:
        codes = [one.wait() for one in running]
    finally:
        for one in running:
            one.terminate()
    return 1 if 1 in codes else max(codes)


def seeded(seed: int) -> Case:
    """Return the case of a seed."""
    chance = Seeded(seed)
    return case(chance, line_of(chance) if seed % FRESH == 0 else FEW[seed % len(FEW)])


def _all(kind: str, merging: bool, seeds: range, until: float) -> int:
    begun = told = time.monotonic()
    done = events = entries = 0
    wrong: list[int] = []

    def say(end: str) -> None:
        seconds = time.monotonic() - begun
        found = f"{len(wrong)} differences{f' (seeds {wrong})' if wrong else ''}"
        print(f"{kind}: {done:,} histories of {events:,} events, {entries:,} entries, {found}{end}, {seconds:,.0f} s")
        sys.stdout.flush()

    with _books(kind) as books:
        for seed in seeds:
            if done % A_BOOK == 0:
                book = next(books)
            one = seeded(seed)
            try:
                (merged if merging else delivered)(book, Seeded(seed), one, f"s{seed}-")
            except Exception:  # noqa: BLE001 - whatever it is, it is reported with its seed
                traceback.print_exc()
                wrong.append(seed)
                say("")
            done, events = done + 1, events + len(one.said)
            if done % A_BOOK == 0 or seed == seeds[-1]:
                entries += book.link.ask("SELECT count(*) FROM entry").rows()[0][0]
                book.link.rollback()
            if time.monotonic() > told + EVERY:
                told = time.monotonic()
                say("")
            if time.monotonic() > until:
                say(", and no more time")
                return 1 if wrong else 3
    say("")
    return 1 if wrong else 0


@contextmanager
def _books(kind: str) -> Iterator[Iterator[Book]]:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = stack.enter_context(postgres.private_server(fast=True)) if kind == "postgresql" else ""

        def made() -> Generator[Book]:
            number = 0
            while True:
                number += 1
                with contextlib.ExitStack() as one:
                    url = f"sqlite:///{folder}/{number}.db"
                    if server:
                        url = one.enter_context(postgres.database(server))
                    migrate(url)
                    yield one.enter_context(contextlib.closing(Book(url)))

        books = made()
        stack.callback(books.close)  # before the server goes
        yield books


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
