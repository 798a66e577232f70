"""What the parser calls for each rule of `query.lark`: words are analysed, fields checked, nodes built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from lark import Token, Transformer, v_args

from alerts.fields import field_node
from alerts.tree import And, Exact, Near, Node, Not, Or, Phrase, Prefix, Query, QueryError, Scope, Word
from storage.analyse import places, words
from storage.document import PartName

_COMMA = re.compile(r"[,;](?<!\d,(?=\d{3}(?!\d)))")
_DASHES = "-–—−‐‑‒"
_SIGNS = {"|": "OR", "||": "OR", "/": "OR", "&": "AND", "&&": "AND", "+": "AND", "!": "NOT"}
_NEAR = re.compile(r"near(?:/\d*|/?)", re.IGNORECASE)


class Built(NamedTuple):
    """A node with what the limits and the messages need: `column` where it begins, `field` where one stands in it."""

    node: Node
    depth: int
    terms: int
    column: int
    field: int | None = None


@v_args(inline=True)
class Builder(Transformer[Token, Any]):
    def __init__(self, topics: Mapping[str, Query]) -> None:
        super().__init__()
        self._topics = topics

    def start(self, built: Built) -> Built:
        return built

    def either(self, *items: Built | Token) -> Built:
        return _joined(Or, items)

    def both(self, *items: Built | Token) -> Built:
        return _joined(And, items)

    def near(self, left: Built, sign: Token, right: Built, *more: Built | Token) -> Built:
        if more:
            column = _column(cast("Token", more[0]))
            raise QueryError("expected AND or OR after a NEAR", column, "write (a NEAR/5 b) (b NEAR/5 c)")
        distance = int(sign[len("NEAR/") :][:9])
        if distance < 1:
            raise QueryError("expected a distance of 1 or more after NEAR/", _column(sign) + len("NEAR/"))
        for operand in (left, right):
            _check_operand(operand, sign)
        return _around(Near(left.node, right.node, distance), [left, right])

    def without(self, sign: Token, built: Built) -> Built:
        return built._replace(node=Not(built.node), depth=built.depth + 1, column=_column(sign))

    def group(self, opening: Token, built: Built, _closing: Token) -> Built:
        return built._replace(depth=built.depth + 1, column=_column(opening))

    def scope(self, name: Token, built: Built) -> Built:
        if built.field is not None:
            hint = f"write it beside {name}(…), not within"
            raise QueryError(f"no field or part can stand within {name}", built.field, hint)
        _check_touching(name, built.column)
        part = cast("PartName", name[:-1].lower())
        return built._replace(node=Scope(part, built.node), column=_column(name), field=_column(name))

    def field(self, name: Token, value: Token) -> Built:
        _check_touching(name, _column(value))
        column = _column(name)
        node = field_node(name[:-1].lower(), _unquoted(value), column, _column(value), self._topics)
        return Built(node, 0, 1, column, column)

    def value(self, value: Token) -> Token:
        return value

    def word(self, token: Token) -> Built:
        return Built(_word(str(token), _column(token)), 0, 1, _column(token))

    def phrase(self, token: Token) -> Built:
        return Built(_phrase(_unquoted(token), _column(token)), 0, 1, _column(token))


def _column(token: Token) -> int:
    return (token.start_pos or 0) + 1


def _unquoted(token: Token) -> str:
    return token[1:-1] if token.type == "PHRASE" else str(token)


def _check_touching(name: Token, column: int) -> None:
    if column != _column(name) + len(name):
        raise QueryError(
            f"expected a value right after {name}", _column(name) + len(name), "no space after a colon"
        )


def _joined(kind: type[And] | type[Or], items: tuple[Built | Token, ...]) -> Built:
    """AND or OR of several; one within another of the same kind is the same as a longer one."""
    parts = [item for item in items if isinstance(item, Built)]
    children: list[Node] = []
    for part in parts:
        children.extend(part.node.children if isinstance(part.node, kind) else (part.node,))
    return _around(kind(tuple(children)), parts)


def _around(node: Node, parts: list[Built]) -> Built:
    field = next((part.field for part in parts if part.field is not None), None)
    return Built(
        node, max(part.depth for part in parts), sum(part.terms for part in parts), parts[0].column, field
    )


def _check_operand(operand: Built, sign: Token) -> None:
    if _can_be_near(operand.node):
        return
    hint = "write NOT (a NEAR/5 b)" if isinstance(operand.node, Not) else None
    raise QueryError(
        f"expected a word, a phrase or a bracket of ORs of them beside {sign}", operand.column, hint
    )


def _can_be_near(node: Node) -> bool:
    if isinstance(node, Or):
        return all(map(_can_be_near, node.children))
    return isinstance(node, Word | Prefix | Phrase | Exact)


def _phrase(text: str, column: int) -> Node:
    """What stands between quotation marks; a star may end its last word."""
    body = text.rstrip()
    if body.endswith("*"):
        return _prefix(body[:-1], column + 1)
    if "*" in text:
        raise QueryError("a star can only end a word", column + 1 + text.index("*"))
    found = words(text)
    if not found:
        raise QueryError("expected a word between the quotation marks", column + 1)
    return Phrase(tuple(found))


def _word(text: str, column: int) -> Node:
    """What stands between spaces. More than one word (a hyphen, say) is a phrase."""
    _check_signs(text, column)
    if text.startswith("="):
        return _exact(text[1:], column + 1)
    if text.endswith("*"):
        return _prefix(text[:-1], column)
    if "*" in text:
        raise QueryError("a star can only end a word", column + text.index("*"))
    found = words(text)
    if not found:
        raise QueryError("expected a word: there is no letter or digit here", column)
    return Word(found[0]) if len(found) == 1 else Phrase(tuple(found))


def _check_signs(text: str, column: int) -> None:
    """Signs of other languages, which would be lost without a word."""
    if text in _SIGNS:
        raise QueryError("expected a word", column, f"did you mean {_SIGNS[text]}?")
    if text == "NEAR" or text.startswith("NEAR/"):
        place = column + len("NEAR/" if "/" in text else text)
        raise QueryError("expected a number after NEAR, such as NEAR/10", place)
    if _NEAR.fullmatch(text) and "/" in text:
        raise QueryError("expected NEAR in capitals", column, "did you mean NEAR/10?")
    if text[0] in _DASHES:
        raise QueryError("expected a word right after -", column + 1, "a word to leave out is written -word")
    if text[0] in "+!":
        hint = "a plus is not needed" if text[0] == "+" else "did you mean NOT?"
        raise QueryError(f"expected a word, not {text[0]}", column, hint)
    if comma := _COMMA.search(text):
        name = "comma" if comma[0] == "," else "semicolon"
        raise QueryError(f"expected a space, not a {name}", column + comma.start(), f"a {name} is not needed")


def _exact(text: str, column: int) -> Node:
    if "*" in text:
        raise QueryError("an exact word cannot have a star", column + text.index("*"))
    found = places(text)
    if not found:
        raise QueryError("expected a word after =", column)
    return Exact(tuple(place.exact for place in found))


def _prefix(text: str, column: int) -> Node:
    if "*" in text:
        raise QueryError("a star can only end a word", column + text.index("*"))
    found = words(text) if text and (text[-1].isalnum() or text[-1] in "'’") else []
    if not found or len(found[-1]) < 2:
        raise QueryError("expected a word of two letters or more before the star", column)
    if len(found) == 1:
        return Prefix(found[0])
    return Phrase(tuple(found), prefix=True)
