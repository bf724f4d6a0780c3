"""Clients that send one byte a second, in a process of their own: `python -m tests.trickle PORT COUNT KEY`.

One half never ends the head of its request, the other half never ends its body. Who is cut off comes again. Says `on`
when all are there; ends when its standard input does. Then it says how often it was cut off.
"""

from __future__ import annotations

import select
import socket
import sys
import time
from itertools import cycle

HEAD = "POST /v1/sales HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nAuthorization: Bearer {key}\r\n"


def script(number: int, key: str) -> tuple[bytes, bytes]:
    """What one sends at once, and of which it then sends a byte a second for ever."""
    head = HEAD.format(key=key).encode()
    if number % 2:
        return head + b"Idempotency-Key: slow\r\nContent-Length: 100000\r\n\r\n{", b" "
    return b"", head + b"X-Slow: " + b"a" * 50_000


class Slow:
    """One such client."""

    def __init__(self, number: int, port: int, key: str) -> None:
        self.at_once, self.rest = script(number, key)
        self.address = ("127.0.0.1", port)
        self.cut = -1
        self.line = socket.socket()
        self.begin()

    def begin(self) -> None:
        self.line.close()
        self.cut += 1
        self.line = socket.create_connection(self.address)
        if self.at_once:
            self.line.sendall(self.at_once)
        self.bytes = cycle(self.rest)

    def step(self) -> None:
        try:
            if select.select([self.line], [], [], 0)[0]:
                self.begin()
            self.line.send(bytes([next(self.bytes)]))
        except OSError:
            self.begin()


def main(port: int, count: int, key: str) -> None:
    clients = [Slow(number, port, key) for number in range(count)]
    print("on", flush=True)
    turn = 1.0 / count
    due = time.monotonic()
    for client in cycle(clients):
        client.step()
        due += turn
        if select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
            break
    print(sum(client.cut for client in clients), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
