"""The situations: what goes wrong between a till and its service, and what must come out of it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote as quote_

from rules.policy import Text
from tierengine.conformance.purse import balances, hold_of, wallet
from tierengine.conformance.sandbox import Failed, Reply, Sandbox

Play = Callable[[Sandbox], None]


@dataclass(frozen=True, slots=True)
class Situation:
    """One situation: its name, what it is called, and what plays it."""

    id: str
    title: Text
    play: Play


SITUATIONS: Final[list[Situation]] = []


def situation(zh: str, en: str) -> Callable[[Play], Play]:
    """Put a function among the situations."""

    def put(play: Play) -> Play:
        SITUATIONS.append(Situation(play.__name__, Text(zh, en), play))
        return play

    return put


def same(what: str, got: object, wanted: object) -> None:
    """Fail unless two values are equal."""
    if got != wanted:
        raise Failed(f"{what}：应为 {wanted!r}，收到 {got!r}", f"{what}: expected {wanted!r}, got {got!r}")


def one_effect(first: Reply, again: Reply) -> None:
    """Fail unless the second reply is the first one, said again."""
    same("the bytes of the replay", again.content, first.content)
    same("Idempotent-Replayed", again.replayed, True)


# ---- reaching it -------------------------------------------------------------------------------------------------


@situation("服务在运行并可记账", "the service is up and records")
def ready(box: Sandbox) -> None:
    box.get("/livez").expect(200)
    box.get("/readyz").expect(200)


@situation("没有密钥", "no key")
def no_key(box: Sandbox) -> None:
    reply = box.send("GET", f"/v1/members/{box.member}", None, {}, key="").expect(401, code="unauthenticated")
    same("WWW-Authenticate", reply.headers.get("www-authenticate"), "Bearer")


@situation("密钥打错一位", "a key with one letter wrong")
def wrong_key(box: Sandbox) -> None:
    wrong = box.key[:-1] + ("0" if box.key[-1] != "0" else "1")
    box.send("GET", f"/v1/members/{box.member}", None, {}, key=wrong).expect(401, code="unauthenticated")


@situation("错误信息按所要的语言", "problems speak the language asked for")
def language(box: Sandbox) -> None:
    said = [box.get("/v1/members/nobody", **{"Accept-Language": lang}).expect(404).body for lang in ("zh", "en")]
    same("codes", said[0]["code"], said[1]["code"])
    if said[0]["detail"] == said[1]["detail"] or not said[1]["detail"].isascii():
        seen = said[1]["detail"]
        raise Failed(f"两种语言是同一句话：{seen}", f"one sentence for both languages: {seen}")


# ---- a price -----------------------------------------------------------------------------------------------------


@situation("报价不写任何东西，合计等于各行", "a quote writes nothing and its lines sum to its total")
def quote(box: Sandbox) -> None:
    asked = box.order()
    first, again = (box.post("/v1/quotes", asked).expect(200).body for _ in range(2))
    same("the second quote's total", again["total"], first["total"])
    for name in ("list", "amount", "credit", "cash"):
        same(f"sum of {name}", sum(line[name] for line in first["lines"]), first["total"][name])
    if not first["receipt"]["zh"] or not first["receipt"]["en"]:
        raise Failed("没有小票", "no receipt lines")


@situation("每条价格和奖励都说明为什么", "every price and reward says why, or why not")
def reasons(box: Sandbox) -> None:
    said = box.post("/v1/quotes?lang=both", box.order()).expect(200).body
    for one in (*said["prices"], *said["rewards"]):
        if not (one["code"] and one["why"]["zh"] and one["why"]["en"]):
            raise Failed(f"{one['rule']} 没说为什么", f"{one['rule']} says nothing")


@situation(
    "价格变了：拒绝并给出新价，单号不作废",
    "the price changed: refused with the new lines, the order's number stays free",
)
def price_changed(box: Sandbox) -> None:
    wrong = box.order()
    lines = box.post("/v1/quotes", wrong).expect(200).body["lines"]
    wrong["prices"] = [line["amount"] + 1 for line in lines]
    refused = box.post("/v1/sales", wrong).expect(409, code="price_changed").body
    right = {**wrong, "prices": [line["amount"] for line in refused["lines"]]}
    box.post("/v1/sales", right).expect(201)


# ---- a sale ------------------------------------------------------------------------------------------------------


@situation("成交：一次调用，全部入账", "a sale: one call, all booked")
def sale(box: Sandbox) -> None:
    sold = box.post("/v1/sales", box.order()).expect(201).body
    for line in sold["lines"]:
        same("credit + cash of a line", line["credit"] + line["cash"], line["amount"])
    same("status", sold["status"], "recorded")


@situation("重发：同一幂等键、同一内容，逐字节相同", "sent again: same key, same body, the same bytes")
def again(box: Sandbox) -> None:
    said, once = box.order(), box.number("k")
    one_effect(box.post("/v1/sales", said, once).expect(201), box.post("/v1/sales", said, once).expect(201))


@situation("同一幂等键用于不同内容", "one key with another body")
def other_body(box: Sandbox) -> None:
    once = box.number("k")
    box.post("/v1/sales", box.order(), once).expect(201)
    box.post("/v1/sales", box.order(), once).expect(422, code="idempotency_mismatch")


@situation("同一单号、新的幂等键、同一内容：不重复入账", "same order under a new key: booked once")
def new_key(box: Sandbox) -> None:
    said = box.order()
    first = box.post("/v1/sales", said).expect(201).body
    second = box.post("/v1/sales", said).expect(200).body
    same("status", second["status"], "duplicate")
    same("lines", second["lines"], first["lines"])


@situation("同一单号、不同内容：冲突", "same order with other content: a conflict")
def other_content(box: Sandbox) -> None:
    said = box.order()
    box.post("/v1/sales", said).expect(201)
    box.post("/v1/sales", {**said, "lines": said["lines"][:1]}).expect(409, code="order_conflict")


@situation("成交后断线，同一幂等键重发", "the line drops after the commit; sent again under the same key")
def lost_reply(box: Sandbox) -> None:
    said, once = box.order(), box.number("k")
    box.lose("/v1/sales", said, once)
    first = box.post("/v1/sales", said, once).expect(201)
    one_effect(first, box.post("/v1/sales", said, once))


@situation("成交后断线，换了幂等键重发", "the line drops after the commit; sent again under a new key")
def lost_reply_new_key(box: Sandbox) -> None:
    said = box.order(credit="max")  # what there was of it is spent when the order comes again
    box.lose("/v1/sales", said, box.number("k"))
    same("status", box.post("/v1/sales", said).expect(200).body["status"], "duplicate")


@situation("同一幂等键同时发两次", "the same key twice at once")
def at_once(box: Sandbox) -> None:
    said, once = box.order(), box.number("k")
    with ThreadPoolExecutor(2) as tills:
        replies = list(tills.map(lambda _: box.post("/v1/sales", said, once), range(2)))
    done = [reply for reply in replies if reply.status == 201]
    late = [reply for reply in replies if reply.status != 201]
    if not done or (any(reply.expect(409, code="in_flight") for reply in late) and not late):
        statuses = [reply.status for reply in replies]
        raise Failed(f"回答是 {statuses}", f"answered {statuses}")
    same("the bytes", box.post("/v1/sales", said, once).content, done[0].content)


@situation("同一单号以两个幂等键同时到达", "one order under two keys at once")
def order_at_once(box: Sandbox) -> None:
    said, keys = box.order(), [box.number("k"), box.number("k")]
    with ThreadPoolExecutor(2) as tills:
        statuses = sorted(reply.status for reply in tills.map(lambda once: box.post("/v1/sales", said, once), keys))
    same("statuses", statuses, [200, 201])


@situation("全角单号与半角单号是同一张单", "an order's number in full width is the same order")
def full_width(box: Sandbox) -> None:
    number = box.number("A")
    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in number)
    said = box.order(number)
    box.post("/v1/sales", said).expect(201)
    same("status", box.post("/v1/sales", {**said, "order": wide}).expect(200).body["status"], "duplicate")


@situation(
    "抵用超过余额：拒绝，什么也不记，单号不作废", "more credit than there is: refused, and the number stays free"
)
def too_much_credit(box: Sandbox) -> None:
    mine = wallet(box)
    over = max(mine["usable"], 0) + 1
    line = {"item": "F-1", "category": "parts", "list": 2 * over + 100_000}
    said = box.order(lines=[line], credit={mine["wallet"]: over})
    refused = box.post("/v1/sales", said).expect(409).body["code"]
    if refused not in ("insufficient_credit", "credit_not_payable", "credit_suspended"):
        raise Failed(f"拒绝的理由是 {refused}", f"refused as {refused}")
    box.post("/v1/sales", {**said, "credit": {}}).expect(201)
    _return(box, said["order"]).expect(201)  # it may have earned much


# ---- mistakes ----------------------------------------------------------------------------------------------------


@situation("内容有误：指出在哪，改正后用同一幂等键", "a mistake is pointed at; the mended body may have the same key")
def mended(box: Sandbox) -> None:
    once, said = box.number("k"), box.order()
    wrong = {**said, "lines": [{**said["lines"][0], "category": "nonsense"}]}
    problem = box.post("/v1/sales", wrong, once).expect(422, code="malformed").body
    same("pointer", problem["errors"][0]["pointer"], "/lines/0/category")
    box.post("/v1/sales", said, once).expect(201)


@situation("没有这位会员，幂等键不作废", "an unknown member, and the key stays free")
def unknown_member(box: Sandbox) -> None:
    once, said = box.number("k"), box.order()
    box.post("/v1/sales", {**said, "member": box.number("nobody")}, once).expect(404, code="unknown_member")
    box.post("/v1/sales", said, once).expect(201)


@situation("写入没带幂等键", "a write without a key")
def no_once(box: Sandbox) -> None:
    box.send("POST", "/v1/sales", box.order(), {}).expect(400, code="idempotency_key_missing")


@situation("以元为单位的小数被拒绝（应为整数分）", "amounts in yuan with decimals are refused: fen are whole")
def yuan(box: Sandbox) -> None:
    line = {"item": "F", "category": "parts", "list": 360.0}
    box.post("/v1/sales", box.order(lines=[line])).expect(422, code="malformed")


@situation("不是 JSON、键重复、嵌套过深", "no JSON, a key twice, nested too deep")
def bad_json(box: Sandbox) -> None:
    old = '{"item": "滤芯"}'.encode("gbk")
    for body in (b"{", b'{"member": "a", "member": "b"}', b"[" * 50_000, b'{"qty": 1e999}x', b"\xff\xfe", old):
        box.post("/v1/sales", body).expect(400, code="bad_json")


@situation("内容类型不是 application/json，或压缩过", "another content type, or compressed")
def content_type(box: Sandbox) -> None:
    box.post("/v1/sales", box.order(), **{"Content-Type": "text/plain"}).expect(415)
    packed = gzip.compress(b'{"member": "a"}')
    box.post("/v1/sales", packed, **{"Content-Encoding": "gzip"}).expect(415, code="unsupported_content_encoding")


# ---- clocks ------------------------------------------------------------------------------------------------------


@situation("收银机的钟快五分钟：照收", "the till's clock is five minutes ahead: taken")
def clock_ahead(box: Sandbox) -> None:
    box.post("/v1/sales", box.order(occurred_at=box.moment(minutes=5))).expect(201)


@situation("收银机的钟快一小时：拒绝", "an hour ahead: refused")
def clock_far_ahead(box: Sandbox) -> None:
    problem = box.post("/v1/sales", box.order(occurred_at=box.moment(hours=1))).expect(422).body
    same("code", problem["errors"][0]["code"], "in_the_future")


@situation("两小时前的单：照收银机所收入账，从不拒绝", "an order of two hours ago: booked as charged, never refused")
def late(box: Sandbox) -> None:
    said = box.order(occurred_at=box.moment(hours=-2), prices=[100_000, 39_999])
    sold = box.post("/v1/sales", said).expect(201).body
    same("late", sold["late"], True)
    same("charged", sold["total"]["amount"], 139_999)


@situation("太久以前的单", "an order of long ago")
def too_late(box: Sandbox) -> None:
    box.post("/v1/sales", box.order(occurred_at=box.moment(days=-2_000))).expect(422, code="malformed")


@situation("时间没有时区", "a time without its zone")
def no_zone(box: Sandbox) -> None:
    problem = box.post("/v1/sales", box.order(occurred_at="2026-03-01T10:00:00")).expect(422).body
    same("code", problem["errors"][0]["code"], "bad_time")


# ---- returns -----------------------------------------------------------------------------------------------------


@situation("整单退货，余额回到原样", "a whole order comes back, and the balances are as before")
def whole_return(box: Sandbox) -> None:
    before = balances(box)
    said = box.order(credit="max")
    box.post("/v1/sales", said).expect(201)
    _return(box, said["order"]).expect(201)
    same("balances", balances(box), before)


@situation("同一张退货单发两次", "one return twice")
def return_twice(box: Sandbox) -> None:
    said, number = box.order(), box.number("R")
    box.post("/v1/sales", said).expect(201)
    at = box.moment()
    first = _return(box, said["order"], source_id=number, occurred_at=at).expect(201)
    after = balances(box)
    second = _return(box, said["order"], source_id=number, occurred_at=at).expect(200).body
    same("status", (first.body["status"], second["status"]), ("recorded", "duplicate"))
    same("balances", balances(box), after)


@situation("单号里有斜杠、空格、汉字，照样能退", "an order whose number has a slash, a space and Chinese comes back")
def odd_number(box: Sandbox) -> None:
    before, said = balances(box), box.order(box.number("城南/8 15"))
    box.post("/v1/sales", said).expect(201)
    same("status", _return(box, said["order"]).expect(201).body["status"], "recorded")
    same("balances", balances(box), before)


@situation("先退一部分，再退其余", "a part comes back, then the rest")
def return_in_parts(box: Sandbox) -> None:
    before, said = balances(box), box.order()
    box.post("/v1/sales", said).expect(201)
    part = [{"item": "F-100", "category": "parts", "qty": 1, "amount": 50_000}]
    _return(box, said["order"], lines=part).expect(201)
    _return(box, said["order"]).expect(201)
    same("balances", balances(box), before)


@situation("退货先到，销售后到", "the return comes before its sale")
def return_first(box: Sandbox) -> None:
    before, said = balances(box), box.order()
    same("status", _return(box, said["order"]).expect(202).body["status"], "parked")
    box.post("/v1/sales", said).expect(201)
    same("balances", balances(box), before)


# ---- holds -------------------------------------------------------------------------------------------------------


@situation("同一单的预占只有一个；解除后全部归还", "one order has one hold; voided, all is free again")
def hold(box: Sandbox) -> None:
    mine = wallet(box, least=100)
    before = balances(box)
    said = hold_of(box, mine["wallet"], 100)
    first = box.post("/v1/holds", said).expect(201).body
    same("the hold", box.post("/v1/holds", said).expect(200, 201).body["hold"]["id"], first["hold"]["id"])
    box.post(f"/v1/holds/{first['hold']['id']}/void", {}).expect(201)
    same("balances", balances(box), before)


@situation("扣款超过预占", "more is captured than is held")
def capture_too_much(box: Sandbox) -> None:
    mine = wallet(box, least=100)
    made = box.post("/v1/holds", hold_of(box, mine["wallet"], 100)).expect(201).body["hold"]["id"]
    box.post(f"/v1/holds/{made}/capture", {"amount": 101}).expect(409, code="capture_exceeds_hold")
    box.post(f"/v1/holds/{made}/void", {}).expect(201)


# ---- many at once, and the books ---------------------------------------------------------------------------------


@situation("批量：一条有误不影响其他；重发不重复", "a batch: one bad event spoils no other; sent again, nothing twice")
def batch(box: Sandbox) -> None:
    said = {"kind": "contact", "member": box.member, "occurred_at": box.moment(), "channel": "phone"}
    said |= {"direction": "ours", **({"store": box.store} if box.store else {})}
    events = [{**said, "source_id": box.number("c")}, {"kind": "nonsense"}, {**said, "source_id": box.number("c")}]
    once = box.number("k")
    first = box.post("/v1/events:batch", {"events": events}, once).expect(200)
    same("statuses", [one["status"] for one in first.body["results"]], [201, 422, 201])
    again = box.post("/v1/events:batch", {"events": events}, once).expect(200)
    same("recorded", again.body["results"][0], first.body["results"][0])
    new = box.post("/v1/events:batch", {"events": events}).expect(200).body
    same("under a new key", [one["status"] for one in new["results"]], [200, 422, 200])


@situation("流水之和等于余额", "the lines of the ledger sum to the balance")
def statement(box: Sandbox) -> None:
    sums: dict[str, int] = {}
    cursor = ""
    while True:
        page = box.get(f"/v1/members/{box.member}/ledger?limit=200{cursor}").expect(200).body
        for line in page["lines"]:
            sums[line["wallet"]] = sums.get(line["wallet"], 0) + line["available"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    wallets = box.get(f"/v1/members/{box.member}/balance").expect(200).body["wallets"]
    for one in wallets:
        same(one["wallet"], sums.get(one["wallet"], 0), one["available"])
        same("lots", sum(lot["remaining"] for lot in one["lots"]), one["available"] + one["held"])


def _return(box: Sandbox, order: str, **more: Any) -> Reply:
    said = {"source_id": box.number("R"), "occurred_at": box.moment(), **more}
    return box.post(
        f"/v1/sales/{quote_(order, safe='')}/returns", {**said, **({"store": box.store} if box.store else {})}
    )
