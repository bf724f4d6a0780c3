"""Import of real sales: events a second, in order and at random, and against putting in what it books.

The file is ../shared/data/heavy_equipment_sales.csv.gz where it is there, else rows of the same form made here.
"""

from __future__ import annotations

import csv
import gzip
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.bench import bulk
from tests.keys import SECRET

ROWS = 10_000
HERE = Path(__file__).parents[2]
REAL = HERE.parent / "shared" / "data" / "heavy_equipment_sales.csv.gz"


def files(folder: Path) -> tuple[Path, Path, bool]:
    """Return the file in order, the same rows at random, and whether they are the real ones."""
    if REAL.exists():
        with gzip.open(REAL, "rt", encoding="utf-8", newline="") as source:
            rows = list(csv.DictReader(source))
    else:
        rows = _made()
    ordered, shuffled = folder / "ordered.csv", folder / "shuffled.csv"
    _write(ordered, rows)
    mixed = rows[:]
    random.Random(7).shuffle(mixed)
    _write(shuffled, mixed)
    return ordered, shuffled, REAL.exists()


@dataclass(frozen=True)
class Imported:
    """Seconds of one import: of the import itself, and with the start of its process.

    rows, floor  rows that it booked, and the seconds that COPY (SQLite: one prepared statement a table) takes for them
    """

    itself: float
    whole: float
    rows: int
    floor: float


def imported(url: str, file: Path, base: str = "") -> Imported:
    """Import the file into an empty book through the command line; `base` is the server, where it is on one.

    What the same command takes for a file without rows is its start, which a longer file does not pay again.
    """
    environ = {
        "TIERENGINE_DATABASE_URL": url, "PATH": "/usr/bin:/bin", "TIERENGINE_LANG": "en", "TIERENGINE_SECRET": SECRET,
        "TIERENGINE_KEYS_URL": f"sqlite:///{file.parent}/{uuid4().hex}.keys",
    }  # fmt: skip
    program = [sys.executable, "-m", "tierengine"]
    for words in (
        ["migrate"],
        ["policy", "publish", str(HERE / "tests/policies/auctions.yaml"), "--author", "bench", "--reason", "bench"],
    ):
        subprocess.run([*program, *words], env=environ, check=True, capture_output=True, cwd=HERE)
    mapping = HERE / "tests/policies/auctions.mapping.yaml"

    def seconds(file: Path) -> float:
        begun = time.perf_counter()
        subprocess.run(
            [*program, "events", "import", str(file), "--mapping", str(mapping)],
            env=environ, check=True, capture_output=True, cwd=HERE,
        )  # fmt: skip
        return time.perf_counter() - begun

    empty = file.with_name("empty.csv")
    with file.open(encoding="utf-8") as source:
        empty.write_text(source.readline(), encoding="utf-8")
    start, copied = seconds(empty), bulk.before(url, base)
    whole = seconds(file)
    rows, floor = bulk.floor(url, copied)
    return Imported(whole - start, whole, rows, floor)


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _made() -> list[dict[str, str]]:
    chance = random.Random(11)
    groups = ("TEX", "TTT", "SSL", "BL", "WL", "MG")
    rows = []
    for number in range(ROWS):
        group = chance.choice(groups)
        base = f"{group}{chance.randrange(120)}"
        day = f"{2004 + number * 8 // ROWS}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 28):02d}"
        rows.append(
            {
                "event_id": f"S{1_000_000 + number}",
                "member": f"State {chance.choice(range(51)):02d}",
                "ts": f"{day}T00:00:00",
                "type": "purchase",
                "amount_minor": str(chance.randrange(40, 1_200) * 10_000),
                "product_group": group,
                "base_model": base,
                "model": base + chance.choice("ABCD"),
                "machine_id": str(1_000_000 + chance.randrange(9_900)),
            }
        )
    return sorted(rows, key=lambda row: row["ts"])
