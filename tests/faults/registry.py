"""Every fault that a run knows, in the order of the table."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults import killing
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
    Known("server", "PostgreSQL killed and started again", killing.server_killed, SERVER, NO_SERVER),
    Known("connection", "connection cut during COMMIT", killing.connection_cut, SERVER, "has no connection to cut"),
    Known("standby", "standby promoted", killing.standby_promoted, SERVER, "has no standby"),
    Known("control", "control: killed while durability is off", killing.lazy),
)
