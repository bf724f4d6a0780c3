"""参考收银台：有网时一次调用成交；断网时凭离线凭条定价、抵用、打小票、排队，来网后补报。

A reference till, small enough to read in one go: with the line it sells in one call; without it, it goes by the
member's slip (verified with the published key), prints the receipt, queues the sale, and settles when it is back.

    pip install httpx 'pyjwt[crypto]'
    export TIERENGINE_URL=http://127.0.0.1:8000 TIERENGINE_KEY=te_… TILL_STORE=S01
    python reference_till.py slip C0266                          # while there is a line: a slip of this member
    python reference_till.py sell C0266 滤芯:parts:2:101000 --credit 5000   # item:category:qty:list price in fen
    python reference_till.py settle                              # what was sold without the line

Three rules make it safe. The order's number is the idempotency key, so what was sent and not answered is sent again
without fear. A sale without an answer is queued before the receipt is printed. And what the till does not know for
certain it does not give: no slip, no member's price and no credit.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jwt

SECONDS = 2.0  # longer no customer should wait for a line that is down
FULL = 10_000  # basis points
TABLES = """
CREATE TABLE IF NOT EXISTS slip (member TEXT PRIMARY KEY, token TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS queue (number TEXT PRIMARY KEY, body TEXT NOT NULL, slip TEXT, credit INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS refused (number TEXT PRIMARY KEY, answer TEXT NOT NULL);
"""

Line = dict[str, Any]  # item, category, qty, list (fen, of the whole line), special


class Till:
    """One till with a memory of its own: slips, keys, the list of revoked slips, and the sales that wait."""

    def __init__(self, http: httpx.Client, store: str, memory: Path, now: Callable[[], float] = time.time) -> None:
        self.http = http
        self.store = store
        self.now = now
        self.memory = sqlite3.connect(memory, isolation_level=None)
        self.memory.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {TABLES}")

    # ---- while there is a line

    def prepare(self, member: str) -> None:
        """Fetch a slip of a member, and with it the keys and the list of those that were revoked."""
        found = self._post("/v1/offline-allowances", {"member": member}, f"slip-{self.store}-{member}-{self.now():.6f}")
        found.raise_for_status()
        self.memory.execute("REPLACE INTO slip VALUES (?, ?)", (member, found.json()["token"]))
        for name, path in (("keys", "/.well-known/jwks.json"), ("revoked", "/v1/offline-allowances/revoked")):
            answer = self.http.get(path).raise_for_status()
            self.memory.execute("REPLACE INTO kept VALUES (?, ?)", (name, answer.text))

    def sell(self, number: str, member: str, lines: list[Line], credit: int = 0) -> list[str]:
        """Sell, with the line or without it, and return the receipt. `credit` is what the customer wants to use."""
        sale: dict[str, Any] = {"member": member, "order": number, "lines": lines, "occurred_at": self._stamp()}
        wallet = "parts_credit"
        try:
            quote = self.http.post("/v1/quotes", json={**sale, "credit": {wallet: credit} if credit else {}})
            if not later(quote):
                quoted = quote.raise_for_status().json()
                prices = [line["amount"] for line in quoted["lines"]]
                uses = {one["wallet"]: one["used"] for one in quoted["credit"] if one["used"]}
                sale |= {"prices": prices, "credit": uses, "quote": quoted.get("token")}
                # Queued first: whatever becomes of the line now, the sale is known and is sent until it is answered.
                self._queue(sale, None, 0)
                self.settle()
                said = self.refused().get(number)
                return [f"没有成交:{said['detail']}"] if said else list(quoted["receipt"]["zh"])
        except httpx.TransportError:
            pass
        return self._sell_alone(sale, lines, credit)

    # ---- without one

    def _sell_alone(self, sale: dict[str, Any], lines: list[Line], wanted: int) -> list[str]:
        slip = self.slip(sale["member"])
        paid = [price(slip["prices"], lines, place) if slip else line["list"] for place, line in enumerate(lines)]
        used = 0
        if slip and wanted:
            used = min(wanted, self._left(slip, "parts_credit", lines, paid))
        token = self._token(sale["member"]) if slip else None
        credit = {"parts_credit": used} if used else {}
        self._queue({**sale, "prices": paid, "credit": credit, "slip": token}, slip["jti"] if slip else None, used)
        receipt = [
            f"{line['item']} × {line['qty']}  {yuan(line['list'])}  {yuan(amount)}"
            for line, amount in zip(lines, paid, strict=True)
        ]
        if used:
            receipt.append(f"配件款支付 {yuan(used)}")
        receipt.append(f"应付 {yuan(sum(paid) - used)}")
        receipt.append("断网成交,积分与奖励来网后入账" if slip else "断网成交,未能确认会员,按标价")
        return receipt

    def slip(self, member: str) -> dict[str, Any] | None:
        """Return what the member's slip says; None when there is none, or it is not good any more."""
        keys, token = self._kept("keys"), self._token(member)
        if keys is None or token is None:
            return None
        key_set = jwt.PyJWKSet.from_dict(keys)
        try:
            key = key_set[jwt.get_unverified_header(token)["kid"]]
            # The times are the till's own to look at: it may be given another clock than the machine's.
            options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
            found: dict[str, Any] = jwt.decode(
                token, key.key, algorithms=["EdDSA"], audience=self.store, options=options
            )
        except (jwt.PyJWTError, KeyError):
            return None
        revoked = (self._kept("revoked") or {}).get("revoked", [])
        good = found["sub"] == member and found["nbf"] <= self.now() < found["exp"] and found["jti"] not in revoked
        return found if good else None

    def _left(self, slip: dict[str, Any], wallet: str, lines: list[Line], paid: list[int]) -> int:
        """Return what of the slip's credit may pay these lines, less what waits in the queue already."""
        terms = next((one for one in slip["credit"] if one["wallet"] == wallet), None)
        if terms is None:
            return 0
        waits = "SELECT COALESCE(SUM(credit), 0) FROM queue WHERE slip = ?"
        (gone,) = self.memory.execute(waits, (slip["jti"],)).fetchone()
        pays = [amount for line, amount in zip(lines, paid, strict=True) if line["category"] in terms["pays_for"]]
        share = sum(amount * terms["max_share_bp"] // FULL for amount in pays)
        if terms["share_of"] == "whole_order":
            share = min(sum(pays), sum(paid) * terms["max_share_bp"] // FULL)
        most = min(share, terms["amount"] - gone)
        most -= most % terms["block"]
        return most if most >= max(terms["minimum"], 1) and sum(pays) >= terms["minimum_order"] else 0

    # ---- the queue

    def waiting(self) -> list[str]:
        """Return the numbers of the sales that wait."""
        return [row[0] for row in self.memory.execute("SELECT number FROM queue ORDER BY rowid")]

    def settle(self) -> int:
        """Send what waits; return how many were answered. The order does not matter, and sending twice neither."""
        done = 0
        for number, body in self.memory.execute("SELECT number, body FROM queue ORDER BY rowid").fetchall():
            try:
                answer = self._post("/v1/sales", json.loads(body), f"sale-{self.store}-{number}")
            except httpx.TransportError:
                break
            if later(answer):
                break  # it stays, and is sent again
            if answer.status_code >= 400:
                # A person looks at it: for a sale that happened this does not come.
                self.memory.execute("REPLACE INTO refused VALUES (?, ?)", (number, answer.text))
            self.memory.execute("DELETE FROM queue WHERE number = ?", (number,))
            done += 1
        return done

    def refused(self) -> dict[str, Any]:
        """Return the sales that were refused, with the answers."""
        return {row[0]: json.loads(row[1]) for row in self.memory.execute("SELECT number, answer FROM refused")}

    def _queue(self, sale: dict[str, Any], slip: str | None, credit: int) -> None:
        body = json.dumps({name: value for name, value in sale.items() if value is not None}, ensure_ascii=False)
        self.memory.execute("INSERT INTO queue VALUES (?, ?, ?, ?)", (sale["order"], body, slip, credit))

    def _post(self, path: str, body: dict[str, Any], once: str) -> httpx.Response:
        return self.http.post(path, json=body, headers={"Idempotency-Key": once})

    def _token(self, member: str) -> str | None:
        row = self.memory.execute("SELECT token FROM slip WHERE member = ?", (member,)).fetchone()
        return row[0] if row else None

    def _kept(self, name: str) -> dict[str, Any] | None:
        row = self.memory.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self.now(), UTC).isoformat()


def later(answer: httpx.Response) -> bool:
    """Whether the same is to be sent again later: also with a key that is over until the till has its successor."""
    if answer.status_code >= 500 or answer.status_code in (401, 403, 408, 429):
        return True
    return answer.status_code == 409 and bool(answer.json().get("retryable"))


def price(prices: list[dict[str, Any]], lines: list[Line], place: int) -> int:
    """Return what a line costs by a slip's prices: the lowest of those that go on it."""
    line = lines[place]
    best = int(line["list"])
    for rule in prices:
        goes_on = {(one["category"], one["special"]) for one in rule["lines"]}
        on = [one for one in lines if (one["category"], bool(one.get("special"))) in goes_on]
        enough = sum(one["list"] for one in on) >= rule["minimum_order"]
        if line not in on or not enough or sum(one["qty"] for one in on) < rule["minimum_quantity"]:
            continue
        exact = line["list"] * rule["pay_bp"]
        paid = exact // FULL if rule["rounding"] == "floor" else (2 * exact + FULL) // (2 * FULL)
        if rule["line_cap"] is not None:
            paid = max(paid, line["list"] - rule["line_cap"])
        best = min(best, paid)
    return best


def yuan(fen: int) -> str:
    """Return an amount as it is printed."""
    return f"{fen // 100:,}.{fen % 100:02d}"


def read_line(text: str) -> Line:
    """Read ITEM:CATEGORY:QTY:LIST."""
    item, category, qty, amount = text.split(":")
    return {"item": item, "category": category, "qty": int(qty), "list": int(amount)}


def main() -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--memory", type=Path, default=Path("till.db"))
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("slip").add_argument("member")
    sell = commands.add_parser("sell")
    sell.add_argument("member")
    sell.add_argument("lines", nargs="+", type=read_line, metavar="ITEM:CATEGORY:QTY:LIST")
    sell.add_argument("--credit", type=int, default=0, help="fen")
    sell.add_argument("--order", default="")
    commands.add_parser("settle")
    asked = parser.parse_args()
    headers = {"Authorization": f"Bearer {os.environ['TIERENGINE_KEY']}"}
    with httpx.Client(base_url=os.environ["TIERENGINE_URL"], headers=headers, timeout=SECONDS) as http:
        till = Till(http, os.environ["TILL_STORE"], asked.memory)
        match asked.command:
            case "slip":
                till.prepare(asked.member)
                print(json.dumps(till.slip(asked.member), ensure_ascii=False, indent=1))
            case "sell":
                number = asked.order or f"R{time.time_ns()}"
                print("\n".join(till.sell(number, asked.member, asked.lines, asked.credit)))
            case _:
                print(f"已补报 {till.settle()} 单,还有 {len(till.waiting())} 单")
    for number, answer in till.refused().items():
        print(f"{number}: {answer['detail']}", file=sys.stderr)
    return 1 if till.refused() else 0


if __name__ == "__main__":
    sys.exit(main())
