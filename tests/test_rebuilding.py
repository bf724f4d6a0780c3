"""Every cache comes out the same when it is made again; one that somebody changed is named, and put right if asked."""

import json
from datetime import datetime

import pytest

from tests.club import SMALL, Club
from tierengine import __main__ as program
from tierengine.ledger.verify import verify
from tierengine.policies.versions import load
from tierengine.recording.acts import CaptureHold, PlaceHold
from tierengine.recording.items import Command
from tierengine.recording.rebuilding import rebuild
from tierengine.recording.recorder import Recorder
from tierengine.store.ids import Ids, transact


def instant(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T12:00:00+08:00").timestamp()) * 1_000_000


CACHES = {
    "ledger": "member_id, entry_no, head_at, head_class, head_key, tier, boundary_at, carry",
    "tier_change": 'member_id, at, "class", key, tier, previous, since, until, state, cause, version_id, traits, basis',
    "checkpoint": "member_id, at, dealer_id, head_class, head_key, carry",
    "attribute": "member_id, name, value, changed_at",
    "machine": "serial, member_id, brand, model, machine_kind, size, from_us, delivered_on",
    "parked": "event_id, waits_for, reason",
    "account": "id, member_id, wallet, kind, unit, balance",
    "lot_state": "lot_id, member_id, remaining",
    "hold_state": "hold_id, member_id, remaining",
}
# What a bug, or somebody in a hurry, would leave behind; the caches have no triggers.
WRONGS = {
    "ledger": "UPDATE ledger SET tier = 'nobody', boundary_at = 7 WHERE entry_no > 0",
    "tier_change": "DELETE FROM tier_change WHERE id = (SELECT min(id) FROM tier_change)",
    "checkpoint": "UPDATE checkpoint SET carry = '{}'",
    "attribute": "UPDATE attribute SET value = 'other'",
    "machine": "UPDATE machine SET size = 'huge' WHERE serial = 'X-M1-A'",
    "parked": "DELETE FROM parked",
    "account": "UPDATE account SET balance = balance + 1 WHERE member_id IS NOT NULL",
    "lot_state": "UPDATE lot_state SET remaining = 0 WHERE remaining > 0",
    "hold_state": "UPDATE hold_state SET remaining = 3",
}


@pytest.fixture
def club(book_url):
    """A book with something in every cache, told late, out of order, corrected and in part taken back."""
    club = Club(book_url)
    for member in ("M1", "M2", "M3"):
        club.send(*club.golden(member)[::-1])
        for month in ("04", "05", "06"):
            club.send(club.parts(f"{member}-{month}", f"2026-{month}-10", member, amount=300_000))
        club.send(club.machine(f"{member}-C", "2026-03-20", member, size="medium"))
    club.send(club.returned("M1-04", "2026-06-20"), club.returned("NOT-HERE", "2026-06-21", number=2))
    club.send(club.said("attribute_changed", "2026-02-01", "M2", source_id="a1", name="trade", value_text="quarry"))
    club.send(club.parts("M3-LATE", "2026-03-15", "M3", amount=200_000))
    made = club.items(Command(club.dealer, ("M2",), PlaceHold("hold:S1:H:points", "points", 50, "order:S1:H")))[0]
    club.items(Command(club.dealer, ("M2",), CaptureHold(made.body["hold"]["id"], 20)))
    held = club.items(Command(club.dealer, ("M3",), PlaceHold("hold:S1:K:points", "points", 60, "order:S1:K")))[0]
    assert held.status == "recorded"
    for cache in CACHES:
        assert club.count(cache) > 0, cache
    yield club
    club.close()


def again(club, *, write=False):
    programme = load(club.link, club.dealer)
    club.link.rollback()
    return transact(club.link, Ids(), lambda link, ids: rebuild(link, programme, ids if write else None))


def dump(club):
    """Every cache without the numbers of its rows."""
    return {cache: sorted(map(repr, club.rows(f"SELECT {columns} FROM {cache}"))) for cache, columns in CACHES.items()}


def test_every_cache_comes_out_the_same(club):
    before = dump(club)
    assert again(club).counts == {}
    assert again(club, write=True).counts == {}
    assert dump(club) == before


@pytest.mark.parametrize("cache", WRONGS)
def test_a_changed_cache_is_named_and_put_right(club, cache):
    before = dump(club)
    club.link.begin()
    club.link.run(WRONGS[cache])
    club.link.commit()
    broken = dump(club)
    assert broken != before
    found = again(club)
    assert set(found.counts) == {cache}
    assert found.rows[cache]
    assert dump(club) == broken  # to look changes nothing
    assert set(again(club, write=True).counts) == {cache}
    assert dump(club) == before
    assert verify(club.link) == ()
    club.link.rollback()


def test_all_at_once_are_put_right_and_what_comes_next_goes_on_from_there(club):
    before = dump(club)
    club.link.begin()
    for sql in WRONGS.values():
        club.link.run(sql)
    club.link.run("DELETE FROM machine")
    club.link.run("DELETE FROM attribute")
    club.link.run("DELETE FROM checkpoint")
    club.link.commit()
    assert set(again(club, write=True).counts) == set(CACHES)
    assert dump(club) == before
    club.send(club.parts("M1-NEXT", "2026-07-10"), club.parts("M1-LATE", "2026-04-02"))
    assert again(club).counts == {}


def test_what_is_no_cache_is_told_and_left_alone(club):
    for table in ("contribution", "decision"):
        triggers = {"sqlite": ("update",), "postgresql": ("insert_only",)}
        for name in triggers[club.link.kind]:
            trigger = f"{table}_refuses_{name}" if club.link.kind == "sqlite" else f"{table}_{name}"
            club.link.begin()
            club.link.run(f"DROP TRIGGER {trigger}" + (f" ON {table}" if club.link.kind == "postgresql" else ""))
            club.link.commit()
    club.link.begin()
    club.link.run(
        "UPDATE contribution SET amount = amount + 1 "
        "WHERE id = (SELECT max(id) FROM contribution WHERE kind = 'parts_purchase' AND qty > 0)"
    )
    club.link.commit()
    found = again(club, write=True)
    assert "contribution" in found.counts
    assert not found.replaceable


def test_the_command_finds_and_mends(club, monkeypatch, capsys):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", club.url)
    assert program.main(["verify", "--rebuild", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ok"]
    assert said["rebuild"] == [{"dealer": "d1", "same": True, "replaced": False, "differences": []}]
    club.link.begin()
    club.link.run(WRONGS["tier_change"])
    club.link.commit()
    assert program.main(["verify", "--rebuild", "--json"]) == 1
    (one,) = json.loads(capsys.readouterr().out)["rebuild"]
    assert [found["cache"] for found in one["differences"]] == ["tier_change"]
    assert program.main(["verify", "--rebuild", "--write", "--lang", "zh"]) == 0
    assert "已替换" in capsys.readouterr().out
    assert program.main(["verify", "--rebuild", "--lang", "zh"]) == 0
    assert "所有缓存与重算一致" in capsys.readouterr().out
    assert program.main(["verify", "--write", "--lang", "en"]) == 2


@pytest.mark.parametrize("then", ["a version began", "a month began", "a tier ended", "nothing"])
def test_of_what_was_taken_back_the_caches_keep_no_trace_however_long_it_lies_after_the_rest(book_url, then):
    club = Club(book_url)
    club.recorder = Recorder(club.link, now=lambda: club.now)
    club.now = instant("2026-02-10")
    if then == "a tier ended":
        club.send(club.machine("A", "2024-01-05"), club.machine("B", "2024-02-05"))
    if then != "nothing":
        club.send(club.contact(1, "2026-01-05"))
    if then == "a version began":
        club.publish(SMALL.replace("1: 1000 CNY", "1: 900 CNY"), instant("2026-02-20"))
    club.now = instant("2026-03-20")
    club.send(club.parts("P", "2026-03-10"))
    gone = {"source_id": "order:S1:P:parts_purchase", "revision": 1, "reason": "x"}
    club.send(club.said("observation_cancelled", "2026-03-11", **gone))
    found = rebuild(club.link, load(club.link, club.dealer))
    assert found.same, found
    club.check()
    club.close()
