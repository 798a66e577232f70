"""Why a query holds, or does not, of one document: its tree with the answer of every branch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alerts.evaluate import holds, leaf_spans
from alerts.printer import show
from alerts.tree import And, Dates, Field, Node, Not, Or, Query, Scope, Topic
from storage.document import PARTS, Document, PartName

_PLACES_SHOWN = 20


def explain(query: Query, document: Document) -> dict[str, Any]:
    """`{"op", "text", "holds", …}`, with `children` for and, or, not, in and topic; for words `found`, their places
    (`part`, `text`, `start`, `end`; the first 20) and how `many` there are; for fields `there`, the values the document has.
    """
    return _explain(query.tree, document, PARTS)


def _explain(node: Node, document: Document, parts: Sequence[PartName]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "op": _sign(node),
        "text": show(node),
        "holds": holds(node, document, parts),
    }
    match node:
        case And(children) | Or(children):
            told["children"] = [_explain(child, document, parts) for child in children]
        case Not(child) | Topic(_, child):
            told["children"] = [_explain(child, document, parts)]
        case Scope(part, child):
            told["children"] = [_explain(child, document, (part,))]
        case Field(name, _):
            told["there"] = sorted(token for token in document.fields if token.startswith(f"{name}:"))
        case Dates(name, _, _):
            told["there"] = [day.isoformat()] if (day := document.dates.get(name)) else []
        case _:
            told |= _places(node, document, parts)
    return told


def _sign(node: Node) -> str:
    return {"Scope": "in", "Dates": "date"}.get(type(node).__name__, type(node).__name__.lower())


def _places(node: Node, document: Document, parts: Sequence[PartName]) -> dict[str, Any]:
    places = []
    for part in parts:
        words_of = document.parts[part]
        for first, after in leaf_spans(node, document, part):
            start, end = words_of.places[first].start, words_of.places[after - 1].end
            places.append({"part": part, "text": words_of.text[start:end], "start": start, "end": end})
    return {"found": places[:_PLACES_SHOWN], "many": len(places)}
