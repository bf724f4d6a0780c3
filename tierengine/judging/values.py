"""Single values of what a source sent, read by the type of their field, with every error of form.

Text is trimmed and normalised, so that one thing said by two channels is equal: identifiers by NFKC (full-width letters
and digits become ASCII), everything else by NFC, which leaves names and models (ZL50C-Ⅱ) as they are. An empty text and
null are as if the field were not there. What was sent is never repeated in an error, but for a field's name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date

from rules.vocabulary import CATEGORIES, FIELDS, KINDS, PROSE, Kind
from tierengine.errors import FormError
from tierengine.judging.bounds import ERRORS_MOST, ID_MOST, MONEY_MOST, NOTE_MOST, QUANTITY_MOST, TEXT_MOST, TEXTS_MOST
from tierengine.typed import type_name

CANCELLED = "observation_cancelled"
STRICT_IDS = frozenset({"order", "source_id"})
LOOSE_IDS = frozenset({"serial", "contract_no", "trade_in_serial", "item", "card_no"})
NAMING = frozenset({"referral", "accepts", "attestation", "request", "complaint"})
NUMBERED = frozenset({"qty", "days", "seats", "hours", "distance_km", "interval", "score", "overdue_days", "year"})
# Free text goes under the member's key; of the staff's own codes some are phone numbers.
_MAY_BE_PERSONAL = PROSE | {
    "staff", "by", "accepted_by", "stated_by", "countersigned_by", "technician", "manager", "source_id",
}  # fmt: skip
_PERSONAL = re.compile(r"(?<![0-9])(?:1[3-9][0-9]{9}|[1-9][0-9]{16}[0-9Xx])(?![0-9])")
_PURPOSES = {"营销": "marketing", "推广": "marketing"}  # what is acted on, as a clerk may call it
_DATE = re.compile(r"(19|20|21)\d\d-\d\d-\d\d", re.ASCII)
# No address can name one: clients take it for "here" or "one up", written %2E too (RFC 3986, URL Standard).
DOTS = frozenset({".", ".."})
# No database stores the first and the surrogates in JSON; history.AFTER must sort before every character of a key.
_UNSTORABLE = re.compile(r"[\0\x01\ud800-\udfff]")


class Values:
    """Reads single values of what was sent, and collects what is wrong. None: not there, or wrong and said so."""

    def __init__(self, raw: Mapping[str, object], source: str) -> None:
        self.raw = raw
        self.source = source
        self.errors: list[FormError] = []

    def wrong(self, pointer: str, code: str, **details: int | str) -> None:
        if len(self.errors) < ERRORS_MOST:
            self.errors.append(FormError(pointer, code, details))

    def has(self, pointer: str) -> bool:
        return any(error.pointer == pointer for error in self.errors)

    def value(self, kind: Kind, name: str, pointer: str, value: object) -> object:
        if value is None:
            return None
        match FIELDS[name].type:
            case "money":
                return self.integer(pointer, value, 0, MONEY_MOST)
            case "int":
                return self.integer(pointer, value, *_bounds(kind, name))
            case "bool":
                if not isinstance(value, bool):
                    self.wrong(pointer, "wrong_type", expected="true or false", got=type_name(value))
                    return None
                return int(value)
            case "date":
                return self.date(pointer, value)
            case "texts":
                return self.texts(pointer, value)
            case "member":
                return self.identifier(pointer, value)
            case _:
                return self._named_text(kind, name, pointer, value)

    def _named_text(self, kind: Kind, name: str, pointer: str, value: object) -> str | None:
        if name in NAMING or (name == "source_id" and kind.id == CANCELLED):
            text = self.text(pointer, value, 2 * ID_MOST + 50, "NFKC")
            return None if text is None else self._event_key(pointer, text)
        if name in STRICT_IDS:
            return self.identifier(pointer, value)
        if name in LOOSE_IDS:
            return self.text(pointer, value, ID_MOST, "NFKC")
        text = self.text(pointer, value, NOTE_MOST if name == "note" else TEXT_MOST, "NFC")
        if name == "category" and text is not None and text not in CATEGORIES:
            # No policy can name another: its lines would be left out of facts, prices and points without a word.
            self.wrong(pointer, "not_one_of", expected=", ".join(CATEGORIES))
            return None
        if text is not None and len(text) > 10 and tells_none(name) and is_personal(text):
            self.wrong(pointer, "personal_data")
            return None
        return text

    def _event_key(self, pointer: str, text: str) -> str | None:
        if ":" not in text:
            return f"{self.source}:{text}" if self.identifier(pointer, text) else None
        parts = text.split(":")
        by_order = parts[0] == "order"
        if (
            any(not part or invisible(part) or len(part) > ID_MOST for part in parts)
            or len(parts) != (4 if by_order else 2)
            or (by_order and not (parts[3] in KINDS and KINDS[parts[3]].by_order))
        ):
            self.wrong(pointer, "bad_key")
            return None
        return text

    def integer(self, pointer: str, value: object, least: int, most: int) -> int:
        """Return the number; 0 with an error said when it is none. A bool, 5.0 and "5" are none."""
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(pointer, "wrong_type", expected="integer", got=type_name(value))
            return 0
        if not least <= value <= most:
            self.wrong(pointer, "out_of_range", least=least, most=most)
            return 0
        return value

    def date(self, pointer: str, value: object) -> str | None:
        if isinstance(value, str) and _DATE.fullmatch(value):
            try:
                return date.fromisoformat(value).isoformat()
            except ValueError:
                pass
        self.wrong(pointer, "bad_date")
        return None

    def texts(self, pointer: str, value: object) -> tuple[str, ...] | None:
        if not isinstance(value, (list, tuple)):
            self.wrong(pointer, "wrong_type", expected="list", got=type_name(value))
            return None
        if len(value) > TEXTS_MOST:
            self.wrong(pointer, "too_long", most=TEXTS_MOST, got=len(value))
            return None
        texts = (self.text(f"{pointer}/{n}", text, TEXT_MOST, "NFC") for n, text in enumerate(value))
        return tuple(text for text in texts if text) or None

    def identifier(self, pointer: str, value: object) -> str | None:
        text = None if value is None else self.text(pointer, value, ID_MOST, "NFKC")
        if text and (":" in text or invisible(text)):
            self.wrong(pointer, "bad_id")
            return None
        if text in DOTS:
            self.wrong(pointer, "only_dots")
            return None
        return text

    def text(self, pointer: str, value: object, most: int, form: str) -> str | None:
        if not isinstance(value, str):
            self.wrong(pointer, "wrong_type", expected="text", got=type_name(value))
            return None
        if len(value) > most:
            self.wrong(pointer, "too_long", most=most, got=len(value))
            return None
        if _UNSTORABLE.search(value):
            self.wrong(pointer, "bad_text")
            return None
        text = _NORMAL[form](value).strip()
        if len(text) > most:  # NFKC may make one character many
            self.wrong(pointer, "too_long", most=most, got=len(text))
            return None
        return text or None


def _bounds(kind: Kind, name: str) -> tuple[int, int]:
    if name == "qty":  # what is moved out of a consignment counts below zero
        return (-QUANTITY_MOST if kind.id == "consignment_moved" else 1), QUANTITY_MOST
    return (0 if name in NUMBERED else -MONEY_MOST), MONEY_MOST


def purpose_of(text: str) -> str:
    """Return the purpose of a consent as it is compared: half-width, small letters, in Chinese by its English name."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    return _PURPOSES.get(plain, plain)


def is_personal(text: str) -> bool:
    """Whether a text holds what can only be a mobile number or an identity card's, also in full width."""
    return bool(_PERSONAL.search(text if text.isascii() else unicodedata.normalize("NFKC", text)))


def tells_none(name: str) -> bool:
    """Whether a field of this name is text that may hold no number of a person: no code, and nobody's own words."""
    coded = name in STRICT_IDS or name in LOOSE_IDS or name in NAMING
    return name in FIELDS and FIELDS[name].type == "text" and name not in _MAY_BE_PERSONAL and not coded


def invisible(text: str) -> bool:
    """Control, format (zero-width, right-to-left) and unassigned characters, and spaces other than the plain one."""
    return not text.isprintable()


_NORMAL: Mapping[str, Callable[[str], str]] = {
    "NFC": lambda text: text if text.isascii() else unicodedata.normalize("NFC", text),
    "NFKC": lambda text: text if text.isascii() else unicodedata.normalize("NFKC", text),
}
