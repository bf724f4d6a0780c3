"""Who does an act of the staff, and who stands beside him: names of programs, sessions of people.

Whoever is logged in is the first (`by`), and nobody else; the second shows a session of his own in
`Second-Authorization`, as a colleague who bends over the desk and logs in. A program names both, and answers for it.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from fastapi import Request

from api.service import Write
from tierengine.errors import FormError, Malformed

SECOND: Final = "second-authorization"


async def by_people(request: Request, write: Write, roles: AbstractSet[str]) -> Write:
    """Return a write of somebody who is logged in, with his login and the second person's instead of names.

    roles  those of which the second person has one
    """
    login = write.caller.login
    if not login:
        return write
    given = {"by": login, **write.raw}
    if given["by"] != login:
        raise Malformed([FormError("/by", "not_one_of", {"expected": login})])
    header = request.headers.get(SECOND)
    if header is None:
        if "second" in given:
            raise Malformed([FormError("/second", "second_not_here")])
        return replace(write, raw=given)
    second = await write.service.keys.who(header)
    good = second is not None and second.login and second.dealer_id == write.caller.dealer_id and second.may(roles)
    if second is None or not good or given.get("second", second.login) != second.login:
        raise Malformed([FormError("/second", "second_not_here")])
    by = None if write.once.by is None else replace(write.once.by, second=second.login)
    return replace(write, raw={**given, "second": second.login}, once=replace(write.once, by=by))
