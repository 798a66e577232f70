"""From records to stories: what happened to a question, told with its words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from alerts.compose import links
from alerts.compose.clean import one_line, shown
from alerts.compose.differences import differences
from alerts.compose.letter import Passage, Question, Story
from alerts.compose.passages import Span, pieces
from storage.records import Content, Kind, Member, Record, State
from storage.shape import to_shape

if TYPE_CHECKING:  # composing needs no matcher, only what one found
    from alerts.matcher import Match

WORDS: Mapping[str, str] = {
    "corrected": "Corrected",
    "answered": "Answered",
    "holding": "Holding answer",
    "withdrawn": "Withdrawn",
    "lapsed": "Lapsed",
    "restored": "Restored",
    "edited": "Edited without notice",
    "transferred": "Transferred",
    "regrouped": "Regrouped",
    "rescheduled": "Dates changed",
    "retitled": "Heading changed",
    "reformatted": "Reformatted",
    "reparsed": "Read anew",
    "tabled": "Tabled",
    "published": "Published",
    "overdue": "Overdue",
}
_WITH_DIFFERENCE = frozenset({Kind.CORRECTED, Kind.EDITED, Kind.TRANSFERRED, Kind.RETITLED})
_LONGEST = {"question": 1200, "answer": 2400}


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of one question. `before` is the question as of the version before, `kinds` all that happened."""

    record: Record
    before: Record | None
    event: str
    kinds: tuple[Kind, ...]
    observed_at: datetime


def make_story(
    happening: Happening, kind: str, public_url: str, *, topics: Sequence[str] = (), whole: bool = False
) -> Story:
    """The story without the marks of any query; see `marked`. `whole`: texts are not cut to passages.

    `topics`: names of the packs that the question matches.
    """
    record, content = happening.record, happening.record.content
    body = f" ({content.answering_body.name})" if content.answering_body else ""
    heading = one_line(content.heading or content.question_text or content.uin or record.key, 160)
    return Story(
        key=record.key,
        event=happening.event,
        number=record.number,
        kind=kind,
        word=WORDS[kind],
        title=one_line(f"{WORDS[kind]}: {heading}{body}", 250),
        heading=pieces(heading, (), len(heading)),
        facts=tuple(_facts(content)),
        notes=tuple(_notes(happening, kind)),
        passages=_passages(content, (), whole=whole),
        differences=_changes(happening),
        questions=(_named(record, public_url),),
        page=links.page(public_url, record.key),
        official=links.official(record),
        observed_at=happening.observed_at,
        shape=to_shape(record, topics=topics),
    )


def marked(
    story: Story,
    content: Content,
    matched: Sequence[Match],
    removed: Sequence[Match] = (),
    *,
    whole: bool = False,
) -> Story:
    """The story with the words of a query marked. `removed`: what matched only in the version before."""
    if not matched and not removed:
        return story
    notes = story.notes
    if removed and not matched:
        words = ", ".join(dict.fromkeys(f"“{one_line(match.text, 40)}”" for match in removed[:20]))
        notes = (*notes, f"What matched is no longer in the text: {words}.")
    return replace(
        story,
        heading=_heading(story, content, matched),
        passages=_passages(content, matched, whole=whole),
        notes=notes,
        matched=tuple(match_shape(match) for match in matched),
    )


def match_shape(match: Match) -> dict[str, Any]:
    """`{"part", "text", "start", "end"}` as `interface.md` has it."""
    return {"part": match.part, "text": match.text, "start": match.start, "end": match.end}


def grouped(stories: Sequence[Story]) -> Story:
    """Several questions with one answer as one story that names them all; the first lends its text."""
    first = stories[0]
    questions = tuple(question for story in stories for question in story.questions)
    return first if len(stories) == 1 else replace(first, questions=questions)


def _heading(story: Story, content: Content, matched: Sequence[Match]) -> Any:
    heading = content.heading
    if not heading or len(heading) > 160:
        return story.heading
    return pieces(heading, _spans(matched, "title"), len(heading))


