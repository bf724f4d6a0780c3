"""Every fault that a run knows, in the order of the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults import batching, filling, killing, serving, telling
from tests.faults.stage import Fault

BOTH = ("sqlite", "postgresql")
SERVER = ("postgresql",)


@dataclass(frozen=True)
class Known:
    """A fault by its name on the command line.

    share    minutes of a run of ninety that it may take on a database; what it leaves, the ones after it have
    why_not  why it has no row of numbers on the other database
    """

    name: str
    title: str
    run: Fault
    share: float
    databases: tuple[str, ...] = BOTH
    why_not: str = ""


NO_SERVER = "has no server: its worker is the one that can die"

FAULTS = (
    Known("worker", "worker killed", killing.worker_killed, 24),
    Known("service", "process of the HTTP service killed", serving.service_killed, 9),
    Known("server", "PostgreSQL killed and started again", killing.server_killed, 17, SERVER, NO_SERVER),
    Known("connection", "connection cut during COMMIT", killing.connection_cut, 12, SERVER, "has no connection to cut"),
    Known("standby", "standby promoted", killing.standby_promoted, 3, SERVER, "has no standby"),
    Known("last-credit", "1,000 redeems of the last credit at once", serving.last_credit, 12),
    Known("other-body", "same key, other body", serving.other_body, 2),
    Known("disk", "disk full, then freed", filling.disk_full, 2),
    Known("clock", "clock set back, forth and jumping", telling.clock_back, 2),
    Known("shuffled", "duplicate, shuffled and late events", telling.shuffled, 6),
    Known("award", "award run killed at every step, started twice", batching.award_killed, 3),
    Known("policy", "policy published amid a batch", telling.policy_amid, 2),
    Known("yaml", "poison YAML published while tills pay", telling.poison_yaml, 2),
    Known("burst", "burst of 10,000 queued events after an outage", serving.burst, 3),
    Known("json", "hostile JSON between good writes", serving.hostile_json, 1),
    Known("slow", "slow clients beside good ones", serving.slow_clients, 1),
    Known("control", "control: killed while durability is off", killing.lazy, 1),
)


def ordered(chosen: Sequence[Known]) -> list[Known]:
    """Return those first that must be tried to their end; the one that takes what time there is comes last."""
    return sorted(chosen, key=lambda one: one.name == FAULTS[0].name)


def minutes_of(one: Known, later: Sequence[Known], database: str, left: float) -> float:
    """Return how many of the minutes that are left a fault may take, in view of those that come after it."""
    weights = [known.share for known in (one, *later) if database in known.databases]
    return left * one.share / sum(weights) if database in one.databases else 0.0
