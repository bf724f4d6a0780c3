"""The linter of the OpenAPI document and the generators of clients, each installed from a lock into .cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".cache" / "clients"


class NotInstalledError(Exception):
    """A tool cannot be had on this machine; the sentence says what is missing."""


def node_tools() -> Path:
    """Return the folder of the programs that need Node, installing them when the lock has changed since."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NotInstalledError("node and npm are needed to lint the document and to make a TypeScript client")

    def make(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder / name)
        _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder)

    return _made("package-lock.json", make) / "node_modules"


def python_tools() -> Path:
    """Return the folder of the programs of a virtual environment of its own: one wants an older typer than we do."""

    def make(folder: Path) -> None:
        _run([sys.executable, "-m", "venv", "."], folder)
        words = [
            "bin/python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "-r",
            str(HERE / "requirements.txt"),
        ]
        _run(words, folder)

    return _made("requirements.txt", make) / "bin"


def _made(lock: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of a lock, made in its place: environments of Python do not like to be moved."""
    folder = CACHE / sha256((HERE / lock).read_bytes()).hexdigest()[:16]
    done = folder / "done"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        done.touch()
    return folder


def _run(words: list[str], folder: Path) -> None:
    ended = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=280, check=False, env=os.environ)
    if ended.returncode != 0:
        raise NotInstalledError(f"{words[0]} could not install: {ended.stderr.strip()[-500:]}")
