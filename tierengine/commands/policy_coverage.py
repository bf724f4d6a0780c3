"""What a check says of the rules that no example exercises: warnings beside the other problems of the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from rules.example_files import read_example_file
from rules.files import content
from rules.policy import Example, Policy
from rules.problems import Problem, in_order
from rules.reader import Reading
from rules.unexercised import unexercised, without_examples

MAX_EVENTS: Final = 250
"""Examples of more events are not run by a check, which must stay quick on any file; `policy test` runs them all."""


def with_coverage(file: Path, reading: Reading) -> tuple[Reading, bool]:
    """Add a warning for each rule that no example exercises, and tell whether the examples were not too many to run.

    The examples of NAME.examples.yaml beside NAME.yaml count too. Of a file with errors nothing is added.
    """
    policy = reading.policy
    if policy is None:
        return reading, True
    examples = (*policy.examples, *_beside(file, policy))
    if sum(len(example.given) for example in examples) > MAX_EVENTS:
        return reading, False
    found = tuple(replace(problem, file=str(file)) for problem in _found(policy, examples))
    return replace(reading, problems=in_order((*reading.problems, *found))), True


def _found(policy: Policy, examples: tuple[Example, ...]) -> tuple[Problem, ...]:
    from tierengine.policies.coverage import coverage  # noqa: PLC0415  a file with errors needs no judgement

    if not examples:
        return without_examples(coverage(policy, ()).total)
    from rules.judge import Ruleset  # noqa: PLC0415  nor has the engine to be loaded for one without examples
    from tierengine.policies.examples import run_examples  # noqa: PLC0415

    covered = coverage(policy, (verdict.used for verdict in run_examples(Ruleset(policy), examples)))
    return unexercised(covered.missing, covered.exercised, covered.total)


def beside(file: Path) -> Path:
    """Return where the further examples of a policy file stand: NAME.examples.yaml beside NAME.yaml."""
    return file.with_name(f"{file.stem}.examples{file.suffix}")


def _beside(file: Path, policy: Policy) -> tuple[Example, ...]:
    """Return the examples that stand in a file of their own; none when that is not there or has errors."""
    path = beside(file)
    try:
        return read_example_file(content(path), str(path), policy).examples
    except OSError:
        return ()
