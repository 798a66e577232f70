"""The passages that show why something matched: windows around the matched words, or the beginning. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.compose.clean import shown
from alerts.compose.letter import Piece

Span = tuple[int, int]

_AROUND = 240  # characters kept on either side of a match


def pieces(text: str, spans: Sequence[Span], longest: int) -> tuple[Piece, ...]:
    """The text whole if it is short enough, else windows around the spans, else its beginning.

    `spans` are offsets in code points, in order; overlapping ones count as one. At most about `longest` characters.
    """
    spans = _merge(spans)
    if len(text) <= longest:
        return _cut(text, (0, len(text)), spans)
    windows = _windows(text, spans, longest) or [(0, _word_end(text, longest))]
    result: list[Piece] = []
    for window in windows:
        if window[0] > 0:
            result.append(Piece("… "))
        result.extend(_cut(text, window, spans))
    if windows[-1][1] < len(text):
        result.append(Piece(" …"))
    return tuple(result)


def _merge(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _windows(text: str, spans: Sequence[Span], longest: int) -> list[Span]:
    windows: list[Span] = []
    used = 0
    for start, end in spans:
        if windows and end <= windows[-1][1]:
            continue
        window = (_word_start(text, start - _AROUND), _word_end(text, min(end, start + longest) + _AROUND))
        used += window[1] - window[0]
        if windows and used > longest:
            break
        if windows and window[0] <= windows[-1][1]:
            window = (windows.pop()[0], window[1])
        windows.append(window)
    return windows


def _cut(text: str, window: Span, spans: Sequence[Span]) -> tuple[Piece, ...]:
    result: list[Piece] = []
    at, last = window
    for start, end in spans:
        if end <= at or start >= last:
            continue
        start, end = max(start, at), min(end, last)
        result.extend((Piece(shown(text[at:start])), Piece(shown(text[start:end]), marked=True)))
        at = end
    result.append(Piece(shown(text[at:last])))
    return tuple(piece for piece in result if piece.text)


def _word_start(text: str, at: int) -> int:
    if at <= 0:
        return 0
    space = text.find(" ", at, at + 40)
    return at if space < 0 else space + 1


def _word_end(text: str, at: int) -> int:
    if at >= len(text):
        return len(text)
    space = text.rfind(" ", max(0, at - 40), at)
    return at if space < 0 else space
