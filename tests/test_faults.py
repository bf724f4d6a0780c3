"""The short form of `make faults`: kills and many who redeem one credit, on both databases, and a control that loses.

The whole form is `python -m tests.faults`; what it found is in docs/faults.md.
"""

from __future__ import annotations

import pytest

from tests import postgres
from tests.faults import killing, page, serving
from tests.faults.book import counted
from tests.faults.proxy import Proxy
from tests.faults.registry import FAULTS, minutes_of, ordered
from tests.faults.server import Server
from tests.faults.service import Service
from tests.faults.stage import Sending, Stage, working
from tests.faults.tally import Tally
from tests.faults.tills import Tills

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SHORT = 0.0075  # three kills of the whole form's four hundred


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A durable PostgreSQL server that may be killed; the one that all tests share does not wait for its disk.

    What it does for durability it does in memory as on a disk, and sooner: it is processes that are killed here.
    """
    folder = postgres.run_folder(memory=True)
    made = Server(folder).make()
    yield made
    made.stop()
    postgres.remove(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def stage(request, tmp_path):
    if request.param == "sqlite":
        return Stage(tmp_path, "sqlite", None, SHORT, seed=7)
    # The user that a server runs as may not enter pytest's own folders.
    server = request.getfixturevalue("server")
    return Stage(server.folder, "postgresql", server, SHORT, seed=7)


def passed(tally):
    assert not tally.wrong
    assert (tally.lost, tally.doubled) == (0, 0)
    assert tally.acknowledged > 0
    assert tally.passed


def test_a_killed_worker_loses_and_doubles_nothing(stage):
    tally = killing.worker_killed(stage)
    passed(tally)
    assert tally.kills == 3


def test_the_control_loses_what_it_acknowledged(stage):
    """Were nothing ever lost, whatever is done, then a run without losses would prove nothing."""
    tally = killing.lazy(stage)
    assert tally.lost > 0
    assert tally.passed


def test_of_many_who_redeem_the_last_credit_exactly_one_wins(stage):
    tally = serving.last_credit(stage, asks=80, sockets=40, rounds=20)
    passed(tally)
    assert tally.acknowledged == tally.cycles == 1


def test_a_connection_cut_during_commit_is_made_good(server, tmp_path):
    stage = Stage(tmp_path, "postgresql", server, 0.0125, seed=3)
    tally = killing.connection_cut(stage)
    passed(tally)
    assert tally.kills > 0


def test_a_service_that_is_asked_to_end_answers_what_it_began(tmp_path):
    """SIGTERM: what waits is recorded and answered; what comes later finds nobody, and is asked again."""
    stage = Stage(tmp_path, "sqlite", None, SHORT)
    tally = Tally("asked to end", stage.database)
    with stage.shelf(20).book() as book:
        service = Service(book).start()
        tills = Tills(book, service.port, range(400), 40)
        serving.wait_for(tills, 100)
        assert service.stop() is not None, "it did not end by itself"
        tally.check(book, tills.acknowledged())
        assert len(tills.acknowledged()) < 400, "it ended too late to prove anything"
        with service:
            serving.finished(tally, tills, range(400))
        tally.cycles += 1
        tally.check(book, tills.acknowledged())
    passed(tally)


def test_every_fault_that_must_be_run_is_known():
    """Against the list of the design page: none is forgotten, and none has two names."""
    names = [one.name for one in FAULTS]
    assert len(set(names)) == len(names)
    assert set(names) >= {
        "worker", "service", "server", "connection", "standby", "disk", "clock", "last-credit", "shuffled",
        "other-body", "award", "policy", "burst", "yaml", "json", "slow", "control",
    }  # fmt: skip


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_run_shares_its_minutes_and_ends_when_they_are_over(database):
    """Each fault takes all that it may: ninety minutes are over at the end; what one leaves, the later ones have."""
    for used in (1.0, 0.25):
        left, waiting, given = 90.0, ordered(FAULTS), {}
        while waiting:
            one = waiting.pop(0)
            given[one.name] = minutes_of(one, waiting, database, left)
            left -= given[one.name] * (used if waiting else 1)
        assert left == pytest.approx(0)
        assert all((given[one.name] > 0) == (database in one.databases) for one in FAULTS)
    assert given["worker"] > 60


def test_rounds_end_when_the_time_is_up_but_not_before_the_first(tmp_path):
    stage = Stage(tmp_path, "sqlite", None, minutes=1)
    assert list(stage.rounds(3)) == [0, 1, 2]
    assert not stage.cut_short
    stage.begun -= 120
    assert list(stage.rounds(3)) == [0]
    assert stage.cut_short


def test_the_page_keeps_the_rows_of_the_last_run_only(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "PAGE", tmp_path / "faults.md")
    page.PAGE.write_text(f"before\n\n{page.FROM}\nold\n{page.TO}\n\nafter\n", encoding="utf-8")
    rows = [Tally("worker killed", "sqlite", cycles=3, kills=3, acknowledged=1_000, recovered=[0.5])]
    for seed in (1, 2):
        page.keep(rows, 90.0, seed)
    text = page.PAGE.read_text(encoding="utf-8")
    assert text.startswith("before")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "seed 2" in text
    assert "seed 1" not in text
    assert "| worker killed | sqlite | 3 | 3 | 1,000 | 0 | 0 | 0.50 / 0.50 s |  |" in text
    assert page.read(_written(tmp_path, rows)) == rows


def _written(folder, rows):
    made = folder / "rows.jsonl"
    made.write_text("".join(map(page.line, rows)), encoding="utf-8")
    return made


# ---- the counting is tested too --------------------------------------------------------------------------------


@pytest.fixture
def filled(stage):
    """A book with a few writes, and all of their numbers."""
    with stage.shelf(5).book() as book, working(book) as worker:
        sending = Sending(book)
        sending.top_up(40)
        assert sending.settle(worker)
        yield book, sending.acknowledged


def test_the_count_sees_what_is_lost(filled):
    book, acknowledged = filled
    assert counted(book).lost(acknowledged | {77}) == {77}


def test_the_count_sees_an_effect_that_came_twice(filled, monkeypatch):
    book, _ = filled
    assert not counted(book).wrong
    monkeypatch.setattr("tests.faults.book.earns", lambda number: 0)  # as if each had been told to earn nothing
    found = counted(book)
    assert len(found.doubled) == 9  # of forty writes ten are orders, and one of those has paid too little to earn
    assert "(lines, points, credit) are (1," in found.wrong[0]


def test_the_proxy_knows_a_commit_when_it_sees_one(server, tmp_path):
    proxy = Proxy(tmp_path / "p", server.socket)
    with postgres.connect(proxy.url(server.url)) as link:
        link.execute("SELECT 1")
        proxy.cut("after", 0)
        link.execute("SELECT 2")
        assert proxy.cuts == 0
        with pytest.raises(Exception, match=r"closed|lost|terminated"):
            link.execute("COMMIT")
    assert proxy.cuts == 1
    proxy.close()
