"""`policy draft` and the versions: what is being written, and what rules and ruled; as over HTTP."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from tierengine.commands.options import Dealer, EffectiveFrom, Reason
from tierengine.commands.policy_file import File
from tierengine.commands.screen import PROBLEMS, USAGE, Screen, both

versions_app = typer.Typer()
app = typer.Typer(
    name="draft",
    help=both("草稿：写、看、弃，由另一个人发布。", "Drafts: written by one, published by another."),
    no_args_is_help=True,
)
versions_app.add_typer(app)

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
Name = Annotated[str, typer.Argument(metavar="NAME", help=both("草稿名。", "The draft's name."))]
TagOption = Annotated[
    str,
    typer.Option("--tag", help=both("看到的标记；缺省：现在的。", "The tag that was seen; default: the present.")),
]
_PATH: Final = "/v1/policy-drafts/{name}"


@versions_app.command("list", help=both("列出发布过的各版。", "List the published versions."))
def versions(context: typer.Context, dealer: Dealer = "") -> int:
    """List every version, newest first."""
    from tierengine.commands.acting import looking  # noqa: PLC0415  policies are checked without a database
    from tierengine.commands.money import minute  # noqa: PLC0415
    from tierengine.policies.versions import published  # noqa: PLC0415

    screen: Screen = context.obj
    zone, found = looking(dealer, published)
    rows = [
        {
            "version": one.number, "effective_from": minute(one.effective_from, zone),
            "published_at": minute(one.published_at, zone), "author": one.author, "reason": one.reason,
            "hash": one.hash,
        }
        for one in found
    ]  # fmt: skip
    lines = [f"{one['version']:>4}  {one['effective_from']}  {one['author']}  {one['reason']}" for one in rows]
    return screen.end({"versions": rows}, lambda: screen.print("\n".join(lines), "\n".join(lines)))


@versions_app.command("show", help=both("把发布过的一版原样写出。", "Write a published version just as it was."))
def version(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="VERSION", min=1, help=both("第几版。", "Which version."))],
    dealer: Dealer = "",
) -> int:
    """Show the text of a version."""
    from tierengine.commands.acting import looking  # noqa: PLC0415
    from tierengine.commands.failure import Stop  # noqa: PLC0415
    from tierengine.policies.versions import text_of  # noqa: PLC0415

    screen: Screen = context.obj
    _, text = looking(dealer, lambda link, of: text_of(link, of, number))
    if text is None:
        raise Stop("unknown_version", f"没有第 {number} 版。", f"There is no version {number}.", PROBLEMS)
    return screen.end(
        {"version": number, "text": text}, lambda: screen.out.print(text, markup=False, highlight=False, soft_wrap=True)
    )


@app.command("list", help=both("列出草稿。", "List the drafts."))
def list_(context: typer.Context, dealer: Dealer = "") -> int:
    """List the drafts, without their texts."""
    from tierengine.commands.acting import looking  # noqa: PLC0415
    from tierengine.commands.money import minute  # noqa: PLC0415
    from tierengine.policies.drafts import drafts  # noqa: PLC0415

    screen: Screen = context.obj
    zone, found = looking(dealer, drafts)
    rows = [
        {"name": one.name, "revision": one.revision, "tag": one.tag, "author": one.author,
         "updated_at": minute(one.updated_at, zone)}
        for one in found
    ]  # fmt: skip
    lines = "\n".join(f"{one['name']}  {one['tag']}  {one['author']}  {one['updated_at']}" for one in rows)
    return screen.end({"drafts": rows}, lambda: screen.print(lines or "没有草稿。", lines or "No drafts."))


@app.command(help=both("写出一份草稿。", "Show a draft."))
def show(context: typer.Context, name: Name, dealer: Dealer = "") -> int:
    """Show a draft's text and its tag."""
    from tierengine.commands.acting import looking  # noqa: PLC0415
    from tierengine.policies.drafts import draft  # noqa: PLC0415

    screen: Screen = context.obj
    _, found = looking(dealer, lambda link, of: draft(link, of, name))
    document = {"name": name, "revision": found.revision, "tag": found.tag, "author": found.author, "text": found.text}
    return screen.end(document, lambda: screen.out.print(found.text, markup=False, highlight=False, soft_wrap=True))


