"""The status as Prometheus' text format, version 0.0.4. Pure.

Its form: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pqwatch.status import Status

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


def text(status: Status) -> str:
    """Every gauge, each with its meaning."""
    sources = [each for each in status.sources if each.enabled]
    parts = (
        _gauge("pqwatch_up", "1: nothing needs attention, as `pqwatch status` sees it", [({}, status.ok)]),
        _gauge(
            "pqwatch_source_questions",
            "Questions that a source has shown",
            [({"source": each.source}, each.held) for each in sources],
        ),
        _gauge(
            "pqwatch_source_problems",
            "Open problems of a source",
            [({"source": each.source}, each.problems) for each in sources],
        ),
        _gauge(
            "pqwatch_source_last_success_timestamp_seconds",
            "When a source was last crawled with success",
            [({"source": s.source}, s.last_success.timestamp()) for s in sources if s.last_success],
        ),
        _gauge(
            "pqwatch_deliveries",
            "Rows of the ledger that wait, or failed for good",
            [({"state": "pending"}, status.pending), ({"state": "failed"}, status.failed)],
        ),
    )
    return "".join(parts)


def _gauge(name: str, meaning: str, samples: Iterable[Sample]) -> str:
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} gauge"]
    lines += [f"{name}{_labels(labels)} {float(value):.17g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
