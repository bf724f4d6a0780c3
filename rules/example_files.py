"""Examples in a file of their own: `examples:` alone, in the grammar of the section, about a policy read before."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rules.desk import Desk
from rules.examples import read_examples
from rules.policy import Example, Mark, Policy
from rules.problems import Format, Lang, Problem, in_order, render
from rules.source import Entries, read_source


@dataclass(frozen=True, slots=True)
class ExamplesReading:
    """What a file of examples says; with an error among the problems it says nothing."""

    examples: tuple[Example, ...]
    problems: tuple[Problem, ...]
    lines: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Tell whether a problem is an error."""
        return any(problem.severity == "error" for problem in self.problems)

    def show(self, lang: Lang = "zh", format: Format = "full") -> str:  # noqa: A002
        """Return all problems as text, each with its source line."""
        gap = "\n\n" if format == "full" else "\n"
        return gap.join(render(problem, self.line(problem.mark), lang, format) for problem in self.problems)

    def line(self, mark: Mark) -> str:
        """Return the line of the file a mark stands in."""
        return self.lines[mark.line - 1] if 0 < mark.line <= len(self.lines) else ""


def read_example_file(text: str | bytes | Problem, filename: str, policy: Policy) -> ExamplesReading:
    """Read a file of examples about `policy`; whatever it names must be defined there. Never an exception.

    `text` may be what `rules.files.content` found: the problem with the file itself.
    """
    if isinstance(text, Problem):
        return ExamplesReading((), (text,))
    source = read_source(text, filename)
    problems = list(source.problems)
    examples: tuple[Example, ...] = ()
    if source.root is not None:
        desk = _desk(policy)
        if isinstance(source.root, Entries):
            form = desk.form(source.root, "", ("examples",), ("examples",))
            units = {reward.id: desk.wallet_units.get(reward.wallet, "") for reward in policy.rewards.values()}
            examples = read_examples(desk, form.get("examples"), units)
        else:
            desk.shape(source.root, "examples", "mapping")
        problems += desk.problems
    elif not problems:
        problems.append(Problem("P116", Mark(1, 1)))
    ordered = tuple(replace(problem, file=filename) for problem in in_order(problems))
    failed = any(problem.severity == "error" for problem in ordered)
    named = () if failed else tuple(replace(example, file=filename) for example in examples)
    return ExamplesReading(named, ordered, source.lines)


def _desk(policy: Policy) -> Desk:
    """Return a desk that knows what the policy defines, as one that has just read it does."""
    desk = Desk()
    desk.currency = policy.currency
    desk.wallet_units = {wallet.id: wallet.unit for wallet in policy.wallets.values()}
    levels = policy.levels.values()
    defined: dict[str, dict[str, Mark]] = {
        "facts": {one.id: one.mark for one in policy.facts.values()},
        "traits": {one.id: one.mark for one in policy.traits.values()},
        "tiers": {one.id: one.mark for one in policy.tiers},
        "lists": {one.id: one.mark for one in policy.lists.values()},
        "levels": {one.id: one.mark for one in levels},
        "wallets": {one.id: one.mark for one in policy.wallets.values()},
        "prices": {one.id: one.mark for one in policy.prices.values()},
        "rewards": {one.id: one.mark for one in policy.rewards.values()},
        "entitlements": {one.id: one.mark for level in levels for one in level.entitlements},
        "duties": {one.id: one.mark for level in levels for one in level.duties},
    }
    for section, marks in defined.items():
        desk.defined.setdefault(section, {}).update(marks)
    return desk
