"""Receipts: lines ready to print, in cells of a printer's paper. A Chinese character takes two cells, a letter one.

Paper of 58 mm has 32 cells in a line, of 80 mm 48. What is on the left is wrapped where it is too long; amounts stand
at the right edge. What may take one cell or two (ambiguous width) is counted as two, as Chinese printers have it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from wcwidth import iter_graphemes, width

from rules.policy import Policy
from rules.policy.text import title
from tierengine.judging.decisions import Granted
from tierengine.judging.pricing import PricedLine, totals
from tierengine.judging.worth import fen_of
from tierengine.membership.reasons import amount_text

LEAST, MOST = 24, 64
RULE: Final = ("", "-")  # a line across
Row = tuple[str, str]


def cells(text: str) -> int:
    """Return how many cells a text takes."""
    return width(text, control_codes="ignore", ambiguous_width=2)


def printed(rows: Iterable[Row], across: int) -> list[str]:
    """Return rows of (left, right) as lines of at most `across` cells, the right at the edge."""
    lines: list[str] = []
    for row in rows:
        if row == RULE:
            lines.append("-" * across)
            continue
        left, right = (_plain(text) for text in row)
        pieces = _wrapped(left, across)
        if cells(pieces[-1]) + bool(pieces[-1]) + cells(right) > across:
            pieces.append("")
        gap = across - cells(pieces[-1]) - cells(right)
        lines += [*pieces[:-1], pieces[-1] + " " * gap + right if right else pieces[-1]]
    return lines


def _plain(text: str) -> str:
    """Return a text without what a printer takes for an order: control characters, and marks of direction."""
    return "".join(letter for letter in text if unicodedata.category(letter) not in ("Cc", "Cf"))


def _wrapped(text: str, across: int) -> list[str]:
    """Cut a text into pieces of at most `across` cells, no character in two."""
    pieces, took = [""], 0
    for letter in iter_graphemes(text):
        wide = cells(letter)
        if took + wide > across:
            pieces.append("")
            took = 0
        pieces[-1] += letter
        took += wide
    return pieces


# ---- what stands on one ------------------------------------------------------------------------------------------


def of_quote(
    policy: Policy, lines: Sequence[PricedLine], uses: Mapping[str, int], earned: Iterable[Granted], lang: str
) -> list[Row]:
    """Return each line of the order, the prices that apply, the credit, what is to pay, and what it earns."""
    rows: list[Row] = []
    for line in lines:
        rows.append((f"{line.line.item} x{line.line.qty}", yuan(line.line.list)))
        if line.rules:
            names = "+".join(title(policy.prices[rule].title, rule).say(lang) for rule in line.rules)
            rows.append((f" {names}", f"-{yuan(line.line.list - line.amount)}"))
    sums = totals(lines)
    rows += [RULE, (_say(lang, "合计", "Total"), yuan(sums["amount"]))]
    for name, amount in uses.items():
        wallet = policy.wallets[name]
        points = "" if wallet.unit == "money" else " " + amount_text(amount, wallet.unit).say(lang)
        rows.append((f"{title(wallet.title, name).say(lang)}{points}", f"-{yuan(fen_of(wallet, amount))}"))
    rows.append((_say(lang, "应付", "To pay"), yuan(sums["cash"])))
    by_wallet: dict[str, int] = {}
    for one in earned:
        by_wallet[one.wallet] = by_wallet.get(one.wallet, 0) + one.wanted
    return rows + _earned(policy, by_wallet, lang)


def of_sale(policy: Policy, body: Mapping[str, Any], lang: str) -> list[Row]:
    """Return the rows of a sale as it was answered."""
    rows: list[Row] = [(_say(lang, "单号", "Order"), str(body["order"]))]
    for line in body.get("lines", ()):
        rows.append((f"{line['item']} x{line['qty']}", yuan(line["list"])))
        if line["amount"] != line["list"]:
            rows.append((_say(lang, " 优惠", " Discount"), yuan(line["amount"] - line["list"])))
    rows += [RULE, (_say(lang, "合计", "Total"), yuan(body["total"]["amount"]))]
    for name, amount in body.get("credit_used", {}).items():
        rows.append((_wallet(policy, name, amount, lang), f"-{_worth(policy, name, amount)}"))
    rows.append((_say(lang, "实付", "Paid"), yuan(body["total"]["cash"])))
    return rows + _changed(policy, body, lang)


def of_return(policy: Policy, order: str, body: Mapping[str, Any], lang: str) -> list[Row]:
    """Return the rows of a return as it was answered; one that waits for its sale says so."""
    rows: list[Row] = [(_say(lang, "退货 单号", "Return of"), order), RULE]
    if body["status"] == "parked":
        return [*rows, (_say(lang, "原单未到，到后生效", "Waits for its sale"), "")]
    flags = {one["code"] for one in body.get("flags", ())}
    if "other_member" in flags:
        rows.append((_say(lang, "单是另一会员的，按单退", "Sold to another: given back there"), ""))
    if "beyond_sold" in flags:
        rows.append((_say(lang, "单上没有或多于所售的不退", "Beyond what was sold: not taken"), ""))
    if "amount_cut" in flags:
        rows.append((_say(lang, "退款多于所付，按所付退", "More than was paid: cut to that"), ""))
    lines = body.get("lines", ())
    rows += [(f"{line['item']} x{line['qty']}", yuan(line["amount"])) for line in lines]
    if lines:
        rows += [RULE, (_say(lang, "应退现金", "Cash back"), yuan(body["total"]["cash"]))]
    for name, amount in body.get("credit_returned", {}).items():
        rows.append((_say(lang, "退回 ", "Back: ") + _wallet(policy, name, amount, lang), _worth(policy, name, amount)))
    return rows + _changed(policy, body, lang)


def _changed(policy: Policy, body: Mapping[str, Any], lang: str) -> list[Row]:
    """Return what was earned or taken back, and what each wallet holds."""
    by_wallet: dict[str, int] = {}
    for one in body.get("grants", ()):
        by_wallet[one["wallet"]] = by_wallet.get(one["wallet"], 0) + one["change"]
    rows = _earned(policy, by_wallet, lang)
    for name, has in body.get("balances", {}).items():
        rows.append(
            (
                _say(lang, "余额 ", "Balance: ") + _named(policy, name, lang),
                _amount(policy, name, has["available"], lang),
            )
        )
        if has["debt"]:
            rows.append((_say(lang, " 欠", " Owed"), _amount(policy, name, has["debt"], lang)))
    return rows


def _earned(policy: Policy, by_wallet: Mapping[str, int], lang: str) -> list[Row]:
    rows: list[Row] = []
    for name, amount in by_wallet.items():
        if amount and name in policy.wallets:
            what = _say(lang, "本单得 ", "Earns: ") if amount > 0 else _say(lang, "收回 ", "Taken back: ")
            rows.append((what + _named(policy, name, lang), _amount(policy, name, amount, lang)))
    return rows


def _wallet(policy: Policy, name: str, amount: int, lang: str) -> str:
    wallet = policy.wallets.get(name)
    points = "" if wallet is None or wallet.unit == "money" else " " + amount_text(amount, wallet.unit).say(lang)
    return _named(policy, name, lang) + points


def _worth(policy: Policy, name: str, amount: int) -> str:
    wallet = policy.wallets.get(name)
    return yuan(amount if wallet is None else fen_of(wallet, amount))


def _amount(policy: Policy, name: str, amount: int, lang: str) -> str:
    wallet = policy.wallets.get(name)
    return yuan(amount) if wallet is None or wallet.unit == "money" else amount_text(amount, wallet.unit).say(lang)


def _named(policy: Policy, name: str, lang: str) -> str:
    return title(policy.wallets[name].title, name).say(lang) if name in policy.wallets else name


def _say(lang: str, zh: str, en: str) -> str:
    return zh if lang == "zh" else en


def yuan(fen: int) -> str:
    """Return fen as money on a receipt: 1,010.00."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def both(rows: Callable[[str], list[Row]], across: int) -> dict[str, list[str]]:
    """Return the lines in Chinese and in English; `rows` gives those of a language."""
    return {lang: printed(rows(lang), across) for lang in ("zh", "en")}
