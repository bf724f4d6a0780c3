"""Publishing a file: the dealer it is for, the instant from which it rules, and refusals in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from rules.policy import Policy
from tierengine.access.audit import Acting
from tierengine.commands.acting import actor
from tierengine.commands.failure import Stop
from tierengine.commands.money import instant, minute
from tierengine.commands.opened import Dealer, chosen, dealers, writing
from tierengine.commands.screen import PROBLEMS
from tierengine.errors import Refused
from tierengine.membership.people import create_dealer
from tierengine.policies.examination import examined
from tierengine.policies.versions import NOTICE, heads, publish
from tierengine.recording.recorder import clock
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, transact
from tierengine.zone import SECOND, Zone


@dataclass(frozen=True, slots=True)
class Published:
    """What was published. `effective_from` is the dealer's wall time; `created`: the dealer is new."""

    dealer: str
    created: bool
    number: int
    effective_from: str
    author: str


def publish_text(text: str, policy: Policy, *, dealer: str, author: str, reason: str, effective_from: str) -> Published:
    """Publish the policy that `text` was read as."""
    zone = Zone(policy.timezone)
    start = begins_at(effective_from, zone)
    with refused_in_words(zone):
        # Before anything is locked: it takes part of a second, and who waits for the book should not wait for this.
        examined(text)
    with writing() as (link, ids):

        def act(link: Link, ids: Ids) -> tuple[Dealer, bool, int, int]:
            of, created = _dealer(link, ids, dealer, policy)
            now = clock()
            first = created or not heads(link, [of.id])
            # A minute's notice is asked for; a second more, so that it is still a minute when it is checked.
            begins = start if start is not None else now if first else now + NOTICE + SECOND
            number = publish(link, ids, of.id, text, author=author, reason=reason, effective_from=begins, now=now)
            by = Acting(link, ids, of.id, now, actor())
            by.note("policy.publish", f"version:{number}", author=author, reason=reason, effective_from=begins)
            return of, created, number, begins

        with refused_in_words(zone):
            of, created, number, begins = transact(link, ids, act)
    return Published(of.code, created, number, minute(begins, zone), author)


def _dealer(link: Link, ids: Ids, code: str, policy: Policy) -> tuple[Dealer, bool]:
    known = dealers(link)
    if known:
        return chosen(known, code), False
    made = code or policy.programme
    return Dealer(create_dealer(link, ids, made, policy.title.zh), made, policy.title.zh), True


@contextmanager
def refused_in_words(zone: Zone) -> Iterator[None]:
    """Say in a sentence why a policy was not published."""
    try:
        yield
    except Refused as refused:
        raise explained(refused, zone) from refused


def begins_at(text: str, zone: Zone) -> int | None:
    """Return the instant from which a policy is to rule: a day's midnight, an instant; None where nothing is said."""
    if not text:
        return None
    return zone.start_of(date.fromisoformat(text)) if _is_day(text) else instant(text, zone)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def explained(refused: Refused, zone: Zone) -> Exception:
    """Return the refusal as a sentence about this file."""
    details = refused.details
    match details.get("reason") if refused.code == "refused" else refused.code:
        case "too_soon":
            earliest = minute(int(details["earliest"]), zone)
            return Stop(
                "too_soon",
                f"新版政策最早从 {earliest} 起生效（要提前一分钟，并且晚于上一版）。",
                f"The earliest start is {earliest}: a minute's notice, and after the version before.",
            )
        case "programme_changed":
            return Stop(
                "programme_changed",
                f"币种和时区不能改：账上是 {details['currency']}、{details['timezone']}。",
                f"Currency and timezone cannot change: the book has {details['currency']}, {details['timezone']}.",
                PROBLEMS,
            )
        case "tier_lost":
            return Stop(
                "tier_lost",
                f"少了等级 {details['tiers']}；用“取代”写明会员转到哪一级。",
                f"Tiers {details['tiers']} are gone; say with `replaces` where their members go.",
                PROBLEMS,
            )
        case "not_compiled":
            zh = {"time": "时间", "memory": "内存"}.get(str(details["why"]))
            return Stop(
                "not_compiled",
                f"规则引擎编译这份政策{f'超过了规定的{zh}' if zh else '时出错'}，没有发布；正在执行的政策不受影响。"
                "请减少规则或条件，并把文件发给我们。",
                f"The rule engine did not compile this policy ({details['why']}); nothing was published, the policy in "
                "force is untouched. Write fewer rules or conditions, and send us the file.",
            )
        case "examples_failed":
            return Stop(
                "examples_failed",
                f"{details['count']} 个示例没有通过，第一个是“{details['first']}”；详见 tierengine policy test。",
                f"{details['count']} examples fail, the first is {details['first']!r}; see tierengine policy test.",
                PROBLEMS,
            )
    return refused
