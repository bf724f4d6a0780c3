"""Characters that nobody sees, and that do something: break a line, colour a terminal, turn the writing round, hide."""

from __future__ import annotations

import re
from typing import Final

# Controls (C0, C1), line and paragraph separators, marks of direction, what has no width, halves of pairs.
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
# Those of them that move a terminal's hand; a sentence on a screen may have lines.
_MOVING: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Return a text as one line that hides nothing: unseen characters by their codes."""
    return _UNSEEN.sub(_code, text)


def still(text: str) -> str:
    """Return a text that does nothing to a terminal: what would is written by its code; lines stay lines."""
    return _MOVING.sub(_code, text)


def _code(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
