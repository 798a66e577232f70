"""The full-text index on PostgreSQL: tsvectors made by hand, under a GIN index.

GIN answers without an order, so "newest first" is asked in windows: the newest few hundred questions are looked through
one by one, where a frequent word shows at once; then the index is asked, for a larger window, then for all. A word that
reaches the last window is rare. So neither a frequent word sorts the whole archive, nor a rare one walks it.

A tsvector has limits: a position of at most 16,383, 255 places a word, one megabyte. A question beyond them is held
without places and is `unsure`: an expression that asks for places holds of it loosely, and whoever asked must look.
"""

# ruff: noqa: S608 - what is put into the statements are constants of ours

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain

from sqlalchemy import Connection, TextClause, text

from storage.search_rows import EVERY, FIELD, IndexRow
from storage.search_terms import (
    All,
    Any,
    No,
    Run,
    Start,
    Term,
    Token,
    Word,
    all_of,
    any_of,
    loosened,
    none_of,
    uses_places,
)

TABLE = "search_words"
CREATE = (
    # The words are kept out of the row, so that what only counts and sorts reads few pages.
    f"CREATE TABLE {TABLE} (sort_key bigint PRIMARY KEY, words tsvector NOT NULL) WITH (toast_tuple_target = 128)",
    f"ALTER TABLE {TABLE} ALTER COLUMN words SET STORAGE EXTERNAL",
    f"CREATE INDEX ix_{TABLE}_words ON {TABLE} USING gin (words)",
)

Row = tuple[int, int, int, bool]
"""sort_key, question_id, number, unsure."""

LONG, HUGE = f"{FIELD}long", f"{FIELD}huge"
"""Tokens of questions that are held without places, and of those whose words are not held at all."""

_MOST_PLACES, _MOST_A_WORD, _MOST_BYTES = 16_000, 255, 900_000
_WEIGHT = {"title": "A", "question": "B", "answer": "C"}
_WINDOWS = (400, 3_000, 25_000)
_SAMPLE = 1_000
_EXACT = 60_000  # rows that are counted one by one
_LOOKED_AT = 6_000  # tsvectors that are read to count
_LAST = 2**63 - 1


def insert(conn: Connection, rows: Sequence[tuple[int, IndexRow]]) -> set[int]:
    """Index rows under their sort keys. Returns the keys of those that are held without places."""
    made = [(sort_key, *tsvector(row)) for sort_key, row in rows]
    if made:
        keys, words = [sort_key for sort_key, _, _ in made], [held for _, held, _ in made]
        conn.execute(_INSERT, {"keys": keys, "words": words})
    return {sort_key for sort_key, _, whole in made if not whole}


_INSERT = text(
    f"INSERT INTO {TABLE} (sort_key, words) SELECT made.sort_key, CAST(made.words AS tsvector)"
    " FROM unnest(CAST(:keys AS bigint[]), CAST(:words AS text[])) AS made(sort_key, words)"
)


def delete(conn: Connection, rows: Sequence[tuple[int, IndexRow]]) -> None:
    if rows:
        keys = [sort_key for sort_key, _ in rows]
        conn.execute(text(f"DELETE FROM {TABLE} WHERE sort_key = ANY(:keys)"), {"keys": keys})


def clear(conn: Connection) -> None:
    conn.execute(text(f"TRUNCATE {TABLE}"))


def tidy(conn: Connection) -> None:
    """After many rows came at once: bring in what GIN has put off, and let the planner know the words."""
    conn.execute(text(f"SELECT gin_clean_pending_list('ix_{TABLE}_words')"))
    conn.execute(text(f"ANALYZE {TABLE}"))


def tsvector(row: IndexRow) -> tuple[str, bool]:
    """The row as PostgreSQL reads a tsvector, and whether it holds all places."""
    if _has_places(row):
        places: dict[str, str] = {}
        base = 1
        for weight, words in zip("ABC", row.words, strict=True):
            for place, word in enumerate(words, base):
                before = places.get(word)
                places[word] = f"{before},{place}{weight}" if before else f"{_quoted(word)}:{place}{weight}"
            base += len(words) + 1  # a gap that no phrase crosses
        return " ".join([*places.values(), *map(_quoted, row.fields)]), True
    tokens = [LONG, *dict.fromkeys(chain.from_iterable(row.words)), *row.fields]
    if sum(len(token.encode()) + 4 for token in tokens) > _MOST_BYTES:
        tokens = [HUGE, *row.fields]
    return " ".join(map(_quoted, tokens)), False


