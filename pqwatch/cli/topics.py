"""The topic packs: `topics list`, `topics show`, `topics check`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqwatch.cli.frame import JsonOption, app, frame
from pqwatch.output import Output
from storage.records import PqwatchError

if TYPE_CHECKING:
    from alerts.packcheck import Figures, Labelled, Report, Share
    from alerts.packs import Pack

PANEL = "Read"
STRATA = "strata.json"
topics = typer.Typer(
    no_args_is_help=True, help="The topic packs: what `topic:NAME` stands for, and how good it is."
)
app.add_typer(topics, name="topics", rich_help_panel=PANEL)


class LabelledFileError(PqwatchError):
    """A file of labelled questions, or the strata beside it, that cannot be read."""


class Half(StrEnum):
    TUNING = "tuning"
    REPORTING = "reporting"


@topics.command("list")
def list_(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """The topic packs that are installed."""
    from alerts.packs import all_packs

    out = frame(ctx).out(as_json)
    items = [
        {"name": pack.name, "title": pack.title, "version": pack.version, "sections": len(pack.sections)}
        for pack in all_packs()
    ]
    if as_json:
        out.json({"total": len(items), "items": items})
    else:
        out.table(("name", "title", "version", "sections"), [tuple(item.values()) for item in items])


@topics.command()
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As in `topic:NAME`.")],
    as_json: JsonOption = False,
) -> None:
    """What a pack means: its sections as queries, its sources and its changes."""
    from alerts.packs import pack_named

    pack = pack_named(name)
    out = frame(ctx).out(as_json)
    if as_json:
        out.json(_pack_shape(pack))
    else:
        _print_pack(out, pack)


def _pack_shape(pack: Pack) -> dict[str, Any]:
    from alerts.printer import show as spelled

    return {
        "name": pack.name,
        "title": pack.title,
        "version": pack.version,
        "meaning": pack.meaning,
        "sections": [
            {"name": section.name, "meaning": section.meaning, "query": spelled(section.tree)}
            for section in pack.sections
        ],
        "sources": list(pack.sources),
        "changes": [
            {"version": change.version, "on": change.on, "what": change.what} for change in pack.changes
        ],
    }


def _print_pack(out: Output, pack: Pack) -> None:
    from alerts.printer import show as spelled

    out.line(f"{pack.title} (topic:{pack.name}), version {pack.version}")
    out.line(pack.meaning)
    for section in pack.sections:
        out.line(f"\n{section.name}: {section.meaning}")
        out.line(f"  {spelled(section.tree)}")
    out.line("\nSources")
    for source in pack.sources:
        out.line(f"  {source}")
    out.line("\nChanges")
    for change in pack.changes:
        out.line(f"  {change.version} ({change.on}): {change.what}")


@topics.command()
def check(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Labelled questions as JSON Lines, also .gz; strata.json beside it."
        ),
    ],
    half: Annotated[
        Half | None, typer.Option("--half", help="Only the half, by id, that packs are tuned or reported on.")
    ] = None,
    without_headings: Annotated[
        bool, typer.Option("--without-headings", help="As questions are in their first days.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Precision and recall of the packs on labelled questions, with every miss and false hit."""
    from alerts.packcheck import half_of, to_shape

    labelled = [
        each
        for each in _labelled(file, headings=not without_headings)
        if half is None or half_of(each.item.id) == half.value
    ]
    if not labelled:
        raise LabelledFileError(f"{file}: there is no labelled question to check")
    reports = _reports(labelled, _populations(file.parent / STRATA))
    out = frame(ctx).out(as_json)
    if as_json:
        out.json({"packs": [to_shape(report) for report in reports]})
        return
    for report in reports:
        _print_report(out, report, {each.item.id: each for each in labelled})


def _labelled(file: Path, *, headings: bool) -> list[Labelled]:
    """The labelled questions of a file. Raises LabelledFileError naming the line."""
    import orjson

    from alerts.batch import open_lines
    from alerts.packcheck import read_labelled
    from alerts.packs import packs

    names, found = list(packs()), []
    with open_lines(file) as lines:
        for number, line in enumerate(lines, 1):
            try:
                if line.strip():
                    found.append(read_labelled(orjson.loads(line), names, headings=headings))
            except (orjson.JSONDecodeError, PqwatchError) as error:
                raise LabelledFileError(f"{file}: line {number}: {error}") from error
    return found


def _populations(file: Path) -> dict[str, int]:
    """How many questions each stratum stands for; empty where the file is not there. Raises LabelledFileError."""
    import orjson

    try:
        data = orjson.loads(file.read_bytes())
        return {str(name): int(stratum["population"]) for name, stratum in data.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise LabelledFileError(f"{file}: {error!r}") from error


def _reports(labelled: Sequence[Labelled], populations: Mapping[str, int]) -> list[Report]:
    from alerts.packcheck import check as measured
    from alerts.packcheck import weights_of
    from alerts.packs import all_packs, topics_in

    hits = {each.item.id: topics_in(each.document) for each in labelled}
    items = [each.item for each in labelled]
    weights = weights_of(items, populations)
    return [
        measured(
            pack.name,
            pack.version,
            items,
            {id_ for id_, found in hits.items() if pack.name in found},
            weights,
        )
        for pack in all_packs()
    ]


def _print_report(out: Output, report: Report, labelled: Mapping[int | str, Labelled]) -> None:
    out.line(f"topic:{report.name}, version {report.version}")
    columns = ("", "items", "wanted", "hits", "precision", "recall", "weighted precision", "weighted recall")
    rows = [("without doubtful", report.without_doubtful), ("all", report.everything)]
    out.table(columns, [(name, *_figures(figures)) for name, figures in rows])
    out.line("\nStrata, without doubtful")
    out.table(
        ("stratum", "items", "wanted", "hits", "false hits"),
        [(each.name, each.labelled, each.wanted, each.hits, each.false_hits) for each in report.strata],
    )
    _print_items(out, "Misses", report.everything.misses, labelled)
    _print_items(out, "False hits", report.everything.false_hits, labelled)
    out.line()


def _figures(figures: Figures) -> tuple[object, ...]:
    shares = (figures.precision, figures.recall, figures.weighted_precision, figures.weighted_recall)
    return figures.labelled, figures.wanted, figures.hits, *map(_share, shares)


def _share(share: Share | None) -> str | None:
    return None if share is None else f"{share.value:.3f} ({share.low:.2f}-{share.high:.2f})"


def _print_items(
    out: Output, title: str, ids: Sequence[int | str], labelled: Mapping[int | str, Labelled]
) -> None:
    """One line an item: its id, whether it was doubtful, what was asked."""
    out.line(f"\n{title}: {len(ids) or 'none'}")
    for id_ in ids:
        each = labelled[id_]
        asked = " ".join(each.document.parts["question"].text.split())
        out.line(f"  {id_}{' (doubtful)' if each.item.doubtful else ''} {each.item.stratum}: {asked[:160]}")
