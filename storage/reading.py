"""Takes the fields of a foreign JSON object by name and type: what is absent or null is empty, what is of another type is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from storage.records import House, State
from storage.store import StorageError

E = TypeVar("E", House, State)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Reader:
    """A JSON object. Each method takes one field, and raises StorageError that names it and its value."""

    def __init__(self, data: Any) -> None:
        if not isinstance(data, Mapping):
            raise StorageError(f"document: expected a JSON object, not {short(data)}")
        self._data = data

    def text(self, name: str) -> str | None:
        return self._typed(name, str, "a text") or None

    def name(self, name: str) -> str:
        return self.text(name) or ""

    def whole(self, name: str) -> int | None:
        value: int | None = self._typed(name, int, "a whole number")
        if isinstance(value, bool):  # which Python counts among the whole numbers
            raise self._wrong(name, "a whole number")
        return value

    def flag(self, name: str) -> bool:
        return bool(self._typed(name, bool, "true or false"))

    def day(self, name: str) -> date | None:
        what = "a date such as 2024-11-05"
        value = self._typed(name, str, what)
        if not value:
            return None
        if not _DATE.fullmatch(value):
            raise self._wrong(name, what)
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise self._wrong(name, what) from error

    def moment(self, name: str) -> datetime:
        """A time in UTC; where there is none, the first that there is."""
        what = "a time such as 2024-11-07T00:08:10Z"
        given = self._typed(name, str, what)
        if not given:
            return datetime.min.replace(tzinfo=UTC)
        try:
            value = datetime.fromisoformat(given)
            if value.tzinfo is None:
                raise self._wrong(name, what)
            return value.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self._wrong(name, what) from error

    def choice(self, name: str, kind: type[E]) -> E | None:
        value = self.text(name)
        try:
            return kind(value) if value else None
        except ValueError as error:
            raise self._wrong(name, f"one of {', '.join(kind)}") from error

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._typed(name, list, "a list of texts") or []
        if not all(isinstance(value, str) for value in values):
            raise self._wrong(name, "a list of texts")
        return tuple(values)

    def told(self, name: str) -> dict[str, str | int]:
        values = self._typed(name, Mapping, "an object") or {}
        if not all(isinstance(value, str | int) for value in values.values()):
            raise self._wrong(name, "an object of texts and whole numbers")
        return dict(values)

    def rows(self, name: str) -> list[Any]:
        return self._typed(name, list, "a list of objects") or []

    def table(self, name: str) -> Reader | None:
        value = self._data.get(name)
        return None if value is None else Reader(self._typed(name, Mapping, "an object"))

    def _typed(self, name: str, kind: type, what: str) -> Any:
        value = self._data.get(name)
        if value is not None and not isinstance(value, kind):
            raise self._wrong(name, what)
        return value

    def _wrong(self, name: str, what: str) -> StorageError:
        return StorageError(f"document: {name!r} must be {what}, not {short(self._data.get(name))}")


def short(value: Any) -> str:
    """A value in at most 60 characters, for a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
