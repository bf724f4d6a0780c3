"""From nothing to the first answer: `tierengine serve` on a fresh book, against Python with its frameworks imported."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tierengine.store.migrating import migrate

FLOOR = "import fastapi, sqlmodel; print('on', flush=True)"
_TICKS = os.sysconf("SC_CLK_TCK")


def measure(rounds: int) -> list[tuple[float, float]]:
    """Return, round by round, the processor seconds of ours and of the floor; the first round, uncounted, warms up."""
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{name}/book.db"
        migrate(url)
        # As where it is installed: compiled files are kept.
        kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        env = kept | {"TIERENGINE_DATABASE_URL": url, "PYTHONPATH": str(Path(__file__).parents[2])}
        ours = [sys.executable, "-m", "tierengine", "--json", "serve", "--port", "0"]
        floor = [sys.executable, "-c", FLOOR]
        return [(_until_it_speaks(ours, env), _until_it_speaks(floor, env)) for _ in range(rounds + 1)][1:]


def _until_it_speaks(command: list[str], env: dict[str, str]) -> float:
    """Return the processor seconds until the first line: `serve` writes its address once it has answered there."""
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        process.terminate()
        process.communicate(timeout=60)
    return (int(fields[11]) + int(fields[12])) / _TICKS
