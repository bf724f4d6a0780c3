"""Everything that is held on one member, for himself: his personal data opened, and every row that is his.

What is worked out from those rows again and again (caches) is left out. A test holds the list against the tables: a new
table with a member is either exported or named among the caches.
"""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo

from rules.vocabulary import FIELDS, KINDS
from tierengine.membership.export_words import DOCUMENTS, INSTANTS, LABELS, SECTIONS
from tierengine.personal import records, texts
from tierengine.personal.erasure import all_of, erased_at, member_id
from tierengine.personal.vault import Vault
from tierengine.store.dialect import Link, doc
from tierengine.zone import moment

_MEMBER: Final = (
    "SELECT m.code, m.form, m.created_at, d.code, d.name, d.timezone FROM member m JOIN dealer d ON d.id = m.dealer_id "
    "WHERE m.id = ?1"
)


def export(link: Link, vault: Vault, dealer: int, code: str, now: int) -> dict[str, Any]:
    """Return all of it as JSON values; call it inside a snapshot. Unknown for a code that is none.

    Of a member who was erased it tells what is left: no name, no phone, no free text. Of merged members it tells of
    each, the others in `merged`.
    """
    number = member_id(link, dealer, code)
    told = _export(link, vault, dealer, number, now)
    others = [_export(link, vault, dealer, one, now) for one in all_of(link, number) if one != number]
    return {**told, "merged": others} if others else told


def _export(link: Link, vault: Vault, dealer: int, number: int, now: int) -> dict[str, Any]:
    code, form, created, dealer_code, dealer_name, timezone = link.ask(_MEMBER, number).rows()[0]
    info = ZoneInfo(timezone)
    person = records.people_of(link, vault, dealer, [number]).get(number, records.Person())
    erased = erased_at(link, number)
    said = texts.of_member(link, vault, dealer, number)

    def told(column: str, value: Any) -> Any:
        if value is None:
            return None
        if column in DOCUMENTS:
            return doc(value)
        if (column.endswith("_at") or column in INSTANTS) and isinstance(value, int):
            return moment(value, info).isoformat() if 0 < value < 1 << 61 else None
        return value

    sections = []
    for one in SECTIONS:
        columns = one.columns.split()
        who = f"member:{code}" if one.by == "subject" else number
        rows = link.ask(one.sql, who, dealer).rows()
        plain = [{column: told(column, value) for column, value in zip(columns, row, strict=True)} for row in rows]
        for row in plain:
            if found := said.get((one.table, row.get("id", 0))):
                row["texts"] = found
        sections.append({"id": one.table, "title": {"zh": one.zh, "en": one.en}, "rows": plain})
    return {
        "member": code,
        "form": form,
        "dealer": {"code": dealer_code, "name": dealer_name},
        "exported_at": moment(now, info).isoformat(),
        "on_file_since": moment(created, info).isoformat(),
        "erased_at": None if erased is None else moment(erased, info).isoformat(),
        "person": {
            "name": person.name, "phones": list(person.phones), "contact": person.contact, "note": person.note,
        },
        "sections": sections,
        "labels": _labels(sections),
    }  # fmt: skip


def _labels(sections: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, str]]]:
    """Return what the columns, the kinds of event and their fields are called, as far as they occur."""
    kinds = {row["kind"] for one in sections for row in one["rows"] if row.get("kind") in KINDS}
    fields = {name for kind in kinds for name in (*KINDS[kind].fields, *KINDS[kind].lines)} | {"note", "staff"}
    return {
        "columns": {name: {"zh": zh, "en": en} for name, (zh, en) in LABELS.items()},
        "kinds": {kind: {"zh": KINDS[kind].zh, "en": kind.replace("_", " ")} for kind in sorted(kinds)},
        "fields": {name: {"zh": FIELDS[name].zh, "en": name.replace("_", " ")} for name in sorted(fields)},
    }
