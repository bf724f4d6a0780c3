"""Personal data stands sealed under a key of each member, outside the book; who is erased cannot be read any more."""

import sqlite3
import time

import pytest

from tests.club import Club
from tests.keys import SECRET, acting, keys_url, vault_of
from tests.test_migrations import filled, stored
from tierengine.access.secret import Secret
from tierengine.errors import Refused, Unknown
from tierengine.judging import observations
from tierengine.ledger.chain import check
from tierengine.ledger.sealing import seal
from tierengine.membership import people
from tierengine.membership.export import export
from tierengine.membership.export_words import SECTIONS
from tierengine.personal import records, texts
from tierengine.personal.erasure import erase, erased_at
from tierengine.personal.keystore import KeyStore, url_of
from tierengine.personal.records import Person
from tierengine.personal.vault import Keys, Unopened, Vault
from tierengine.recording.recorder import Recorder
from tierengine.settings import Settings
from tierengine.store import database, migrating
from tierengine.store.database import NotReady
from tierengine.store.dialect import binary, doc
from tierengine.store.ids import Ids, transact
from tierengine.store.rows import INSERT_ONLY, Table, tables
from tierengine.store.tables import METADATA

PHONES = '["13812340001"]'
WANG = people.NewMember("N1", "王五", ("+86 138-0000-0001",), note="爱喝茶", contact="李经理 13800000009")


def act(club, what):
    return transact(club.link, Ids(), what)


def on_file(club, vault, *members):
    numbers = act(club, lambda link, ids: people.create_members(link, ids, club.dealer, members, club.now, vault))
    return dict(zip((one.code for one in members), numbers, strict=True))


def erased(club, vault, code, **how):
    return act(club, lambda link, ids: erase(acting(link, ids, club.dealer, club.now), vault, code, second="li", **how))


def test_what_is_stored_opens_with_the_key_of_that_member_and_field_alone(club, vault):
    ids = on_file(club, vault, WANG, people.NewMember("N2", "赵六"))
    keys = vault.keys(club.dealer, ids.values())
    rows = club.rows("SELECT member_id, field, sealed FROM personal ORDER BY member_id, field")
    for member, field, sealed in rows:
        assert keys.open(member, field, binary(sealed))
        other = next(one for one in ids.values() if one != member)
        for wrong in ((other, field), (member, "note" if field != "note" else "name")):
            with pytest.raises(Unopened):
                keys.open(*wrong, binary(sealed))
        for place in (0, 1, -1):  # the form, the nonce, the seal
            changed = bytearray(binary(sealed))
            changed[place] ^= 1
            with pytest.raises(Unopened):
                keys.open(member, field, bytes(changed))
    assert len({binary(sealed)[1:13] for _, _, sealed in rows}) == len(rows)  # no nonce twice
    person = records.people_of(club.link, vault, club.dealer, [ids["N1"]])[ids["N1"]]
    assert person == Person("王五", ("13800000001",), "李经理 13800000009", "爱喝茶")


def test_what_is_sealed_is_bound_to_dealer_member_and_field_whatever_the_key():
    """Two members with one key are a fault in itself; it must not make two more."""
    key = bytes(range(32))
    sealed = Keys(1, {1: key, 2: key}).seal(1, "name", "王五")
    assert Keys(1, {1: key}).open(1, "name", sealed) == "王五"
    for dealer, member, field in ((2, 1, "name"), (1, 2, "name"), (1, 1, "note")):
        with pytest.raises(Unopened):
            Keys(dealer, {member: key}).open(member, field, sealed)


def test_a_digest_tells_nothing_to_another_dealer_or_of_another_field(vault):
    asked = [(1, "phone"), (2, "phone"), (1, "name")]
    assert len({vault.digest(dealer, field, "13800000001") for dealer, field in asked}) == len(asked)
    assert vault.digest(1, "phone", "13800000001") == vault.digest(1, "phone", "13800000001")


def test_who_has_nothing_personal_on_file_has_no_key(club, vault):
    on_file(club, vault, people.NewMember("N1"))
    assert vault.store.holders() == []


