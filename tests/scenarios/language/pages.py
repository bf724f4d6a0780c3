"""The pages of the policy language, made from the grammar, its texts and the examples beside this file.

What stands on a page is said once, elsewhere: keys and spellings in `rules.keys`, shapes in `rules.grammar`,
sentences in `rules.schema_texts`, kinds and fields in `rules.vocabulary`. An example is a whole policy that anyone may
run; `<form>.<key>.yaml` is shown where that key is told of, and any example serves the keys that it uses.

`python -m tests.scenarios.language.pages` writes docs/language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rules.facts import UNITS
from rules.formatting import translated
from rules.grammar import FORMS
from rules.grammar.shapes import Either, Form, Leaf, ListOf, MapOf, Ref, Shape
from rules.keys import KEYS, WORDS
from rules.schema_leaves import typed
from rules.schema_texts import KEY_TEXTS, Said
from rules.schema_words import TYPE_TEXTS, WORD_TEXTS, field_text
from rules.vocabulary import ATTRIBUTES, CATEGORIES, FIELDS, KINDS
from tests.scenarios.language.usage import Used, used_in

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent.parent.parent
DOCS: Final = ROOT / "docs" / "language"
EXAMPLES: Final = HERE / "examples"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its section of the file ("" = of none), its forms, and the keys that are told of with an example."""

    name: str
    zh: str
    en: str
    section: str
    forms: tuple[str, ...]
    shown: tuple[tuple[str, str], ...]


def _of(form: str, *keys: str) -> tuple[tuple[str, str], ...]:
    return tuple((form, key) for key in keys)


_HOWS: Final = FORMS["fact"].one_of[0]
PAGES: Final[tuple[Page, ...]] = (
    Page("file", "整份文件", "The file", "", ("policy", "text"), _of("policy", "returned_as")),
    Page(
        "facts", "指标", "Facts", "facts", ("fact", "filters"),
        _of("fact", *_HOWS, "within", "preceding", "in", "where", "field", "unit", "checked_within", "to"),
    ),
    Page(
        "conditions", "条件", "Conditions", "", ("condition", "trait_condition", "line_condition", "test"),
        (*_of("condition", "all", "any", "none", "at_least", "traits", "trait", "tier"), *_of("test", "is", "of"),
         *_of("line_condition", "at_least"), *_of("trait_condition", "any")),
    ),
    Page(
        "traits", "特点", "Traits", "traits", ("trait", "degree", "attested"),
        _of("trait", "when", "degrees", "attested"),
    ),
    Page(
        "tiers", "等级", "Tiers", "tiers", ("tier", "keep"),
        _of("tier", "when", "unless", "keep", "promotion", "returns_undo", "replaces"),
    ),
    Page("lists", "名单", "Lists", "lists", ("list",), (*_of("list", "of"), *_of("fact", "days_since_last"))),
    Page(
        "wallets", "钱包", "Wallets", "wallets", ("wallet", "expires", "holds", "worth"),
        _of("wallet", "pays_for", "worth"),
    ),
    Page(
        "prices", "价格", "Prices", "prices", ("price", "lane", "less", "free", "least_money", "least_pieces"),
        _of("price", "pay", "off", "fixed", "less", "free", "lane"),
    ),
    Page("emissions", "传递", "Emissions", "emissions", ("emission",), _of("emission", "on")),
    Page(
        "rewards", "奖励", "Rewards", "rewards", ("reward", "class", "per", "exclusive", "budget"),
        (*_of("reward", "amount", "per", "nth", "by_class", "exclusive", "lane"), *_of("budget", "limit")),
    ),
    Page("entitlements", "权益", "Entitlements", "levels", ("level", "entitlement"), _of("entitlement", "quota")),
    Page("duties", "应尽服务", "Duties", "levels", ("duty",), _of("duty", "on", "every", "on_date", "on_standing")),
    Page(
        "awards", "评选", "Awards", "awards", ("award", "winners", "prize", "tax", "tie"),
        (*_of("award", "score", "measure"), *_of("prize", "share")),
    ),
    Page("examples", "示例", "Examples", "examples", ("example", "event", "expect", "line"), ()),
)  # fmt: skip
_EVENTS: Final = "events"

