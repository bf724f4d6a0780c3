"""Whoever goes past the triggers and changes what is sealed is found out, on both databases, and the row is named."""

import contextlib
import shutil
import sqlite3
import threading
import time

import pytest

from tests import postgres
from tests.club import Club
from tests.disarming import disarm
from tierengine.ledger import chain
from tierengine.ledger import sealed as rows_of
from tierengine.ledger.lost import Lost, lost
from tierengine.ledger.sealing import seal
from tierengine.ledger.verify import CHAIN, verify
from tierengine.membership import people
from tierengine.recording.recorder import Recorder
from tierengine.store import database, migrating
from tierengine.store.dialect import doc
from tierengine.store.ids import Ids, transact
from tierengine.store.rows import INSERT_ONLY, Table, tables


def sealed(link, now=1_000):
    """Seal everything; return how many rows."""
    count = 0
    while done := transact(link, Ids(), lambda link, _: seal(link, now, wait=True)):
        count += done
    return count


def run(link, *statements):
    link.begin()
    for sql, *values in statements:
        link.run(sql, *values)
    link.commit()


def fill(url):
    """Make a book with a dozen seals and no triggers any more."""
    migrating.migrate(url)
    club = Club(url)
    for member in ("M1", "M2", "M3", "M4"):
        club.send(*club.golden(member), club.parts(f"{member}-P1", "2026-03-10", member, amount=500_000))
        club.send(club.parts(f"{member}-P2", "2026-03-11", member, amount=300_000))
        club.send(club.returned(f"{member}-P2", "2026-03-12", number=member))
        assert sealed(club.link) > 20
    disarm(club.link)
    club.close()


class There(Club):
    """The club of a book that is there already."""

    def __init__(self, url):
        self.url, self.now = url, int(time.time() * 1e6)
        self.link = database.connect(url)
        self.dealer = self.rows("SELECT id FROM dealer")[0][0]
        self.recorder = Recorder(self.link)


