"""Where a webhook may go: to an address of the outside world, over https, and to the one that was looked at.

A target is what a member of staff typed, or somebody who took his login. It must not make this service ask its own
network. The name is resolved once, every address it has must be a public one, and the connection goes to the first of
them: a name that is somebody else's cannot point elsewhere between the look and the call.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from tierengine.errors import FormError, Malformed, Refused
from tierengine.typed import type_name

URL_MOST: Final = 500
# (64:ff9b:1::/48 is translated as a network of its own likes: whatever it wraps, it is the inside.)
_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")
# All that the public IPv6 network routes; `is_global` lets ::127.0.0.1 by, and what was site-local once (fec0::).
_UNICAST: Final = ipaddress.ip_network("2000::/3")
# A longer label is no name, and some resolvers raise what is no OSError. (In brackets: an IPv6 address.)
_NAME: Final = re.compile(r"(?!.{254})([^.]{1,63}\.)*[^.]{1,63}\.?")

Resolve = Callable[[str, int], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes: `url` names the address itself, `host` is what is asked of it and shown by its certificate."""

    url: str
    host: str
    name: str


def read_url(text: object, *, inside: bool = False) -> str:
    """Return the address of a webhook as it is stored, or raise Malformed. `inside`: http and any host will do."""
    if not isinstance(text, str):
        expected = {"expected": "text", "got": type_name(text)}
        raise Malformed([FormError("/url", "missing") if text is None else FormError("/url", "wrong_type", expected)])
    if len(text) > URL_MOST:
        raise Malformed([FormError("/url", "too_long", {"most": URL_MOST, "got": len(text)})])
    parts = _split(text)
    schemes = ("https", "http") if inside else ("https",)
    if parts is None or parts.scheme not in schemes or "@" in parts.netloc or parts.fragment:
        raise Malformed([FormError("/url", "bad_url", {"expected": "https://…"})])
    name = str(parts.hostname)
    if not inside and _known_inside(name):
        # What the name of any other host means is looked at when it is called, each time.
        raise Malformed([FormError("/url", "inside_address", {"host": name})])
    return text


def target(url: str, *, inside: bool = False, resolve: Resolve | None = None) -> Target:
    """Return where a call to `url` goes. Refused (`inside_address`) when any address of its host is not a public one.

    Raises OSError when the name is not known.
    """
    parts = urlsplit(url)
    name, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    found = list((resolve or _resolve)(name, port))
    if not found:
        raise OSError(f"{name} has no address")
    if not inside and not all(map(_public, found)):
        raise Refused("inside_address", host=name)
    first = found[0]
    at = f"[{first}]" if ":" in first else first
    # (No certificate is made out to a name with the dot of the root.)
    return Target(parts._replace(netloc=f"{at}:{port}").geturl(), parts.netloc, name.removesuffix("."))


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        plain = (
            parts.hostname and _NAME.fullmatch(parts.hostname) and text.isascii() and not set(text) & set(' "<>\\^`{|}')
        )
        return parts if plain and text.isprintable() and (parts.port or 443) > 0 else None
    except ValueError:
        return None


def _known_inside(name: str) -> bool:
    """Tell whether a host is inside by its spelling alone: an address, in whatever notation, or the machine itself."""
    name = name.lower().removesuffix(".")
    if name == "localhost" or name.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not _public(name if ":" in name else socket.inet_ntoa(socket.inet_aton(name)))
    except (OSError, ValueError):
        return False


def _resolve(name: str, port: int) -> list[str]:
    found: list[Any] = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))


def _public(text: str) -> bool:
    """Tell whether an address is reached over the public network, also where it wraps another."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None:
            return _public(str(inner))
        if address in _TRANSLATED:
            return _public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
        if address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast
