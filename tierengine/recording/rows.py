"""From what was decided to rows: events, contributions, decisions, the caches of the fold, attributes and machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import orjson

from rules.vocabulary import ATTRIBUTES
from tierengine.judging.decisions import GrantDecision
from tierengine.judging.history import Contribution, Position
from tierengine.judging.netting import net
from tierengine.judging.observations import body_text
from tierengine.judging.states import ATTRIBUTE_KINDS, FLEET_KINDS, States
from tierengine.policies.versions import Programme
from tierengine.recording.decided import Refolded
from tierengine.recording.locked import BEGINNING
from tierengine.recording.reading import lock_machines
from tierengine.recording.stored import Stored, contribution
from tierengine.recording.writing import Rows
from tierengine.store.dialect import Link, either
from tierengine.store.ids import Ids
from tierengine.store.rows import Row
from tierengine.store.within import among

_MACHINES: Final = "SELECT serial, member_id FROM machine WHERE dealer_id = ?1 AND serial IN (?2*)"
_OF_MACHINES: Final = (
    "SELECT member_id, kind, line, at, known_at, known_class, known_key, cause, qty, amount, fields "
    "FROM contribution WHERE member_id IN (?1*) AND fields ->> 'serial' IN (?2*)"
)
_BOUGHT: Final = frozenset(("machine_purchase", "purchase_settled"))
MACHINE_KINDS: Final = FLEET_KINDS | _BOUGHT
# Asked only where a word is taken back. The kinds stand in the text, as they do in the index that answers it.
_OF_MACHINES_ALONE: Final = " OR ".join(f"kind = '{kind}'" for kind in sorted(MACHINE_KINDS))
_SPEAKING: Final = f"SELECT member_id FROM contribution WHERE dealer_id = ?1 AND ({_OF_MACHINES_ALONE}) AND "
_SERIAL: Final = "fields ->> 'serial'"
_SPOKE: Final = either(
    f"{_SPEAKING}{among('fields', 'serial', 2)} AND {_SERIAL} IN (?2*)",
    "SELECT c.member_id FROM unnest(?2::text[]) AS named(serial) CROSS JOIN LATERAL "
    f"({_SPEAKING}{_SERIAL} = named.serial OFFSET 0) AS c",
)
_ALWAYS: Final = (1 << 62) - 1
NOTHING: Final = (0, 0, "", "", None, "")  # of a ledger row: no history is folded under it


def text(value: object) -> str:
    """Return canonical JSON text."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def event_row(event: Stored, dealer: int, stores: Mapping[str, int], now: int) -> Row:
    """Return the row of an event."""
    said = event.recorded.observation
    return (
        event.event_id, dealer, event.member_id, stores.get(said.store), said.key, said.revision, said.cluster,
        said.kind, said.occurred_at, now, said.source, said.source_id, body_text(said), event.hash,
    )  # fmt: skip


def contribution_rows(
    rows: Rows, ids: Ids, dealer: int, member: int, contributions: Sequence[Contribution], event_ids: Sequence[int]
) -> None:
    """Add what a member's events contribute."""
    for row, event_id in zip(contributions, event_ids, strict=True):
        rows.add(
            "contribution", ids.take(), dealer, member, event_id, row.kind, row.line, row.at, *row.known, row.cause,
            row.qty, row.amount, text(dict(row.fields)),
        )  # fmt: skip


def folded_rows(
    rows: Rows,
    ids: Ids,
    dealer: int,
    outcome: Refolded,
    now: int,
) -> None:
    """Add what one member's fold brings: decisions, tier changes and checkpoints."""
    member = outcome.head.member_id
    for number, made in outcome.made:
        granted = made.granted
        if granted is None:
            continue
        given = isinstance(made, GrantDecision)
        owner = outcome.owner((granted.event_key, granted.rule)) if isinstance(made, GrantDecision) else made.member
        rows.add(
            "decision", number, dealer, owner, granted.event_key, granted.rule, granted.version_id, *made.step,
            made.kind if given else "withdrawn", granted.wallet, granted.wanted if given else 0, granted.usable_from,
            granted.expires_at, now, text(made.basis) if isinstance(made, GrantDecision) else "{}",
        )  # fmt: skip
    if outcome.late:
        rows.rewind(member, outcome.start)
    for change in outcome.folded.changes:
        rows.add(
            "tier_change", ids.take(), dealer, member, *change.step, change.tier, change.previous, change.since,
            change.until, change.state, change.cause, change.version_id, text(change.traits), text(change.basis),
        )  # fmt: skip
    for (at, class_, key), carry in outcome.folded.checkpoints:
        rows.add("checkpoint", member, at, dealer, class_, key, carry)


