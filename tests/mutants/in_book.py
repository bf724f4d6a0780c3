"""Faults in what ends once, moves on, is told to others and is answered again: holds, sweeps, transfers, runs, keys."""

from __future__ import annotations

from tests.mutants.fault import Fault
from tests.mutants.in_ledger import after_migrating

BOOK = "tierengine.ledger.book:MemberBook"
RECORDING = "tierengine.recording"
LEDGER, HOLDS = "tests/test_ledger_holds.py", "tests/test_holds.py"
AWARDS = "tests/test_awards.py"
PLAYED = "tests/test_machine.py::test_domain_and_both_services_do_the_same_and_what_the_oracle_says"

FAULTS: tuple[Fault, ...] = (
    Fault(
        "a_hold_ends_twice",
        f"{BOOK}._end",
        (("self.holds.remove(hold)", "pass"),),
        f"{LEDGER}::test_a_hold_ends_once",
    ),
    Fault(
        "what_a_hold_ends_in_is_not_written",
        f"{RECORDING}.purse:Purse._store_holds",
        (("if hold.left != self.tied.get(hold.ref):", "if False:"),),
        f"{HOLDS}::test_a_hold_ties_up_and_a_capture_takes[sqlite]",
    ),
    Fault(
        "the_same_order_is_held_again",
        f"{RECORDING}.commands:Commands.known",
        (("if stored is None:\n        return False", "if True:\n        return False"),),
        f"{HOLDS}::test_the_same_order_is_the_same_hold_for_ever[sqlite]",
    ),
    Fault(
        "a_sweep_takes_the_same_lot_again",
        f"{RECORDING}.purse:Purse.store",
        (("if lot.ref < 0 or lot.remaining != self.remaining[lot.ref]:", "if lot.ref < 0:"),),
        "tests/test_recording.py::test_what_lapsed_is_posted_before_anything_else[sqlite]",
    ),
    Fault(
        "a_sweep_forgets_the_lots_that_end_later",
        f"{BOOK}._expire",
        (("self.quiet = min(ahead, default=NEVER)", "self.quiet = NEVER"),),
        "tests/test_ends_once.py::test_two_sweeps_each_take_what_has_ended_since",
    ),
    Fault(
        "what_is_handed_on_never_ends",
        f"{BOOK}.move_in",
        (("part.usable_from, part.expires_at)", "part.usable_from, None)"),),
        f"{LEDGER}::test_what_is_transferred_keeps_its_dates_and_pays_the_receivers_debt_first",
    ),
    Fault(
        "a_receiver_gets_it_and_the_giver_keeps_it",
        f"{RECORDING}.commands:Commands._transfer",
        (
            (
                "moved = self.purse(giver).book.move_out(",
                "moved = __import__('copy').deepcopy(self.purse(giver).book).move_out(",
            ),
        ),
        "tests/test_api_holds.py::test_credit_moves_only_within_a_firm[sqlite]",
    ),
    Fault(
        "what_was_given_back_is_given_back_again",
        f"{RECORDING}.purse:Purse.know_orders",
        (("self.book.taken[order] = _less(taken, wallet, delta)", "pass"),),
        "tests/test_ends_once.py::test_what_came_back_before_does_not_come_back_again[sqlite]",
    ),
    Fault(
        "an_emission_is_doubled",
        f"{RECORDING}.emissions:Deliveries.to",
        (("list(difference([row for row in stored if row.known[2] in keys], wanted))", "list(wanted)"),),
        "tests/test_ends_once.py::test_what_was_told_to_another_is_told_once_and_taken_back_once[sqlite-corrected]",
    ),
    Fault(
        "an_emission_that_was_taken_back_stays",
        f"{RECORDING}.emissions:emit",
        (("concerned.add(writer.cancel(last))\n            continue", "pass\n            continue"),),
        "tests/test_ends_once.py::test_what_was_told_to_another_is_told_once_and_taken_back_once[sqlite-corrected]",
    ),
    Fault(
        "a_prize_is_issued_with_every_run",
        "tierengine.awarding.issuing:_book",
        (("if member_id in issued or prize <= 0:", "if prize <= 0:"),),
        f"{AWARDS}::test_issuing_pays_each_winner_once_however_often_it_is_run[sqlite]",
    ),
    Fault(
        "a_list_is_frozen_anew_with_every_run",
        "tierengine.awarding.issuing:_freeze",
        (("if known:", "if False:"),),
        f"{AWARDS}::test_what_is_recorded_after_the_list_was_frozen_does_not_change_it[sqlite]",
    ),
    Fault(
        "a_key_is_answered_with_another_stores_answer",
        "tierengine.access.callers:Caller.scope",
        (('f"key:{self.origin or self.number}"', 'f"dealer:{self.dealer_id}"'),),
        "tests/test_api.py::test_keys_of_two_stores_are_two_keys[sqlite]",
    ),
    Fault(
        "an_answer_may_be_stored_twice",
        "tierengine.store.migrating:_migrate",
        after_migrating("postgresql", "ALTER TABLE idempotency DROP CONSTRAINT idempotency_pkey"),
        "tests/test_migrations.py::test_migrations_make_exactly_the_tables_of_the_models[postgresql]",
    ),
    # ---- what comes to light when everything is played
    Fault(
        "a_request_that_comes_again_is_done_again",
        f"{RECORDING}.intake:Intake._once",
        (("if stored is not None:", "if False:"),),
        PLAYED,
    ),
    Fault(
        "what_has_lapsed_is_shown_as_there",
        "tierengine.membership.known:Known.book",
        (("book.settle(now)", "pass"),),
        "tests/test_members.py::test_a_lapsed_lot_is_gone_from_the_balance_before_anybody_posts_it",
    ),
    Fault(
        "credit_is_handed_to_anybody",
        f"{RECORDING}.commands:Commands._transfer",
        (("or len(firms) != 2 or firms[0] != firms[1]", ""),),
        "tests/test_api_holds.py::test_credit_moves_only_within_a_firm[sqlite]",
    ),
    Fault(
        "a_refused_hold_is_remembered",
        f"{RECORDING}.commands:Commands._place",
        (
            (
                "wallet, purse = self._wallet(act.wallet), self.purse(member)",
                "wallet, purse = self._wallet(act.wallet), self.purse(member); self.keep(item, act, member)",
            ),
        ),
        f"{HOLDS}::test_a_refused_hold_leaves_nothing_but_its_answer_and_its_order_stays_free[sqlite]",
    ),
)