def _has_places(row: IndexRow) -> bool:
    length = sum(map(len, row.words)) + len(row.words)
    if length > _MOST_PLACES:
        return False
    often = Counter(chain.from_iterable(row.words)) if length > _MOST_A_WORD else Counter[str]()
    return max(often.values(), default=0) <= _MOST_A_WORD


@lru_cache(maxsize=50_000)
def _quoted(token: str) -> str:
    return "'" + token.replace("\\", "\\\\").replace("'", "''") + "'"


def newest(conn: Connection, term: Term, limit: int, before: int | None, since: int | None) -> list[Row]:
    """The newest rows that hold, of those with `since` <= sort_key < `before`."""
    query, found, seen = query_of(term), list[int](), 0
    top, bottom = before or _LAST, since or 0
    for number, size in enumerate((*_WINDOWS, None)):
        if size and number > 1 and len(found) * (seen + size) < limit * seen:
            continue  # too rare for this window to bring the rest, and the index is read anew for each
        floor = bottom if size is None else max(bottom, _floor(conn, top, size))
        found += _window(conn, query, limit - len(found), top, floor, by_index=number > 0)
        if len(found) >= limit or floor <= bottom:
            break
        top, seen = floor, seen + (size or 0)
    return _rows(conn, found)


def _floor(conn: Connection, top: int, size: int) -> int:
    """The sort key of the `size`th question before `top`; 0 where there are fewer."""
    listed = text(
        f"SELECT sort_key FROM {TABLE} WHERE sort_key < :top ORDER BY sort_key DESC OFFSET :size LIMIT 1"
    )
    return conn.execute(listed, {"top": top, "size": size - 1}).scalar() or 0


def _window(conn: Connection, query: str, limit: int, top: int, floor: int, *, by_index: bool) -> list[int]:
    values = {"query": query, "limit": limit, "top": top, "floor": floor}
    with _planned(conn, "enable_seqscan", *(["enable_indexscan"] if by_index else ["enable_bitmapscan"])):
        return list(conn.execute(_BY_INDEX if by_index else _ONE_BY_ONE, values).scalars())


_HOLDS = f"FROM {TABLE} WHERE sort_key >= :floor AND sort_key < :top AND words @@ CAST(:query AS tsquery)"
_ONE_BY_ONE = text(f"SELECT sort_key {_HOLDS} ORDER BY sort_key DESC LIMIT :limit")
_BY_INDEX = text(
    f"WITH hits AS MATERIALIZED (SELECT sort_key {_HOLDS}) SELECT sort_key FROM hits ORDER BY sort_key DESC LIMIT :limit"
)


def unsure(conn: Connection, term: Term, limit: int) -> list[Row]:
    """The newest of the rows that hold as far as the index can tell."""
    query = query_of(all_of([loosened(term), any_of([Token(LONG), Token(HUGE)])]))
    return _rows(conn, _window(conn, query, limit, _LAST, 0, by_index=True))


@contextmanager
def _planned(conn: Connection, *refused: str) -> Iterator[None]:
    """Some ways of the planner are refused: it takes reading a tsvector for cheap, and a rare word for a frequent one."""
    conn.execute(_set(refused, "off"))
    yield
    conn.execute(_set(refused, "on"))