def head_of(outcome: Refolded) -> tuple[int, int, str, str, int | None, str]:
    """Return head, tier, boundary and carry after the fold; of a history that has become empty, those of none."""
    folded = outcome.folded
    if not outcome.steps and outcome.start == BEGINNING:
        return NOTHING
    return (*folded.head, folded.tier, folded.boundary_at, folded.carry)


# ---- what is looked up by ---------------------------------------------------------------------------------------


def attribute_rows(
    rows: Rows, programme: Programme, member: int, stored: Sequence[Contribution], fresh: Sequence[Contribution]
) -> None:
    """Bring the member's last attributes to what all that is known says."""
    if not any(row.kind in ATTRIBUTE_KINDS for row in fresh):
        return
    said = sorted((row for row in (*stored, *fresh) if row.kind in ATTRIBUTE_KINDS), key=lambda row: row.known)
    values = States(programme.zone, said).attributes(_ALWAYS)
    last = max((row.at for row in said), default=0)
    rows.forgotten.append(member)
    for name, value in sorted(values.items()):
        if value is not None and name in ATTRIBUTES:
            rows.add("attribute", member, name, programme.dealer_id, _shown(name, value), last)


def _shown(name: str, value: int | str) -> str:
    """Return an attribute as text; dates are ISO, as events say them."""
    if ATTRIBUTES[name].type == "date" and isinstance(value, int):
        return date.fromordinal(value).isoformat()
    return str(value)


Said = tuple[Sequence[Contribution], Sequence[Contribution]]


def machine_rows(
    rows: Rows, link: Link, programme: Programme, said: Mapping[int, Said], *, locking: bool = False
) -> None:
    """Bring the machines that were spoken of to what all say of them; a machine is whose it was said to be last.

    said  member → what was stored of him and what is new. What others said is read: of who has the machine, and where
          a word of it is taken back, of whoever ever spoke of it
    locking  whether others may be recording meanwhile
    """
    dealer = programme.dealer_id
    spoken = {row.fields.get("serial") for _, fresh in said.values() for row in fresh if row.kind in MACHINE_KINDS}
    serials = sorted(serial for serial in spoken if isinstance(serial, str))
    if not serials:
        return
    words = {
        member: net(row for row in (*stored, *fresh) if row.fields.get("serial") in spoken)
        for member, (stored, fresh) in said.items()
    }
    back = {row.fields.get("serial") for _, fresh in said.values() for row in fresh if row.qty < 0} & spoken
    with link.pipeline():
        if locking:
            lock_machines(link, dealer, serials)
        having = link.ask(_MACHINES, dealer, serials)
    others = {row[1] for row in having.rows()} - said.keys()
    if back:
        others |= {row[0] for row in link.ask(_SPOKE, dealer, sorted(map(str, back))).rows()}
        others -= said.keys()
    if others:
        by_other: dict[int, list[Contribution]] = {}
        for found in link.ask(_OF_MACHINES, sorted(others), serials).rows():
            by_other.setdefault(found[0], []).append(contribution(found[1:]))
        words |= {other: net(found) for other, found in by_other.items()}
    by_serial: dict[object, list[tuple[Position, int, Contribution]]] = {serial: [] for serial in serials}
    for owner, mine in words.items():
        for row in mine:
            if row.kind in MACHINE_KINDS:
                by_serial[row.fields.get("serial")].append((row.known, owner, row))
    for serial in serials:
        _machine(rows, programme, serial, by_serial[serial])


def _machine(rows: Rows, programme: Programme, serial: str, said: Sequence[tuple[Position, int, Contribution]]) -> None:
    taken = {row.line for _, _, row in said if row.qty < 0}
    standing = sorted((one for one in said if one[2].qty > 0 and one[2].line not in taken), key=lambda one: one[:2])
    if not standing:
        rows.unmade.append((programme.dealer_id, serial))
        return
    fields: dict[str, object] = {}
    for _, _, row in standing:
        fields.update({name: value for name, value in row.fields.items() if value is not None})
    bought = any(row.kind in _BOUGHT for _, _, row in standing)
    named = (str(fields.get(name, "")) for name in ("brand", "model", "machine_kind", "size"))
    delivered = str(fields.get("delivered_on", ""))
    rows.add("machine", programme.dealer_id, serial, standing[-1][1], *named, bought, delivered)
