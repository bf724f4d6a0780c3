"""The section `budgets`: what several rewards may give together, to a member, a firm or everybody."""

from __future__ import annotations

import re
from typing import Final, Literal, cast

from rules.desk import Desk
from rules.lanes import read_times
from rules.policy import Budget, Reward
from rules.source import Node, Scalar
from rules.values import plain

_KEYS: Final = ("title", "limit", "period", "scope", "rewards")
_SCOPES: Final = ("programme", "firm", "member")
_PERIODS: Final = ("life", "year", "quarter", "month", "day")
_TIMES: Final = re.compile(r".*(?:次|times?)", re.IGNORECASE)


def read_budgets(desk: Desk, node: Node | None, rewards: dict[str, Reward]) -> dict[str, Budget]:
    """Read the budgets; their rewards have been read before."""
    budgets: dict[str, Budget] = {}
    for name, written, value in desk.named(node, "budgets"):
        form = desk.form(value, f"budgets.{name}", _KEYS, ("limit", "rewards"))
        chosen = desk.references("rewards", form.get("rewards"), form.path("rewards"))
        limit_at = form.get("limit")
        times = isinstance(limit_at, Scalar) and bool(_TIMES.fullmatch(plain(limit_at.text)))
        units = {desk.wallet_units.get(rewards[one].wallet, "") for one in chosen if one in rewards} - {""}
        if len(units) > 1 and not times:
            desk.note("P531", form.get("rewards") or form.mark, ", ".join(sorted(units)), about=name)
        unit = next(iter(sorted(units)), "")
        scope = desk.word(form.get("scope"), form.path("scope"), _SCOPES, "programme")
        if scope != "member":
            desk.note("P530", written, about=name)
        budgets[name] = Budget(
            id=name,
            title=desk.text(form.get("title"), form.path("title"), name),
            scope=cast("Literal['member', 'firm', 'programme']", scope),
            period=cast(
                "Literal['life', 'year', 'quarter', 'month', 'day']",
                desk.word(form.get("period"), form.path("period"), _PERIODS, "life"),
            ),
            limit=read_times(desk, limit_at, form.path("limit"))
            if times and limit_at is not None
            else desk.amount(limit_at, form.path("limit"), unit),
            rewards=chosen,
            times=times,
            mark=written.mark,
        )
    return budgets
