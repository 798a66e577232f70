"""What a job came to, source by source: the `crawl` shape of interface.md, and what the exit code follows from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class SourceReport:
    """What one source came to. `problems` are those that a person has not been told of yet. `locked`, `error`: why nothing,
    or not everything, was done."""

    source: str
    requests: int = 0
    seen: int = 0
    new: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    problems: int = 0
    seconds: float = 0.0
    complete: bool = False
    interrupted: bool = False
    locked: str | None = None
    error: str | None = None
    windows: int = 0
    gaps: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing needs attention that was not known before."""
        return not (self.problems or self.error or self.locked or self.interrupted)

    def to_json(self, *, windows: bool = False) -> dict[str, Any]:
        """One item of the `crawl` shape; of a backfill with `windows`: how many were read whole, and how many were not."""
        counted = ("windows", "gaps") if windows else ()
        names = ("source", "requests", *counted, "seen", "new", "versions", "problems")
        return {**{name: getattr(self, name) for name in names}, "seconds": round(self.seconds, 3)}
