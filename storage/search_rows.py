"""What the full-text index holds of a question, made from its record alone.

Each part holds its folded words in order; inflected forms are in `storage.search_forms`. The fields of
`storage.document` are one token each, dates one for each of decade, year, month and day. What earlier versions said and
the newest does not stands marked with `EARLIER`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from importlib.metadata import version

import orjson

from storage import bodies
from storage.bodies import present_name
from storage.document import PARTS, Document, document
from storage.records import OPEN_STATES, Content, Record

LAYOUT = 1
"""Raised by hand with every change to the tokens that a record gives: here, or in analyse, fold or document."""

EARLIER, FIELD = "~", ":"
"""What stands before a token of an earlier version, and before one of a field, so that no word's prefix finds it."""

EVERY = f"{FIELD}all"
"""A token of every question."""

OVERDUE_AFTER = "overdue-after"
"""The date field of open questions: the last day on which an answer is in time."""

_SAFE = re.compile(r"(?:[a-z0-9'.:~_/#-]|[^\x00-\x7f\s])+")  # of ASCII what FTS5 is told to keep
_LONGEST_TOKEN = 400  # code points; PostgreSQL takes lexemes up to 2,046 bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a row is made of beside the content of its version, kept so that the row can be made again to be deleted."""

    keys: tuple[str, ...]  # the present one first
    pro_forma: bool = False
    ever_corrected: bool = False
    overdue_after: date | None = None
    earlier: tuple[str, ...] = ()  # tokens, sorted

    def dump(self) -> str:
        data = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}
        return orjson.dumps(data).decode()

    @classmethod
    def load(cls, text: str) -> Basis:
        data = orjson.loads(text)
        after = data.get("overdue_after")
        return cls(
            keys=tuple(data["keys"]),
            pro_forma=data.get("pro_forma", False),
            ever_corrected=data.get("ever_corrected", False),
            overdue_after=date.fromisoformat(after) if after else None,
            earlier=tuple(data.get("earlier", ())),
        )


@dataclass(frozen=True, slots=True)
class IndexRow:
    """The tokens of a question: the words of each part in order, and the fields."""

    words: tuple[list[str], ...]  # by part, as PARTS
    fields: list[str] = field(default_factory=list)

    def columns(self) -> tuple[str, str, str, str]:
        """As FTS5 takes them."""
        title, question, answer = map(" ".join, self.words)
        return title, question, answer, " ".join(self.fields)


def index_row(content: Content, made_of: Basis) -> IndexRow:
    """The row of a question whose newest version has this content."""
    doc = _document(content, made_of)
    parts = [doc.parts[name].folded for name in PARTS]
    fields = [EVERY, *field_tokens(doc), *_overdue(content, made_of)]
    fields.extend([EARLIER + token for token in made_of.earlier])
    return IndexRow(tuple(parts), fields)


def words_of(row: IndexRow, made_of: Basis) -> Iterator[Sequence[str]]:
    """The words of a row, those that only earlier versions said included. Fields have a colon, words never."""
    yield from row.words
    if made_of.earlier:
        yield [token for token in made_of.earlier if ":" not in token]


def _document(content: Content, made_of: Basis) -> Document:
    record = Record(
        key=made_of.keys[0],
        content=content,
        pro_forma=made_of.pro_forma,
        ever_corrected=made_of.ever_corrected,
        overdue_after=made_of.overdue_after,
    )
    return document(record, aliases=made_of.keys[1:])


def field_tokens(doc: Document) -> list[str]:
    """The tokens of a document's fields and dates, sorted. Of sources there are none: they come without a version."""
    found = sorted([encoded(each) for each in doc.fields])
    for name in sorted(doc.dates):
        found.extend(date_tokens(name, doc.dates[name]))
    return found


def _overdue(content: Content, made_of: Basis) -> list[str]:
    if made_of.overdue_after is None or content.state not in OPEN_STATES:
        return []
    return [f"{FIELD}{OVERDUE_AFTER}:", *date_tokens(OVERDUE_AFTER, made_of.overdue_after)]


def date_tokens(name: str, day: date) -> list[str]:
    """`:tabled:202`, `:tabled:2024`, `:tabled:2024-05`, `:tabled:2024-05-14`."""
    text = day.isoformat()
    return [f"{FIELD}{name}:{text[:length]}" for length in (3, 4, 7, 10)]


@lru_cache(maxsize=50_000)
def encoded(token: str) -> str:
    """A field's token as one that the index keeps whole. What is long or odd, such as a heading, counts by its digest."""
    plain = FIELD + token.replace(" ", "_")
    if _SAFE.fullmatch(plain) and len(plain) <= _LONGEST_TOKEN and not token.startswith("heading:"):
        return plain
    name = token.partition(":")[0]
    return (
        f"{FIELD}{name}:#{hashlib.blake2b(token.encode('utf-8', 'surrogatepass'), digest_size=9).hexdigest()}"
    )


def content_tokens(content: Content) -> set[str]:
    """Every token that says what a version said: words, and the fields that its content decides."""
    row = index_row(content, Basis(keys=("",)))
    found = {token for part in row.words for token in part}
    return found | {token for token in row.fields if token not in {EVERY, encoded("key:")}}


def department(content: Content) -> str | None:
    """The answering body as a facet shows it: by its present name."""
    return None if content.answering_body is None else present_name(content.answering_body)


def stamp() -> str:
    """Names the rules by which rows are made now. An index made by others must be made anew."""
    names = hashlib.blake2b(repr(sorted(bodies._NAMES.items())).encode(), digest_size=6).hexdigest()  # noqa: SLF001
    return f"{LAYOUT} {unicodedata.unidata_version} {_stemmer()} {names}"


@cache
def _stemmer() -> str:
    """The version of the stemmer: every search asks for it, and to read it from its files takes milliseconds."""
    return version("pystemmer")
