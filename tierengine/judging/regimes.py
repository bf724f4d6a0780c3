"""The versions of a dealer's policy as regimes: which is in force when, each with what the fold needs of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from rules.judge import Inputs
from rules.narrowing import narrowed
from rules.policy import Emission
from tierengine.judging.carry import version_of
from tierengine.judging.decisions import PolicyLine, Version
from tierengine.judging.grants import Rewards
from tierengine.judging.history import VERSION_START, Position
from tierengine.judging.standing import Ladder
from tierengine.zone import Zone


@dataclass(frozen=True)
class Regime:
    """One version of the policy in force: the parts of the fold that it governs, made once."""

    version: Version
    zone: Zone

    @cached_property
    def ladder(self) -> Ladder:
        """The tiers in time."""
        return Ladder(self.version.rules.policy, self.zone)

    def suspended(self, asked: Callable[[Version], Inputs]) -> frozenset[str]:
        """Return the wallets that a member may not use, by what is `asked` of him: as little as that is decided by."""
        if not self.version.rules.suspends:
            return frozenset()
        return self._suspending.rules.judge(asked(self._suspending)).suspended

    @cached_property
    def _suspending(self) -> Version:
        """The version with what the suspension of its wallets is decided by, and nothing else."""
        policy = self.version.rules.policy
        return replace(self.version, rules=narrowed(policy, wallets=policy.wallets))

    @cached_property
    def rewards(self) -> Rewards:
        """The amounts."""
        return Rewards(self.version.rules.policy, self.zone)


class Regimes:
    """All versions of a dealer, ready to fold; built once and shared between members and threads."""

    __slots__ = ("_regimes", "line", "zone")

    def __init__(self, line: PolicyLine, zone: Zone) -> None:
        self.line = line
        self.zone = zone
        self._regimes = {version.id: Regime(version, zone) for version in line.versions}

    def at(self, instant: int) -> Regime:
        """Return what is in force at `instant`."""
        return self._regimes[self.line.at(instant).id]

    def of(self, version_id: int) -> Regime:
        """Return the one of a version."""
        return self._regimes[version_id]

    def emission(self, rule: str, instant: int) -> Emission | None:
        """Return the emission `rule` of the version in force at `instant`, or of the last version that has it."""
        versions = (self.line.at(instant), *reversed(self.line.versions))
        return next((found for one in versions if (found := one.rules.policy.emissions.get(rule))), None)

    def missed(self, carry: str, head: Position) -> Position | None:
        """Return the first version start that a history up to `head` should have passed and did not; else None.

        A version is published to begin after everything that is recorded. But an event from a clock that is ahead may
        be recorded while the publication commits, and is then judged by the version before, though it lies after the
        new one's start. What follows that start must be folded again.
        """
        versions = self.line.versions
        if not carry or len(versions) == 1:
            return None
        judged_by = version_of(carry)
        if judged_by == self.line.at(head[0]).id:
            return None
        place = next(place for place, version in enumerate(versions) if version.id == judged_by)
        return (versions[place + 1].effective_from, VERSION_START, "")

    def next_start(self, after: int) -> int | None:
        """Return the first start of a version later than the instant `after`; the first version has none."""
        versions = self.line.versions
        if len(versions) == 1 or versions[-1].effective_from <= after:
            return None  # nearly always
        return next((v.effective_from for v in versions[1:] if v.effective_from > after), None)
