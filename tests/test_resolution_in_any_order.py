"""What events contribute is the same in whatever order, grouping and number they come."""

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.told_events import CHINA, SALE, event, found, given_by, machine, parts, registered, returned
from tierengine.judging.history import Contribution
from tierengine.judging.netting import MEASURES, difference, net, steps
from tierengine.judging.recorded import Recorded
from tierengine.judging.resolution import resolve


def test_the_difference_to_a_correction_retracts_and_adds_and_edits_nothing():
    old = given_by(found(parts()), SALE)
    new = given_by(
        found(parts(lines=[{"item": "A", "category": "parts", "qty": 3, "amount": 9_000}], revision=1)), SALE
    )
    inserted = difference(old, new)
    retraction = next(row for row in inserted if row.line == old[1].line)
    assert (retraction.qty, retraction.amount, retraction.known) == (-1, -500, old[1].known)
    assert retraction.fields == {**old[1].fields, "amount": -500, "cash": -500, "credit": 0, "list": -500}
    assert net([*old, *inserted]) == tuple(new)
    assert difference([*old, *inserted], new) == ()
    assert net([*old, *inserted, *difference(new, [])]) == ()


def test_a_retracted_return_leaves_no_step():
    answer = found(parts(), returned())
    back = given_by(answer, "till:r1")
    everything = [*given_by(answer, SALE), *back, *difference(back, [])]
    assert [step.kind for step in steps(everything)] == ["parts_purchase"]


CLUSTER = [
    parts(),
    parts(3, revision=1, lines=[{"item": "A", "category": "parts", "qty": 5, "amount": 1_001, "credit": 77}]),
    event("repair_purchase", 4, order="1", lines=[{"category": "labour", "amount": 800}]),
    machine(3, referral="bb"),
    event("purchase_settled", 6, order="1", member=None),
    returned(1, source_id="early", lines=[{"item": "A", "qty": 2, "amount": 999}]),
    returned(5, source_id="part", lines=[{"category": "parts", "qty": 2}, {"category": "labour"}]),
    returned(9, source_id="whole"),
    event("observation_cancelled", 9, source_id="whole", revision=1),
    returned(8, source_id="part", revision=1, lines=[{"item": "A", "qty": 1}]),
    event("machine_returned", 2, order="1", reason="r", member=None),
    registered(),
]


class Shop:
    """A recorder in miniature: keeps every row, and after each group posts the difference for what it touches."""

    def __init__(self) -> None:
        self.events: list[Recorded] = []
        self.rows: dict[tuple[str, str], list[Contribution]] = {}

    def record(self, group: list[Recorded]) -> None:
        self.events += [one for one in group if one not in self.events]
        outside = {one.key: one for one in self.events if one.observation.kind == "referral_registered"}
        answer = resolve(self.events, outside, CHINA)
        wanted: dict[tuple[str, str], list[Contribution]] = {}
        for key, given_ in answer.contributions.items():
            for member, line in given_:
                wanted.setdefault((member, key), []).append(line)
        for owner in wanted.keys() | self.rows.keys():
            stored = self.rows.setdefault(owner, [])
            stored += difference(stored, wanted.get(owner, []))

    def sums(self) -> dict:
        """What an aggregate over the raw rows sees, retractions and all: measures by line and place."""
        seen: dict[tuple, Counter] = {}
        for (member, _), stored in self.rows.items():
            for row in stored:
                measures = {name: row.fields[name] for name in MEASURES & row.fields.keys()}
                seen.setdefault((member, row.line, row.known), Counter()).update(
                    measures | {"#": row.qty, "@": row.amount}
                )
        kept = {place: {name: value for name, value in one.items() if value} for place, one in seen.items()}
        return {place: one for place, one in kept.items() if one}

    def standing(self) -> Counter:
        return Counter((owner, repr(row)) for owner, stored in self.rows.items() for row in net(stored))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9))
def test_any_order_grouping_and_duplication_ends_in_the_same_contributions(seed):
    chance = random.Random(seed)
    told = chance.sample(CLUSTER, chance.randint(1, len(CLUSTER)))
    at_once, one_by_one = Shop(), Shop()
    at_once.record(sorted(told, key=lambda one: (one.key, one.observation.revision)))
    deliveries = told + chance.sample(told, len(told) // 2)
    chance.shuffle(deliveries)
    while deliveries:
        size = chance.randint(1, 3)
        one_by_one.record(deliveries[:size])
        deliveries = deliveries[size:]
    assert one_by_one.standing() == at_once.standing()
    assert one_by_one.sums() == at_once.sums()


def test_the_order_of_events_in_a_call_does_not_matter_to_flags_and_what_waits():
    for seed in range(20):
        told = CLUSTER[:]
        random.Random(seed).shuffle(told)
        assert found(*told) == found(*CLUSTER)
