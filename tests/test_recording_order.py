"""Any order, grouping and duplication of the same observations ends in the same tiers and the same net grants."""

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.club import Club
from tierengine.membership import people
from tierengine.recording.items import Observe
from tierengine.store.ids import transact

FULL = (Path(__file__).parent.parent / "policies.yaml").read_text(encoding="utf-8")
STATIC = (
    "SELECT c.at, c.tier, c.previous, c.cause, c.state, c.until, c.since FROM tier_change c WHERE c.member_id = ?1 "
    'ORDER BY c.at, c."class", c.key'
)
NET = (
    "SELECT e.event_key, e.rule, e.wallet, sum(e.delta) FROM entry e WHERE e.member_id = ?1 AND e.rule <> '' "
    "GROUP BY 1, 2, 3 HAVING sum(e.delta) <> 0 ORDER BY 1, 2, 3"
)
LOTS = (
    "SELECT l.event_key, l.rule, l.usable_from, l.expires_at, sum(s.remaining) FROM lot l "
    "JOIN lot_state s ON s.lot_id = l.id WHERE l.member_id = ?1 GROUP BY 1, 2, 3, 4 HAVING sum(s.remaining) > 0 "
    "ORDER BY 1, 2, 3, 4"
)

# Few days and few orders, so that ties, returns and corrections meet what they are about.
DAYS = st.sampled_from(
    [f"{year}-{month:02d}-{day:02d}" for year in (2024, 2025) for month in (1, 3, 9) for day in (1, 2)]
)
NUMBERS = st.integers(1, 3)

machine = st.fixed_dictionaries(
    {
        "what": st.just("machine"),
        "order": NUMBERS,
        "size": st.sampled_from(["small", "medium", "large"]),
        "used": st.booleans(),
        "referral": st.booleans(),
    }
)
settled = st.fixed_dictionaries({"what": st.just("settled"), "order": NUMBERS})
parts = st.fixed_dictionaries(
    {"what": st.just("parts"), "order": NUMBERS, "amount": st.sampled_from([900, 500_000, 2_500_000]), "qty": NUMBERS}
)
returned = st.fixed_dictionaries({"what": st.just("returned"), "order": NUMBERS, "number": NUMBERS, "qty": NUMBERS})
machine_returned = st.fixed_dictionaries({"what": st.just("machine_returned"), "order": NUMBERS, "number": NUMBERS})
contact = st.fixed_dictionaries({"what": st.just("contact"), "number": st.integers(1, 9)})
attestation = st.fixed_dictionaries({"what": st.just("attestation"), "number": NUMBERS})
withdrawn = st.fixed_dictionaries({"what": st.just("withdrawn"), "number": NUMBERS})
segment = st.fixed_dictionaries(
    {"what": st.just("segment"), "number": NUMBERS, "segment": st.sampled_from(["key_account", "other"])}
)
assigned = st.fixed_dictionaries({"what": st.just("assigned"), "number": NUMBERS})
survey = st.fixed_dictionaries({"what": st.just("survey"), "number": NUMBERS})
referral = st.fixed_dictionaries({"what": st.just("referral")})
link = st.fixed_dictionaries({"what": st.just("link"), "number": NUMBERS, "ended": st.booleans()})
cancelled = st.fixed_dictionaries({"what": st.just("cancelled"), "order": NUMBERS})
SAID = st.tuples(
    st.one_of(
        machine, machine, settled, parts, returned, machine_returned, contact, contact, attestation, withdrawn, segment,
        assigned, survey, referral, cancelled, link,
    ),
    DAYS,
    st.sampled_from([0, 0, 0, 1]),
)  # fmt: skip


