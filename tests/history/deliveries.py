"""A book to which a case is told in any order, grouping and number of deliveries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

from tests.chance import Chance
from tests.history.happenings import Case
from tests.history.judged import Outcome, folded, observation, of_life, of_run, regimes
from tests.history.merging import Word, as_one, stands_for, twice
from tests.model.life import Life
from tests.model.lives import lives_of
from tests.model.rows import Said
from tierengine.judging import fold as folding
from tierengine.judging.carry import load
from tierengine.judging.history import Contribution, Observation, Position
from tierengine.judging.merging import MERGED, Joined, into_of
from tierengine.judging.running import RunningFacts
from tierengine.judging.values import CANCELLED
from tierengine.membership import people
from tierengine.policies import versions as versioning
from tierengine.recording.items import Merge, Observe
from tierengine.recording.rebuilding import Differences, rebuild_members
from tierengine.recording.recorder import Recorder
from tierengine.recording.rejudging import judge_again
from tierengine.recording.stored import histories_of
from tierengine.recording.writing import Rows
from tierengine.store import database
from tierengine.store.ids import Ids, transact

CLUB = """
programme: club
title: {zh: 俱乐部, en: Club}
currency: CNY
timezone: Asia/Shanghai
facts: {bought: {count: machine_purchase}}
tiers: [{id: basic, title: {zh: 客户, en: Customer}}]
wallets:
  credit: {title: {zh: 配件款, en: Credit}, unit: money, pays_for: [parts]}
  points: {title: {zh: 积分, en: Points}, unit: points}
"""
CHANGES = (
    'SELECT at, "class", tier, since, until, state FROM tier_change WHERE member_id = ?1 ORDER BY at, "class", key, id'
)
STANDS = "SELECT tier, carry, head_at, head_class, head_key FROM ledger WHERE member_id = ?1"
BOOKED = (
    "SELECT event_key, rule, sum(delta) FROM entry WHERE member_id IN (?1*) AND rule <> '' GROUP BY 1, 2 "
    "HAVING sum(delta) <> 0"
)
LOTS = (
    "SELECT l.event_key, l.rule, sum(s.remaining), l.usable_from, l.expires_at FROM lot l JOIN lot_state s "
    "ON s.lot_id = l.id WHERE l.member_id IN (?1*) AND s.remaining > 0 GROUP BY 1, 2, 4, 5"
)
JOINED = "SELECT member_id, joined_id FROM ledger WHERE member_id IN (?1*) AND joined_id IS NOT NULL"
CAUSES = "SELECT DISTINCT cause_key FROM entry WHERE member_id IN (?1*) AND rule <> ''"


class Book:
    """A dealer's book that follows whatever programme it is told to; its own texts only lend their ids."""

    def __init__(self, url):
        self.link = database.connect(url)
        self.ids = Ids()
        self.dealer = transact(self.link, self.ids, lambda link, ids: people.create_dealer(link, ids, "d", "Dealer"))
        transact(self.link, self.ids, lambda link, ids: people.create_store(link, ids, self.dealer, "S1", "Store"))
        for number in range(3):
            transact(self.link, self.ids, partial(self.publish, effective_from=number * versioning.NOTICE * 2))
        self.programme = versioning.load(self.link, self.dealer)
        self.numbers = [version.id for version in self.programme.line.versions]
        self.link.rollback()
        # Nothing has lapsed yet at the time of recording, so that every lot still holds what it was granted for.
        self.recorder = Recorder(self.link, now=lambda: 0)
        self.recorder.programmes.of = lambda *_: self.programme

    def publish(self, link, ids, effective_from):
        return versioning.publish(
            link, ids, self.dealer, CLUB, author="a", reason="r", effective_from=effective_from, now=0
        )

    def close(self):
        self.link.rollback()
        self.link.close()

    def follows(self, one: Case) -> folding.Regimes:
        regime = regimes(one, self.numbers)
        self.programme = replace(self.programme, zone=regime.zone, info=ZoneInfo(one.zone), regimes=regime)
        return regime

    def joins(self, *codes):
        new = [people.NewMember(code) for code in codes]
        return transact(self.link, self.ids, lambda link, ids: people.create_members(link, ids, self.dealer, new, 0))

    def send(self, said: Sequence[Said]) -> None:
        self.recorder.record([Observe(self.dealer, observation(one), brief=True) for one in said])

    def causes(self, members: Iterable[int]) -> set[str]:
        """What the grants of these members, and what was taken off them, say they were posted for."""
        rows = self.link.ask(CAUSES, list(members)).rows()
        self.link.rollback()
        return {row[0] for row in rows}

    def told(
        self,
        member: int,
        regimes: folding.Regimes,
        rows: list[Contribution],
        end: Position,
        merged: Sequence[int] = (),
    ) -> tuple[Outcome, str]:
        """What the database says of a member and all merged with him, and what is left to say until `end`."""
        changes, stands = ([*self.link.ask(sql, member).rows()] for sql in (CHANGES, STANDS))
        booked, lots = ([*self.link.ask(sql, [member, *merged]).rows()] for sql in (BOOKED, LOTS))
        self.link.rollback()
        tier, carry, *head = stands[0]
        run = folding.fold(
            regimes, carry, tuple(head) if carry else None, (), RunningFacts(regimes.zone, rows), until=end
        )
        assert not rows or tier == load(carry).standing.tier
        stood = {(at, class_): tuple(standing) for at, class_, *standing in changes} | dict(of_run(run)[0])
        nets = {(key, rule): tuple(terms) for key, rule, *terms in lots}
        assert {pair: terms[0] for pair, terms in nets.items()} == {(key, rule): net for key, rule, net in booked}
        return (sorted(stood.items()), nets), run.carry


