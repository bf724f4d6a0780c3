"""What a sale asks for is found by all of its key, on both databases; that nothing reads all: test_plans.py."""

import re
from itertools import count

from tests.club import MEMBERS, Club
from tierengine.ledger.sealed import sealed_tables
from tierengine.recording import lookups, reading, stored
from tierengine.recording.acts import Adjust
from tierengine.recording.items import Command
from tierengine.store import database
from tierengine.store.dialect import translate
from tierengine.store.rows import tables


def test_postgresql_looks_rows_up_by_their_key_also_in_a_book_of_which_it_knows_nothing(postgres_book_url):
    """An empty table has no statistics: a dealer seems to choose a handful there, and later chooses everything."""
    link = database.connect(postgres_book_url)
    keys = {
        (reading, "_ONCE"): "key",
        (stored, "_EVENTS_BY_KEY"): "key",
        (stored, "EVENTS_NAMED"): "key",
        (lookups, "_MEMBERS"): "code",
        (reading, "_ACCOUNTS"): "member_id",
    }
    for (module, name), key in keys.items():
        text = translate(getattr(module, name), "postgresql")[0]
        count = max(int(number) for number in re.findall(r"\$(\d)", text))
        link.raw.execute(f"PREPARE asked AS {text}")
        given = ", ".join(["NULL"] * count)
        plan = [row[0].strip() for row in link.raw.execute(f"EXPLAIN EXECUTE asked({given})").fetchall()]
        link.raw.execute("DEALLOCATE asked")
        conditions = [line for line in plan if line.startswith("Index Cond")]
        assert any(f"({key} = " in line for line in conditions), plan
        assert not any(line == "Index Cond: (dealer_id = $1)" for line in conditions), plan
    link.rollback()
    link.close()


def test_what_is_sealed_is_looked_up_by_all_of_its_key(book_url, monkeypatch):
    """Twice a sale's key without its dealer, with whom the index begins: each piece read the whole of that index."""
    link = database.connect(book_url)
    asked = []
    honest = type(link).ask
    monkeypatch.setattr(type(link), "ask", lambda *given: asked.append(given[1:]) or honest(*given))
    for name, known in sealed_tables().items():
        columns = [column for column in tables()[name] if column.key]
        ref = tuple("x" if column.type == "text" else 7 for column in columns if column.name != "dealer_id")
        asked.clear()
        known.digests(link, 1, [ref[0] if len(ref) == 1 else ref])
        [(sql, *values)] = asked
        text = translate(sql, link.kind)[0]
        wanted = {column.name for column in columns}
        if link.kind == "sqlite":
            plan = [row[3] for row in link.raw.execute(f"EXPLAIN QUERY PLAN {text}", ["[]"] * len(values)).fetchall()]
            [condition] = [line for line in plan if f" {name} USING" in line]
            assert set(re.findall(r"(\w+)=\?", condition)) >= wanted or "(rowid=?)" in condition, plan
        else:
            link.raw.execute("SET LOCAL enable_seqscan = off")
            link.raw.execute(f"PREPARE asked AS {text}")
            given = ", ".join(["NULL"] * len(values))
            plan = [row[0].strip() for row in link.raw.execute(f"EXPLAIN EXECUTE asked({given})").fetchall()]
            link.raw.execute("DEALLOCATE asked")
            [condition] = [line for line in plan if line.startswith("Index Cond")]
            assert set(re.findall(r"\((\w+) = ", condition)) >= wanted, plan
    link.rollback()
    link.close()


def test_a_group_of_commands_asks_as_often_as_one(book_url, monkeypatch):
    """Whether their keys were taken is read for all of them at once: a round trip each was most of what they cost."""
    club = Club(book_url)
    numbers = count()
    asked = []
    honest = type(club.link).ask

    def ask(link, sql, *values):
        asked.append(sql)
        return honest(link, sql, *values)

    monkeypatch.setattr(type(club.link), "ask", ask)

    def credit(member, key="", amount=100):
        act = Adjust(key or f"by-hand-{next(numbers)}", "parts_credit", amount, "", "manager")
        return Command(club.dealer, (member,), act)

    def asks(*items):
        asked.clear()
        assert {answer.status for answer in club.recorder.record(items)} == {"recorded"}
        return len(asked)

    asks(*map(credit, MEMBERS))
    assert asks(*map(credit, MEMBERS)) == asks(credit("M0"))
    again = [credit("M0", "by-hand-0", amount) for amount in (100, 200)]
    assert [answer.status for one in again for answer in club.recorder.record([one])] == ["duplicate", "conflict"]
    club.close()
