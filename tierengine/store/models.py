"""The tables: one schema for SQLite and PostgreSQL. Alembic's migrations are proven equal to this file by a test.

Rules every table follows. Money is integer minor units, points are integers, instants are integer microseconds UTC
(SQLite has no time zone), dates are ISO text. Every row carries its dealer, every row of a member the member, so that
the tables can be distributed by (dealer, member). Ids come from `id_block` in blocks, never from a sequence per row.
Text that is ordered or compared with positions is `COLLATE "C"` on PostgreSQL. Rows written at every sale carry foreign
keys only where a wrong one could not be seen in the row itself (each costs a look-up a row); `verify` checks the rest.

Insert only, and sealed: the tables of INSERT_ONLY; `seal` itself is insert only too. Caches, rebuilt identically by
`verify --rebuild`: ledger (but for its lock), tier_change, checkpoint, account balances, lot_state, hold_state,
attribute, machine, parked, budget_pot. Operational: dealer, store, member, member_person, member_phone, api_key,
unsealed.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import JSON
from sqlmodel import Field, SQLModel

BIG = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
DOC = JSON().with_variant(postgresql.JSONB(), "postgresql")
# Keys compare byte by byte on both databases.
BYTES = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def _id() -> Any:
    return Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))


def _ref(target: str, *, nullable: bool = False, primary_key: bool = False) -> Any:
    column: Column[int] = Column(BIG, ForeignKey(target), nullable=nullable, primary_key=primary_key)
    return Field(default=None if nullable else ..., sa_column=column)


def _big(*, nullable: bool = False, default: int | None = None) -> Any:
    if default is not None:
        return Field(default=default, sa_column=Column(BIG, nullable=False, server_default=str(default)))
    return Field(default=None if nullable else ..., sa_column=Column(BIG, nullable=nullable))


def _text(*, nullable: bool = False, default: str | None = None) -> Any:
    if default is not None:
        return Field(default=default, sa_column=Column(BYTES, nullable=False, server_default=default))
    return Field(default=None if nullable else ..., sa_column=Column(BYTES, nullable=nullable))


def _doc(*, nullable: bool = False) -> Any:
    return Field(default=None if nullable else ..., sa_column=Column(DOC, nullable=nullable))


class IdBlock(SQLModel, table=True):
    """Next free id; writers take blocks of ids in a short transaction of their own."""

    __tablename__: ClassVar[str] = "id_block"
    name: str = Field(sa_column=Column(Text, primary_key=True))
    next: int = _big()


class Dealer(SQLModel, table=True):
    """Runs the club; one policy line of its own."""

    __tablename__: ClassVar[str] = "dealer"
    id: int = _id()
    code: str = Field(sa_column=Column(BYTES, unique=True, nullable=False))
    name: str = _text()
    timezone: str = _text(default="Asia/Shanghai")
    currency: str = _text(default="CNY")


class Store(SQLModel, table=True):
    """A place of sale. `source` is its class of source (till, erp, …), which bounds how far back it may date."""

    __tablename__: ClassVar[str] = "store"
    __table_args__ = (UniqueConstraint("dealer_id", "code"),)
    id: int = _id()
    dealer_id: int = _ref("dealer.id")
    code: str = _text()
    name: str = _text()


class ApiKey(SQLModel, table=True):
    """A key of a store or batch; only an HMAC of it is kept."""

    __tablename__: ClassVar[str] = "api_key"
    id: int = _id()
    dealer_id: int = _ref("dealer.id")
    store_id: int | None = _ref("store.id", nullable=True)
    prefix: str = Field(sa_column=Column(BYTES, unique=True, nullable=False))
    digest: str = _text()
    role: str = _text()
    created_at: int = _big()
    revoked_at: int | None = _big(nullable=True)


class Member(SQLModel, table=True):
    """A customer on file, person or firm. Names and phones live apart, in `member_person`."""

    __tablename__: ClassVar[str] = "member"
    __table_args__ = (UniqueConstraint("dealer_id", "code"),)
    id: int = _id()
    dealer_id: int = _ref("dealer.id")
    code: str = _text()
    form: str = _text(default="person")
    created_at: int = _big()


class MemberPerson(SQLModel, table=True):
    """Personal data of a member; never in events, logs or stored answers."""

    __tablename__: ClassVar[str] = "member_person"
    member_id: int = _ref("member.id", primary_key=True)
    dealer_id: int = _big()
    name: str = _text()
    phones: list[str] = _doc()
    note: str = _text(default="")


class MemberPhone(SQLModel, table=True):
    """Look-up of a member by phone, digits only."""

    __tablename__: ClassVar[str] = "member_phone"
    dealer_id: int = _ref("dealer.id", primary_key=True)
    phone: str = Field(sa_column=Column(BYTES, primary_key=True))
    member_id: int = _ref("member.id", primary_key=True)


class Ledger(SQLModel, table=True):
    """One row a member: what is locked before anything of his is read or written, and the head of his history.

    `carry` is the fold's state after `head_*`; `entry_no` the number of his last entry. A cache but for the lock.
    """

    __tablename__: ClassVar[str] = "ledger"
    __table_args__ = (Index("ledger_boundary", "dealer_id", "boundary_at"),)
    member_id: int = _ref("member.id", primary_key=True)
    dealer_id: int = _ref("dealer.id")
    entry_no: int = _big(default=0)
    head_at: int = _big(default=0)
    head_class: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    head_key: str = _text(default="")
    tier: str = _text(default="")
    boundary_at: int | None = _big(nullable=True)  # next instant at which time alone may move him
    carry: str = _text(default="")  # canonical JSON


class Machine(SQLModel, table=True):
    """A machine by serial number; a cache of what events said of it last."""

    __tablename__: ClassVar[str] = "machine"
    dealer_id: int = _ref("dealer.id", primary_key=True)
    serial: str = Field(sa_column=Column(BYTES, primary_key=True))
    member_id: int = _ref("member.id")
    brand: str = _text(default="")
    model: str = _text(default="")
    machine_kind: str = _text(default="")
    size: str = _text(default="")
    from_us: bool = False
    delivered_on: str = _text(default="")


class PolicyVersion(SQLModel, table=True):
    """A published policy: immutable, in force from `effective_from`."""

    __tablename__: ClassVar[str] = "policy_version"
    __table_args__ = (UniqueConstraint("dealer_id", "number"),)
    id: int = _id()
    dealer_id: int = _ref("dealer.id")
    number: int = _big()
    text: str = Field(sa_column=Column(Text, nullable=False))
    hash: str = _text()
    author: str = _text()
    reason: str = _text()
    effective_from: int = _big()
    published_at: int = _big()


class Event(SQLModel, table=True):
    """What a source said, as it said it. The highest revision of a key counts."""

    __tablename__: ClassVar[str] = "event"
    __table_args__ = (
        UniqueConstraint("dealer_id", "key", "revision"),
        Index("event_cluster", "cluster", "dealer_id"),
        Index("event_member", "member_id", "occurred_at"),
    )
    id: int = _id()
    dealer_id: int = _ref("dealer.id")
    member_id: int | None = _ref("member.id", nullable=True)
    store_id: int | None = _ref("store.id", nullable=True)
    key: str = _text()
    revision: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    cluster: str = _text()
    kind: str = _text()
    occurred_at: int = _big()
    recorded_at: int = _big()
    source: str = _text()
    source_id: str = _text()
    body: dict[str, Any] = _doc()
    hash: str = _text()


class EventConflict(SQLModel, table=True):
    """Equal key and revision, other content: kept for a person, never booked."""

    __tablename__: ClassVar[str] = "event_conflict"
    id: int = _id()
    dealer_id: int = _big()
    key: str = _text()
    revision: int = Field(sa_column=Column(Integer, nullable=False))
    body: dict[str, Any] = _doc()
    hash: str = _text()
    source: str = _text()
    recorded_at: int = _big()


class Parked(SQLModel, table=True):
    """An event whose named event is not here yet. A cache: the events tell it."""

    __tablename__: ClassVar[str] = "parked"
    event_id: int = _ref("event.id", primary_key=True)
    dealer_id: int = _big()
    waits_for: str = Field(sa_column=Column(BYTES, nullable=False, index=True))
    reason: str = _text()


class ContributionRow(SQLModel, table=True):
    """history.Contribution as a row, with the same meaning. A corrected event's rows are negated, never removed."""

    __tablename__: ClassVar[str] = "contribution"
    __table_args__ = (
        Index("contribution_known", "member_id", "known_at"),
        Index("contribution_cause", "dealer_id", "known_key"),
    )
    id: int = _id()
    dealer_id: int = _big()
    member_id: int = _big()
    event_id: int = _big()
    kind: str = _text()
    line: str = _text()
    at: int = _big()
    known_at: int = _big()
    known_class: int = Field(sa_column=Column(Integer, nullable=False))
    known_key: str = _text()
    cause: str = _text()
    qty: int = _big()
    amount: int = _big()
    fields: dict[str, Any] = _doc()


