"""Faults of the ledger, of recording, and of what the database is told."""

from __future__ import annotations

from tests.mutants.fault import Fault

BOOK = "tierengine.ledger.book:MemberBook"
LOTS = "tierengine.ledger.lots"
RECORDING = "tierengine.recording"
TERMS = "tests/test_changed_terms.py"
LEDGER, LEDGER_HOLDS = "tests/test_ledger.py", "tests/test_ledger_holds.py"
RECORDED, WRITER, CLAIMS = "tests/test_recording.py", "tests/test_writer.py", "tests/test_claim_order.py"


def after_migrating(kind: str, statement: str) -> tuple[tuple[str, str], ...]:
    """A database of this kind that lacks something, for all that migrations make it."""
    upgrade = "command.upgrade(config, revision)"
    act = f"made.dialect.name == {kind!r} and connection.exec_driver_sql({statement!r})"
    return ((upgrade, f"{upgrade}; {act}"),)


FAULTS: tuple[Fault, ...] = (
    # ---- wallets
    Fault(
        "a_lot_is_usable_on_the_instant_of_its_end",
        f"{LOTS}:Lot.lapsed",
        (("self.expires_at <= now", "self.expires_at < now"),),
        f"{LEDGER}::test_a_lot_is_usable_from_its_first_instant_until_just_before_its_expiry",
    ),
    Fault(
        "a_lot_is_not_usable_from_its_first_instant",
        f"{LOTS}:Lot.usable",
        (("self.usable_from <= now", "self.usable_from < now"),),
        f"{LEDGER}::test_a_lot_is_usable_from_its_first_instant_until_just_before_its_expiry",
    ),
    Fault(
        "what_never_ends_is_spent_first",
        f"{LOTS}:first_out",
        (("NEVER if lot.expires_at is None", "-1 if lot.expires_at is None"),),
        f"{LEDGER}::test_the_lot_that_expires_first_is_used_first_and_ties_go_to_the_earlier_grant",
    ),
    Fault(
        "lots_are_spent_in_the_order_of_their_grants",
        f"{LOTS}:first_out",
        (("NEVER if lot.expires_at is None else lot.expires_at", "0"),),
        f"{LEDGER}::test_the_lot_that_expires_first_is_used_first_and_ties_go_to_the_earlier_grant",
    ),
    Fault(
        "what_is_held_is_spent",
        f"{LOTS}:plan",
        (("min(lot.free, amount)", "min(lot.remaining, amount)"),),
        f"{LEDGER_HOLDS}::test_what_a_hold_frees_pays_debt_first",
    ),
    Fault(
        "the_last_fen_cannot_be_used",
        f"{BOOK}.use",
        (("usable < amount and", "usable <= amount and"),),
        f"{LEDGER}::test_a_later_rise_first_undoes_what_was_forgiven",
    ),
    Fault(
        "more_may_be_used_than_there_is",
        f"{BOOK}.use",
        (("usable < amount and", "False and"),),
        f"{LEDGER}::test_a_use_of_more_than_is_usable_is_refused_and_takes_nothing",
    ),
    Fault(
        "an_over_use_is_nobody_s_debt",
        f"{BOOK}.use",
        (('("debt", "uses", short)', '("debt", "uses", 0)'),),
        f"{LEDGER}::test_a_late_sale_takes_pending_lots_too_and_the_rest_is_debt",
    ),
    Fault(
        "a_clock_may_go_back",
        f"{BOOK}.settle",
        (("max(self.now, now)", "now"),),
        f"{LEDGER}::test_a_clock_that_goes_back_brings_nothing_back",
    ),
    Fault(
        "a_hold_lasts_an_instant_too_long",
        f"{BOOK}.settle",
        (("hold.expires_at <= self.now", "hold.expires_at < self.now"),),
        f"{LEDGER_HOLDS}::test_a_hold_lapses_by_itself_and_its_units_are_usable_again",
    ),
    Fault(
        "nothing_expires",
        f"{BOOK}._expire",
        (("lot.free and lot.lapsed(at)", "False"),),
        f"{LEDGER}::test_expiry_takes_exactly_the_unheld_remainder_and_only_once",
    ),
    Fault(
        "what_is_held_expires",
        f"{BOOK}._expire",
        (("part = lot.free", "part = lot.remaining"),),
        f"{LEDGER}::test_expiry_takes_exactly_the_unheld_remainder_and_only_once",
    ),
    Fault(
        "what_comes_in_pays_no_debt",
        f"{BOOK}._pay_debt",
        (("if due :=", "if False and (due :="), ("balance.available):", "balance.available)):")),
        f"{LEDGER}::test_what_comes_in_pays_debt_before_it_is_available",
    ),
    Fault(
        "a_claw_back_takes_other_lots_first",
        f"{BOOK}._take_back",
        (("plan([lot for lot in lots if lot.ref in mine], amount)", "plan([], amount)"),),
        f"{LEDGER}::test_a_claw_back_takes_the_grants_own_lots_then_those_that_expire_first",
    ),
    Fault(
        "a_grant_that_moves_in_time_keeps_its_old_dates",
        f"{RECORDING}.purse:Purse.moves",
        (("Shift(-was, change, before, replaced=True)", "Shift(-was, change, before)"),),
        f"{TERMS}::test_a_grant_that_moves_in_time_leaves_the_lot_with_the_new_dates[sqlite-2026-05-01]",
    ),
    Fault(
        "what_lapsed_unused_is_owed",
        f"{BOOK}._take_back",
        (("min(rest, lapsed.expired)", "0"),),
        f"{LEDGER}::test_nobody_owes_what_lapsed_before_it_was_clawed_back",
    ),
    Fault(
        "every_claw_back_is_forgiven",
        f"{BOOK}._take_back",
        (('if clawback == "forgive" else 0', ""),),
        f"{LEDGER}::test_what_a_claw_back_does_not_find_is_debt_or_forgiven_as_the_policy_says",
    ),
    Fault(
        "a_refused_claw_back_is_done",
        f"{BOOK}._take_back",
        (('if missing and clawback == "refuse":', "if False:"),),
        f"{LEDGER}::test_a_claw_back_that_may_refuse_changes_nothing_when_it_does",
    ),
    Fault(
        "what_was_forgiven_is_granted_again",
        f"{BOOK}._raise",
        (("min(delta, lapsed.forgiven)", "0"),),
        f"{LEDGER}::test_a_later_rise_first_undoes_what_was_forgiven",
    ),
    Fault(
        "the_oldest_use_is_given_back_first",
        f"{BOOK}._put_back",
        ((", reverse=True)", ")"),),
        f"{LEDGER}::test_what_an_order_gives_back_returns_to_the_same_lots_newest_first",
    ),
    Fault(
        "an_order_gives_back_more_than_it_used",
        f"{BOOK}.give_back",
        (("if amount > used:", "if False:"),),
        f"{LEDGER}::test_an_order_cannot_give_back_more_than_it_used",
    ),
    Fault(
        "more_is_captured_than_is_held",
        f"{BOOK}.capture",
        (("if more > (self.usable(hold.wallet, self.now) if above else 0):", "if False:"),),
        f"{LEDGER_HOLDS}::test_more_than_what_is_left_of_a_hold_cannot_be_captured",
    ),
    Fault(
        "a_hold_does_not_tie_up_its_lots",
        f"{BOOK}.hold",
        (("lot.held += part", "lot.held += 0"),),
        f"{LEDGER_HOLDS}::test_a_hold_ties_up_what_expires_first_and_only_its_order_may_take_it",
    ),
    Fault(
        "a_transfer_pays_no_debt",
        f"{BOOK}.move_in",
        (("self._pay_debt(wallet, key)", "pass"),),
        f"{LEDGER_HOLDS}::test_what_is_transferred_keeps_its_dates_and_pays_the_receivers_debt_first",
    ),
    Fault(
        "a_book_that_does_not_add_up_is_stored",
        f"{BOOK}._check",
        (("if not kept:", "if False:"),),
        f"{LEDGER}::test_a_book_that_does_not_add_up_is_not_stored",
    ),
    Fault(
        "entries_are_numbered_with_gaps",
        f"{BOOK}._entry",
        (("self.next_number += 1", "self.next_number += 2"),),
        f"{LEDGER}::test_a_grant_is_one_posting_from_the_house_and_one_lot",
    ),
    Fault(
        "a_debt_is_counted_the_wrong_way",
        "tierengine.ledger.wallets:_change",
        (("balance.debt -= amount", "balance.debt += amount"),),
        f"{LEDGER}::test_a_late_sale_takes_pending_lots_too_and_the_rest_is_debt",
    ),
    # ---- recording
    Fault(
        "other_content_under_a_key_is_a_duplicate",
        f"{RECORDING}.intake:Intake._content",
        (("elif self._is_there(item, observation, digest, there):", "elif True:"),),
        f"{RECORDED}::test_other_content_under_the_same_key_is_listed_and_not_booked[sqlite]",
    ),
    Fault(
        "another_body_under_an_idempotency_key_is_answered",
        f"{RECORDING}.intake:Intake._once",
        (("if once.same(stored[0]):", "if True:"),),
        f"{RECORDED}::test_an_idempotency_key_has_one_answer[sqlite]",
    ),
    Fault(
        "a_refused_sale_leaves_its_event",
        f"{RECORDING}.intake:Intake.forget",
        (("taken.fresh = []", "pass"),),
        f"{RECORDED}::test_credit_that_is_not_there_refuses_the_sale_and_leaves_its_order_number_free[sqlite]",
    ),
    Fault(
        "equal_requests_of_a_group_are_two",
        f"{RECORDING}.intake:Intake.take",
        (("self.seen.setdefault(", "dict().setdefault("),),
        f"{RECORDED}::test_one_idempotency_key_twice_in_a_group_shares_its_answer[sqlite]",
    ),
    Fault(
        "a_late_event_is_folded_at_the_end",
        f"{RECORDING}.refolding:_start",
        (("if head.carry and affected > head.position:", "if head.carry:"),),
        f"{RECORDED}::test_a_late_event_judges_again_and_posts_the_difference[sqlite]",
    ),
    Fault(
        "what_was_decided_before_is_booked_again",
        f"{RECORDING}.decided:compare",
        (("if before != after:", "if after:"), ("Change(pair, before, after,", "Change(pair, None, after,")),
        f"{RECORDED}::test_a_ladder_moves_up_when_an_earlier_machine_is_told_later[sqlite]",
    ),
    Fault(
        "a_decision_that_fell_away_stays",
        f"{RECORDING}.decided:compare",
        (("if place not in new and stood.granted is not None:", "if False:"),),
        f"{RECORDED}::test_a_cancelled_event_is_as_if_it_had_never_been[sqlite]",
    ),
    Fault(
        "the_last_decision_by_arrival_counts",
        f"{RECORDING}.decided:last_of",
        (("sorted(decided.items(), key=lambda item: item[0][1])", "reversed(list(decided.items()))"),),
        f"{RECORDED}::test_a_return_before_its_sale_waits_and_then_counts[sqlite]",
    ),
    Fault(
        "tier_changes_of_another_past_stay",
        f"{RECORDING}.rows:folded_rows",
        (("if outcome.late:", "if False:"),),
        f"{RECORDED}::test_what_was_judged_by_a_version_that_ended_before_it_is_judged_again_with_the_next_event[sqlite]",
    ),
    Fault(
        "what_arrived_stays_parked",
        f"{RECORDING}.writing:Rows.send",
        (("link.run(_DELETE_PARKED, self.unparked)", "pass"),),
        f"{RECORDED}::test_a_return_before_its_sale_waits_and_then_counts[sqlite]",
    ),
    Fault(
        "credit_is_not_taken_for_a_late_order",
        f"{RECORDING}.credit:Credit.use_late",
        (("self.use(place, item, member, late=True)", "pass"),),
        f"{RECORDED}::test_credit_of_an_order_that_the_nightly_file_told_first_is_still_taken_and_once[sqlite]",
    ),
    Fault(
        "lapsed_lots_are_not_posted_first",
        f"{RECORDING}.purses:Purses.of",
        (("purse.settle(self.now)", "pass"),),
        f"{RECORDED}::test_what_lapsed_is_posted_before_anything_else[sqlite]",
    ),
    Fault(
        "commit_comes_before_the_rows",
        f"{RECORDING}.group:Group.commit",
        (
            (
                "self._rows.send(self.link)\n        self.link.commit()",
                "self.link.commit()\n        self._rows.send(self.link)",
            ),
        ),
        f"{RECORDED}::test_of_a_group_whose_last_row_fails_nothing_stays",
    ),
    Fault(
        "an_answer_comes_before_commit",
        f"{RECORDING}.recorder:Recorder._until_done",
        (("group.commit()", "self.link.rollback()"),),
        f"{WRITER}::test_what_was_answered_is_in_the_book[sqlite]",
    ),
    Fault(
        "a_lost_race_for_a_key_is_an_error",
        f"{RECORDING}.recorder:Recorder._until_done",
        (("if lost >= ATTEMPTS:", "if True:"),),
        f"{CLAIMS}::test_idempotency_keys_of_other_bodies[postgresql-0]",
    ),
    Fault(
        "members_are_not_locked",
        f"{RECORDING}.reading:_LOCK",
        ((" FOR NO KEY UPDATE SKIP LOCKED", ""),),
        f"{WRITER}::test_a_locked_member_does_not_keep_the_others_waiting",
    ),
    Fault(
        "lots_that_were_read_are_not_held_against_the_balance",
        "tierengine.ledger.wallets:Wallets._lots",
        (("self.behind[wallet] = 0", "pass"),),
        "tests/test_lots_read.py::test_lots_that_do_not_make_up_the_balance_stop_whoever_reads_them[sqlite]",
    ),
    Fault(
        "lots_that_were_not_read_cannot_be_spent",
        "tierengine.ledger.wallets:Wallets.usable",
        ((" + self.behind.get(wallet, 0)", ""),),
        "tests/test_lots_read.py::test_a_grant_reads_no_lot_and_what_is_spent_comes_out_of_the_earliest[sqlite]",
    ),
    Fault(
        "a_locked_member_is_waited_for_by_all",
        f"{RECORDING}.reading:_LOCK",
        ((" SKIP LOCKED", ""),),
        f"{WRITER}::test_a_locked_member_does_not_keep_the_others_waiting",
    ),
    Fault(
        "keys_are_not_locked",
        f"{RECORDING}.reading:lock",
        (('link.kind == "postgresql" and named', "False"),),
        f"{WRITER}::test_a_sale_and_its_return_find_each_other_whoever_records_them",
    ),
    Fault(
        "keys_are_locked_as_they_come",
        f"{RECORDING}.reading:_LOCK_KEYS",
        ((" ORDER BY 1", ""),),
        f"{CLAIMS}::test_keys_are_locked_in_the_order_of_their_numbers",
    ),
    Fault(
        "answers_are_claimed_as_they_come",
        f"{RECORDING}.writing:Rows.send",
        (('self.tables["idempotency"].sort(key=lambda row: row[:3])', "pass"),),
        f"{CLAIMS}::test_idempotency_keys_of_other_bodies[postgresql-0]",
    ),
    Fault(
        "two_say_at_once_whose_a_machine_is",
        f"{RECORDING}.reading:lock_machines",
        (('link.kind == "postgresql" and serials', "False"),),
        f"{CLAIMS}::test_a_machine_told_of_two_at_once_is_whose_it_was_said_to_be_last[postgresql]",
    ),
    Fault(
        "whose_a_machine_was_before_is_forgotten",
        f"{RECORDING}.rows:machine_rows",
        (("if back:", "if False:"),),
        f"{CLAIMS}::test_a_machine_is_again_whose_it_was_when_the_last_word_of_it_never_was[sqlite]",
    ),
    Fault(
        "one_return_takes_back_one_emission",
        f"{RECORDING}.emissions:_received",
        (('*said.get("also", ())', ""),),
        "tests/test_ends_once.py::test_a_return_takes_back_all_that_its_order_told_another[sqlite]",
    ),
    Fault(
        "a_full_queue_takes_more",
        f"{RECORDING}.queue:Queue.add",
        (("elif len(self.waiting[lane]) >= self._settings.queue_size:", "elif False:"),),
        f"{WRITER}::test_a_full_queue_is_answered_at_once[sqlite]",
    ),
    Fault(
        "who_waited_too_long_is_served",
        f"{RECORDING}.jobs:Job.wanted",
        (("now > self.deadline", "False"),),
        f"{WRITER}::test_who_waited_too_long_is_dropped_before_anything_is_done[sqlite]",
    ),
    Fault(
        "a_bad_item_takes_the_others_with_it",
        f"{RECORDING}.writer:Writer._attempt",
        (("self._record(recorder, jobs[:middle])", "[fail(job) for job in jobs[:middle]]"),),
        f"{WRITER}::test_one_bad_item_fails_alone[sqlite]",
    ),
    Fault(
        "a_command_shares_a_group_with_what_it_must_see",
        f"{RECORDING}.jobs:take_group",
        (("members & inside and (members & told or not all(one in refused for one in members))", "False"),),
        f"{WRITER}::test_a_command_sees_what_was_sent_just_before_it[sqlite]",
    ),
    Fault(
        "a_fallen_writer_leaves_who_waits",
        f"{RECORDING}.writer:Writer._fall",
        (('job.refuse("writer_down")', "pass"),),
        f"{WRITER}::test_a_writer_that_falls_answers_everybody_and_rises[sqlite]",
    ),
    # ---- what the database is told
    Fault(
        "an_order_may_stand_twice",
        "tierengine.store.migrating:_migrate",
        after_migrating("postgresql", "ALTER TABLE event DROP CONSTRAINT event_dealer_id_key_revision_key"),
        "tests/test_migrations.py::test_migrations_make_exactly_the_tables_of_the_models[postgresql]",
    ),
    Fault(
        "entries_may_be_edited",
        "tierengine.store.migrating:_migrate",
        after_migrating("sqlite", "DROP TRIGGER entry_refuses_update"),
        "tests/test_migrations.py::test_what_was_written_is_neither_changed_nor_removed[sqlite-entry]",
    ),
    Fault(
        "two_processes_share_a_block_of_ids",
        "tierengine.store.ids:Ids.reserve",
        (("self._next, self._end = end - size, end", "self._next, self._end = end - 2 * size, end"),),
        "tests/test_database.py::test_two_processes_never_hand_out_the_same_id[sqlite]",
    ),
    Fault(
        "an_overdraft_in_between_is_not_seen",
        "tierengine.ledger.verify:_queried",
        (("if one.code in rows]", 'if one.code in rows and one.code != "overdrawn"]'),),
        "tests/test_verify.py::test_a_book_that_was_tampered_with_is_found_out[sqlite-overdrawn]",
    ),
)
