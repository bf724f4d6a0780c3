"""What the surroundings decide: every setting is an environment variable TIERENGINE_<NAME>, read once, here.

Nothing is read at import. `Settings.read()` reports every wrong value at once, in sentences that name the variable.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from typing import Any

PREFIX = "TIERENGINE_"
SECRET_LEAST = 32
SHOWN = 40  # of a wrong value, so much is shown


class SettingsRefused(ValueError):
    """One or more variables cannot be used; `problems` has a sentence for each, `zh` the same in Chinese."""

    def __init__(self, problems: list[str], zh: list[str]) -> None:
        self.problems = problems
        self.zh = zh
        super().__init__("\n".join(problems))


class Wrong(ValueError):
    """A value that cannot be used: the sentence without the variable's name, in English and in Chinese."""

    def __init__(self, en: str, zh: str) -> None:
        self.zh = zh
        super().__init__(en)


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
    webhook_days: int = _setting(
        30, "Days that a delivered message of a webhook is kept and may be sent again.", least=1, most=3_650
    )
    webhook_dead_days: int = _setting(
        180, "Days that a message that was given up is kept and may be sent again.", least=1, most=3_650
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
        wrong: list[tuple[str, Wrong]] = []
        for item in fields(cls):
            name = PREFIX + item.name.upper()
            if name not in given:
                continue
            try:
                values[item.name] = _READERS[str(item.type)](given[name], item.metadata)
            except Wrong as problem:
                wrong.append((name, problem))
        settings = cls(**values)
        wrong.extend((PREFIX + name, problem) for name, problem in _wrong(settings))
        if wrong:
            raise SettingsRefused(
                [f"{name}: {problem}" for name, problem in wrong], [f"{name}:{problem.zh}" for name, problem in wrong]
            )
        return settings


def kind_of(url: str) -> str:
    """Return "sqlite" or "postgresql" for a database URL; ValueError names what is allowed.

    Of an address that is none nothing is repeated: whoever forgot its beginning may have begun with the password.
    """
    scheme = url.partition("://")[0].partition("+")[0]
    if scheme == "sqlite":
        return "sqlite"
    if scheme in ("postgresql", "postgres"):
        return "postgresql"
    known = "://" in url and scheme.isalnum() and len(scheme) < SHOWN
    raise Wrong(
        f"expected sqlite:///FILE or postgresql://…, got {f'{scheme}://…' if known else 'no such address'}",
        f"应为 sqlite:///文件 或 postgresql://…，收到的{f'是 {scheme}://…' if known else '不是这样的地址'}",
    )


def check_url(url: str) -> None:
    """Raise Wrong for a PostgreSQL address whose user or password breaks it up: libpq would repeat the pieces."""
    authority, _, rest = url.partition("://")[2].partition("?")
    host, _, path = authority.partition("/")
    if kind_of(url) == "postgresql" and (host.count("@") > 1 or "@" in path or "@" in rest):
        raise Wrong(
            "user or password cannot be told apart from the rest of the address: write @ in them as %40, / as %2F, "
            "? as %3F, % as %25",
            "用户名或密码与地址的其余部分分不开：其中的 @ 写作 %40,/ 写作 %2F,? 写作 %3F,% 写作 %25",
        )


def document() -> list[tuple[str, str, str]]:
    """Return (variable, default, what it does) for every setting, for the README and `tierengine settings`."""
    return [(PREFIX + item.name.upper(), str(item.default), item.metadata["about"]) for item in fields(Settings)]


def _whole(text: str, limits: Mapping[str, Any]) -> int:
    # (Full-width digits come from a Chinese keyboard, and mean the same.)
    digits = unicodedata.normalize("NFKC", text).strip()
    least, most = limits["least"], limits["most"]
    if not digits.isascii() or not digits.isdigit() or len(digits) > SHOWN:
        raise Wrong(
            f"expected a whole number from {least} to {most}, got {text[:SHOWN]!r}",
            f"应为 {least} 至 {most} 的整数，收到的是 {text[:SHOWN]!r}",
        )
    number = int(digits)
    if not least <= number <= most:
        raise Wrong(f"expected {least} to {most}, got {number}", f"应为 {least} 至 {most}，收到的是 {number}")
    return number


def _one_of(text: str, *known: str) -> None:
    if text not in known:
        listed, said = f"{', '.join(known[:-1])} or {known[-1]}", f"{'、'.join(known[:-1])} 或 {known[-1]}"
        raise Wrong(f"expected {listed}, got {text[:SHOWN]!r}", f"应为 {said}，收到的是 {text[:SHOWN]!r}")


def _long(secret: str) -> None:
    if secret and len(secret) < SECRET_LEAST:
        raise Wrong(
            f"expected at least {SECRET_LEAST} characters, got {len(secret)}",
            f"至少要 {SECRET_LEAST} 个字符，收到的是 {len(secret)} 个",
        )


def _text(text: str, _: Mapping[str, Any]) -> str:
    return text.strip()


_READERS: dict[str, Callable[[str, Mapping[str, Any]], Any]] = {"int": _whole, "str": _text}


def _wrong(settings: Settings) -> list[tuple[str, Wrong]]:
    checks: list[tuple[str, Callable[[], None]]] = [
        ("DATABASE_URL", lambda: check_url(settings.database_url)),
        ("KEYS_URL", lambda: check_url(settings.keys_url) if settings.keys_url else None),
        ("WORKERS", lambda: _alone(settings)),
        ("SECRET", lambda: _long(settings.secret)),
        ("SECRET_BEFORE", lambda: _long(settings.secret_before)),
        ("LOG_LEVEL", lambda: _one_of(settings.log_level, "debug", "info", "warning", "error")),
        ("LOG_FORMAT", lambda: _one_of(settings.log_format, "text", "json")),
        ("TRACES", lambda: _traced(settings.traces)),
    ]
    problems: list[tuple[str, Wrong]] = []
    for name, check in checks:
        try:
            check()
        except Wrong as problem:
            problems.append((name, problem))
    return problems


def _alone(settings: Settings) -> None:
    if settings.workers > 1 and settings.database_url.partition("://")[0].partition("+")[0] == "sqlite":
        raise Wrong(
            f"SQLite has one writing process, got {settings.workers}; use PostgreSQL for more",
            f"SQLite 只能有一个写进程，收到的是 {settings.workers}；要多个请用 PostgreSQL",
        )


def _traced(style: str) -> None:
    _one_of(style, "off", "otlp")
    if style == "otlp" and not all(map(_found, ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"))):
        raise Wrong(
            "otlp needs an extra that is not installed: pip install 'tierengine[otel]'",
            "otlp 要另装一组包：pip install 'tierengine[otel]'",
        )


def _found(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even what it lies in
        return False
