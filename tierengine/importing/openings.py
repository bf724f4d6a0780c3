"""Opening balances from a file: what members had in the books before these, checked as a whole before any is recorded.

Columns, in English or Chinese: member/会员, wallet/钱包 (its id or its title), amount/金额 (money in yuan, points as
they are), and last_day/到期日 (left out or empty: as the wallet's rule says). A member has one opening balance a wallet
and last day: the same file twice changes nothing, another amount is a conflict.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from babel.numbers import get_currency_precision

from rules.policy import Wallet
from tierengine.importing.files import FileRefused, Row, rows, source_of
from tierengine.importing.run import BadRow
from tierengine.importing.values import Bad, CellRefused, day, decimal
from tierengine.judging.bounds import MONEY_MOST
from tierengine.policies.versions import Programme
from tierengine.policies.wording import no_wallet
from tierengine.recording.acts import Open
from tierengine.recording.items import Command
from tierengine.recording.lookups import member_ids
from tierengine.store.dialect import Link

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "member": ("member", "会员", "会员编号"),
    "wallet": ("wallet", "钱包"),
    "amount": ("amount", "金额", "余额", "数量"),
    "last_day": ("last_day", "到期日", "有效期至"),
}
_KNOWN: Final = "SELECT key FROM command WHERE dealer_id = ?1 AND key IN (?2*)"


@dataclass(frozen=True, slots=True)
class Opening:
    """One row: `amount` in the wallet's smallest unit, `known` when it is in the book already."""

    line: int
    member: str
    wallet: str
    amount: int
    last_day: str
    known: bool = False

    @property
    def key(self) -> str:
        """Return what makes it the only one of its kind."""
        return f"open:{self.member}:{self.wallet}:{self.last_day or '-'}"


@dataclass(slots=True)
class Openings:
    """A file of opening balances as it was read, with everything that is wrong in it."""

    rows: list[Opening] = field(default_factory=list)
    problems: list[BadRow] = field(default_factory=list)

    def totals(self) -> dict[str, dict[str, int]]:
        """Return, by wallet, how many members and rows there are, their sum, and what of it is not in the book yet."""
        found: dict[str, dict[str, int]] = {}
        members: dict[str, set[str]] = {}
        for one in self.rows:
            told = found.setdefault(one.wallet, {"members": 0, "rows": 0, "amount": 0, "new": 0})
            members.setdefault(one.wallet, set()).add(one.member)
            told["rows"] += 1
            told["amount"] += one.amount
            told["new"] += 0 if one.known else one.amount
            told["members"] = len(members[one.wallet])
        return found


def read_openings(path: Path, link: Link, programme: Programme, now: int) -> Openings:
    """Read a file and hold it against who is on file and which wallets there are. FileRefused when it is no table."""
    found = Openings()
    reader = _Reader(programme, programme.line.at(now).rules.policy.wallets)
    seen: dict[str, int] = {}
    for row in rows(source_of(path)):
        try:
            if row.bad is not None:
                raise _Refused(row.bad)
            one = reader.opening(row)
            if one.key in seen:
                raise _Refused(Bad("opening_twice", details={"line": seen[one.key]}))
            seen[one.key] = row.line
            found.rows.append(one)
        except _Refused as refused:
            found.problems.append(BadRow(row.line, refused.bad))
    members = member_ids(link, programme.dealer_id, sorted({one.member for one in found.rows}))
    for one in found.rows:
        if one.member not in members:
            found.problems.append(BadRow(one.line, Bad("unknown_member", "member", {"member": one.member})))
    known = {row[0] for row in link.ask(_KNOWN, programme.dealer_id, sorted(seen)).rows()}
    found.rows = [
        Opening(one.line, one.member, one.wallet, one.amount, one.last_day, one.key in known)
        for one in found.rows
        if one.member in members
    ]
    found.problems.sort(key=lambda one: one.line)
    return found


def commands(programme: Programme, openings: Sequence[Opening], by: str) -> list[Command]:
    """Return the commands that put them in."""
    made = []
    for one in openings:
        end = programme.zone.end_of(date.fromisoformat(one.last_day)) if one.last_day else None
        act = Open(one.key, one.wallet, one.amount, by, end)
        made.append(Command(programme.dealer_id, (one.member,), act))
    return made


class _Refused(Exception):
    def __init__(self, bad: Bad) -> None:
        self.bad = bad
        super().__init__(bad.code)


@dataclass(slots=True)
class _Reader:
    """Reads rows by the names of their columns, which the first row tells."""

    programme: Programme
    wallets: Mapping[str, Wallet]
    columns: dict[str, str] | None = None

    def opening(self, row: Row) -> Opening:
        if self.columns is None:
            self.columns = self._columns(row.cells)
        member, wallet = self._text(row, "member"), self._wallet(self._text(row, "wallet"))
        last_day = self._cell(row, "last_day")
        try:
            ends = day(last_day) if last_day not in (None, "") else ""
        except CellRefused as refused:
            raise _Refused(Bad(refused.code, "last_day", refused.details)) from None
        return Opening(row.line, member, wallet.id, self._amount(row, wallet), ends)

    def _columns(self, cells: Mapping[str, Any]) -> dict[str, str]:
        plain = {unicodedata.normalize("NFKC", name).strip().lower(): name for name in cells}
        found = {field: plain[name] for field, names in COLUMNS.items() for name in reversed(names) if name in plain}
        for field_, names in COLUMNS.items():
            if field_ not in found and field_ != "last_day":
                raise FileRefused(Bad("no_column", details={"column": names[0], "known": ", ".join(cells)}), 1)
        return found

    def _cell(self, row: Row, name: str) -> Any:
        column = (self.columns or {}).get(name)
        cell = row.cells.get(column) if column is not None else None
        return cell.strip() if isinstance(cell, str) else cell

    def _text(self, row: Row, name: str) -> str:
        cell = self._cell(row, name)
        if cell in (None, ""):
            raise _Refused(Bad("missing", name))
        # A spreadsheet turns a code of digits into a number.
        return unicodedata.normalize("NFKC", str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell))

    def _wallet(self, text: str) -> Wallet:
        for wallet in self.wallets.values():
            if text in (wallet.id, wallet.title.zh, wallet.title.en):
                return wallet
        raise _Refused(Bad("unknown_wallet", "wallet", no_wallet(text, self.wallets).details))

    def _amount(self, row: Row, wallet: Wallet) -> int:
        cell = self._cell(row, "amount")
        if cell in (None, ""):
            raise _Refused(Bad("missing", "amount"))
        digits = get_currency_precision(self.programme.currency) if wallet.unit == "money" else 0
        try:
            number = decimal(cell).scaleb(digits)
        except CellRefused as refused:
            raise _Refused(Bad(refused.code, "amount", refused.details)) from None
        if number != number.to_integral_value():
            raise _Refused(Bad("fraction", "amount", {"smallest": "0.01" if digits == 2 else "1"}))
        if not 1 <= number <= MONEY_MOST:
            raise _Refused(Bad("out_of_range", "amount", {"least": 1, "most": MONEY_MOST}))
        return int(number)
