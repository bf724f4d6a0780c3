"""Faults of the fold, each planted by a patch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rules import policy as ast
from rules.judge import StandingTiers
from tests.model import dates
from tierengine.judging import fold as folding
from tierengine.judging import grants, offers
from tierengine.judging.grants import Rewards
from tierengine.judging.history import LAST
from tierengine.judging.recorded import Recorded
from tierengine.judging.running import RunningFacts
from tierengine.judging.standing import Ladder
from tierengine.judging.states import States
from tierengine.zone import Zone

FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {}


def fault(seed: Callable[[pytest.MonkeyPatch], None]) -> Callable[[pytest.MonkeyPatch], None]:
    FAULTS[seed.__name__] = seed
    return seed


def wrapped(patch: pytest.MonkeyPatch, owner: Any, name: str, around: Callable[..., Any]) -> None:
    """Replace a function by `around(the function, *its arguments)`."""
    original = getattr(owner, name)

    def replacement(*args: Any, **named: Any) -> Any:
        return around(original, *args, **named)

    patch.setattr(owner, name, replacement)


def with_tiers(patch: pytest.MonkeyPatch, change: Callable[[ast.Tier], ast.Tier]) -> None:
    """Let the standing's rules read changed tiers."""
    wrapped(
        patch, Ladder, "__init__",
        lambda init, ladder, policy, zone: init(
            ladder, replace(policy, tiers=tuple(change(tier) for tier in policy.tiers)), zone
        ),
    )  # fmt: skip


@fault
def a_boundary_acts_after_what_happens_at_its_instant(patch):
    patch.setattr(folding, "BOUNDARY", 4)


@fault
def a_boundary_acts_a_microsecond_early(patch):
    wrapped(patch, Ladder, "_extended", lambda real, *args: _ending(real(*args), -1))


@fault
def terms_end_at_midnight_in_greenwich(patch):
    wrapped(patch, Ladder, "__init__", lambda init, ladder, policy, _: init(ladder, policy, Zone("UTC")))


@fault
def terms_end_with_the_day_before(patch):
    wrapped(patch, Ladder, "_extended", lambda real, *args: _ending(real(*args), -dates.DAY))


def _ending(standing, off):
    return standing if standing.until is None else replace(standing, until=standing.until + off)


@fault
def terms_step_from_the_last_end(patch):
    def step(real, ladder, standing, tier):
        if standing.until is None:
            return real(ladder, standing, tier)
        last = ladder._zone.local_date(standing.until - 1)
        return real(ladder, replace(standing, anchor=last.toordinal(), months=0), tier)

    wrapped(patch, Ladder, "_extended", step)


@fault
def there_is_no_grace(patch):
    with_tiers(patch, lambda tier: replace(tier, keep=tier.keep and replace(tier.keep, grace_days=0)))


@fault
def grace_lasts_a_day_longer(patch):
    longer = lambda keep: replace(keep, grace_days=keep.grace_days + 1 if keep.grace_days else 0)  # noqa: E731
    with_tiers(patch, lambda tier: replace(tier, keep=tier.keep and longer(tier.keep)))


@fault
def boundaries_promote_nobody(patch):
    def without_higher(real, ladder, carry, judged, instant):
        rank = ladder.tier_of(carry.standing).rank
        tiers = tuple(holds and place <= rank for place, holds in enumerate(judged.tiers))
        return real(ladder, carry, replace(judged, tiers=tiers), instant)

    wrapped(patch, Ladder, "at_boundary", without_higher)


@fault
def a_version_s_start_is_no_point(patch):
    wrapped(
        patch, Ladder, "at_point",
        lambda real, ladder, carry, judged, instant, **how: real(ladder, carry, judged, instant, **how)
        if how["returned"] or not _starts(ladder, instant) else (carry, None),
    )  # fmt: skip
    # A version's start is told from an event by its instant: no event has it to the microsecond but by chance.
    wrapped(patch, folding.Regimes, "__init__", _remember_starts)


STARTS: set[int] = set()


def _remember_starts(init, of, line, zone):
    STARTS.clear()
    STARTS.update(version.effective_from for version in line.versions[1:])
    init(of, line, zone)


def _starts(ladder, instant):
    return instant in STARTS


@fault
def only_the_next_tier_is_reached(patch):
    def nearest(real, ladder, carry, judged, tier, instant):
        tiers = tuple(holds and place <= tier.rank + 1 for place, holds in enumerate(judged.tiers))
        return real(ladder, carry, replace(judged, tiers=tiers), tier, instant)

    wrapped(patch, Ladder, "_reachable", nearest)


@fault
def losing_eligibility_waits_for_the_end(patch):
    wrapped(
        patch, Ladder, "at_point",
        lambda real, ladder, carry, judged, instant, **how: real(
            ladder, carry, replace(judged, excluded=(False,) * len(judged.excluded)), instant, **how
        ),
    )  # fmt: skip


@fault
def a_confirmation_never_lapses(patch):
    with_tiers(patch, lambda tier: replace(tier, confirm_within_days=10_000))


def _keeping(outcome, **kept):
    carry, rest = outcome
    return replace(carry, **kept), rest


