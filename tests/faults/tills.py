"""Tills: a process with many sockets that sends numbered writes over HTTP until each has an answer that stays.

A connection that breaks, an answer of the 500s or "try again": the same bytes are sent again under the same key, as a
till does that lost its reply.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection

from tests.faults.book import CREDIT, Book, amount, pays_with_credit
from tests.faults.hearing import ACK, Ear
from tests.faults.worker import FORK

Ask = Callable[[Book, int], bytes]
FINAL = frozenset((200, 201, 202, 400, 401, 403, 404, 409, 413, 422))
PATIENCE = 15.0  # seconds that a till waits for an answer before it asks again


class Tills(Ear):
    """The handle of a process with `clients` sockets that sends these numbers, in any order.

    `ask` makes the bytes of a request from its number. `once`: every answer is final, and nothing is sent twice.
    """

    def __init__(
        self, book: Book, port: int, numbers: Iterable[int], clients: int = 32, ask: Ask | None = None,
        *, once: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(FORK, live, book, port, list(numbers), clients, ask or asked, once)


def asked(book: Book, number: int) -> bytes:
    """Return the request of write N."""
    if not pays_with_credit(number):
        return post(book, "/v1/events", book.raw(number), f"F{number}")
    # (`prices` says what the till charged, as one that asked for a quote does.)
    body = {
        "member": book.member(number),
        "order": f"F{number}",
        "occurred_at": book.instant(number),
        "lines": [{"item": "filter", "category": "parts", "qty": 1, "list": amount(number)}],
        "credit": {"credit": CREDIT},
        "prices": [amount(number)],
    }
    return post(book, "/v1/sales", body, f"F{number}")


def post(book: Book, path: str, body: object, key: str) -> bytes:
    """Return the bytes of a POST."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nAuthorization: Bearer {book.key}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload


# ---- in the process of the tills -------------------------------------------------------------------------------


def live(
    book: Book, port: int, numbers: list[int], clients: int, ask: Ask, once: bool, telling: Connection
) -> None:  # fmt: skip
    """Send everything, tell each answer, and end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    waiting = iter(numbers)
    asyncio.run(_all(book, port, waiting, clients, ask, telling, once=once))


async def _all(
    book: Book, port: int, waiting: Iterator[int], clients: int, ask: Ask, telling: Connection, *, once: bool
) -> None:
    def told(number: int, status: int) -> None:
        os.write(telling.fileno(), ACK.pack(number, status))

    await asyncio.gather(*(_client(book, port, waiting, ask, told, once=once) for _ in range(clients)))


async def _client(
    book: Book, port: int, waiting: Iterator[int], ask: Ask, told: Callable[[int, int], None], *, once: bool
) -> None:
    line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    if once:
        line = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.3)  # all are there before the first one asks
    for number in waiting:
        request = ask(book, number)
        pause = 0.02
        while True:
            status = 0
            try:
                line = line or await asyncio.open_connection("127.0.0.1", port)
                status, keep = await asyncio.wait_for(exchange(*line, request), PATIENCE)
            except (OSError, EOFError, TimeoutError):
                keep = False
            if line is not None and not keep:
                line[1].close()
                line = None
            if status in FINAL or (once and status):
                told(number, status)
                break
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(1.0, pause * 2)
    if line is not None:
        line[1].close()


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[int, bool]:
    """Send a request and read its answer; returns its status, and whether the connection may be used again."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((int(one[15:]) for one in lines if one.startswith(b"content-length:")), 0)
    if length:
        await reader.readexactly(length)
    return int(head[9:12]), b"connection: close" not in lines
