"""What was decided comes out the same when it is judged again; what does not is named, and so is what stands open."""

import json

import pytest

from tests.club import Club
from tests.disarming import disarm
from tests.machine.programme import FAMILIES
from tierengine import __main__ as program
from tierengine.policies.versions import load
from tierengine.recording import rejudging
from tierengine.recording.acts import Adjust
from tierengine.recording.items import Command
from tierengine.recording.leaks import leaks
from tierengine.recording.rejudging import judge_again, part_of


@pytest.fixture
def club(book_url):
    """Two members with grants, tiers, something told by the one to the other; all triggers are removed."""
    club = Club(book_url, FAMILIES[0].texts[0])
    club.send(club.said("referral_registered", "2026-02-01", "M3", source_id="f", referred="M1"))
    club.send(club.machine("A", "2026-02-10", referral="till:f"), *club.golden("M2"))
    club.send(club.parts("P1", "2026-03-10", amount=500_000), club.parts("P2", "2026-03-11", amount=300_000))
    club.send(club.returned("P2", "2026-03-12"))
    disarm(club.link)
    yield club
    club.close()


def otherwise(club, most=None, day=0):
    programme = load(club.link, club.dealer)
    members = part_of(club.link, club.dealer, day, most).members
    return list(judge_again(club.link, programme, members))


# What a bug at recording, or a wrongdoer, would leave: every table of money may agree with it.
WRONGS = {
    "a grant of another amount": ("UPDATE decision SET wanted = wanted + 1 WHERE wanted > 0", "judged_otherwise"),
    "a grant that nobody earned": (
        "UPDATE contribution SET amount = amount - 100000 WHERE kind = 'parts_purchase' AND qty > 0",
        "judged_otherwise",
    ),
    "no grant for what was earned": ("DELETE FROM decision", "judged_otherwise"),
    "told to another, and not so": ("UPDATE emission SET cancelled = {true}", "judged_otherwise"),
    "told to somebody else": (
        "UPDATE emission SET to_member_id = (SELECT id FROM member WHERE code = 'M4')",
        "judged_otherwise",
    ),
    "a tier that was never reached": ("UPDATE tier_change SET tier = 'nobody'", "standing_otherwise"),
    "a tier that was forgotten": ("DELETE FROM tier_change", "standing_otherwise"),
    "an end on another day": ("UPDATE tier_change SET until = until + 1 WHERE until > 0", "standing_otherwise"),
    "a standing to go on from": ("UPDATE ledger SET tier = 'nobody' WHERE tier <> ''", "standing_otherwise"),
}  # fmt: skip


def test_what_was_decided_otherwise_is_named(club):
    assert len(club.rows("SELECT 1 FROM emission")) == 1
    assert otherwise(club) == []
    known = {number for (number,) in club.rows("SELECT id FROM member")}
    for wrong, (sql, code) in WRONGS.items():
        club.link.begin()
        club.link.run(sql.replace("{true}", "1" if club.link.kind == "sqlite" else "true"))
        found = [one for one in otherwise(club) if one.invariant.code == code]
        club.link.rollback()
        assert found, wrong
        assert found[0].member_id in known
        assert found[0].found != found[0].expected
        json.dumps(found[0].row())


def test_every_member_has_his_turn(club, monkeypatch):
    sizes = []
    for most in (1, 3, 20_000):
        parts = part_of(club.link, club.dealer, 0, most).parts
        turns = [part_of(club.link, club.dealer, day, most) for day in range(100, 100 + parts)]
        assert {one.number for one in turns} == set(range(1, parts + 1))
        judged = sorted(code for one in turns for code in one.members.values())
        assert judged == [code for (code,) in club.rows("SELECT code FROM member ORDER BY code")]
        sizes.append(parts)
    assert sizes[0] > sizes[1] > sizes[2] == 1
    # So what is wrong is found by one of the days that follow each other.
    monkeypatch.setattr(rejudging, "MEMBERS", 2)
    club.link.begin()
    club.link.run("UPDATE tier_change SET tier = 'nobody' WHERE member_id = (SELECT id FROM member WHERE code = 'M2')")
    days = [day for day in range(sizes[1]) if otherwise(club, 3, day)]
    club.link.rollback()
    assert len(days) == 1


