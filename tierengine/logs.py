"""How the service writes its log: as text, or one JSON object a line. Neither tells what a request held or of whom.

An exception is told by its type and where it was, never by its message: messages quote values, and values are names and
phone numbers. What libraries put of one into their own lines is left out as well. One record is one line: whatever
would break it, colour it, turn its direction or hide in it is written as its code, so that nobody forges a line.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.orjson import OrjsonFormatter

from tierengine.unseen import plain

if TYPE_CHECKING:
    from pythonjsonlogger.core import LogData

REQUESTS: Final = "tierengine.requests"
FRAMES: Final = 30
_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
_TRACEBACK: Final = "Traceback (most recent call last):"
_CALLBACK: Final = "Exception in callback"
_log = logging.getLogger(__name__)


class Text(logging.Formatter):
    """A line of text; below one with an exception, where it was raised, each line set in."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as its line."""
        told = said(record)
        told.asctime = self.formatTime(told, self.datefmt)
        line = plain(self.formatMessage(told))
        where = self.formatException(record.exc_info) if record.exc_info else ""
        return "\n    ".join((line, *where.splitlines()))

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 - the library's name
        """Return where it was raised, and as what."""
        return raised(ei)


class Json(OrjsonFormatter):
    """A JSON object in a line: time (UTC), level, logger, message, and what the request's line says."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as its line."""
        # (The line of a request has nothing in it but what this program chose, and is written at every sale.)
        return super().format(record if record.name == REQUESTS else said(record))

    def process_log_record(self, log_data: LogData) -> LogData:
        """Return what is written, with nothing in it that a terminal or a reader of lines would take for a sign."""
        if log_data["logger"] == REQUESTS:
            return log_data
        told = {name: plain(value) for name, value in log_data.items() if isinstance(value, str) and name != "exc_info"}
        return {**log_data, **told}

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 - the library's name
        """Return where it was raised, and as what."""
        return raised(ei)


def said(record: logging.LogRecord) -> logging.LogRecord:
    """Return a copy of a record whose message tells nothing that an exception or a library's object says of itself."""
    try:
        text = record.getMessage()
    except Exception:  # noqa: BLE001 - a library's mistake in its own line; its values are not for here
        text = str(record.msg)
    head, found, _ = text.partition(_TRACEBACK)
    if found:
        text = f"{head}(an exception; its text is left out)"
    if record.name == "asyncio":
        # Below its first line stand the tasks and handles, with their exceptions and arguments.
        text = text.partition("\n")[0]
        text = _CALLBACK if text.startswith(_CALLBACK) else text
    made = logging.makeLogRecord(record.__dict__)
    made.msg, made.args, made.message = text, None, text
    # What another formatter of this process made of the exception has its message in it.
    made.exc_text = None
    return made


def raised(told: _Raised) -> str:
    """Return the frames of an exception and of what caused it, with their types and without their messages."""
    lines: list[str] = []
    problem = told[1]
    while problem is not None and len(lines) < 4 * FRAMES:
        frames = traceback.extract_tb(problem.__traceback__, limit=-FRAMES)
        lines += [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        lines.append(f"{type(problem).__module__}.{type(problem).__qualname__}")
        problem = problem.__cause__ or (None if problem.__suppress_context__ else problem.__context__)
    return "\n".join(lines)


def guard() -> None:
    """Have the log tell what Python would write itself, messages and all, of a thread or a destructor that failed.

    For a process that does nothing but serve: it is this process's for good.
    """

    def of_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is not SystemExit and args.exc_value is not None:
            _log.critical("a thread ended", exc_info=args.exc_value)

    def of_nobody(args: sys.UnraisableHookArgs) -> None:
        _log.error("an exception was nobody's", exc_info=args.exc_value or True)

    threading.excepthook = of_thread
    sys.unraisablehook = of_nobody
    # A line that cannot be written is dropped: else it is told on standard error with all its values.
    logging.raiseExceptions = False


def config(style: str, level: str) -> dict[str, Any]:
    """Return what `logging.config.dictConfig` takes; every worker process reads it when it begins."""
    known = level.upper()
    # httpx tells the whole address of each webhook at "info"; a receiver may have a secret in it. The others tell at
    # "debug" what they send and to whom.
    quiet = "WARNING" if known in ("DEBUG", "INFO") else known
    shapes = {
        "text": {"()": f"{__name__}.Text", "format": "%(asctime)s %(levelname)-8s %(name)s %(message)s"},
        "json": {
            "()": f"{__name__}.Json",
            "format": "%(levelname)s %(name)s %(message)s",
            "rename_fields": {"levelname": "level", "name": "logger"},
            "timestamp": "time",
            # (uvicorn says its lines a second time, in colour.)
            "reserved_attrs": [*RESERVED_ATTRS, "color_message"],
        },
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"own": shapes[style]},
        "handlers": {"own": {"class": "logging.StreamHandler", "formatter": "own", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["own"], "level": known},
        "loggers": {
            **{name: {"level": quiet} for name in ("httpx", "httpcore", "psycopg", "urllib3", "opentelemetry")},
            # A line for each request costs time at every sale; who wants them asks for JSON.
            REQUESTS: {"level": known if style == "json" else "WARNING"},
        },
    }
