"""Reading files row by row, whatever their size: CSV, JSON Lines, XLSX; each row with the number of its line.

What cannot be read is one more row that says so; reading goes on after it where that is possible. Nothing is read that
is longer than a row may be, so that a hostile file costs no memory.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal

from tierengine.importing.values import Bad

ROW_MOST: Final = 1 << 20
_CHUNK: Final = 1 << 20
_ENCODINGS: Final = ("utf-8", "gb18030")

Kind = Literal["csv", "jsonl", "xlsx"]


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the number of its (first) line, and column → cell; or what is wrong with it."""

    line: int
    cells: dict[str, Any]
    bad: Bad | None = None


class FileRefused(ValueError):
    """The file as a whole cannot be read."""

    def __init__(self, bad: Bad, line: int = 0) -> None:
        self.bad = bad
        self.line = line
        super().__init__(bad.code)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be read: its kind, whether it is packed, and how its text is encoded."""

    path: Path
    kind: Kind
    packed: bool
    encoding: str = "utf-8"
    lines: int | None = None  # about how many, where that is known


def source_of(path: Path) -> Source:
    """Return how to read a file, by its name and, of text, by its bytes. Raises FileRefused."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = suffixes[-1:] == [".gz"]
    last = (suffixes[:-1] if packed else suffixes)[-1:]
    kinds: dict[str, Kind] = {
        ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".xlsx": "xlsx",
        ".xlsm": "xlsx",
    }  # fmt: skip
    if last == [".xls"]:
        raise FileRefused(Bad("old_excel"))
    kind = kinds.get(last[0]) if last else None
    if kind is None or (packed and kind == "xlsx"):
        raise FileRefused(Bad("unknown_format"))
    if kind == "xlsx":
        return Source(path, kind, packed)
    encoding, lines = _encoding(path, packed=packed)
    return Source(path, kind, packed, encoding, lines)


def _encoding(path: Path, *, packed: bool) -> tuple[str, int | None]:
    """Return the encoding of a text and its lines: UTF-8 when all of it is, else GB18030, as Excel in China writes."""
    with _bytes(path, packed=packed) as file:
        head = file.read(4)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", None
    furthest = 0
    for name in _ENCODINGS:
        decoder = codecs.getincrementaldecoder(name)()
        done = lines = 0
        try:
            with _bytes(path, packed=packed) as file:
                while chunk := _read(file, _CHUNK):
                    decoder.decode(chunk)
                    done += len(chunk)
                    lines += chunk.count(b"\n")
                decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            furthest = max(furthest, done + error.start)
        else:
            return "utf-8-sig" if name == "utf-8" else name, lines
    raise FileRefused(Bad("bad_encoding", details={"byte": furthest + 1}))


def _read(file: IO[bytes], size: int) -> bytes:
    try:
        return file.read(size)
    except (EOFError, OSError, zlib.error):
        return b""  # cut short: the rows before are read, and then it is said


def rows(source: Source) -> Iterator[Row]:
    """Return the rows of a file, one by one."""
    reader = {"csv": _csv, "jsonl": _jsonl, "xlsx": _xlsx}[source.kind]
    return reader(source)


@contextmanager
def _bytes(path: Path, *, packed: bool) -> Iterator[IO[bytes]]:
    with path.open("rb") as raw:
        if packed:
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield unpacked  # type: ignore[misc]  # GzipFile is a binary file in all but name
        else:
            yield raw


