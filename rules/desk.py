"""The desk at which a file is read: takes nodes, gives values, and notes every problem with its place.

A section asks for what it expects; when it is not there, the problem is noted and a harmless value comes back, so that
reading goes on and all problems are found at once. With one error noted, no policy comes of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Final, TypeVar

from rules import names, values
from rules.keys import WORDS
from rules.misspelt import mended
from rules.nodes import MAX_ENTRIES, Form, Nodes
from rules.noting import MAX_NOTED
from rules.policy import Mark, Text, Unit
from rules.source import Entries, Node, Scalar
from rules.titles import titled, titles_of
from rules.vocabulary import CATEGORIES, KINDS

MAX_TEXT: Final = 2_000
_ID: Final = re.compile(r"[^\W\d][\w\-]{0,63}")
_AROUND: Final = "“”‘’「」『』【】［］｛｝\"'"
_UNITS_ZH: Final = {"points": ("积分",), "CNY": ("元",)}
_SHOWN_QUOTES: Final = re.compile(r"“[^“”]*”|‘[^‘’]*’|「[^「」]*」|『[^『』]*』")

T = TypeVar("T")

# section → the code that says an id of it is not defined
_MISSING: Final = {
    "facts": "P410", "traits": "P405", "tiers": "P406", "wallets": "P407", "levels": "P408",
    "lanes": "P412", "rewards": "P412", "prices": "P412", "lists": "P412", "entitlements": "P412", "duties": "P412",
}  # fmt: skip


class Desk(Nodes):
    """Reads nodes for one file; knows the currency, what is defined, and what has been used."""

    def __init__(self) -> None:
        super().__init__()
        self.currency = "CNY"
        self.defined: dict[str, dict[str, Mark]] = {section: {} for section in _MISSING}
        self.titles: dict[str, dict[str, tuple[str, ...]]] = {section: {} for section in _MISSING}
        self.used: set[tuple[str, str]] = set()
        self.compared: list[tuple[str, Scalar, str]] = []  # texts that a field or attribute is compared with; its path
        self.fact_units: dict[str, Unit] = {}
        self.wallet_units: dict[str, str] = {}
        self.degrees: dict[str, tuple[str, ...]] = {}  # trait → its degrees, lowest first
        self.all_traits_counted = False

    # ---- values --------------------------------------------------------------------------------------------------

    def value(self, node: Node | None, about: str, read: Callable[[str], T], default: T) -> T:
        """Read one value with a function of `rules.values`; absent or refused: `default`."""
        found = self.scalar(node, about)
        if found is None or not self.well_typed(found):
            return default
        try:
            return read(found.text)
        except values.Refused as refused:
            zh = refused.zh or {"P314": ("是", "否")}.get(refused.code, _UNITS_ZH.get("".join(refused.allowed), ()))
            meant = mended(found.text, read) if len(self.problems) < MAX_NOTED else ""
            self.note(refused.code, found, found.text, refused.allowed, about, zh, meant)
            return default

    def integer(self, node: Node | None, about: str, default: int = 0, low: int = 0, high: int = values.LIMIT) -> int:
        """Read a whole number."""
        return self.value(node, about, lambda text: values.integer(text, low, high), default)

    def money(self, node: Node | None, about: str, default: int = 0, low: int = 0) -> int:
        """Read an amount of the programme's currency, in hundredths."""
        return self.value(node, about, lambda text: values.money(text, self.currency, low), default)

    def amount(self, node: Node | None, about: str, unit: str, low: int = 0) -> int:
        """Read an amount in a wallet's unit: "money" or "points"; any other (an unknown wallet) is not judged."""
        if unit == "points":
            return self.value(node, about, lambda text: values.points(text, low), 0)
        if unit == "money":
            return self.money(node, about, low=low)
        self.scalar(node, about)
        return 0

    def percent(self, node: Node | None, about: str, default: int = 0, low: int = 0, high: int = 10_000) -> int:
        """Read a percentage in basis points."""
        return self.value(node, about, lambda text: values.percent(text, low, high), default)

    def day(self, node: Node | None, about: str) -> date | None:
        """Read a date."""
        return self.value(node, about, values.day, None) if node is not None else None

    def yes(self, node: Node | None, about: str, *, default: bool = False) -> bool:
        """Read yes or no."""
        return self.value(node, about, values.yes_no, default)

    def length(self, node: Node | None, about: str, units: dict[values.TimeUnit, int], default: int = 0) -> int:
        """Read a length of time as a whole number of the unit that counts 1 in `units`."""
        found = self.value(node, about, values.length, None)
        if found is None or node is None:
            return default
        if found.unit not in units:
            self.note("P312", node, getattr(node, "text", ""), units, about, names.spelled(units, names.LENGTHS_ZH))
            return default
        return found.count * units[found.unit]

    def word(self, node: Node | None, about: str, words: tuple[str, ...], default: str) -> str:
        """Read one of a few words, in either tongue."""
        found = self.scalar(node, about)
        if found is None or not self.well_typed(found):
            return default
        name = names.canonical(values.plain(found.text), words, WORDS)
        if name is None:
            self.note("P315", found, found.text, words, about, names.words_zh(words))
            return default
        return name

    def text(self, node: Node | None, about: str, default: str = "") -> Text:
        """Read a sentence for people: `text` or `{zh, en}`; English falls back to Chinese, and Chinese to English."""
        if isinstance(node, Entries):
            form = self.form(node, about, ("zh", "en"))
            zh, en = self.line(form.get("zh"), form.path("zh")), self.line(form.get("en"), form.path("en"))
            if not node.pairs:
                self.note("P208", node, about=about)
            return Text(zh or en, en or zh)
        line = self.line(node, about) or default
        return Text(line, line)

    def line(self, node: Node | None, about: str) -> str:
        """Read a text as it is written."""
        found = self.scalar(node, about)
        if found is None:
            return ""
        if len(found.text) > MAX_TEXT:
            self.note("P320", found, about=about, allowed=(str(MAX_TEXT),))
            return ""
        if found.plain and _SHOWN_QUOTES.fullmatch(found.text.strip()):
            self.note("P322", found, found.text, (f'"{found.text.strip()[1:-1]}"',))
        return found.text.strip()

    def title(self, form: Form, name: str, key: Scalar) -> Text:
        """Read the title of something that members see; without one they see its id, which is worth a warning."""
        if "title" not in form:
            self.note("P517", key, name)
        return self.text(form.get("title"), form.path("title"), name)

    # ---- names ---------------------------------------------------------------------------------------------------

    def id(self, node: Node | None, about: str = "") -> str:
        """Read an id; "" when it cannot be one."""
        found = self.scalar(node, about) if about else node
        if not isinstance(found, Scalar):
            return ""
        # In the wrong quotes it is still the name: everything that uses it would be complained of as well.
        name = bare(found.text)
        if not self.well_typed(found) and not _ID.fullmatch(name):
            return ""
        if not _ID.fullmatch(name):
            self.note("P207", found, found.text)
            return ""
        return name

    def named(self, node: Node | None, about: str) -> Iterator[tuple[str, Scalar, Node]]:
        """Go through a mapping from ids to their definitions, up to a number no dealer needs."""
        for count, (written, value) in enumerate(self.entries(node, about)):
            if count >= MAX_ENTRIES:
                self.note("P212", written, about=about, allowed=(str(MAX_ENTRIES),))
                return
            name = self.id(written)
            if name:
                yield name, written, value

    def ids(self, node: Node | None, about: str) -> tuple[str, ...]:
        """Read a list of ids that nothing defines (roles, tiers of older files)."""
        return tuple(name for name in (self.id(item) for item in self.items_or_one(node, about)) if name)

    def define(self, section: str, name: str, mark: Mark, value: Node | None = None) -> None:
        """Remember that `section` defines `name`, and by which titles people may call it."""
        self.defined[section].setdefault(name, mark)
        self.titles[section].setdefault(name, titles_of(value))

    def reference(self, section: str, node: Node | None, about: str) -> str:
        """Read the id of something that the file defines; "" when it does not."""
        found = self.scalar(node, about)
        if found is None:
            return ""
        name = bare(found.text)
        if not self.well_typed(found):
            self.used.add((section, name))
            return ""
        if name not in self.defined[section]:
            meant = titled(found.text, self.titles[section]) if len(self.problems) < MAX_NOTED else ""
            self.note(_MISSING[section], found, found.text, self.defined[section], section, meant=meant)
            return ""
        self.used.add((section, name))
        return name

    def references(self, section: str, node: Node | None, about: str) -> tuple[str, ...]:
        """Read one or several ids of things that the file defines."""
        found = (self.reference(section, item, about) for item in self.items_or_one(node, about))
        return tuple(dict.fromkeys(name for name in found if name))

    def kinds(self, node: Node | None, about: str) -> tuple[str, ...]:
        """Read one or several event kinds, in either tongue."""
        found = []
        for item in self.items_or_one(node, about):
            name = names.canonical(values.plain(item.text), KINDS, names.KINDS_ZH)
            if name is None:
                self.note("P401", item, item.text, KINDS, about, names.spelled(KINDS, names.KINDS_ZH))
            else:
                found.append(name)
        return tuple(dict.fromkeys(found))

    def field(self, node: Node | None, about: str, kinds: tuple[str, ...], *, partly: bool = False) -> str:
        """Read the name of a field that these kinds carry; "" when none does, a warning when some do not (`partly`)."""
        found = self.scalar(node, about)
        if found is None or not self.well_typed(found) or not kinds:
            return ""
        carried = names.fields_of_all(kinds)
        name = names.canonical(values.plain(found.text), carried, names.FIELDS_ZH)
        if name is None:
            self.note("P402", found, found.text, carried, ", ".join(kinds), names.spelled(carried, names.FIELDS_ZH))
            return ""
        lacking = [kind for kind in kinds if name not in names.fields_of(kind)]
        if lacking and not partly:
            self.note("P403", found, found.text, about=", ".join(lacking))
        return name

    def categories(self, node: Node | None, about: str) -> tuple[str, ...]:
        """Read one or several line categories, in either tongue."""
        found = [self.category(item) for item in self.items_or_one(node, about)]
        return tuple(dict.fromkeys(name for name in found if name))

    def category(self, node: Scalar) -> str:
        """Read a line category; "" when there is none such."""
        name = names.canonical(values.plain(node.text), CATEGORIES, names.CATEGORIES_ZH)
        if name is None:
            self.note("P409", node, node.text, CATEGORIES, allowed_zh=names.spelled(CATEGORIES, names.CATEGORIES_ZH))
            return ""
        return name


def bare(text: str) -> str:
    """Return an id without the quotes of a Chinese keyboard, which are none to YAML."""
    return values.plain(text).strip(_AROUND)
