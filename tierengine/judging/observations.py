"""From what a source sent to an observation: every error of form at once, and the key under which it is known.

Event keys. Of an order's kinds (`Kind.by_order`): `order:{store}:{order}:{kind}`, whatever the channel, so that the
till and the nightly file of the ERP say the same event. Of all others: `{source}:{source_id}`. Identifiers hold no
colon, so the parts can always be told apart. A field that names another event holds its key; without a colon it is an
id of the same source.

A correction is the whole event again under the same key with a higher `revision`. `observation_cancelled` names what it
cancels by `source_id`: an id of the same source, or, with a colon in it, any event's key
(`order:S01:4711:parts_purchase`). It takes that key for its own, with a higher revision, and the highest counts; a
later revision of the event itself brings the event back.

Text is trimmed and normalised, so that one thing said by two channels is equal: identifiers by NFKC (full-width letters
and digits become ASCII), everything else by NFC, which leaves names and models (ZL50C-Ⅱ) as they are. An empty text and
null are as if the field were not there. What was sent is never repeated in an error, but for a field's name.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import orjson

from rules.vocabulary import ATTRIBUTES, COMMON, FIELDS, KINDS, Kind
from tierengine.errors import FormError, Malformed
from tierengine.judging.history import Observation

MONEY_MOST = 10**13
TEXT_MOST = 500
NOTE_MOST = 2_000
# Keys stand in indexes: PostgreSQL takes at most 2,704 bytes there, a key has two ids, a character up to four bytes.
ID_MOST = 100
LINES_MOST = 200
TEXTS_MOST = 50
QUANTITY_MOST = 10**6
REVISION_MOST = 1_000
ERRORS_MOST = 100
AHEAD_US = 600 * 10**6  # tills' clocks differ; ten minutes of it are forgiven
EARLIEST_US = 631_152_000 * 10**6  # 1990-01-01 UTC: before any of these dealers kept files

CANCELLED = "observation_cancelled"
ENVELOPE = frozenset({"kind", "member", "occurred_at", "revision", "store", "currency"})
STATUSES = ("submitted", "accepted")
# Worked out from what the event names, so that rules read dated copies; refused from outside.
COMPUTED = frozenset({"delivered_on", "referrer", "referral_days", "related", "related_by", "quarter", "month"})
STRICT_IDS = frozenset({"order", "source_id"})
LOOSE_IDS = frozenset({"serial", "contract_no", "trade_in_serial", "item", "card_no"})
NAMING = frozenset({"referral", "accepts", "attestation", "request", "complaint"})
NUMBERED = frozenset({"qty", "days", "seats", "hours", "distance_km", "interval", "score", "overdue_days", "year"})

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"(19|20|21)\d\d-\d\d-\d\d", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# No database stores the first and the surrogates in JSON; history.AFTER must sort before every character of a key.
_UNSTORABLE = re.compile(r"[\0\x01\ud800-\udfff]")


def read_observation(
    raw: Mapping[str, object],
    *,
    source: str,
    store: str,
    now_us: int,
    zone: tzinfo,
    late_days: int | None,
    currency: str,
) -> Observation:
    """Return the observation that `raw` says, or raise Malformed with all that is wrong in its form.

    `raw` is flat: kind, member, occurred_at (RFC 3339 with its zone), revision, store, currency and the fields of its
    kind. `source` and `store` come from who asks; a source that speaks for many stores passes "" and `raw` names one.
    `late_days` None: the source may date as far back as it likes (the archivist).
    """
    if ":" in source or source in ("", "order"):
        raise ValueError(f"A source is named without a colon, and not 'order': {source!r}")
    form = Form(raw, source)
    clock = Clock(now_us, zone, late_days)
    kind = form.kind()
    form.currency(currency)
    occurred_at = form.instant("occurred_at", clock)
    revision = form.integer("/revision", 0 if raw.get("revision") is None else raw["revision"], 0, REVISION_MOST)
    member = form.identifier("/member", raw.get("member")) or ""
    store = form.store(store)
    if kind is None:
        raise Malformed(form.errors)
    fields = form.fields(kind)
    key, cluster = form.address(kind, fields, store)
    # Who owns an order or an event that it names is known from there; a referral belongs to another member.
    told = kind.id == CANCELLED or any(name != "referral" for name, _ in kind.names)
    if not member and not told and not form.has("/member"):
        form.wrong("/member", "missing")
    if kind.id == CANCELLED and revision == 0:
        form.wrong("/revision", "needs_revision")
    if form.errors:
        raise Malformed(form.errors)
    source_id = str(fields.pop("source_id", ""))
    return Observation(kind.id, member, occurred_at, source, source_id, store, revision, fields, key, cluster)


def content_hash(observation: Observation) -> str:
    """Return the SHA-256 (hex) of what is said, whoever says it: source and source id are left out."""
    said = body(replace(observation, source="", source_id=""))
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def body(observation: Observation) -> dict[str, Any]:
    """Return the observation as JSON values, for `event.body`."""
    return {
        "kind": observation.kind,
        "member": observation.member,
        "occurred_at": observation.occurred_at,
        "source": observation.source,
        "source_id": observation.source_id,
        "store": observation.store,
        "revision": observation.revision,
        "key": observation.key,
        "cluster": observation.cluster,
        "fields": {name: _plain(value) for name, value in observation.fields.items()},
    }


def from_body(stored: Mapping[str, Any]) -> Observation:
    """Return the observation that `body` stored."""
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in stored["fields"].items()}
    return Observation(**{**stored, "fields": fields})


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class Clock:
    """Says whether an instant may be told of now, by a source that may go back so many days (None: any)."""

    now_us: int
    zone: tzinfo
    late_days: int | None

    def problem(self, instant: int) -> FormError | None:
        """Return what is wrong with the instant, if anything. Days back are the dealer's local days."""
        if instant > self.now_us + AHEAD_US:
            return FormError("", "in_the_future")
        if instant < EARLIEST_US:
            return FormError("", "too_early")
        if self.late_days is not None:
            days = (self._day(self.now_us) - self._day(instant)).days
            if days > self.late_days:
                return FormError("", "too_late", {"late_days": self.late_days})
        return None

    def _day(self, instant: int) -> date:
        return (_EPOCH + timedelta(microseconds=instant)).astimezone(self.zone).date()


