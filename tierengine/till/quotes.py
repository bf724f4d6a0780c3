"""What an order would cost and earn, on one snapshot, with nothing written: the dry run of a sale.

The same prices, the same observations and the same fold as the sale; the order's contributions count as if they were
stored. Prices use the standing before the order, rewards what the order makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from rules.judge import StandingTiers
from rules.policy import Policy, Price
from rules.policy.text import title
from tierengine.judging.budgets import Pots
from tierengine.judging.decisions import Granted
from tierengine.judging.fold import fold
from tierengine.judging.history import OBSERVATION, Contribution
from tierengine.judging.netting import steps
from tierengine.judging.pricing import PricedLine, Reached, Rival, hindrance, reached, rivals, totals
from tierengine.judging.recorded import Recorded
from tierengine.judging.resolution import resolve
from tierengine.judging.worth import fen_of, pays
from tierengine.membership.asker import Asker, when
from tierengine.membership.known import Known, read_member
from tierengine.membership.price_reasons import OfTier, price_reason
from tierengine.membership.reasons import Words, amount_text, said
from tierengine.membership.reward_reasons import reward_reasons
from tierengine.membership.stand import Stand, judged_after, occasions_of, stand
from tierengine.membership.told import Told
from tierengine.membership.worth_reasons import Event
from tierengine.policies.versions import Programme
from tierengine.recording.pots import pots
from tierengine.store.dialect import Link
from tierengine.store.snapshots import snapshot
from tierengine.till import receipts
from tierengine.till.orders import Order
from tierengine.till.prices import as_charged, at_prices, matching, pay
from tierengine.till.promises import MINUTE, promise
from tierengine.till.sales import observations, plain_lines
from tierengine.till.signing import Signer


@dataclass(frozen=True, slots=True)
class Charge:
    """An order priced for one member: what each line costs by the rules, what is charged, and the credit it uses.

    matched  for each line the prices whose conditions hold; `day` is the order's, local
    """

    known: Known
    before: Stand
    ruled: Sequence[PricedLine]
    lines: Sequence[PricedLine]
    uses: Mapping[str, int]
    matched: Sequence[Sequence[str]]
    day: date


def charge(link: Link, programme: Programme, order: Order, now: int) -> Charge:
    """Price an order as of its own instant."""
    if order.member not in programme.long and (known := read_member(link, programme, order.member, now)).at_once:
        return _priced(known, order, now)
    with snapshot(link):
        return _priced(read_member(link, programme, order.member, now), order, now)


def _priced(known: Known, order: Order, now: int) -> Charge:
    before = stand(known, (order.occurred_at, OBSERVATION, order.drafts[0].key), known.source(), judging=False)
    return _charged(known, before, order, now)


def _charged(known: Known, before: Stand, order: Order, now: int) -> Charge:
    matched = matching(order, before)
    ruled = at_prices(before.regime, order, matched)
    suspended = before.suspended  # (asked now, though he may have nothing: later his facts are those after the order)
    usable = known.usable(now, order.drafts[0].cluster)
    free = {name: have for name, have in usable.items() if name not in suspended}
    lines, uses = pay(before.policy, as_charged(order, ruled), order.credit, free)
    return Charge(known, before, ruled, lines, uses, matched, before.regime.zone.local_date(order.occurred_at))


def quote(
    link: Link,
    programme: Programme,
    order: Order,
    now: int,
    asker: Asker,
    *,
    explain: bool = True,
    signer: Signer | None = None,
    across: int | None = None,
) -> dict[str, Any]:
    """Return the quote as JSON, its receipt `across` cells wide. Unknown: there is no such member or wallet."""
    if order.member not in programme.long and (known := read_member(link, programme, order.member, now)).at_once:
        return _quote(known, order, now, asker, signer, explain=explain, across=across)
    with snapshot(link):
        return _quote(
            read_member(link, programme, order.member, now), order, now, asker, signer, explain=explain, across=across
        )


def _quote(
    known: Known, order: Order, now: int, asker: Asker, signer: Signer | None, *, explain: bool, across: int | None
) -> dict[str, Any]:
    programme = known.programme
    position = (max(now, known.head[0] + 1), OBSERVATION, "")  # after all that is stored
    source = known.source()
    before = stand(known, position, source, judging=False)
    charged = _charged(known, before, order, now)
    candidates = _candidates(programme, known, order, charged.lines, position[0])
    source.add(candidates)
    todo = steps(candidates)
    budgets = Pots(partial(pots, known.link, programme.dealer_id))
    folded = fold(programme.regimes, before.text, before.head, todo, source, admit=budgets.admit)
    end = todo[-1].position
    after = judged_after(known, folded, end, source)
    earned = folded.stands()
    found: dict[str, Any] = {
        "member": known.code,
        **known.joined(),
        "as_of": when(known, now),
        "policy_version": before.regime.version.number,
        "tier": {"before": before.tier, "after": after.tier},
        "lines": plain_lines(charged.lines),
        "total": dict(totals(charged.lines)),
        "credit": _credit(known, before, charged, now),
        "earns": [
            {
                "rule": one.rule,
                "title": said(title(before.policy.rewards[one.rule].title, one.rule), asker.lang)
                if one.rule in before.policy.rewards
                else one.rule,
                "wallet": one.wallet,
                "amount": one.wanted,
                "usable_from": when(known, one.usable_from),
            }
            for one in earned.values()
            if one.wanted
        ],
        "receipt": receipts.both(
            lambda lang: receipts.of_quote(before.policy, charged.lines, charged.uses, earned.values(), lang), across
        )
        if across
        else {lang: receipt(before.policy, charged, earned, lang) for lang in ("zh", "en")},
    }
    if signer is not None:
        until = now + before.policy.price_token_minutes * MINUTE
        found["token"] = promise(signer, programme.dealer_id, order, charged.lines, before.regime.version.number, until)
        found["prices_until"] = when(known, until)
    if explain:
        tiers = StandingTiers(before.tier, after.tier, after.tier)
        occasions = tuple(one for step in todo for one in occasions_of(step))
        event = Event(occasions, tiers, after.inputs, after.judged, after.carry, earned, budgets.given())
        found["next_tier"] = Told(known, after, asker).next_tier()
        found["prices"] = _price_reasons(charged, asker.lang)
        found["rewards"] = reward_reasons(after.policy, programme.zone, event, asker.lang)
    return found


def _candidates(
    programme: Programme, known: Known, order: Order, lines: Sequence[PricedLine], at: int
) -> list[Contribution]:
    """Return what the order would contribute, at the instant of the quote."""
    happened = [Recorded(replace(one, occurred_at=at), known.code) for one in observations(order, lines)]
    resolved = resolve(happened, {}, programme.info)
    found = [line for given in resolved.contributions.values() for _, line in given]
    return sorted(found, key=lambda line: (line.known, line.line))


def _credit(known: Known, before: Stand, charged: Charge, now: int) -> list[dict[str, Any]]:
    """Return, for each wallet that may pay, what the member may spend and what of it this order may use.

    Amounts are in the wallet's unit; `used_worth` and `usable_worth` are what they pay, in fen.
    """
    free, unpaid = known.usable(now), _unpaid(charged.lines)
    found: list[dict[str, Any]] = []
    for wallet in before.policy.wallets.values():
        if not pays(wallet):
            continue
        suspended = wallet.id in before.suspended
        usable = 0 if suspended else free.get(wallet.id, 0)
        most = pay(before.policy, unpaid, "max", {wallet.id: usable})[1] if usable else {}
        found.append(
            {
                "wallet": wallet.id,
                "unit": known.programme.unit(wallet.id),
                "available": free.get(wallet.id, 0),
                "usable": most.get(wallet.id, 0),
                "usable_worth": fen_of(wallet, most.get(wallet.id, 0)),
                "used": charged.uses.get(wallet.id, 0),
                "used_worth": fen_of(wallet, charged.uses.get(wallet.id, 0)),
                "suspended": suspended,
            }
        )
    return found


def _unpaid(lines: Sequence[PricedLine]) -> list[PricedLine]:
    return [replace(one, credit=0) if one.credit else one for one in lines]


def _price_reasons(charged: Charge, lang: str) -> list[dict[str, Any]]:
    """Return, line by line, every price of the policy with why it was or was not taken."""
    before = charged.before
    member = OfTier(before.tier) if before.regime.version.rules.priced_by_tier else before
    policy, words = before.policy, Words(before.policy)
    found: list[dict[str, Any]] = []
    lines = [one.line for one in charged.ruled]
    hindered = {rule.id: hindrance(rule, lines, charged.matched, charged.day) for rule in policy.prices.values()}
    against: dict[str, Mapping[int, Rival | Reached]] = {}

    def rival(rule: Price, place: int) -> Rival | Reached:
        if rule.id not in against:  # (of most orders none is asked)
            against[rule.id] = rivals(policy, rule, lines, charged.matched, charged.day)
        return against[rule.id][place]

    far = {rule.id: reached(rule, lines, charged.matched, charged.day) for rule in policy.prices.values()}
    for place, line in enumerate(charged.ruled):
        for rule in policy.prices.values():
            reason = price_reason(
                words, rule, line.line.fields(), member, applied=line.rules, hindered=hindered[rule.id],
                reached=far[rule.id], rival=partial(rival, rule, place),
            )  # fmt: skip
            found.append(
                {
                    "line": place,
                    "rule": rule.id,
                    "title": said(title(rule.title, rule.id), lang),
                    "applied": rule.id in line.rules,
                    **reason.plain(lang),
                }
            )
    return found


def receipt(policy: Policy, charged: Charge, earned: Mapping[tuple[str, str], Granted], lang: str) -> list[str]:
    """Return lines ready to print: each line of the order, the credit, what is to pay, and what it earns."""
    zh = lang == "zh"
    printed: list[str] = []
    for line in charged.lines:
        text = f"{line.line.item} × {line.line.qty}  {_yuan(line.line.list)}"
        if line.rules:
            names = " + ".join(title(policy.prices[rule].title, rule).say(lang) for rule in line.rules)
            text += f"  {names} -{_yuan(line.line.list - line.amount)}"
        printed.append(f"{text}  {_yuan(line.amount)}")
    sums = totals(charged.lines)
    for name, amount in charged.uses.items():
        wallet = policy.wallets[name]
        points = "" if wallet.unit == "money" else amount_text(amount, wallet.unit).say(lang) + " "
        called = title(wallet.title, name).say(lang)
        printed.append(f"{called} {points}{'支付' if zh else 'pays'} {_yuan(fen_of(wallet, amount))}")
    printed.append(f"{'应付' if zh else 'To pay'} {_yuan(sums['cash'])}")
    by_wallet: dict[str, int] = {}
    for one in earned.values():
        by_wallet[one.wallet] = by_wallet.get(one.wallet, 0) + one.wanted
    for name, amount in by_wallet.items():
        if amount and name in policy.wallets:
            wallet = policy.wallets[name]
            text = amount_text(amount, wallet.unit).say(lang)
            printed.append(f"{'本单得' if zh else 'Earns'} {title(wallet.title, name).say(lang)} {text}")
    return printed


def _yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02d}"
