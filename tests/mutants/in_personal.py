"""Faults of personal data: what is not sealed, not erased, or kept where it stays for ever."""

from __future__ import annotations

from tests.mutants.fault import Fault

PERSONAL, PROOF = "tests/test_personal.py", "tests/test_personal_proof.py"
NOWHERE = f"{PROOF}::test_what_was_said_of_an_erased_member_is_nowhere[sqlite]"
ERASED = f"{PERSONAL}::test_an_erased_member_is_found_by_nothing_and_never_gets_a_key_again[sqlite]"

FAULTS: tuple[Fault, ...] = (
    Fault(
        "what_is_sealed_opens_under_any_field",
        "tierengine.personal.vault:Keys._bound",
        (("+ field.encode()", ""),),
        f"{PERSONAL}::test_what_is_stored_opens_with_the_key_of_that_member_and_field_alone[sqlite]",
    ),
    Fault(
        "an_erased_member_keeps_his_key",
        "tierengine.personal.erasure:erase",
        (("vault.destroy(one, by.now)", "pass"),),
        ERASED,
    ),
    Fault(
        "free_text_stays_in_the_event",
        "tierengine.judging.observations:read_observation",
        (("fields.pop(name)", "fields[name]"),),
        NOWHERE,
    ),
    Fault(
        "the_reason_of_an_adjustment_stays_in_the_command",
        "tierengine.recording.acts:Adjust.content",
        (('"by": self.by}', '"by": self.by, "reason": self.reason}'),),
        NOWHERE,
    ),
    Fault(
        "credit_is_lost_by_an_erasure_that_nobody_confirmed",
        "tierengine.personal.erasure:erase",
        (("forfeit=forfeit", "forfeit=True"),),
        f"{PERSONAL}::test_who_has_credit_is_erased_only_when_he_gives_it_up[sqlite]",
    ),
)
