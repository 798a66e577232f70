"""One page of Parallel Parliament in five invented mark-ups: the site's own is not known, the order of its words is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Shown:
    """What the page says. `answer`: its lines."""

    heading: str
    asked: str
    body: str
    question: str
    minister: str
    position: str
    answered: str
    answer: tuple[str, ...]
    source: str = "https://questions-statements.parliament.uk/written-questions/detail/2026-02-02/88001"


def cards(shown: Shown) -> str:
    answer = "".join(f"<p>{escape(line)}</p>\n<p>&nbsp;</p>" for line in shown.answer)
    return f"""<!doctype html><html><head><title>{escape(shown.heading)} - Parallel Parliament</title></head><body>
<nav><a href="/">Home</a> <a href="/dept">Question to a department</a></nav>
<div class="container"><div class="card"><div class="card-header"><h1>{escape(shown.heading)}</h1>
<p>(asked on {shown.asked}) - <a href="{shown.source}">View Source</a></p></div>
<div class="card-body"><p><b>Question to the {escape(shown.body)}:</b></p><p>{escape(shown.question)}</p></div></div><br><br>
<div class="card"><h5>Answered by</h5><div class="row"><a href="/mp/x" class="col-sm-2"><img src="/p.jpg" alt="{escape(shown.minister)} Portrait"></a>
<div class="col-sm-4"><h5>{escape(shown.minister)}</h5><h6>{escape(shown.position)}</h6></div></div>
<p><i>This question was answered on {shown.answered}</i></p>{answer}</div>
<div style="display:none">Reticulating Splines</div></div><footer>Contact us. Question time.</footer></body></html>"""


def layout_table(shown: Shown) -> str:
    return f"""<html><body><table border=0><tr><td colspan=3>{escape(shown.heading)}</td></tr>
<tr><td>(asked on <div>{shown.asked}</div>) - <a href="{shown.source}"><i>View</i> <i>Source</i></a></td></tr>
<tr><td>Question to the<br>{escape(shown.body)}:</td><td>{escape(shown.question)}</td></tr>
<tr><td>Answered by</td><td><img alt="{escape(shown.minister)} Portrait"></td><td>{escape(shown.minister)}<br>{escape(shown.position)}</td></tr>
<tr><td>This question was answered on {shown.answered}</td></tr><tr><td colspan=3>{"<br><br>".join(map(escape, shown.answer))}</td></tr></table>
<div>Reticulating Splines</div><div>About us</div></body></html>"""


def definitions(shown: Shown) -> str:
    answer = "".join(f"<div>{escape(line)}</div>" for line in shown.answer)
    return f"""<section><header><h2>{escape(shown.heading)} <small>(asked on {shown.asked}) - <a href="{shown.source}">View Source</a></small></h2></header>
<dl><dt>Question to the {escape(shown.body)}:</dt><dd>{escape(shown.question)}</dd>
<dt>Answered by</dt><dd><figure><img alt="{escape(shown.minister)} Portrait"><figcaption>{escape(shown.minister)}</figcaption></figure>
<span>{escape(shown.position)}</span></dd><dt>This question was answered on {shown.answered}</dt><dd>{answer}</dd></dl>
<p hidden>Reticulating Splines</p></section>"""


def line_breaks(shown: Shown) -> str:
    lines = (
        f'(asked on {shown.asked}) - <a href="{shown.source}">View Source</a>',
        f"<font>Question to the {escape(shown.body)}:</font>",
        escape(shown.question),
        "",
        "Answered by",
        f'<img alt="{escape(shown.minister)} Portrait">{escape(shown.minister)}',
        escape(shown.position),
        f"This question was answered on {shown.answered}",
        *map(escape, shown.answer),
        "<span class=loading>Reticulating Splines</span>",
    )
    return f"<html><body><div id=main><span>{escape(shown.heading)}</span><br>{'<br>'.join(lines)}</div><div>Privacy</div></body></html>"


def without_loading_text(shown: Shown) -> str:
    answer = "".join(f"<p>{escape(line)}" for line in shown.answer)
    return f"""<html><body><main><article><h3>{escape(shown.heading)}</h3><div>(asked on {shown.asked})<span> - </span><a href="{shown.source}">View Source</a></div>
<div><strong>Question to the {escape(shown.body)}: </strong>{escape(shown.question)}</div>
<div>Answered by <img alt="{escape(shown.minister)} Portrait"> <b>{escape(shown.minister)}</b> <em>{escape(shown.position)}</em></div>
<div>This question was answered on {shown.answered}.</div><blockquote>{answer}</blockquote></article><aside>Related</aside>
<div>Share this. Question time. Answered by nobody.</div></main></body></html>"""


MARK_UPS: tuple[Callable[[Shown], str], ...] = (
    cards,
    layout_table,
    definitions,
    line_breaks,
    without_loading_text,
)
