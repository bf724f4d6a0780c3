"""The command line: one JSON document, exit codes, both languages, and never a traceback at a user."""

import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tierengine import __main__ as program
from tierengine.commands.screen import BadLanguage, both, common, in_lang
from tierengine.store.database import WriterLock

HERE = Path(__file__).parent
ROOT = HERE.parent
POLICY = ROOT / "policies.yaml"
SMALL = HERE / "policies" / "small.yaml"


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    """Run in an empty folder, in English unless a test asks otherwise."""
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")


@pytest.fixture
def run(capsys):
    """Run one command in this process; give its exit code, output and errors."""

    def go(*words):
        code = program.main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return go


@pytest.fixture
def book(sqlite_book_url, monkeypatch) -> str:
    """Name a fresh book, with every table and no rows."""
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", sqlite_book_url)
    return sqlite_book_url


@pytest.fixture
def club(book, run) -> str:
    """Name a book with one dealer's policy in force."""
    code, _, err = run("policy", "publish", SMALL, "--effective-from", "2025-01-01", "--author", "test")
    assert (code, err) == (0, "")
    return book


def shell(*words, **more):
    """Run a command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tierengine", *map(str, words)],
        capture_output=True, text=True, check=False, timeout=60, env=os.environ | {"PYTHONPATH": str(ROOT)} | more,
    )  # fmt: skip


# ---- languages and help ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "environ", "lang", "asked"),
    [
        (["x"], {"LANG": "zh_CN.UTF-8"}, "zh", False),
        (["x"], {"LANG": "C.UTF-8"}, "en", False),
        (["x"], {"LANG": "zh_CN", "LC_ALL": "de_DE"}, "en", False),
        (["x"], {"LANG": "en_US", "TIERENGINE_LANG": "zh"}, "zh", True),
        (["x", "--lang", "en"], {"TIERENGINE_LANG": "zh"}, "en", True),
        (["--lang=zh-Hans", "x"], {}, "zh", True),
    ],
)
def test_the_language_is_asked_for_or_the_machines(words, environ, lang, asked):
    options, rest = common(words, environ)
    assert (options.lang, options.asked, rest) == (lang, asked, ["x"])


def test_what_comes_after_two_dashes_is_nobodys_option():
    options, rest = common(["a", "--json", "--", "--json", "--lang"], {})
    assert options.json
    assert rest == ["a", "--", "--json", "--lang"]
    with pytest.raises(BadLanguage):
        common(["--lang", "fr"], {})


def test_a_help_text_is_in_one_language():
    assert in_lang(both("一", "one"), "zh") == "一"
    assert in_lang(both("一", "one"), "en") == "one"
    assert in_lang("neither", "zh") == "neither"


@pytest.mark.parametrize("noun", ["", *program.NOUNS])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_of_help_is_in_the_language_asked_for(run, noun, lang):
    code, out, err = run(*([noun] if noun else []), "--help", "--lang", lang)
    assert (code, err) == (0, "")
    assert "\x1f" not in out
    assert "--json" in out
    assert bool(re.search("[一-鿿]", out)) is (lang == "zh")


def test_without_a_command_the_help_is_shown(run):
    code, out, err = run()
    assert code == 2
    assert "policy" in out + err


# ---- exit codes and JSON -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["nothing"],
        ["policy", "chek"],
        ["policy", "check"],
        ["policy", "check", "nowhere.yaml"],
        ["policy", "check", "--nope", str(POLICY)],
        ["award", "plan", "soon"],
        ["key", "create", "--role", "king"],
        ["events", "import", "nowhere.csv"],
        ["events", "import", str(POLICY), "--map", "nonsense"],
    ],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_wrong_usage_is_2_and_one_json_document(run, words, lang):
    code, out, err = run(*words, "--lang", lang)
    assert (code, out) == (2, "")
    assert err
    assert "Traceback" not in err
    code, out, err = run(*words, "--json", "--lang", lang)
    assert (code, err) == (2, "")
    assert json.loads(out)["error"]["code"]


@pytest.mark.parametrize(
    "words",
    [
        ["member", "show", "C1"],
        ["award", "plan", "2026"],
        ["duties", "due"],
        ["verify"],
        ["events", "report"],
        ["events", "parked"],
        ["serve"],
        ["key", "create", "--store", "S01"],
        ["policy", "publish", str(SMALL)],
    ],
)
def test_a_book_that_is_not_there_is_refused_in_a_sentence(run, words):
    code, out, err = run(*words)
    assert (code, out) == (3, "")
    assert "migrate" in err or "not there" in err
    code, out, _ = run(*words, "--json")
    assert code == 3
    assert json.loads(out)["error"]["code"] == "not_ready"
    assert list(Path().iterdir()) == []


def test_a_setting_that_cannot_be_used_is_wrong_usage(run, monkeypatch):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", "mysql://x")
    code, _, err = run("verify")
    assert code == 2
    assert "TIERENGINE_DATABASE_URL" in err


def test_the_unexpected_is_an_apology_with_a_report(run, club, monkeypatch):
    monkeypatch.setattr("tierengine.commands.verify.broken_of", lambda link, anchors, beside: 1 / 0)
    code, out, err = run("verify", "--json")
    error = json.loads(out)["error"]
    assert (code, error["code"]) == (3, "unexpected")
    assert "Traceback" not in err
    report = Path(error["report"])
    assert "ZeroDivisionError" in report.read_text(encoding="utf-8")
    report.unlink()
    _, _, err = run("verify", "--debug")
    assert "ZeroDivisionError" in err


def test_a_name_that_is_no_text_breaks_nothing(run, tmp_path):
    shutil.copy(SMALL, os.fsencode(tmp_path) + b"/b\xff.yaml")
    code, out, _ = run("policy", "check", os.fsdecode(os.fsencode(tmp_path) + b"/b\xff.yaml"), "--json")
    assert code == 0
    assert json.loads(out)["ok"]


def test_the_version_is_said(run):
    assert json.loads(run("--version", "--json")[1])["tierengine"]


def test_a_reader_who_has_seen_enough_ends_it_quietly():
    process = subprocess.Popen(
        [sys.executable, "-m", "tierengine", "--help"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) in (0, 1, 141)


# ---- the book ----------------------------------------------------------------------------------------------------


def test_migrate_may_be_run_again(run, sqlite_url, monkeypatch):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", sqlite_url)
    for _ in range(2):
        code, out, _ = run("migrate", "--json")
        assert (code, json.loads(out)["ready"]) == (0, True)
    code, out, _ = run("verify", "--json")
    assert (code, json.loads(out)["ok"]) == (0, True)


def test_without_a_dealer_one_is_told_what_to_do(run, book):
    code, _, err = run("duties", "due")
    assert code == 3
    assert "policy publish" in err


EVENTS = """kind,member,source_id,order,occurred_at,amount,channel,direction,status
购机,C1,,M1,2026-02-01 10:00,860000,,,
购机,C1,,M2,2026-03-01 10:00,860000,,,
联系走访,C1,K1,,2026-03-02 10:00,,phone,customer,accepted
退货,C1,R1,P9,2026-03-02 10:00,,,,
购机,,,M3,2026-03-02 10:00,1,,,
"""


@pytest.fixture
def fed(club, run, tmp_path):
    """Give what importing five rows said; one of them is bad, one waits."""
    path = tmp_path / "events.csv"
    path.write_text(EVENTS, encoding="utf-8")
    words = ["events", "import", path, "--set", "timezone=Asia/Shanghai", "--set", "currency=CNY", "--set", "unit=元"]
    words += ["--set", "store=S01", "--set", "create_members=是", "--set", "source=crm"]
    return run(*words, "--json"), words


def test_an_import_names_its_bad_rows_and_is_1(fed, run):
    (code, out, err), words = fed
    told = json.loads(out)
    assert (code, err) == (1, "")
    assert (told["rows"], told["recorded"], told["parked"], told["refused"]) == (5, 3, 1, 1)
    assert [(one["line"], one["code"]) for one in told["problems"]] == [(6, "missing")]
    code, out, _ = run(*words, "--lang", "zh")
    assert code == 1
    assert re.search(r"events\.csv:6: member: 缺少此项。 \(missing\)", out)
    assert "早已记过 4" in out


def test_a_member_is_found_by_code_and_told_with_reasons(fed, run):
    code, out, _ = run("member", "show", "C1", "--json")
    told = json.loads(out)
    assert (code, told["standing"]["tier"]) == (0, "member")
    assert [one["id"] for one in told["traits"] if one["met"]] == ["repeat_buyer"]
    code, out, _ = run("member", "show", "C1", "--lang", "zh")
    assert "多次购买设备" in out
    code, out, _ = run("member", "show", "nobody", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (1, "unknown_member")


def test_the_book_can_be_read_from_all_sides(fed, run):
    for words in (["duties", "due"], ["events", "report"], ["events", "parked"], ["events", "conflicts"], ["verify"]):
        for lang in ("zh", "en"):
            code, out, err = run(*words, "--lang", lang)
            assert (code, err) == (0, "")
            assert out
        code, out, err = run(*words, "--json")
        assert (code, err) == (0, "")
        json.loads(out)
    parked = json.loads(run("events", "parked", "--json")[1])["parked"]
    assert [one["event"] for one in parked] == ["crm:R1"]


def test_an_import_may_end_with_the_report(fed, run):
    _, words = fed
    code, out, _ = run(*words, "--report", "--json")
    assert code == 1
    assert json.loads(out)["report"]["tiers_per_year"]["2026"]["member"] == 1


def test_a_bad_mapping_is_shown_with_its_place(club, run, tmp_path):
    (tmp_path / "m.yaml").write_text("kindd: contact\n", encoding="utf-8")
    (tmp_path / "e.csv").write_text("a\n1\n", encoding="utf-8")
    code, _, err = run("events", "import", "e.csv", "--mapping", "m.yaml")
    assert code == 1
    assert "m.yaml:1:1: error P201" in err
    code, out, _ = run("events", "import", "e.csv", "--mapping", "m.yaml", "--json")
    assert json.loads(out)["error"]["problems"][0]["line"] == 1


def test_a_file_that_cannot_be_read_is_1(club, run, tmp_path):
    (tmp_path / "e.pdf").write_bytes(b"%PDF")
    code, out, _ = run("events", "import", "e.pdf", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (1, "unknown_format")


def test_a_key_is_made_once_and_belongs_to_a_store(fed, run):
    code, out, _ = run("key", "create", "--store", "S01", "--json")
    assert code == 0
    assert re.fullmatch(r"te_[0-9a-f]{12}_[0-9a-f]{56}", json.loads(out)["key"])
    code, out, _ = run("key", "create", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (2, "store_missing")
    code, out, _ = run("key", "create", "--store", "S99", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (1, "unknown_store")
    code, out, _ = run("key", "create", "--role", "auditor", "--json")
    assert code == 0


def _told(run):
    """Return the acts in the audit, those aside that the fixtures did."""
    lines = json.loads(run("audit", "list", "--json")[1])["lines"]
    return [one["act"] for one in lines if one["act"] not in ("policy.publish", "events.import")]


def test_a_key_is_listed_rotated_and_revoked_and_the_audit_tells(fed, run):
    made = json.loads(run("key", "create", "--store", "S01", "--name", "till", "--days", "9", "--json")[1])["key"]
    prefix = made.split("_")[1]
    code, out, _ = run("key", "rotate", made, "--keep-hours", "2", "--json")
    assert code == 0
    new = json.loads(out)["key"].split("_")[1]
    assert run("key", "revoke", prefix, "--json")[0] == 0
    assert json.loads(run("key", "revoke", prefix, "--json")[1])["error"]["code"] == "unknown_key"
    listed = json.loads(run("key", "list", "--json")[1])["keys"]
    assert [(one["prefix"], one["name"], one["state"]) for one in listed] == [(new, "till", "valid")]
    code, out, _ = run("key", "list", "--all")
    assert code == 0
    assert (prefix in out, new in out, made.split("_")[2] in out) == (True, True, False)
    acts = _told(run)
    assert acts == ["key.revoke", "key.rotate", "key.create"]
    assert prefix in run("audit", "list", "--lang", "zh", "--limit", "1")[1]
    assert run("audit", "list", "--cursor", "x")[0] == 2


def test_logins_are_made_with_a_password_that_is_no_argument(fed, run, monkeypatch):
    def piped(password):
        monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))

    piped("short")
    assert json.loads(run("staff", "bootstrap", "Wang", "--json")[1])["error"]["code"] == "password_length"
    for login, wanted in (("Wang", 0), ("li", 3)):
        piped("correct horse 电池 staple")
        assert run("staff", "bootstrap", login, "--json")[0] == wanted
    piped("correct horse 电池 staple")
    assert run("staff", "add", "li", "--role", "auditor", "--store", "S01", "--json")[0] == 0
    piped("another horse 电池 staple")
    assert run("staff", "password", "li", "--json")[0] == 0
    assert run("staff", "disable", "li", "--json")[0] == 0
    assert json.loads(run("staff", "disable", "wang", "--json")[1])["error"]["code"] == "last_admin"
    listed = json.loads(run("staff", "list", "--json")[1])["staff"]
    assert [(one["login"], one["roles"], one["disabled_at"] is None) for one in listed] == [
        ("li", ["auditor"], False),
        ("wang", ["admin"], True),
    ]
    lines = json.loads(run("audit", "list", "--json")[1])["lines"]
    assert _told(run) == ["staff.disable", "staff.password", "staff.add", "staff.add"]
    assert {one["actor"].partition(":")[0] for one in lines} == {"command"}
    assert "$argon2" not in json.dumps(lines)


def test_while_another_process_writes_nothing_is_written(fed, run, club):
    with WriterLock(Path(club.removeprefix("sqlite:///"))):
        for words in (["key", "create", "--store", "S01"], ["policy", "publish", SMALL], ["serve", "--port", "0"]):
            code, out, err = run(*words, "--json")
            assert (code, err) == (3, "")
            assert json.loads(out)["error"]["code"] == "writer_busy"
        assert run("duties", "due")[0] == 0


@pytest.mark.slow
def test_postgresql_is_spoken_to_by_the_same_commands(run, postgres_url, monkeypatch, tmp_path):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", postgres_url)
    (tmp_path / "events.csv").write_text(EVENTS, encoding="utf-8")
    sets = ("timezone=Asia/Shanghai", "currency=CNY", "unit=元", "store=S01", "create_members=是", "source=crm")
    options = [word for text in sets for word in ("--set", text)]
    codes = [
        run(*words, "--json")[0]
        for words in (
            ["migrate"],
            ["policy", "publish", SMALL, "--effective-from", "2025-01-01"],
            ["events", "import", "events.csv", *options],
            ["member", "show", "C1"],
            ["duties", "due"],
            ["events", "report"],
            ["key", "create", "--store", "S01"],
            ["verify"],
        )
    ]
    assert codes == [0, 0, 1, 0, 0, 0, 0, 0]
    assert len(list(tmp_path.glob("*.secret"))) == 1
    assert json.loads(run("member", "show", "C1", "--json")[1])["standing"]["tier"] == "member"
    assert run("award", "plan", "2026", "--json")[0] == 1, "this policy has no award"


# ---- serving -----------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_refused(club, run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, out, _ = run("serve", "--port", taken.getsockname()[1], "--json")
    assert (code, json.loads(out)["error"]["code"]) == (3, "address_in_use")


@pytest.mark.slow
def test_serving_says_its_address_when_it_answers(club, tmp_path):
    with (tmp_path / "out").open("w+", encoding="utf-8") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "tierengine", "serve", "--port", "0", "--json"],
            stdout=out, stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(ROOT)},
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
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=30)
    assert (tmp_path / "out").read_text(encoding="utf-8").strip() == said


def test_as_a_process_it_ends_with_the_same_codes(club):
    assert shell("verify", "--json").returncode == 0
    ended = shell("member", "show", "nobody", TIERENGINE_LANG="zh")
    assert ended.returncode == 1
    assert "没有会员 nobody" in ended.stderr
