"""The lives of members, one after the other: who tells something to others before those."""

from __future__ import annotations

from collections.abc import Sequence

from rules import policy as ast
from tests.model.life import Held, Life, Member
from tests.model.rows import Row, Said, contributions


def live(versions: Sequence[tuple[int, ast.Policy]], zone: str, rows: Sequence[Row], end: int) -> Life:
    """A member's life up to the instant `end`, that included. `versions`: (effective from, policy), first to last."""
    events = sorted({row.known for row in rows})
    now = (events[0][0] if events else end, 0, "")
    policy = next((one for start, one in reversed(versions) if start <= now[0]), versions[0][1])
    member = Member(versions, zone, rows, policy, Held(policy.tiers[0].id, 0))
    while True:
        points = [((start, 0, ""), one) for start, one in versions[1:] if start > now[0]][:1]
        points += [(position, "event") for position in events if position > now][:1]
        if member.held.until is not None:
            points.append(((member.held.until, 1, ""), "end"))
        position, what = min(points, key=lambda point: point[0], default=((end + 1, 0, ""), None))
        if position[0] > end:
            return member.life
        if what == "event":
            member.event(position)
        elif what == "end":
            member.evaluate(position, ended=True)
        else:
            member.version_starts(what, position)
        now = max(now, position)


def lives_of(
    versions: Sequence[tuple[int, ast.Policy]], zone: str, said: Sequence[Said], givers: Sequence[str], end: int
) -> dict[str, Life]:
    """The life of each member; those in `givers` first, since what they do may tell something to the others."""
    rows = contributions(said, zone)
    emissions = {name: one for _, policy in versions for name, one in policy.emissions.items()}
    found: dict[str, Life] = {}
    for member in (*givers, *sorted(rows.keys() - set(givers))):
        mine = list(rows.get(member, ()))
        for giver, life in found.items():
            mine += [one.row(zone, {emissions[one.rule].giver: giver}) for one in life.sent if one.to == member]
        found[member] = live(versions, zone, sorted(mine, key=lambda row: row.known), end)
    return found
