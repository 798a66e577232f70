"""What changed between two texts or two versions: words removed and added, as text, as HTML, and cell by cell in tables. Pure.

A change of white space alone is none: the two sides of an `equal` op may differ in it. Joined over all ops, `before` gives the old
text and `after` the new one, character by character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from typing import Literal

from storage.align import Block, align
from storage.records import Attachment, Body, Content, Member
from storage.tables import CellChange, tables

__all__ = ["CellChange", "FieldChange", "Op", "as_html", "as_text", "fields", "tables", "words"]

Kind = Literal["equal", "delete", "insert", "replace"]

FOLD = 12
"""Words of an unchanged stretch that are shown beside a change; more of it is folded away."""
SCRAP = 12
"""Characters of an unchanged stretch between two larger changes that is not worth showing as unchanged."""
_LONG = 8_000  # words on both sides together; from there lines are compared before words
_UNIT = re.compile(r"(?:\d(?:[\d.,]*\d)?|[^\W_]+(?:['’\-][^\W_]+)*|[^\w\s]|_)\s*|\s+")


@dataclass(frozen=True, slots=True)
class Op:
    """A stretch that is the same, gone, new, or replaced. `before` is null for an insert, `after` for a delete."""

    op: Kind
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """An op in one field of a version; what is not text (dates, people, lists) changes as a whole or entry by entry."""

    field: str
    op: Kind
    before: str | None
    after: str | None


def words(before: str | None, after: str | None) -> list[Op]:
    """The ops that turn one text into the other, word by word. Null is no text."""
    old, new = _UNIT.findall(before or ""), _UNIT.findall(after or "")
    old_keys, new_keys = [unit.strip() for unit in old], [unit.strip() for unit in new]
    if len(old) + len(new) > _LONG:
        blocks = _by_lines(old, new, old_keys, new_keys)
    else:
        blocks = align(old_keys, new_keys)
    return _tidy([op for op in _ops(old, new, blocks) if op.before or op.after])


def fields(before: Content, after: Content) -> list[FieldChange]:
    """What differs between two versions, field by field; texts with their unchanged stretches, so that they can be read.

    `answer_html` is named only where nothing but its mark-up changed, and then as `equal`.
    """
    changes = [
        FieldChange(name, op.op, op.before, op.after)
        for name in ("heading", "question_text", "answer_text")
        if getattr(before, name) != getattr(after, name)
        for op in words(getattr(before, name), getattr(after, name))
    ]
    if before.answer_text == after.answer_text and before.answer_html != after.answer_html:
        changes.append(FieldChange("answer_html", "equal", before.answer_html, after.answer_html))
    for name in _WHOLE:
        changes += _whole(name, _shown(getattr(before, name)), _shown(getattr(after, name)))
    for name in ("grouped_with", "attachments", "links"):
        changes += _entries(name, getattr(before, name), getattr(after, name))
    return changes


def as_text(ops: Sequence[Op], fold: bool = True) -> str:
    """`seizures of [-heroin-]{+cocaine+} rose`; long unchanged stretches shrink to ` […] `."""
    return "".join(_as_text(op) for op in (_folded(ops) if fold else ops))


def as_html(ops: Sequence[Op], fold: bool = True) -> str:
    """The same with `del` and `ins`; the texts are escaped, new lines are `br`, the end of a cell is a bar, folded stretches `<span class="fold">…</span>`."""
    return "".join(_as_html(op) for op in (_folded(ops) if fold else ops))


# --- words


def _by_lines(old: list[str], new: list[str], old_keys: list[str], new_keys: list[str]) -> list[Block]:
    """Blocks of a long text: equal lines first, then words in what lies between them."""
    old_lines, new_lines = _lines(old, old_keys), _lines(new, new_keys)
    old_at, new_at = ([0, *accumulate(map(len, lines))] for lines in (old_lines, new_lines))
    marks = [*align(old_lines, new_lines), (len(old_lines), len(new_lines), 0)]
    blocks, i, j = [], 0, 0
    for line, other, count in marks:
        inner = align(old_keys[old_at[i] : old_at[line]], new_keys[new_at[j] : new_at[other]])
        blocks += [(old_at[i] + a, new_at[j] + b, size) for a, b, size in inner]
        i, j = line + count, other + count
        if count:
            blocks.append((old_at[line], new_at[other], old_at[i] - old_at[line]))
    return blocks


def _lines(units: list[str], keys: list[str]) -> list[tuple[str, ...]]:
    lines, start = [], 0
    for at, unit in enumerate(units, 1):
        if "\n" in unit or at == len(units):
            lines.append(tuple(keys[start:at]))
            start = at
    return lines


def _ops(old: list[str], new: list[str], blocks: list[Block]) -> Iterator[Op]:
    i = j = 0
    for a, b, size in [*blocks, (len(old), len(new), 0)]:
        yield _op("".join(old[i:a]), "".join(new[j:b]))
        i, j = a + size, b + size
        yield Op("equal", "".join(old[a:i]), "".join(new[b:j]))


def _op(before: str, after: str) -> Op:
    if not before.strip() and not after.strip():
        return Op("equal", before, after)
    if not before:
        return Op("insert", None, after)
    return Op("replace", before, after) if after else Op("delete", before, None)


def _tidy(ops: list[Op]) -> list[Op]:
    """A word or two left between two larger changes say nothing: they become part of one change. Equal neighbours are joined."""
    tidy: list[Op] = []
    for at, op in enumerate(ops):
        if tidy and ((tidy[-1].op == "equal") == (op.op == "equal") or _is_scrap(ops, at)):
            tidy[-1] = _merged(tidy[-1], op)
        else:
            tidy.append(op)
    return tidy


def _is_scrap(ops: list[Op], at: int) -> bool:
    op = ops[at]
    if op.op != "equal" or not 0 < at < len(ops) - 1 or "\n" in (op.after or ""):
        return False
    return _size(op) <= min(_size(ops[at - 1]), _size(ops[at + 1]), SCRAP)


def _size(op: Op) -> int:
    return max(len(op.before or ""), len(op.after or ""))


def _merged(one: Op, other: Op) -> Op:
    before, after = (one.before or "") + (other.before or ""), (one.after or "") + (other.after or "")
    return Op("equal", before, after) if one.op == other.op == "equal" else _op(before, after)


# --- fields

_WHOLE = (
    "answering_body", "asking_member", "answering_member", "tabled_on", "due_on", "answered_on", "holding_on", "corrected_on",
    "named_day", "declared_interest", "withdrawn", "lapsed", "house", "uin",
)  # fmt: skip


def _shown(value: object) -> str | None:
    if isinstance(value, Body | Member):
        return value.name
    if isinstance(value, Attachment):
        return f"{value.title} ({value.url})"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)


def _whole(name: str, before: str | None, after: str | None) -> list[FieldChange]:
    if before == after:
        return []
    op: Kind = "insert" if before is None else "delete" if after is None else "replace"
    return [FieldChange(name, op, before, after)]


def _entries(name: str, before: tuple[object, ...], after: tuple[object, ...]) -> list[FieldChange]:
    gone = [FieldChange(name, "delete", _shown(each), None) for each in before if each not in after]
    return gone + [FieldChange(name, "insert", None, _shown(each)) for each in after if each not in before]


# --- showing


@dataclass(frozen=True, slots=True)
class _Fold:
    """Stands for an unchanged stretch that is not shown."""


def _folded(ops: Sequence[Op]) -> Iterator[Op | _Fold]:
    for at, op in enumerate(ops):
        units = _UNIT.findall(op.after or "") if op.op == "equal" else []
        head, tail = (FOLD if at else 0), (FOLD if at < len(ops) - 1 else 0)
        if len(units) <= head + tail + FOLD:
            yield op
            continue
        yield from _piece(units[:head])
        yield _Fold()
        yield from _piece(units[len(units) - tail :])


def _piece(units: list[str]) -> Iterator[Op]:
    if units:
        yield Op("equal", "".join(units), "".join(units))


def _shared_end(op: Op) -> str:
    """White space at the end of both sides of a replacement, which needs no mark."""
    before, after = (text[len(text.rstrip()) :] for text in (op.before or "", op.after or ""))
    return before if before == after else ""


def _as_text(op: Op | _Fold) -> str:
    if isinstance(op, _Fold):
        return " […] "
    if op.op == "equal":
        return op.after or ""
    end = _shared_end(op)
    gone, new = (text.removesuffix(end) if text else "" for text in (op.before, op.after))
    return (f"[-{gone}-]" if gone else "") + (f"{{+{new}+}}" if new else "") + end


def _as_html(op: Op | _Fold) -> str:
    if isinstance(op, _Fold):
        return ' <span class="fold">…</span> '
    if op.op == "equal":
        return _safe(op.after or "")
    end = _shared_end(op)
    gone, new = (_safe(text.removesuffix(end)) if text else "" for text in (op.before, op.after))
    return (f"<del>{gone}</del>" if gone else "") + (f"<ins>{new}</ins>" if new else "") + _safe(end)


def _safe(text: str) -> str:
    """Escaped; between two cells a bar, since HTML shows a tab as a mere space."""
    return escape(text).replace("\n", "<br>\n").replace("\t", " | ")
