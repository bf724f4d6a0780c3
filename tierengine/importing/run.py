"""`events import`: rows of a file become observations and go through record() like everything else.

A bad row is reported with its line and leaves no trace; the good ones are recorded. Rows are read and recorded in
groups, so a file may be of any size, and each group in the order in which things happened: the book would end the same
in any other, but a late event folds its member's history again. The same file again changes nothing: every row has a
number of its own in its source, or an order number, and says under it what it said before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rules.codes import CODES, meant_by
from tierengine.errors import Malformed
from tierengine.importing.files import FileRefused, Row, Source, rows, source_of
from tierengine.importing.mapping import Mapping
from tierengine.importing.rows import Event, Sheet, events
from tierengine.importing.values import Bad
from tierengine.judging.history import Observation
from tierengine.judging.observations import read_observation
from tierengine.judging.values import is_personal
from tierengine.membership.people import NewMember, create_members, create_store
from tierengine.policies.versions import Programme
from tierengine.recording import lookups
from tierengine.recording.items import Answer, Observe
from tierengine.recording.recorder import Clock, clock
from tierengine.recording.writer import Writer
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids

GROUP: Final = 20_000  # rows read ahead
PIECE: Final = 5_000  # recorded between two steps of the progress bar
PROBLEMS_KEPT: Final = 100_000

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class BadRow:
    """What is wrong with one row: its line in the file, and where in it."""

    line: int
    bad: Bad


@dataclass(slots=True)
class Summary:
    """What became of a file. `rows` are those read; `events` those sent (rows of one order are one event).

    status    answers of record(): recorded, duplicate, parked, conflict, unknown, …
    refused   rows that were not recorded, each with at least one problem; the first of those are kept
    unread    columns that stand for nothing
    names     field, what stands in it, and the code whose name that is (规格, 大型, large) → how often: no policy that
              asks for the code counts them
    """

    source: str = ""
    rows: int = 0
    events: int = 0
    status: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    members_created: int = 0
    problems: list[BadRow] = field(default_factory=list)
    problem_count: int = 0
    unread: tuple[str, ...] = ()
    names: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        """Whether every row was recorded, or had been."""
        return not self.problem_count

    def note(self, line: int, bad: Bad) -> None:
        """Keep a problem; of very many, the first."""
        self.problem_count += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(BadRow(line, bad))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a file goes. `late_days`: how far back its source may date (None: as far as it likes)."""

    writer: Writer
    programme: Programme
    late_days: int | None = None
    group: int = GROUP
    now: Clock = clock


def import_file(path: Path, mapping: Mapping, target: Target, progress: Progress | None = None) -> Summary:
    """Record a file and return what became of it. Raises FileRefused when it cannot be read at all."""
    source = source_of(path)
    name = mapping.source or source.kind
    if ":" in name or name == "order":
        raise FileRefused(Bad("bad_source", details={"name": name}))
    summary = Summary(source=name)
    run = _Run(target, mapping, source, summary, progress)
    run.run()
    return summary


