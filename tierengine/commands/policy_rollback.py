"""`policy rollback`: the way back from a policy, by publishing an earlier version's text again."""

from __future__ import annotations

import getpass

from rules.checking import check
from tierengine.commands.failure import Stop
from tierengine.commands.opened import reading
from tierengine.commands.policy_diff import in_force, published
from tierengine.commands.publishing import publish_text
from tierengine.commands.screen import PROBLEMS, REFUSED, Screen


def rollback(screen: Screen, version: int, effective_from: str, author: str, reason: str, dealer: str) -> int:
    """Publish an earlier version's text again; what was judged in between stays as it was judged."""
    with reading(dealer) as book:
        number, _ = in_force(book)
        text, code = published(book, version), book.dealer.code
    if number == version:
        raise Stop("in_force", f"第 {version} 版正在执行。", f"Version {version} is in force.", REFUSED)
    policy = check(text, f"version {version}").policy
    if policy is None:
        raise Stop(
            "not_readable",
            f"第 {version} 版用今天的语言读不通了，请改好后发布。",
            f"Version {version} does not read in today's language; mend it and publish the file.",
            PROBLEMS,
        )
    why = reason or screen.say(f"退回第 {version} 版", f"back to version {version}")
    done = publish_text(
        text, policy, dealer=code, author=author or getpass.getuser(), reason=why, effective_from=effective_from
    )
    return screen.end(
        {"dealer": code, "version": done.number, "text_of": version, "effective_from": done.effective_from},
        lambda: screen.print(
            f"第 {version} 版的原文已作为第 {done.number} 版发布，从 {done.effective_from} 起生效。",
            f"The text of version {version} is version {done.number} now; it rules from {done.effective_from}.",
            style="bold green",
        ),
    )
