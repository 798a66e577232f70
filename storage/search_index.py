"""Keeps the full-text index in step with the questions: in the transaction that stores a version, or from scratch.

The rules by which rows are made are named by a stamp in `meta`. Where the program's stamp is another one the index is
emptied and made anew, newest questions first, in small transactions that can be cut off and go on later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from storage import search_forms
from storage.bulk import among, one_writer
from storage.content import content_from_json
from storage.inserting import insert_rows
from storage.records import Content, State
from storage.schema import aliases, meta, questions, searched, versions
from storage.search_dialect import dialect
from storage.search_rows import Basis, IndexRow, content_tokens, department, index_row, stamp, words_of
from storage.store import Store

BATCH = 500
_STAMP, _LEFT = "search_stamp", "search_rebuild_below"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A question whose newest version, or place in the order, is new. Its versions are stored already."""

    question_id: int
    old_sort_key: int | None
    sort_key: int
    number: int
    key: str
    content: Content
    overdue_after: date | None
    pro_forma: bool


@dataclass(frozen=True, slots=True)
class _Held:
    """A row of the index as it stands, and what it was made of."""

    sort_key: int
    number: int
    content: Content
    basis: Basis

    @property
    def row(self) -> IndexRow:
        return index_row(self.content, self.basis)


def keep(conn: Connection, entries: Sequence[Entry]) -> None:
    """Index what a batch has stored, in its transaction: the old rows go, the new ones come."""
    if not entries:
        return
    _agree(conn, entries)
    held = _held(conn, [entry.old_sort_key for entry in entries if entry.old_sort_key is not None])
    _replace(conn, [(entry, held.get(entry.old_sort_key or 0)) for entry in entries])


def _agree(conn: Connection, entries: Sequence[Entry]) -> None:
    """Let the index be one of this program's rules: start again where others made it; a fresh one is whole."""
    rules = _value(conn, _STAMP)
    if rules == stamp():
        return
    ids = [entry.question_id for entry in entries]
    others = select(questions.c.id).where(~among(conn, questions.c.id, ids)).limit(1)
    if rules is None and conn.execute(others).first() is None:
        _put(conn, _STAMP, stamp())
    else:
        _start_again(conn)


def forget(conn: Connection, sort_keys: Iterable[int]) -> None:
    """Take questions out of the index. Their versions must still be stored."""
    _remove(conn, list(_held(conn, list(sort_keys)).values()))


def _replace(conn: Connection, pairs: Sequence[tuple[Entry, _Held | None]]) -> None:
    _remove(conn, [held for _, held in pairs if held is not None])
    keys, before = keys_of(conn, [entry.question_id for entry, _ in pairs]), _contents_before(conn, pairs)
    made = []
    for entry, held in pairs:
        if not keys[entry.question_id]:
            continue  # it proved to be another question, which has its keys now
        basis = _basis(entry, held, keys[entry.question_id], before[entry.question_id])
        made.append((entry, basis, index_row(entry.content, basis)))
    search_forms.note(
        conn, set[str]().union(*(words for _, basis, row in made for words in words_of(row, basis)))
    )
    unsure = dialect(conn).insert(conn, [(entry.sort_key, row) for entry, _, row in made])
    insert_rows(
        conn, searched, [_searched_row(entry, basis, entry.sort_key in unsure) for entry, basis, _ in made]
    )


def _basis(entry: Entry, held: _Held | None, keys: Sequence[str], before: Sequence[Content]) -> Basis:
    earlier = set(held.basis.earlier) if held else set[str]()
    for content in before:
        earlier |= content_tokens(content)
    if earlier:
        earlier -= content_tokens(entry.content)
    corrected = any(each.state is State.CORRECTED for each in (*before, entry.content))
    return Basis(
        keys=(entry.key, *sorted(set(keys) - {entry.key})),
        pro_forma=entry.pro_forma,
        ever_corrected=corrected or bool(held and held.basis.ever_corrected),
        overdue_after=entry.overdue_after,
        earlier=tuple(sorted(earlier)),
    )


def _searched_row(entry: Entry, basis: Basis, unsure: bool) -> dict[str, Any]:
    content = entry.content
    return {
        "sort_key": entry.sort_key,
        "question_id": entry.question_id,
        "number": entry.number,
        "department": department(content),
        "state": content.state.value,
        "house": content.house and content.house.value,
        "unsure": unsure,
        "basis": basis.dump(),
    }


def _remove(conn: Connection, gone: Sequence[_Held]) -> None:
    if gone:
        dialect(conn).delete(conn, [(held.sort_key, held.row) for held in gone])
        conn.execute(
            delete(searched).where(among(conn, searched.c.sort_key, [held.sort_key for held in gone]))
        )


def _held(conn: Connection, sort_keys: Sequence[int]) -> dict[int, _Held]:
    if not sort_keys:
        return {}
    of_it = (versions.c.question_id == searched.c.question_id) & (versions.c.number == searched.c.number)
    query = select(searched.c.sort_key, searched.c.number, searched.c.basis, versions.c.content).join(
        versions, of_it
    )
    return {
        row.sort_key: _Held(row.sort_key, row.number, content_from_json(row.content), Basis.load(row.basis))
        for row in conn.execute(query.where(among(conn, searched.c.sort_key, sort_keys)))
    }