class Form:
    """Reads one raw observation, or command, and collects what is wrong with it."""

    def __init__(self, raw: Mapping[str, object], source: str) -> None:
        self.raw = raw
        self.source = source
        self.errors: list[FormError] = []

    def wrong(self, pointer: str, code: str, **details: int | str) -> None:
        if len(self.errors) < ERRORS_MOST:
            self.errors.append(FormError(pointer, code, details))

    def has(self, pointer: str) -> bool:
        return any(error.pointer == pointer for error in self.errors)

    # ---- the envelope

    def kind(self) -> Kind | None:
        name = self.raw.get("kind")
        kind = KINDS.get(name) if isinstance(name, str) else None
        if kind is None:
            self.wrong("/kind", "missing" if name is None else "unknown_kind")
        elif kind.derived:
            self.wrong("/kind", "derived_kind")
        return kind

    def currency(self, expected: str) -> None:
        if self.raw.get("currency") not in (None, expected):
            self.wrong("/currency", "other_currency", expected=expected)

    def store(self, given: str) -> str:
        named = self.identifier("/store", self.raw.get("store")) or ""
        if named and given and named != given:
            self.wrong("/store", "other_store")
        return given or named

    def instant(self, name: str, clock: Clock) -> int:
        text = self.raw.get(name)
        if text is None:
            self.wrong(f"/{name}", "missing")
            return 0
        if not isinstance(text, str) or not _TIME.fullmatch(text):
            self.wrong(f"/{name}", "bad_time")
            return 0
        try:
            instant = (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
        except (ValueError, OverflowError):
            self.wrong(f"/{name}", "bad_time")
            return 0
        if problem := clock.problem(instant):
            self.wrong(f"/{name}", problem.code, **problem.details)
        return instant

    # ---- fields and lines

    def fields(self, kind: Kind) -> dict[str, object]:
        allowed = frozenset(kind.fields) | frozenset(COMMON)
        if not kind.submission:
            allowed -= {"status"}
        computed = COMPUTED if "referral" in kind.fields else frozenset[str]()
        found: dict[str, object] = {}
        for name, value in self.raw.items():
            if name in ENVELOPE:
                continue
            pointer = "/" + _escaped(name)
            if name == "status" and not kind.submission:
                self.wrong(pointer, "not_a_submission")
            elif name in computed:
                self.wrong(pointer, "computed_field")
            elif name not in allowed:
                self.wrong(pointer, "unknown_field")
            elif name == "lines":
                self._keep(found, name, self.lines(kind, value))
            else:
                self._keep(found, name, self.value(kind, name, pointer, value))
        self._require(found, kind.required, "")
        self._agree(kind, found, "")
        if kind.id == "attribute_changed":
            self._attribute(found)
        if found.get("status", "submitted") not in STATUSES:
            self.wrong("/status", "not_one_of", expected=", ".join(STATUSES))
        return found

    def lines(self, kind: Kind, value: object) -> tuple[dict[str, object], ...] | None:
        if not isinstance(value, (list, tuple)):
            self.wrong("/lines", "wrong_type", expected="list", got=_type(value))
            return None
        if not 1 <= len(value) <= LINES_MOST:
            self.wrong("/lines", "out_of_range", least=1, most=LINES_MOST)
            return None
        return tuple(self._line(kind, f"/lines/{n}", line) for n, line in enumerate(value))

    def _line(self, kind: Kind, pointer: str, line: object) -> dict[str, object]:
        found: dict[str, object] = {}
        if not isinstance(line, Mapping):
            self.wrong(pointer, "wrong_type", expected="object", got=_type(line))
            return found
        for name, value in line.items():
            here = f"{pointer}/{_escaped(name)}"
            if name not in kind.lines:
                self.wrong(here, "unknown_field")
            else:
                self._keep(found, name, self.value(kind, name, here, value))
        if kind.amount:
            self._require(found, (kind.amount,), pointer)
        elif not found.keys() & {"item", "category"} and not self.has(f"{pointer}/item"):
            self.wrong(f"{pointer}/item", "missing")  # a line of a return says what came back
        self._agree(kind, found, pointer)
        return found

    @staticmethod
    def _keep(found: dict[str, object], name: str, value: object) -> None:
        if value is not None:
            found[name] = value

    def _require(self, found: Mapping[str, object], names: tuple[str, ...], pointer: str) -> None:
        for name in names:
            if name not in found and not any(
                error.pointer == f"{pointer}/{name}" or error.pointer.startswith(f"{pointer}/{name}/")
                for error in self.errors
            ):
                self.wrong(f"{pointer}/{name}", "missing")

    def _agree(self, kind: Kind, found: Mapping[str, object], pointer: str) -> None:
        """Credit, and cash with it, are parts of the amount."""
        if not kind.amount or kind.amount not in found:
            return
        amount, credit, cash = (_number(found.get(name)) for name in (kind.amount, "credit", "cash"))
        if credit + cash > amount:
            self.wrong(f"{pointer}/{'credit' if credit > amount else 'cash'}", "exceeds_amount", amount=amount)

    def _attribute(self, found: Mapping[str, object]) -> None:
        """An attribute takes its value in the field of its type; no value at all clears it."""
        known = {item.id: item.set_by[1] for item in ATTRIBUTES.values() if item.set_by[0] == "attribute_changed"}
        name = found.get("name")
        if name not in known:
            if name is not None:
                self.wrong("/name", "not_one_of", expected=", ".join(known))
            return
        for value in ("value_text", "value_int", "value_date"):
            if value in found and value != known[str(name)]:
                self.wrong(f"/{value}", "unknown_field")

    # ---- single values; None: not there, or wrong and said so

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
                    self.wrong(pointer, "wrong_type", expected="true, false", got=_type(value))
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
        return self.text(pointer, value, NOTE_MOST if name == "note" else TEXT_MOST, "NFC")

    def _event_key(self, pointer: str, text: str) -> str | None:
        if ":" not in text:
            return f"{self.source}:{text}" if self.identifier(pointer, text) else None
        parts = text.split(":")
        by_order = parts[0] == "order"
        if (
            any(not part or _invisible(part) or len(part) > ID_MOST for part in parts)
            or len(parts) != (4 if by_order else 2)
            or (by_order and not (parts[3] in KINDS and KINDS[parts[3]].by_order))
        ):
            self.wrong(pointer, "bad_key")
            return None
        return text

    def integer(self, pointer: str, value: object, least: int, most: int) -> int:
        """Return the number; 0 with an error said when it is none. A bool, 5.0 and "5" are none."""
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(pointer, "wrong_type", expected="integer", got=_type(value))
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
            self.wrong(pointer, "wrong_type", expected="list", got=_type(value))
            return None
        if len(value) > TEXTS_MOST:
            self.wrong(pointer, "too_long", most=TEXTS_MOST, got=len(value))
            return None
        texts = (self.text(f"{pointer}/{n}", text, TEXT_MOST, "NFC") for n, text in enumerate(value))
        return tuple(text for text in texts if text) or None

    def identifier(self, pointer: str, value: object) -> str | None:
        text = None if value is None else self.text(pointer, value, ID_MOST, "NFKC")
        if text and (":" in text or _invisible(text)):
            self.wrong(pointer, "bad_id")
            return None
        return text

    def text(self, pointer: str, value: object, most: int, form: str) -> str | None:
        if not isinstance(value, str):
            self.wrong(pointer, "wrong_type", expected="text", got=_type(value))
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

    # ---- the key

    def address(self, kind: Kind, fields: Mapping[str, object], store: str) -> tuple[str, str]:
        """Return the event's key and the cluster of events that must be read together to understand it."""
        order = fields.get("order")
        in_order = kind.by_order or any(name == "order" for name, _ in kind.names)
        if in_order and not store and not self.has("/store"):
            self.wrong("/store", "missing")
        cluster = f"order:{store}:{order}" if in_order else ""
        if kind.by_order:
            return f"{cluster}:{kind.id}", cluster
        source_id = fields.get("source_id")
        if source_id is None and not self.has("/source_id"):
            self.wrong("/source_id", "missing")
        if kind.id == CANCELLED:
            key = str(source_id)
            if key.startswith("order:") and store and key.split(":")[1] != store:
                self.wrong("/source_id", "other_store")
            return key, cluster_of_key(key)
        key = f"{self.source}:{source_id}"
        named = next((str(fields[name]) for name, _ in kind.names if name in fields and name != "referral"), "")
        return key, cluster or named or key


def cluster_of_key(key: str) -> str:
    """Return the cluster in which an event of this key stands unless it names another event: its order's, or itself."""
    return key.rpartition(":")[0] if key.startswith("order:") else key


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _bounds(kind: Kind, name: str) -> tuple[int, int]:
    if name == "qty":  # what is moved out of a consignment counts below zero
        return (-QUANTITY_MOST if kind.id == "consignment_moved" else 1), QUANTITY_MOST
    return (0 if name in NUMBERED else -MONEY_MOST), MONEY_MOST


def _invisible(text: str) -> bool:
    """Control, format (zero-width, right-to-left) and unassigned characters, and spaces other than the plain one."""
    return not text.isprintable()


def _escaped(name: object) -> str:
    """Return a field's name as part of a JSON pointer that can be sent back, whatever was sent."""
    text = str(name)[:ID_MOST].encode("utf-8", "replace").decode()
    return text.replace("~", "~0").replace("/", "~1")


def _type(value: object) -> str:
    names = {bool: "true or false", int: "integer", float: "decimal", str: "text", list: "list", dict: "object"}
    return "null" if value is None else names.get(type(value), "other")


_NORMAL: Mapping[str, Callable[[str], str]] = {
    "NFC": lambda text: text if text.isascii() else unicodedata.normalize("NFC", text),
    "NFKC": lambda text: text if text.isascii() else unicodedata.normalize("NFKC", text),
}
