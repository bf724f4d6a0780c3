"""`verify`: whether every invariant of the ledger holds."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from tierengine.commands.acting import acting_at
from tierengine.commands.failure import Stop
from tierengine.commands.judged_again import Again, disclosed, judged
from tierengine.commands.opened import Dealer, dealers, programme_of, settings, writing
from tierengine.commands.screen import DONE, PROBLEMS, USAGE, Screen, both
from tierengine.errors import Unavailable
from tierengine.ledger.chain import BadAnchor
from tierengine.ledger.invariants import INVARIANTS, Invariant
from tierengine.ledger.lost import Lost, lost
from tierengine.ledger.verify import CHAIN, SAMPLES, Broken
from tierengine.ledger.verify import verify as broken_of
from tierengine.personal.checks import erased_with_key, without_key
from tierengine.personal.keystore import KeyStore, url_of
from tierengine.policies.versions import Programme
from tierengine.recording.leaks import DISCLOSED
from tierengine.recording.rebuilding import Differences
from tierengine.recording.rebuilding import rebuild as rebuild_caches
from tierengine.recording.rejudging import JUDGED, STANDING
from tierengine.settings import Settings
from tierengine.store import snapshots
from tierengine.store.database import NotReady, check_ready
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, transact
from tierengine.zone import moment

app = typer.Typer()


@app.command(help=both("核对账目：所有不变式都成立吗。", "Check the ledger: does every invariant hold."))
def verify(
    context: typer.Context,
    anchor: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=both(
                "外存的链头（tierengine seal --anchor 写的），逐条核对。",
                "Anchors kept outside, as `tierengine seal --anchor` wrote them.",
            ),
        ),
    ] = None,
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild",
            help=both(
                "从只增不改的各表重算所有缓存，逐一比较。",
                "Make every cache again from what is insert only, and compare.",
            ),
        ),
    ] = False,
    judge: Annotated[
        bool,
        typer.Option(
            "--judge",
            help=both(
                "把全部会员重新判定（不写则每天轮一部分）。",
                "Judge every member again (without it: a part of them, another one each day).",
            ),
        ),
    ] = False,
    write: Annotated[
        bool,
        typer.Option("--write", help=both("与 --rebuild 同用：替换不同的。", "With --rebuild: replace what differs.")),
    ] = False,
) -> int:
    """Run every invariant over the whole book."""
    if write and not rebuild:
        raise Stop("rebuild_missing", "--write 要和 --rebuild 一起用。", "--write goes with --rebuild.", USAGE)
    screen: Screen = context.obj
    wanted = settings()
    check_ready(wanted.database_url)
    made = _rebuilt(wanted, write=write) if rebuild else {}
    link, beside = (snapshots.reader(wanted.database_url, wanted) for _ in range(2))
    lines = [] if anchor is None else anchor.read_text(encoding="utf-8").splitlines()
    try:
        with snapshots.snapshot(link), snapshots.snapshot(beside):
            broken = (*broken_of(link, lines, beside), *disclosed(link), *_keys(screen, wanted, link))
            again = Again() if rebuild else judged(link, every=judge)  # (rebuilt caches were judged again)
            broken += again.broken()
            stretches = _timed(link, lost(link, lines))
    except BadAnchor as problem:
        raise Stop(
            "bad_anchor",
            f"{anchor} 第 {problem.line} 行不是链头：应有 dealer、number、hash。",
            f"{anchor}, line {problem.line}: no anchor; expected dealer, number and hash.",
            PROBLEMS,
        ) from problem
    finally:
        link.close()
        beside.close()
    wrong = broken or any(not one.same and not (one.replaced and one.replaceable) for one in made.values())
    found = document(broken, ALL) | ({"rebuild": _plain(made)} if rebuild else {})
    found["judged"] = again.parts
    if anchor is not None:
        found["lost"] = stretches
    found["ok"] = not wrong
    return screen.end(
        found, lambda: _show(screen, broken, made, again, stretches, rebuild=rebuild), PROBLEMS if wrong else DONE
    )


_ERASED_KEY: Final = Invariant(
    18, "erased_key", "已注销的会员没有密钥（有：旧的密钥备份放回来了，请再注销一次）",
    "an erased member has no key (where he has, an old copy of the keys was put back: erase him again)", "",
)  # fmt: skip
_LOST_KEY: Final = Invariant(
    18, "lost_key", "每位存有个人信息的会员都有密钥", "every member with personal data on file has his key", ""
)


ASKED: Final = len(INVARIANTS) + len(CHAIN)
ALL: Final = ASKED + len((JUDGED, STANDING, DISCLOSED))


def _keys(screen: Screen, wanted: Settings, link: Link) -> list[Broken]:
    """Hold the book's personal data against the keys, which stand elsewhere; said where they cannot be reached."""
    found = []
    try:
        store = KeyStore(url_of(wanted))
        for invariant, members in (
            (_ERASED_KEY, erased_with_key(link, store)),
            (_LOST_KEY, without_key(link, store)),
        ):
            if members:
                found.append(Broken(invariant, len(members), tuple((one,) for one in members[:SAMPLES])))
        store.close()
    except (NotReady, Unavailable) as problem:
        if link.ask("SELECT 1 FROM personal LIMIT 1").rows():
            screen.warn(f"没有核对个人信息的密钥：{problem}", f"The keys of personal data were not checked: {problem}")
    return found


