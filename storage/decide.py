"""What an observation makes of a question: the next version, or nothing. Pure; `interface.md`, "Kinds of what happened"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from storage.compare import plain, same_body, same_member
from storage.content import FIELDS
from storage.fingerprint import TEXTS, even, layout, meaning
from storage.records import PARLIAMENT, Content, Kind, Observation, PageRef, State, Version

_FLAGS = frozenset({"withdrawn", "lapsed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is held of a question before an observation is weighed.

    `official`: the content is as the official API gave it. `fills`: of a provisional question, which source gave
    which field that is not empty. `read_at`: when the observing source's whole view was last taken in.
    """

    content: Content
    number: int
    observed_at: datetime
    official: bool
    fills: Mapping[str, str] = field(default_factory=dict)
    read_at: datetime | None = None


def decide(
    held: Held | None, observation: Observation, *, backfilled: bool = False, reparsed: bool = False
) -> tuple[Version, ...]:
    """The versions that `observation` makes: none, one, or two for a question that is first seen corrected.

    A partial view, a view older than the newest version, and another source's view of what the official API has
    given make none. `reparsed`: the view is an archived page read again; where an earlier reading of the same or a later
    page already stands, a difference is ours.
    """
    if not observation.whole:
        return ()
    if held is None:
        return _first(observation, backfilled)
    if is_older(held, observation):
        return ()
    content = merge(held.content, observation, accepted(held, observation))
    if not _differs(held.content, content):
        return ()
    ours = reparsed and held.read_at is not None and observation.observed_at <= held.read_at
    kinds = (Kind.REPARSED,) if ours else kinds_of(held, content, observation.source)
    return (_version(held.number + 1, kinds, held.content, content, observation, backfilled),)


def is_older(held: Held, observation: Observation) -> bool:
    """Whether the view is from before the newest version. The official API's first view of a question that another
    source showed is taken whenever it was made: that one only held its place."""
    if observation.source == PARLIAMENT and not held.official:
        return False
    return observation.observed_at < held.observed_at


def accepted(held: Held, observation: Observation) -> frozenset[str]:
    """The fields of `observation` that may stand: all of the official API's; of another source those of a provisional
    question that nobody has filled, or it itself."""
    if observation.source == PARLIAMENT:
        return observation.seen
    if held.official:
        return frozenset()
    source = observation.source
    return frozenset(name for name in observation.seen if held.fills.get(name, source) == source)


def ended(
    held: Held, *, lapsed: bool, source: str, page: PageRef, now: datetime, backfilled: bool
) -> Version:
    """The version that the end of its session makes of an open question, or (not `lapsed`) that takes it back.

    No page says so: it stands on the source and page of the version before.
    """
    kind = Kind.LAPSED if lapsed else Kind.RESTORED
    return Version(
        number=held.number + 1,
        kind=kind,
        kinds=(kind,),
        changed=("state",),
        observed_at=now,
        source=source,
        page=page,
        content=replace(held.content, lapsed=lapsed),
        backfilled=backfilled,
    )


def merge(base: Content, observation: Observation, names: frozenset[str]) -> Content:
    """`base` with the named fields as observed. Members and bodies that are the same stay as first seen."""
    given = observation.content
    changes: dict[str, Any] = {}
    for name in names:
        value, old = _clean(getattr(given, name)), getattr(base, name)
        if value != old and not _stays(name, old, value):
            changes[name] = value
    if base.lapsed and changes.get("answered_on"):
        changes["lapsed"] = False
    return replace(base, **changes) if changes else base


def _clean(value: Any) -> Any:
    if value == "":
        return None
    return tuple(sorted(set(value))) if type(value) is tuple and value and type(value[0]) is str else value


def _stays(name: str, old: Any, new: Any) -> bool:
    if old is None or new is None:
        return False
    if name in {"asking_member", "answering_member"}:
        return same_member(old, new) and (old.id is not None or new.id is None)
    if name == "answering_body":
        return same_body(old, new) and (old.id is not None or new.id is None)
    return False


def _differs(before: Content, after: Content) -> bool:
    if before == after:
        return False
    return meaning(before) != meaning(after) or layout(before) != layout(after)


def _first(observation: Observation, backfilled: bool) -> tuple[Version, ...]:
    empty = Content()
    content = merge(empty, observation, observation.seen)
    if content.state is not State.CORRECTED or observation.original is None:
        return (_version(1, (Kind(content.state.value),), empty, content, observation, backfilled),)
    text, html = observation.original
    before = replace(content, answer_text=text or None, answer_html=html or None, corrected_on=None)
    original = _version(1, (Kind.ANSWERED,), empty, before, observation, backfilled)
    return (
        replace(original, reconstructed=True),
        _version(2, (Kind.CORRECTED,), before, content, observation, backfilled),
    )


def _version(
    number: int,
    kinds: tuple[Kind, ...],
    before: Content,
    after: Content,
    observation: Observation,
    backfilled: bool,
) -> Version:
    return Version(
        number=number,
        kind=kinds[0],
        kinds=kinds,
        changed=changed(before, after),
        observed_at=observation.observed_at,
        source=observation.source,
        page=observation.page,
        content=after,
        backfilled=backfilled,
    )


