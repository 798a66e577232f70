"""Open problems as a person reads them: what is the same at many addresses is said once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from storage.problems import OpenProblem


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong, at one address or many. `first` is the one met first."""

    first: OpenProblem
    count: int
    addresses: int

    @property
    def what(self) -> str:
        """The message, without what is said beside it anyway."""
        return self.first.message.removeprefix(f"{self.first.url}: ").removeprefix(f"{self.first.kind}: ")

    @property
    def where(self) -> str:
        others = self.addresses - 1
        return self.first.url + (f" and {others:,} more" if others else "")


def gathered(problems: Iterable[OpenProblem]) -> list[Trouble]:
    """Problems by what they say, in the order in which they came."""
    found: dict[tuple[str, str, str], list[OpenProblem]] = {}
    for problem in problems:
        found.setdefault((problem.source, problem.kind, problem.message), []).append(problem)
    return [Trouble(met[0], sum(problem.count for problem in met), len(met)) for met in found.values()]
