"""What the surroundings decide: every setting is an environment variable TIERENGINE_<NAME>, read once, here.

Nothing is read at import. `Settings.read()` reports every wrong value at once, in sentences that name the variable.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from typing import Any

PREFIX = "TIERENGINE_"
SECRET_LEAST = 32


class SettingsRefused(ValueError):
    """One or more variables cannot be used; `problems` has a sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def _setting(default: object, about: str, *, least: int | None = None, most: int | None = None) -> Any:
    return field(default=default, metadata={"about": about, "least": least, "most": most})


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process runs. The `about` of each field is the text that the documentation prints."""

    database_url: str = _setting(
        "sqlite:///tierengine.db",
        "Where the book is: sqlite:///FILE, or postgresql://USER@HOST/NAME (psycopg 3).",
    )
    secret: str = _setting(
        "",
        "The server's secret, at least 32 characters: digests keys, signs what the service hands out. "
        "Empty: that of `secret_file`.",
    )
    secret_file: str = _setting(
        "",
        "File with the server's secret, made at random when there is none. SQLite: <book>.secret beside the book; "
        "PostgreSQL: <book>.secret in the working folder, and to be set where `keys_url` is.",
    )
    secret_before: str = _setting("", "The secret before this one: what it signed is still good while tills change.")
    keys_url: str = _setting(
        "",
        "Where the keys of personal data are, apart from the book: sqlite:///FILE or postgresql://USER@HOST/NAME. "
        "SQLite: beside the book, as <book>.keys; PostgreSQL: to be named.",
    )
    webhooks_inside: int = _setting(
        0, "1: webhooks may go to http and to addresses of the inside network. For a sandbox only.", least=0, most=1
    )
    queue_size: int = _setting(
        1024, "Requests that may wait for the writer; one more is answered 503.", least=1, most=65_536
    )
    group_size: int = _setting(64, "Most requests of tills in one transaction.", least=1, most=1_000)
    bulk_rows: int = _setting(1_000, "Most rows of a batch in one transaction.", least=1, most=10_000)
    deadline_ms: int = _setting(
        2_000, "A request that has waited longer is dropped unread, never half done.", least=10, most=60_000
    )
    lock_timeout_ms: int = _setting(
        3_000, "How long a member locked elsewhere is waited for (PostgreSQL).", least=10, most=60_000
    )
    busy_timeout_ms: int = _setting(5_000, "How long a locked file is waited for (SQLite).", least=10, most=60_000)
    workers: int = _setting(1, "Processes of `serve`; SQLite has one writer, so there it must be 1.", least=1, most=64)
    host: str = _setting("127.0.0.1", "Address on which `serve` listens.")
    port: int = _setting(8000, "Port on which `serve` listens.", least=0, most=65_535)
    connections: int = _setting(
        1_000, "Most connections of a process; one more ends the oldest that is idle or sending.", least=1, most=60_000
    )
    head_seconds: int = _setting(10, "Longer than this no client may take to send a request's head.", least=1, most=600)
    body_seconds: int = _setting(
        30, "Longer than this no client may take to send a body, or take nothing of an answer.", least=1, most=600
    )
    stop_seconds: int = _setting(
        25, "Asked to end, the service gives requests under way so long; then it drops them.", least=1, most=600
    )
    log_level: str = _setting("info", "debug, info, warning or error.")
    log_format: str = _setting(
        "text", "text, or json: one JSON object a line, and a line for each request (never what it held or whom)."
    )
    traces: str = _setting(
        "off", "off, or otlp: spans for OpenTelemetry, sent where OTEL_EXPORTER_OTLP_ENDPOINT says (extra `otel`)."
    )
    session_idle_minutes: int = _setting(30, "A log-in that nobody uses for so long is over.", least=1, most=1_440)
    limit_key: int = _setting(
        60_000, "Most requests of a key in a minute, shared evenly by the workers. 0: no limit.", least=0, most=10**8
    )
    limit_store: int = _setting(
        120_000, "Most requests of a store's keys in a minute, shared likewise. 0: no limit.", least=0, most=10**8
    )
    limit_member: int = _setting(
        600, "Most requests about one member in a minute, shared likewise. 0: no limit.", least=0, most=10**8
    )
    session_hours: int = _setting(12, "A log-in is over after so long in any case.", least=1, most=168)

    @property
    def kind(self) -> str:
        """Return "sqlite" or "postgresql"."""
        return kind_of(self.database_url)

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the environment (or `environ`); raise SettingsRefused with every problem."""
        given = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        problems: list[str] = []
        for item in fields(cls):
            name = PREFIX + item.name.upper()
            if name not in given:
                continue
            try:
                values[item.name] = _READERS[str(item.type)](given[name], item.metadata)
            except ValueError as problem:
                problems.append(f"{name}: {problem}")
        settings = cls(**values)
        problems.extend(_wrong(settings))
        if problems:
            raise SettingsRefused(problems)
        return settings


