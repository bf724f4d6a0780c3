"""Quotas a period, times machines, and claims decided on them; without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from rules.judge import Inputs
from rules.policy import Policy
from rules.reader import read
from tests.test_api_book import POLICY
from tierengine.errors import CATALOGUE, Refused
from tierengine.judging.decisions import PolicyLine, Version
from tierengine.judging.history import Contribution, Observation
from tierengine.judging.regimes import Regimes
from tierengine.recording.items import Before
from tierengine.service.entitlements import claim_check, level, rights
from tierengine.zone import Zone

ZONE = Zone("Asia/Shanghai")


@pytest.fixture(scope="module")
def policy() -> Policy:
    found = read(POLICY, "policies.yaml").policy
    assert found is not None
    return found


def at(text: str) -> int:
    return ZONE.instant(datetime.fromisoformat(text))


def claim(day: str, entitlement: str, qty: int = 1, number: int = 1) -> Contribution:
    when, key = at(day), f"till:{day}-{number}"
    fields = {"entitlement": entitlement, "qty": qty}
    return Contribution("entitlement_claimed", f"{key}#0", when, (when, 3, key), "entitlement_claimed", qty, 0, fields)


def machine(day: str, serial: str) -> Contribution:
    when, key = at(day), f"till:{serial}"
    fields = {"serial": serial, "tenure": "owned"}
    return Contribution("machine_registered", f"{key}#0", when, (when, 3, key), "machine_registered", 1, 0, fields)


def right(policy: Policy, name: str, history: list[Contribution], day: str = "2026-06-15", tier: str = "gold") -> Any:
    of = level(policy, tier, None)
    return next(one for one in rights(ZONE, of, history, at(day)) if one.entitlement.id == name)


def decide(policy: Policy, name: str, history: list[Contribution], qty: int = 1, tier: str = "gold") -> None:
    said = Observation(
        "entitlement_claimed", "C1", at("2026-06-15"), "till", "x", fields={"entitlement": name, "qty": qty}
    )
    rules: Any = SimpleNamespace(policy=policy)
    regime = Regimes(PolicyLine((Version(1, 1, 0, rules),)), ZONE).of(1)
    before = Before(1, at("2026-06-15"), regime, lambda _: Inputs({}, {}), tier, MappingProxyType({}), history)
    claims = [one for one in history if one.kind == "entitlement_claimed"]
    claim_check(said, ZONE, lambda _: claims)(before)


def test_what_was_claimed_in_another_year_does_not_count(policy: Policy):
    history = [claim("2025-12-31T23:59", "vip_social", 4), claim("2026-01-01T00:00", "vip_social", 1)]
    found = right(policy, "vip_social", history)
    assert (found.quota, found.used, found.remaining) == (4, 1, 3)
    assert found.next_on.isoformat() == "2027-01-01"
    assert right(policy, "vip_social", history, "2025-06-01").remaining == 0


def test_a_quota_per_machine_counts_the_machines_owned(policy: Policy):
    assert right(policy, "inspection", []).quota == 0
    owned = [machine("2026-01-01", "A"), machine("2026-01-02", "B"), machine("2026-01-03", "B")]
    assert right(policy, "inspection", owned).quota == 4
    assert right(policy, "inspection", owned, "2026-01-01").quota == 2


def test_what_has_no_quota_is_never_used_up(policy: Policy):
    found = right(policy, "literature", [claim("2026-06-01", "literature", 500)])
    assert (found.quota, found.remaining, found.next_on) == (None, None, None)
    decide(policy, "literature", [claim("2026-06-01", "literature", 500)], qty=1_000)


def test_a_cancelled_claim_is_free_again(policy: Policy):
    one = claim("2026-06-01", "vip_social", 4)
    back = Contribution(one.kind, one.line, one.at, one.known, one.cause, -4, 0, one.fields)
    assert right(policy, "vip_social", [one, back]).used == 0


def test_a_claim_within_the_quota_is_allowed_and_one_beyond_it_refused_with_the_next_date(policy: Policy):
    history = [claim("2026-06-01", "vip_social", 3)]
    decide(policy, "vip_social", history)
    with pytest.raises(Refused) as refused:
        decide(policy, "vip_social", history, qty=2)
    assert refused.value.code == "entitlement_exhausted"
    assert dict(refused.value.details) == {
        "entitlement": "vip_social", "quota": 4, "used": 3, "next_on": "2027-01-01",
    }  # fmt: skip
    assert refused.value.say("zh") == "vip_social 本期 4 次已用 3 次，下次可用：2027-01-01。"
    assert str(refused.value) == refused.value.say("en")


def test_a_claim_dated_before_others_finds_the_quota_as_they_left_it(policy: Policy):
    with pytest.raises(Refused):
        decide(policy, "vip_social", [claim("2026-11-01", "vip_social", 4)])


def test_what_the_level_lacks_cannot_be_claimed(policy: Policy):
    with pytest.raises(Refused) as refused:
        decide(policy, "vip_social", [], tier="customer")
    assert refused.value.code == "entitlement_unknown"


def test_a_segment_may_give_a_higher_level_than_the_tier(policy: Policy):
    assert level(policy, "customer", "key_account").id == "velcro"
    assert level(policy, "gold", "benchmark").id == "velcro"
    assert level(policy, "customer", None).id == "clip"


def test_every_refusal_says_its_sentence_from_the_one_catalogue(policy: Policy):
    refusals = []
    for name, tier, history in (
        ("vip_social", "gold", [claim("2026-06-01", "vip_social", 4)]),
        ("vip_social", "customer", []),
    ):
        with pytest.raises(Refused) as refused:
            decide(policy, name, history, tier=tier)
        refusals.append(refused.value)
    for one in refusals:
        assert one.say("zh") == CATALOGUE[one.code].zh.format_map(one.details)
        assert str(one) == CATALOGUE[one.code].en.format_map(one.details)


def test_what_is_given_once_for_life_does_not_promise_a_next_time(policy: Policy):
    level_ = policy.levels["velcro"]
    once = replace(next(one for one in level_.entitlements if one.id == "vip_social"), quota=1, period="life")
    policy = replace(policy, levels={**policy.levels, "velcro": replace(level_, entitlements=(once,))})
    with pytest.raises(Refused) as refused:
        decide(policy, "vip_social", [claim("2026-06-01", "vip_social", 1)])
    assert refused.value.code == "entitlement_used_up"
    assert refused.value.say("zh") == "vip_social 一共 1 次，已用 1 次。"
    assert "available again" not in refused.value.say("en")
