"""The tables: one schema for SQLite and PostgreSQL. Alembic's migrations are proven equal to them by a test.

Rules every table follows. Money is integer minor units, points are integers, instants are integer microseconds UTC
(SQLite has no time zone), dates are ISO text. Every row carries its dealer, every row of a member the member, so that
the tables can be distributed by (dealer, member). Ids come from `id_block` in blocks, never from a sequence per row.
Text that is ordered or compared with positions is `COLLATE "C"` on PostgreSQL. Rows written at every sale carry foreign
keys only where a wrong one could not be seen in the row itself (each costs a look-up a row); `verify` checks the rest.

Insert only, and sealed: the tables of INSERT_ONLY; `seal` itself is insert only too. Caches, rebuilt identically by
`verify --rebuild`: ledger (but for its lock), tier_change, checkpoint, account balances, lot_state, hold_state,
attribute, machine, parked, budget_pot. Operational: dealer, store, member, personal, personal_index, api_key,
policy_draft, staff, staff_session, unsealed.

Whoever imports one module has imported all of them, so that the metadata is whole.
"""

from __future__ import annotations

from typing import Final

from sqlmodel import SQLModel

from tierengine.store.tables import (  # noqa: F401 - importing them registers their tables
    access,
    awards,
    book,
    drafts,
    history,
    holds,
    judgement,
    people,
    requests,
    seals,
    webhooks,
)

# What is written once and sealed. `emission.applied`, the state of its delivery, is no part of what is sealed.
INSERT_ONLY: Final = (
    "policy_version", "event", "event_conflict", "contribution", "decision", "emission", "entry", "posting", "lot",
    "lot_use", "command", "hold", "hold_lot", "hold_end", "idempotency", "award_run", "award_winner",
    "audit", "erasure",
)  # fmt: skip
for _name in INSERT_ONLY:
    SQLModel.metadata.tables[_name].info["insert_only"] = True
