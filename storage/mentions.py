"""Which other questions a question speaks of: "pursuant to the Answer of 3 March 2025 to Question 35566", "UIN 12345", links.

Most references give the day of the ANSWER, while a KEY needs the day of tabling; some give no year, some no day at all.

    references(content)                what the texts say, typed; pure
    record(conn, {id: (key, content)}) for ingest: rewrites the rows of `mentions` of these questions. Call it with each new
                                       version, after all questions of the batch are written
    settle(conn, {id: (key, content)}) for ingest: call it with the same questions, after `record`

A reference by the day of an answer to a question that is not held waits in `mentions` under the key of that form
(`commons/answered-2025-03-03/35566`) until `settle` meets the question of that number that was answered, or held open, on that
day. A reference without any day is kept only if the question is held by then: nothing true could be stored for it before. Keys in
`mentions` may be former ones of a question that was re-dated since: readers join through `aliases`.

Within one session (House, UIN) is unique, so a day, even one that is a little wrong, tells which question of that number is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, select

from storage import schema
from storage.bulk import among
from storage.fold import fold
from storage.inserting import insert_rows
from storage.procedure import session_of
from storage.records import BadKeyError, Content, House, key_of, parse_key

DateIs = Literal["tabled", "answered"]


@dataclass(frozen=True, slots=True)
class Mention:
    """A reference to a question. `day` is null where the text gives none; `said_on` is the day of the text itself.

    `slug`: the heading as an address of Parallel Parliament has it, which gives no day at all.
    """

    house: House
    uin: str
    day: date | None = None
    day_is: DateIs | None = None
    said_on: date | None = None
    slug: str | None = None

    @property
    def key(self) -> str | None:
        """The KEY that the words alone give: by the day of tabling, or by that of the answer; null without a day."""
        if self.day is None:
            return None
        key = key_of(self.house, self.day, self.uin)
        return key if self.day_is == "tabled" else key.replace("/", "/answered-", 1)


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
_MONTH = "|".join(_MONTHS)
_DAY = r"\d{1,2}\s?(?:st|nd|rd|th)?"
_DATE = rf"\b(?P<days>{_DAY}(?:(?:,\s?|\sand\s){_DAY})*)\s{{1,2}}(?P<month>{_MONTH})\b(?:,?\s(?P<year>(?:19|20)\d\d)\b)?"
_NUMBER = rf"(?:HL\s?\d{{1,5}}|\d{{1,6}})(?!\d|[.,]\d|%|\s?(?:st|nd|rd|th)\b|\s(?:{_MONTH})\b)"
_LETTER = r"(?:\([a-z]{1,3}\)\s?)?"
_GROUP = re.compile(
    r"(?P<trigger>\b(?:[Ww]ritten\s)?(?:[Pp]arliamentary\s)?[Qq]uestions?\b|\bW?PQs?(?![A-Za-z])|\bUINs?(?![A-Za-z])|\bOfficial Report,)"
    r"(?:\s?(?:UINs?|[Nn]os?\.?|[Nn]umbers?))?[\s:]{0,3}"
    rf"(?P<numbers>{_LETTER}{_NUMBER}(?:(?:,\s?(?:and\s)?|\sand\s|\s?&\s?){_LETTER}{_NUMBER})*)"
    rf"|(?P<alone>\bHL\d{{1,5}}\b)"
)
_MORE = re.compile(rf"\son\s[^,;.\d]{{1,150}}?\sand\s(?P<number>{_NUMBER})\son\s")
_HINT = re.compile(r"uestion|UIN|PQ|HL\d|Official Report")
_BEFORE = re.compile(_DATE)
_GAP = re.compile(
    r"(?:[\s,():]|\b(?:to|on|at|under|in|response|reply|for|the|of|[a-d]|my|his|her|Official Report)\b)*"
)
_SAID = re.compile(
    r"\b(?P<answered>answer|repl(?:y|ies)\b|respon)|\b(?P<tabled>tabled|asked)\b", re.IGNORECASE
)
_AFTER = re.compile(
    r"(?:[\s,(]{0,3}|\son\s[^;.\d]{1,150}?,?\s(?=tabled|answered|asked))(?:which was\s)?"
    r"(?:(?P<how>answered|tabled|asked|given)\b[^.;]{0,60}?\s)?on\s(?:the\s)?(?:\w{3,6}day,?\s)?" + _DATE
)
_LINK = re.compile(
    r"written-questions/detail/(\d{4}-\d\d-\d\d)/(HL\d{1,5}|\d{1,6})\b"
    r"|written-question/(?:Commons|Lords)/(\d{4}-\d\d-\d\d)/(HL\d{1,5}|\d{1,6})\b"
    r"|theyworkforyou\.com/[^\s\"'<>]{0,80}?\bid=(?:uk\.org\.publicwhip/\w{1,20}/)?(\d{4}-\d\d-\d\d)\.(HL\d{1,5}|\d{1,6})\.",
    re.IGNORECASE,
)
_PARALLEL = re.compile(
    r"//(?:www\.)?parallelparliament\.co\.uk/question/(?P<uin>(?:HL)?\d{1,9})/(?P<slug>[\w-]{1,200})",
    re.IGNORECASE,
)
_WINDOW = 200


def references(content: Content) -> tuple[Mention, ...]:
    """What the texts of a question or a feed item refer to, each once, never the question itself.

    Of a feed item only links count, and what its source found: a blog's "question 3" is none of Parliament's.
    """
    texts = (content.question_text, content.answer_text)
    found = dict.fromkeys(map(_of_key, content.links))
    found.update(dict.fromkeys(m for text in (*texts, content.answer_html) for m in _links(text or "")))
    linked = {(mention.house, mention.uin) for mention in found}
    if content.house is None:
        to_parallel = _parallel_links(content.answer_html or "")
        found.update(dict.fromkeys(m for m in to_parallel if (m.house, m.uin) not in linked))
    else:
        days = (content.tabled_on, content.answered_on or content.holding_on or content.tabled_on)
        for text, said_on in zip(texts, days, strict=True):
            found.update(
                dict.fromkeys(m for m in _words(text or "", said_on) if (m.house, m.uin) not in linked)
            )
    return tuple(mention for mention in found if not _is_itself(mention, content))


def resolve(conn: Connection, mentions: Iterable[Mention]) -> dict[Mention, str | None]:
    """The key of the question that each one means: that of the held question, else what the words give, else null."""
    wanted = list(dict.fromkeys(mentions))
    held: dict[tuple[str, str], list[Any]] = {}
    table = schema.questions.c
    dates = table.tabled_on, table.answered_on, table.holding_on
    columns = table.house, table.uin, table.key, table.heading, *dates
    if wanted:
        query = select(*columns).where(among(conn, table.uin, {mention.uin for mention in wanted}))
        for row in conn.execute(query):
            held.setdefault((row.house, row.uin), []).append(row)
    return {m: _choose(m, held.get((m.house.value, m.uin), ())) or m.key for m in wanted}


def record(conn: Connection, questions: Mapping[int, tuple[str, Content]]) -> None:
    """Rewrite what these questions (id: key and newest content) mention. Takes the place of their former rows."""
    spoken = {id_: references(content) for id_, (_, content) in questions.items()}
    keys = resolve(conn, (mention for mentions in spoken.values() for mention in mentions))
    rows = [
        {"question_id": id_, "key": key}
        for id_, (own, _) in questions.items()
        for key in dict.fromkeys(keys[mention] for mention in spoken[id_])
        if key and key != own
    ]
    conn.execute(delete(schema.mentions).where(among(conn, schema.mentions.c.question_id, questions)))
    insert_rows(conn, schema.mentions, rows)


def settle(conn: Connection, questions: Mapping[int, tuple[str, Content]]) -> None:
    """Give the rows that wait for one of these questions (id: key and newest content) its key."""
    real = {waiting: (id_, key) for id_, (key, content) in questions.items() for waiting in _waiting(content)}
    table = schema.mentions
    if not real:
        return
    query = select(table.c.question_id, table.c.key).where(among(conn, table.c.key, real))
    found = [(row.question_id, row.key) for row in conn.execute(query)]
    for speaker, waiting in found:
        id_, key = real[waiting]
        conn.execute(delete(table).where(table.c.question_id == speaker, table.c.key.in_([waiting, key])))
        if speaker != id_:
            conn.execute(insert(table).values(question_id=speaker, key=key))


def _waiting(content: Content) -> Iterator[str]:
    """The keys by day of answer under which earlier texts may have spoken of a question."""
    if content.house is not None and content.uin and content.tabled_on:
        for day in {content.answered_on, content.holding_on} - {None}:
            key = Mention(content.house, content.uin.upper(), day, "answered").key
            if key:
                yield key


def _choose(mention: Mention, rows: Sequence[Any]) -> str | None:
    if mention.slug is not None:
        found = [row.key for row in rows if row.heading and _slug(row.heading) == mention.slug]
        return found[0] if len(found) == 1 else None
    if mention.day_is == "tabled":
        return next((row.key for row in rows if row.tabled_on == mention.day), None)
    exact = [row.key for row in rows if mention.day and mention.day in (row.answered_on, row.holding_on)]
    if exact:
        return str(exact[0])
    day = mention.day or mention.said_on
    session = session_of(day) if day else None
    if day is None or session is None:
        return None
    inside = [row for row in rows if row.tabled_on and session.first <= row.tabled_on <= day]
    return max(inside, key=lambda row: row.tabled_on).key if inside else None


def _is_itself(mention: Mention, content: Content) -> bool:
    same = mention.house is content.house and mention.uin == (content.uin or "").upper()
    return same and mention.day in {
        None,
        content.tabled_on if mention.day_is == "tabled" else content.answered_on,
    }


def _links(text: str) -> Iterator[Mention]:
    folded = text.lower()
    if "written-question" not in folded and "theyworkforyou.com" not in folded:
        return
    for match in _LINK.finditer(text):
        day, uin = (part for part in match.groups() if part)
        house = House.LORDS if uin.upper().startswith("HL") else House.COMMONS
        try:
            parse_key(key := f"{'lords' if house is House.LORDS else 'commons'}/{day}/{uin}")
        except BadKeyError:
            continue  # a link to the 31st of February leads nowhere
        yield Mention(house, key.rpartition("/")[2].upper(), date.fromisoformat(day), "tabled")


def _parallel_links(html: str) -> Iterator[Mention]:
    """Links to pages of Parallel Parliament: a UIN, which other sessions had too, and the heading."""
    for match in _PARALLEL.finditer(html):
        uin = match["uin"].upper()
        house = House.LORDS if uin.startswith("HL") else House.COMMONS
        yield Mention(house, uin, slug=match["slug"].lower())


def _slug(heading: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", fold(heading)))


def _of_key(key: str) -> Mention:
    """A KEY of a question, as the source of a feed item found it."""
    slug, day, uin = key.split("/")
    house = {"commons": House.COMMONS, "lords": House.LORDS, "scotland": House.SCOTLAND}[slug]
    by_answer = day.startswith("answered-")
    when = date.fromisoformat(day.removeprefix("answered-"))
    return Mention(house, uin, when, "answered" if by_answer else "tabled")


def _words(text: str, said_on: date | None) -> Iterator[Mention]:
    if not _HINT.search(text):
        return
    for match in _GROUP.finditer(text):
        uins = re.findall(_NUMBER, match["numbers"] or match["alone"])
        if (match["trigger"] or "").lower().endswith("questions") and (
            more := _MORE.match(text, match.end())
        ):
            uins.append(more["number"])
        days, day_is = _days_of(text, match, said_on)
        for at, uin in enumerate(uins):
            day = days[at] if len(days) == len(uins) else (days[-1] if days else None)
            if day is not None or _stands_alone(uin, match):
                yield _mention(uin, day, day_is, said_on)


def _stands_alone(uin: str, match: re.Match[str]) -> bool:
    """Whether a number without any day is a UIN all the same: "question 3" may be one of a survey."""
    return uin.startswith("HL") or len(uin) >= 4 or "UIN" in match.group() or "PQ" in match.group()


def _mention(uin: str, day: date | None, day_is: DateIs | None, said_on: date | None) -> Mention:
    uin = uin.replace(" ", "").lstrip("0")
    house = House.LORDS if uin.startswith("HL") else House.COMMONS
    return Mention(house, uin, day, day_is if day else None, None if day else said_on)


def _days_of(text: str, match: re.Match[str], said_on: date | None) -> tuple[list[date], DateIs | None]:
    """The days given for a group of numbers, right after it or before it, and what they are days of."""
    if after := _AFTER.match(text, match.end()):
        return _dates(after, said_on), "tabled" if after["how"] in {"tabled", "asked"} else "answered"
    window = text[max(0, match.start() - _WINDOW) : match.start()]
    before = None
    for before in _BEFORE.finditer(window):  # noqa: B007  # the last one is wanted
        pass
    if before is None or not _GAP.fullmatch(window, before.end()):
        return [], None
    said = [m.lastgroup for m in _SAID.finditer(window, 0, before.start())]
    if not said:
        return [], None
    return _dates(before, said_on), "tabled" if said[-1] == "tabled" else "answered"


def _dates(match: re.Match[str], said_on: date | None) -> list[date]:
    """The days of "4 and 5 November 2024". Without a year: the newest such day not after the text itself."""
    month = _MONTHS.index(match["month"]) + 1
    days = [int(day) for day in re.findall(r"\d+", match["days"])]
    if match["year"]:
        years: Iterable[int] = (int(match["year"]),)
    else:
        years = (said_on.year, said_on.year - 1) if said_on else ()
    for year in years:
        try:
            dates = [date(year, month, day) for day in days]
        except ValueError:
            return []
        if match["year"] or (said_on and dates[-1] <= said_on):
            return dates
    return []
