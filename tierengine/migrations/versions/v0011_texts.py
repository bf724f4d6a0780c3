"""Free text of events and commands of before goes under the members' keys; the seals of the rows it left are made anew.

What is sealed never changes otherwise. Here it must, or nobody could ever be erased: so every seal is checked first,
only the digests of rows that lose their text are replaced, and each dealer's audit is told the heads of the chain
before and after, by which an anchor kept outside is understood.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import orjson
from alembic import context, op

from tierengine.access.audit import Acting
from tierengine.judging.observations import content_hash, from_body
from tierengine.ledger.chain import DIGEST, GENESIS, link_hash
from tierengine.ledger.sealed import Ref, digests_by_table, read_listed
from tierengine.personal.vault import Vault
from tierengine.settings import Settings
from tierengine.store.database import NotReady
from tierengine.store.dialect import Link, PostgresLink, SqliteLink, binary, doc
from tierengine.store.ids import Ids

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

PROSE = frozenset(
    (
        "note", "reason", "place", "job", "machine_state", "needs", "changes", "next_plan", "help_wanted", "about",
        "evidence", "to", "co_buyers", "referred",
    )
)  # fmt: skip
TABLES = ("event", "event_conflict", "contribution", "emission", "command")
Changed = dict[str, dict[int, tuple[dict[str, Any], str]]]  # table → id → its document and hash as they are to be


def upgrade() -> None:
    """Move the text, and make the seals of what it stood in anew."""
    raw: Any = op.get_bind().connection.driver_connection
    link: Link = PostgresLink(raw) if op.get_bind().dialect.name == "postgresql" else SqliteLink(raw)
    changed: Changed = {table: {} for table in TABLES}
    texts: list[tuple[int, int, str, str]] = []  # dealer, member, field, text
    _events(link, changed, texts)
    _commands(link, changed, texts)
    for table, column in (("event_conflict", "body"), ("emission", "body"), ("contribution", "fields")):
        _others(link, table, column, changed)
    if not any(changed.values()):
        return
    context.config.attributes["rewrite"] = True
    _seal_texts(link, texts)
    # (Rows of these tables have a number, whoever's they are.)
    before = digests_by_table(link, 0, {table: sorted(rows) for table, rows in changed.items()})
    with _changeable(link):
        _write(link, changed)
        after = digests_by_table(link, 0, {table: sorted(rows) for table, rows in changed.items()})
        for (dealer,) in link.ask("SELECT id FROM dealer ORDER BY id").rows():
            _seal_anew(link, dealer, changed, before, after)


def _events(link: Link, changed: Changed, texts: list[tuple[int, int, str, str]]) -> None:
    owners: dict[int, int] = dict(
        link.ask("SELECT event_id, MAX(member_id) FROM contribution GROUP BY event_id").rows()
    )
    for number, dealer, member, body in link.ask("SELECT id, dealer_id, member_id, body FROM event").rows():
        said = doc(body)
        fields = said.get("fields", {})
        wrote = {name: fields.pop(name) for name in list(fields) if name in PROSE}
        if not wrote:
            continue
        changed["event"][number] = (said, content_hash(from_body(said)))
        owner = member or owners.get(number)
        if owner is not None:
            texts.append((dealer, owner, f"event:{number}", _text(wrote)))


def _commands(link: Link, changed: Changed, texts: list[tuple[int, int, str, str]]) -> None:
    asked = "SELECT id, dealer_id, member_id, kind, hash, body FROM command"
    for number, dealer, member, kind, digest, body in link.ask(asked).rows():
        said = doc(body)
        reason = said.pop("reason", None)
        if reason is None:
            continue
        # (A slip's end was never told apart by its reason.)
        changed["command"][number] = (said, digest if kind == "slip_end" else hashlib.sha256(_bytes(said)).hexdigest())
        texts.append((dealer, member, f"command:{number}", _text({"reason": reason})))


def _others(link: Link, table: str, column: str, changed: Changed) -> None:
    for number, body in link.ask(f"SELECT id, {column} FROM {table}").rows():
        said = doc(body)
        fields = said.get("fields", said) if column == "body" else said
        if not isinstance(fields, dict) or PROSE.isdisjoint(fields):
            continue
        for name in PROSE & fields.keys():
            del fields[name]
        changed[table][number] = (said, content_hash(from_body(said)) if table == "event_conflict" else "")


def _seal_texts(link: Link, texts: list[tuple[int, int, str, str]]) -> None:
    if not texts:
        return
    vault = Vault.of(replace(Settings.read(), database_url=context.config.attributes["url"]))
    for dealer in sorted({one[0] for one in texts}):
        mine = [one[1:] for one in texts if one[0] == dealer]
        keys = vault.keys_made(dealer, {member for member, *_ in mine})
        for member, field, text in mine:
            if member in keys:
                link.run(
                    "INSERT INTO personal (member_id, field, dealer_id, sealed) VALUES (?1, ?2, ?3, ?4)",
                    member, field, dealer, keys.seal(member, field, text),
                )  # fmt: skip
    vault.close()


@contextmanager
def _changeable(link: Link) -> Iterator[None]:
    """Let what is insert only be changed, in this transaction alone."""
    tables = (*TABLES, "seal")
    if link.kind == "postgresql":
        for table in tables:
            link.run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in tables:
            link.run(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        return
    listed = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN (?1*)"
    triggers = link.ask(listed, list(tables)).rows()
    for name, _ in triggers:
        link.run(f"DROP TRIGGER {name}")
    yield
    for _, text in triggers:
        link.run(text)


def _write(link: Link, changed: Changed) -> None:
    for table, rows in changed.items():
        column = "fields" if table == "contribution" else "body"
        cast = "CAST(?2 AS jsonb)" if link.kind == "postgresql" else "?2"
        hashed = table in ("event", "event_conflict", "command")
        sql = f"UPDATE {table} SET {column} = {cast}{', hash = ?3' if hashed else ''} WHERE id = ?1"
        for number, (said, digest) in rows.items():
            link.run(sql, number, _text(said), *((digest,) if hashed else ()))


def _seal_anew(
    link: Link,
    dealer: int,
    changed: Changed,
    old: Mapping[str, Mapping[Ref, bytes]],
    new: Mapping[str, Mapping[Ref, bytes]],
) -> None:
    was = now = GENESIS
    rows = link.ask(
        "SELECT number, sealed_at, refs, digests, hash FROM seal WHERE dealer_id = ?1 ORDER BY number", dealer
    )
    for number, sealed_at, refs, stored, stated in rows.rows():
        digests = bytearray(binary(stored))
        if stated != link_hash(was, dealer, number, sealed_at, refs, bytes(digests)):
            raise NotReady(f"seal {number} of dealer {dealer} does not hold: run the release before and `verify`")
        was, place = stated, 0
        for table, listed in read_listed(refs).items():
            for ref in listed:
                if ref in changed.get(table, {}):
                    if bytes(digests[place : place + DIGEST]) != old[table][ref]:
                        raise NotReady(f"{table} {ref} is not as it was sealed: run the release before and `verify`")
                    digests[place : place + DIGEST] = new[table][ref]
                place += DIGEST
        now = link_hash(now, dealer, number, sealed_at, refs, bytes(digests))
        if now != stated:
            link.run(
                "UPDATE seal SET digests = ?3, hash = ?4 WHERE dealer_id = ?1 AND number = ?2",
                dealer, number, bytes(digests), now,
            )  # fmt: skip
    if now != was:
        _note(link, dealer, was, now)


def _note(link: Link, dealer: int, was: str, now: str) -> None:
    """Tell the audit; its id is taken as every other one is, in this transaction."""
    ((number,),) = link.ask("UPDATE id_block SET next = next + 1 WHERE name = 'row' RETURNING next").rows()
    ids = Ids()
    ids._next, ids._end = number - 1, number  # noqa: SLF001 - `reserve` would commit
    by = Acting(link, ids, dealer, time.time_ns() // 1_000, "command:migrate")
    by.note("book.texts_sealed", "chain", head_before=was, head_after=now)


def _bytes(said: Mapping[str, Any]) -> bytes:
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def _text(said: Mapping[str, Any]) -> str:
    return _bytes(said).decode()
