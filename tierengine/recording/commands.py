"""Deciding commands: holds and what ends them, transfers, adjustments, opening balances; under the members' locks.

Each is decided once, on what is there, in the order of arrival. What is refused leaves no trace: its key stays free.
Decided here where the policy may differ: how long a hold lasts and what a part captured does with the rest, whether a
wallet may be handed on within a firm, and from where on an adjustment needs a second person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from rules.policy import Wallet
from tierengine.access.second import same_person
from tierengine.errors import Conflict, Refused, Unknown
from tierengine.judging.worth import block_of
from tierengine.ledger.entries import Hold
from tierengine.policies.versions import Programme
from tierengine.policies.wording import named, no_wallet, not_payable
from tierengine.recording.acts import (
    Adjust,
    CaptureHold,
    EndSlip,
    IssueSlip,
    Kept,
    Open,
    PlaceHold,
    Settle,
    Transfer,
    VoidHold,
)  # fmt: skip
from tierengine.recording.items import Answer, Command, Item, refusal
from tierengine.recording.joint import Joint, together
from tierengine.recording.purse import Purse
from tierengine.recording.slips import slip
from tierengine.recording.writing import Rows
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.zone import SECOND, moment

MINUTE: Final = 60 * SECOND
_FIRM: Final = "SELECT value FROM attribute WHERE member_id IN (?1*) AND name = 'firm'"
_HOLD: Final = (
    "SELECT h.id, h.key, h.wallet, h.cluster, h.amount, h.expires_at, e.kind, (SELECT -SUM(c.delta) FROM entry c "
    "WHERE c.dealer_id = h.dealer_id AND c.event_key = h.cluster AND c.member_id = h.member_id "
    "AND c.kind IN ('capture', 'use') AND c.cause_key = h.key) AS captured "
    "FROM hold h LEFT JOIN hold_end e ON e.hold_id = h.id "
    "WHERE h.member_id = ?1 AND "
)
_HOLD_BY_ID: Final = _HOLD + "h.id = ?2"
_HOLD_BY_KEY: Final = _HOLD + "h.dealer_id = ?2 AND h.key = ?3"


@dataclass(frozen=True, slots=True)
class Seen:
    """A hold as it stands now. `state` is held, captured, voided or lapsed."""

    id: int
    key: str
    wallet: str
    order: str
    amount: int
    captured: int
    remaining: int
    expires_at: int
    state: str


@dataclass(slots=True)
class Commands:
    """Decides the commands of one group. `purse` and `suspended` are asked for a member's id.

    members, joint  who is one with a member, who stands for them first; and their purses, None where he is alone
    accepted  key → hash, of the stored ones that these may be again; what is accepted here is added
    """

    link: Link
    ids: Ids
    programme: Programme
    codes: Mapping[str, int]
    rows: Rows
    now: int
    purse: Callable[[int], Purse]
    suspended: Callable[[int], frozenset[str]]
    touched: set[int]
    members: Callable[[int], tuple[int, ...]]
    joint: Callable[[int], Joint | None]
    accepted: dict[str, str] = field(default_factory=dict)

    def decide(self, item: Command) -> Answer:
        """Return the answer; what it does is in the purses and rows. Whatever is refused has done nothing."""
        member = self.codes[item.members[0]]
        try:
            match item.act:
                case PlaceHold() as act:
                    return self._place(item, act, member)
                case CaptureHold() as act:
                    return self._capture(item, act, member)
                case VoidHold() as act:
                    return self._void(item, act, member)
                case Transfer() as act:
                    return self._transfer(item, act, member)
                case Adjust() | Open() as act:
                    return self._adjust(item, act, member)
                case IssueSlip() | EndSlip() as act:
                    return slip(self, item, act, member)
                case Settle():
                    return self._settle(item, member)
        except Refused as problem:
            return refusal("refused", named(problem, self.programme))
        except Unknown as problem:
            return refusal("unknown", problem)
        except Conflict as problem:
            return refusal("conflict", problem)

    # ---- holds ----------------------------------------------------------------------------------------------------

    def _place(self, item: Command, act: PlaceHold, member: int) -> Answer:
        item, member = self._asked_first(item, act, member)
        if self.known(item, act):
            return self._held(item, member, self._stored(member, _HOLD_BY_KEY, self.programme.dealer_id, act.key))
        wallet, purse = self._wallet(act.wallet), self.purse(member)
        if wallet.suspended_when is not None and act.wallet in self.suspended(member):
            raise Refused("credit_suspended", wallet=act.wallet)
        usable = self.usable(member, act.wallet)
        block = block_of(wallet)
        if act.amount % block or act.amount < wallet.minimum:
            most = usable - usable % block
            raise not_payable(wallet, max(most, 0) if most >= wallet.minimum else 0, act.amount)
        latest = self.now + wallet.hold_minutes * MINUTE
        until = latest if act.expires_at is None else min(act.expires_at, latest)
        if until <= self.now:
            raise Refused("hold_ended", hold=act.key)
        self._bring(member, act.wallet, act.amount)
        hold = purse.book.hold(self.ids.take(), act.key, act.wallet, act.amount, act.order, self.now, until)
        self.keep(item, act, member)
        return self._held(item, member, self._seen(purse, hold), "recorded")

    def _asked_first(self, item: Command, act: PlaceHold, member: int) -> tuple[Command, int]:
        """Return a hold as it was asked for under another code of the same customer, if it was; else as it is."""
        stored = self.accepted.get(act.key) if len(self.members(member)) > 1 else None
        for one in self.members(member) if stored is not None else ():
            other = replace(item, members=(self.purse(one).head.code,))
            if stored == _digest(_said(other, act)):
                return other, one
        return item, member

    def _capture(self, item: Command, act: CaptureHold, member: int) -> Answer:
        purse = self.purse(member)
        hold = self._open(purse, act.hold)
        if hold is None:
            seen = self._stored(member, _HOLD_BY_ID, act.hold)
            if seen.state == "captured" and act.amount in (None, seen.captured):
                return self._held(item, member, seen)
            raise Refused("hold_ended", hold=act.hold, state=seen.state)
        amount = hold.left if act.amount is None else act.amount
        wallet = self._wallet_once(hold.wallet)
        above = wallet.hold_above == "take" and amount > hold.left
        if above and wallet.suspended_when is not None and hold.wallet in self.suspended(member):
            raise Refused("credit_suspended", wallet=hold.wallet)
        if above:
            self._bring(member, hold.wallet, amount - hold.left)
        purse.book.capture(hold.key, amount, self.now, keep=wallet.hold_partial == "keep", above=above)
        self.touched.add(member)
        return self._held(item, member, self._seen(purse, hold), "recorded")

    def _void(self, item: Command, act: VoidHold, member: int) -> Answer:
        purse = self.purse(member)
        hold = self._open(purse, act.hold)
        if hold is None:
            seen = self._stored(member, _HOLD_BY_ID, act.hold)
            if seen.state == "captured":
                raise Refused("hold_ended", hold=act.hold, state=seen.state)
            return self._held(item, member, seen)
        purse.book.void(hold.key, self.now)
        self.touched.add(member)
        return self._held(item, member, self._seen(purse, hold), "recorded")

    def _open(self, purse: Purse, number: int) -> Hold | None:
        return next((hold for hold in purse.book.holds if hold.ref == number), None)

    def _stored(self, member: int, sql: str, *asked: object) -> Seen:
        """Return a hold that was made before; what lapsed and is not posted yet is told as lapsed."""
        purse = self.purse(member)
        there = [*purse.book.holds, *(end.hold for end in purse.book.ended)]
        found = next((hold for hold in there if asked[-1] in (hold.ref, hold.key)), None)
        if found is not None:
            return self._seen(purse, found)
        rows = self.link.ask(sql, member, *asked).rows()
        if not rows:
            raise Unknown("unknown_hold", hold=str(asked[-1]))
        number, key, wallet, order, amount, expires_at, ended, captured = rows[0]
        return Seen(number, key, wallet, order, amount, int(captured or 0), 0, expires_at, ended or "held")

    def _seen(self, purse: Purse, hold: Hold) -> Seen:
        """Return a hold that was open when this transaction began, or was made in it."""
        end = next((end for end in purse.book.ended if end.hold is hold), None)
        freed = end.freed if end is not None else 0
        return Seen(
            hold.ref, hold.key, hold.wallet, hold.order, hold.amount, hold.amount + hold.above - hold.left - freed,
            hold.left, hold.expires_at, "held" if end is None else end.kind,
        )  # fmt: skip

    def _held(self, item: Command, member: int, seen: Seen, status: str = "duplicate") -> Answer:
        body = {
            "status": status,
            "hold": {
                "id": seen.id,
                "order": seen.order.rpartition(":")[2],
                "wallet": seen.wallet,
                "unit": self.programme.unit(seen.wallet),
                "amount": seen.amount,
                "captured": seen.captured,
                "remaining": seen.remaining,
                "state": seen.state,
                "expires_at": self.time(seen.expires_at),
            },
        }
        return self.done(item, body, member)

    # ---- by hand --------------------------------------------------------------------------------------------------

    def _transfer(self, item: Command, act: Transfer, giver: int) -> Answer:
        receiver = self.codes[item.members[1]]
        if self.known(item, act):
            return self.done(item, {"status": "duplicate", "key": act.key}, giver)
        wallet = self._wallet(act.wallet)
        stand_for = [self.members(giver)[0], self.members(receiver)[0]]
        firms = [row[0] for row in self.link.ask(_FIRM, stand_for).rows()]  # one row where the two are one
        if wallet.transfer != "linked" or len(firms) != 2 or firms[0] != firms[1]:
            raise Refused("transfer_not_allowed", wallet=act.wallet)
        if wallet.suspended_when is not None and act.wallet in self.suspended(giver):
            raise Refused("credit_suspended", wallet=act.wallet)
        self._bring(giver, act.wallet, act.amount)
        moved = self.purse(giver).book.move_out(act.wallet, act.amount, act.key, self.now)
        self.purse(receiver).book.move_in(act.wallet, self.programme.unit(act.wallet), moved, act.key, self.now)
        self.touched.add(receiver)
        self.keep(item, act, giver)
        body = {"status": "recorded", "key": act.key, "to": item.members[1], "wallet": act.wallet, "amount": act.amount}
        return self.done(item, body, giver)

    def _adjust(self, item: Command, act: Adjust | Open, member: int) -> Answer:
        if self.known(item, act):
            return self.done(item, {"status": "duplicate", "key": act.key}, member)
        wallet = self._wallet(act.wallet)
        if isinstance(act, Adjust):
            limit = wallet.second_person_above
            if limit is not None and abs(act.amount) > limit and same_person(act.second or act.by, act.by):
                raise Refused("second_person_needed", wallet=act.wallet, limit=limit)
        expires_at = act.expires_at
        if expires_at is None:
            expires_at = self.programme.zone.expiry(wallet.expires, self.now)
        joint, purse = self.joint(member), self.purse(member)
        if joint is not None and act.amount < 0 and act.wallet in joint.wallets():
            missing = -act.amount - joint.spare(act.wallet)
            if missing > 0 and wallet.clawback == "refuse":  # before anything is handed over
                raise Refused("clawback_refused", wallet=act.wallet, missing=missing)
            joint.bring(member, act.wallet, -act.amount, any_lot=True)
        purse.book.adjust(
            act.key,
            "",
            act.wallet,
            self.programme.unit(act.wallet),
            act.amount,
            usable_from=self.now,
            expires_at=expires_at,
            cause=act.key,
            clawback=wallet.clawback,
            kind=act.kind,
        )
        self.keep(item, act, member)
        body = {"status": "recorded", "key": act.key, "wallet": act.wallet, "amount": act.amount}
        return self.done(item, body, member)

    def _settle(self, item: Command, member: int) -> Answer:
        entries = 0
        for one in self.members(member):
            if made := len(self.purse(one).book.entries):
                self.touched.add(one)
                entries += made
        return Answer("recorded", "", {"status": "recorded", "member": item.members[0], "entries": entries})

    # ---- what all have in common ----------------------------------------------------------------------------------

    def usable(self, member: int, wallet: str) -> int:
        """Return what a member may spend now, with all who are one with him."""
        joint = self.joint(member)
        return self.purse(member).book.usable(wallet, self.now) if joint is None else joint.usable(wallet)

    def _bring(self, member: int, wallet: str, amount: int) -> None:
        """Bring what is about to be taken of a wallet into the member's book, from those who are one with him."""
        joint = self.joint(member)
        if joint is not None and joint.usable(wallet) >= amount:
            joint.bring(member, wallet, amount)

    def _wallet(self, name: str) -> Wallet:
        wallet = self.programme.line.at(self.now).rules.policy.wallets.get(name)
        if wallet is None:
            raise no_wallet(name, self.programme.line.at(self.now).rules.policy.wallets)
        return wallet

    def _wallet_once(self, name: str) -> Wallet:
        """Return a wallet in which there is money already, even if the policy has dropped it since."""
        wallet = self.programme.line.at(self.now).rules.policy.wallets.get(name) or self.programme.wallet(name)
        if wallet is None:
            raise no_wallet(name, self.programme.line.at(self.now).rules.policy.wallets)
        return wallet

    def known(self, item: Command, act: Kept) -> bool:
        """Whether the same command was accepted before; Conflict when its key was taken by another one."""
        stored = self.accepted.get(act.key)
        if stored is None:
            return False
        if stored != _digest(_said(item, act)):
            raise Conflict("command_conflict", key=act.key)
        return True

    def keep(self, item: Command, act: Kept, member: int) -> None:
        """Store a command that was accepted; its reason is kept apart."""
        said = _said(item, act)
        digest = self.accepted[act.key] = _digest(said)
        self.touched.add(member)
        number = self.ids.take()
        if isinstance(act, Transfer | Adjust | EndSlip) and act.reason:
            self.rows.wrote(member, "command", number, {"reason": act.reason})
        self.rows.add(
            "command", number, self.programme.dealer_id, member, act.key, act.kind, digest, said.decode(), self.now
        )

    def done(self, item: Command, body: dict[str, Any], member: int) -> Answer:
        body |= {"member": item.members[0], "balances": together(list(map(self.purse, self.members(member))), self.now)}
        return Answer("recorded" if body["status"] == "recorded" else "duplicate", "", body)

    def time(self, instant: int) -> str:
        return moment(instant, self.programme.info).isoformat()


def keys_of(items: Iterable[Item]) -> set[str]:
    """Return the keys of those commands that are accepted only once; whether they were is looked up by them."""
    acts = (item.act for item in items if isinstance(item, Command))
    return {act.key for act in acts if not isinstance(act, CaptureHold | VoidHold | Settle)}


def _said(item: Command, act: Kept) -> bytes:
    said = {"kind": act.kind, "members": list(item.members), **act.content()}
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def _digest(said: bytes) -> str:
    return hashlib.sha256(said).hexdigest()
