"""Worked cases of a policy file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rules.policy.text import Mark

State = Literal["valid", "grace", "locked", "assigned"]  # of a standing
Plain = None | bool | int | str | list["Plain"] | dict[str, "Plain"]


@dataclass(frozen=True, slots=True)
class Example:
    """A worked case in the file: `given` events in order, `expect` what must come out (canonical English keys).

    `places` tells where each expectation stands: its key (`tier`), or key and id (`grants.welcome_gift`) → mark.
    """

    title: str
    given: tuple[dict[str, Plain], ...]
    expect: dict[str, Plain]
    mark: Mark = Mark(0, 0)
    places: Mapping[str, Mark] = field(default_factory=dict)
    file: str = ""  # "" = the policy's own file
