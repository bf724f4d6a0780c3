"""Keys: what is kept of them, what opens, what no longer opens, and what the audit says of it. On both databases."""

from __future__ import annotations

import hashlib
import stat
import threading

import pytest

from api.app import create_app
from tests.keys import SECRET, acting, keys_url, new_key
from tests.test_api_book import Book, Client, Till, order
from tierengine.access import audit, keys, tokens
from tierengine.access.callers import Caller, find, written
from tierengine.access.secret import Secret
from tierengine.errors import Unknown
from tierengine.ledger.chain import check
from tierengine.ledger.sealing import seal
from tierengine.membership import people
from tierengine.settings import Settings
from tierengine.store import database
from tierengine.store.database import NotReady
from tierengine.store.ids import Ids, transact

NOW = 1_700_000_000_000_000
HOUR = 3_600_000_000
ALONE = Secret(SECRET)


@pytest.fixture
def link(book_url):
    made = database.connect(book_url)
    yield made
    made.rollback()
    made.close()


@pytest.fixture
def dealer(link) -> int:
    return transact(link, Ids(), lambda link, ids: people.create_dealer(link, ids, "D1", "D1"))


def act(link, dealer, deed, now=NOW):
    return transact(link, Ids(), lambda link, ids: deed(acting(link, ids, dealer, now)))


def opened(link, key, now=NOW, secret=ALONE) -> Caller | None:
    found = find(link, secret, key, now, HOUR)
    link.rollback()
    return found


def test_a_key_opens_and_only_its_hmac_is_kept(link, dealer):
    made = act(link, dealer, lambda by: keys.create(by, ALONE, ("archivist", "pos"), name="ERP"))
    who = opened(link, made.key)
    assert who is not None
    assert (who.dealer_id, who.roles, who.store, who.login) == (dealer, {"pos", "archivist"}, "", "")
    assert who.scope.startswith("key:")
    kept = str(link.ask("SELECT * FROM api_key").rows()[0])
    assert made.prefix in kept
    secret = made.key.split("_")[2]
    assert len(secret) - 8 >= 190 / 4
    for told in (secret, secret[:24], hashlib.sha256(made.key.encode()).hexdigest()):
        assert told not in kept
    # Another server's secret knows none of these keys: who copies the book cannot use it elsewhere.
    assert opened(link, made.key, secret=Secret("x" * 32)) is None
    assert opened(link, made.key, secret=Secret("x" * 32, before=SECRET)) is not None


def checked(body: str) -> str:
    """Return a token of this body with the checksum that it should have."""
    return body + tokens._checksum(body)


HARM = {
    "mistyped": lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
    "another prefix": lambda key: "te_" + "0" * 12 + key[15:],
    "another prefix, with its checksum": lambda key: checked("te_" + "0" * 12 + key[15:-8]),
    "another secret, with its checksum": lambda key: checked(key[:-9] + ("0" if key[-9] != "0" else "1")),
    "of another sort": lambda key: checked("ts" + key[2:-8]),
    "in capitals": str.upper,
    "nothing": lambda _: "",
    "not ASCII": lambda _: "é_a_b",
    "with a line more": lambda key: key + "\n",
}


@pytest.mark.parametrize("harm", HARM)
def test_a_key_that_was_harmed_opens_nothing(link, dealer, harm):
    key = transact(link, Ids(), lambda link, ids: new_key(link, ids, dealer, "pos", NOW))
    assert opened(link, key) is not None
    assert opened(link, HARM[harm](key)) is None


def test_a_key_of_before_there_was_a_secret_opens_until_it_is_rotated(link, dealer):
    made = act(link, dealer, lambda by: keys.create(by, ALONE, ("pos",)))
    link.begin()
    link.run("UPDATE api_key SET digest = ?1", "sha256:" + hashlib.sha256(made.key.encode()).hexdigest())
    link.commit()
    assert opened(link, made.key) is not None
    new = act(link, dealer, lambda by: keys.rotate(by, ALONE, made.prefix, keep=0))
    assert opened(link, made.key, NOW + 1) is None
    assert opened(link, new.key) is not None


