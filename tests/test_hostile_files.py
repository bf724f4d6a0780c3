"""Whatever stands at the path: an answer with places, in bounded time and memory, and never a traceback.

All files are checked in one process of its own, whose memory is limited, as `tierengine policy check` would check them.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings

from rules.checking import check
from rules.source import MAX_BYTES
from tests.long_policies import long_policy
from tests.small_policy import CHINESE, ENGLISH
from tests.test_reader_hostile import mutated, sound
from tests.test_source import HOSTILE

ROOT = Path(__file__).parent.parent
CLUB = "programme: club\ntiers:\n  - {id: low, title: 低}\n"
MEGABYTES = 400
SECONDS = 10


def quick(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


FILES: dict[str, bytes] = {
    **{name: quick(text) for name, (text, _) in HOSTILE.items()},
    "a number of 5,000 digits": quick(CLUB + f"manager_limit: {'9' * 5_000}\n"),
    "money of 5,000 digits": quick(CLUB + f"wallets:\n  w: {{title: x, unit: money, minimum: {'9' * 5_000} CNY}}\n"),
    "20,000 rules": quick(CLUB + "rewards:\n" + "".join(f"  r{n}: {{}}\n" for n in range(19_000))),
    "20,000 misspelt keys": quick(CLUB + "".join(f"等急{n}: 1\n" for n in range(19_000))),
    "20,000 equal keys": quick(CLUB + "title: x\n" * 19_000),
    "1,000 prices alike": quick(
        CLUB + "prices:\n" + "".join(f"  p{n}: {{title: x, where: {{}}, pay: 95%}}\n" for n in range(1_000))
    ),
    "1,000 rewards of one group": quick(
        CLUB
        + "titel: x\nwallets:\n  w: {title: x, unit: money}\nrewards:\n"
        + "".join(
            f"  r{n}: {{title: x, on: machine_purchase, into: w, amount: {1_000 - n} CNY,"
            f" where: {{all: [{{size: s{n}}}, {{brand: b{n}}}]}}, exclusive: {{group: g, key: serial}}}}\n"
            for n in range(1_000)
        )
    ),
    "NUL": CLUB.encode() + b"title: a\0b\n",
    "byte order mark": b"\xef\xbb\xbf" + CLUB.encode() + b"titel: x\n",
    "Windows line ends": CLUB.replace("\n", "\r\n").encode() + b"titel: x\r\n",
    "old Mac line ends": CLUB.replace("\n", "\r").encode() + b"titel: x\r",
    "tabs": CLUB.replace("  ", "\t").encode(),
    "full-width punctuation": quick(CLUB.replace(":", "：").replace(",", "，")),
    "full-width everything": quick("".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in CLUB)),
    "merge keys": quick(CLUB + "a: &a {title: x}\nb:\n  <<: *a\n  <<: [*a, *a]\n"),
    "UTF-16": CLUB.encode("utf-16"),
    "UTF-16 without a mark": CLUB.encode("utf-16-le"),
    "UTF-32": CLUB.encode("utf-32"),
    "GBK": CLUB.encode("gbk"),
    "empty": b"",
    "blanks": b"  \n\n",
    "binary": bytes(range(256)) * 100,
    "an ELF file": b"\x7fELF\x02\x01\x01" + bytes(2_000),
    "gzip": b"\x1f\x8b\x08" + bytes(range(256)) * 10,
    "one line of a megabyte": b"title: {" + b"a: b, " * 150_000 + b"\n",
    "unclosed everything": quick("".join(f'k{n}: {{a: [b, "c\n' for n in range(2_000))),
    "every line indented differently": quick("".join(" " * (n * 7 % 23) + f"k{n}: x\n" for n in range(3_000))),
    "only quotes and colons": b'": \'": ' * 3_000,
    "6,000 lines in which everything is misspelt": quick(re.sub(r"(\w)(\w)(\w*):", r"\2\1\3:", long_policy())),
    "50 MB": b"",  # made where it is checked
}
OTHERS = ("a folder", "a pipe", "a device", "a link in a circle", "a file nobody may read")

CHECKER = """
import io, json, resource, sys, time
from contextlib import redirect_stderr, redirect_stdout
from tierengine.__main__ import main
# What a check loads by and by.
import rules.explanations.explanation, rules.suggestions, rules.checking, rapidfuzz, pypinyin
limit = int(open("/proc/self/statm").read().split()[0]) * 4096 + int(sys.argv[1]) * (1 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for path in json.load(sys.stdin):
    out, err, began = io.StringIO(), io.StringIO(), time.process_time()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["policy", "check", path, "--format", "short", "--lang", "zh"])
    print(json.dumps([code, time.process_time() - began, out.getvalue(), err.getvalue()]), flush=True)
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> dict[str, tuple[str, list]]:
    """Check every file once; give its path, and exit code, seconds, output and errors."""
    folder = tmp_path_factory.mktemp("hostile")
    paths = {}
    for number, (name, content) in enumerate(FILES.items()):
        paths[name] = folder / f"{number}.yaml"
        paths[name].write_bytes(content)
    with paths["50 MB"].open("wb") as file:
        file.truncate(50 << 20)
    paths |= {name: folder / f"other{number}" for number, name in enumerate(OTHERS)}
    paths["a folder"].mkdir()
    os.mkfifo(paths["a pipe"])
    paths["a device"] = Path("/dev/zero")
    paths["a link in a circle"].symlink_to(paths["a link in a circle"])
    paths["a file nobody may read"].write_bytes(CLUB.encode())
    paths["a file nobody may read"].chmod(0)
    done = subprocess.run(
        [sys.executable, "-c", CHECKER, str(MEGABYTES)], input=json.dumps([str(path) for path in paths.values()]),
        capture_output=True, text=True, timeout=110, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(paths), (list(paths)[len(lines)], done.stderr[-2_000:])
    return {name: (str(path), line) for (name, path), line in zip(paths.items(), lines, strict=True)}


@pytest.mark.parametrize("name", [*FILES, *OTHERS[:3]])
def test_a_hostile_file_is_answered_with_places_in_bounded_time_and_memory(answers, name):
    path, (code, seconds, out, err) = answers[name]
    assert code == 1, (out[:500], err)
    assert err == ""
    assert seconds < SECONDS
    lines = out.splitlines()
    assert lines
    place = re.compile(re.escape(path) + r":[1-9]\d*:[1-9]\d*: P\d{3} \S")
    for line in lines:
        assert place.match(line), line
        # What is shown on a terminal cannot do anything to it.
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f]", line)
        assert len(line) < 2_000