class Twin:
    """One buyer and his referrer, under names of their own in a book that others use too."""

    def __init__(self, club, name):
        self.club = club
        self.name = name
        codes = [f"{name}-buyer", f"{name}-referrer"]
        self.buyer, self.referrer = codes
        self.ids = transact(
            club.link,
            club.recorder.ids,
            lambda link, ids: people.create_members(
                link, ids, club.dealer, [people.NewMember(code) for code in codes], club.now
            ),
        )

    def observation(self, said, day, revision):
        """The word for what is said; a revision above 0 says something else of the same."""
        name, what = self.name, said["what"]
        order, number = f"{name}-{said.get('order')}", f"{name}-{what}-{said.get('number')}"
        kind, member, fields = what, self.buyer, {"source_id": number}
        match what:
            case "machine":
                kind, fields = "machine_purchase", {"order": order, "amount": 30_000_000, "serial": f"X-{order}"}
                fields |= {"size": said["size"], "machine_kind": "excavator", "used": said["used"]}
                fields |= {"referral": f"till:{name}-referral"} if said["referral"] else {}
            case "settled":
                kind, fields = "purchase_settled", {"order": order}
            case "parts":
                category = "lubricant" if revision else "parts"
                line = {"item": "filter", "category": category, "qty": said["qty"], "amount": said["amount"]}
                kind, fields = "parts_purchase", {"order": f"{order}-p", "lines": [line]}
            case "returned":
                kind, member = "sale_returned", ""
                fields |= {"order": f"{order}-p", "lines": [{"item": "filter", "qty": said["qty"]}]}
            case "machine_returned":
                member = ""
                fields |= {"order": order, "reason": "x"}
            case "contact":
                fields |= {"channel": "visit", "direction": "customer", "status": "accepted"}
            case "attestation":
                fields |= {"trait": "early_entrant", "stated_by": "a", "stated_role": "sales_manager"}
                fields |= {"countersigned_by": "b", "countersigned_role": "leader", "evidence": "e"}
            case "withdrawn":
                kind, member = "attestation_withdrawn", ""
                fields |= {"attestation": f"till:{name}-attestation-{said['number']}", "reason": "x"}
            case "segment":
                kind = "segment_set"
                fields |= {"segment": said["segment"]}
            case "assigned":
                kind = "tier_assigned"
                fields |= {"tier": "member", "by": "a", "reason": "r", "until": "2025-08-01"}
            case "link":
                kind = "link_ended" if said["ended"] else "link_set"
                fields |= {"linked": self.referrer} | ({} if said["ended"] else {"relation": "spouse"})
            case "survey":
                kind = "survey_answered"
                fields |= {"score": 5}
            case "referral":
                kind, member, day = "referral_registered", self.referrer, "2023-12-20"
                fields = {"source_id": f"{name}-referral", "referred": "x"}
            case "cancelled":
                kind, member, revision = "observation_cancelled", "", 2
                fields = {"source_id": f"order:S1:{order}:machine_purchase", "reason": "x"}
        return self.club.said(kind, day, member, revision=revision, **fields)

    def outcome(self):
        """Tiers, net grants and lots of both, without the names."""

        def plain(row):
            return tuple(value.replace(self.name, "") if isinstance(value, str) else value for value in row)

        return [
            [plain(row) for row in self.club.rows(sql, member)] for member in self.ids for sql in (STATIC, NET, LOTS)
        ]


def unlike(observations):
    """Of observations under one key and revision keep the first: others would be conflicts, and depend on the order."""
    kept = {}
    for one in observations:
        kept.setdefault((one.key, one.revision), one)
    return list(kept.values())


@pytest.fixture(scope="module")
def numbers():
    return itertools.count()


@pytest.fixture
def big(book_url):
    made = Club(book_url, FULL)
    # Before anything lapses: what has lapsed is gone from the lots, whatever brought it there.
    made.recorder._now = lambda: 1_764_547_200_000_000
    yield made
    made.check()
    made.close()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(said=st.lists(SAID, min_size=2, max_size=14), data=st.data())