@fault
def a_return_undoes_a_promotion_of_one_day_more(patch):
    with_tiers(patch, lambda tier: replace(tier, returns_undo_days=tier.returns_undo_days + 1))


@fault
def a_return_undoes_no_promotion(patch):
    with_tiers(patch, lambda tier: replace(tier, returns_undo_days=0))


@fault
def what_a_promotion_replaced_is_forgotten(patch):
    wrapped(patch, Ladder, "_promote", lambda real, *args: _keeping(real(*args), replaced=()))


@fault
def a_floor_is_forgotten(patch):
    patch.setattr(Ladder, "_floor", lambda *_: 0)


@fault
def a_lock_holds_nobody(patch):
    wrapped(
        patch, Ladder, "word",
        lambda real, ladder, carry, kind, *args: (carry, None)
        if kind == "tier_locked" else real(ladder, carry, kind, *args),
    )  # fmt: skip


@fault
def ties_go_by_something_else_than_the_key(patch):
    patch.setattr(
        Recorded, "position", property(lambda one: (one.observation.occurred_at, one.kind.class_, one.key[::-1]))
    )


@fault
def facts_see_what_comes_later_in_the_same_instant(patch):
    wrapped(patch, RunningFacts, "_advance", lambda real, facts, position: real(facts, (position[0], LAST, "")))


@fault
def an_attribute_is_read_as_it_is_today(patch):
    patch.setattr(
        RunningFacts, "attributes",
        lambda facts, _: States(facts._states._zone, facts._contributions).attributes(1 << 61),
    )  # fmt: skip


@fault
def a_return_was_known_when_the_sale_was_made(patch):
    def knowing(init, facts, zone, rows):
        sold = {row.line: row.known for row in rows if row.qty > 0}
        early = [row if row.qty > 0 else replace(row, known=sold.get(row.line, row.known)) for row in rows]
        init(facts, zone, sorted(early, key=lambda row: row.known))

    wrapped(patch, RunningFacts, "__init__", knowing)


@fault
def everything_is_judged_by_the_newest_version(patch):
    for name in ("at", "of"):
        patch.setattr(folding.Regimes, name, lambda of, _: of._regimes[of.line.versions[-1].id])


@fault
def rewards_ask_the_standing_before_the_event(patch):
    patch.setattr(folding, "StandingTiers", lambda before, _, order: StandingTiers(before, before, order))


@fault
def a_returned_purchase_keeps_its_rung(patch):
    _taking_back_but(patch, "counts")


@fault
def a_return_gives_no_cap_back(patch):
    _taking_back_but(patch, "caps")


@fault
def a_returned_machine_stays_taken(patch):
    _taking_back_but(patch, "taken")


def _taking_back_but(patch, name):
    """A return leaves this part of the carry as it was."""
    wrapped(
        patch, folding, "take_back",
        lambda real, policy, carry, *args: _keeping(real(policy, carry, *args), **{name: getattr(carry, name)}),
    )  # fmt: skip


@fault
def who_lost_his_group_has_occurred(patch):
    def all_of_them(real, offered):
        won = real(offered)
        lost = [one for one in offered if one not in won]
        return won + [replace(one, granted=replace(one.granted, judged=1, wanted=0)) for one in lost]

    wrapped(patch, grants, "settled", all_of_them)


@fault
def of_a_group_the_lowest_amount_wins(patch):
    wrapped(patch, offers, "_rank", lambda real, offer: (offer.granted.judged, *real(offer)[1:]))


@fault
def pro_rata_is_rounded_up(patch):
    def up(real, policy, carry, granted, lines):
        after, rest = real(policy, carry, granted, lines)
        reward = policy.rewards[granted.rule]
        if reward.returns == "pro_rata" and rest.left_quantity and granted.sold:
            rest = replace(rest, wanted=min(granted.wanted, -(-granted.judged * rest.left // granted.sold)))
        return after, rest

    wrapped(patch, folding, "take_back", up)


@fault
def what_is_judged_again_is_judged_pro_rata(patch):
    wrapped(
        patch, folding, "take_back",
        lambda real, policy, *args: real(
            replace(policy, rewards={n: replace(one, returns="pro_rata") for n, one in policy.rewards.items()}), *args
        ),
    )  # fmt: skip


@fault
def a_ladder_runs_for_life(patch):
    patch.setattr(Rewards, "_period", lambda *_: "life")


@fault
def the_period_is_that_of_today(patch):
    wrapped(patch, Rewards, "_day", lambda real, r, reward, *args: real(r, replace(reward, counted_on=""), *args))


@fault
def the_minimum_must_be_passed(patch):
    wrapped(
        patch, Rewards, "_open",
        lambda real, r, reward, *args: real(r, replace(reward, minimum_spend=reward.minimum_spend + 1), *args),
    )  # fmt: skip


@fault
def credit_lasts_a_day_longer(patch):
    wrapped(patch, Zone, "expiry", lambda real, *args: (end := real(*args)) and end + dates.DAY)


@fault
def a_returned_event_that_only_counted_keeps_its_place(patch):
    patch.setattr(folding, "uncount", lambda carry, *_: carry)


@fault
def who_was_told_is_not_told_of_the_return(patch):
    patch.setattr(folding._Fold, "_withdraw", lambda *_: None)
