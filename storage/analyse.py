"""The one tokenizer: the words of a text or a query, in the forms and with the places that every search compares.

Each word has a position (counted from 0 in its part), a folded form (what phrases, prefixes and quoted words compare),
an inflected form (Snowball English of the folded one, what bare words compare) and an exact form (capitals and
accents as written, what `=` compares). Folded and inflected forms hold no white space, no control characters and of
ASCII only `a-z`, `0-9`, the apostrophe and the point, so that FTS5 keeps them whole (`search_sqlite.TOKENIZER`), and an array
of them is a tsvector as it stands. They are at most `LONGEST` characters long.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import Stemmer

from storage.fold import fold, origins, past_marks

LONGEST = 200
"""Characters of a word that count; no word of any language comes near (PostgreSQL takes lexemes up to 2,046 bytes)."""

_WORD = re.compile(
    r"[^\W\d_](?:\.[^\W\d_])+(?![^\W_])\.?(?:'s(?![^\W_]))?"  # initials: u.k. and u.k.'s
    r"|[^\W_]+(?:(?:'|(?<=\d),(?=\d{3}(?!\d))|(?<=\d)\.(?=\d))[^\W_]+)*"  # don't, 2,000, 18.58
)
_MEMO_LIMIT = 200_000


class _Memo(dict[str, str]):
    """Folded forms by raw words. Bounded: emptied when full, since the words in use come back at once."""

    def __missing__(self, raw: str) -> str:
        folded = _canonical(raw)
        if len(raw) <= LONGEST:
            if len(self) >= _MEMO_LIMIT:
                self.clear()
            self[raw] = folded
        return folded


class _Stems(dict[str, str]):
    """Inflected forms by folded words, bounded likewise. The stemmer is not safe for several threads at once."""

    def __init__(self) -> None:
        super().__init__()
        self._stemmer = Stemmer.Stemmer("english", 0)
        self._lock = threading.Lock()

    def __missing__(self, folded: str) -> str:
        with self._lock:
            stem: str = self._stemmer.stemWord(folded) or folded
        if len(self) >= _MEMO_LIMIT:
            self.clear()
        self[folded] = stem
        return stem


def _canonical(raw: str) -> str:
    """The folded form of what `_WORD` found in folded text: no possessive, no points of initials, no thousands' commas."""
    word = raw[: _without_possessive(raw)]
    if "." in word and not word[0].isdigit() and _is_initials(word):
        word = word.replace(".", "")
    return word.replace(",", "")[:LONGEST]


def _without_possessive(raw: str) -> int:
    """Where the word ends without its 's, or several of them."""
    end = len(raw)
    while end > 2 and raw.endswith("'s", 0, end):
        end -= 2
    return end


def _is_initials(word: str) -> bool:
    letters = word.removesuffix(".").split(".")
    return len(letters) > 1 and all(len(letter) == 1 and letter.isalpha() for letter in letters)


_memo = _Memo()
_stems = _Stems()
_folded_of = _memo.__getitem__
inflected = _stems.__getitem__
"""The inflected form of a folded word."""


class _Chunks(dict[str, str]):
    """Folded words, joined by spaces, by what stands between white space, which no word crosses. Bounded likewise."""

    def __missing__(self, chunk: str) -> str:
        found = " ".join(map(_folded_of, _WORD.findall(fold(chunk))))
        if len(chunk) <= LONGEST:
            if len(self) >= _MEMO_LIMIT:
                self.clear()
            self[chunk] = found
        return found


_words_of = _Chunks().__getitem__


def words(text: str) -> list[str]:
    """The folded forms of the words of a text, by position."""
    return " ".join(
        map(_words_of, text.split())
    ).split()  # a third quicker than chaining what each chunk holds


@dataclass(frozen=True, slots=True)
class Place:
    """Where a word stands: `start` and `end` in code points of the text as it was given; `exact` as written."""

    folded: str
    exact: str
    start: int
    end: int


def places(text: str) -> list[Place]:
    """The words of a text with their offsets and exact forms, by position."""
    return list(Places(text))


class Places:
    """The same, each worked out when it is asked for: of an answer only the few words that matched are."""

    def __init__(self, text: str) -> None:
        self._text, self._origin = text, origins(text)
        self._found = list(_WORD.finditer(fold(text)))

    def __getitem__(self, position: int) -> Place:
        return _place(self._text, self._found[position], self._origin)

    def __iter__(self) -> Iterator[Place]:
        return (_place(self._text, found, self._origin) for found in self._found)

    def __len__(self) -> int:
        return len(self._found)


def _place(text: str, found: re.Match[str], origin: list[int] | None) -> Place:
    raw, start, end = found[0], found.start(), found.end()
    kept = _without_possessive(raw)
    raw, end = raw[:kept], start + kept
    if origin is not None:
        start, end = origin[start], past_marks(text, origin[end - 1] + 1)
    folded = _folded_of(found[0])
    return Place(folded, _exact(text[start:end], raw, folded), start, end)


def _exact(written: str, raw: str, folded: str) -> str:
    """`written` with what every form drops dropped: points of initials, thousands' commas, invisible characters."""
    if raw != folded:
        written = written.replace(",", "")
        if "." in raw and "." not in folded:
            written = written.replace(".", "")
    if written.isascii():
        return written
    kept = "".join("'" if fold(c) == "'" else c for c in written if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFC", kept)


class Part:
    """The words of one part of a document. Offsets and exact forms are worked out when first asked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = words(text)

    @cached_property
    def inflected(self) -> list[str]:
        """Inflected forms by position: with `folded`, what a full-text index holds."""
        return list(map(inflected, self.folded))

    @cached_property
    def places(self) -> Places:
        return Places(self.text)

    @cached_property
    def stems(self) -> set[str]:
        return set(map(inflected, set(self.folded)))

    @cached_property
    def joined(self) -> str:
        """The folded words, each between spaces: a phrase occurs where ` its words ` is found."""
        return f" {' '.join(self.folded)} "
