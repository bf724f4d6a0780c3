"""参考收银台：有网时一次调用成交；断网时凭离线凭条定价、抵用、打小票、排队，来网后补报。

A reference till, small enough to read in one go: with the line it sells in one call; without it, it goes by the
member's slip (verified with the published key), prints the receipt, queues the sale, and settles when it is back.

    pip install httpx 'pyjwt[crypto]'
    export TIERENGINE_URL=http://127.0.0.1:8000 TIERENGINE_KEY=te_… TILL_STORE=S01
    python reference_till.py slip C0266                          # while there is a line: a slip of this member
    python reference_till.py sell C0266 滤芯:parts:2:101000 --credit 5000   # item:category:qty:list price in fen
    python reference_till.py settle                              # what was sold without the line

Four rules make it safe. A sale is queued before it is sent, and stays until the service itself has answered: the same
bytes under the same key are sent again without fear. What the customer has gone away with is never given up: a refusal
of it is not the end, for once it is a quarter of an hour old it counts as happened and is booked as charged. What the
till does not know for certain it does not give: no slip, no member's price and no credit; and of a slip's credit only
what it has not used yet, with the line or without. And the time is the service's, as it was heard last.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import secrets
import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import jwt

SECONDS = 2.0  # longer no customer should wait for a line that is down
LATE = 15 * 60 + 1  # seconds; then a sale has happened, whatever the rules say now
CLOCK = 30  # seconds that the till's clock may be wrong before the service's is taken
FULL = 10_000  # basis points
WALLET = "parts_credit"
TABLES = """
CREATE TABLE IF NOT EXISTS slip (member TEXT PRIMARY KEY, token TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sold (number TEXT PRIMARY KEY, member TEXT NOT NULL, at REAL NOT NULL, credit INTEGER);
CREATE TABLE IF NOT EXISTS queue (number TEXT PRIMARY KEY, body TEXT NOT NULL, gone INTEGER, due REAL NOT NULL);
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
        http.event_hooks["response"].append(self._hear)
        if self._kept("name") is None:
            self._keep("name", f"till-{secrets.token_hex(4)}")  # a slip is one till's: others of the store have theirs

    # ---- while there is a line

    def prepare(self, member: str) -> None:
        """Fetch a slip of a member, and with it the keys and the list of those that were revoked."""
        name = self._kept("name")
        once = f"slip-{self.store}-{name}-{member}-{self.now():.6f}"
        found = self._post("/v1/offline-allowances", {"member": member, "till": name}, once)
        found.raise_for_status()
        self.refresh()
        self.memory.execute("REPLACE INTO slip VALUES (?, ?)", (member, found.json()["token"]))

    def refresh(self) -> None:
        """Fetch the keys, and the whole list of revoked slips: it comes in pages, and is kept when the last is here."""
        self._keep("keys", self.http.get("/.well-known/jwks.json").raise_for_status().json())
        revoked: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self.http.get("/v1/offline-allowances/revoked", params={"cursor": cursor}).raise_for_status().json()
            revoked += page["revoked"]
            cursor = page["next"]
        self._keep("revoked", revoked)

    def sell(self, number: str, member: str, lines: list[Line], credit: int = 0) -> list[str]:
        """Sell, with the line or without it, and return the receipt. `credit` is what the customer wants to use."""
        if self.memory.execute("SELECT 1 FROM sold WHERE number = ?", (number,)).fetchone():
            return [f"没有成交：单号 {number} 已用过"]
        self.memory.execute("DELETE FROM refused WHERE number = ?", (number,))
        sale: dict[str, Any] = {"member": member, "order": number, "lines": lines}
        try:
            quote = self.http.post("/v1/quotes", json={**sale, "credit": {WALLET: credit} if credit else {}})
        except httpx.TransportError:
            return self._sell_alone(sale, lines, credit)
        if later(quote):
            return self._sell_alone(sale, lines, credit)
        quoted = quote.json()
        if quote.is_error:
            return [f"没有成交：{quoted['detail']}"]
        prices = [line["amount"] for line in quoted["lines"]]
        uses = {one["wallet"]: one["used"] for one in quoted["credit"] if one["used"]}
        # Queued first: whatever becomes of the line now, the sale is known and is sent until it is answered.
        self._queue({**sale, "prices": prices, "credit": uses, "quote": quoted.get("token")})
        self.settle()
        if said := self.refused().get(number):
            return [f"没有成交：{said['detail']}"]
        # Without an answer too: the customer takes the goods on these terms.
        self.memory.execute("UPDATE queue SET gone = 1 WHERE number = ?", (number,))
        return list(quoted["receipt"]["zh"])

    # ---- without one

    def _sell_alone(self, sale: dict[str, Any], lines: list[Line], wanted: int) -> list[str]:
        slip = self.slip(sale["member"])
        priced = [price(slip["prices"], lines, place, self.time()) if slip else (line["list"], "")
                  for place, line in enumerate(lines)]  # fmt: skip
        paid = [amount for amount, _ in priced]
        used = min(wanted, self._left(slip, lines, priced)) if slip and wanted else 0
        token = self._token(sale["member"]) if slip else None
        self._queue({**sale, "prices": paid, "credit": {WALLET: used} if used else {}, "slip": token}, gone=True)
        receipt = [
            f"{line['item']} × {line['qty']}  {yuan(line['list'])}  {yuan(amount)}"
            for line, amount in zip(lines, paid, strict=True)
        ]
        if used:
            receipt.append(f"配件款支付 {yuan(used)}")
        receipt.append(f"应付 {yuan(sum(paid) - used)}")
        receipt.append("断网成交，积分与奖励来网后入账" if slip else "断网成交，未能确认会员，按标价")
        return receipt

    def slip(self, member: str) -> dict[str, Any] | None:
        """Return what the member's slip says; None when there is none, or it is not good any more."""
        keys, token = self._kept("keys"), self._token(member)
        if keys is None or token is None:
            return None
        key_set = jwt.PyJWKSet.from_dict(keys)
        try:
            head = jwt.get_unverified_header(token)
            # The times are looked at below: the till may be given another clock than the machine's.
            options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
            found: dict[str, Any] = jwt.decode(
                token, key_set[head["kid"]].key, algorithms=["EdDSA"], audience=self.store, options=options
            )
        except (jwt.PyJWTError, KeyError):
            return None
        revoked = self._kept("revoked") or []
        mine = found["sub"] == member and found["till"] == self._kept("name")
        good = head.get("typ") == "offline-slip+jwt" and mine and found["jti"] not in revoked
        return found if good and found["nbf"] <= self.time() < found["exp"] else None

    def _left(self, slip: dict[str, Any], lines: list[Line], priced: list[tuple[int, str]]) -> int:
        """Return what of the slip's credit may pay these lines: less what was used since, or was not known for it."""
        terms = next((one for one in slip["credit"] if one["wallet"] == WALLET), None)
        if terms is None:
            return 0
        used = (
            "SELECT COALESCE(SUM(credit), 0) FROM sold "
            "WHERE member = ? AND (at >= ? OR number IN (SELECT number FROM queue))"
        )
        (gone,) = self.memory.execute(used, (slip["sub"], slip["iat"])).fetchone()
        pays = [
            amount
            for line, (amount, rule) in zip(lines, priced, strict=True)
            if line["category"] in terms["pays_for"] and rule not in terms["not_with"]
        ]
        share = sum(amount * terms["max_share_bp"] // FULL for amount in pays)
        if terms["share_of"] == "whole_order":
            share = min(sum(pays), sum(amount for amount, _ in priced) * terms["max_share_bp"] // FULL)
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
        due = "SELECT number, body, gone, due FROM queue WHERE due <= ? ORDER BY rowid"
        for number, body, gone, again in self.memory.execute(due, (self.time(),)).fetchall():
            # The same bytes have the same key. A refusal sticks to its key: told as late, a sale has another.
            digest = hashlib.sha256(body.encode()).hexdigest()[:16]
            try:
                answer = self._post("/v1/sales", body, f"sale-{self.store}-{number}-{digest}" + "-late" * bool(again))
            except httpx.TransportError:
                break
            if later(answer):  # it stays, and is sent again
                if answer.status_code in (409, 500):
                    continue  # this one only
                break
            late = datetime.fromisoformat(json.loads(body)["occurred_at"]).timestamp() + LATE
            if answer.is_error and gone and self.time() < late:
                self.memory.execute("UPDATE queue SET due = ? WHERE number = ?", (late, number))
                continue
            if answer.is_error:
                # With the customer there: he is told. Of a sale that happened this does not come: a person looks at it.
                self.memory.execute("REPLACE INTO refused VALUES (?, ?)", (number, answer.text))
                self.memory.execute("DELETE FROM sold WHERE number = ?", (number,))
            self.memory.execute("DELETE FROM queue WHERE number = ?", (number,))
            done += 1
        return done

    def refused(self) -> dict[str, Any]:
        """Return the sales that were refused, with the answers."""
        return {row[0]: json.loads(row[1]) for row in self.memory.execute("SELECT number, answer FROM refused")}

    def _queue(self, sale: dict[str, Any], *, gone: bool = False) -> None:
        """Queue a sale. `gone`: the customer goes away with it, whatever is answered."""
        at, used = self.time(), sale["credit"].get(WALLET, 0)
        said = {**sale, "occurred_at": datetime.fromtimestamp(at, UTC).isoformat()}
        body = json.dumps({name: value for name, value in said.items() if value is not None}, ensure_ascii=False)
        with self.memory:
            self.memory.execute("BEGIN")
            self.memory.execute("INSERT INTO sold VALUES (?, ?, ?, ?)", (sale["order"], sale["member"], at, used))
            self.memory.execute("INSERT INTO queue VALUES (?, ?, ?, 0)", (sale["order"], body, gone))

    # ---- what it remembers, and the time

    def time(self) -> float:
        """Return the time, in seconds: by the service's clock where the till's own is wrong."""
        return self.now() - (self._kept("ahead") or 0)

    def _hear(self, answer: httpx.Response) -> None:
        if "date" in answer.headers and answer.headers.get("content-type", "").startswith("application/"):
            ahead = self.now() - parsedate_to_datetime(answer.headers["date"]).timestamp()
            self._keep("ahead", ahead if abs(ahead) > CLOCK else 0)

    def _post(self, path: str, body: dict[str, Any] | str, once: str) -> httpx.Response:
        text = body if isinstance(body, str) else json.dumps(body)
        own = {"Idempotency-Key": once, "Content-Type": "application/json"}
        return self.http.post(path, content=text.encode(), headers=own)

    def _token(self, member: str) -> str | None:
        row = self.memory.execute("SELECT token FROM slip WHERE member = ?", (member,)).fetchone()
        return row[0] if row else None

    def _kept(self, name: str) -> Any:
        row = self.memory.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def _keep(self, name: str, value: object) -> None:
        self.memory.execute("REPLACE INTO kept VALUES (?, ?)", (name, json.dumps(value)))


def later(answer: httpx.Response) -> bool:
    """Whether the same is to be sent again later: also with a key that is over until the till has its successor.

    What is not the service's own word is no answer: a router that shows a page of its own, a proxy that knows no site.
    """
    if answer.status_code >= 500 or answer.status_code in (401, 403, 408, 429):
        return True
    try:
        said = answer.json()
    except ValueError:
        return True
    ours = isinstance(said, dict) and ("code" in said if answer.is_error else answer.is_success)
    return not ours or (answer.status_code == 409 and bool(said.get("retryable")))


def price(prices: list[dict[str, Any]], lines: list[Line], place: int, at: float) -> tuple[int, str]:
    """Return what a line costs by a slip's prices, and by which: the lowest of those that go on it at this time."""
    line = lines[place]
    best = (int(line["list"]), "")
    for rule in prices:
        if not (rule["begins"] or 0) <= at < (rule["ends"] or at + 1):
            continue
        goes_on = {(one["category"], one["special"]) for one in rule["lines"]}
        on = [one for one in lines if (one["category"], bool(one.get("special"))) in goes_on]
        enough = sum(one["list"] for one in on) >= rule["minimum_order"]
        if line not in on or not enough or sum(one["qty"] for one in on) < rule["minimum_quantity"]:
            continue
        exact = line["list"] * rule["pay_bp"]
        paid = exact // FULL if rule["rounding"] == "floor" else (2 * exact + FULL) // (2 * FULL)
        if rule["line_cap"] is not None:
            paid = max(paid, line["list"] - rule["line_cap"])
        if paid < best[0]:
            best = (paid, rule["rule"])
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
        try:
            match asked.command:
                case "slip":
                    till.prepare(asked.member)
                    print(json.dumps(till.slip(asked.member), ensure_ascii=False, indent=1))
                case "sell":
                    number = asked.order or f"R{time.time_ns()}"
                    print("\n".join(till.sell(number, asked.member, asked.lines, asked.credit)))
                case _:
                    till.refresh()
                    print(f"已补报 {till.settle()} 单，还有 {len(till.waiting())} 单")
        except httpx.HTTPStatusError as problem:
            print(f"没有办成：{problem.response.text}", file=sys.stderr)
            return 1
        except httpx.TransportError as problem:
            print(f"没有网：{problem}", file=sys.stderr)
            return 1
    for number, answer in till.refused().items():
        print(f"{number}: {answer['detail']}", file=sys.stderr)
    return 1 if till.refused() else 0


if __name__ == "__main__":
    sys.exit(main())