@pytest.fixture(scope="session")
def filled_file(tmp_path_factory):
    made = tmp_path_factory.mktemp("sealed") / "book.db"
    fill(f"sqlite:///{made}")
    with contextlib.closing(sqlite3.connect(made)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def club(request, tmp_path):
    """The filled book, fresh for each test."""
    with contextlib.ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{shutil.copy(request.getfixturevalue('filled_file'), tmp_path / 't.db')}"
        else:
            server = request.getfixturevalue("postgres_server")
            url = stack.enter_context(postgres.database(server, postgres.template(server, fill)))
        club = There(url)
        yield club
        club.close()


def found(club, anchors=()):
    broken = {one.invariant.code: one for one in verify(club.link, anchors)}
    club.link.rollback()
    return broken


def ids(club, table, order="id"):
    return [row[0] for row in club.rows(f"SELECT id FROM {table} ORDER BY {order}")]


def last(club):
    return club.rows("SELECT max(number) FROM seal")[0][0]


def seal_of(club, table, number):
    """The seal that covers a row."""
    for place, refs in club.rows("SELECT number, refs FROM seal"):
        if (table, number) in rows_of.read_refs(refs):
            return place
    raise AssertionError((table, number))


def test_an_honest_book_is_whole_and_every_row_is_sealed(club):
    assert found(club) == {}
    refs = club.rows("SELECT refs FROM seal ORDER BY number")
    covered = [ref for (text,) in refs for ref in rows_of.read_refs(text)]
    there = sum(club.count(table) for table in INSERT_ONLY)
    assert len(covered) == len(set(covered)) == there
    assert club.count("unsealed") == 0
    assert last(club) >= 4


def test_what_is_recorded_after_sealing_waits_and_is_no_fault(club):
    club.send(club.parts("LATE", "2026-04-10"))
    assert club.count("unsealed") > 0
    assert found(club) == {}
    assert sealed(club.link) > 0
    assert found(club) == {}


@pytest.mark.parametrize("table", ["entry", "posting", "lot", "lot_use", "decision", "contribution", "event"])
def test_a_changed_row_is_named(club, table):
    number = ids(club, table)[3]
    column = {"entry": "delta", "decision": "wanted", "event": "occurred_at"}.get(table, "amount")
    run(club.link, (f"UPDATE {table} SET {column} = {column} + 1 WHERE id = ?1", number))
    broken = found(club)
    assert broken["row_changed"].rows == ((club.dealer, seal_of(club, table, number), table, number),)


def test_one_letter_in_an_events_text_is_enough(club):
    number, body = club.rows("SELECT id, body FROM event WHERE kind = 'contact' ORDER BY id")[2]
    changed = str(chain.orjson.dumps(doc(body)).decode()).replace("phone", "phone2")
    cast = "CAST(?1 AS jsonb)" if club.link.kind == "postgresql" else "?1"
    run(club.link, (f"UPDATE event SET body = {cast} WHERE id = ?2", changed, number))
    assert found(club)["row_changed"].rows == ((club.dealer, seal_of(club, "event", number), "event", number),)


def test_a_dropped_posting_is_named(club):
    number = ids(club, "posting")[5]
    place = seal_of(club, "posting", number)
    run(club.link, ("DELETE FROM posting WHERE id = ?1", number))
    broken = found(club)
    assert broken["row_removed"].rows == ((club.dealer, place, "posting", number),)
    assert "entry_differs" in broken


def test_a_row_put_in_between_is_named(club):
    number = ids(club, "posting")[5]
    between = (
        "INSERT INTO posting SELECT 900000001, dealer_id, member_id, entry_id, source_id, destination_id, 1 "
        "FROM posting WHERE id = ?1"
    )
    run(club.link, (between, number))
    assert found(club)["row_unsealed"].rows == ((club.dealer, 0, "posting", 900000001),)


def test_two_seals_that_changed_places_are_named(club):
    run(
        club.link,
        ("UPDATE seal SET number = 1000001 WHERE number = 2",),
        ("UPDATE seal SET number = 2 WHERE number = 3",),
        ("UPDATE seal SET number = 3 WHERE number = 1000001",),
    )
    assert found(club)["seal_broken"].rows[0] == (club.dealer, 2, "", None)


def test_a_seal_put_in_between_is_named(club):
    """With its rows and a hash of its own: what comes after it no longer follows."""
    newest = last(club)
    before = club.rows("SELECT hash FROM seal WHERE number = 2")[0][0]
    refs, digests = "{}", b""
    made = chain.link_hash(before, club.dealer, 3, 7, refs, digests)
    moves = [("UPDATE seal SET number = ?1 WHERE number = ?2", at + 1, at) for at in range(newest, 2, -1)]
    run(
        club.link,
        *moves,
        ("INSERT INTO seal VALUES (?1, 3, 7, ?2, ?3, ?4)", club.dealer, refs, digests, made),
    )
    assert found(club)["seal_broken"].rows[0] == (club.dealer, 4, "", None)


def test_a_seal_that_is_gone_is_named(club):
    run(club.link, ("DELETE FROM seal WHERE number = 2",))
    assert found(club)["seal_missing"].rows == ((club.dealer, 2, "", None),)


def test_a_chain_cut_short_leaves_rows_that_nothing_covers(club):
    newest = last(club)
    uncovered = club.rows("SELECT refs FROM seal WHERE number = ?1", newest)[0][0]
    run(club.link, ("DELETE FROM seal WHERE number = ?1", newest))
    broken = found(club)
    assert broken["row_unsealed"].count == len(rows_of.read_refs(uncovered))
    named = {(row[2], row[3]) for row in broken["row_unsealed"].rows}
    assert named <= set(rows_of.read_refs(uncovered))


def test_a_tail_cut_off_with_its_rows_is_known_by_its_anchor_only(club):
    """The newest event goes with its seal, and the book looks as if it had never come."""
    anchor = [chain.anchor_line(head) for head in chain.heads(club.link)]
    club.link.rollback()
    assert found(club, anchor) == {}
    before = last(club)
    club.send(club.contact("last", "2026-05-01", "M0"))
    club.rows("SELECT 1")
    sealed(club.link)
    later = [*anchor, *[chain.anchor_line(head) for head in chain.heads(club.link)]]
    club.link.rollback()
    assert found(club, later) == {}
    for (refs,) in club.rows("SELECT refs FROM seal WHERE number > ?1", before):
        for table, number in rows_of.read_refs(refs):
            run(club.link, (f"DELETE FROM {table} WHERE id = ?1", number))
    run(club.link, ("DELETE FROM seal WHERE number > ?1", before))
    assert set(found(club)) & set(CHAIN) == set()
    assert set(found(club, anchor)) & set(CHAIN) == set()
    assert found(club, later)["anchor_differs"].rows == ((club.dealer, before + 1, "d1", None),)


def test_the_stretch_that_a_restored_book_lacks_is_named(club):
    """Restored: only up to the first of three anchors; then others are recorded past the second one's number."""

    def anchored():
        [head] = chain.heads(club.link)
        club.link.rollback()
        return head

    def more(name):
        club.send(club.contact(name, "2026-05-01", "M0"))
        club.rows("SELECT 1")
        sealed(club.link)

    def stretches(*heads):
        found = lost(club.link, [chain.anchor_line(head) for head in heads])
        club.link.rollback()
        return found

    first = anchored()
    more("second")
    second = anchored()
    for name in ("third", "fourth"):
        more(name)
    third = anchored()
    assert stretches(third, first, second) == []
    for (refs,) in club.rows("SELECT refs FROM seal WHERE number > ?1", first.number):
        for table, number in rows_of.read_refs(refs):
            run(club.link, (f"DELETE FROM {table} WHERE id = ?1", number))
    run(club.link, ("DELETE FROM seal WHERE number > ?1", first.number))
    ends = ("d1", first.number, first.sealed_at, third.number, third.sealed_at)
    assert stretches(third, first, second) == [Lost(*ends, others=False)]
    assert stretches(first) == []
    assert stretches(third) == [Lost(*ends, others=False)], "all that is here is taken to be as it was"
    club.recorder = Recorder(club.link)
    more("in its place")
    assert stretches(third, first, second) == [Lost(*ends, others=True)]
    assert stretches(second) == [Lost("d1", 0, None, second.number, second.sealed_at, others=True)]
    gone = chain.Head(7, "d7", 3, "x", 5)
    assert stretches(gone, first) == [Lost("d7", 0, None, 3, 5, others=False)], "a whole dealer"


def test_a_chain_forged_from_the_start_differs_from_its_anchor(club):
    anchor = [chain.anchor_line(head) for head in chain.heads(club.link)]
    club.link.rollback()
    number = ids(club, "entry")[0]
    refs = [(club.dealer, text) for (text,) in club.rows("SELECT refs FROM seal ORDER BY number")]
    run(
        club.link,
        ("UPDATE entry SET cause_key = 'forged' WHERE id = ?1", number),
        ("DELETE FROM seal",),
        *(("INSERT INTO unsealed (dealer_id, refs) VALUES (?1, ?2)", dealer, text) for dealer, text in refs),
    )
    sealed(club.link)
    assert set(found(club)) & set(CHAIN) == set()
    assert "anchor_differs" in found(club, anchor)


def test_a_line_that_is_no_anchor_is_said_by_its_number(club):
    with pytest.raises(chain.BadAnchor, match="line 2"):
        verify(club.link, ["", '{"dealer": 7}'])
    club.link.rollback()
    with pytest.raises(chain.BadAnchor, match="line 1"):
        verify(club.link, ['{"dealer": "d1", "number": 9223372036854775808, "hash": "x"}'])
    club.link.rollback()


def test_a_row_changed_before_it_could_be_sealed_away_is_missed_but_a_removed_one_is_not(club):
    club.send(club.parts("LATE", "2026-04-10"))
    number = ids(club, "event")[-1]
    run(club.link, ("DELETE FROM contribution WHERE event_id = ?1", number))
    sealed(club.link)
    assert {row[2] for row in found(club)["row_removed"].rows} == {"contribution"}


def test_the_check_at_a_start_sees_the_last_seals_only(club):
    old, new = (
        rows_of.read_refs(club.rows("SELECT refs FROM seal WHERE number = ?1", at)[0][0]) for at in (1, last(club))
    )
    table, number = next(ref for ref in old if ref[0] == "contribution")
    run(club.link, (f"UPDATE {table} SET amount = amount + 1 WHERE id = ?1", number))
    assert list(chain.check_tail(club.link, 2)) == []
    assert [fault.wrong for fault in chain.check_tail(club.link, 1_000)] == ["row_changed"]
    club.link.rollback()
    table, number = next(ref for ref in new if ref[0] == "event")
    run(club.link, (f"UPDATE {table} SET source = 'other' WHERE id = ?1", number))
    assert [fault.row()[2:] for fault in chain.check_tail(club.link, 2)] == [(table, number)]
    club.link.rollback()


def test_a_transaction_that_commits_late_is_sealed_late_and_never_skipped(postgres_book_url):
    """Its ids lie below those that are sealed already."""
    club = Club(postgres_book_url)
    early = club.recorder
    early.link.begin()
    item = club.contact("early", "2026-03-01", "M1")
    later = There(postgres_book_url)  # as a second process: its own connection and its own block of ids
    committing, go = threading.Event(), threading.Event()
    commit = early.link.commit

    def wait():
        committing.set()
        go.wait(30)
        commit()

    early.ids.reserve(early.link, 600)
    early.link.commit = wait
    thread = threading.Thread(target=lambda: club.send(item))
    thread.start()
    assert committing.wait(30)
    later.send(later.contact("later", "2026-03-02", "M2"))
    sealed(later.link)
    first = {ref for (refs,) in later.rows("SELECT refs FROM seal") for ref in rows_of.read_refs(refs)}
    go.set()
    thread.join(30)
    early.link.commit = commit
    assert sealed(later.link) > 0
    second = {ref for (refs,) in later.rows("SELECT refs FROM seal") for ref in rows_of.read_refs(refs)} - first
    assert min(number for _, number in second) < max(number for _, number in first)
    assert found(later) == {}
    later.close()
    club.close()


def test_the_chain_is_the_same_on_both_databases():
    """Its content is defined by RFC 8785, not by a database: this digest may never change."""
    assert chain.link_hash("", 1, 1, 5, '{"event":[7]}', bytes(32)) == (
        chain.hashlib.sha256(b'["",1,1,5,"{\\"event\\":[7]}","' + b"00" * 32 + b'"]').hexdigest()
    )


def test_the_digest_of_a_row_is_of_its_columns_in_order(club):
    number, *row = club.rows(
        "SELECT id, dealer_id, member_id, entry_id, source_id, destination_id, amount FROM posting"
    )[0]
    dealer, member, entry, source, destination, amount = row
    text = (
        f'posting\n{{"amount":{amount},"dealer_id":{dealer},"destination_id":{destination},"entry_id":{entry},'
        f'"id":{number},"member_id":{member},"source_id":{source}}}'
    )
    got = rows_of.digests_of(club.link, club.dealer, [("posting", number)])
    club.link.rollback()
    assert got == {("posting", number): chain.hashlib.sha256(text.encode()).digest()}


STRANGE = [
    "张三",
    "\U0001f69c",
    'a"b\\c',
    "a\tb\nc\rd\x08e\x0cf",
    "\x01\x1f\x7f",
    "/</script>&",
    "",
    "%s %d",
    "\u2028é",
]


@pytest.mark.parametrize("table", INSERT_ONLY)
def test_what_is_hashed_is_rfc_8785_on_both_databases(book_url, table):
    """Text of every sort, documents with keys out of order, nulls, bytes, truth values; made here another way."""
    link = database.connect(book_url)
    columns = {column.name: column for column in tables()[table]}
    dealer = transact(link, Ids(), lambda link, ids: people.create_dealer(link, ids, "d", "D"))
    link.begin()
    if link.kind == "postgresql":
        # What it names need not be there.
        named = "SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = to_regclass(?1)"
        for (name,) in link.ask(named, table).rows():
            link.run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    else:
        link.run("PRAGMA defer_foreign_keys = ON")
    wanted = {}
    for number, text in enumerate(STRANGE, start=1):
        content = {}
        for place, (name, column) in enumerate(columns.items()):
            kind = column.type
            if kind == "jsonb":
                content[name] = {"zz": text, "b": [1, None, {"y": 2**62, "x": -1}], "a": True}
            elif kind == "bytea":
                content[name] = text.encode() + b"\x00\xff"
            elif kind == "boolean":
                content[name] = number % 2 == 0
            elif kind == "text":
                content[name] = f"{text}{number}"
            elif column.nullable and number % 2:
                content[name] = None
            else:
                content[name] = 2**62 - number if name == "recorded_at" else 100 * number + place
        content["dealer_id"] = dealer
        row = [
            chain.orjson.dumps(content[name], option=chain.orjson.OPT_SORT_KEYS).decode()
            if column.type == "jsonb" and content[name] is not None
            else content[name]
            for name, column in columns.items()
        ]
        link.write(Table(table), [tuple(row)])
        plain = {
            name: value.hex() if isinstance(value, bytes) else int(value) if isinstance(value, bool) else value
            for name, value in content.items()
            if value is not None and (table, name) != ("emission", "applied")
        }
        key = [content[name] for name, column in columns.items() if column.key and name != "dealer_id"]
        whole = f"{table}\n".encode() + chain.orjson.dumps(plain, option=chain.orjson.OPT_SORT_KEYS)
        wanted[table, key[0] if len(key) == 1 else tuple(key)] = chain.hashlib.sha256(whole).digest()
    assert rows_of.digests_of(link, dealer, list(wanted)) == wanted
    for (name, ref), digest in wanted.items():
        assert rows_of.sealed_tables()[name].joined(link, [ref]) == (None if isinstance(ref, tuple) else digest)
    link.rollback()
    link.close()


@pytest.mark.parametrize(
    "refs",
    [
        '{"entry": ["x", 5]}', '{"entry": [[1, 2]]}', '{"entry": 7}', "[]", '{"hold_lot": [1]}',
        '{"entry": [18446744073709551615]}', '{"stranger": ["x", 5, 5]}',
    ],
)  # fmt: skip
def test_a_seal_that_lists_what_cannot_be_rows_is_named(club, refs):
    run(club.link, ("UPDATE seal SET refs = ?1 WHERE number = 2", refs))
    assert found(club)["seal_broken"].rows[0] == (club.dealer, 2, "", None)


def test_rows_read_as_a_stretch_are_those_that_are_looked_up(club, monkeypatch):
    """Whether what lies between them belongs to them (all), hardly (every third) or is gone."""
    wanted = ids(club, "posting")
    singly = rows_of.digests_of(club.link, club.dealer, [("posting", number) for number in wanted])
    assert len(singly) == len(wanted) > 9
    monkeypatch.setattr(rows_of, "_STRETCH", 2)
    for some in (wanted, wanted[::3], [wanted[-1], wanted[0]], [*wanted[:3], 10**12]):
        there = [("posting", number) for number in some if number in wanted]
        got = rows_of.digests_of(club.link, club.dealer, [("posting", number) for number in some])
        assert got == {ref: singly[ref] for ref in there}


def test_what_is_compared_at_once_is_what_is_looked_up(club):
    """Whether they lie together, every third is asked for, the first is gone or one of another is in between."""
    wanted = ids(club, "posting")
    singly = rows_of.digests_of(club.link, club.dealer, [("posting", number) for number in wanted])
    postings = rows_of.sealed_tables()["posting"]
    for some in (wanted, wanted[::3], wanted[-1:], [wanted[0], wanted[-1]]):
        assert postings.joined(club.link, some) == b"".join(singly["posting", number] for number in some)
    for some in ([*wanted[:3], 10**12], [-1, *wanted], [10**12]):
        there = [singly["posting", number] for number in some if number in wanted]
        assert (postings.joined(club.link, some) or b"") == b"".join(there)


def test_a_seal_that_covers_what_no_table_has_is_found_out_though_it_was_forged_well(club):
    """Made with the right hash: a table that is not there, and a row that is listed twice."""
    number, before = club.rows("SELECT number, hash FROM seal ORDER BY number DESC LIMIT 1")[0]
    entry = ids(club, "entry")[0]
    digest = rows_of.digests_of(club.link, club.dealer, [("entry", entry)])["entry", entry]
    forged = f'{{"stranger":[7],"entry":[{entry},{entry}]}}'
    digests = bytes(32) + digest * 2
    after = chain.link_hash(before, club.dealer, number + 1, 5, forged, digests)
    club.link.begin()
    club.link.write(Table("seal"), [(club.dealer, number + 1, 5, forged, digests, after)])
    club.link.commit()
    wrong = found(club)
    assert wrong["row_removed"].rows == ((club.dealer, number + 1, "stranger", 7),)
