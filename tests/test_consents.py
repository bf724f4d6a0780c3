"""Consents over HTTP and by command: every word is kept, the last one counts, however its purpose was typed."""

from __future__ import annotations

import json

import pytest

from tests.keys import SECRET, keys_url
from tests.test_api_access import of, with_staff
from tests.test_api_book import Book, code, moment, opened
from tierengine import __main__ as program
from tierengine.judging.history import Contribution
from tierengine.membership.consents import KIND, withdrawn_at

PATH = "/v1/members/C1/consents"


@pytest.fixture
def till(book_url):
    with opened(with_staff(Book(book_url).make(others=True), ("wang", "archivist"))) as till:
        yield till


def word(given=True, **more):
    return {"purpose": "marketing", "given": given, "text_version": "v1", **more}


def test_every_word_is_kept_and_the_last_one_that_was_said_counts(till):
    desk = till.at("D1/archivist")
    assert desk.get(PATH).json() == {"member": "C1", "now": {}, "words": []}
    first = desk.post(PATH, word(), once="k")
    assert first.status_code == 201, first.text
    assert desk.post(PATH, word(), once="k").content == first.content
    assert code(desk.post(PATH, word(given=False), once="k")) == (422, "idempotency_mismatch")
    assert desk.post(PATH, word(given=False, occurred_at=moment(days=3))).status_code == 201
    assert desk.get(PATH).json()["now"] == {"marketing": True}, "it was said before"
    assert desk.post(PATH, word(given=False)).status_code == 201
    assert desk.post(PATH, word(purpose="回访")).status_code == 201
    told = desk.get(PATH).json()
    assert told["now"] == {"marketing": False, "回访": True}
    assert [one["given"] for one in told["words"]] == [True, False, True, False]


def test_whoever_is_logged_in_told_it_and_another_dealer_sees_nothing(till):
    wang = of(till, "wang")
    assert wang.post(PATH, word(staff="li")).status_code == 201
    assert wang.get(PATH).json()["words"][0]["staff"] == "wang"
    assert till.at("D2/archivist").get(PATH).json()["words"] == []
    assert code(till.at("D2/archivist").get("/v1/members/C77/consents")) == (404, "unknown_member")
    for body in (
        {}, {**word(), "given": 1}, {**word(), "given": "true"}, word(purpose=""), word(purpose="a b"),
        word(purpose="1x"), word(purpose="x" * 41), word(text_version=""), word(colour=1), word(purpose=None),
        word(occurred_at="2026-01-01"), word(occurred_at=moment(days=-2)),
    ):  # fmt: skip
        assert code(wang.post(PATH, body)) == (422, "malformed"), body
    assert code(till.post(PATH, word())) == (403, "forbidden")


@pytest.mark.parametrize("typed", ["Marketing", "ＭＡＲＫＥＴＩＮＧ", "营销"])
def test_a_purpose_is_the_same_on_any_keyboard(till, typed):
    """Else a withdrawal would be kept and not heeded."""
    desk = till.at("D1/archivist")
    desk.post(PATH, word())
    assert desk.post(PATH, word(given=False, purpose=typed)).status_code == 201
    assert desk.get(PATH).json()["now"] == {"marketing": False}


def test_the_command_records_and_shows_them(sqlite_book_url, monkeypatch, capsys):
    book = Book(sqlite_book_url).make()
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", book.url)
    monkeypatch.setenv("TIERENGINE_SECRET", SECRET)
    monkeypatch.setenv("TIERENGINE_KEYS_URL", keys_url(book.url))

    def command(*words):
        status = program.main([*words, "--json"])
        return status, json.loads(capsys.readouterr().out)

    assert command("member", "consent", "C1", "营销", "--text", "v2")[0] == 0
    assert command("member", "consent", "C1", "marketing", "--text", "v2", "--withdrawn")[0] == 0
    told = command("member", "consents", "C1")[1]
    assert (told["now"], len(told["words"])) == ({"marketing": False}, 2)
    assert command("member", "consent", "C1", "a b", "--text", "v2")[0] == 1


@pytest.mark.parametrize(
    ("words", "since"),
    [
        ("", None),
        ("y", None),
        ("n", 1),
        ("yn", 2),
        ("ny", None),
        ("nn", 1),
        ("nyn", 3),
        ("nnynn", 4),
    ],
)
def test_a_purpose_is_withdrawn_since_the_first_no_after_the_last_yes(words, since):
    """Who says no again said no before: what was owed to nobody in between is not owed now."""
    said = [
        Contribution(KIND, f"{at}#0", at, (at, 3, str(at)), KIND, 1, 0, {"purpose": purpose, "given": given})
        for at, word_ in enumerate(words, 1)
        for purpose, given in (("营销", int(word_ == "y")), ("回访", 1))
    ]
    assert withdrawn_at(said) == since