def test_any_order_grouping_and_duplication_ends_in_the_same_place(big, numbers, said, data):
    number = next(numbers)
    first, second = Twin(big, f"a{number}"), Twin(big, f"b{number}")
    # Golden from the start, so that there is something to lose.
    base = [({"what": "contact", "number": 10 + k}, f"2024-{k:02d}-10", 0) for k in range(1, 7)]
    base += [({"what": "attestation", "number": 9}, "2023-12-01", 0), ({"what": "referral"}, "2023-12-20", 0)]
    said = [*base[: data.draw(st.sampled_from([0, 8]))], *said]
    for twin in (first, second):
        observations = unlike(twin.observation(*one) for one in said)
        if twin is first:
            for one in sorted(observations, key=lambda one: (one.occurred_at, one.key, one.revision)):
                big.send(one, brief=True)
            continue
        order = data.draw(st.permutations(range(len(observations))))
        again = data.draw(st.lists(st.sampled_from(range(len(observations))), max_size=4))
        sent = [observations[place] for place in (*order, *again)]
        cuts = sorted(data.draw(st.sets(st.integers(0, len(sent)), max_size=4)) | {0, len(sent)})
        for start, end in itertools.pairwise(cuts):
            if start < end:
                big.items(*(Observe(big.dealer, one, brief=True) for one in sent[start:end]))
    event(f"tiers changed {min(len(first.outcome()[0]), 5)} times")
    assert first.outcome() == second.outcome()


def test_a_purchase_waits_for_its_referral(big):
    twin = Twin(big, "x")
    machine = {"what": "machine", "order": 1, "size": "medium", "used": False, "referral": True}
    (answer,) = big.send(twin.observation(machine, "2024-01-05", 0))
    assert (answer.status, answer.body["waits_for"]) == ("parked", ["till:x-referral"])
    big.send(twin.observation({"what": "contact", "number": 1}, "2024-02-05", 0))
    big.send(twin.observation({"what": "referral"}, "", 0))
    assert big.count("parked") == 0
    assert [row[1] for row in big.tiers(twin.buyer)] == ["member"]


def test_a_link_told_of_late_takes_back_what_the_referral_earned_and_its_end_gives_it_again(big):
    twin = Twin(big, "x")
    machine = {"what": "machine", "order": 1, "size": "medium", "used": False, "referral": True}
    big.send(
        big.said("tier_assigned", "2023-12-02", twin.referrer, source_id="g", tier="gold", by="a", reason="r"),
        twin.observation({"what": "referral"}, "", 0),
        twin.observation(machine, "2024-01-05", 0),
        twin.observation({"what": "settled", "order": 1}, "2024-01-20", 0),
    )
    assert big.balance("parts_credit", member=twin.referrer) == 100_000
    big.send(twin.observation({"what": "link", "number": 1, "ended": False}, "2024-01-10", 0))
    assert big.balance("parts_credit", member=twin.referrer) == 0
    assert big.rows("SELECT count(*) FROM attribute WHERE name LIKE 'linked%'") == [(0,)]
    big.send(twin.observation({"what": "link", "number": 2, "ended": True}, "2024-01-15", 0))
    assert big.balance("parts_credit", member=twin.referrer) == 100_000


def test_the_referrer_is_paid_when_the_purchase_settles_and_repaid_when_it_comes_back(big):
    twin = Twin(big, "x")
    base = [({"what": "attestation", "number": 9}, "2023-12-01", 0)]
    for one in base:
        big.send(twin.observation(*one))
    gold = [
        big.said("tier_assigned", "2023-12-02", twin.referrer, source_id="g", tier="gold", by="a", reason="r"),
        twin.observation({"what": "referral"}, "", 0),
        twin.observation(
            {"what": "machine", "order": 1, "size": "medium", "used": False, "referral": True}, "2024-01-05", 0
        ),
    ]
    big.send(*gold)
    assert big.balance("parts_credit", member=twin.referrer) == 0
    big.send(twin.observation({"what": "settled", "order": 1}, "2024-01-20", 0))
    assert big.balance("parts_credit", member=twin.referrer) == 100_000
    big.send(twin.observation({"what": "machine_returned", "order": 1, "number": 1}, "2024-02-01", 0))
    assert big.balance("parts_credit", member=twin.referrer) == 0
    assert big.count("emission") == 2
    assert big.rows("SELECT count(*) FROM emission WHERE NOT applied") == [(0,)]