def kind_of(url: str) -> str:
    """Return "sqlite" or "postgresql" for a database URL; ValueError names what is allowed."""
    scheme = url.partition("://")[0].partition("+")[0]
    if scheme == "sqlite":
        return "sqlite"
    if scheme in ("postgresql", "postgres"):
        return "postgresql"
    raise ValueError(
        f"The database URL starts with {scheme or 'nothing'!r}; allowed are sqlite:///FILE and postgresql://…"
    )


def document() -> list[tuple[str, str, str]]:
    """Return (variable, default, what it does) for every setting, for the README and `tierengine settings`."""
    return [(PREFIX + item.name.upper(), str(item.default), item.metadata["about"]) for item in fields(Settings)]


def _whole(text: str, limits: Mapping[str, Any]) -> int:
    if not text.strip().isascii() or not text.strip().isdigit():
        raise ValueError(f"expected a whole number, got {text!r}")
    number = int(text)
    if not limits["least"] <= number <= limits["most"]:
        raise ValueError(f"expected {limits['least']} to {limits['most']}, got {number}")
    return number


def _text(text: str, _: Mapping[str, Any]) -> str:
    return text.strip()


_READERS: dict[str, Callable[[str, Mapping[str, Any]], Any]] = {"int": _whole, "str": _text}


def _wrong(settings: Settings) -> list[str]:
    problems: list[str] = []
    try:
        kind = settings.kind
    except ValueError as problem:
        problems.append(f"{PREFIX}DATABASE_URL: {problem}")
        kind = ""
    if settings.keys_url:
        try:
            kind_of(settings.keys_url)
        except ValueError as problem:
            problems.append(f"{PREFIX}KEYS_URL: {problem}")
    if kind == "sqlite" and settings.workers > 1:
        problems.append(
            f"{PREFIX}WORKERS: SQLite has one writing process, got {settings.workers}; use PostgreSQL for more"
        )
    if settings.secret and len(settings.secret) < SECRET_LEAST:
        problems.append(f"{PREFIX}SECRET: expected at least {SECRET_LEAST} characters, got {len(settings.secret)}")
    if settings.log_level not in ("debug", "info", "warning", "error"):
        problems.append(f"{PREFIX}LOG_LEVEL: expected debug, info, warning or error, got {settings.log_level!r}")
    if settings.log_format not in ("text", "json"):
        problems.append(f"{PREFIX}LOG_FORMAT: expected text or json, got {settings.log_format!r}")
    if settings.traces not in ("off", "otlp"):
        problems.append(f"{PREFIX}TRACES: expected off or otlp, got {settings.traces!r}")
    elif settings.traces == "otlp" and find_spec("opentelemetry.sdk") is None:
        problems.append(f"{PREFIX}TRACES: otlp needs an extra that is not installed: pip install 'tierengine[otel]'")
    return problems
