"""The tables: one schema for SQLite and PostgreSQL. Alembic's migrations are proven equal to them by a test.

Rules every table follows. Money is integer minor units, points are integers, instants are integer microseconds UTC
(SQLite has no time zone), dates are ISO text. Every row carries its dealer, every row of a member the member, so that
the tables can be distributed by (dealer, member). Ids come from `id_block` in blocks, never from a sequence per row.
Text that is ordered or compared with positions is `COLLATE "C"` on PostgreSQL. Rows written at every sale carry foreign
keys only where a wrong one could not be seen in the row itself (each costs a look-up a row); `verify` checks the rest.

Insert only, and sealed: the tables of INSERT_ONLY (store/rows.py); `seal` itself is insert only too. Caches, rebuilt
identically by `verify --rebuild`: ledger (but for its lock), tier_change, checkpoint, account balances, lot_state,
hold_state, attribute, machine, parked, budget_pot. Operational: dealer, store, member, personal, personal_index,
api_key, policy_draft, staff, staff_session, unsealed.

Migrations are made and tested with them. What writes rows reads the columns in store/layout.py, which `make docs` makes
from here (a test holds the two equal), so that no process loads SQLModel but the one that migrates.

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

METADATA: Final = SQLModel.metadata
