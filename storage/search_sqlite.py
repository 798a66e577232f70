"""The full-text index on SQLite: an FTS5 table without content whose rowid is the sort key, so that "newest first" needs no sort.

FTS5 here keeps no copy of the text. To delete a row it must be told the tokens that it holds, which
`storage.search_rows` makes again from the version that was indexed.
"""

# ruff: noqa: S608 - what is put into the statements are constants of ours

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from storage.search_rows import EVERY, IndexRow
from storage.search_terms import All, Any, No, Run, Start, Term, Token, Word

TABLE = "search_words"
TOKENIZER = "ascii tokenchars '''.:~_/#-'"  # ascii: only a-z are folded, and all else is kept
CREATE = (
    f"CREATE VIRTUAL TABLE {TABLE} USING fts5(title, question, answer, fields, content = '',"
    f' tokenize = "{TOKENIZER}")'
)
SETTINGS = tuple(
    f"INSERT INTO {TABLE}({TABLE}, rank) VALUES ('{name}', {value})"
    for name, value in (("hashsize", 16 * 2**20), ("automerge", 8))
)
"""A batch is written as one piece, and pieces are merged eight at a time: a third less to write, and no slower to read."""
WEIGHTS = (4.0, 2.0, 1.0, 0.0)
"""Of a word in title, question, answer and fields, for the relevance."""

_LAST = 2**63 - 1
Row = tuple[int, int, int, bool]
"""sort_key, question_id, number, unsure."""


def insert(conn: Connection, rows: Sequence[tuple[int, IndexRow]]) -> set[int]:
    """Index rows under their sort keys. The keys of those that the index cannot hold whole: none here."""
    if rows:
        statement = f"INSERT INTO {TABLE}(rowid, title, question, answer, fields) VALUES (?, ?, ?, ?, ?)"
        conn.exec_driver_sql(statement, _in_order(rows))
    return set()


def delete(conn: Connection, rows: Sequence[tuple[int, IndexRow]]) -> None:
    """Take rows out; each must hold the tokens it was indexed with."""
    if rows:
        statement = (
            f"INSERT INTO {TABLE}({TABLE}, rowid, title, question, answer, fields)"
            " VALUES ('delete', ?, ?, ?, ?, ?)"
        )
        conn.exec_driver_sql(statement, _in_order(rows))


def _in_order(rows: Sequence[tuple[int, IndexRow]]) -> list[tuple[int, str, str, str, str]]:
    """By sort key: FTS5 writes out what it has gathered whenever a rowid is lower than the one before."""
    return sorted((sort_key, *row.columns()) for sort_key, row in rows)


def clear(conn: Connection) -> None:
    conn.exec_driver_sql(f"INSERT INTO {TABLE}({TABLE}) VALUES ('delete-all')")


def tidy(conn: Connection) -> None:
    """After many rows came at once: merge the pieces of the index, which speeds up every search."""
    conn.exec_driver_sql(f"INSERT INTO {TABLE}({TABLE}) VALUES ('optimize')")


def newest(conn: Connection, term: Term, limit: int, before: int | None, since: int | None) -> list[Row]:
    """The newest rows that hold, of those with `since` <= sort_key < `before`."""
    found = conn.exec_driver_sql(_NEWEST, (match_of(term), before or _LAST, since or 0, limit))
    return [(row[0], row[1], row[2], bool(row[3])) for row in found]


_INNER = (
    f"SELECT rowid AS k FROM {TABLE} WHERE {TABLE} MATCH ? AND rowid < ? AND rowid >= ?"
    " ORDER BY rowid DESC LIMIT ?"
)
_NEWEST = (
    "SELECT s.sort_key, s.question_id, s.number, s.unsure"
    f" FROM ({_INNER}) AS w CROSS JOIN searched AS s ON s.sort_key = w.k ORDER BY w.k DESC"
)
_STREAM = (
    "SELECT s.sort_key, s.question_id, s.number, s.unsure"
    f" FROM {TABLE} AS w CROSS JOIN searched AS s ON s.sort_key = w.rowid"
    f" WHERE w.{TABLE} MATCH ? AND w.rowid < ? AND w.rowid >= ? ORDER BY w.rowid DESC"
)


