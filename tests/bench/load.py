"""A lean HTTP/1.1 load generator in a process of its own: keep-alive sockets, one request at a time each.

Run as `python -m tests.bench.load`, with a JSON job on stdin: {"host", "port", "clients", "requests": [[method, path,
headers, body], …]}. Prints {"seconds", "latencies_ms": […], "statuses": {…}} when every request was answered once.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any


async def _client(host: str, port: int, queue: list[bytes], latencies: list[float], statuses: Counter[str]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    while queue:
        request = queue.pop()
        begun = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        if length:
            await reader.readexactly(length)
        latencies.append((time.perf_counter() - begun) * 1000)
        statuses[head[9:12].decode()] += 1
    writer.close()


def _encode(host: str, method: str, path: str, headers: dict[str, str], body: str) -> bytes:
    payload = body.encode()
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(payload)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


async def _run(job: dict[str, Any]) -> dict[str, Any]:
    host, port = job["host"], job["port"]
    queue = [_encode(host, *request) for request in reversed(job["requests"])]
    latencies: list[float] = []
    statuses: Counter[str] = Counter()
    begun = time.perf_counter()
    await asyncio.gather(*(_client(host, port, queue, latencies, statuses) for _ in range(job["clients"])))
    return {"seconds": time.perf_counter() - begun, "latencies_ms": latencies, "statuses": statuses}


if __name__ == "__main__":
    json.dump(asyncio.run(_run(json.load(sys.stdin))), sys.stdout)