@pytest.mark.parametrize("name", OTHERS[3:])
def test_what_the_system_does_not_open_is_said_in_a_sentence(answers, name):
    path, (code, _, out, err) = answers[name]
    assert "Traceback" not in out + err
    if name == "a file nobody may read" and os.geteuid() == 0:  # for whom there is no such file
        assert code == 0
    else:
        assert code in (2, 3)
        assert path in err


@settings(max_examples=60, deadline=None)
@given(mutated((ENGLISH, CHINESE, ENGLISH.replace("  ", "\t", 3))))
def test_no_mutation_of_a_good_policy_makes_a_check_raise(text):
    sound(check(text, "x"))


def test_six_thousand_lines_are_checked_in_a_few_times_what_yaml_takes_to_read_them():
    """About half a second on a machine with nothing else to do; on a busy one only the ratio says anything."""
    text = long_policy(6_000)
    assert text.count("\n") >= 6_000

    def least(act):
        taken = []
        for _ in range(2):
            began = time.process_time()
            act()
            taken.append(time.process_time() - began)
        return min(taken)

    assert check(text, "x").policy is not None
    bare = least(lambda: yaml.compose(text, Loader=yaml.CSafeLoader))
    assert least(lambda: check(text, "x")) < 12 * bare


def test_the_limits_of_this_test_bite():
    """A check that took more memory would fail here; the largest file allowed is far below it."""
    assert MAX_BYTES * 100 < MEGABYTES << 20
    hungry = CHECKER.replace("for path in", "x = bytearray(500 << 20)\nfor path in")
    done = subprocess.run(
        [sys.executable, "-c", hungry, str(MEGABYTES)], input="[]", capture_output=True, text=True, timeout=60,
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert "MemoryError" in done.stderr
