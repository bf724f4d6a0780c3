"""The small policy in both tongues, and texts that are read on top of its head."""

import dataclasses
from pathlib import Path
from typing import Any

from rules.policy import Mark, Policy, Test
from rules.reader import read

Test.__test__ = False  # a comparison of the policy language, no test case
SMALL = Path(__file__).parent / "policies" / "small.yaml"
SMALL_ZH = Path(__file__).parent / "policies" / "small_zh.yaml"
ENGLISH = SMALL.read_text(encoding="utf-8")
CHINESE = SMALL_ZH.read_text(encoding="utf-8")
BASE = """programme: club
facts:
  n: {count: contact}
  spend: {sum: amount, of: parts_purchase}
  growth: {ratio: spend, to: {sum: amount, of: parts_purchase, preceding: 12 months}}
traits:
  known: {title: 熟, when: {n: {at_least: 1}}}
  loyal: {title: 忠, when: {growth: {at_least: 130%}}}
tiers:
  - {id: low, title: 低}
  - {id: mid, title: 中, when: {traits: {at_least: 1}}, keep: {for: 12 months, then: one_down}}
  - {id: high, title: 高, when: {traits: {at_least: 2}}, keep: {for: 12 months, then: one_down}}
wallets:
  w: {title: 钱, unit: money}
  p: {title: 分, unit: points}
"""


def policy(text: str) -> Policy:
    reading = read(text, "x.yaml")
    assert reading.policy is not None, reading.show("en", "short")
    return reading.policy


def errors(text: str) -> list[str]:
    return [problem.code for problem in read(text, "x.yaml").problems if problem.severity == "error"]


def unmarked(value: Any) -> Any:
    """Return plain data without places: the tongues put things into other columns."""
    if isinstance(value, Mark):
        return None
    if dataclasses.is_dataclass(value):
        pairs = {field.name: unmarked(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return (type(value).__name__, pairs)
    if isinstance(value, dict):
        return {key: unmarked(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [unmarked(item) for item in value]
    return value


def condition(text: str) -> Any:
    found = policy(f"{BASE}lists:\n  l: {{title: 单, when: {text}}}\n").lists["l"].when
    return unmarked(found)
