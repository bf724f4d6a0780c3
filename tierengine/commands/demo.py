"""`demo`: a dealer's two years recorded afresh, and what came of them on one page."""

from __future__ import annotations

import time
from typing import Final

import typer

from tierengine.commands import demo_page
from tierengine.commands.failure import Stop
from tierengine.commands.opened import Dealer, Opened, programme_of
from tierengine.commands.progress import bar
from tierengine.commands.screen import DONE, PROBLEMS, Screen, both
from tierengine.demo.book import demo_book
from tierengine.demo.run import NotOurs, RecordedDemo, afresh, own_settings, policy_file, tell
from tierengine.store import snapshots

app = typer.Typer()
URL: Final = "sqlite:///demo.db"


@app.command(help=both("演示：一家代理商两年的账，一分钟看完。", "A dealer's two years in a minute, in demo.db."))
def demo(context: typer.Context) -> int:
    """Record the demo book into demo.db, afresh, and show what came of it."""
    screen: Screen = context.obj
    if not screen.asked:
        screen.lang = "zh"  # the dealer's own tongue, unless another was asked for
    began = time.monotonic()
    told = _record(screen)
    link = snapshots.reader(URL)
    try:
        with snapshots.snapshot(link):
            dealer = Dealer(told.dealer_id, *demo_book().dealer)
            opened = Opened(link, programme_of(link, dealer), dealer)
            page = demo_page.read(opened, told, own_settings(URL))
        code = PROBLEMS if page.broken else DONE
        return screen.end(
            demo_page.document(page), lambda: demo_page.show(screen, page, time.monotonic() - began), code
        )
    finally:
        link.close()


def _record(screen: Screen) -> RecordedDemo:
    try:
        afresh(URL)
    except NotOurs as problem:
        raise Stop(
            "not_a_book",
            f"{problem} 不是账本，演示不会覆盖它；请换一个文件夹。",
            f"{problem} is no book and is left alone; run the demo in another folder.",
        ) from None
    text = policy_file().read_text(encoding="utf-8")
    book = demo_book()
    screen.print(
        f"记录 {book.dealer[1]} 两年的账：{len(book.customers)} 位客户，{len(book.stores)} 家门店 …",
        f"Recording two years of {book.dealer[1]}: {len(book.customers)} customers, {len(book.stores)} stores …",
        style="bold",
    )
    with bar(screen, screen.say("记录", "recording")) as progress:
        return tell(URL, text, progress=progress, book=book)
