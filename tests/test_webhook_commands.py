"""The commands of webhooks: added, listed, rotated, paused, replayed, removed, as an administrator types them."""

from __future__ import annotations

import json

from tests.test_api_book import serving
from tierengine import __main__ as program


def test_the_commands_add_list_replay_and_remove(sqlite_book_url, monkeypatch, capsys):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", sqlite_book_url)
    with serving(sqlite_book_url):
        pass

    def command(*words):
        number = program.main(["webhook", *words, "--json"])
        return number, json.loads(capsys.readouterr().out)

    status, made = command("add", "https://hook.example/x")
    assert status == 0
    assert made["secret"].startswith("whsec_")
    number = str(made["id"])
    assert command("list")[1]["webhooks"][0]["url"] == "https://hook.example/x"
    assert command("deliveries", number) == (0, {"deliveries": []})
    assert command("replay", number) == (0, {"again": 0})
    assert [one["number"] for one in command("list")[1]["webhooks"][0]["secrets"]] == [0]
    status, rotated = command("rotate", number, "--keep-hours", "２４")
    assert (status, rotated["keep_hours"], [one["number"] for one in rotated["secrets"]]) == (0, 24, [1, 0])
    assert rotated["secret"] not in ("", made["secret"])
    assert [one["number"] for one in command("list")[1]["webhooks"][0]["secrets"]] == [1, 0]
    assert command("add", "https://hook.example/x")[1]["secret"] == rotated["secret"]
    assert [one["number"] for one in command("rotate", number, "--keep-hours", "0")[1]["secrets"]] == [2]
    assert command("rotate", "999")[0] == 1
    assert command("pause", number)[1]["state"] == "paused"
    assert command("resume", number)[1]["state"] == "active"
    assert command("remove", number)[1]["state"] == "removed"
    assert command("add", "http://hook.example/x")[0] == 2
    assert command("deliveries", number)[0] == 1
    assert command("deliveries", "1", "--state", "lost")[0] == 2