@lru_cache
def _set(names: tuple[str, ...], value: str) -> TextClause:
    return text("SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name in names))


def _rows(conn: Connection, sort_keys: Sequence[int]) -> list[Row]:
    """What stands in `searched` of these, in their order."""
    if not sort_keys:
        return []
    listed = text("SELECT sort_key, question_id, number, unsure FROM searched WHERE sort_key = ANY(:keys)")
    found = {
        row[0]: (row[0], row[1], row[2], row[3]) for row in conn.execute(listed, {"keys": list(sort_keys)})
    }
    return [found[sort_key] for sort_key in sort_keys]


def stream(conn: Connection, term: Term, before: int | None, since: int | None) -> Iterator[Row]:
    """All rows that hold, newest first, read as they are asked for."""
    listed = text(
        "SELECT s.sort_key, s.question_id, s.number, s.unsure"
        f" FROM (SELECT sort_key {_HOLDS}) AS w JOIN searched AS s USING (sort_key) ORDER BY sort_key DESC"
    )
    values = {"query": query_of(term), "top": before or _LAST, "floor": since or 0}
    with _planned(conn, "enable_seqscan"):
        found = conn.execution_options(stream_results=True, max_row_buffer=1_000).execute(listed, values)
    with found:
        for row in found:
            yield row[0], row[1], row[2], row[3]


def count(conn: Connection, term: Term, most: int) -> tuple[int, bool]:
    """How many rows hold, and whether that is exact: else it is reckoned from the newest questions."""
    query, loose = query_of(term), query_of(loosened(term))
    floor = _floor(conn, _LAST, _SAMPLE)
    hits, possible, seen = _sampled(conn, query, loose, floor)
    total = conn.execute(text("SELECT max(id) FROM questions")).scalar() or 0
    share = max(total, seen) / max(seen, 1)
    if possible * share <= (min(_LOOKED_AT, most) if uses_places(term) else min(_EXACT, most)):
        return _counted(conn, query, 0), True
    if hits < 30 and floor:  # too few to reckon with
        wide = _floor(conn, _LAST, 10 * _SAMPLE)
        return round(_counted(conn, query, wide) * max(total / (10 * _SAMPLE), 1)), False
    return (round(hits * share), False) if floor else (hits, True)


def _sampled(conn: Connection, query: str, loose: str, floor: int) -> tuple[int, int, int]:
    counted = text(
        "SELECT count(*) FILTER (WHERE words @@ CAST(:query AS tsquery)),"
        f" count(*) FILTER (WHERE words @@ CAST(:loose AS tsquery)), count(*) FROM {TABLE} WHERE sort_key >= :floor"
    )
    with _planned(conn, "enable_seqscan"):
        row = conn.execute(counted, {"query": query, "loose": loose, "floor": floor}).one()
    return row[0], row[1], row[2]


def _counted(conn: Connection, query: str, floor: int) -> int:
    with _planned(conn, "enable_seqscan", "enable_indexscan"):
        values = {"query": query, "top": _LAST, "floor": floor}
        found: int = conn.execute(text(f"SELECT count(*) {_HOLDS}"), values).scalar_one()
    return found


def facets(conn: Connection, term: Term, most: int) -> Sequence[Sequence[object]]:
    """department, year tabled, state and house of the newest `most` rows that hold."""
    keys = [row[0] for row in newest_keys(conn, term, most)]
    listed = text(
        "SELECT s.department, CAST(extract(year FROM q.tabled_on) AS integer), s.state, s.house"
        " FROM searched AS s JOIN questions AS q ON q.id = s.question_id WHERE s.sort_key = ANY(:keys)"
    )
    return conn.execute(listed, {"keys": keys}).all()


def newest_keys(conn: Connection, term: Term, most: int) -> list[tuple[int]]:
    """The sort keys alone of the newest rows that hold."""
    query, found, top = query_of(term), list[int](), _LAST
    for size in (20_000, None):
        floor = 0 if size is None else _floor(conn, top, size)
        found += _window(conn, query, most - len(found), top, floor, by_index=True)
        if len(found) >= most or not floor:
            break
        top = floor
    return [(key,) for key in found]


def ranked(
    conn: Connection, term: Term, limit: int, offset: int, before: int | None, among: int
) -> list[Row]:
    """The most relevant of the newest `among` rows that hold, by ts_rank_cd; of equals the newer first."""
    keys = [key for (key,) in newest_keys(conn, term, among) if key < (before or _LAST)]
    listed = text(
        f"SELECT sort_key FROM {TABLE} WHERE sort_key = ANY(:keys)"
        " ORDER BY ts_rank_cd('{0, 0.25, 0.5, 1}', words, CAST(:query AS tsquery), 1) DESC, sort_key DESC"
        " LIMIT :limit OFFSET :offset"
    )
    values = {"keys": keys, "query": query_of(term), "limit": limit, "offset": offset}
    return _rows(conn, list(conn.execute(listed, values).scalars()))


def query_of(term: Term) -> str:
    """The term as a tsquery, with the questions that are held without places, or words, let in where they may hold."""
    if not uses_places(term):
        return _query(any_of([term, Token(HUGE)]))
    placed = all_of([term, none_of(Token(LONG))])
    return _query(any_of([placed, all_of([loosened(term), Token(LONG)]), Token(HUGE)]))


def _query(term: Term) -> str:
    match term:
        case Token(token, part):
            return _quoted(token) + (f":{_WEIGHT[part]}" if part else "")
        case Start(token, part):
            return f"{_quoted(token)}:*{_WEIGHT[part] if part else ''}"
        case Run(words, prefix, part):
            last = Start(words[-1], part) if prefix else Token(words[-1], part)
            return f"({' <-> '.join(map(_query, [*(Token(word, part) for word in words[:-1]), last]))})"
        case All(of):
            return f"({' & '.join(map(_query, of))})" if of else _quoted(EVERY)
        case Any(of):
            return f"({' | '.join(map(_query, of))})" if of else f"!{_quoted(EVERY)}"
        case Word():
            raise TypeError("inflected forms must be spelled out")
        case No(of):
            return f"({_quoted(EVERY)} & !{_query(of)})"
