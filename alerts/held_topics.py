"""The topics of everything held, asked of the full-text index once: for exports of whole archives, where analysing each
text anew would take most of the time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date

from sqlalchemy import Connection, select

from alerts.packs import packs
from alerts.search import hits_of
from storage.bulk import among, chunks
from storage.records import Record
from storage.schema import questions

_CHUNK = 1_000


def topics_held(conn: Connection, *, today: date) -> Callable[[Record], Sequence[str]]:
    """What `alerts.packs.topics_of` tells of a record as it stands now, by its key.

    Memory grows with the questions that belong to a topic, a few in a hundred.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for name, query in sorted(packs().items()):
        for hits in chunks(hits_of(conn, query, today=today), _CHUNK):
            ids = [hit.question_id for hit in hits]
            for key in conn.execute(
                select(questions.c.key).where(among(conn, questions.c.id, ids))
            ).scalars():
                found[key].append(name)
    nothing: Sequence[str] = ()
    return lambda record: found.get(record.key, nothing)
