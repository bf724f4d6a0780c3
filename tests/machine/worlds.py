"""Three ways to the same book: the domain layer in this process, and the service over HTTP on either database.

All are asked by the same calls, as a till or a desk would send them. A reply is brought to what all three can say: its
status, its code, and its body without what names a row (the ids of holds) or a request.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeVar

from api.app import create_app
from tests.keys import SECRET, UNLIMITED, acting, keys_url, new_key, vault_of
from tests.machine.programme import Family
from tests.test_api_book import Client
from tierengine.awarding import issuing
from tierengine.errors import TierengineError, Unavailable
from tierengine.ledger.sealing import seal
from tierengine.ledger.verify import Broken, verify
from tierengine.membership import people
from tierengine.personal.erasure import erase
from tierengine.policies import versions
from tierengine.recording.group import Group
from tierengine.settings import Settings
from tierengine.store import database, rows
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, transact
from tierengine.store.snapshots import reader, snapshot

Made = TypeVar("Made")
STORE: Final = "S1"
# role → (source of its events, its store, how many days back it may date)
CALLERS: Final[Mapping[str, tuple[str, str, int | None]]] = MappingProxyType(
    {"pos": ("till-S1", STORE, 7), "archivist": ("archive", "", None), "admin": ("erp", "", 400)}
)
_OWNER: Final = "SELECT m.code FROM hold h JOIN member m ON m.id = h.member_id WHERE h.id = ?1"
# What only the service says around a sale, and what names rows and requests.
_AROUND: Final = frozenset(("order", "lines", "total", "late", "price_differs"))
_NAMES: Final = frozenset(("id", "request_id", "type", "title", "detail", "retryable"))


@dataclass(frozen=True)
class Call:
    """One request. `once` is its idempotency key."""

    path: str
    body: Mapping[str, Any]
    role: str
    once: str


@dataclass(frozen=True)
class Reply:
    """What came back, and beside it what is not compared: the bytes, the lines of a sale, the id of a hold."""

    status: int
    code: str
    body: Mapping[str, Any]
    raw: bytes = field(compare=False, default=b"")
    lines: tuple[Mapping[str, Any], ...] = field(compare=False, default=())
    hold: int = field(compare=False, default=0)
    replayed: bool = False


class Crash(BaseException):
    """The process ends here."""


@dataclass
class Plan:
    """Where the next COMMIT of a group ends the process: "before" it, "after" it, or "" nowhere."""

    at: str = ""


PLAN: Final = Plan()


@contextlib.contextmanager
def mortal() -> Iterator[None]:
    """Let every group look at the plan."""
    real = Group.commit

    def commit(group: Group) -> None:
        at, PLAN.at = PLAN.at, ""
        if at == "before":
            raise Crash
        real(group)
        if at:
            raise Crash

    Group.commit = commit  # type: ignore[method-assign]
    try:
        yield
    finally:
        Group.commit = real  # type: ignore[method-assign]


def bare(value: Any) -> Any:
    """The value without what names a row or a request."""
    if isinstance(value, dict):
        return {
            name: bare(one)
            for name, one in sorted(value.items())
            if name not in _NAMES and not (name == "hold" and isinstance(one, int))  # a refusal names a hold by its id
        }
    return [bare(one) for one in value] if isinstance(value, list) else value


class World(ABC):
    """A fresh book, and how to act on it. `now` tells the time in microseconds UTC."""

    def __init__(self, name: str, url: str, family: Family, now: Callable[[], int]) -> None:
        self.name, self.url, self.now = name, url, now
        self.keys: dict[str, str] = {}
        self.programmes = versions.Programmes()
        self.vault = vault_of(url)
        link, ids = database.connect(url), Ids()
        self.dealer = transact(link, ids, partial(self._make, family))
        link.close()
        self.eye = reader(url)  # looks, and never writes

    def _make(self, family: Family, link: Link, ids: Ids) -> int:
        now = self.now()
        dealer = people.create_dealer(link, ids, "D1", "Dealer")
        store = people.create_store(link, ids, dealer, STORE, STORE)
        self.keys["pos"] = new_key(link, ids, dealer, "pos", now, store)
        for role in ("archivist", "admin"):
            self.keys[role] = new_key(link, ids, dealer, role, now)
        versions.publish(link, ids, dealer, family.texts[0], author="a", reason="r", effective_from=0, now=now)
        new = [people.NewMember(code, f"客户{code}", (f"1380000000{at}",)) for at, code in enumerate("ABC")]
        people.create_members(link, ids, dealer, new, now, self.vault)
        return dealer

    # ---- to be done by each

    @abstractmethod
    def send(self, call: Call) -> Reply: ...

    @abstractmethod
    def see(self, path: str) -> dict[str, Any]:
        """What a read of the service tells."""

    @abstractmethod
    def perform(self, act: Callable[[Link, Ids], Made]) -> Made:
        """Run an act of the staff in a transaction of its own, as the command line does."""

    @abstractmethod
    def restart(self) -> None: ...

    def close(self) -> None:
        self.eye.rollback()
        self.eye.close()
        self.vault.close()

    # ---- what is the same in all

    def programme(self, link: Link) -> versions.Programme:
        return self.programmes.of(link, self.dealer, versions.heads(link, [self.dealer])[self.dealer])

    def publish(self, text: str, effective_from: int) -> None:
        self.perform(
            lambda link, ids: versions.publish(
                link, ids, self.dealer, text, author="a", reason="r", effective_from=effective_from, now=self.now()
            )
        )

    def erase(self, code: str) -> str:
        """Erase a member, who gives up what he has; returns "" or why not. Nothing finds him then by name or phone."""

        def act(link: Link, ids: Ids) -> None:
            by = acting(link, ids, self.dealer, self.now())
            erase(by, self.vault, code, second="li", forfeit=True)

        try:
            self.perform(act)
        except TierengineError as problem:
            return problem.code
        with self.looking() as link:
            for by, value in (("name", f"客户{code}"), ("phone", f"1380000000{'ABC'.index(code)}")):
                assert people.find_members(link, self.dealer, by, value, self.vault) == []
        return ""

    def award(self, month: int, upto: int | None) -> list[str]:
        """Issue the month's award; with `upto` the process ends before the prize after that many. Who got one now."""
        with self.looking() as link:
            programme = self.programme(link)
        booked: list[str] = []
        done = -2  # the list is frozen, and read

        def perform(act: Callable[[Link, Ids], Made]) -> Made:
            nonlocal done
            if upto is not None and done >= upto:
                raise Crash
            done += 1
            return self.perform(act)

        with contextlib.suppress(Crash):
            issued = issuing.issue(perform, programme, None, month, self.now(), self.now())
            booked = [one.code for one in issued.winners if one.issued_now]
        return booked

    def seal(self) -> None:
        self.perform(lambda link, _: seal(link, self.now(), wait=True))

    @contextlib.contextmanager
    def looking(self) -> Iterator[Link]:
        """The book in one snapshot."""
        self.eye.rollback()
        with snapshot(self.eye):
            yield self.eye

    def broken(self) -> tuple[Broken, ...]:
        with self.looking() as link:
            return verify(link)

    def dump(self) -> dict[str, str]:
        """A digest of every table's rows."""
        with self.looking() as link:
            return {table: digest(link, table) for table in tables()}


