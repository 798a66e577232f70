"""What of a question is shown where it was found: its heading and passages of its texts, with the matched words marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup, escape

from alerts.compose.letter import Piece
from alerts.compose.passages import pieces
from alerts.matcher import Match, matched
from alerts.tree import Query
from storage.document import PartName, document
from storage.records import Record

_LONGEST = 320
"""Characters of a passage, about."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Safe HTML; empty where there is no text."""

    title: Markup
    question: Markup
    answer: Markup


def marks(record: Record, query: Query, today: date) -> Marks:
    """The passages around the first matched words; without any, the beginnings of the texts."""
    content = record.content
    found = matched(query, document(record, today=today))
    heading = content.heading or "No heading yet"
    return Marks(
        _drawn(pieces(heading, _spans(found, "title") if content.heading else [], len(heading))),
        _passage(content.question_text, _spans(found, "question")),
        _passage(content.answer_text, _spans(found, "answer")),
    )


def _spans(found: Sequence[Match], part: PartName) -> list[tuple[int, int]]:
    return [(each.start, each.end) for each in found if each.part == part]


def _passage(text: str | None, spans: Sequence[tuple[int, int]]) -> Markup:
    return _drawn(pieces(text, spans, _LONGEST)) if text else Markup()


def _drawn(parts: Sequence[Piece]) -> Markup:
    mark = Markup("<mark>{}</mark>")
    return Markup().join(mark.format(each.text) if each.marked else escape(each.text) for each in parts)
