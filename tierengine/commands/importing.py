"""`events import`: a file, with every bad row named."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from rules.codes import CODES
from rules.names import FIELDS_ZH
from rules.problems import as_dict, render
from tierengine.commands import report as reports
from tierengine.commands.acting import acting_at
from tierengine.commands.failure import Stop
from tierengine.commands.money import count
from tierengine.commands.opened import Dealer, DealerOption, Opened, chosen, dealers, programme_of, settings
from tierengine.commands.options import DataFile
from tierengine.commands.progress import bar
from tierengine.commands.screen import DONE, PROBLEMS, USAGE, Screen, both, write_json
from tierengine.importing.files import FileRefused
from tierengine.importing.mapping import Mapping, MappingRefused, read_mapping, with_options
from tierengine.importing.run import GROUP, BadRow, Summary, Target, import_file
from tierengine.importing.values import Bad
from tierengine.policies.versions import Programme
from tierengine.recording.writer import Writer
from tierengine.settings import Settings
from tierengine.store import snapshots
from tierengine.store.database import check_ready
from tierengine.store.snapshots import snapshot


def import_(  # noqa: PLR0913, PLR0917  each is an option of the command
    context: typer.Context,
    file: DataFile,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help=both("列对照（YAML）。", "Column mapping, YAML."),
        ),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help=both("哪一列是什么。", "What it is.")),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help=both(
                "每行都一样的值，或 source、timezone、currency、unit、create_members。",
                "What is the same in each row; or source, timezone, currency, unit, create_members.",
            ),
        ),
    ] = None,
    group: Annotated[int, typer.Option(min=1, max=GROUP, help=both("每批几行。", "Rows sent at a time."))] = GROUP,
    archivist: Annotated[
        bool, typer.Option("--archivist", help=both("档案员补录：不限多早。", "The archivist's: however old."))
    ] = False,
    report: Annotated[bool, typer.Option("--report", help=both("完了列出报表。", "End with the report."))] = False,
    dealer: DealerOption = "",
) -> int:
    """Import a file."""
    screen: Screen = context.obj
    meant = _mapping(screen, mapping, map_ or [], set_ or [])
    wanted = settings()
    check_ready(wanted.database_url)
    of, programme = _target(wanted, dealer)
    late = None if archivist else programme.line.versions[-1].rules.policy.late_days.get(meant.source or "")
    try:
        with (
            Writer(wanted.database_url, wanted) as writer,
            bar(screen, screen.say("导入", "importing")) as progress,
        ):
            summary = import_file(file, meant, Target(writer, programme, late, group), progress)
            # Names of files may be those of customers: the file is told by its digest.
            told = {"source": summary.source, "rows": summary.rows, "members_created": summary.members_created}
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            writer.perform(
                lambda link, ids: acting_at(link, ids, of).note(
                    "events.import", f"file:{digest[:16]}", **told, **summary.status, archivist=archivist
                )
            ).result()
    except FileRefused as refused:
        where = f"{file}:{refused.line}" if refused.line else str(file)
        raise Stop(
            refused.bad.code, f"{where}: {refused.bad.say('zh')}", f"{where}: {refused.bad.say('en')}", PROBLEMS
        ) from None
    document = _document(file, summary)
    code = DONE if summary.clean else PROBLEMS
    if not report:
        return screen.end(document, lambda: _show(screen, file, summary), code)
    link = snapshots.reader(wanted.database_url, wanted)
    try:
        with snapshot(link):
            opened = Opened(link, programme_of(link, of), of)
            found = reports.report(link, opened.programme, opened.at(""))
            document["report"] = reports.document(opened, found)

            def show() -> None:
                _show(screen, file, summary)
                reports.show(screen, opened, found)

            return screen.end(document, show, code)
    finally:
        link.close()


def _target(wanted: Settings, dealer: str) -> tuple[Dealer, Programme]:
    link = snapshots.reader(wanted.database_url, wanted)
    try:
        with snapshot(link):
            of = chosen(dealers(link), dealer)
            return of, programme_of(link, of)
    finally:
        link.close()


def _mapping(screen: Screen, file: Path | None, maps: Sequence[str], sets: Sequence[str]) -> Mapping:
    """Return what the columns mean, or show what is wrong with the mapping and stop."""
    try:
        mapping = read_mapping(file.read_bytes(), str(file)) if file is not None else Mapping()
        return with_options(mapping, _pairs("--map", maps), _pairs("--set", sets))
    except MappingRefused as refused:
        problems = refused.problems
        if screen.json:
            write_json(
                {"error": {"code": "mapping", "problems": [as_dict(one, refused.line(one.mark)) for one in problems]}}
            )
        else:
            for one in problems:
                screen.err.print(render(one, refused.line(one.mark), screen.lang), style="red", soft_wrap=True)
        raise typer.Exit(PROBLEMS if file is not None and refused.lines else USAGE) from None


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise Stop(
                "usage", f"{option} 写作 名称=值，收到 {text!r}。", f"{option} takes NAME=VALUE, got {text!r}.", USAGE
            )
        found[name.strip()] = value.strip()
    return found


def _document(file: Path, summary: Summary) -> dict[str, Any]:
    of = summary.status
    return {
        "file": str(file),
        "source": summary.source,
        "rows": summary.rows,
        "events": summary.events,
        "recorded": of["recorded"],
        "duplicates": of["duplicate"],
        "parked": of["parked"],
        "conflicts": of["conflict"],
        "refused": summary.refused - of["conflict"],
        "members_created": summary.members_created,
        "columns_not_read": list(summary.unread),
        "names_of_codes": [
            {"field": field, "value": value, "code": code, "count": number}
            for (field, value, code), number in summary.names.items()
        ],
        "problem_count": summary.problem_count,
        "problems": [
            {
                "line": one.line,
                "code": one.bad.code,
                "where": one.bad.where,
                "zh": one.bad.say("zh"),
                "en": one.bad.say("en"),
            }
            for one in summary.problems
        ],
    }


def _alike(problems: Sequence[BadRow]) -> list[tuple[str, Bad]]:
    """Return the problems with their lines; the same of many rows that follow one another is said once (2-10001)."""
    found: dict[tuple[str, str, str], list[tuple[int, int, Bad]]] = {}
    for one in problems:
        spans = found.setdefault((one.bad.code, one.bad.where, one.bad.say("en")), [])
        if spans and one.line <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], one.line, one.bad)
        else:
            spans.append((one.line, one.line, one.bad))
    ordered = sorted((span for spans in found.values() for span in spans), key=lambda span: span[:2])
    return [(str(first) if first == last else f"{first}-{last}", bad) for first, last, bad in ordered]


def _show(screen: Screen, file: Path, summary: Summary) -> None:
    for lines, bad in _alike(summary.problems):
        where = f"{bad.where}: " if bad.where else ""
        screen.out.print(f"{file}:{lines}: {where}{bad.say(screen.lang)} ({bad.code})", soft_wrap=True)
    rest = summary.problem_count - len(summary.problems)
    if rest:
        screen.print(f"… 另有 {rest} 处", f"… and {rest} more")
    if summary.unread:
        names = ", ".join(summary.unread)
        screen.print(f"没有读的列：{names}", f"Columns not read: {names}", style="dim")
    for (field, value, code), number in summary.names.items():
        known = ", ".join(f"{zh}: {one}" for one, zh in CODES[field].items())
        screen.print(
            f"{FIELDS_ZH[field]}“{value}”有 {number} 处，是 {code} 的名称：政策里问的是 {code}，就不算它们。"
            f"可以在列对照里写明：{field}: {{column: 列名, values: {{{known}}}}}",
            f"{field} {value!r} is the name of the code {code} ({number} times): a policy that asks for {code} does "
            f"not count them. The mapping may say so: {field}: {{column: NAME, values: {{{known}}}}}",
            style="yellow",
        )
    lang, of = screen.lang, summary.status
    numbers = [
        count(number, lang)
        for number in (
            summary.rows,
            of["recorded"],
            of["duplicate"],
            of["parked"],
            of["conflict"],
            summary.refused - of["conflict"],
        )
    ]
    screen.print(
        "读了 {} 行：记录 {}，早已记过 {}，待配对 {}，内容冲突 {}，不合要求 {} 行。".format(*numbers),
        "{} rows: {} recorded, {} were there, {} wait for what they name, {} conflicts, {} rows refused.".format(
            *numbers
        ),
        style="bold green" if summary.clean else "bold yellow",
    )
    if summary.members_created:
        screen.print(f"新建档 {summary.members_created} 位会员。", f"{summary.members_created} members put on file.")
