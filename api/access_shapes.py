"""The shapes of keys, logins, sessions and the audit."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from api.shape import Shape
from tierengine.access.callers import ROLES
from tierengine.access.passwords import MOST as PASSWORD_MOST

Role = Literal[
    "pos", "sales_manager", "archivist", "policy_editor", "policy_approver", "award_owner", "auditor", "admin"
]
Roles = Annotated[list[Role], Field(min_length=1, max_length=len(ROLES))]
Login = Annotated[str, Field(min_length=1, max_length=100, description="2 to 60 letters, digits or . _ @ -.")]
Password = Annotated[str, Field(min_length=1, max_length=PASSWORD_MOST, json_schema_extra={"format": "password"})]
Code = Annotated[str, Field(min_length=1, max_length=100)]
# What the words of people are made of: no control character, none that turns the writing round.
Words = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$")]


class _In(Shape):
    model_config = ConfigDict(extra="forbid")


class SessionIn(_In):
    """Who logs in."""

    login: Login
    password: Password


class KeyIn(_In):
    """A key to make. Without a store it is one of the whole dealer; `pos` needs one. Without days it has no end."""

    roles: Roles
    store: Code | None = None
    name: Words = ""
    days: Annotated[int, Field(ge=1, le=3_650)] | None = None


class RotateIn(_In):
    """For how long the old key stays valid beside the new one."""

    keep_hours: Annotated[int, Field(ge=0, le=24 * 90)] = 24 * 7


class NothingIn(_In):
    """An empty object."""


class StaffIn(_In):
    """A login to put on file."""

    login: Login
    password: Password
    roles: Roles
    name: Words = ""
    store: Code | None = None


class PasswordIn(_In):
    """The new password."""

    password: Password


class Session(Shape):
    """A session. `token` is shown this once, and goes into `Authorization: Bearer …`."""

    token: str
    login: str
    roles: list[Role]
    store: str | None
    expires_at: str
    idle_minutes: int


class Myself(Shape):
    """Who asks: a login, or a key by its prefix."""

    actor: str
    roles: list[Role]
    store: str | None
    expires_at: str | None


class MadeKey(Shape):
    """A new key, shown this once. `old_until`: how long the rotated one stays valid."""

    key: str
    prefix: str


class Key(Shape):
    """A key as it is listed."""

    prefix: str
    name: str
    roles: list[Role]
    store: str | None
    state: Literal["valid", "expired", "revoked"]
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None


class KeyList(Shape):
    """All keys of the dealer, oldest first."""

    keys: list[Key]


class Person(Shape):
    """A login as it is listed."""

    login: str
    name: str
    roles: list[Role]
    store: str | None
    created_at: str
    disabled_at: str | None


class StaffList(Shape):
    """All logins of the dealer."""

    staff: list[Person]


class Done(Shape):
    """It is done."""

    status: Literal["done"]


class AuditLine(Shape):
    """One act of the staff."""

    id: int
    at: str
    actor: str
    act: str
    subject: str
    request_id: str | None
    body: dict[str, Any]


class AuditPage(Shape):
    """A page of the audit, newest first; `next` is the cursor of the older ones."""

    lines: list[AuditLine]
    next: str | None
