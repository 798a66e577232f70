"""The engines that people use in place of a matcher, each behind the same two calls.

    Engine(wishes).run(texts) -> one list of subscription numbers for each text

All are given the same tokens: a text is its analysed words between spaces, its department a token of its own
(`dept0`, `dept1`, …). Building is not timed, running is. An engine that is not installed raises ImportError.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bench.subscriptions import DEPARTMENTS, Term, Wish

Found = list[list[int]]


@dataclass(frozen=True, slots=True)
class Text:
    """An analysed answer: its words in order, and the token of its department."""

    words: tuple[str, ...]
    department: str


class Engine(Protocol):
    def run(self, texts: Sequence[Text]) -> Found: ...


def department_token(name: str) -> str:
    return f"dept{DEPARTMENTS.index(name)}"


def _joined(wish: Wish, spelled: Any, *, and_: str, or_: str, not_: str) -> str:
    parts = [spelled(term) for term in wish.every]
    if wish.some:
        parts.append("(" + or_.join(map(spelled, wish.some)) + ")")
    if wish.department:
        parts.append(department_token(wish.department))
    text = and_.join(parts)
    return text + "".join(f"{not_}{spelled(term)}" for term in wish.no)


def _gathered(count: int) -> Found:
    return [[] for _ in range(count)]


class Fts5:
    """SQLite FTS5 over the batch in memory; every subscription is run against it."""

    def __init__(self, wishes: Sequence[Wish]) -> None:
        self._queries = [
            _joined(wish, self._spelled, and_=" AND ", or_=" OR ", not_=" NOT ") for wish in wishes
        ]

    @staticmethod
    def _spelled(term: Term) -> str:
        return f'"{" ".join(term.words)}"' + ("*" if term.prefix else "")

    def run(self, texts: Sequence[Text]) -> Found:
        db = sqlite3.connect(":memory:")
        db.execute(
            "create virtual table batch using fts5(text, tokenize = ascii, content = '', columnsize = 0)"
        )
        rows = ((i, f"{' '.join(text.words)} {text.department}") for i, text in enumerate(texts))
        db.executemany("insert into batch (rowid, text) values (?, ?)", rows)
        found = _gathered(len(texts))
        for number, query in enumerate(self._queries):
            for (row,) in db.execute("select rowid from batch where batch match ?", (query,)):
                found[row].append(number)
        db.close()
        return found


class Tantivy:
    """tantivy over the batch, with queries built beforehand."""

    def __init__(self, wishes: Sequence[Wish]) -> None:
        import tantivy  # noqa: F401 - asked for here, so that its absence is known before anything is timed

        self._wishes = wishes
        self._queries: list[Any] = []

    def _schema(self) -> Any:
        import tantivy

        builder = tantivy.SchemaBuilder()
        builder.add_text_field("text", stored=False, tokenizer_name="whitespace")
        builder.add_integer_field("row", stored=True, fast=True)
        return builder.build()

    def _query(self, schema: Any, wish: Wish) -> Any:
        from tantivy import Occur, Query

        parts = [(Occur.Must, self._term(schema, term)) for term in wish.every]
        if wish.some:
            some = [(Occur.Should, self._term(schema, term)) for term in wish.some]
            parts.append((Occur.Must, Query.boolean_query(some)))
        if wish.department:
            parts.append((Occur.Must, Query.term_query(schema, "text", department_token(wish.department))))
        parts += [(Occur.MustNot, self._term(schema, term)) for term in wish.no]
        return Query.const_score_query(Query.boolean_query(parts), 1.0)

    @staticmethod
    def _term(schema: Any, term: Term) -> Any:
        from tantivy import Query

        if term.prefix:
            return Query.regex_query(schema, "text", f"{term.words[0]}.*")
        if len(term.words) == 1:
            return Query.term_query(schema, "text", term.words[0], index_option="basic")
        return Query.phrase_query(schema, "text", list(term.words))

    def prepare(self) -> None:
        self._held_schema = self._schema()
        self._queries = [self._query(self._held_schema, wish) for wish in self._wishes]

    def run(self, texts: Sequence[Text]) -> Found:
        import tantivy

        index = tantivy.Index(self._held_schema)
        writer = index.writer(heap_size=50_000_000, num_threads=1)
        for row, text in enumerate(texts):
            writer.add_document(tantivy.Document(text=f"{' '.join(text.words)} {text.department}", row=row))
        writer.commit()
        index.reload()
        searcher = index.searcher()
        found = _gathered(len(texts))
        for number, query in enumerate(self._queries):
            hits = searcher.search(query, limit=len(texts), count=False).hits
            if hits:
                for row in searcher.fast_field_values("row", [address for _, address in hits]):
                    found[row].append(number)
        return found


class Mokaccino:
    """mokaccino, a percolator in Rust. It has no phrases: their words are asked for and the order is checked after."""

    def __init__(self, wishes: Sequence[Wish]) -> None:
        from mokaccino import Percolator

        self._wishes = wishes
        self._percolator = Percolator()
        for number, wish in enumerate(wishes):
            self._percolator.add_query_id(self._query(wish), number)
        self._checked = {
            n for n, w in enumerate(wishes) if any(len(t.words) > 1 for t in (*w.every, *w.some, *w.no))
        }

    def _query(self, wish: Wish) -> Any:
        from mokaccino import Query

        parts = [self._term(term) for term in wish.every]
        if wish.some:
            parts.append(Query.from_or([self._term(term) for term in wish.some]))
        if wish.department:
            parts.append(Query.from_kv("w", department_token(wish.department)))
        parts += [Query.from_not(self._term(term)) for term in wish.no if len(term.words) == 1]
        return parts[0] if len(parts) == 1 else Query.from_and(parts)

    @staticmethod
    def _term(term: Term) -> Any:
        from mokaccino import Query

        if term.prefix:
            return Query.from_kprefix("w", term.words[0])
        words = [Query.from_kv("w", word) for word in term.words]
        return words[0] if len(words) == 1 else Query.from_and(words)

    def run(self, texts: Sequence[Text]) -> Found:
        from mokaccino import Document

        found = []
        for text in texts:
            document = Document()
            for word in {*text.words, text.department}:
                document.add_value("w", word)
            joined = f" {' '.join(text.words)} {text.department} "
            hits = self._percolator.percolate_list(document)
            found.append([n for n in hits if n not in self._checked or holds(self._wishes[n], joined)])
        return found


def holds(wish: Wish, joined: str) -> bool:
    """The wish by plain search in the text: slow, and what every engine must agree with."""

    def there(term: Term) -> bool:
        return f" {' '.join(term.words)}{'' if term.prefix else ' '}" in joined

    return (
        all(map(there, wish.every))
        and (not wish.some or any(map(there, wish.some)))
        and not any(map(there, wish.no))
        and (wish.department is None or f" {department_token(wish.department)} " in joined)
    )


class Regex:
    """A compiled regular expression for each subscription, on each text."""

    def __init__(self, wishes: Sequence[Wish]) -> None:
        self._patterns = [re.compile(self._pattern(wish)) for wish in wishes]

    @classmethod
    def _pattern(cls, wish: Wish) -> str:
        ahead = [f"(?=.*{cls._term(term)})" for term in wish.every]
        if wish.some:
            ahead.append(f"(?=.*(?:{'|'.join(map(cls._term, wish.some))}))")
        if wish.department:
            ahead.append(f"(?=.* {department_token(wish.department)} )")
        return "".join(ahead) + "".join(f"(?!.*{cls._term(term)})" for term in wish.no)

    @staticmethod
    def _term(term: Term) -> str:
        return f" {re.escape(' '.join(term.words))}" + ("" if term.prefix else " ")

    def run(self, texts: Sequence[Text]) -> Found:
        joined = [f" {' '.join(text.words)} {text.department} " for text in texts]
        return [[n for n, pattern in enumerate(self._patterns) if pattern.match(text)] for text in joined]


class XapianBatch:
    """Xapian over the new batch alone, with query objects built beforehand."""

    def __init__(self, wishes: Sequence[Wish]) -> None:
        self._x = _xapian()
        self._queries = [self._query(wish) for wish in wishes]

    def _query(self, wish: Wish) -> Any:
        query = self._x.Query
        parts = [self._term(term) for term in wish.every]
        if wish.some:
            parts.append(query(query.OP_OR, [self._term(term) for term in wish.some]))
        if wish.department:
            parts.append(query(department_token(wish.department)))
        whole = query(query.OP_AND, parts)
        for term in wish.no:
            whole = query(query.OP_AND_NOT, whole, self._term(term))
        return whole

    def _term(self, term: Term) -> Any:
        query = self._x.Query
        if term.prefix:
            return query(query.OP_WILDCARD, term.words[0], 0, query.WILDCARD_LIMIT_ERROR, query.OP_SYNONYM)
        return query(term.words[0]) if len(term.words) == 1 else query(query.OP_PHRASE, list(term.words))

    def run(self, texts: Sequence[Text]) -> Found:
        database = self._x.WritableDatabase("", self._x.DB_BACKEND_INMEMORY)
        for text in texts:
            database.add_document(xapian_document(self._x, text))
        return xapian_search(self._x, database, self._queries, len(texts), 0)


def _xapian() -> Any:
    """Debian's own build, which stands outside of a virtual environment."""
    sys.path.append("/usr/lib/python3/dist-packages")
    try:
        import xapian
    finally:
        sys.path.remove("/usr/lib/python3/dist-packages")
    return xapian


def xapian_document(xapian: Any, text: Text, *more: str) -> Any:
    document = xapian.Document()
    for position, word in enumerate(text.words):
        document.add_posting(word, position)
    for term in (text.department, *more):
        document.add_boolean_term(term)
    return document


def xapian_search(xapian: Any, database: Any, queries: Sequence[Any], size: int, before: int) -> Found:
    """`before`: documents of the archive that come before those of the batch."""
    enquire = xapian.Enquire(database)
    enquire.set_weighting_scheme(xapian.BoolWeight())
    found = _gathered(size)
    for number, query in enumerate(queries):
        enquire.set_query(query)
        for hit in enquire.get_mset(0, size):
            found[hit.docid - 1 - before].append(number)
    return found