def changed(before: Content, after: Content) -> tuple[str, ...]:
    """Every field that differs, white space included; the flags of withdrawal and lapse are the field `state`."""
    names = [name for name in FIELDS if getattr(before, name) != getattr(after, name)]
    return tuple(dict.fromkeys("state" if name in _FLAGS else name for name in names))


def _means(name: str, before: Content, after: Content) -> bool:
    """Whether the field differs in more than white space and mark-up."""
    one, other = getattr(before, name), getattr(after, name)
    if one == other or name == "answer_html":
        return False
    return even(one or "") != even(other or "") if name in TEXTS else True


def kinds_of(held: Held, after: Content, source: str) -> tuple[Kind, ...]:
    """All that happened between what is held and `after`, the first being the version's name."""
    before = held.content
    left = {name for name in FIELDS if _means(name, before, after)}
    if after.house is None:
        return (Kind.EDITED,) if left else (Kind.REFORMATTED,)
    if not held.official and any(other != source for other in held.fills.values()):
        left -= _said_otherwise(before, after)
    found = set()
    for event in _EVENTS:
        if left & event.shown_by and event.happened(before, after):
            found.add(event.kind)
            left -= event.brings
    left -= _first_told(held)
    found.update(_KIND_OF.get(name, Kind.EDITED) for name in left)
    return tuple(kind for kind in Kind if kind in found) or (Kind.REFORMATTED,)


def _first_told(held: Held) -> set[str]:
    """Dates and numbers of a provisional question that no source has given: to learn them is no change of them."""
    if held.official:
        return set()
    return {name for name in _RESCHEDULED if name not in held.fills}


def _said_otherwise(before: Content, after: Content) -> set[str]:
    """Fields in which a question that another source takes over differs only by that source's way of saying it.

    The words of question and answer were alerted already; a new spelling of a name is no event.
    """
    same = {name for name in TEXTS if plain(getattr(before, name)) == plain(getattr(after, name))}
    bodies = before.answering_body, after.answering_body
    moved = all(body is not None and body.id is not None for body in bodies)
    return same | _WORDLESS | (set() if moved else {"answering_body"})


_WORDLESS = {
    "asking_member", "answering_member", "attachments", "declared_interest", "grouped_with", "links", "house", "uin",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Event:
    """Something that happens to a question, the fields that show it, and those that it brings by its nature."""

    kind: Kind
    happened: Callable[[Content, Content], bool]
    shown_by: frozenset[str]
    brings: frozenset[str]


def _corrected(_before: Content, after: Content) -> bool:
    return after.corrected_on is not None


def _answered(before: Content, after: Content) -> bool:
    return before.answered_on is None and after.answered_on is not None


def _holding(before: Content, after: Content) -> bool:
    return after.holding_on is not None and after.answered_on is None and _was_not_held_open(before)


def _was_not_held_open(before: Content) -> bool:
    return before.holding_on is None or before.answered_on is not None


def _withdrawn(_before: Content, after: Content) -> bool:
    return after.withdrawn


def _lapsed(_before: Content, after: Content) -> bool:
    return after.lapsed


def _restored(before: Content, after: Content) -> bool:
    return (before.withdrawn and not after.withdrawn) or (before.lapsed and not after.lapsed)


def _transferred(before: Content, after: Content) -> bool:
    return before.answering_body is not None and not same_body(before.answering_body, after.answering_body)


_ANSWER = frozenset({"answer_text", "answer_html", "answering_member", "grouped_with", "attachments"})
_EVENTS = (
    _Event(Kind.CORRECTED, _corrected, frozenset({"corrected_on"}), _ANSWER | {"corrected_on"}),
    _Event(
        Kind.ANSWERED,
        _answered,
        frozenset({"answered_on"}),
        _ANSWER | {"answered_on", "holding_on", "lapsed"},
    ),
    _Event(
        Kind.HOLDING,
        _holding,
        frozenset({"holding_on", "answered_on"}),
        _ANSWER | {"answered_on", "holding_on"},
    ),
    _Event(Kind.WITHDRAWN, _withdrawn, frozenset({"withdrawn"}), frozenset({"withdrawn"})),
    _Event(Kind.LAPSED, _lapsed, frozenset({"lapsed"}), frozenset({"lapsed"})),
    _Event(Kind.RESTORED, _restored, _FLAGS, _FLAGS),
    _Event(
        Kind.TRANSFERRED,
        _transferred,
        frozenset({"answering_body"}),
        frozenset({"answering_body", "question_text"}),
    ),
)
# a number that was given anew is, like a new date, another key for the same question
_RESCHEDULED = ("tabled_on", "due_on", "answered_on", "holding_on", "corrected_on", "named_day", "uin")
_KIND_OF = {
    "grouped_with": Kind.REGROUPED,
    "heading": Kind.RETITLED,
    **dict.fromkeys(_RESCHEDULED, Kind.RESCHEDULED),
}
