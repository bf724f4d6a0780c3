"""The shapes of what staff send and are answered: members, policies, awards and duties."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from api.shape import Id, Said, Shape, When
from tierengine.policies.drafts import TEXT_MOST

Name = Annotated[str, Field(min_length=1, max_length=100)]
Policy = Annotated[str, Field(min_length=1, max_length=TEXT_MOST, description="The whole policy, YAML.")]


class _In(Shape):
    model_config = ConfigDict(extra="forbid")


class MemberIn(_In):
    """A customer to put on file. Name, phones, contact and note are personal data: they are stored apart, sealed."""

    member: Id
    form: Literal["person", "firm"] = "person"
    name: Annotated[str, Field(max_length=200)] = ""
    phones: Annotated[list[Annotated[str, Field(min_length=3, max_length=40)]], Field(max_length=20)] = []
    contact: Annotated[str, Field(max_length=200, description="Whom to ask for at a firm.")] = ""
    note: Annotated[str, Field(max_length=2_000)] = ""


class StoreIn(_In):
    """A place of sale. Its code stands in the key of every order for ever."""

    store: Id
    name: Annotated[str, Field(max_length=100)] = ""


class ConsentIn(_In):
    """What a member agrees to, or withdraws. `marketing` is acted on; other purposes are the policy's to name."""

    purpose: Annotated[str, Field(pattern=r"^[^\W\d_][\w-]{0,39}$", examples=["marketing"])]
    given: bool
    text_version: Annotated[str, Field(min_length=1, max_length=40, description="Of the text that he saw.")]
    occurred_at: When | None = None
    source_id: Id | None = None
    staff: Id | None = None


class PersonIn(_In):
    """Personal data as it should be: what is named is replaced, empty takes it away, what is not named stays."""

    name: Annotated[str, Field(max_length=200)] | None = None
    phones: Annotated[list[Annotated[str, Field(min_length=3, max_length=40)]], Field(max_length=20)] | None = None
    contact: Annotated[str, Field(max_length=200)] | None = None
    note: Annotated[str, Field(max_length=2_000)] | None = None


class ErasureIn(_In):
    """Whether the member gives up what he has, and what he owes is not collected; else neither may be left.

    It cannot be undone: `by` does it, `second` stands beside him. Whoever is logged in is `by`, and the second shows
    his own session in `Second-Authorization`; a program names both.
    """

    forfeit: bool = False
    by: Annotated[str | None, Field(min_length=1, max_length=100)] = None
    second: Annotated[str | None, Field(min_length=1, max_length=100)] = None


class MergeIn(_In):
    """Into whom a member is merged, and why. The time is only that of the word: both were always one."""

    into: Id
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    occurred_at: When | None = None
    source_id: Id | None = None


class UnmergeIn(_In):
    """Why a member's merge is taken back."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class AttributeIn(_In):
    """A change of what rules read of a member; one value, as the attribute's type is. It counts from its time."""

    name: Name
    value_text: Annotated[str, Field(max_length=500)] | None = None
    value_int: int | None = None
    value_date: Annotated[str, Field(json_schema_extra={"format": "date"})] | None = None
    occurred_at: When | None = None
    source_id: Id | None = None
    staff: Id | None = None
    note: Annotated[str, Field(max_length=2_000)] | None = None


class PolicyIn(_In):
    """A policy to be looked at."""

    text: Policy