class Decision(SQLModel, table=True):
    """What the fold decided of (granting event, rule) at one step; the highest id of the three is the one that stands.

    `wanted` is the net amount that should stand from this step on. `basis` holds the facts and carry values used.
    """

    __tablename__: ClassVar[str] = "decision"
    __table_args__ = (
        Index("decision_step", "member_id", "step_at"),
        Index("decision_grant", "dealer_id", "event_key"),
    )
    id: int = _id()
    dealer_id: int = _big()
    member_id: int = _big()
    event_key: str = _text()
    rule: str = _text()
    version_id: int = _big()
    step_at: int = _big()
    step_class: int = Field(sa_column=Column(Integer, nullable=False))
    step_key: str = _text()
    kind: str = _text()  # grant, return, withdrawn
    wallet: str = _text()
    wanted: int = _big()
    usable_from: int = _big()
    expires_at: int | None = _big(nullable=True)
    recorded_at: int = _big()
    basis: dict[str, Any] = _doc()


class Emission(SQLModel, table=True):
    """A derived event for another member; the highest revision of (key) counts, `cancelled` withdraws it."""

    __tablename__: ClassVar[str] = "emission"
    __table_args__ = (UniqueConstraint("dealer_id", "key", "revision"), Index("emission_to", "to_member_id", "applied"))
    id: int = _id()
    dealer_id: int = _big()
    member_id: int = _ref("member.id")  # the giver
    to_member_id: int = _ref("member.id")
    key: str = _text()
    revision: int = Field(sa_column=Column(Integer, nullable=False))
    event_key: str = _text()
    rule: str = _text()
    kind: str = _text()
    occurred_at: int = _big()
    cancelled: bool = False
    applied: bool = False  # delivery state: operational, the content above never changes
    body: dict[str, Any] = _doc()
    recorded_at: int = _big()