def called(one: Case, name: str) -> Case:
    """The case under names of its own, in the same order."""

    def key(old: str) -> str:
        if old.startswith("order:"):
            _, store, order, kind = old.split(":")
            return f"order:{store}:{name}{order}:{kind}"
        return old and old.replace("src:", f"src:{name}")

    def said(old: Said) -> Said:
        fields = {**old.fields, "referral": key(old.fields["referral"])} if "referral" in old.fields else old.fields
        return replace(
            old, key=key(old.key), names=key(old.names), order=old.order and name + old.order,
            member=old.member and name + old.member, fields=fields,
        )  # fmt: skip

    return replace(one, said=tuple(map(said, one.said)))


def deliver(book: Book, chance: Chance, one: Case) -> None:
    """Send a case in any order, grouping and number."""
    sent = [*one.said, *(chance.pick(one.said) for _ in range(chance.pick((0, 1, 3))))]
    order = []
    while sent:
        order.append(sent.pop(chance.pick(range(len(sent)))))
    while order:
        size = chance.pick((1, 1, 2, 3, 20))
        book.send(order[:size])
        order = order[size:]
        if chance.often(30):
            book.recorder.deliver()
    while book.recorder.deliver():
        pass


def deliver_merged(book: Book, chance: Chance, one: Case, words: Sequence[Word]) -> None:
    """Send a case in any order, grouping and number, and between any two groups of it who is merged with whom."""
    merges: list[Merge] = []
    for word in words:
        said = Observation(MERGED, word.loser, word.at, "merge", "", "", 0, {"into": word.into}, word.key, word.key)
        merges.append(Merge(book.dealer, said, word.into))
    order = sorted(merges, key=lambda _: chance.pick(range(100)))
    for word in words:
        if word.undone:
            gone = Observation(CANCELLED, word.loser, 0, "merge", word.key, "", 1, {}, word.key, word.key)
            place = next(at for at, item in enumerate(order) if item.observation.key == word.key)
            order.insert(chance.pick(range(place + 1, len(order) + 1)), Merge(book.dealer, gone))
    parts = [one.said[at : at + 4] for at in range(0, len(one.said), 4)]
    told: list[Said] = []
    into: dict[str, str] = {}
    while parts or order:
        if told and chance.often(40):
            under_another_code(book, chance, chance.pick(told), into, [word.loser for word in words])
        if order and chance.pick(range(len(parts) + len(order))) < len(order):
            item = order.pop(0)
            (answer,) = book.recorder.record([item])
            assert answer is not None
            assert answer.status == "recorded", answer
            if item.into:
                into[item.observation.member] = item.into
            else:
                del into[item.observation.member]
        else:
            said = parts.pop(chance.pick(range(len(parts))))
            deliver(book, chance, replace(one, said=said))
            told += [old for old in said if observation(old).member]
    while book.recorder.deliver():
        pass