def test_personal_data_is_put_right_field_by_field(club, vault):
    number = on_file(club, vault, WANG)["N1"]
    change = Person(phones=("13900000002",))
    act(club, lambda link, _: records.change(link, vault, club.dealer, number, change, ["phones", "note"]))
    found = records.people_of(club.link, vault, club.dealer, [number])[number]
    assert found == Person("王五", ("13900000002",), "李经理 13800000009", "")
    asked = {
        one: people.find_members(club.link, club.dealer, "phone", one, vault) for one in ("13800000001", "13900000002")
    }
    assert [len(hits) for hits in asked.values()] == [0, 1]


def test_an_erased_member_is_found_by_nothing_and_never_gets_a_key_again(club, vault):
    number = on_file(club, vault, WANG)["N1"]
    first = erased(club, vault, "N1")
    assert not first.again
    assert erased(club, vault, "N1").again
    assert erased_at(club.link, number) == first.recorded_at
    assert club.rows("SELECT 1 FROM personal UNION ALL SELECT 1 FROM personal_index") == []
    assert vault.store.keys([number]) == {}
    for by, value in (("phone", "13800000001"), ("name", "王五")):
        assert people.find_members(club.link, club.dealer, by, value, vault) == []
    act(club, lambda link, _: records.save(link, vault, club.dealer, {number: Person("王五")}))
    assert records.people_of(club.link, vault, club.dealer, [number]) == {}
    assert club.rows("SELECT 1 FROM personal") == []
    told = export(club.link, vault, club.dealer, "N1", club.now)
    assert (told["person"]["name"], bool(told["erased_at"])) == ("", True)


def test_an_unknown_member_is_not_erased(club, vault):
    with pytest.raises(Unknown):
        erased(club, vault, "NOBODY")


def test_who_has_credit_is_erased_only_when_he_gives_it_up(club, vault):
    club.send(*club.golden("M1"))
    club.send(club.parts("P1", "2026-04-01", "M1", amount=10_000_00))
    assert club.rows("SELECT sum(remaining) FROM lot_state")[0][0]
    with pytest.raises(Refused) as refused:
        erased(club, vault, "M1")
    assert refused.value.code == "erase_credit"
    net = club.net()
    erased(club, vault, "M1", forfeit=True)
    assert club.net() == net


# Tables with a member whose rows tell nothing that the sections do not: caches, sides and parts of rows told above.
TOLD_ELSEWHERE = frozenset(
    (
        "checkpoint",
        "hold_end",
        "hold_lot",
        "hold_state",
        "ledger",
        "lot_state",
        "lot_use",
        "member",
        "personal",
        "personal_index",
        "posting",
        "webhook_standing",
    )
)


def test_every_table_with_a_member_is_exported_or_told_elsewhere():
    told = {one.table for one in SECTIONS} | TOLD_ELSEWHERE
    columns = {name: {column.name for column in listed} for name, listed in tables().items()}
    with_member = {name for name, listed in columns.items() if "member_id" in listed}
    assert with_member <= told
    for one in SECTIONS:
        assert {*one.columns.split(), one.by} <= columns[one.table]


def test_all_that_is_his_is_found_and_nothing_of_another(book_url):
    """Holds, machines, awards and messages are found by what names them: the same rows as by the member alone."""
    made = migrating.engine(book_url)
    with made.begin() as connection:
        done = set()
        for name in ("member", "store"):
            stored(connection, name, done)
        table = METADATA.tables["contribution"]
        connection.execute(table.insert().values(**filled(table) | {"fields": {"serial": "x"}}))
        done.add("contribution")
        for name in (*(one.table for one in SECTIONS), "hold_lot"):
            stored(connection, name, done)
    made.dispose()
    link = database.connect(book_url)
    for one in SECTIONS:
        listed = ", ".join(f'"{column}"' for column in one.columns.split())
        for who in ("x", "y") if one.by == "subject" else (1, 2):
            wanted = link.ask(f"SELECT {listed} FROM {one.table} WHERE {one.by} = ?1", who).rows()
            assert link.ask(one.sql, who, 1).rows() == wanted, one.table
            assert bool(wanted) == (who in ("x", 1)), one.table
    link.rollback()
    link.close()


