"""A service that is asked from outside: one call a connection, nothing but the standard library."""

from __future__ import annotations

import http.client
import json
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from rules.policy import Text

SECONDS: Final = 30.0


class Outcome(Exception):
    """A situation came out otherwise than wanted; `text` says what was seen, in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        self.text = Text(zh, en)
        super().__init__(en)


class Failed(Outcome):
    """The service did otherwise than it promises."""


class Skipped(Outcome):
    """The situation cannot be made here; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> dict[str, Any]:
        """Return the JSON object; Failed when it is none."""
        try:
            found = json.loads(self.content)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            seen = f"{self.status}, {self.content[:200]!r}"
            raise Failed(f"回答不是 JSON 对象：{seen}", f"no JSON object: {seen}")
        return found

    @property
    def replayed(self) -> bool:
        """Whether it says of itself that it is a stored answer."""
        return self.headers.get("idempotent-replayed") == "true"

    def expect(self, *statuses: int, code: str = "") -> Reply:
        """Return itself; Failed for another status, or another code of a problem."""
        if self.status not in statuses or (code and self.body.get("code") != code):
            wanted = " or ".join(map(str, statuses)) + (f" {code}" if code else "")
            seen = f"{self.status}: {self.content[:300].decode('utf-8', 'replace')}"
            raise Failed(f"应为 {wanted.replace(' or ', ' 或 ')}，收到 {seen}", f"expected {wanted}, got {seen}")
        return self


@dataclass(slots=True)
class Sandbox:
    """A service at `url`, the key of a till, and a member to sell to. Every number used is new in each run."""

    url: str
    key: str
    member: str
    store: str = ""
    desk: str = ""  # the key of a desk, which may give credit
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    count: int = 0

    def number(self, what: str) -> str:
        """Return a number that nobody has used."""
        self.count += 1
        return f"{what}-{self.run}-{self.count}"

    def moment(self, **ahead: float) -> str:
        """Return an instant so far ahead of now."""
        return (datetime.now(UTC) + timedelta(**ahead)).isoformat()

    def order(self, number: str = "", **more: Any) -> dict[str, Any]:
        """Return an order of two lines of 1,010 and 400 yuan, now."""
        said: dict[str, Any] = {
            "member": self.member,
            "order": number or self.number("O"),
            "occurred_at": self.moment(),
            "lines": [
                {"item": "F-100", "category": "parts", "qty": 2, "list": 101_000},
                {"item": "L-1", "category": "labour", "list": 40_000},
            ],
            **({"store": self.store} if self.store else {}),
            **more,
        }
        return {name: value for name, value in said.items() if value is not None}

    # ---- calls

    def get(self, path: str, **headers: str) -> Reply:
        """Read."""
        return self.send("GET", path, None, headers)

    def post(self, path: str, body: Any, once: str = "", **headers: str) -> Reply:
        """Write, under a key of its own unless one is given."""
        own = {"Idempotency-Key": once or self.number("k"), **headers}
        return self.send("POST", path, body, own)

    def send(self, method: str, path: str, body: Any, headers: Mapping[str, str], *, key: str | None = None) -> Reply:
        """Send a request (`body`: bytes as they are, else JSON) and return the reply."""
        link = self._begun(method, path, body, headers, key)
        try:
            answer = link.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read())
        except OSError as problem:
            raise Failed(f"{method} {path} 没有回答：{problem}", f"no reply to {method} {path}: {problem}") from problem
        finally:
            link.close()

    def lose(self, path: str, body: Any, once: str) -> None:
        """Write, and hang up without having read the reply."""
        link = self._begun("POST", path, body, {"Idempotency-Key": once}, None)
        if isinstance(link.sock, socket.socket):
            link.sock.recv(1)  # it has answered: what was asked is done
        link.close()

    def _begun(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], key: str | None
    ) -> http.client.HTTPConnection:
        place = urlsplit(self.url)
        sort = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        link = sort(place.hostname or "", place.port, timeout=SECONDS)
        given = self.key if key is None else key
        sent = {**({"Authorization": f"Bearer {given}"} if given else {}), **headers}
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        try:
            link.request(method, place.path.rstrip("/") + path, content, sent)
        except OSError as problem:
            raise Failed(f"连不上 {self.url}：{problem}", f"{self.url} cannot be reached: {problem}") from problem
        return link
