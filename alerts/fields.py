"""The fields of a query: their names, the values they take, and the node each becomes."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date
from difflib import get_close_matches

from alerts.tree import Dates, Field, Node, Query, QueryError, Topic, unknown_topic
from storage.analyse import words
from storage.document import DATE_FIELDS, fold_heading, is_house
from storage.records import BadKeyError, State, parse_key

_ALIASES = {"dept": "department"}
_CHOICES = {
    "state": tuple(state.value for state in State),
    "named-day": ("yes", "no"),
    "is": ("overdue", "corrected", "pro-forma"),
    "has": ("attachment", "table"),
}
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?(?:-([0-9]{2}))?")
_DATE_FORMS = "a date such as 2024, 2024-05 or 2024-05-14, or a range such as 2020.. or 2020-01..2024-06"


def field_node(name: str, value: str, column: int, at: int, topics: Mapping[str, Query]) -> Node:
    """The node of `name:value`. `column` is where the name stands, `at` where the value does. Raises QueryError."""
    name = _ALIASES.get(name, name)
    if name == "topic":
        return _topic(value, at, topics)
    if name in DATE_FIELDS:
        return _dates(name, value, at)
    if name in _CHOICES:
        return Field(name, _choice(name, value, at))
    if name not in _VALUES:
        raise _unknown(name, column)
    return Field(name, _VALUES[name](value, at))


def _unknown(name: str, column: int) -> QueryError:
    known = sorted({*_VALUES, *_CHOICES, *_ALIASES, *DATE_FIELDS, "question", "answer", "title", "topic"})
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}:?" if near else "a text with a colon goes between quotation marks"
    return QueryError(f"there is no field {name}:, expected one of {', '.join(known)}", column, hint)


def _topic(value: str, at: int, topics: Mapping[str, Query]) -> Topic:
    name = value.lower()
    if name not in topics:
        raise QueryError(unknown_topic(name, topics), at)
    return Topic(name, topics[name].tree)


def _choice(name: str, value: str, at: int) -> str:
    chosen = value.strip().lower()
    if chosen not in _CHOICES[name]:
        raise QueryError(f"expected {name}: to be one of {', '.join(_CHOICES[name])}", at)
    return chosen


def _name(value: str, at: int) -> str:
    if "*" in value:
        raise QueryError("a star cannot stand in a field", at + value.index("*"))
    found = words(value)
    if not found:
        raise QueryError("expected a word here: there is no letter or digit", at)
    return " ".join(found)


def _house(value: str, at: int) -> str:
    name = _name(value, at)
    if not is_house(name):
        raise QueryError("expected house: to be commons, lords or scotland", at)
    return name


def _key(value: str, at: int) -> str:
    try:
        return parse_key(value)
    except BadKeyError as error:
        raise QueryError(str(error), at) from error


def _heading(value: str, at: int) -> str:
    folded = fold_heading(value)
    if not folded:
        raise QueryError("expected a heading here", at)
    return folded


_VALUES: dict[str, Callable[[str, int], str]] = {
    "department": _name,
    "asker": _name,
    "minister": _name,
    "party": _name,
    "source": _name,
    "uin": _name,
    "house": _house,
    "key": _key,
    "heading": _heading,
}


def _dates(name: str, value: str, at: int) -> Dates:
    before, dots, after = value.partition("..")
    if not dots:
        return Dates(name, *_span(value, at))
    first = _span(before, at)[0] if before else None
    last = _span(after, at + len(before) + 2)[1] if after else None
    if first is None and last is None:
        raise QueryError(f"expected {_DATE_FORMS}", at)
    if first is not None and last is not None and first > last:
        raise QueryError(f"the range ends before it begins: {first} is after {last}", at)
    return Dates(name, first, last)


def _span(text: str, at: int) -> tuple[date, date]:
    """The first and the last day that the text stands for."""
    found = _DATE.fullmatch(text)
    if found is None:
        raise QueryError(f"expected {_DATE_FORMS}", at)
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
        last = date(first.year, month or 12, day or monthrange(first.year, month or 12)[1])
    except ValueError as error:
        raise QueryError(f"there is no such day: {text}", at) from error
    return first, last