class TierChange(SQLModel, table=True):
    """Tiers over time (a cache of the fold): one row for each change of standing with the traits that made it."""

    __tablename__: ClassVar[str] = "tier_change"
    __table_args__ = (Index("tier_change_member", "member_id", "at"),)
    id: int = _id()
    dealer_id: int = _big()
    member_id: int = _big()
    at: int = _big()
    class_: int = Field(sa_column=Column("class", Integer, nullable=False))
    key: str = _text()
    tier: str = _text()
    previous: str = _text()
    since: int = _big()
    until: int | None = _big(nullable=True)
    state: str = _text()
    cause: str = _text()  # promoted, renewed, grace, demoted, excluded, returned, confirmed, assigned, locked, …
    version_id: int = _big()
    traits: list[str] = _doc()
    basis: dict[str, Any] = _doc()


class Checkpoint(SQLModel, table=True):
    """The carry at the end of a month of a member's history (a cache): where a late event starts folding again."""

    __tablename__: ClassVar[str] = "checkpoint"
    member_id: int = _ref("member.id", primary_key=True)
    at: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    dealer_id: int = _big()
    head_class: int = Field(sa_column=Column(Integer, nullable=False))
    head_key: str = _text()
    carry: str = _text()


class Attribute(SQLModel, table=True):
    """The last value of a dated attribute of a member (a cache; the contributions of class 2 tell its history)."""

    __tablename__: ClassVar[str] = "attribute"
    member_id: int = _ref("member.id", primary_key=True)
    name: str = Field(sa_column=Column(BYTES, primary_key=True))
    dealer_id: int = _big()
    value: str = _text()
    changed_at: int = _big()


