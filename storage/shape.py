"""A question as JSON: the shape of `pqwatch show KEY --json`, which export, search, the HTTP API, webhooks and `match` share.

Both directions are pure. Dates are `YYYY-MM-DD`, times `YYYY-MM-DDTHH:MM:SSZ`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from storage.reading import Reader, short
from storage.records import (
    Attachment,
    Body,
    Content,
    Discrepancy,
    House,
    Member,
    Record,
    Sighting,
    State,
    Version,
)
from storage.store import StorageError

OFFICIAL = "https://questions-statements.parliament.uk/written-questions/detail"


def to_shape(record: Record, *, versions: bool = False, topics: Sequence[str] = ()) -> dict[str, Any]:
    """The JSON of a question or feed item, in the documented order. `topics`: names of the packs that it matches."""
    content = record.content
    shape = {
        "key": record.key,
        "house": content.house.value if content.house else None,
        "uin": content.uin,
        "official_id": record.official_id,
        "provisional": record.provisional,
        "url": url_of(record),
        "tabled_on": _day(content.tabled_on),
        "due_on": _day(content.due_on),
        "overdue_after": _day(record.overdue_after),
        "named_day": content.named_day,
        "state": record.state.value,
        "heading": content.heading,
        "answering_body": _body(content.answering_body),
        "asking_member": _member(content.asking_member),
        "declared_interest": content.declared_interest,
        "question_text": content.question_text,
        "answer_text": content.answer_text,
        "answer_html": content.answer_html,
        "pro_forma": record.pro_forma,
        "answering_member": _member(content.answering_member),
        "answered_on": _day(content.answered_on),
        "holding_on": _day(content.holding_on),
        "corrected_on": _day(content.corrected_on),
        "grouped_with": list(content.grouped_with),
        "attachments": [_attachment(each) for each in content.attachments],
        "topics": list(topics),
        "mentions": list(dict.fromkeys([*record.mentions, *content.links])),
        "mentioned_by": list(record.mentioned_by),
        "sources": [_sighting(each) for each in record.sources],
        "discrepancies": [_discrepancy(each) for each in record.discrepancies],
    }
    if versions:
        shape["versions"] = [_version(each) for each in record.versions]
    return shape


def url_of(record: Record) -> str | None:
    """The official page of a question of either House; else where the first of its sources shows it."""
    content = record.content
    if content.house in {House.COMMONS, House.LORDS} and content.tabled_on and content.uin:
        return f"{OFFICIAL}/{content.tabled_on.isoformat()}/{content.uin}"
    return record.sources[0].url if record.sources else None


def time_to_json(moment: datetime) -> str:
    """`2024-11-07T00:08:10Z`; parts of a second are dropped."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_shape(data: Any) -> Record:
    """The record that a JSON object of this shape tells of. Absent and null fields are empty, unknown ones are ignored.

    `versions` are not read back (they carry texts only); they tell how many there were and whether one was corrected.
    A `state` that the dates do not make is kept as it is stated. Raises StorageError naming the field and its value.
    """
    if not isinstance(data, Mapping):
        raise StorageError(f"a document must be a JSON object, not {short(data)}")
    read = Reader(data)
    content = _content(read)
    stated = read.choice("state", State)
    versions = [Reader(row) for row in read.rows("versions")]
    return Record(
        key=read.name("key"),
        content=content,
        official_id=read.whole("official_id"),
        provisional=read.flag("provisional"),
        number=max((row.whole("number") or 1 for row in versions), default=1),
        overdue_after=read.day("overdue_after"),
        pro_forma=read.flag("pro_forma"),
        ever_corrected=content.corrected_on is not None
        or State.CORRECTED in {stated, *(row.choice("state", State) for row in versions)},
        mentions=read.texts("mentions"),
        mentioned_by=read.texts("mentioned_by"),
        sources=tuple(_read_sighting(Reader(row)) for row in read.rows("sources")),
        discrepancies=tuple(_read_discrepancy(Reader(row)) for row in read.rows("discrepancies")),
        stated=None if stated is content.state else stated,
        stateless=stated is None,
    )


def _content(read: Reader) -> Content:
    body = read.table("answering_body")
    state = read.choice("state", State)
    return Content(
        house=read.choice("house", House),
        uin=read.text("uin"),
        tabled_on=read.day("tabled_on"),
        due_on=read.day("due_on"),
        named_day=read.flag("named_day"),
        heading=read.text("heading"),
        answering_body=Body(body.name("name"), body.whole("id")) if body else None,
        asking_member=_read_member(read.table("asking_member")),
        declared_interest=read.flag("declared_interest"),
        question_text=read.text("question_text"),
        answer_text=read.text("answer_text"),
        answer_html=read.text("answer_html"),
        answering_member=_read_member(read.table("answering_member")),
        answered_on=read.day("answered_on"),
        holding_on=read.day("holding_on"),
        corrected_on=read.day("corrected_on"),
        withdrawn=state is State.WITHDRAWN,
        lapsed=state is State.LAPSED,
        grouped_with=read.texts("grouped_with"),
        attachments=tuple(_read_attachment(Reader(row)) for row in read.rows("attachments")),
    )


# --- one way


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _body(body: Body | None) -> dict[str, Any] | None:
    return {"id": body.id, "name": body.name} if body else None


def _member(member: Member | None) -> dict[str, Any] | None:
    if member is None:
        return None
    shape = {"id": member.id, "name": member.name, "party": member.party, "member_for": member.member_for}
    return shape | ({"position": member.position} if member.position else {})


def _attachment(attachment: Attachment) -> dict[str, Any]:
    return {
        "title": attachment.title,
        "url": attachment.url,
        "type": attachment.type,
        "bytes": attachment.bytes,
    }


def _sighting(sighting: Sighting) -> dict[str, Any]:
    shape = {
        "source": sighting.source,
        "source_id": sighting.source_id,
        "url": sighting.url,
        "first_seen": time_to_json(sighting.first_seen),
        "last_seen": time_to_json(sighting.last_seen),
    }
    return shape | ({"extras": dict(sighting.extras)} if sighting.extras else {})


def _discrepancy(discrepancy: Discrepancy) -> dict[str, Any]:
    return {
        "source": discrepancy.source,
        "field": discrepancy.field,
        "here": discrepancy.here,
        "there": discrepancy.there,
    }


def _version(version: Version) -> dict[str, Any]:
    return {
        "number": version.number,
        "kind": version.kind.value,
        "kinds": [kind.value for kind in version.kinds],
        "observed_at": time_to_json(version.observed_at),
        "source": version.source,
        "changed": list(version.changed),
        "state": version.content.state.value,
        "question_text": version.content.question_text,
        "answer_text": version.content.answer_text,
        "page_sha256": version.page.sha256,
        "backfilled": version.backfilled,
        "reconstructed": version.reconstructed,
    }


# --- the other way


def _read_member(read: Reader | None) -> Member | None:
    if read is None:
        return None
    rest = (read.text("party"), read.text("member_for"), read.text("position"))
    return Member(read.name("name"), read.whole("id"), *rest)


def _read_attachment(read: Reader) -> Attachment:
    return Attachment(read.name("title"), read.name("url"), read.text("type"), read.whole("bytes"))


def _read_sighting(read: Reader) -> Sighting:
    first = read.moment("first_seen")
    return Sighting(
        read.name("source"),
        read.name("source_id"),
        read.name("url"),
        first,
        read.moment("last_seen"),
        read.told("extras"),
    )


def _read_discrepancy(read: Reader) -> Discrepancy:
    return Discrepancy(read.name("source"), read.name("field"), read.text("here"), read.text("there"))
