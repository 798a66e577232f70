"""The page of one question (`/commons/2018-06-21/906096`): its texts, its life, every difference, and what to do with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query, Request
from markupsafe import Markup, escape
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from pqwatch import evidence, recycled
from pqwatch.web import render
from pqwatch.web.conditional import answer
from pqwatch.web.lookup import held
from pqwatch.web.site import OfSite, Site
from storage import questions
from storage.diff import fields
from storage.records import Content, Discrepancy, Record, Version
from storage.shape import url_of

router = APIRouter(include_in_schema=False)
Changes = list[tuple[str, Markup]]
Place = Annotated[str, Path(pattern="^(commons|lords|scotland|feed)$")]
_LONGEST = 100_000
"""Bytes of a text that a page shows unasked."""

_ROOM = 60_000
"""Bytes of differences on the page of a question; what does not fit has a page of its own."""

_COMPARED = 400_000
"""Characters of two texts that are compared unasked."""

_BEGINNING = 10_000
_TEXTS = {"heading": "Heading", "question_text": "Question", "answer_text": "Answer"}
_LABELS = {
    "answering_body": "Answering body",
    "answering_member": "Answering minister",
    "answered_on": "Answered",
    "holding_on": "Holding answer",
    "corrected_on": "Corrected",
    "due_on": "Due",
    "tabled_on": "Tabled",
    "grouped_with": "Grouped with",
    "attachments": "Attachments",
    "named_day": "Named day",
    "declared_interest": "Declared interest",
}


class _MovedError(Exception):
    """The question goes by another key now."""


@router.get("/{place}/{day}/{tail}")
def question(
    request: Request, site: OfSite, place: Place, day: str, tail: str, whole: bool = False
) -> Response:
    """The page of a question; a former key leads to the present one. Endless texts are cut unless `whole` is asked for."""
    key = f"{place}/{day}/{tail}"

    def made() -> bytes:
        values = _values(site, key, whole)
        return bytes(render.page(request, "question.html", values).body)

    try:
        body = site.pages.fresh(site.store, (key, whole, site.today), made)
    except _MovedError as moved:
        return RedirectResponse(render.key_path(str(moved)), 301)
    return answer(request, body, "text/html")


def _values(site: Site, key: str, whole: bool) -> dict[str, Any]:
    """What the page of a question shows. Raises _MovedError with the present key, WebError, BadKeyError."""
    with site.read() as conn:
        record = held(conn, key)
        if record.key != key:
            raise _MovedError(record.key)
        related = list(_related(conn, record))
    content = record.content
    return {
        "record": record,
        "content": content,
        "facts": list(_facts(record)),
        "cut": None if whole else _cut(content.answer_html, content.answer_text),
        "cut_question": None if whole else _cut(None, content.question_text),
        "changes": _life(record.versions),
        "discrepancies": _discrepancies(record),
        "related": related,
        "repeated": _repeated(site, record),
        "citation": evidence.reference(record),
        "official": url_of(record),
    }


@router.get("/{place}/{day}/{tail}/diff")
def compare(
    request: Request,
    site: OfSite,
    place: Place,
    day: str,
    tail: str,
    first: Annotated[int, Query(alias="from", ge=1)],
    last: Annotated[int, Query(alias="to", ge=1)],
) -> Response:
    """The words that differ between any two versions."""
    record = _record(site, f"{place}/{day}/{tail}")
    by_number = {each.number: each for each in record.versions}
    before, after = by_number.get(first), by_number.get(last)
    if before is None or after is None:
        return RedirectResponse(render.key_path(record.key), 303)
    values = {
        "record": record,
        "before": before,
        "after": after,
        "changes": list(_changes(before, after, new=True)),
    }
    return render.page(request, "diff.html", values)


@router.get("/{place}/{day}/{tail}/evidence.zip")
def pack(site: OfSite, place: Place, day: str, tail: str) -> Response:
    """The evidence pack of the question."""
    from scraper.archive import Archive

    record = _record(site, f"{place}/{day}/{tail}")
    body = evidence.make(record, Archive(site.settings.data_dir / "archive"), now=site.now)
    name = record.key.replace("/", "-")
    headers = {"content-disposition": f'attachment; filename="{name}.zip"'}
    return Response(body, media_type="application/zip", headers=headers)


def _repeated(site: Site, record: Record) -> dict[str, Any] | None:
    """The earlier answer that this one repeats: `key`, `answered_on` (a date as text), `share` in per cent.

    Looked for once an hour: what was answered earlier changes by a backfill alone.
    """

    def made() -> bytes:
        with site.read() as conn:
            found = recycled.earlier(conn, record)
        said = found and {
            "key": found.earlier.key,
            "answered_on": render.day(found.earlier.answered_on),
            "share": int(found.share * 100),
        }
        return orjson.dumps(said)

    hour = int(site.now.timestamp()) // 3600
    said: dict[str, Any] | None = orjson.loads(site.pages.get((record.key, record.number), hour, made))
    return said


def _cut(html: str | None, text: str | None) -> str | None:
    """The beginning of a text that is too long for a page; null where it is not."""
    shown = render.safe_html(html) if html else escape(text or "")
    return (text or "")[:_BEGINNING] if len(shown.encode()) > _LONGEST else None


def _record(site: Site, key: str) -> Record:
    with site.read() as conn:
        return held(conn, key)


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    content = record.content
    if content.house:
        yield "House", str(content.house)
    if content.uin:
        yield "UIN", content.uin
    if content.tabled_on:
        yield "Tabled", render.day(content.tabled_on)
    if content.due_on:
        yield "Named day" if content.named_day else "Due", render.day(content.due_on)
    if record.overdue_after and not content.answered_on:
        yield "Overdue after", render.day(record.overdue_after)
    if content.holding_on:
        yield "Holding answer", render.day(content.holding_on)
    if content.answered_on:
        yield "Answered" if content.house else "Published", render.day(content.answered_on) + _took(content)
    if content.corrected_on:
        yield "Corrected", render.day(content.corrected_on)


def _took(content: Content) -> str:
    if content.tabled_on is None or content.answered_on is None:
        return ""
    days = (content.answered_on - content.tabled_on).days
    return f" (after {days} day{'' if days == 1 else 's'})"


def _life(versions: Sequence[Version]) -> dict[int, Changes | None]:
    """What each version changed, by number; null where it does not fit. The newest has the first claim to the room."""
    shown: dict[int, Changes | None] = {}
    room = _ROOM
    for before, after in reversed(list(pairwise(versions))):
        found = list(_changes(before, after)) if _length(before, after) <= _COMPARED else None
        size = sum(len(text.encode()) for _, text in found or ())
        shown[after.number] = found if size <= room else None
        room -= size if size <= room else 0
    return shown


def _length(*versions: Version) -> int:
    return sum(len(getattr(each.content, name) or "") for each in versions for name in _TEXTS)


def _discrepancies(record: Record) -> Iterator[tuple[Discrepancy, Markup | None]]:
    """What other sources say otherwise, with the words that differ; null where they do not fit."""
    room = _ROOM
    for each in record.discrepancies:
        fits = len(each.here or "") + len(each.there or "") <= _COMPARED
        text = render.diff(_shown(each.field, each.here), _shown(each.field, each.there)) if fits else None
        size = len(text.encode()) if text is not None else 0
        yield each, text if size <= room else None
        room -= size if size <= room else 0


def _changes(before: Version, after: Version, *, new: bool = False) -> Iterator[tuple[str, Markup]]:
    """What a version changed: texts as a word diff, other fields as before and after.

    `new`: also texts that one of the two has not at all.
    """
    for name, label in _TEXTS.items():
        was, now = getattr(before.content, name), getattr(after.content, name)
        if was != now and (new or (was and now)):
            yield label, render.diff(was, now)
    for each in fields(before.content, after.content):
        if each.field in _LABELS and each.op != "equal":
            yield (
                _LABELS[each.field],
                render.diff(_shown(each.field, each.before), _shown(each.field, each.after)),
            )


def _shown(field: str, value: str | None) -> str | None:
    """A value as it stands elsewhere on the page: dates in words."""
    if value and field.endswith("_on"):
        return render.day(date.fromisoformat(value))
    return value


def _related(conn: Connection, record: Record) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    groups = (
        ("Answered by the same text", record.content.grouped_with),
        ("It speaks of", tuple(dict.fromkeys((*record.mentions, *record.content.links)))),
        ("Spoken of by", record.mentioned_by),
    )
    wanted = {key for _, keys in groups for key in keys}
    titles = questions.headings(conn, wanted) if wanted else {}
    for label, keys in groups:
        if keys:
            yield label, [(key, titles.get(key)) for key in keys]
