"""What a till asks beside 500 clients that send a byte a second, against the same without them."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.stage import Stage
from tests.faults.server import children
from tests.faults.service import Service

CLIENTS = 500


@dataclass
class Found:
    """Latencies of single requests in milliseconds, without and beside the slow ones; what those cost the service.

    share   processor seconds of the service a second while nothing but the slow ones is there
    cut     how often one of the slow was cut off
    """

    alone: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    share: float = 0.0
    cut: int = 0

    def ratio(self, share: float) -> float:
        """Return by how much a percentile is longer beside the slow ones."""
        return percentile(self.beside, share) / percentile(self.alone, share)


def percentile(numbers: list[float], share: float) -> float:
    return sorted(numbers)[min(len(numbers) - 1, int(len(numbers) * share))]


def measure(service: Service, stage: Stage, what: str, numbers: Iterator[int], *, asks: int, turns: int) -> Found:
    """Ask in turns, alone and beside the slow ones. `what`: "quotes" or "sales"; `numbers` are those of the orders."""
    found = Found()
    _ask(service, stage, what, numbers, max(100, asks // 4))
    for _ in range(turns):
        found.alone += _ask(service, stage, what, numbers, asks)
        with trickling(service.port, CLIENTS, stage.key) as slow:
            begun, before = time.monotonic(), seconds(service)
            time.sleep(1.0)
            found.share = max(found.share, (seconds(service) - before) / (time.monotonic() - begun))
            found.beside += _ask(service, stage, what, numbers, asks)
        found.cut += slow[0]
    return found


@contextmanager
def trickling(port: int, clients: int, key: str) -> Iterator[list[int]]:
    """Slow clients while the block runs; afterwards the list says how often they were cut off."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.trickle", str(port), str(clients), key], cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    cut: list[int] = []
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "on\n"
        yield cut
        said, _ = process.communicate("\n", timeout=30)
        cut.append(int(said))
    finally:
        process.kill()
        process.wait()


def seconds(service: Service) -> float:
    """Return the processor seconds that the service has used, with its workers."""
    assert service._process is not None
    used = 0.0
    for one in (service._process.pid, *children(service._process.pid)):
        fields = Path(f"/proc/{one}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        used += (int(fields[11]) + int(fields[12])) / 100
    return used


def _ask(service: Service, stage: Stage, what: str, numbers: Iterator[int], count: int) -> list[float]:
    """Quote or sell on one kept connection, each request in one piece; returns how long each took, in milliseconds."""
    took = []
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            sent = _request(stage, what, next(numbers))
            begun = time.perf_counter()
            line.sendall(sent)
            got = line.recv(65_536)
            while b"\r\n\r\n" not in got or len(got) < _length(got):
                more = line.recv(65_536)
                if not more:
                    raise RuntimeError(f"cut off after {got[:200]!r}")
                got += more
            took.append((time.perf_counter() - begun) * 1_000)
            assert got.startswith(b"HTTP/1.1 20"), got
    return took


def _request(stage: Stage, what: str, number: int) -> bytes:
    asked = {"member": stage.member(number), "lines": [{"item": "F-1", "category": "parts", "list": 10_000}]}
    if what == "sales":
        asked |= {"order": f"T{number}", "occurred_at": datetime.now(UTC).isoformat()}
    body = json.dumps(asked)
    head = (
        f"POST /v1/{what} HTTP/1.1", "Host: t", f"Authorization: Bearer {stage.key}", "Content-Type: application/json",
        f"Idempotency-Key: t{number}", f"Content-Length: {len(body)}",
    )  # fmt: skip
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def _length(got: bytes) -> int:
    head, _, _ = got.partition(b"\r\n\r\n")
    found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    assert found is not None
    return len(head) + 4 + int(found[1])
