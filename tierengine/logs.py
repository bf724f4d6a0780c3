"""How the service writes its log: as text, or one JSON object a line. Neither tells what a request held or of whom.

An exception is told by its type and where it was, never by its message: messages quote values, and values are names and
phone numbers.
"""

from __future__ import annotations

import logging
import traceback
from types import TracebackType
from typing import Any, Final

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.orjson import OrjsonFormatter

REQUESTS: Final = "tierengine.requests"
FRAMES: Final = 30
_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Text(logging.Formatter):
    """A line of text."""

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 - the library's name
        """Return where it was raised, and as what."""
        return raised(ei)


class Json(OrjsonFormatter):
    """A JSON object in a line: time (UTC), level, logger, message, and what the request's line says."""

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 - the library's name
        """Return where it was raised, and as what."""
        return raised(ei)


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


def config(style: str, level: str) -> dict[str, Any]:
    """Return what `logging.config.dictConfig` takes; every worker process reads it when it begins."""
    known = level.upper()
    # httpx tells the whole address of each webhook at "info"; a receiver may have a secret in it.
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
            "httpx": {"level": quiet},
            "httpcore": {"level": quiet},
            # A line for each request costs time at every sale; who wants them asks for JSON.
            REQUESTS: {"level": known if style == "json" else "WARNING"},
        },
    }
