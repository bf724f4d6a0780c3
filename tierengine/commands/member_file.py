"""`member register`, `correct` and `attribute`: a customer on file, and what rules read of him; as over HTTP."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from rules.vocabulary import ATTRIBUTES
from tierengine.access.audit import Acting
from tierengine.commands.acting import acting, once_of, recorded
from tierengine.commands.failure import Stop
from tierengine.commands.finding import found as member_of
from tierengine.commands.opened import DealerOption, reading, settings
from tierengine.commands.screen import PROBLEMS, USAGE, Screen, both
from tierengine.errors import FormError, Malformed
from tierengine.judging.observations import read_observation
from tierengine.judging.values import Values
from tierengine.membership.people import NewMember, create_members
from tierengine.personal import records
from tierengine.personal.erasure import erased_at, member_id
from tierengine.personal.vault import Vault
from tierengine.recording.items import Observe
from tierengine.recording.recorder import clock
from tierengine.zone import moment

REGISTER: Final = both("建档：把一位客户记入会员。", "Put a customer on file.")
ATTRIBUTE: Final = both("更改会员的一项属性（规则会读的）。", "Change an attribute that rules read.")
CONSENT: Final = both("记下会员同意或撤回一个用途。", "Record what a member agrees to, or withdraws.")
CORRECT: Final = both("更正会员的姓名、电话、备注。", "Put a member's name, phones or note right.")
FORMS: Final = ("person", "firm")


def run_register(
    context: typer.Context,
    code: Annotated[str, typer.Argument(metavar="ID", help=both("会员编号，自定。", "A code of your own."))],
    name: Annotated[str, typer.Option(help=both("姓名或单位名。", "His name."))] = "",
    phone: Annotated[list[str] | None, typer.Option(help=both("电话，可多次。", "A phone; may come again."))] = None,
    form: Annotated[str, typer.Option(help="person, firm")] = "person",
    contact: Annotated[str, typer.Option(help=both("单位的联系人。", "Whom to ask for, of a firm."))] = "",
    note: Annotated[str, typer.Option(help=both("备注。", "A note."))] = "",
    dealer: DealerOption = "",
) -> int:
    """Put a customer on file under a code of the dealer's own. What is personal is stored apart, sealed."""
    screen: Screen = context.obj
    values = Values({}, "")
    plain = values.identifier("/member", code)
    errors = list(values.errors)
    errors += _bad_texts(name, contact, phone or ())
    if form not in FORMS:
        raise Stop(
            "bad_form", f"--form 为 person 或 firm，收到 {form!r}。", f"--form is person or firm, got {form!r}.", 2
        )
    if errors or plain is None:
        raise Malformed(errors or [FormError("/member", "missing")])
    new = NewMember(plain, name.strip(), tuple(phone or ()), form, note.strip(), contact.strip())
    vault = Vault.of(settings()) if new.person else None

    def act(by: Acting) -> None:
        create_members(by.link, by.ids, by.dealer_id, [new], by.now, vault)
        by.note("POST /v1/members", f"member:{plain}")

    try:
        acting(dealer, act)
    finally:
        if vault is not None:
            vault.close()
    return screen.end({"member": plain}, lambda: screen.print(f"已建档 {plain}。", f"{plain} is on file."))


def run_correct(
    context: typer.Context,
    code: Annotated[str, typer.Argument(metavar="ID", help=both("会员编号。", "The member's code."))],
    name: Annotated[str | None, typer.Option(help=both("姓名或单位名。", "His name."))] = None,
    phone: Annotated[
        list[str] | None, typer.Option(help=both("全部电话，可多次。", "All phones; comes again."))
    ] = None,
    contact: Annotated[str | None, typer.Option(help=both("单位的联系人。", "Whom to ask for, of a firm."))] = None,
    note: Annotated[str | None, typer.Option(help=both("备注。", "A note."))] = None,
    dealer: DealerOption = "",
) -> int:
    """Replace what is named ("" takes it away); the rest stays."""
    screen: Screen = context.obj
    given = {"name": name, "phones": phone, "contact": contact, "note": note}
    named = [field for field in records.FIELDS if given[field] is not None]
    if not named:
        raise Stop("usage", "至少给出一项：--name、--phone、--contact、--note。", "Name what is to be changed.", USAGE)
    phones = tuple(one for one in phone or () if one)
    if wrong := _bad_texts(name or "", contact or "", phones):
        raise Malformed(wrong)
    person = records.Person((name or "").strip(), phones, (contact or "").strip(), note or "")
    vault = Vault.of(settings())

    def act(by: Acting) -> None:
        number = member_id(by.link, by.dealer_id, code)
        if erased_at(by.link, number) is None:
            records.change(by.link, vault, by.dealer_id, number, person, named)
        by.note("POST /v1/members/{code}/person", f"member:{code}", changed=named)

    try:
        acting(dealer, act)
    finally:
        vault.close()
    return screen.end(
        {"member": code, "changed": named}, lambda: screen.print(f"已更正 {code}。", f"{code} is put right.")
    )


