"""Reads JSON so that every field is accounted for: what is missing, null or of another type is an error, what is left over is drift."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

import orjson

from scraper.clean import decode
from scraper.source import UnreadableError

T = TypeVar("T")

_NAMES: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    type(None): "null",
    float: "a number",
}


def load_json(body: bytes) -> Any:
    """The document. Bytes that are no UTF-8 are read as windows-1252. Raises UnreadableError for anything but JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _load_leniently(body, error.pos)


def _load_leniently(body: bytes, position: int) -> Any:
    try:
        return json.loads(decode(body), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        start = body[:60].decode("utf-8", "replace")
        raise UnreadableError(f"the page is no JSON (at character {position}); it begins {start!r}") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


class Fields:
    """The fields of one JSON object; each may be taken once. `where` names the object in messages."""

    __slots__ = ("_left", "where")

    def __init__(self, value: object, where: str) -> None:
        if type(value) is not dict:
            raise UnreadableError(f"{where} is {_name(value)}, not an object")
        self._left: dict[str, Any] = dict(value)
        self.where = where

    def take(self, name: str, kind: type[T]) -> T:
        """A field that is always there and never null. Raises UnreadableError."""
        value = self._pop(name)
        if type(value) is not kind:
            raise UnreadableError(f"{self.where}: {name} is {_name(value)}, expected {_NAMES[kind]}")
        return value

    def opt(self, name: str, kind: type[T]) -> T | None:
        """A field that is always there and may be null. Raises UnreadableError."""
        value = self._pop(name)
        if value is None or type(value) is kind:
            return value
        raise UnreadableError(f"{self.where}: {name} is {_name(value)}, expected {_NAMES[kind]} or null")

    def _pop(self, name: str) -> Any:
        try:
            return self._left.pop(name)
        except KeyError:
            raise UnreadableError(f"{self.where}: {name} is missing") from None

    def leftovers(self) -> tuple[str, ...]:
        """Names that nobody took, sorted: fields that are new to us."""
        return tuple(sorted(map(str, self._left))) if self._left else ()


def _name(value: object) -> str:
    return _NAMES.get(type(value), type(value).__name__)
