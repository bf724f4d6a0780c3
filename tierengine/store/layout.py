"""The columns of every table, made from tierengine/store/tables by `make docs`: not to be edited.

Each has its name and PostgreSQL's word for its type; `key`: it is of the primary key; `null`: it may be null.
"""

from __future__ import annotations

from typing import Final

LAYOUT: Final = """
account (id bigint key, dealer_id bigint, member_id bigint null, wallet text, kind text, unit text,
    balance bigint null)
api_key (id bigint key, dealer_id bigint, store_id bigint null, prefix text, digest text, roles text, name text,
    created_at bigint, expires_at bigint null, last_used_at bigint null, revoked_at bigint null,
    origin_id bigint null)
attribute (member_id bigint key, name text key, dealer_id bigint, value text, changed_at bigint)
audit (id bigint key, dealer_id bigint, recorded_at bigint, actor text, act text, subject text, request text,
    body jsonb)
award_run (id bigint key, dealer_id bigint, award text, year integer, version_id bigint, as_of bigint, list_hash text,
    planned_at bigint, plan jsonb)
award_winner (run_id bigint key, member_id bigint key, dealer_id bigint, place integer, score bigint, prize bigint)
budget_pot (dealer_id bigint key, key text key, used bigint)
checkpoint (member_id bigint key, at bigint key, dealer_id bigint, head_class integer, head_key text, carry text)
command (id bigint key, dealer_id bigint, member_id bigint, key text, kind text, hash text, body jsonb,
    recorded_at bigint)
contribution (id bigint key, dealer_id bigint, member_id bigint, event_id bigint, kind text, line text, at bigint,
    known_at bigint, known_class integer, known_key text, cause text, qty bigint, amount bigint, fields jsonb)
dealer (id bigint key, code text, name text, timezone text, currency text)
decision (id bigint key, dealer_id bigint, member_id bigint, event_key text, rule text, version_id bigint,
    step_at bigint, step_class integer, step_key text, kind text, wallet text, wanted bigint, usable_from bigint,
    expires_at bigint null, recorded_at bigint, basis jsonb)
emission (id bigint key, dealer_id bigint, member_id bigint, to_member_id bigint, key text, revision integer,
    event_key text, rule text, kind text, occurred_at bigint, cancelled boolean, applied boolean, body jsonb,
    recorded_at bigint)
entry (id bigint key, dealer_id bigint, member_id bigint, number bigint, kind text, wallet text, event_key text,
    rule text, delta bigint, cause_key text, decision_id bigint null, reverses_id bigint null, recorded_at bigint)
erasure (member_id bigint key, dealer_id bigint, recorded_at bigint, actor text)
event (id bigint key, dealer_id bigint, member_id bigint null, store_id bigint null, key text, revision integer,
    cluster text, kind text, occurred_at bigint, recorded_at bigint, source text, source_id text, body jsonb,
    hash text)
event_conflict (id bigint key, dealer_id bigint, key text, revision integer, body jsonb, hash text, source text,
    recorded_at bigint)
hold (id bigint key, dealer_id bigint, member_id bigint, key text, wallet text, cluster text, amount bigint,
    entry_id bigint, expires_at bigint, recorded_at bigint)
hold_end (hold_id bigint key, dealer_id bigint, member_id bigint, kind text, entry_id bigint, recorded_at bigint)
hold_lot (hold_id bigint key, place integer key, dealer_id bigint, member_id bigint, lot_id bigint, amount bigint)
hold_state (hold_id bigint key, dealer_id bigint, member_id bigint, remaining bigint)
id_block (name text key, next bigint)
idempotency (dealer_id bigint key, scope text key, key text key, request_hash text, status integer, answer bytea,
    recorded_at bigint)
ledger (member_id bigint key, dealer_id bigint, entry_no bigint, head_at bigint, head_class integer, head_key text,
    tier text, boundary_at bigint null, carry text, joined_id bigint null)
lot (id bigint key, dealer_id bigint, member_id bigint, wallet text, entry_id bigint, event_key text, rule text,
    amount bigint, usable_from bigint, expires_at bigint null)
lot_state (lot_id bigint key, dealer_id bigint, member_id bigint, remaining bigint)
lot_use (id bigint key, dealer_id bigint, member_id bigint, lot_id bigint, entry_id bigint, amount bigint)
machine (dealer_id bigint key, serial text key, member_id bigint, brand text, model text, machine_kind text,
    size text, from_us boolean, delivered_on text)
member (id bigint key, dealer_id bigint, code text, form text, created_at bigint)
parked (event_id bigint key, dealer_id bigint, waits_for text, reason text)
personal (member_id bigint key, field text key, dealer_id bigint, sealed bytea)
personal_index (dealer_id bigint key, field text key, digest text key, member_id bigint key)
policy_draft (dealer_id bigint key, name text key, revision bigint, text text, hash text, author text,
    updated_at bigint)
policy_version (id bigint key, dealer_id bigint, number bigint, text text, hash text, author text, reason text,
    effective_from bigint, published_at bigint)
posting (id bigint key, dealer_id bigint, member_id bigint, entry_id bigint, source_id bigint, destination_id bigint,
    amount bigint)
seal (dealer_id bigint key, number bigint key, sealed_at bigint, refs text, digests bytea, hash text)
staff (id bigint key, dealer_id bigint, store_id bigint null, login text, name text, digest text, roles text,
    created_at bigint, disabled_at bigint null, failures bigint, failed_at bigint null)
staff_session (prefix text key, staff_id bigint, dealer_id bigint, digest text, created_at bigint, seen_at bigint,
    expires_at bigint, ended_at bigint null)
store (id bigint key, dealer_id bigint, code text, name text)
tier_change (id bigint key, dealer_id bigint, member_id bigint, at bigint, class integer, key text, tier text,
    previous text, since bigint, until bigint null, state text, cause text, version_id bigint, traits jsonb,
    basis jsonb)
unsealed (id bigint key, dealer_id bigint, refs text)
webhook (id bigint key, dealer_id bigint, url text, types jsonb, state text, seen bigint, looked_at bigint,
    created_at bigint)
webhook_delivery (id bigint key, dealer_id bigint, webhook_id bigint, member_id bigint, message text, type text,
    body jsonb, state text, attempts integer, due_at bigint, last text, changed_at bigint)
webhook_secret (webhook_id bigint key, number bigint key, dealer_id bigint, until bigint null)
webhook_standing (webhook_id bigint key, member_id bigint key, dealer_id bigint, tier text)
"""