class Account(SQLModel, table=True):
    """An account. A member has `available`, `held` and `debt` a wallet, with a stored balance; a house account none."""

    __tablename__: ClassVar[str] = "account"
    __table_args__ = (
        UniqueConstraint("dealer_id", "member_id", "wallet", "kind"),
        CheckConstraint("balance IS NULL OR balance >= 0", name="account_balance_not_negative"),
    )
    id: int = _id()
    dealer_id: int = _big()
    member_id: int | None = _ref("member.id", nullable=True)
    wallet: str = _text()
    kind: str = _text()  # member: available, held, debt; house: grants, uses, expired, forgiven, awards
    unit: str = _text()  # CNY or points
    balance: int | None = _big(nullable=True)


class Entry(SQLModel, table=True):
    """One business act: grant, use, hold, capture, return, expire, transfer, … Numbered a member, gapless.

    A grant's entries cite (event_key, rule); `delta` is the signed change of what that pair is worth to the member.
    """

    __tablename__: ClassVar[str] = "entry"
    __table_args__ = (
        UniqueConstraint("member_id", "number"),
        Index("entry_event", "dealer_id", "event_key"),
        Index("entry_recorded", "dealer_id", "recorded_at"),
    )
    id: int = _id()
    dealer_id: int = _big()
    member_id: int = _ref("member.id")
    number: int = _big()
    kind: str = _text()
    wallet: str = _text()
    event_key: str = _text(default="")  # grants: the granting event; uses and returns: the order's event
    rule: str = _text(default="")
    delta: int = _big()
    cause_key: str = _text(default="")  # the observation, command or run whose recording posted this entry
    decision_id: int | None = _big(nullable=True)
    reverses_id: int | None = _big(nullable=True)
    recorded_at: int = _big()


class Posting(SQLModel, table=True):
    """Source account, destination account, positive amount: an entry cannot be written unbalanced."""

    __tablename__: ClassVar[str] = "posting"
    __table_args__ = (
        CheckConstraint("amount > 0", name="posting_amount_positive"),
        CheckConstraint("source_id <> destination_id", name="posting_moves"),
        Index("posting_source", "source_id"),
        Index("posting_destination", "destination_id"),
        Index("posting_entry", "entry_id"),
    )
    id: int = _id()
    dealer_id: int = _big()
    member_id: int = _big()
    entry_id: int = _ref("entry.id")
    source_id: int = _big()
    destination_id: int = _big()
    amount: int = _big()


class Lot(SQLModel, table=True):
    """What one grant put in. Usable from `usable_from`; gone at `expires_at`, the first instant after its last day."""

    __tablename__: ClassVar[str] = "lot"
    __table_args__ = (
        CheckConstraint("amount > 0", name="lot_amount_positive"),
        Index("lot_member", "member_id", "wallet"),
    )
    id: int = _id()
    dealer_id: int = _big()
    member_id: int = _big()
    wallet: str = _text()
    entry_id: int = _ref("entry.id")
    event_key: str = _text()
    rule: str = _text()
    amount: int = _big()
    usable_from: int = _big()
    expires_at: int | None = _big(nullable=True)


