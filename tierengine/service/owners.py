"""Who owes a duty: the member's own manager where it is his to do, else the role that the policy names."""

from __future__ import annotations

from typing import Final

from tierengine.service.dutybook import MemberDuty

PERSONAL: Final = frozenset(("account_manager", "sales_manager"))


def owner_of(one: MemberDuty) -> str:
    """Return who owes a duty: the member's manager where it is his, else the role."""
    return one.manager if one.owed.owner in PERSONAL and one.manager else one.owed.owner