def test_a_key_that_is_used_while_the_servers_secret_changes_outlives_the_old_one(book_url):
    """Each key is kept as a digest under the secret: without this, taking the old one away would end every till's."""
    new = "the next secret of the servers in tests"
    book, sale = Book(book_url).make(), order("A1")
    changing = Settings(database_url=book_url, keys_url=keys_url(book_url), secret=new, secret_before=SECRET)
    with Client(create_app(changing)) as client:
        till = Till(client, book)
        assert till.post("/v1/sales", sale).status_code == 201
    # What was not used is not known any more; the till's is, and its writes are the same sent again.
    with Client(create_app(Settings(database_url=book_url, keys_url=keys_url(book_url), secret=new))) as client:
        till = Till(client, book)
        again = till.post("/v1/sales", sale)
        assert (again.status_code, again.headers.get("idempotent-replayed")) == (201, "true")
        assert till.post("/v1/sales", order("A2")).status_code == 201
        assert client.get("/v1/keys", headers={"authorization": f"Bearer {book.keys['D1/admin']}"}).status_code == 401
    with Client(create_app(Settings(database_url=book_url, keys_url=keys_url(book_url), secret=SECRET))) as client:
        assert Till(client, book).post("/v1/sales", order("A3")).status_code == 401


def test_two_keys_are_valid_at_once_while_one_is_rotated_and_the_old_one_ends(link, dealer):
    store = transact(link, Ids(), lambda link, ids: people.create_store(link, ids, dealer, "S01", "S01"))
    old = act(link, dealer, lambda by: keys.create(by, ALONE, ("pos",), store_id=store, name="till 1"))
    new = act(link, dealer, lambda by: keys.rotate(by, ALONE, old.prefix, keep=HOUR))
    both = [opened(link, one.key, NOW + HOUR - 1) for one in (old, new)]
    assert [(one.store, one.roles) for one in both if one] == [("S01", {"pos"})] * 2
    assert opened(link, old.key, NOW + HOUR) is None
    assert opened(link, new.key, NOW + 10_000 * HOUR) is not None
    act(link, dealer, lambda by: keys.revoke(by, old.prefix))
    with pytest.raises(Unknown):
        act(link, dealer, lambda by: keys.rotate(by, ALONE, old.prefix, keep=HOUR))
    listed = {one.prefix: one for one in keys.every(link, dealer)}
    assert (listed[old.prefix].state(NOW), listed[new.prefix].state(NOW)) == ("revoked", "valid")
    assert listed[new.prefix].name == "till 1"


def test_rotating_never_makes_a_key_live_longer(link, dealer):
    old = act(link, dealer, lambda by: keys.create(by, ALONE, ("auditor",), expires_at=NOW + HOUR))
    new = act(link, dealer, lambda by: keys.rotate(by, ALONE, old.prefix, keep=50 * HOUR))
    for one in (old, new):
        assert opened(link, one.key, NOW + HOUR - 1) is not None
        assert opened(link, one.key, NOW + HOUR) is None
    assert {(one.state(NOW + HOUR - 1), one.state(NOW + HOUR)) for one in keys.every(link, dealer)} == {
        ("valid", "expired")
    }
    link.rollback()
    with pytest.raises(Unknown):
        act(link, dealer, lambda by: keys.rotate(by, ALONE, old.prefix, keep=HOUR), NOW + HOUR)


def test_a_revoked_key_opens_nothing_and_is_revoked_once(link, dealer):
    made = act(link, dealer, lambda by: keys.create(by, ALONE, ("auditor",)))
    act(link, dealer, lambda by: keys.revoke(by, made.prefix))
    assert opened(link, made.key) is None
    with pytest.raises(Unknown):
        act(link, dealer, lambda by: keys.revoke(by, made.prefix))


def test_another_dealers_key_is_not_there(link, dealer):
    made = act(link, dealer, lambda by: keys.create(by, ALONE, ("pos",)))
    other = transact(link, Ids(), lambda link, ids: people.create_dealer(link, ids, "D2", "D2"))
    for deed in (
        lambda by: keys.revoke(by, made.prefix),
        lambda by: keys.rotate(by, ALONE, made.prefix, keep=HOUR),
    ):
        with pytest.raises(Unknown):
            act(link, other, deed)
    assert keys.every(link, other) == []
    assert opened(link, made.key) is not None


