"""How well a topic pack does on labelled questions: precision and recall, plain and weighted, with intervals. Pure.

    labelled = [read_labelled(object, ["drugs"]) for object in …]        the line of a file
    report = check("drugs", "1.0", items, hits, weights)

Counts alone give the plain figures, with Wilson's interval. A labelled set is drawn by strata, of some more than of
others; an item weighs as many questions as it stands for, and the interval of weighted figures is found by drawing the
items of each stratum again and again (bootstrap, with a fixed seed). A share of nothing is None.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from math import sqrt
from typing import Any, Literal

from alerts.errors import AlertsError
from storage.document import Document, PartName

Half = Literal["tuning", "reporting"]

DRAWS = 1_000
_Z = 1.959964  # two-sided 95 %
_SEED = 20_231_118


@dataclass(frozen=True, slots=True)
class Item:
    """A labelled question: `topics` are those that a reader gave it, `doubtful` what was hard to decide."""

    id: int | str
    topics: frozenset[str]
    stratum: str
    doubtful: bool


class LabelError(AlertsError):
    """A labelled question that cannot be read."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A labelled question with what the packs are matched against."""

    item: Item
    document: Document


def read_labelled(data: Any, topics: Sequence[str], *, headings: bool = True) -> Labelled:
    """The labelled question of a JSON object; a topic's label is the field of its name with `_` for `-`.

    `headings`: false leaves the heading out, as it is in the first days of a question. Raises LabelError.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("id"), int | str):
        raise LabelError("expected a JSON object with an id")
    labels = {topic: data.get(topic.replace("-", "_")) for topic in topics}
    for topic, label in labels.items():
        if not isinstance(label, bool):
            raise LabelError(f"{data['id']}: {topic.replace('-', '_')} must be true or false, not {label!r}")
    item = Item(
        data["id"],
        frozenset(topic for topic, label in labels.items() if label),
        str(data.get("stratum") or "none"),
        bool(data.get("doubtful")),
    )
    heading = str(data.get("heading") or "") if headings else ""
    question, answer = str(data.get("question_text") or ""), str(data.get("answer_text") or "")
    texts: dict[PartName, str] = {"title": heading, "question": question, "answer": answer}
    return Labelled(item, Document(str(item.id), texts, (), {}))


def half_of(id_: int | str) -> Half:
    """Which half an item belongs to, by its id alone: packs are changed after looking at the tuning half only."""
    return "tuning" if sha256(str(id_).encode()).digest()[0] % 2 == 0 else "reporting"


@dataclass(frozen=True, slots=True)
class Share:
    """`value` of 1, with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What a pack does on some items; `right` of its `hits` are right, of `wanted` items that belong to the topic."""

    labelled: int
    wanted: int
    hits: int
    right: int
    precision: Share | None
    recall: Share | None
    weighted_precision: Share | None
    weighted_recall: Share | None
    misses: tuple[int | str, ...]
    false_hits: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Stratum:
    """What a pack does in one stratum, doubtful items left out."""

    name: str
    labelled: int
    wanted: int
    hits: int
    false_hits: int


@dataclass(frozen=True, slots=True)
class Report:
    name: str
    version: str
    everything: Figures
    without_doubtful: Figures
    strata: tuple[Stratum, ...]


def check(
    name: str, version: str, items: Sequence[Item], hits: Collection[int | str], weights: Mapping[str, float]
) -> Report:
    """Measure a pack. `hits`: ids of the items that it matches; `weights`: how many questions an item stands for,
    by stratum; a stratum that is not there weighs 1."""
    sure = [item for item in items if not item.doubtful]
    return Report(
        name,
        version,
        _figures(name, items, hits, weights),
        _figures(name, sure, hits, weights),
        tuple(_stratum(name, each, sure, hits) for each in dict.fromkeys(item.stratum for item in items)),
    )


def weights_of(items: Iterable[Item], populations: Mapping[str, int]) -> dict[str, float]:
    """How many questions one of these items stands for, by stratum, where the size of the stratum is known."""
    counts = Counter(item.stratum for item in items)
    return {name: populations[name] / count for name, count in counts.items() if name in populations}


def _figures(
    name: str, items: Sequence[Item], hits: Collection[int | str], weights: Mapping[str, float]
) -> Figures:
    wanted = [item for item in items if name in item.topics]
    found = [item for item in items if item.id in hits]
    right = [item for item in wanted if item.id in hits]
    precision, recall = _weighted(name, items, hits, weights)
    return Figures(
        len(items),
        len(wanted),
        len(found),
        len(right),
        wilson(len(right), len(found)),
        wilson(len(right), len(wanted)),
        precision,
        recall,
        tuple(item.id for item in wanted if item.id not in hits),
        tuple(item.id for item in found if name not in item.topics),
    )


def wilson(right: int, of: int) -> Share | None:
    """The share with Wilson's interval, which holds for few items and for shares near 0 and 1."""
    if of == 0:
        return None
    share, square = right / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = _Z * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return Share(share, max(0.0, middle - reach), min(1.0, middle + reach))


