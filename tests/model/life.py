"""A member's life: standings in time, what events earn and what returns leave of it."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Any

from rules import policy as ast
from tests.model.dates import DAY, day_of, days_later, months_later, period_of, start_of
from tests.model.facts import WORDS, Seen, attested, attributes, fact, holds, passes
from tests.model.rows import MEASURES, Position, Row, number

NEVER = 1 << 62


@dataclass(frozen=True)
class Held:
    """A standing. `anchor` and `months` say how its end was reckoned."""

    tier: str
    since: int
    until: int | None = None
    state: str = "valid"
    anchor: date = date.min
    months: int = 0


@dataclass
class Grant:
    key: str
    rule: str
    policy: ast.Policy
    amount: ast.Amount
    lines: tuple[str, ...]
    nth: int
    periods: tuple[str, ...]  # that of the ladder, then that of each cap
    judged: int
    room: int | None
    exclusive: str
    usable_from: int
    expires_at: int | None
    wanted: int


@dataclass(frozen=True)
class Sent:
    """A derived event for another member, or, with qty -1, what takes back the one that `of` made at `at`."""

    rule: str
    kind: str
    key: str
    of: str
    known: Position
    at: int
    to: str
    qty: int
    amount: int
    fields: Mapping[str, Any]

    def row(self, zone: str, giver: Mapping[str, str]) -> Row:
        """What it contributes to who is told."""
        day = day_of(zone, self.at)
        dated = {"month": f"{day:%Y-%m}", "quarter": f"{day.year:04d}Q{(day.month + 2) // 3}"}
        line, known = f"emit:{self.rule}:{self.of}#0", (self.known[0], 3, f"emit:{self.rule}:{self.key}")
        return Row(self.kind, line, self.at, known, self.qty, self.amount, {**self.fields, **dated, **giver})


@dataclass
class Life:
    """What became of a member. `stood`: (position, standing) of each change, in order."""

    stood: list[tuple[Position, Held]] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)

    def nets(self) -> dict[tuple[str, str], tuple[int, int, int | None]]:
        return {(one.key, one.rule): (one.wanted, one.usable_from, one.expires_at) for one in self.grants if one.wanted}


@dataclass
class Member:
    """One member, his rows, and what depends on what was decided about him before."""

    versions: Sequence[tuple[int, ast.Policy]]
    zone: str
    rows: Sequence[Row]
    policy: ast.Policy
    held: Held
    life: Life = field(default_factory=Life)
    before: list[tuple[Held, int]] = field(default_factory=list)  # what each promotion replaced, and when
    confirmed: dict[str, int] = field(default_factory=dict)
    floors: dict[str, int | None] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    matched: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)  # rule, period, lines

    # ---- what holds

    def seen(self, position: Position) -> tuple[Seen, list[bool], list[bool]]:
        """What conditions may read, whether each tier holds, whether he is excluded from it."""
        facts = {
            name: fact(self.zone, one, self.rows, position, self.held.since) for name, one in self.policy.facts.items()
        }
        known = attributes(self.rows, position)
        nothing = Seen(facts, known, frozenset(), None)
        word = attested(self.zone, self.policy, self.rows, position)
        met = frozenset(
            name
            for name, trait in self.policy.traits.items()
            if name in word or (trait.when is not None and holds(trait.when, nothing, {}))
        )
        seen = Seen(facts, known, met, self.held.tier)
        out = [one.unless is not None and holds(one.unless, seen, {}) for one in self.policy.tiers]
        in_ = [
            rank == 0 or (one.when is not None and holds(one.when, seen, {}) and not out[rank])
            for rank, one in enumerate(self.policy.tiers)
        ]
        return seen, in_, out

    def rank(self, tier: str) -> int:
        return next(rank for rank, one in enumerate(self.policy.tiers) if one.id == tier)

    def now_called(self, tier: str) -> str:
        names = [one.id for one in self.policy.tiers if one.id == tier]
        names += [one.id for one in self.policy.tiers if tier in one.replaces]
        return (*names, self.policy.tiers[0].id)[0]

    # ---- moving

    def stand(self, held: Held, position: Position) -> None:
        self.held = held
        self.life.stood.append((position, held))

    def kept(self, tier: ast.Tier, since: int, at: int) -> Held:
        """Kept anew from the day of `at`."""
        anchor = day_of(self.zone, at)
        return self.extended(Held(tier.id, since, None, "valid", anchor, 0), tier)

    def extended(self, held: Held, tier: ast.Tier) -> Held:
        if tier.keep is None:
            return replace(held, until=None, state="valid")
        months = held.months + tier.keep.months
        last = months_later(held.anchor, months)
        return replace(held, until=start_of(self.zone, days_later(last, 1)), state="valid", months=months)

    def highest(self, in_: list[bool], below: int) -> int:
        return max(rank for rank in range(max(below, 1)) if in_[rank])

    def fall(self, rank: int, position: Position) -> None:
        """Down to this rank, but not below a floor."""
        self.before.clear()
        floor = self.floor(position[0])
        if floor is not None and self.rank(floor) > rank:
            since = self.held.since if self.held.tier == floor else position[0]
            self.stand(Held(floor, since, self.floors[floor], "assigned"), position)
        else:
            self.stand(self.kept(self.policy.tiers[rank], position[0], position[0]), position)

    def floor(self, at: int) -> str | None:
        running = [tier for tier, until in self.floors.items() if until is None or until > at]
        return max(running, key=self.rank, default=None)

    def reachable(self, in_: list[bool], at: int) -> ast.Tier | None:
        for tier in reversed(self.policy.tiers[self.rank(self.held.tier) + 1 :]):
            word = self.confirmed.get(tier.id)
            in_time = word is not None and at <= word + tier.confirm_within_days * DAY
            if in_[self.rank(tier.id)] and (tier.promotion == "automatic" or in_time):
                return tier
        return None

    def evaluate(self, position: Position, *, returned: bool = False, ended: bool = False) -> Seen:
        """The member at an evaluation point; `ended`: it is the end of his standing's time."""
        seen, in_, out = self.seen(position)
        self.move(position, in_, out, returned=returned, ended=ended)
        return seen

    def move(self, position: Position, in_: list[bool], out: list[bool], *, returned: bool, ended: bool) -> None:
        at, held, rank = position[0], self.held, self.rank(self.held.tier)
        tier = self.policy.tiers[rank]
        if held.state == "locked" and not ended:
            return
        goal = self.reachable(in_, at)
        floor = self.floor(at)
        if goal is not None and (floor is None or self.rank(floor) <= self.rank(goal.id)):
            self.before.append((held, at))
            self.confirmed.pop(goal.id, None) if goal.promotion == "confirmed" else None
            self.stand(self.kept(goal, at, at), position)
        elif floor is not None and self.rank(floor) > rank:
            self.fall(rank, position)
        elif held.state in ("locked", "assigned"):
            if ended and in_[rank]:
                self.stand(self.kept(tier, held.since, at), position)
            elif ended:
                self.fall(self.highest(in_, rank), position)
        elif out[rank] and rank:
            self.fall(self.highest(in_, rank), position)
        elif held.state == "grace" and in_[rank]:
            self.stand(self.kept(tier, held.since, at), position)
        elif ended:
            self.ended(position, in_, out)
        elif returned and not in_[rank]:
            self.undo(position, in_, out)

    def ended(self, position: Position, in_: list[bool], out: list[bool]) -> None:
        held, rank = self.held, self.rank(self.held.tier)
        tier = self.policy.tiers[rank]
        if tier.keep is None or (held.state == "valid" and in_[rank]):
            self.stand(self.extended(held, tier), position)
        elif held.state == "valid" and tier.keep.grace_days:
            until = start_of(self.zone, days_later(day_of(self.zone, position[0]), tier.keep.grace_days))
            self.stand(replace(held, until=until, state="grace"), position)
        elif tier.keep.then == "as_facts_say":
            self.fall(self.highest(in_, rank), position)
        else:
            self.fall(max((below for below in range(rank) if not out[below] or not below), default=0), position)

    def undo(self, position: Position, in_: list[bool], out: list[bool]) -> None:
        """Take back the promotions that are young and do not hold any more, the last one first."""
        at, moved = position[0], False
        while self.before and self.held.state in ("valid", "grace"):
            rank = self.rank(self.held.tier)
            replaced, promoted_at = self.before[-1]
            young = at < promoted_at + self.policy.tiers[rank].returns_undo_days * DAY
            if in_[rank] or not young:
                break
            moved = True
            self.before.pop()
            facts_say = self.highest(in_, rank)
            back = self.rank(replaced.tier)
            running = replaced.until is None or replaced.until > at
            if back < facts_say or not running or (out[back] and back and replaced.state != "assigned"):
                self.fall(facts_say, position)
                return
            self.held = replaced
        if moved:
            held = self.held
            if held.state == "grace" and in_[self.rank(held.tier)]:
                held = self.kept(self.policy.tiers[self.rank(held.tier)], held.since, at)
            self.stand(held, position)

    # ---- what a person said

    def word(self, row: Row, position: Position) -> None:
        at, tier = position[0], row.fields["tier"]
        if tier not in [one.id for one in self.policy.tiers]:
            return
        if row.kind == "promotion_confirmed":
            self.confirmed[tier] = at
            return
        last = row.fields.get("until")
        until = None if last is None else start_of(self.zone, days_later(date.fromisoformat(last), 1))
        if until is not None and until <= at:
            return
        if row.kind == "tier_assigned":
            self.floors[tier] = until
            held, running = self.held, NEVER if self.held.until is None else self.held.until
            covered = held.tier == tier and held.state != "assigned" and running >= (NEVER if until is None else until)
            if self.rank(tier) < self.rank(held.tier) or covered:
                return
        self.before.clear()
        since = self.held.since if self.held.tier == tier else at
        self.stand(Held(tier, since, until, "assigned" if row.kind == "tier_assigned" else "locked"), position)

    # ---- points

    def version_starts(self, policy: ast.Policy, position: Position) -> None:
        self.policy = policy
        renamed = replace(self.held, tier=self.now_called(self.held.tier))
        if renamed != self.held:
            self.stand(renamed, position)
        self.before = [(replace(held, tier=self.now_called(held.tier)), at) for held, at in self.before]
        self.floors = {
            new: max(
                (end for old, end in self.floors.items() if self.now_called(old) == new), key=lambda end: end or NEVER
            )
            for new in map(self.now_called, self.floors)
        }
        self.confirmed = {
            new: max(at for old, at in self.confirmed.items() if self.now_called(old) == new)
            for new in map(self.now_called, self.confirmed)
        }
        self.orders = {order: self.now_called(tier) for order, tier in self.orders.items()}
        self.evaluate(position)

    def event(self, position: Position) -> None:
        mine = sorted((row for row in self.rows if row.known == position), key=lambda row: row.line)
        before = self.held.tier
        for row in mine:
            if row.kind in WORDS:
                self.word(row, position)
        back = [row for row in mine if row.qty < 0 and row.event != position[2]]
        returned = [row for row in back if not row.kind.endswith("_submitted")]
        seen = self.evaluate(position, returned=bool(returned))
        for key in dict.fromkeys(row.event for row in returned):
            self.take_back(key, [row for row in returned if row.event == key], position)
        for key, kind in dict.fromkeys((row.event, row.kind) for row in mine if row.qty > 0):
            earning = [row for row in mine if row.qty > 0 and (row.event, row.kind) == (key, kind)]
            self.earn(earning, before, seen, position)

    # ---- grants

    def known(self, lines: Iterable[str], position: Position) -> list[Row]:
        return [row for row in self.rows if row.line in lines and row.known <= position]

    def stands(self, lines: Iterable[str], position: Position) -> bool:
        return sum(row.qty for row in self.known(lines, position)) > 0

    def earn(self, rows: list[Row], before: str, seen: Seen, position: Position) -> None:
        key, kind, after = rows[0].event, rows[0].kind, self.held.tier
        order = key.rpartition(":")[0]
        if kind == "machine_purchase":
            self.orders[order] = after
        tiers = {"before": before, "after": after, "order": self.orders.get(order)}
        for sending in self.policy.emissions.values():
            asked = replace(seen, tier=after)
            fits = [r for r in rows if holds(sending.where, asked, r.fields) and holds(sending.when, asked, r.fields)]
            if kind in sending.on and fits and fits[0].fields.get(sending.to):
                fields = {
                    name: fits[0].fields[name] for name in sending.carries if fits[0].fields.get(name) is not None
                }
                to = fits[0].fields[sending.to]
                self.life.sent.append(
                    Sent(sending.id, sending.emits, key, key, position, position[0], to, 1, fits[0].amount, fields)
                )
        offers = []
        for place, reward in enumerate(self.policy.rewards.values()):
            asked = replace(seen, tier=tiers[reward.standing])
            if kind not in reward.on or (reward.for_tiers and asked.tier not in reward.for_tiers):
                continue
            fits = [r for r in rows if holds(reward.where, asked, r.fields) and holds(reward.when, asked, r.fields)]
            offer = self.offer(reward, fits, position) if fits else None
            if offer is not None:
                priority = reward.exclusive.priority if reward.exclusive else 0
                offers.append(((-offer.judged, priority, place), offer))
        won: set[str] = set()
        for _, offer in sorted(offers, key=lambda item: item[0]):
            if not offer.exclusive or offer.exclusive not in won:
                won.add(offer.exclusive)
                self.life.grants.append(offer)

    def offer(self, reward: ast.Reward, rows: list[Row], position: Position) -> Grant | None:
        at, key, fields, lines = position[0], rows[0].event, rows[0].fields, tuple(row.line for row in rows)
        today = day_of(self.zone, at)
        spent = sum(row.amount for row in rows)
        if (
            (reward.valid_from and today < reward.valid_from)
            or (reward.valid_until and today > reward.valid_until)
            or (reward.weekdays and today.weekday() not in reward.weekdays)
            or spent < reward.minimum_spend
        ):
            return None
        told = fields.get(reward.counted_on) if reward.counted_on else None
        day = date.fromisoformat(told) if told else today
        period = period_of(reward.period, day, key)
        if reward.counting == "all":
            counting = self.matched
            self.matched = [*counting, (reward.id, period, lines)]
        else:
            counting = [(one.rule, one.periods[0], one.lines) for one in self.life.grants]
        nth = 1 + sum(self.stands(of, position) for rule, when, of in counting if (rule, when) == (reward.id, period))
        amount = reward.amount
        while isinstance(amount, ast.ByClass):
            fitting = [inner for _, tests, inner in amount.classes if all(passes(test, fields) for test in tests)]
            amount = (*fitting, amount.otherwise)[0]
        room = None
        periods = [f"{cap.period}:{period_of(cap.period, day, key)}" for cap in reward.caps]
        for cap, name in zip(reward.caps, periods, strict=True):
            used = sum(one.wanted for one in self.life.grants if one.rule == reward.id and name in one.periods[1:])
            room = min(cap.limit - used, cap.limit if room is None else room)
        judged = worth(amount, nth, rows)
        judged = judged if room is None else min(judged, room)
        if judged <= 0:
            return None
        exclusive = ""
        if reward.exclusive and fields.get(reward.exclusive.key) is not None:
            exclusive = f"{reward.exclusive.group}|{fields[reward.exclusive.key]}"
            if any(one.exclusive == exclusive and self.stands(one.lines, position) for one in self.life.grants):
                return None
        usable = start_of(self.zone, days_later(today, reward.settle_days)) if reward.settle_days else at
        ends = self.expiry(reward.expires or self.policy.wallets[reward.wallet].expires, today)
        return Grant(
            key, reward.id, self.policy, amount, lines, nth, (period, *periods), judged, room, exclusive, usable, ends,
            wanted=judged,
        )  # fmt: skip

    def expiry(self, asked: ast.Expiry | None, day: date) -> int | None:
        if asked is None:
            return None
        last = days_later(months_later(day, asked.months + 12 * asked.years), asked.days)
        if asked.to == "month":
            last = last.replace(day=monthrange(last.year, last.month)[1])
        elif asked.to == "year":
            last = last.replace(month=12, day=31)
        return start_of(self.zone, days_later(last, 1))

    def take_back(self, key: str, rows: list[Row], position: Position) -> None:
        """What a return of these rows leaves of what their event earned."""
        touched = {row.line for row in rows}
        for one in self.life.grants:
            if one.key != key or not touched & set(one.lines):
                continue
            reward, known = one.policy.rewards[one.rule], self.known(one.lines, position)
            sold, left = sum(r.amount for r in known if r.qty > 0), sum(r.amount for r in known)
            pieces, rest = sum(r.qty for r in known if r.qty > 0), sum(r.qty for r in known)
            if not rest:
                wanted = 0
            elif reward.returns == "rejudge":
                wanted = 0 if left < reward.minimum_spend else worth(one.amount, one.nth, known)
                wanted = wanted if one.room is None else min(wanted, one.room)
            else:
                wanted = one.judged * left // sold if sold else one.judged * rest // pieces
            one.wanted = min(one.wanted, wanted)
        if rows[0].kind == "machine_purchase":
            self.orders.pop(key.rpartition(":")[0], None)
        for sent in [one for one in self.life.sent if one.of == key]:
            if [one.of for one in self.life.sent if one.rule == sent.rule].count(key) == 1:
                taken = {name: -value if name in MEASURES else value for name, value in sent.fields.items()}
                back = replace(sent, key=position[2], known=position, qty=-1, amount=-sent.amount, fields=taken)
                self.life.sent.append(back)


def worth(amount: ast.Amount, nth: int, rows: Sequence[Row]) -> int:
    if isinstance(amount, ast.Fixed):
        return amount.amount
    if isinstance(amount, ast.Ladder):
        fitting = [r.amount for r in amount.rungs if r.first <= nth and (r.last is None or nth <= r.last)]
        return (*fitting, 0)[0]
    base = max(sum(number(row, amount.base) for row in rows), 0)
    if amount.rounding == "floor":
        value = base // amount.each * amount.give
    else:
        value = (Fraction(base * amount.give, amount.each) + Fraction(1, 2)).__floor__()
    return value if amount.cap is None else min(value, amount.cap)
