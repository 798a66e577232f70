"""Topic packs: what `topic:NAME` stands for.

A pack is a file of `alerts/topics`, named after the topic. It holds queries of the ordinary language (docs/queries.md),
each within the limits of a user's query, in sections; the topic is the OR of its sections. docs/topics.md tells how a
pack is written. The packs are read once a process, when first asked for.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from alerts.errors import AlertsError
from alerts.matcher import Matcher
from alerts.printer import show
from alerts.query import QueryError, parse
from alerts.tree import And, Node, Not, Or, Query, Scope
from storage.document import Document, document
from storage.records import Record


class PackError(AlertsError):
    """A pack that cannot be read, or that is not there."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a topic. `tree` is its whole query."""

    name: str
    meaning: str
    tree: Node


@dataclass(frozen=True, slots=True)
class Change:
    version: str
    on: date
    what: str


@dataclass(frozen=True, slots=True)
class Pack:
    """A topic as its file tells it. `changes` begin with the newest, whose version is the pack's."""

    name: str
    title: str
    meaning: str
    sources: tuple[str, ...]
    changes: tuple[Change, ...]
    sections: tuple[Section, ...]

    @property
    def version(self) -> str:
        return self.changes[0].version

    @property
    def query(self) -> Query:
        """The whole pack as one query; its text is in the query language."""
        tree = _joined(Or, [section.tree for section in self.sections])
        return Query(tree, show(tree))


_SHARES = dict.fromkeys(
    ("home", "depart", "justic", "transport", "children", "women", "organis", "agenc", "secretari", "state"),
    0.1,
)
_SHARES |= dict.fromkeys(
    ("peopl", "polic", "school", "suppli", "street", "high", "support", "offic", "centr", "commiss"), 0.1
)
_SHARES |= dict.fromkeys(
    (
        "rural",
        "vehicl",
        "drive",
        "drink",
        "lead",
        "fuel",
        "migrant",
        "channel",
        "cross",
        "farm",
        "car",
        "crime",
        "crimin",
        "illeg",
        "fraud",
        "prison",
        "border",
        "busi",
        "global",
        "onlin",
        "safer",
    ),
    0.03,
)
_SHARES |= {"drug": 0.01}
"""About how many questions hold a word, so that packs are filed under others; words that are not here are rare."""

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_PACK_KEYS = {"title", "meaning", "sources", "words", "section", "change"}
_SECTION_KEYS = {"name", "meaning", "asked", "answer", "anywhere", "unless"}


def read_pack(name: str, text: str) -> Pack:
    """The pack that the text of a file holds. Raises PackError, which names the section at fault."""
    try:
        data = tomllib.loads(text)
        _check_keys(data, _PACK_KEYS, required=_PACK_KEYS - {"words"})
        return Pack(
            name,
            str(data["title"]),
            " ".join(str(data["meaning"]).split()),
            tuple(map(str, data["sources"])),
            tuple(_change(each) for each in data["change"]),
            tuple(_section(each, data.get("words", {})) for each in data["section"]),
        )
    except (tomllib.TOMLDecodeError, PackError, TypeError) as error:
        raise PackError(f"topic pack {name}: {error}") from None


def _check_keys(table: Mapping[str, Any], known: set[str], *, required: set[str]) -> None:
    if unknown := sorted(table.keys() - known):
        raise PackError(f"unknown key {unknown[0]!r}; known: {', '.join(sorted(known))}")
    if missing := sorted(key for key in required if not table.get(key)):
        raise PackError(f"{missing[0]!r} is missing")


def _change(table: Mapping[str, Any]) -> Change:
    _check_keys(table, {"version", "on", "what"}, required={"version", "on", "what"})
    if not isinstance(table["on"], date):
        raise PackError(f"version {table['version']}: 'on' is no date")
    return Change(str(table["version"]), table["on"], str(table["what"]))


