"""Asking the archive: `search`, `preview`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pqwatch.cli.frame import Frame, JsonOption, app, frame
from pqwatch.output import Output

if TYPE_CHECKING:
    from alerts.preview import Event, Preview
    from alerts.query import Query
    from alerts.search import SearchPage
    from storage.document import Document
    from storage.records import Record
    from storage.search import Facets
    from storage.store import Store

PANEL = "Read"
QueryArgument = Annotated[
    str, typer.Argument(metavar="QUERY", help="In the query language: docs/queries.md.")
]
_PASSAGE = 240  # characters of a result's text that are shown
_BAR = 40  # columns of the longest bar


@app.command(rich_help_panel=PANEL)
def search(
    ctx: typer.Context,
    query: QueryArgument,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Results to show.")] = 20,
    sort: Annotated[
        Literal["date", "relevance"], typer.Option(help="Newest or most relevant first.")
    ] = "date",
    after: Annotated[str | None, typer.Option(metavar="CURSOR", help="Go on after this page.")] = None,
    facets: Annotated[
        bool, typer.Option("--facets", help="Also count departments, years, states, houses.")
    ] = False,
    versions: Annotated[bool, typer.Option("--versions", help="With --json: every version of each.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Search the archive: which questions match a query."""
    from alerts import search as archive

    at = frame(ctx)
    asked, today = read_query(at, query), at.clock.today()
    with at.store() as store:
        make_index_whole(store, at.out(as_json))
        with store.read() as conn:
            page = archive.search(
                conn,
                asked,
                today=today,
                limit=limit,
                after=after,
                sort=sort,
                facets=facets,
                versions=versions,
            )
    out = at.out(as_json)
    if as_json:
        out.json(page_shape(page, versions=versions))
        return
    _print_page(out, at, asked, page)


@app.command(rich_help_panel=PANEL)
def preview(
    ctx: typer.Context,
    query: QueryArgument,
    months: Annotated[int, typer.Option(min=1, max=240, help="How far to look back.")] = 12,
    on: Annotated[str, typer.Option(metavar="KINDS", help="Kinds of event, separated by commas.")] = "",
    as_json: JsonOption = False,
) -> None:
    """What a query would have sent in the last months."""
    from alerts import preview as look_back

    at = frame(ctx)
    asked = read_query(at, query)
    kinds = look_back.kinds_named(on)
    with at.store() as store:
        make_index_whole(store, at.out(as_json))
        setup = at.wiring.setup(store)
        with store.read() as conn:
            found = look_back.preview(conn, asked, setup, now=at.now, months=months, on=kinds)
    out = at.out(as_json)
    if as_json:
        out.json(preview_shape(asked, found))
        return
    _print_preview(out, asked, found)


def read_query(at: Frame, text: str) -> Query:
    """The query as typed; what it may not mean is said on stderr. Raises QueryError."""
    from alerts.query import advice, parse

    query = parse(text, at.wiring.topics())
    for hint in advice(text):
        at.out().note(f"pqwatch: query: {hint}")
    return query


def make_index_whole(store: Store, out: Output) -> None:
    """Index what is not, after an update that changed the rules or on a database from before there was an index."""
    from storage import search_index

    with store.read() as conn:
        if search_index.is_whole(conn):
            return
    out.note("pqwatch: making the full-text index (this is done once)")

    def progress(done: int, total: int) -> None:
        if done % 10_000 < search_index.BATCH or done == total:
            out.note(f"pqwatch: {done:,} of {total:,} questions indexed")

    search_index.reindex(store, progress)


def page_shape(page: SearchPage, *, versions: bool = False) -> dict[str, Any]:
    """`{"total", "about", "items", "next"}`, with `facets` where they were asked for."""
    from alerts.packs import topics_of
    from storage.shape import to_shape

    shape: dict[str, Any] = {
        "total": page.total,
        "about": page.about,
        "items": [
            to_shape(item.record, versions=versions, topics=topics_of(item.record)) for item in page.items
        ],
        "next": page.next,
    }
    if page.facets is not None:
        shape["facets"] = facets_shape(page.facets)
    return shape


def facets_shape(facets: Facets) -> dict[str, Any]:
    """Each facet as a list of `{"value", "hits"}`; `of` is how many of the newest hits were counted."""
    years = sorted(facets.year.items(), reverse=True)
    return {
        "of": facets.of,
        "department": _values(facets.department.most_common()),
        "year": _values(years),
        "state": _values(facets.state.most_common()),
        "house": _values(facets.house.most_common()),
    }


