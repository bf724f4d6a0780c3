"""The pages are those that would be made, and no key of the grammar is without its sentence and its example."""

from __future__ import annotations

from rules.grammar import FORMS
from rules.schema_texts import KEY_TEXTS
from tests.scenarios.language.pages import DOCS, EXAMPLES, PAGES, example_of, pages, samples

FOUND = samples()
BY_NAME = {sample.name: sample for sample in FOUND}
MAKE = "run `make docs` and commit what it writes"


def test_the_pages_are_those_that_would_be_made() -> None:
    made = pages(FOUND)
    there = {path.name: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
    assert sorted(there) == sorted(made), MAKE
    assert [name for name, text in made.items() if there[name] != text] == [], MAKE


def test_every_form_of_the_grammar_is_on_a_page() -> None:
    shown = [form for page in PAGES for form in page.forms]
    assert len(set(shown)) == len(shown), "a form on two pages"
    lacking = sorted((FORMS.keys() | KEY_TEXTS.keys()) - set(shown))
    assert not lacking, f"{lacking} are in the grammar and on no page: add them to PAGES in {__package__}.pages"


def test_every_key_has_its_sentence_and_an_example_that_runs() -> None:
    silent = [f"{form}.{key}" for form, one in FORMS.items() for key in one.keys if key not in KEY_TEXTS.get(form, {})]
    assert not silent, f"{silent} have no sentence: add them to KEY_TEXTS in rules/schema_texts.py"
    lacking = [
        f"{form}.{key}"
        for form, keys in KEY_TEXTS.items()
        for key in keys
        if key not in (FORMS[form].refused if form in FORMS else ()) and example_of(form, key, BY_NAME) is None
    ]
    folder = EXAMPLES.relative_to(DOCS.parent.parent)
    assert not lacking, f"{lacking} are used by no example: use them in a policy of {folder}, then {MAKE}"


def test_what_one_must_choose_among_is_shown_with_an_example_of_its_own() -> None:
    """A new kind of fact, price, reward, duty or trait is told of on its page, not only in its table."""
    shown = {pair for page in PAGES for pair in page.shown}
    for form in ("fact", "trait", "price", "reward", "duty", "award"):
        for key in FORMS[form].one_of[0]:
            assert (form, key) in shown, f"{form}.{key} is told of on no page: add it to PAGES in {__package__}.pages"
    lacking = [f"{form}.{key}.yaml" for form, key in sorted(shown) if f"{form}.{key}" not in BY_NAME]
    assert not lacking, f"write {lacking} in {EXAMPLES.name}/"
    for form, key in shown:
        assert (form, key) in BY_NAME[f"{form}.{key}"].used, f"{form}.{key}.yaml does not use {key}"


def test_links_lead_somewhere() -> None:
    made = pages(FOUND)
    for name, text in made.items():
        for part in text.split("](")[1:]:
            link, _, place = part.split(")")[0].partition("#")
            assert (DOCS / link).resolve().exists(), f"{name}: {link}"
            assert not place or f'<a id="{place}">' in made[link], f"{name}: {link}#{place}"