def _section(table: Mapping[str, Any], words: Mapping[str, str]) -> Section:
    name = str(table.get("name", ""))
    try:
        _check_keys(table, _SECTION_KEYS, required={"name", "meaning"})
        return Section(name, str(table["meaning"]), _section_tree(table, words))
    except (PackError, QueryError) as error:
        raise PackError(f"section {name!r}: {error}") from None


def _section_tree(table: Mapping[str, Any], words: Mapping[str, str]) -> Node:
    """`asked`, `answer` and `anywhere` all hold, and `unless` is not asked."""
    parts: list[Node] = []
    if "asked" in table:
        parts.append(_asked(_query(table["asked"], words)))
    if "answer" in table:
        parts.append(Scope("answer", _query(table["answer"], words)))
    if "anywhere" in table:
        parts.append(_query(table["anywhere"], words))
    if not parts:
        raise PackError("one of 'asked', 'answer', 'anywhere' is needed")
    if "unless" in table:
        parts.append(Not(_asked(_query(table["unless"], words))))
    return _joined(And, parts)


def _joined(kind: type[And] | type[Or], parts: Sequence[Node]) -> Node:
    """AND or OR of several, without one within another of its kind: as the parser builds them."""
    flat = [child for part in parts for child in (part.children if isinstance(part, kind) else (part,))]
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def _query(text: str, words: Mapping[str, str]) -> Node:
    """Read a query with the word lists that it names put in. The limits are those of any query."""
    return parse(" ".join(_filled(text, words).split())).tree


def _filled(text: str, words: Mapping[str, str]) -> str:
    def listed(found: re.Match[str]) -> str:
        if found[1] not in words:
            raise PackError(f"there is no word list {found[1]!r}")
        return f"({_filled(words[found[1]], words)})"

    return _PLACEHOLDER.sub(listed, text)


def _asked(node: Node) -> Node:
    """The node within what is asked, which is heading and question: its ANDs may be parted between the two."""
    match node:
        case And(children):
            return _joined(And, [_asked(child) for child in children])
        case Not(child):
            return Not(_asked(child))
        case Or(children) if any(_holds_and(child) for child in children):
            return _joined(Or, [_asked(child) for child in children])
        case _:
            return Or((Scope("title", node), Scope("question", node)))


def _holds_and(node: Node) -> bool:
    match node:
        case And() | Not():
            return True
        case Or(children):
            return any(map(_holds_and, children))
        case _:
            return False


@cache
def all_packs() -> tuple[Pack, ...]:
    """Every pack, by name. Raises PackError."""
    folder = files("alerts").joinpath("topics")
    found = sorted(
        (each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda each: each.name
    )
    return tuple(
        read_pack(each.name.removesuffix(".toml"), each.read_text(encoding="utf-8")) for each in found
    )


def pack_named(name: str) -> Pack:
    """The pack of this name. Raises PackError."""
    for pack in all_packs():
        if pack.name == name:
            return pack
    raise PackError(
        f"there is no topic {name!r}; known topics: {', '.join(pack.name for pack in all_packs())}"
    )


class _Topics(Mapping[str, Query]):
    """Reads the packs when the first topic is asked for: it takes longer than all else that a short command does."""

    def __getitem__(self, name: str) -> Query:
        return _queries()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_queries())

    def __len__(self) -> int:
        return len(_queries())


@cache
def _queries() -> dict[str, Query]:
    return {pack.name: pack.query for pack in all_packs()}


def packs() -> Mapping[str, Query]:
    """The topics by name, for `alerts.query.parse`."""
    return _Topics()


@cache
def _matcher() -> Matcher:
    matcher = Matcher(_SHARES)
    for name, query in packs().items():
        matcher.add(name, query)
    return matcher


def topics_in(read: Document) -> list[str]:
    """Names of the topics that a document belongs to, in alphabetical order."""
    return sorted(_matcher().match(read))


def topics_of(record: Record) -> list[str]:
    """Names of the topics that a question or feed item belongs to. No pack asks for what depends on today's date."""
    return topics_in(document(record))
