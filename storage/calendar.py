"""The calendar of Westminster as data: sessions, elections, recesses, bank holidays, read from TOML.

`calendar.toml` beside this file is the table that comes with pqwatch and names its sources; a text of the same form can extend it.
What may be asked of a calendar stands in `storage.procedure`.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from storage.records import House
from storage.store import StorageError

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A session of Parliament. `last`: the day of prorogation or the last before dissolution; null: not known, or still going."""

    name: str
    first: date
    last: date | None = None
    ended_by: str | None = None  # "prorogation", "dissolution"
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Recess:
    """Days on which a House does not sit, both ends included. `last` is null where nobody has said yet.

    Where `certain` is false the dates are provisional or a guess: not to be told to anybody as a fact.
    """

    name: str
    first: date
    last: date | None
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Election:
    dissolved: date
    polled: date


@dataclass(frozen=True, slots=True)
class Sittings:
    """What is known of one House between two dates; outside them nothing is."""

    first: date
    last: date
    extra: frozenset[date] = frozenset()  # sittings on Fridays, at weekends and in recesses
    recesses: tuple[Recess, ...] = ()  # sorted, never overlapping


@dataclass(frozen=True, eq=False)
class Calendar:
    """The whole table. Compared and hashed by identity, so that answers drawn from it can be remembered."""

    sessions: tuple[Session, ...]
    elections: tuple[Election, ...]
    bank_holidays: frozenset[date]
    sittings: Mapping[House, Sittings] = field(default_factory=dict)


def recess_on(sittings: Sittings, day: date) -> Recess | None:
    at = bisect_right(sittings.recesses, day, key=lambda recess: recess.first)
    found = sittings.recesses[at - 1] if at else None
    return found if found and (found.last is None or day <= found.last) else None


@cache
def builtin() -> Calendar:
    """The table that comes with pqwatch."""
    text = (files("storage") / "calendar.toml").read_text(encoding="utf-8")
    return extended(text, Calendar((), (), frozenset()))


def extended(text: str, base: Calendar | None = None) -> Calendar:
    """`base` (else the built-in table) with what a TOML text of the form of `calendar.toml` adds to it or corrects.

    A session with the same first day and a recess that overlaps one of the same House replace it. Raises StorageError.
    """
    base = base if base is not None else builtin()
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StorageError(f"the calendar of Parliament is no TOML: {error}") from error
    _allow("the calendar", table, {"sessions", "elections", "bank_holidays", "commons", "lords"})
    sessions = [_session(row) for row in table.get("sessions", ())]
    elections = {_election(row) for row in table.get("elections", ())}
    houses = {House.COMMONS: table.get("commons"), House.LORDS: table.get("lords")}
    return Calendar(
        sessions=_ordered_sessions({s.first: s for s in (*base.sessions, *sessions)}.values()),
        elections=tuple(sorted({*base.elections, *elections}, key=lambda election: election.polled)),
        bank_holidays=base.bank_holidays | _dates("bank_holidays", table.get("bank_holidays", ())),
        sittings={
            **base.sittings,
            **{h: _sittings(h, base.sittings.get(h), rows) for h, rows in houses.items() if rows is not None},
        },
    )


def _session(row: Any) -> Session:
    _allow("a session", row, {"name", "first", "last", "ended_by", "certain"})
    ended_by = row.get("ended_by")
    if ended_by not in {None, "prorogation", "dissolution"}:
        raise StorageError(f"calendar: ended_by is {ended_by!r}; allowed are 'prorogation' and 'dissolution'")
    last = _date(row, "last") if "last" in row else None
    return Session(_name(row), _date(row, "first"), last, ended_by, _certain(row))


def _election(row: Any) -> Election:
    _allow("an election", row, {"dissolved", "polled"})
    return Election(_date(row, "dissolved"), _date(row, "polled"))


def _recess(row: Any) -> Recess:
    _allow("a recess", row, {"name", "first", "last", "certain"})
    first, last = _date(row, "first"), _date(row, "last")
    if last < first:
        raise StorageError(
            f"calendar: the recess {row['name']!r} ends on {last}, before it begins on {first}"
        )
    return Recess(_name(row), first, last, _certain(row))


def _sittings(house: House, base: Sittings | None, rows: Any) -> Sittings:
    _allow(house.value, rows, {"covered", "extra", "recesses"})
    if covered := rows.get("covered"):
        _allow("covered", covered, {"first", "last"})
        span = Sittings(_date(covered, "first"), _date(covered, "last"))
    elif base is None:
        raise StorageError(f"calendar: {house.value} has no 'covered' with its first and last day")
    else:
        span = base
    new = sorted((_recess(row) for row in rows.get("recesses", ())), key=lambda recess: recess.first)
    for one, other in pairwise(new):
        if _overlap(one, other):
            raise StorageError(
                f"calendar: {house.value}: {one.name} and {other.name} overlap on {other.first}"
            )
    old = [recess for recess in (base.recesses if base else ()) if not any(_overlap(recess, n) for n in new)]
    return replace(
        span,
        extra=(base.extra if base else frozenset()) | _dates("extra", rows.get("extra", ())),
        recesses=tuple(sorted([*old, *new], key=lambda recess: recess.first)),
    )


def _ordered_sessions(sessions: Iterable[Session]) -> tuple[Session, ...]:
    ordered = sorted(sessions, key=lambda session: session.first)
    for one, other in pairwise(ordered):
        if one.last is not None and one.last >= other.first:
            raise StorageError(
                f"calendar: session {one.name} ends on {one.last}, but {other.name} begins on {other.first}"
            )
    return tuple(ordered)


def _overlap(one: Recess, other: Recess) -> bool:
    return one.first <= (other.last or date.max) and other.first <= (one.last or date.max)


def _allow(what: str, row: Any, names: set[str]) -> None:
    if not isinstance(row, dict):
        raise StorageError(f"calendar: {what} must be a table, not {row!r}")
    if unknown := sorted(row.keys() - names):
        raise StorageError(
            f"calendar: {what} has an unknown key {unknown[0]!r}; known: {', '.join(sorted(names))}"
        )


def _date(row: Any, name: str) -> date:
    value = row.get(name)
    if type(value) is not date:
        raise StorageError(f"calendar: {name!r} must be a date such as 2026-05-13, not {value!r}")
    return value


def _dates(what: str, values: Any) -> frozenset[date]:
    for value in values:
        if type(value) is not date:
            raise StorageError(f"calendar: {what} must be dates such as 2026-05-13, not {value!r}")
    return frozenset(values)


def _name(row: Any) -> str:
    value = row.get("name")
    if not isinstance(value, str) or not value:
        raise StorageError(f"calendar: 'name' must be a text, not {value!r}")
    return value


def _certain(row: Any) -> bool:
    value = row.get("certain", True)
    if not isinstance(value, bool):
        raise StorageError(f"calendar: 'certain' must be true or false, not {value!r}")
    return value
