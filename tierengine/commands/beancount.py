"""The book as Beancount text: one transaction an entry, accounts that anybody can read, and balances that are checked.

What a member has is the house's liability, what he owes it an asset; what is granted is an expense, what is used or
lapses income. An amount that goes from one account to another is + on the first and - on the second, so that grants
make liabilities grow. At the end every member's stored balance is asserted: `bean-check` counts the postings again.

Names are kept apart: an account's part is a capital letter and the code, in which `_` is written `--` and any other
character that Beancount does not take as `-hex-`. The code as it is stands in the account's metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Final

from babel.numbers import get_currency_precision

from tierengine.amounts import POINTS
from tierengine.ledger.journal import Account, Move
from tierengine.policies.versions import Programme

_ROOTS: Final = {
    "available": "Liabilities:Available",
    "held": "Liabilities:Held",
    "debt": "Assets:Debts",
    "grants": "Expenses:Grants",
    "awards": "Expenses:Awards",
    "forgiven": "Expenses:Forgiven",
    "uses": "Income:Uses",
    "expired": "Income:Expired",
}
ACTS: Final = {
    "grant": "发放", "reverse": "冲回", "adjust": "调整", "award": "奖品", "settle_debt": "抵欠", "use": "使用",
    "return": "退回", "expire": "到期", "hold": "冻结", "capture": "冻结转使用", "void": "解冻", "transfer": "转移",
    "open": "期初",
}  # fmt: skip


def part(letter: str, code: str) -> str:
    """Return a code as a part of an account's name; different codes have different names."""
    written = (one if one.isalpha() or (one.isdecimal()) else "--" if one == "_" else f"-{ord(one):x}-" for one in code)
    return letter + "".join(written)


def name(account: Account) -> str:
    """Return an account's name."""
    owner = [] if account.member is None else [part("M", account.member)]
    return ":".join([_ROOTS[account.kind], *owner, part("W", account.wallet)])


def currency(unit: str) -> str:
    """Return the unit as a commodity of Beancount."""
    return "POINTS" if unit == POINTS else unit


def number(amount: int, unit: str) -> Decimal:
    """Return an amount in minor units as a decimal in major ones."""
    return Decimal(amount) if unit == POINTS else Decimal(amount).scaleb(-get_currency_precision(unit))


def _text(value: object) -> str:
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def journal(
    programme: Programme, dealer: str, accounts: Mapping[int, Account], moves: Iterable[Move], today: date
) -> Iterator[str]:
    """Yield the text in pieces. `today`: the local day up to which the book is told."""
    begun = programme.zone.local_date
    waiting = iter(moves)
    first = next(waiting, None)
    opened = begun(first.recorded_at) if first is not None else today
    yield f'option "title" {_text(dealer)}\noption "operating_currency" "{programme.currency}"\n\n'
    for account in accounts.values():
        unit = currency(account.unit)
        yield f"{opened} open {name(account)} {unit}\n"
        if account.member is not None:
            yield f"  member: {_text(account.member)}\n"
        yield f"  wallet: {_text(account.wallet)}\n"
        wallet = programme.wallet(account.wallet)
        if wallet is not None and wallet.title is not None:
            yield f"  title: {_text(wallet.title.zh)}\n"
    last = opened
    if first is not None:
        for _, group in groupby(_chained(first, waiting), key=lambda move: move.entry):
            made = list(group)
            last = max(last, begun(made[0].recorded_at))
            yield _transaction(begun(made[0].recorded_at), accounts, made)
    yield "\n"
    for account in accounts.values():
        if account.balance is not None:
            sign = 1 if account.kind == "debt" else -1
            amount = number(sign * account.balance, account.unit)
            yield f"{last + timedelta(days=1)} balance {name(account)} {amount:f} {currency(account.unit)}\n"


def _chained(first: Move, rest: Iterable[Move]) -> Iterator[Move]:
    yield first
    yield from rest


def _transaction(day: date, accounts: Mapping[int, Account], moves: list[Move]) -> str:
    one = moves[0]
    said = f"{ACTS.get(one.kind, one.kind)} {one.kind}"
    lines = [f'\n{day} * {_text(said)}\n  entry: "{one.entry}"\n  number: {one.number}\n']
    told = (("member", one.member), ("event", one.event_key), ("rule", one.rule), ("cause", one.cause))
    lines += [f"  {key}: {_text(value)}\n" for key, value in told if value]
    for move in moves:
        source, destination = accounts[move.source], accounts[move.destination]
        amount, unit = number(move.amount, source.unit), currency(source.unit)
        lines.append(f"  {name(source)}  {amount:f} {unit}\n  {name(destination)}  {-amount:f} {unit}\n")
    return "".join(lines)