class LotUse(SQLModel, table=True):
    """How much of which lot an entry took (positive) or put back (negative)."""

    __tablename__: ClassVar[str] = "lot_use"
    __table_args__ = (
        CheckConstraint("amount <> 0", name="lot_use_moves"),
        Index("lot_use_lot", "lot_id"),
        Index("lot_use_entry", "entry_id"),
    )
    id: int = _id()
    dealer_id: int = _big()
    member_id: int = _big()
    lot_id: int = _ref("lot.id")
    entry_id: int = _big()
    amount: int = _big()


class LotState(SQLModel, table=True):
    """What remains of a lot (a cache of its uses)."""

    __tablename__: ClassVar[str] = "lot_state"
    __table_args__ = (
        CheckConstraint("remaining >= 0", name="lot_remaining_not_negative"),
        Index(
            "lot_state_open",
            "member_id",
            sqlite_where=Column("remaining") > 0,
            postgresql_where=Column("remaining") > 0,
        ),
    )
    lot_id: int = _ref("lot.id", primary_key=True)
    dealer_id: int = _big()
    member_id: int = _big()
    remaining: int = _big()


class BudgetPot(SQLModel, table=True):
    """What a budget over several members has given in one period (a cache of the standing decisions' `budgets`).

    The row with the key "" is what a transaction locks before it reads any pot of the dealer.
    """

    __tablename__: ClassVar[str] = "budget_pot"
    __table_args__ = (CheckConstraint("used >= 0", name="budget_used_not_negative"),)
    dealer_id: int = _ref("dealer.id", primary_key=True)
    key: str = Field(sa_column=Column(BYTES, primary_key=True))
    used: int = _big()


class CommandRow(SQLModel, table=True):
    """What the state was asked for and allowed: a hold, a transfer, an adjustment, an opening balance. Insert only.

    One key, one command: equal content again is the same, other content a conflict. `body` says who asked and why.
    """

    __tablename__: ClassVar[str] = "command"
    __table_args__ = (UniqueConstraint("dealer_id", "key"),)
    id: int = _id()
    dealer_id: int = _big()
    member_id: int = _ref("member.id")
    key: str = _text()
    kind: str = _text()  # hold, transfer, adjust, open
    hash: str = _text()
    body: dict[str, Any] = _doc()
    recorded_at: int = _big()


class Hold(SQLModel, table=True):
    """A part of a wallet promised to an order until `expires_at`, its first instant of freedom."""

    __tablename__: ClassVar[str] = "hold"
    __table_args__ = (
        CheckConstraint("amount > 0", name="hold_amount_positive"),
        UniqueConstraint("dealer_id", "key"),
        Index("hold_order", "dealer_id", "cluster"),
    )
    id: int = _id()
    dealer_id: int = _big()
    member_id: int = _ref("member.id")
    key: str = _text()
    wallet: str = _text()
    cluster: str = _text()  # the order's
    amount: int = _big()
    entry_id: int = _ref("entry.id")
    expires_at: int = _big()
    recorded_at: int = _big()


class HoldLot(SQLModel, table=True):
    """How much of which lot a hold ties up; captures take them in the order of `place`."""

    __tablename__: ClassVar[str] = "hold_lot"
    __table_args__ = (CheckConstraint("amount > 0", name="hold_lot_amount_positive"), Index("hold_lot_lot", "lot_id"))
    hold_id: int = _ref("hold.id", primary_key=True)
    place: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    dealer_id: int = _big()
    member_id: int = _big()
    lot_id: int = _ref("lot.id")
    amount: int = _big()