# ---- the keys


def test_keys_are_refused_a_place_in_the_book_itself():
    with pytest.raises(NotReady, match="the book itself"):
        url_of(Settings(database_url="postgresql://h/b", keys_url="postgresql://h/b"))
    with pytest.raises(NotReady, match="the book itself"):
        url_of(Settings(database_url="postgresql://a@h/b", keys_url="postgres://c:d@h/b?sslmode=require"))
    with pytest.raises(NotReady, match="the book itself"):
        url_of(Settings(database_url="sqlite:////a/b.db", keys_url="sqlite:////a/b.db"))
    with pytest.raises(NotReady, match="TIERENGINE_KEYS_URL"):
        url_of(Settings(database_url="postgresql://h/b"))
    assert url_of(Settings(database_url="sqlite:////a/b.db")) == "sqlite:////a/b.db.keys"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'k.keys'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    made = KeyStore(url)
    yield made
    made.close()


def test_the_keys_are_kept_wrapped_and_change_their_wrapping_with_the_secret(store):
    old, new = Secret(SECRET), Secret("n" * 40, before=SECRET)
    first = Vault(store, old)
    sealed = first.keys_made(1, [7, 8]).seal(7, "name", "王五")
    digest = first.digest(1, "phone", "13800000001")
    assert Vault(store, new).rewrap() == 2
    after = Vault(store, Secret("n" * 40))
    assert after.keys(1, [7]).open(7, "name", sealed) == "王五"
    assert after.digest(1, "phone", "13800000001") == digest
    with pytest.raises(NotReady, match="server secret"):
        Vault(store, old).keys(1, [7])
    after.destroy(7, 1)
    after.destroy(7, 2)
    assert 7 not in after.keys_made(1, [7, 8])
    assert store._do(("SELECT member_id, at FROM destroyed", ())) == [(7, 1)]


def test_a_destroyed_key_is_nowhere_in_the_file_any_more(tmp_path):
    vault = Vault(KeyStore(f"sqlite:///{tmp_path / 'k.keys'}"), Secret(SECRET))
    vault.keys_made(1, range(1, 40))
    wrapped = vault.store.keys([17])[17]
    assert wrapped in (tmp_path / "k.keys").read_bytes()
    vault.destroy(17, 1)
    vault.close()
    assert all(wrapped not in one.read_bytes() for one in tmp_path.iterdir())
    assert (tmp_path / "k.keys").stat().st_mode & 0o077 == 0


def test_two_processes_that_make_a_key_at_once_get_the_same(store):
    other = KeyStore(store.url)
    store.add({1: b"a"})
    other.add({1: b"b", 2: b"c"})
    assert store.keys([1, 2]) == {1: b"a", 2: b"c"}
    other.close()


# ---- books of before


def test_plain_text_of_before_is_sealed_and_left_nowhere(database_url, monkeypatch, tmp_path):
    monkeypatch.setenv("TIERENGINE_SECRET", SECRET)
    monkeypatch.setenv("TIERENGINE_KEYS_URL", keys_url(database_url))
    migrating.migrate(database_url, "0009")
    made = migrating.engine(database_url)
    with made.begin() as connection:
        statements = (
            "INSERT INTO dealer (id, code, name) VALUES (1, 'd', 'D')",
            "INSERT INTO member (id, dealer_id, code, created_at) VALUES (2, 1, 'C1', 0), (3, 1, 'C2', 0)",
            "INSERT INTO ledger (member_id, dealer_id) VALUES (2, 1), (3, 1)",
            "INSERT INTO member_person (member_id, dealer_id, name, phones, note) VALUES (3, 1, '', '[]', '')",
            f"INSERT INTO member_person VALUES (2, 1, '口令王五', '{PHONES}', '口令备注')",
            "INSERT INTO member_phone VALUES (1, '13812340001', 2)",
        )
        for sql in statements:
            connection.exec_driver_sql(sql)
    made.dispose()
    migrating.migrate(database_url)
    vault, link = vault_of(database_url), database.connect(database_url, readonly=True)
    assert records.people_of(link, vault, 1, [2, 3]) == {2: Person("口令王五", ("13812340001",), "", "口令备注")}
    assert people.find_members(link, 1, "phone", "+86 138 1234 0001", vault) == [(2, "C1")]
    assert vault.store.holders() == [2]
    link.rollback()
    link.close()
    vault.close()
    if database_url.startswith("sqlite"):
        with sqlite3.connect(database.sqlite_path(database_url)) as raw:
            dumped = "\n".join(raw.iterdump())
        raw.close()
        files = [one for one in tmp_path.iterdir() if one.is_file()]
        for mark in ("口令", "13812340001"):
            assert mark not in dumped
            assert [one.name for one in files if mark.encode() in one.read_bytes()] == []


