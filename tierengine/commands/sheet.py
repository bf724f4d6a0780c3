"""Rows as CSV that a spreadsheet in China opens as it is: UTF-8 with a mark, and nothing that runs as a formula."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, TextIO

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def cell(value: object) -> str:
    """Return a cell: text that a spreadsheet would take for a formula is marked as text, numbers stay numbers."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return "" if value is None else str(value)


def write(path: Path | None, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write a sheet to a file, or to standard output (without the mark, for programs); return how many rows."""
    if path is None:
        return _write(sys.stdout, headings, rows)
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        return _write(out, headings, rows)


def _write(out: TextIO, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    writer = csv.writer(out, lineterminator="\r\n" if out is not sys.stdout else "\n")
    writer.writerow(headings)
    count = 0
    for row in rows:
        writer.writerow([cell(value) for value in row])
        count += 1
    return count
