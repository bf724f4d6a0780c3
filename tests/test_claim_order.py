"""Two groups that claim the same things in opposite order: one waits for the other, and neither for ever.

On PostgreSQL a third transaction holds what both ask for in their midst, so that each has claimed its first before the
other comes to it. On SQLite the file's lock is one, and the groups simply run at once.
"""

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.club import Club
from tierengine.ledger.verify import verify
from tierengine.policies.versions import load
from tierengine.recording import reading
from tierengine.recording.items import Observe, Once
from tierengine.recording.rebuilding import rebuild
from tierengine.recording.recorder import Recorder
from tierengine.store import database

CLAIM = (
    "INSERT INTO idempotency (dealer_id, scope, key, request_hash, status, answer, recorded_at) "
    "VALUES (%s, %s, %s, 'h', 201, '{}', 0)"
)
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def club(book_url):
    made = Club(book_url)
    yield made
    assert verify(made.link) == ()
    assert rebuild(made.link, load(made.link, made.dealer)).same
    made.link.rollback()
    made.check()
    made.close()


@contextlib.contextmanager
def held(club, sql, *values):
    """What both groups come to is another transaction's until the block ends; yields how to wait until so many wait."""
    if club.url.startswith("sqlite"):
        yield lambda number: None
        return
    with (
        psycopg.connect("postgresql://" + club.url.partition("://")[2]) as third,
        psycopg.connect("postgresql://" + club.url.partition("://")[2], autocommit=True) as eye,
    ):
        third.execute(sql, values)

        def until(number):
            end = time.monotonic() + 20
            while eye.execute(WAITING).fetchone()[0] < number:
                assert time.monotonic() < end, "nobody waits"
                time.sleep(0.005)

        yield until
        third.rollback()


def both(club, groups, sql, *values):
    """The answers of groups that are recorded at once, each on a connection of its own; what one raises is raised."""
    links = [database.connect(club.url) for _ in groups]
    gate = threading.Barrier(len(groups)) if club.url.startswith("sqlite") else None

    def recorded(link, group):
        if gate is not None:
            gate.wait(10)
        recorder = Recorder(link)
        answers = recorder.record(group, wait=True)
        recorder.deliver()
        return [answer.status for answer in answers]

    try:
        with ThreadPoolExecutor(len(groups)) as pool:
            with held(club, sql, *values) as until:
                running = []
                for link, group in zip(links, groups, strict=True):
                    running.append(pool.submit(recorded, link, group))
                    until(len(running))
            return [one.result(30) for one in running]
    finally:
        for link in links:
            link.close()


def said(club, member, number, key=""):
    once = Once("till", key, f"{member} {number}") if key else None
    return Observe(club.dealer, club.contact(number, "2026-04-01", member), once)


@pytest.mark.parametrize("more", [0, 60])
def test_idempotency_keys_of_other_bodies(club, more):
    """Of members that have nothing in common: nothing else keeps the two groups apart."""
    one, other = ["a", "m", "z"], ["z", "m", "a"]
    groups = [
        [said(club, f"M{place}", f"1{key}", key) for place, key in enumerate(one)],
        [said(club, f"M{3 + place}", f"2{key}", key) for place, key in enumerate(other)],
    ]
    # (Few rows are written one by one, many by one statement.)
    groups[0] += [said(club, f"M{n % 3}", f"3{n}", f"n{n}") for n in range(more)]
    groups[1] += [said(club, f"M{3 + n % 3}", f"4{n}", f"o{n}") for n in range(more)]
    answers = both(club, groups, CLAIM, club.dealer, "till", "m")
    assert sorted(one[:3] for one in answers) == [["mismatch"] * 3, ["recorded"] * 3]
    assert club.count("event") == 3 + 2 * more


def test_keys_of_events(club):
    """The same events told of other members: each group must hold all keys of its events before it reads them.

    Whether two orders end in a deadlock depends on where the third one's key stands in each: several are tried.
    """
    lock = "SELECT pg_advisory_xact_lock(%s)"
    for turn in range(8):
        numbers = range(100 * turn, 100 * turn + 24)
        groups = [
            [said(club, f"M{n % 3}", n) for n in numbers],
            [said(club, f"M{3 + n % 3}", n) for n in reversed(numbers)]
            + [said(club, "M5", 10_000 + 100 * turn + n) for n in range(40)],
        ]
        answers = both(club, groups, lock, reading.lock_number(club.dealer, f"till:c{numbers[3 * turn]}"))
        assert sorted(sorted({*one[:24]}) for one in answers) == [["conflict"], ["recorded"]]
        assert answers[1][24:] == ["recorded"] * 40


