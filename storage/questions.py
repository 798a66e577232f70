"""Questions as they stand, read from the database: one by its key, many at once, or all of them in turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from storage.bulk import among
from storage.content import content_from_json
from storage.procedure import is_pro_forma, overdue_after
from storage.records import (
    Content,
    Discrepancy,
    Kind,
    PageRef,
    Record,
    Sighting,
    State,
    Version,
    parse_key,
)
from storage.schema import aliases, discrepancies, mentions, questions, sightings
from storage.schema import versions as version_rows

CHUNK = 500


def find(conn: Connection, key: str, *, versions: bool = False) -> Record | None:
    """The question that a key as typed leads to, former keys included. Raises BadKeyError for what is no key."""
    ids = ids_of(conn, [key])
    return newest(conn, ids.values(), versions=versions)[0] if ids else None


def ids_of(conn: Connection, keys: Iterable[str]) -> dict[str, int]:
    """Our id of each question that is held, by the key as given. Raises BadKeyError."""
    canonical = {key: parse_key(key) for key in keys}
    query = select(aliases.c.key, aliases.c.question_id)
    held = query.where(among(conn, aliases.c.key, set(canonical.values())))
    found: dict[str, int] = {row.key: row.question_id for row in conn.execute(held)}
    return {key: found[real] for key, real in canonical.items() if real in found}


def headings(conn: Connection, keys: Iterable[str]) -> dict[str, str | None]:
    """The heading of each question that is held, by its canonical key, a former one included."""
    query = select(aliases.c.key, questions.c.heading).join(
        questions, questions.c.id == aliases.c.question_id
    )
    return {row.key: row.heading for row in conn.execute(query.where(among(conn, aliases.c.key, set(keys))))}


def newest(conn: Connection, ids: Iterable[int], *, versions: bool = False) -> list[Record]:
    """The questions with these ids at their newest version, in the order given; unknown ids are passed over."""
    order = list(ids)
    query = select(questions.c.id, questions.c.number).where(among(conn, questions.c.id, order))
    numbers: dict[int, int] = {row.id: row.number for row in conn.execute(query)}
    pairs = [(id_, numbers[id_]) for id_ in order if id_ in numbers]
    found = records(conn, pairs, versions=versions)
    return [found[pair] for pair in pairs]


def records(
    conn: Connection, wanted: Sequence[tuple[int, int]], *, versions: bool = False
) -> dict[tuple[int, int], Record]:
    """Questions at given versions: (our id, number of the version) to Record. Unknown pairs are left out.

    What is not part of a version (key, sources, mentions, discrepancies) is as it stands now.
    """
    ids = {id_ for id_, _ in wanted}
    rows = {row.id: row for row in conn.execute(_NOW.where(among(conn, questions.c.id, ids))).all()}
    stored = _versions(conn, ids) if versions else {}
    contents = {pair: stored[pair].content for pair in wanted if pair in stored}
    around = _around(conn, ids)
    found = {}
    for pair, content in (contents if versions else _contents(conn, wanted)).items():
        row = rows[pair[0]]
        every = _of_question(stored, row) if versions else ()
        found[pair] = _record(row, pair[1], content, around[row.id], every)
    return found


def iterate(
    conn: Connection,
    where: ColumnElement[bool] | None = None,
    *,
    newest_first: bool = True,
    versions: bool = False,
) -> Iterator[Record]:
    """All questions (or those that meet `where`, over the table `questions`), in the order of their newest event.

    Reads them piece by piece, so that memory does not grow with their number. Use it inside one `Store.read`.
    """
    column = questions.c.sort_key
    page = select(questions.c.id, questions.c.number, column).limit(CHUNK)
    page = page.order_by(column.desc() if newest_first else column)
    if where is not None:
        page = page.where(where)
    rest = page
    while rows := conn.execute(rest).all():
        pairs = [(row.id, row.number) for row in rows]
        found = records(conn, pairs, versions=versions)
        yield from (found[pair] for pair in pairs)
        last = rows[-1].sort_key
        rest = page.where(column < last if newest_first else column > last)


@dataclass(slots=True)
class _Around:
    """What stands around the versions of one question."""

    mentions: list[str] = field(default_factory=list)
    mentioned_by: list[str] = field(default_factory=list)
    sources: list[Sighting] = field(default_factory=list)
    discrepancies: list[Discrepancy] = field(default_factory=list)
    first_corrected: int | None = None


def _around(conn: Connection, ids: set[int]) -> dict[int, _Around]:
    found: dict[int, _Around] = defaultdict(_Around)
    for id_, key in conn.execute(_spoken_of(among(conn, mentions.c.question_id, ids))):
        found[id_].mentions.append(key)
    for id_, key in conn.execute(_speakers(among(conn, aliases.c.question_id, ids))):
        found[id_].mentioned_by.append(key)
    for row in conn.execute(_SIGHTINGS.where(among(conn, sightings.c.question_id, ids))):
        seen = Sighting(row.source, row.source_id, row.url, row.first_seen, row.last_seen, row.extras or {})
        found[row.question_id].sources.append(seen)
    for id_, *differs in conn.execute(_DISCREPANCIES.where(among(conn, discrepancies.c.question_id, ids))):
        found[id_].discrepancies.append(Discrepancy(*differs))
    for id_, number in conn.execute(_FIRST_CORRECTED.where(among(conn, version_rows.c.question_id, ids))):
        found[id_].first_corrected = number
    return found


def _spoken_of(of_these: ColumnElement[bool]) -> Select[Any]:
    """(our id, present key of a question it mentions; the key as mentioned where that one is not held)."""
    key = func.coalesce(questions.c.key, mentions.c.key).label("key")
    return (
        select(mentions.c.question_id, key)
        .distinct()
        .outerjoin(aliases, aliases.c.key == mentions.c.key)
        .outerjoin(questions, questions.c.id == aliases.c.question_id)
        .where(of_these)
        .order_by(mentions.c.question_id, key)
    )


def _speakers(of_these: ColumnElement[bool]) -> Select[Any]:
    """(our id, present key of a question that mentions it by any of its keys)."""
    return (
        select(aliases.c.question_id, questions.c.key)
        .distinct()
        .join(mentions, mentions.c.key == aliases.c.key)
        .join(questions, questions.c.id == mentions.c.question_id)
        .where(of_these, questions.c.id != aliases.c.question_id)
        .order_by(aliases.c.question_id, questions.c.key)
    )


_NOW = select(
    questions.c.id,
    questions.c.key,
    questions.c.official_id,
    questions.c.provisional,
    questions.c.number,
    questions.c.overdue_after,
    questions.c.pro_forma,
)
"""What is told of a question beside its versions: a time or a JSON value more would cost as much as all of it."""
_KINDS = {kind.value: kind for kind in Kind}
_SIGHTINGS = select(
    sightings.c.question_id,
    sightings.c.source,
    sightings.c.source_id,
    sightings.c.url,
    sightings.c.first_seen,
    sightings.c.last_seen,
    sightings.c.extras,
).order_by(sightings.c.first_seen, sightings.c.source, sightings.c.source_id)
_DISCREPANCIES = select(
    discrepancies.c.question_id,
    discrepancies.c.source,
    discrepancies.c.field,
    discrepancies.c.here,
    discrepancies.c.there,
).order_by(discrepancies.c.source, discrepancies.c.field)
_FIRST_CORRECTED = (
    select(version_rows.c.question_id, func.min(version_rows.c.number))
    .where(version_rows.c.state == State.CORRECTED.value)
    .group_by(version_rows.c.question_id)
)


def _versions(conn: Connection, ids: Iterable[int]) -> dict[tuple[int, int], Version]:
    """Every version of these questions, in order."""
    query = select(version_rows).where(among(conn, version_rows.c.question_id, ids))
    query = query.order_by(version_rows.c.question_id, version_rows.c.number)
    return {(row.question_id, row.number): _version(row) for row in conn.execute(query).all()}


def _contents(conn: Connection, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Content]:
    """What the wanted versions say, in the order given: a third of the cost of the versions themselves."""
    v = version_rows.c
    query = select(v.question_id, v.number, v.content).where(
        among(conn, v.question_id, {id_ for id_, _ in wanted}),
        among(conn, v.number, {number for _, number in wanted}),
    )
    found = {(id_, number): content for id_, number, content in conn.execute(query).all()}
    return {pair: content_from_json(found[pair]) for pair in wanted if pair in found}


def _version(row: Any) -> Version:
    return Version(
        number=row.number,
        kind=_KINDS[row.kind],
        kinds=tuple([_KINDS[kind] for kind in row.kinds]),
        changed=tuple(row.changed),
        observed_at=row.observed_at,
        source=row.source,
        page=PageRef(row.page_sha256, row.page_file, row.page_offset),
        content=content_from_json(row.content),
        backfilled=row.backfilled,
        reconstructed=row.reconstructed,
    )


def _record(
    row: Any, number: int, content: Content, around: _Around, versions: tuple[Version, ...]
) -> Record:
    is_newest = number == row.number
    corrected = around.first_corrected
    return Record(
        key=row.key,
        content=content,
        official_id=row.official_id,
        provisional=row.provisional,
        number=number,
        overdue_after=row.overdue_after if is_newest else overdue_after(content),
        pro_forma=row.pro_forma if is_newest else _pro_forma(content),
        ever_corrected=corrected is not None and corrected <= number,
        mentions=tuple(around.mentions),
        mentioned_by=tuple(around.mentioned_by),
        sources=tuple(around.sources),
        discrepancies=tuple(around.discrepancies),
        versions=versions,
    )


def _pro_forma(content: Content) -> bool:
    return content.house is not None and is_pro_forma(content.answer_text or "")


def _of_question(stored: dict[tuple[int, int], Version], row: Any) -> tuple[Version, ...]:
    return tuple(stored[row.id, number] for number in range(1, row.number + 1))
