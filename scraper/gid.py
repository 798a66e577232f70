"""TheyWorkForYou's identifiers, and what question each is about. Pure.

Since 2014 a gid holds the date TABLED and the UIN: `2019-05-14.990400.h`, `…q0` for each question, `…r0` for the reply,
`…mh` for a department. Before, it held the date answered with a letter of revision: `2009-10-26f.294178.h`, for the Lords
column and position `2009-10-27a.115.1`. Scottish ones hold the date answered and the number: `2009-10-27.S3W-27924.h`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from scraper.clean import iso_date
from scraper.source import UnreadableError
from storage.records import House, key_of

_TABLED_SINCE = date(2014, 1, 1)
"""Before, the date is that of the answer, also where no letter says so; nothing tabled earlier was answered under the new form."""

_GID = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?P<revision>[a-z]?)\.(?P<number>S\d\w?[OW]-\d+|(?:HL)?\d+)(?P<tail>(?:\.\w+)*?)"
    r"(?:\.(?P<part>mh|h|q\d+|r\d+))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Gid:
    text: str  # whole, without "uk.org.publicwhip/wrans/"
    day: date  # tabled, or answered for the old forms and Scotland
    number: str  # UIN; of old Lords gids the column
    tail: str  # of old Lords gids the position in the column, with its dot
    part: str  # h, mh, q0, r0 …; empty for old Lords gids
    old: bool
    scottish: bool

    @property
    def tabled_on(self) -> date | None:
        return None if self.old or self.scottish else self.day

    @property
    def source_id(self) -> str:
        """What rows of day pages and questions have in common. Later questions of an old group share its number."""
        extra = len(self.part) + 1 if self.part and not (self.old and self.part not in ("h", "q0")) else 0
        return self.text[: len(self.text) - extra]

    def key(self, house: House, uin: str | None) -> str:
        """The KEY of the question: by the date tabled where the gid has it, else by that of the answer."""
        if self.scottish:
            return key_of(House.SCOTLAND, self.day, self.number)
        if self.tabled_on is not None:
            return key_of(house, self.tabled_on, uin or self.number)
        last = uin.upper() if uin else f"{self.number}{self.tail}"
        if not uin and self.part not in ("", "h", "q0"):
            last = f"{last}.{self.part}"
        return f"{house.value.lower()}/answered-{self.day}/{last}"


def parse_gid(text: str) -> Gid:
    """Raises UnreadableError for what is no gid of a written answer."""
    bare = text.rpartition("/")[2]
    match = _GID.fullmatch(bare)
    if match is None:
        raise UnreadableError(f"{text[:60]!r} is no gid of a written answer")
    number, day = match["number"].upper(), iso_date(match["day"])
    scottish = number.startswith("S")
    return Gid(
        text=bare,
        day=day,
        number=number,
        tail=match["tail"],
        part=(match["part"] or "").lower(),
        old=bool(match["revision"]) or (day < _TABLED_SINCE and not scottish),
        scottish=scottish,
    )
