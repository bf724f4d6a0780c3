"""Why, and why not: what the judge found, said in sentences, in Chinese and in English.

A sentence names what was measured, what it is and what it should be: "近 60 个月购机台数 1，需要 ≥ 2". Names and titles
are the policy's own; where a title has no English, the id stands for it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from rules.judge import Explanation, Inputs, Judged, explain_condition, first_failing
from rules.policy import Degree, Policy, Subject, Text, Trait
from rules.policy.text import title
from rules.vocabulary import ATTRIBUTES, CATEGORIES, FIELDS

_ZH: Final = {
    "at_least": " ≥ ", "more_than": " > ", "at_most": " ≤ ", "less_than": " < ",
    "is": "为 ", "is_not": "不为 ", "in": "属于 ", "not_in": "不属于 ",
}  # fmt: skip
_EN: Final = {
    "at_least": "at least ", "more_than": "more than ", "at_most": "at most ", "less_than": "less than ", "is": "",
    "is_not": "other than ", "in": "one of ", "not_in": "none of ",
}  # fmt: skip

# Whether a test for there being any value holds, and whether it stands under `none` → the sentence.
_ON_RECORD: Final = {
    (True, False): ("有记录", "which is on record"),
    (False, False): ("需要有记录", "needs to be on record"),
    (True, True): ("需要没有记录", "must not be on record"),
    (False, True): ("本来就要没有", "as it should be"),
}


def both(zh: str, en: str) -> Text:
    """Return a sentence in both languages."""
    return Text(zh, en)


def said(text: Text, lang: str) -> str | dict[str, str]:
    """Return a sentence as it is sent: in one language, or, when `lang` is "", in both."""
    return text.say(lang) if lang else {"zh": text.zh, "en": text.en}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was given or not: a stable code, the sentence, and the test that decided, if one did."""

    code: str
    text: Text
    test: dict[str, Any] | None = None

    def plain(self, lang: str) -> dict[str, Any]:
        """Return the JSON form."""
        found: dict[str, Any] = {"code": self.code, "why": said(self.text, lang)}
        if self.test is not None:
            found["condition"] = {
                **self.test,
                "sentence": said(self.test["sentence"], lang),
                "title": said(self.test["title"], lang),
            }
        return found


class Words:
    """How one policy's subjects and values are called."""

    def __init__(self, policy: Policy) -> None:
        self.policy: Final = policy

    def subject(self, subject: Subject) -> Text:
        """Return the name of what a test reads."""
        name = subject.name
        match subject.source:
            case "fact":
                fact = self.policy.facts.get(name)
                return title(fact.title, name) if fact is not None else Text(name, name)
            case "attribute":
                known = ATTRIBUTES.get(name)
                return Text(known.zh if known else name, name.replace("_", " "))
            case "field":
                field = FIELDS.get(name)
                return Text(field.zh if field else name, name.replace("_", " "))
            case "trait":
                trait = self.policy.traits.get(name.partition(".")[0])
                return _trait_title(trait, name) if trait is not None else Text(name, name)
            case "traits":
                return Text("满足的特点", "traits met")
            case _:
                return Text("等级", "tier")

    def value(self, subject: Subject, value: object) -> Text:
        """Return a value as people write it: money in yuan, shares in percent, ids by their titles."""
        if isinstance(value, tuple):
            parts = [self.value(subject, one) for one in value]
            return Text("、".join(one.zh for one in parts), ", ".join(one.en for one in parts))
        type_ = self._type(subject)
        if isinstance(value, int):
            return _number(value, type_)
        text = str(value)
        if subject.source == "tier":
            return self.tier(text)
        if subject.name == "category" and text in CATEGORIES:
            return Text(CATEGORIES[text][0], text)
        return Text(text, text)

    def _type(self, subject: Subject) -> str:
        if subject.source == "fact":
            fact = self.policy.facts.get(subject.name)
            return fact.unit if fact is not None else "count"
        if subject.source == "attribute":
            return ATTRIBUTES[subject.name].type if subject.name in ATTRIBUTES else "text"
        if subject.source == "field":
            return FIELDS[subject.name].type if subject.name in FIELDS else "text"
        return "bool" if subject.source == "trait" else "count"

    def tier(self, tier_id: str) -> Text:
        """Return the title of a tier."""
        for tier in self.policy.tiers:
            if tier.id == tier_id:
                return title(tier.title, tier_id)
        return Text(tier_id or "无", tier_id or "none")

    def tiers(self, ids: Sequence[str]) -> Text:
        """Return the titles of tiers, as alternatives."""
        found = [self.tier(one) for one in ids]
        return Text("、".join(one.zh for one in found), ", ".join(one.en for one in found))

    def test(self, found: Explanation, *, negated: bool = False) -> Text:
        """Return the sentence of one test: what was seen, and what it should (or, negated, should not) be."""
        if found.subject is None or found.op is None:
            return Text("没有列出条件", "no condition is listed")
        name = self.subject(found.subject)
        required = self.value(found.subject, found.required)
        if found.observed is None:
            seen = Text("没有记录", "not on record")
        else:
            seen = self.value(found.subject, found.observed)
        if self._of_presence(found):
            zh, en = _ON_RECORD[found.holds, negated]
            return Text(f"{name.zh} {seen.zh}，{zh}", f"{name.en}: {seen.en}, {en}")
        if negated:
            zh, en = ("不得", "must not be ") if found.holds else ("没有", "which is not ")
        else:
            zh, en = ("达到", "which is ") if found.holds else ("需要", "needs ")
        zh_op, en_op = _ZH[found.op], _EN[found.op]
        return Text(
            f"{name.zh} {seen.zh}，{zh}{zh_op}{required.zh}",
            f"{name.en}: {seen.en}, {en}{en_op}{required.en}",
        )

    def _of_presence(self, found: Explanation) -> bool:
        """Tell whether any text or date would do: `有`."""
        subject = found.subject
        dated = subject is not None and subject.source != "fact" and self._type(subject) == "date"
        return (found.op, found.required) in ((("at_least", 1),) if dated else (("is_not", ""),))

    def plain(self, found: Explanation, *, negated: bool = False) -> dict[str, Any]:
        """Return one test as JSON; `ok` says whether it does what the condition around it asks of it."""
        subject = found.subject or Subject("traits")
        return {
            "source": subject.source,
            "name": subject.name,
            "title": self.subject(subject),
            "op": found.op,
            "required": list(found.required) if isinstance(found.required, tuple) else found.required,
            "observed": found.observed,
            "unit": self._type(subject),
            "negated": negated,
            "ok": found.holds != negated,
            "sentence": self.test(found, negated=negated),
        }

    def conditions(self, found: Explanation, lang: str) -> list[dict[str, Any]]:
        """Return all tests of a condition, in file order, as JSON."""
        return [
            {**plain, "title": said(plain["title"], lang), "sentence": said(plain["sentence"], lang)}
            for plain in (self.plain(test, negated=negated) for test, negated in conditions_of(found))
        ]

    def failing(self, found: Explanation, code: str) -> Reason | None:
        """Return why a condition does not hold: its first failing test; None when it holds."""
        test = first_failing(found)
        if test is None:
            return None
        # A test that keeps a condition from holding although it holds itself stands under `none`.
        plain = self.plain(test, negated=test.holds)
        return Reason(code, plain["sentence"], plain if test.subject is not None else None)