def test_the_last_use_is_kept_and_never_goes_back(link, dealer):
    made = act(link, dealer, lambda by: keys.create(by, ALONE, ("pos",)))
    for at, wanted in ((NOW + 5, NOW + 5), (NOW + 1, NOW + 5), (NOW + 9, NOW + 9)):
        link.begin()
        keys.used(link, [made.prefix, "000000000000"], at)
        link.commit()
        assert keys.every(link, dealer)[0].last_used_at == wanted
        link.rollback()


@pytest.mark.parametrize("roles", [(), ("boss",), ("pos", "boss")])
def test_there_is_no_key_for_a_role_that_there_is_not(roles):
    with pytest.raises(ValueError, match="is no role"):
        written(roles)


def test_every_act_is_in_the_audit_and_the_audit_is_sealed(link, dealer):
    made = act(link, dealer, lambda by: keys.create(by, ALONE, ("pos",)))
    new = act(link, dealer, lambda by: keys.rotate(by, ALONE, made.prefix, keep=HOUR), NOW + 1)
    act(link, dealer, lambda by: keys.revoke(by, made.prefix), NOW + 2)
    lines = audit.page(link, dealer)
    assert [(one.act, one.subject) for one in lines] == [
        (f"key.{what}", f"key:{made.prefix}") for what in ("revoke", "rotate", "create")
    ]
    assert lines[1].body["new"] == new.prefix
    assert {one.actor for one in lines} == {"command:test"}
    assert [audit.page(link, dealer, before=audit.read_cursor(lines[0].cursor))[0].act] == ["key.rotate"]
    link.rollback()
    transact(link, Ids(), lambda link, _: seal(link, NOW, wait=True))
    assert list(check(link)) == []
    link.rollback()
    # Whoever goes past the triggers is found out.
    link.begin()
    if link.kind == "sqlite":
        link.run("DROP TRIGGER audit_refuses_update")
    else:
        link.run("ALTER TABLE audit DISABLE TRIGGER audit_insert_only")
    link.run("UPDATE audit SET actor = 'staff:nobody' WHERE act = 'key.revoke'")
    link.commit()
    assert [(one.wrong, one.table) for one in check(link)] == [("row_changed", "audit")]
    link.rollback()


# ---- the secret -------------------------------------------------------------------------------------------------


def test_each_purpose_has_a_key_of_its_own():
    one, two = Secret("a" * 32), Secret("b" * 32)
    made = {secret.key(purpose) for secret in (one, two) for purpose in ("token", "phone")}
    assert len(made) == 4
    assert one.key("token") == Secret("a" * 32).key("token")
    assert {len(key) for key in made} == {32}


def test_a_book_on_sqlite_has_a_secret_of_its_own_that_only_its_owner_reads(tmp_path):
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'b.db'}")
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(Secret.of(settings).key("x"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8
    (kept,) = tmp_path.iterdir()
    assert kept.name == "b.db.secret"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert Secret.of(Settings(database_url=f"sqlite:///{tmp_path / 'c.db'}")).key("x") not in found


def test_on_postgresql_the_secret_is_in_the_working_folder_unless_it_guards_personal_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tried = Settings(database_url="postgresql+psycopg://u:p@x/y%2Fz?host=/run")
    assert Secret.of(tried).key("x") == Secret.of(tried).key("x")
    (kept,) = tmp_path.iterdir()
    assert (kept.name, stat.S_IMODE(kept.stat().st_mode)) == ("z.secret", 0o600)
    with pytest.raises(NotReady, match="TIERENGINE_SECRET"):
        Secret.of(Settings(database_url="postgresql://x/y", keys_url="postgresql://x/keys"))
    named = Settings(database_url="postgresql://x/y", secret_file=str(tmp_path / "s"))
    assert Secret.of(named).key("x") == Secret.of(named).key("x")
    (tmp_path / "s").write_text("short\n")
    with pytest.raises(NotReady, match="at least 32"):
        Secret.of(named)
    with pytest.raises(NotReady, match="cannot be read"):
        Secret.of(Settings(database_url="postgresql://x/y", secret_file=str(tmp_path / "no" / "s")))
