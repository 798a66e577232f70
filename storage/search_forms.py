"""Which words of the archive have which inflected form, so that the index need hold the words alone.

A bare word is looked up as all words that share its inflected form. Words that are their own inflected form are not
stored: that is known without looking. Nothing is ever removed; what the stemmer now sees otherwise is left out when read.
"""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Pool, event, select

from storage.analyse import inflected
from storage.bulk import among
from storage.inserting import insert_rows
from storage.schema import search_forms

_MOST_KNOWN = 400_000
_known: WeakKeyDictionary[Pool, set[str]] = WeakKeyDictionary()
"""By database, the words that need no storing: those that stand there, and those that are their own inflected form."""


def note(conn: Connection, words: set[str]) -> None:
    """Store the inflected forms of words that are new."""
    known = _known.setdefault(conn.engine.pool, set())
    if len(known) > _MOST_KNOWN:
        known.clear()
    fresh = words.difference(known)
    stems = {word: stem for word in fresh if (stem := inflected(word)) != word}
    known.update(fresh.difference(stems))
    if stems:
        rows = [{"stem": stem, "word": word} for word, stem in sorted(stems.items())]
        insert_rows(conn, search_forms, rows, conflict="ON CONFLICT DO NOTHING")
        event.listen(conn, "commit", lambda _: known.update(stems), once=True)  # until then it may be undone


def _stored(conn: Connection, stems: Iterable[str]) -> set[tuple[str, str]]:
    query = select(search_forms.c.stem, search_forms.c.word).where(among(conn, search_forms.c.stem, stems))
    return {(row.stem, row.word) for row in conn.execute(query)}


def forms(conn: Connection, stems: Iterable[str]) -> dict[str, list[str]]:
    """For each inflected form, the words of the archive that have it."""
    found: dict[str, list[str]] = {stem: [stem] if inflected(stem) == stem else [] for stem in stems}
    for stem, word in sorted(_stored(conn, found)):
        if inflected(word) == stem:
            found[stem].append(word)
    return found
