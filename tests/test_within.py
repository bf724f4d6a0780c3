"""What stands under a name in a document is found by it, on both databases, whatever characters it has."""

import sqlite3
import sys

import orjson

from tests.club import Club
from tierengine.recording import rows, stored
from tierengine.store.within import among

ODD = ['a"b', 'a"c', "a", "a\\", "a\\b", '"', '","serial":"x', "砂石 7", "x", "trade_in"]


def test_a_text_is_found_whatever_characters_it_has():
    link = sqlite3.connect(":memory:")
    asked = f"SELECT count(*) FROM (SELECT ?1 AS fields) WHERE {among('fields', 'serial', 2)}"

    def found(said, *wanted):
        text = orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()
        return link.execute(asked, (text, orjson.dumps(wanted).decode())).fetchone() == (1,)

    every = [chr(code) for code in (*range(1, 0x180), 0x2028, 0xFFFD, sys.maxunicode)]
    assert [text for text in (*every, *ODD) if not found({"brand": "b", "serial": f"a{text}z"}, "q", f"a{text}z")] == []
    assert not found({"serial": "ab"}, "a", "abc", "")
    assert not found({"model": '"serial":"x"', "trade_in_serial": "x"}, "x")
    assert not found({"serial": None}, "")
    link.close()


def test_machines_and_referrals_are_found_by_what_was_said_of_them(book_url):
    club = Club(book_url)
    for number, text in enumerate(ODD):
        member, brand = f"M{number % 6}", '","serial":"x'
        bought = club.machine(f"A{number}", "2026-03-01", member, serial=text, brand=brand)
        named = club.machine(f"B{number}", "2026-03-01", member, brand=brand, referral=f"erp:r{number}")
        assert [answer.status for answer in club.send(bought, named)] == ["recorded", "parked"]
    ids = dict(club.rows("SELECT code, id FROM member"))
    for number, text in enumerate(ODD):
        spoke = club.rows(rows._SPOKE, club.dealer, [text, "nobody's"])
        assert {member for (member,) in spoke} == {ids[f"M{number % 6}"]}, text
        [cluster] = stored.naming(club.link, club.dealer, {f"erp:r{number}", "erp:r"})
        assert f"B{number}" in cluster
    club.close()
