"""`serve`: the HTTP service, with its address said when it answers."""

from __future__ import annotations

import errno
import os
import signal
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from typing import Annotated

import typer
import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from tierengine import logs
from tierengine.access.secret import Secret, own_file
from tierengine.commands.connections import Config, Patience
from tierengine.commands.failure import Stop
from tierengine.commands.screen import Screen, both
from tierengine.settings import Settings
from tierengine.store.database import WriterLock, check_ready, sqlite_path

app = typer.Typer()
# As text: this package knows no web framework, and the service is loaded by who runs it.
SERVICE = "api.app:serving"
SHARED = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it when a worker imports it
# Counts are written through maps of files: on a disk that is full the system would kill who counts. Memory first.
MEMORY = "/dev/shm"  # noqa: S108  a folder of our own is made in it
PATIENCE = 60.0
HANGS_SECONDS = 15  # a worker that has not answered for so long is replaced; so long a new one may take to start
# Our own address, on this machine: no proxy of the environment is asked for it.
_CHINESE = {
    errno.EADDRINUSE: "这个端口已有程序在用，换一个 --port。",
    errno.EADDRNOTAVAIL: "本机没有这个地址，换一个 --host。",
    errno.EACCES: "没有权限；小于 1024 的端口要管理员，换一个 --port。",
    **dict.fromkeys((socket.EAI_NONAME, socket.EAI_AGAIN, socket.EAI_NODATA), "没有这个主机名，核对 --host。"),
}
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@app.command(help=both("启动接口服务。", "Start the HTTP service."))
def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help=both("监听地址。", "Address to listen on."))] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help=both("端口；0 任选。", "Port; 0: any."))] = None,
) -> int:
    """Serve until stopped."""
    screen: Screen = context.obj
    wanted = Settings.read()
    check_ready(wanted.database_url)
    Secret.of(wanted)  # where there is none it is said here, in a sentence
    if wanted.kind == "postgresql" and not (wanted.secret or wanted.secret_file):
        kept = own_file(wanted).absolute()
        screen.warn(
            f"服务器密钥在 {kept}（没有设 TIERENGINE_SECRET）。丢了它，所有钥匙作废；几台机器要用同一个。",
            f"The server's secret is in {kept} (TIERENGINE_SECRET is not set). Without it no key is known any more; "
            "several machines must have the same.",
        )
    if wanted.kind == "sqlite":
        # Asked here, where it can still be refused in a sentence; the service takes it for good.
        WriterLock(sqlite_path(wanted.database_url)).release()
    listening = _listen(host or wanted.host, wanted.port if port is None else port)
    config = Config(
        SERVICE,
        Patience(wanted.head_seconds, wanted.body_seconds, wanted.connections),
        factory=True,
        workers=wanted.workers,
        log_config=logs.config(wanted.log_format, wanted.log_level),
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=wanted.stop_seconds,
        timeout_worker_healthcheck=HANGS_SECONDS,
    )
    address = _address(listening)
    threading.Thread(target=_announce, args=(screen, address), daemon=True).start()
    if wanted.workers > 1:
        from tierengine.commands.workers import Workers  # noqa: PLC0415  not on every system that serves with one

        memory = MEMORY if os.access(MEMORY, os.W_OK | os.X_OK) else None
        with tempfile.TemporaryDirectory(prefix="tierengine-metrics-", dir=memory) as room:
            # Each worker counts in files here, so that the page of one is of all.
            os.environ[SHARED] = room
            workers = Workers(config, [listening])
            workers.run()
        return 3 if workers.failed else 0
    server = uvicorn.Server(config)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        # Its terminal is gone, say: it ends as if asked to. (Under nohup it stays.)
        signal.signal(signal.SIGHUP, lambda *_: server.handle_exit(signal.SIGTERM, None))
    # uvicorn raises the signal that ended it once more, when all is done: to have been asked is no failure.
    for asked in HANDLED_SIGNALS:
        signal.signal(asked, lambda *_: None)
    server.run(sockets=[listening])
    return 0 if server.started else 3


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # (The protocol by its name: on connections of a socket that does not say TCP, asyncio leaves Nagle's algorithm on,
    # and every answer's body waits until the till has acknowledged its head: 40 ms.)
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as problem:
        made.close()
        raise Stop(
            "address_in_use",
            f"{host}:{port} 不能监听：{_CHINESE.get(problem.errno or 0, problem.strerror)}",
            f"Cannot listen on {host}:{port}: {problem.strerror}; try another --port or --host.",
        ) from problem
    made.set_inheritable(True)
    return made


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def _announce(screen: Screen, address: str) -> None:
    """Say the address once the service answers at it."""
    url = address.replace("//0.0.0.0", "//127.0.0.1").replace("//[::]", "//[::1]") + "/livez"
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with _direct.open(url, timeout=2):
                break
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)
    else:
        return
    if _read_only(address_of=url):
        screen.warn(
            "账目与封存链不符：只读，不记账。请运行 tierengine verify，看第一处在哪里。",
            "The book differs from its chain of seals: read-only, nothing is recorded. Run `tierengine verify`.",
            style="bold red",
        )
    screen.end(
        {"address": address, "docs": f"{address}/docs"},
        lambda: screen.print(
            f"服务已就绪：{address}（接口说明 {address}/docs）", f"Serving at {address} (API pages at {address}/docs)"
        ),
    )


def _read_only(address_of: str) -> bool:
    """Whether the service says that a broken chain of seals keeps it from recording."""
    try:
        _direct.open(address_of.replace("/livez", "/readyz"), timeout=10).close()
    except urllib.error.HTTPError as problem:
        return b'"chain":false' in problem.read()
    except OSError:
        return False
    return False
