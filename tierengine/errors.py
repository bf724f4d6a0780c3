"""What may go wrong, as values: a stable code, and a sentence in Chinese and in English from one catalogue.

A class says what sort of failure it is, and so what the caller may do about it; the HTTP status of each class stands in
api/. A code never changes its meaning once published. Sentences say what, where, what came and what was expected, and
never quote free text or personal data.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Self

from rules.policy import Text
from tierengine.typed import in_chinese

# code → sentence; {names} are filled from the error's details.
CATALOGUE: Mapping[str, Text] = MappingProxyType(
    {
        # the form of what was sent; also the codes of the single errors in `Malformed.errors`
        "malformed": Text("内容有 {count} 处不合要求，未作任何记录。", "Nothing was recorded; what is wrong: {count}."),
        "missing": Text("缺少此项。", "This is required and is not there."),
        "unknown_kind": Text("没有这种事件。", "There is no such kind of event."),
        "derived_kind": Text(
            "这种事件由系统产生，不能从外部记录。", "Only the engine makes events of this kind; they cannot be sent."
        ),
        "unknown_field": Text("这种事件没有此项。", "This kind of event has no such field."),
        "computed_field": Text("此项由系统推算，不能填写。", "The engine works this out; it cannot be sent."),
        "wrong_type": Text("应为{expected}，收到的是{got}。", "Expected {expected}, got {got}."),
        "out_of_range": Text("应在 {least} 至 {most} 之间。", "Must be from {least} to {most}."),
        "too_long": Text("最多 {most}，收到 {got}。", "At most {most}, got {got}."),
        "bad_text": Text("含有不能保存的字符。", "Holds characters that cannot be stored."),
        "personal_data": Text(
            "这里不能写手机号或身份证号；电话登记在会员档案里。",
            "No phone and no identity number here; a phone belongs in the member's file.",
        ),
        "bad_url": Text("应为公网 https 地址。", "A public https address is expected."),
        "bad_id": Text(
            "编号不能含冒号、控制字符或不可见字符。",
            "An identifier holds no colon and no control or invisible character.",
        ),
        "only_dots": Text(
            "编号不能只写一个点或两个点：这样的编号写不进地址。",
            "An identifier must not be a dot or two alone: no address can name it.",
        ),
        "bad_date": Text("日期应写作 2026-03-01。", "A date is written 2026-03-01."),
        "bad_time": Text(
            "时间应带时区，写作 2026-03-01T10:00:00+08:00。",
            "A time is written with its zone, as 2026-03-01T10:00:00+08:00.",
        ),
        "second_not_here": Text(
            "复核人须用自己的登录确认（Second-Authorization），而且不是经办人。",
            "The second person shows a session of his own in Second-Authorization, and is not the first.",
        ),
        "bad_login": Text(
            "登录名为 2 至 60 个字母、数字、汉字或 . _ @ -。", "A login has 2 to 60 letters, digits or . _ @ -."
        ),
        "password_length": Text("密码应有 {least} 至 {most} 个字符。", "A password has {least} to {most} characters."),
        "password_easy": Text(
            "密码太容易猜：不要含登录名，字符不要总是重复。",
            "This password is easily guessed: it holds the login, or few different characters.",
        ),
        "in_the_past": Text("时间已经过去。", "This lies in the past."),
        "in_the_future": Text("时间在将来。", "This lies in the future."),
        "too_early": Text("时间早于 1990 年。", "This lies before 1990."),
        "too_late": Text(
            "超过此来源的补录期限 {late_days} 天，请交档案员。",
            "This source may go back {late_days} days; older needs the archivist.",
        ),
        "bad_key": Text(
            "应为事件键，如 order:门店:单号:事件 或 来源:单号。",
            "Expected an event key, as order:STORE:ORDER:KIND or SOURCE:ID.",
        ),
        "not_a_policy": Text("政策有 {count} 个错误，请先检查。", "The policy has {count} errors; check it first."),
        "not_a_submission": Text("这种事件不用提交和采纳。", "This kind of event is not submitted and accepted."),
        "not_one_of": Text("应为其中之一：{expected}。", "Must be one of: {expected}."),
        "other_currency": Text("币种应为 {expected}。", "The currency must be {expected}."),
        "other_store": Text("属于另一门店。", "This belongs to another store."),
        "exceeds_amount": Text("不能大于金额 {amount}。", "Must not exceed the amount {amount}."),
        "needs_revision": Text(
            "更正或作废须带大于 0 的版本号。", "A correction or cancellation carries a revision above 0."
        ),
        # refused by the state
        "insufficient_credit": Text(
            "{wallet}：可用 {usable}，需要 {wanted}。", "{wallet}: {usable} usable, {wanted} wanted."
        ),
        "return_exceeds_use": Text(
            "{wallet}：此单已用 {used}，不能退回 {wanted}。",
            "{wallet}: this order used {used}, {wanted} cannot go back.",
        ),
        "clawback_refused": Text(
            "{wallet}：已用掉 {missing}，按规定不能退货。",
            "{wallet}: {missing} is spent, and the policy refuses the return.",
        ),
        "transfer_not_allowed": Text(
            "{wallet}只能在同一单位的账户之间转让，而且要政策允许。",
            "{wallet} moves only between the accounts of one firm, and only where the policy allows it.",
        ),
        "second_person_needed": Text(
            "超过 {limit} 的调整要由经办人以外的第二个人复核。",
            "An adjustment above {limit} needs a second person besides the first.",
        ),
        "hold_ended": Text("预占 {hold} 已经结束。", "Hold {hold} has ended."),
        "capture_exceeds_hold": Text(
            "{wallet}：预占还剩 {held}，不能扣 {wanted}。", "{wallet}: {held} is held, {wanted} cannot be captured."
        ),
        "merge_elsewhere": Text(
            "合并会员和取消合并请用会员合并（member merge）办理。",
            "Members are merged and un-merged by a call of its own (member merge).",
        ),
        "merge_self": Text("会员不能并入自己。", "A member cannot be merged into himself."),
        "merge_again": Text("{member} 已经并入 {into}。", "{member} is merged into {into} already."),
        "merge_cycle": Text(
            "{into} 已经并入 {member}，不能反过来再并。",
            "{into} is merged into {member} already; it cannot be the other way round too.",
        ),
        "merge_erased": Text(
            "{member} 的个人信息已经删除，无法认定是不是同一位客户。",
            "{member} was erased: nobody can tell any more whether the two are one.",
        ),
        "not_merged": Text("{member} 没有并入别的会员。", "{member} is not merged into anybody."),
        "erase_holds": Text(
            "{member} 还有 {holds} 笔预占没有结束；请先扣款或释放，再注销。",
            "{member} has {holds} open holds; capture or void them first.",
        ),
        "erase_credit": Text(
            "{member} 的{wallet}还有 {amount}；客户放弃时请确认放弃（forfeit），否则先用完或调整。",
            "{member} has {amount} left in {wallet}; say `forfeit` if he gives it up, or spend or adjust it first.",
        ),
        "erase_debt": Text(
            "{member} 的{wallet}还欠 {amount}；不再追收时请确认（forfeit），否则先结清。",
            "{member} owes {amount} in {wallet}; say `forfeit` if it is not to be collected, or settle it first.",
        ),
        "credit_suspended": Text("{wallet}暂停使用。", "{wallet} is suspended."),
        "credit_not_payable": Text(
            "{wallet}：最多可付 {payable}，需要 {wanted}。",
            "{wallet} may pay {payable} of this order, {wanted} wanted.",
        ),
        "price_changed": Text("价格已变，请按新价确认。", "Prices have changed; confirm the new ones."),
        "entitlement_unknown": Text("当前服务级别没有 {entitlement}。", "The service level has no {entitlement}."),
        "entitlement_exhausted": Text(
            "{entitlement} 本期 {quota} 次已用 {used} 次，下次可用：{next_on}。",
            "{entitlement}: {used} of {quota} are used in this period; available again: {next_on}.",
        ),
        "entitlement_used_up": Text(
            "{entitlement} 一共 {quota} 次，已用 {used} 次。", "{entitlement}: {used} of {quota} in all are used."
        ),
        "not_compiled": Text(
            "规则引擎没有在规定的时间和内存内编译这份政策（{why}），没有发布。",
            "The rule engine did not compile this policy within its time and memory ({why}); it was not published.",
        ),
        "examples_failed": Text(
            "政策里有 {count} 个示例对不上，不能发布；第一个：{first}。",
            "{count} examples in the policy fail, so it cannot be published; the first: {first}.",
        ),
        "award_other_period": Text(
            "评选“{award}”的期间要写成 {expected} 这样（按年评 2026，按季评 2026-Q3，按月评 2026-03）。",
            "A period of the award {award!r} is written like {expected} (2026 of a yearly one, 2026-Q3 of a quarterly, "
            "2026-03 of a monthly).",
        ),
        "award_too_early": Text(
            "{year} 还没有结束：要提前评选，请写明截止日。",
            "{year} is not over: to close earlier, name the closing day.",
        ),
        "award_frozen": Text(
            "{year} 的名单已按截止 {as_of} 定下，不能另定截止日；要补发，请写同一天，或不写。",
            "The list of {year} is frozen as of {as_of}, and no other closing day can be set: run it with that day, "
            "or with none.",
        ),
        "unknown_award": Text("没有评选“{award}”，有：{known}。", "There is no award {award!r}; there are: {known}."),
        "admin_exists": Text("已经有管理员；请由他添加登录。", "There is an admin already; he adds further logins."),
        "not_a_session": Text("这是密钥，不是登录；请用吊销。", "This is a key and no log-in; revoke it instead."),
        "last_admin": Text("这是最后一位管理员，不能停用。", "This is the last admin, who cannot be disabled."),
        "refused": Text("按现状不能办理。", "The state does not allow this."),
        # conflicts
        "order_conflict": Text(
            "单号 {order} 已用于另一内容。", "Order {order} is already recorded with other content."
        ),
        "command_conflict": Text("{key} 已用于另一内容。", "{key} was used with other content."),
        "event_conflict": Text(
            "事件 {key} 已有不同内容，未记账，待人核对。",
            "Event {key} is here with other content; it was not booked, a person must look.",
        ),
        "login_taken": Text("这个登录名已有人用。", "This login is taken."),
        "idempotency_mismatch": Text(
            "同一 Idempotency-Key 用于不同内容。", "This Idempotency-Key was used with another body."
        ),
        "in_flight": Text("同一请求正在处理，请稍后再试。", "The same request is being handled; try again shortly."),
        "stale": Text("已被他人修改，请重新载入。", "Somebody else changed this; load it again."),
        "code_taken": Text("编号 {taken} 已有人使用。", "{taken} is taken."),
        "publisher_is_author": Text(
            "草稿“{draft}”是您自己写的，要由另一个人发布。",
            "You wrote the draft {draft!r} yourself; somebody else must publish it.",
        ),
        # not there
        "unknown_member": Text("没有会员 {member}。", "There is no member {member}."),
        "unknown_store": Text("没有门店 {store}。", "There is no store {store}."),
        "unknown_event": Text("没有事件 {key}。", "There is no event {key}."),
        "unknown_order": Text("没有单号 {order}。", "There is no order {order}."),
        "unknown_hold": Text("没有预占 {hold}。", "There is no hold {hold}."),
        "unknown_webhook": Text("没有推送 {webhook}。", "There is no webhook {webhook}."),
        "inside_address": Text("{host} 不是公网地址，不推送。", "{host} is no public address; nothing is sent there."),
        "webhook_differs": Text(
            "这个地址已是推送 {webhook}（推送 {types}），与所要的（{asked}）不同；要改，先删除它再新增，"
            "all 只在新增时算数。",
            "This address is webhook {webhook} already (told of {types}), other than what is asked ({asked}); to "
            "change it, remove it and add it again. `all` counts only for a new one.",
        ),
        "not_kept": Text(
            "编号 {asked} 已不在保留期内（{days} 天）；还留着的从编号 {oldest} 起。",
            "Delivery {asked} is no longer kept ({days} days); what is kept begins with {oldest}.",
        ),
        "secrets_in_force": Text(
            "已有 {count} 个密钥同时有效，最早的到 {until}；等到那时再换，或以 keep_hours 0 立即作废旧的。",
            "{count} secrets are in force, the oldest until {until}; rotate then, or end them now with keep_hours 0.",
        ),
        "unknown_slip": Text("没有离线凭条 {slip}。", "There is no offline slip {slip}."),
        "unknown_draft": Text("没有草稿“{draft}”。", "There is no draft {draft!r}."),
        "unknown_version": Text("没有第 {version} 版政策。", "There is no policy version {version}."),
        "unknown_wallet": Text("没有钱包 {wallet}。", "There is no wallet {wallet}."),
        "unknown_dealer": Text("没有代理商 {dealer}。", "There is no dealer {dealer}."),
        "no_policy": Text("代理商 {dealer} 尚未发布政策。", "Dealer {dealer} has published no policy yet."),
        "unknown_key": Text("没有密钥 {key}。", "There is no key {key}."),
        "unknown_login": Text("没有这个登录名。", "There is no such login."),
        "not_found": Text("没有此项。", "There is no such thing."),
        # who asks
        "unauthenticated": Text("需要有效的密钥或登录。", "A valid key or login is needed."),
        "log_in_failed": Text("登录名或密码不对。", "Login or password is wrong."),
        "forbidden": Text("无权进行此操作。", "You may not do this."),
        # ours, for now or altogether
        "busy": Text("系统繁忙，请稍后重试。", "The service is busy; try again shortly."),
        "deadline": Text(
            "等待过久，未作处理，可重试。", "This waited too long and was not begun; it may be sent again."
        ),
        "writer_down": Text("记账暂停，请稍后重试。", "Recording has stopped; try again shortly."),
        "chain_broken": Text(
            "账目与封存链不符，现在只读，未作任何记录；请运行 tierengine verify。",
            "The book differs from its chain of seals: it is read-only, nothing was recorded; run `tierengine verify`.",
        ),
        "database_down": Text("数据库暂不可用，请稍后重试。", "The database cannot be reached; try again shortly."),
        "keys_down": Text(
            "个人信息的密钥暂不可用，请稍后重试。", "The keys of personal data cannot be reached; try again shortly."
        ),
        "schema_outdated": Text(
            "数据库版本为 {got}，应为 {expected}。", "The database is at revision {got}, expected {expected}."
        ),
        "ledger_broken": Text(
            "账目不变式被破坏：{invariant}。未作任何记录。",
            "An invariant of the ledger broke: {invariant}. Nothing was recorded.",
        ),
    }
)

# code → (detail, sentence): said instead of the above where there is such a detail.
_CLOSER: Final[Mapping[str, tuple[tuple[str, Text], ...]]] = MappingProxyType(
    {
        "credit_not_payable": (
            (
                "block",
                Text(
                    "{wallet}：每次要用 {block}的整数倍，最多可付 {payable}，需要 {wanted}。",
                    "{wallet}: in multiples of {block}, {payable} at most; {wanted} wanted.",
                ),
            ),
            (
                "minimum",
                Text(
                    "{wallet}：每次至少用 {minimum}，最多可付 {payable}，需要 {wanted}。",
                    "{wallet}: {minimum} at the least, {payable} at most; {wanted} wanted.",
                ),
            ),
        ),
        "out_of_range": (
            ("floor", Text("不能小于 {floor}。", "Must be {floor} or more.")),
            ("ceiling", Text("不能大于 {ceiling}。", "Must be {ceiling} or less.")),
        ),
        "unknown_wallet": (
            (
                "known_en",
                Text("没有钱包 {wallet}，有：{known}。", "There is no wallet {wallet}; there are: {known_en}."),
            ),
            ("known", Text("没有钱包 {wallet}，有：{known}。", "There is no wallet {wallet}; there are: {known}.")),
        ),
    }
)
_AMOUNTS: Final = frozenset(
    ("usable", "wanted", "used", "missing", "limit", "held", "amount", "payable", "block", "minimum")
)


def sentence(code: str, details: Mapping[str, Any], lang: str) -> str:
    """Return the sentence of a code in `lang` ("zh" or "en").

    Where the details tell a wallet's `unit` and its titles, amounts are said in that unit and the wallet by its title.
    """
    if code == "wrong_type" and lang == "zh":
        details = {name: in_chinese(value) for name, value in details.items()}
    closer = (text for name, text in _CLOSER.get(code, ()) if name in details)
    text = next(closer, None) or CATALOGUE[code]
    return text.say(lang).format_map(_spoken(details, lang) if "unit" in details else details)


def _spoken(details: Mapping[str, Any], lang: str) -> Mapping[str, Any]:
    from tierengine.amounts import amount  # noqa: PLC0415  brings babel, which only a refusal needs

    unit = str(details["unit"])
    said = {
        name: amount(value, unit, lang) if name in _AMOUNTS and isinstance(value, int) else value
        for name, value in details.items()
    }
    return said | {"wallet": details.get(f"title_{lang}", details.get("wallet", ""))}


class TierengineError(Exception):
    """Base of all that this package raises on purpose: `code` is stable, `details` are plain values for the caller."""

    retryable = False

    def __init__(self, code: str, **details: int | str) -> None:
        """Take the sentence of `code` from the catalogue; a code that is not there is a mistake of ours (KeyError)."""
        self.code = code
        self.details: Mapping[str, int | str] = MappingProxyType(details)
        super().__init__(sentence(code, details, "en"))

    def say(self, lang: str = "zh") -> str:
        """Return the sentence in `lang` ("zh" or "en")."""
        return sentence(self.code, self.details, lang)

    def telling(self, **more: int | str) -> Self:
        """Add details, of which the sentence is said then."""
        self.details = MappingProxyType({**self.details, **more})
        return self


@dataclass(frozen=True, slots=True)
class FormError:
    """One thing wrong with what was sent: where (RFC 6901 pointer), a stable code, and the values of its sentence."""

    pointer: str
    code: str
    details: Mapping[str, int | str] = field(default_factory=dict)

    def say(self, lang: str = "zh") -> str:
        """Return the sentence in `lang` ("zh" or "en")."""
        return sentence(self.code, self.details, lang)


def _sendable(error: FormError) -> FormError:
    """Return an error whose pointer can be sent back, whatever name of a field found its way into it."""
    return replace(error, pointer=error.pointer.encode("utf-8", "replace").decode())


def pointed(name: object) -> str:
    """Return a field's name as a part of a pointer, whatever it holds."""
    text = str(name)[:100].encode("utf-8", "replace").decode()
    return text.replace("~", "~0").replace("/", "~1")


