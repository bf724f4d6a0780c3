"""Every fault that a run knows, in the order of the table."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults import batching, filling, killing, serving, telling
from tests.faults.stage import Fault

BOTH = ("sqlite", "postgresql")
SERVER = ("postgresql",)


@dataclass(frozen=True)
class Known:
    """A fault by its name on the command line. `why_not`: why it has no row of numbers on the other database."""

    name: str
    title: str
    run: Fault
    databases: tuple[str, ...] = BOTH
    why_not: str = ""


NO_SERVER = "has no server: its worker is the one that can die"

FAULTS = (
    Known("worker", "worker killed", killing.worker_killed),
    Known("service", "process of the HTTP service killed", serving.service_killed),
    Known("server", "PostgreSQL killed and started again", killing.server_killed, SERVER, NO_SERVER),
    Known("connection", "connection cut during COMMIT", killing.connection_cut, SERVER, "has no connection to cut"),
    Known("standby", "standby promoted", killing.standby_promoted, SERVER, "has no standby"),
    Known("last-credit", "1,000 redeems of the last credit at once", serving.last_credit),
    Known("other-body", "same key, other body", serving.other_body),
    Known("disk", "disk full, then freed", filling.disk_full),
    Known("clock", "clock set back, forth and jumping", telling.clock_back),
    Known("shuffled", "duplicate, shuffled and late events", telling.shuffled),
    Known("award", "award run killed at every step, started twice", batching.award_killed),
    Known("policy", "policy published amid a batch", telling.policy_amid),
    Known("yaml", "poison YAML published while tills pay", telling.poison_yaml),
    Known("burst", "burst of 10,000 queued events after an outage", serving.burst),
    Known("json", "hostile JSON between good writes", serving.hostile_json),
    Known("slow", "slow clients beside good ones", serving.slow_clients),
    Known("control", "control: killed while durability is off", killing.lazy),
)
