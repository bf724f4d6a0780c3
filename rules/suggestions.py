"""What the writer may have meant: nearest by characters, and by sound, since Chinese typing errors are homophones."""

from __future__ import annotations

from functools import lru_cache

MAX_LENGTH = 64
MAX_CANDIDATES = 2_000
BY_CHARACTERS = 66.0
BY_SOUND = 88.0


def nearest(found: str, candidates: tuple[str, ...]) -> str:
    """Return the candidate nearest to `found`, or "" when none is near enough to be worth saying."""
    # Both libraries take a tenth of a second to load, and a file without a mistake never needs them.
    from rapidfuzz import fuzz  # noqa: PLC0415

    word = found.strip().casefold()
    if not word or len(word) > MAX_LENGTH:
        return ""
    best, score = "", 0.0
    heard = _sound(word) if not word.isascii() else ""
    for candidate in dict.fromkeys(candidates[:MAX_CANDIDATES]):
        if not candidate or candidate == found:
            continue
        near = fuzz.ratio(word, candidate.casefold())
        near = near if near >= BY_CHARACTERS else 0.0
        if heard and not candidate.isascii():
            sounds = fuzz.ratio(heard, _sound(candidate))
            near = max(near, sounds if sounds >= BY_SOUND else 0.0)
        if near > score:
            best, score = candidate, near
    return best


@lru_cache(maxsize=4096)
def _sound(text: str) -> str:
    from pypinyin import lazy_pinyin  # noqa: PLC0415

    return " ".join(lazy_pinyin(text))
