"""A member's standing, told with reasons: his tier, what the next one takes, his traits, the lists he is on. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rules.judge import explain_condition
from rules.policy.text import title
from tierengine.membership.asker import Asker, last_day, when
from tierengine.membership.known import Known
from tierengine.membership.reasons import Words, degree_of, missing, said, trait_reason
from tierengine.membership.shortlist import lists_of, needed_traits
from tierengine.membership.stand import Stand
from tierengine.service.entitlements import level


@dataclass(slots=True)
class Told:
    """The parts of what is told of one member as of `here`."""

    known: Known
    here: Stand
    asker: Asker
    words: Words = field(init=False)

    def __post_init__(self) -> None:
        self.words = Words(self.here.policy)

    def say(self, text: Any, name: str) -> Any:
        """Return a title in the asker's language."""
        return said(title(text, name), self.asker.lang)

    def standing(self) -> dict[str, Any]:
        """Return the tier with its dates, and the service level that comes with it."""
        known, standing = self.known, self.here.carry.standing
        of = level(self.here.policy, standing.tier, self.here.inputs.attributes.get("segment"))
        return {
            "tier": standing.tier,
            "title": said(self.words.tier(standing.tier), self.asker.lang),
            "since": when(known, standing.since) if standing.since else None,
            "until": last_day(known, standing.until),
            "state": standing.state,
            "level": None if of is None else {"id": of.id, "title": self.say(of.title, of.id)},
        }

    def next_tier(self) -> dict[str, Any] | None:
        """Return the tier above and all that keeps the member from it; None at the top."""
        policy, judged, lang = self.here.policy, self.here.judged, self.asker.lang
        rank = policy.tier(self.here.tier).rank
        above = next((tier for tier in policy.tiers if tier.rank == rank + 1), None)
        if above is None:
            return None
        lacking: list[dict[str, Any]] = []
        for condition, negated in ((above.when, False), (above.unless, True)):
            if condition is not None:
                found = explain_condition(condition, self.here.inputs, judged, tier=self.here.tier)
                lacking += [self._test(test, under) for test, under in missing(found, negated=negated)]
        needed = needed_traits(above)
        traits: dict[str, Any] | None = None
        if needed is not None:
            count, of = needed
            names = of or tuple(policy.traits)
            met = sum(name in judged.met for name in names)
            would_help = [
                {"id": name, "title": self.say(policy.traits[name].title, name)}
                for name in names
                if name not in judged.met
            ]
            traits = {"met": met, "needed": count, "short": max(count - met, 0), "would_help": would_help}
        return {
            "tier": above.id,
            "title": said(self.words.tier(above.id), lang),
            "excluded": judged.excluded[above.rank],
            "missing": lacking,
            "traits": traits,
            "promotion": above.promotion,
        }

    def _test(self, test: Any, negated: bool) -> dict[str, Any]:
        plain = self.words.plain(test, negated=negated)
        lang = self.asker.lang
        return {**plain, "title": said(plain["title"], lang), "sentence": said(plain["sentence"], lang)}

    def traits(self) -> list[dict[str, Any]]:
        """Return every trait of the policy, met or not, with the test that decided."""
        found: list[dict[str, Any]] = []
        for trait in self.here.policy.traits.values():
            reason, explanation = trait_reason(self.words, trait, self.here.inputs, self.here.judged)
            found.append(
                {
                    "id": trait.id,
                    "title": self.say(trait.title, trait.id),
                    "met": trait.id in self.here.judged.met,
                    **reason.plain(self.asker.lang),
                    "degree": None if (far := degree_of(trait, self.here.judged)) is None else far.id,
                    "attestable": trait.attested is not None,
                    "conditions": [] if explanation is None else self.words.conditions(explanation, self.asker.lang),
                }
            )
        return found

    def lists(self) -> list[dict[str, Any]]:
        """Return the lists that he is on, with what he lacks."""
        policy = self.here.policy
        return [
            {
                "id": one.list_id,
                "title": self.say(policy.lists[one.list_id].title, one.list_id),
                "lacking": list(one.lacking),
            }
            for one in lists_of(policy, self.here.judged, self.here.tier)
        ]
