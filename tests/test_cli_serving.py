"""`serve`, and commands as processes of their own."""

# ruff: noqa: F811  that is how pytest is asked for a fixture of another module

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.command_line import ROOT, book, club, run, shell, somewhere  # noqa: F401  fixtures


def test_a_port_that_is_taken_is_refused(club, run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, out, _ = run("serve", "--port", taken.getsockname()[1], "--json")
    assert (code, json.loads(out)["error"]["code"]) == (3, "address_in_use")
    for host, help_ in (("198.51.100.7", "--host"), ("no.such.host.invalid", "--host")):
        code, _, err = run("serve", "--host", host, "--port", 0, "--lang", "zh")
        assert code == 3
        assert help_ in err
        assert not re.search("[A-Z]", err.replace(host, ""))


@pytest.mark.slow
def test_serving_says_its_address_when_it_answers(club, tmp_path):
    with (tmp_path / "out").open("w+", encoding="utf-8") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "tierengine", "serve", "--port", "0", "--json"],
            stdout=out, stderr=subprocess.DEVNULL,
            # (Who has a proxy in his environment still hears the address.)
            env=os.environ | {"PYTHONPATH": str(ROOT), "http_proxy": "http://127.0.0.1:9", "no_proxy": ""},
            # (Whoever runs the tests under nohup has it ignored, and so has whatever they start.)
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509
        )  # fmt: skip
        try:
            end = time.monotonic() + 60
            while not (said := (tmp_path / "out").read_text(encoding="utf-8").strip()).endswith("}"):
                assert server.poll() is None, "the service ended"
                assert time.monotonic() < end, "the service never answered"
                time.sleep(0.05)
            address = json.loads(said)["address"]
            with urllib.request.urlopen(f"{address}/livez", timeout=10) as answer:  # noqa: S310
                assert answer.status == 200
        finally:
            # Its terminal was closed, say: it ends in order, as by SIGTERM.
            server.send_signal(signal.SIGHUP)
            assert server.wait(timeout=30) == 0
    assert (tmp_path / "out").read_text(encoding="utf-8").strip() == said


def test_as_a_process_it_ends_with_the_same_codes(club):
    assert shell("verify", "--json").returncode == 0
    ended = shell("member", "show", "nobody", TIERENGINE_LANG="zh")
    assert ended.returncode == 1
    assert "没有会员 nobody" in ended.stderr
