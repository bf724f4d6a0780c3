"""What this service signs, and how it knows its own signature again: quote tokens and offline slips.

Both keys are derived from the server's secret, so that every process of the service has the same ones: HMAC-SHA256 for
a quote, which only the service reads again; Ed25519 for a slip, which a till verifies with the published half (JWS,
RFC 7515; EdDSA, RFC 8037). While the secret is changed, what the one before it signed is still known.

The library is loaded with the first token that comes back or slip that is given: it brings certificates with it.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tierengine.access.secret import Secret
from tierengine.till.orders import TOKEN_MOST

SLIP: Final = "offline-slip+jwt"
REVOKED: Final = "offline-revoked+jwt"
_EDDSA: Final = "EdDSA"
_HS256: Final = "HS256"
_JWT: Final = urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")
# Times are looked at by whoever uses a token, in whole microseconds and by the service's own clock.
_OPTIONS: Final[Any] = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}


class Signer:
    """Signs with the server's secret, and knows what the one before it signed."""

    def __init__(self, secret: Secret) -> None:
        secrets = [secret, *((secret.before,) if secret.before is not None else ())]
        self._quotes = [one.key("quote token") for one in secrets]
        self._slips = {key: private for one in secrets for key, private in (_pair(one),)}

    def quote(self, claims: Mapping[str, Any]) -> str:
        """Return a token of a quote."""
        # (The library takes six times as long, of every quote; it is what reads the token again.)
        said = _JWT + b"." + urlsafe_b64encode(orjson.dumps(claims)).rstrip(b"=")
        mac = hmac.digest(self._quotes[0], said, "sha256")
        return (said + b"." + urlsafe_b64encode(mac).rstrip(b"=")).decode()

    def read_quote(self, token: str) -> dict[str, Any] | None:
        """Return what a quote's token says; None when it is none of ours."""
        import jwt  # noqa: PLC0415  see above

        for key in self._quotes if len(token) <= TOKEN_MOST else ():
            try:
                found: dict[str, Any] = jwt.decode(token, key, [_HS256], _OPTIONS)
            except jwt.PyJWTError:
                continue
            return found
        return None

    def slip(self, claims: Mapping[str, Any], kind: str = SLIP) -> str:
        """Return a slip, or with `kind` REVOKED the list of those that are so no longer."""
        import jwt  # noqa: PLC0415  see above

        key, private = next(iter(self._slips.items()))
        return jwt.encode(dict(claims), private, _EDDSA, {"kid": key, "typ": kind})

    def read_slip(self, token: str) -> dict[str, Any] | None:
        """Return what a slip says; None when it is none of ours."""
        import jwt  # noqa: PLC0415  see above

        if len(token) > TOKEN_MOST:
            return None
        try:
            head = jwt.get_unverified_header(token)
            private = self._slips.get(str(head.get("kid")))
            if private is None or head.get("typ") != SLIP:
                return None
            found: dict[str, Any] = jwt.decode(token, private.public_key(), [_EDDSA], _OPTIONS)
        except jwt.PyJWTError:
            return None
        return found

    def keys(self) -> dict[str, Any]:
        """Return the published halves, newest first (JWK Set, RFC 7517)."""
        return {
            "keys": [{**_jwk(private), "kid": key, "use": "sig", "alg": _EDDSA} for key, private in self._slips.items()]
        }


def _pair(secret: Secret) -> tuple[str, Ed25519PrivateKey]:
    """Return a signing key under its thumbprint (RFC 7638)."""
    private = Ed25519PrivateKey.from_private_bytes(secret.key("offline slip"))
    return hashlib.sha256(orjson.dumps(_jwk(private), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16], private


def _jwk(private: Ed25519PrivateKey) -> dict[str, str]:
    """Return the published half (RFC 8037)."""
    public = urlsafe_b64encode(private.public_key().public_bytes_raw()).rstrip(b"=").decode()
    return {"crv": "Ed25519", "kty": "OKP", "x": public}
