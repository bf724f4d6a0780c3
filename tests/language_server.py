"""The language server that editors run for YAML, spoken to as an editor speaks to it.

It is installed from tests/editor/package-lock.json into .cache, each package checked against its hash; the lock names
no host, so npm takes them from wherever it is told to.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from queue import Empty, Queue
from typing import Any

HERE = Path(__file__).parent / "editor"
CACHE = HERE.parent.parent / ".cache" / "editor"
SECONDS = 60


class NotInstalledError(Exception):
    """The language server cannot be had on this machine; the sentence says what is missing."""


def installed() -> Path:
    """Return the program of the language server, installing it when the lock has changed since."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NotInstalledError("node and npm are needed to run yaml-language-server, and are not here")
    stamp = sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    folder = CACHE / stamp[:16]
    program = folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    if not program.exists():
        # Made beside its place and moved there whole: another process may be doing the same.
        making = CACHE / f"{stamp[:16]}.{os.getpid()}"
        making.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, making / name)
        words = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(words, cwd=making, capture_output=True, text=True, timeout=240, check=False)
        if done.returncode != 0:
            shutil.rmtree(making)
            raise NotInstalledError(f"npm could not install yaml-language-server: {done.stderr.strip()[-500:]}")
        try:
            making.rename(folder)
        except OSError:
            shutil.rmtree(making)
    return program


class Editor:
    """An editor with one window: opens texts, and asks what the server knows of a place in them."""

    def __init__(self, process: subprocess.Popen[bytes], schema: Path) -> None:
        self._process = process
        self._schema = schema
        self._next = 0
        self._answers: dict[int, Queue[Any]] = {}
        self._problems: Queue[dict[str, Any]] = Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {
            "textDocument": {"hover": {"contentFormat": ["markdown"]}, "completion": {}, "publishDiagnostics": {}},
            "workspace": {"configuration": True},
        }})  # fmt: skip
        self._tell("initialized", {})

    def open(self, text: str) -> tuple[str, list[dict[str, Any]]]:
        """Open a text under the schema; return its address and what is wrong with it."""
        self._next += 1
        uri = f"file:///policy{self._next}.yaml"
        text = f"# yaml-language-server: $schema={self._schema.as_uri()}\n{text}"
        self._tell("textDocument/didOpen", {
            "textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        })  # fmt: skip
        while True:
            found = self._problems.get(timeout=SECONDS)
            if found["uri"] == uri:
                return uri, found["diagnostics"]

    def hover(self, uri: str, line: int, character: int) -> str:
        """Return what is shown for the word at a place; lines and characters count from 0, below the schema's line."""
        found = self._at("textDocument/hover", uri, line, character)
        return "" if found is None else found["contents"]["value"]

    def complete(self, uri: str, line: int, character: int) -> list[str]:
        """Return what may be written at a place."""
        found = self._at("textDocument/completion", uri, line, character)
        return [item["label"] for item in (found["items"] if isinstance(found, dict) else found or [])]

    def _at(self, method: str, uri: str, line: int, character: int) -> Any:
        place = {"line": line + 1, "character": character}
        return self.ask(method, {"textDocument": {"uri": uri}, "position": place})

    def ask(self, method: str, params: Any) -> Any:
        """Send a request and wait for its answer."""
        self._next += 1
        number = self._next
        waiting = self._answers[number] = Queue()
        self._send({"id": number, "method": method, "params": params})
        try:
            answer = waiting.get(timeout=SECONDS)
        except Empty:
            raise AssertionError(f"no answer to {method}") from None
        del self._answers[number]
        assert "error" not in answer, answer
        return answer["result"]

    def _tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while header := stream.readline():
            length = int(header.split(b":")[1]) if header.lower().startswith(b"content-length") else 0
            while header.strip():
                header = stream.readline()
            message = json.loads(stream.read(length))
            if message.get("method") == "textDocument/publishDiagnostics":
                self._problems.put(message["params"])
            elif "method" in message and "id" in message:
                self._send({"id": message["id"], "result": self._settings(message)})
            elif "id" in message and message["id"] in self._answers:
                self._answers[message["id"]].put(message)

    def _settings(self, message: dict[str, Any]) -> Any:
        if message["method"] != "workspace/configuration":
            return None
        # Nothing is fetched from anywhere: the schema is a file.
        yaml = {
            "validate": True, "hover": True, "completion": True,
            "schemaStore": {"enable": False}, "kubernetesCRDStore": {"enable": False},
        }  # fmt: skip
        return [yaml if item.get("section") == "yaml" else None for item in message["params"]["items"]]


@contextmanager
def editor(schema: Path) -> Iterator[Editor]:
    """Run the server for an editor whose texts all have this schema."""
    program = installed()
    process = subprocess.Popen(
        ["node", str(program), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        yield Editor(process, schema)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
