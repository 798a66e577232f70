"""Puts records straight into the tables, as ingest would have, so that tests can search what no source would send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, text, update

from storage import search_index
from storage.batch import EPOCH
from storage.content import content_to_json
from storage.records import Content, Record
from storage.schema import aliases, questions, sightings, versions
from storage.search_index import Entry, keep
from storage.store import Store

SEEN = datetime(2024, 3, 2, tzinfo=UTC)


class _RollBackError(Exception):
    pass


@contextmanager
def undone(store: Store) -> Iterator[Connection]:
    """A transaction of which nothing stays."""
    try:
        with store.write() as conn:
            yield conn
            raise _RollBackError
    except _RollBackError:
        pass


def sort_key(number: int, content: Content) -> int:
    day = content.answered_on or content.holding_on or content.tabled_on or SEEN.date()
    return (day - EPOCH.date()).days << 24 | number


def put(conn: Connection, number: int, history: Sequence[Record], *, keys: Sequence[str] = ()) -> None:
    """A question with these versions, each indexed as it came. What is not content is that of the newest."""
    old: int | None = None
    for version, record in enumerate(history, 1):
        entry = _entry(number, version, record, old)
        _put_version(conn, number, version, record, entry.sort_key, first=old is None)
        if old is None:
            names = dict.fromkeys([record.key, *keys])
            conn.execute(insert(aliases), [{"key": key, "question_id": number} for key in names])
        keep(conn, [entry])
        old = entry.sort_key


def _entry(number: int, version: int, record: Record, old: int | None) -> Entry:
    return Entry(
        question_id=number,
        old_sort_key=old,
        sort_key=sort_key(number, record.content),
        number=version,
        key=record.key,
        content=record.content,
        overdue_after=record.overdue_after,
        pro_forma=record.pro_forma,
    )


def _put_version(
    conn: Connection, number: int, version: int, record: Record, key: int, *, first: bool
) -> None:
    content = record.content
    row = {
        "key": record.key, "provisional": False, "state": content.state.value, "named_day": content.named_day,
        "pro_forma": record.pro_forma, "overdue_after": record.overdue_after, "sort_key": key, "number": version,
        "meaning": b"", "layout": b"", "observed_at": SEEN, "text_observed_at": SEEN, "read_at": SEEN,
    }  # fmt: skip
    row = {name: value for name, value in row.items() if name in questions.c}
    if first:
        conn.execute(insert(questions).values(id=number, **row))
    else:
        conn.execute(update(questions).where(questions.c.id == number).values(**row))
    conn.execute(
        insert(versions).values(
            question_id=number, number=version, kind="edited", kinds=["edited"], changed=[], observed_at=SEEN,
            state=content.state.value, source="parliament", content=content_to_json(content), page_sha256="0",
            backfilled=False, reconstructed=False,
        )
    )  # fmt: skip
    conn.execute(delete(sightings).where(sightings.c.question_id == number))
    for seen in record.sources:
        conn.execute(
            insert(sightings).values(
                source=seen.source, source_id=str(number), question_id=number, url=seen.url, first_seen=SEEN,
                last_seen=SEEN,
            )
        )  # fmt: skip


def dump(conn: Connection) -> list[tuple[object, ...]]:
    """All that the index holds, in a form that can be compared."""
    slim = conn.execute(text("SELECT * FROM searched ORDER BY sort_key")).all()
    if conn.dialect.name == "postgresql":
        held = conn.execute(text("SELECT sort_key, words::text FROM search_words ORDER BY sort_key")).all()
    else:
        conn.execute(text("CREATE VIRTUAL TABLE temp.held USING fts5vocab(main, search_words, instance)"))
        held = conn.execute(text('SELECT term, doc, col, "offset" FROM temp.held ORDER BY 1, 2, 3, 4')).all()
        conn.execute(text("DROP TABLE temp.held"))
    return [tuple(row) for row in (*slim, *held)]


def rebuild(conn: Connection) -> None:
    """Make the index from scratch, in this transaction."""
    search_index._start_again(conn)
    while entries := search_index._missing(conn, 2**62):
        search_index._replace(conn, [(entry, None) for entry in entries])