@dataclass(slots=True)
class _Run:
    """One file on its way into the book."""

    target: Target
    mapping: Mapping
    source: Source
    summary: Summary
    progress: Progress | None
    sheet: Sheet | None = None
    group: list[tuple[Event, Observation]] = field(default_factory=list)
    stores: set[str] = field(default_factory=set)
    done: int = 0

    def run(self) -> None:
        for event in events(self._counted(), self._sheet, self.summary.note):
            if event.bad:
                self.summary.refused += event.rows
                continue
            observation = self._observation(event)
            if observation is not None:
                self.group.append((event, observation))
            if len(self.group) >= self.target.group:
                self._record()
        self._record()
        self.summary.problems.sort(key=lambda one: one.line)
        if self.sheet is not None:
            self.summary.unread = self.sheet.unread

    def _counted(self) -> Iterator[Row]:
        for row in rows(self.source):
            self.summary.rows += 1
            if self.summary.rows % 50 == 0:
                self._progress()
            yield row

    def _progress(self) -> None:
        """Say how far the file is: half of the work is to read a row, half to record it."""
        if self.progress is not None:
            self.progress((self.summary.rows + self.done + self.summary.refused) // 2, self.source.lines)

    def _sheet(self, row: Row) -> Sheet:
        """Return how rows are read: a table has one header; each line of JSON may have its own keys."""
        if self.sheet is None or (self.source.kind == "jsonl" and not self.sheet.covers(row)):
            self.sheet = Sheet.of(self.mapping, tuple(row.cells), table=self.source.kind != "jsonl")
        return self.sheet

    # ---- observations

    def _observation(self, event: Event) -> Observation | None:
        programme = self.target.programme
        try:
            found = read_observation(
                event.raw,
                source=self.summary.source,
                store="",
                now_us=self.target.now(),
                zone=programme.info,
                late_days=self.target.late_days,
                currency=programme.currency,
            )
        except Malformed as malformed:
            for error in malformed.errors:
                line, where = event.place(error.pointer)
                self.summary.note(line, Bad(error.code, where, error.details))
            self.summary.refused += event.rows
            return None
        for name in CODES.keys() & found.fields.keys():
            value = str(found.fields[name])
            code = meant_by(name, value)
            if code:
                self.summary.names[name, value, code] += 1
        return found

    # ---- recording

    def _record(self) -> None:
        group, self.group = self.group, []
        if not group:
            return
        group.sort(key=lambda one: one[1].occurred_at)
        known = self._on_file([observation for _, observation in group])
        sent = [(event, observation) for event, observation in group if self._may(event, observation, known)]
        dealer = self.target.programme.dealer_id
        for start in range(0, len(sent), PIECE):
            piece = sent[start : start + PIECE]
            answers = self.target.writer.record(Observe(dealer, observation, brief=True) for _, observation in piece)
            for (event, _), answer in zip(piece, answers, strict=True):
                self._answered(event, answer)
            self._progress()

    def _may(self, event: Event, observation: Observation, stores: frozenset[str]) -> bool:
        if observation.store and observation.store not in stores:
            self._refuse(event, Bad("unknown_store", event.where("store"), {"store": observation.store}))
            return False
        return True

    def _answered(self, event: Event, answer: Answer) -> None:
        self.summary.events += 1
        self.summary.status[answer.status] += 1
        if answer.status in ("recorded", "duplicate", "parked"):
            self.done += event.rows
            return
        details: dict[str, Any] = dict(answer.body.get("details", {}))
        code = answer.code if answer.code != "failed" else "writer_down"
        where = event.where("member") if answer.status == "unknown" else ""
        self._refuse(event, Bad(code, where, details))

    def _refuse(self, event: Event, bad: Bad) -> None:
        self.summary.note(event.line, bad)
        self.summary.refused += event.rows

    def _on_file(self, observations: Sequence[Observation]) -> frozenset[str]:
        """Return the stores on file; where the mapping says so, put new members and stores on file first."""
        dealer = self.target.programme.dealer_id
        stores = {one.store for one in observations if one.store}
        members = list(dict.fromkeys(one.member for one in observations if one.member))
        if not self.mapping.create_members and stores <= self.stores:
            return frozenset(self.stores)

        def act(link: Link, ids: Ids) -> tuple[frozenset[str], int]:
            known = {row[0] for row in link.ask("SELECT code FROM store WHERE dealer_id = ?1", dealer).rows()}
            created = 0
            if self.mapping.create_members:
                for code in sorted(stores - known):
                    create_store(link, ids, dealer, code, code)
                    known.add(code)
                there = lookups.member_ids(link, dealer, members)
                # (A phone number for a code would stand in the book for ever: such rows are of an unknown member.)
                missing = [NewMember(code=code) for code in members if code not in there and not is_personal(code)]
                if missing:
                    create_members(link, ids, dealer, missing, self.target.now())
                created = len(missing)
            return frozenset(known), created

        found, created = self.target.writer.perform(act).result()
        self.stores |= found
        self.summary.members_created += created
        return found
