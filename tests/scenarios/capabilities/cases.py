"""Situations that other loyalty and promotion systems test themselves on, each as a policy file of its own.

A case stands in `<area>/<name>.yaml` and begins with comments that say what it is about:

    # 情形：每满 10 元积 1 分，不满的舍去
    # Situation: one point for every full 10 CNY, the rest is dropped
    # Elsewhere: ERPNext (collection factor); Odoo (reward_point_mode "money")

Then comes a whole policy with its own examples, which anyone may run: `tierengine policy test FILE`. What only the
ledger can show (credit that pays, debt, lots, prizes) follows after a line `---` as a story, told to the real book
(see `story.py`). A situation outside the purpose has `# 不在范围：` and `# Outside:` instead of a policy.

docs/capabilities.md and the tables beside it are made from these headers:
`python -m tests.scenarios.capabilities.cases`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
DOCS: Final = HERE.parent.parent.parent / "docs"
_LABELS: Final = {
    "情形": "situation_zh",
    "Situation": "situation_en",
    "Elsewhere": "elsewhere",
    "不在范围": "outside_zh",
    "Outside": "outside_en",
}
_INDEX: Final = """\
# 能说什么 · What a policy can say

Situations on which other loyalty and promotion systems test themselves, in our own words, and some that only dealers
have. Each is a policy file with examples that a test runs, so that what stands here is true; run one yourself with
`tierengine policy test FILE`. Where a situation is outside the purpose, a sentence says why.

ERPNext, Odoo, Sylius, Vendure, Saleor and Medusa are open source: they are named for what their code and tests show, in
whatever way they answer it. Talon.One, Open Loyalty and Voucherify publish no tests: they are named where their public
documentation speaks of it, and were not tried.

每一种情形都是一个能跑的政策文件；不在范围内的，写明为什么。

"""
_HEAD: Final = """\
Made from the headers of the cases by `python -m tests.scenarios.capabilities.cases`; a test keeps the two equal.

| 情形 · situation | others that have it · 别处 | the case, or why not · 用例 |
|---|---|---|
"""
_HEADER: Final = re.compile(r"#\s?(\S+?)\s*[:：]\s*(.+)")


@dataclass(frozen=True, slots=True)
class Case:
    """One file: what it is about, the policy ("" where it is outside the purpose), and the story ("" = none)."""

    path: Path
    situation_zh: str
    situation_en: str
    elsewhere: str
    outside_zh: str
    outside_en: str
    policy: str
    story: str

    @property
    def name(self) -> str:
        """Return area/name."""
        return f"{self.path.parent.name}/{self.path.stem}"


def load(path: Path) -> Case:
    """Read a case; its header must be whole."""
    text = path.read_text(encoding="utf-8")
    found = dict.fromkeys(_LABELS.values(), "")
    last = ""
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        match = _HEADER.fullmatch(line)
        if match and match[1] in _LABELS:
            last = _LABELS[match[1]]
            assert not found[last], f"{path}: {match[1]} twice"
            found[last] = match[2].strip()
        else:
            assert last, f"{path}: {line}"
            found[last] += " " + line.lstrip("# ").strip()
    policy, _, story = text.partition("\n---\n")
    if found["outside_en"]:
        assert all(not line or line.startswith("#") for line in text.splitlines()), f"{path}: outside, yet a policy"
        policy = ""
    for name in ("situation_zh", "situation_en", "elsewhere"):
        assert found[name], f"{path}: {name} is missing"
    assert bool(found["outside_zh"]) == bool(found["outside_en"]), f"{path}: outside in one tongue only"
    return Case(path, **found, policy=policy, story=story)


def cases() -> tuple[Case, ...]:
    """Return every case, by area and name."""
    return tuple(load(path) for path in sorted(HERE.glob("*/*.yaml")))


def pages(found: tuple[Case, ...]) -> dict[str, str]:
    """Return the index and the page of each area: path below docs/ → text."""
    areas = tuple(dict.fromkeys(case.path.parent.name for case in found))
    made = {"capabilities.md": _INDEX + "".join(f"- [{area}](capabilities/{area}.md)\n" for area in areas)}
    for area in areas:
        rows = [
            "| "
            + " | ".join(
                cell.replace("|", "\\|")
                for cell in (
                    f"{case.situation_zh}<br>{case.situation_en}",
                    case.elsewhere,
                    f"{case.outside_zh}<br>{case.outside_en}"
                    if case.outside_en
                    else f"[{case.path.stem}](../../tests/scenarios/capabilities/{case.name}.yaml)",
                )
            )
            + " |"
            for case in found
            if case.path.parent.name == area
        ]
        made[f"capabilities/{area}.md"] = f"# {area}\n\n{_HEAD}" + "\n".join(rows) + "\n"
    return made


def main() -> None:
    """Write the pages."""
    (DOCS / "capabilities").mkdir(parents=True, exist_ok=True)
    for name, text in pages(cases()).items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
