"""YAML text → Policy, or every problem of it at once, with line and column. Never an exception, whatever the text.

What is defined is collected first, so that the order of the sections in the file does not matter; then each section
is read by its own module at one `Desk`, which keeps the problems; last come the checks over all of them.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, replace
from typing import Final, Literal, cast

from rules.awards import read_awards
from rules.budgets import read_budgets
from rules.codes import misspelt_codes
from rules.desk import Desk
from rules.examples import read_examples
from rules.facts import Facts
from rules.lanes import define_lanes, read_lanes
from rules.levels import define_levels, read_levels
from rules.names import key as key_of
from rules.nodes import Form
from rules.policy import Mark, Policy
from rules.prices import define_prices, read_prices
from rules.problems import Format, Lang, Problem, in_order, render
from rules.rewards import read_emissions, read_rewards
from rules.shadowed import shadowed
from rules.source import Entries, Node, Scalar, Source, read_source
from rules.tiers import define_tiers, define_traits, read_lists, read_segments, read_tiers, read_traits
from rules.unused import unused
from rules.values import CURRENCIES, DAYS_IN, MINUTES_IN, plain
from rules.wallets import define_wallets, read_wallets

MAX_PROBLEMS: Final = 500
_SLIP_MINUTES: Final = 24 * 60
_SLIP_MOST: Final = 7 * 24 * 60
_KEYS: Final = (
    "programme", "title", "currency", "timezone", "late", "returned_as", "manager_limit", "price_token", "offline_slip",
    "facts", "traits", "tiers", "lists", "segments", "levels", "wallets", "lanes", "prices", "emissions", "rewards",
    "budgets", "awards", "examples",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says: a policy when nothing is wrong with it, and the problems (warnings do not take it away)."""

    policy: Policy | None
    problems: tuple[Problem, ...]
    lines: tuple[str, ...] = ()

    def show(self, lang: Lang = "zh", format: Format = "full") -> str:  # noqa: A002
        """Return all problems as text, each with its source line."""
        gap = "\n\n" if format == "full" else "\n"
        return gap.join(render(problem, self.line(problem.mark), lang, format) for problem in self.problems)

    def line(self, mark: Mark) -> str:
        """Return the line of the file a mark stands in."""
        return self.lines[mark.line - 1] if 0 < mark.line <= len(self.lines) else ""


def read(text: str | bytes, filename: str) -> Reading:
    """Read a policy file. `filename` is only for showing problems."""
    source = read_source(text, filename)
    problems = list(source.problems)
    policy: Policy | None = None
    desk = Desk()
    if source.root is not None:
        policy = _policy(desk, source)
        # What an alias stands for is not known, so nothing else is said of it.
        aliases = {problem.mark for problem in source.problems if problem.code == "P111"}
        problems += [problem for problem in desk.problems if problem.mark not in aliases]
    elif not problems:
        problems.append(Problem("P116", Mark(1, 1)))
    ordered = in_order(problems)
    if any(problem.severity == "error" for problem in ordered):
        policy = None
    total = max(len(ordered), len(source.problems) + desk.noted.total())
    return Reading(policy, _shown(ordered, total, filename), source.lines)


def _shown(problems: tuple[Problem, ...], total: int, filename: str) -> tuple[Problem, ...]:
    """Keep what a person can read: when there are too many, errors before warnings, and the number of all."""
    shown = problems
    if len(problems) > MAX_PROBLEMS:
        first = sorted(problems, key=lambda problem: problem.severity)[:MAX_PROBLEMS]
        shown = (*in_order(first), Problem("P117", max(first, key=lambda p: p.mark.line).mark, str(total)))
    return tuple(replace(problem, file=filename) for problem in shown)


