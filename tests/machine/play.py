"""Playing the machine: fresh books for each example, and how long it goes on."""

from __future__ import annotations

import itertools
import logging
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests import postgres
from tests.machine.domain import Domain
from tests.machine.machine import Machine, Tally
from tests.machine.programme import Family
from tests.machine.worlds import Service, World

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example)


def worlds_in(folder: Path, sqlite: Path, server: str, template: str) -> Any:
    """What makes the three worlds of an example: two copies of a migrated SQLite file, one of a database.

    Without a server only the first, the domain layer beside the oracle: many times as quick.
    """
    numbers = itertools.count()

    def make(family: Family, now: Callable[[], int]) -> tuple[list[World], Callable[[], None]]:
        stack, number = ExitStack(), next(numbers)
        with ExitStack() as undone:
            undone.callback(stack.close)
            files = [folder / f"{name}-{number}.db" for name in ("domain", "http")]
            for file in files:
                shutil.copy(sqlite, file)
                for suffix in ("", "-wal", "-shm", ".writer"):
                    stack.callback(Path(f"{file}{suffix}").unlink, missing_ok=True)
            url = stack.enter_context(postgres.database(server, template)) if server else ""
            made: list[World] = []
            for class_, name, where in (
                (Domain, "domain", f"sqlite:///{files[0]}"),
                (Service, "HTTP on SQLite", f"sqlite:///{files[1]}"),
                (Service, "HTTP on PostgreSQL", url),
            )[: 3 if server else 1]:
                made.append(class_(name, where, family, now))
                stack.callback(made[-1].close)
            undone.pop_all()
        return made, stack.close

    return make


def play(
    worlds: Any, *, examples: int, steps: int, new: bool = False, shrink: bool = False, tally: Tally | None = None
) -> Tally:
    """Play so many examples of at most so many steps; the same ones each time, unless `new` ones are asked for.

    shrink  whether a failing example is made small, which takes minutes
    tally   what was done before, to which this is added
    """
    tally = tally or Tally()
    logging.getLogger("tierengine.recording.writer").setLevel(logging.CRITICAL + 1)  # it falls often, and says so

    class Played(Machine):
        pass

    Played.worlds = staticmethod(worlds)
    Played.tally = tally
    run_state_machine_as_test(
        Played,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, database=None, derandomize=not new,
            suppress_health_check=_SLOW, phases=(Phase.generate, Phase.shrink)[: 1 + shrink],
            print_blob=False, report_multiple_bugs=False,
        ),
    )  # fmt: skip
    return tally
