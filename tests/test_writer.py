"""The group writer: everybody is answered, and only what was committed is said to be recorded."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.club import Club, hold, items, opened
from tierengine.errors import Conflict, Unavailable
from tierengine.membership import people
from tierengine.recording.items import Observe, Once, Sale
from tierengine.recording.writer import Writer
from tierengine.settings import Settings
from tierengine.store import database


def test_what_was_answered_is_in_the_book(club, writer):
    answers = writer.record(items(club, *club.golden(), club.parts("P", "2026-04-01")))
    assert {answer.status for answer in answers} == {"recorded"}
    assert club.count("event") == 6


def test_many_clients_at_once_are_all_answered_once(club, writer):
    def client(number):
        item = Observe(club.dealer, club.parts(f"P{number}", "2026-04-01", member=f"M{number % 6}"))
        return [writer.submit(item).result(20).status for _ in range(2)]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(client, range(64)))
    assert answers == [["recorded", "duplicate"]] * 64
    assert club.count("event") == 64


def test_those_who_wait_share_one_transaction(club, writer):
    go = hold(writer)
    futures = [writer.submit(Observe(club.dealer, club.contact(n, "2026-04-01", f"M{n % 6}"))) for n in range(20)]
    go.set()
    assert {future.result(20).status for future in futures} == {"recorded"}
    assert len(club.rows("SELECT DISTINCT recorded_at FROM event")) == 1


def test_a_command_sees_what_was_sent_just_before_it(club, writer):
    go = hold(writer)
    futures = [writer.submit(item) for item in items(club, *club.golden(), club.machine("C", "2026-05-01"))]
    sale = Sale(club.dealer, (club.parts("P", "2026-06-01", credit=100_000),), {"parts_credit": 100_000})
    futures.append(writer.submit(sale))
    go.set()
    assert [future.result(20).status for future in futures] == ["recorded"] * 7


def test_the_last_credit_is_spent_once_however_many_ask(club, writer):
    writer.record(items(club, *club.golden(), club.machine("C", "2026-05-01")))

    def client(number):
        parts = club.parts(f"P{number}", "2026-06-01", credit=100_000)
        return writer.submit(Sale(club.dealer, (parts,), {"parts_credit": 100_000})).result(20).status

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(client, range(48)))
    assert (answers.count("recorded"), answers.count("refused")) == (1, 47)
    assert club.balance("parts_credit") == 0


def spending(club, number, amount=100_000):
    parts = club.parts(f"P{number}", "2026-06-01", amount=amount, credit=amount)
    return Sale(club.dealer, (parts,), {"parts_credit": amount}, once=Once("till", f"P{number}", "h"))


def test_those_who_ask_in_vain_share_a_transaction(club, writer):
    writer.record(items(club, *club.golden(), club.machine("C", "2026-05-01")))
    go = hold(writer)
    futures = [writer.submit(spending(club, number)) for number in range(40)]
    go.set()
    assert [future.result(20).status for future in futures] == ["recorded"] + ["refused"] * 39
    assert len(club.rows("SELECT DISTINCT recorded_at FROM idempotency")) <= 3
    assert club.balance("parts_credit") == 0


def test_a_command_behind_one_that_is_granted_sees_it_though_they_came_together(club, writer):
    writer.record(items(club, *club.golden(), club.machine("C", "2026-05-01")))
    assert writer.submit(spending(club, 0, 700_000)).result(20).status == "refused"
    go = hold(writer)
    futures = [writer.submit(spending(club, number, 40_000)) for number in range(1, 6)]
    futures.append(writer.submit(items(club, club.contact(1, "2026-06-02"))[0]))
    go.set()
    answers = [future.result(20).status for future in futures]
    assert answers == ["recorded"] * 2 + ["refused"] * 3 + ["recorded"]
    assert club.balance("parts_credit") == 20_000
    assert club.count("parked") == 0


def test_a_full_queue_is_answered_at_once(club):
    settings = Settings(database_url=club.url, queue_size=3)
    with Writer(club.url, settings) as writer:
        go = hold(writer)
        futures = [writer.submit(item) for item in items(club, *(club.contact(n, "2026-04-01") for n in range(5)))]
        assert [future.result(0).code for future in futures[3:]] == ["busy", "busy"]
        go.set()
        assert [future.result(20).status for future in futures[:3]] == ["recorded"] * 3


def test_who_waited_too_long_is_dropped_before_anything_is_done(club):
    with Writer(club.url, Settings(database_url=club.url, deadline_ms=10)) as writer:
        go = hold(writer)
        future = writer.submit(*items(club, club.contact(1, "2026-04-01")))
        time.sleep(0.05)
        go.set()
        assert (future.result(20).status, future.result(20).code) == ("unavailable", "deadline")
    assert club.count("event") == 0


def test_a_client_that_left_is_dropped(club, writer):
    go = hold(writer)
    future = writer.submit(*items(club, club.contact(1, "2026-04-01")))
    assert future.cancel()
    go.set()
    writer.record(items(club, club.contact(2, "2026-04-01")))
    assert club.count("event") == 1


def test_tills_do_not_wait_for_a_long_batch(club, writer):
    """Between two pieces of a batch whoever waits at a till comes first."""
    batch = items(club, *(club.contact(n, "2026-04-01", f"M{n % 6}") for n in range(900)))
    writer.submit(*items(club, club.parts("T", "2026-04-01"))).result(20)
    importing = threading.Thread(target=writer.record, args=(batch,))
    importing.start()
    tills = 0
    while importing.is_alive():
        writer.submit(*items(club, club.parts(f"T{tills}", "2026-04-01"))).result(20)
        tills += 1
    importing.join()
    order = [row[0] for row in club.rows("SELECT kind FROM event ORDER BY recorded_at, id")]
    first, last = order.index("contact"), len(order) - order[::-1].index("contact")
    assert "parts_purchase" in order[first:last]


def test_an_act_of_the_staff_runs_in_a_transaction_of_its_own(club, writer):
    def act(link, ids):
        return people.create_members(link, ids, club.dealer, [people.NewMember("NEW")], club.now)

    writer.perform(act).result(20)
    assert writer.record(items(club, club.contact(1, "2026-04-01", "NEW")))[0].status == "recorded"
    with pytest.raises(Conflict, match="is taken"):
        writer.perform(act).result(20)
    assert writer.ready


# ---- faults -----------------------------------------------------------------------------------------------------


@pytest.fixture
def poison(monkeypatch):
    """An item that breaks whoever works on it: the order number POISON."""
    from tierengine.recording import effects

    honest = effects.event_row

    def row(event, *rest):
        if ":POISON:" in event.recorded.key:
            raise ValueError("poison")
        return honest(event, *rest)

    monkeypatch.setattr(effects, "event_row", row)


def test_one_bad_item_fails_alone(club, writer, poison):
    go = hold(writer)
    orders = [*range(5), "POISON", *range(5, 10)]
    futures = [writer.submit(*items(club, club.parts(f"{order}", "2026-04-01"))) for order in orders]
    go.set()
    answers = [future.result(20).status for future in futures]
    assert answers == ["recorded"] * 5 + ["failed"] + ["recorded"] * 5
    assert club.count("event") == 10
    assert writer.ready


def test_a_writer_that_falls_answers_everybody_and_rises(club, writer, monkeypatch):
    from tierengine.recording.recorder import Recorder

    honest = Recorder.record
    fallen = []

    def record(self, items, **how):
        if not fallen:
            fallen.append(1)
            raise SystemExit
        return honest(self, items, **how)

    monkeypatch.setattr(Recorder, "record", record)
    go = hold(writer)
    futures = [writer.submit(item) for item in items(club, *(club.contact(n, "2026-04-01") for n in range(5)))]
    go.set()
    assert {future.result(20).code for future in futures} == {"writer_down"}
    assert writer.record(items(club, club.contact(9, "2026-04-01")))[0].status == "recorded"
    assert writer.ready
    assert club.count("event") == 1


def test_while_the_database_is_away_everybody_is_answered_at_once(club, writer, monkeypatch):
    """Nobody hangs until it is back: what comes meanwhile is not recorded, and is told so."""
    from tierengine.recording.recorder import Recorder

    honest, away = (Recorder.record, type(writer)._open), threading.Event()
    away.set()

    def down(what, problem):
        def act(self, *given, **how):
            if away.is_set():
                raise problem
            return what(self, *given, **how)

        return act

    monkeypatch.setattr(Recorder, "record", down(honest[0], SystemExit()))
    monkeypatch.setattr(type(writer), "_open", down(honest[1], database.NotReady("it does not answer")))
    first, second, third = items(club, *(club.contact(n, "2026-04-01") for n in range(3)))
    assert writer.submit(first).result(20).code == "writer_down"
    assert not writer.ready
    for lane in ("till", "bulk"):
        assert [one.result(1).code for one in writer.submit_all([second, third], lane)] == ["writer_down"] * 2
    with pytest.raises(Unavailable):
        writer.perform(lambda link, ids: None).result(1)
    away.clear()
    assert writer.record([first, second])[0].status == "recorded"  # (a file waits until it is back)
    assert writer.submit(third).result(20).status == "recorded"
    assert club.count("event") == 3


def test_what_cannot_be_delivered_to_one_member_stops_nobody(club, monkeypatch):
    """It stays due, for whoever starts next; the writer does not fall over it again and again."""
    from tierengine.recording.group import Group

    honest, told = Group.run, []

    def run(self, *given, **how):
        if self.deliver_to is not None:
            told.append(self.deliver_to)
            raise ValueError("poison")
        return honest(self, *given, **how)

    monkeypatch.setattr(Group, "run", run)
    with Writer(club.url) as writer:
        writer._recorder.due.update([(club.dealer, 1), (club.dealer, 2)])
        for number in range(3):
            (answer,) = writer.record(items(club, club.contact(number, "2026-04-01")))
            assert answer.status == "recorded"
        assert writer.ready
    assert told == [1, 2]


def test_what_fails_before_a_group_begins_leaves_nothing_behind_for_the_next(club, writer, monkeypatch):
    """A statement that fails leaves PostgreSQL's transaction of no use until it is rolled back."""
    from tierengine.recording import stored

    honest, failing = stored.naming, [True]

    def naming(link, *given):
        if failing:
            failing.clear()
            link.ask("SELECT 1 FROM no_such_table").rows()
        return honest(link, *given)

    monkeypatch.setattr(stored, "naming", naming)
    first, second = items(club, *(club.contact(n, "2026-04-01") for n in range(2)))
    assert writer.submit(first).result(20).status in ("failed", "unavailable")
    assert writer.submit(second).result(20).status == "recorded"


