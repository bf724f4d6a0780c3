"""The server's secret: what keys are digested with, and what everything else that is kept under a key is derived from.

It comes from TIERENGINE_SECRET, or from the file that TIERENGINE_SECRET_FILE names. A book on SQLite has such a file
beside it, made at random when it is first needed; one on PostgreSQL has it in the working folder, so that it can be
tried without preparation, but only as long as no personal data is kept under it (TIERENGINE_KEYS_URL): to lose it then
would be to lose those. There is no secret that two books share unless somebody sets it so.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from psycopg.conninfo import conninfo_to_dict

from tierengine.settings import SECRET_LEAST, Settings, kind_of
from tierengine.store.database import NotReady, sqlite_path

BYTES: Final = 32


class Secret:
    """The secret of one server; each purpose has a key of its own, so that none of them tells anything of another."""

    __slots__ = ("before", "text")

    def __init__(self, text: str, before: str = "", place: str = "TIERENGINE_SECRET") -> None:
        """`before`: the secret before this one, of which what was kept is still known; `place`: where it stands."""
        if len(text) < SECRET_LEAST:
            raise NotReady(
                f"The server's secret ({place}) has {len(text)} characters; expected at least {SECRET_LEAST}",
                f"服务器密钥（{place}）只有 {len(text)} 个字符，至少要 {SECRET_LEAST} 个。",
            )
        self.text = text
        self.before = Secret(before, place="TIERENGINE_SECRET_BEFORE") if before else None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the secret of these settings; NotReady when none is set and none may be made."""
        if settings.secret:
            return cls(settings.secret, settings.secret_before)
        path = Path(settings.secret_file) if settings.secret_file else own_file(settings)
        return cls(_kept(path), settings.secret_before, str(path))

    def key(self, purpose: str) -> bytes:
        """Return the key of a purpose: 32 bytes, by HKDF (RFC 5869)."""
        return _derived(self.text.encode(), purpose)

    def mac(self, purpose: str, text: str) -> str:
        """Return the HMAC-SHA256 of a text under the key of a purpose, in hexadecimal."""
        return hmac.digest(self.key(purpose), text.encode(), "sha256").hex()

    def macs(self, purpose: str, text: str) -> list[str]:
        """Return the HMAC of a text under this secret and under the one before it."""
        return [self.mac(purpose, text), *(self.before.macs(purpose, text) if self.before is not None else ())]


@cache
def _derived(root: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), BYTES, None, b"tierengine " + purpose.encode()).derive(root)


def own_file(settings: Settings) -> Path:
    """Return the file of a secret that nobody set; NotReady where it must be set."""
    if kind_of(settings.database_url) == "sqlite":
        return Path(f"{sqlite_path(settings.database_url)}.secret")
    if settings.keys_url:
        raise NotReady(
            "There is no server secret: set TIERENGINE_SECRET, or TIERENGINE_SECRET_FILE to a file for it. Beside "
            "TIERENGINE_KEYS_URL it must be one that is kept: without it no name or phone opens any more",
            "没有服务器密钥：请设 TIERENGINE_SECRET，或用 TIERENGINE_SECRET_FILE 指定一个保存它的文件；"
            "丢了它，姓名、电话再也打不开。",
        )
    named = conninfo_to_dict("postgresql://" + settings.database_url.partition("://")[2]).get("dbname")
    return Path(f"{Path(str(named or 'tierengine')).name}.secret")


def _kept(path: Path) -> str:
    """Return what the secret's file holds; where it is not there it is made, whole or not at all."""
    try:
        if not path.exists():
            _make(path)
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is no text"
        raise NotReady(
            f"The server's secret cannot be read from {path}: {why}",
            f"读不出服务器密钥 {path}：核对这个文件和它的权限（{why}）。",
        ) from problem


def _make(path: Path) -> None:
    mine = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    file = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, (secrets.token_urlsafe(BYTES) + "\n").encode())
        os.fsync(file)
    finally:
        os.close(file)
    # Of two processes that make it at once, one wins, and both read what it wrote.
    with contextlib.suppress(FileExistsError):
        os.link(mine, path)
    mine.unlink()
