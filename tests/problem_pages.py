"""Makes docs/problems.md and docs/problems.en.md out of the catalogue: `python -m tests.problem_pages`."""

from __future__ import annotations

from pathlib import Path

from rules.catalogue import CATALOGUE
from rules.explanations.explanation import Explanation, explain
from rules.problems import Lang

DOCS = Path(__file__).parent.parent / "docs"
PAGES: dict[Lang, Path] = {"zh": DOCS / "problems.md", "en": DOCS / "problems.en.md"}

_HEAD: dict[Lang, str] = {
    "zh": """# 政策文件的问题

[English](problems.en.md)

`tierengine policy check policies.yaml` 一次列出文件里的全部问题：在哪一行哪一列、写的是什么、可以写什么、
是不是想写别的、怎么改。有错误的文件不能发布，正在执行的政策不受影响；只有提醒的可以发布。
`tierengine policy explain P303` 说明一个编号。编号不会改变意思。

| 编号 | | 问题 |
|---|---|---|
""",
    "en": """# Problems of a policy file

[中文](problems.md)

`tierengine policy check policies.yaml` lists every problem of a file at once: its line and column, what was found, what
is allowed, what was probably meant, and how to mend it. A file with an error is not published, and the policy in force
stays in force; warnings alone keep nothing from being published. `tierengine policy explain P303` explains one code.
A code never changes its meaning.

| code | | problem |
|---|---|---|
""",
}
_GROUPS: dict[str, tuple[str, str]] = {
    "P1": ("文字和 YAML", "The text"), "P2": ("键", "Keys"), "P3": ("值", "Values"), "P4": ("名字", "Names"),
    "P5": ("意思", "Meaning"),
}  # fmt: skip
_WORDS: dict[Lang, tuple[str, str, str, str, str]] = {
    "zh": ("错误", "提醒", "怎么改", "这样写不行", "这样写可以"),
    "en": ("error", "warning", "help", "This fails", "This is right"),
}


def page(lang: Lang) -> str:
    """Return the page in one language."""
    every = [explain(code, lang) for code in CATALOGUE]
    rows = [f"| [{one.code}](#{one.code.lower()}) | {_severity(one, lang)} | {one.title} |\n" for one in every]
    parts = [_HEAD[lang], *rows]
    group = ""
    for one in every:
        if one.code[:2] != group:
            group = one.code[:2]
            parts.append(f"\n# {_GROUPS[group][0 if lang == 'zh' else 1]}\n")
        parts.append(_entry(one, lang))
    parts.append(f"\n<!-- {'由' if lang == 'zh' else 'made by'} `python -m tests.problem_pages` -->\n")
    return "".join(parts)


def _severity(one: Explanation, lang: Lang) -> str:
    return _WORDS[lang][0 if one.severity == "error" else 1]


def _entry(one: Explanation, lang: Lang) -> str:
    help_, fails, right = _WORDS[lang][2:]
    saved = "" if one.encoding == "utf-8" else f" ({one.encoding.upper()})"
    mended = "".join(f"{line}\n" for line in one.mended.rstrip("\n").split("\n"))
    wrong = "".join(f"{line}\n" for line in one.lines())
    return (
        f'\n## <a id="{one.code.lower()}"></a>{one.code} {one.title}\n\n{one.sentence}\n\n**{help_}**: {one.help}\n\n'
        f"{fails}{saved}:\n\n```text\n{wrong}```\n\n{right}:\n\n```yaml\n{mended}```\n"
    )


if __name__ == "__main__":
    for lang, path in PAGES.items():
        path.write_text(page(lang), encoding="utf-8")
