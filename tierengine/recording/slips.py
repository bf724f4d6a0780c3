"""Deciding about offline slips: what credit goes on one, under the member's lock, and that one ends only once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from rules.policy import Wallet
from tierengine.recording.acts import SLIP, EndSlip, IssueSlip
from tierengine.recording.items import Answer, Command
from tierengine.store.dialect import doc
from tierengine.zone import DAY

if TYPE_CHECKING:
    from tierengine.recording.commands import Commands

LASTS_MOST: Final = 7 * DAY  # the reader of policies refuses more
_SLIPS: Final = (
    "SELECT c.body FROM command c WHERE c.dealer_id = ?1 AND c.key >= ?2 AND c.key < 'slip;' AND c.member_id = ?3 "
    # (Not NOT EXISTS, for which PostgreSQL may read every command there is.)
    "AND (SELECT e.id FROM command e WHERE e.dealer_id = c.dealer_id "
    "AND e.key = 'slip-end:' || substr(c.key, 6)) IS NULL ORDER BY c.key"
)


def slip(commands: Commands, item: Command, act: IssueSlip | EndSlip, member: int) -> Answer:
    """Issue a slip, or end one."""
    if isinstance(act, EndSlip):
        return _end(commands, item, act, member)
    wallets = commands.programme.line.at(commands.now).rules.policy.wallets.values()
    promised: dict[str, int] = {}
    for one in commands.members(member):
        for name, amount in _promised(commands, one, (act.store, act.till)).items():
            promised[name] = promised.get(name, 0) + amount
    credit = [
        _credit(commands, wallet, free)
        for wallet in wallets
        if wallet.offline and wallet.id not in act.suspended
        if (free := _free(commands, wallet, member, promised.get(wallet.id, 0)))
    ]
    issued = replace(act, credit=tuple(credit))
    commands.keep(item, issued, member)
    said = {**issued.content(), "member": item.members[0]}
    said |= {"issued_at": commands.time(act.issued_at), "expires_at": commands.time(act.expires_at)}
    return commands.done(item, {"status": "recorded", "slip": said}, member)


def _free(commands: Commands, wallet: Wallet, member: int, promised: int) -> int:
    """Return what a slip may let a member use.

    The last slips of all tills together name no more than the wallet allows, or than he has. One that the same till
    had before is taken to be replaced.
    """
    free = min(wallet.offline, commands.usable(member, wallet.id)) - promised
    free -= free % wallet.block
    return free if free >= max(wallet.minimum, 1) else 0


def _credit(commands: Commands, wallet: Wallet, amount: int) -> Mapping[str, Any]:
    return {
        "wallet": wallet.id,
        "title": {"zh": wallet.title.zh, "en": wallet.title.en},
        "unit": commands.programme.unit(wallet.id),
        "amount": amount,
        "worth": None if wallet.point_value is None else dict(zip(("fen", "points"), wallet.point_value, strict=True)),
        "pays_for": list(wallet.pays_for),
        "max_share_bp": wallet.max_share_bp,
        "share_of": wallet.share_of,
        "block": wallet.block,
        "minimum": wallet.minimum,
        "minimum_order": wallet.minimum_order,
        "not_with": list(wallet.not_with),
    }


def _promised(commands: Commands, member: int, own: tuple[str, str]) -> dict[str, int]:
    """Return how much of each wallet the last slips of all other tills name that are neither over nor revoked."""
    since = f"{SLIP}{commands.now - LASTS_MOST:014x}"
    rows = commands.link.ask(_SLIPS, commands.programme.dealer_id, since, member).rows()
    slips = [doc(body) for (body,) in rows]
    last = {(said["store"], said.get("till", "")): said for said in slips if said["expires_us"] > commands.now}
    last.pop(own, None)
    found: dict[str, int] = {}
    for said in last.values():
        for one in said["credit"]:
            found[one["wallet"]] = found.get(one["wallet"], 0) + one["amount"]
    return found


def _end(commands: Commands, item: Command, act: EndSlip, member: int) -> Answer:
    if commands.known(item, act):
        return commands.done(item, {"status": "duplicate", "id": act.number}, member)
    commands.keep(item, act, member)
    ended = {"status": "recorded", "id": act.number, "revoked_at": commands.time(commands.now)}
    return commands.done(item, ended, member)