def altered(url, change):
    made = migrating.engine(url)
    with made.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE ledger {change}")
    made.dispose()


def test_free_text_of_before_goes_under_the_keys_and_the_chain_holds(database_url, monkeypatch, tmp_path):
    monkeypatch.setenv("TIERENGINE_SECRET", SECRET)
    monkeypatch.setenv("TIERENGINE_KEYS_URL", keys_url(database_url))
    migrating.migrate(database_url, "0010")
    # What records here is of today: it writes a column that came after the texts were moved.
    altered(database_url, "ADD COLUMN joined_id BIGINT")
    club = Club(database_url)
    with monkeypatch.context() as before:
        before.setattr(observations, "PROSE", frozenset())
        club.send(
            club.parts("P1", "2026-03-01", "M1"), club.contact(1, "2026-03-02", "M1", note="口令一", job="口令二")
        )
        club.send(club.returned("P1", "2026-03-03", reason="口令三"), club.contact(2, "2026-03-04", "M2"))
        club.send(club.said("deal_lost", "2026-03-05", "M1", source_id="d1", reason="口令四"))
    said = '{"amount":100,"by":"U1","kind":"adjust","members":["M1"],"reason":"口令五","wallet":"w"}'
    row = (900_000, club.dealer, club.recorder._members[club.dealer, "M1"], "adjust:1", "adjust", "h", said, 1)
    transact(club.link, Ids(), lambda link, _: link.write(Table("command"), [row]))
    while transact(club.link, Ids(), lambda link, _: seal(link, 1)):
        pass
    assert list(check(club.link)) == []
    club.link.rollback()
    ((head,),) = club.rows("SELECT max(hash) FROM seal WHERE number = (SELECT max(number) FROM seal)")
    club.close()
    altered(database_url, "DROP COLUMN joined_id")
    migrating.migrate(database_url)
    club = Club.__new__(Club)
    club.url, club.link = database_url, database.connect(database_url)
    assert list(check(club.link)) == []
    ((heads,),) = club.rows("SELECT body FROM audit WHERE act = 'book.texts_sealed'")
    assert doc(heads)["head_before"] == head
    every = [str(row) for name in INSERT_ONLY for row in club.rows(f"SELECT * FROM {name}")]
    assert every
    assert [text for text in every if "口令" in text or "\\u53e3" in text] == []
    vault = vault_of(database_url)
    ((dealer, number),) = club.rows("SELECT dealer_id, id FROM member WHERE code = 'M1'")
    wrote = [text for one in texts.of_member(club.link, vault, dealer, number).values() for text in one.values()]
    assert sorted(map(str, wrote)) == ["口令一", "口令三", "口令二", "口令五", "口令四"]
    with pytest.raises(Exception, match="insert only"):
        club.link.run("UPDATE event SET hash = ''")
    club.link.rollback()
    club.now, club.dealer, club.recorder = int(time.time() * 1e6), dealer, Recorder(club.link)
    again = club.send(club.contact(1, "2026-03-02", "M1", note="别的"))
    assert [one.status for one in again] == ["duplicate"]
    vault.close()
    club.close()
    if database_url.startswith("sqlite"):
        files = [one for one in tmp_path.iterdir() if one.is_file()]
        assert [one.name for one in files if "口令".encode() in one.read_bytes()] == []
