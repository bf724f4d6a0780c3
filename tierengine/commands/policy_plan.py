"""`policy plan`: what a policy would change, played on the histories in the book, and kept for who publishes it."""

from __future__ import annotations

import getpass
import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any, Final

from rules.comparison import Difference, differences
from rules.judge import Ruleset
from rules.policy import Policy
from tierengine.amounts import amount
from tierengine.commands.failure import Stop
from tierengine.commands.money import day
from tierengine.commands.opened import Opened, reading
from tierengine.commands.policy_diff import in_force, plain, show_differences
from tierengine.commands.policy_file import readable
from tierengine.commands.progress import bar
from tierengine.commands.publishing import explained
from tierengine.commands.screen import PROBLEMS, REFUSED, USAGE, Screen
from tierengine.errors import Refused
from tierengine.policies.backtest import Backtest, backtest
from tierengine.policies.examination import examined
from tierengine.recording.recorder import clock
from tierengine.zone import SECOND, Zone, add_months

KEPT_DAYS: Final = 7  # then the book has gone on too far from what the plan was made on
_FORM: Final = 1
_NAMED: Final = 20  # members named on the screen; the plan's file names all
_PRICES: Final = ("价格", "prices")
_TOLD: Final = ("传递", "emissions")


def plan(screen: Screen, file: Path, since: str, out: Path | None, dealer: str) -> int:
    """Play a policy on the histories in the book; with `out` keep what came out for who publishes it."""
    policy, text = readable(screen, file)
    candidate = _candidate(screen, policy, text)
    with reading(dealer) as book:
        now = clock()
        start = _since(since, book.programme.zone, now)
        head, before = in_force(book)
        found = differences(before, text, screen.lang)
        with bar(screen, screen.say("试算", "playing")) as progress:
            played = backtest(book.link, book.programme, candidate, since=start, now=now, done=progress)
        left_out = _left_out(found)
        document = {
            "form": _FORM,
            "dealer": book.dealer.code,
            "hash": _hash(text),
            "head": book.programme.head,
            "version": head,
            "made_at": now,
            "by": getpass.getuser(),
            "differences": [plain(each) for each in found],
            "left_out": left_out,
            **_told(played, book),
        }
        if out is not None:
            out.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        return screen.end(document, lambda: _show(screen, book, found, played, left_out, out))


def _candidate(screen: Screen, policy: Policy, text: str) -> Ruleset:
    try:
        return examined(text)
    except Refused as refused:
        if refused.code != "examples_failed":
            raise explained(refused, Zone(policy.timezone)) from refused
        # Who changes a number looks at what it costs first, and mends the examples once he has decided.
        count = refused.details["count"]
        screen.warn(
            f"{count} 个示例没有通过，改好以前不能发布；照样试算。",
            f"{count} examples fail; it cannot be published before they are mended. Played all the same.",
        )
        return Ruleset(policy)


def _since(text: str, zone: Zone, now: int) -> int:
    if not text:
        return zone.start_of(add_months(zone.local_date(now), -12))
    try:
        start = zone.start_of(date.fromisoformat(text))
    except ValueError:
        raise Stop(
            "bad_day", f"日期写作 2026-01-01，收到的是 {text!r}。", f"A day is written 2026-01-01, got {text!r}.", USAGE
        ) from None
    if start > now:
        raise Stop("bad_day", f"{text} 还没有到。", f"{text} is still to come.", USAGE)
    return start


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _left_out(found: list[Difference]) -> list[str]:
    """Return the sections whose change a back-test does not show."""
    sections = {one.section for one in found}
    return [name for name, keys in (("prices", _PRICES), ("emissions", _TOLD)) if sections & set(keys)]


def _told(played: Backtest, book: Opened) -> dict[str, Any]:
    return {
        "since": played.since,
        "members": played.members,
        "tiers": {"before": dict(played.before), "after": dict(played.after)},
        "moved": [
            {"member": one.member, "before": one.before, "after": one.after, "rises": one.rises} for one in played.moved
        ],
        "grants": [
            {
                "rule": one.rule,
                "wallet": one.wallet,
                "unit": book.programme.unit(one.wallet),
                "before": one.before,
                "after": one.after,
                "more": one.more,
                "members": one.members,
            }
            for one in played.costs
        ],
    }


