"""Filters by click: what a search can be narrowed by, each as the query that a click leads to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pqwatch.web.asked import Asked, freed, holds, narrowed, valued
from pqwatch.web.render import STATES, source
from storage.search import Facets

_HOUSES = {"Commons": "commons", "Lords": "lords", "Scottish Parliament": "scotland"}
_OPEN = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """`query`: where a click leads. `count`: hits with it, null where they were not counted. `on`: it holds already."""

    label: str
    query: str
    count: int | None
    on: bool


@dataclass(frozen=True, slots=True)
class Group:
    """`rest`: what is behind "more"."""

    label: str
    choices: Sequence[Choice]

    @property
    def first(self) -> Sequence[Choice]:
        return self.choices[:_OPEN]

    @property
    def rest(self) -> Sequence[Choice]:
        return self.choices[_OPEN:]


def groups(asked: Asked, facets: Facets, *, topics: Mapping[str, str], sources: Iterable[str]) -> list[Group]:
    """Every filter of a search. `topics`: names of packs with their titles. Groups without a choice are left out."""
    made = [
        _group(asked, "Department", ((n, valued("department", n), c) for n, c in facets.department.most_common())),
        _group(asked, "House", ((n, f"house:{_HOUSES.get(n, n)}", c) for n, c in facets.house.most_common())),
        _group(asked, "State", ((STATES[n], f"state:{n}", c) for n, c in facets.state.most_common())),
        _group(asked, "Tabled in", ((str(y), f"tabled:{y}", c) for y, c in sorted(facets.year.items(), reverse=True))),
        _group(asked, "Topic", ((title, f"topic:{name}", None) for name, title in topics.items())),
        _group(asked, "Seen at", ((source(name), f"source:{name}", None) for name in sources)),
    ]  # fmt: skip
    return [group for group in made if group.choices]


def _group(asked: Asked, label: str, values: Iterable[tuple[str, str, int | None]]) -> Group:
    return Group(label, [_choice(asked, name, token, count) for name, token, count in values])


def _choice(asked: Asked, label: str, token: str, count: int | None) -> Choice:
    on = holds(asked.text, token)
    return Choice(label, freed(asked.text, token) if on else narrowed(asked, token), count, on)
