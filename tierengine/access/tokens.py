"""The form of what is shown once and presented afterwards: `te_<prefix>_<secret><checksum>`, `ts_…` for a session.

The prefix (48 bits) finds the row, the secret has 192 bits, and the checksum tells a mistyped one from a wrong one
without asking the database. Only an HMAC of the whole is kept: who reads the book can present nothing.
"""

from __future__ import annotations

import re
import secrets
import zlib
from dataclasses import dataclass
from typing import Final, Literal

from tierengine.access.secret import Secret

Sort = Literal["te", "ts"]
KEY: Final[Sort] = "te"
SESSION: Final[Sort] = "ts"
PURPOSE: Final = "token"
_FORM: Final = re.compile(r"(te|ts)_([0-9a-f]{12})_[0-9a-f]{48}([0-9a-f]{8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """A new token: shown once as `text`; `prefix` and `digest` are kept."""

    text: str
    prefix: str
    digest: str


def make(sort: Sort, secret: Secret) -> Token:
    """Return a new token."""
    prefix = secrets.token_hex(6)
    body = f"{sort}_{prefix}_{secrets.token_hex(24)}"
    text = body + _checksum(body)
    return Token(text, prefix, secret.mac(PURPOSE, text))


def read(text: str) -> tuple[Sort, str] | None:
    """Return sort and prefix of what was presented; None when it is no token, or mistyped."""
    found = _FORM.fullmatch(text)
    if found is None or _checksum(text[:-8]) != found[3]:
        return None
    return (KEY if found[1] == KEY else SESSION), found[2]


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