class PublishIn(_In):
    """From when on a draft rules, and why; without a time the first one at once, others after a minute's notice."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]
    effective_from: When | None = None


class IssueIn(_In):
    """An award to be given: of which year (2026), quarter (202603: `period` 2026-Q3) or month (2026-03)."""

    period: Annotated[str, Field(pattern=r"^(199\d|20\d\d|21\d\d)(-Q[1-4]|-(0[1-9]|1[0-2]))?$")]
    closing: When | None = None


class DoneIn(_In):
    """A duty that was done; without a time it is now."""

    member: Id
    duty: Id
    evidence: Annotated[str, Field(max_length=500)] | None = None
    request: Id | None = None
    occurred_at: When | None = None
    source_id: Id | None = None
    staff: Id | None = None
    note: Annotated[str, Field(max_length=2_000)] | None = None


class Registered(Shape):
    """A customer who is on file now."""

    status: Literal["recorded"]
    member: str


class Store(Shape):
    """A place of sale."""

    store: str
    name: str


class Stores(Shape):
    """The stores of a dealer, by code."""

    stores: list[Store]


class StoreMade(Store):
    """A store that is on file now."""

    status: Literal["recorded"]


class ConsentWord(Shape):
    """One word on a purpose: given or withdrawn, when, told by whom, to which text."""

    purpose: str
    given: bool
    at: str
    text_version: str | None
    staff: str | None


class Consents(Shape):
    """The purposes as they stand, and every word on them, newest first."""

    member: str
    now: dict[str, bool]
    words: list[ConsentWord]


class Erased(Shape):
    """A member whose personal data is destroyed, and since when."""

    status: Literal["recorded"]
    member: str
    erased_at: str


class ErasurePlan(Shape):
    """What stands against erasing a member now: open holds, and credit and debts by wallet, in its smallest unit.

    With `forfeit` true the erasure has to say that they are given up; with holds it is refused.
    """

    member: str
    erased_at: str | None
    holds: int
    credit: dict[str, int]
    debts: dict[str, int]
    forfeit: bool


class Export(Shape):
    """All that is held on one member. Each section has its rows; `labels` names columns, kinds and fields."""

    member: str
    form: str
    dealer: dict[str, str]
    exported_at: str
    on_file_since: str
    erased_at: str | None
    person: dict[str, Any]
    sections: list[dict[str, Any]]
    labels: dict[str, dict[str, dict[str, str]]]
    merged: list[dict[str, Any]] = []


class DraftTag(Shape):
    """A draft after a change, or before it was dropped."""

    status: Literal["recorded"]
    name: str
    revision: int | None = None
    etag: str | None = None


class DraftHead(Shape):
    """A draft without its text."""

    name: str
    revision: int
    etag: str
    hash: str
    author: str
    updated_at: str


class Draft(DraftHead):
    """A draft."""

    text: str


class Drafts(Shape):
    """All drafts."""

    drafts: list[DraftHead]


class VersionHead(Shape):
    """A published policy without its text. `state`: past, in_force or coming."""

    version: int
    state: Literal["past", "in_force", "coming"]
    effective_from: str
    published_at: str
    author: str
    reason: str
    hash: str


class Version(VersionHead):
    """A published policy."""

    text: str


class Versions(Shape):
    """Published policies, newest first; `next` is the cursor of the following page."""

    versions: list[VersionHead]
    next: int | None


class Checked(Shape):
    """Every problem of a policy, with its place."""

    ok: bool
    errors: int
    warnings: int
    problems: list[dict[str, Any]]


class Tested(Shape):
    """What came out of a policy's examples, and how much of it they exercise, in percent."""

    ok: bool
    passed: int
    failed: int
    coverage: int
    examples: list[dict[str, Any]]


class Published(Shape):
    """A version that will rule from an instant on."""

    status: Literal["recorded"]
    version: int
    effective_from: str
    author: str
    published_by: str
    hash: str


class Place(Shape):
    """One who is eligible. `wins`: above the cut line; prizes and tax in fen."""

    place: int
    member: str
    group: str | None
    score_bp: int
    parts_bp: dict[str, int]
    wins: bool
    prize: int
    tax: int
    decided_by: str | None
    evidence: dict[str, int | None]


class AwardPlan(Shape):
    """Who would win, as of now; `next` is the cursor of further places."""

    award: str
    title: Said
    period: str
    as_of: str
    final: bool
    eligible: int
    winners: int
    limited_by: str
    cost: int
    budget: int
    currency: str
    places: list[Place]
    next: int | None


class Issued(Shape):
    """A frozen list and what of it was booked by this call."""

    status: Literal["recorded"]
    award: str
    period: str
    as_of: str
    list_hash: str
    frozen_now: bool
    issued_now: int
    total: int
    currency: str
    winners: list[dict[str, Any]]


class Duty(Shape):
    """Something that is owed to a member and not done."""

    member: str
    duty: str
    title: Said
    owner: str
    role: str
    manager: str | None
    level: str
    cause: str
    due: str
    status: Literal["open", "late"]
    late_minutes: int
    escalate_to: str | None
    escalate_at: str | None


class Duties(Shape):
    """What is owed, the longest late first; `next` is the cursor of the following page."""

    as_of: str
    duties: list[Duty]
    next: int | None