def test_a_commit_that_fails_is_never_answered_as_recorded(club, writer, monkeypatch):
    link = writer._recorder.link
    error = sqlite3.OperationalError if link.kind == "sqlite" else psycopg.errors.DiskFull
    honest, failing = type(link).commit, [True]

    def commit(self):
        if failing:
            raise error("database or disk is full")
        honest(self)

    monkeypatch.setattr(type(link), "commit", commit)
    (answer,) = writer.record(items(club, club.parts("P", "2026-04-01")))
    assert (answer.status, answer.code) == ("unavailable", "database_down")
    assert club.count("event") == 0
    failing.clear()
    assert writer.record(items(club, club.parts("P", "2026-04-01")))[0].status == "recorded"


def test_closing_finishes_what_waits_and_takes_nothing_more(club):
    writer = Writer(club.url)
    go = hold(writer)
    futures = [writer.submit(item) for item in items(club, *(club.contact(n, "2026-04-01") for n in range(30)))]
    closing = threading.Thread(target=writer.close)
    closing.start()
    time.sleep(0.05)
    refused = writer.submit(*items(club, club.contact(99, "2026-04-01")))
    go.set()
    closing.join(20)
    assert {future.result(0).status for future in futures} == {"recorded"}
    assert refused.result(0).code == "writer_down"
    assert not writer.ready