def test_keys_are_locked_in_the_order_of_their_numbers(postgres_book_url):
    """Whoever is kept waiting at a number holds all that are lower and none that is higher."""
    raw = "postgresql://" + postgres_book_url.partition("://")[2]
    link = database.connect(postgres_book_url)
    with psycopg.connect(raw) as third, psycopg.connect(raw, autocommit=True) as eye, ThreadPoolExecutor(1) as pool:
        third.execute("SELECT pg_advisory_xact_lock(5)")
        waiting = pool.submit(lambda: link.ask(reading._LOCK_KEYS, [9, 5, 1, 7, 3]).rows())
        end = time.monotonic() + 20
        while not eye.execute(WAITING).fetchone()[0]:
            assert time.monotonic() < end, "nobody waits"
            time.sleep(0.005)
        mine = "SELECT objid::int FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = %s ORDER BY 1"
        held = [row[0] for row in eye.execute(mine, [link.raw.info.backend_pid])]
        third.rollback()
        waiting.result(20)
        link.rollback()
    link.close()
    assert held == [1, 3]


def test_members_are_locked_in_the_order_of_their_numbers(postgres_book_url):
    club = Club(postgres_book_url)
    raw = "postgresql://" + postgres_book_url.partition("://")[2]
    low, middle, high = [row[0] for row in club.rows("SELECT id FROM member ORDER BY id LIMIT 3")]
    club.close()
    link = database.connect(postgres_book_url)
    one = "SELECT 1 FROM ledger WHERE member_id = %s FOR UPDATE"
    with psycopg.connect(raw) as third, psycopg.connect(raw, autocommit=True) as eye, ThreadPoolExecutor(1) as pool:
        third.execute(one, [middle])
        waiting = pool.submit(lambda: link.ask(reading._LOCK_WAITING, [high, low, middle]).rows())
        end = time.monotonic() + 20
        while not eye.execute(WAITING).fetchone()[0]:
            assert time.monotonic() < end, "nobody waits"
            time.sleep(0.005)
        free = [bool(eye.execute(f"{one} SKIP LOCKED", [member]).fetchall()) for member in (low, middle, high)]
        third.rollback()
        waiting.result(20)
        link.rollback()
    link.close()
    assert free == [False, False, True]


def test_members(club):
    groups = [[said(club, f"M{n}", 10 * turn + n) for n in range(6)[:: 1 - 2 * turn]] for turn in (0, 1)]
    lock = "SELECT 1 FROM ledger l JOIN member m ON m.id = l.member_id WHERE m.code = %s FOR UPDATE OF l"
    assert both(club, groups, lock, "M3") == [["recorded"] * 6] * 2


# ---- a machine of which two members' events speak ---------------------------------------------------------------

WHOSE = "SELECT m.code FROM machine x JOIN member m ON m.id = x.member_id"


def registered(club, at, member):
    return club.said(
        "machine_registered", at, member, machine_kind="excavator", tenure="owned", serial="X", source_id=f"g{member}"
    )


def test_a_machine_told_of_two_at_once_is_whose_it_was_said_to_be_last(club):
    """Whichever group ends last, the later word counts."""
    words = registered(club, "2026-04-01", "M2"), registered(club, "2026-03-01", "M1")
    groups = [[Observe(club.dealer, one, Once("till", key, "h"))] for one, key in zip(words, ("m", "n"), strict=True)]
    assert both(club, groups, CLAIM, club.dealer, "till", "m") == [["recorded"]] * 2
    assert club.rows(WHOSE) == [("M2",)]


def test_a_machine_is_again_whose_it_was_when_the_last_word_of_it_never_was(club):
    club.send(registered(club, "2026-03-01", "M1"))
    later = registered(club, "2026-04-01", "M2")
    club.send(later)
    assert club.rows(WHOSE) == [("M2",)]
    club.send(club.said("observation_cancelled", "2026-04-02", source_id=later.key, revision=1, reason="x"))
    assert club.rows(WHOSE) == [("M1",)]
