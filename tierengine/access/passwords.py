"""Passwords: argon2id with 19 MiB, 2 passes and one lane, as OWASP asks for at least.

More would cost whoever guesses more, and so would it the tills: a log-in computes on the cores that serve them.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tierengine.errors import FormError, Malformed

LEAST: Final = 12
MOST: Final = 200
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Compared where there is no such login, so that the time of an answer does not tell which logins there are.
NOBODY: Final = "$argon2id$v=19$m=19456,t=2,p=1$yakxlAeNQT5QvtItV0x7Ag$hcelMzC6AEpFuNkjnZBGzunEu4WUk59aYOSrobpvVOE"


def hashed(password: str, login: str = "") -> str:
    """Return what is kept of a password; Malformed when it is too short, too long, or tells the login."""
    plain = _plain(password)
    if not LEAST <= len(plain) <= MOST:
        raise Malformed([FormError("/password", "password_length", {"least": LEAST, "most": MOST})])
    if len(set(plain)) < LEAST // 2 or (login and login.casefold() in plain.casefold()):
        raise Malformed([FormError("/password", "password_easy")])
    return _HASHER.hash(plain)


def matches(digest: str, password: str) -> bool:
    """Whether this is the password. Takes about 20 ms and 19 MiB, whatever the answer."""
    try:
        return _HASHER.verify(digest, _plain(password)[: MOST + 1])
    except (VerificationError, InvalidHashError):
        return False


def outdated(digest: str) -> bool:
    """Whether a password should be hashed anew: the parameters have grown since."""
    return _HASHER.check_needs_rehash(digest)


def _plain(password: str) -> str:
    # A Chinese keyboard in full-width mode types Ａ１ where the same person typed A1 elsewhere.
    return unicodedata.normalize("NFKC", password)
