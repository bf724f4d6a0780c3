"""The desk at which a file is read: takes nodes, gives values, and notes every problem with its place.

A section asks for what it expects; when it is not there, the problem is noted and a harmless value comes back, so that
reading goes on and all problems are found at once. With one error noted, no policy comes of it.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Final, TypeVar

from rules import names, values
from rules.catalogue import CATALOGUE
from rules.keys import WORDS
from rules.misspelt import mended
from rules.policy import Mark, Text, Unit
from rules.problems import Problem
from rules.source import Entries, Items, Node, Scalar
from rules.suggestions import nearest
from rules.titles import titled, titles_of
from rules.vocabulary import CATEGORIES, KINDS

MAX_TEXT: Final = 2_000
MAX_ENTRIES: Final = 1_000
MAX_NOTED: Final = 2_000
MAX_FOUND: Final = 200
_ID: Final = re.compile(r"[^\W\d][\w\-]{0,63}")
_MISTYPED: Final = re.compile(r"[，、：“”‘’「」『』【】［］｛｝＃；#]")
_AROUND: Final = "“”‘’「」『』【】［］｛｝\"'"
_INSTEAD: Final = {"、": ",", "【": "[", "】": "]"} | dict.fromkeys("“”‘’「」『』", '"')
_UNITS_ZH: Final = {"points": ("积分",), "CNY": ("元",)}
_SHOWN_QUOTES: Final = re.compile(r"“[^“”]*”|‘[^‘’]*’|「[^「」]*」|『[^『』]*』")
MAX_GUESSES: Final = 20
"""So many unknown keys of a file are read as what they were probably meant to be."""
_ABSENT: Final = ("", "~", "null")

T = TypeVar("T")

# section → the code that says an id of it is not defined
_MISSING: Final = {
    "facts": "P410", "traits": "P405", "tiers": "P406", "wallets": "P407", "levels": "P408",
    "lanes": "P412", "rewards": "P412", "prices": "P412", "lists": "P412", "entitlements": "P412", "duties": "P412",
}  # fmt: skip


class Form:
    """A mapping with known keys, each given in either tongue; `about` is its path in the file."""

    def __init__(self, mark: Mark, about: str, found: dict[str, tuple[Scalar, Node]]) -> None:
        self.mark = mark
        self.about = about
        self._found = found

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def get(self, key: str) -> Node | None:
        """Return what stands under `key`, or None."""
        entry = self._found.get(key)
        return entry[1] if entry else None

    def key(self, key: str) -> Scalar:
        """Return the key as written; it must be there."""
        return self._found[key][0]

    def path(self, key: str) -> str:
        """Return the path of `key`."""
        return f"{self.about}.{key}" if self.about else key

    def keys(self) -> tuple[str, ...]:
        """List the canonical keys that are there, in file order."""
        return tuple(self._found)


class Desk:
    """Reads nodes for one file; knows the currency, what is defined, and what has been used."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.noted: Counter[str] = Counter()  # by severity, also those beyond what is kept
        self._tuples: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.currency = "CNY"
        self.defined: dict[str, dict[str, Mark]] = {section: {} for section in _MISSING}
        self.titles: dict[str, dict[str, tuple[str, ...]]] = {section: {} for section in _MISSING}
        self.used: set[tuple[str, str]] = set()
        self.compared: list[tuple[str, Scalar, str]] = []  # texts that a field or attribute is compared with; its path
        self.fact_units: dict[str, Unit] = {}
        self.wallet_units: dict[str, str] = {}
        self.degrees: dict[str, tuple[str, ...]] = {}  # trait → its degrees, lowest first
        self.all_traits_counted = False
        self._guesses = 0

    # ---- noting --------------------------------------------------------------------------------------------------

    def note(
        self,
        code: str,
        at: Node | Mark,
        found: str = "",
        allowed: Iterable[str] = (),
        about: str = "",
        allowed_zh: Iterable[str] = (),
        meant: str = "",
    ) -> None:
        """Note a problem at a node or mark."""
        mark, length = (at, 1) if isinstance(at, Mark) else (at.mark, at.length)
        severity = CATALOGUE[code].severity
        self.noted[severity] += 1
        if self.noted[severity] > MAX_NOTED:
            return
        # Names are given as dicts and tuples that live anyway: thousands of problems share them.
        names_en, names_zh = self._shared(allowed), self._shared(allowed_zh)
        self.problems.append(
            Problem(code, mark, found[:MAX_FOUND], names_en, about[:MAX_FOUND], names_zh, length, meant=meant)
        )

    def _shared(self, allowed: Iterable[str]) -> tuple[str, ...]:
        found = tuple(itertools.islice(allowed, MAX_ENTRIES))
        return self._tuples.setdefault(found, found)

    def shape(self, node: Node, about: str, wanted: str) -> None:
        """Note that a mapping, list or text was wanted; `wanted` is its English name."""
        zh = {"mapping": "一组键", "list": "列表", "text": "一个值"}
        found = "text" if isinstance(node, Scalar) else "list" if isinstance(node, Items) else "mapping"
        if isinstance(node, Scalar) and absent(node):
            self.note("P208", node, about=about)
        else:
            self.note("P204", node, found, (wanted,), about, (zh[wanted],))

    # ---- shapes --------------------------------------------------------------------------------------------------

    def form(self, node: Node | None, about: str, keys: tuple[str, ...], required: tuple[str, ...] = ()) -> Form:
        """Read a mapping with the given keys; what is unknown, twice or missing is noted."""
        if node is None:
            return Form(Mark(1, 1), about, {})
        if not isinstance(node, Entries):
            self.shape(node, about, "mapping")
            return Form(node.mark, about, {})
        found: dict[str, tuple[Scalar, Node]] = {}
        unknown: list[tuple[Scalar, Node]] = []
        for written, value in node.pairs:
            name = names.key(values.plain(written.text), keys)
            if name is None and written.plain and isinstance(value, Scalar) and value.plain and not value.text:
                self.note("P211", written, written.text, about=about)
            elif name is None:
                self.note("P201", written, written.text, keys, about, names.keys_zh(keys))
                unknown.append((written, value))
            elif name in found:
                self.note("P202", written, written.text, about=str(found[name][0].mark.line))
            else:
                found[name] = (written, value)
        for written, value in unknown:
            meant = self._meant(written.text, tuple(key for key in keys if key not in found))
            if meant is not None:
                found[meant] = (written, value)
        for name in required:
            if name not in found:
                self.note("P203", node, allowed=(name,), about=about, allowed_zh=names.keys_zh((name,)))
        return Form(node.mark, about, found)

    def _meant(self, text: str, keys: tuple[str, ...]) -> str | None:
        """Return the key that a misspelt one was meant to be, so that what stands under it is read and not missed."""
        self._guesses += 1
        if self._guesses > MAX_GUESSES:
            return None
        return names.key(nearest(text, (*keys, *names.keys_zh(keys))), keys)

    def entries(self, node: Node | None, about: str) -> Iterator[tuple[Scalar, Node]]:
        """Go through a mapping whose keys the writer chooses; a key that comes twice is noted and left out."""
        if node is None:
            return
        if not isinstance(node, Entries):
            self.shape(node, about, "mapping")
            return
        seen: dict[str, Mark] = {}
        for written, value in node.pairs:
            name = values.plain(written.text)
            if name in seen:
                self.note("P202", written, written.text, about=str(seen[name].line))
            else:
                seen[name] = written.mark
                yield written, value

    def named(self, node: Node | None, about: str) -> Iterator[tuple[str, Scalar, Node]]:
        """Go through a mapping from ids to their definitions, up to a number no dealer needs."""
        for count, (written, value) in enumerate(self.entries(node, about)):
            if count >= MAX_ENTRIES:
                self.note("P212", written, about=about, allowed=(str(MAX_ENTRIES),))
                return
            name = self.id(written)
            if name:
                yield name, written, value

    def items(self, node: Node | None, about: str, most: int = MAX_ENTRIES) -> tuple[Node, ...]:
        """Read a list of at most so many items."""
        if node is None:
            return ()
        if isinstance(node, Items):
            if len(node.items) > most:
                self.note("P212", node.items[most], about=about, allowed=(str(most),))
            return node.items[:most]
        self.shape(node, about, "list")
        return ()

    def items_or_one(self, node: Node | None, about: str) -> tuple[Scalar, ...]:
        """Read a list of texts, or one text as a list of one."""
        if node is None:
            return ()
        found = []
        for item in node.items if isinstance(node, Items) else (node,):
            if not isinstance(item, Scalar):
                self.shape(item, about, "text")
            elif absent(item):
                self.note("P208", item, about=about)
            elif self.well_typed(item):
                found.append(item)
        return tuple(found)

    def scalar(self, node: Node | None, about: str) -> Scalar | None:
        """Read a single value that is there."""
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self.shape(node, about, "text")
            return None
        if absent(node):
            self.note("P208", node, about=about)
            return None
        return node

    def well_typed(self, node: Scalar) -> bool:
        """Refuse full-width punctuation in a bare word, number or id: it is a typing error there, never prose."""
        match = _MISTYPED.search(node.text) if node.plain else None
        if match is None:
            return True
        found = match.group()
        if found == "#":
            self.note("P122", Mark(node.mark.line, node.mark.column + match.start()), node.text)
            return False
        instead = _INSTEAD.get(found, values.plain(found))
        place = Mark(node.mark.line, node.mark.column + match.start()) if match.start() < node.length else node.mark
        self.note("P108", place, found, (instead,))
        return False

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
            self.note("P312", node, getattr(node, "text", ""), units, about)
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

    def one_of(self, form: Form, keys: tuple[str, ...]) -> str:
        """Return the one key of several that is there; none or two of them are noted ("" for none)."""
        there = [name for name in form.keys() if name in keys]  # noqa: SIM118
        if not there:
            self.note("P206", form.mark, allowed=keys, about=form.about, allowed_zh=names.keys_zh(keys))
            return ""
        if len(there) > 1:
            second = form.key(there[1])
            self.note("P205", second, ", ".join(there), keys, form.about, names.keys_zh(keys))
        return there[0]

    def without_effect(self, form: Form, *keys: str) -> None:
        """Note the keys that say nothing in the form they stand in."""
        for name in keys:
            if name in form:
                self.note("P210", form.key(name), form.key(name).text, about=form.about)


def bare(text: str) -> str:
    """Return an id without the quotes of a Chinese keyboard, which are none to YAML."""
    return values.plain(text).strip(_AROUND)


def absent(node: Node) -> bool:
    """Tell whether a value was left empty."""
    return isinstance(node, Scalar) and (
        not node.text.strip() if not node.plain else node.text.strip().casefold() in _ABSENT
    )
