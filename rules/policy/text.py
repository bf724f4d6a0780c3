"""What every part of a policy has: its title in two tongues, and its place in the file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence shown to people, in Chinese and in English (English falls back to Chinese)."""

    zh: str
    en: str

    def say(self, lang: str) -> str:
        """Return the sentence in `lang` ("zh" or "en")."""
        return self.en if lang == "en" else self.zh


def title(text: Text, name: str) -> Text:
    """Return a title; one that was never written in English is the id with spaces."""
    if text.en != text.zh or text.zh.isascii():
        return text
    return Text(text.zh, name.replace("_", " "))


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something stands in its file; line and column count from 1."""

    line: int
    column: int
