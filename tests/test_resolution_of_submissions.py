"""What waits for acceptance, and what an attestation that is withdrawn leaves."""

from tests.told_events import at, event, found, given_by, rows
from tierengine.judging.history import AFTER
from tierengine.judging.recorded import Flag, Recorded, Waits, cause_key


def tip(**more) -> Recorded:
    return event("tip", 2, source_id="t", topic="project", staff="w1", **more)


def accepted(day: float = 4, by: str = "w2", source_id: str = "acc", **more) -> Recorded:
    return event(
        "submission_accepted",
        day,
        **{"member": None, "source_id": source_id, "accepts": "t", "accepted_by": by, **more},
    )


def test_a_submission_counts_as_waiting_until_it_is_accepted_and_then_at_its_own_date():
    ((_, waiting),) = found(tip(proved=True)).contributions["till:t"]
    assert (waiting.kind, waiting.qty, waiting.at, waiting.known) == ("tip_submitted", 1, at(2), (at(2), 3, "till:t"))
    assert waiting.fields["proved"] == 0
    answer = found(tip(proved=True), accepted())
    (member, line), (_, back) = answer.contributions["till:acc"]
    assert (back.kind, back.qty, back.at, back.known) == ("tip_submitted", -1, at(2), line.known)
    assert given_by(answer, "till:t") == [waiting]
    assert (member, line.kind, line.line, line.cause) == ("M1", "tip", "till:t#0", "submission_accepted")
    assert (line.at, line.known) == (at(2), (at(4), 3, "till:acc"))
    assert (line.fields["proved"], line.fields["accepted_by"]) == (0, "w2")
    assert given_by(found(tip(), accepted(proved=True)), "till:acc")[0].fields["proved"] == 1


def test_a_submission_sent_as_accepted_counts_at_once():
    (line,) = given_by(found(tip(status="accepted", proved=True)), "till:t")
    assert (line.fields["proved"], line.cause) == (1, "tip")


def test_who_received_a_tip_cannot_accept_it():
    for events in ((tip(), accepted(by="w1")), (tip(status="accepted", accepted_by="w1"),)):
        answer = found(*events)
        assert [line.kind for _, line in rows(answer)] == ["tip_submitted"]
        assert answer.flags[0].code == "accepted_by_receiver"


def test_of_two_acceptances_the_first_counts():
    answer = found(tip(), accepted(6, source_id="a"), accepted(4, source_id="z"))
    assert [line.kind for _, line in answer.contributions["till:z"]] == ["tip", "tip_submitted"]
    assert answer.contributions["till:a"] == ()
    assert answer.flags == (Flag("till:a", "already_accepted"),)


def test_an_acceptance_dated_before_its_submission_takes_the_place_just_after_it():
    line, _ = given_by(found(tip(), accepted(1)), "till:acc")
    assert line.known == (at(2), 3, f"till:t{AFTER}till:acc")
    assert cause_key(line.known) == "till:acc"


def test_the_place_just_after_an_event_is_before_every_other_event_of_its_instant():
    """Keys that begin alike are the rule: receipt 1 and receipt 10 of one source."""
    line, _ = given_by(found(tip(), accepted(1)), "till:acc")
    at_once = ["till:t", "till:t0", "till:t ", "till:t!", "till:t:x", "till:t\u4e00"]
    places = sorted([line.known, *((at(2), 3, key) for key in at_once)])
    assert places[:2] == [(at(2), 3, "till:t"), line.known]


def test_an_acceptance_of_what_is_no_submission_waits():
    attested = event("attestation", source_id="t", trait="x", stated_by="w", stated_role="r", evidence="e")
    assert found(attested, accepted()).parked == {"till:acc": Waits("till:t", "wrong_kind")}


def test_a_withdrawn_attestation_stands_until_the_withdrawal_and_no_longer():
    stated = event("attestation", 2, source_id="t", trait="x", stated_by="w", stated_role="r", evidence="e")
    withdrawn = [
        event("attestation_withdrawn", day, member=None, source_id=key, attestation="t")
        for key, day in (("a", 9), ("z", 5))
    ]
    answer = found(stated, *withdrawn)
    (line,) = given_by(answer, "till:z")
    assert (line.qty, line.at, line.known, line.fields["trait"]) == (-1, at(2), (at(5), 3, "till:z"), "x")
    assert answer.flags == (Flag("till:a", "already_withdrawn"),)
