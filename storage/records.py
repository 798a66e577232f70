"""The nouns of pqwatch: frozen records that every package passes along. Standard library only.

One answer travels as: `Observation` (what one source showed at one time) → `Version` (one state of the meaning of a
question) → `Record` (a question as it stands with one of its versions, what is matched, shown and sent).
Dates are London calendar dates; times are aware datetimes in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

PARLIAMENT = "parliament"
"""Name of the one source that speaks with authority."""


class PqwatchError(Exception):
    """Root of every error that ends as one line for the user. The message is that line."""


class BadKeyError(PqwatchError):
    """A text that is no KEY."""


class House(StrEnum):
    COMMONS = "Commons"
    LORDS = "Lords"
    SCOTLAND = "Scottish Parliament"


class State(StrEnum):
    TABLED = "tabled"
    HOLDING = "holding"
    ANSWERED = "answered"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    PUBLISHED = "published"  # feed items only


OPEN_STATES = frozenset({State.TABLED, State.HOLDING})


class Kind(StrEnum):
    """What happened. The order is that in which one of several names the version."""

    CORRECTED = "corrected"
    ANSWERED = "answered"
    HOLDING = "holding"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    RESTORED = "restored"
    EDITED = "edited"
    TRANSFERRED = "transferred"
    REGROUPED = "regrouped"
    RESCHEDULED = "rescheduled"
    RETITLED = "retitled"
    REFORMATTED = "reformatted"
    REPARSED = "reparsed"
    TABLED = "tabled"  # first versions only
    PUBLISHED = "published"  # first versions of feed items only


OVERDUE = "overdue"
"""The one event that is no version; `--on` takes it beside the kinds."""


@dataclass(frozen=True, slots=True)
class Member:
    """A Member as they were when first seen. `id` is Parliament's own, null where the source has none."""

    name: str
    id: int | None = None
    party: str | None = None
    member_for: str | None = None
    position: str | None = None  # office at the time of the answer; TheyWorkForYou only


