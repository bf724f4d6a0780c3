"""Sealing and opening personal data: AES-256-GCM under a key per member, and digests by which he is found.

A member's key is random; it is stored wrapped under a key that is derived from the server's secret, so that neither the
key store nor the secret alone opens anything. What is sealed is bound to dealer, member and field: moved to another
row it does not open. The digests are HMACs under one random key of the store, which no change of the secret touches.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tierengine.access.secret import Secret
from tierengine.personal.keystore import KeyStore, url_of
from tierengine.settings import Settings
from tierengine.store.database import NotReady

_FORM: Final = b"\x01"  # the form of what is sealed, for the day there is another one
_NONCE: Final = 12
_KEY: Final = 32
_DIGESTS: Final = "digests"


class Unopened(Exception):
    """What is sealed does not open under this key: it was moved, changed, or sealed under another one."""


class Keys:
    """The keys of some members, at hand for as long as one act takes and no longer."""

    __slots__ = ("_dealer", "_keys")

    def __init__(self, dealer: int, keys: Mapping[int, bytes]) -> None:
        self._dealer = dealer
        self._keys = keys

    def __contains__(self, member: int) -> bool:
        return member in self._keys

    def seal(self, member: int, field: str, text: str) -> bytes:
        """Return a text as it is stored. KeyError for a member without a key: he was erased."""
        nonce = secrets.token_bytes(_NONCE)
        return _FORM + nonce + AESGCM(self._keys[member]).encrypt(nonce, text.encode(), self._bound(member, field))

    def open(self, member: int, field: str, sealed: bytes) -> str:
        """Return the text that was sealed; KeyError without a key, Unopened where it is not that member's field."""
        key = AESGCM(self._keys[member])
        try:
            if sealed[:1] != _FORM:
                raise Unopened(field)
            plain = key.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], self._bound(member, field))
        except InvalidTag as problem:
            raise Unopened(field) from problem
        return plain.decode()

    def _bound(self, member: int, field: str) -> bytes:
        return b"tierengine personal\0%d\0%d\0" % (self._dealer, member) + field.encode()


class Vault:
    """What seals and opens. Thread-safe."""

    def __init__(self, store: KeyStore, secret: Secret) -> None:
        self.store = store
        self._secret = secret

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the vault of these settings; NotReady where secret or keys have no place. Nothing is made yet."""
        return cls(KeyStore(url_of(settings)), Secret.of(settings))

    def keys(self, dealer: int, members: Iterable[int]) -> Keys:
        """Return the keys of those who have one."""
        found = self.store.keys(members)
        return Keys(dealer, {number: self._unwrapped(f"member:{number}", key) for number, key in found.items()})

    def keys_made(self, dealer: int, members: Iterable[int]) -> Keys:
        """Return the keys of all who were not erased, made at random where there is none yet."""
        wanted = set(members)
        missing = wanted - self.store.keys(wanted).keys()
        self.store.add({one: self._wrapped(f"member:{one}", secrets.token_bytes(_KEY)) for one in sorted(missing)})
        return self.keys(dealer, wanted)

    def digest(self, dealer: int, field: str, text: str) -> str:
        """Return what stands for a text in an index: equal texts have equal digests, and nothing else is told."""
        said = b"%d\0%b\0%b" % (dealer, field.encode(), text.encode())
        return hmac.digest(self._digesting, said, "sha256").hex()

    def destroy(self, member: int, now: int) -> None:
        """Destroy a member's key; what was sealed with it never opens again."""
        self.store.destroy(member, now)

    def rewrap(self) -> int:
        """Wrap every key under the present secret; return how many. Afterwards the secret before it opens none."""
        for name, wrapped in self.store.commons().items():
            self.store.replace_common(name, self._wrapped(f"common:{name}", self._unwrapped(f"common:{name}", wrapped)))
        found = self.store.keys(self.store.holders())
        self.store.replace(
            {one: self._wrapped(f"member:{one}", self._unwrapped(f"member:{one}", key)) for one, key in found.items()}
        )
        return len(found)

    def close(self) -> None:
        """Give the store's connection back."""
        self.store.close()

    @cached_property
    def _digesting(self) -> bytes:
        fresh = self._wrapped(f"common:{_DIGESTS}", secrets.token_bytes(_KEY))
        return self._unwrapped(f"common:{_DIGESTS}", self.store.common(_DIGESTS, fresh))

    def _wrapped(self, name: str, key: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return _FORM + nonce + AESGCM(self._secret.key("personal data")).encrypt(nonce, key, name.encode())

    def _unwrapped(self, name: str, wrapped: bytes) -> bytes:
        secret: Secret | None = self._secret
        while secret is not None:
            try:
                wrapping = AESGCM(secret.key("personal data"))
                return wrapping.decrypt(wrapped[1 : 1 + _NONCE], wrapped[1 + _NONCE :], name.encode())
            except InvalidTag:
                secret = secret.before
        raise NotReady(
            "The keys of personal data do not open with this server secret; set TIERENGINE_SECRET to the one they were "
            "made with, or TIERENGINE_SECRET_BEFORE after a change",
            "用这个服务器密钥打不开个人信息的密钥：请把 TIERENGINE_SECRET 设成当初的那一个；"
            "换过的，把旧的设在 TIERENGINE_SECRET_BEFORE。",
        )
