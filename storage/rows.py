"""Writes what became of a batch: one statement a table. The only place where versions and changes are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from storage import mentions, search_batch
from storage.batch import Batch, Question, Seen
from storage.bulk import among, new_ids
from storage.compare import agrees, as_text
from storage.compare import discrepancies as compare
from storage.content import content_to_json
from storage.fingerprint import layout, meaning
from storage.inserting import insert_rows
from storage.recheck import next_recheck
from storage.records import PARLIAMENT, Discrepancy, Kind, Version
from storage.schema import aliases, changes, discrepancies, questions, sightings, versions
from storage.weigh import How


def write(conn: Connection, batch: Batch, how: How) -> None:
    """Store everything the batch changed, in the caller's transaction."""
    for question, id_ in zip(batch.new, new_ids(conn, len(batch.new)), strict=True):
        question.id = id_
    moved = [question for question in batch.questions() if question.made]
    _write_questions(conn, batch)
    insert_rows(conn, versions, [_version_row(each, version) for each in moved for version in each.made])
    _write_aliases(conn, batch)
    _merge_replaced(conn, batch)
    _unsettle(conn, batch)
    _write_sightings(conn, batch)
    _write_discrepancies(conn, batch, how)
    search_batch.index(conn, batch)
    spoken = {question.id: (question.key, question.content) for question in moved}
    mentions.record(conn, spoken)
    mentions.settle(conn, spoken)
    if not how.reparsed:
        insert_rows(
            conn, changes, [_change_row(each, v, how) for each in moved for v in each.made if _alerts(v)]
        )


def _write_questions(conn: Connection, batch: Batch) -> None:
    insert_rows(conn, questions, [_question_row(each) for each in batch.new])
    known = [{"_id": each.id, **_question_row(each)} for each in batch.by_id.values() if each.dirty]
    if known:
        conn.execute(_UPDATE_QUESTION, known)


_UPDATE_QUESTION = (
    update(questions)
    .where(questions.c.id == bindparam("_id"))
    .values({column: bindparam(column.name) for column in questions.c if column.name != "id"})
)


def _question_row(question: Question) -> dict[str, Any]:
    content = question.content
    body = content.answering_body
    return {
        "id": question.id,
        "key": question.key,
        "official_id": question.official_id,
        "provisional": question.provisional,
        "house": content.house and content.house.value,
        "uin": content.uin,
        "state": content.state.value,
        "tabled_on": content.tabled_on,
        "due_on": content.due_on,
        "overdue_after": question.judged.overdue_after,
        "answered_on": content.answered_on,
        "holding_on": content.holding_on,
        "corrected_on": content.corrected_on,
        "named_day": content.named_day,
        "pro_forma": question.judged.pro_forma,
        "body_id": body and body.id,
        "body_name": body and body.name,
        "heading": content.heading,
        "sort_key": question.sort_key,
        "number": question.number,
        "meaning": meaning(content),
        "layout": layout(content),
        "observed_at": question.observed_at,
        "text_observed_at": question.text_observed_at,
        "recheck_at": question.recheck_at,
    }


def _version_row(question: Question, version: Version) -> dict[str, Any]:
    return {
        "question_id": question.id,
        "number": version.number,
        "kind": version.kind.value,
        "kinds": [kind.value for kind in version.kinds],
        "changed": list(version.changed),
        "state": version.content.state.value,
        "observed_at": version.observed_at,
        "source": version.source,
        "content": content_to_json(version.content),
        "page_sha256": version.page.sha256,
        "page_file": version.page.file,
        "page_offset": version.page.offset,
        "backfilled": version.backfilled,
        "reconstructed": version.reconstructed,
    }


def _alerts(version: Version) -> bool:
    return not version.reconstructed and version.kind is not Kind.REPARSED


def _change_row(question: Question, version: Version, how: How) -> dict[str, Any]:
    return {
        "question_id": question.id,
        "event": f"v{version.number}",
        "number": version.number,
        "backfilled": version.backfilled,
        "created_at": how.now,
    }


def _write_aliases(conn: Connection, batch: Batch) -> None:
    rows = [{"key": key, "question_id": question.id} for key, question in batch.named.items()]
    taken = "ON CONFLICT (key) DO UPDATE SET question_id = excluded.question_id"
    insert_rows(conn, aliases, rows, conflict=taken)


def _merge_replaced(conn: Connection, batch: Batch) -> None:
    """What other sources showed of a provisional question goes to the official one that it proved to be."""
    for old, question in batch.replaced:
        if old.id:
            of_old = sightings.c.question_id == old.id
            conn.execute(update(sightings).where(of_old).values(question_id=question.id, digest=None))


def _unsettle(conn: Connection, batch: Batch) -> None:
    """The official content moved: what other sources show is to be compared with it again."""
    ids = [question.id for question in batch.unsettled if question.old_sort_key is not None]
    if ids:
        others = among(conn, sightings.c.question_id, ids) & (sightings.c.source != PARLIAMENT)
        conn.execute(update(sightings).where(others).values(digest=None, fills=None))
    for seen in batch.seen.values():
        if seen.source != PARLIAMENT and seen.question in batch.unsettled:
            seen.digest = None