def _show(
    screen: Screen, book: Opened, found: list[Difference], played: Backtest, left_out: list[str], out: Path | None
) -> None:
    zone, unit = book.programme.zone, book.programme.unit
    show_differences(screen, found)
    since = day(played.since, zone)
    screen.print(
        f"假如从 {since} 起就这样执行，到今天 {played.members} 位会员里：",
        f"Had it ruled since {since}, of {played.members} members today:",
        "bold",
    )
    for rises, zh, en in ((True, "升", "would stand higher"), (False, "降", "would stand lower")):
        some = [one for one in played.moved if one.rises is rises]
        named = [f"{one.member} {_tier(screen, book, one.before)}→{_tier(screen, book, one.after)}" for one in some]
        if len(named) > _NAMED:
            named[_NAMED:] = [screen.say("……", "…")]
        listed = f": {', '.join(named)}" if named else ""
        screen.print(f"{zh} {len(some)} 位{listed}", f"{len(some)} {en}{listed}")
    titles = book.programme.line.versions[-1].rules.policy.rewards
    rows = [
        (
            titles[one.rule].title.say(screen.lang) if one.rule in titles else one.rule,
            amount(one.before, unit(one.wallet), screen.lang),
            amount(one.after, unit(one.wallet), screen.lang),
            amount(one.more, unit(one.wallet), screen.lang),
            one.members,
        )
        for one in played.costs
        if one.more or one.members
    ]
    if rows:
        headings = (
            ("奖励", "原来发", "改后发", "差额", "影响会员") if screen.lang == "zh"
            else ("Reward", "Was", "Would be", "More", "Members")
        )  # fmt: skip
        screen.table("", headings, rows, right=(1, 2, 3, 4))
    else:
        screen.print("每条奖励发的都一样多。", "Every reward gives what it gave.")
    said = {"prices": ("价格", "prices"), "emissions": ("会员之间的传递", "what members' events tell one another")}
    for name in left_out:
        zh, en = said[name]
        screen.warn(f"{zh}也有改动，试算里没有算。", f"Changes of {en} are not in this back-test.")
    if out is not None:
        screen.print(
            f"试算写入 {out}；请另一位同事用 tierengine policy publish FILE --plan {out} 发布，{KEPT_DAYS} 天内有效。",
            f"The plan is in {out}; within {KEPT_DAYS} days somebody else may say: policy publish FILE --plan {out}",
        )


def _tier(screen: Screen, book: Opened, tier: str) -> str:
    known = {one.id: one.title for version in book.programme.line.versions for one in version.rules.policy.tiers}
    return known[tier].say(screen.lang) if tier in known else tier


def held(plan: Path, text: str, *, author: str, dealer: str) -> None:
    """Refuse to publish what a plan does not hold: another text or book, made too long ago, or by the same person."""
    said = _read(plan)
    with reading(dealer or str(said["dealer"])) as book:
        head, of = book.programme.head, book.dealer.code
    by = said["by"]
    if of != said["dealer"]:
        stale = (f"它是代理商 {said['dealer']} 的", f"it is of dealer {said['dealer']}")
    elif said["hash"] != _hash(text):
        stale = ("文件在试算后改过", "the file was changed after it")
    elif said["head"] != head:
        stale = ("试算之后已经发布过别的版本", "another version was published after it")
    elif clock() - said["made_at"] > KEPT_DAYS * 86_400 * SECOND:
        stale = (f"试算已过 {KEPT_DAYS} 天", f"it is older than {KEPT_DAYS} days")
    elif by == author:
        raise Stop(
            "second_person",
            f"试算是 {by} 做的，要由另一位同事发布。",
            f"{by} made the plan; somebody else must publish it.",
            REFUSED,
        )
    else:
        return
    zh, en = stale
    raise Stop("stale_plan", f"试算作废：{zh}；请重新试算。", f"The plan is stale: {en}. Make it again.", REFUSED)


def _read(plan: Path) -> dict[str, Any]:
    try:
        said = json.loads(plan.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        said = None
    if (
        not isinstance(said, dict)
        or said.get("form") != _FORM
        or not all(isinstance(said.get(name), str) for name in ("dealer", "hash", "by"))
        or not all(isinstance(said.get(name), int) for name in ("head", "made_at"))
    ):
        raise Stop("bad_plan", f"{plan} 不是 policy plan 写的试算。", f"{plan} is no plan of `policy plan`.", PROBLEMS)
    return said