# What a value is, where the grammar's own sentence about wrong ones does not say it.
_VALUES: Final[dict[str, Said]] = {
    "id": ("编号", "an id"),
    "prose": ("一句话", "a sentence"),
    "text": ("文字", "a text"),
    "kind": (f"[事件]({_EVENTS}.md)", f"an [event]({_EVENTS}.md)"),
    "field": (f"[字段]({_EVENTS}.md)", f"a [field]({_EVENTS}.md)"),
    "attribute": (f"[属性]({_EVENTS}.md)", f"an [attribute]({_EVENTS}.md)"),
    "category": (f"[类别]({_EVENTS}.md)", f"a [category]({_EVENTS}.md)"),
    "money": ("金额", "money"),
    "amount": ("金额或积分", "money or points"),
    "percent": ("百分数", "a percentage"),
    "paid": ("几折或百分数", "the share that is paid"),
    "quantity": ("数，带它的单位", "a number, with its unit"),
    "integer": ("整数", "a whole number"),
    "length": ("时间长短", "a length of time"),
    "date": ("日期", "a date"),
    "moment": ("日期或时间", "a date or time"),
    "currency": ("币种", "a currency"),
    "timezone": ("时区", "a time zone"),
    "rung": ("第几次", "how-manieth"),
    "source": ("来源", "a source"),
}
_UNITS: Final = {
    "minutes": "分钟",
    "weeks": "周",
    "percent": "%",
    **{unit: WORDS[unit] for unit in UNITS if unit in WORDS},
}
# What else may be a key of a form: names of the vocabulary or of the file.
_OTHERS: Final[dict[str, Said]] = {
    "subject": ("指标的编号或客户属性 → 比较", "the id of a fact, or an attribute → a test"),
    "tested": ("事件的字段 → 比较", "a field of the event → a test"),
    "field": ("事件的字段 → 它的值", "a field of the event → its value"),
}
_DEFAULT_ZH: Final = re.compile(r"缺省([^；。，]+)|不写就?[是按]([^；。，]+)")
_DEFAULT_EN: Final = re.compile(r"[;,] ([^;,]+) unless said|^([^;,]+) unless said")


@dataclass(frozen=True, slots=True)
class Sample:
    """One runnable example: its file, and what of the grammar it uses."""

    path: Path
    text: str
    used: Used

    @property
    def name(self) -> str:
        """Return the file's name without its end: `fact.count`."""
        return self.path.stem


