"""The text of a query as a page handles it: read, extended by a filter, freed from one. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from alerts.query import QueryError, advice, parse
from alerts.tree import Or, Query

_QUOTES = frozenset('"“”„‟＂')
_NUMBER = re.compile(r"(hl)?\d{1,7}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake in a query: what was expected, at which column (from 1; null where no place is at fault), what to try."""

    message: str
    column: int | None
    hint: str | None

    def around(self, text: str) -> tuple[str, str, str]:
        """The query up to the mistake, the character there (a sign for the end where it is missing), and the rest."""
        at = (self.column or len(text) + 1) - 1
        return text[:at], text[at : at + 1] or "▯", text[at + 1 :]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a visitor typed. Exactly one of `query` and `fault` is there, but for an empty text, which has neither."""

    text: str
    query: Query | None = None
    fault: Fault | None = None
    hints: tuple[str, ...] = ()


def read(text: str, topics: Mapping[str, Query]) -> Asked:
    """Never raises: a mistake is part of the answer."""
    text = text.strip()
    if not text:
        return Asked("")
    try:
        query = parse(text, topics)
    except QueryError as error:
        return Asked(text, fault=Fault(error.message, error.column, error.hint))
    hints = tuple(advice(text))
    if _NUMBER.fullmatch(text):
        hints = (*hints, f"to find a question by its number, write uin:{text.upper()}")
    return Asked(text, query, hints=hints)


def narrowed(asked: Asked, token: str) -> str:
    """The text of the query with one more thing that must hold. An OR goes into brackets first."""
    if not asked.text:
        return token
    is_or = asked.query is not None and isinstance(asked.query.tree, Or)
    return f"({asked.text}) {token}" if is_or else f"{asked.text} {token}"


def holds(text: str, token: str) -> bool:
    """Whether the query is narrowed by the token: it stands in it by itself, outside of brackets and quotation marks."""
    return token in [part for part, _ in _parts(text)]


def freed(text: str, token: str) -> str:
    """The query without the token."""
    return " ".join(part for part, _ in _parts(text) if part != token)


def _parts(text: str) -> list[tuple[str, int]]:
    """The stretches between spaces that stand outside of brackets and quotation marks, with where they begin."""
    parts: list[tuple[str, int]] = []
    start, depth, quoted = 0, 0, False
    for at, sign in enumerate(f"{text} "):
        if sign in _QUOTES:
            quoted = not quoted
        elif not quoted and sign in "()":
            depth += 1 if sign == "(" else -1
        elif not quoted and depth == 0 and sign.isspace():
            if at > start:
                parts.append((text[start:at], start))
            start = at + 1
    if start < len(text):  # an open bracket or quotation mark: one stretch to the end
        parts.append((text[start:], start))
    return parts


def valued(field: str, name: str) -> str:
    """`department:"Home Office"`, `house:lords`: a filter with a value as it must be written."""
    plain = "".join(sign for sign in name if sign not in _QUOTES)
    return f"{field}:{plain}" if re.fullmatch(r"[A-Za-z0-9.-]+", plain) else f'{field}:"{plain}"'
