"""The form of an observation: its envelope, its fields and lines, and the key under which it is known.

Event keys. Of an order's kinds (`Kind.by_order`): `order:{store}:{order}:{kind}`, whatever the channel, so that the
till and the nightly file of the ERP say the same event. Of all others: `{source}:{source_id}`. Identifiers hold no
colon, so the parts can always be told apart. A field that names another event holds its key; without a colon it is an
id of the same source.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from datetime import datetime

from rules.vocabulary import ATTRIBUTES, COMMON, KINDS, Kind
from tierengine.errors import Malformed, pointed, unknown_fields
from tierengine.judging.bounds import LINES_MOST
from tierengine.judging.clock import Clock
from tierengine.judging.values import CANCELLED, Values, purpose_of
from tierengine.typed import type_name
from tierengine.zone import microseconds

ENVELOPE = frozenset({"kind", "member", "occurred_at", "revision", "store", "currency"})
STATUSES = ("submitted", "accepted")
# Worked out from what the event names, so that rules read dated copies; refused from outside.
COMPUTED = frozenset({"delivered_on", "referrer", "referral_days", "related", "related_by", "quarter", "month"})
_PURPOSE = re.compile(r"[^\W\d_][\w-]{0,39}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


class Form(Values):
    """Reads one raw observation, or command, and collects what is wrong with it."""

    def only(self, known: Container[str]) -> None:
        """Report every field that is none of these: what would be ignored is refused."""
        for problem in unknown_fields(self.raw, known):
            self.wrong(problem.pointer, problem.code)

    def end(self) -> None:
        """Raise Malformed with all that was found wrong."""
        if self.errors:
            raise Malformed(self.errors)

    # ---- the envelope

    def kind(self) -> Kind | None:
        name = self.raw.get("kind")
        kind = KINDS.get(name) if isinstance(name, str) else None
        if kind is None:
            self.wrong("/kind", "missing" if name is None else "unknown_kind")
        elif kind.derived:
            self.wrong("/kind", "derived_kind")
        elif kind.merges:
            self.wrong("/kind", "merge_elsewhere")
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
            instant = microseconds(datetime.fromisoformat(text))
        except (ValueError, OverflowError):
            self.wrong(f"/{name}", "bad_time")
            return 0
        if problem := clock.problem(instant):
            self.wrong(f"/{name}", problem.code, **problem.details)
        return instant

    # ---- fields and lines

    def fields(self, kind: Kind) -> dict[str, object]:
        allowed = _ALLOWED[kind.id]
        computed = COMPUTED if "referral" in kind.fields else frozenset[str]()
        found: dict[str, object] = {}
        for name, value in self.raw.items():
            if name in ENVELOPE:
                continue
            # (A name that the kind knows needs no escape.)
            pointer = f"/{name}" if name in allowed else "/" + pointed(name)
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
        elif kind.id == "consent_changed":
            self._purpose(found)
        if found.get("status", "submitted") not in STATUSES:
            self.wrong("/status", "not_one_of", expected=", ".join(STATUSES))
        return found

    def _purpose(self, found: dict[str, object]) -> None:
        """One purpose on any keyboard: a withdrawal under another spelling would be kept and not heeded."""
        if isinstance(said := found.get("purpose"), str):
            found["purpose"] = purpose_of(said)
            if not _PURPOSE.fullmatch(purpose_of(said)):
                self.wrong("/purpose", "bad_text")

    def lines(self, kind: Kind, value: object) -> tuple[dict[str, object], ...] | None:
        if not isinstance(value, (list, tuple)):
            self.wrong("/lines", "wrong_type", expected="list", got=type_name(value))
            return None
        if not 1 <= len(value) <= LINES_MOST:
            self.wrong("/lines", "out_of_range", least=1, most=LINES_MOST)
            return None
        return tuple(self._line(kind, f"/lines/{n}", line) for n, line in enumerate(value))

    def _line(self, kind: Kind, pointer: str, line: object) -> dict[str, object]:
        found: dict[str, object] = {}
        if not isinstance(line, Mapping):
            self.wrong(pointer, "wrong_type", expected="object", got=type_name(line))
            return found
        for name, value in line.items():
            if name not in kind.lines:
                self.wrong(f"{pointer}/{pointed(name)}", "unknown_field")
            else:
                self._keep(found, name, self.value(kind, name, f"{pointer}/{name}", value))
        if kind.amount:
            self._require(found, (kind.amount,), pointer)
        elif not found.keys() & {"item", "category"} and not any(
            self.has(f"{pointer}/{name}") for name in ("item", "category")
        ):
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


_ALLOWED = {
    name: frozenset(kind.fields).union(COMMON) - (frozenset() if kind.submission else {"status"})
    for name, kind in KINDS.items()
}


def cluster_of_key(key: str) -> str:
    """Return the cluster in which an event of this key stands unless it names another event: its order's, or itself."""
    return key.rpartition(":")[0] if key.startswith("order:") else key


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