def _bad_texts(name: str, contact: str, phones: Sequence[str]) -> list[FormError]:
    texts = [("/name", name), ("/contact", contact), *((f"/phones/{at}", one) for at, one in enumerate(phones))]
    return [FormError(where, "bad_text") for where, text in texts if not text.isprintable()]


def _valued(name: str, value: str) -> tuple[str, dict[str, object]]:
    """Return the attribute's id, and its value as an event tells it; Stop names those that there are."""
    found = next((one for one in ATTRIBUTES.values() if name in (one.id, one.zh)), None)
    if found is None:
        zh, en = "、".join(f"{one.id}({one.zh})" for one in ATTRIBUTES.values()), ", ".join(ATTRIBUTES)
        raise Stop("unknown_attribute", f"没有属性 {name}；有：{zh}", f"There is no {name}; known: {en}", PROBLEMS)
    field = found.set_by[1]
    plain = unicodedata.normalize("NFKC", value).strip()
    if field == "value_int" and not re.fullmatch(r"-?[0-9]{1,15}", plain):
        raise Stop("bad_value", f"{name} 要一个整数，收到 {value}", f"{name} is a number, got {value}", PROBLEMS)
    said: object = int(plain) if field == "value_int" else plain if field == "value_date" else value
    return found.id, {field: said}


def run_attribute(
    context: typer.Context,
    who: Annotated[str, typer.Argument(metavar="ID", help=both("会员。", "The member."))],
    name: Annotated[str, typer.Argument(metavar="NAME", help=both("属性。", "The attribute."))],
    value: Annotated[str, typer.Argument(metavar="VALUE", help=both("值。", "Its value."))],
    since: Annotated[str, typer.Option("--since", metavar="TIME", help=both("从何时起。", "From when on."))] = "",
    source: Annotated[str, typer.Option(help=both("单号：重发只记一次。", "An id: sent again, it counts once."))] = "",
    dealer: DealerOption = "",
) -> int:
    """Change an attribute from an instant on: an event like any other, `attribute_changed`."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        code = member_of(opened, who)
        attribute, valued = _valued(name, value)
        said = {
            "kind": "attribute_changed", "member": code, "name": attribute, **valued,
            "occurred_at": moment(opened.at(since)).isoformat(), "source_id": source or f"attribute-{uuid.uuid4().hex}",
        }  # fmt: skip
        programme, of = opened.programme, opened.dealer
        told = read_observation(
            said, source="archive", store="", now_us=clock(), zone=programme.info, late_days=None,
            currency=programme.currency,
        )  # fmt: skip
    answer = recorded(Observe(of.id, told, once_of("POST /v1/members/{code}/attributes", f"member:{code}")))
    return screen.end(
        dict(answer.body), lambda: screen.print(f"已记：{code} {name} = {value}", f"Recorded: {code} {name} = {value}")
    )


def run_consent(
    context: typer.Context,
    who: Annotated[str, typer.Argument(metavar="ID", help=both("会员。", "The member."))],
    purpose: Annotated[str, typer.Argument(metavar="PURPOSE", help=both("用途，如 marketing。", "Such as marketing."))],
    text: Annotated[str, typer.Option("--text", metavar="VERSION", help=both("看过哪版文本。", "The text he saw."))],
    withdrawn: Annotated[bool, typer.Option("--withdrawn", help=both("撤回。", "He withdraws it."))] = False,
    dealer: DealerOption = "",
) -> int:
    """Record a member's word on a purpose: an event like any other, `consent_changed`. His last word counts."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        code, now = member_of(opened, who), clock()
        said = {
            "kind": "consent_changed", "member": code, "purpose": purpose, "given": not withdrawn,
            "text_version": text, "occurred_at": moment(now).isoformat(), "source_id": f"consent-{uuid.uuid4().hex}",
        }  # fmt: skip
        told = read_observation(
            said, source="archive", store="", now_us=now, zone=opened.programme.info, late_days=None,
            currency=opened.programme.currency,
        )  # fmt: skip
        of = opened.dealer
    answer = recorded(Observe(of.id, told, once_of("POST /v1/members/{code}/consents", f"member:{code}")))
    return screen.end(dict(answer.body), lambda: screen.print(f"已记：{code} {purpose}", f"Recorded: {code} {purpose}"))
