"""The consent ledger of a member: what he agreed to, or withdrew, when, told by whom, and to which text.

Every word is an event, `consent_changed`, so the ledger is insert only, dated, sealed, and corrected like all others.
The last word on a purpose counts. What a member was never asked is neither given nor withdrawn.

`marketing` is the one purpose that this program acts on: from its withdrawal on, what the dealer would begin of his own
accord (recurring visits, greetings, what a change of tier brings) is owed no more. What answers the member himself
(repairs, complaints, orders) and what concerns his own money goes on: that needs no consent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tierengine.judging.history import Contribution
from tierengine.judging.values import purpose_of
from tierengine.membership.asker import when
from tierengine.membership.known import contributions_of, read_member
from tierengine.policies.versions import Programme
from tierengine.store.dialect import Link

KIND: Final = "consent_changed"
MARKETING: Final = "marketing"


def withdrawn_at(said: Sequence[Contribution]) -> int | None:
    """Return since when marketing is withdrawn, by standing contributions in order; None: it is not.

    Said twice in a row, the first time counts.
    """
    since: int | None = None
    for one in said:
        if one.kind == KIND and purpose_of(str(one.fields.get("purpose"))) == MARKETING:
            if one.fields.get("given"):
                since = None
            elif since is None:
                since = one.at
    return since


def consents(link: Link, programme: Programme, code: str) -> dict[str, Any]:
    """Return the member's purposes as they stand, and every word on them, newest first; call it inside a snapshot."""
    known = read_member(link, programme, code)
    words = [
        {
            "purpose": purpose_of(str(one.fields.get("purpose", ""))),
            "given": bool(one.fields.get("given")),
            "at": when(known, one.at),
            "text_version": one.fields.get("text_version"),
            "staff": one.fields.get("staff"),
        }
        for one in contributions_of(link, known.ids, (KIND,))
    ]
    return {
        "member": known.code,
        **known.joined(),
        "now": {str(one["purpose"]): one["given"] for one in words},
        "words": words[::-1],
    }
