"""Bar charts as SVG that pygal lays out, for pages that allow no inline style or script: colours come from the style sheet.

Of pygal's drawing only shapes, texts and classes are kept. Every chart stands beside a table with the same figures, so
to a screen reader it is one image with a name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pygal
from lxml import etree
from markupsafe import Markup
from pygal.style import Style

_SVG = "http://www.w3.org/2000/svg"
_KEPT = {
    "svg": ("viewBox",),
    "g": ("class", "transform"),
    "rect": ("class", "x", "y", "width", "height"),
    "path": ("class", "d"),
    "text": ("class", "x", "y"),
}
_LABEL = 28
"""Characters of a name in a chart; the table has it whole."""

_STYLE = Style(label_font_size=12, major_label_font_size=12)


def stacked(name: str, labels: Sequence[str], series: Mapping[str, Sequence[int]]) -> Markup:
    """Upright bars, one a label, each stacked from the series (`color-0`, `color-1`, … in their order)."""
    chart = pygal.StackedBar(**_config(width=640, height=300))
    chart.x_labels = list(labels)
    for title, values in series.items():
        chart.add(title, list(values))
    return _drawn(chart, name)


def lying(name: str, values: Mapping[str, float | None], unit: str = "") -> Markup:
    """Lying bars, one a name, the first at the top."""
    chart = pygal.HorizontalBar(
        **_config(width=480, height=50 + 28 * len(values), formatter=lambda value: f"{value:g}{unit}")
    )
    rows = list(values.items())[::-1]  # pygal begins at the bottom
    chart.x_labels = [_short(title) for title, _ in rows]
    chart.add("", [None if value is None else round(value, 1) for _, value in rows])
    return _drawn(chart, name)


def _config(**more: object) -> dict[str, object]:
    return {
        "show_legend": False, "js": (), "css": (), "disable_xml_declaration": True, "no_prefix": True, "range": None,
        "margin": 8, "style": _STYLE, "print_values": False, "include_x_axis": True, "spacing": 6, "max_scale": 6,
        "formatter": lambda value: f"{value:g}", **more,
    }  # fmt: skip


def _short(name: str) -> str:
    return name if len(name) <= _LABEL else name[: _LABEL - 1].rstrip() + "…"


def _drawn(chart: pygal.Graph, name: str) -> Markup:
    """The drawing without all that a policy forbids or a reader does not need."""
    root = etree.fromstring(chart.render())
    svg = etree.Element("svg", {"class": "chart", "role": "img", "aria-label": name})
    svg.set("viewBox", root.get("viewBox", ""))
    _copy(root, svg)
    return Markup(etree.tostring(svg, encoding="unicode"))  # noqa: S704  # lxml has escaped every text and attribute


def _copy(source: etree._Element, target: etree._Element) -> None:
    for child in source:
        tag = str(child.tag).removeprefix(f"{{{_SVG}}}")
        if tag not in _KEPT:
            continue
        given = {key: child.get(key) for key in _KEPT[tag] if child.get(key)}
        made = etree.SubElement(target, tag, given)
        if tag == "text":
            made.text = "".join(child.itertext())
        _copy(child, made)