def tables() -> list[str]:
    """Every table but the counter of ids, of which numbers are lost that nobody uses, and when keys were last seen."""
    return sorted(set(rows.tables()) - {"id_block", "api_key"})


def digest(link: Link, table: str) -> str:
    rows = sorted(repr(tuple(row)) for row in link.ask(f'SELECT * FROM "{table}"').rows())
    return f"{len(rows)} {hashlib.sha256(repr(rows).encode()).hexdigest()}"


# ---- over HTTP ---------------------------------------------------------------------------------------------------


class Service(World):
    """The app, with its writer's and readers' threads, asked as a till asks it."""

    def __init__(self, name: str, url: str, family: Family, now: Callable[[], int]) -> None:
        super().__init__(name, url, family, now)
        self._begin()

    def _begin(self) -> None:
        settings = Settings(
            database_url=self.url, deadline_ms=60_000, lock_timeout_ms=30_000, busy_timeout_ms=30_000, secret=SECRET,
            keys_url=keys_url(self.url), **UNLIMITED,
        )  # fmt: skip
        self.client = Client(create_app(settings, now=self.now))
        self.client.__enter__()

    def _end(self) -> None:
        self.client.__exit__()

    @property
    def _service(self) -> Any:
        return self.client.app.state.tierengine

    def send(self, call: Call) -> Reply:
        headers = {"authorization": f"Bearer {self.keys[call.role]}", "idempotency-key": call.once}
        answer = self.client.post(call.path, json=dict(call.body), headers=headers)
        self._settled()
        body = answer.json()
        replayed = answer.headers.get("idempotent-replayed") == "true"
        lines, hold = tuple(body.get("lines", ())), body.get("hold", {}).get("id", 0)
        if answer.status_code >= 400:
            details = {"details": body.get("details", {})}
            return Reply(answer.status_code, body["code"], bare(details), answer.content, lines, hold, replayed)
        around = _AROUND if call.path == "/v1/sales" else frozenset[str]()
        plain = {name: value for name, value in body.items() if name not in around}
        return Reply(answer.status_code, "", bare(plain), answer.content, lines, hold, replayed)

    def _settled(self) -> None:
        """Wait until what was recorded has reached the other members."""
        for _ in range(200):
            try:
                self._service.writer.perform(lambda *_: None).result(60)
            except Unavailable:  # it is still rising again
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the writer does not rise")

    def see(self, path: str) -> dict[str, Any]:
        answer = self.client.get(path, headers={"authorization": f"Bearer {self.keys['admin']}"})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = bare(answer.json())
        return found

    def perform(self, act: Callable[[Link, Ids], Made]) -> Made:
        if self.eye.kind == "sqlite":
            made: Made = self._service.writer.perform(act).result(60)
            return made
        link = database.connect(self.url)
        try:
            return transact(link, Ids(), act)
        finally:
            link.close()

    def publish(self, text: str, effective_from: int) -> None:
        super().publish(text, effective_from)
        # A version rules a minute later at the earliest, by when no reader remembers the one before; here time leaps.
        self._service.readers._programmes.clear()

    def restart(self) -> None:
        self._end()
        self._begin()

    def close(self) -> None:
        self._end()
        super().close()