@app.command(help=both("把文件存成草稿（新的，或换掉原来的）；不必已经写对。", "Keep a file as a draft, right or not."))
def write(
    context: typer.Context,
    name: Name,
    file: File,
    tag: TagOption = "",
    dealer: Dealer = "",
) -> int:
    """Make a draft, or put another text in its place."""
    from tierengine.access.audit import Acting  # noqa: PLC0415
    from tierengine.commands.acting import acting  # noqa: PLC0415
    from tierengine.policies import drafts  # noqa: PLC0415

    screen: Screen = context.obj
    _named(name)
    text = _text(file)

    def act(by: Acting) -> drafts.Draft:
        seen = tag or drafts.tag_of(by.link, by.dealer_id, name)
        made = drafts.write(by.link, by.dealer_id, name, text, seen=seen, author=by.actor, now=by.now)
        by.note(f"PUT {_PATH}", f"name:{name}", revision=made.revision, hash=made.hash)
        return made

    _, made = acting(dealer, act)
    return screen.end(
        {"name": name, "revision": made.revision, "tag": made.tag},
        lambda: screen.print(f"草稿 {name} 第 {made.revision} 稿", f"Draft {name}, revision {made.revision}"),
    )


@app.command(help=both("弃掉一份草稿。", "Drop a draft."))
def drop(context: typer.Context, name: Name, tag: TagOption = "", dealer: Dealer = "") -> int:
    """Drop a draft that is no longer wanted."""
    from tierengine.access.audit import Acting  # noqa: PLC0415
    from tierengine.commands.acting import acting  # noqa: PLC0415
    from tierengine.policies import drafts  # noqa: PLC0415

    screen: Screen = context.obj

    def act(by: Acting) -> None:
        seen = tag or drafts.draft(by.link, by.dealer_id, name).tag
        drafts.drop(by.link, by.dealer_id, name, seen=seen)
        by.note(f"DELETE {_PATH}", f"name:{name}")

    acting(dealer, act)
    return screen.end({"name": name}, lambda: screen.print(f"已弃掉 {name}", f"Dropped {name}"))


@app.command(help=both("发布别人写的草稿。", "Publish a draft that somebody else wrote."))
def publish(
    context: typer.Context,
    name: Name,
    reason: Reason,
    effective_from: EffectiveFrom = "",
    tag: TagOption = "",
    dealer: Dealer = "",
) -> int:
    """Check, compile and run the examples of a draft, and publish it. Who wrote it may not."""
    from tierengine.access.audit import Acting  # noqa: PLC0415
    from tierengine.commands.acting import acting, looking  # noqa: PLC0415
    from tierengine.commands.money import minute  # noqa: PLC0415
    from tierengine.commands.publishing import begins_at, refused_in_words  # noqa: PLC0415
    from tierengine.policies import drafts  # noqa: PLC0415
    from tierengine.policies.examination import examined  # noqa: PLC0415

    screen: Screen = context.obj
    zone, found = looking(dealer, lambda link, of: drafts.draft(link, of, name))
    begins = begins_at(effective_from, zone)

    def act(by: Acting) -> dict[str, Any]:
        wish = drafts.Publication(tag or found.tag, by.actor, reason, begins, by.now)
        made = drafts.publish(by.link, by.ids, by.dealer_id, name, wish)
        by.note(f"POST {_PATH}/publish", f"name:{name}", version=made["version"], hash=made["hash"])
        return made

    with refused_in_words(zone):
        examined(found.text)
        of, made = acting(dealer, act)
    starts = minute(made["effective_from"], zone)
    return screen.end(
        {**made, "dealer": of.code, "effective_from": starts},
        lambda: screen.print(
            f"已发布 {of.code} 第 {made['version']} 版政策，从 {starts} 起生效。",
            f"Published version {made['version']} for {of.code}; it rules from {starts}.",
            style="bold green",
        ),
    )


def _named(name: str) -> None:
    from tierengine.commands.failure import Stop  # noqa: PLC0415

    if not _NAME.fullmatch(name):
        raise Stop(
            "bad_name",
            f"草稿名只用字母、数字和 . _ -:{name}",
            f"A name has letters, digits, . _ -: {name}",
            USAGE,
        )


def _text(file: Path) -> str:
    from tierengine.commands.failure import Stop  # noqa: PLC0415
    from tierengine.policies.drafts import TEXT_MOST  # noqa: PLC0415

    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise Stop("bad_file", f"读不了 {file}：{problem}", f"Cannot read {file}: {problem}", PROBLEMS) from problem
    if len(text) > TEXT_MOST or "\0" in text:
        raise Stop("bad_file", f"{file} 太长或含有空字符。", f"{file} is too long or has NUL in it.", PROBLEMS)
    return text