class _Lines:
    """The lines of a text with their numbers; a line longer than a row may be is cut and marked."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.number = 0
        self.too_long = False
        self.broken = False

    def __iter__(self) -> Iterator[str]:
        while True:
            try:
                line = self._file.readline(ROW_MOST + 1)
                if not line:
                    return
                if len(line) > ROW_MOST:
                    self.too_long = True
                    while len(line) > ROW_MOST and not line.endswith("\n"):
                        line = self._file.readline(ROW_MOST + 1)
                    line = "\n"
            except (EOFError, OSError, zlib.error, UnicodeDecodeError):
                self.broken = True
                return
            self.number += 1
            yield line


# ---- CSV --------------------------------------------------------------------------------------------------------


def _csv(source: Source) -> Iterator[Row]:
    with _bytes(source.path, packed=source.packed) as raw, io.TextIOWrapper(raw, source.encoding, newline="") as text:
        lines = _Lines(text)
        given = iter(lines)
        first = next(given, "")
        delimiter = max("\t;,", key=lambda one: (first.count(one), one == ","))
        csv.field_size_limit(ROW_MOST)
        reader = csv.reader(_chained(first, given), delimiter=delimiter, strict=True)
        header = _header(next(reader, []))
        while True:
            start = lines.number + 1
            lines.too_long = False
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error:
                code = "row_too_long" if lines.too_long else "broken_row"
                yield Row(start, {}, Bad(code, details={"most": ROW_MOST} if lines.too_long else {}))
                continue
            if lines.too_long:
                yield Row(start, {}, Bad("row_too_long", details={"most": ROW_MOST}))
            elif any(cell.strip() for cell in cells):
                yield _row(start, header, cells)
        if lines.broken:
            yield Row(lines.number + 1, {}, Bad("broken_file"))


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
        yield from rest


def _header(cells: Sequence[object]) -> list[str]:
    names = ["" if cell is None else str(cell).strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not any(names):
        raise FileRefused(Bad("no_header"), 1)
    for place, name in enumerate(names):
        if name and name in names[:place]:
            raise FileRefused(Bad("column_twice", name, {"column": name}), 1)
    return names


def _row(line: int, header: Sequence[str], cells: Sequence[Any]) -> Row:
    got = len(cells)
    while got > len(header) and cells[got - 1] in (None, ""):
        got -= 1
    if got > len(header) or (got < len(header) and got == 1):
        return Row(line, {}, Bad("wrong_columns", details={"expected": len(header), "got": got}))
    # Spreadsheets leave out empty cells at the end of a row.
    padded = [*cells[:got], *[None] * (len(header) - got)]
    return Row(line, {name: cell for name, cell in zip(header, padded, strict=True) if name})


# ---- JSON Lines -------------------------------------------------------------------------------------------------


def _jsonl(source: Source) -> Iterator[Row]:
    with _bytes(source.path, packed=source.packed) as raw, io.TextIOWrapper(raw, source.encoding, newline="\n") as text:
        lines = _Lines(text)
        for line in lines:
            if lines.too_long:
                lines.too_long = False
                yield Row(lines.number, {}, Bad("row_too_long", details={"most": ROW_MOST}))
            elif line.strip():
                yield _object(lines.number, line)
        if lines.broken:
            yield Row(lines.number + 1, {}, Bad("broken_file"))


class _KeyTwice(ValueError):
    """One of two values would win silently."""


def _object(number: int, line: str) -> Row:
    try:
        found = json.loads(line, object_pairs_hook=_once, parse_constant=_no_constant)
    except _KeyTwice:
        return Row(number, {}, Bad("key_twice"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return Row(number, {}, Bad("not_json"))
    return Row(number, found)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _KeyTwice
    return found


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are no JSON


# ---- XLSX -------------------------------------------------------------------------------------------------------


def _xlsx(source: Source) -> Iterator[Row]:
    # Loaded here: no other file needs it, and it is large.
    import openpyxl  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and validations that nobody reads here
            book = openpyxl.load_workbook(source.path, read_only=True, data_only=True)
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile, SyntaxError):
        raise FileRefused(Bad("broken_file")) from None
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its size is often wrong
        header: list[str] = []
        number = 0
        try:
            for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                if all(cell is None or cell == "" for cell in cells):
                    continue
                if not header:
                    header = _header(cells)
                else:
                    yield _row(number, header, cells)
        except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error, SyntaxError) as problem:
            if isinstance(problem, FileRefused):
                raise
            yield Row(number + 1, {}, Bad("broken_file"))
        if not header:
            raise FileRefused(Bad("no_header"), 1)
    finally:
        book.close()
