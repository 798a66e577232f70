"""How often one visitor may ask for what costs something, over all processes that serve one site."""

from __future__ import annotations

import multiprocessing
import threading
import time
from array import array
from collections.abc import MutableSequence
from dataclasses import dataclass, field
from hashlib import blake2b

from pqwatch.web.problems import WebError

_SETS, _WAYS, _FIELDS = 1_280, 8, 3
"""A visitor has a place among the eight of the set that the digest of its address names: who, left, since when."""

_CELLS = _SETS * _WAYS * _FIELDS


def _own() -> MutableSequence[float]:
    return array("d", bytes(8 * _CELLS))


def _shared() -> MutableSequence[float]:
    """Memory that processes started from here see together."""
    made: MutableSequence[float] = multiprocessing.get_context("spawn").RawArray("d", _CELLS)
    return made


@dataclass
class Limiter:
    """At most `burst` requests at once for one visitor, and `a_minute` in the long run.

    In memory, for 10,000 visitors; of eight that meet in one set the one not seen for longest makes room. Nothing is
    locked, so that no process that dies holds up another: two requests of one visitor in the same microseconds may count as one.
    """

    a_minute: float
    burst: int
    cells: MutableSequence[float] = field(default_factory=_own, repr=False)

    def check(self, visitor: str) -> None:
        """Raises WebError (429) with the seconds to wait."""
        at = self._place(visitor)
        now = time.monotonic()
        left, since = self.cells[at + 1], self.cells[at + 2]
        left = min(self.burst, left + (now - since) * self.a_minute / 60)
        self.cells[at + 1], self.cells[at + 2] = left - 1 if left >= 1 else left, now
        if left < 1:
            wait = int((1 - left) * 60 / self.a_minute) + 1
            raise WebError(
                429, "Too many requests", f"Try again in {wait} seconds.", headers={"Retry-After": str(wait)}
            )

    def _place(self, visitor: str) -> int:
        """Where the visitor's cells begin; made where there are none."""
        number = int.from_bytes(blake2b(visitor.encode(), digest_size=6).digest()) + 1  # 0 is nobody
        first = number % _SETS * _WAYS * _FIELDS
        places = range(first, first + _WAYS * _FIELDS, _FIELDS)
        for at in places:
            if self.cells[at] == number:
                return at
        oldest = min(places, key=lambda at: self.cells[at + 2])
        self.cells[oldest : oldest + _FIELDS] = array("d", (number, self.burst, time.monotonic()))
        return oldest


@dataclass
class Limits:
    """The limits of one site. Those on visitors hold over all its processes, those on what runs at once in each."""

    sign_ups: Limiter = field(default_factory=lambda: Limiter(a_minute=2, burst=5))
    previews: Limiter = field(default_factory=lambda: Limiter(a_minute=40, burst=20))
    searches: Limiter = field(default_factory=lambda: Limiter(a_minute=120, burst=60))
    logins: Limiter = field(default_factory=lambda: Limiter(a_minute=3, burst=5))
    downloads: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(2))
    previewing: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(2))

    @property
    def of_visitors(self) -> dict[str, Limiter]:
        """The limits on visitors by name: what processes share."""
        return {
            "sign_ups": self.sign_ups,
            "previews": self.previews,
            "searches": self.searches,
            "logins": self.logins,
        }


def shared() -> dict[str, Limiter]:
    """Limits on visitors for `Limits(**…)`, to be handed to processes as they are started."""
    return {
        name: Limiter(each.a_minute, each.burst, _shared()) for name, each in Limits().of_visitors.items()
    }