# ---- SQLite: one writer -----------------------------------------------------------------------------------------


def test_a_second_writer_of_a_file_is_refused_by_name(sqlite_book_url):
    club = Club(sqlite_book_url)
    with Writer(sqlite_book_url):
        with pytest.raises(database.WriterBusy, match=str(os.getpid())):
            Writer(sqlite_book_url)
        program = f"from tierengine.recording.writer import Writer\nWriter({sqlite_book_url!r})"
        other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert f"process {os.getpid()}" in other.stderr
    Writer(sqlite_book_url).close()
    club.close()


# ---- PostgreSQL: other processes --------------------------------------------------------------------------------


@pytest.fixture
def served(postgres_book_url):
    with opened(postgres_book_url) as made:
        yield made


def test_a_locked_member_does_not_keep_the_others_waiting(served):
    with Writer(served.url) as writer, psycopg.connect("postgresql://" + served.url.partition("://")[2]) as other:
        other.execute("SELECT 1 FROM ledger l JOIN member m ON m.id = l.member_id WHERE m.code = 'M1' FOR UPDATE OF l")
        locked = writer.submit(*items(served, served.contact(1, "2026-04-01", "M1")))
        began = time.monotonic()
        free = [writer.submit(*items(served, served.contact(2 + n, "2026-04-01", "M2"))) for n in range(10)]
        assert {future.result(5).status for future in free} == {"recorded"}
        assert time.monotonic() - began < 1.5
        assert not locked.done()
        other.rollback()
        assert locked.result(10).status == "recorded"


