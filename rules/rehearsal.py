"""A program is compiled once in a process of its own, with a limit on its time and memory, before anybody relies on it.

Whatever passes `rules.network.plan` is believed to compile in well under a second. Should that belief be wrong, the
library hangs, crashes or eats the memory here, in a process that is nobody's, instead of in the service.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from rules.network import plan
from rules.pattern import EngineFault, Program

SECONDS: Final = 20.0
MEGABYTES: Final = 512
"""What the largest program that `plan` lets through needs is a fraction of both."""

_FAULT: Final = 3
_NO_MEMORY: Final = 4
_COMPILER: Final = ("-P", "-m", __name__)


class NotCompiled(EngineFault):
    """A program did not come through its rehearsal. `why` is "time", "memory", "fault" or "crash"."""

    def __init__(self, name: str, why: str, what: str) -> None:
        super().__init__(f"{name}: {what}")
        self.why = why


def rehearse(
    program: Program,
    seconds: float = SECONDS,
    megabytes: int = MEGABYTES,
    compiler: Sequence[str] = _COMPILER,
) -> None:
    """Compile `program` elsewhere, in at most so many seconds of the clock and megabytes of memory.

    Raises what `plan` raises before any process is started, and NotCompiled if the compile did not end well.
    `compiler` are the words for Python; it reads the limits and the pickled program from its standard input.
    """
    plan(program)
    # The same modules as here, wherever they were found; and nothing of whoever happens to be the main program.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}  # noqa: PTH109
    try:
        done = subprocess.run(  # noqa: S603  our own interpreter with our own words
            [sys.executable, *compiler],
            input=pickle.dumps((seconds, megabytes, program)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotCompiled(program.name, "time", f"not compiled within {seconds:g} s") from None
    if done.returncode == _NO_MEMORY:
        raise NotCompiled(program.name, "memory", f"needs more than {megabytes} MB to compile")
    if done.returncode == _FAULT:
        raise NotCompiled(program.name, "fault", "the rule engine did not take the program")
    if done.returncode != 0:
        raise NotCompiled(program.name, "crash", f"the compile ended with exit code {done.returncode}")


def _main() -> int:
    """Compile what comes on standard input; the answer is the exit code."""
    import resource  # noqa: PLC0415  only here, where there is something to limit

    # Written by `rehearse` of the same installation a moment ago.
    seconds, megabytes, program = pickle.load(sys.stdin.buffer)  # noqa: S301
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    # Whoever started this waits no longer either; this ends the process also when he was killed meanwhile.
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        from rules.engine import Matcher  # noqa: PLC0415  the library, within the limits

        Matcher(program)
    except MemoryError:
        return _NO_MEMORY
    except EngineFault as fault:
        return _NO_MEMORY if isinstance(fault.__cause__, MemoryError) else _FAULT
    return 0


if __name__ == "__main__":
    sys.exit(_main())