_Cell = tuple[float, bool, bool]
"""Weight of an item, whether it is a hit, whether it belongs to the topic."""


def _weighted(
    name: str, items: Sequence[Item], hits: Collection[int | str], weights: Mapping[str, float]
) -> tuple[Share | None, Share | None]:
    """Weighted precision and recall."""
    strata: dict[str, list[_Cell]] = {}
    for item in items:
        cell = (weights.get(item.stratum, 1.0), item.id in hits, name in item.topics)
        strata.setdefault(item.stratum, []).append(cell)
    groups = [cells for cells in strata.values() if any(hit or wanted for _, hit, wanted in cells)]
    draw = random.Random(_SEED)  # noqa: S311  # a statistic that must come out the same each time, no secret
    drawn = [[cell for cells in groups for cell in draw.choices(cells, k=len(cells))] for _ in range(DRAWS)]
    whole = [cell for cells in groups for cell in cells]
    return _interval(_precision, whole, drawn), _interval(_recall, whole, drawn)


def _precision(cells: Iterable[_Cell]) -> float | None:
    return _ratio((weight, wanted) for weight, hit, wanted in cells if hit)


def _recall(cells: Iterable[_Cell]) -> float | None:
    return _ratio((weight, hit) for weight, hit, wanted in cells if wanted)


def _ratio(parts: Iterable[tuple[float, bool]]) -> float | None:
    right = total = 0.0
    for weight, is_right in parts:
        total += weight
        right += weight if is_right else 0.0
    return right / total if total else None


def _interval(
    measure: Callable[[Iterable[_Cell]], float | None], whole: list[_Cell], drawn: list[list[_Cell]]
) -> Share | None:
    value = measure(whole)
    if value is None:
        return None
    found = sorted(each for cells in drawn if (each := measure(cells)) is not None)
    return Share(value, found[round(0.025 * (len(found) - 1))], found[round(0.975 * (len(found) - 1))])


def _stratum(name: str, stratum: str, items: Sequence[Item], hits: Collection[int | str]) -> Stratum:
    here = [item for item in items if item.stratum == stratum]
    found = [item for item in here if item.id in hits]
    return Stratum(
        stratum,
        len(here),
        sum(name in item.topics for item in here),
        len(found),
        sum(name not in item.topics for item in found),
    )


def to_shape(report: Report) -> dict[str, Any]:
    """The JSON of one pack, as `topics check` prints it. Shares are rounded to four places, intervals beside them."""
    return {
        "name": report.name,
        "version": report.version,
        **_figures_shape(report.everything),
        "without_doubtful": _figures_shape(report.without_doubtful),
        "strata": [asdict(stratum) for stratum in report.strata],
    }


def _figures_shape(figures: Figures) -> dict[str, Any]:
    shares = {
        "precision": figures.precision,
        "recall": figures.recall,
        "weighted_precision": figures.weighted_precision,
        "weighted_recall": figures.weighted_recall,
    }
    return {
        "labelled": figures.labelled,
        "wanted": figures.wanted,
        "hits": figures.hits,
        **{name: share and round(share.value, 4) for name, share in shares.items()},
        "intervals": {
            name: share and [round(share.low, 4), round(share.high, 4)] for name, share in shares.items()
        },
        "misses": list(figures.misses),
        "false_hits": list(figures.false_hits),
    }