def test_a_return_whose_member_is_locked_waits_and_the_others_do_not(served):
    with Writer(served.url) as writer, psycopg.connect("postgresql://" + served.url.partition("://")[2]) as other:
        writer.record(items(served, served.parts("P", "2026-04-01", "M1")))
        other.execute("SELECT 1 FROM ledger l JOIN member m ON m.id = l.member_id WHERE m.code = 'M1' FOR UPDATE OF l")
        go = hold(writer)
        back = writer.submit(*items(served, served.returned("P", "2026-04-02")))
        free = [writer.submit(*items(served, served.contact(2 + n, "2026-04-01", "M2"))) for n in range(5)]
        go.set()
        assert {future.result(5).status for future in free} == {"recorded"}
        assert not back.done()
        other.rollback()
        assert back.result(10).status == "recorded"


def test_a_member_locked_for_too_long_is_answered_busy(served):
    settings = Settings(database_url=served.url, lock_timeout_ms=200)
    with (
        Writer(served.url, settings) as writer,
        psycopg.connect("postgresql://" + served.url.partition("://")[2]) as other,
    ):
        other.execute("SELECT 1 FROM ledger FOR UPDATE")
        answer = writer.submit(*items(served, served.contact(1, "2026-04-01", "M1"))).result(10)
        assert (answer.status, answer.code) == ("unavailable", "busy")
        other.rollback()
    assert served.count("event") == 0


def test_two_writers_record_the_same_things_once(served):
    observations = [
        *served.golden("M1"),
        *served.golden("M2"),
        *(served.machine(f"L{n}", f"2026-05-{n:02d}") for n in range(1, 9)),
    ]
    with Writer(served.url) as one, Writer(served.url) as other, ThreadPoolExecutor(8) as pool:
        sent = [(writer, observation) for observation in observations for writer in (one, other)]
        answers = list(
            pool.map(lambda pair: pair[0].submit(*items(served, pair[1]), lane="bulk").result(60).status, sent)
        )
    assert answers.count("recorded") == len(observations)
    assert set(answers) <= {"recorded", "duplicate"}


def test_a_sale_and_its_return_find_each_other_whoever_records_them(served):
    with Writer(served.url) as one, Writer(served.url) as other, ThreadPoolExecutor(2) as pool:
        for number in range(20):
            sale = Observe(served.dealer, served.parts(f"P{number}", "2026-04-01"))
            back = Observe(served.dealer, served.returned(f"P{number}", "2026-04-02", number=number))
            list(pool.map(lambda pair: pair[0].submit(pair[1]).result(20), ((one, sale), (other, back))))
    assert served.count("parked") == 0
    assert served.count("contribution") == 40


def test_a_connection_cut_in_the_middle_is_made_good(served):
    with Writer(served.url) as writer:
        writer.record(items(served, served.contact(1, "2026-04-01")))
        served.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND datname = current_database()"
        )
        once = Once("k", "1", "h")
        answer = writer.record([Observe(served.dealer, served.contact(2, "2026-04-01"), once=once)])[0]
        assert answer.status == "recorded"
    assert served.count("event") == 2


@pytest.mark.timeout(60)
def test_what_is_larger_than_a_socket_takes_is_recorded_too(served):
    note = "长" * 2_000
    with Writer(served.url) as writer:
        batch = items(served, *(served.contact(n, "2026-04-01", f"M{n % 6}", note=note) for n in range(600)))
        go = hold(writer)
        waiting = ThreadPoolExecutor(1).submit(writer.record, batch)
        time.sleep(0.1)
        go.set()
        assert {answer.status for answer in waiting.result()} == {"recorded"}


def test_a_commit_of_unknown_outcome_is_looked_up_and_not_done_twice(served, monkeypatch):
    with Writer(served.url) as writer:
        link = writer._recorder.link
        honest, cut = type(link).commit, [True]

        def commit(self):
            honest(self)
            if cut and self.raw is link.raw and self.raw.pgconn.pipeline_status:
                cut.clear()
                with self.raw.pipeline() as sent:
                    sent.sync()  # it was done, and the answer is lost
                assert served.count("event") == 1
                self.raw.close()
                raise psycopg.OperationalError("the connection is lost")

        monkeypatch.setattr(type(link), "commit", commit)
        item = Observe(served.dealer, served.parts("P", "2026-04-01"), once=Once("k", "1", "h"))
        answer = writer.submit(item).result(20)
    assert answer.status == "recorded"
    assert (served.count("event"), served.count("idempotency")) == (1, 1)
