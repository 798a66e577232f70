"""From the text of a query to its tree.

    parse(text) -> Query              raises QueryError with the column and what was expected there
    advice(text) -> list of hints     for a query that reads well but may not mean what was meant

The language is told in docs/queries.md, its grammar is `query.lark`, its tree `tree.py`, its printer `printer.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, UnexpectedInput
from lark.exceptions import UnexpectedToken

from alerts.build import Builder, Built
from alerts.tree import And, Dates, Field, Node, Not, Or, Query, QueryError, Scope, Topic, from_json, to_json

__all__ = ["Limits", "Query", "QueryError", "advice", "from_json", "parse", "to_json"]


@dataclass(frozen=True, slots=True)
class Limits:
    characters: int = 2_000
    terms: int = 200
    depth: int = 20


_BARE_OPERATOR = re.compile(r"(?<![^\s()])(or|and|not|near/\d+)(?![^\s()])", re.IGNORECASE)
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")  # as bytes of an argument that are not UTF-8 are given to us
_OPERATORS = {"OR", "AND", "NOT", "MINUS", "NEAR"}


@cache
def _grammar() -> str:
    return files("alerts").joinpath("query.lark").read_text(encoding="utf-8")


@cache
def _parser_without_topics() -> Lark:
    return _parser({})


def _parser(topics: Mapping[str, Query]) -> Lark:
    return Lark(_grammar(), parser="lalr", lexer="contextual", transformer=Builder(topics))


def parse(text: str, topics: Mapping[str, Query] | None = None, limits: Limits | None = None) -> Query:
    """Read a query. `topics` are the packs by name that `topic:NAME` may name.

    Raises QueryError: for a mistake with its column (code points from 1; at the end, the length plus one), for a query
    over the limits or one that can match everything without.
    """
    limits = Limits() if limits is None else limits
    if len(text) > limits.characters:
        raise QueryError(f"longer than {limits.characters:,} characters")
    if wrong := _NO_TEXT.search(text):
        raise QueryError("expected text, and this character cannot be stored as such", wrong.start() + 1)
    try:
        built: Built = _read(text, topics)
    except UnexpectedInput as error:
        raise _explain(text, error) from None
    if built.terms > limits.terms:
        raise QueryError(f"more than {limits.terms} terms")
    if built.depth > limits.depth:
        raise QueryError(f"brackets and NOTs more than {limits.depth} deep")
    if _holds_for_nothing(built.node):
        raise QueryError(
            "this can match everything: it needs a word, a phrase or a field that is not under a NOT"
        )
    return Query(built.node, text)


def _read(text: str, topics: Mapping[str, Query] | None) -> Built:
    parser = _with_topics(topics) if topics else _parser_without_topics()
    built: Any = parser.parse(text)
    return built  # type: ignore[no-any-return]  # the builder answers in place of lark's Tree


_latest: list[tuple[Mapping[str, Query], Lark]] = []


def _with_topics(topics: Mapping[str, Query]) -> Lark:
    """The parser for these packs. Making one takes tens of milliseconds, and there is one set of packs a process."""
    if not _latest or _latest[0][0] is not topics:
        _latest[:] = [(topics, _parser(topics))]
    return _latest[0][1]


def _holds_for_nothing(node: Node) -> bool:
    """Whether the query holds where no word and no field of it is there: then it can match everything."""
    match node:
        case And(children):
            return all(map(_holds_for_nothing, children))
        case Or(children):
            return any(map(_holds_for_nothing, children))
        case Not(child):
            return not _holds_for_nothing(child)
        case Scope(_, child) | Topic(_, child):
            return _holds_for_nothing(child)
        case Dates(_, None, None) | Field(_, ""):
            return True
        case _:
            return False


def advice(text: str) -> list[str]:
    """What a person may have meant otherwise: operators that were not written in capitals are plain words."""
    found = {match[1] for match in _BARE_OPERATOR.finditer(_outside_quotes(text)) if not match[1].isupper()}
    return [f"did you mean {word.upper()} in capitals?" for word in sorted(found)]


def _outside_quotes(text: str) -> str:
    return re.sub('["“”„‟＂][^"“”„‟＂]*["“”„‟＂]', lambda quoted: " " * len(quoted[0]), text)


def _explain(text: str, error: UnexpectedInput) -> QueryError:
    found = _mistake(text, error)
    hints = advice(text)
    return QueryError(found.message, found.column, hints[0]) if hints and found.hint is None else found


def _mistake(text: str, error: UnexpectedInput) -> QueryError:
    end = len(text) + 1
    if not isinstance(error, UnexpectedToken):
        opened = getattr(error, "pos_in_stream", 0) + 1
        return QueryError(f"expected a closing quotation mark (for the one at column {opened})", end)
    at_end = error.token.type == "$END"
    column = end if at_end else (error.token.start_pos or 0) + 1
    before = _before(error)
    if before is not None and before.type == "FIELD":
        hint = f"write {before}a OR {before}b" if error.token.type == "LPAR" else None
        return QueryError(f"expected a value after {before}", column, hint)
    if before is not None and before.type == "SCOPE":
        return QueryError(f"expected a word, a phrase or a bracket after {before}", column)
    if before is not None:
        return QueryError(f"expected a word after {before}", column)
    return _misplaced(error, column, at_end)


def _misplaced(error: UnexpectedToken, column: int, at_end: bool) -> QueryError:
    """What to say where the mistake is not the missing right side of something."""
    if at_end:
        opened = _open_bracket(error)
        if opened is None:
            return QueryError("expected a word", column)
        return QueryError(f"expected a closing bracket (for the one at column {opened})", column)
    if error.token.type in _OPERATORS:
        return QueryError(
            f"expected a word before {error.token}", column, f'"{error.token}" in quotation marks is a word'
        )
    if error.token.type == "RPAR":
        return QueryError("expected a word or the end: no bracket is open here", column)
    return QueryError(f"expected a word, not {str(error.token)!r}", column)


def _before(error: UnexpectedToken) -> Token | None:
    """The operator, field or opening bracket that the mistake comes right after."""
    stack = error.state.value_stack
    return stack[-1] if stack and isinstance(stack[-1], Token) else None


def _open_bracket(error: UnexpectedToken) -> int | None:
    opened = [
        value.start_pos
        for value in error.state.value_stack
        if isinstance(value, Token) and value.type == "LPAR"
    ]
    return opened[-1] + 1 if opened and opened[-1] is not None else None
