"""`python -m tests.bench.shared APP PORT WORKERS`: a floor on workers that share connections as those of `serve` do."""

from __future__ import annotations

import socket
import sys

import uvicorn

from tierengine.commands.workers import Workers

if __name__ == "__main__":
    app, port, workers = sys.argv[1:]
    config = uvicorn.Config(app, factory=True, workers=int(workers), log_level="warning", access_log=False)
    listening = socket.socket()
    listening.bind(("127.0.0.1", int(port)))
    Workers(config, [listening]).run()