@dataclass(frozen=True, slots=True)
class Body:
    """An answering body: `id` as in the official API, null where the source has none."""

    name: str
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    title: str
    url: str
    type: str | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All that is said of a question at one moment. Texts are clean as `interface.md` tells (NFC, whole).

    A version stores one whole. In an observation only the fields named in `seen` mean anything.
    """

    house: House | None = None  # null for feed items
    uin: str | None = None
    tabled_on: date | None = None
    due_on: date | None = None
    named_day: bool = False
    heading: str | None = None  # a feed item's title
    answering_body: Body | None = None
    asking_member: Member | None = None
    declared_interest: bool = False
    question_text: str | None = None
    answer_text: str | None = None
    answer_html: str | None = None
    answering_member: Member | None = None  # a feed item's author
    answered_on: date | None = None  # null while the answer is a holding one; a feed item's publication
    holding_on: date | None = None  # stays when the substantive answer comes
    corrected_on: date | None = None
    withdrawn: bool = False
    lapsed: bool = False  # set by us at the end of a session, never seen in a source
    grouped_with: tuple[str, ...] = ()  # keys, sorted, never its own
    attachments: tuple[Attachment, ...] = ()
    links: tuple[str, ...] = ()  # a feed item's: keys of the questions it speaks of

    @property
    def state(self) -> State:
        if self.house is None:
            return State.PUBLISHED
        if self.withdrawn:
            return State.WITHDRAWN
        if self.answered_on is not None:
            return State.CORRECTED if self.corrected_on is not None else State.ANSWERED
        if self.lapsed:
            return State.LAPSED
        return State.HOLDING if self.holding_on is not None else State.TABLED


@dataclass(frozen=True, slots=True)
class PageRef:
    """Where the response that shows something lies: SHA-256 of its body, archive file (relative) and offset in it."""

    sha256: str
    file: str | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Who saw what about which question, when, and on which page.

    `seen` names the fields of `content` that the source showed: an absent field means "not seen", never "empty".
    `whole` is false for a view that may be cut (a list row): such a view never makes a version.
    `row_digest` is the digest of the list row that made us fetch this detail; storing it settles that row.
    `original` is the answer (text, HTML) that a declared correction replaced, where the source still gives it.
    `extras` is what only this source tells and no version is made of, such as votes and the page's language.
    """

    source: str
    source_id: str
    url: str
    key: str
    observed_at: datetime
    content: Content
    seen: frozenset[str]
    page: PageRef
    official_id: int | None = None
    whole: bool = True
    row_digest: str | None = None
    original: tuple[str, str] | None = None
    extras: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """A list row: shows that a question exists, and by its digest whether it differs from what was settled before."""

    source: str
    source_id: str
    key: str
    digest: str
    url: str | None = None  # where the detail stands; null where it follows from the id
    shows: Mapping[str, object] = field(default_factory=dict, hash=False)  # Content, where it is whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something a person must see: one row for each (source, kind, url) until a pass reads that address without it."""

    source: str
    kind: str
    url: str
    message: str
    page: PageRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One state of the meaning of a question; never changed, never removed."""

    number: int
    kind: Kind
    kinds: tuple[Kind, ...]
    changed: tuple[str, ...]
    observed_at: datetime
    source: str
    page: PageRef
    content: Content
    backfilled: bool = False
    reconstructed: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """A source that showed the question, and where."""

    source: str
    source_id: str
    url: str
    first_seen: datetime
    last_seen: datetime
    extras: Mapping[str, str | int] = field(default_factory=dict, hash=False)  # as in Observation


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A field in which another source differs from what is held."""

    source: str
    field: str
    here: str | None
    there: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A question as it stands with one of its versions: what is matched, shown, exported and sent."""

    key: str
    content: Content
    official_id: int | None = None
    provisional: bool = False
    number: int = 1  # of the version whose content this is
    overdue_after: date | None = None
    pro_forma: bool = False
    ever_corrected: bool = False
    mentions: tuple[str, ...] = ()
    mentioned_by: tuple[str, ...] = ()
    sources: tuple[Sighting, ...] = ()
    discrepancies: tuple[Discrepancy, ...] = ()
    versions: tuple[Version, ...] = field(default=(), repr=False)  # only where asked for
    stated: State | None = None  # of a foreign document that names its state but not the dates that make it
    stateless: bool = False  # a foreign document that names none: no `state:` holds

    @property
    def state(self) -> State:
        return self.stated or self.content.state

    def is_overdue(self, today: date) -> bool:
        """Whether no substantive answer had come by the day it was due, seen from London's `today`."""
        return self.state in OPEN_STATES and self.overdue_after is not None and today > self.overdue_after


_KEY = re.compile(
    r"(?P<house>commons|lords)/(?P<date>\d{4}-\d{2}-\d{2})/(?P<uin>[a-z]{0,4}\d+)"
    r"|(?P<old_house>commons|lords)/answered-(?P<answered>\d{4}-\d{2}-\d{2})/(?P<tail>[\w.-]+)"
    r"|scotland/(?P<sdate>\d{4}-\d{2}-\d{2})/(?P<snumber>s\d\w?[ow]-\d+)"
    r"|feed/(?P<host>[a-z0-9.-]+)/(?P<item>[0-9a-f]{16})",
    re.IGNORECASE,
)
_SLUGS = {House.COMMONS: "commons", House.LORDS: "lords", House.SCOTLAND: "scotland"}


def key_of(house: House, tabled_on: date, uin: str) -> str:
    """`commons/2018-06-21/906096`, `lords/2024-05-14/HL4664`, `scotland/2009-10-27/S3W-27924`."""
    return f"{_SLUGS[house]}/{tabled_on.isoformat()}/{uin.upper()}"


def parse_key(text: str) -> str:
    """The canonical spelling of a KEY as typed. Raises BadKeyError."""
    match = _KEY.fullmatch(text.strip())
    if match is None:
        raise BadKeyError(
            f"{text!r} is no question key: expected house/date tabled/UIN, such as commons/2018-06-21/906096"
        )
    parts = match.groupdict()
    try:
        for name in ("date", "answered", "sdate"):
            if parts[name]:
                date.fromisoformat(parts[name])
    except ValueError as error:
        raise BadKeyError(f"{text!r} is no question key: {error}") from error
    if parts["item"]:
        return text.strip().lower()
    if parts["tail"]:
        return f"{parts['old_house'].lower()}/answered-{parts['answered']}/{parts['tail']}"
    head, _, tail = text.strip().rpartition("/")
    return f"{head.lower()}/{tail.upper()}"