def unknown_fields(said: Iterable[str], known: Container[str], at: str = "") -> list[FormError]:
    """Return an error for each field that was said and is not known; `at` is the pointer of what they stand in."""
    return [FormError(f"{at}/{pointed(name)}", "unknown_field") for name in said if name not in known]


class Malformed(TierengineError):
    """Wrong in form: nothing was recorded under its key, and the mended one may be sent again."""

    def __init__(self, errors: Iterable[FormError]) -> None:
        """Carry every error at once, in the order in which they were found."""
        self.errors = tuple(one if one.pointer.isascii() else _sendable(one) for one in errors)
        super().__init__("malformed", count=len(self.errors))


class Refused(TierengineError):
    """Well formed, and the state of the member does not allow it; the refusal sticks to its idempotency key."""


class Conflict(TierengineError):
    """The key is taken by other content."""


class Stale(TierengineError):
    """What was to be changed is no longer what the caller saw; nothing is kept of the try."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("stale")


class Unknown(TierengineError):
    """What it names is not on file."""


class Denied(TierengineError):
    """Who asks may not: no valid key (`unauthenticated`) or no right (`forbidden`)."""


class Unavailable(TierengineError):
    """Not now; the same request may be sent again."""

    retryable = True


class Broken(TierengineError):
    """A promise of our own does not hold; the transaction must not be committed."""
