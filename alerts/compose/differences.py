"""What changed between two versions, as people read it: words removed and added, cells of a table by name. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from alerts.compose.clean import one_line, shown
from alerts.compose.letter import Difference
from storage import diff
from storage.records import Content

LONGEST = 200_000
"""Characters beyond which no word diff is made: the page of the question has it."""

MOST_CELLS = 40

_PARTS = (("heading", "heading"), ("question", "question_text"), ("answer", "answer_text"))


def differences(before: Content, after: Content) -> tuple[Difference, ...]:
    """The changed parts; nothing for one that merely appeared (an answer is no change of an answer)."""
    return tuple(_all(before, after))


def _all(before: Content, after: Content) -> Iterator[Difference]:
    for label, field in _PARTS:
        old, new = getattr(before, field), getattr(after, field)
        if old is not None and new is not None and old != new:
            yield _one(label, old, new)


def _one(label: str, old: str, new: str) -> Difference:
    if len(old) + len(new) > LONGEST:
        told = "The text is too long for its changes to be shown here; the page has them."
        return Difference(label, told, told)
    ops = diff.words(shown(old), shown(new))
    return Difference(label, diff.as_text(ops, fold=True), diff.as_html(ops, fold=True), _cells(old, new))


def _cells(old: str, new: str) -> tuple[str, ...]:
    found = diff.tables(old, new)
    told = tuple(one_line(str(cell), 300) for cell in found[:MOST_CELLS])
    return (*told, f"{len(found) - MOST_CELLS} more cells") if len(found) > MOST_CELLS else told
