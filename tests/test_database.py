import os
import re
import socket
import stat
import subprocess
import sys

import pytest

from tierengine.settings import Settings, SettingsRefused, document
from tierengine.store import database, migrating
from tierengine.store.database import NotReady
from tierengine.store.dialect import doc, translate
from tierengine.store.ids import BLOCK, Ids, NeedIds, transact
from tierengine.store.rows import Table


@pytest.fixture
def link(database_url):
    migrating.migrate(database_url)
    made = database.connect(database_url)
    yield made
    made.rollback()
    made.close()


def dealer(link, number=1):
    link.run("INSERT INTO dealer (id, code, name) VALUES (?1, ?2, '')", number, f"d{number}")


# ---- settings ---------------------------------------------------------------------------------------------------


def test_without_any_variable_the_book_is_a_file_here():
    assert Settings.read({}).database_url == "sqlite:///tierengine.db"


def test_every_wrong_setting_is_reported_at_once_by_its_name():
    with pytest.raises(SettingsRefused) as refused:
        Settings.read(
            {
                "TIERENGINE_DATABASE_URL": "mysql://x",
                "TIERENGINE_PORT": "70000",
                "TIERENGINE_QUEUE_SIZE": "many",
                "TIERENGINE_SECRET": "short",
            }
        )
    said = refused.value.problems
    assert len(said) == 4
    for name in ("DATABASE_URL", "PORT", "QUEUE_SIZE", "SECRET"):
        assert any(line.startswith(f"TIERENGINE_{name}: ") for line in said)


WRONG = {
    "TIERENGINE_DATABASE_URL": "mysql://u:Geheimnis@x",
    "TIERENGINE_KEYS_URL": "u:Geheimnis@x/y",  # its beginning was forgotten
    "TIERENGINE_PORT": "70000",
    "TIERENGINE_QUEUE_SIZE": "许多",
    "TIERENGINE_GROUP_SIZE": "9" * 5_000,
    "TIERENGINE_SECRET": "Geheimnis",
    "TIERENGINE_SECRET_BEFORE": "Geheimnis",
    "TIERENGINE_LOG_LEVEL": "laut",
    "TIERENGINE_LOG_FORMAT": "xml",
    "TIERENGINE_TRACES": "on",
}


def test_every_wrong_setting_says_what_came_and_what_was_expected_in_both_tongues_and_no_secret():
    with pytest.raises(SettingsRefused) as refused:
        Settings.read(WRONG)
    english, chinese = refused.value.problems, refused.value.zh
    assert {line.partition(":")[0] for line in english} == {line.partition(":")[0] for line in chinese} == {*WRONG}
    for said, form in ((english, r": expected .+, got .+"), (chinese, r":(应为|至少要).+，收到的")):
        for line in said:
            assert re.search(form, line), line
            assert len(line) < 200
            assert "Geheimnis" not in line


def test_full_width_digits_are_digits():
    assert Settings.read({"TIERENGINE_PORT": "８０８０", "TIERENGINE_LIMIT_KEY": "　0 "}).port == 8080


@pytest.mark.parametrize(
    "broken", ["u:Gehe@imnis@h/d", "u:Gehe/imnis@h/d", "u:Gehe?imnis@h/d", "u:Gehe%imnis@h/d", "u:Gehe imnis@h/d"]
)
def test_a_password_that_breaks_its_address_up_is_told_of_and_not_repeated(broken):
    url = f"postgresql://{broken}"
    with pytest.raises(NotReady, match="%40") as refused:
        database.check_ready(url)
    told = str(refused.value) + refused.value.zh + repr(refused.value.__cause__)
    assert not re.search("Gehe|imnis", told)
    assert refused.value.__suppress_context__


def test_sqlite_with_more_than_one_worker_is_refused():
    with pytest.raises(SettingsRefused, match="one writing process"):
        Settings.read({"TIERENGINE_WORKERS": "2"})
    assert Settings.read({"TIERENGINE_WORKERS": "2", "TIERENGINE_DATABASE_URL": "postgresql://x/y"}).workers == 2


def test_every_setting_says_what_it_does():
    assert all(about.endswith(".") for _, _, about in document())


# ---- one SQL text for both --------------------------------------------------------------------------------------


def test_a_list_is_one_parameter_on_both_databases():
    sql = "SELECT id FROM dealer WHERE id IN (?1*) AND code <> ?2"
    assert (
        translate(sql, "sqlite")[0]
        == "SELECT id FROM dealer WHERE id IN (SELECT value FROM json_each(?1)) AND code <> ?2"
    )
    assert translate(sql, "postgresql")[0] == "SELECT id FROM dealer WHERE id = ANY($1) AND code <> $2"


def test_lists_of_any_length_find_their_rows(link):
    link.begin()
    for number in range(5):
        dealer(link, number)
    ask = "SELECT id FROM dealer WHERE id IN (?1*) OR code IN (?2*) ORDER BY id"
    assert link.ask(ask, [], []).rows() == []
    assert link.ask(ask, [1, 3], ["d4", "d9"]).rows() == [(1,), (3,), (4,)]


def test_statements_of_a_pipeline_answer_in_turn(link):
    link.begin()
    with link.pipeline():
        dealer(link)
        first = link.ask("SELECT id FROM dealer")
        dealer(link, 2)
        second = link.ask("SELECT id FROM dealer ORDER BY id")
    assert (first.rows(), second.rows()) == ([(1,)], [(1,), (2,)])