def _policy(desk: Desk, source: Source) -> Policy | None:
    root = source.root
    if not isinstance(root, Entries):
        if root is not None:
            _refuse_root(desk, root)
        return None
    form = desk.form(root, "", _KEYS, ("programme", "tiers"))
    desk.currency = _currency(desk, form)
    define_tiers(desk, form.get("tiers"))
    define_wallets(desk, form.get("wallets"))
    define_levels(desk, form.get("levels"))
    define_lanes(desk, form.get("lanes"))
    define_prices(desk, form.get("prices"))
    define_traits(desk, form.get("traits"))
    programme = desk.id(form.get("programme"), "programme")
    facts = Facts(desk, form.get("facts")).read()
    rewards_at = form.get("rewards")
    policy = Policy(
        programme=programme,
        title=desk.text(form.get("title"), "title", programme),
        currency=desk.currency,
        timezone=_timezone(desk, form),
        facts=facts,
        traits=read_traits(desk, form.get("traits")),
        tiers=read_tiers(desk, form.get("tiers")),
        lists=read_lists(desk, form.get("lists")),
        segments=read_segments(desk, form.get("segments")),
        levels=read_levels(desk, form.get("levels")),
        wallets=read_wallets(desk, form.get("wallets")),
        lanes=read_lanes(desk, form.get("lanes")),
        prices=read_prices(desk, form.get("prices")),
        emissions=read_emissions(desk, form.get("emissions")),
        rewards=read_rewards(desk, rewards_at),
        awards=read_awards(desk, form.get("awards")),
        returned_as=cast(
            "Literal['return', 'cancelled']",
            desk.word(form.get("returned_as"), "returned_as", ("return", "cancelled"), "return"),
        ),
        late_days=_late(desk, form),
        manager_limit=desk.integer(form.get("manager_limit"), "manager_limit", 10, low=1, high=100_000),
        price_token_minutes=desk.length(form.get("price_token"), "price_token", MINUTES_IN, 15),
        offline_slip_minutes=_slip_minutes(desk, form),
    )
    policy = replace(policy, budgets=read_budgets(desk, form.get("budgets"), policy.rewards))
    units = {reward.id: desk.wallet_units.get(reward.wallet, "") for reward in policy.rewards.values()}
    examples = read_examples(desk, form.get("examples"), units)
    unused(desk, policy)
    misspelt_codes(desk, examples)
    shadowed(desk, policy)
    return replace(policy, examples=examples)


def _slip_minutes(desk: Desk, form: Form) -> int:
    """Read how long a slip is good: no longer than a till may be late, unless told otherwise."""
    node = form.get("offline_slip")
    found = desk.length(node, "offline_slip", MINUTES_IN, _SLIP_MINUTES)
    if node is not None and not 1 <= found <= _SLIP_MOST:
        desk.note("P302", node, getattr(node, "text", ""), ("1-10080 minutes",), "offline_slip", ("1-10080 分钟",))
        return _SLIP_MINUTES
    return found


def _refuse_root(desk: Desk, root: Node) -> None:
    if isinstance(root, Scalar) and not root.text.strip():
        desk.note("P116", root)
    else:
        desk.shape(root, "policy", "mapping")


def _pairs(node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
    return node.pairs if isinstance(node, Entries) else ()


def _currency(desk: Desk, form: Form) -> str:
    found = desk.scalar(form.get("currency"), "currency")
    if found is None or not desk.well_typed(found):
        return "CNY"
    text = plain(found.text).upper()
    for code, spellings in CURRENCIES.items():
        if text == code or text in spellings:
            return code
    desk.note("P319", found, found.text, CURRENCIES)
    return "CNY"


def _timezone(desk: Desk, form: Form) -> str:
    found = desk.scalar(form.get("timezone"), "timezone")
    if found is None or not desk.well_typed(found):
        return "Asia/Shanghai"
    try:
        return zoneinfo.ZoneInfo(found.text.strip()).key
    except (OSError, ValueError, KeyError):
        desk.note("P318", found, found.text)
        return "Asia/Shanghai"


def _late(desk: Desk, form: Form) -> dict[str, int]:
    """Read how far back each class of source may date: `till`, `erp`, or a name of the dealer's own."""
    days: dict[str, int] = {}
    for written, value in desk.entries(form.get("late"), "late"):
        name = key_of(plain(written.text), ("till", "erp")) or desk.id(written)
        days[name] = desk.length(value, f"late.{name}", DAYS_IN, 0)
    return days
