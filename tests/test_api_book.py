"""What the tests of the service share: a small book with two dealers, and a client of the app that serves it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from api.app import create_app
from tests.keys import SECRET, UNLIMITED, keys_url, new_key, vault_of
from tierengine.access.callers import ROLES
from tierengine.membership import people
from tierengine.policies import versions
from tierengine.recording.recorder import Clock, clock
from tierengine.settings import Settings
from tierengine.store import database
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, transact

POLICY = (Path(__file__).parent.parent / "policies.yaml").read_text(encoding="utf-8")


def moment(**ago: float) -> str:
    """Return a moment that lies so long ago, as a till writes it."""
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


@dataclass
class Book:
    """A migrated book with dealer D1 (stores S01, S02) and, with `others`, D2 (store S01); members C1 to C4 of each."""

    url: str
    dealer: int = 0
    other: int = 0
    keys: dict[str, str] = field(default_factory=dict)
    policy: str = ""

    def make(self, *, others: bool = False) -> Book:
        link, ids = database.connect(self.url), Ids()
        self.dealer = self._dealer(link, ids, "D1", ("S01", "S02"))
        if others:
            self.other = self._dealer(link, ids, "D2", ("S01",))
        link.close()
        return self

    def _dealer(self, link: Link, ids: Ids, code: str, stores: tuple[str, ...]) -> int:
        now = clock()

        def act(link: Link, ids: Ids) -> int:
            dealer = people.create_dealer(link, ids, code, "工程机械")
            for store in stores:
                number = people.create_store(link, ids, dealer, store, store)
                self.keys[f"{code}/{store}"] = new_key(link, ids, dealer, "pos", now, number)
            for role in ROLES:
                self.keys[f"{code}/{role}"] = new_key(link, ids, dealer, role, now)
            text = self.policy or POLICY
            versions.publish(link, ids, dealer, text, author="a", reason="first", effective_from=0, now=now)
            new = [people.NewMember(f"C{n}", f"客户{n}", (f"1380000000{n}",)) for n in range(1, 5)]
            vault = vault_of(self.url)
            people.create_members(link, ids, dealer, new, now, vault)
            vault.close()
            return dealer

        return transact(link, ids, act)


class Client:
    """Speaks ASGI to an app whose lifespan has begun, from any thread; the app's loop has a thread of its own."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._stack = contextlib.AsyncExitStack()

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._begin())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _begin(self) -> None:
        await self._stack.enter_async_context(self.app.router.lifespan_context(self.app))
        transport = ASGITransport(self.app, raise_app_exceptions=False)
        self._http = await self._stack.enter_async_context(AsyncClient(transport=transport, base_url="http://till"))

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def request(self, method: str, path: str, **more: Any) -> Response:
        return self._run(self._http.request(method, path, **more))

    def get(self, path: str, **more: Any) -> Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> Response:
        return self.request("POST", path, **more)


