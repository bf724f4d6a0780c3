"""What is so: who has what, and where everybody stands; judging.md by tests/model, money by units in purses."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from rules.policy import Policy
from tests.machine.kin import Handed, Kin, Kinship, give_back
from tests.machine.programme import CREDIT, POINTS, ZONE, Family, policy_of
from tests.machine.purses import NEVER, Purse
from tests.model import dates
from tests.model.life import Life
from tests.model.lives import lives_of
from tests.model.rows import Position, Said, contributions

MEMBERS = ("A", "B", "C")
REFERS = "C"  # the others buy on referrals
FIRM = ("A", "B")
WALLETS = (CREDIT, POINTS)
Pair = tuple[str, str]
Terms = tuple[str, int, int, int | None]  # wallet, wanted, usable from, expires at


@dataclass
class Truth:
    """All that is so. `now` in microseconds UTC.

    All of it is worked out again from the beginning at each step, and the difference moved.
    """

    family: Family
    now: int
    versions: list[tuple[int, Policy]] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    purses: dict[tuple[str, str], Purse] = field(default_factory=dict)
    wanted: dict[str, dict[Pair, Terms]] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)  # order → credit that its standing lines say
    buyers: dict[str, str] = field(default_factory=dict)  # order → who bought
    lives: dict[str, Life] = field(default_factory=dict)
    runs: dict[int, list[str]] = field(default_factory=dict)  # award month → winners
    issued: set[tuple[int, str]] = field(default_factory=set)
    commands: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    kinship: Kinship = field(default_factory=Kinship)
    handed: dict[str, Handed] = field(default_factory=dict)  # wallet → what went over
    erased: set[str] = field(default_factory=set)
    parted: set[str] = field(default_factory=set)  # whose merge was taken back, once at least

    def __post_init__(self) -> None:
        self.versions.append((0, policy_of(self.family.texts[0])))
        self.purses = {(member, wallet): Purse(now=self.now) for member in MEMBERS for wallet in WALLETS}
        self.wanted = {member: {} for member in MEMBERS}
        self.handed = {wallet: Handed() for wallet in WALLETS}

    # ---- looking

    def forward(self, by: int) -> None:
        self.now += by
        for all_ in self.kinship.classes(MEMBERS):
            for wallet in WALLETS:
                mine = [self.purses[member, wallet] for member in all_]
                # (What one's hold sets free pays at that moment what another owes.)
                ends = {hold.until for purse in mine for hold in purse.open() if hold.until <= self.now}
                for at in sorted(ends | {self.now}):
                    for purse in mine:
                        purse.tick(at)
        self.judge()

    def copy(self) -> Self:
        """Another one, to be tried and thrown away."""
        other = copy.copy(self)
        other.purses, other.handed, other.kinship = copy.deepcopy((self.purses, self.handed, self.kinship))
        for name in ("versions", "said"):
            setattr(other, name, list(getattr(self, name)))
        for name in ("wanted", "told", "buyers", "runs", "issued", "commands", "erased", "parted"):
            setattr(other, name, copy.copy(getattr(self, name)))
        return other

    def judge(self) -> None:
        """Everybody's life as of now, boundaries passed."""
        roots = sorted((all_[0] for all_ in self.kinship.classes(MEMBERS)), key=lambda one: one == self.root(REFERS))
        self.lives = lives_of(self.versions, ZONE, self.kinship.united(self.said), roots, self.now)

    def root(self, member: str) -> str:
        """Who stands for a member."""
        return self.kinship.root(member)

    def all_of(self, member: str) -> tuple[str, ...]:
        return self.kinship.all_of(member, MEMBERS)

    def policy(self) -> Policy:
        return [policy for start, policy in self.versions if start <= self.now][-1]

    def tier(self, member: str, before: Position | None = None) -> str:
        root = self.root(member)
        stood = self.lives[root].stood if root in self.lives else []
        found = [held.tier for position, held in stood if before is None or position < before]
        return found[-1] if found else "customer"

    def balances(self, member: str) -> dict[str, tuple[int, int, int, int]]:
        """What a member has, and all who are one with him: available, held, debt, usable."""
        return {
            wallet: tuple(map(sum, zip(*(self.purses[one, wallet].told() for one in self.all_of(member)), strict=True)))
            for wallet in WALLETS
        }  # type: ignore[return-value]

    def booked(self, member: str) -> dict[str, tuple[int, int, int, int]]:
        """The same of what is booked under him alone."""
        return {wallet: self.purses[member, wallet].told() for wallet in WALLETS}

    def ends(self, member: str) -> dict[str, Counter[int]]:
        return {
            wallet: sum((self.purses[one, wallet].ends() for one in self.all_of(member)), Counter())
            for wallet in WALLETS
        }

    def ready(self, member: str, wallet: str = CREDIT) -> int:
        """What may be spent of a wallet now."""
        return sum(len(self.purses[one, wallet].ready()) for one in self.all_of(member))

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

    # ---- what is judged anew

    def kept(self) -> Any:
        return *copy.deepcopy((self.purses, self.handed)), dict(self.wanted), self.told

    def put_back(self, kept: Any) -> None:
        self.purses, self.handed, self.wanted, self.told = kept

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
            self.buyers |= owner
            if change:
                self.credit_of(order, change)
        self.told = told
        for all_ in self.kinship.classes(MEMBERS):
            mine = refusable is not None and any(
                row.known[2].endswith(refusable.key) for member in all_ for row in rows.get(member, ())
            )
            self.move(all_, "refuse" if mine else "debt")

    def credit_of(self, order: str, change: int) -> None:
        """An order's lines say so much less credit (or more again, where a return was taken back)."""
        purse = self.purses[self.payer(self.buyers[order], order), CREDIT]
        if order in purse.orders and change > 0:
            back = min(change, purse.used(order))
            if back:
                purse.give_back(order, back, self.expiry(CREDIT))
        elif order in purse.orders:
            purse.use(order, -change, late=True)

    def payer(self, member: str, order: str) -> str:
        """In whose book an order of a member is paid: where it was, or is held for, of all who are one."""
        for one in self.all_of(member):
            purse = self.purses[one, CREDIT]
            if order in purse.orders or any(hold.order == order for hold in purse.open()):
                return one
        return member

    def move(self, all_: Sequence[str], on_refusal: str) -> Counter[tuple[str, str]]:
        """Move the difference of what those who are one are granted; returns what rose, by (wallet, member)."""
        life = self.lives.get(all_[0], Life())
        wanted: dict[str, dict[Pair, Terms]] = {member: {} for member in all_}
        for one in life.grants:
            terms = one.policy.rewards[one.rule].wallet, one.wanted, one.usable_from, one.expires_at
            wanted[self.home(all_, (one.key, one.rule))][one.key, one.rule] = terms
        moves = [(member, *move) for member in all_ for move in self.moves(self.wanted[member], wanted[member])]
        for member, delta, pair, (wallet, _, usable_from, ends), replaced in sorted(moves, key=lambda one: one[1] < 0):
            purse, ends_at = self.purses[member, wallet], NEVER if ends is None else ends
            rule = self.policy().wallets[wallet].clawback
            if delta > 0:
                purse.rise(pair, delta, usable_from, ends_at)
            else:
                gone = (usable_from, ends_at) if replaced else None
                if purse.kin is not None and purse.known:
                    purse.kin.lend(member, purse.lacks(pair, -delta))
                purse.fall(pair, -delta, on_refusal if rule == "refuse" else rule, gone)
        rose: Counter[tuple[str, str]] = Counter()
        for member in all_:
            for pair, terms in wanted[member].items():
                was = self.wanted[member].get(pair)
                rose[terms[0], member] += max(0, terms[1] - (was[1] if was else 0))
            self.wanted[member] = wanted[member]
        return rose

    def home(self, all_: Sequence[str], pair: Pair) -> str:
        """In whose book a grant is: where it was booked, else his whose the event is."""
        booked = [member for member in all_ if pair in self.wanted[member]]
        owner = REFERS if pair[0].startswith("emit:") else self.there()[pair[0]].member
        return (*booked, *(one for one in all_ if one == owner), all_[0])[0]

    def moves(self, before: dict[Pair, Terms], wanted: dict[Pair, Terms]) -> list[tuple[int, Pair, Terms, bool]]:
        """What is to be moved in one book, in the order of the events that granted it, and of the rules."""
        moves: list[tuple[int, Pair, Terms, bool]] = []
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
        return moves

    def rejoin(self, key: str, parted: Sequence[str]) -> None:
        """Judge again and move the difference, as those who are one now; `parted`: who were one until now."""
        made = {place: purse.lots for place, purse in self.purses.items()}
        self.join(key)
        self.judge()
        rose: Counter[tuple[str, str]] = Counter()
        for all_ in self.kinship.classes(MEMBERS):
            rose += self.move(all_, "debt")
        if parted:
            sides = [all_ for all_ in self.kinship.classes(MEMBERS) if set(all_) & set(parted)]
            for wallet in WALLETS:
                mine = {member: self.purses[member, wallet] for member in parted}
                rises = {member: rose[wallet, member] for member in parted}
                old = {member: made[member, wallet] for member in parted}
                give_back(mine, sides, self.handed[wallet], rises, old, key, self.now)
        self.join("")
        for purse in self.purses.values():
            if purse.kin is not None:
                purse.kin.level()
        if parted:
            for handed in self.handed.values():
                handed.forget(sides)

    def join(self, key: str) -> None:
        """Let those who are one help one another, under the key of their last merge, or of what is under way."""
        for all_ in self.kinship.classes(MEMBERS):
            for wallet in WALLETS:
                mine = {member: self.purses[member, wallet] for member in all_}
                kin = Kin(mine, key or self.kinship.word_of(all_), self.handed[wallet])
                for purse in mine.values():
                    purse.kin = kin if len(all_) > 1 else None