def test_the_command_says_who_was_judged_and_what_came_out(club, monkeypatch, capsys):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", club.url)
    assert program.main(["verify", "--judge", "--json"]) == 0, capsys.readouterr()
    said = json.loads(capsys.readouterr().out)
    assert said["judged"] == [{"dealer": "d1", "members": 6, "of": 6, "part": 1, "parts": 1}]
    club.link.begin()
    club.link.run("UPDATE tier_change SET tier = 'nobody'")
    club.link.commit()
    assert program.main(["verify", "--json"]) == 1
    (broken,) = json.loads(capsys.readouterr().out)["broken"]
    assert (broken["number"], broken["code"]) == (13, "standing_otherwise")
    assert program.main(["verify", "--lang", "zh"]) == 1
    assert "重新判定" in capsys.readouterr().out


# ---- what stands open ---------------------------------------------------------------------------------------------

_INTO = {
    "sqlite": "UPDATE {0} SET {1} = json_set({1}, '$.{2}', json('{3}')) WHERE id = (SELECT max(id) FROM {0})",
    "postgresql": "UPDATE {0} SET {1} = jsonb_set({1}, ARRAY[{2}], '{3}') WHERE id = (SELECT max(id) FROM {0})",
}
OPEN = {
    "a note": ("event", "body", "fields.note", '"王五说下周付款"', "note"),
    "a reason among the lines": ("event", "body", "fields.lines", '[{"qty": 1}, {"reason": "x"}]', "reason"),
    "a phone number": ("event", "body", "fields.topic", '"call 13955550001"', "topic"),
    "a phone number in full width": ("event", "body", "fields.topic", '"１３９５５５５０００１"', "topic"),
    "an identity card's number": ("event", "body", "fields.topic", '"11010119900307123X"', "topic"),
    "in what is derived": ("contribution", "fields", "note", '"x"', "note"),
    "in what is told to another": ("emission", "body", "fields.place", '"x"', "place"),
    "in what somebody asked": ("command", "body", "reason", '"他病了"', "reason"),
    # These may look like such numbers, or are words of their own there.
    "a code of the staff": ("event", "body", "fields.staff", '"13955550001"', ""),
    "an order's number": ("event", "body", "fields.order", '"13955550001"', ""),
    "an amount": ("event", "body", "fields.deposit", "13955550001", ""),
    "to whom credit goes": ("command", "body", "to", '"M2"', ""),
    "full width elsewhere": ("event", "body", "fields.topic", '"ＺＬ５０"', ""),
}


def test_what_stands_open_about_a_person_is_found_and_not_repeated(club, monkeypatch, capsys):
    assert list(leaks(club.link)) == []
    act = Adjust("adjust:1", "credit", 5, "opening", "U1")
    assert club.items(Command(club.dealer, ("M1",), act))[0].status == "recorded"

    def write(table, column, path, value):
        names = path if club.link.kind == "sqlite" else ", ".join(f"'{name}'" for name in path.split("."))
        club.link.begin()
        club.link.run(_INTO[club.link.kind].format(table, column, names, value))

    for what, (table, column, path, value, field) in OPEN.items():
        write(table, column, path, value)
        found = [one.row() for one in leaks(club.link)]
        club.link.rollback()
        assert [(row[1], row[3]) for row in found] == ([(table, field)] if field else []), what
    write("event", "body", "fields.note", '"暗号"')
    club.link.commit()
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", club.url)
    assert program.main(["verify", "--json"]) == 1
    out = capsys.readouterr().out
    found = {one["code"]: one for one in json.loads(out)["broken"]}
    assert (found["text_open"]["number"], found["text_open"]["count"]) == (18, 1)
    assert "暗号" not in out
