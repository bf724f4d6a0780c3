"""A progress bar on standard error, where it is in nobody's way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tierengine.commands.screen import Screen


@contextmanager
def bar(screen: Screen, title: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show how far something is: call what is given with (done, total or None)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Drawn on a terminal only: in a log it would be a line for each step.
    with Progress(*columns, console=screen.err, transient=True, disable=not screen.err.is_terminal) as progress:
        task = progress.add_task(title, total=None)

        def advance(done: int, total: int | None) -> None:
            progress.update(task, completed=done, total=total)

        yield advance
