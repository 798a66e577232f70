"""What a query is matched against: the words of a record's three parts, and its fields as tokens beside them.

A field is one token, `department:home office`, or for names one for each run of words inside the name, so that asking
whether a field holds is asking whether a token is there. No word holds a colon, so the two never meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property, lru_cache
from typing import Literal

from storage.analyse import Part, words
from storage.bodies import names_of
from storage.fold import fold
from storage.records import Body, Content, House, Record

PartName = Literal["title", "question", "answer"]
PARTS: tuple[PartName, ...] = ("title", "question", "answer")
"""In the order in which matches are listed."""


DATE_FIELDS = ("tabled", "answered", "corrected")

_HOUSE_NAMES = {
    House.COMMONS: ("House of Commons",),
    House.LORDS: ("House of Lords",),
    House.SCOTLAND: ("Scottish Parliament", "Scotland"),
}
_BREAK = "\n"
_QUOTES = str.maketrans("", "", '"“”„‟«»＂')


def fold_heading(heading: str) -> str:
    """A heading as `heading:` compares it: without regard to capitals, accents, quotation marks and runs of spaces."""
    return " ".join(fold(heading).translate(_QUOTES).split())


@lru_cache(maxsize=20_000)
def _runs(field: str, name: str) -> frozenset[str]:
    """A token for each run of words inside the name. Names longer than 16 words count by their first 16."""
    inside = words(name)[:16]
    ends = range(1, len(inside) + 1)
    return frozenset(f"{field}:{' '.join(inside[start:end])}" for end in ends for start in range(end))


def field_token(field: str, value: str) -> str:
    """The token that says that the field has the value. For names, `value` may be a part of the name."""
    return f"{field}:{' '.join(words(value))}"


def is_house(value: str) -> bool:
    """Whether `house:value` can be true of any document."""
    token = field_token("house", value)
    return any(token in _runs("house", name) for names in _HOUSE_NAMES.values() for name in names)


class Document:
    """One question, or feed item, as the matcher and the index see it. Holds no reference to the record."""

    def __init__(
        self, key: str, texts: Mapping[PartName, str], fields: Iterable[str], dates: Mapping[str, date]
    ) -> None:
        self.key = key
        self.parts: dict[PartName, Part] = {name: Part(texts.get(name, "")) for name in PARTS}
        self.fields = frozenset(fields)
        self.dates = dates

    @cached_property
    def tokens(self) -> set[str]:
        """Inflected words of all parts, and the fields."""
        found: set[str] = set(self.fields)
        for part in self.parts.values():
            found |= part.stems
        return found

    @cached_property
    def sequence(self) -> list[str]:
        """The folded words of all parts in order, with a break between parts that no phrase crosses."""
        title, question, answer = (self.parts[name].folded for name in PARTS)
        return [*title, _BREAK, *question, _BREAK, *answer]

    @cached_property
    def forms(self) -> set[str]:
        """The folded words of all parts, each once."""
        return set(self.sequence)

    @cached_property
    def joined(self) -> str:
        """As `Part.joined`, over all parts: a phrase occurs in one of them where ` its words ` is found."""
        return _BREAK.join(self.parts[name].joined for name in PARTS)


def document(record: Record, *, today: date | None = None, aliases: Iterable[str] = ()) -> Document:
    """The document of a record. `today` (London) decides `is:overdue`: without it nothing is overdue.

    `aliases` are the former keys of the question, where they are known; `key:` finds those too.
    """
    content = record.content
    texts: dict[PartName, str] = {
        "title": content.heading or "",
        "question": content.question_text or "",
        "answer": content.answer_text or "",
    }
    fields = {*_names(content), *_facts(record, today), f"key:{record.key}"}
    fields.update(f"key:{alias}" for alias in aliases)
    for sighting in record.sources:
        fields |= _runs("source", sighting.source)
    return Document(record.key, texts, fields, _dates(content))


def _names(content: Content) -> set[str]:
    found: set[str] = set()
    if content.answering_body is not None:
        found |= _department(content.answering_body)
    if content.house is not None:
        for name in _HOUSE_NAMES[content.house]:
            found |= _runs("house", name)
    if content.asking_member is not None:
        found |= _runs("asker", content.asking_member.name)
        found |= _runs("party", content.asking_member.party or "")
    if content.answering_member is not None:
        found |= _runs("minister", content.answering_member.name)
    return found


@lru_cache(maxsize=2_000)
def _department(body: Body) -> frozenset[str]:
    return frozenset().union(*(_runs("department", name) for name in names_of(body)))


def _facts(record: Record, today: date | None) -> set[str]:
    content = record.content
    found = {f"named-day:{'yes' if content.named_day else 'no'}"}
    if not record.stateless:
        found.add(f"state:{record.state}")
    if content.heading is not None:
        found.add(f"heading:{fold_heading(content.heading)}")
    if content.uin is not None:
        found.add(field_token("uin", content.uin))
    found.update(f"{name}:" for name in _dates(content))
    marks = {
        "is:overdue": today is not None and record.is_overdue(today),
        "is:corrected": record.ever_corrected or content.corrected_on is not None,
        "is:pro-forma": record.pro_forma,
        "has:attachment": bool(content.attachments),
        "has:table": "<table" in (content.answer_html or "") or "\t" in (content.answer_text or ""),
    }
    return found | {mark for mark, holds in marks.items() if holds}


def _dates(content: Content) -> dict[str, date]:
    known = {
        "tabled": content.tabled_on,
        "answered": content.answered_on,
        "corrected": content.corrected_on,
    }
    return {name: day for name, day in known.items() if day is not None}
