"""What every world must answer: what is taken in, what is refused, and what becomes of it.

The oracle keeps what was said and what was asked. It shares no code with what it judges but the values of
`rules.policy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.machine.programme import CREDIT, HOLD_DAYS, PRIZE, SECOND_PERSON_ABOVE, ZONE, policy_of
from tests.machine.purses import ClawbackRefused, Short
from tests.machine.truth import FIRM, MEMBERS, WALLETS, Truth
from tests.model.dates import DAY
from tests.model.facts import fact
from tests.model.rows import Said, contributions, key_of

RECORDED, DUPLICATE, PARKED = "recorded", "duplicate", "parked"


class Wrong(Exception):
    """What is asked is refused, by this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Oracle(Truth):
    """All that is answered, by all that is so."""

    # ---- observations

    def observe(self, one: Said, *, refusable: bool = False, spends: int = 0) -> str:
        """Take in what was said; returns what is answered. Wrong for a refused one, which then was never said."""
        before = self.there().get(one.key)
        same = [old for old in self.said if (old.key, old.revision) == (one.key, one.revision)]
        if same:
            one_is = one.member and self.root(one.member) == self.root(same[0].member)
            if same[0] == (replace(one, member=same[0].member) if one_is else one):
                return DUPLICATE
            raise Wrong("event_conflict")
        kept = self.kept()
        self.said.append(one)
        if before is not None and before.revision > one.revision:
            return RECORDED  # what was said later stays
        try:
            self.settle_up(refusable=one if refusable else None, spends=(one.order, spends) if spends else None)
        except ClawbackRefused:
            self.said.remove(one)
            self.put_back(kept)
            self.judge()
            raise Wrong("clawback_refused") from None
        return PARKED if self.waits(one) else RECORDED

    def waits(self, one: Said) -> bool:
        """Whether what it names is not here: a return's order, a machine's referral."""
        told = {row.event for rows in contributions(self.said, ZONE).values() for row in rows}
        if one.kind == "sale_returned":
            return not told & {key_of(kind, one.order) for kind in ("machine_purchase", "parts_purchase")}
        return one.kind in ("machine_purchase", "purchase_settled") and one.key not in told

    # ---- who is one with whom

    def merge(self, said: Said) -> str:
        """Say that a member is another one."""
        member, into = said.member, said.fields["into"]
        if member in self.kinship.words:
            raise Wrong("merge_again")
        if self.root(member) == self.root(into):
            raise Wrong("merge_cycle")
        if self.erased & {member, into}:
            raise Wrong("merge_erased")
        self.kinship.words[member] = said
        self.rejoin(said.key, ())
        return RECORDED

    def unmerge(self, member: str) -> str:
        """Take a member's merge back."""
        if member not in self.kinship.words:
            if member in self.parted:
                return DUPLICATE
            raise Wrong("not_merged")
        self.parted = self.parted | {member}
        before = self.all_of(member)
        self.rejoin(self.kinship.words.pop(member).key, before)
        return RECORDED

    def erase(self, member: str) -> str:
        """Erase a member, and all who are one with him; returns what stands against it."""
        left = [one for one in self.all_of(member) if one not in self.erased]
        if any(self.purses[one, wallet].open() for one in left for wallet in WALLETS):
            return "erase_holds"
        self.erased = self.erased.union(left)
        return ""

    # ---- commands

    def sell(self, sold: Said, credit: int, amounts: Sequence[int]) -> str:
        """A till's order, priced; `sold` has its lines as they will be told."""
        payer = self.payer(sold.member, sold.order)
        purse = self.purses[payer, CREDIT]
        known = self.there().get(sold.key)
        if known is not None:
            return self.observe(sold)
        if credit > sum(amounts):
            raise Wrong("malformed")
        holds = [hold for hold in purse.open() if hold.order == sold.order]
        took = 0
        if sold.order in purse.holds:
            took = max(0, purse.used(sold.order) - self.told.get(sold.order, 0))
        if self.ready(sold.member) + took + sum(len(hold.units) for hold in holds) < credit:
            raise Wrong("insufficient_credit")
        paid = min(credit, took)
        keep = self.family.partial == "keep"
        for hold in holds:
            if part := min(credit - paid, len(hold.units)):
                purse.capture(hold, part, keep=keep)
                paid += part
        if credit > paid:
            if purse.kin is not None:
                purse.kin.bring(payer, credit - paid)
            purse.use(sold.order, credit - paid)
        return self.observe(sold, spends=credit)

    def same(self, key: str, *content: Any) -> bool:
        """Whether the same was commanded before under this key; Wrong when something else was."""
        if key not in self.commands:
            return False
        if self.commands[key] != content:
            raise Wrong("command_conflict")
        return True

    def bring(self, member: str, amount: int) -> None:
        """Have in his own purse what is about to be taken of it, if all of them have it."""
        purse = self.purses[member, CREDIT]
        if purse.kin is not None and self.ready(member) >= amount:
            purse.kin.bring(member, amount)

    def place_hold(self, member: str, order: str, amount: int, until: int | None) -> str:
        first = self.commands.get(f"hold {order}")
        if first is not None and self.root(first[0]) == self.root(member):
            member = first[0]  # under whichever code it is asked for again
        if self.same(f"hold {order}", member, amount):
            return DUPLICATE
        latest = self.now + HOLD_DAYS * DAY
        self.bring(member, amount)
        try:
            self.purses[member, CREDIT].hold(order, amount, latest if until is None else min(until, latest))
        except Short:
            raise Wrong("insufficient_credit") from None
        self.commands[f"hold {order}"] = (member, amount)
        return RECORDED

    def capture(self, member: str, order: str, amount: int | None) -> str:
        purse = self.purses[member, CREDIT]
        hold = purse.holds[order]
        if hold.state != "held":
            if hold.state == "captured" and amount in (None, hold.captured):
                return DUPLICATE
            raise Wrong("hold_ended")
        try:
            purse.capture(hold, len(hold.units) if amount is None else amount, keep=self.family.partial == "keep")
        except Short:
            raise Wrong("capture_exceeds_hold") from None
        return RECORDED

    def void(self, member: str, order: str) -> str:
        purse = self.purses[member, CREDIT]
        hold = purse.holds[order]
        if hold.state == "captured":
            raise Wrong("hold_ended")
        if hold.state != "held":
            return DUPLICATE
        purse.void(hold)
        return RECORDED

    def adjust(self, key: str, member: str, wallet: str, amount: int, second: str, last_day: int | None) -> str:
        if self.same(key, member, wallet, amount, second, last_day):
            return DUPLICATE
        if wallet == CREDIT and abs(amount) > SECOND_PERSON_ABOVE and not second:
            raise Wrong("second_person_needed")
        purse = self.purses[member, wallet]
        pair = (key, "")
        if amount > 0:
            purse.rise(pair, amount, self.now, self.expiry(wallet) if last_day is None else last_day)
        else:
            kept = self.kept()
            if purse.kin is not None:
                purse.kin.bring(member, -amount, any_unit=True)
            try:
                purse.fall(pair, -amount, self.policy().wallets[wallet].clawback)
            except ClawbackRefused:
                self.put_back(kept)
                raise Wrong("clawback_refused") from None
        self.commands[key] = (member, wallet, amount, second, last_day)
        return RECORDED

    def transfer(self, key: str, giver: str, receiver: str, amount: int) -> str:
        if self.same(key, giver, receiver, amount):
            return DUPLICATE
        if self.root(giver) == self.root(receiver) or not all(set(FIRM) & {*self.all_of(o)} for o in (giver, receiver)):
            raise Wrong("transfer_not_allowed")
        self.bring(giver, amount)
        try:
            moved = self.purses[giver, CREDIT].hand_out(amount)
        except Short:
            raise Wrong("insufficient_credit") from None
        self.purses[receiver, CREDIT].take_in(key, moved)
        self.commands[key] = (giver, receiver, amount)
        return RECORDED

    # ---- runs and versions

    def award(self, month: int, upto: int | None) -> list[str]:
        """Freeze the month's list unless it is, and issue what is not issued, at most `upto` prizes (-1: none)."""
        if month not in self.runs:
            gold = [member for member in MEMBERS if self.root(member) == member and self.tier(member) == "gold"]
            self.runs[month] = sorted(gold, key=lambda member: (-self.spent(member), member))
        done = []
        for member in self.runs[month][: None if upto is None else max(0, upto)]:
            if (month, member) not in self.issued:
                self.issued.add((month, member))
                self.purses[member, CREDIT].rise((f"award:best:{month}", "best"), PRIZE, self.now, self.expiry(CREDIT))
                done.append(member)
        return done

    def spent(self, member: str) -> int:
        rows = contributions(self.kinship.united(self.said), ZONE).get(member, [])
        return int(fact(ZONE, self.policy().facts["spent"], rows, (self.now, 9, ""), 0))

    def publish(self, text: str, effective_from: int) -> None:
        self.versions.append((effective_from, policy_of(text)))
        self.judge()
