"""Where records of the archive are now whose file was replaced when the archive was compacted.

Beside the place of a replaced file stands `<file>.moved`: its first line names the file in its stead, the others give the
old and the new offset of each record that was kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MOVED = ".moved"


@dataclass(frozen=True, slots=True)
class Moves:
    """What became of one file; offsets that are not in `offsets` were not kept."""

    file: str
    offsets: dict[int, int]


def note_of(path: Path) -> Path:
    """Where the note about a file stands."""
    return path.with_name(f"{path.name}{MOVED}")


def encoded(moves: Moves) -> bytes:
    """The content of the note."""
    return "\n".join([moves.file, *_pairs(moves.offsets.items()), ""]).encode()


def _pairs(offsets: Iterable[tuple[int, int]]) -> list[str]:
    return [f"{before} {after}" for before, after in offsets]


def read(path: Path) -> Moves | None:
    """The note about the file at `path`, where there is one."""
    try:
        file, *lines = note_of(path).read_text().splitlines()
    except (OSError, ValueError):
        return None
    return Moves(
        file, {int(before): int(after) for before, _, after in (line.partition(" ") for line in lines)}
    )


def moved_to(folder: Path, name: str, offset: int) -> tuple[str, int]:
    """Where the record is now that was written at `offset` of the file `name`: there, unless the file was replaced."""
    path = folder / name
    if path.exists() or not path.resolve().is_relative_to(folder.resolve()):
        return name, offset
    moves = read(path)
    if moves is None or offset not in moves.offsets:
        return name, offset
    return moved_to(folder, moves.file, moves.offsets[offset])
