"""What the staff say of who is one with whom, read strictly: a merge, and the end of one.

A merge has a key of its own, which no source can bring, so that it comes in by this door alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Final

from tierengine.judging.clock import Clock
from tierengine.judging.forms import Form
from tierengine.judging.history import Contribution, Observation
from tierengine.judging.merging import MERGE, MERGED
from tierengine.judging.netting import net
from tierengine.judging.values import CANCELLED
from tierengine.recording.items import Merge, Once
from tierengine.recording.stored import contribution
from tierengine.store.dialect import Link

OF_MERGE: Final = ("into", "reason", "occurred_at", "source_id")
OF_UNMERGE: Final = ("reason",)
REASON_MOST: Final = 500
_SOURCE: Final = "merge"
_WORDS: Final = (
    "SELECT c.kind, c.line, c.at, c.known_at, c.known_class, c.known_key, c.cause, c.qty, c.amount, c.fields "
    "FROM contribution c JOIN member m ON m.id = c.member_id WHERE c.dealer_id = ?1 AND m.code = ?2 "
    "AND c.known_key >= ?3 AND c.known_key < ?4 ORDER BY c.id"
)


def read_merge(
    raw: Mapping[str, object], member: str, *, dealer: int, now_us: int, otherwise: str, by: str, once: Once | None
) -> Merge:
    """Return the merge of `member` into another as `raw` says it; Malformed with all that is wrong in its form.

    otherwise  its number where it brings none; `by` who says so
    """
    form = _form(raw, member, OF_MERGE)
    into = form.identifier("/into", raw.get("into"))
    if into is None and not form.has("/into"):
        form.wrong("/into", "missing")
    if into is not None and into == form.identifier("/member", member):
        form.wrong("/into", "merge_self")
    at = now_us if raw.get("occurred_at") is None else form.instant("occurred_at", Clock(now_us, UTC, None))
    number = form.identifier("/source_id", raw.get("source_id")) or otherwise
    reason = _reason(form)
    form.end()
    key = f"{MERGE}{number}"
    fields = {"into": into, "by": by}
    said = Observation(MERGED, member, at, _SOURCE, number, "", 0, fields, key, key, {"reason": reason})
    return Merge(dealer, said, into or "", once)


def read_unmerge(link: Link, raw: Mapping[str, object], member: str, *, dealer: int, once: Once | None) -> Merge:
    """Return the end of a member's merge, as if it had never been; it is refused where he is merged into nobody."""
    form = _form(raw, member, OF_UNMERGE)
    reason = _reason(form)
    form.end()
    words: list[Contribution] = [
        contribution(row) for row in link.ask(_WORDS, dealer, member, MERGE, MERGE + "\U0010ffff").rows()
    ]
    # (Who never was merged is refused as any command is, and his answer kept: under a key that no merge has.)
    key, at = f"{MERGE}:{member}", 0
    if words:
        word = (*(one for one in net(words) if one.qty > 0), words[-1])[0]
        key, at = word.known[2], word.at
    # (Of the merge's own instant: said again, it is the same.)
    said = Observation(CANCELLED, member, at, _SOURCE, key, "", 1, {}, key, key, {"reason": reason})
    return Merge(dealer, said, "", once)


def _form(raw: Mapping[str, object], member: str, known: tuple[str, ...]) -> Form:
    form = Form(raw, _SOURCE)
    form.identifier("/member", member)
    form.only(known)
    return form


def _reason(form: Form) -> str:
    raw = form.raw.get("reason")
    found = form.text("/reason", raw, REASON_MOST, "NFC") if raw is not None else None
    if not (found or "").strip() and not form.has("/reason"):
        form.wrong("/reason", "missing")
    return (found or "").strip()
