"""What a transaction reads under its locks is what stands once it has them, whatever it began with."""

import threading
import time

import psycopg
import pytest

from tests.club import Club
from tierengine.recording import reading
from tierengine.store import database


@pytest.fixture
def served(postgres_book_url):
    made = Club(postgres_book_url)
    yield made
    made.close()


def test_who_waited_for_a_member_reads_him_as_the_other_left_him(served):
    member = served.link.ask("SELECT id FROM member WHERE code = 'M1'").rows()[0][0]
    served.link.rollback()
    locked = []

    def wait():
        link = database.connect(served.url)
        locked.append(reading.lock(link, served.dealer, [member], (), (), (), {}, now=served.now, wait=True))
        link.rollback()
        link.close()

    with psycopg.connect("postgresql://" + served.url.partition("://")[2]) as other:
        other.execute("SELECT 1 FROM ledger WHERE member_id = %s FOR NO KEY UPDATE", (member,))
        waiting = threading.Thread(target=wait)
        waiting.start()
        until = time.monotonic() + 10
        asked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        with psycopg.connect("postgresql://" + served.url.partition("://")[2], autocommit=True) as seeing:
            while not seeing.execute(asked).fetchall() and time.monotonic() < until:
                time.sleep(0.01)
        other.execute(
            "UPDATE ledger SET entry_no = 7, head_at = 42, head_key = 'k', tier = 'gold', carry = '{}' "
            "WHERE member_id = %s",
            (member,),
        )
        other.commit()
        waiting.join(10)
    head = locked[0].ledgers[member]
    assert (head.code, head.entry_no, head.position, head.tier, head.carry) == ("M1", 7, (42, 0, "k"), "gold", "{}")
    assert locked[0].obtained == {member}


def test_a_member_locked_elsewhere_is_read_but_not_held(served):
    members = dict(served.link.ask("SELECT code, id FROM member WHERE code IN ('M1', 'M2')").rows())
    served.link.rollback()
    with psycopg.connect("postgresql://" + served.url.partition("://")[2]) as other:
        other.execute("SELECT 1 FROM ledger WHERE member_id = %s FOR NO KEY UPDATE", (members["M1"],))
        locked = reading.lock(served.link, served.dealer, members.values(), (), (), (), {}, now=served.now, wait=False)
        served.link.rollback()
    assert locked.obtained == {members["M2"]}
    assert {head.code for head in locked.ledgers.values()} == {"M1", "M2"}
