"""Reading what is held: `show`, `diff`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqwatch.cli.frame import Frame, JsonOption, app, as_typed, frame
from pqwatch.output import Output, local
from storage.records import PqwatchError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.diff import FieldChange
    from storage.exported import Exported
    from storage.records import Member, Record, Version

PANEL = "Read"


class NotHeldError(PqwatchError):
    """A question, or a version of one, that is not held."""


def held(at: Frame, key: str) -> Record:
    """The question with all its versions. Raises NotHeldError, BadKeyError."""
    from storage import questions

    with at.store() as store, store.read() as conn:
        record = questions.find(conn, key, versions=True)
    if record is None:
        raise NotHeldError(f"{key} is not held here")
    return record


@app.command(rich_help_panel=PANEL)
def show(
    ctx: typer.Context, key: Annotated[str, typer.Argument(metavar="KEY")], as_json: JsonOption = False
) -> None:
    """The life of one question, every version."""
    from alerts.packs import topics_of
    from storage.shape import to_shape

    at = frame(ctx)
    record, out = held(at, key), at.out(as_json)
    topics = topics_of(record)
    if as_json:
        out.json(to_shape(record, versions=True, topics=topics))
        return
    _print_question(out, at, record, topics)


def _print_question(out: Output, at: Frame, record: Record, topics: Sequence[str]) -> None:
    content = record.content
    out.line(content.heading or "(no heading yet)")
    overdue = f", overdue since {record.overdue_after}" if record.is_overdue(at.clock.today()) else ""
    out.line(f"{record.key}  {record.state}{overdue}{'  (provisional)' if record.provisional else ''}")
    facts = [
        ("asked by", _person(content.asking_member)),
        ("answering body", content.answering_body.name if content.answering_body else None),
        ("tabled", content.tabled_on),
        ("due", f"{content.due_on} (named day)" if content.named_day else content.due_on),
        ("holding answer", content.holding_on),
        ("answered", content.answered_on),
        ("corrected", content.corrected_on),
        ("answered by", _person(content.answering_member)),
        ("grouped with", ", ".join(content.grouped_with) or None),
        ("topics", ", ".join(topics) or None),
        ("mentions", ", ".join(record.mentions) or None),
        ("mentioned by", ", ".join(record.mentioned_by) or None),
    ]
    out.table(("", ""), [(name, value) for name, value in facts if value is not None])
    for title, text in (("Question", content.question_text), ("Answer", content.answer_text)):
        if text:
            out.line(
                f"\n{title}{' (stock answer)' if title == 'Answer' and record.pro_forma else ''}\n{text}"
            )
    for attachment in content.attachments:
        out.line(f"Attachment: {attachment.title} {attachment.url}")
    _print_history(out, at, record)


def _print_history(out: Output, at: Frame, record: Record) -> None:
    zone = at.settings.timezone
    out.line("\nSeen at")
    for seen in record.sources:
        out.line(
            f"  {seen.source}: {seen.url} ({local(seen.first_seen, zone)} to {local(seen.last_seen, zone)})"
        )
        if seen.extras:
            out.line(f"    {', '.join(f'{name} {value}' for name, value in sorted(seen.extras.items()))}")
    for differs in record.discrepancies:
        out.line(
            f"  {differs.source} differs in {differs.field}: here {differs.here!r}, there {differs.there!r}"
        )
    out.line("\nVersions")
    rows = [
        (v.number, ", ".join(v.kinds), local(v.observed_at, zone), v.source, ", ".join(v.changed), _remark(v))
        for v in record.versions
    ]
    out.table(("no.", "what happened", "observed", "source", "changed", ""), rows)


def _remark(version: Version) -> str:
    flags = (("backfilled", version.backfilled), ("reconstructed", version.reconstructed))
    return ", ".join(name for name, is_set in flags if is_set)


def _person(member: Member | None) -> str | None:
    if member is None:
        return None
    about = ", ".join(part for part in (member.party, member.member_for, member.position) if part)
    return f"{member.name} ({about})" if about else member.name


@app.command(rich_help_panel=PANEL)
def diff(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY")],
    first: Annotated[int | None, typer.Argument(metavar="FROM", min=1)] = None,
    last: Annotated[int | None, typer.Argument(metavar="TO", min=1)] = None,
    as_json: JsonOption = False,
) -> None:
    """Words removed and added between two versions; without FROM and TO between the last two."""
    from storage.diff import fields

    at = frame(ctx)
    record, out = held(at, key), at.out(as_json)
    after = _version(record, last if last is not None else len(record.versions))
    before = _version(record, first if first is not None else max(1, after.number - 1))
    changes = fields(before.content, after.content)
    if as_json:
        items = [{"field": c.field, "op": c.op, "before": c.before, "after": c.after} for c in changes]
        out.json({"key": record.key, "from": before.number, "to": after.number, "changes": items})
        return
    out.line(f"{record.key}: version {before.number} → {after.number} ({', '.join(after.kinds)})")
    if all(change.op == "equal" for change in changes):
        out.line("no words differ")
        return
    for name in dict.fromkeys(change.field for change in changes):
        _print_field(out, name, [change for change in changes if change.field == name])


def _version(record: Record, number: int) -> Version:
    for version in record.versions:
        if version.number == number:
            return version
    raise NotHeldError(f"{record.key} has versions 1 to {len(record.versions)}, not {number}")


def _print_field(out: Output, name: str, changes: list[FieldChange]) -> None:
    """[-removed-]{+added+}, in colour on a terminal."""
    from rich.text import Text

    from pqwatch.output import harmless
    from storage.diff import Op, as_text

    marked = as_text([Op(change.op, change.before, change.after) for change in changes])
    text = Text(f"{name}: {harmless(marked)}")
    text.highlight_regex(r"(?s)\[-.*?-\]", "red strike")
    text.highlight_regex(r"(?s)\{\+.*?\+\}", "green bold")
    out.rich(text)


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


@app.command(rich_help_panel=PANEL)
def export(
    ctx: typer.Context,
    query: Annotated[
        str | None, typer.Argument(metavar="[QUERY]", help="What to export; without it everything held.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="jsonl: one `show` shape a line.")] = Format.JSONL,
    out: Annotated[
        str, typer.Option(metavar="FILE|-", help="A file, which appears when it is whole, or - for stdout.")
    ] = "-",
    versions: Annotated[bool, typer.Option("--versions", help="Every version of each question.")] = False,
    since_last: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only what is new since the last export of this name.")
    ] = None,
) -> None:
    """What a query finds, or everything held, newest first, in a stream."""
    from alerts.held_topics import topics_held
    from alerts.packs import topics_of
    from pqwatch import export as exports
    from storage.exported import Exported

    at = frame(ctx)
    target = None if out == "-" else Path(out)
    last = Exported(since_last) if since_last is not None else None
    with at.store() as store:
        with store.read() as conn:
            records = _wanted(at, conn, query, versions, last)
            topics = topics_of if query or last else topics_held(conn, today=at.clock.today())
            count = exports.export(records, form.value, target, versions=versions, topics=topics, now=at.now)
        if last is not None:
            with store.write() as conn:
                last.remember(conn)
    if target is not None:
        at.out().note(f"{count} questions in {target}")


def _wanted(
    at: Frame, conn: Connection, query: str | None, versions: bool, last: Exported | None
) -> Iterator[Record]:
    """The questions that a query finds, or all of them; of these what is new since the last export."""
    from storage import questions

    if query is None:
        new = last.is_new() if last is not None else None
        found = questions.iterate(conn, new, versions=versions)
    else:
        found = _found(at, conn, query, versions)
    return last.fresh(conn, found) if last is not None else found


def _found(at: Frame, conn: Connection, query: str, versions: bool) -> Iterator[Record]:
    from alerts import search
    from alerts.query import parse

    with as_typed():
        read = parse(query, at.wiring.topics())
    return search.iterate(conn, read, today=at.clock.today(), versions=versions)