def test_rows_with_documents_and_bytes_come_back_as_they_were(link):
    link.begin()
    dealer(link)
    body = '{"金额": 12, "note": "a\\\\b \\"c\\" \\u2028"}'
    rows = [
        (number, 1, None, None, f"键{number}", 0, "k", "contact", 2**53, 7, "s", "s1", body, "h") for number in range(3)
    ]
    assert len(Table("event").columns) == len(rows[0])
    link.write(Table("event"), rows)
    link.write(Table("idempotency"), [(1, "s", "k", "h", 200, b'\x00\xff{"a":1}', 7)])
    found = link.ask("SELECT key, occurred_at, body FROM event ORDER BY id").rows()
    assert [(key, at, doc(said)) for key, at, said in found] == [
        (f"键{number}", 2**53, {"金额": 12, "note": 'a\\b "c" \u2028'}) for number in range(3)
    ]
    assert bytes(link.ask("SELECT answer FROM idempotency").rows()[0][0]) == b'\x00\xff{"a":1}'


def test_what_was_not_committed_is_gone(link, database_url):
    link.begin()
    dealer(link)
    link.rollback()
    link.begin()
    dealer(link, 2)
    link.commit()
    reader = database.connect(database_url, readonly=True)
    assert reader.ask("SELECT id FROM dealer").rows() == [(2,)]
    reader.close()


# ---- connections ------------------------------------------------------------------------------------------------


def test_the_writer_of_a_file_waits_for_the_disk_and_checks_references(sqlite_url):
    migrating.migrate(sqlite_url)
    assert stat.S_IMODE(database.sqlite_path(sqlite_url).stat().st_mode) == 0o600
    link = database.connect(sqlite_url)
    said = {
        name: link.ask(f"PRAGMA {name}").rows()[0][0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")
    }
    assert said == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "trusted_schema": 0}
    link.close()


def test_a_reader_cannot_write(database_url):
    migrating.migrate(database_url)
    reader = database.connect(database_url, readonly=True)
    with pytest.raises(Exception, match=r"read-?only"):
        dealer(reader)
    reader.rollback()
    reader.close()


def test_a_second_writer_of_a_file_is_refused_and_told_who_holds_it(tmp_path):
    path = tmp_path / "t.db"
    program = (
        f"from tierengine.store.database import WriterLock; from pathlib import Path; WriterLock(Path({str(path)!r}))"
    )
    with database.WriterLock(path):
        with pytest.raises(database.WriterBusy, match=f"process {os.getpid()}"):
            database.WriterLock(path)
        other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert f"process {os.getpid()}" in other.stderr
    with database.WriterLock(path):
        pass


def test_a_book_in_memory_is_refused():
    for url in ("sqlite://", "sqlite:///:memory:"):
        with pytest.raises(database.NotReady, match="names no file"):
            database.connect(url)


def test_a_book_that_was_never_migrated_is_not_ready(database_url):
    with pytest.raises(database.NotReady):
        database.check_ready(database_url)


def test_a_file_that_is_no_book_is_told_by_its_name_in_both_tongues(tmp_path):
    (tmp_path / "b.db").write_bytes(b"nothing of the sort" * 100)
    (tmp_path / "c.db").mkdir()
    for name, en, zh in (("b.db", "not a database", "这个文件不是账本"), ("c.db", "cannot be used", "账本")):
        with pytest.raises(NotReady, match=en) as refused:
            database.check_ready(f"sqlite:///{tmp_path / name}")
        assert name in str(refused.value)
        assert zh in refused.value.zh
        assert name in refused.value.zh


def test_a_server_that_is_not_there_is_said_in_a_sentence():
    with pytest.raises(database.NotReady, match="does not answer"):
        database.check_ready("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")


@pytest.mark.timeout(20)
def test_a_server_that_takes_the_connection_and_is_silent_is_given_up(tmp_path, monkeypatch):
    """A machine that hangs, a proxy that lost its way: a writer that waited for it would never try the next time."""
    monkeypatch.setattr(database, "_PATIENCE", {**database._PATIENCE, "connect_timeout": 2})
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / ".s.PGSQL.5432"))
        silent.listen()
        with pytest.raises(database.NotReady, match="does not answer"):
            database.connect(f"postgresql://nobody@/none?host={tmp_path}")


# ---- ids --------------------------------------------------------------------------------------------------------


def test_two_processes_never_hand_out_the_same_id(link):
    one, other = Ids(), Ids()
    taken = []
    for _ in range(3):
        for ids in (one, other):
            ids.reserve(link, BLOCK)
            taken += [ids.take() for _ in range(BLOCK)]
    assert len(set(taken)) == len(taken)


def test_a_transaction_gets_as_many_ids_as_it_needs(link):
    wanted = 5 * BLOCK
    taken = transact(link, Ids(), lambda _, ids: [ids.take() for _ in range(wanted)])
    assert len(set(taken)) == wanted


def test_ids_that_run_out_ask_for_the_transaction_to_be_run_again(link):
    ids = Ids()
    with pytest.raises(NeedIds):
        ids.take()
    ids.reserve(link, 3)
    first = ids.take()
    other = Ids()
    other.reserve(link, 1)
    later = other.take()
    with pytest.raises(NeedIds) as need:
        ids.above(later)
    ids.reserve(link, need.value.count, need.value.above)
    assert ids.above(later) > later > first


def test_a_connection_that_falls_silent_is_given_up_in_seconds(book_url):
    if not book_url.startswith("postgresql"):
        return
    given = f"{book_url}{'&' if '?' in book_url else '?'}keepalives_idle=60"
    usual = {"keepalives_idle": "10", "tcp_user_timeout": "20000", "connect_timeout": "10"}
    for url, wanted in ((book_url, usual), (given, {"keepalives_idle": "60"})):
        link = database.connect(url)
        known = link.raw.info.get_parameters()
        link.close()
        assert {name: known.get(name) for name in wanted} == wanted
