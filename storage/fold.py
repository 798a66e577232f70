"""Characters as they are compared: capitals, accents and compatibility forms folded, offsets kept.

Folding goes character by character, so that every character of the result has one origin in the text. Compatibility
forms (NFKD) are taken where they only change how a letter looks (ﬁ, fullwidth forms, subscripts). Superscripts,
fractions and circled forms begin a word of their own: `seizures¹` must still be found by *seizures*.
Combining marks and invisible characters (soft hyphen, bidi marks, zero-width characters) vanish.
"""

from __future__ import annotations

import re
import unicodedata

_APOSTROPHES = "\u2018\u2019\u201b\u02bc\u2032\u00b4\uff07"
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i"} | dict.fromkeys(_APOSTROPHES, "'"))
_APART = ("<super>", "<fraction>", "<circle>", "<square>")
_INVISIBLE = frozenset({"Mn", "Me", "Cf"})
_MARKS = frozenset({"Mn", "Me"})
_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_TABLE_LIMIT = 20_000


class _Folds(dict[str, str]):
    """What a non-ASCII character becomes; filled as characters are met."""

    def __missing__(self, char: str) -> str:
        if len(self) >= _TABLE_LIMIT:
            self.clear()
        folded = self[char] = _fold_char(char)
        return folded


def _fold_char(char: str) -> str:
    if char in _APOSTROPHES:  # before NFKD, which makes a space of some
        return "'"
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold()).casefold()
    folded = "".join(c for c in folded if unicodedata.category(c) not in _INVISIBLE).translate(_PLAIN).lower()
    return f" {folded}" if unicodedata.decomposition(char).startswith(_APART) else folded


_folds = _Folds()


def _fold_run(match: re.Match[str]) -> str:
    return "".join([_folds[char] for char in match[0]])


def fold(text: str) -> str:
    """The text as it is compared. Its length may differ: see `origins`."""
    if text.isascii():
        return text.lower()
    return _NON_ASCII.sub(_fold_run, text).lower()


def origins(text: str) -> list[int] | None:
    """For each character of `fold(text)`, and for its end, the offset in `text`; None where they are the same."""
    if text.isascii():
        return None
    lengths = [1 if char.isascii() else len(_folds[char]) for char in text]
    if all(length == 1 for length in lengths):
        return None
    found = [index for index, length in enumerate(lengths) for _ in range(length)]
    found.append(len(text))
    return found


def past_marks(text: str, end: int) -> int:
    """`end` moved behind the combining marks that belong to the character before it."""
    while end < len(text) and unicodedata.category(text[end]) in _MARKS:
        end += 1
    return end
