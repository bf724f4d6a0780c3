"""Keys and logins from the command line: made, listed, exchanged and revoked, and the audit tells of it."""

# ruff: noqa: F811  that is how pytest is asked for a fixture of another module

import io
import json
import re

from tests.command_line import book, club, fed, run, somewhere  # noqa: F401  fixtures


def _told(run):
    """Return the acts in the audit, those aside that the fixtures did."""
    lines = json.loads(run("audit", "list", "--json")[1])["lines"]
    return [one["act"] for one in lines if one["act"] not in ("policy.publish", "events.import")]


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


def test_what_is_on_file_does_nothing_to_a_terminal(fed, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    name = "一\x1b[2J\x1b]0;x\x07\u202e二\x9b"
    assert run("key", "create", "--role", "auditor", "--name", name)[0] == 0
    code, out, _ = run("key", "list")
    assert (code, set(out) & set("\x1b\x07\u202e\x9b")) == (0, set())
    assert r"一\x1b[2J\x1b]0;x\x07\u202e二\x9b" in out
    _, _, err = run("member", "show", f"x{name}")
    assert not set(err) & set("\x1b\x07\u202e\x9b")


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
