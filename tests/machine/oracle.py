"""What every world must answer and hold: judging.md by tests/model, money by units in purses.

The oracle keeps what was said and what was asked, works all of it out again from the beginning at each step, and moves
the difference. It shares no code with what it judges but the values of `rules.policy`.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from rules.policy import Policy
from tests.machine.programme import CREDIT, HOLD_DAYS, POINTS, PRIZE, SECOND_PERSON_ABOVE, ZONE, Family, policy_of
from tests.machine.purses import NEVER, ClawbackRefused, Purse, Short
from tests.model import dates
from tests.model.dates import DAY
from tests.model.facts import fact
from tests.model.life import Life
from tests.model.lives import lives_of
from tests.model.rows import Position, Said, contributions, key_of

MEMBERS = ("A", "B", "C")
GIVERS = ("A", "B")  # who buy on referrals; C refers
FIRM = ("A", "B")
WALLETS = (CREDIT, POINTS)
Pair = tuple[str, str]
Terms = tuple[str, int, int, int | None]  # wallet, wanted, usable from, expires at
RECORDED, DUPLICATE, PARKED = "recorded", "duplicate", "parked"


class Wrong(Exception):
    """What is asked is refused, by this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Oracle:
    """All that is so. `now` in microseconds UTC."""

    family: Family
    now: int
    versions: list[tuple[int, Policy]] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    purses: dict[tuple[str, str], Purse] = field(default_factory=dict)
    wanted: dict[str, dict[Pair, Terms]] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)  # order → credit that its standing lines say
    lives: dict[str, Life] = field(default_factory=dict)
    runs: dict[int, list[str]] = field(default_factory=dict)  # award month → winners
    issued: set[tuple[int, str]] = field(default_factory=set)
    commands: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.versions.append((0, policy_of(self.family.texts[0])))
        self.purses = {(member, wallet): Purse(now=self.now) for member in MEMBERS for wallet in WALLETS}
        self.wanted = {member: {} for member in MEMBERS}

    # ---- looking

    def forward(self, by: int) -> None:
        self.now += by
        for purse in self.purses.values():
            purse.tick(self.now)
        self.judge()

    def copy(self) -> Oracle:
        """Another one, to be tried and thrown away."""
        other = copy.copy(self)
        other.purses = copy.deepcopy(self.purses)
        for name in ("versions", "said"):
            setattr(other, name, list(getattr(self, name)))
        for name in ("wanted", "told", "runs", "issued", "commands"):
            setattr(other, name, copy.copy(getattr(self, name)))
        return other

    def judge(self) -> None:
        """Everybody's life as of now, boundaries passed."""
        self.lives = lives_of(self.versions, ZONE, self.said, GIVERS, self.now)

    def policy(self) -> Policy:
        return [policy for start, policy in self.versions if start <= self.now][-1]

    def tier(self, member: str, before: Position | None = None) -> str:
        stood = self.lives[member].stood if member in self.lives else []
        found = [held.tier for position, held in stood if before is None or position < before]
        return found[-1] if found else "customer"

    def balances(self, member: str) -> dict[str, tuple[int, int, int, int]]:
        return {wallet: self.purses[member, wallet].told() for wallet in WALLETS}

    def ends(self, member: str) -> dict[str, Counter[int]]:
        return {wallet: self.purses[member, wallet].ends() for wallet in WALLETS}

    def instants(self) -> list[int]:
        """The instants to come at which something ends or begins."""
        found = {u.expires_at for p in self.purses.values() for u in p.units if u.state in ("free", "held")}
        found |= {u.usable_from for p in self.purses.values() for u in p.units if u.state == "free"}
        found |= {hold.until for purse in self.purses.values() for hold in purse.open()}
        found |= {life.stood[-1][1].until or 0 for life in self.lives.values() if life.stood}
        found |= {start for start, _ in self.versions}
        return sorted(at for at in found if self.now < at < NEVER)

    def there(self) -> dict[str, Said]:
        """The events by key, the highest revision of each."""
        highest: dict[str, Said] = {}
        for one in self.said:
            if one.key not in highest or one.revision > highest[one.key].revision:
                highest[one.key] = one
        return highest

    def expiry(self, wallet: str) -> int:
        """When a lot ends that nothing but the wallet's rule gives an end."""
        asked = self.policy().wallets[wallet].expires
        assert asked is not None
        last = dates.days_later(dates.months_later(dates.day_of(ZONE, self.now), asked.months), asked.days)
        if asked.to == "month":
            last = dates.months_later(last.replace(day=1), 1) - timedelta(days=1)
        return dates.start_of(ZONE, dates.days_later(last, 1))

    # ---- observations

    def observe(self, one: Said, *, refusable: bool = False, spends: int = 0) -> str:
        """Take in what was said; returns what is answered. Wrong for a refused one, which then was never said."""
        before = self.there().get(one.key)
        same = [old for old in self.said if (old.key, old.revision) == (one.key, one.revision)]
        if same:
            if same[0] == one:
                return DUPLICATE
            raise Wrong("event_conflict")
        kept = copy.deepcopy(self.purses), dict(self.wanted), self.told
        self.said.append(one)
        if before is not None and before.revision > one.revision:
            return RECORDED  # what was said later stays
        try:
            self.settle_up(refusable=one if refusable else None, spends=(one.order, spends) if spends else None)
        except ClawbackRefused:
            self.said.remove(one)
            self.purses, self.wanted, self.told = kept
            self.judge()
            raise Wrong("clawback_refused") from None
        return PARKED if self.waits(one) else RECORDED

    def waits(self, one: Said) -> bool:
        """Whether what it names is not here: a return's order, a machine's referral."""
        told = {row.event for rows in contributions(self.said, ZONE).values() for row in rows}
        if one.kind == "sale_returned":
            return not told & {key_of(kind, one.order) for kind in ("machine_purchase", "parts_purchase")}
        return one.kind in ("machine_purchase", "purchase_settled") and one.key not in told

    def settle_up(self, *, refusable: Said | None, spends: tuple[str, int] | None) -> None:
        """Work everything out again and move the difference, the credit of orders first, then rises, then falls."""
        self.judge()
        rows = contributions(self.said, ZONE)
        told: dict[str, int] = {}
        owner: dict[str, str] = {}
        for member, mine in rows.items():
            for row in mine:
                if row.fields.get("credit"):
                    told[row.fields["order"]] = told.get(row.fields["order"], 0) + row.fields["credit"]
                    owner[row.fields["order"]] = member
        for order in sorted(told.keys() | self.told.keys()):
            was = self.told.get(order, 0) + (spends[1] if spends and spends[0] == order else 0)
            change = was - told.get(order, 0)
            if change:
                self.credit_of(order, change)
        self.told = told
        for member in MEMBERS:
            life = self.lives.get(member, Life())
            wanted = {
                (one.key, one.rule): (
                    one.policy.rewards[one.rule].wallet, one.wanted, one.usable_from, one.expires_at,
                )
                for one in life.grants
            }  # fmt: skip
            mine = refusable is not None and any(row.known[2].endswith(refusable.key) for row in rows.get(member, ()))
            self.move(member, wanted, "refuse" if mine else "debt")
            self.wanted[member] = wanted

    def credit_of(self, order: str, change: int) -> None:
        """An order's lines say so much less credit (or more again, where a return was taken back)."""
        for member in MEMBERS:
            purse = self.purses[member, CREDIT]
            if order in purse.orders and change > 0:
                back = min(change, purse.used(order))
                if back:
                    purse.give_back(order, back, self.expiry(CREDIT))
            elif order in purse.orders:
                purse.use(order, -change, late=True)

    def move(self, member: str, wanted: dict[Pair, Terms], on_refusal: str) -> None:
        moves: list[tuple[int, Pair, Terms, bool]] = []
        before = self.wanted[member]
        # In the order of the events that granted it, and of the rules.
        order = {rule: place for place, rule in enumerate(self.versions[0][1].rewards)}
        keyed = {one.key: one.position for one in self.there().values()}

        def place(pair: Pair) -> tuple[Any, ...]:
            key = pair[0].partition("emit:referral:")[2] or pair[0]
            return (keyed.get(key, (0, 0, "")), order[pair[1]])

        for pair in sorted(before.keys() | wanted.keys(), key=place):
            was, will = before.get(pair), wanted.get(pair)
            had, has = (was[1] if was else 0), (will[1] if will else 0)
            if was and will and had and has and (was[0], *was[2:]) != (will[0], *will[2:]):
                moves += [(-had, pair, was, True), (has, pair, will, False)]
            elif had != has:
                terms = will if will and has else was
                assert terms is not None
                moves.append((has - had, pair, terms, False))
        for delta, pair, (wallet, _, usable_from, ends), replaced in sorted(moves, key=lambda move: move[0] < 0):
            purse, ends_at = self.purses[member, wallet], NEVER if ends is None else ends
            rule = self.policy().wallets[wallet].clawback
            if delta > 0:
                purse.rise(pair, delta, usable_from, ends_at)
            else:
                gone = (usable_from, ends_at) if replaced else None
                purse.fall(pair, -delta, on_refusal if rule == "refuse" else rule, gone)

    # ---- commands

    def sell(self, sold: Said, credit: int, amounts: Sequence[int]) -> str:
        """A till's order, priced; `sold` has its lines as they will be told."""
        purse = self.purses[sold.member, CREDIT]
        known = self.there().get(sold.key)
        if known is not None:
            return self.observe(sold)
        if credit > sum(amounts):
            raise Wrong("malformed")
        holds = [hold for hold in purse.open() if hold.order == sold.order]
        took = 0
        if sold.order in purse.holds:
            took = max(0, purse.used(sold.order) - self.told.get(sold.order, 0))
        if len(purse.ready()) + took + sum(len(hold.units) for hold in holds) < credit:
            raise Wrong("insufficient_credit")
        paid = min(credit, took)
        keep = self.family.partial == "keep"
        for hold in holds:
            if part := min(credit - paid, len(hold.units)):
                purse.capture(hold, part, keep=keep)
                paid += part
        if credit > paid:
            purse.use(sold.order, credit - paid)
        return self.observe(sold, spends=credit)

    def same(self, key: str, *content: Any) -> bool:
        """Whether the same was commanded before under this key; Wrong when something else was."""
        if key not in self.commands:
            return False
        if self.commands[key] != content:
            raise Wrong("command_conflict")
        return True

    def place_hold(self, member: str, order: str, amount: int, until: int | None) -> str:
        if self.same(f"hold {order}", member, amount):
            return DUPLICATE
        latest = self.now + HOLD_DAYS * DAY
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
            kept = copy.deepcopy(purse)
            try:
                purse.fall(pair, -amount, self.policy().wallets[wallet].clawback)
            except ClawbackRefused:
                self.purses[member, wallet] = kept
                raise Wrong("clawback_refused") from None
        self.commands[key] = (member, wallet, amount, second, last_day)
        return RECORDED

    def transfer(self, key: str, giver: str, receiver: str, amount: int) -> str:
        if self.same(key, giver, receiver, amount):
            return DUPLICATE
        if giver == receiver or not {giver, receiver} <= set(FIRM):
            raise Wrong("transfer_not_allowed")
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
            gold = [member for member in MEMBERS if self.tier(member) == "gold"]
            self.runs[month] = sorted(gold, key=lambda member: (-self.spent(member), member))
        done = []
        for member in self.runs[month][: None if upto is None else max(0, upto)]:
            if (month, member) not in self.issued:
                self.issued.add((month, member))
                self.purses[member, CREDIT].rise((f"award:best:{month}", "best"), PRIZE, self.now, self.expiry(CREDIT))
                done.append(member)
        return done

    def spent(self, member: str) -> int:
        rows = contributions(self.said, ZONE).get(member, [])
        return int(fact(ZONE, self.policy().facts["spent"], rows, (self.now, 9, ""), 0))

    def publish(self, text: str, effective_from: int) -> None:
        self.versions.append((effective_from, policy_of(text)))
        self.judge()


def order_key(order: str, kind: str = "parts_purchase") -> str:
    return key_of(kind, order)


def known_orders(said: Iterable[Said], kind: str) -> list[str]:
    return sorted({one.order for one in said if one.kind == kind})