def _rebuilt(wanted: Settings, *, write: bool) -> dict[str, Differences]:
    """Make the caches of every dealer again; what is written is written in one transaction a dealer."""
    found: dict[str, Differences] = {}
    if write:
        with writing() as (link, ids):
            for dealer in dealers(link):
                programme = programme_of(link, dealer)
                link.rollback()
                found[dealer.code] = transact(link, ids, partial(_replaced, programme, dealer))
        return found
    link = snapshots.reader(wanted.database_url, wanted)
    try:
        with snapshots.snapshot(link):
            for dealer in dealers(link):
                found[dealer.code] = rebuild_caches(link, programme_of(link, dealer))
    finally:
        link.close()
    return found


def _replaced(programme: Programme, of: Dealer, link: Link, ids: Ids) -> Differences:
    made = rebuild_caches(link, programme, ids)
    acting_at(link, ids, of).note("verify.rebuild", "caches", **made.counts)
    return made


def _plain(made: dict[str, Differences]) -> list[dict[str, object]]:
    return [
        {
            "dealer": dealer,
            "same": one.same,
            "replaced": one.replaced,
            "differences": [
                {"cache": cache, "count": count, "rows": [list(row) for row in one.rows[cache]]}
                for cache, count in one.counts.items()
            ],
        }
        for dealer, one in made.items()
    ]


def _show(
    screen: Screen,
    broken: tuple[Broken, ...],
    made: dict[str, Differences],
    again: Again,
    stretches: list[dict[str, Any]],
    *,
    rebuild: bool,
) -> None:
    for dealer, one in made.items():
        for cache, count in one.counts.items():
            key, stored, anew = one.rows[cache][0]
            screen.print(
                f"✗ {dealer} {cache}：{count} 处与重算不同，如 {key}：存的 {stored}，应为 {anew}",
                f"✗ {dealer} {cache}: {count} differ from what is made again, as {key}: {stored}, made {anew}",
                style="bold red",
            )
        if one.replaced and not one.same and one.replaceable:
            screen.print(f"已替换 {dealer} 的缓存。", f"The caches of {dealer} were replaced.", style="green")
    if rebuild and all(each.same for each in made.values()):
        screen.print("✓ 所有缓存与重算一致。", "✓ Every cache comes out the same.", style="bold green")
    for part in again.parts:
        turn = "" if part["parts"] == 1 else f"({part['part']}/{part['parts']})"
        screen.print(
            f"重新判定了 {part['dealer']} 的 {part['members']} 位会员，共 {part['of']} 位{turn}。",
            f"{part['dealer']}: {part['members']} of {part['of']} members were judged again{turn and ' ' + turn}.",
        )
    show(screen, broken, ALL)
    for stretch in stretches:
        _show_lost(screen, **stretch)


def _timed(link: Link, stretches: list[Lost]) -> list[dict[str, Any]]:
    """Return the stretches for a program, with the dealer's own times."""
    zones: dict[str, str] = dict(link.ask("SELECT code, timezone FROM dealer").rows())
    found = []
    for one in stretches:
        info = ZoneInfo(zones.get(one.dealer, "UTC"))
        times = {
            name: None if at is None else moment(at, info).isoformat(timespec="seconds")
            for name, at in (("after_at", one.after_at), ("until_at", one.until_at))
        }
        found.append({"dealer": one.dealer, "after": one.after, "until": one.until, "others": one.others, **times})
    return found


def _show_lost(
    screen: Screen, dealer: str, after: int, until: int, after_at: str | None, until_at: str | None, *, others: bool
) -> None:
    """Say from where to where the book lacks what the anchors tell of, and what it is taken for."""
    zh = f"✗ {dealer}：与链头相符到第 {after} 封（{after_at or '没有一封'}），"
    zh += f"链头记到第 {until} 封（{until_at or '时间未记'}）；"
    en = f"✗ {dealer}: as the anchors say up to seal {after} ({after_at or 'none'}), of which they know {until} "
    en += f"({until_at or 'no time said'}); "
    if others:
        zh += "以后的与链头不同：恢复到较早的备份后又记了账，或者被改写过。"
        en += "what comes after it differs: recorded after an earlier back-up was restored, or written anew."
    else:
        zh += f"以后的 {until - after} 封没有了，像是恢复了较早的备份：这段时间的单请收银台和 ERP 原样重发。"
        en += (
            f"the {until - after} after it are gone, as where an earlier back-up was restored: have tills and the ERP "
        )
        en += "send that time's orders again."
    screen.print(zh, en, style="bold red")


def document(broken: tuple[Broken, ...], asked: int = ASKED) -> dict[str, object]:
    """Return what was found of so many invariants, for a program."""
    return {
        "ok": not broken,
        "invariants": asked,
        "broken": [
            {
                "number": one.invariant.number,
                "code": one.invariant.code,
                "zh": one.invariant.zh,
                "en": one.invariant.en,
                "count": one.count,
                "rows": [list(row) for row in one.rows],
            }
            for one in broken
        ],
    }


def show(screen: Screen, broken: tuple[Broken, ...], asked: int = ASKED) -> None:
    """Print what was found."""
    for one in broken:
        screen.print(
            f"✗ {one.invariant.number} {one.invariant.code}：{one.invariant.zh}"
            f"（{one.count} 处，如 {list(one.rows[0])}）",
            f"✗ {one.invariant.number} {one.invariant.code}: {one.invariant.en} ({one.count}, as {list(one.rows[0])})",
            style="bold red",
        )
    if not broken:
        screen.print(
            f"✓ 账目核对无误：{asked} 条不变式全部成立。",
            f"✓ The ledger is clean: all {asked} invariants hold.",
            style="bold green",
        )