def _write_sightings(conn: Connection, batch: Batch) -> None:
    seen = [each for each in batch.seen.values() if each.dirty]
    new = [{**_sighting_row(each), "first_seen": each.first_seen} for each in seen if each.new]
    insert_rows(conn, sightings, new)
    known = [
        {f"_{name}": value for name, value in _sighting_row(each).items()} for each in seen if not each.new
    ]
    if known:
        conn.execute(_update_sighting(conn), known)


def _sighting_row(seen: Seen) -> dict[str, Any]:
    question = seen.question
    assert question is not None  # noqa: S101 - only what an observation touched is dirty
    fills = sorted(name for name, source in question.fills.items() if source == seen.source)
    return {
        "source": seen.source,
        "source_id": seen.source_id,
        "question_id": question.id,
        "url": seen.url,
        "last_seen": seen.last_seen,
        "read_at": seen.read_at,
        "row_digest": seen.row_digest,
        "digest": seen.digest,
        "fills": fills or None,
        "extras": seen.extras,
    }


def _update_sighting(conn: Connection) -> Any:
    newer = func.greatest if conn.dialect.name == "postgresql" else func.max
    column, typed = (
        sightings.c,
        {each.name: bindparam(f"_{each.name}", type_=each.type) for each in sightings.c},
    )
    return (
        update(sightings)
        .where(column.source == typed["source"], column.source_id == typed["source_id"])
        .values(
            question_id=typed["question_id"],
            url=typed["url"],
            last_seen=newer(column.last_seen, typed["last_seen"]),
            read_at=newer(
                func.coalesce(column.read_at, typed["read_at"]),
                func.coalesce(typed["read_at"], column.read_at),
            ),
            row_digest=func.coalesce(typed["row_digest"], column.row_digest),
            digest=typed["digest"],
            fills=typed["fills"],
            extras=func.coalesce(typed["extras"], column.extras),
        )
    )


def _write_discrepancies(conn: Connection, batch: Batch, how: How) -> None:
    """Those of the sources that were compared are replaced; of the others, those that the official text has ended go."""
    subjects = {question.id: question for question, _ in batch.judged}
    subjects.update({each.id: each for each in batch.unsettled})
    if not subjects:
        return
    query = select(discrepancies).where(among(conn, discrepancies.c.question_id, subjects))
    held = {(row.question_id, row.source, row.field): row for row in conn.execute(query)}
    judged = {(question.id, source) for question, source in batch.judged}
    wanted = {
        (question.id, each.source, each.field): (each.here, each.there)
        for question, each in _differences(batch)
    }
    for name, row in held.items():
        here = as_text(subjects[row.question_id].content, row.field)
        if name[:2] not in judged and not agrees(here, row.there):
            wanted[name] = (here, row.there)
    _replace_discrepancies(conn, held, wanted, how)


def _differences(batch: Batch) -> Iterator[tuple[Question, Discrepancy]]:
    """In what other sources differ: those whose view this batch has, and of what it joined those that had told of it before."""
    for (question, source), seen in batch.judged.items():
        for each in compare(question.content, source, seen.content, seen.seen):
            yield question, each
    for question, (before, fills) in batch.joined.items():
        for name, source in fills.items():
            if (question, source) not in batch.judged:
                for each in compare(question.content, source, before, (name,)):
                    yield question, each


def _replace_discrepancies(
    conn: Connection, held: dict[Any, Any], wanted: dict[Any, tuple[str | None, str | None]], how: How
) -> None:
    stale = [name for name, row in held.items() if wanted.get(name) != (row.here, row.there)]
    if stale:
        conn.execute(_DELETE_DISCREPANCY, [_named(name) for name in stale])
    fresh = [name for name in wanted if name not in held or name in stale]
    rows = []
    for name in fresh:
        (question_id, source, field), (here, there) = name, wanted[name]
        rows.append(
            {"question_id": question_id, "source": source, "field": field, "here": here, "there": there}
            | {"seen_at": how.now}
        )
    insert_rows(conn, discrepancies, rows)


def _named(name: Iterable[Any]) -> dict[str, Any]:
    return dict(zip(("_question_id", "_source", "_field"), name, strict=True))


_DELETE_DISCREPANCY = delete(discrepancies).where(
    discrepancies.c.question_id == bindparam("_question_id"),
    discrepancies.c.source == bindparam("_source"),
    discrepancies.c.field == bindparam("_field"),
)


def put_off_rechecks(conn: Connection, source_ids: Sequence[str]) -> None:
    """Those of the official questions just read unchanged that were due for it are due at their next moment."""
    columns = questions.c.id, questions.c.text_observed_at, sightings.c.read_at
    query = (
        select(*columns)
        .join(sightings, sightings.c.question_id == questions.c.id)
        .where(
            sightings.c.source == PARLIAMENT,
            among(conn, sightings.c.source_id, source_ids),
            questions.c.recheck_at <= sightings.c.read_at,
        )
    )
    due = [
        {"_id": id_, "_due": next_recheck(text_at, read_at)} for id_, text_at, read_at in conn.execute(query)
    ]
    if due:
        conn.execute(_PUT_OFF, due)


_PUT_OFF = (
    update(questions)
    .where(questions.c.id == bindparam("_id"))
    .values(recheck_at=bindparam("_due", type_=questions.c.recheck_at.type))
)