class HoldEnd(SQLModel, table=True):
    """The one end of a hold: captured, voided or lapsed, and the last entry that it made."""

    __tablename__: ClassVar[str] = "hold_end"
    hold_id: int = _ref("hold.id", primary_key=True)
    dealer_id: int = _big()
    member_id: int = _big()
    kind: str = _text()
    entry_id: int = _ref("entry.id")
    recorded_at: int = _big()


class HoldState(SQLModel, table=True):
    """What of a hold is still tied up (a cache of its captures and its end)."""

    __tablename__: ClassVar[str] = "hold_state"
    __table_args__ = (
        CheckConstraint("remaining >= 0", name="hold_remaining_not_negative"),
        Index(
            "hold_state_open",
            "member_id",
            sqlite_where=Column("remaining") > 0,
            postgresql_where=Column("remaining") > 0,
        ),
    )
    hold_id: int = _ref("hold.id", primary_key=True)
    dealer_id: int = _big()
    member_id: int = _big()
    remaining: int = _big()


class Idempotency(SQLModel, table=True):
    """One key, one effect, one answer: inserted complete, in the transaction of the effect."""

    __tablename__: ClassVar[str] = "idempotency"
    dealer_id: int = _ref("dealer.id", primary_key=True)
    scope: str = Field(sa_column=Column(BYTES, primary_key=True))  # the API key's id
    key: str = Field(sa_column=Column(BYTES, primary_key=True))
    request_hash: str = _text()
    status: int = Field(sa_column=Column(Integer, nullable=False))
    answer: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    recorded_at: int = _big()


class AwardRun(SQLModel, table=True):
    """A frozen list of winners for one award and year, bound to one policy version."""

    __tablename__: ClassVar[str] = "award_run"
    __table_args__ = (UniqueConstraint("dealer_id", "award", "year"),)
    id: int = _id()
    dealer_id: int = _ref("dealer.id")
    award: str = _text()
    year: int = Field(sa_column=Column(Integer, nullable=False))
    version_id: int = _ref("policy_version.id")
    as_of: int = _big()
    list_hash: str = _text()
    planned_at: int = _big()
    plan: dict[str, Any] = _doc()


class AwardWinner(SQLModel, table=True):
    """One winner of a run; `entry` with the same cause key tells whether the prize was issued."""

    __tablename__: ClassVar[str] = "award_winner"
    run_id: int = _ref("award_run.id", primary_key=True)
    member_id: int = _ref("member.id", primary_key=True)
    dealer_id: int = _big()
    place: int = Field(sa_column=Column(Integer, nullable=False))
    score: int = _big()
    prize: int = _big()


class Unsealed(SQLModel, table=True):
    """What one transaction inserted and no seal covers yet; the sealer moves it. A transaction has one row, not many.

    `refs` is canonical JSON: table → the rows' keys (the id, or the list of key columns where there is none).
    """

    __tablename__: ClassVar[str] = "unsealed"
    id: int | None = Field(default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True))
    dealer_id: int = _big()
    refs: str = _text()


class Seal(SQLModel, table=True):
    """A link of a dealer's hash chain: which rows, the SHA-256 of each, and one over these and the link before.

    refs     as in Unsealed
    digests  32 bytes a row, in the order of `refs`
    hash     hexadecimal; ledger/chain.py says of what
    """

    __tablename__: ClassVar[str] = "seal"
    dealer_id: int = _ref("dealer.id", primary_key=True)
    number: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    sealed_at: int = _big()
    refs: str = _text()
    digests: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hash: str = _text()


# What is written once and sealed. `emission.applied`, the state of its delivery, is no part of what is sealed.
INSERT_ONLY: Final = (
    "policy_version", "event", "event_conflict", "contribution", "decision", "emission", "entry", "posting", "lot",
    "lot_use", "command", "hold", "hold_lot", "hold_end", "idempotency", "award_run", "award_winner",
)  # fmt: skip
for _name in INSERT_ONLY:
    SQLModel.metadata.tables[_name].info["insert_only"] = True
