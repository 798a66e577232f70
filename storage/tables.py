"""Changes inside tables of a clean text, where cells are parted by tabs and rows by new lines, named by row and column. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from storage.align import Block, align

Row = tuple[str, ...]
Table = list[Row]


@dataclass(frozen=True, slots=True)
class CellChange:
    """One cell that changed, came or went. Numbers count from 1, in the table in which the cell stands (the old one when it went).

    `row_name` is the first cell of its row, `column_name` the header of its column; null where there is none.
    """

    table: int
    row: int
    column: int
    row_name: str | None
    column_name: str | None
    op: Literal["delete", "insert", "replace"]
    before: str | None
    after: str | None

    def __str__(self) -> str:
        row = f"row “{self.row_name}”" if self.row_name else f"row {self.row}"
        column = f"column “{self.column_name}”" if self.column_name else f"column {self.column}"
        return f"{row}, {column}: {self.before or '(nothing)'} → {self.after or '(nothing)'}"


def tables(before: str | None, after: str | None) -> list[CellChange]:
    """The cells that differ between the tables of two texts; the first table is compared with the first, and so on."""
    old, new = list(_tables(before or "")), list(_tables(after or ""))
    count = max(len(old), len(new))
    old += [[]] * (count - len(old))
    new += [[]] * (count - len(new))
    return [change for n in range(count) for change in _compare(n + 1, old[n], new[n])]


def _tables(text: str) -> Iterator[Table]:
    table: Table = []
    for line in [*text.split("\n"), ""]:
        if "\t" in line:
            table.append(tuple(" ".join(cell.split()) for cell in line.split("\t")))
        elif table:
            yield table
            table = []


def _compare(number: int, old: Table, new: Table) -> Iterator[CellChange]:
    headers, columns = (_header(old), _header(new)), _columns(old, new)
    for i, j in _pairs(old, new):
        before, after = (old[i] if i is not None else ()), (new[j] if j is not None else ())
        for a, b in columns(before, after):
            was, now = (before[a] if a is not None else ""), (after[b] if b is not None else "")
            if was != now:
                row, column, header = (j, b, headers[1]) if now else (i, a, headers[0])
                yield CellChange(
                    table=number,
                    row=(row or 0) + 1,
                    column=(column or 0) + 1,
                    row_name=(after or before)[0] or None,
                    column_name=_at(header, column or 0),
                    op="insert" if not was else "delete" if not now else "replace",
                    before=was or None,
                    after=now or None,
                )


def _at(header: Row | None, column: int) -> str | None:
    return header[column] or None if header and column < len(header) else None


def _header(table: Table) -> Row | None:
    """The first row, if it looks like names: letters, no figures but years, and figures in the rows below."""
    if len(table) < 2:
        return None
    names = [cell for cell in table[0] if cell]
    if not any(re.search(r"[^\W\d_]", cell) or _is_year(cell) for cell in names):
        return None
    if any(re.fullmatch(r"[\W\d]+", cell) and not _is_year(cell) for cell in names):
        return None
    below = [cell for row in table[1:] for cell in row[1:]]
    return table[0] if any(re.search(r"\d", cell) for cell in below) or len(names) > 1 else None


def _is_year(cell: str) -> bool:
    return re.fullmatch(r"(?:19|20)\d\d(?:\s?[-–/]\s?(?:\d\d){1,2})?", cell) is not None


def _pairs(old: Table, new: Table) -> Iterator[tuple[int | None, int | None]]:
    """Which old row became which new one: equal rows first, then by the first cell, then by place."""
    for i, k, j, m in _gaps(align(old, new), len(old), len(new)):
        named: list[Block] = align([row[0] for row in old[i:k]], [row[0] for row in new[j:m]])
        for a, b, c, d in _gaps([(i + x, j + y, size) for x, y, size in named], k, m, i, j, keep=True):
            for step in range(max(b - a, d - c)):
                yield (a + step if a + step < b else None), (c + step if c + step < d else None)


def _gaps(
    blocks: list[Block], old_end: int, new_end: int, i: int = 0, j: int = 0, *, keep: bool = False
) -> Iterator[tuple[int, int, int, int]]:
    """What lies between the blocks, as (old from, old to, new from, new to); with `keep` the blocks too, row by row."""
    for a, b, size in [*blocks, (old_end, new_end, 0)]:
        if i < a or j < b:
            yield i, a, j, b
        if keep:
            for step in range(size):
                yield a + step, a + step + 1, b + step, b + step + 1
        i, j = a + size, b + size


class _columns:  # noqa: N801  # called like a function, once a row
    """Pairs the columns of two rows: by the names in the headers where both tables have them, else by place."""

    def __init__(self, old: Table, new: Table) -> None:
        names = [_header(table) for table in (old, new)]
        self.blocks = (
            align(names[0], names[1]) if names[0] and names[1] and len(names[0]) != len(names[1]) else None
        )
        self.widths = (len(names[0] or ()), len(names[1] or ()))

    def __call__(self, before: Row, after: Row) -> Iterator[tuple[int | None, int | None]]:
        if self.blocks is None or (len(before), len(after)) != self.widths:
            for at in range(max(len(before), len(after))):
                yield (at if at < len(before) else None), (at if at < len(after) else None)
            return
        for a, b, c, d in _gaps(self.blocks, *self.widths, keep=True):
            for step in range(max(b - a, d - c)):
                yield (a + step if a + step < b else None), (c + step if c + step < d else None)