def samples() -> tuple[Sample, ...]:
    """Return every example, by name."""
    found = []
    for path in sorted(EXAMPLES.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        found.append(Sample(path, text, used_in(text)))
    return tuple(found)


def pages(found: Sequence[Sample]) -> dict[str, str]:
    """Return all pages: name of the file → text."""
    by_name = {sample.name: sample for sample in found}
    made = {f"{page.name}.md": "\n".join(_page(page, by_name)) + "\n" for page in PAGES}
    made[f"{_EVENTS}.md"] = "\n".join(_events()) + "\n"
    made["README.md"] = "\n".join(_index()) + "\n"
    return made


def example_of(form: str, key: str, found: Mapping[str, Sample]) -> Sample | None:
    """Return the example that serves a key: its own, or the shortest that uses it."""
    own = found.get(f"{form}.{key}")
    if own is not None:
        return own
    using = [sample for sample in found.values() if (form, key) in sample.used]
    return min(using, key=lambda sample: (len(sample.text), sample.name), default=None)


# ---- a page --------------------------------------------------------------------------------------------------------


def _page(page: Page, found: Mapping[str, Sample]) -> Iterator[str]:
    yield f"# {page.zh} · {page.en}"
    yield ""
    if page.section:
        zh, en = KEY_TEXTS["policy"][page.section]
        yield from (zh, "", en, "")
    yield "[目录 · index](README.md) · 本页由 `make docs` 生成 · made by `make docs`"
    for form, key in page.shown:
        yield from _shown(form, key, found)
    for form in page.forms:
        yield from _table(form, found)


def _shown(form: str, key: str, found: Mapping[str, Sample]) -> Iterator[str]:
    zh, en = KEY_TEXTS[form][key]
    yield from ("", f"## {_chinese(form, key)} · `{key}`", "", zh, "", en, "")
    sample = found.get(f"{form}.{key}")
    if sample is None:
        return
    path = sample.path.relative_to(ROOT).as_posix()
    yield f"`tierengine policy test` [{sample.path.name}](../../{path}):"
    yield from ("", "```yaml", sample.text.rstrip("\n"), "```", "")
    yield from ("<details><summary>English keys</summary>", "", "```yaml")
    yield translated(sample.text, "en").rstrip("\n")
    yield from ("```", "", "</details>")


def _table(form: str, found: Mapping[str, Sample]) -> Iterator[str]:
    yield from ("", f'<a id="{form}"></a>', "", f"### `{form}`", "")
    others = FORMS[form].others if form in FORMS else None
    if others is not None:
        zh, en = _OTHERS[others.source]
        link = "" if others.source == "field" else " ([比较 · a test](conditions.md#test))"
        yield from (f"{zh} · {en}{link}", "")
    if form in FORMS and not FORMS[form].keys:
        return
    yield "| 键 · key | 值 · value | 缺省 · default | 意思 · meaning | 例 · example |"
    yield "|---|---|---|---|---|"
    for key, said in KEY_TEXTS[form].items():
        if form in FORMS and key in FORMS[form].refused:
            continue
        sample = example_of(form, key, found)
        link = f"[{sample.name}](../../{sample.path.relative_to(ROOT).as_posix()})" if sample else "—"
        shape = _shape_of(form, key)
        cells = (
            f"`{_chinese(form, key)}`<br>`{key}`",
            "<br>".join(dict.fromkeys(_values(shape))) if shape is not None else "",
            _default(form, key, said),
            f"{said[0]}<br>{said[1]}",
            link,
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _chinese(form: str, key: str) -> str:
    return FORMS[form].chinese(key) if form in FORMS else KEYS[key]


def _shape_of(form: str, key: str) -> Shape | None:
    # A test has the type of what it tests.
    return FORMS[form].keys.get(key) if form in FORMS else None


def default_of(said: Said) -> tuple[str, str]:
    """Return what a key's sentence says of its default, in Chinese and English; "" when it has none."""
    zh, en = _DEFAULT_ZH.search(said[0]), _DEFAULT_EN.search(said[1])
    english = next((part for part in en.groups() if part), "") if en else ""
    return ((zh[1] or zh[2]).strip() if zh else "", english.strip())


def _default(form: str, key: str, said: Said) -> str:
    """Return what holds when the key is not written: the key's own sentence says it."""
    found = FORMS.get(form)
    if found is not None and key in found.required:
        return "必写 · required"
    if found is not None and any(key in group for group in found.one_of):
        return "几样里必写一样 · one of several"
    zh, en = default_of(said)
    return f"{zh}<br>{en}" if zh and en else zh or "—"


def _values(shape: Shape) -> Iterator[str]:
    """Say what may stand there: the type with its units, the words with their sentences, or the form."""
    if isinstance(shape, Ref):
        place = next((page.name for page in PAGES if shape.form in page.forms), "")
        yield f"[`{shape.form}`]({place}.md#{shape.form})"
    elif isinstance(shape, Leaf):
        yield from _leaf(shape)
    elif isinstance(shape, ListOf):
        many = "一个或几个 · one or several:" if shape.one else "列表 · a list:"
        yield f"{many} {'; '.join(dict.fromkeys(_values(shape.item)))}"
    elif isinstance(shape, MapOf):
        yield f"{' / '.join(_leaf(shape.key))} → {'; '.join(_values(shape.value))}"
    elif isinstance(shape, Either):
        for part in (shape.scalar, shape.items, shape.mapping):
            if part is not None:
                yield from _values(part)
    elif isinstance(shape, Form):
        yield "[比较 · a test](conditions.md#test)"


def _leaf(leaf: Leaf) -> Iterator[str]:
    if leaf.type not in ("word", "yes"):
        zh, en = _VALUES[leaf.type]
        units = f"（{'、'.join(_UNITS[unit] for unit in leaf.units)}）" if leaf.units else ""
        shown = {tongue: typed(leaf, tongue).get("examples", []) for tongue in ("zh", "en")} if _has_form(leaf) else {}
        yield f"{zh}{units}{_quoted(shown.get('zh', []))} · {en}{_quoted(shown.get('en', []))}"
    if leaf.type == "yes":
        yield from (f"`{WORDS[name]}` `{name}`" for name in ("yes", "no"))
    for name in leaf.words:
        # 之后 of a ladder is not the 之后 of a standing.
        said = WORD_TEXTS.get(name) if leaf.type != "rung" else None
        yield f"`{WORDS.get(name) or KEYS[name]}` `{name}`" + (f" {said[0]} {said[1]}" if said else "")


def _has_form(leaf: Leaf) -> bool:
    return leaf.type not in ("kind", "field", "attribute", "category", "source", "id", "prose", "text")


def _quoted(examples: Sequence[object]) -> str:
    return ", ".join(f" `{one}`" for one in examples).replace(",  ", ", ")


# ---- the vocabulary, the index -------------------------------------------------------------------------------------


def _events() -> Iterator[str]:
    yield from ("# 事件、字段、属性、类别 · Events, fields, attributes, categories", "")
    yield "[目录 · index](README.md) · 本页由 `make docs` 生成 · made by `make docs`"
    yield from ("", "## 事件 · Events", "", "| 事件 · event | 字段 · fields (必有 · required: **bold**) |", "|---|---|")
    for kind in KINDS.values():
        fields = [
            f"**{FIELDS[name].zh}** `{name}`" if name in kind.required else f"{FIELDS[name].zh} `{name}`"
            for name in kind.fields
        ]
        lines = [f"{FIELDS[name].zh} `{name}`" for name in kind.lines]
        more = f"<br>每行 · each line: {', '.join(lines)}" if lines else ""
        derived = "<br>由别人的事件传来 · emitted by another member's event" if kind.derived else ""
        yield f"| {kind.zh}<br>`{kind.id}` | {', '.join(fields) or '—'}{more}{derived} |"
    yield from ("", "## 字段 · Fields", "", "| 字段 · field | 是什么 · what it is |", "|---|---|")
    yield from (f"| {one.zh} `{one.id}` | {' '.join(field_text(one.id))} |" for one in FIELDS.values())
    yield from (
        "",
        "## 客户属性 · Attributes",
        "",
        "| 属性 · attribute | 是什么 · what it is | 由谁变 · set by |",
        "|---|---|---|",
    )
    for attribute in ATTRIBUTES.values():
        by = KINDS[attribute.set_by[0]]
        yield f"| {attribute.zh} `{attribute.id}` | {' '.join(TYPE_TEXTS[attribute.type])} | {by.zh} `{by.id}` |"
    yield from ("", "## 类别 · Categories", "", "| 类别 · category | 记为 · becomes |", "|---|---|")
    for name, (chinese, kind_id) in CATEGORIES.items():
        yield f"| {chinese} `{name}` | {KINDS[kind_id].zh} `{kind_id}` |"


def _index() -> Iterator[str]:
    yield from ("# 政策语言 · The policy language", "")
    yield "政策文件里能写什么：每个键的意思、单位、缺省、可以写的值，各有能跑的例子。键写中文、英文都行，也可以混着写。"
    yield ""
    yield "What a policy file can say: what each key means, its units, its default and what may stand there, each with"
    yield "an example that runs. Keys may be Chinese or English, mixed; `tierengine policy schema` tells editors."
    yield ""
    for page in PAGES:
        shown = ", ".join(dict.fromkeys(_chinese(form, key) for form, key in page.shown))
        yield f"- [{page.zh} · {page.en}]({page.name}.md)" + (f": {shown}" if shown else "")
    yield f"- [事件、字段、属性、类别 · Events, fields, attributes, categories]({_EVENTS}.md)"


def main() -> None:
    """Write the pages, and take away what is no page any more."""
    made = pages(samples())
    DOCS.mkdir(parents=True, exist_ok=True)
    for path in DOCS.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
