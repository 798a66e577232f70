"""What of a batch concerns the full-text index."""

from __future__ import annotations

from sqlalchemy import Connection

from storage.batch import Batch, Question
from storage.search_index import Entry, keep


def index(conn: Connection, batch: Batch) -> None:
    """Bring the index in step with what the batch has stored, in its transaction."""
    keyed = {*batch.named.values(), *(old for old, _ in batch.replaced)}
    keep(conn, [_entry(each) for each in batch.questions() if each.number and (each.dirty or each in keyed)])


def _entry(question: Question) -> Entry:
    return Entry(
        question_id=question.id,
        old_sort_key=question.old_sort_key,
        sort_key=question.sort_key,
        number=question.number,
        key=question.key,
        content=question.content,
        overdue_after=question.judged.overdue_after,
        pro_forma=question.judged.pro_forma,
    )
