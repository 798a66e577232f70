"""A letter as plain text: as complete as its HTML, for terminals, chat and the text part of a mail. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from alerts.compose.clean import one_line
from alerts.compose.letter import Item, Letter, Passage, Piece, Story

RULE = "-" * 72


def letter_text(letter: Letter) -> str:
    """Ends with a new line."""
    return "".join((letter.subject, "\n\n", *_body(letter), _footer(letter)))


def _body(letter: Letter) -> Iterator[str]:
    yield from (f"{line}\n\n" for line in letter.lines)
    yield f"{RULE}\n\n".join(_item(item) for item in letter.items)
    if letter.more:
        yield f"{RULE}\n\nAnd {len(letter.more)} more:\n"
        yield from (f"- {item.story.title} {item.story.page}\n" for item in letter.more)
        yield "\n"
    if letter.action:
        yield f"{letter.action[0]}:\n{letter.action[1]}\n\n"


def _item(item: Item) -> str:
    return "\n".join([story_text(item.story), *reason_lines(item), ""])


@lru_cache(maxsize=1024)
def story_text(story: Story) -> str:
    """All of a story but the reasons; made once for however many messages hold it."""
    return "\n".join(_story_lines(story)) + "\n"


def _story_lines(story: Story) -> Iterator[str]:
    yield f"{story.word.upper()}: {plain(story.heading)}"
    yield from (f"{label}: {value}" for label, value in story.facts)
    yield from (f"Note: {note}" for note in story.notes)
    for difference in story.differences:
        yield from ("", f"What changed in the {difference.label} ([-removed-] {{+added+}})")
        yield difference.text
        yield from (f"- {cell}" for cell in difference.cells)
    for passage in story.passages:
        yield from ("", f"{passage.label}", marked_text(passage))
    if len(story.questions) > 1:
        yield from ("", "One answer to these questions")
        yield from (f"- {question.line} {question.page}" for question in story.questions)
    yield from ("", f"Page: {story.page}")
    if story.official:
        yield f"Official page: {story.official}"


def reason_lines(item: Item) -> Iterator[str]:
    """Why it was sent: one line a subscription."""
    for reason in item.reasons:
        note = f" - {one_line(reason.note)}" if reason.note else ""
        yield f"Why: your alert “{one_line(reason.name)}” ({one_line(reason.query, 300)}){note}"


def plain(parts: Iterable[Piece]) -> str:
    return "".join(piece.text for piece in parts)


def marked_text(passage: Passage) -> str:
    return "".join(f"*{piece.text}*" if piece.marked else piece.text for piece in passage.pieces)


def _footer(letter: Letter) -> str:
    lines = [RULE, f"pqwatch {letter.public_url}"]
    if letter.unsubscribe:
        lines.append(f"End these alerts: {letter.unsubscribe}")
    return "\n".join(lines) + "\n"