def _spans(matched: Sequence[Match], part: str) -> list[Span]:
    return [(match.start, match.end) for match in matched if match.part == part]


def _passages(content: Content, matched: Sequence[Match], *, whole: bool) -> tuple[Passage, ...]:
    texts = {"question": content.question_text, "answer": content.answer_text}
    labels = {"question": "Question", "answer": "Text" if content.house is None else "Answer"}
    if content.state is State.HOLDING:
        labels["answer"] = "Holding answer"
    return tuple(
        Passage(labels[part], pieces(text, _spans(matched, part), len(text) if whole else _LONGEST[part]))
        for part, text in texts.items()
        if text
    )


def _facts(content: Content) -> Iterable[tuple[str, str]]:
    feed = content.house is None
    named = [
        ("Department", content.answering_body and content.answering_body.name),
        ("House", None if feed else content.house),
        ("Asked by", _member(content.asking_member)),
        ("Author" if feed else "Answered by", _member(content.answering_member)),
    ]
    dates = [
        ("Tabled", content.tabled_on),
        ("Due" + (" (named day)" if content.named_day else ""), content.due_on),
        ("Holding answer", content.holding_on),
        ("Published" if feed else "Answered", content.answered_on),
        ("Corrected", content.corrected_on),
    ]
    yield from ((label, one_line(str(value))) for label, value in named if value)
    yield from ((label, day(value)) for label, value in dates if value)
    if content.uin:
        yield ("UIN", one_line(content.uin))


def _member(member: Member | None) -> str | None:
    if member is None:
        return None
    about = ", ".join(part for part in (member.position, member.party, member.member_for) if part)
    return f"{member.name} ({about})" if about else member.name


def day(value: date) -> str:
    """5 November 2024"""
    return f"{value.day} {value:%B %Y}"


def _notes(happening: Happening, kind: str) -> Iterable[str]:
    record, content, before = happening.record, happening.record.content, happening.before
    if kind == "answered" and content.holding_on and content.answered_on:
        yield _wait(content.holding_on, content.answered_on, content.tabled_on)
    if kind == "overdue":
        yield _overdue(record)
    if kind == "transferred" and before is not None:
        yield f"From {_body(before.content)} to {_body(content)}."
    others = [WORDS[other] for other in happening.kinds if other != kind]
    if others and kind != "overdue":
        yield f"At the same time: {', '.join(others).lower()}."
    if record.pro_forma:
        yield "The answer is made of stock words."
    if record.provisional:
        yield "Seen first elsewhere; the official site does not have it yet."
    if content.declared_interest:
        yield "The Member declared an interest."
    if content.attachments:
        yield "Attached: " + ", ".join(one_line(a.title, 80) for a in content.attachments[:20]) + "."


def _wait(holding: date, answered: date, tabled: date | None) -> str:
    text = f"The holding answer was given on {day(holding)}; this answer came {_days((answered - holding).days)} later"
    return (
        f"{text}, {_days((answered - tabled).days)} after the question was tabled." if tabled else f"{text}."
    )


def _days(count: int) -> str:
    return "one day" if count == 1 else f"{count} days"


def _overdue(record: Record) -> str:
    content = record.content
    due = f"An answer was due on {day(content.due_on)}" if content.due_on else "An answer was due"
    if content.holding_on:
        return (
            f"{due}. A holding answer was given on {day(content.holding_on)}; a substantive one has not come."
        )
    return f"{due} and has not come."


def _body(content: Content) -> str:
    return one_line(content.answering_body.name) if content.answering_body else "another body"


def _changes(happening: Happening) -> Any:
    if happening.before is None or not _WITH_DIFFERENCE & set(happening.kinds) or happening.event[0] != "v":
        return ()
    return differences(happening.before.content, happening.record.content)


def _named(record: Record, public_url: str) -> Question:
    content = record.content
    asker = f", {content.asking_member.name}" if content.asking_member else ""
    text = f": {shown(content.question_text[:600])}" if content.question_text else ""
    return Question(
        record.key,
        one_line(f"{content.uin or record.key}{asker}{text}", 240),
        links.page(public_url, record.key),
    )
