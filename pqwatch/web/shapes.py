"""The shapes of the HTTP API, for its OpenAPI document: those of `interface.md`, field by field.

Answers are written by `storage.shape` and `alerts.reporting`; a test holds them to these models.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from alerts.compose.clean import shown

StateName = Literal["tabled", "holding", "answered", "corrected", "withdrawn", "lapsed", "published"]
KindName = Literal[
    "tabled", "transferred", "holding", "answered", "corrected", "edited", "withdrawn", "lapsed", "restored",
    "regrouped", "retitled", "rescheduled", "reformatted", "reparsed", "published",
]  # fmt: skip
EventName = KindName | Literal["overdue"]


class Shape(BaseModel):
    """Exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str | None = None


class BodyShape(Shape):
    id: int | None
    name: str


class MemberShape(Shape):
    """A Member as they were when first seen."""

    id: int | None
    name: str
    party: str | None
    member_for: str | None
    position: str | None = None


class AttachmentShape(Shape):
    title: str
    url: str
    type: str | None
    bytes: int | None


class SightingShape(Shape):
    """A source that showed the question; `extras` is what it alone tells, such as votes and the page's language."""

    source: str
    source_id: str
    url: str
    first_seen: datetime
    last_seen: datetime
    extras: dict[str, str | int] | None = None


class DiscrepancyShape(Shape):
    source: str
    field: str
    here: str | None
    there: str | None


class VersionShape(Shape):
    """One state of the meaning of a question."""

    number: int
    kind: KindName
    kinds: list[KindName]
    observed_at: datetime
    source: str
    changed: list[str]
    state: StateName
    question_text: str | None
    answer_text: str | None
    page_sha256: str
    backfilled: bool
    reconstructed: bool


class QuestionShape(Shape):
    """A question, or an item of a feed (`house` null)."""

    key: str
    house: Literal["Commons", "Lords", "Scottish Parliament"] | None
    uin: str | None
    official_id: int | None
    provisional: bool
    url: str | None
    tabled_on: date | None
    due_on: date | None
    overdue_after: date | None
    named_day: bool
    state: StateName
    heading: str | None
    answering_body: BodyShape | None
    asking_member: MemberShape | None
    declared_interest: bool
    question_text: str | None
    answer_text: str | None
    answer_html: str | None
    pro_forma: bool
    answering_member: MemberShape | None
    answered_on: date | None
    holding_on: date | None
    corrected_on: date | None
    grouped_with: list[str]
    attachments: list[AttachmentShape]
    topics: list[str]
    mentions: list[str]
    mentioned_by: list[str]
    sources: list[SightingShape]
    discrepancies: list[DiscrepancyShape]
    versions: list[VersionShape] | None = None


class VersionsShape(Shape):
    total: int
    items: list[VersionShape]


class FacetsShape(Shape):
    """How the newest `of` hits spread."""

    of: int
    department: dict[str, int]
    house: dict[str, int]
    state: dict[str, int]


class SearchShape(Shape):
    """`about`: the total is reckoned, not counted. `next`: the `after` of the following page; null on the last."""

    total: int
    about: bool
    items: list[QuestionShape]
    next: str | None
    facets: FacetsShape | None = None


class SubscriptionShape(Shape):
    """`secret`: of a webhook, in the answer that makes it only."""

    id: int
    name: str
    query: str
    to: str
    on: list[EventName]
    every: Literal["instant", "hourly", "daily", "weekly"]
    at: str
    days: list[str]
    confirmed: bool
    expires: date | None
    feed: str
    secret: str | None


class SubscriptionDetails(SubscriptionShape):
    """`broken`: why its query cannot be read any more."""

    note: str | None
    notice: str | None
    follows: str | None
    created: datetime
    begins: datetime | None
    paused: datetime | None
    paused_because: str | None
    ended: datetime | None
    erased_on: date | None
    broken: str | None
    json_feed: str


class MadeSubscription(SubscriptionShape):
    """`token`: what the subscription's own requests carry."""

    token: str


class SubscriptionsShape(Shape):
    total: int
    items: list[SubscriptionDetails]


class Waiting(Shape):
    """A mail was sent to be confirmed, if the address may be written to."""

    confirmed: Literal[False] = False
    detail: str


class NamedSubscription(Shape):
    id: int
    name: str


class MatchShape(Shape):
    part: Literal["title", "question", "answer"]
    text: str
    start: int
    end: int


class DeliveryShape(Shape):
    id: int
    subscription: NamedSubscription
    to: str
    key: str
    version: int | None
    event: str
    kind: EventName
    matched: list[MatchShape]
    state: Literal["pending", "held", "sent", "failed", "dropped"]
    reason: str | None
    attempts: int
    created: datetime
    due: datetime
    sent: datetime | None
    message_id: str | None
    error: str | None


class DeliveriesShape(Shape):
    total: int
    items: list[DeliveryShape]
    next: str | None


class SourceHealth(Shape):
    source: str
    enabled: bool
    last_success: datetime | None
    last_attempt: datetime | None
    held: int
    newest: date | None
    problems: int


class ProblemHealth(Shape):
    id: int
    source: str
    kind: str
    url: str
    first_seen: datetime
    last_seen: datetime
    count: int
    message: str


class HealthShape(Shape):
    ok: bool
    sources: list[SourceHealth]
    problems: list[ProblemHealth]
    pending: int
    failed: int


def _plain(text: str) -> str:
    if shown(text) != text:
        raise ValueError("holds characters that are not shown")
    return text


Text = Annotated[str, AfterValidator(_plain)]


class NewSubscription(Shape):
    """What somebody asks to be told. `query` may be the KEY of a question, which is then followed."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"query": "cocaine", "to": "mailto:a@example.org"}]}
    )

    query: Text = Field(min_length=1, max_length=2_000)
    to: Text = Field(max_length=2_000, description="mailto:ADDRESS, an https address (a webhook), or feed:")
    on: list[EventName] = Field(default_factory=list, max_length=20, description="empty: the usual kinds")
    every: Literal["instant", "hourly", "daily", "weekly"] = "instant"
    at: str = Field("07:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field(
        default_factory=list, max_length=7
    )
    name: Text | None = Field(None, max_length=100)
    note: Text | None = Field(None, max_length=500)
    notice: Literal["weekly", "monthly"] | None = None
    expires: date | None = None
    confirmed: bool = Field(False, description="skip the confirmation; with the operator's token only")
    force: bool = Field(False, description="although it floods its reader; with the operator's token only")
