"""`staff`: the logins of the dealer's people. A password is asked for or piped in, never an argument."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tierengine.access import passwords, staff
from tierengine.commands.acting import acting, looking, store_id_of
from tierengine.commands.failure import Stop
from tierengine.commands.key import RolesOption, known_roles
from tierengine.commands.money import minute
from tierengine.commands.opened import DealerOption
from tierengine.commands.screen import USAGE, Screen, both
from tierengine.errors import Malformed

app = typer.Typer(name="staff", help=both("员工登录。", "Logins of the staff."), no_args_is_help=True)
LoginArgument = Annotated[str, typer.Argument(metavar="LOGIN", help=both("登录名。", "The login."))]
NameOption = Annotated[str, typer.Option("--name", help=both("姓名。", "The person's name."))]


@app.command(help=both("建立第一位管理员；已有时拒绝。", "Make the first admin; refused when there is one."))
def bootstrap(context: typer.Context, login: LoginArgument, name: NameOption = "", dealer: DealerOption = "") -> int:
    """Make the admin for whom nobody can answer yet."""
    screen: Screen = context.obj
    plain = _login(login)
    digest = _digest(screen, plain)
    of, _ = acting(dealer, lambda by: staff.add_first(by, plain, digest, name=name))
    return _done(screen, "added", plain, of.code, "已建立第一位管理员", "The first admin is made")


@app.command(help=both("添加一个登录。", "Add a login."))
def add(
    context: typer.Context,
    login: LoginArgument,
    role: RolesOption,
    store: Annotated[
        str, typer.Option("--store", metavar="CODE", help=both("只属于一家门店时。", "If of one store only."))
    ] = "",
    name: NameOption = "",
    dealer: DealerOption = "",
) -> int:
    """Put a login on file."""
    screen: Screen = context.obj
    known_roles(role)
    plain = _login(login)
    digest = _digest(screen, plain)
    of, _ = acting(dealer, lambda by: staff.add(by, plain, digest, role, name=name, store_id=store_id_of(by, store)))
    return _done(screen, "added", plain, of.code, "已添加", "Added")


@app.command("list", help=both("列出登录。", "List the logins."))
def list_(context: typer.Context, dealer: DealerOption = "") -> int:
    """List logins, disabled ones too."""
    screen: Screen = context.obj
    zone, found = looking(dealer, staff.every)
    rows = [
        (
            one.login, one.name, " ".join(one.roles), one.store, minute(one.created_at, zone),
            minute(one.disabled_at, zone) if one.disabled_at is not None else "",
        )
        for one in found
    ]  # fmt: skip
    heads = [
        screen.say(zh, en)
        for zh, en in (
            ("登录名", "Login"), ("姓名", "Name"), ("职责", "Roles"), ("门店", "Store"), ("建立", "Made"),
            ("停用", "Disabled"),
        )
    ]  # fmt: skip
    document = [
        {
            "login": one.login, "name": one.name, "roles": one.roles, "store": one.store or None,
            "created_at": one.created_at, "disabled_at": one.disabled_at,
        }
        for one in found
    ]  # fmt: skip
    return screen.end({"staff": document}, lambda: screen.table("", heads, rows, unbroken=(0,)))


@app.command(help=both("换密码；已登录的随之退出。", "Give another password; whoever is logged in is out."))
def password(context: typer.Context, login: LoginArgument, dealer: DealerOption = "") -> int:
    """Change a password."""
    screen: Screen = context.obj
    plain = _login(login)
    digest = _digest(screen, plain)
    of, _ = acting(dealer, lambda by: staff.change_password(by, plain, digest))
    return _done(screen, "changed", plain, of.code, "密码已换", "The password is changed")


@app.command(help=both("停用登录，两秒内生效。", "Disable a login; every process refuses it within two seconds."))
def disable(context: typer.Context, login: LoginArgument, dealer: DealerOption = "") -> int:
    """End a login and its sessions."""
    screen: Screen = context.obj
    plain = _login(login)
    of, _ = acting(dealer, lambda by: staff.disable(by, plain))
    return _done(screen, "disabled", plain, of.code, "已停用", "Disabled")


def _login(text: str) -> str:
    try:
        return staff.login_of(text)
    except Malformed as problem:
        raise Stop("bad_login", problem.errors[0].say("zh"), problem.errors[0].say("en"), USAGE) from None


def _digest(screen: Screen, login: str) -> str:
    """Ask for a password, twice at a terminal; a program gives it as one line on standard input."""
    if sys.stdin.isatty():
        prompt, again = screen.say("密码", "Password"), screen.say("再输一遍", "Once more")
        given = typer.prompt(prompt, hide_input=True, err=True)
        if typer.prompt(again, hide_input=True, err=True) != given:
            raise Stop("passwords_differ", "两次输入不一样。", "The two are not the same.", USAGE)
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    try:
        return passwords.hashed(given, login)
    except Malformed as problem:
        one = problem.errors[0]
        raise Stop(one.code, one.say("zh"), one.say("en"), USAGE) from None


def _done(screen: Screen, what: str, login: str, dealer: str, zh: str, en: str) -> int:
    return screen.end({what: login, "dealer": dealer}, lambda: screen.print(f"{zh}:{login}", f"{en}: {login}"))
