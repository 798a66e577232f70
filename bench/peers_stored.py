"""Peers that keep something on disk: TheyWorkForYou's way (Xapian with an archive) and a column of PostgreSQL."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

from bench.peers import (
    Found,
    Text,
    Wish,
    _gathered,
    _joined,
    _xapian,
    department_token,
    xapian_document,
    xapian_search,
)
from bench.subscriptions import Term


class TheyWorkForYou:
    """One Xapian archive; new answers get a batch term; every subscription is parsed and run with that term as filter."""

    def __init__(self, wishes: Sequence[Wish], archive: Sequence[Text]) -> None:
        self._x = x = _xapian()
        self._queries = [
            _joined(wish, self._spelled, and_=" AND ", or_=" OR ", not_=" NOT ") for wish in wishes
        ]
        self._folder = tempfile.TemporaryDirectory()
        self._database = x.WritableDatabase(self._folder.name, x.DB_CREATE_OR_OVERWRITE)
        for text in archive:
            self._database.add_document(xapian_document(x, text))
        self._before = len(archive)
        self._database.commit()
        self._indexed: Sequence[Text] | None = None

    @staticmethod
    def _spelled(term: Term) -> str:
        if term.prefix:
            return f"{term.words[0]}*"
        return term.words[0] if len(term.words) == 1 else f'"{" ".join(term.words)}"'

    def index(self, texts: Sequence[Text]) -> None:
        """What its indexer does in the night; not timed."""
        for text in texts:
            self._database.add_document(xapian_document(self._x, text, "Bnew"))
        self._database.commit()
        self._indexed = texts

    def run(self, texts: Sequence[Text]) -> Found:
        assert texts is self._indexed
        return xapian_search(self._x, self._database, self._parsed(), len(texts), self._before)

    def _parsed(self) -> Any:
        x = self._x
        parser = x.QueryParser()
        parser.set_database(self._database)
        parser.set_stemming_strategy(x.QueryParser.STEM_NONE)
        parser.set_default_op(x.Query.OP_AND)
        flags = x.QueryParser.FLAG_BOOLEAN | x.QueryParser.FLAG_PHRASE | x.QueryParser.FLAG_WILDCARD
        batch = x.Query("Bnew")
        return _Lazily(
            self._queries, lambda text: x.Query(x.Query.OP_FILTER, parser.parse_query(text, flags), batch)
        )


class _Lazily:
    """Parses each query when its turn comes, as TheyWorkForYou does."""

    def __init__(self, texts: Sequence[str], parse: Any) -> None:
        self._texts, self._parse = texts, parse

    def __iter__(self) -> Any:
        return map(self._parse, self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, index: int) -> Any:
        return self._parse(self._texts[index])


class PostgreSQL:
    """A table with a tsquery for each subscription; `document @@ query` for each answer."""

    def __init__(self, wishes: Sequence[Wish], url: str) -> None:
        import psycopg

        self._connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
        run = self._connection.execute
        run("set max_parallel_workers_per_gather = 0")
        run("create temporary table wishes (number integer, query tsquery)")
        with self._connection.cursor() as cursor, cursor.copy("copy wishes from stdin") as copy:
            for number, wish in enumerate(wishes):
                copy.write_row((number, self._query(wish)))
        run("analyze wishes")

    def _query(self, wish: Wish) -> str:
        return _joined(wish, self._spelled, and_=" & ", or_=" | ", not_=" & !")

    @staticmethod
    def _spelled(term: Term) -> str:
        if term.prefix:
            return f"{term.words[0]}:*"
        return term.words[0] if len(term.words) == 1 else f"({' <-> '.join(term.words)})"

    def run(self, texts: Sequence[Text]) -> Found:
        found = _gathered(len(texts))
        for row, text in enumerate(texts):
            vector = self._vector(text)
            cursor = self._connection.execute(
                "select number from wishes where %s::tsvector @@ query", (vector,)
            )
            found[row] = [number for (number,) in cursor]
        return found

    @staticmethod
    def _vector(text: Text) -> str:
        places: dict[str, list[int]] = {}
        for position, word in enumerate((*text.words, text.department), 1):
            places.setdefault(word, []).append(position)
        return " ".join(f"{word}:{','.join(map(str, at))}" for word, at in places.items())

    def close(self) -> None:
        self._connection.close()


__all__ = ["PostgreSQL", "TheyWorkForYou", "department_token"]