def keys_of(conn: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    """Every key under which each question is or was known, by our ids."""
    found: dict[int, list[str]] = defaultdict(list)
    query = select(aliases.c.question_id, aliases.c.key).where(among(conn, aliases.c.question_id, ids))
    for question_id, key in conn.execute(query):
        found[question_id].append(key)
    return found


def _contents_before(
    conn: Connection, pairs: Sequence[tuple[Entry, _Held | None]]
) -> dict[int, list[Content]]:
    """What the versions before the newest said: those since the held row was made, or all where there is none."""
    found: dict[int, list[Content]] = defaultdict(list)
    wanted = {
        entry.question_id: (held.number if held else 1, entry.number)
        for entry, held in pairs
        if entry.number > 1
    }
    if not wanted:
        return found
    query = select(versions.c.question_id, versions.c.number, versions.c.content)
    for row in conn.execute(query.where(among(conn, versions.c.question_id, wanted))):
        first, newest = wanted[row.question_id]
        if first <= row.number < newest:
            found[row.question_id].append(content_from_json(row.content))
    return found


def is_whole(conn: Connection) -> bool:
    """Whether the index holds every question, by the rules of this program."""
    if _value(conn, _LEFT) is not None:
        return False
    held = _value(conn, _STAMP)
    return held == stamp() or (held is None and conn.execute(select(questions.c.id).limit(1)).first() is None)


def is_current(conn: Connection) -> bool:
    """Whether what the index holds was made by the rules of this program."""
    return _value(conn, _STAMP) in {None, stamp()}


def reindex(store: Store, progress: Callable[[int, int], None] | None = None, *, anew: bool = False) -> int:
    """Make the index whole where it is not (`anew`: make all of it again). Returns how many questions were indexed.

    Newest first, in small transactions: crawls go on meanwhile, and what was cut off goes on where it was.
    `progress` is told how many are done, of how many.
    """
    with store.write() as conn:
        one_writer(conn)
        if is_whole(conn) and not anew:
            return 0
        if anew or _value(conn, _LEFT) is None or not is_current(conn):
            _start_again(conn)
        total = conn.execute(select(func.count()).select_from(questions)).scalar_one()
        done = conn.execute(select(func.count()).select_from(searched)).scalar_one()
    made = 0
    while count := _reindex_some(store):
        made += count
        if progress:
            progress(min(done + made, total), total)
    return made


def tidy(store: Store) -> None:
    """Merge the pieces of the index into one, after many questions came at once: for `compact`. Holds the write lock."""
    with store.write() as conn:
        dialect(conn).tidy(conn)


def _reindex_some(store: Store) -> int:
    with store.write() as conn:
        one_writer(conn)
        left = _value(conn, _LEFT)
        if left is None:
            return 0
        entries = _missing(conn, int(left))
        if entries:
            _replace(conn, [(entry, None) for entry in entries])
            _put(conn, _LEFT, str(entries[-1].sort_key))
        else:
            conn.execute(delete(meta).where(meta.c.name == _LEFT))
            dialect(conn).tidy(conn)
        return len(entries)


def _missing(conn: Connection, below: int) -> list[Entry]:
    """The newest questions below a sort key that are not indexed."""
    newest = (versions.c.question_id == questions.c.id) & (versions.c.number == questions.c.number)
    query = (
        select(questions, versions.c.content)
        .join(versions, newest)
        .outerjoin(searched, searched.c.sort_key == questions.c.sort_key)
        .where(questions.c.sort_key < below, searched.c.sort_key.is_(None))
        .where(exists().where(aliases.c.question_id == questions.c.id))
        .order_by(questions.c.sort_key.desc())
        .limit(BATCH)
    )
    return [
        Entry(
            question_id=row.id,
            old_sort_key=None,
            sort_key=row.sort_key,
            number=row.number,
            key=row.key,
            content=content_from_json(row.content),
            overdue_after=row.overdue_after,
            pro_forma=row.pro_forma,
        )
        for row in conn.execute(query)
    ]


def _start_again(conn: Connection) -> None:
    """Empty the index, and note that all questions are to be indexed."""
    dialect(conn).clear(conn)
    conn.execute(delete(searched))
    _put(conn, _STAMP, stamp())
    newest = conn.execute(select(func.max(questions.c.sort_key))).scalar()
    if newest is not None:
        _put(conn, _LEFT, str(newest + 1))


def _value(conn: Connection, name: str) -> str | None:
    return conn.execute(select(meta.c.value).where(meta.c.name == name)).scalar()


def _put(conn: Connection, name: str, value: str) -> None:
    if not conn.execute(update(meta).where(meta.c.name == name).values(value=value)).rowcount:
        conn.execute(insert(meta).values(name=name, value=value))