@dataclass
class Till:
    """A client with a key: every write gets an idempotency key of its own unless one is given."""

    client: Client
    book: Book
    key: str = "D1/S01"
    count: int = 0

    def at(self, key: str) -> Till:
        return Till(self.client, self.book, key, self.count + 1_000_000)

    def headers(self, headers: dict[str, str] | None = None) -> dict[str, str]:
        return {"authorization": f"Bearer {self.book.keys[self.key]}", **(headers or {})}

    def get(self, path: str, **headers: str) -> Response:
        return self.client.get(path, headers=self.headers({k.replace("_", "-"): v for k, v in headers.items()}))

    def post(self, path: str, body: Any, *, once: str | None = None, lang: str = "zh") -> Response:
        self.count += 1
        own = {"idempotency-key": once or f"{self.key}-{self.count}", "accept-language": lang}
        return self.client.post(path, json=body, headers=self.headers(own))

    def raw(self, path: str, content: bytes, **headers: str) -> Response:
        self.count += 1
        own = {"idempotency-key": f"{self.key}-{self.count}", "content-type": "application/json"}
        own |= {k.replace("_", "-"): v for k, v in headers.items()}
        return self.client.post(path, content=content, headers=self.headers(own))

    def event(self, kind: str, **fields: Any) -> Response:
        self.count += 1
        said = {"kind": kind, "occurred_at": moment(), **fields}
        if "order" not in said:
            said.setdefault("source_id", f"e{self.count}")
        return self.post("/v1/events", said)

    def gold(self, member: str = "C1") -> None:
        """Make a member gold: two attested traits and a machine, paid for 40 days ago."""
        desk = self.at(self.key.split("/")[0] + "/archivist")
        terms = {
            "stated_by": "U1", "stated_role": "sales_manager", "countersigned_by": "U2",
            "countersigned_role": "leader", "evidence": "全县第一家", "store": "S01",
        }  # fmt: skip
        for number, trait in enumerate(("early_entrant", "peer_influence")):
            answer = desk.event(
                "attestation", member=member, trait=trait, occurred_at=moment(days=60 - number),
                source_id=f"{trait}-{member}", **terms,
            )  # fmt: skip
            assert answer.status_code == 201, answer.text
        order = {"order": f"M-{member}", "member": member, "store": "S01"}
        bought = desk.event(
            "machine_purchase", occurred_at=moment(days=50), serial=f"SN-{member}", size="medium",
            amount=86_000_000, **order,
        )  # fmt: skip
        assert bought.status_code == 201, bought.text
        settled = desk.event("purchase_settled", occurred_at=moment(days=45), **order)
        assert {one["rule"]: one["amount"] for one in settled.json()["grants"]} == {
            "welcome_gift": 100_000,
            "points_machine": 500,
        }


def order(number: str = "P1", member: str = "C1", **more: Any) -> dict[str, Any]:
    """Return an order of parts, labour and fuel at 1 010, 400 and 500 yuan."""
    return {
        "member": member,
        "order": number,
        "occurred_at": moment(),
        "lines": [
            {"item": "F-100", "category": "parts", "list": 101_000},
            {"item": "L-1", "category": "labour", "qty": 2, "list": 40_000},
            {"item": "D-0", "category": "fuel", "list": 50_000},
        ],
        **more,
    }


PAYS = [95_950, 38_000, 50_000]  # what a gold member pays for it


@contextlib.contextmanager
def serving(url: str, *, others: bool = False, policy: str = "", now: Clock = clock, **settings: Any) -> Iterator[Till]:
    """Serve a fresh book, and return the till of store S01 of dealer D1."""
    book = Book(url, policy=policy).make(others=others)
    with opened(book, now=now, **settings) as till:
        yield till


@contextlib.contextmanager
def opened(book: Book, *, now: Clock = clock, **settings: Any) -> Iterator[Till]:
    """Serve a book that is there."""
    given = {"secret": SECRET, "keys_url": keys_url(book.url), **UNLIMITED, **settings}
    app = create_app(Settings(database_url=book.url, **given), now=now)
    with Client(app) as client:
        yield Till(client, book)


def code(answer: Response) -> tuple[int, str]:
    """Return status and code of a problem, after checking that it is one."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found = answer.json()
    assert found["status"] == answer.status_code
    assert found["type"] == f"urn:tierengine:problem:{found['code']}"
    assert found["detail"]
    assert found["request_id"]
    assert found["retryable"] is (answer.status_code in (429, 503) or found["code"] == "in_flight")
    assert ("retry-after" in answer.headers) is found["retryable"]
    return answer.status_code, found["code"]


def rows(book: Book) -> dict[str, int]:
    """Return how many rows each table has, but for the idempotency keys: what a refused request may not change."""
    link = database.connect(book.url, readonly=True)
    tables = ("event", "contribution", "decision", "entry", "posting", "lot", "lot_use", "parked", "tier_change")
    try:
        return {table: link.ask(f"SELECT count(*) FROM {table}").rows()[0][0] for table in tables}
    finally:
        link.rollback()
        link.close()
