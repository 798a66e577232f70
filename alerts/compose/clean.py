"""Hostile text made fit to be shown: in a header, in a page, in a terminal. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Controls (an escape sequence among them), marks that turn the direction of text, invisible ones, lone surrogates."""


def shown(text: str) -> str:
    """The text without what could act on the one who reads it; line ends and tabs stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _HIDDEN.sub("", text)


def one_line(text: str, longest: int = 200) -> str:
    """For headers and titles: one line, cut at a word with an ellipsis."""
    line = " ".join(shown(text[: 4 * longest + 100]).split())
    if len(line) <= longest:
        return line
    cut = line[: longest - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[longest // 2 :] else cut).rstrip(" ,;:") + "…"


def safe_link(url: str | None) -> str | None:
    """The address if it may stand behind a link: http, https or mailto, without controls or spaces."""
    if not url or _HIDDEN.search(url) or any(c.isspace() for c in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme == "mailto" or (parts.scheme in ("http", "https") and parts.netloc):
        return url
    return None