def under_another_code(book: Book, chance: Chance, said: Said, into: Mapping[str, str], codes: Sequence[str]) -> None:
    """Tell once more what was told, of another code: of the same customer it is a duplicate, else it is not heard."""

    def root(code: str) -> str:
        return root(into[code]) if code in into else code

    code = chance.pick([*codes, *into.values()])
    (answer,) = book.recorder.record([Observe(book.dealer, observation(replace(said, member=code)), brief=True)])
    assert answer is not None
    assert answer.status == ("duplicate" if root(code) == root(said.member) else "conflict"), (said, code, answer)


def merged(book: Book, chance: Chance, one: Case, name: str) -> None:
    """However it is delivered, and whenever they are merged and un-merged, it is as if they had been one from first."""
    one, words = twice(chance, one, name)
    named = called(one, name)
    words = tuple(replace(word, loser=name + word.loser, into=name + word.into) for word in words)
    codes = tuple(name + letter for letter in "MNR")
    of = book.follows(named)
    members = dict(zip(codes, book.joins(*codes), strict=True))
    deliver_merged(book, chance, named, words)
    root = stands_for(words, codes)
    truth = as_one(named, words, codes)
    standing = sorted((code for code in codes if root[code] == code), key=lambda code: code == root[codes[2]])
    givers = tuple(standing)
    lives = lives_of(truth.versions, truth.zone, truth.said, givers, truth.end)
    wholes = folded(truth, of, standing)
    for code in standing:
        whole = wholes[code]
        with_him = [members[one] for one in codes if root[one] == code != one]
        outcome, carry = book.told(members[code], of, whole.rows, whole.end, with_him)
        assert outcome == of_life(lives.get(code, Life()))
        assert carry == whole.folded.carry
    found = Differences()
    numbers = {member: code for code, member in members.items()}
    rebuild_members(book.link, book.programme, numbers, found, Rows(), joined=joined_of(book, numbers, found))
    otherwise = [*judge_again(book.link, book.programme, numbers)]
    book.link.rollback()
    assert found.same, found
    assert not otherwise, otherwise


def joined_of(book: Book, numbers: Mapping[int, str], found: Differences) -> Joined:
    """Who is one with whom, made again from what was said; what is stored of these members is compared with it."""
    said = histories_of(book.link, numbers)
    ids = {code: number for number, code in numbers.items()}
    into = {member: ids[code] for member in numbers if (code := into_of(said.get(member, ())))}
    joined = Joined.of(into, numbers)
    stored = dict(book.link.ask(JOINED, list(numbers)).rows())
    found.compare("ledger", {one: (root,) for one, root in stored.items()}, {m: (r,) for m, r in joined.root.items()})
    return joined


def delivered(book: Book, chance: Chance, one: Case, name: str) -> None:
    """However a case is delivered, the book says what the model believes."""
    one = called(one, name)
    buyer, referrer = f"{name}M", f"{name}R"
    of = book.follows(one)
    members = dict(zip((buyer, referrer), book.joins(buyer, referrer), strict=True))
    deliver(book, chance, one)
    lives = lives_of(one.versions, one.zone, one.said, (buyer,), one.end)
    wholes = folded(one, of, (buyer, referrer))
    for code, member in members.items():
        whole = wholes[code]
        outcome, carry = book.told(member, of, whole.rows, whole.end)
        assert outcome == of_life(lives.get(code, Life()))
        assert carry == whole.folded.carry
    # Every difference that was posted names the event that caused it.
    keys = {said.key for said in one.said}
    # (What another member's event emitted is posted for that emission, which is called after the rule and the event.)
    for cause in book.causes(members.values()):
        assert cause in keys or (cause.startswith("emit:") and cause.split(":", 2)[2] in keys), cause
    # What is stored beside the events comes out the same when it is made again from the beginning.
    found = Differences()
    codes = {member: code for code, member in members.items()}
    rebuild_members(book.link, book.programme, codes, found, Rows())
    book.link.rollback()
    assert found.same, found