def stream(conn: Connection, term: Term, before: int | None, since: int | None) -> Iterator[Row]:
    """All rows that hold, newest first, read as they are asked for."""
    found = conn.exec_driver_sql(_STREAM, (match_of(term), before or _LAST, since or 0))
    for row in found:
        yield row[0], row[1], row[2], bool(row[3])


def count(conn: Connection, term: Term, most: int) -> tuple[int, bool]:
    """How many rows hold, and whether that is exact: from `most` on it is reckoned from the newest `most`."""
    counted = f"SELECT count(*), min(k) FROM ({_INNER})"
    hits, oldest = conn.exec_driver_sql(counted, (match_of(term), _LAST, 0, most + 1)).one()
    if hits <= most:
        return hits, True
    newer = conn.exec_driver_sql("SELECT count(*) FROM questions WHERE sort_key >= ?", (oldest,)).scalar_one()
    total = conn.exec_driver_sql("SELECT max(id) FROM questions").scalar_one()  # ids are given without gaps
    return max(hits, round(hits * max(total, newer) / newer)), False


def unsure(conn: Connection, term: Term, limit: int) -> list[Row]:  # noqa: ARG001 - FTS5 has no such limits
    """The newest of the rows that hold as far as the index can tell: none here."""
    return []


def facets(conn: Connection, term: Term, most: int) -> Sequence[Sequence[object]]:
    """department, year tabled, state and house of the newest `most` rows that hold."""
    listed = (
        "SELECT s.department, CAST(substr(q.tabled_on, 1, 4) AS INTEGER), s.state, s.house"
        f" FROM ({_INNER}) AS w CROSS JOIN searched AS s ON s.sort_key = w.k"
        " CROSS JOIN questions AS q ON q.id = s.question_id"
    )
    return conn.exec_driver_sql(listed, (match_of(term), _LAST, 0, most)).all()


def ranked(
    conn: Connection, term: Term, limit: int, offset: int, before: int | None, among: int
) -> list[Row]:
    """The most relevant of the newest `among` rows that hold, by bm25; of equals the newer first."""
    match, top = match_of(term), before or _LAST
    floor = conn.exec_driver_sql(f"SELECT min(k) FROM ({_INNER})", (match, top, 0, among)).scalar()
    found = conn.exec_driver_sql(_RANKED, (match, top, floor or 0, limit, offset))
    return [(row[0], row[1], row[2], bool(row[3])) for row in found]


_RANKED = (
    "SELECT s.sort_key, s.question_id, s.number, s.unsure"
    f" FROM (SELECT rowid AS k, bm25({TABLE}, {', '.join(map(str, WEIGHTS))}) AS score FROM {TABLE}"
    f" WHERE {TABLE} MATCH ? AND rowid < ? AND rowid >= ? ORDER BY score, rowid DESC LIMIT ? OFFSET ?) AS w"
    " CROSS JOIN searched AS s ON s.sort_key = w.k ORDER BY w.score, w.k DESC"
)


def match_of(term: Term) -> str:
    """The term as FTS5 writes it."""
    match term:
        case Token(text, part):
            return f'{_in(part)}"{text}"'
        case Start(text, part):
            return f'{_in(part)}"{text}" *'
        case Run(words, prefix, part):
            return f'{_in(part)}"{" ".join(words)}"{" *" if prefix else ""}'
        case All(of):
            return _all(of)
        case Any(of):
            return f"({' OR '.join(map(match_of, of))})" if of else _nothing()
        case Word():
            raise TypeError("inflected forms must be spelled out")
        case No(of):
            return f'("{EVERY}" NOT {match_of(of)})'


def _in(part: str | None) -> str:
    return "" if part is None else f"{{{part}}} : "


def _all(of: Sequence[Term]) -> str:
    """FTS5 knows NOT only between two operands, so what must not hold is taken from the rest at the end."""
    wanted = [match_of(each) for each in of if not isinstance(each, No)] or [f'"{EVERY}"']
    unwanted = [match_of(each.of) for each in of if isinstance(each, No)]
    joined = f"({' AND '.join(wanted)})"
    return f"({joined} NOT ({' OR '.join(unwanted)}))" if unwanted else joined


def _nothing() -> str:
    return f'("{EVERY}" NOT "{EVERY}")'
