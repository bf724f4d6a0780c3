"""The table of settings in docs/operating.md, made from the settings: `python -m tests.settings_page`."""

from pathlib import Path

from tierengine import settings

PAGE = Path(__file__).parent.parent / "docs" / "operating.md"
START, END = "<!-- settings: made by `make docs` -->\n", "<!-- /settings -->\n"


def table() -> str:
    rows = [
        f"| `{name}` | {f'`{default}`' if default else '–'} | {about.replace('|', chr(92) + '|')} |\n"
        for name, default, about in settings.document()
    ]
    return "\n| setting | default | what it does |\n|---|---|---|\n" + "".join(rows) + "\n"


def made(page: str) -> str:
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return before + START + table() + END + after


if __name__ == "__main__":
    PAGE.write_text(made(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
