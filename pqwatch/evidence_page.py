"""The page of an evidence pack: one HTML file that needs nothing else. Pure; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from storage.diff import as_html, words
from storage.records import Record, Version
from storage.shape import time_to_json

_STYLE = """
body{font:17px/1.55 Georgia,serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.15rem;margin-top:2.2rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:14px/1.5 ui-monospace,monospace;background:#f4f4f2;padding:1rem}
.text{white-space:pre-wrap;overflow-wrap:anywhere}.meta{color:#555;font-size:.9rem}
del{background:#fbe3e0;color:#7a1f12}ins{background:#dff2e1;color:#12511c;text-decoration:none;border-bottom:2px solid}
@media(prefers-color-scheme:dark){body{background:#16181b;color:#e8e6e1}pre{background:#23262a}.meta{color:#aaa}
del{background:#4a211c;color:#ffd9d2}ins{background:#1d3d24;color:#d3f5d8}}
"""


def page(record: Record, citation: str) -> str:
    """The whole page: citation, then every version with the words that differ from the one before."""
    title = escape(record.content.heading or record.key)
    body = "\n".join(_sections(record.versions))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}: evidence</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{title}</h1>\n<p class=meta>{escape(record.key)}, as held by pqwatch</p>\n"
        f"<pre>{escape(citation)}</pre>\n{body}\n</body></html>\n"
    )


def _sections(versions: Sequence[Version]) -> Iterator[str]:
    before: Version | None = None
    for each in versions:
        seen = f"seen {time_to_json(each.observed_at)} at {escape(each.source)}"
        yield f"<h2>Version {each.number}: {escape(', '.join(each.kinds))}</h2>"
        yield f"<p class=meta>{seen}; response SHA-256 <code>{escape(each.page.sha256)}</code></p>"
        for name, label in (("heading", "Heading"), ("question_text", "Question"), ("answer_text", "Answer")):
            old = getattr(before.content, name) if before else None
            new = getattr(each.content, name)
            if before is None and new:
                yield f"<h3>{label}</h3><div class=text>{escape(new)}</div>"
            elif before is not None and old != new:
                yield f"<h3>{label}, changed</h3><div class=text>{as_html(words(old, new), fold=False)}</div>"
        before = each