def conditions_of(found: Explanation, *, negated: bool = False) -> Iterator[tuple[Explanation, bool]]:
    """Yield the tests of a condition with whether they stand under `none`."""
    if not found.parts:
        yield found, negated
        return
    for part in found.parts:
        yield from conditions_of(part, negated=negated != (found.how == "none"))


def missing(found: Explanation, *, negated: bool = False) -> Iterator[tuple[Explanation, bool]]:
    """Yield the tests that would have to change: all failing ones of an `all`, every way out of an `any`."""
    if found.holds != negated:
        return
    if not found.parts:
        yield found, negated
        return
    for part in found.parts:
        yield from missing(part, negated=negated != (found.how == "none"))


def _number(value: int, type_: str) -> Text:
    if type_ == "money":
        yuan, fen = divmod(abs(value), 100)
        amount = f"{'-' if value < 0 else ''}{yuan:,}" + (f".{fen:02d}" if fen else "")
        return Text(f"{amount} 元", f"CNY {amount}")
    if type_ == "percent":
        whole, rest = divmod(abs(value), 100)
        share = f"{'-' if value < 0 else ''}{whole}" + (f".{rest:02d}".rstrip("0") if rest else "") + "%"
        return Text(share, share)
    if type_ == "bool":
        return Text("是", "yes") if value else Text("否", "no")
    if type_ == "date" and 0 < value <= date.max.toordinal():
        day = date.fromordinal(value).isoformat()
        return Text(day, day)
    return Text(str(value), str(value))


def amount_text(amount: int, unit: str) -> Text:
    """Return an amount of a wallet: fen as yuan, points as points."""
    return _number(amount, "money") if unit == "money" else Text(f"{amount} 分", f"{amount} points")


def _trait_title(trait: Trait, name: str) -> Text:
    """Return how a trait is called, or one of its degrees: named `trait.degree`."""
    called = title(trait.title, trait.id)
    degree = next((one for one in trait.degrees if name == f"{trait.id}.{one.id}"), None)
    if degree is None:
        return called
    far = title(degree.title, degree.id)
    return Text(f"{called.zh}（{far.zh}）", f"{called.en} ({far.en})")


def degree_of(trait: Trait, judged: Judged) -> Degree | None:
    """Return how far the trait goes: the highest of its degrees that holds."""
    return next((one for one in reversed(trait.degrees) if f"{trait.id}.{one.id}" in judged.degrees), None)


def trait_reason(words: Words, trait: Trait, inputs: Inputs, judged: Judged) -> tuple[Reason, Explanation | None]:
    """Return why a trait is met or not, and what its condition found."""
    found = explain_condition(trait.when, inputs, judged) if trait.when is not None else None
    if trait.id in judged.met:
        if found is not None and found.holds:
            test, negated = next((one for one in conditions_of(found) if one[0].holds != one[1]), (found, False))
            plain = words.plain(test, negated=negated)
            return Reason("met", plain["sentence"], plain if test.subject is not None else None), found
        return Reason("attested", both("有认定在有效期内", "an attestation is in force")), found
    if found is None:
        return Reason("not_attested", both("没有在有效期内的认定", "no attestation is in force")), found
    return words.failing(found, "not_met") or Reason("not_met", both("不满足", "not met")), found