def _values(counted: Sequence[tuple[object, int]]) -> list[dict[str, Any]]:
    return [{"value": value, "hits": hits} for value, hits in counted]


def preview_shape(query: Query, found: Preview) -> dict[str, Any]:
    """The `preview` shape of the interface."""
    from alerts.packs import topics_of
    from storage.shape import to_shape

    samples = [
        {
            **to_shape(each.record, topics=topics_of(each.record)),
            "event": f"v{each.record.number}",
            "kind": each.kind,
            "day": each.day,
            "matched": matched_shape(query, each.document),
        }
        for each in found.samples
    ]
    return {
        "query": query.text,
        "since": found.since,
        "months": [{"month": month, "hits": hits} for month, hits in found.months],
        "messages_a_week": found.messages_a_week,
        "samples": samples,
        "words": [{"word": each.word, "hits": each.hits, "only": each.only} for each in found.words],
        "savings": [{"add": each.text, "hits": each.hits} for each in found.suggestions],
    }


def matched_shape(query: Query, document: Document) -> list[dict[str, Any]]:
    """`[{"part", "text", "start", "end"}]`."""
    from alerts.matcher import matched

    return [
        {"part": each.part, "text": each.text, "start": each.start, "end": each.end}
        for each in matched(query, document)
    ]


def _print_page(out: Output, at: Frame, query: Query, page: SearchPage) -> None:
    from storage.document import document

    about = "about " if page.about else ""
    out.line(f"{about}{page.total:,} question{'' if page.total == 1 else 's'}")
    for item in page.items:
        _print_result(out, query, item.record, document(item.record, today=at.clock.today()))
    if page.facets is not None:
        _print_facets(out, page.facets)
    if page.next is not None:
        out.line(f"\nmore: --after {page.next}")


def _print_result(out: Output, query: Query, record: Record, read: Document, said: str | None = None) -> None:
    content = record.content
    day = content.answered_on or content.holding_on or content.tabled_on
    body = content.answering_body.name if content.answering_body else None
    facts = [said or str(record.state), str(day or ""), body, record.key]
    out.line(f"\n{content.heading or '(no heading yet)'}")
    out.line(f"  {' · '.join(fact for fact in facts if fact)}")
    passage = _passage(query, read)
    if passage:
        out.line(f"  {passage}")


def _passage(query: Query, read: Document) -> str:
    """The text around the first matched words of question and answer, marked with asterisks."""
    from alerts.compose.passages import pieces
    from alerts.matcher import matched

    found = [each for each in matched(query, read) if each.part != "title"]
    part = found[0].part if found else "question"
    spans = [(each.start, each.end) for each in found if each.part == part][:3]
    cut = pieces(read.parts[part].text, spans, _PASSAGE)
    text = "".join(f"*{piece.text}*" if piece.marked else piece.text for piece in cut)
    return " ".join(text.split())


def _print_facets(out: Output, facets: Facets) -> None:
    counted: list[tuple[str, list[tuple[object, int]]]] = [
        ("department", [*facets.department.most_common(8)]),
        ("year", [*sorted(facets.year.items(), reverse=True)[:8]]),
        ("state", [*facets.state.most_common()]),
        ("house", [*facets.house.most_common()]),
    ]
    out.line(f"\nof the newest {facets.of:,}:")
    rows = [(name, ", ".join(f"{value} {hits:,}" for value, hits in values)) for name, values in counted]
    out.table(("", ""), rows)


def _print_preview(out: Output, query: Query, found: Preview) -> None:
    out.line(f"{found.hits:,} hits since {found.since}; about {found.messages_a_week:g} messages a week\n")
    most = max((hits for _, hits in found.months), default=0) or 1
    out.table(
        ("month", "hits", ""),
        [(month, hits, "▇" * round(_BAR * hits / most)) for month, hits in found.months],
    )
    if found.words:
        out.line("\nwhat brings the hits (only: those that would go without it)")
        out.table(("word", "hits", "only"), [(each.word, each.hits, each.only) for each in found.words])
    if found.suggestions:
        out.line("\nwhat a NOT would save")
        out.table(("add", "hits less"), [(each.text, each.hits) for each in found.suggestions])
    if found.samples:
        out.line("\nsamples")
    for each in found.samples:
        _print_sample(out, query, each)


def _print_sample(out: Output, query: Query, event: Event) -> None:
    _print_result(out, query, event.record, event.document, said=f"{event.kind} {event.day}")
