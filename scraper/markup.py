"""Writes answer HTML in one canonical form, and its text beside it. Pure; knows nothing of where the mark-up came from.

The canonical form is a tree that every parser reads back unchanged: p, lists and tables hold blocks or text, inline
tags hold text alone, and nothing else exists. So cleaning twice is cleaning once, and the text of the HTML is the text.
"""

from __future__ import annotations

from html import escape
from unicodedata import normalize

INLINE = frozenset({"strong", "b", "em", "i", "sub", "sup", "a"})
BLOCK = frozenset({"p", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"})

_CELLS = frozenset({"td", "th"})
_LISTS = frozenset({"ul", "ol"})
_SECTIONS = frozenset({"thead", "tbody"})
_IN_TABLE = frozenset({"table", "thead", "tbody"})
_FLOW = frozenset({"li", "td", "th"})  # hold text and blocks alike; the root holds blocks only


class Open:
    """A block that is open in the output. `implied`: the source did not write it, so what follows may end it."""

    __slots__ = ("implied", "tag")

    def __init__(self, tag: str, implied: bool) -> None:
        self.tag = tag
        self.implied = implied


class Writer:
    """Takes the events of a document in order (`start`, `end`, `text`, `line_break`, `boundary`); `result` ends it.

    Text must come free of control and zero-width characters; its white space is kept in the HTML and made one space
    in the text.
    """

    def __init__(self) -> None:
        self._html: list[str] = []
        self._blocks: list[Open] = []
        self._wanted: list[tuple[str, str]] = []  # inline tags the source has open: name, opening tag
        self._inline: list[tuple[str, str]] = []  # those of them that the output has open
        self._lines: list[str] = []
        self._line: list[str] = []
        self._row: list[str] = []
        self._depth = 0  # of cells within cells
        self._dirty = False  # text stands directly in a list item or cell since its last block
        self._parted = False  # a boundary came after that text
        self._last_text = ""
        self._text_end = -1  # length of the output after it

    # Events

    def start(self, tag: str, attributes: str = "") -> Open:
        """Opens a block; `attributes` is ready to print, with its leading space. What is returned ends it."""
        self._make_place_for(tag)
        return self._push(tag, attributes)

    def end(self, block: Open) -> None:
        """Ends a block, and all within it. One that was ended by what came after it is left alone."""
        if block in self._blocks:
            while self._pop() is not block:
                pass

    def start_inline(self, tag: str, attributes: str = "") -> bool:
        """Opens an inline tag; false where it may not stand (a link within a link) and so must not be ended."""
        if tag == "a" and any(name == "a" for name, _ in self._wanted):
            return False
        self._wanted.append((tag, f"<{tag}{attributes}>"))
        return True

    def end_inline(self) -> None:
        self._wanted.pop()

    def text(self, text: str) -> None:
        blank = text.isspace()
        if not text or (blank and not self._takes_text()):
            return
        if not blank:
            self._make_place_for("text")
            if self._parted:
                self._print_break()
            self._dirty = True
        self._print_inline()
        self._line.append(text)
        if not text[0].isascii() and self._text_end == len(self._html):
            text = normalize(
                "NFC", self._last_text + text
            )  # a combining mark, parted from its letter by a tag
            self._html.pop()
        self._html.append(escape(text, quote=False))
        self._last_text = text
        self._text_end = len(self._html)

    def line_break(self) -> None:
        if self._takes_text():
            self._print_inline()
            self._print_break()
        else:
            self.boundary()

    def boundary(self) -> None:
        """The edge of a block that is not kept (div, h2 …): what follows stands apart."""
        while self._blocks and (self._blocks[-1].implied or self._blocks[-1].tag == "p"):
            self._pop()
        self._parted = self._parted or self._dirty

    def result(self) -> tuple[str, str]:
        """Text and HTML. The writer is spent after that."""
        while self._blocks:
            self._pop()
        return "\n".join(self._lines), "".join(self._html)

    # Places

    def _takes_text(self) -> bool:
        return bool(self._blocks) and (self._blocks[-1].tag == "p" or self._blocks[-1].tag in _FLOW)

    def _make_place_for(self, tag: str) -> None:
        if tag == "li":
            self._close_to(_LISTS, "ul", walls=_CELLS)
        elif tag in _SECTIONS:
            self._close_to(frozenset({"table"}), "table", walls=frozenset())
        elif tag == "tr":
            self._close_to(_IN_TABLE, "table", walls=frozenset())
        elif tag in _CELLS:
            self._close_to(frozenset({"tr"}), "tr", walls=_IN_TABLE)
        else:
            self._make_place_for_flow(tag)

    def _close_to(self, holders: frozenset[str], missing: str, *, walls: frozenset[str]) -> None:
        """Leaves a holder on top: the nearest open one inside the walls, or a new one that is implied."""
        for index in range(len(self._blocks) - 1, -1, -1):
            if self._blocks[index].tag in holders:
                while len(self._blocks) > index + 1:
                    self._pop()
                return
            if self._blocks[index].tag in walls:
                break
        self._make_place_for(missing)
        self._push(missing, "", implied=True)

    def _make_place_for_flow(self, tag: str) -> None:
        if self._blocks and self._blocks[-1].tag == "p":
            if tag == "text":
                return
            self._pop()
        while self._blocks and self._blocks[-1].implied and self._blocks[-1].tag not in _FLOW:
            self._pop()
        holder = self._blocks[-1].tag if self._blocks else None
        if holder in _FLOW:
            return
        if holder in _LISTS:
            self._push("li", "", implied=True)
        elif holder is not None:
            self._make_place_for("td")
            self._push("td", "", implied=True)
        elif tag == "text":
            self._push("p", "", implied=True)

    # Output

    def _push(self, tag: str, attributes: str, *, implied: bool = False) -> Open:
        self._close_inline()
        self._edge()
        if tag in _CELLS:
            self._depth += 1
        elif tag == "table" and not self._depth:
            self._end_line()
        self._html.append(f"<{tag}{attributes}>")
        block = Open(tag, implied)
        self._blocks.append(block)
        return block

    def _pop(self) -> Open:
        self._close_inline()
        block = self._blocks.pop()
        if block.tag in _CELLS and self._depth == 1:
            self._row.append(" ".join("".join(self._line).split()))
            self._line.clear()
        self._edge()
        if block.tag in _CELLS:
            self._depth -= 1
        elif block.tag == "tr" and not self._depth:
            self._end_row()
        self._html.append(f"</{block.tag}>")
        return block

    def _edge(self) -> None:
        """The edge of a block: a new line, or a space inside a cell."""
        self._dirty = self._parted = False
        if self._depth:
            self._line.append(" ")
        else:
            self._end_line()

    def _end_line(self) -> None:
        if self._line:
            line = " ".join("".join(self._line).split())
            self._line.clear()
            if line:
                self._lines.append(line)

    def _end_row(self) -> None:
        row = "\t".join(self._row).rstrip()
        self._row.clear()
        if row:
            self._lines.append(row)

    def _print_break(self) -> None:
        self._html.append("<br>")
        self._dirty = self._parted = False
        if self._depth:
            self._line.append(" ")
        else:
            self._end_line()

    def _print_inline(self) -> None:
        if self._inline == self._wanted:
            return
        same = 0
        while same < min(len(self._inline), len(self._wanted)) and self._inline[same] is self._wanted[same]:
            same += 1
        while len(self._inline) > same:
            self._html.append(f"</{self._inline.pop()[0]}>")
        for tag in self._wanted[same:]:
            self._html.append(tag[1])
            self._inline.append(tag)

    def _close_inline(self) -> None:
        while self._inline:
            self._html.append(f"</{self._inline.pop()[0]}>")
